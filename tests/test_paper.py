"""The PDF: the whole site is in it, with the site's numbers, described, and nothing cut off."""

import json
import os
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
import yaml
from bs4 import BeautifulSoup
from conftest import needed, wanting

pikepdf, pypdfium2 = needed("pikepdf"), needed("pypdfium2")
needed("playwright.sync_api")

import paper.pdf  # noqa: E402
from paper.book import three_places  # noqa: E402
from paper.pdf import PDF, open_book  # noqa: E402

ROOT = Path(__file__).resolve().parent.parent
NOT_WORDS = ".headerlink, .visually-hidden, p.live, .run, .doors"
# Of PDF 1.7, all that Chromium may use; whatever else it uses must be mapped to one of them.
STANDARD = set(
    re.findall(
        r"\w+",
        "Document Div Sect Art BlockQuote Caption P H1 H2 H3 H4 H5 H6 L LI Lbl LBody Table TR TH "
        "TD THead TBody TFoot Span Quote Note Link Code Figure Formula NonStruct",
    )
)
SCREEN_ONLY = "chapters/proof_files"  # the Coq files, which are long
LARGEST = 10_000_000  # bytes, so that it can be sent by mail


def words(element):
    """The text of an element, in one line; of its formulas, the TeX."""
    return " ".join(re.sub(r"\\[()]", "", element.get_text()).split())


class Printed:
    """A page with one numbered heading, which each time is printed on the next of these pages."""

    def __init__(self, *places):
        self.places, self.turns, self.written = places, 0, None

    def evaluate(self, code, numbers):
        if "paper.numbered(" in code:
            return self.written == numbers
        self.written = numbers
        return None


@pytest.mark.parametrize(
    ("places", "turns"),
    [((5, 5), 2), ((5, 6, 6, 6), 4), ((6, 5, 6, 5, 6, 5, 6, 5), 3)],
    ids=["at rest", "contents that grow", "a heading that wavers"],
)
def test_printing_ends_with_the_number_that_the_heading_has(monkeypatch, places, turns):
    def print_page(page):
        page.turns += 1
        return page.places[page.turns - 1]

    monkeypatch.setattr(paper.pdf, "print_page", print_page)
    monkeypatch.setattr(paper.pdf, "page_numbers", lambda printed: printed)
    page = Printed(*places)
    assert paper.pdf.print_book(page) == page.written == places[turns - 1]
    assert page.turns == turns


@pytest.fixture(scope="module")
def chapters(site):
    """What stands on the pages of the site that are printed, in reading order: {page: element}."""
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))
    names = [toc["root"], *(page["file"] for part in toc["parts"] for page in part["chapters"])]
    assert SCREEN_ONLY in names
    texts = {}
    for name in names:
        if name == SCREEN_ONLY:
            continue
        html = (site / f"{name}.html").read_text(encoding="utf-8")
        texts[name] = BeautifulSoup(html, "html.parser").select_one("article")
        for each in texts[name].select(NOT_WORDS):
            each.decompose()
    return texts


@pytest.fixture(scope="module")
def pdf(site, chapters):
    if not PDF.exists():
        wanting("the book hasn't been printed", "run `make pdf`")
    if PDF.stat().st_mtime < max((site / f"{name}.html").stat().st_mtime for name in chapters):
        wanting("the printed book is older than the site", "run `make pdf`")
    with pikepdf.open(PDF) as opened:
        yield opened


@pytest.fixture(scope="module")
def texts(pdf):
    """The text of each page, in one line."""
    with pypdfium2.PdfDocument(PDF) as document:
        found = []
        for page in document:
            found.append(" ".join(page.get_textpage().get_text_range().split()))
        return found


@pytest.fixture(scope="module")
def places(pdf):
    """Where each target of a link lies: {name: page number}."""
    numbers = {page.objgen: number for number, page in enumerate(pdf.pages, 1)}
    return {name[1:]: numbers[place[0].objgen] for name, place in pdf.Root.Dests.items()}


@pytest.fixture(scope="module")
def structure(pdf):
    """The elements that give the text its structure."""
    dictionaries = (each for each in pdf.objects if isinstance(each, pikepdf.Dictionary))
    return [each for each in dictionaries if each.get("/Type") == "/StructElem"]


def test_the_outline_is_that_of_the_site(pdf, chapters):
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))
    captions = {part["chapters"][0]["file"]: part["caption"] for part in toc["parts"]}
    front, *others = chapters
    expected = [(1, words(chapters[front].h1)), (2, "Contents"), (2, "About this book")]
    expected += [(3, words(heading)) for heading in chapters[front]("h2")]
    for name in others:
        expected += [(1, captions[name])] if name in captions else []
        for heading in chapters[name](["h1", "h2", "h3"]):
            expected.append((int(heading.name[1]) + 1, words(heading)))
    expected.append((2, "Solutions"))
    solved = [text for text in chapters.values() if text.select("div.solution")]
    expected += [(3, words(text.h1)) for text in solved]

    found = []

    def walk(items, level):
        for item in items:
            found.append((level, " ".join(item.title.split())))
            walk(item.children, level + 1)

    walk(pdf.open_outline().root, 1)
    assert found == expected


def test_every_number_of_the_site_is_in_its_chapter(chapters, texts, places):
    """Theorems, figures, tables, exercises and equations."""
    starts = [*(places[name] for name in chapters), places["solutions"]]
    solutions = " ".join(texts[places["solutions"] - 1 :])
    missing, count = [], 0
    for (name, text), start, end in zip(chapters.items(), starts, starts[1:], strict=False):
        printed = " ".join(texts[start - 1 : end]) + solutions
        for number in text.select(".caption-number, .eqno"):
            count += 1
            if words(number) not in printed:
                missing.append(f"{name}: {words(number)}")
    assert count > 200
    assert missing == []


def test_every_figure_and_every_formula_is_described(chapters, structure):
    images = Counter(
        image["alt"]
        for text in chapters.values()
        for image in text.select("figure img:not(.flipbook-still *)")
    )
    found = Counter(str(each.get("/Alt")) for each in structure if each.S == "/Figure")
    # Of a flipbook three frames, as the notebook stores them.
    assert not images - found
    more, stored = found - images, set()
    for path in (ROOT / "chapters").glob("*.ipynb"):
        widgets = json.loads(path.read_text(encoding="utf-8"))["metadata"].get("widgets", {})
        for states in widgets.values():
            values = [str(model["state"].get("value")) for model in states["state"].values()]
            frames = [
                BeautifulSoup(value, "html.parser").img for value in values if "<img" in value
            ]
            stored |= {frame["alt"] for frame in frames}
    flipbooks = [text.select(".flipbook-still") for text in chapters.values()]
    assert more.total() == 3 * sum(map(len, flipbooks)) > 30
    assert set(more) <= stored
    formulas = [str(each.get("/Alt", "")) for each in structure if each.S == "/Formula"]
    # Those in headings are words. The symbols of the notation that hold no letter aren't lost
    # either, but a formula is one element however many lines it has.
    wanted = [
        words(math).removeprefix(r"\[").removesuffix(r"\]")
        for text in chapters.values()
        for math in text.select(".math")
        if not math.find_parent(["h1", "h2", "h3", "h4"])
    ]
    assert len(formulas) == len(wanted)
    assert all(alternative.strip() for alternative in formulas)


def test_the_text_is_tagged_with_standard_tags(pdf, structure):
    assert pdf.Root.MarkInfo.Marked
    assert pdf.Root.Lang == "en"
    mapped = {own[1:]: str(kind)[1:] for own, kind in pdf.Root.StructTreeRoot.RoleMap.items()}
    assert set(mapped.values()) <= STANDARD
    used = {str(each.S)[1:] for each in structure}
    assert used - set(mapped) <= STANDARD
    assert {"H1", "H2", "H3", "P", "Figure", "Formula", "Caption", "Table", "TH", "Link"} <= used


def test_every_link_arrives_where_it_does_on_the_site(pdf, chapters, texts, places):
    inside, outside = set(), set()
    for page in pdf.pages:
        for link in page.get("/Annots", []):
            inside |= {str(link.Dest)[1:]} if "/Dest" in link else set()
            outside |= {str(link.A.URI)} if "/A" in link else set()
    wanted, numbered = set(), 0
    for name, text in chapters.items():
        for link in text.select("a[href]"):
            address, _, fragment = link["href"].partition("#")
            target = os.path.normpath(Path(name).parent / address).removesuffix(".html")
            target = Path(target).as_posix() if address else name
            if target in chapters:
                wanted.add(f"{target}:{fragment}" if fragment else target)
        for number in text.select(".caption-number"):
            place = places.get(f"{name}:{number.find_parent(id=True)['id']}")
            if place is not None:  # something leads there
                assert words(number) in texts[place - 1]
                numbered += 1
    assert wanted <= inside <= places.keys()
    assert numbered > 50
    elsewhere = re.compile(r"https?://[\w.]+\.\w+/")
    assert {address for address in outside if not elsewhere.match(address)} == set()
    assert {address for address in outside if ".invalid" in address} == set()


def test_the_page_numbers_that_are_printed_are_right(chapters, texts, places):
    for number, text in enumerate(texts[1:], 2):
        assert re.search(rf"(^| ){number}( |$)", text)
    contents = " ".join(texts[1 : places[next(iter(chapters))] - 1])
    for name in [*chapters][1:]:
        assert f"{words(chapters[name].h1)} {places[name]}" in contents
    solutions = re.findall(r"Solution on page (\d+)", " ".join(texts))
    exercises = [
        words(number)
        for text in chapters.values()
        for number in text.select("div.exercise .caption-number")
    ]
    for exercise, number in zip(exercises, solutions, strict=True):
        assert f"Solution to {exercise} " in texts[int(number) - 1]


def test_no_page_is_blank(texts):
    # Less than the shortest paragraph, more than the foot of a page.
    assert [number for number, text in enumerate(texts, 1) if len(text) < 100] == []


def test_the_fonts_are_in_it(pdf):
    fonts = [each for each in pdf.objects if isinstance(each, pikepdf.Dictionary)]
    fonts = [each for each in fonts if each.get("/Type") == "/Font" and "/FontDescriptor" in each]
    assert fonts
    assert all("/FontFile2" in font.FontDescriptor for font in fonts)
    names = {str(font.BaseFont).partition("+")[2] for font in fonts}
    assert {name.partition("_")[0].partition("-")[0] for name in names} == {
        "CMUSerif",
        "MathJax",
        "DejaVuSansMono",
    }


def test_it_says_what_it_is_and_not_when_it_was_made(pdf):
    config = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))
    assert pdf.docinfo.Title == config["title"]
    assert pdf.docinfo.Author == config["author"]
    assert "/CreationDate" not in pdf.docinfo
    assert "/ModDate" not in pdf.docinfo


def test_it_is_small_enough_to_be_sent(pdf):
    assert PDF.stat().st_size < LARGEST


def test_the_front_page_leads_to_it(pdf, chapters):
    front, text = next(iter(chapters.items()))
    link = text.find(id="pdf")
    assert link.name == "a"
    assert (PDF.parent / front).parent.joinpath(link["href"]).resolve() == PDF


@pytest.mark.parametrize(
    ("lengths", "start", "places"),
    [
        ([5], [2], [[0], [2], [4]]),
        ([5], [0], [[0], [2], [4]]),
        ([6], [5], [[0], [2], [5]]),
        ([3, 6], [1, 4], [[1, 0], [1, 4], [1, 5]]),
        ([6, 3], [4, 2], [[0, 2], [4, 2], [5, 2]]),
    ],
)
def test_a_flipbook_is_printed_from_end_to_end(lengths, start, places):
    sliders = [
        {"_options_labels": ["x"] * length, "index": index}
        for length, index in zip(lengths, start, strict=True)
    ]
    assert three_places(sliders) == places


# ---- The page that is printed, in a browser ----

ASK = """() => {
    const complaints = [], page = document.body.getBoundingClientRect();
    const say = (what, element) => complaints.push(`${what}: ${element.outerHTML.slice(0, 200)}`);
    for (const element of document.querySelectorAll("body *")) {
        const { left, right } = element.getBoundingClientRect();
        if (left < page.left - 1 || right > page.right + 1)  // a pixel for rounding
            say("wider than the page", element);
        // MathJax cuts the middle of a long brace to its length.
        if (element.localName !== "mjx-ext"
            && /auto|scroll|hidden|clip/.test(getComputedStyle(element).overflowX)
            && element.scrollWidth > element.clientWidth + 1) say("cut off", element);
    }
    for (const formula of document.querySelectorAll(".math:not(:has(mjx-container))"))
        say("not set", formula);
    for (const figure of document.querySelectorAll("figure")) {
        const images = [...figure.querySelectorAll("img")];
        const wanted = figure.querySelector(".frames") ? 3 : 1;
        if (images.length !== wanted || !images.every(image => image.checkVisibility()
            && image.naturalWidth)) say("not its pictures", figure);
        if (!figure.querySelector("figcaption")?.innerText.trim()) say("no caption", figure);
    }
    for (const text of document.querySelectorAll("pre, p, li, td, figcaption, mjx-container")) {
        const size = parseFloat(getComputedStyle(text).fontSize) * 0.75;
        if (size < 6.5) say(`${size} points are too small`, text);
    }
    return complaints;
}"""
FAULTS = {
    "wider than the page": "<pre style='white-space: pre; width: 170mm'>x</pre>",
    "cut off": "<p style='overflow: hidden; white-space: nowrap'>" + "long " * 99 + "</p>",
    "not set": "<p class='math'>x</p>",
    "not its pictures": "<figure><figcaption>A caption</figcaption></figure>",
    "no caption": "<figure><img alt='x' src='_static/favicon.svg'></figure>",
    "6 points are too small": "<p style='font-size: 6pt'>small print</p>",
}


@pytest.fixture(scope="module")
def book(chapters, browser):
    return open_book(browser)


def test_nothing_is_cut_off(book):
    complaints = book.evaluate(ASK)
    assert complaints == [], "\n".join(complaints)


def test_every_fault_is_seen(book):
    book.evaluate(
        """async html => {
            document.body.insertAdjacentHTML("beforeend", html);
            await Promise.all([...document.images].map(image => image.decode()));
        }""",
        "".join(FAULTS.values()),
    )
    said = [complaint.partition(":")[0] for complaint in book.evaluate(ASK)]
    assert set(said) == FAULTS.keys()


def test_who_has_no_browser_is_told(tmp_path):
    run = subprocess.run(
        [sys.executable, "-m", "paper.pdf"],
        cwd=ROOT,
        env=os.environ | {"CHROMIUM": str(tmp_path / "nowhere")},
        capture_output=True,
        text=True,
    )
    assert run.returncode == 1
    assert "Install one" in run.stderr
    assert "CHROMIUM" in run.stderr
    assert "Traceback" not in run.stderr
