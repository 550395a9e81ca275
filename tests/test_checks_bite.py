"""A verdict that a chapter prints beside a step of a proof changes when the step is broken.

Each code cell that prints a verdict (True, False) or asserts one carries in its metadata what was
tried against it:

    {"bites": [{"breaks": "thm-rate", "how": "the slopes doubled",
                "replace": "slope = ", "by": "slope = 2 * ", "in": "<id of an earlier cell>"}]}

`breaks` is the label of the statement whose step it is; `replace` stands once in the cell `in` (if
that is left out, in this very cell). All cells from the changed one to this one are run, in a copy;
then its verdicts must come out otherwise than stored, or its assertion fail. A cell whose verdict
no small change can turn says why, in a sentence: {"unbroken": "..."}. So does a claim in
claims.yml that no cell checks.
"""

import functools
import json
import os
import re
import signal
import subprocess
import sys
import traceback
from pathlib import Path

import pytest
import yaml
from conftest import in_ci

ROOT = Path(__file__).resolve().parent.parent
CHAPTERS = ROOT / "chapters"
NOTEBOOKS = sorted(CHAPTERS.glob("[0-9]*.ipynb"))
FEWEST = 60  # changes, in all chapters together
FIELDS = {"breaks", "how", "replace", "by"}
PATIENCE = 120  # seconds for one change: a broken step may never come to an end


def code_cells(path):
    """Return the code cells of a notebook, each with its source as one text."""
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return [
        {**cell, "source": "".join(cell["source"])} for cell in cells if cell["cell_type"] == "code"
    ]


def verdicts(text):
    """Return the verdicts in a printed text, in their order."""
    return re.findall(r"\b(?:True|False)\b", text)


def stored(cell):
    """Return all that a cell prints, as its notebook stores it."""
    texts = [
        output.get("text") or output.get("data", {}).get("text/plain", "")
        for output in cell["outputs"]
    ]
    return "\n".join("".join(text) for text in texts)


def gives_a_verdict(cell):
    """Whether a cell prints or asserts a verdict."""
    return bool(verdicts(stored(cell)) or re.search(r"^\s*assert\b", cell["source"], re.MULTILINE))


def changes(path):
    """Return the changes of a chapter: (number of the cell to change, of the check, change)."""
    cells = code_cells(path)
    places = {cell["id"]: number for number, cell in enumerate(cells)}
    return [
        (places[change.get("in", cell["id"])], number, change)
        for number, cell in enumerate(cells)
        for change in cell["metadata"].get("bites", [])
    ]


def complaints(path):
    """Return what is wrong with the changes that a chapter carries, before any is run."""
    cells = code_cells(path)
    ids = [cell["id"] for cell in cells]
    for number, cell in enumerate(cells):
        name, metadata = f"cell {cell['id']}", cell["metadata"]
        bites = metadata.get("bites", [])
        if gives_a_verdict(cell) and not bites and len(metadata.get("unbroken", "")) < 30:
            yield f"{name} gives a verdict that nothing was tried against"
        if bites and not gives_a_verdict(cell):
            yield f"{name} gives no verdict"
        if bites and "unbroken" in metadata:
            yield f"{name} is broken, and says that it can't be"
        for change in bites:
            if set(change) - {"in"} != FIELDS:
                yield f"{name}: a change has the fields {sorted(FIELDS)}, and perhaps 'in'"
                continue
            where = change.get("in", cell["id"])
            if where not in ids or ids.index(where) > number:
                yield f"{name}: {where} is no cell up to this one"
            elif cells[ids.index(where)]["source"].count(change["replace"]) != 1:
                yield f"{name}: {change['replace']!r} doesn't stand once in {where}"
            elif change["replace"] == change["by"]:
                yield f"{name}: {change['replace']!r} is replaced by itself"


def draw_nothing():
    """Save every figure from now on as an empty one: nobody looks, and flipbooks have many."""
    import matplotlib
    from matplotlib.figure import Figure

    matplotlib.use("agg")
    save = Figure.savefig

    @functools.cache
    def empty(kind, place):
        file = place()
        save(Figure(figsize=(1, 1)), file, format=kind)
        return file.getvalue()

    Figure.savefig = lambda self, file, *, format="png", **options: file.write(
        empty(format, type(file))
    )


class Chapter:
    """A chapter that is run cell by cell, in this process."""

    def __init__(self, cells):
        from IPython.core.interactiveshell import InteractiveShell

        self.cells, self.shell = cells, InteractiveShell()
        draw_nothing()

    def run(self, source):
        """Run a source; return what it printed, and what it raised or None."""
        from IPython.utils.capture import capture_output

        with capture_output() as captured:
            result = self.shell.run_cell(source)
        shown = [output.data.get("text/plain", "") for output in captured.outputs]
        return "\n".join([captured.stdout, *shown]), (
            result.error_before_exec or result.error_in_exec
        )

    def outcome(self, first, check, change=None):
        """Run the cells from one to another, the first of them changed, and say how it ended.

        That is the list of the last one's verdicts, or what was raised, and by which cell.
        """
        for number in range(first, check + 1):
            source = self.cells[number]["source"]
            if change and number == first:
                source = source.replace(change["replace"], change["by"])
            printed, error = self.run(source)
            if error is not None:
                said = "".join(traceback.format_exception_only(error)).strip()
                return f"{self.cells[number]['id']}: {said}"
        return verdicts(printed)


def is_caught(outcome, cell):
    """Whether a check saw what was broken: it gave another verdict, or its assertion failed."""
    if isinstance(outcome, str):
        return outcome.startswith(f"{cell['id']}: AssertionError")
    return outcome != verdicts(stored(cell))


def outcomes(path):
    """Run a chapter once, and each change from the cell on that it changes; return what came out.

    One entry a change, as `changes` has them.
    """
    cells, waiting = code_cells(path), changes(path)
    chapter, found = Chapter(cells), [None] * len(waiting)
    for number in range(max((first for first, _, _ in waiting), default=-1) + 1):
        for place, (first, check, change) in enumerate(waiting):
            if first == number:
                found[place] = apart(chapter, first, check, change)
        outcome = chapter.outcome(number, number)
        if outcome != verdicts(stored(cells[number])):
            raise RuntimeError(f"unbroken, cell {cells[number]['id']} gives {outcome}")
    return found


def apart(chapter, first, check, change):
    """Return the outcome of a change in a copy of the chapter as it is now: in a fork."""
    if not hasattr(os, "fork"):  # on Windows, from the beginning
        copy = Chapter(chapter.cells)
        for number in range(first):
            copy.outcome(number, number)
        return copy.outcome(first, check, change)
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            signal.alarm(PATIENCE)
            os.write(writer, json.dumps(chapter.outcome(first, check, change)).encode()[:60_000])
        finally:
            os._exit(0)
    os.close(writer)
    with os.fdopen(reader, "rb") as file:
        said = file.read()
    os.waitpid(child, 0)
    return json.loads(said) if said else "nothing: the process died, or took too long"


def survivors(path):
    """Return the changes of a chapter that its checks don't see, in words."""
    run = subprocess.run(
        [sys.executable, __file__, path],
        cwd=CHAPTERS,
        env=os.environ | {"PYTHONPATH": os.fspath(ROOT)},
        capture_output=True,
        text=True,
        encoding="utf-8",
    )
    assert run.returncode == 0, run.stderr[-2000:]
    cells, found = code_cells(path), json.loads(run.stdout.splitlines()[-1])
    return [
        f"cell {cells[check]['id']}, {change['how']} ({change['breaks']}): {outcome}"
        for (_, check, change), outcome in zip(changes(path), found, strict=True)
        if not is_caught(outcome, cells[check])
    ]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_each_check_was_tried(path):
    said = list(complaints(path))
    assert not said, "\n".join(said)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_each_change_is_caught(path):
    if not in_ci():  # it tests the chapters' checks, not the reader's machine
        pytest.skip("CI breaks every check of the chapters, for minutes: run `make bites`")
    said = survivors(path)
    assert not said, "these changes survive:\n" + "\n".join(said)


def test_there_are_many_changes():
    assert sum(len(changes(path)) for path in NOTEBOOKS) >= FEWEST


def test_each_claim_that_a_chapter_proves_was_broken():
    tried = {change["breaks"] for path in NOTEBOOKS for _, _, change in changes(path)}
    claims = yaml.safe_load((ROOT / "chapters" / "claims.yml").read_text(encoding="utf-8"))
    left = [c["anchor"] for c in claims if c["anchor"] not in tried and "unbroken" not in c]
    assert not left, f"no change breaks a step of {left}"
    known = {claim["anchor"] for claim in claims}
    assert tried <= known, f"no claim is called {tried - known}"


A_CELL = {"cell_type": "code", "execution_count": 1, "metadata": {}}
STEP = {**A_CELL, "id": "step", "source": "x = 2", "outputs": []}
CHECK = {**A_CELL, "id": "check", "source": "assert x < 9\nprint(x > 1)"}
CHECK["outputs"] = [{"output_type": "stream", "name": "stdout", "text": "True\n"}]


@pytest.mark.parametrize(
    ("by", "survives"),
    [
        ("x = 0", False),  # another verdict
        ("x = 10", False),  # the assertion fails
        ("x = 3", True),
        ("x = nobody", True),  # something else fails
        ("x = 'one'", True),
        ("import os; os._exit(0)", True),
    ],
)
def test_what_is_caught_and_what_survives(tmp_path, by, survives):
    change = {"breaks": "thm", "how": "so", "replace": "x = 2", "by": by, "in": "step"}
    check = {**CHECK, "metadata": {"bites": [change]}}
    path = tmp_path / "chapter.ipynb"
    path.write_text(json.dumps({"cells": [STEP, check]}), encoding="utf-8")
    assert not list(complaints(path))
    assert bool(survivors(path)) == survives


@pytest.mark.parametrize(
    ("metadata", "said"),
    [
        ({}, "nothing was tried against"),
        ({"bites": []}, "nothing was tried against"),
        ({"bites": [], "unbroken": "no"}, "nothing was tried against"),
        ({"bites": [{"breaks": "thm", "how": "so"}]}, "has the fields"),
        ({"bites": [{"breaks": "t", "how": "s", "replace": "y", "by": "z"}]}, "doesn't stand once"),
        ({"bites": [{"breaks": "t", "how": "s", "replace": "x", "by": "z"}]}, "doesn't stand once"),
        ({"bites": [{"breaks": "t", "how": "s", "replace": "9", "by": "9"}]}, "by itself"),
        (
            {"bites": [{"breaks": "t", "how": "s", "replace": "9", "by": "8", "in": "later"}]},
            "no cell up to this one",
        ),
    ],
)
def test_an_unsound_change_is_seen(tmp_path, metadata, said):
    later = {**STEP, "id": "later"}
    path = tmp_path / "chapter.ipynb"
    cells = [STEP, {**CHECK, "metadata": metadata}, later]
    path.write_text(json.dumps({"cells": cells}), encoding="utf-8")
    assert said in "\n".join(complaints(path))


if __name__ == "__main__":
    print(json.dumps(outcomes(Path(sys.argv[1]))))
