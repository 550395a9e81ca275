"""Every page of the built site, in a browser that reaches nothing else: complete, and for everyone.

What is asked of a page from the inside is in site_pages.js.
"""

import gzip
import os
import shutil
import urllib.parse
from pathlib import Path

import pytest
from conftest import needed

BOOK_CHECK = Path(__file__).with_name("site_pages.js").read_text(encoding="utf-8")
WIDE, PHONE = {"width": 1280, "height": 800}, {"width": 390, "height": 844}
# Spent only where something never comes: on two busy cores a page is ready within 2 s.
PATIENCE = 20_000  # milliseconds
# What a page may weigh, compressed, with all that it loads; first without flipbooks, then with
# them: the frames of one take up to 0.4.
HEAVIEST = 1_000_000, 1_600_000  # bytes


def record(page, complaints):
    """Complain of whatever goes wrong on the page from now on."""

    def on_request(request):
        if urllib.parse.urlsplit(request.url).hostname not in {None, "127.0.0.1"}:  # None: data:
            complaints.append(f"request to another host: {request.url}")

    def on_response(response):
        if response.status >= 400:
            complaints.append(f"{response.status}: {response.url}")

    def on_console(message):
        if message.type == "error":
            complaints.append(f"console: {message.text} {message.location['url']}")

    def on_failure(request):
        if request.failure != "net::ERR_ABORTED":  # whoever leaves a page needs no more of it
            complaints.append(f"failed request: {request.url}")

    page.on("request", on_request)
    page.on("response", on_response)
    page.on("console", on_console)
    page.on("requestfailed", on_failure)
    page.on("pageerror", lambda error: complaints.append(f"page error: {error}"))


def weigh(page, responses):
    """Complain of a page that is too heavy."""
    page.wait_for_load_state("networkidle")  # for what comes late
    weight = sum(len(gzip.compress(response.body(), 6)) for response in responses)
    if weight > HEAVIEST[page.locator(".flipbook").count() > 0]:
        yield f"too heavy: {weight / 1e6:.2f} MB compressed"


def bring_axe(page):
    """Load axe-core into the page."""
    page.evaluate(needed("axe_playwright_python.sync_playwright").Axe().axe_script)


def ask_axe(page, where, colours_only):
    """Pass on axe-core's complaints about the page as it stands."""
    for violation in page.evaluate("colours => bookCheck.axe(colours)", colours_only):
        for node in violation["nodes"]:
            what = f"{violation['id']} at {' in '.join(map(str, node['target']))}"
            yield f"axe, {where}: {what}: {violation['help']}: {node['html'][:200]}"


def examine(browser, url):
    """All that is wrong with the page at an address, one complaint each."""
    complaints, responses = [], []
    page = browser.new_page(reduced_motion="reduce", service_workers="block")
    record(page, complaints)
    page.on("response", lambda response: responses.append(response))
    page.set_viewport_size(PHONE)
    page.goto(url, wait_until="load")
    page.evaluate(BOOK_CHECK)
    if not page.evaluate("patience => bookCheck.ready(patience)", PATIENCE):
        complaints.append("maths or a flipbook never drawn")
    complaints += weigh(page, responses)
    complaints += page.evaluate("bookCheck.belowTheEnd()")
    page.evaluate("bookCheck.unfold()")
    complaints += page.evaluate("bookCheck.cutOff()")
    complaints += page.evaluate("bookCheck.tooSmall()")
    bring_axe(page)
    for viewport in (PHONE, WIDE):  # as when a window is widened
        page.set_viewport_size(viewport)
        page.evaluate("bookCheck.unfold()")
        complaints += page.evaluate("bookCheck.look()")
        page.evaluate("bookCheck.emptyFormulas()")
        for mode in ("light", "dark"):
            page.emulate_media(color_scheme=mode)
            page.evaluate("mode => bookCheck.setMode(mode)", mode)
            # Dark changes colours, and which images are shown; those were all looked at above.
            where = f"{mode}, {viewport['width']} px"
            complaints += ask_axe(page, where, colours_only=mode == "dark")
    page.wait_for_load_state("networkidle")  # for requests that come late
    page.close()
    return list(dict.fromkeys(" ".join(complaint.split()) for complaint in complaints))


def test_page(page_path, address, browser):
    complaints = examine(browser, address + page_path)
    assert not complaints, f"{page_path}: {len(complaints)} complaints\n" + "\n".join(complaints)


SOUND = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Sound</title>
<link rel="icon" href="data:,">
<script>MathJax = {
  loader: {
    load: ["input/tex", "output/chtml", "a11y/assistive-mml"],
    paths: {fonts: "[mathjax]", "mathjax-newcm": "[mathjax]/newcm"},
  },
  output: {fontPath: "[mathjax]/newcm"},
  options: {enableAssistiveMml: true},
  startup: {typeset: false},
}</script>
<link rel="stylesheet" href="_static/maths.css">
<script defer src="mathjax/startup.js"></script><script src="_static/maths.js"></script>
</head><body><main><article><h1>Sound</h1>
<p>A square <span class="math">\\(x^2\\)</span>, <code>\\(code\\)</code>, and a price of $3.</p>
<figure><img src="dot.svg" alt="A dot."><figcaption>A dot.</figcaption></figure>
<div class="cell_output"><div class="flipbook"><img src="dot.svg" alt="Frame.">
<div role="slider" tabindex="0" aria-label="frame" aria-valuenow="0">0</div></div></div>
<div style="overflow-x: auto" tabindex="0"><p style="width: 600px">wide, but it scrolls</p></div>
</article></main></body></html>"""

# What is wrong, and what must be said of it. All of it stands on one page, which has neither
# title nor language nor main heading. (Greys differ, because axe is shown one text of each style.)
FAULTS = [
    ("", "no title"),
    ("", "no language"),
    ("", "0 main headings"),
    (
        '<script src="https://a.invalid/x.js"></script>',
        "request to another host: https://a.invalid/",
    ),
    ('<script src="https://b.invalid/x.js"></script>', "failed request: https://b.invalid/x.js"),
    ('<script src="missing.js"></script>', "404: http"),
    ('<script>console.error("oh dear")</script>', "console: oh dear"),
    ('<script>throw Error("oh no")</script>', "page error: oh no"),
    ('<p><i class="math">a</i></p>', 'formula not set: <i class="math">'),
    ("<p>\\(b\\)</p>", "raw formula \\(:"),
    ("<p>$c$</p>", "raw formula $c$:"),
    ('<i class="math">\\(\\frac{1}\\)</i>', "formula with an error: <mjx-merror"),
    ('<i class="math">\\(\\nosuchmacro\\)</i>', "unknown macro: <mjx-mtext"),
    ('<i class="math">\\(\\ref{nowhere}\\)</i>', "unresolved reference: <mjx-mtext"),
    ("<p>Theorem ??</p>", "unresolved reference: <p>Theorem"),
    ('<img src="dot.svg">', 'image without a text alternative: <img src="dot.svg">'),
    ('<img src="missing.png" alt="Lost.">', 'image that shows nothing: <img src="missing.png"'),
    (
        '<img src="dot.svg" alt="Free.">',
        'image that is not a figure: <img src="dot.svg" alt="Free."',
    ),
    ('<figure id="bare"><img src="dot.svg" alt="A dot."></figure>', "figure without a caption:"),
    (
        '<p><script type="application/vnd.jupyter.widget-view+json">{}</script></p>',
        "maths or a flipbook never drawn",
    ),
    (
        '<figure><img id="e" src="word.svg" alt="A."><figcaption>A</figcaption></figure>',
        'small type in a figure, 8.0 px: <img id="e"',
    ),
    ('<div class="math" style="font-size: 9px">\\[x\\]</div>', "small formula, "),
    (f'<div class="math">\\[{"x" * 200}\\]</div>', "cut off at the right: <mjx-math"),
    ('<p style="position: absolute; top: 9999px">deep</p>', "px below the end of the page"),
    ('<p style="width: 1000px">wide</p>', "the page scrolls sideways: "),
    (
        '<div style="overflow: hidden"><p style="width: 900px">lost</p></div>',
        'cut off at the right: <p style="width: 900px',
    ),
    ('<script src="heavy.js"></script>', "too heavy: "),
    (
        '<style>[data-theme="light"] #a {color: #bba}</style><p id="a">faint</p>',
        "axe, light, 1280 px: color-contrast at #a:",
    ),
    (
        '<style>[data-theme="dark"] #b {color: #bbb}</style><p id="b">faint</p>',
        "axe, dark, 1280 px: color-contrast at #b:",
    ),
    (
        '<style>@media (width < 400px) {#c {color: #bbc}}</style><p id="c">faint</p>',
        "axe, light, 390 px: color-contrast at #c:",
    ),
    (
        '<details><p id="d" style="color: #bbd">faint</p></details>',
        "axe, dark, 390 px: color-contrast at #d:",
    ),
]


@pytest.fixture
def page_of(site, serve, tmp_path):
    """page_of(html) returns the address of such a page, with the book's MathJax beside it."""
    shutil.copytree(site / "mathjax", tmp_path / "mathjax")
    (tmp_path / "_static").mkdir()
    for name in ("maths.css", "maths.js"):
        shutil.copyfile(site / "_static" / name, tmp_path / "_static" / name)
    dot = '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>'
    (tmp_path / "dot.svg").write_text(dot, encoding="utf-8")
    word = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 50 9" width="40" height="9">'
    word += '<g transform="translate(0 9) scale(0.1 -0.1)"><path d="M0 0"/></g></svg>'
    (tmp_path / "word.svg").write_text(word, encoding="utf-8")
    # Hex digits compress to half; the rest is MathJax.
    heavy = f"/*{os.urandom(HEAVIEST[True]).hex()}*/"
    (tmp_path / "heavy.js").write_text(heavy, encoding="utf-8")

    def write(html):
        (tmp_path / "page.html").write_text(html, encoding="utf-8")
        return serve(tmp_path) + "page.html"

    return write


def test_a_sound_page_has_no_complaint(page_of, browser):
    assert examine(browser, page_of(SOUND)) == []


def test_every_fault_is_seen(page_of, browser, monkeypatch):
    # Two of the faults are of what never comes.
    monkeypatch.setitem(globals(), "PATIENCE", 500)
    monkeypatch.setitem(globals(), "SLIDER_PATIENCE", 500)
    top = SOUND.split("<h1>")[0].replace(' lang="en"', "").replace("<title>Sound</title>", "")
    complaints = examine(browser, page_of(top + "".join(fault for fault, _ in FAULTS)))
    unseen = [said for _, said in FAULTS if not any(said in each for each in complaints)]
    assert not unseen, "not said: " + "\n".join([*unseen, "but:", *complaints])
