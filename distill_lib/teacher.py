"""Where does the teacher of real data come from?"""

import numpy as np
from numpy.typing import ArrayLike
from scipy import linalg, special

from distill_lib import _arguments
from distill_lib._types import Vector

MOST_STEPS = 100  # Newton's method needs about ten, even for a teacher that is hardly regularised.


def logistic_regression(X: ArrayLike, labels: ArrayLike, *, C: float) -> Vector:
    r"""Regularised logistic regression without intercept, by Newton's method.

    .. math::

        \operatorname{argmin}_w \; C \sum_i \bigl[ \log(1 + e^{w \cdot x_i})
        - y_i \, w \cdot x_i \bigr] + \tfrac12 \|w\|^2

    The sum is that of the cross-entropies. The function is strictly convex, so there is one such
    w, and Newton's steps, halved while they don't lead down far enough, end at it from anywhere.

    Parameters
    ----------
    X : array_like, shape (n, d)
        Inputs, one per row. They are not centred here.
    labels : array_like, shape (n,)
        True classes 0 and 1, or probabilities of class 1.
    C : float
        Inverse strength of the regularisation, > 0, as in scikit-learn: the smaller it is, the
        shorter and the less sure is the teacher.

    Returns
    -------
    ndarray, shape (d,)
        The teacher.

    Raises
    ------
    ValueError
        If the inputs aren't finite, the labels don't match or lie outside [0, 1], or C isn't
        positive.
    FloatingPointError
        If the inputs are so long that a hundred steps don't suffice.

    See Also
    --------
    soft_labels : What such a teacher tells a student about its inputs.
    digits : Images that it learns to tell apart in the book.

    Examples
    --------
    One input, seen once in either class, leaves the teacher undecided; seen in one class alone it
    pulls the teacher its way.

    >>> import distill_lib as dl
    >>> (dl.logistic_regression([[1.0], [1.0]], [0, 1], C=1) == 0).all()
    np.True_
    >>> (dl.logistic_regression([[1.0], [1.0]], [1, 1], C=1) > 0).all()
    np.True_
    """
    X = _arguments.matrix("X", X)
    labels = _arguments.labels(labels, X)
    C = _arguments.number("C", C, above=0)

    def value(w: Vector) -> float:
        # Each class by itself: no term is lost in the difference of two large ones.
        logits = X @ w
        losses = labels * np.logaddexp(0, -logits) + (1 - labels) * np.logaddexp(0, logits)
        return float(C * losses.sum() + w @ w / 2)

    w = np.zeros(X.shape[1])
    for _ in range(MOST_STEPS):
        logits = X @ w
        s = special.expit(logits)
        gradient = w + C * X.T @ (s - labels)
        hessian = np.eye(w.size) + C * (X.T * (s * (1 - s))) @ X
        step = linalg.solve(hessian, gradient, assume_a="pos")
        # The error is about the square of what the step does to the logits (they alone make the
        # function more than quadratic): one more, and only rounding is left.
        if np.abs(X @ step).max() <= max(1e-7, 1e-9 * np.abs(logits).max()):
            return w - step
        here, slope, part = value(w), gradient @ step, 1.0
        # Armijo's rule, with room for what rounding does to the two values.
        while value(w - part * step) > here - part * slope / 4 + 1e-12 * abs(here):
            part /= 2
        w = w - part * step
    raise FloatingPointError(
        f"{MOST_STEPS} Newton steps did not find the teacher; divide X by its largest entry"
    )
