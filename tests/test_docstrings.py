"""The page of the library: every part of it is explained, and every example runs as printed.

And a type checker has nothing against the examples: the hints allow what the page does.
"""

import ast
import doctest
import importlib
import inspect
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from conftest import needed

import distill_lib as dl

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "distill_lib"
# The page api.md shows what each of these modules defines under a name without an underscore.
MODULES = sorted(path.stem for path in PACKAGE.glob("[!_]*.py"))


def on_the_page():
    """Return all that has an explanation of its own there, by its full name."""
    found = {}
    for name in MODULES:
        module = importlib.import_module(f"distill_lib.{name}")
        for key, value in vars(module).items():
            if key[0] == "_" or getattr(value, "__module__", None) != module.__name__:
                continue
            if not inspect.isclass(value) and not inspect.isfunction(value):
                continue
            found[f"{name}.{key}"] = value
            for part in dir(value) if inspect.isclass(value) else ():
                method = getattr(value, part)
                if part[0] != "_" and inspect.isfunction(method):
                    found[f"{name}.{key}.{part}"] = method
    return found


THINGS = on_the_page()
# A law of one's own has these, so nothing is computed here; its class has the example.
OF_A_PROTOCOL = {name for name in THINGS if re.match(r"laws\.\w+\.", name)}


@pytest.mark.skipif(not (ROOT / "chapters").is_dir(), reason="the book isn't here")
def test_the_page_shows_every_module():
    page = (ROOT / "chapters" / "api.md").read_text(encoding="utf-8")
    shown = re.findall(r"^\.\. automodule:: distill_lib\.(\w+)$", page, re.MULTILINE)
    assert sorted(shown) == MODULES


@pytest.mark.parametrize("name", THINGS)
def test_its_parts_are_there(name):
    text, thing = inspect.getdoc(THINGS[name]), THINGS[name]
    parts = set(re.findall(r"^(\w[\w ]+)\n-{4,}$", text, re.MULTILINE))
    signature = inspect.signature(thing)
    wanted = set()
    if set(signature.parameters) - {"self", "args", "kwargs"} and "laws" not in name:
        wanted |= {"Parameters"}
    if not inspect.isclass(thing) and signature.return_annotation is not None:
        wanted |= {"Returns"}
    if name not in OF_A_PROTOCOL:
        wanted |= {"See Also", "Examples"}
    assert wanted - parts == set()


@pytest.mark.parametrize("name", [name for name in THINGS if "laws" not in name])
def test_its_parameters_are_those_it_takes_in_their_order(name):
    text = inspect.getdoc(THINGS[name])
    told = re.search(r"^Parameters\n-{4,}\n(.*?)(?=^\w[\w ]+\n-{4,}$|\Z)", text, re.M | re.S)
    told = re.findall(r"^(\*{0,2}\w[\w, ]*)(?: :|$)", told[1], re.M) if told else []
    told = [each.strip("*") for line in told for each in line.split(", ")]
    assert told == [each for each in inspect.signature(THINGS[name]).parameters if each != "self"]


@pytest.mark.parametrize("name", [name for name in THINGS if name not in OF_A_PROTOCOL])
def test_its_example_runs_as_printed(name):
    tests = doctest.DocTestFinder(recurse=False).find(
        THINGS[name], name, globs={"np": np, "dl": dl, "__name__": "__main__"}
    )
    runner = doctest.DocTestRunner(optionflags=doctest.FAIL_FAST)
    said = []
    for test in tests:
        runner.run(test, out=said.append)
    assert runner.tries > 0
    assert runner.failures == 0, "".join(said)


# A law of one's own may do without types. Said in the files, not on mypy's command line: so the
# library is checked as by `make lint`, and the two share a cache.
PREAMBLE = [
    "# mypy: allow-untyped-defs, allow-untyped-calls",
    "import numpy as np; import distill_lib as dl",
]


def examples_alone(source):
    """Return a module's examples as code, each in the line where it stands in the module.

    Those of one docstring are a function, so that they share their names with each other alone.
    """
    lines = PREAMBLE + [""] * source.count("\n")
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef):
            continue
        text = ast.get_docstring(node, clean=False) or ""
        for k, example in enumerate(doctest.DocTestParser().get_examples(text)):
            start = node.body[0].lineno - 1 + example.lineno
            if k == 0:
                lines[start - 1] = "def _() -> None:"
            code = example.source.splitlines()
            lines[start : start + len(code)] = [f"    {line}" for line in code]
    return "\n".join(lines)


def test_a_type_checker_has_nothing_against_the_examples(tmp_path):
    needed("mypy", "run `make lint`")
    for name in MODULES:
        code = examples_alone((PACKAGE / f"{name}.py").read_text(encoding="utf-8"))
        assert "def _()" in code, f"no example in {name}"
        (tmp_path / f"examples_of_{name}.py").write_text(code, encoding="utf-8")
    # In a process of its own: mypy raises the limit on recursion, and leaves it there.
    files = sorted(map(str, tmp_path.glob("*.py")))
    command = [sys.executable, "-m", "mypy", "--config-file", "pyproject.toml", *files]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, encoding="utf-8")
    assert run.returncode == 0, run.stdout + run.stderr


def test_all_laws_have_one_signature_for_the_tail():
    signatures = {
        str(inspect.signature(getattr(dl, name).angle_tail))
        for name in dl.__all__
        if hasattr(getattr(dl, name), "angle_tail")
    }
    assert len(signatures) == 1


def test_no_file_of_the_library_is_long():
    long = {
        path.name: lines
        for path in PACKAGE.glob("*.py")
        if (lines := len(path.read_text(encoding="utf-8").splitlines())) > 400
    }
    assert long == {}, "over 400 lines: give what has grown a module of its own"
