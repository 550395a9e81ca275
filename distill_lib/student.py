"""Where does training end?"""

import numpy as np
from numpy.typing import ArrayLike
from scipy import optimize

from distill_lib import _arguments
from distill_lib._scaling import power_of_two
from distill_lib._types import Matrix, Vector
from distill_lib.geometry import nested_coordinates, orthonormal_basis


def closed_form_student(X: ArrayLike, w_teacher: ArrayLike) -> Vector:
    r"""Return the student that gradient descent from zero converges to.

    .. math::

        \hat w = P_{\operatorname{span}(x_1, \dots, x_n)} \, w^\star

    It is the teacher itself as soon as the inputs span the whole space (for inputs with a
    density: almost surely once n >= d).

    Parameters
    ----------
    X : array_like, shape (n, d)
        Inputs, one per row.
    w_teacher : array_like, shape (d,)
        The teacher, not zero.

    Returns
    -------
    ndarray, shape (d,)
        The student's weights.

    Raises
    ------
    ValueError
        If an argument isn't finite, the teacher is zero or shapes don't match.

    See Also
    --------
    nested_students : Those of the first 1, 2, ... inputs.
    gradient_descent : How training gets there.

    References
    ----------
    Phuong & Lampert (2019), Theorem 1.

    Examples
    --------
    >>> print(dl.closed_form_student([[1.0, 0.0, 0.0], [1.0, 1.0, 0.0]], [3.0, 4.0, 5.0]).round(3))
    [3. 4. 0.]
    """
    X = _arguments.matrix("X", X)
    w_teacher = _arguments.teacher(w_teacher, X)
    basis, _ = orthonormal_basis(X)
    if len(basis) == w_teacher.size:
        return w_teacher.copy()
    scale = power_of_two(w_teacher)
    return (basis @ (w_teacher * scale)) @ basis / scale


def nested_students(X: ArrayLike, w_teacher: ArrayLike) -> Matrix:
    r"""Return the closed-form students of the first 1, 2, ..., n inputs.

    .. math::

        \hat w_k = \sum_{j \le k} (q_j \cdot w^\star) \, q_j

    where :math:`q_1, q_2, \dots` is the Gram-Schmidt basis of the inputs: one orthogonal
    factorisation serves all n students.

    Parameters
    ----------
    X : array_like, shape (n, d)
        Inputs, one per row.
    w_teacher : array_like, shape (d,)
        The teacher, not zero.

    Returns
    -------
    ndarray, shape (n, d)
        Row k - 1 is the student of X[:k].

    Raises
    ------
    ValueError
        If an argument isn't finite, the teacher is zero or shapes don't match.

    See Also
    --------
    nested_angles : Their angles with the teacher.

    References
    ----------
    Phuong & Lampert (2019), Theorem 1, for every prefix of the transfer set.

    Examples
    --------
    >>> print(dl.nested_students([[2.0, 0.0], [4.0, 0.0], [1.0, 1.0]], [3.0, 4.0]).round(3))
    [[3. 0.]
     [3. 0.]
     [3. 4.]]
    """
    X = _arguments.matrix("X", X)
    w_teacher = _arguments.teacher(w_teacher, X)
    basis, rows = orthonormal_basis(X)
    scale = power_of_two(w_teacher)
    gains = np.zeros_like(X)
    gains[rows] = (basis @ (w_teacher * scale))[:, None] * basis
    students = np.cumsum(gains, axis=0, out=gains)
    students /= scale
    if len(rows) == w_teacher.size:
        students[rows[-1] :] = w_teacher
    return students


def nested_angles(X: ArrayLike, w_teacher: ArrayLike) -> Vector:
    r"""Angles between the teacher and the closed-form students of the first 1, ..., n inputs.

    .. math::

        \tan A_k = \Bigl(\|w^\star\|^2 - \sum_{j \le k} (q_j \cdot w^\star)^2\Bigr)^{1/2}
        \Big/ \Bigl(\sum_{j \le k} (q_j \cdot w^\star)^2\Bigr)^{1/2}

    The numerator is summed from the coordinates still to come, never by that subtraction, so
    a tiny angle keeps its digits. A student that is still zero has the angle pi/2.

    Parameters
    ----------
    X : array_like, shape (n, d)
        Inputs, one per row.
    w_teacher : array_like, shape (d,)
        The teacher, not zero.

    Returns
    -------
    ndarray, shape (n,)
        Radians, in [0, pi/2], never increasing.

    Raises
    ------
    ValueError
        If an argument isn't finite, the teacher is zero or shapes don't match.

    See Also
    --------
    nested_students : The students themselves.
    axial_risk : What an angle costs.

    References
    ----------
    Phuong & Lampert (2019), Theorem 1; this book for the one factorisation.

    Examples
    --------
    >>> print(dl.nested_angles([[2.0, 0.0], [4.0, 0.0], [1.0, 1.0]], [3.0, 4.0]).round(3))
    [0.927 0.927 0.   ]
    """
    X = _arguments.matrix("X", X)
    w_teacher = _arguments.teacher(w_teacher, X)
    # The teacher's length drops out, so this one will do.
    coordinates, rest = nested_coordinates(X, w_teacher * power_of_two(w_teacher))
    # hypot instead of squares: what is left may be as small as a double.
    inside = np.hypot.accumulate(np.abs(coordinates))
    outside = np.hypot.accumulate(np.abs(np.append(rest, coordinates[:0:-1])))[::-1]
    # Rounding must not let an angle grow.
    return np.minimum.accumulate(np.arctan2(outside, inside))


def max_margin_student(X: ArrayLike, hard: ArrayLike) -> Vector:
    r"""Return the max-margin separator, whose direction is where training on hard labels ends.

    .. math::

        w = \arg\min \|w\| \quad\text{subject to}\quad s_i \, (w \cdot x_i) \ge 1 ,
        \qquad s_i = 2 y_i - 1 \in \{-1, 1\}

    On hard labels gradient descent has no limit: the student grows for ever, and its direction
    tends to that of w so slowly (like 1 / log of the time) that w is better computed. Its
    hyperplane passes through the origin, at the distance :math:`1 / \|w\|` from the nearest
    inputs.

    Parameters
    ----------
    X : array_like, shape (n, d)
        Inputs, one per row, none of them zero.
    hard : array_like, shape (n,)
        Labels 0 or 1; one class alone will do.

    Returns
    -------
    ndarray, shape (d,)
        The margin is 1, in logits, up to rounding.

    Raises
    ------
    ValueError
        If an argument isn't finite, shapes don't match, a label is neither 0 nor 1, an input is
        zero, or no hyperplane through the origin separates the classes (by more than about
        1e-12 of the length of the inputs: rounding hides less).
    RuntimeError
        If the search for the nearest inputs takes more than 10 (n + d) steps.

    See Also
    --------
    hard_labels : What it learns from.
    closed_form_student : Where soft labels lead.

    References
    ----------
    Soudry, Hoffer, Nacson, Gunasekar & Srebro (2018) for the limit; Lawson & Hanson (1974),
    chapter 23, for the algorithm; this book, chapter 10, "Soft against hard labels".

    Examples
    --------
    >>> print(dl.max_margin_student([[2.0, 0.0], [-1.0, 1.0]], [1.0, 0.0]).round(3))
    [ 0.5 -0.5]
    """
    X = _arguments.matrix("X", X)
    hard = _arguments.vector("hard", hard, size=X.shape[0], like=f"X of shape {X.shape}")
    if not np.isin(hard, (0.0, 1.0)).all():
        raise ValueError(
            "hard must hold only 0 and 1, as hard_labels(X, w_teacher) returns; "
            f"got values from {hard.min():g} to {hard.max():g}"
        )
    if not X.any(axis=1).all():
        raise ValueError("X must not hold a zero row: nothing separates it; drop such rows")
    # z . w >= 1 says the same as (s z) . w >= s: no row is too long or too short here.
    scales = power_of_two(X)[:, 0]
    Z = np.where(hard == 1.0, scales, -scales)[:, None] * X
    margins = scales / scales.max()
    # The least w with Z w >= margins is a residual of nonnegative least squares. We keep only
    # which inputs support it: with these the linear system below gives more digits.
    target = np.append(np.zeros(X.shape[1]), 1.0)
    # A step brings or drops a support. Few are dropped: with little room between the inputs up to
    # 1.4 (n + d) steps were seen.
    limit = 10 * sum(X.shape)
    weights, _ = optimize.nnls(np.vstack([Z.T, margins]), target, maxiter=limit)
    support = weights > 0
    w = np.linalg.lstsq(Z[support], margins[support])[0]
    # Without a separator some row is on the wrong side of every w, so that any share of its margin
    # would do for 0.99. A row that is very much longer than another has a margin below rounding.
    if (Z @ w < 0.99 * margins - 1e-12 * np.linalg.norm(w)).any():
        raise ValueError(
            "X must be separable: no hyperplane through the origin has the classes of hard on its "
            "two sides (with more than rounding between them)"
        )
    with np.errstate(over="ignore"):
        w = np.asarray(w * scales.max())
    if not np.isfinite(w).all():
        raise ValueError("X must hold longer inputs: no double is as large as their separator")
    return w
