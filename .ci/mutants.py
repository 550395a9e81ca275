"""Do the tests see when the library changes?

mutmut changes the library a thousandfold, each time in one small way (a sign, a constant, an
argument left out), and runs the tests that pass through the changed line. A change that none of
them sees is a survivor. Some change nothing that one could see: those are reviewed, and stand with
their reasons in mutants.yml beside this file. Any other survivor is a gap.

    python .ci/mutants.py [module ...]

In `_build/mutants`, a copy of what it needs; without modules, all of TESTS. A module that has not
been reviewed yet is reported, and fails nothing; the list in mutants.yml says which have been.

mutmut and not cosmic-ray, because it forks a process that has already imported the library and the
tests, and runs for each change only the tests that reach it: some two changes a second, where a
fresh pytest for each takes a hundred times as long. (It wants a system that can fork: not Windows.
It leaves functions with a decorator alone, as that of _files. And _processes isn't tried: its tests
start some, for which a fork would wait for ever. What is left besides holds types, or names.)
"""

import fnmatch
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parent.parent
WORK = ROOT / "_build" / "mutants"
# The quick tests that are about each module; those of all arguments come on top.
TESTS = {
    "_arguments": ["arguments"],
    "_coordinates": ["training"],
    "_gaps": ["laws", "risk"],
    "_logistic": ["distillation"],
    "_scaling": ["geometry"],
    "_step_size": ["training"],
    "_svg": ["svg"],
    "_trials": ["risk", "laws"],
    "axial": ["inputs", "risk"],
    "bounds": ["bounds"],
    "distillation": ["distillation"],
    "exact": ["risk"],
    "flipbook": ["flipbook"],
    "flow": ["training"],
    "geometry": ["geometry", "student"],
    "initialisation": ["bounds"],
    "inputs": ["inputs"],
    "network": ["network"],
    "plots": ["plots"],
    "risk": ["risk", "laws"],
    "student": ["student"],
    "sweep": ["sweep", "floors"],
    "tables": ["tables"],
    "teacher": ["teacher"],
    "training": ["training"],
}
# Without the tests of joblib's processes: a fork of a process that has had some waits for them for
# ever, and what would have survived counts as seen, for having taken too long.
CONFIG = """
[project]
name = "mutants"
version = "0"

[tool.pytest.ini_options]
pythonpath = ["."]
filterwarnings = ["error"]

[tool.mutmut]
source_paths = ["distill_lib/{module}.py"]
also_copy = ["distill_lib", "tests", "conftest.py"]
pytest_add_cli_args_test_selection = {tests}
pytest_add_cli_args = [
    "-k", "not chapters and not the_table_holds and not number_of_processes and not a_killed_sweep",
    "--deselect", "tests/test_sweep.py::test_a_cell_is_its_risk_curve_and_is_measured_once[2]",
]
timeout_constant = 10
timeout_multiplier = 4
"""
SURVIVED, NO_TESTS = {0}, {5, 33}


def at_most():
    """Give what runs here 4 GB: a loop that never ends by a change would ask for all there are."""
    if sys.platform == "linux":  # elsewhere this limit is none, and Windows has no such module
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (4 * 2**30, 4 * 2**30))


def mutmut(*arguments, folder, **options):
    """Run mutmut in a copy of the book."""
    command = [sys.executable, "-m", "mutmut", *arguments]
    return subprocess.run(command, cwd=folder, text=True, preexec_fn=at_most, **options)


def survivors(module):
    """Return how many changes of a module were tried, and which survived: (where, was, becomes)."""
    folder = WORK / module
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "tests").mkdir(parents=True)
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "distill_lib", folder / "distill_lib", ignore=ignored)
    tests = [f"tests/test_{name}.py" for name in dict.fromkeys([*TESTS[module], "arguments"])]
    for name in ("conftest.py", "tests/conftest.py", "tests/drawing.py", *tests):
        shutil.copy(ROOT / name, folder / name)
    config = CONFIG.format(module=module, tests=json.dumps(tests))
    (folder / "pyproject.toml").write_text(config, encoding="utf-8")
    log = folder / "log.txt"
    # A test that starts processes may confuse mutmut's count of its own. It goes on where it was.
    for _ in range(3):
        with log.open("a") as file:
            done = mutmut("run", "--max-children", "2", folder=folder, stdout=file, stderr=file)
        if not done.returncode:
            break
    meta = folder / "mutants" / "distill_lib" / f"{module}.py.meta"
    if done.returncode or not meta.is_file():
        sys.exit(f"mutmut failed, see {log}")
    codes = json.loads(meta.read_text(encoding="utf-8"))["exit_code_by_key"]
    left = [name for name, code in codes.items() if code in SURVIVED | NO_TESTS]
    return len(codes), [change(name, folder) for name in left]


def change(name, folder):
    """Return what a change is, in terms that outlast other changes of the file."""
    where, _, _ = name.removeprefix("distill_lib.").partition("__mutmut_")
    where = where.replace(".x_", ".", 1).replace(".xǁ", ".", 1).replace("ǁ", ".")
    shown = mutmut("show", name, folder=folder, capture_output=True).stdout.splitlines()
    shown = [line for line in shown if not line.startswith(("---", "+++"))]
    was, becomes = (
        " ".join(line[1:].strip() for line in shown if line.startswith(sign)) for sign in "-+"
    )
    return where, was, becomes


def reason(found, reviewed):
    """Return why a survivor changes nothing that one could see, or None."""
    where, was, becomes = found
    for each in reviewed["equivalent"]:
        patterns = each.get("where", "*"), each["was"], each.get("becomes", "*")
        if all(map(fits, (where, was, becomes), patterns)):
            return each["why"]
    return None


def fits(text, pattern):
    """Whether a text is as a pattern of the shell says, or a regular expression after "re:"."""
    if pattern.startswith("re:"):
        return re.fullmatch(pattern[3:], text) is not None
    return fnmatch.fnmatchcase(text, pattern)


def main(modules):
    """Try the modules; print a table, and each survivor that nobody has reviewed."""
    if unknown := set(modules) - set(TESTS):
        sys.exit(f"no such module: {', '.join(sorted(unknown))}; there are {', '.join(TESTS)}")
    text = (ROOT / ".ci" / "mutants.yml").read_text(encoding="utf-8")
    reviewed = yaml.safe_load(text)
    table, gaps = [], 0
    for module in modules or TESTS:
        tried, found = survivors(module)
        new = [each for each in found if reason(each, reviewed) is None]
        for where, was, becomes in new:
            print(f"{where}\n  - {was}\n  + {becomes}", flush=True)
        known = module in reviewed["modules"]
        gaps += len(new) * known
        counts = f"{tried:8d} {tried - len(found):8d} {len(found) - len(new):10d} {len(new):8d}"
        table.append(f"{module:16s}{counts}{'' if known else '  not yet reviewed'}")
        print(table[-1], flush=True)
    head = f"{'module':16s}{'changes':>8s} {'seen':>8s} {'equivalent':>10s} {'left':>8s}"
    print(f"\n{head}", *table, sep="\n")
    return gaps > 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
