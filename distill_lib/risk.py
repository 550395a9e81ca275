"""How often do student and teacher disagree?"""

import os
import sys
import threading
import time
from collections import deque
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, partial
from itertools import islice

import numpy as np
from scipy import integrate, interpolate, special

from distill_lib import _arguments
from distill_lib.distillation import logits
from distill_lib.geometry import angle, orthonormal_basis, power_of_two
from distill_lib.inputs import IsotropicGaussian
from distill_lib.student import closed_form_student, nested_angles


@dataclass(frozen=True, eq=False)
class RiskEstimate:
    """A Monte Carlo estimate of an expected transfer risk.

    Parameters
    ----------
    mean : float
        Mean transfer risk over the trials.
    standard_error : float
        Its standard error.
    trials : int
        Number of independent transfer sets.
    """

    mean: float
    standard_error: float
    trials: int


@dataclass(frozen=True, eq=False)
class RiskCurve:
    """Expected transfer risk against the size of the transfer set.

    Parameters
    ----------
    sizes : ndarray of int, shape (k,)
        Sizes n.
    mean : ndarray, shape (k,)
        Mean transfer risk at each size. The sizes share their trials: the points of one
        curve are correlated.
    standard_error : ndarray, shape (k,)
        Standard error of each mean.
    """

    sizes: np.ndarray
    mean: np.ndarray
    standard_error: np.ndarray


def transfer_risk(w_student, w_teacher, X):
    r"""Transfer risk: the fraction of inputs on which student and teacher disagree.

    .. math::

        R = \frac{1}{m} \sum_{i=1}^m
        \bigl| \mathbf{1}\{w \cdot x_i \ge 0\} - \mathbf{1}\{w^\star \cdot x_i \ge 0\} \bigr|

    Parameters
    ----------
    w_student : array_like, shape (d,)
        The student. The zero student answers class 1 everywhere.
    w_teacher : array_like, shape (d,)
        The teacher, not zero.
    X : array_like, shape (m, d)
        Test inputs, one per row.

    Returns
    -------
    float
        In [0, 1].

    Raises
    ------
    ValueError
        If an argument isn't finite, the teacher is zero or shapes don't match.

    References
    ----------
    Phuong & Lampert (2019), the transfer risk of section 3, on a finite sample.
    """
    X = _arguments.matrix("X", X)
    w_student = _arguments.vector(
        "w_student", w_student, size=X.shape[1], like=f"X of shape {X.shape}"
    )
    w_teacher = _arguments.teacher(w_teacher, X)
    return float(np.mean((logits(X, w_student) >= 0) != (logits(X, w_teacher) >= 0)))


def expected_transfer_risk(inputs, w_teacher, n, *, trials, test_points, rng, n_jobs=None):
    r"""Monte Carlo estimate of the expected transfer risk of the closed-form student.

    .. math::

        \mathbb{E}_{X}\, \Pr_x[\mathbf{1}\{\hat w \cdot x \ge 0\} \ne
        \mathbf{1}\{w^\star \cdot x \ge 0\}]

    Each trial draws a transfer set of n inputs, finds its student, and tests it on fresh
    inputs.

    Parameters
    ----------
    inputs : distribution
        One of `distill_lib.inputs`, or anything with its `dim` and `sample`.
    w_teacher : array_like, shape (d,)
        The teacher, not zero.
    n : int
        Size of the transfer set.
    trials : int
        Number of independent transfer sets, at least 2.
    test_points : int
        Number of fresh inputs per trial.
    rng : numpy.random.Generator
        Trial k uses its k-th child, so it doesn't change when `trials` grows.
    n_jobs : int, optional
        Number of processes; 1 is this one, -1 is one for each core. Left out, it is 1, unless a
        ``joblib.parallel_config`` says otherwise: under ``parallel_config(backend="dask")`` the
        trials run on a cluster. The result doesn't depend on it.

    Returns
    -------
    RiskEstimate

    Raises
    ------
    ValueError
        If an argument can't be used; the message names it.
    RuntimeError
        If one of the processes is killed. On a Dask cluster its trials are run again instead.
    """
    _check_inputs(inputs)
    w_teacher = _arguments.vector(
        "w_teacher", w_teacher, size=inputs.dim, like="the inputs' dim", nonzero=True
    )
    n = _arguments.count("n", n)
    trials = _arguments.count("trials", trials, least=2)
    test_points = _arguments.count("test_points", test_points)
    rng = _arguments.generator(rng)
    jobs = _checked_jobs(n_jobs)

    trial = partial(_one_risk, w_teacher=w_teacher, n=n, test_points=test_points)
    mean, standard_error = _summary(_over_trials(trial, inputs, trials, rng, jobs))
    return RiskEstimate(float(mean), float(standard_error), trials)


def risk_curve(inputs, w_teacher, sizes, *, trials, test_points=None, rng, n_jobs=None):
    r"""Expected transfer risk of the closed-form student for many transfer set sizes at once.

    Each trial draws one transfer set and distils all its prefixes with one orthogonal
    factorisation; a test set is projected once for all of them.

    Parameters
    ----------
    inputs : distribution
        One of `distill_lib.inputs`.
    w_teacher : array_like, shape (d,)
        The teacher, not zero.
    sizes : array_like of int
        Sizes n >= 1 of the transfer set, increasing.
    trials : int
        Number of independent transfer sets, at least 2.
    test_points : int, optional
        Number of fresh inputs per trial. Left out, each trial's risk is exact: that is
        possible where it is a function of the student's angle (isotropic inputs, and laws
        that are axially symmetric about `w_teacher`).
    rng : numpy.random.Generator
        Trial k uses its k-th child, so it doesn't change when `trials` grows.
    n_jobs : int, optional
        Number of processes; 1 is this one, -1 is one for each core. Left out, it is 1, unless a
        ``joblib.parallel_config`` says otherwise: under ``parallel_config(backend="dask")`` the
        trials run on a cluster. The result doesn't depend on it.

    Returns
    -------
    RiskCurve

    Raises
    ------
    ValueError
        If an argument can't be used, or `test_points` is needed and missing.
    RuntimeError
        If one of the processes is killed. On a Dask cluster its trials are run again instead.

    Notes
    -----
    Every trial has one BLAS thread: how BLAS rounds depends on their number. Trials travel in
    calls of about a second, and each call leaves its process as it found it. Large inputs go to a
    Dask cluster with every call; ``parallel_config(backend="dask", scatter=[inputs])`` sends them
    once.

    In some hundreds of dimensions Linux spends up to a fifth of the time, and in a worker of Dask
    up to two fifths, on memory that is given back after each trial and asked for anew. It is kept
    if the process was started with MALLOC_TRIM_THRESHOLD_=67108864 and
    MALLOC_MMAP_THRESHOLD_=33554432 in its environment (a worker of Dask, if they are in the setting
    ``distributed.nanny.pre-spawn-environ``).
    """
    inputs, w_teacher, sizes, trials, test_points = _checked_curve(
        inputs, w_teacher, sizes, trials, test_points
    )
    rng = _arguments.generator(rng)
    jobs = _checked_jobs(n_jobs)

    if test_points is None:
        risk_of_angle = _risk_of_angle(inputs, w_teacher)
        trial = partial(_exact_risks, w_teacher=w_teacher, sizes=sizes, risk_of_angle=risk_of_angle)
    else:
        trial = partial(_tested_risks, w_teacher=w_teacher, sizes=sizes, test_points=test_points)
    return RiskCurve(sizes, *_summary(_over_trials(trial, inputs, trials, rng, jobs)))


def _checked_curve(inputs, w_teacher, sizes, trials, test_points):
    """Return the arguments of `risk_curve` that say what is measured, or refuse them."""
    _check_inputs(inputs)
    w_teacher = _arguments.vector(
        "w_teacher", w_teacher, size=inputs.dim, like="the inputs' dim", nonzero=True
    )
    wanted = np.atleast_1d(np.asarray(sizes, dtype=object))
    sizes = np.array([_arguments.count("sizes", size) for size in wanted.ravel()])
    if wanted.ndim > 1 or sizes.size == 0 or (np.diff(sizes) <= 0).any():
        raise ValueError(f"sizes must be one or more increasing whole numbers; got {wanted}")
    trials = _arguments.count("trials", trials, least=2)
    if test_points is not None:
        test_points = _arguments.count("test_points", test_points)
    else:
        _check_axial(inputs, w_teacher)
    return inputs, w_teacher, sizes, trials, test_points


def isotropic_expected_risk(n, d):
    r"""Exact expected transfer risk of the closed-form student for isotropic inputs.

    .. math::

        \mathbb{E} R = \frac{1}{\pi} \mathbb{E} \arccos\sqrt{B} , \qquad
        B \sim \operatorname{Beta}\Bigl(\frac n2, \frac{d - n}{2}\Bigr) ,

    and 0 for n >= d.

    Parameters
    ----------
    n : int
        Size of the transfer set.
    d : int
        Dimension of the inputs.

    Returns
    -------
    float

    Raises
    ------
    ValueError
        If n or d is less than 1.

    References
    ----------
    This book, chapter 5, "The exact risk of isotropic inputs".
    """
    n, d = _arguments.count("n", n), _arguments.count("d", d)
    if n >= d:
        return 0.0

    def tail(theta):
        return special.betainc(n / 2, (d - n) / 2, np.cos(theta) ** 2)

    # The mean angle is the integral of its tail, which falls within a few widths of this angle.
    # Each piece is smooth: its first 21 points leave a relative 1e-9 of the risk, whatever is
    # asked for.
    middle, width = np.arccos(np.sqrt(n / d)), 5 / np.sqrt(d)
    points = np.clip([middle - width, middle, middle + width], 0.0, np.pi / 2)
    mean, _ = integrate.quad(tail, 0.0, np.pi / 2, points=points, epsabs=1e-12, limit=200)
    return mean / np.pi


def axial_risk(angle, inputs):
    r"""Exact transfer risk of a student at a given angle, for axially symmetric unit inputs.

    With the gap :math:`\zeta = \pi/2 - \bar\alpha` of an input from orthogonality, its quantile
    function :math:`\zeta(u)` and :math:`G = \Pr[\zeta \le A]`,

    .. math::

        R(A) = \int_0^G \tfrac12 \, I_{1 - \tan^2 \zeta(u) / \tan^2 A}
        \Bigl(\frac{d - 2}{2}, \frac12\Bigr) \, du ;

    for d = 2 it is G/2. For isotropic inputs it is :math:`A / \pi`.

    Parameters
    ----------
    angle : array_like
        Angles A between student and teacher, in radians, in [0, pi/2].
    inputs : distribution
        `PolynomialAngles`, `BoundedAngles` (about their own teacher) or `IsotropicGaussian`.

    Returns
    -------
    float or ndarray
        The risk at each angle.

    Raises
    ------
    ValueError
        If an angle is outside [0, pi/2] or the inputs aren't of these kinds.

    References
    ----------
    This book, chapter 5, "The exact risk at a given angle".
    """
    A = _arguments.angles("angle", angle)
    if isinstance(inputs, IsotropicGaussian):
        return (A / np.pi)[()]
    if not hasattr(inputs, "gap_quantile"):
        raise ValueError(
            "inputs must be axially symmetric about the teacher: PolynomialAngles, "
            f"BoundedAngles or IsotropicGaussian; got {type(inputs).__name__}"
        )
    G = inputs.gap_probability(A)
    if inputs.dim == 2:
        return (G / 2)[()]
    u, weights = _double_exponential()
    # tan zeta / tan A; at A = 0 no input is misclassified and G = 0 makes the integral 0.
    with np.errstate(invalid="ignore", divide="ignore"):
        ratio = np.tan(inputs.gap_quantile(G[..., None] * u)) / np.tan(A)[..., None]
    misread = special.betainc((inputs.dim - 2) / 2, 0.5, np.clip(1.0 - ratio**2, 0.0, 1.0))
    return np.where(G > 0, G / 2 * np.nan_to_num(misread @ weights), 0.0)[()]


def _double_exponential():
    """Nodes and weights of the tanh-sinh rule on [0, 1] (Takahasi & Mori, 1974).

    The integrand has algebraic ends (u^(1/kappa) and (1 - u)^((d-2)/2)), which this rule
    doesn't mind. Step 1/16 on [-3.4, 3.4] leaves about 1e-13.
    """
    t = np.arange(-54, 55) / 16
    inner = np.pi * np.sinh(t)
    nodes = special.expit(inner)
    weights = np.pi * np.cosh(t) * nodes * special.expit(-inner) / 16
    return nodes, weights


def _check_axial(inputs, w_teacher):
    """Refuse inputs for which the risk isn't a function of the student's angle."""
    if isinstance(inputs, IsotropicGaussian):
        return
    # 1e-12 rad: the same line up to rounding.
    own = getattr(inputs, "w_teacher", None)
    if not hasattr(inputs, "gap_quantile") or np.sin(angle(own, w_teacher)) > 1e-12:
        raise ValueError(
            "test_points must be given: the risk is a function of the angle only for "
            "IsotropicGaussian inputs and for laws built around this very w_teacher"
        )


def _risk_of_angle(inputs, w_teacher):
    """Return a fast function from angle to risk, where the risk is a function of the angle."""
    _check_axial(inputs, w_teacher)
    return _ScaledAngle() if isinstance(inputs, IsotropicGaussian) else _Tabulated(inputs)


class _ScaledAngle:
    def __call__(self, angles):
        return angles / np.pi


class _Tabulated:
    """`axial_risk` on a grid, interpolated.

    In terms of G, the probability of a gap of at most A: log R is a smooth function of
    log(G / (1 - G)), and linear where G is small.
    """

    def __init__(self, inputs):
        self.gap_probability = inputs.gap_probability
        # Wide steps where it is linear, narrow ones where it bends; down to the least double, and
        # up to where 1/2 is reached (from 20 on it is, to 1e-9).
        # A cubic leaves a relative error below 1e-6 up to an easiness of 8, and 5e-6 up to 20:
        # far less than any Monte Carlo error.
        log_odds = np.concatenate([np.linspace(-700, -30, 300), np.linspace(-30, 36, 1200)[1:]])
        angle = np.minimum(inputs.gap_quantile(special.expit(log_odds)), np.pi / 2)
        risk = axial_risk(angle, inputs)
        # The odds that the rounded angle has, which are those that will be asked for.
        log_odds = special.logit(inputs.gap_probability(angle))
        # Rounded angles may coincide, or have a gap of probability 0.
        usable = (risk > np.finfo(float).tiny) & np.isfinite(log_odds)
        usable[usable] = np.append(True, np.diff(log_odds[usable]) > 1e-9)
        self.log_odds = log_odds[usable]
        self.curve = interpolate.CubicSpline(self.log_odds, np.log(risk[usable]))

    def __call__(self, angles):
        log_odds = special.logit(self.gap_probability(angles))
        risk = np.exp(self.curve(np.clip(log_odds, self.log_odds[0], self.log_odds[-1])))
        return np.where(log_odds >= self.log_odds[0], risk, 0.0)


def _one_risk(rng, inputs, *, w_teacher, n, test_points):
    student = closed_form_student(inputs.sample(n, rng), w_teacher)
    return transfer_risk(student, w_teacher, inputs.sample(test_points, rng))


def _exact_risks(rng, inputs, *, w_teacher, sizes, risk_of_angle):
    X = inputs.sample(int(sizes[-1]), rng)
    return risk_of_angle(nested_angles(X, w_teacher)[sizes - 1])


def _tested_risks(rng, inputs, *, w_teacher, sizes, test_points):
    basis, rows = orthonormal_basis(inputs.sample(int(sizes[-1]), rng))
    X = inputs.sample(test_points, rng)
    w = w_teacher * power_of_two(w_teacher)  # answers don't depend on its length
    # Column k: the logits of the student that knows the first k basis vectors.
    known = np.zeros((test_points, len(rows) + 1))
    np.cumsum((X @ basis.T) * (basis @ w), axis=1, out=known[:, 1:])
    wrong = np.mean((known >= 0) != (logits(X, w) >= 0)[:, None], axis=0)
    if len(rows) == inputs.dim:
        # This student is the teacher; rounding must not make it err on a boundary.
        wrong[-1] = 0.0
    return wrong[np.searchsorted(rows, sizes - 1, side="right")]


def _over_trials(trial, inputs, trials, rng, jobs):
    """Return trial(child, inputs) for each of the generator's next children, stacked."""
    bits = rng.bit_generator
    # One by one: a million of them at once would take seconds and a gigabyte.
    seeds = (bits.seed_seq.spawn(1)[0] for _ in range(trials))
    seeds = iter(_progress(seeds, "trials", trials))
    run = partial(_run, trial, type(bits))
    with _one_blas_thread():
        # No parallel_config can be in force before joblib is imported. So where nobody does, as
        # in a browser, neither do we.
        if jobs == 1 or (jobs is None and sys.modules.get("joblib") is None):
            return run(inputs, seeds)
        from joblib import Parallel, delayed, effective_n_jobs

        # Each call is pickled as a whole: what its trials share travels once. Only `inputs` is an
        # argument of its own, for parallel_config(backend="dask", scatter=[inputs]). An array that
        # were one would be laid on a single worker of the cluster, and be lost with it.
        call = delayed(partial(_run_elsewhere, os.getpid(), run))
        chunks = _chunks(seeds, trials, effective_n_jobs(jobs))
        parallel = Parallel(n_jobs=jobs, batch_size=1)
        return np.concatenate(parallel(call(inputs, chunk) for chunk in chunks))


def _chunks(seeds, trials, workers):
    """Cut the seeds into calls that take a worker about a second, and less at both ends.

    A scheduler spends some hundredths of a second on each call. joblib's own batches take a fifth
    of a second, of which that would be a tenth.
    """
    start = time.perf_counter()
    left, ended, going = trials, 0, deque()
    size = 1
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


def _run(trial, bits, inputs, seeds):
    return np.array([trial(np.random.Generator(bits(seed)), inputs) for seed in seeds])


def _run_elsewhere(client, run, inputs, seeds):
    """The same in a worker, which belongs to the caller: it is left as it was found."""
    with _ends_with(client), _one_blas_thread():
        return run(inputs, seeds)


@contextmanager
def _ends_with(client):
    """End this process when that one, whose child it is, has ended.

    A process that is killed can't end its workers, and joblib's would live on without it.
    """
    if os.getppid() != client:  # a worker of a cluster, or a thread
        yield
        return
    done = threading.Event()

    def end_with_it():
        while not done.wait(1):
            end_if_alone()

    def end_if_alone():
        if os.getppid() != client:
            os._exit(1)

    watcher = threading.Thread(target=end_with_it, daemon=True)
    watcher.start()
    try:
        yield
    finally:
        done.set()
        watcher.join()
        end_if_alone()


_blas_lock = threading.Lock()
_blas_users, _blas_before = 0, []  # the calls at work in this process, and what the first found


@contextmanager
def _one_blas_thread():
    """Give BLAS one thread, as its rounding depends on their number.

    It costs little: trials side by side make better use of the cores. Calls may overlap in the
    threads of a process: the last to end gives back what the first found.
    """
    global _blas_users, _blas_before
    if sys.platform == "emscripten":
        yield
        return
    libraries = _blas().lib_controllers
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


def _set_blas_threads(libraries, numbers):
    for library, number in zip(libraries, numbers, strict=True):
        # Of OpenBLAS, threadpoolctl lets only the thread set the number that was the first to do
        # so; another's call does nothing, silently.
        release = getattr(library, "clear_controlling_thread", lambda force: None)
        release(force=True)
        library.set_num_threads(number)
        release(force=True)


@cache
def _blas():
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController().select(user_api="blas")


def _progress(values, what, total):
    """Return the values, with a bar if somebody may be looking at one: in a terminal."""
    if sys.stderr is None or not sys.stderr.isatty():
        return values
    from tqdm import tqdm

    return tqdm(values, desc=what, total=total, leave=False)


def _summary(risks):
    return risks.mean(axis=0), risks.std(axis=0, ddof=1) / np.sqrt(len(risks))


def _check_inputs(inputs):
    if not callable(getattr(inputs, "sample", None)) or not hasattr(inputs, "dim"):
        raise ValueError(
            "inputs must be a distribution with dim and sample(n, rng), such as "
            f"IsotropicGaussian(10); got {inputs!r:.80}"
        )


def _checked_jobs(n_jobs):
    jobs = None if n_jobs is None else _arguments.count("n_jobs", n_jobs, least=-sys.maxsize)
    if jobs == 0:
        raise ValueError("n_jobs must be a number of processes, or -1 for every core; got 0")
    return jobs
