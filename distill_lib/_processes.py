"""How do many trials share the processors?

Processes or a cluster, the memory they keep, the threads of BLAS, and a watch over workers whose
caller has been killed. Nothing here knows what a trial is.
"""

import os
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import cache, partial
from itertools import islice
from typing import Any, TypeVar

import numpy as np

from distill_lib import _arguments
from distill_lib._types import Floats

T = TypeVar("T")

# The name of the thread that ends a worker without a caller.
WATCH = "distill_lib: ends with the caller"


def checked_jobs(n_jobs: Any) -> int | None:
    """Return the number of processes that was asked for, or None, or refuse it."""
    jobs = None if n_jobs is None else _arguments.count("n_jobs", n_jobs, least=-sys.maxsize)
    if jobs == 0:
        raise ValueError("n_jobs must be a number of processes, or -1 for every core; got 0")
    return jobs


def needed_joblib(what: str) -> Any:
    """Return joblib, which is not among what the library can't do without."""
    try:
        import joblib
    except ImportError as error:
        raise ImportError(
            f"{what} needs joblib, which isn't installed: pip install 'distill_lib[parallel]'"
        ) from error
    return joblib


def over_trials(
    trial: Callable[[np.random.Generator, Any], Floats],
    inputs: Any,
    trials: int,
    rng: np.random.Generator,
    jobs: int | None,
) -> Floats:
    """Return trial(child, inputs) for each of the generator's next children, stacked."""
    bits: Any = rng.bit_generator
    # One by one: a million of them at once would take seconds and a gigabyte.
    children = (bits.seed_seq.spawn(1)[0] for _ in range(trials))
    seeds = iter(with_progress(children, "trials", trials))
    run = partial(_run, trial, type(bits))
    with one_blas_thread():
        # No parallel_config can be in force before joblib is imported. So where nobody does, as
        # in a browser, neither do we.
        if jobs == 1 or (jobs is None and sys.modules.get("joblib") is None):
            return run(inputs, seeds)
        joblib = needed_joblib("more than one process")
        # Each call is pickled as a whole: what its trials share travels once. Only `inputs` is an
        # argument of its own, for parallel_config(backend="dask", scatter=[inputs]). An array that
        # were one would be laid on a single worker of the cluster, and be lost with it.
        call = joblib.delayed(partial(_run_elsewhere, os.getpid(), run))
        calls = chunks(seeds, trials, joblib.effective_n_jobs(jobs))
        parallel = joblib.Parallel(n_jobs=jobs, batch_size=1)
        return np.concatenate(parallel(call(inputs, chunk) for chunk in calls))


def chunks(seeds: Iterator[T], trials: int, workers: int) -> Iterator[list[T]]:
    """Cut the seeds into calls that take a worker about a second, and less at both ends.

    A scheduler spends some hundredths of a second on each call. joblib's own batches take a fifth
    of a second, of which that would be a tenth.
    """
    start = time.perf_counter()
    left, ended, size = trials, 0, 1
    going: deque[int] = deque()
    while chunk := list(islice(seeds, size)):
        yield chunk
        # joblib has two calls for each worker going, and asks for another when one has ended.
        left -= len(chunk)
        going.append(len(chunk))
        if len(going) > 2 * workers:
            ended += going.popleft()
        elapsed = max(time.perf_counter() - start, 1e-6)  # a coarse clock may stand still
        second = ended / elapsed / workers
        share = left / (2 * workers)  # so that no worker is left to finish alone
        size = max(1, int(min(second, max(share, second / 20))))


def _run(
    trial: Callable[[np.random.Generator, Any], Floats],
    bits: Any,
    inputs: Any,
    seeds: Iterable[Any],
) -> Floats:
    return np.array([trial(np.random.Generator(bits(seed)), inputs) for seed in seeds])


def _run_elsewhere(
    client: int, run: Callable[[Any, Any], Floats], inputs: Any, seeds: Iterable[Any]
) -> Floats:
    """The same in a worker, which belongs to the caller: but for the watch it is left as found."""
    _end_with(client, os.getpid())
    with one_blas_thread():
        return run(inputs, seeds)


@cache
def _end_with(client: int, here: int) -> None:
    """Let this process, `here`, end when that one, whose child it is, has ended.

    A process that is killed can't end its workers, and joblib's would live on without it: at their
    calls, or idle for five minutes, with all the pipes that they have inherited. So this watch
    outlasts the call.
    """
    if os.getppid() == client:  # else it is a worker of a cluster, or a thread
        threading.Thread(target=_watch, args=(client,), name=WATCH, daemon=True).start()


def _watch(client: int) -> None:
    while os.getppid() == client:
        time.sleep(1)
    os._exit(1)


_blas_lock = threading.Lock()
# The calls at work in this process, and what the first found.
_blas_users = 0
_blas_before: list[int] = []


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """Give BLAS one thread, as its rounding depends on their number.

    It costs little: trials side by side make better use of the cores. Calls may overlap in the
    threads of a process: the last to end gives back what the first found.
    """
    global _blas_users, _blas_before
    libraries = _blas()
    if not libraries:
        yield
        return
    with _blas_lock:
        found = [library.num_threads for library in libraries]
        _blas_before = _blas_before if _blas_users else found
        _blas_users += 1
        _set_blas_threads(libraries, [1] * len(libraries))
    try:
        yield
    finally:
        with _blas_lock:
            _blas_users -= 1
            left = [1] * len(libraries) if _blas_users else _blas_before
            for i, library in enumerate(libraries):
                if getattr(library, "threading_layer", None) == "openmp":  # each thread has its own
                    left[i] = found[i]
            _set_blas_threads(libraries, left)


def _set_blas_threads(libraries: Sequence[Any], numbers: Sequence[int]) -> None:
    for library, number in zip(libraries, numbers, strict=True):
        # Of OpenBLAS, threadpoolctl lets only the thread set the number that was the first to do
        # so; another's call does nothing, silently.
        release = getattr(library, "clear_controlling_thread", lambda force: None)
        release(force=True)
        library.set_num_threads(number)
        release(force=True)


@cache
def _blas() -> Sequence[Any]:
    """Return what controls the BLAS libraries of this process: nothing, where nobody can."""
    if sys.platform != "emscripten":
        with suppress(ImportError):
            from threadpoolctl import ThreadpoolController

            return list(ThreadpoolController().select(user_api="blas").lib_controllers)
    return []


def with_progress(values: Iterable[T], what: str, total: int) -> Iterable[T]:
    """Return the values, with a bar if somebody may be looking at one: in a terminal."""
    if sys.stderr is not None and sys.stderr.isatty():
        with suppress(ImportError):
            from tqdm import tqdm

            bar: Iterable[T] = tqdm(values, desc=what, total=total, leave=False)
            return bar
    return values
