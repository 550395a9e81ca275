"""How often do student and teacher disagree, as far as one can measure?"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from distill_lib import _arguments
from distill_lib._logistic import logits
from distill_lib._processes import checked_jobs, over_trials
from distill_lib._trials import checked_curve, trial_of_curve
from distill_lib._types import Counts, Vector
from distill_lib.laws import InputLaw


@dataclass(frozen=True, eq=False)
class RiskEstimate:
    """A Monte Carlo estimate of an expected transfer risk.

    A result that a function returns. Nothing is checked when one is made.

    Parameters
    ----------
    mean : float
        Mean transfer risk over the trials.
    standard_error : float
        Its standard error.
    trials : int
        Number of independent transfer sets.

    See Also
    --------
    expected_transfer_risk : Which returns one.

    Examples
    --------
    >>> estimate = dl.RiskEstimate(mean=0.25, standard_error=0.01, trials=100)
    >>> print(f"{estimate.mean:.2f} +- {2 * estimate.standard_error:.2f}")
    0.25 +- 0.02
    """

    mean: float
    standard_error: float
    trials: int


@dataclass(frozen=True, eq=False)
class RiskCurve:
    """Expected transfer risk against the size of the transfer set.

    A result that a function returns. Nothing is checked when one is made; `plot_risk_curve` checks
    what it draws.

    Parameters
    ----------
    sizes : ndarray of int, shape (k,)
        Sizes n.
    mean : ndarray, shape (k,)
        Mean transfer risk at each size. The sizes share their trials: the points of one
        curve are correlated.
    standard_error : ndarray, shape (k,)
        Standard error of each mean.

    See Also
    --------
    risk_curve : Which returns one.
    distill_lib.plots.plot_risk_curve : Draws one.

    Examples
    --------
    >>> curve = dl.RiskCurve(np.array([1, 2]), np.array([0.4, 0.3]), np.array([0.01, 0.01]))
    >>> int(curve.sizes[curve.mean < 0.35][0])
    2
    """

    sizes: Counts
    mean: Vector
    standard_error: Vector


def transfer_risk(w_student: ArrayLike, w_teacher: ArrayLike, X: ArrayLike) -> float:
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

    See Also
    --------
    expected_transfer_risk : Its mean over transfer sets.

    References
    ----------
    Phuong & Lampert (2019), the transfer risk of section 3, on a finite sample.

    Examples
    --------
    >>> dl.transfer_risk([1.0, 0.0], [1.0, 1.0], [[1.0, 2.0], [-1.0, 2.0]])
    0.5
    """
    X = _arguments.matrix("X", X)
    w_student = _arguments.vector(
        "w_student", w_student, size=X.shape[1], like=f"X of shape {X.shape}"
    )
    w_teacher = _arguments.teacher(w_teacher, X)
    return float(np.mean((logits(X, w_student) >= 0) != (logits(X, w_teacher) >= 0)))


def expected_transfer_risk(
    inputs: InputLaw,
    w_teacher: ArrayLike,
    n: int,
    *,
    trials: int,
    test_points: int,
    rng: np.random.Generator,
    n_jobs: int | None = None,
) -> RiskEstimate:
    r"""Monte Carlo estimate of the expected transfer risk of the closed-form student.

    .. math::

        \mathbb{E}_{X}\, \Pr_x[\mathbf{1}\{\hat w \cdot x \ge 0\} \ne
        \mathbf{1}\{w^\star \cdot x \ge 0\}]

    Each trial draws a transfer set of n inputs, finds its student, and tests it on fresh
    inputs.

    Parameters
    ----------
    inputs : InputLaw
        One of the library's laws, or one of your own.
    w_teacher : array_like, shape (d,)
        The teacher, not zero.
    n : int
        Size of the transfer set.
    trials : int
        Number of independent transfer sets, at least 2.
    test_points : int
        Number of fresh inputs per trial.
    rng : numpy.random.Generator
        Each trial draws from a child of its own: the k-th trial of the first call from the
        generator's first child on, of a second call from where the first stopped. So a trial
        doesn't change when `trials` grows, but the calls after it do. Numbers that were drawn
        from the generator itself make no difference.
    n_jobs : int, optional
        Number of processes; 1 is this one, -1 is one for each core (more than 1 needs joblib, of
        ``distill_lib[parallel]``). Left out, it is 1, unless a
        ``joblib.parallel_config`` says otherwise: under ``parallel_config(backend="dask")`` the
        trials run on a cluster. The result doesn't depend on it.

    Returns
    -------
    RiskEstimate
        Mean risk over the trials, and its standard error.

    Raises
    ------
    ValueError
        If an argument can't be used; the message names it. So is a generator whose seed sequence
        can't spawn children.
    ImportError
        If more than one process is asked for and joblib isn't installed.
    RuntimeError
        If one of the processes is killed. On a Dask cluster its trials are run again instead.

    See Also
    --------
    risk_curve : For many sizes at once.
    transfer_risk : Of one student.

    Examples
    --------
    >>> law, w = dl.IsotropicGaussian(10), np.ones(10)
    >>> estimate = dl.expected_transfer_risk(
    ...     law, w, 5, trials=200, test_points=200, rng=np.random.default_rng(0)
    ... )
    >>> bool(abs(estimate.mean - dl.isotropic_expected_risk(5, 10)) < 4 * estimate.standard_error)
    True
    """
    n = _arguments.count("n", n)
    test_points = _arguments.count("test_points", test_points)
    curve = risk_curve(
        inputs, w_teacher, [n], trials=trials, test_points=test_points, rng=rng, n_jobs=n_jobs
    )
    return RiskEstimate(float(curve.mean[0]), float(curve.standard_error[0]), trials)


def risk_curve(
    inputs: InputLaw,
    w_teacher: ArrayLike,
    sizes: ArrayLike,
    *,
    trials: int,
    test_points: int | None = None,
    rng: np.random.Generator,
    n_jobs: int | None = None,
) -> RiskCurve:
    r"""Expected transfer risk of the closed-form student for many transfer set sizes at once.

    Each trial draws one transfer set and distils all its prefixes with one orthogonal
    factorisation; a test set is projected once for all of them.

    Parameters
    ----------
    inputs : InputLaw
        One of the library's laws, or one of your own.
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
        Each trial draws from a child of its own: the k-th trial of the first call from the
        generator's first child on, of a second call from where the first stopped. So a trial
        doesn't change when `trials` grows, but the calls after it do. Numbers that were drawn
        from the generator itself make no difference.
    n_jobs : int, optional
        Number of processes; 1 is this one, -1 is one for each core (more than 1 needs joblib, of
        ``distill_lib[parallel]``). Left out, it is 1, unless a
        ``joblib.parallel_config`` says otherwise: under ``parallel_config(backend="dask")`` the
        trials run on a cluster. The result doesn't depend on it.

    Returns
    -------
    RiskCurve
        Mean risk over the trials at each size, and its standard error.

    Raises
    ------
    ValueError
        If an argument can't be used, or `test_points` is needed and missing.
    ImportError
        If more than one process is asked for and joblib isn't installed.
    RuntimeError
        If one of the processes is killed. On a Dask cluster its trials are run again instead.

    See Also
    --------
    risk_sweep : Many curves, each kept as soon as it is finished.
    transfer_risk_bound : What bounds it.

    Notes
    -----
    Every trial has one BLAS thread, if threadpoolctl is installed (``distill_lib[parallel]`` brings
    it): how BLAS rounds depends on their number. Trials travel in calls of about a second. Each
    call leaves its process as it found it, but for a watch that ends the process when its caller is
    gone. Large inputs go to a Dask cluster with every call;
    ``parallel_config(backend="dask", scatter=[inputs])`` sends them once.

    In some hundreds of dimensions Linux spends up to a fifth of the time, and in a worker of Dask
    up to two fifths, on memory that is given back after each trial and asked for anew. It is kept
    if the process was started with ``MALLOC_TRIM_THRESHOLD_=67108864`` and
    ``MALLOC_MMAP_THRESHOLD_=33554432`` in its environment (a worker of Dask, if they are in the
    setting ``distributed.nanny.pre-spawn-environ``).

    Examples
    --------
    >>> law, w = dl.PolynomialAngles(np.ones(10), easiness=1.0), np.ones(10)
    >>> curve = dl.risk_curve(law, w, [1, 4, 9], trials=200, rng=np.random.default_rng(0))
    >>> bounds = [dl.sharp_easiness_bound(n, 1.0) for n in (1, 4, 9)]
    >>> bool((curve.mean + 4 * curve.standard_error < bounds).all())
    True
    """
    inputs, w_teacher, sizes, trials, test_points = checked_curve(
        inputs, w_teacher, sizes, trials, test_points
    )
    rng = _arguments.spawning_generator(rng)
    jobs = checked_jobs(n_jobs)
    trial = trial_of_curve(inputs, w_teacher, sizes, test_points)
    risks = over_trials(trial, inputs, trials, rng, jobs)
    return RiskCurve(sizes, risks.mean(axis=0), risks.std(axis=0, ddof=1) / np.sqrt(trials))
