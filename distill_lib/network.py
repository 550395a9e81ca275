"""What is a deep linear network?"""

from distill_lib import _arguments


def end_to_end(layers):
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

    Raises
    ------
    ValueError
        If there is no layer, or neighbouring shapes don't match.
    """
    layers = _arguments.layers("layers", layers)
    w = layers[-1]
    for layer in reversed(layers[:-1]):
        w = w @ layer
    return w[0].copy()
