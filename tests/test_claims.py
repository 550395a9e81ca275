"""The ledger of claims can't rot: every row leads to a proof, a function and a test that exist."""

import ast
import json
import pkgutil
import re
from pathlib import Path

import pytest
import yaml
from conftest import pages

ROOT = Path(__file__).resolve().parent.parent
FIELDS = {"id", "statement", "source", "anchor", "function", "test"}
SOURCES = {"P✓", "P~", "OURS", "STD", "LIT"}
# (label)= above what it names, the option of a directive, and $$ (label) after an equation
LABEL = re.compile(
    r"^\s*(?:\((\S+?)\)=|:(?:label|name):\s*(\S+)|\$\$\s*\((\S+?)\))\s*$", re.MULTILINE
)
PROVED = re.compile(
    r"^\s*[`:]{3,}\{prf:(?:theorem|lemma|proposition|corollary)\}(.*)\n((?:\s*:.*\n)*)",
    re.MULTILINE,
)


def the_ledger():
    return yaml.safe_load((ROOT / "chapters" / "claims.yml").read_text(encoding="utf-8")) or []


def texts_of_the_chapters():
    """Return the prose of every chapter: Markdown files, and the Markdown cells of notebooks."""
    texts = [path.read_text(encoding="utf-8") for path in sorted((ROOT / "chapters").glob("*.md"))]
    for path in sorted((ROOT / "chapters").glob("*.ipynb")):
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        texts += ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown"]
    return texts


def complaints_about(ledger, texts):
    """Return all that is wrong with the rows of a ledger for a book of these texts."""
    complaints = []
    labels = {name for text in texts for names in LABEL.findall(text) for name in names if name}
    ids = [row.get("id") for row in ledger]
    complaints += [f"{name}: two rows" for name in sorted(set(ids), key=str) if ids.count(name) > 1]
    for row in ledger:
        complaints += [f"{row.get('id')}: {said}" for said in complaints_about_a_row(row, labels)]
    claimed = {row.get("anchor") for row in ledger}
    for text in texts:
        for title, options in PROVED.findall(text):
            label = re.search(r":label:\s*(\S+)", options)
            if label is None:
                complaints.append(f"stated without a label: {title.strip()}")
            elif label[1] not in claimed:
                complaints.append(f"stated without a row in the ledger: {label[1]}")
    return complaints


STATED = re.compile(
    r"^([`:]{3,})\{prf:(?:theorem|lemma|proposition|corollary)\}.*?\n(.*?)^\1\s*$",
    re.MULTILINE | re.DOTALL,
)


def complaints_about_tags(ledger, texts):
    """Return where a statement and its rows say otherwise whose it is, or a known one by whom."""
    complaints = []
    for text in texts:
        for _, statement in STATED.findall(text):
            label = re.search(r":label:\s*(\S+)", statement)[1]
            tags = set(re.findall(r"\{src\}`([^`]+)`", statement))
            sources = {row["source"] for row in ledger if row["anchor"] == label}
            if tags != sources:
                complaints.append(f"{label}: {sorted(tags)} there, {sorted(sources)} in the ledger")
            if {"STD", "LIT"} & set(tags) and "{cite" not in text:
                complaints.append(f"{label}: known, and its cell has no reference")
    return complaints


def complaints_about_a_row(row, labels):
    # why no cell checks it (test_checks_bite.py); what a machine has checked (test_proofs.py)
    if row.keys() - {"unbroken", "coq", "unchecked"} != FIELDS:
        return [f"has the fields {', '.join(row)}, not {', '.join(sorted(FIELDS))}"]
    empty = [name for name in FIELDS - {"function"} if not str(row[name] or "").strip()]
    if empty:
        return [f"{name} is empty" for name in empty]
    complaints = []
    if row["source"] not in SOURCES:
        complaints.append(f"no such source: {row['source']}")
    if row["anchor"] not in labels:
        complaints.append(f"no such label: {row['anchor']}")
    if row["function"] is not None and not is_public(row["function"]):
        complaints.append(f"no such public function: {row['function']}")
    if not is_test(row["test"]):
        complaints.append(f"no such test: {row['test']}")
    return complaints


def is_public(name):
    """Whether distill_lib.module.name can be imported, and is meant to be."""
    if not name.startswith("distill_lib.") or "._" in name:
        return False
    try:
        return callable(pkgutil.resolve_name(name))
    except (ImportError, AttributeError):
        return False


def is_test(node_id):
    """Whether tests/test_x.py::TestClass::test_y[parameters] is written there."""
    path, *names = node_id.partition("[")[0].split("::")
    if not names or not names[-1].startswith("test") or not (ROOT / path).is_file():
        return False
    body = ast.parse((ROOT / path).read_text(encoding="utf-8")).body
    for name in names:
        named = [node.body for node in body if getattr(node, "name", None) == name]
        body = named[0] if named else []
    return bool(body)


def test_every_row_of_the_ledger_holds():
    ledger = the_ledger()
    complaints = complaints_about(ledger, texts_of_the_chapters())
    assert ledger
    assert not complaints, "\n".join(complaints)


def test_a_statement_and_its_row_say_whose_it_is_and_a_known_one_refers_to_somebody():
    complaints = complaints_about_tags(the_ledger(), texts_of_the_chapters())
    assert not complaints, "\n".join(complaints)


def test_every_anchor_is_in_the_built_site(site):
    html = "".join((site / page).read_text(encoding="utf-8") for page in pages(site))
    ids = set(re.findall(r'\bid="([^"]+)"', html))
    anchors = [row["anchor"] for row in the_ledger()]
    # Sphinx puts "equation-" before the label of an equation.
    assert [name for name in anchors if not {name, f"equation-{name}"} & ids] == []


BOOK = [
    "```{prf:theorem} The limit\n:label: thm-a\n\nSo.\n```\n",
    "(by-hand)=\n# More\n\n$$\nx\n$$ (eq-x)\n",
]
ROW = {
    "id": "T1",
    "statement": "So.",
    "source": "P✓",
    "anchor": "thm-a",
    "function": "distill_lib.geometry.angle",
    "test": "tests/test_claims.py::test_a_sound_ledger_has_no_complaint",
}


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"anchor": "by-hand"},
        {"anchor": "eq-x"},
        {"source": "OURS", "function": None},
        {"test": "tests/test_claims.py::test_a_sound_ledger_has_no_complaint[change0]"},
    ],
)
def test_a_sound_ledger_has_no_complaint(change):
    assert complaints_about([ROW, ROW | {"id": "T2"} | change], BOOK) == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"id": "T1"}, "T1: two rows"),
        ({"note": "more"}, "T2: has the fields id, statement, "),
        ({"statement": " "}, "T2: statement is empty"),
        ({"test": None}, "T2: test is empty"),
        ({"source": "P"}, "T2: no such source: P"),
        ({"anchor": "thm-b"}, "T2: no such label: thm-b"),
        ({"function": "distill_lib.geometry.nothing"}, "T2: no such public function"),
        ({"function": "distill_lib.nothing.angle"}, "T2: no such public function"),
        ({"function": "distill_lib._arguments.matrix"}, "T2: no such public function"),
        ({"function": "math.acos"}, "T2: no such public function"),
        ({"test": "tests/test_claims.py"}, "T2: no such test"),
        ({"test": "tests/test_nothing.py::test_nothing"}, "T2: no such test"),
        ({"test": "tests/test_claims.py::test_nothing"}, "T2: no such test"),
        ({"test": "tests/test_claims.py::complaints_about"}, "T2: no such test"),
    ],
)
def test_a_row_that_leads_nowhere_is_seen(change, said):
    (complaint,) = complaints_about([ROW, ROW | {"id": "T2"} | change], BOOK)
    assert complaint.startswith(said)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (":::{prf:lemma}\n:label: lem-b\nSo.\n:::\n", "stated without a row in the ledger: lem-b"),
        ("```{prf:corollary} Its child\n\nSo.\n```\n", "stated without a label: Its child"),
    ],
)
def test_a_statement_outside_the_ledger_is_seen(text, said):
    assert complaints_about([ROW], [*BOOK, text]) == [said]


@pytest.mark.parametrize(
    ("tags", "rest", "said"),
    [
        ("{src}`P✓`", "", []),
        ("{src}`P~`", "", ["thm-a: ['P~'] there, ['P✓'] in the ledger"]),
        ("{src}`P✓` and {src}`OURS`", "", ["thm-a: ['OURS', 'P✓'] there, ['P✓'] in the ledger"]),
        ("", "", ["thm-a: [] there, ['P✓'] in the ledger"]),
    ],
)
def test_another_tag_than_in_the_ledger_is_seen(tags, rest, said):
    text = f"```{{prf:theorem}} The limit\n:label: thm-a\n\n{tags} So.\n```\n{rest}"
    assert complaints_about_tags([ROW], [text]) == said


@pytest.mark.parametrize(("rest", "count"), [("", 1), ("It is in {cite:t}`somebody`.", 0)])
def test_a_known_statement_without_a_reference_is_seen(rest, count):
    text = f"```{{prf:lemma}}\n:label: thm-a\n\n{{src}}`STD` So.\n```\n\n{rest}"
    assert len(complaints_about_tags([ROW | {"source": "STD"}], [text])) == count
