"""How much faster is a sweep on two processes, and on a Dask cluster of two workers?

Runs one sweep in three ways, of a minute on one process, round after round, and stores the medians
in `parallel.csv`. The three must give the same bits. Two things more are in the table: what is lost
to scheduling, from trials that only sleep, so that nobody waits for a core; and what a trial costs
in high dimension, from which the page *What it costs* predicts the cost of a sweep.

    python benchmarks/parallel.py [rounds, five if not said]
"""

import statistics
import sys
import tempfile
import time
from contextlib import contextmanager, nullcontext
from functools import partial
from pathlib import Path

import dask
import joblib
import numpy as np
from distributed import Client, LocalCluster
from timing import circumstances, store
from tqdm import tqdm

import distill_lib as dl

TARGET = Path(__file__).with_suffix(".csv")
COLUMNS = ["What", "One process", "Two processes", "Dask, two workers"]
TRIALS = {100: 12_800, 200: 5_400, 400: 1_280}  # of each dimension; some seven seconds each
NAPS = (0.001, 0.01)  # seconds
DIMENSIONS = {500: 100, 1000: 30, 2000: 5}  # and how many trials
# Dask tells its workers' malloc to keep nothing; each trial would ask for its arrays anew.
KEEP_MEMORY = {
    "distributed.nanny.pre-spawn-environ.MALLOC_TRIM_THRESHOLD_": 2**26,
    "distributed.nanny.pre-spawn-environ.MALLOC_MMAP_THRESHOLD_": 2**25,
}


def sweep_cells():
    """Return nine cells: three dimensions, three easinesses."""
    cells = []
    for d, trials in TRIALS.items():
        w = np.random.default_rng(d).standard_normal(d)
        for easiness in (0.5, 1.0, 2.0):
            law = dl.PolynomialAngles(w, easiness)
            sizes, seed = np.arange(1, d + 1), len(cells)
            cells.append(dict(inputs=law, w_teacher=w, sizes=sizes, trials=trials, seed=seed))
    return cells


def sweep(n_jobs):
    """Return the bytes of a sweep that has nothing kept."""
    with tempfile.TemporaryDirectory() as folder:
        curves = dl.risk_sweep(sweep_cells(), folder=folder, n_jobs=n_jobs)
    return [curve.mean.tobytes() + curve.standard_error.tobytes() for curve in curves]


class Naps:
    """Inputs that take time and no processor: half a nap for each of a trial's two samples."""

    dim = 2

    def __init__(self, seconds):
        self.seconds = seconds

    def sample(self, n, rng):
        """Sleep, and return n inputs."""
        time.sleep(self.seconds / 2)
        return rng.standard_normal((n, 2))


def curve(law, w_teacher, sizes, trials, n_jobs, **options):
    """Return the bytes of a risk curve."""
    rng = np.random.default_rng(0)
    found = dl.risk_curve(law, w_teacher, sizes, trials=trials, rng=rng, n_jobs=n_jobs, **options)
    return found.mean.tobytes()


def napping(seconds, n_jobs):
    """Return the bytes of a curve of five seconds' sleep."""
    trials = round(5 / seconds)
    return curve(Naps(seconds), [1.0, 2.0], [1], trials, n_jobs, test_points=1)


def one_trial(d):
    """Return the seconds of a trial, on one process."""
    w = np.random.default_rng(d).standard_normal(d)
    measure = partial(curve, dl.PolynomialAngles(w, 1.0), w, np.arange(1, d + 1), n_jobs=1)
    few, many = (timed(partial(measure, trials=t))[0] for t in (2, 2 + DIMENSIONS[d]))
    return (many - few) / DIMENSIONS[d]  # without what a curve costs once


def timed(run):
    """Return the seconds that it took, and the answer."""
    start = time.perf_counter()
    answer = run()
    return time.perf_counter() - start, answer


@contextmanager
def two_workers():
    """Send what is run to a Dask cluster that has started, and imported the library."""
    with dask.config.set(KEEP_MEMORY):
        cluster = LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None)
    with cluster, Client(cluster) as client, joblib.parallel_config(backend="dask", client=client):
        napping(0.1, None)
        yield


def three_ways(run):
    """Return the seconds of run(n_jobs) on one process, on two, and on a cluster."""
    # The cluster is there for its turn only: even idle it takes time from the others.
    ways = [(1, nullcontext()), (2, nullcontext()), (None, two_workers())]
    seconds, answers = [], []
    for n_jobs, config in ways:
        with config:
            took, answer = timed(partial(run, n_jobs))
        seconds.append(took)
        answers.append(answer)
    assert answers[0] == answers[1] == answers[2], "the three ways differ"
    return seconds


def measure(rounds):
    """Return the lists of seconds, one for each round: of the sweep, the naps and the trials."""
    sweeps, naps, trials = [], {nap: [] for nap in NAPS}, {d: [] for d in DIMENSIONS}
    napping(0.1, 2)  # the two processes have started and imported the library before the clock
    for _ in tqdm(range(rounds), desc="rounds"):
        sweeps.append(three_ways(sweep))
        for nap in NAPS:
            one, *others = three_ways(partial(napping, nap))
            naps[nap].append([1 - one / (2 * other) for other in others])
        for d in DIMENSIONS:
            trials[d].append(one_trial(d))
    return sweeps, naps, trials


def main():
    """Measure, and replace the table."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    sweeps, naps, trials = measure(rounds)
    columns = list(zip(*sweeps, strict=True))
    gains = [
        [one / each for one, each in zip(columns[0], column, strict=True)] for column in columns
    ]
    rows = [
        ["A sweep, seconds", *(f"{statistics.median(column):.1f}" for column in columns)],
        ["Least to largest", *(f"{min(column):.1f} to {max(column):.1f}" for column in columns)],
        ["Times as fast", *(f"{statistics.median(gain):.2f}" for gain in gains)],
    ]
    for nap, lost in naps.items():
        shares = (f"{100 * statistics.median(way):.1f}" for way in zip(*lost, strict=True))
        rows.append([f"Lost with trials of {1000 * nap:g} ms, %", "", *shares])
    for d, seconds in trials.items():
        milliseconds = f"{1000 * statistics.median(seconds):.3g}"
        rows.append([f"A trial at d = {d}, milliseconds", milliseconds, "", ""])
    how = circumstances("numpy", "joblib", "distributed")
    rows.append([f"All: medians of {rounds} rounds, {how}", "", "", ""])
    store(TARGET, [COLUMNS, *rows])
    print(TARGET.read_text(encoding="utf-8"), end="")


if __name__ == "__main__":
    main()
