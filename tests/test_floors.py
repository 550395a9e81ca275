"""Imports inside distill_lib go strictly downward (design.md, section 3): it reads in one order."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import distill_lib

LIBRARY = Path(__file__).resolve().parent.parent / "distill_lib"
FLOORS = {
    "_files": -2,
    "_types": -2,
    "_arguments": -1,
    "_scaling": -1,
    "_logistic": 0,
    "laws": 0,
    "_gaps": 1,
    "geometry": 0,
    "_processes": 0,
    "tables": 0,
    "inputs": 1,
    "axial": 1,
    "distillation": 1,
    "network": 1,
    "bounds": 1,
    "initialisation": 1,
    "_coordinates": 1,
    "_step_size": 2,
    "teacher": 1,
    "student": 2,
    "training": 3,
    "exact": 2,
    "flow": 4,
    "_trials": 3,
    "risk": 4,
    "sweep": 5,
    "_svg": 5,
    "plots": 6,
    "flipbook": 6,
}
# From here on up they draw, and may see theory (THEORY) and experiment (risk) together.
TOP = 5
THEORY = {"bounds", "initialisation"}
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
            if any(full.startswith("distill_lib") for full in imports(*ast.walk(tree))):
                complaints.append("__init__ imports a module before anybody asks for it")
            continue
        if floor is None:
            complaints.append(f"{name} is on no floor")
            continue
        for full in imports(*ast.walk(tree)):
            package, module = [*full.split("."), ""][:2]
            if package == "distill_lib" and FLOORS.get(module, TOP) >= floor:
                complaints.append(f"{name} imports {full}, which does not lie below it")
            if module in THEORY and floor < TOP:
                complaints.append(f"{name} imports {module}: theory and experiment share no code")
            if package in DRAWING and floor < TOP:
                complaints.append(f"{name} imports {package}: only the top floors draw")
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
        ("risk", "from distill_lib import sweep", "does not lie below it"),
        ("student", "import distill_lib.training as t", "does not lie below it"),
        ("student", "from distill_lib import angle", "does not lie below it"),
        ("student", "import distill_lib", "does not lie below it"),
        ("plots", "from distill_lib import flipbook", "does not lie below it"),
        ("_arguments", "from distill_lib import geometry", "does not lie below it"),
        ("risk", "from distill_lib.bounds import margin_bound", "theory and experiment"),
        ("bounds", "from distill_lib.risk import transfer_risk", "does not lie below it"),
        ("risk", "import matplotlib.pyplot as plt", "only the top floors draw"),
        ("risk", "import tqdm", "before it is used"),
        ("helpers", "", "is on no floor"),
        ("risk", "from distill_lib import initialisation", "theory and experiment"),
        ("__init__", "from distill_lib.risk import risk_curve", "before anybody asks for it"),
        ("__init__", "def f():\n    import distill_lib.risk", "before anybody asks for it"),
    ],
)
def test_an_import_that_breaks_a_rule_is_seen(name, text, said):
    (complaint,) = complaints_about({name: text})
    assert said in complaint


UNUSED = """
import sys
import distill_lib
dir(distill_lib), distill_lib.__all__, distill_lib.__version__
print(*(name for name in ("scipy", "matplotlib", "joblib", "IPython") if name in sys.modules))
distill_lib.easiness_bound(3, 1.0)
print(*(name for name in ("scipy", "matplotlib", "joblib", "IPython") if name in sys.modules))
"""


def test_importing_the_library_imports_nothing_large_before_it_is_used():
    run = subprocess.run([sys.executable, "-c", UNUSED], capture_output=True, text=True, check=True)
    assert run.stdout.splitlines() == ["", "scipy"]


def test_what_type_checkers_are_told_is_what_there_is():
    tree = ast.parse((LIBRARY / "__init__.pyi").read_text(encoding="utf-8"))
    told = {
        alias.asname: f"{node.module}.{alias.name}"
        for node in tree.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    modules = {f"distill_lib.{name}" for name in ("flipbook", "plots")}
    assert {home for home in told.values() if home in modules} == modules
    public = {name: home for name, home in told.items() if home not in modules}
    assert sorted(public) == distill_lib.__all__
    for name, home in public.items():
        value = getattr(distill_lib, name)
        assert f"{value.__module__}.{value.__name__}" == home


def test_a_name_that_is_not_there_is_an_attribute_error_and_modules_are_attributes():
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        distill_lib.nothing  # noqa: B018
    assert distill_lib.geometry.angle is distill_lib.angle
    assert {"risk_curve", "plots", "flow", "__version__"} <= set(dir(distill_lib))
