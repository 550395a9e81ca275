"""The slides: made of what the chapters hold, and fit to be shown, on any screen and on paper.

What is asked of a slide from the inside is in site_talk.js.
"""

import json
import os
import re
import shutil
from pathlib import Path

import pytest
import yaml
from conftest import SITE, needed, wanting
from test_site_pages import BOOK_CHECK, bring_axe, record

ROOT = Path(__file__).resolve().parent.parent
TALK_CHECK = Path(__file__).with_name("site_talk.js").read_text(encoding="utf-8")
SLIDES = "talk/slides.md"
SCREENS = {"projector": (1024, 768), "screen": (1920, 1080), "phone": (390, 844)}
STATE = "application/vnd.jupyter.widget-state+json"

# What the authors' slides say, one after the other, and their three factors.
SEED = [
    "Towards Understanding Knowledge Distillation",
    *["Knowledge distillation", "Soft labels", "What a label gives away"],
    *["One teacher, two students", "Learning is descent"],
    *["How effective is distillation?"] * 2,
    *["Setting: linear distillation", "Setting: a deep linear student"],
    "Setting: gradient descent",
    *["Result 1: the student in closed form"] * 2,
    "Result 1: deep students",
    *["Result 2: a bound on the transfer risk"] * 2,
    "Result 2: easiness",
    *["Factor 1: data geometry", "Factor 2: optimisation bias", "Factor 3: strong monotonicity"],
]


# ---- What they are made of ----


@pytest.fixture(scope="module")
def slides():
    """The extension that makes them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(ROOT / "web" / "ext")
        import slides as module

        yield module


@pytest.fixture
def copy(tmp_path):
    """A copy of all that they are made of, to be changed."""
    for name in ("chapters", "talk", "proofs"):
        shutil.copytree(ROOT / name, tmp_path / name)
    shutil.copy(ROOT / "_config.yml", tmp_path)
    return tmp_path


@pytest.fixture
def build(slides, copy):
    """build() makes the slides of the copy and returns their page."""

    def made():
        slides.build(copy, copy / "site")
        return (copy / "site" / "talk" / "index.html").read_text(encoding="utf-8")

    return made


def change(path, what):
    """Let a function change a notebook."""
    notebook = json.loads(path.read_text(encoding="utf-8"))
    what(notebook)
    path.write_text(json.dumps(notebook), encoding="utf-8")


def test_the_slides_follow_those_of_the_authors(slides):
    titles = [title for _, title, *_ in slides.written(ROOT / SLIDES)]
    assert titles[: len(SEED)] == SEED
    assert 25 <= len(titles) <= 30


def test_the_slides_hold_no_copy_of_a_figure_or_a_formula():
    text = (ROOT / SLIDES).read_text(encoding="utf-8")
    assert "$$" not in text
    assert "![" not in text
    # In a line of text stand letters and numbers, and what joins them.
    formulas = re.findall(r"\$(.+?)\$", text)
    assert [formula for formula in formulas if len(formula) > len(r"\mathbb{R}^d")] == []


def test_the_same_chapters_give_the_same_slides(build):
    assert build() == build()


def test_what_has_not_changed_is_not_written_again(build, copy):
    build()
    folder = copy / "site" / "talk"
    (folder / "figures" / "of-a-slide-that-is-gone.svg").touch()
    (folder / "talk.css").write_text("", encoding="utf-8")
    before = {path: path.stat().st_ino for path in folder.rglob("*.*")}
    build()
    after = {path: path.stat().st_ino for path in folder.rglob("*.*")}
    changed = {path.name for path in before if after.get(path) != before[path]}
    assert changed == {"of-a-slide-that-is-gone.svg", "talk.css"}


def test_a_figure_changed_in_a_chapter_changes_in_the_talk(build, copy):
    picture = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 30 20"><!-- another --></svg>'

    def draw(notebook):
        (cell,) = (cell for cell in notebook["cells"] if cell["id"] == "c03-03b")
        (output,) = (
            each
            for each in cell["outputs"]
            if "image/png" in each.get("data", {}) or "image/svg+xml" in each.get("data", {})
        )
        output["data"] = {"image/svg+xml": [picture]}
        cell["metadata"]["mystnb"]["image"]["alt"] = "Another picture."

    build()
    figures = copy / "site" / "talk" / "figures"
    assert [file.stat().st_size > len(picture) for file in figures.glob("fig-shadow.*")] == [True]
    change(copy / "chapters" / "03_closed_form_student.ipynb", draw)
    assert '<img src="figures/fig-shadow.svg" alt="Another picture." width="30"' in build()
    files = figures.glob("fig-shadow.*")
    assert [file.read_text(encoding="utf-8") for file in files] == [picture]


def test_a_frame_changed_in_a_flipbook_changes_in_the_talk(build, copy):
    def draw(notebook):
        for model in notebook["metadata"]["widgets"][STATE]["state"].values():
            if model["model_name"] == "HTMLModel":
                model["state"]["value"] = '<img alt="Another frame." src="data:,">'

    assert "Another frame." not in build()
    change(copy / "chapters" / "03_closed_form_student.ipynb", draw)
    assert "Another frame." in build()


def test_a_formula_and_a_claim_changed_in_the_book_change_in_the_talk(build, copy):
    def derive(notebook):
        for cell in notebook["cells"]:
            text = "".join(cell["source"]).replace("w_k - \\eta \\, \\nabla", "w_k - 7 \\, \\nabla")
            cell["source"] = [text]

    assert "w_k - 7" not in build()
    change(copy / "chapters" / "02_linear_distillation.ipynb", derive)
    ledger = copy / "chapters" / "claims.yml"
    claims = ledger.read_text(encoding="utf-8")
    ledger.write_text(claims.replace("More inputs never increase", "More never raise"), "utf-8")
    page = build()
    assert "w_k - 7" in page
    assert "More never raise the student’s angle" in page


def test_what_is_counted_is_counted_in_the_ledger(build):
    claims = yaml.safe_load((ROOT / "chapters" / "claims.yml").read_text(encoding="utf-8"))
    formal = sum("coq" in claim for claim in claims)
    assert f"Of {len(claims)} claims in this book, {formal} are proved to" in build()


@pytest.mark.parametrize(
    ("there", "instead", "said"),
    [
        ("{figure}`c03-03b`", "{figure}`c03-03x`", "no cell or figure c03-03x (is it c03-"),
        ("{figure}`c03-03b`", "{figure}`c03-05`", "the cell c03-05 has no stored figure"),
        ("{figure}`fig-front`", "{figure}`fig-frond`", "no cell or figure fig-frond (is it fig-"),
        ("{formula}`eq-bound`", "{formula}`eq-bond`", "no equation eq-bond (is it eq-bound"),
        ("{claim}`T1`", "{claim}`T9`", "the book has no claim T9"),
        ("::result_1`", "::result_9`", "no theorem in proofs/logistic.v result_9 (is it result_1"),
        ("{count}`formal`", "{count}`formals`", "no count of formals (is it formal"),
        ("{count}`formal`", "{sum}`formal`", "there is no role sum"),
        ("\n> The gradient is", "\nThe gradient is", "nothing to say: a line that begins with >"),
    ],
)
def test_what_the_book_does_not_have_ends_the_build(there, instead, said, build, slides, copy):
    text = (copy / SLIDES).read_text(encoding="utf-8")
    assert text.count(there) == 1
    text = text.replace(there, instead)
    if there.startswith("\n>"):
        text = re.sub(r"(\nThe gradient is.*)\n> (.*)", r"\1 \2", text)
    (copy / SLIDES).write_text(text, encoding="utf-8")
    with pytest.raises(slides.SlideError) as caught:
        build()
    assert said in str(caught.value)
    assert f"{SLIDES}, slide “" in str(caught.value)


def test_the_course_reads_every_chapter_and_does_every_assignment():
    text = (ROOT / "chapters" / "teaching.md").read_text(encoding="utf-8")
    course = text.partition("**A course**")[2].partition("\n## ")[0]
    chapters = sorted(path.stem for path in (ROOT / "chapters").glob("*.ipynb"))
    assert sorted(set(re.findall(r"\{doc\}`(\d\d_\w+)`", course))) == chapters
    for number in range(1, 5):
        assert course.index(f"ssignment {number}") < course.rindex(f"ssignment {number}")
    assert re.findall(r"^Week (\d+)$", course, re.MULTILINE) == [str(k) for k in range(1, 13)]


# ---- How they are shown ----


@pytest.fixture(scope="module")
def deck(site, address):
    """The address of the slides of the built site."""
    if not (site / "talk" / "index.html").is_file():
        wanting("the site has no slides", "run `make book`")
    return f"{address}talk/index.html"


@pytest.fixture
def show(browser):
    """show(url, ...) opens the slides and waits until they are ready; complaints are gathered."""
    opened = []

    def open_slides(url, size=SCREENS["screen"], **options):
        width, height = size
        settings = {"viewport": {"width": width, "height": height}, "reduced_motion": "reduce"}
        context = browser.new_context(**settings | options)
        opened.append(context)
        page, complaints = context.new_page(), []
        record(page, complaints)
        page.goto(url)
        page.evaluate("talk.ready")
        page.evaluate(BOOK_CHECK)
        page.evaluate(TALK_CHECK)
        return page, complaints

    yield open_slides
    for context in opened:
        context.close()


def examine(page, *, axe, slides=None):
    """All that is wrong with the slides, or with the first few, one complaint each."""
    complaints, slides = [], slides or page.evaluate("Reveal.getTotalSlides()")
    for number in range(slides):
        page.evaluate("number => talkCheck.turnTo(number)", number)
        found = page.evaluate("[...talkCheck.look(), ...talkCheck.move()]")
        complaints += [f"slide {number + 1}: {' '.join(each.split())}" for each in found]
    if axe:
        bring_axe(page)
        page.evaluate("bookCheck.emptyFormulas()")
        asked = [axe == "colours", slides]
        complaints += page.evaluate("asked => talkCheck.axe(...asked)", asked)
    page.wait_for_load_state("networkidle")  # for requests that come late
    return complaints


@pytest.mark.parametrize("mode", ["light", "dark"])
@pytest.mark.parametrize("size", SCREENS)
def test_every_slide_can_be_read_and_its_sliders_move(size, mode, deck, show):
    page, complaints = show(deck, SCREENS[size], color_scheme=mode)
    assert page.locator("html").get_attribute("data-theme") == mode
    complaints += examine(page, axe="colours" if mode == "dark" else "all")
    assert not complaints, "\n".join(complaints)


def test_the_slides_need_no_server(site, deck, show):
    page, complaints = show((site / "talk" / "index.html").as_uri())
    complaints += examine(page, axe=None)  # what it finds doesn't hang on the address
    assert not complaints, "\n".join(complaints)


FAULTS = [
    ('<span class="math">\\(x\\)</span>', "formula not set"),
    ("<p>\\(x\\)</p>", "raw text \\("),
    ("<p>{claim}`T1`</p>", "raw text {claim}`"),
    ('<p style="font-size: 5px">small</p>', "small type, "),
    ('<p style="color: #ccc">faint</p>', "axe: color-contrast"),
    ("<img src='data:,'>", "axe: image-alt"),
    ('<p style="position: relative; left: 9999px">far</p>', "outside of the window"),
    ('<p style="margin-bottom: -1.2em">under</p>', "doesn't fit into DIV"),
    ("<style>.foot { position: relative; top: -99px }</style>", "FIGURE lies on"),
]


def test_every_fault_of_a_slide_is_seen(deck, show):
    page, _ = show(deck)
    faults = "".join(fault for fault, _ in FAULTS)
    page.evaluate("faults => { document.querySelector('.words').innerHTML += faults; }", faults)
    page.evaluate("document.querySelector('.flipbook img').alt = ''")
    page.evaluate(
        "(slider => slider.replaceWith(slider.cloneNode()))(document.querySelector('input'))"
    )
    said = "\n".join(examine(page, axe="all", slides=1))
    wanted = [*(words for _, words in FAULTS), "no text alternative", "a slider that moves nothing"]
    assert [words for words in wanted if words not in said] == []


def number_shown(page):
    return page.evaluate("Reveal.getIndices().h")


def test_the_keyboard_turns_slides_and_sliders(deck, show):
    page, complaints = show(deck)
    last = page.evaluate("Reveal.getTotalSlides()") - 1
    steps = last + page.locator(".fragment").count()
    for _ in range(steps):
        page.keyboard.press("ArrowRight")
    assert number_shown(page) == last
    page.keyboard.press("Home")
    assert number_shown(page) == 0
    slider = page.locator("section.present input")
    frame = page.locator("section.present .flipbook img")
    before = frame.get_attribute("src")
    slider.press("ArrowRight")
    assert number_shown(page) == 0
    assert frame.get_attribute("src") != before
    slider.press("PageDown")  # a clicker's
    assert number_shown(page) == 1
    page.keyboard.press("PageUp")
    slider.press("Escape")
    page.keyboard.press("ArrowRight")
    assert number_shown(page) == 1
    assert complaints == []


def test_a_finger_moves_sliders_and_turns_slides(deck, show):
    page, complaints = show(deck, SCREENS["phone"], has_touch=True)
    slider = page.locator("section.present input")
    frame = page.locator("section.present .flipbook img")
    before, box = frame.get_attribute("src"), slider.bounding_box()
    assert box["height"] >= 43
    page.touchscreen.tap(box["x"] + box["width"] - 6, box["y"] + box["height"] / 2)
    assert frame.get_attribute("src") != before
    assert number_shown(page) == 0
    swipe(page, box["x"] + box["width"] - 6, box["y"] + box["height"] / 2)
    assert number_shown(page) == 0
    swipe(page, 350, 60)
    page.wait_for_function("Reveal.getIndices().h === 1")
    assert complaints == []


def swipe(page, start, height):
    """Draw a finger to the left."""
    finger = page.context.new_cdp_session(page)
    for kind, x in [("Start", start), *(("Move", start - 60 * k) for k in range(1, 5))]:
        where = {"type": f"touch{kind}", "touchPoints": [{"x": x, "y": height}]}
        finger.send("Input.dispatchTouchEvent", where)
    finger.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    finger.detach()


@pytest.mark.parametrize("place", ["server", "file"])
def test_the_presenter_sees_what_to_say(place, site, deck, show):
    page, complaints = show(deck if place == "server" else (site / "talk/index.html").as_uri())
    with page.context.expect_page() as opened:
        page.keyboard.press("s")
    view = opened.value
    record(view, complaints)
    view.get_by_text("Here are a teacher, a student").wait_for()
    page.keyboard.press("ArrowRight")
    view.get_by_text("Hinton, Vinyals and Dean").wait_for()
    upcoming = view.frame_locator("#upcoming-slide iframe").locator("section.present h2")
    upcoming.filter(has_text="Soft labels").wait_for()
    assert complaints == []


def test_light_and_dark_are_the_systems_the_sites_or_ones_own(deck, show):
    page, _ = show(deck, color_scheme="dark")
    theme = "document.documentElement.dataset.theme"
    ground = "getComputedStyle(document.querySelector('.reveal-viewport')).backgroundColor"
    assert (page.evaluate(theme), page.evaluate(ground)) == ("dark", "rgb(18, 18, 18)")
    page.keyboard.press("t")
    assert (page.evaluate(theme), page.evaluate(ground)) == ("light", "rgb(255, 255, 255)")
    page.goto(deck.replace("talk/", "chapters/"))  # the site's pages do as they are told here
    page.wait_for_function(f"{theme} === 'light'")
    page.evaluate("localStorage.setItem('mode', 'auto')")
    page.goto(deck)
    assert page.evaluate(theme) == "dark"
    page.emulate_media(color_scheme="light")
    page.wait_for_function(f"{theme} === 'light'")


@pytest.mark.parametrize(("motion", "how"), [("reduce", "none"), ("no-preference", "fade")])
def test_nothing_moves_for_whom_motion_disturbs(motion, how, deck, show):
    page, _ = show(deck, reduced_motion=motion)
    assert page.evaluate("Reveal.getConfig().transition") == how


def test_a_link_to_a_slide_leads_there(deck, show):
    page, _ = show(f"{deck}#result-1-deep-students")
    assert page.locator("section.present h2").inner_text() == "Result 1: deep students"


# ---- On paper ----


def test_the_printed_slides_are_one_to_a_page_and_name_no_machine(site, slides):
    pikepdf, pypdfium2 = needed("pikepdf"), needed("pypdfium2")
    printed = SITE / "distillation-proved-and-run-slides.pdf"
    if not printed.exists():
        wanting("the slides haven't been printed", "run `make pdf`")
    if printed.stat().st_mtime < (site / "talk" / "index.html").stat().st_mtime:
        wanting("the printed slides are older than the site", "run `make pdf`")
    titles = [title.replace("'", "’") for _, title, *_ in slides.written(ROOT / SLIDES)]
    with pypdfium2.PdfDocument(printed) as document:
        texts = [" ".join(page.get_textpage().get_text_range().split()) for page in document]
    assert len(texts) == len(titles)
    assert [title for title, text in zip(titles, texts, strict=True) if title not in text] == []
    with pikepdf.open(printed) as pdf:
        links = [str(note.A.URI) for page in pdf.pages for note in page.get("/Annots", [])]
    assert links == ["http://proceedings.mlr.press/v97/phuong19a.html"]
    assert os.fspath(ROOT).encode() not in printed.read_bytes()
    page = (site / "chapters" / "talk.html").read_text(encoding="utf-8")
    assert f'href="../{printed.name}"' in page
