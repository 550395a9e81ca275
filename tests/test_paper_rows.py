"""The page about the paper can't rot: its rows lead to what is there, and nothing is left out."""

import json
import re
from pathlib import Path

import pytest
import yaml
from test_claims import LABEL, texts_of_the_chapters, the_ledger

ROOT = Path(__file__).resolve().parent.parent
FIELDS = {"id", "says", "known", "where", "agrees", "differs", "unknown"}


def the_rows():
    return yaml.safe_load((ROOT / "chapters" / "paper.yml").read_text(encoding="utf-8"))


def labels():
    """Return the labels of all statements and equations, and the names of all figures."""
    found = {name for text in texts_of_the_chapters() for names in LABEL.findall(text)
             for name in names if name}  # fmt: skip
    for path in (ROOT / "chapters").glob("*.ipynb"):
        for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
            found.add(cell["metadata"].get("mystnb", {}).get("figure", {}).get("name"))
    return found


def test_every_row_is_whole():
    for row in the_rows():
        assert set(row) == FIELDS, row["id"]
        assert all(row[field] for field in FIELDS - {"where"}), row["id"]
    ids = [row["id"] for row in the_rows()]
    assert len(set(ids)) == len(ids)


def test_every_row_leads_to_what_is_there():
    there = labels()
    for row in the_rows():
        assert set(row["where"]) <= there, row["id"]
        for label in re.findall(r"\{prf:ref\}`([^`]+)`", " ".join(map(str, row.values()))):
            assert label in there


def test_whatever_the_ledger_calls_the_papers_has_its_row():
    shown = {label for row in the_rows() for label in row["where"]}
    assert {row["anchor"] for row in the_ledger() if row["source"] in ("P✓", "P~")} <= shown


@pytest.mark.parametrize("number", [3, 4, 5])
def test_the_papers_experiments_are_in_the_book(number):
    (row,) = [row for row in the_rows() if row["id"].startswith(f"Figure {number}")]
    assert row["where"]
