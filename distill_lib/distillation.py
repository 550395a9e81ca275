"""What does the teacher say, and what does the student minimise?"""

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from distill_lib import _arguments
from distill_lib._logistic import bernoulli_divergence, logits
from distill_lib._types import Vector


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
