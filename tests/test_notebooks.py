"""The rules that every chapter's notebook keeps (design.md, section 4), each shown to bite.

nbval compares what a notebook stores with what it computes; by these rules there is something to
compare.
"""

import collections
import copy
import json
import re
import statistics
from pathlib import Path

import pytest
import yaml

CHAPTERS = Path(__file__).resolve().parent.parent / "chapters"
NOTEBOOKS = sorted(CHAPTERS.glob("*.ipynb"))

# Tags that change the look alone: any other may keep an output from being compared or shown.
HARMLESS_TAGS = {"hide-input", "full-width", "margin", "center-output", "scroll-output"}
ORDERS_TO_NBVAL = re.compile(
    r"^\s*#+\s*(NBVAL_\w+|PYTEST_VALIDATE_IGNORE_OUTPUT)\s*$", re.MULTILINE
)
MOST_LINES, MEDIAN_LINES = 25, 15  # a screenful at most, and "about 15" in most cells
# Characters. More than 90 don't fit into the page of a laptop (1280 px), and scroll sideways.
LONGEST_CODE, LONGEST_PRINT = 84, 90
SHORTEST_ALT = 40  # characters: "Plot of the risk" says what it is, not what is seen

# What a text must not hold, since it depends on the machine or the hour.
PATH = r"(?<![\w.])/(?:home|Users|root|tmp|var|opt|mnt|private|work|workspace)/|\b[A-Z]:\\Users\\"
UNREPEATABLE = {
    "an address in memory": r"\b0x[0-9a-f]{4,}",
    "a path of one machine": PATH,
    "a time of day or a date": r"\b\d{1,2}:\d\d:\d\d\b|\b20\d\d-\d\d-\d\d\b",
    "a duration": r"\d\s?(?:ns|µs|us|ms)\b|\d\.\d+\s?s(?:ec|econds?)?\b|\b(?:wall|CPU) times?\b",
    # With 15 digits or more, whose last ones differ between processors.
    "a bare float": r"(?<![\d.])(?=[\d.]{16})\d+\.\d+|np\.float\d+\(",
}

OPENING = {
    "what the reader needs": r"\*\*You need:\*\* \S",
    "what there is to see": r"\*\*You will see:\*\* \S",
    "how long it takes": r"\*\*Time:\*\* .*\b(?:minutes?|hours?)\b",
}
# Shorthands that the site knows, and JupyterLab and Colab don't.
CONFIG = yaml.safe_load((CHAPTERS.parent / "_config.yml").read_text(encoding="utf-8"))
MACROS = set(CONFIG["sphinx"]["config"]["mathjax3_config"]["tex"]["macros"])
EXERCISE_OR_SOLUTION = re.compile(
    r"^[`:]{3,}\{(exercise|solution)(?:-start)?\}(.*)\n((?:\s*:.*\n)*)", re.MULTILINE
)


def rules(notebook):
    """All that is wrong with a chapter's notebook, as its file holds it: one complaint each."""
    cells = [{**cell, "source": "".join(cell["source"])} for cell in notebook["cells"]]
    code = [cell for cell in cells if cell["cell_type"] == "code" and cell["source"].strip()]
    complaints = [*rules_of_the_file(notebook), *rules_of_the_code(code), *rules_of_the_text(cells)]
    for number, cell in enumerate(code, start=1):
        complaints += [f"code cell {number}: {said}" for said in rules_of_a_code_cell(cell)]
    return complaints


def rules_of_the_file(notebook):
    metadata, cells = notebook["metadata"], notebook["cells"]
    if metadata.get("kernelspec", {}).get("name") != "python3":
        yield "the kernelspec is not python3"
    if "mystnb" in metadata:
        yield "settings of myst-nb for the whole notebook may hide outputs"
    ids = [cell.get("id") for cell in cells]
    if not all(ids) or len(set(ids)) < len(ids):
        yield "cell ids are missing or not unique"
    tags = {tag for cell in cells for tag in cell["metadata"].get("tags", [])}
    for tag in sorted(tags - HARMLESS_TAGS):
        yield f"the tag {tag} may hide a cell or keep it from being compared"


def rules_of_the_code(code):
    counts = [cell.get("execution_count") for cell in code]
    if counts != list(range(1, len(code) + 1)):
        yield f"not run once from top to bottom: execution counts {counts}"
    median = statistics.median([lines(cell) for cell in code] or [0])
    if median > MEDIAN_LINES:
        yield f"the median code cell has {median:g} lines, more than {MEDIAN_LINES}"
    outputs = [output for cell in code for output in cell["outputs"]]
    if not any(re.search(r"\d", "".join(output.get("text", ""))) for output in outputs):
        yield "prints no number"
    names = collections.Counter(figure(cell).get("name") for cell in code)
    for name, count in names.items():
        if name and count > 1:
            yield f"{count} figures called {name}"


def lines(cell):
    return sum(1 for line in cell["source"].splitlines() if line.strip())


def figure(cell):
    return cell["metadata"].get("mystnb", {}).get("figure", {})


def printed(cell):
    """The texts among a cell's outputs: those that nbval compares."""
    for output in cell["outputs"]:
        if output["output_type"] == "stream":
            yield "".join(output["text"])
        for kind, data in output.get("data", {}).items():
            if kind.startswith("text/"):
                yield "".join(data)


def rules_of_a_code_cell(cell):
    metadata = cell["metadata"]
    if lines(cell) > MOST_LINES:
        yield f"{lines(cell)} lines, more than {MOST_LINES}"
    streams = ["".join(each["text"]) for each in cell["outputs"] if "name" in each]
    for what, texts, most in (
        ("line of code", [cell["source"]], LONGEST_CODE),
        ("printed line", streams, LONGEST_PRINT),
    ):
        longest = max((len(line) for text in texts for line in text.splitlines()), default=0)
        if longest > most:
            yield f"a {what} of {longest} characters, more than {most}"
    for comment in ORDERS_TO_NBVAL.findall(cell["source"]):
        yield f"the comment {comment} keeps nbval from comparing"
    for key in sorted(set(metadata.get("mystnb", {})) - {"image", "figure"}):
        yield f"the mystnb setting {key} may hide an output"
    if {"execution", "ExecuteTime"} & metadata.keys():
        yield "metadata says when it was run"
    if re.search(PATH, cell["source"]):
        yield "a path of one machine"
    for output in cell["outputs"]:
        if output["output_type"] == "error":
            yield f"ends in {output['ename']}"
        if output.get("name") == "stderr":
            yield "writes to stderr"
    for what, pattern in UNREPEATABLE.items():
        found = re.search(pattern, "\n".join(printed(cell)), re.IGNORECASE)
        if found:
            yield f"prints {what}: {found.group()}"
    kinds = {kind for output in cell["outputs"] for kind in output.get("data", {})}
    if any(kind.startswith("image/") for kind in kinds):
        if len(metadata.get("mystnb", {}).get("image", {}).get("alt", "")) < SHORTEST_ALT:
            yield f"no alt text of at least {SHORTEST_ALT} characters, to say what is seen"
        if not figure(cell).get("caption"):
            yield "no caption"
        if not figure(cell).get("name", "").startswith("fig-"):
            yield "no figure name that begins with fig-"


def rules_of_the_text(cells):
    first_code = next((i for i, cell in enumerate(cells) if cell["cell_type"] == "code"), None)
    opening = "\n\n".join(cell["source"] for cell in cells[:first_code])
    if not re.match(r"(?:\([\w-]+\)=\s+)?# \S", opening):  # a label may stand above it
        yield "does not open with a title"
    opening = re.split(r"^##", opening, flags=re.MULTILINE)[0]
    for what, pattern in OPENING.items():
        if not re.search(pattern, opening):
            yield f"the opening does not say {what}"

    text = "\n\n".join(cell["source"] for cell in cells if cell["cell_type"] == "markdown")
    for name in sorted(MACROS & set(re.findall(r"\\([A-Za-z]+)", text))):
        yield f"\\{name} is known to the site alone"
    for heading in ("what breaks", "where next"):
        if not re.search(rf"^#+ .*{heading}", text, re.IGNORECASE | re.MULTILINE):
            yield f"no section '{heading}'"

    blocks = [match.groups() for match in EXERCISE_OR_SOLUTION.finditer(text)]
    exercises = [options for kind, _, options in blocks if kind == "exercise"]
    solutions = {about.strip(): options for kind, about, options in blocks if kind == "solution"}
    if len(exercises) < 3:
        yield f"{len(exercises)} exercises, fewer than three"
    for options in exercises:
        label = re.search(r":label:\s*(\S+)", options)
        if label is None:
            yield "an exercise without a label"
        elif not re.search(r":class:.*\bdropdown\b", solutions.get(label[1], "")):
            yield f"the exercise {label[1]} has no solution that is folded away"


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)
def test_a_chapter_keeps_the_rules(path):
    complaints = rules(json.loads(path.read_text(encoding="utf-8")))
    assert not complaints, f"{path.name}:\n" + "\n".join(complaints)


def test_there_are_chapters():
    assert NOTEBOOKS


def test_without_outputs_every_chapter_breaks_the_rules():
    for path in NOTEBOOKS:
        assert rules(stripped(json.loads(path.read_text(encoding="utf-8")))), path.name


def stripped(notebook):
    """A copy as nbstripout leaves it, which nbval would pass without comparing anything."""
    notebook = copy.deepcopy(notebook)
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            cell.update(execution_count=None, outputs=[])
    return notebook


def a_sound_notebook():
    exercise = (
        "```{{exercise}}\n:label: ex-{0}\n\nHow?\n```\n\n"
        "```{{solution}} ex-{0}\n:class: dropdown\n\nSo.\n```\n\n"
    )
    picture = {"alt": "A line that falls from one on the left to zero on the right."}
    text = {"output_type": "stream", "name": "stdout", "text": ["risk 0.250\n"]}
    image = {
        "output_type": "display_data",
        "data": {"image/png": "", "text/plain": ["<Figure size 640x480 with 1 Axes>"]},
    }

    def markdown(name, source):
        return {"cell_type": "markdown", "id": name, "metadata": {}, "source": source}

    def code(name, count, source, output, **mystnb):
        metadata = {"tags": ["hide-input"], "mystnb": mystnb}
        shared = {"cell_type": "code", "id": name, "metadata": metadata}
        return shared | {"execution_count": count, "source": source, "outputs": [output]}

    return {
        "metadata": {"kernelspec": {"name": "python3"}},
        "cells": [
            markdown(
                "a",
                "(a)=\n# A\n\n* **You need:** no\n* **You will see:** it\n* **Time:** 5 minutes",
            ),
            code("b", 1, ["x = 1.1234567890123\n", 'print(f"risk {x:.3f}")'], text),
            markdown("c", "".join(map(exercise.format, "123"))),
            code(
                "d",
                2,
                "plt.show()",
                image,
                image=picture,
                figure={"caption": "A line.", "name": "fig-line"},
            ),
            markdown("e", "## What breaks when\n\nMuch.\n\n### Where next\n\nOn."),
        ],
    }


def test_a_sound_notebook_has_no_complaint():
    assert rules(a_sound_notebook()) == []


def at(*path):
    """at("cells", 1, "id")(value) is a change of that place of a notebook; None removes it."""

    def put(value):
        def change(notebook):
            *way, last = path
            for step in way:
                notebook = notebook[step]
            if value is None:
                del notebook[last]
            else:
                notebook[last] = value

        return change

    return put


def out(text):
    return at("cells", 1, "outputs", 0, "text")(text)


def source(cell, old, new):
    def change(notebook):
        assert old in notebook["cells"][cell]["source"]
        notebook["cells"][cell]["source"] = notebook["cells"][cell]["source"].replace(old, new)

    return change


BREACHES = {
    "no id": (at("cells", 0, "id")(None), "cell ids are missing or not unique"),
    "an id twice": (at("cells", 0, "id")("b"), "cell ids are missing or not unique"),
    "another kernel": (
        at("metadata", "kernelspec", "name")("julia"),
        "the kernelspec is not python3",
    ),
    "no kernel": (at("metadata", "kernelspec")(None), "the kernelspec is not python3"),
    "never run": (at("cells", 1, "execution_count")(None), "not run once from top to bottom"),
    "run out of order": (at("cells", 1, "execution_count")(3), "not run once from top to bottom"),
    "no number": (out("small\n"), "prints no number"),
    "a long cell": (
        at("cells", 1, "source")("x = 1\n" * 26),
        "code cell 1: 26 lines, more than 25",
    ),
    "a long line": (
        at("cells", 1, "source")("x = 1  #" + 77 * "x"),
        "code cell 1: a line of code of 85 characters, more than 84",
    ),
    "a long print": (out("1" + 90 * "x"), "code cell 1: a printed line of 91 characters"),
    "nbval skipped by tag": (
        at("cells", 1, "metadata", "tags")(["nbval-skip"]),
        "the tag nbval-skip",
    ),
    "nbval ignoring": (
        at("cells", 1, "metadata", "tags")(["nbval-ignore-output"]),
        "the tag nbval-ignore-output",
    ),
    "an exception expected": (
        at("cells", 1, "metadata", "tags")(["raises-exception"]),
        "the tag raises-exception",
    ),
    "not executed": (
        at("cells", 1, "metadata", "tags")(["skip-execution"]),
        "the tag skip-execution",
    ),
    "an output removed": (
        at("cells", 1, "metadata", "tags")(["remove-output"]),
        "the tag remove-output",
    ),
    "a text removed": (at("cells", 2, "metadata", "tags")(["remove-cell"]), "the tag remove-cell"),
    "a macro of the site": (
        source(4, "Much.", r"Much, $\E x$."),
        r"\E is known to the site alone",
    ),
    "an output hidden": (
        at("cells", 1, "metadata", "tags")(["hide-output"]),
        "the tag hide-output",
    ),
    "an output removed by myst": (
        at("cells", 1, "metadata", "mystnb")({"remove_code_outputs": True}),
        "the mystnb setting remove_code_outputs",
    ),
    "outputs removed by myst": (
        at("metadata", "mystnb")({"remove_code_outputs": True}),
        "settings of myst-nb",
    ),
    "nbval skipped by comment": (
        at("cells", 1, "source")("x = 1\n# NBVAL_SKIP\n"),
        "the comment NBVAL_SKIP",
    ),
    "timing": (at("cells", 1, "metadata", "execution")({}), "metadata says when it was run"),
    "stderr": (at("cells", 1, "outputs", 0, "name")("stderr"), "writes to stderr"),
    "an address": (out("<Line2D at 0x7f0630dcc890>"), "an address in memory"),
    "a path": (out("1 file in /home/someone/book"), "a path of one machine"),
    "a path in the code": (at("cells", 1, "source")("open('/tmp/x')"), "a path of one machine"),
    "a path of Windows": (out("1 file in C:\\Users\\someone"), "a path of one machine"),
    "a date": (out("2026-11-23"), "a time of day or a date"),
    "an hour": (out("at 12:34:56"), "a time of day or a date"),
    "a duration": (out("took 1.23 s"), "a duration"),
    "a short duration": (out("12 ms per loop"), "a duration"),
    "a bare float": (out("0.30000000000000004"), "a bare float"),
    "a long bare float": (out("1234.5678901234567"), "a bare float"),
    "a numpy float": (out("np.float64(0.5)"), "a bare float"),
    "no alt text": (at("cells", 3, "metadata", "mystnb", "image")(None), "no alt text"),
    "a short alt text": (
        at("cells", 3, "metadata", "mystnb", "image", "alt")("Plot of the risk."),
        "no alt text",
    ),
    "no caption": (at("cells", 3, "metadata", "mystnb", "figure", "caption")(None), "no caption"),
    "no figure name": (
        at("cells", 3, "metadata", "mystnb", "figure", "name")(None),
        "no figure name",
    ),
    "another figure name": (
        at("cells", 3, "metadata", "mystnb", "figure", "name")("line"),
        "no figure name",
    ),
    "a figure name twice": (
        at("cells", 1, "metadata", "mystnb")({"figure": {"name": "fig-line"}}),
        "2 figures called fig-line",
    ),
    "no title": (source(0, "# A", "A"), "does not open with a title"),
    "no needs": (source(0, "You need", "Here"), "the opening does not say what the reader needs"),
    "no aim": (source(0, "will see", "can see"), "the opening does not say what there is to see"),
    "no length": (source(0, "minutes", "pages"), "the opening does not say how long it takes"),
    "nothing breaks": (source(4, "What breaks", "Limits"), "no section 'what breaks'"),
    "nothing next": (source(4, "Where next", "The end"), "no section 'where next'"),
    "an unlabelled exercise": (source(2, ":label: ex-2\n", ""), "an exercise without a label"),
    "an open solution": (
        source(2, "ex-2\n:class: dropdown", "ex-2"),
        "the exercise ex-2 has no solution",
    ),
    "an unsolved exercise": (
        source(2, "{solution} ex-2", "{solution} ex-7"),
        "the exercise ex-2 has no solution",
    ),
}


@pytest.mark.parametrize(("change", "said"), BREACHES.values(), ids=BREACHES.keys())
def test_a_breach_is_the_one_complaint(change, said):
    notebook = a_sound_notebook()
    change(notebook)
    (complaint,) = rules(notebook)
    assert said in complaint


def test_breaches_that_bring_others_are_seen():
    notebook = a_sound_notebook()
    notebook["cells"][1]["source"] = notebook["cells"][3]["source"] = "x = 1\n" * 16
    notebook["cells"][1]["outputs"] = [{"output_type": "error", "ename": "ValueError"}]
    notebook["cells"][2]["source"] = ""
    complaints = rules(notebook)
    for said in (
        "the median code cell has 16",
        "prints no number",
        "ends in ValueError",
        "0 exercises, fewer than three",
    ):
        assert any(said in complaint for complaint in complaints), said


def test_a_stripped_notebook_is_seen():
    assert any(
        "not run once from top to bottom" in complaint
        for complaint in rules(stripped(a_sound_notebook()))
    )
