"""Trials on several processes, and on a cluster: the same numbers, and nothing left behind."""

import contextlib
import ctypes
import heapq
import io
import os
import signal
import subprocess
import sys
import threading
import time
from types import SimpleNamespace

import joblib
import numpy as np
import psutil
import pytest
from conftest import needed
from threadpoolctl import ThreadpoolController, threadpool_limits

from distill_lib import (
    Empirical,
    Gaussian,
    IsotropicGaussian,
    PolynomialAngles,
    _processes,
    expected_transfer_risk,
    risk_curve,
)

# As long as a worker may take to start on a busy machine.
PATIENCE = 60


def rng(seed=1):
    return np.random.default_rng(seed)


@pytest.fixture(scope="module")
def cluster():
    """Two worker processes, reached through the loopback interface."""
    distributed = needed("distributed")
    with (
        distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as two,
        distributed.Client(two) as client,
    ):
        yield client


def dask(client, **options):
    return joblib.parallel_config(backend="dask", client=client, **options)


def numbers():
    """Every kind of trial, once, with sizes at which BLAS uses its threads."""
    d = 500
    w = rng(0).standard_normal(d)
    pixels = Empirical(rng(0).integers(0, 2, (300, d)))
    uneven = Gaussian(np.diag(np.linspace(0.1, 2, d)))
    curves = [
        risk_curve(PolynomialAngles(w, 1.0), w, np.arange(1, d + 1), trials=5, rng=rng()),
        risk_curve(IsotropicGaussian(d), w, np.arange(1, d + 1), trials=5, rng=rng()),
        risk_curve(pixels, w, [10, 250, d], trials=5, test_points=400, rng=rng()),
    ]
    estimate = expected_transfer_risk(uneven, w, 250, trials=5, test_points=400, rng=rng())
    return [(c.mean.tobytes(), c.standard_error.tobytes()) for c in curves] + [
        (estimate.mean, estimate.standard_error)
    ]


@pytest.fixture(scope="module")
def serial():
    return numbers()


@pytest.mark.parametrize("backend", ["loky", "threading", "multiprocessing", "sequential"])
def test_every_backend_gives_the_same_bits(serial, backend):
    options = {} if backend == "sequential" else {"n_jobs": 2}
    with joblib.parallel_config(backend=backend, **options):
        assert numbers() == serial


def test_a_cluster_gives_the_same_bits(serial, cluster):
    with dask(cluster):
        assert numbers() == serial


@pytest.mark.parametrize("threads", [1, 2])
def test_the_number_of_blas_threads_makes_no_difference_and_is_given_back(serial, threads):
    """With 2, some curves above would differ in their last digits."""
    with threadpool_limits(threads, user_api="blas") as limits:
        assert numbers() == serial
        with joblib.parallel_config(backend="threading", n_jobs=2):
            assert numbers() == serial
        now = type(limits._controller)().select(user_api="blas").info()
        assert {library["num_threads"] for library in now} == {threads}


def blas_threads():
    """Return the numbers of threads that BLAS may use in this process."""
    blas = ThreadpoolController().select(user_api="blas")
    return sorted({library["num_threads"] for library in blas.info()})


def test_of_calls_that_overlap_the_last_gives_blas_back_what_the_first_found():
    """As two threads do that measure a curve each."""
    with threadpool_limits(2, user_api="blas"):
        first, second = _processes.one_blas_thread(), _processes.one_blas_thread()
        for call in (first, second):
            call.__enter__()
            assert blas_threads() == [1]
        first.__exit__(None, None, None)
        assert blas_threads() == [1]
        second.__exit__(None, None, None)
        assert blas_threads() == [2]


def with_two_blas_threads():
    """Give BLAS two threads in this process, for good; return its number."""
    threadpool_limits(2, user_api="blas")
    return os.getpid()


def settings():
    """Return this process, and what can be seen of it, but for the watch over its caller."""
    threads = [each for each in threading.enumerate() if each.name != _processes.WATCH]
    return os.getpid(), blas_threads(), len(threads)


class MallocInfo(ctypes.Structure):
    """Of glibc's malloc.h."""

    names = "arena ordblks smblks hblks hblkhd usmblks fsmblks uordblks fordblks keepcost"
    _fields_ = [(name, ctypes.c_size_t) for name in names.split()]


def asks_the_system_for_a_large_array():
    """Return whether 16 MB don't come from what malloc keeps: so it is, unless it was told."""
    count = ctypes.CDLL(None).mallinfo2
    count.restype = MallocInfo
    before = count().hblks
    large = np.empty(2**21)
    return count().hblks - before == 1 and large.size > 0


def alone(folder, function):
    """Call a function in a worker while another worker does the same."""
    (folder / f"{os.getpid()}").touch()
    wait_until(lambda: len(list(folder.iterdir())) == 2, "the other worker")
    return function()


def test_the_callers_workers_are_left_as_they_were_found(tmp_path, serial):
    def ask(function):
        folder = tmp_path / function.__name__ / str(time.monotonic_ns())
        folder.mkdir(parents=True)
        answers = joblib.Parallel(n_jobs=2)(2 * [joblib.delayed(alone)(folder, function)])
        return sorted(answers)

    ask(with_two_blas_threads)
    found = ask(settings)
    assert [threads for _, threads, _ in found] == [[2], [2]]
    with joblib.parallel_config(n_jobs=2):
        assert numbers() == serial
    assert ask(settings) == found
    if sys.platform == "linux" and hasattr(ctypes.CDLL(None), "mallinfo2"):
        assert ask(asks_the_system_for_a_large_array) == [True, True]


def test_the_workers_of_a_cluster_are_left_as_they_were_found(cluster, serial):
    """And a trial has one BLAS thread even if another thread of its worker has set two."""
    cluster.run(with_two_blas_threads)  # not in the thread that runs the trials
    with dask(cluster):
        assert numbers() == serial
    assert list(cluster.run(blas_threads).values()) == [[2], [2]]


class Diary:
    """Isotropic inputs in two dimensions; says in which process they are drawn."""

    dim = 2

    def __init__(self, path, seconds=0.0):
        self.path, self.seconds, self.pickled = path, seconds, 0

    def sample(self, n, rng):
        with self.path.open("a") as diary:
            diary.write(f"{os.getpid()}\n")
        time.sleep(self.seconds)
        return rng.standard_normal((n, self.dim))

    def __getstate__(self):
        self.pickled += 1
        return self.__dict__

    def entries(self):
        return [int(line) for line in self.path.read_text().splitlines()]


def measure(law, trials=6, **options):
    return risk_curve(law, [1.0, 2.0], [1], trials=trials, test_points=5, rng=rng(), **options)


def test_left_out_n_jobs_is_what_the_parallel_config_says(tmp_path, cluster):
    def processes(config, **options):
        law = Diary(tmp_path / "diary")
        law.path.write_text("")
        with config:
            measure(law, **options)
        assert len(law.entries()) == 6 * 2  # a transfer set and a test set
        return set(law.entries())

    here, nothing = {os.getpid()}, contextlib.nullcontext
    assert processes(nothing()) == here
    assert processes(nothing(), n_jobs=1) == here
    assert not processes(nothing(), n_jobs=2) & here
    assert not processes(nothing(), n_jobs=-1) & here or os.cpu_count() == 1
    assert not processes(joblib.parallel_config(n_jobs=2)) & here
    assert processes(joblib.parallel_config(n_jobs=2), n_jobs=1) == here
    workers = set(cluster.run(os.getpid).values())
    assert processes(dask(cluster)) <= workers
    assert processes(dask(cluster), n_jobs=1) == here


@pytest.mark.parametrize(
    ("workers", "seconds", "trials"),
    [(2, 1e-3, 120_000), (2, 1e-5, 10**7), (3, 5.0, 200), (64, 0.0135, 10**6), (64, 1e-3, 10**7)],
)
def test_calls_are_long_enough_for_a_scheduler_and_short_enough_to_end_together(
    monkeypatch, workers, seconds, trials
):
    """Simulated: trials of this length, and workers with one call at work and one in waiting."""
    now = 0.0
    monkeypatch.setattr(_processes, "time", SimpleNamespace(perf_counter=lambda: now))
    free, ends, lengths, seen = [0.0] * workers, [], [], 0
    for chunk in _processes.chunks(iter(range(trials)), trials, workers):
        assert chunk == list(range(seen, seen + len(chunk)))
        seen += len(chunk)
        lengths.append(len(chunk) * seconds)
        end = max(heapq.heappop(free), now) + lengths[-1]
        heapq.heappush(free, end)
        heapq.heappush(ends, end)
        if len(ends) == 2 * workers:
            now = heapq.heappop(ends)
    assert seen == trials
    # Longer ones would keep a cluster busy after Ctrl-C, and be lost with a worker that is killed.
    assert max(lengths) < max(2, 1.1 * seconds)
    # Each of them costs some 0.03 s; and none towards the end, but the last, is as short as that.
    assert len(lengths) * 0.03 < 0.05 * trials * seconds
    assert min(lengths[lengths.index(max(lengths)) : -1]) > 0.03
    assert max(free) < trials * seconds / workers + max(0.2, seconds)


@pytest.mark.parametrize("where", ["processes", "cluster"])
def test_what_the_trials_share_is_not_sent_with_every_trial(tmp_path, cluster, where):
    law = Diary(tmp_path / "diary")
    with dask(cluster) if where == "cluster" else joblib.parallel_config(n_jobs=2):
        measure(law, trials=4000)
    # The longest calls hold hundreds of these trials; the first ones 1, and at last there are few.
    assert 1 <= law.pickled <= 100


def test_large_inputs_can_be_laid_out_on_the_cluster_beforehand(tmp_path, cluster):
    law = Diary(tmp_path / "diary")
    expected = measure(law, trials=200, n_jobs=1).mean
    with dask(cluster, scatter=[law]):
        laid_out = law.pickled
        assert np.array_equal(measure(law, trials=200).mean, expected)
    assert law.pickled == laid_out > 0


@pytest.mark.parametrize("n_jobs", [0, 1.0, 2.5, True, "2", [2]])
def test_a_number_of_processes_that_means_nothing_is_refused(n_jobs):
    with pytest.raises(ValueError, match="^n_jobs must be"):
        risk_curve(IsotropicGaussian(2), [1, 2], [1], trials=2, rng=rng(), n_jobs=n_jobs)


def wait_until(happened, what):
    deadline = time.monotonic() + PATIENCE
    while not happened():
        assert time.monotonic() < deadline, f"waited in vain: {what}"
        time.sleep(0.02)


class Noted(IsotropicGaussian):
    """Each draw takes a millisecond and leaves a byte in a file of the process that draws."""

    def __init__(self, dim, folder):
        super().__init__(dim)
        object.__setattr__(self, "folder", folder)

    def sample(self, n, rng):
        with (self.folder / f"{os.getpid()}").open("a") as notes:
            notes.write(".")
        time.sleep(0.001)
        return super().sample(n, rng)


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
def test_a_killed_worker_of_a_cluster_costs_time_and_not_the_result(tmp_path, cluster):
    """Its array arguments are large enough for Dask to lay them on one worker, if it may."""
    d = 300
    w = rng(0).standard_normal(d)
    options = dict(w_teacher=w, sizes=np.arange(1, 11), trials=1500, test_points=5)
    expected = risk_curve(IsotropicGaussian(d), rng=rng(), **options)
    victim = cluster.submit(os.getpid, pure=False).result()
    notes = tmp_path / f"{victim}"

    def kill():
        wait_until(lambda: notes.exists() and notes.stat().st_size > 300, "its first 150 trials")
        os.kill(victim, signal.SIGKILL)

    killer = threading.Thread(target=kill)
    killer.start()
    with dask(cluster):
        curve = risk_curve(Noted(d, tmp_path), rng=rng(), **options)
    killer.join()
    assert np.array_equal(curve.mean, expected.mean)
    assert np.array_equal(curve.standard_error, expected.standard_error)
    # It died in mid-run: others drew most of the transfer sets and test sets.
    assert 300 < notes.stat().st_size < 1500


class Deadly(IsotropicGaussian):
    def sample(self, n, rng):
        os.kill(os.getpid(), signal.SIGKILL)


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
def test_a_killed_process_is_reported_and_the_next_call_works():
    with pytest.raises(RuntimeError, match="unexpectedly terminated"):
        risk_curve(Deadly(2), [1, 2], [1], trials=5, rng=rng(), n_jobs=2)
    law = IsotropicGaussian(2)
    two = risk_curve(law, [1, 2], [1], trials=5, rng=rng(), n_jobs=2)
    assert np.array_equal(two.mean, risk_curve(law, [1, 2], [1], trials=5, rng=rng()).mean)


ENDLESS = """
import signal, time
# Whoever starts the tests in the background has them, and this, ignore Ctrl-C.
signal.signal(signal.SIGINT, signal.default_int_handler)
import numpy as np, joblib, distill_lib
if {cluster}:
    from distributed import Client, LocalCluster
    if __name__ == "__main__":
        client = Client(LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None))
        joblib.parallel_config(backend="dask")
if __name__ == "__main__":
    try:
        distill_lib.risk_curve(
            distill_lib.IsotropicGaussian(50), np.ones(50), [1, 50],
            trials=10**6, rng=np.random.default_rng(0), n_jobs=2,
        )
    finally:
        print("over", flush=True)
        if {stay}:
            time.sleep(600)
"""


def alive(processes, *, but=None):
    """Return those that still run, except the ones whose command names `but`."""
    found = []
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):  # or it has ended, and awaits its burial
            if but is None or but not in " ".join(process.cmdline()):
                found += [process] * (process.status() != psutil.STATUS_ZOMBIE)
    return found


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
@pytest.mark.parametrize(
    ("cluster", "stay", "number"),
    [
        pytest.param(False, False, signal.SIGINT, id="ctrl-c"),
        pytest.param(False, True, signal.SIGINT, id="ctrl-c-in-a-session-that-goes-on"),
        pytest.param(True, False, signal.SIGINT, id="ctrl-c-on-a-cluster"),
        pytest.param(False, False, signal.SIGKILL, id="killed"),
    ],
)
def test_ctrl_c_leaves_no_worker_behind_nor_does_a_killed_parent(tmp_path, cluster, stay, number):
    if cluster:
        needed("distributed")
    script = tmp_path / "endless.py"
    script.write_text(ENDLESS.format(cluster=cluster, stay=stay))
    # A session of its own: like a terminal's Ctrl-C, SIGINT goes to all of it.
    parent = subprocess.Popen(
        [sys.executable, script],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        tree = psutil.Process(parent.pid)

        def at_work():
            assert parent.poll() is None
            family = tree.children(recursive=True)
            return sum(child.cpu_times().user > 1.5 for child in family) >= 2

        wait_until(at_work, "two workers at work")
        family = tree.children(recursive=True)
        if number == signal.SIGKILL:
            parent.kill()
        else:
            os.killpg(parent.pid, number)
            assert parent.stdout.read(4) == b"over"
        # joblib's resource tracker is no worker: it goes with its session.
        wait_until(lambda: not alive(family, but="resource_tracker"), "the workers' end")
        if not stay:
            assert parent.wait(PATIENCE) != 0
            wait_until(lambda: not alive(family), "the end of all")
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(parent.pid, signal.SIGKILL)
        parent.stdout.close()
        parent.wait()


IDLE = """
import time
import numpy as np, distill_lib
if __name__ == "__main__":
    distill_lib.risk_curve(
        distill_lib.IsotropicGaussian(5), np.ones(5), [1],
        trials=20, rng=np.random.default_rng(0), n_jobs=2,
    )
    print("over", flush=True)
    time.sleep(600)
"""


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
def test_a_parent_that_is_killed_between_two_calls_leaves_no_worker_behind(tmp_path):
    """Idle workers of joblib would stay for five minutes, and keep open what they inherited."""
    script = tmp_path / "idle.py"
    script.write_text(IDLE)
    parent = subprocess.Popen(
        [sys.executable, script], stdout=subprocess.PIPE, start_new_session=True
    )
    try:
        assert parent.stdout.read(4) == b"over"
        family = psutil.Process(parent.pid).children(recursive=True)
        workers = [each for each in family if "LokyProcess" in " ".join(each.cmdline())]
        assert len(workers) == 2
        parent.kill()
        wait_until(lambda: not alive(family), "the end of idle workers")
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(parent.pid, signal.SIGKILL)
        parent.stdout.close()
        parent.wait()


BROWSER = """
import sys
for absent in ("joblib", "threadpoolctl", "tqdm"):
    sys.modules[absent] = None  # importing it fails
import numpy as np, distill_lib as dl
dl.risk_curve, dl.IsotropicGaussian  # with what they import, which asks for the platform, too
sys.platform = "emscripten"
for options in ({}, {"n_jobs": 1}):
    curve = dl.risk_curve(
        dl.IsotropicGaussian(3), [1, 2, 3], [1], trials=4, rng=np.random.default_rng(1), **options
    )
print(curve.mean[0].hex())
"""


def test_in_a_browser_nothing_is_needed_for_one_process():
    run = subprocess.run([sys.executable, "-c", BROWSER], capture_output=True, text=True)
    here = risk_curve(IsotropicGaussian(3), [1, 2, 3], [1], trials=4, rng=rng())
    assert (run.stdout.strip(), run.stderr) == (here.mean[0].hex(), "")


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_a_terminal_sees_a_bar_and_nothing_else_does(monkeypatch, n_jobs):
    for stream, bar in ((Terminal(), True), (io.StringIO(), False), (None, False)):
        monkeypatch.setattr(sys, "stderr", stream)
        risk_curve(IsotropicGaussian(2), [1, 2], [1], trials=7, rng=rng(), n_jobs=n_jobs)
        if stream is not None:
            assert ("trials: " in stream.getvalue() and "/7 " in stream.getvalue()) == bar
