"""Where does training end?"""

import numpy as np

from distill_lib import _arguments
from distill_lib.geometry import nested_coordinates, orthonormal_basis


def closed_form_student(X, w_teacher):
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

    Raises
    ------
    ValueError
        If an argument isn't finite, the teacher is zero or shapes don't match.

    References
    ----------
    Phuong & Lampert (2019), Theorem 1.
    """
    X = _arguments.matrix("X", X)
    w_teacher = _arguments.teacher(w_teacher, X)
    basis, _ = orthonormal_basis(X)
    if len(basis) == w_teacher.size:
        return w_teacher.copy()
    return (basis @ w_teacher) @ basis


def nested_students(X, w_teacher):
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

    References
    ----------
    Phuong & Lampert (2019), Theorem 1, for every prefix of the transfer set.
    """
    X = _arguments.matrix("X", X)
    w_teacher = _arguments.teacher(w_teacher, X)
    basis, rows = orthonormal_basis(X)
    gains = np.zeros_like(X)
    gains[rows] = (basis @ w_teacher)[:, None] * basis
    students = np.cumsum(gains, axis=0, out=gains)
    if len(rows) == w_teacher.size:
        students[rows[-1] :] = w_teacher
    return students


def nested_angles(X, w_teacher):
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

    References
    ----------
    Phuong & Lampert (2019), Theorem 1; this book for the one factorisation.
    """
    X = _arguments.matrix("X", X)
    w_teacher = _arguments.teacher(w_teacher, X)
    # Lengths drop out; this one keeps the squares below from overflow and underflow.
    coordinates, rest = nested_coordinates(X, w_teacher / np.abs(w_teacher).max())
    inside = np.cumsum(coordinates**2)
    outside = np.cumsum(np.concatenate([[rest], coordinates[:0:-1]]) ** 2)[::-1]
    return np.arctan2(np.sqrt(outside), np.sqrt(inside))
