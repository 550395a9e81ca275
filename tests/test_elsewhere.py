"""Other machines are pretended well: what hangs on rounding is seen, and nothing else."""

import importlib.util
import json
import math
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import yaml

ROOT = Path(__file__).resolve().parent.parent
spec = importlib.util.spec_from_file_location("elsewhere", ROOT / ".ci" / "elsewhere.py")
elsewhere = importlib.util.module_from_spec(spec)
spec.loader.exec_module(elsewhere)
MACHINES = elsewhere.machines()
SHAKEN = [name for name in MACHINES if name.startswith("shaken")]


def test_the_workflow_asks_for_every_machine():
    text = (ROOT / ".github" / "workflows" / "elsewhere.yml").read_text(encoding="utf-8")
    rows = yaml.safe_load(text)["jobs"]["pretended"]["strategy"]["matrix"]["machines"]
    assert sorted(" ".join(rows).split()) == sorted(elsewhere.EVERY)
    assert set(MACHINES) <= set(elsewhere.EVERY)


def test_all_tests_that_compare_the_librarys_numbers_run_there():
    modules = [path.stem for path in (ROOT / "distill_lib").glob("[!_]*.py")]
    about = {f"test_{name}.py" for name in modules} | {"test_arguments.py", "test_docstrings.py"}
    there = {path.name for path in (ROOT / "tests").glob("test_*.py")}
    wanted = {name for name in there if name in about or "theorems" in name}
    listed = {f"test_{name}.py" for name in elsewhere.NUMBERS.split()}
    assert wanted <= listed <= there


def test_a_machine_that_this_one_cannot_pretend_to_be_is_passed_over(monkeypatch, capsys):
    monkeypatch.setattr(elsewhere, "machines", lambda: {"here": {}})
    assert not elsewhere.main(["skylakex"])
    assert "skylakex      can't be pretended here" in capsys.readouterr().out
    with pytest.raises(SystemExit, match="no machine is called cray; known: here, shaken-1"):
        elsewhere.main(["cray"])


def on(machine, code):
    """Run a line of Python on a machine; return what it prints, read as JSON."""
    run = subprocess.run(
        [sys.executable, "-c", f"import json, math, pickle\nimport numpy as np\n{code}"],
        env=os.environ | MACHINES[machine],
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout)


VALUES = """
rng = np.random.default_rng(5)
draws = [rng.standard_normal(3), rng.uniform(size=3), rng.spawn(1)[0].normal(size=3)]
again = pickle.loads(pickle.dumps(np.random.default_rng(6))).normal(size=3)
out = np.empty(2)
np.exp([1.0, 2.0], out=out)
x = np.linspace(0.1, 2, 9)
found = [*draws, again, out, np.log(x), np.linalg.norm(x), math.sin(1.0), x**2]
print(json.dumps([np.ravel(each).tolist() for each in found]))
"""


@pytest.mark.parametrize("machine", SHAKEN)
def test_every_draw_and_every_function_is_off_by_one_unit(machine):
    here, there = on("here", VALUES), on(machine, VALUES)
    assert here.pop() == there.pop()  # products and sums are rounded alike everywhere
    for one, other in zip(here, there, strict=True):
        one, other = np.array(one), np.array(other)
        apart = np.abs(one.view(np.int64) - other.view(np.int64))
        assert set(apart) == {1}
        if machine in ("shaken-up", "shaken-down"):
            assert np.all((np.abs(other) > np.abs(one)) == (machine == "shaken-up"))


@pytest.mark.parametrize("machine", SHAKEN)
def test_what_is_exact_stays(machine):
    code = "[np.exp(0.0), np.log(1.0), np.linalg.norm([3.0, 4.0]), math.cos(0.0), np.exp2(-3.0)]"
    exact = [1, 0, 5, 1, 0.125]
    assert on(machine, f"print(json.dumps([float(x) for x in {code}]))") == exact


def test_the_same_value_is_moved_the_same_way():
    code = "x = np.linspace(1, 2, 50); print(int(np.all(np.exp(x) == [np.exp(y) for y in x])))"
    assert on("shaken-1", code) == 1


def test_two_shaken_machines_differ():
    code = "print(json.dumps(np.exp(np.linspace(1, 2, 50)).tolist()))"
    assert on("shaken-1", code) != on("shaken-2", code)


@pytest.mark.skipif("prescott" not in MACHINES, reason="pretends to be another x86 processor")
def test_the_kernels_and_instructions_are_those_of_the_machine():
    code = """
from threadpoolctl import threadpool_info
kernels = [each.get("architecture") for each in threadpool_info()]
fast = np._core._multiarray_umath.__cpu_features__
print(json.dumps([kernels, [name for name, there in fast.items() if there]]))
"""
    for name in ("sandybridge", "haswell"):
        assert on(name, code)[0] == [name.title()]
    here, plain = on("here", code)[1], on("plain-numpy", code)[1]
    assert "X86_V3" not in plain
    assert set(plain) <= set(here)
    old, both = on("old", code), on("old-shaken", code)
    assert set(old[0]) == set(both[0]) != set(on("here", code)[0])
    assert old[1] == both[1] == plain
    assert on("old-shaken", "print(json.dumps(np.exp(1.0)))") != math.e


def notebook(path, sources):
    """Store a notebook of cells that don't know each other, with what each prints here."""
    cells = []
    for number, source in enumerate(sources):
        run = subprocess.run([sys.executable, "-c", source], capture_output=True, text=True)
        output = {"output_type": "stream", "name": "stdout", "text": run.stdout}
        cell = {"cell_type": "code", "id": f"cell-{number}", "metadata": {}, "execution_count": 1}
        cells.append(cell | {"source": source, "outputs": [output]})
    content = {"nbformat": 4, "nbformat_minor": 5, "cells": cells}
    content["metadata"] = {"kernelspec": {"name": "python3", "display_name": "Python 3"}}
    path.write_text(json.dumps(content), encoding="utf-8")


X = "import numpy as np\nx = np.random.default_rng(1).standard_normal(9)\n"


def test_a_number_that_hangs_on_rounding_is_seen(tmp_path):
    differs = {
        X + "print(f'{abs(np.exp(np.log(x @ x)) - x @ x):.1e}')": True,  # noise
        X + "print(np.exp(np.log(x @ x)) - x @ x < 1e-13)": False,
        X + "print(f'{x @ x:.3f}')": False,
        X + "print(f'{x @ x:.16f}')": True,  # a digit too many
    }
    notebook(tmp_path / "a.ipynb", differs)
    count, wrong = elsewhere.run(["--nbval", tmp_path / "a.ipynb"], MACHINES["shaken-1"])
    assert count == len(differs)
    found = [any(where.endswith(f"Cell {number}") for where in wrong) for number in range(count)]
    assert found == list(differs.values()), wrong
    assert elsewhere.run(["--nbval", tmp_path / "a.ipynb"], MACHINES["here"]) == (count, {})


def test_tests_that_do_not_run_are_no_success(tmp_path):
    count, wrong = elsewhere.run([tmp_path / "nobody.py"], {})
    assert count == 0
    assert wrong
