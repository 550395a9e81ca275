"""Print the whole book to one PDF, and the slides to another, and let the site lead to both.

Chromium prints them.
"""

import io
import mimetypes
import os
import posixpath
import re
import shutil
import sys
from pathlib import Path
from urllib.parse import unquote, urlsplit

import matplotlib
from pikepdf import Dictionary, Name, ObjectStreamMode, Pdf
from playwright.sync_api import Error, sync_playwright

from paper.book import ROOT, SITE, reading_order, settings, whole_book
from paper.fonts import truetype

PDF = SITE / "distillation-proved-and-run.pdf"
SLIDES = SITE / "distillation-proved-and-run-slides.pdf"

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
NO_BROWSER = """\
The book is printed by a browser, Chromium or Chrome, and none could be started. Install one (on
Debian and Ubuntu: apt-get install chromium), or put the path of one into the variable CHROMIUM.
The last one tried said:
"""

# What is printed has an address from which no network can be reached: all it gets are the files of
# the site, and of these folders.
ADDRESS = "http://book.invalid/"
FOLDERS = {
    "paper": ROOT / "paper",
    "computer-modern": ROOT / "web" / "vendor" / "computer-modern",
    "mathjax3": ROOT / "web" / "vendor" / "mathjax3",
    "dejavu": Path(matplotlib.get_data_path()) / "fonts" / "ttf",
}
MOST_ROUNDS = 8  # two are enough, if the contents don't grow by a page and no heading wavers
FORMULA = "Formula: "  # so begins the text alternative of a formula, here and in paper.js


def launch(playwright):
    """Start the browser that CHROMIUM names, or one that is found."""
    named = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, BROWSERS)), None)
    elsewhere = [{"channel": "chrome"}, {"channel": "msedge"}, {}]  # playwright knows where
    for place in [{"executable_path": named}] if named else elsewhere:
        try:
            return playwright.chromium.launch(**place, args=["--no-sandbox", "--disable-gpu"])
        except Error as error:
            said = error.message
    sys.exit(NO_BROWSER + said)


def open_book(browser):
    """Open the whole book in the browser; return the page when all of it is there."""
    return open_page(browser, "", "paper.ready()", whole_book())


def open_slides(browser):
    """Open the slides in the browser, one below the other as reveal.js prints them."""
    return open_page(browser, "talk/index.html?print-pdf", "talk.ready")


def open_page(browser, address, ready, html=""):
    """Open a page of the site, or the one whose HTML is given; return it when it is ready."""
    failed = []

    def serve(route):
        path = unquote(urlsplit(route.request.url).path).removeprefix("/")
        folder, _, name = path.partition("/")
        file = FOLDERS[folder] / name if folder in FOLDERS else SITE / path
        if not path:
            route.fulfill(body=html, content_type="text/html; charset=utf-8")
        elif not (route.request.url.startswith(ADDRESS) and file.is_file()):
            failed.append(route.request.url)
            route.abort()
        elif file.suffix == ".woff":  # MathJax's
            route.fulfill(body=truetype(file), content_type="font/ttf")
        else:
            route.fulfill(body=file.read_bytes(), content_type=mimetypes.guess_type(file)[0])

    page = browser.new_page(color_scheme="light")
    page.emulate_media(media="print")
    page.route("**", serve)
    # Milliseconds: the book has thousands of formulas, and a machine may be busy.
    page.goto(ADDRESS + address, timeout=300_000)
    page.evaluate(ready)
    if failed:
        sys.exit(f"The book asks for what isn't there: {', '.join(failed)}")
    return page


def print_book(page):
    """Print until the page numbers are right: to learn them, and again when they are written.

    Only of those that can be read: what lies at the very end of a page may go back and forth, from
    one time to the next. If a heading does that, its number is right every second time: so it is
    only every second time that numbers are written.
    """
    for turn in range(MOST_ROUNDS):
        pdf = print_page(page)
        numbers = page_numbers(pdf)
        if page.evaluate("numbers => paper.numbered(numbers)", numbers):
            return pdf
        if turn % 2 == 0:
            page.evaluate("numbers => paper.number(numbers)", numbers)
    sys.exit(f"The page numbers of the contents still change after {MOST_ROUNDS} rounds.")


def print_page(page):
    """Print a page that is ready."""
    printed = page.pdf(prefer_css_page_size=True, print_background=True, tagged=True, outline=True)
    return Pdf.open(io.BytesIO(printed))


def page_numbers(pdf):
    """Return the number of the page on which each target of a link stands."""
    number = {page.objgen: number for number, page in enumerate(pdf.pages, 1)}
    return {name[1:]: number[place[0].objgen] for name, place in pdf.Root.Dests.items()}


def finish(pdf, author):
    """Mend what Chromium can't know, and what it makes differently in each run."""
    root = pdf.Root.StructTreeRoot
    root.RoleMap = Dictionary(Em=Name.Span, Strong=Name.Span)  # these two are of PDF 2
    for each in pdf.objects:
        kind = each.get("/S") if isinstance(each, Dictionary) else None
        if kind == Name.Figure and str(each.get("/Alt", "")).startswith(FORMULA):
            each.S, each.Alt = Name.Formula, str(each.Alt).removeprefix(FORMULA)
        elif kind == Name.TH and "/ID" in each:
            del each.ID  # Scope says as well which cells it heads, and is the same in each run
        elif kind == Name.TD:
            each.A = [attribute for attribute in each.A if "/Headers" not in attribute]
    if "/IDTree" in root:
        del root.IDTree
    for key in ("/CreationDate", "/ModDate", "/Creator"):
        del pdf.docinfo[key]
    pdf.docinfo.Author = author


def lead_to(pdf, page, name):
    """Make a link of the words on a page that speak of a PDF, now that there is one."""
    file = SITE / f"{page}.html"
    address = posixpath.relpath(pdf.name, posixpath.dirname(page))
    html = file.read_text(encoding="utf-8")
    words = rf'<span id="{name}">(.*?)</span>'
    html = re.sub(words, rf'<a id="{name}" href="{address}">\1</a>', html)
    file.write_text(html, encoding="utf-8")


def main():
    (front,) = reading_order()[0][1]
    author = settings("_config.yml")["author"]
    with sync_playwright() as playwright:
        browser = launch(playwright)
        book, slides = print_book(open_book(browser)), print_page(open_slides(browser))
    lead_to(PDF, front, "pdf")
    lead_to(SLIDES, "chapters/talk", "slides-pdf")
    for pdf, file in (
        (book, PDF),
        (slides, SLIDES),
    ):  # after the pages, which they are younger than
        finish(pdf, author)
        pdf.save(file, object_stream_mode=ObjectStreamMode.generate, deterministic_id=True)
        size = file.stat().st_size / 1e6
        print(f"{len(pdf.pages)} pages, {size:.1f} MB: {file.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
