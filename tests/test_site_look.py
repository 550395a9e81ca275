"""What a phone, a dark room and a sheet of paper make of the built pages."""

import re
from pathlib import Path

import pytest
from test_site_pages import PHONE, WIDE

ROOT = Path(__file__).resolve().parent.parent
LETTERS = ROOT / "web/vendor/mathjax/newcm"

CHAPTERS = ("chapters/03_closed_form_student.html", "chapters/16_open_ends.html")
FRONT, LEDGER, SYMBOLS = (f"chapters/{name}.html" for name in ("index", "claims", "notation"))


@pytest.fixture
def look(address, browser):
    """look(page, viewport, mode) opens a page of the site and waits for its formulas."""
    opened = []

    def open_page(name, viewport, mode="light"):
        page = browser.new_page(viewport=viewport, color_scheme=mode, reduced_motion="reduce")
        opened.append(page)
        page.goto(address + name, wait_until="load")
        page.evaluate("window.maths?.all()")
        return page

    yield open_page
    for page in opened:
        page.close()


@pytest.mark.parametrize("name", [LEDGER, SYMBOLS])
def test_a_long_table_fits_a_phone(name, look):
    page = look(name, PHONE)
    hidden = page.evaluate(
        "(box => box.scrollWidth - box.clientWidth)(document.querySelector('table').parentElement)"
    )
    assert hidden <= 1


@pytest.mark.parametrize("name", CHAPTERS)
def test_what_is_printed_is_black_on_white(name, look):
    page = look(name, WIDE, mode="dark")
    colours = (
        "[getComputedStyle(document.body).color, getComputedStyle(document.body).backgroundColor]"
    )
    brightness = f"{colours}.map(c => c.match(/\\d+/g).reduce((sum, part) => sum + +part, 0) / 765)"
    text, ground = page.evaluate(brightness)
    assert text > ground
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    text, ground = page.evaluate(brightness)
    assert text < 0.25
    assert ground == 1
    page.evaluate("window.dispatchEvent(new Event('afterprint'))")
    text, ground = page.evaluate(brightness)
    assert text > ground


# The words of inline code that have more than one line, with a bar where a line ends.
BROKEN = """[...document.querySelectorAll('article :is(p, li, td) code .pre')].map((code) => {
    const range = document.createRange();
    const texts = document.createTreeWalker(code, NodeFilter.SHOW_TEXT);
    let words = "", last;
    for (let text; (text = texts.nextNode());) {
        for (let place = 0; place < text.length; place++) {
            range.setStart(text, place);
            range.setEnd(text, place + 1);
            const { top } = range.getBoundingClientRect();
            words += (top > last + 4 ? "|" : "") + text.data[place];
            last = top;
        }
    }
    return words;
}).filter(words => words.includes("|"))"""


def test_a_path_breaks_between_its_folders(look):
    broken = look("chapters/teaching.html", PHONE).evaluate(BROKEN)
    assert "private/|key" in broken
    allowed = re.compile(r"([^|]|(?<=[/_-])[|]|[|](?=\.))+")
    assert [words for words in broken if not allowed.fullmatch(words)] == []


# ---- Formulas ----

SET = "document.querySelectorAll('.math mjx-container').length"

# What MathJax takes for the room of each formula without a number, as a share of the room there is.
ROOM = """MathJax.startup.document.getMathItemsWithin(
    [...document.querySelectorAll('div.math:not(:has(.eqno))')].filter(each => each.clientWidth)
).map(item => item.metrics.containerWidth / item.start.node.closest('div.math').clientWidth)"""
# Formulas that a full stop or a closing bracket may leave, to stand at the start of a line.
LOOSE = """[...document.querySelectorAll('main span.math')].filter(({ nextSibling }) =>
    nextSibling?.nodeType === Node.TEXT_NODE && /^[.,;:)]/.test(nextSibling.data)
).filter(each => !each.closest('.bound-math')).length"""


@pytest.mark.parametrize("viewport", [PHONE, WIDE], ids=["phone", "wide"])
def test_a_formula_has_its_line_and_keeps_its_full_stop(viewport, look):
    page = look(CHAPTERS[0], viewport)
    shares = page.evaluate(ROOM)
    assert shares
    assert min(shares) > 0.9  # but for what the theme keeps at the sides
    assert page.evaluate(LOOSE) == 0


@pytest.fixture
def chapter(address, browser):
    """A chapter as it is when it has just been opened."""
    page = browser.new_page(viewport=PHONE, reduced_motion="reduce")
    page.goto(address + CHAPTERS[0], wait_until="load")
    page.wait_for_function(f"{SET} > 5")
    yield page
    page.close()


def test_formulas_are_set_when_they_come_near_and_all_of_them_for_paper(chapter):
    formulas = chapter.locator(".math").count()
    assert formulas > 200
    assert chapter.evaluate(SET) < formulas / 2
    far = chapter.locator("div.math").last
    far.scroll_into_view_if_needed()
    far.locator("mjx-container").wait_for()
    assert chapter.evaluate(SET) < formulas
    chapter.wait_for_load_state("networkidle")  # letters that come late
    chapter.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert chapter.evaluate(SET) == formulas
    assert chapter.locator(".math mjx-assistive-mml math").count() == formulas


def test_a_formula_breaks_for_the_width_that_there_is(chapter):
    lines = "document.querySelectorAll('div.math mjx-linebox, div.math mjx-linestack').length"
    chapter.evaluate("maths.all()")
    narrow = chapter.evaluate(lines)
    chapter.set_viewport_size(WIDE)
    chapter.wait_for_function(f"{lines} < {narrow}")
    chapter.evaluate("maths.all()")
    assert chapter.evaluate(lines) < narrow


def test_two_formulas_that_do_not_fit_stand_one_below_the_other(chapter):
    """A phone breaks their line at the gap between them, not before the second one's sign."""
    gap = "mjx-mspace[style*='2em']"
    pairs = chapter.locator(r"div.math > [data-tex*='\\qquad']:not([data-tex*='&'])")
    chapter.evaluate("maths.all()")
    broken = pairs.filter(has=chapter.locator("mjx-linebox"))
    assert broken.count() > 2
    assert broken.filter(has=chapter.locator(gap)).count() == 0
    below = pairs.locator(gap).count()
    chapter.set_viewport_size(WIDE)
    chapter.wait_for_function("!document.querySelector('div.math > [data-tex] mjx-linebox')")
    chapter.evaluate("maths.all()")
    assert pairs.locator(gap).count() > below + 2  # side by side again


def test_what_is_copied_holds_the_formulas(chapter):
    chapter.context.grant_permissions(["clipboard-read", "clipboard-write"])
    chapter.evaluate("""async () => {
        await maths.all();
        getSelection().selectAllChildren(document.querySelector("div.proof.theorem"));
    }""")
    chapter.keyboard.press("ControlOrMeta+C")
    copied = chapter.evaluate("navigator.clipboard.readText()")
    assert "$w(0) = 0$. Then" in copied
    assert "$$\\hat w = X^\\top (X X^\\top)^{-1} X \\, w^\\star .$$" in copied


def test_no_formula_is_a_stop_of_the_keyboard(chapter):
    chapter.evaluate("maths.all()")
    assert chapter.locator("mjx-container[tabindex='0'], mjx-container [tabindex='0']").count() == 0


# ---- A page is coloured and laid out once: a phone takes a fifth of a second each time ----

# Each box that the theme makes reachable and we hadn't, and each theme after the first.
WATCH = """
const { get, set } = Object.getOwnPropertyDescriptor(HTMLElement.prototype, "tabIndex");
window.late = [];
Object.defineProperty(HTMLElement.prototype, "tabIndex", { get, set(value) {
    const ours = !Error().stack.includes("pydata-sphinx-theme");
    if (!ours && this.getAttribute("tabindex") !== `${value}`) late.push(this.outerHTML);
    set.call(this, value);
} });
new MutationObserver((changes) => {
    const page = document.documentElement;
    if (document.body && changes.some(each => each.oldValue !== page.dataset.theme)) {
        late.push(page.dataset.theme);
    }
}).observe(document, { subtree: true, attributeFilter: ["data-theme"], attributeOldValue: true });
"""


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_the_theme_has_nothing_to_change_once_the_page_is_there(mode, address, browser):
    page = browser.new_page(viewport=PHONE, color_scheme=mode)
    page.add_init_script(WATCH)
    page.goto(address + CHAPTERS[0], wait_until="load")
    assert page.evaluate("document.documentElement.dataset.theme") == mode
    assert page.locator("pre[tabindex='0']").count() > 3
    assert page.evaluate("late") == []
    page.close()


def test_formulas_bring_no_font_that_the_page_does_not_know(chapter):
    chapter.evaluate("maths.all()")
    known, later = chapter.evaluate("""["link", "style"].map((kind) =>
        [...document.querySelectorAll(kind)].filter(each => each.sheet)
            .flatMap(each => [...each.sheet.cssRules])
            .filter(each => each instanceof CSSFontFaceRule && each.cssText.includes("MJX")).length
    )""")
    assert known > 50
    assert later == 0
    letters = "[...document.fonts].filter(font => font.family.includes('MJX'))"
    assert chapter.evaluate(f"{letters}.filter(font => font.status === 'loaded').length") > 3
    assert chapter.evaluate(f"{letters}.filter(font => font.status === 'error').length") == 0


def test_the_page_knows_every_font_of_mathjax_by_its_name():
    rules = re.findall(
        r'font-family: ([\w-]+); src: url\("../mathjax/newcm/chtml/woff2/([\w.-]+)"\)',
        (ROOT / "web/static/maths.css").read_text(encoding="utf-8"),
    )
    files = {path.name for path in (LETTERS / "chtml/woff2").iterdir()}
    assert {file for _, file in rules} == files
    # What MathJax names itself; what it loads later is the file's name (CSS doesn't tell a from A).
    itself = re.findall(
        r'"font-family":"([\w-]+)",src:\'url\("%%URL%%/([\w.-]+)"\)',
        (LETTERS / "chtml.js").read_text(encoding="utf-8"),
    )
    assert len(itself) > 30
    names = {file: file.removesuffix(".woff2").upper() for file in files}
    names |= {file: name for name, file in itself}
    assert {file: name for name, file in rules} == names


@pytest.mark.parametrize("name", [FRONT, CHAPTERS[0], LEDGER, "chapters/api.html"])
def test_no_page_scrolls_sideways_at_any_width_of_a_phone(name, look):
    page = look(name, PHONE)
    wide = []
    for width in range(320, 481):
        page.set_viewport_size({"width": width, "height": 800})
        if page.evaluate("document.documentElement.scrollWidth") > width:
            wide.append(width)
    assert wide == []


@pytest.mark.parametrize("name", CHAPTERS)
def test_code_and_formulas_fit_a_laptop(name, look):
    page = look(name, WIDE)
    out = page.evaluate("""() =>
        [...document.querySelectorAll("article pre, article div.math > mjx-container")]
            .filter(box => box.scrollWidth > box.clientWidth + 1 && box.clientWidth)
            .map(box => box.innerText.slice(0, 80))""")
    assert out == []


# ---- What shows when something is pointed at ----


@pytest.mark.parametrize(
    ("target", "shown"),
    [
        ("a.internal[href='#thm-closed-form']", "The closed-form student"),
        ("a.internal[href='#equation-eq-two-cases']", "(3.2)"),
        ("a.internal[href^='references.html#']", "."),
    ],
)
def test_a_reference_shows_what_it_refers_to(target, shown, look):
    page = look(CHAPTERS[0], WIDE)
    link = page.locator(f"article {target}").first
    link.hover()
    preview = page.locator(".preview")
    preview.wait_for()
    assert shown in preview.inner_text()
    page.wait_for_function("!document.querySelector('.preview .math:not(:has(mjx-container))')")
    box = preview.bounding_box()
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= WIDE["width"]
    page.keyboard.press("Escape")
    assert preview.count() == 0


def test_no_picture_moves_the_page_when_it_arrives(look):
    page = look(FRONT, PHONE)
    free = "images => images.filter(image => !image.getAttribute('height')).map(image => image.src)"
    assert page.eval_on_selector_all("article figure img", free) == []


def test_sliders_and_buttons_show_in_forced_colours(address, browser):
    page = browser.new_page(forced_colors="active")
    page.goto(address + FRONT)
    slider = page.locator("article .flipbook input").first
    slider.wait_for()
    assert slider.evaluate("slider => getComputedStyle(slider).appearance") == "auto"
    page.close()
