"""How near zero must training start?

Closed formulas only, which know nothing of training; see `bounds`.
"""

import numpy as np
from scipy import optimize

from distill_lib import _arguments


def initialisation_radius(epsilon: float, student_norm: float, depth: int) -> float:
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
        The radius, > 0.

    Raises
    ------
    ValueError
        If an argument is not positive.

    See Also
    --------
    sharp_initialisation_radius : The largest one.

    References
    ----------
    Phuong & Lampert (2019), Theorem 2, as reconstructed in chapter 4 of this book.

    Examples
    --------
    >>> print(f"{dl.initialisation_radius(0.1, student_norm=1.0, depth=2):.4f}")
    0.0099
    """
    epsilon, student_norm, depth = _radius_arguments(epsilon, student_norm, depth)
    return float(student_norm * np.sin(np.arctan2(epsilon, student_norm)) ** depth)


def sharp_initialisation_radius(epsilon: float, student_norm: float, depth: int) -> float:
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
        The radius, > 0.

    Raises
    ------
    ValueError
        If an argument is not positive.

    See Also
    --------
    limit_offset : The final error of any start.

    References
    ----------
    This book, chapter 4, "The limit of a deep student", part (c).

    Examples
    --------
    >>> print(f"{dl.sharp_initialisation_radius(0.1, student_norm=1.0, depth=2):.4f}")
    0.0100
    """
    epsilon, student_norm, depth = _radius_arguments(epsilon, student_norm, depth)
    return float(epsilon * np.sin(np.arctan2(epsilon, student_norm)) ** (depth - 1))


def limit_offset(q0: float, r0: float, student_norm: float, depth: int) -> float:
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
        The distance s >= 0.

    Raises
    ------
    ValueError
        If an argument is out of its range.

    See Also
    --------
    gradient_flow : Which ends at this distance.

    References
    ----------
    This book, chapter 4, "The limit of a deep student", part (b).

    Examples
    --------
    >>> r = dl.sharp_initialisation_radius(0.1, student_norm=1.0, depth=3)
    >>> print(f"{dl.limit_offset(r, r, student_norm=1.0, depth=3):.3f}")
    0.100
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

    def excess(log_s: float) -> float:
        both = np.logaddexp(2 * np.log(student_norm), 2 * log_s)
        return float(2 * log_s - 2 * log_k - power * both)

    # s grows with the sum under the power: dropping s from it, or taking twice the larger of
    # its terms, brackets the root.
    low = log_k + power * np.log(student_norm)
    high = max(low, depth * log_k) + depth * np.log(2.0)
    return float(np.exp(optimize.brentq(excess, low - 1e-9, high, xtol=1e-14, rtol=1e-14)))


def _radius_arguments(epsilon: float, student_norm: float, depth: int) -> tuple[float, float, int]:
    return (
        _arguments.number("epsilon", epsilon, above=0.0),
        _arguments.number("student_norm", student_norm, above=0.0),
        _arguments.count("depth", depth),
    )
