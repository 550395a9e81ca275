"""How does training get to its end?"""

from dataclasses import dataclass

import numpy as np
from scipy import special

from distill_lib import _arguments
from distill_lib.distillation import bernoulli_divergence, smoothness
from distill_lib.geometry import orthonormal_basis


@dataclass(frozen=True, eq=False)
class Trajectory:
    """A run of training, as it was recorded.

    Parameters
    ----------
    weights : ndarray, shape (T, d)
        The student's weight vector (of a network: end to end) at each recorded step.
    loss : ndarray, shape (T,)
        Its distillation loss.
    steps : ndarray of int, shape (T,)
        Which steps were recorded; the first is 0, the last is where the run ended.
    layers : tuple of ndarray
        The final layers W_1, ..., W_N; at depth 1 the weight vector as a (1, d) matrix.
    converged : bool
        Whether the gradient's norm at the end is at most `tol`.
    """

    weights: np.ndarray
    loss: np.ndarray
    steps: np.ndarray
    layers: tuple
    converged: bool


def gradient_descent(
    X,
    labels,
    start,
    *,
    step_size=None,
    steps,
    tol=0.0,
    record_every=1,
    coordinates="input",
):
    r"""Gradient descent on the distillation loss, from a vector or from the layers of a network.

    .. math::

        W_j \leftarrow W_j - \eta \, \nabla_{W_j} L(W_N \cdots W_1), \qquad j = 1, \dots, N,

    all layers at once; at depth 1 this is :math:`w \leftarrow w - \eta \nabla L(w)`.

    Parameters
    ----------
    X : array_like, shape (n, d)
        Inputs, one per row.
    labels : array_like, shape (n,)
        Labels in [0, 1].
    start : array_like, shape (d,), or tuple of array_like
        The starting weight vector, or the starting layers W_1, ..., W_N.
    step_size : float, optional
        :math:`\eta > 0`. Left out, it is the inverse of a bound on the curvature; at depth 1
        that bound is :math:`\Lambda`, see `smoothness`.
    steps : int
        The largest number of steps.
    tol : float
        Stop as soon as the gradient's norm (of all layers together) is at most this. At 0
        all steps are taken.
    record_every : int
        Record the start, every so many steps, and the end.
    coordinates : {"input", "span"}
        "span" runs a vector start in coordinates of the span of the inputs, where the
        gradient lives: the same iterates up to rounding, at n/d of the cost when n < d.

    Returns
    -------
    Trajectory
        Its `converged` tells whether the gradient's norm came down to `tol`.

    Raises
    ------
    ValueError
        If an argument can't be used; the message names it.
    FloatingPointError
        If the run diverges: a recorded loss isn't finite, or is above twice the starting
        loss. With a step size up to :math:`2 / \Lambda` the loss of a vector never rises.

    References
    ----------
    Phuong & Lampert (2019), section 3; this book, Theorem T1, for the step size.
    """
    X = _arguments.matrix("X", X)
    labels = _arguments.labels(labels, X)
    deep = isinstance(start, tuple | list) and any(np.ndim(layer) == 2 for layer in start)
    if deep:
        start = _arguments.layers("start", start, X)
    else:
        start = _arguments.vector("start", start, size=X.shape[1], like=f"X of shape {X.shape}")
    steps = _arguments.count("steps", steps, least=0)
    tol = _arguments.number("tol", tol, least=0.0)
    record_every = _arguments.count("record_every", record_every)
    if coordinates not in ("input", "span") or (deep and coordinates == "span"):
        raise ValueError(
            'coordinates must be "input", or "span" if the start is a vector; '
            f"got {coordinates!r} with a start of {'layers' if deep else 'a vector'}"
        )
    curvature = _network_curvature(X, labels, start) if deep else smoothness(X)
    if step_size is None:
        if not 0.0 < curvature < np.inf:
            raise ValueError(
                "step_size must be given: there is no bound on the curvature to choose it by, "
                "because labels of exactly 0 or 1 have no finite minimiser, or X is 0 or too large"
            )
        step_size = 1.0 / curvature
    step_size = _arguments.number("step_size", step_size, above=0.0)

    if deep:
        layers = tuple(layer.copy() for layer in start)
        iterates = _network_iterates(X, labels, layers, step_size)
    elif coordinates == "span":
        basis, _ = orthonormal_basis(X)
        inside = basis @ start
        outside = start - inside @ basis
        iterates = _vector_iterates(X @ basis.T, labels, inside, step_size)
    else:
        iterates = _vector_iterates(X, labels, start.copy(), step_size)

    weights, loss, recorded, converged = _run(
        iterates, labels, step_size, 2.0 / curvature, steps, tol, record_every
    )
    if coordinates == "span":
        weights = weights @ basis + outside
    if not deep:
        layers = (weights[-1:].copy(),)
    return Trajectory(weights, loss, recorded, layers, converged)


def _vector_iterates(X, labels, w, step_size):
    """Yield w, its logits and its gradient's squared norm; between yields move w in place."""
    logits, residual, gradient = np.empty(len(X)), np.empty(len(X)), np.empty(w.size)
    while True:
        np.dot(X, w, out=logits)
        special.expit(logits, out=residual)
        residual -= labels
        np.dot(residual, X, out=gradient)
        gradient /= len(X)
        yield w, logits, gradient @ gradient
        gradient *= step_size
        w -= gradient


def _network_iterates(X, labels, layers, step_size):
    """The same for the layers of a network, W_1 first; w is the network end to end.

    With g the gradient at w, the gradient of W_j is the outer product of the row
    W_N ... W_{j+1} and the column W_{j-1} ... W_1 g: a forward pass of g, a backward pass of 1.
    """
    buffers = [np.empty_like(layer) for layer in layers]
    while True:
        backward = [np.ones(1)]
        for layer in reversed(layers):
            backward.append(backward[-1] @ layer)
        w = backward.pop()
        backward.reverse()
        logits = X @ w
        forward = [(special.expit(logits) - labels) @ X / len(X)]
        for layer in layers[:-1]:
            forward.append(layer @ forward[-1])
        pairs = list(zip(backward, forward, strict=True))
        yield w, logits, sum((row @ row) * (column @ column) for row, column in pairs)
        for layer, buffer, (row, column) in zip(layers, buffers, pairs, strict=True):
            np.outer(step_size * row, column, out=buffer)
            layer -= buffer


def _run(iterates, labels, step_size, stable, steps, tol, record_every):
    """Follow the iterates, record some of them, and stop at the end, at rest or in divergence."""
    weights, recorded, pending, losses = [], [], [], []
    with np.errstate(over="ignore", invalid="ignore"):
        for step, (w, logits, squared_norm) in enumerate(iterates):
            converged = bool(squared_norm <= tol**2)
            last = step == steps or (converged and tol > 0)
            if last or step % record_every == 0:
                weights.append(w.copy())
                recorded.append(step)
                pending.append(logits.copy())
            # A hundred losses at once cost little more than one.
            if last or len(pending) == 100:
                losses.extend(np.mean(bernoulli_divergence(labels, np.array(pending)), axis=1))
                _check_descent(losses, recorded, len(losses) - len(pending), step_size, stable)
                pending.clear()
            if last:
                break
    return np.array(weights), np.array(losses), np.array(recorded), converged


def _check_descent(losses, recorded, first, step_size, stable):
    # A stable descent never rises above its start. Twice leaves room for what a deep network
    # does on its way; 1e-12 is far above the rounding of the loss (1e-16).
    for step, loss in zip(recorded[first:], losses[first:], strict=True):
        if not loss <= 2.0 * losses[0] + 1e-12:
            raise FloatingPointError(
                f"gradient descent diverged: by step {step} the loss went from "
                f"{losses[0]:.3g} to {loss:.3g} with step_size={step_size:.6g}; "
                f"the largest stable step size is {stable:.6g}: choose one below it, "
                "or leave step_size out"
            )


def _network_curvature(X, labels, layers):
    r"""A bound on the curvature of the loss in the layers, at the start and at the minimiser.

    While no layer's spectral norm exceeds rho, and the minimiser's norm is at most rho^N, the
    second derivative along a unit change of all layers is at most
    (3N - 2) Lambda rho^(2N-2): N from the first-order change of the product, 2(N - 1) from
    its second-order change times the gradient. At N = 1 it is Lambda. (This book.)
    """
    depth = len(layers)
    if (labels == 0.0).any() or (labels == 1.0).any():
        return np.inf
    minimiser = np.linalg.lstsq(X, special.logit(labels), rcond=None)[0]
    rho = max(np.linalg.norm(layer, 2) for layer in layers)
    rho = max(rho, np.linalg.norm(minimiser) ** (1.0 / depth))
    return (3 * depth - 2) * smoothness(X) * rho ** (2 * depth - 2)
