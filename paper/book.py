"""The whole book as one page of HTML, put together from the pages of the built site.

So every number, formula and figure in it is the site's own, and no notebook runs.
"""

import copy
import html
import json
import posixpath
import re
import tomllib
from pathlib import Path
from urllib.parse import unquote, urlsplit

import yaml
from bs4 import BeautifulSoup, NavigableString

ROOT = Path(__file__).resolve().parent.parent
SITE = ROOT / "_build" / "html"

# Of the head of a page: the colours of code.
KEPT = ("/pygments.css",)
ADDED = """
<link rel="stylesheet" href="paper/paper.css">
<script src="paper/paper.js"></script>
<script defer src="mathjax3/tex-mml-chtml.js"></script>
"""
# Long, and read with the files beside them: what they prove is said on the page before.
LEFT_OUT = {"chapters/proof_files"}
WIDGET = "script[type='application/vnd.jupyter.widget"
SCREEN_ONLY = "script, p.live, .run, .doors, .headerlink, .toctree-wrapper, .visually-hidden"


def settings(name):
    """Return what _config.yml or _toc.yml says."""
    return yaml.safe_load((ROOT / name).read_text(encoding="utf-8"))


def reading_order():
    """Return (caption, pages) for each part of the book; the front page has no caption."""
    toc = settings("_toc.yml")
    parts = [{"caption": None, "chapters": [{"file": toc["root"]}]}, *toc["parts"]]
    files = [[page["file"] for page in part["chapters"]] for part in parts]
    kept = [[page for page in of_part if page not in LEFT_OUT] for of_part in files]
    return [(part["caption"], pages) for part, pages in zip(parts, kept, strict=True)]


def parse(markup):
    return BeautifulSoup(markup, "html.parser")


def element(markup):
    """Return the one element that some HTML describes."""
    return parse(markup).find()


def read(page):
    return parse((SITE / f"{page}.html").read_text(encoding="utf-8"))


def resolve(page, address):
    """Return where an address on a page of the site leads, seen from the root of the site."""
    return posixpath.normpath(posixpath.join(posixpath.dirname(page), unquote(address)))


def whole_book():
    """Return the whole book as HTML, to be opened as if it lay in the root of the site."""
    config, order = settings("_config.yml"), reading_order()
    pages = [page for _, of_part in order for page in of_part]
    parts = [(caption, [chapter(page, pages) for page in of_part]) for caption, of_part in order]
    chapters = [text for _, of_part in parts for text in of_part]
    for caption, (first, *_) in parts[1:]:
        first.h2.insert_before(element(f"<h1>{caption}</h1>"))
    front = title_page(config, chapters[0])
    solutions = gather_solutions(chapters)
    parts[-1][1].append(solutions)
    chapters.append(solutions)

    book = parse("<!doctype html><html lang='en' data-theme='light'><head></head></html>")
    book.head.append(element("<meta charset='utf-8'>"))
    book.head.append(element(f"<title>{config['title']}</title>"))
    for each in read(pages[0]).head(["link", "script"]):
        if any(kept in str(each) for kept in KEPT):
            for name in {"href", "src"} & each.attrs.keys():
                each[name] = resolve(pages[0], each[name])
            book.head.append(each)
    macros = config["sphinx"]["config"]["mathjax3_config"]["tex"]
    book.head.append(element(f"<script>MathJax = {json.dumps({'tex': macros})}</script>"))
    book.head.extend(parse(ADDED)(["link", "script"]))
    book.head.append(running_titles(chapters))
    body = element("<body></body>")
    body.extend([front, contents(parts), *chapters])
    book.html.append(body)
    return str(book)


def chapter(page, pages):
    """Return what stands on a page of the site, fit to stand among the others."""
    whole = read(page)
    text = whole.select_one("article")
    print_flipbooks(text, whole)
    for each in text.select(SCREEN_ONLY):
        each.decompose()

    seen = set()
    for each in text.select("[id]"):
        if each["id"] in seen:
            del each["id"]
        else:
            seen.add(each["id"])
            each["id"] = f"{page}:{each['id']}"  # every chapter has a section "exercises"
    for image in text.select("img:not([src^='data:'])"):
        image["src"] = resolve(page, image["src"])
    for link in text.select("a[href]"):
        redirect(link, page, pages)

    for formula in text.select(":is(h1, h2, h3, h4) .math"):
        formula.name = "em"  # as words: the outline of a PDF holds nothing else
        formula.string = formula.text.removeprefix(r"\(").removesuffix(r"\)")
        del formula["class"]
    for formula in text.select("span.math"):
        keep_punctuation(formula)
    for heading in text.select("h1, h2, h3, h4, h5"):
        heading.name = f"h{int(heading.name[1]) + 1}"  # an h1 is the caption of a part
    for figure in text.select("figure"):
        figure["role"] = "group"  # in the PDF, the figure is the image in it, which is described
    text.name = "section"
    text.attrs = {"class": "chapter"}
    text.h2["id"] = page
    return text


def print_flipbooks(text, page):
    """Put three frames in the place of each flipbook's still: paper has no slider to move.

    They stand below the caption, so that a reference leads to where both begin.
    """
    views = text.select(f"{WIDGET}-view+json']")
    if not views:
        return
    models = json.loads(page.select_one(f"{WIDGET}-state+json']").string)["state"]
    state = {name: model["state"] for name, model in models.items()}
    for view in views:
        *sliders, leaves = (
            state[child.removeprefix("IPY_MODEL_")]
            for child in state[json.loads(view.string)["model_id"]]["children"]
        )
        frames = element("<div class='frames'></div>")
        for place in three_places(sliders):
            leaf = leaves
            for index in place:
                leaf = state[leaf["children"][index].removeprefix("IPY_MODEL_")]
            where = ", ".join(
                f"{slider['description']} = {slider['_options_labels'][index]}"
                for slider, index in zip(sliders, place, strict=True)
            )
            frame = element(f"<div><p>{html.escape(where)}</p></div>")
            frame.append(parse(leaf["value"]).img)
            frames.append(frame)
        figure = view.find_parent("figure")
        figure.select_one(".flipbook-still").decompose()
        figure.append(frames)


def three_places(sliders):
    """Return the ends of the longest slider and where it starts, or its middle, in their order.

    Another slider stays where it starts.
    """
    start = [slider["index"] for slider in sliders]
    lengths = [len(slider["_options_labels"]) for slider in sliders]
    longest = lengths.index(max(lengths))
    last = lengths[longest] - 1
    between = start[longest] if 0 < start[longest] < last else last // 2
    return [[*start[:longest], place, *start[longest + 1 :]] for place in (0, between, last)]


def redirect(link, page, pages):
    """Let a link lead to its place in the one page. Where there is none it becomes text."""
    del link["title"]
    address = urlsplit(link["href"])
    if address.scheme:
        return
    target = resolve(page, address.path).removesuffix(".html") if address.path else page
    if target in pages:
        link["href"] = f"#{target}:{unquote(address.fragment)}".removesuffix(":")
    else:
        link.unwrap()


def keep_punctuation(formula):
    """Let no line end between a formula and its full stop."""
    after = formula.next_sibling
    mark = re.match(r"[.,;:!?)\]’”-]+", after) if isinstance(after, NavigableString) else None
    if mark:
        together = formula.wrap(element("<span class='together'></span>"))
        together.append(mark[0])
        after.replace_with(after[mark.end() :])


def title_page(config, front):
    """Return the title page; its subtitle is the first paragraph of the front page."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    licence = config["sphinx"]["config"]["html_theme_options"]["extra_footer"]
    page = element(f"""<header>
        <h1>{config["title"]}</h1>
        <p class="author">{config["author"]}</p>
        <p>Version {project["version"]}, {config["copyright"]}</p>
        <p class="licence">{licence}</p>
        </header>""")
    front.p["class"] = "subtitle"
    page.h1.insert_after(front.p.extract())
    front.h2.string = "About this book"
    return page


def gather_solutions(chapters):
    """Take the solutions out of the chapters, and return them as a chapter of their own."""
    gathered = element("<section class='chapter'><h2 id='solutions'>Solutions</h2></section>")
    for text in chapters:
        solutions = text.select("div.solution")
        if solutions:
            gathered.append(heading_like(text.h2, "h3", id=f"solutions:{text.h2['id']}"))
        for solution in solutions:
            exercise = text.find(id=solution.select_one(".admonition-title a")["href"][1:])
            link = f"<a class='to-solution' href='#{solution['id']}'>Solution on page </a>"
            exercise.select_one(".admonition-title").append(element(link))
            gathered.append(solution.extract())
    return gathered


def contents(parts):
    """Return the table of contents: parts, chapters, and their sections one after the other."""
    table = element("<nav class='chapter contents'><h2 id='contents'>Contents</h2></nav>")
    for caption, chapters in parts:
        if caption:
            table.append(element(f"<p class='part'>{caption}</p>"))
        for text in chapters:
            title, sections = element("<p class='title'></p>"), element("<p class='sections'></p>")
            title.append(link_to(text.h2))
            for heading in text.select("h3"):
                sections.extend([link_to(heading), " "])
            table.extend([title, sections])
    return table


def link_to(heading):
    target = heading.get("id") or heading.find_parent(id=True)["id"]
    return heading_like(heading, "a", href=f"#{target}")


def heading_like(heading, name, **attributes):
    """Return an element with the words of a heading."""
    result = element(f"<{name}></{name}>")
    result.attrs = attributes
    result.extend(copy.copy(child) for child in heading.contents)
    return result


def running_titles(chapters):
    """Return the style that repeats the title of a chapter at the foot of its pages."""
    rules = []
    for number, text in enumerate(chapters):
        text["style"] = f"page: chapter-{number}"
        title = json.dumps(text.h2.text, ensure_ascii=False)  # quoted as in CSS
        rules.append(f"@page chapter-{number} {{ @bottom-left {{ content: {title} }} }}")
    return element(f"<style>{' '.join(rules)}</style>")
