"""What is the angle between two vectors, and what does a span see of a third?"""

import numpy as np
from numpy.typing import ArrayLike
from scipy.linalg import lapack

from distill_lib import _arguments
from distill_lib._scaling import length, power_of_two
from distill_lib._types import Counts, Floats, Matrix, Vector

# A row whose distance from the span of the rows before it is less than this fraction of its
# length counts as dependent on them. Rounding alone leaves about 1e-15 times the condition of
# the rows; a direction below 1e-12 is lost in it, and gradient descent would need 1e24 steps
# to learn it.
DEPENDENT = 1e-12


def angle(u: ArrayLike, v: ArrayLike) -> float:
    r"""Angle between two vectors.

    .. math::

        \angle(u, v) = \operatorname{atan2}\bigl(\|v - P_u v\|, \; u \cdot v / \|u\|\bigr)

    The residual :math:`v - P_u v` is formed without cancellation, so a tiny angle keeps all
    its digits; arccos of the cosine loses half of them. Vectors may be as long or as short as
    doubles allow, and so may the angle.

    Parameters
    ----------
    u, v : array_like, shape (d,)
        Two nonzero vectors.

    Returns
    -------
    float
        The angle in radians, in [0, pi].

    Raises
    ------
    ValueError
        If a vector is zero or not finite, or the shapes differ.

    See Also
    --------
    acute_angle : The angle to the line of a vector, for many inputs.

    Examples
    --------
    >>> print(f"{dl.angle([1.0, 0.0], [-1.0, 1.0]):.3f}")
    2.356
    """
    u = _arguments.vector("u", u, nonzero=True)
    v = _arguments.vector("v", v, size=u.size, like=f"u of shape {u.shape}", nonzero=True)
    sine, cosine = _sine_and_cosine(v[None, :], u)
    return float(np.arctan2(sine, cosine)[0])


def acute_angle(X: ArrayLike, w: ArrayLike) -> Vector:
    r"""Acute angle between each input and the line of a weight vector.

    .. math::

        \bar\alpha(x) = \arccos \frac{|w \cdot x|}{\|w\| \|x\|} \in [0, \pi/2]

    Parameters
    ----------
    X : array_like, shape (n, d)
        Inputs, one per row, none of them zero.
    w : array_like, shape (d,)
        A nonzero weight vector.

    Returns
    -------
    ndarray, shape (n,)
        Angles in radians, in [0, pi/2].

    Raises
    ------
    ValueError
        If a row or `w` is zero or not finite, or the shapes don't match.

    See Also
    --------
    angle : The angle between two vectors, which may be obtuse.

    Examples
    --------
    >>> X = [[1.0, 0.0], [1.0, 1.0], [-2.0, 0.0]]
    >>> print(dl.acute_angle(X, [1.0, 0.0]).round(3))
    [0.    0.785 0.   ]
    """
    X = _arguments.matrix("X", X)
    w = _arguments.vector("w", w, size=X.shape[1], like=f"X of shape {X.shape}", nonzero=True)
    if not X.any(axis=1).all():
        raise ValueError("X must not hold a zero row: it makes no angle; drop such rows")
    sine, cosine = _sine_and_cosine(X, w)
    return np.arctan2(sine, np.abs(cosine))


def orthonormal_basis(X: ArrayLike) -> tuple[Matrix, Counts]:
    r"""Gram-Schmidt on the rows of X, skipping those that depend on earlier ones.

    .. math::

        q_j \propto x_{i_j} - \sum_{l < j} (q_l \cdot x_{i_j}) \, q_l

    The first :math:`j` basis vectors span the same space as the first :math:`i_j` inputs.
    Independent rows take one LAPACK QR factorisation. Dependent rows (repeated, or real data
    with constant pixels) take a loop, because an unpivoted QR would invent a direction for
    each of them.

    Parameters
    ----------
    X : array_like, shape (n, d)
        Inputs, one per row.

    Returns
    -------
    basis : ndarray, shape (r, d)
        Orthonormal rows, r = rank of X.
    rows : ndarray of int, shape (r,)
        The input that brought each basis vector; increasing.

    Raises
    ------
    ValueError
        If X isn't a finite matrix.

    See Also
    --------
    nested_coordinates : A vector's coordinates in it, without the basis itself.

    Examples
    --------
    >>> basis, rows = dl.geometry.orthonormal_basis([[0.0, 2.0], [0.0, 4.0], [1.0, 1.0]])
    >>> basis.shape
    (2, 2)
    >>> rows.tolist()
    [0, 2]
    """
    X = _arguments.matrix("X", X)
    X = X * power_of_two(X)  # their span is the same, and no length is lost
    head = X[: X.shape[1]]
    basis, triangle = np.linalg.qr(head.T)
    if _all_independent(np.diagonal(triangle), np.linalg.norm(head, axis=1)):
        return basis.T, np.arange(len(head))
    return _gram_schmidt(X)


def nested_coordinates(X: ArrayLike, w: ArrayLike) -> tuple[Vector, float]:
    r"""Coordinates of w in the growing spans of the first 1, 2, ..., n inputs.

    With :math:`q_j` the Gram-Schmidt basis of the rows, returns :math:`q_j \cdot w` (0 where
    row j brings no new direction), and the length of what is left,
    :math:`\|w - P_{x_1, \dots, x_n} w\|`.

    One QR factorisation of :math:`[X^\top \; w]` without forming Q: its last column holds the
    coordinates and, below them, the length of the rest.

    Parameters
    ----------
    X : array_like, shape (n, d)
        Inputs, one per row.
    w : array_like, shape (d,)
        Any vector.

    Returns
    -------
    coordinates : ndarray, shape (n,)
        Their signs depend on the orientation that the factorisation gave :math:`q_j`.
    rest : float
        Length of the component of w outside the span of all inputs; exactly 0 when they
        span the whole space.

    Raises
    ------
    ValueError
        If the arguments aren't finite or the shapes don't match.

    See Also
    --------
    nested_angles : What they are for.
    orthonormal_basis : The basis itself.

    Examples
    --------
    >>> coordinates, rest = dl.geometry.nested_coordinates([[2.0, 0.0, 0.0]], [3.0, 4.0, 0.0])
    >>> print(f"{abs(coordinates[0]):.3f}, {rest:.3f}")
    3.000, 4.000
    """
    X = _arguments.matrix("X", X)
    w = _arguments.vector("w", w, size=X.shape[1], like=f"X of shape {X.shape}")
    n, d = X.shape
    head = min(n, d)
    # The rows, read in Fortran's order, are the columns to factorise. LAPACK works on them in
    # place, where numpy.linalg.qr would copy and transpose them.
    rows = np.vstack([X[:head], w])
    scales = power_of_two(rows)
    rows *= scales
    lengths, columns = np.linalg.norm(rows[:head], axis=1), rows.T
    workspace, _ = lapack.dgeqrf_lwork(*columns.shape)
    triangle, *_ = lapack.dgeqrf(columns, lwork=int(workspace), overwrite_a=True)
    coordinates = np.zeros(n)
    scale = scales[head]
    if _all_independent(np.diagonal(triangle)[:head], lengths):
        coordinates[:head] = triangle[:head, head]
        rest = abs(triangle[head, head]) if n < d else 0.0
    else:
        basis, found = _gram_schmidt(X * power_of_two(X))
        coordinates[found] = basis @ (w * scale)
        rest = 0.0 if len(found) == d else length(w * scale - coordinates[found] @ basis)
    return coordinates / scale, float(rest / scale[0])


def _all_independent(diagonal: Vector, lengths: Vector) -> bool:
    # The columns of the triangle are as long as the rows that were factorised.
    return bool((np.abs(diagonal) > DEPENDENT * lengths).all())


def _gram_schmidt(X: Matrix) -> tuple[Matrix, Counts]:
    n, d = X.shape
    basis = np.empty((min(n, d), d))
    rows: list[int] = []
    for i, x in enumerate(X):
        found = basis[: len(rows)]
        # Twice is enough: the second pass removes what rounding left of the first.
        residual = x - (found @ x) @ found
        residual -= (found @ residual) @ found
        length = np.linalg.norm(residual)
        if length > DEPENDENT * np.linalg.norm(x):
            basis[len(rows)] = residual / length
            rows.append(i)
            if len(rows) == d:  # of any other row nothing would be left
                break
    return basis[: len(rows)], np.array(rows, dtype=int)


def _sine_and_cosine(X: Matrix, w: Vector) -> tuple[Vector, Vector]:
    """|x| sin and |x| cos of the angles between the rows of X and w, up to a common factor."""
    w = w * power_of_two(w)
    X = X * power_of_two(X)
    squared = w @ w
    along = (X @ w / squared)[:, None]
    product, error = _exact_product(along, w)
    # X - product is exact where the two nearly cancel, so the residual keeps its digits.
    residual = (X - product) - error
    residual -= (residual @ w / squared)[:, None] * w
    return length(residual), along[:, 0] * np.sqrt(squared)


def _exact_product(a: Floats, b: Floats) -> tuple[Floats, Floats]:
    """Dekker's product: a * b == product + error exactly (T. J. Dekker, 1971)."""
    product = a * b
    a_high, a_low = _split(a)
    b_high, b_low = _split(b)
    error = ((a_high * b_high - product) + a_high * b_low + a_low * b_high) + a_low * b_low
    return product, error


def _split(a: Floats) -> tuple[Floats, Floats]:
    # 2**27 + 1 halves the 53 bits of a float (Veltkamp); so does 2**27.
    shifted = a * 134217729.0
    high = shifted - (shifted - a)
    return high, a - high
