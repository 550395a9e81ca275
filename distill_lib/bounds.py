r"""What do the theorems promise?

Closed formulas only. This module knows nothing of training or of risk, so that a comparison of
a promise with an experiment compares two things that share no code.
"""

import numpy as np
from scipy import optimize, special

from distill_lib import _arguments

# Log-odds of the angles, as shares of pi/2, at which a tail is looked at.
LOG_ODDS = np.linspace(-40.0, 40.0, 40_001)


def transfer_risk_bound(angle_tail, n):
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

    References
    ----------
    Phuong & Lampert (2019), Theorem 3, as reconstructed in chapter 5 of this book.
    """
    n = _arguments.count("n", n)
    p, _, tail, opposite = _tails(angle_tail)
    bound = tail + opposite**n
    best = int(np.argmin(bound[1:-1]))

    def at(log_odds):
        beta, rest = np.pi / 2 * special.expit([log_odds, -log_odds])
        return float(p(beta)) + float(p(rest)) ** n

    around = LOG_ODDS[max(best - 1, 0)], LOG_ODDS[min(best + 1, LOG_ODDS.size - 1)]
    refined = optimize.minimize_scalar(at, bounds=around, method="bounded")
    return float(min(bound.min(), refined.fun, 1.0))


def sharp_transfer_risk_bound(angle_tail, n):
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

    Raises
    ------
    ValueError
        If `angle_tail` isn't a tail, or n < 1.

    References
    ----------
    This book, chapter 5, "The bound without a free angle".
    """
    n = _arguments.count("n", n)
    p, theta, tail, opposite = _tails(angle_tail)
    cells = theta[:-1], theta[1:], opposite[:-1], opposite[1:], tail[:-1] ** n, tail[1:] ** n
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
        edges = a[~even, None] + (b - a)[~even, None] * np.linspace(0.0, 1.0, 9)
        edges = np.minimum(edges, np.pi / 2)
        survival, height = p(edges) ** n, p(np.pi / 2 - edges)
        columns = (edges, edges, height, height, survival, survival)
        cells = [c[:, k : k + 8].ravel() for c, k in zip(columns, (0, 1) * 3, strict=True)]
    # What can't be cut apart are two atoms at complementary angles: the larger end is the truth.
    return float(total + cells[3] @ (cells[4] - cells[5]))


def margin_bound(angle_tail, gamma, n):
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

    Raises
    ------
    ValueError
        If some inputs have an angle of at least `gamma`, or an argument is out of its range.

    References
    ----------
    Phuong & Lampert (2019), Corollary 1, as reconstructed in chapter 6 of this book.
    """
    gamma = _arguments.number("gamma", gamma, above=0.0, most=np.pi / 2)
    n = _arguments.count("n", n)
    p, *_ = _tails(angle_tail)
    beyond = float(p(gamma))
    if beyond > 0.0:
        raise ValueError(
            "gamma must be an angular margin, with angle_tail(gamma) = 0; "
            f"got angle_tail({gamma:g}) = {beyond:g}"
        )
    return float(p(np.pi / 2 - gamma)) ** n


def easiness_bound(n, easiness):
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

    Raises
    ------
    ValueError
        If n < 1 or the easiness isn't positive.

    References
    ----------
    Phuong & Lampert (2019), Corollary 2; the constant is reconstructed in chapter 6 of this book.
    """
    n = _arguments.count("n", n)
    easiness = _arguments.number("easiness", easiness, above=0.0)
    return float((1.0 + np.log(n) ** easiness) / n**easiness)


def sharp_easiness_bound(n, easiness):
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

    Raises
    ------
    ValueError
        If n < 1 or the easiness isn't positive.

    References
    ----------
    This book, chapter 6, "No logarithm".
    """
    n = _arguments.count("n", n)
    easiness = _arguments.number("easiness", easiness, above=0.0)
    # Gamma(k + 1) Gamma(kn + 1) / Gamma(kn + k + 1) = kn B(k + 1, kn).
    return float(easiness * n * special.beta(easiness + 1.0, easiness * n))


def fit_easiness(angles):
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

    References
    ----------
    This book, chapter 6.
    """
    angles = _arguments.angles("angles", angles)
    if angles.ndim != 1 or not angles.any():
        raise ValueError(
            f"angles must be a list of one or more angles, not all 0; got shape {angles.shape}"
        )
    with np.errstate(divide="ignore"):
        return float(-1.0 / np.mean(np.log1p(-angles / (np.pi / 2))))


def _tails(angle_tail):
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
        or tail.min() < -1e-9
        or abs(tail[0] - 1) > 1e-9
        or (np.diff(tail) > 1e-9).any()
    ):
        raise ValueError(
            "angle_tail must return one probability for each angle, 1 at 0 and never increasing; "
            f"got shape {tail.shape}, values from {np.min(tail):g} to {np.max(tail):g}"
        )

    def clipped(theta):  # a tail that is computed as a difference may miss by rounding
        return np.clip(angle_tail(theta), 0.0, 1.0)

    tail = np.clip(tail, 0.0, 1.0)
    return clipped, theta, tail, tail[::-1]


def initialisation_radius(epsilon, student_norm, depth):
    r"""Starting norm below which the paper's theorem keeps the final error below epsilon.

    .. math::

        \|w(0)\| < \epsilon^N \bigl(\epsilon^2 \|\hat w\|^{-2/N} + \|\hat w\|^{2 - 2/N}\bigr)^{-N/2}
        = \|\hat w\| \sin^N \psi , \qquad \tan \psi = \epsilon / \|\hat w\|

    Sufficient, and smaller than the sharp radius by the factor :math:`\cos\psi`.

    Parameters
    ----------
    epsilon : float
        Wanted distance from the closed-form student, > 0.
    student_norm : float
        :math:`\|\hat w\|` > 0.
    depth : int
        N >= 1.

    Returns
    -------
    float

    Raises
    ------
    ValueError
        If an argument is not positive.

    References
    ----------
    Phuong & Lampert (2019), Theorem 2, as reconstructed in chapter 4 of this book.
    """
    epsilon, student_norm, depth = _radius_arguments(epsilon, student_norm, depth)
    return student_norm * np.sin(np.arctan2(epsilon, student_norm)) ** depth


def sharp_initialisation_radius(epsilon, student_norm, depth):
    r"""Largest starting norm that keeps the final error at most epsilon in every direction.

    .. math::

        r_{\text{sharp}} = \epsilon \sin^{N-1} \psi , \qquad \tan \psi = \epsilon / \|\hat w\|

    A balanced start of this norm that is orthogonal to the inputs ends at a distance of exactly
    epsilon from the closed-form student.

    Parameters
    ----------
    epsilon : float
        Wanted distance from the closed-form student, > 0.
    student_norm : float
        :math:`\|\hat w\|` > 0.
    depth : int
        N >= 1.

    Returns
    -------
    float

    Raises
    ------
    ValueError
        If an argument is not positive.

    References
    ----------
    This book, chapter 4, "The limit of a deep student", part (c).
    """
    epsilon, student_norm, depth = _radius_arguments(epsilon, student_norm, depth)
    return epsilon * np.sin(np.arctan2(epsilon, student_norm)) ** (depth - 1)


def limit_offset(q0, r0, student_norm, depth):
    r"""Distance from the closed-form student at which a balanced deep network ends.

    The nonnegative root s of

    .. math::

        s^2 = k^2 \bigl(\|\hat w\|^2 + s^2\bigr)^{1 - 1/N} , \qquad k = q_0 \, r_0^{-(1 - 1/N)} .

    Parameters
    ----------
    q0 : float
        Norm of the starting vector's component outside the span of the inputs, in [0, r0].
    r0 : float
        Norm of the starting vector (end to end), > 0.
    student_norm : float
        :math:`\|\hat w\|` > 0.
    depth : int
        N >= 1. At depth 1 the offset is q0.

    Returns
    -------
    float

    Raises
    ------
    ValueError
        If an argument is out of its range.

    References
    ----------
    This book, chapter 4, "The limit of a deep student", part (b).
    """
    r0 = _arguments.number("r0", r0, above=0.0)
    # A norm may exceed that of the whole by rounding.
    q0 = _arguments.number("q0", q0, least=0.0, most=r0 * (1 + 1e-9))
    student_norm = _arguments.number("student_norm", student_norm, above=0.0)
    depth = _arguments.count("depth", depth)
    if q0 == 0.0 or depth == 1:
        return q0
    power = 1.0 - 1.0 / depth
    log_k = np.log(q0) - power * np.log(r0)

    def excess(log_s):
        both = np.logaddexp(2 * np.log(student_norm), 2 * log_s)
        return 2 * log_s - 2 * log_k - power * both

    # s grows with the sum under the power: dropping s from it, or taking twice the larger of
    # its terms, brackets the root.
    low = log_k + power * np.log(student_norm)
    high = max(low, depth * log_k) + depth * np.log(2.0)
    return float(np.exp(optimize.brentq(excess, low - 1e-9, high, xtol=1e-14, rtol=1e-14)))


def _radius_arguments(epsilon, student_norm, depth):
    return (
        _arguments.number("epsilon", epsilon, above=0.0),
        _arguments.number("student_norm", student_norm, above=0.0),
        _arguments.count("depth", depth),
    )
