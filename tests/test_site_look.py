"""What a phone, a dark room and a sheet of paper make of the built pages."""

import pytest
from test_site_pages import PHONE, WIDE

CHAPTERS = ("chapters/03_closed_form_student.html", "chapters/12_open_ends.html")
FRONT, LEDGER, SYMBOLS = (f"chapters/{name}.html" for name in ("index", "claims", "notation"))


@pytest.fixture
def look(address, browser):
    """look(page, viewport, mode) opens a page of the site and waits for its formulas."""
    opened = []

    def open_page(name, viewport, mode="light"):
        page = browser.new_page(viewport=viewport, color_scheme=mode, reduced_motion="reduce")
        opened.append(page)
        page.goto(address + name, wait_until="load")
        page.evaluate("window.MathJax?.startup?.promise.then(() => null)")
        return page

    yield open_page
    for page in opened:
        page.close()


# Matplotlib draws 10 pt as 10/72 of an inch; a PNG of this book has 140 pixels to the inch, a
# flipbook's frames 110, an SVG the 96 of CSS.
TYPE_SIZES = """() => [...document.querySelectorAll("article figure img")]
    .filter(image => image.checkVisibility())
    .map(image => {
        const dots = image.src.endsWith(".svg") ? 96 : image.src.startsWith("data:") ? 110 : 140;
        return 10 / 72 * dots * image.clientWidth / image.naturalWidth;
    })"""


@pytest.mark.parametrize("name", [FRONT, *CHAPTERS])
def test_the_type_in_a_figure_can_be_read_on_a_phone(name, look):
    sizes = look(name, PHONE).evaluate(TYPE_SIZES)
    assert sizes
    assert min(sizes) > 8  # pixels; two panels pressed into a phone's width would have 6


@pytest.mark.parametrize("name", CHAPTERS)
def test_a_formula_fits_or_scrolls_and_is_never_tiny(name, look):
    page = look(name, PHONE)
    formulas = page.evaluate("""() => [...document.querySelectorAll("div.math > mjx-container")]
        .filter(formula => formula.checkVisibility({ visibilityProperty: true }))
        .map(formula => [
            formula.scrollWidth - formula.clientWidth,
            formula.classList.contains("too-wide"),
            parseFloat(getComputedStyle(formula).fontSize),
        ])""")
    assert formulas
    for hidden, scrolls, size in formulas:
        assert scrolls or hidden <= 1  # a pixel for rounding
        assert size >= 14  # pixels: as the caption of a figure
    assert any(size < 17 for _, _, size in formulas)  # some are set smaller than on a wide page


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
