"""The built site as files: every link arrives, nothing comes from elsewhere, search finds."""

import html.parser
import posixpath
import re
import urllib.parse

import pytest
import yaml
from conftest import ROOT, pages

FETCHING_ATTRIBUTES = {"src", "srcset", "poster", "data"}
FETCHING_RELATIONS = {
    "stylesheet",
    "icon",
    "preload",
    "modulepreload",
    "prefetch",
    "preconnect",
    "dns-prefetch",
    "manifest",
}
FETCHED_BY_STYLE = re.compile(r"""(?:url\(|@import)\s*["']?((?:https?:)?//[^"')]+)""")


class Page(html.parser.HTMLParser):
    """The ids of a page, and its references as (address, whether it is fetched unasked)."""

    def __init__(self, text):
        super().__init__()
        self.ids, self.references = [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        attributes = {name: value or "" for name, value in attributes}
        # A set: an <a> whose name repeats its id is one anchor.
        names = {attributes.get("id"), attributes.get("name") if tag == "a" else None}
        self.ids += names - {None, ""}
        relations = set(attributes.get("rel", "").lower().split()) if tag == "link" else set()
        if tag in {"a", "area"} or relations & FETCHING_RELATIONS:
            self.references.append((attributes.get("href", ""), tag == "link"))
        if attributes.get("http-equiv", "").lower() == "refresh":
            self.references.append((attributes["content"].partition("url=")[2], True))
        for name in FETCHING_ATTRIBUTES & attributes.keys():
            several = attributes[name].split(",") if name == "srcset" else [attributes[name]]
            self.references += [(one.split()[0], True) for one in several if one.strip()]


def complaints_about_links(site):
    """All that is wrong with the links of a site, one complaint each."""
    parsed = {name: Page((site / name).read_text(encoding="utf-8")) for name in pages(site)}
    # As they are written: macOS and Windows open a file in spite of a wrong capital, the web not.
    files = {path.relative_to(site).as_posix() for path in site.rglob("*") if path.is_file()}
    complaints = []
    for name, page in parsed.items():
        for address, fetched in page.references:
            said = complaint_about(address, fetched, name, parsed, files)
            if said:
                complaints.append(f"{name}: {said}: {address}")
    for name in sorted(name for name in files if name.endswith(".css")):
        for address in FETCHED_BY_STYLE.findall((site / name).read_text(encoding="utf-8")):
            complaints.append(f"{name}: reaches outside the site: {address}")
    return list(dict.fromkeys(complaints))


def complaint_about(address, fetched, name, parsed, files):
    """What is wrong with one reference of the page of that name, or None."""
    parts = urllib.parse.urlsplit(address)
    if parts.scheme in {"data", "mailto", "javascript"}:
        return None
    if parts.scheme or parts.netloc:
        on_the_web = parts.scheme in {"http", "https"}
        of_one_machine = parts.hostname in {"localhost", "127.0.0.1"}
        usable = on_the_web and not fetched and not of_one_machine
        return None if usable else "reaches outside the site"
    if parts.path.startswith("/"):
        return "works only at the root of a server"
    # A folder is no target: a reader with no server would see its listing.
    path = posixpath.join(posixpath.dirname(name), urllib.parse.unquote(parts.path))
    target = posixpath.normpath(path) if parts.path else name
    if target.startswith(".."):
        return "leaves the site"
    if target not in files:
        return "no such file"
    fragment = urllib.parse.unquote(parts.fragment)
    if fragment and target in parsed:
        anchors = parsed[target].ids.count(fragment)
        return None if anchors == 1 else f"{anchors} anchors of that name"
    return None


def test_every_link_of_the_site_arrives(site):
    complaints = complaints_about_links(site)
    assert not complaints, "\n".join(complaints)


BROKEN_LINKS = [
    ('<a href="nowhere.html">', "no such file: nowhere.html"),
    ('<a href="Other.html">', "no such file: Other.html"),
    ('<a href="other.html#nowhere">', "0 anchors of that name: other.html#nowhere"),
    ('<a href="#nowhere">', "0 anchors of that name: #nowhere"),
    ('<a href="#twice"><i id="twice"></i><i id="twice"></i>', "2 anchors of that name: #twice"),
    ('<a href="/other.html">', "works only at the root of a server: /other.html"),
    ('<a href="../../elsewhere.html">', "leaves the site: ../../elsewhere.html"),
    ('<a href="../chapters/">', "no such file: ../chapters/"),
    ('<img src="nowhere.png">', "no such file: nowhere.png"),
    ('<img srcset="nowhere.png 2x">', "no such file: nowhere.png"),
    ('<img src="https://a.invalid/x.png">', "reaches outside the site: https://a.invalid/x.png"),
    ('<script src="//a.invalid/x.js"></script>', "reaches outside the site: //a.invalid/x.js"),
    ('<link rel="stylesheet" href="https://a.invalid">', "reaches outside the site: https://a"),
    ('<link rel="preconnect" href="https://a.invalid">', "reaches outside the site: https://a"),
    ('<a href="file:///etc/hosts">', "reaches outside the site: file:"),
    ('<a href="http://localhost:8888/">', "reaches outside the site: http://localhost"),
    ('<meta http-equiv="Refresh" content="0; url=nowhere.html">', "no such file: nowhere.html"),
]

SOUND_LINKS = """
<a href="page.html#here">, <a id="here" name="here">, <a href="#">, <a href="../index.html">,
<a href="other.html#caf%C3%A9">, <a href="other.html?highlight=word#">, <img src="data:,">,
<a href="https://a.invalid/">, <a href="mailto:b@a.invalid">,
<link rel="canonical" href="https://a.invalid/">
"""


def small_site(folder, html):
    """A site of three pages; chapters/page.html has the text."""
    (folder / "chapters").mkdir()
    (folder / "index.html").write_text("<p>", "utf-8")
    (folder / "chapters" / "other.html").write_text('<p id="café">', "utf-8")
    (folder / "chapters" / "page.html").write_text(html, "utf-8")
    return folder


def test_sound_links_have_no_complaint(tmp_path):
    assert complaints_about_links(small_site(tmp_path, SOUND_LINKS)) == []


@pytest.mark.parametrize(("html", "said"), BROKEN_LINKS, ids=[html for html, _ in BROKEN_LINKS])
def test_a_broken_link_is_seen(html, said, tmp_path):
    (complaint,) = complaints_about_links(small_site(tmp_path, html))
    assert said in complaint


def test_a_style_that_reaches_out_is_seen(tmp_path):
    style = "@import 'https://a.invalid/x.css'; a {src: url(//b.invalid/f); background: url(c.png)}"
    (small_site(tmp_path, "") / "x.css").write_text(style, encoding="utf-8")
    assert len(complaints_about_links(tmp_path)) == 2


def found_by_search(browser, address, words):
    """The titles that the search page lists, once it says that it has finished."""
    page = browser.new_page()
    page.goto(f"{address}search.html?q={words}")
    page.locator("#search-results p.search-summary:not(:empty)").wait_for()
    return page.locator("#search-results ul.search li a").all_inner_texts()


def test_search_finds_what_is_there_and_nothing_else(address, browser):
    assert found_by_search(browser, address, "teacher")
    assert not found_by_search(browser, address, "qwertyuiop")


@pytest.mark.parametrize(
    ("words", "chapter"),
    [
        ("closed form", 3),
        ("logistic regression", 2),
        ("learning rate", 2),
        ("neural network", 4),
        ("minimum norm", 3),
        ("T squared", 1),
        ("easiness", 6),
    ],
)
def test_search_leads_to_the_chapter_first(words, chapter, address, browser):
    assert found_by_search(browser, address, words)[0].startswith(f"{chapter}. ")


def test_the_words_of_the_search_are_of_pages_that_there_are(site):
    config = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))
    words = config["sphinx"]["config"]["search_words"]
    assert words.keys() <= {page.removesuffix(".html") for page in pages(site)}


def test_search_shows_no_tex_and_marks_no_single_letters(address, browser):
    page = browser.new_page()
    page.goto(f"{address}search.html?q=T+squared+projection")
    page.locator("#search-results p.search-summary:not(:empty)").wait_for()
    page.locator("#search-results p.context").first.wait_for()
    assert not re.search(r"\\[(\[a-z]", page.locator("#search-results").inner_text())
    marked = page.locator("#search-results .highlighted").all_inner_texts()
    assert marked
    assert all(len(word) > 2 for word in marked)
    # The magnifier stands before the words.
    icon = page.locator(".bd-article-container form.bd-search i").bounding_box()
    box = page.locator(".bd-article-container form.bd-search input")
    padding = box.evaluate("box => parseFloat(getComputedStyle(box).paddingLeft)")
    assert icon["x"] + icon["width"] < box.bounding_box()["x"] + padding
    page.close()


def test_a_browser_that_keeps_no_data_still_searches(site, serve, browser, tmp_path):
    """In a frame that may keep nothing, to ask for the storage is an error."""
    page = browser.new_page()
    errors = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    address = serve(site)
    frame = f'<iframe sandbox="allow-scripts" src="{address}search.html?q=teacher"></iframe>'
    page.goto(f"{address}404.html")
    page.set_content(frame)
    inside = page.frame_locator("iframe")
    inside.locator("#search-results ul.search li a").first.wait_for()
    button = inside.locator("button.theme-switch-button").first
    mode = "() => document.documentElement.dataset.mode"
    before = page.frames[1].evaluate(mode)
    button.evaluate("button => button.click()")
    assert page.frames[1].evaluate(mode) != before
    # What such a frame may not fetch either, snippets, is only missing.
    assert [error for error in errors if error != "Failed to fetch"] == []
    page.close()


def test_the_book_needs_no_server(site, browser):
    """Opened as files, the first page and the first chapter set their maths."""
    chapter = next(page for page in pages(site) if re.match(r"chapters/\d", page))
    for name in ("index.html", chapter):
        page = browser.new_page()
        errors = []
        page.on("pageerror", lambda error, errors=errors: errors.append(str(error)))
        page.on("requestfailed", lambda request, errors=errors: errors.append(request.url))
        page.goto((site / name).as_uri())
        page.locator("article .math").first.wait_for()  # the first page leads on
        page.evaluate("maths.all()")
        assert page.locator("article mjx-container").count()
        assert page.locator(".math:not(:has(mjx-container))").count() == 0
        assert errors == []
