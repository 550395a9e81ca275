"""The stored times of the chapters are complete and keep the promises of their page.

Nothing is timed here: the table is the one that `make times` stored.
"""

import csv
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from drawing import same_drawing

ROOT = Path(__file__).resolve().parent.parent
TABLE = ROOT / "benchmarks" / "chapters.csv"
PAGE = ROOT / "chapters" / "execution_times.md"
FIGURE = ROOT / "chapters" / "figures" / "times.svg"
A_CHAPTER, ALL_CHAPTERS = 20, 200  # seconds: the promises
ROUNDS = 3  # fewer can't outvote one busy moment


def the_table():
    with TABLE.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def the_chapters():
    """Return the link to every chapter, in the book's order, and how many code cells it has."""
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))
    pages = [page["file"] for part in toc["parts"] for page in part["chapters"]]
    paths = [path for path in (ROOT / f"{page}.ipynb" for page in pages) if path.is_file()]
    for path in paths:
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        title = re.search(r"^# (.+)$", "".join(cells[0]["source"]), re.MULTILINE)[1].strip()
        code = [cell for cell in cells if cell["cell_type"] == "code"]
        yield f"[{title}]({path.name})", len(code)


def complaints_about(rows, chapters):
    """Return all that is wrong with a table of these chapters."""
    if not rows:
        return ["no rows"]
    *rows, last = rows
    said = [(row["Chapter"], int(row["Code cells"])) for row in rows]
    seconds = [float(row["Seconds"]) for row in rows]
    complaints = [
        f"missing or out of date: {chapter}" for chapter in chapters if chapter not in said
    ]
    complaints += [f"not in the book: {chapter}" for chapter in said if chapter not in chapters]
    if not complaints and said != chapters:
        complaints.append("not in the book's order")
    for (chapter, _), taken in zip(said, seconds, strict=True):
        if not 0 < taken < A_CHAPTER:
            complaints.append(f"{chapter} takes {taken} s")
    if not sum(seconds) < ALL_CHAPTERS:
        complaints.append(f"all take {sum(seconds):.1f} s")
    if last["Seconds"] != f"{sum(seconds):.1f}":
        complaints.append(f"the sum of the seconds is not {last['Seconds']}")
    if last["Code cells"] != str(sum(cells for _, cells in said)):
        complaints.append(f"the sum of the cells is not {last['Code cells']}")
    rounds = re.match(r"All: medians of (\d+) rounds, Python ", last["Chapter"])
    if rounds is None or int(rounds[1]) < ROUNDS:
        complaints.append(f"not medians of {ROUNDS} rounds: {last['Chapter']}")
    return complaints


def test_the_table_is_complete_and_keeps_the_promises():
    complaints = complaints_about(the_table(), list(the_chapters()))
    assert not complaints, "run `make times` on a quiet machine:\n" + "\n".join(complaints)


def test_the_page_makes_the_promises_and_includes_the_table():
    page = PAGE.read_text(encoding="utf-8")
    assert f"a chapter runs in under {A_CHAPTER} seconds" in page
    assert f"all of them together run in under {ALL_CHAPTERS} seconds" in page
    (included,) = re.findall(r"^```\{csv-table\}.*\n:file: (\S+)$", page, re.MULTILINE)
    assert (PAGE.parent / included).resolve() == TABLE
    script = FIGURE.with_suffix(".py").read_text(encoding="utf-8")
    assert f"LIMIT = {A_CHAPTER}  # seconds" in script


def test_the_built_page_shows_the_table(site):
    html = (site / "chapters" / f"{PAGE.stem}.html").read_text(encoding="utf-8")
    shown = re.findall(r"<td><p>(?:<a .*?<span.*?>)?(.*?)(?:</span></a>)?</p></td>", html)
    seconds = [row["Seconds"] for row in the_table()]
    # Its cells are title, seconds, number of cells and slowest cell, row after row.
    assert shown[1::4] == seconds


def drawn(table, target):
    """Return the figure that its script draws of a table."""
    subprocess.run([sys.executable, FIGURE.with_suffix(".py"), table, target], check=True)
    return target.read_text(encoding="utf-8")


def test_the_figure_is_drawn_from_the_table(tmp_path):
    assert same_drawing(drawn(TABLE, tmp_path / "times.svg"), FIGURE.read_text(encoding="utf-8"))


def a_table(seconds):
    """Return a sound table and its chapters, which take these seconds."""
    chapters = [(f"[Chapter, {n}]({n:02d}_x.ipynb)", n) for n in range(1, len(seconds) + 1)]
    names = ["Chapter", "Seconds", "Code cells", "Slowest cell"]
    rows = [[link, f"{s:.1f}", str(n), ""] for (link, n), s in zip(chapters, seconds, strict=True)]
    cells = sum(n for _, n in chapters)
    rows.append(["All: medians of 3 rounds, Python 3", f"{sum(seconds):.1f}", str(cells), ""])
    return [dict(zip(names, row, strict=True)) for row in rows], chapters


@pytest.mark.parametrize("number", [1, 25])
def test_any_number_of_chapters_can_be_drawn(number, tmp_path):
    rows, _ = a_table([1.0 + n for n in range(number)])
    with (tmp_path / "times.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    figure = drawn(tmp_path / "times.csv", tmp_path / "times.svg")
    assert figure.count('style="fill: #777777"') == number  # bars


def test_a_sound_table_has_no_complaint():
    assert complaints_about(*a_table([19.9] * 7)) == []


def swap(rows):
    rows[0], rows[1] = rows[1], rows[0]


BREACHES = {
    "a chapter missing": (lambda rows: rows.pop(1), "missing or out of date"),
    "a chapter too many": (lambda rows: rows.insert(1, rows[1] | {"Chapter": "x"}), "not in the"),
    "another title": (lambda rows: rows[0].update(Chapter="[B](01_x.ipynb)"), "missing or out of"),
    "a cell more": (lambda rows: rows[1].update({"Code cells": "3"}), "missing or out of date"),
    "another order": (swap, "not in the book's order"),
    "a slow chapter": (lambda rows: rows[0].update(Seconds="20.0"), "takes 20.0 s"),
    "never run": (lambda rows: rows[0].update(Seconds="0.0"), "takes 0.0 s"),
    "another sum": (lambda rows: rows[-1].update(Seconds="9.3"), "the sum of the seconds"),
    "other cells": (lambda rows: rows[-1].update({"Code cells": "4"}), "the sum of the cells"),
    "one round": (
        lambda rows: rows[-1].update(Chapter="All: medians of 1 rounds, Python 3"),
        "not medians of 3 rounds",
    ),
}


@pytest.mark.parametrize(("change", "said"), BREACHES.values(), ids=BREACHES.keys())
def test_a_breach_is_seen(change, said):
    rows, chapters = a_table([4.0, 5.2])
    change(rows)
    assert any(said in complaint for complaint in complaints_about(rows, chapters))


def test_slow_chapters_together_are_seen():
    assert complaints_about(*a_table([16.0] * 13)) == ["all take 208.0 s"]
    assert complaints_about([], []) == ["no rows"]
