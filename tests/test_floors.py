"""Imports inside distill_lib go strictly downward (design.md, section 3): it reads in one order."""

import ast
from pathlib import Path

import pytest

LIBRARY = Path(__file__).resolve().parent.parent / "distill_lib"
FLOORS = {
    "_arguments": -1,
    "_svg": -1,
    "geometry": 0,
    "inputs": 1,
    "distillation": 1,
    "network": 1,
    "bounds": 1,
    "student": 2,
    "training": 2,
    "risk": 3,
    "sweep": 4,
    "plots": 4,
    "flipbook": 4,
}
TOP = 4  # the one floor that draws, and that may see theory (bounds) and experiment (risk) together
DRAWING = {"matplotlib", "ipywidgets"}
# In the reader's browser each of these is a download: a module asks for it where it uses it.
LATE = {"joblib", "threadpoolctl", "tqdm", "sklearn"}


def imports(*nodes):
    """Yield the full names that are imported: `from distill_lib.a import b` is distill_lib.a.b."""
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            origin = ["distill_lib"] * bool(node.level) + [node.module] * bool(node.module)
            yield from (".".join([*origin, alias.name]) for alias in node.names)


def complaints_about(sources):
    """Return all that breaks the rules in a dict of module names and texts."""
    complaints = []
    for name, text in sources.items():
        tree, floor = ast.parse(text), FLOORS.get(name)
        if name == "__init__":
            kept = (ast.ImportFrom, ast.Assign, ast.Expr)  # re-exports, __all__, the docstring
            if not all(isinstance(node, kept) for node in tree.body):
                complaints.append("__init__ does more than re-export")
            continue
        if floor is None:
            complaints.append(f"{name} is on no floor")
            continue
        for full in imports(*ast.walk(tree)):
            package, module = [*full.split("."), ""][:2]
            if package == "distill_lib" and FLOORS.get(module, TOP) >= floor:
                complaints.append(f"{name} imports {full}, which does not lie below it")
            if module == "bounds" and floor < TOP:
                complaints.append(f"{name} imports bounds: theory and experiment share no code")
            if package in DRAWING and floor < TOP:
                complaints.append(f"{name} imports {package}: only the top floor draws")
        for full in imports(*tree.body):
            if full.split(".")[0] in LATE:
                complaints.append(f"{name} imports {full} before it is used")
    return complaints


def test_the_library_keeps_its_floors():
    sources = {path.stem: path.read_text(encoding="utf-8") for path in LIBRARY.glob("*.py")}
    assert "__init__" in sources
    assert complaints_about(sources) == []


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("geometry", "from distill_lib.risk import transfer_risk", "does not lie below it"),
        ("bounds", "from distill_lib.inputs import Gaussian", "does not lie below it"),
        ("inputs", "def f():\n    from . import network", "does not lie below it"),
        ("student", "import distill_lib.training as t", "does not lie below it"),
        ("student", "from distill_lib import angle", "does not lie below it"),
        ("student", "import distill_lib", "does not lie below it"),
        ("plots", "from distill_lib import flipbook", "does not lie below it"),
        ("_arguments", "from distill_lib import geometry", "does not lie below it"),
        ("risk", "from distill_lib.bounds import margin_bound", "theory and experiment"),
        ("bounds", "from distill_lib.risk import transfer_risk", "does not lie below it"),
        ("risk", "import matplotlib.pyplot as plt", "only the top floor draws"),
        ("risk", "import tqdm", "before it is used"),
        ("helpers", "", "is on no floor"),
        ("__init__", "import distill_lib.risk", "does more than re-export"),
        ("__init__", "def f(): pass", "does more than re-export"),
    ],
)
def test_an_import_that_breaks_a_rule_is_seen(name, text, said):
    (complaint,) = complaints_about({name: text})
    assert said in complaint
