"""Executed copies show what a student's cells show, and bring nothing else to the teacher."""

import base64
import json
import re
import subprocess
import sys

import nbformat
import pytest
from attacks.batch import (
    ONLY_LINUX,
    command,
    make_assignment,
    need_sandbox,
    notebook,
    points,
    rows,
    run,
)
from attacks.corpus import ALL, HONEST
from conftest import ROOT

from course.grader import copies
from course.grader.conversation import Run
from course.grader.sandbox import Sandbox

pytestmark = ONLY_LINUX
MATHJAX = ROOT / "web" / "vendor" / "mathjax3" / "tex-mml-chtml.js"
PNG = base64.b64encode(b"\x89PNG\r\n\x1a\n and more").decode()
JPEG = base64.b64encode(b"\xff\xd8\xff and more").decode()


@pytest.fixture(scope="module")
def box():
    need_sandbox()
    with Sandbox((), 30) as prepared:
        yield prepared


def outputs(box, *cells):
    """Return the outputs of cells as a notebook has them."""
    data = notebook(cells).encode()
    book = copies.executed(data, box.run(list(cells), show=True), "")
    nbformat.validate(book)
    return [cell.outputs for cell in book.cells]


def test_what_a_cell_shows_is_in_its_copy(box):
    first, second, third, fourth, last = outputs(
        box,
        "print('to one'); import sys; print('to the other', file=sys.stderr)\n[1, 2]",
        "!echo from a command",
        "1 / 0",
        "from IPython.display import HTML, display\ndisplay(HTML('<b>bold</b>'))",
        "import os\nos._exit(0)",
    )
    assert [(o.output_type, o.get("text")) for o in first[:2]] == [
        ("stream", "to one\n"),
        ("stream", "to the other\n"),
    ]
    assert first[1].name == "stderr" and first[2].data["text/plain"] == "[1, 2]"
    assert second[0].text.split() == ["from", "a", "command"]
    assert third[0].ename == "ZeroDivisionError" and "----> 1" in "\n".join(third[0].traceback)
    assert set(fourth[0].data) == {"text/plain"}  # HTML of a student's isn't passed on
    assert last[0].ename == "Lost"


def test_figures_are_pictures(box):
    draw = "import matplotlib.pyplot as plt\nplt.plot([1, 2])\n"
    shown = outputs(
        box,
        draw + "plt.show()\nprint('after')",
        draw + "None",
        "%config InlineBackend.figure_format = 'svg'",
        draw + "plt.show()",
    )
    assert [[o.output_type for o in cell] for cell in shown] == [
        ["display_data", "stream"],
        ["display_data"],
        [],
        ["display_data"],
    ]
    for cell in (shown[0], shown[1], shown[3]):
        assert base64.b64decode(cell[0].data["image/png"]).startswith(b"\x89PNG")


def test_floods_are_cut(box):
    cells = ["print('x' * 10**6)", "for _ in range(10**5): print('y')", "'z' * 10**6"]
    cells += ["raise ValueError('v' * 10**6)"]
    for cell in outputs(box, *cells):
        assert 0 < len(json.dumps(cell)) < 200_000


@pytest.mark.parametrize(
    "part",
    [
        None,
        7,
        [],
        {},
        {"output_type": "x"},
        {"output_type": []},
        {"output_type": "display_data"},
        {"output_type": "display_data", "data": 7},
    ],
)
def test_what_is_no_output_is_left_out(part):
    assert copies.output(part) is None


@pytest.mark.parametrize(
    "part",
    [
        {"output_type": "stream", "name": [], "text": {}},
        {"output_type": "error", "ename": 7, "traceback": [7, None]},
        {"output_type": "display_data", "data": {"text/plain": 7, "image/png": "<script>"}},
        {"output_type": "display_data", "data": {"text/html": "<script>", "image/png": JPEG}},
        {"output_type": "display_data", "data": {"image/svg+xml": "<svg onload=alert(1)>"}},
    ],
)
def test_an_odd_output_is_made_one(part):
    made = copies.output(part)
    assert "script" not in json.dumps(made) and "onload" not in json.dumps(made)
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("", outputs=[made])])
    nbformat.validate(book)


EVIL = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    '![" onerror="alert(1)](x.png)',
    "![x](http://example.org/x.png \" onload='alert(1)'\")",
    "[x](javascript:alert(1))",
    "[x](data:text/html,<script>alert(1)</script>)",
    "<iframe src=https://example.org></iframe>",
    "```<script>\n<script>alert(1)</script>\n```",
    "$<script>alert(1)</script>$ $$<img src=x onerror=alert(1)>$$",
    '<a href="x" onclick="alert(1)">x</a>',
    "| <script>alert(1)</script> |\n|---|\n| <svg onload=alert(1)> |",
    "</pre><script>alert(1)</script>",
]


@pytest.mark.parametrize("kind", ["markdown", "code", "raw"])
@pytest.mark.parametrize("text", EVIL)
def test_a_page_runs_nothing_of_a_students(text, kind):
    cell = {"cell_type": kind, "metadata": {}, "source": text}
    data = json.dumps({"nbformat": 4, "nbformat_minor": 4, "metadata": {}, "cells": [cell]})
    said = [{"output_type": "stream", "name": "stdout", "text": text}]
    said += [{"output_type": "error", "ename": text, "evalue": text, "traceback": [text]}]
    said += [{"output_type": "display_data", "data": {"text/plain": text, "image/png": PNG}}]
    book = copies.executed(data.encode(), Run(shown={0: said}), "")
    page = copies.page(text, book, MATHJAX)
    tags = re.findall(r"<[^<>]*>", page)
    scripts = ['<script src="math.js">', f'<script src="{MATHJAX.as_uri()}">']
    assert [tag for tag in tags if re.match("<script", tag, re.IGNORECASE)] == scripts
    for tag in tags:
        name = re.match(r"</?\s*([\w!]+)", tag)
        assert name and name[1].lower() not in {"iframe", "svg", "object", "form"}
        outside = re.sub(r'"[^"]*"', '""', tag)
        assert not re.search(r"\son\w+\s*=", outside, re.IGNORECASE), tag
    targets = [each for tag in tags for each in re.findall(r'(?:src|href)="([^"]*)"', tag)]
    assert not [each for each in targets if re.match("javascript|data:text|http", each)]
    assert "default-src 'none'; img-src data:" in page


def test_a_photograph_of_a_proof_is_shown():
    cell = {"cell_type": "markdown", "metadata": {}, "source": "![my proof](attachment:p.jpg)"}
    cell["attachments"] = {"p.jpg": {"image/jpeg": JPEG}, "x": {"text/html": "x"}, "y": 7}
    data = json.dumps({"nbformat": 4, "nbformat_minor": 4, "metadata": {}, "cells": [cell]})
    book = copies.executed(data.encode(), Run(), "")
    nbformat.validate(book)
    assert list(book.cells[0].attachments) == ["p.jpg"]
    assert f'src="data:image/jpeg;base64,{JPEG}"' in copies.page("anna", book, MATHJAX)


def test_formulas_are_left_for_mathjax():
    text = "Let $a_i < b_i$ and\n\n$$\\sum_i x_i^2$$"
    shown = copies.prose(nbformat.v4.new_markdown_cell(text))
    assert "$a_i &lt; b_i$" in shown and "$$\\sum_i x_i^2$$" in shown


def test_a_run_makes_copies_and_a_page_that_leads_to_them(tmp_path):
    need_sandbox()
    folder, handed_in, out = make_assignment(tmp_path), tmp_path / "handed in", tmp_path / "out"
    handed_in.mkdir()
    for name, cells in {"anna": HONEST, "b&n": [*HONEST, "print(6 * 7)"], "cleo": HONEST}.items():
        (handed_in / f"{name}.ipynb").write_text(notebook([f"# {name}", *cells]))
    (handed_in / "dora.pdf").write_text("x")
    done = run(command(handed_in, folder, out))
    assert (done.returncode, done.stderr) == (0, "")
    page = (out / "index.html").read_text(encoding="utf-8")
    assert "<td>anna</td><td>2</td><td>3</td><td>1</td><td>6</td>" in page
    assert '<a href="executed/b%26n.html">executed</a>' in page and "<td>b&amp;n</td>" in page
    assert '"executed/dora' not in page and '<a href="feedback/dora.md">' in page
    assert '<pre class="stdout">42\n</pre>' in (out / "executed" / "b&n.html").read_text()
    stored = out / "executed" / ".made"
    made = {path: path.stat().st_mtime_ns for path in stored.iterdir()}
    assert len(made) == 3

    # What hasn't changed isn't run again; whoever is gone has no copy; --again makes one anew.
    (handed_in / "anna.ipynb").unlink()
    done = run(command(handed_in, folder, out, "--force", "--again", "cleo"))
    assert (done.returncode, done.stderr) == (0, "")
    later = {path: path.stat().st_mtime_ns for path in stored.iterdir()}
    assert len(later) == 2 and later.keys() < made.keys()
    assert sum(later[path] != made[path] for path in later) == 1
    shown = sorted(path.name for path in (out / "executed").glob("*.html"))
    assert shown == ["b&n.html", "cleo.html"]

    done = run(command(handed_in, folder, tmp_path / "without", "--no-copies"))
    assert done.returncode == 0 and not (tmp_path / "without" / "executed").exists()
    assert points(rows(tmp_path / "without")["cleo"]) == ALL


# Attacks: what a copy shows changes no grade, and a copy that can't be made costs nothing
HOSTILE = {
    "fake_outputs": [
        "import os, json\nline = json.dumps(['shown', 1, [{'output_type': 'display_data', 'data':"
        " {'text/html': '<script>alert(1)</script>'}}]]).encode() + b'\\n'\n"
        "for fd in range(3, 30):\n    try: os.write(fd, line)\n    except OSError: pass",
        *HONEST,
    ],
    "an_output_that_ends_the_process": [
        "class Evil:\n    def __repr__(self): import os; os._exit(1)\nEvil()",
        *HONEST,
    ],
    "an_output_without_end": [
        "class Evil:\n    def _repr_png_(self): return b'x' * 10**8\nEvil()",
        *HONEST,
    ],
    "no_stdout": [*HONEST, "import sys\nsys.stdout = sys.stderr = None", "1"],
    "publisher_replaced": [
        *HONEST,
        "ip = get_ipython()\nip.display_pub = ip.displayhook = None",
        "1",
    ],
}


def test_hostile_outputs_change_no_grade(tmp_path):
    need_sandbox()
    folder, handed_in, out = make_assignment(tmp_path), tmp_path / "handed in", tmp_path / "out"
    handed_in.mkdir()
    for name, cells in HOSTILE.items():
        (handed_in / f"{name}.ipynb").write_text(notebook(cells))
    done = run(command(handed_in, folder, out))
    assert done.returncode == 0, done.stderr
    assert {name: points(row) for name, row in rows(out).items()} == dict.fromkeys(HOSTILE, ALL)
    for path in (out / "executed").glob("*.html"):
        assert "<script>" not in path.read_text(encoding="utf-8")


def test_gradescope_needs_nothing_of_what_makes_copies():
    block = "import sys\nfor name in ('nbformat', 'nbconvert', 'bleach', 'pygments.lexers'):\n"
    block += "    sys.modules[name] = None\nimport course.grader.gradescope"
    done = subprocess.run([sys.executable, "-c", block], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
