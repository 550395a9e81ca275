"""What is a student's logit, and how far is it from a label?

These run in inner loops, on arrays that have been checked already, or on logits that a run in
divergence has made infinite: they check nothing.
"""

import numpy as np
from scipy import special

from distill_lib._scaling import power_of_two
from distill_lib._types import Floats, Matrix, Vector


def logits(X: Matrix, w: Vector) -> Vector:
    r"""Logits :math:`w \cdot x_i`, with the right sign however long or short X and w are.

    A logit beyond the doubles is infinite; one that isn't 0 doesn't become it.

    Parameters
    ----------
    X : ndarray, shape (n, d)
        Finite inputs, one per row.
    w : ndarray, shape (d,)
        Finite weights.

    Returns
    -------
    ndarray, shape (n,)
        One logit for each input.
    """
    with np.errstate(over="ignore", invalid="ignore", under="ignore"):
        u = X @ w
        # Its terms may have lost more than its rounding, or be infinities that cancel.
        lost = ~((np.abs(u) > 1e-290) & np.isfinite(u))
        if lost.any():
            # All rows, as before: in another order of summation a 0 might not come out as 0.
            rows, column = power_of_two(X), power_of_two(w)
            scaled = (X * rows) @ (w * column)
            exact = scaled / rows[:, 0] / column
            u = np.where(lost, np.where(exact == 0.0, np.sign(scaled) * 5e-324, exact), u)
    return u


def bernoulli_divergence(labels: Floats, logits: Floats) -> Floats:
    r"""KL divergence of :math:`\operatorname{Ber}(y)` from :math:`\operatorname{Ber}(\sigma(u))`.

    With the student's probability :math:`s = \sigma(u)`, its logit less the label's,
    :math:`h = u - \log\frac{y}{1 - y}`, and the functions :math:`\psi(x) = x - \log(1 + x)` and
    :math:`\varphi(x) = e^x - 1 - x`, which are never negative,

    .. math::

        \operatorname{KL} = y\,\psi\Bigl(\frac{s - y}{y}\Bigr) +
        (1 - y)\,\psi\Bigl(\frac{y - s}{1 - y}\Bigr)
        = \log\bigl(1 + y\,\varphi((1 - y) h) + (1 - y)\,\varphi(-y h)\bigr) .

    The first form is used for small h, the second for large: in neither do terms of different
    sign meet. The error is below 1e-12 of the result, or what three units in the last place of
    the label change in it, whichever is larger. (A label is a rounded number. A student that is
    within 1e-4 of its logit is told from it by the label's last digits.)

    Parameters
    ----------
    labels : ndarray
        Labels in [0, 1].
    logits : ndarray
        Finite logits of the student; the shapes broadcast.

    Returns
    -------
    ndarray
        Never negative; of the broadcast shape.
    """
    with np.errstate(divide="ignore", invalid="ignore", over="ignore", under="ignore"):
        other = 1.0 - labels
        label_logits = _logit(labels)
        h = logits - label_logits
        far = np.log1p(labels * _phi(other * h) + other * _phi(-labels * h))
        # Beyond the range of exp, 709: the same sum in logarithms, whose larger term is then far
        # from 0. From 40 or so on both are as exact.
        beyond = np.logaddexp(np.log(labels) + other * h, np.log(other) - labels * h)
        divergence = np.where(np.maximum(other * h, -labels * h) > 700.0, beyond, far)
        # In terms of the less likely class, whose probability has the smaller rounding error.
        # (h has the rounding of the label's logit, which is far more than that of a label if the
        # logit is large.) For logits well below 1 the error of h itself is smaller still; up to 4
        # or so, and for h from 0.1 on, the two are as exact as a label lets them be.
        rare = np.minimum(labels, other)
        gap = special.expit(np.where(labels <= 0.5, logits, -logits)) - rare
        near = rare * _psi(gap / rare) + (1.0 - rare) * _psi(-gap / (1.0 - rare))
        close = (np.abs(h) < 0.5) & (np.abs(label_logits) > 1.0)
        divergence = np.where(close, near, divergence)
        # A hard label has no logit; the divergence is the logistic loss.
        hard = (labels == 0.0) | (labels == 1.0)
        logistic = np.logaddexp(0.0, np.where(labels == 1.0, -logits, logits))
        divergence = np.where(hard, logistic, divergence)
    # A label is the double nearest to the teacher's probability. A student that gives the
    # same double can't be told from the teacher.
    return np.where(~hard & (special.expit(logits) == labels), 0.0, divergence)


def _logit(p: Floats) -> Floats:
    # log(p / (1 - p)) loses its digits near p = 1/2, where 2p - 1 is exact. (Newer versions of
    # scipy see to that themselves.)
    return np.where(np.abs(p - 0.5) < 0.25, 2.0 * np.arctanh(2.0 * p - 1.0), special.logit(p))


def _phi(x: Floats) -> Floats:
    """Return e^x - 1 - x without cancellation near 0."""
    series = np.zeros_like(x)
    # 18 terms leave less than 1e-17 of the sum for |x| < 1.
    for k in range(19, 1, -1):
        series = (series + 1.0) * x / k
    return np.where(np.abs(x) < 1.0, series * x, np.expm1(x) - x)


def _psi(x: Floats) -> Floats:
    """Return x - log(1 + x) for -0.4 <= x <= 0.65, without cancellation near 0."""
    # log(1 + x) = 2 (t + t^3/3 + t^5/5 + ...), t = x / (2 + x); |t| <= 1/4 here, where 12
    # terms leave less than 1e-17 of the sum.
    t = x / (2.0 + x)
    series = np.zeros_like(t)
    for k in range(25, 1, -2):
        series = series * t**2 + 1.0 / k
    return t * x - 2.0 * t**3 * series
