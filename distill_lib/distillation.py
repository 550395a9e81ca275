"""What does the teacher say, and what does the student minimise?"""

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from distill_lib import _arguments
from distill_lib._types import Floats, Matrix, Vector
from distill_lib.geometry import power_of_two


def soft_labels(X: ArrayLike, w_teacher: ArrayLike, *, temperature: float = 1.0) -> Vector:
    r"""Soft labels: the teacher's probability of class 1.

    .. math::

        y_i = \sigma\bigl(w^\star \cdot x_i / T\bigr), \qquad \sigma(u) = 1 / (1 + e^{-u})

    In double precision a label with :math:`w^\star \cdot x / T > 37` is exactly 1: it has
    become a hard label.

    Parameters
    ----------
    X : array_like, shape (n, d)
        Inputs, one per row.
    w_teacher : array_like, shape (d,)
        The teacher, not zero.
    temperature : float
        T > 0. The higher, the closer the labels are to 1/2.

    Returns
    -------
    ndarray, shape (n,)
        Labels in [0, 1].

    Raises
    ------
    ValueError
        If an argument isn't finite, the teacher is zero, shapes don't match or T <= 0.

    See Also
    --------
    hard_labels : The decision alone.

    References
    ----------
    Hinton, Vinyals & Dean (2015); Phuong & Lampert (2019), section 3.

    Examples
    --------
    >>> X = [[2.0, 0.0], [0.0, 1.0]]
    >>> print(dl.soft_labels(X, [1.0, 0.0], temperature=2.0).round(3))
    [0.731 0.5  ]
    """
    X = _arguments.matrix("X", X)
    w_teacher = _arguments.teacher(w_teacher, X)
    temperature = _arguments.number("temperature", temperature, above=0.0)
    return special.expit(logits(X, w_teacher) / temperature)


def hard_labels(X: ArrayLike, w_teacher: ArrayLike) -> Vector:
    r"""Hard labels: the teacher's decision.

    .. math::

        y_i = \mathbf{1}\{w^\star \cdot x_i \ge 0\}

    Parameters
    ----------
    X : array_like, shape (n, d)
        Inputs, one per row.
    w_teacher : array_like, shape (d,)
        The teacher, not zero.

    Returns
    -------
    ndarray, shape (n,)
        Labels 0.0 or 1.0.

    Raises
    ------
    ValueError
        If an argument isn't finite, the teacher is zero or shapes don't match.

    See Also
    --------
    soft_labels : With how sure the teacher is.

    Examples
    --------
    >>> print(dl.hard_labels([[2.0, 0.0], [-1.0, 1.0]], [1.0, 0.0]))
    [1. 0.]
    """
    X = _arguments.matrix("X", X)
    w_teacher = _arguments.teacher(w_teacher, X)
    return (logits(X, w_teacher) >= 0).astype(float)


def distillation_loss(w: ArrayLike, X: ArrayLike, labels: ArrayLike) -> float:
    r"""Distillation loss: the mean excess cross-entropy over the labels.

    .. math::

        L(w) = \frac{1}{n} \sum_i \operatorname{KL}\bigl(\operatorname{Ber}(y_i) \,\|\,
        \operatorname{Ber}(\sigma(w \cdot x_i))\bigr) \ge 0

    It is the cross-entropy less its least value, the entropy of the labels. It is 0 exactly
    where the gradient is: where each label is the one that the student gives.

    Parameters
    ----------
    w : array_like, shape (d,)
        The student.
    X : array_like, shape (n, d)
        Inputs, one per row.
    labels : array_like, shape (n,)
        Labels in [0, 1], hard or soft.

    Returns
    -------
    float
        Finite as long as the student's logits are.

    Raises
    ------
    ValueError
        If an argument isn't finite, shapes don't match or a label is outside [0, 1].

    See Also
    --------
    distillation_gradient : Its gradient.

    References
    ----------
    Phuong & Lampert (2019), equation of the loss in section 3, less its minimum.

    Examples
    --------
    >>> print(f"{dl.distillation_loss([0.0, 0.0], [[1.0, 0.0]], [1.0]):.3f}")
    0.693
    """
    X = _arguments.matrix("X", X)
    w = _arguments.vector("w", w, size=X.shape[1], like=f"X of shape {X.shape}")
    labels = _arguments.labels(labels, X)
    return float(np.mean(bernoulli_divergence(labels, X @ w)))


def distillation_gradient(w: ArrayLike, X: ArrayLike, labels: ArrayLike) -> Vector:
    r"""Gradient of the distillation loss.

    .. math::

        \nabla L(w) = \frac{1}{n} X^\top \bigl(\sigma(X w) - y\bigr)

    It is a combination of the inputs: whatever the student, it lies in their span.

    Parameters
    ----------
    w : array_like, shape (d,)
        The student.
    X : array_like, shape (n, d)
        Inputs, one per row.
    labels : array_like, shape (n,)
        Labels in [0, 1].

    Returns
    -------
    ndarray, shape (d,)
        The gradient.

    Raises
    ------
    ValueError
        If an argument isn't finite, shapes don't match or a label is outside [0, 1].

    See Also
    --------
    distillation_loss : Of which it is the gradient.

    Examples
    --------
    >>> print(dl.distillation_gradient([0.0, 0.0], [[1.0, 2.0]], [1.0]))
    [-0.5 -1. ]
    """
    X = _arguments.matrix("X", X)
    w = _arguments.vector("w", w, size=X.shape[1], like=f"X of shape {X.shape}")
    labels = _arguments.labels(labels, X)
    return X.T @ (special.expit(X @ w) - labels) / len(X)


def smoothness(X: ArrayLike) -> float:
    r"""Smoothness constant of the distillation loss, whatever the labels.

    .. math::

        \Lambda = \lambda_{\max}(X^\top X) / (4n)

    The gradient is Lipschitz with this constant. So gradient descent on a vector never raises the
    loss with a step size up to :math:`2 / \Lambda`, and with one below it converges if the loss
    has a minimiser, as it has with labels that are neither 0 nor 1. That is enough for every
    teacher, and more than most need: near :math:`w^\star` descent is stable up to
    :math:`2 / \lambda_{\max}(H)`, where
    :math:`H = \frac1n X^\top \operatorname{diag}(\sigma'(X w^\star))\, X \preceq \Lambda I`.

    Parameters
    ----------
    X : array_like, shape (n, d)
        Inputs, one per row.

    Returns
    -------
    float
        The constant :math:`\Lambda`.

    Raises
    ------
    ValueError
        If X isn't a finite matrix.

    See Also
    --------
    gradient_descent : Which takes its inverse as its step size.

    Examples
    --------
    >>> print(f"{dl.smoothness([[2.0, 0.0], [0.0, 1.0]]):.3f}")
    0.500
    """
    X = _arguments.matrix("X", X)
    return float(np.linalg.norm(X, 2) ** 2 / (4 * len(X)))


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

    See Also
    --------
    soft_labels : Their logistic function.

    Examples
    --------
    >>> dl.distillation.logits(np.array([[1e-200, 0.0]]), np.array([1e-200, 1.0])) > 0
    array([ True])
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

    See Also
    --------
    distillation_loss : Its mean.

    Examples
    --------
    >>> print(dl.distillation.bernoulli_divergence(np.array([0.5, 1.0]), np.zeros(2)).round(3))
    [0.    0.693]
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
