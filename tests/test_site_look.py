"""What a phone, a dark room and a sheet of paper make of the built pages."""

import pytest
from test_site_pages import PHONE, WIDE

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
        page.evaluate("window.MathJax?.startup?.promise.then(() => null)")
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
