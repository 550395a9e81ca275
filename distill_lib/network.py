"""What is a deep linear network, and when is it balanced?"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from distill_lib import _arguments
from distill_lib._scaling import length, power_of_two
from distill_lib._types import Network, Vector


def end_to_end(layers: Sequence[ArrayLike]) -> Vector:
    r"""Return the weight vector that a deep linear network computes with.

    .. math::

        w^\top = W_N W_{N-1} \cdots W_1

    Parameters
    ----------
    layers : sequence of array_like
        :math:`W_1, \dots, W_N`, the first with d columns, the last with one row.

    Returns
    -------
    ndarray, shape (d,)
        The weights w.

    Raises
    ------
    ValueError
        If there is no layer, or neighbouring shapes don't match.

    See Also
    --------
    balanced_layers : Layers with given end-to-end weights.

    Examples
    --------
    >>> print(dl.end_to_end(([[1.0, 2.0], [3.0, 4.0]], [[1.0, 1.0]])))
    [4. 6.]
    """
    matrices = _arguments.layers("layers", layers)
    w = matrices[-1]
    for layer in reversed(matrices[:-1]):
        w = w @ layer
    return np.array(w[0])


def balanced_layers(
    w: ArrayLike, depth: int, *, width: int | None = None, rng: np.random.Generator
) -> Network:
    r"""Return a balanced network with given end-to-end weights and random hidden directions.

    .. math::

        W_1 = r^{1/N} u_1 b^\top , \quad W_j = r^{1/N} u_j u_{j-1}^\top , \quad
        W_N = r^{1/N} u_{N-1}^\top , \qquad r = \|w\| , \; b = w / r ,

    with independent uniform unit vectors :math:`u_j`. Then :math:`W_{j+1}^\top W_{j+1} = W_j
    W_j^\top` for all j. Every balanced network with one output has this form.

    Parameters
    ----------
    w : array_like, shape (d,)
        End-to-end weights; zero gives zero layers.
    depth : int
        N >= 1.
    width : int, optional
        Size of the hidden layers, d if left out.
    rng : numpy.random.Generator
        Draws the hidden directions.

    Returns
    -------
    tuple of ndarray
        W_1, ..., W_N.

    Raises
    ------
    ValueError
        If an argument can't be used; the message names it.

    See Also
    --------
    end_to_end : Its inverse.
    balance_defect : Which is 0 for these layers.

    References
    ----------
    Arora, Cohen & Hazan (2018), for balancedness; this book, chapter 4, for the form.

    Examples
    --------
    >>> layers = dl.balanced_layers([3.0, 4.0], 3, width=5, rng=np.random.default_rng(0))
    >>> [layer.shape for layer in layers]
    [(5, 2), (5, 5), (1, 5)]
    >>> print(dl.end_to_end(layers).round(3))
    [3. 4.]
    """
    w = _arguments.vector("w", w)
    depth = _arguments.count("depth", depth)
    width = w.size if width is None else _arguments.count("width", width)
    rng = _arguments.generator(rng)
    norm = length(w)
    if depth == 1 or norm == 0.0:
        shapes = zip([width] * (depth - 1) + [1], [w.size] + [width] * (depth - 1), strict=True)
        return (w[None, :].copy(),) if depth == 1 else tuple(np.zeros(shape) for shape in shapes)
    hidden = rng.standard_normal((depth - 1, width))
    hidden /= np.linalg.norm(hidden, axis=1, keepdims=True)
    scaled = w * power_of_two(w)  # a tiny norm has lost digits
    vectors = [scaled / np.linalg.norm(scaled), *hidden, np.ones(1)]
    scale = norm ** (1.0 / depth)
    return tuple(
        scale * np.outer(after, before)
        for before, after in zip(vectors[:-1], vectors[1:], strict=True)
    )


def balance_defect(layers: Sequence[ArrayLike]) -> float:
    r"""Return how far a network is from being balanced.

    .. math::

        \max_j \bigl\| W_{j+1}^\top W_{j+1} - W_j W_j^\top \bigr\|_F

    Conserved at 0 by gradient flow. 0 for a single layer.

    Parameters
    ----------
    layers : sequence of array_like
        :math:`W_1, \dots, W_N`.

    Returns
    -------
    float
        0 if and only if the network is balanced, up to rounding.

    Raises
    ------
    ValueError
        If there is no layer, or neighbouring shapes don't match.

    See Also
    --------
    balanced_layers : Layers that have none.

    References
    ----------
    Arora, Cohen & Hazan (2018).

    Examples
    --------
    >>> print(f"{dl.balance_defect(([[2.0, 0.0]], [[1.0]])):.3f}")
    3.000
    """
    matrices = _arguments.layers("layers", layers)
    scale = min(float(power_of_two(layer.ravel())[0]) for layer in matrices)
    matrices = [scale * layer for layer in matrices]
    pairs = zip(matrices[:-1], matrices[1:], strict=True)
    defects = (
        float(np.linalg.norm(after.T @ after - before @ before.T)) for before, after in pairs
    )
    return float(max(defects, default=0.0)) / scale / scale
