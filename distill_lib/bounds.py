r"""What do the theorems promise?

Closed formulas only. This module knows nothing of training or of risk, so that a comparison of
a promise with an experiment compares two things that share no code.
"""

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike
from scipy import optimize, special

from distill_lib import _arguments
from distill_lib._types import Floats, Vector

# From an array of angles to an array of probabilities.
AngleTail: TypeAlias = Callable[[Floats], ArrayLike]

# Log-odds of the angles, as shares of pi/2, at which a tail is looked at, and from one to the next.
LOG_ODDS = np.linspace(-40.0, 40.0, 40_001)
STEP = 0.002
# How far a tail may miss. One that is computed from a cosine, as most are, knows an angle near 0
# only to the root of the rounding of a double, 1.5e-8; machines round it this way or that.
ROUNDING = 1e-7


def transfer_risk_bound(angle_tail: AngleTail, n: int) -> float:
    r"""Upper bound on the expected transfer risk of the closed-form student.

    .. math::

        \mathbb{E} R \le \inf_{0 \le \beta \le \pi/2} p(\beta) + p(\pi/2 - \beta)^n

    The first term bounds the inputs that are too nearly orthogonal to the teacher to be judged,
    the second the transfer sets without a single input close to it. Where p jumps, no angle may
    attain the infimum. The bound holds for every law of nonzero inputs and every n. (With a
    density the risk is 0 from n = d on, and the bound of use for n < d only.)

    Parameters
    ----------
    angle_tail : callable
        :math:`p`, from an array of angles in [0, pi/2] to an array of probabilities.
    n : int
        Size of the transfer set.

    Returns
    -------
    float
        At most 1. Every angle that is tried gives a valid bound, so it is never too small.

    Raises
    ------
    ValueError
        If `angle_tail` isn't a tail, or n < 1.

    See Also
    --------
    sharp_transfer_risk_bound : Never above it.
    risk_curve : What it bounds, measured.

    References
    ----------
    Phuong & Lampert (2019), Theorem 3, as reconstructed in chapter 5 of this book.

    Examples
    --------
    >>> law = dl.PolynomialAngles(np.ones(50), easiness=2.0)
    >>> print(f"{dl.transfer_risk_bound(law.angle_tail, 20):.3f}")
    0.020
    """
    n = _arguments.count("n", n)
    p, _, tail, opposite = _tails(angle_tail)
    bound = tail + opposite**n
    best = int(np.argmin(bound[1:-1]))

    def at(log_odds: float) -> float:
        beta, rest = np.pi / 2 * special.expit([log_odds, -log_odds])
        return float(p(beta)) + float(p(rest)) ** n

    around = LOG_ODDS[best] - STEP, LOG_ODDS[best] + STEP
    # As exact as doubles can: at a corner of p the n-th power makes a small step n times as large.
    refined = optimize.minimize_scalar(
        at, bounds=around, method="bounded", options={"xatol": 1e-12}
    )
    return float(min(bound.min(), refined.fun, 1.0))


def sharp_transfer_risk_bound(angle_tail: AngleTail, n: int) -> float:
    r"""Sharper upper bound on the expected transfer risk of the closed-form student, n < d.

    .. math::

        \mathbb{E} R \le \Pr[\bar\alpha(x) + M_n \ge \pi/2] = \mathbb{E}\, p(\pi/2 - M_n) ,
        \qquad M_n = \min_i \bar\alpha(x_i) , \quad \Pr[M_n \ge m] = p(m)^n .

    Never above `transfer_risk_bound`. For inputs that are axially symmetric about the teacher
    half of it holds.

    Parameters
    ----------
    angle_tail : callable
        :math:`p`, from an array of angles in [0, pi/2] to an array of probabilities.
    n : int
        Size of the transfer set.

    Returns
    -------
    float
        In [0, 1], up to the quadrature, about 1e-7 of it.

    Raises
    ------
    ValueError
        If `angle_tail` isn't a tail, or n < 1.

    See Also
    --------
    transfer_risk_bound : The paper's.

    References
    ----------
    This book, chapter 5, "The bound without a free angle".

    Examples
    --------
    >>> law = dl.PolynomialAngles(np.ones(50), easiness=2.0)
    >>> print(f"{dl.sharp_transfer_risk_bound(law.angle_tail, 20):.4f}")
    0.0012
    """
    n = _arguments.count("n", n)
    p, theta, tail, opposite = _tails(angle_tail)
    cells: tuple[Vector, ...] = (
        *(theta[:-1], theta[1:], opposite[:-1], opposite[1:]),
        *(tail[:-1] ** n, tail[1:] ** n),
    )
    # An atom of M_n at pi/2 comes on top of the cells.
    total = opposite[-1] * tail[-1] ** n
    estimate = total + opposite[1:] @ (cells[4] - cells[5])
    for _ in range(12):
        a, b, low, high, before, after = cells
        even = (high - low) * (before - after) <= 1e-7 * estimate
        # The trapezoidal rule where not both p(pi/2 - m) and p(m)^n change much.
        total += np.sum(((low + high) / 2 * (before - after))[even])
        if even.all():
            return float(total)
        # Next to pi/2 the width of a cell is exact, so that no edge comes beyond it.
        edges = a[~even, None] + (b - a)[~even, None] * np.linspace(0.0, 1.0, 9)
        survival, height = p(edges) ** n, p(np.pi / 2 - edges)
        columns = (edges, edges, height, height, survival, survival)
        cells = tuple(c[:, k : k + 8].ravel() for c, k in zip(columns, (0, 1) * 3, strict=True))
    # What can't be cut apart are two atoms at complementary angles: the larger end is the truth.
    return float(total + cells[3] @ (cells[4] - cells[5]))


def margin_bound(angle_tail: AngleTail, gamma: float, n: int) -> float:
    r"""Upper bound on the expected transfer risk if no angle exceeds gamma, n < d.

    .. math::

        p(\theta) = 0 \text{ for } \theta \ge \gamma
        \quad \Longrightarrow \quad \mathbb{E} R \le p(\pi/2 - \gamma)^n

    Parameters
    ----------
    angle_tail : callable
        :math:`p`, from an array of angles in [0, pi/2] to an array of probabilities.
    gamma : float
        The margin, in radians, in (0, pi/2].
    n : int
        Size of the transfer set.

    Returns
    -------
    float
        In [0, 1].

    Raises
    ------
    ValueError
        If some inputs have an angle of at least `gamma`, or an argument is out of its range.

    See Also
    --------
    BoundedAngles : A law with a margin.

    References
    ----------
    Phuong & Lampert (2019), Corollary 1, as reconstructed in chapter 6 of this book.

    Examples
    --------
    >>> law = dl.BoundedAngles(np.ones(50), max_angle=1.0)
    >>> print(f"{dl.margin_bound(law.angle_tail, 1.0, 5):.4f}")
    0.0146
    """
    gamma = _arguments.number("gamma", gamma, above=0.0, most=np.pi / 2)
    n = _arguments.count("n", n)
    p, *_ = _tails(angle_tail)
    beyond = float(p(np.array(gamma)))
    if beyond > 0.0:
        raise ValueError(
            "gamma must be an angular margin, with angle_tail(gamma) = 0; "
            f"got angle_tail({gamma:g}) = {beyond:g}"
        )
    return float(p(np.array(np.pi / 2 - gamma))) ** n


def easiness_bound(n: int, easiness: float) -> float:
    r"""Upper bound on the expected transfer risk for inputs of a given easiness, n < d.

    .. math::

        p(\theta) \le (1 - 2\theta/\pi)^\kappa
        \quad \Longrightarrow \quad \mathbb{E} R \le \frac{1 + (\log n)^\kappa}{n^\kappa}

    Parameters
    ----------
    n : int
        Size of the transfer set.
    easiness : float
        :math:`\kappa > 0`.

    Returns
    -------
    float
        The bound, which may exceed 1.

    Raises
    ------
    ValueError
        If n < 1 or the easiness isn't positive.

    See Also
    --------
    sharp_easiness_bound : Without the logarithm.
    PolynomialAngles : A law of this easiness.

    References
    ----------
    Phuong & Lampert (2019), Corollary 2; the constant is reconstructed in chapter 6 of this book.

    Examples
    --------
    >>> print(f"{dl.easiness_bound(100, 2.0):.5f}")
    0.00222
    """
    n = _arguments.count("n", n)
    easiness = _arguments.number("easiness", easiness, above=0.0)
    # Term by term: the power of a large n alone would leave the doubles.
    return float(n**-easiness + (np.log(n) / n) ** easiness)


def sharp_easiness_bound(n: int, easiness: float) -> float:
    r"""Sharper upper bound for inputs of a given easiness, without a logarithm, n < d.

    .. math::

        p(\theta) \le (1 - 2\theta/\pi)^\kappa \quad \Longrightarrow \quad \mathbb{E} R \le
        \frac{\Gamma(\kappa + 1)\, \Gamma(\kappa n + 1)}{\Gamma(\kappa n + \kappa + 1)}
        \sim \Gamma(\kappa + 1)\, (\kappa n)^{-\kappa}

    Parameters
    ----------
    n : int
        Size of the transfer set.
    easiness : float
        :math:`\kappa > 0`.

    Returns
    -------
    float
        In [0, 1].

    Raises
    ------
    ValueError
        If n < 1 or the easiness isn't positive.

    See Also
    --------
    easiness_bound : The paper's.

    References
    ----------
    This book, chapter 6, "No logarithm".

    Examples
    --------
    >>> print(f"{dl.sharp_easiness_bound(100, 2.0):.6f}")
    0.000049
    """
    n = _arguments.count("n", n)
    easiness = _arguments.number("easiness", easiness, above=0.0)
    # Gamma(k + 1) Gamma(kn + 1) / Gamma(kn + k + 1) = kn B(k + 1, kn).
    return float(easiness * n * special.beta(easiness + 1.0, easiness * n))


def fit_easiness(angles: ArrayLike) -> float:
    r"""Easiness of observed angles, by maximum likelihood.

    .. math::

        \hat\kappa = \Bigl( \frac1m \sum_i -\log(1 - 2\bar\alpha_i/\pi) \Bigr)^{-1}

    Under the tail :math:`p(\theta) = (1 - 2\theta/\pi)^\kappa` the numbers
    :math:`-\log(1 - 2\bar\alpha/\pi)` are exponential with mean :math:`1/\kappa`. On other
    data it describes, and proves nothing: the largest easiness that a finite sample allows
    literally is 0, since its tail is 1 up to its smallest angle.

    Parameters
    ----------
    angles : array_like, shape (m,)
        Acute angles in radians, in [0, pi/2).

    Returns
    -------
    float
        0 if some angle is pi/2.

    Raises
    ------
    ValueError
        If there is no angle, all are 0, or one is outside [0, pi/2].

    See Also
    --------
    PolynomialAngles : The law that is fitted.
    acute_angle : Angles of observed inputs.

    References
    ----------
    This book, chapter 6.

    Examples
    --------
    >>> print(f"{dl.fit_easiness([0.2, 0.5, 0.9]):.3f}")
    2.189
    """
    angles = _arguments.angles("angles", angles)
    if angles.ndim != 1 or not angles.any():
        raise ValueError(
            f"angles must be a list of one or more angles, not all 0; got shape {angles.shape}"
        )
    with np.errstate(divide="ignore"):
        return float(-1.0 / np.mean(np.log1p(-angles / (np.pi / 2))))


def _tails(
    angle_tail: AngleTail,
) -> tuple[Callable[[Floats], Floats], Vector, Vector, Vector]:
    """Return the tail, angles, their tails, and those of the complementary angles.

    The angles crowd at both ends, evenly in the logarithm of theta / (pi/2 - theta), so that
    what happens within 1e-12 of an end is resolved as well as what happens between.
    """
    if not callable(angle_tail):
        raise ValueError(
            "angle_tail must be a function from angles to probabilities, such as "
            f"IsotropicGaussian(10).angle_tail; got {angle_tail!r:.80}"
        )
    theta = np.pi / 2 * np.concatenate([[0.0], special.expit(LOG_ODDS), [1.0]])
    # The grid is symmetric: reversed it holds the complementary angles, without cancellation.
    tail = np.asarray(angle_tail(theta), dtype=float)
    if (
        tail.shape != theta.shape
        or not np.isfinite(tail).all()
        or tail.min() < -ROUNDING
        or abs(tail[0] - 1) > ROUNDING
        or (np.diff(tail) > ROUNDING).any()
    ):
        raise ValueError(
            "angle_tail must return one probability for each angle, 1 at 0 and never increasing; "
            f"got shape {tail.shape}, values from {np.min(tail):g} to {np.max(tail):g}"
        )

    def clipped(
        theta: Floats,
    ) -> Floats:  # a tail that is computed as a difference may miss by rounding
        return np.clip(angle_tail(theta), 0.0, 1.0)

    tail = np.clip(tail, 0.0, 1.0)
    return clipped, theta, tail, tail[::-1]
