"""Do the library's tests pass on the oldest and the newest releases that pyproject.toml admits?

In `_build/ends`: one environment with the lowest version of each dependency, one with the newest
that there is. The tests themselves run with the pinned tools.

    python .ci/ends.py [oldest] [newest]

The oldest needs Python 3.11, which is then also the oldest; it is looked for as `python3.11`, and
this Python is taken if it is 3.11 itself. Fails if any test does.
"""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
WORK = ROOT / "_build" / "ends"
TOOLS = (
    "hypothesis",
    "psutil",
    "pytest",
    "pytest-timeout",
    "pytest-xdist",
    "PyYAML",
    "distributed",
)
# The tests of the library and of its theorems, not those of the book, its site and its grader.
NAMES = """arguments bounds deep_theorems distillation docstrings factor_theorems files flipbook
floors geometry inputs label_theorems laws network open_ends plots risk risk_parallel risk_theorems
since_theorems speed_theorems student svg sweep tables teacher theorems training
weak_to_strong_theorems"""
# Whether a type checker agrees hangs on what numpy and matplotlib say of themselves.
TYPES = "tests/test_docstrings.py::test_a_type_checker_has_nothing_against_the_examples"


def dependencies():
    """Return the lowest version that the library admits, of each package that it can use."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    wanted = [*project["dependencies"], *extras["figures"], *extras["parallel"]]
    return dict(re.fullmatch(r"([\w-]+)>=([\d.]+)", each).groups() for each in wanted)


def pinned(names):
    """Return the book's pins of these packages."""
    text = (ROOT / "constraints.txt").read_text(encoding="utf-8").lower()
    return [re.search(rf"^{name.lower()}==\S+", text, re.MULTILINE)[0] for name in names]


def python(end):
    """Return the Python to test an end with."""
    if end == "newest" or sys.version_info[:2] == (3, 11):
        return sys.executable
    found = shutil.which("python3.11")
    return found or sys.exit("the oldest end needs a Python 3.11: install one as python3.11")


def test(end):
    """Make the environment of an end, and run the tests in it; return whether they passed."""
    folder = WORK / end
    subprocess.run([python(end), "-m", "venv", "--clear", folder], check=True)
    inside = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    pip = [inside, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    sign = "==" if end == "oldest" else ">="
    wanted = [f"{name}{sign}{version}" for name, version in dependencies().items()]
    # The oldest matplotlib calls what later releases of this one warn of.
    wanted += ["pyparsing<3.2"] if end == "oldest" else []
    # What the tests' tools need may not be newer than the end that is tested.
    subprocess.run([*pip, *wanted, *pinned(TOOLS)], check=True)
    subprocess.run([*pip, "--no-deps", "-e", "."], cwd=ROOT, check=True)
    names = ("numpy", "scipy", "matplotlib")
    code = "import platform, importlib.metadata as m; print('Python', platform.python_version(), "
    code += ", ".join(f"'{name}', m.version('{name}')" for name in names) + ")"
    print(f"== the {end}:", flush=True)
    subprocess.run([inside, "-c", code], check=True)
    tests = [f"tests/test_{name}.py" for name in NAMES.split()]
    command = [inside, "-m", "pytest", "-q", "-n", "2", "--dist", "loadfile", *tests]
    command += ["--deselect", TYPES]
    return subprocess.run(command, cwd=ROOT).returncode == 0


if __name__ == "__main__":
    went = [test(end) for end in sys.argv[1:] or ("oldest", "newest")]
    sys.exit(not all(went))
