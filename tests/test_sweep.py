"""sweep: finished curves are kept, and a sweep that was killed ends with the same numbers."""

import ast
import contextlib
import inspect
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import joblib
import numpy as np
import pytest
from conftest import needed
from test_floors import imports

from distill_lib import IsotropicGaussian, PolynomialAngles, risk, risk_curve, risk_sweep, sweep

W = np.array([1.0, -1.0, 2.0, 0.5])
CELLS = [
    *(
        dict(inputs=PolynomialAngles(W, k), w_teacher=W, sizes=[1, 3], trials=5, seed=i)
        for i, k in enumerate((0.5, 1.0, 2.0))
    ),
    dict(
        inputs=IsotropicGaussian(4), w_teacher=W, sizes=[2], trials=4, test_points=50, seed=(2**70)
    ),
]


def by_hand(cells):
    curves = []
    for cell in cells:
        cell = dict(cell)
        rng = np.random.default_rng(cell.pop("seed"))
        curves.append(risk_curve(**cell, rng=rng))
    return bits(curves)


def bits(curves):
    return [
        (curve.sizes.tolist(), curve.mean.tobytes(), curve.standard_error.tobytes())
        for curve in curves
    ]


@pytest.fixture
def measured(monkeypatch):
    """A list that grows by one whenever a curve is measured."""
    calls = []
    true = risk.risk_curve

    def counted(*args, **options):
        calls.append(args)
        return true(*args, **options)

    monkeypatch.setattr(risk, "risk_curve", counted)
    return calls


@pytest.mark.parametrize("n_jobs", [None, 1, 2])
def test_a_cell_is_its_risk_curve_and_is_measured_once(tmp_path, measured, n_jobs):
    expected = by_hand(CELLS)
    assert bits(risk_sweep(CELLS, folder=tmp_path, n_jobs=n_jobs)) == expected
    assert len(measured) == len(CELLS)
    # Again, in another order, with other processes: all are known.
    again = risk_sweep(CELLS[::-1], folder=str(tmp_path), n_jobs=3 - (n_jobs or 1))
    assert bits(again) == expected[::-1]
    assert len(measured) == len(CELLS)
    # Twice in one table, and one new cell.
    risk_sweep([CELLS[0], CELLS[0], CELLS[0] | {"seed": 9}], folder=tmp_path)
    assert len(measured) == len(CELLS) + 1


def test_the_trials_run_in_as_many_processes_as_one_asks(tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr(risk, "risk_curve", lambda *args, n_jobs, **options: asked.append(n_jobs))
    for n_jobs in (2, None):
        risk_sweep(CELLS[:1], folder=tmp_path / str(n_jobs), n_jobs=n_jobs)
    assert asked == [2, None]


@pytest.mark.parametrize(
    "change",
    [
        {"inputs": PolynomialAngles(W, 0.7)},
        {"inputs": PolynomialAngles(2 * W, 0.5)},
        {"w_teacher": 2 * W},
        {"sizes": [1, 4]},
        {"trials": 6},
        {"test_points": 5},
        {"seed": 7},
    ],
    ids=lambda change: next(iter(change)),
)
def test_a_cell_that_differs_in_one_thing_is_another_cell(tmp_path, measured, change):
    risk_sweep(CELLS[:1], folder=tmp_path)
    changed = [CELLS[0] | change]
    assert bits(risk_sweep(changed, folder=tmp_path)) == by_hand(changed)
    assert len(measured) == 2
    risk_sweep(CELLS[:1], folder=tmp_path)
    assert len(measured) == 2


def modules_of_a_curve():
    """Return the modules that a curve runs through: `risk`, what it imports, and so on."""
    reached, waiting = set(), ["distill_lib.risk"]
    while waiting:
        name = waiting.pop()
        reached.add(name)
        tree = ast.parse(inspect.getsource(sys.modules[name]))
        found = {".".join(full.split(".")[:2]) for full in imports(*ast.walk(tree))}
        waiting += [other for other in found - reached if other.startswith("distill_lib.")]
    return [sys.modules[name] for name in sorted(reached)]


def test_a_curve_runs_through_these_modules():
    names = [module.__name__.partition(".")[2] for module in modules_of_a_curve()]
    assert names == [
        *("_arguments", "_gaps", "_logistic", "_processes", "_scaling", "_trials", "_types"),
        *("exact", "geometry", "inputs", "laws", "risk", "student"),
    ]


@pytest.mark.parametrize("module", modules_of_a_curve(), ids=lambda module: module.__name__)
def test_other_code_measures_again(tmp_path, measured, monkeypatch, module):
    """Whichever of these modules was mended: a number of the old one would be stale."""
    risk_sweep(CELLS[:1], folder=tmp_path)
    true = sweep.inspect.getsource
    changed = {module: "# another algorithm\n"}
    monkeypatch.setattr(sweep.inspect, "getsource", lambda m: true(m) + changed.get(m, ""))
    risk_sweep(CELLS[:1], folder=tmp_path)
    assert len(measured) == 2


@pytest.mark.parametrize("package", ["numpy", "scipy"])
def test_other_packages_measure_again(tmp_path, measured, monkeypatch, package):
    risk_sweep(CELLS[:1], folder=tmp_path)
    monkeypatch.setattr(sys.modules[package], "__version__", "0.0")
    risk_sweep(CELLS[:1], folder=tmp_path)
    assert len(measured) == 2


SCRIPT = """
import sys, time
import numpy as np
from distill_lib import PolynomialAngles, risk, risk_sweep
folder, log, slow, n_jobs = sys.argv[1], sys.argv[2], float(sys.argv[3]), int(sys.argv[4])
true = risk.risk_curve

def noted(*args, **options):
    with open(log, "a") as lines:
        lines.write("begun\\n")
    time.sleep(slow)
    return true(*args, **options)

risk.risk_curve = noted
w = np.arange(1.0, 31)
cells = [
    dict(inputs=PolynomialAngles(w, k), w_teacher=w, sizes=[1, 5, 29], trials=20, seed=seed)
    for seed, k in enumerate(np.linspace(0.5, 2, 12))
]
for curve in risk_sweep(cells, folder=folder, n_jobs=n_jobs):
    print(curve.mean.tobytes().hex(), curve.standard_error.tobytes().hex())
"""


def start(tmp_path, name, slow=0.0, n_jobs=1):
    told = [tmp_path / name, tmp_path / f"{name}.log", str(slow), str(n_jobs)]
    return subprocess.Popen(
        [sys.executable, "-c", SCRIPT, *told], stdout=subprocess.PIPE, text=True
    )


def finish(process):
    out, _ = process.communicate(timeout=120)
    assert process.returncode == 0
    return out


def begun(tmp_path, name):
    log = tmp_path / f"{name}.log"
    return len(log.read_text().splitlines()) if log.exists() else 0


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
@pytest.mark.parametrize("n_jobs", [1, 2])
def test_a_killed_sweep_is_resumed_loses_one_cell_and_ends_with_the_same_numbers(tmp_path, n_jobs):
    undisturbed = finish(start(tmp_path, "undisturbed"))
    assert len(undisturbed.splitlines()) == begun(tmp_path, "undisturbed") == 12
    moments = random.Random(n_jobs)
    for killed in (3, 7):
        process = start(tmp_path, "killed", slow=0.1, n_jobs=n_jobs)
        while begun(tmp_path, "killed") < killed:
            assert process.poll() is None
            time.sleep(0.005)
        time.sleep(moments.uniform(0, 0.2))  # while it waits, measures or writes
        process.send_signal(signal.SIGKILL)
        process.wait(60)
        process.stdout.close()  # workers that have not yet seen it hold the other end
    assert finish(start(tmp_path, "killed", n_jobs=n_jobs)) == undisturbed
    assert begun(tmp_path, "killed") <= 12 + 2


DIES_WRITING = """
import io, os, joblib.numpy_pickle
whole_dump = joblib.numpy_pickle.dump

def half_dump(value, file, **options):
    whole = io.BytesIO()
    whole_dump(value, whole, **options)
    file.write(whole.getvalue()[: len(whole.getvalue()) // 2])
    file.flush()
    os.kill(os.getpid(), 9)

joblib.numpy_pickle.dump = half_dump
"""


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
def test_a_sweep_that_is_killed_while_it_writes_a_cell_is_resumed(tmp_path):
    """What it has written is half a file, under a name that isn't the cell's."""
    told = [tmp_path / "a", tmp_path / "a.log", "0", "1"]
    for _ in range(2):
        dead = subprocess.run([sys.executable, "-c", DIES_WRITING + SCRIPT, *told])
        assert dead.returncode == -signal.SIGKILL
    halves = [path for path in (tmp_path / "a").rglob("output.pkl*") if path.is_file()]
    assert len(halves) == 2 and all(path.stat().st_size > 0 for path in halves)
    assert finish(start(tmp_path, "a")) == finish(start(tmp_path, "b"))
    assert begun(tmp_path, "a") == 12 + 2


@pytest.mark.parametrize("left", [0, 1, 100])
def test_a_cell_cut_short_by_a_power_cut_is_measured_again(tmp_path, measured, left):
    """A system that crashes may keep the name of a file and lose what was in it."""
    expected = bits(risk_sweep(CELLS[:1], folder=tmp_path))
    (kept,) = tmp_path.rglob("output.pkl")
    kept.write_bytes(kept.read_bytes()[:left])
    for _ in range(2):
        assert bits(risk_sweep(CELLS[:1], folder=tmp_path)) == expected
    assert len(measured) == 2


def test_two_sweeps_may_share_a_folder(tmp_path):
    pair = [start(tmp_path, "shared", slow=0.02) for _ in range(2)]
    alone = finish(start(tmp_path, "alone"))
    assert [finish(process) for process in pair] == [alone, alone]
    # Nothing was wiped: a third has nothing left to do.
    before = begun(tmp_path, "shared")
    assert finish(start(tmp_path, "shared")) == alone
    assert begun(tmp_path, "shared") == before


def test_a_sweep_on_a_cluster_keeps_its_cells_here(tmp_path, measured):
    distributed = needed("distributed")
    with (
        distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=":0") as two,
        distributed.Client(two) as client,
        joblib.parallel_config(backend="dask", client=client),
    ):
        curves = risk_sweep(CELLS, folder=tmp_path)
    assert bits(curves) == by_hand(CELLS)
    assert len(list(Path(tmp_path).rglob("output.pkl"))) == len(measured) == len(CELLS)


@pytest.mark.parametrize(
    ("cells", "said"),
    [
        (None, "cells must be a list"),
        (3, "cells must be a list"),
        ("abc", "cells must be a list"),
        (CELLS[0], "cells must be a list"),
        ([], "cells must hold"),
        ([CELLS[0], None], r"cells\[1\] must be a dict"),
        (
            [{k: v for k, v in CELLS[0].items() if k != "seed"}],
            r"cells\[0\] must have .*check seed",
        ),
        ([CELLS[0] | {"rng": 1}], r"cells\[0\] must have .*check rng"),
        ([CELLS[0] | {"seed": -1}], r"cells\[0\]: seed must be >= 0"),
        ([CELLS[0] | {"seed": None}], r"cells\[0\]: seed must be a whole number"),
        ([CELLS[0], CELLS[1] | {"trials": 1}], r"cells\[1\]: trials must be >= 2"),
        ([CELLS[0] | {"sizes": [2, 1]}], r"cells\[0\]: sizes must be"),
        ([CELLS[0] | {"test_points": 0}], r"cells\[0\]: test_points must be"),
        ([CELLS[0] | {"inputs": None}], r"cells\[0\]: inputs must be"),
        ([CELLS[0] | {"w_teacher": np.zeros(4)}], r"cells\[0\]: w_teacher must not be"),
        ([CELLS[0] | {"w_teacher": W[::-1]}], r"cells\[0\]: test_points must be given"),
    ],
    ids=str,
)
def test_a_table_with_a_wrong_cell_is_refused_before_any_is_measured(
    tmp_path, measured, cells, said
):
    with pytest.raises(ValueError, match=f"^{said}"):
        risk_sweep(cells, folder=tmp_path)
    assert not measured
    assert not list(tmp_path.iterdir())


def test_a_folder_that_is_none_is_refused(tmp_path, measured):
    file = tmp_path / "file"
    file.write_text("")
    for folder in (None, 3, b"folder", "", file, file / "below"):
        with pytest.raises(ValueError, match="^folder must be"):
            risk_sweep(CELLS, folder=folder)
    with pytest.raises(ValueError, match="^n_jobs must be"):
        risk_sweep(CELLS, folder=tmp_path, n_jobs=0)
    assert not measured
    with contextlib.chdir(tmp_path):
        risk_sweep(CELLS[:1], folder=Path("deep") / "below")
    assert (tmp_path / "deep" / "below").is_dir()
