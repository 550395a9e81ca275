"""How long is a vector whose squares may be no doubles?

These run in inner loops, on arrays that have been checked already: they check nothing.
"""

import numpy as np

from distill_lib._types import Floats


def power_of_two(vectors: Floats) -> Floats:
    """Return the power of two that brings the largest entry of a vector to [1, 2).

    Of a matrix, those of its rows, as a column. Multiplying by it is exact, but for entries that
    are 1e-308 times the largest one or less. From 2^-1000 to 2^1000 the power stays within the
    doubles, and so does its inverse: a vector beyond comes near to [1, 2), and a zero vector to 0.

    Parameters
    ----------
    vectors : ndarray, shape (..., d)
        One vector, or one in each row; finite.

    Returns
    -------
    ndarray, shape (..., 1)
        Powers of two.
    """
    largest = np.abs(vectors).max(axis=-1, keepdims=True)
    power: Floats = np.ldexp(1.0, np.clip(1 - np.frexp(largest)[1], -1000, 1000))
    return power


def length(vectors: Floats) -> Floats:
    """Return the length of a vector, or of each row, however long or short it is.

    Parameters
    ----------
    vectors : ndarray, shape (..., d)
        One vector, or one in each row; finite.

    Returns
    -------
    ndarray, shape (...,)
        Lengths, 0 only of a zero vector.
    """
    scale = power_of_two(vectors)
    lengths: Floats = np.linalg.norm(vectors * scale, axis=-1) / scale[..., 0]
    return lengths
