"""How does training get to its end?"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from distill_lib import _arguments
from distill_lib._coordinates import in_span, narrow_layers, scalar_and_vector
from distill_lib._logistic import bernoulli_divergence
from distill_lib._step_size import chosen_step
from distill_lib._types import Floats, Matrix, Network, Vector

# The weights, their logits, and the squared norm of the gradient there.
Iterates: TypeAlias = Iterator[tuple[Vector, Vector, float]]


@dataclass(frozen=True, eq=False)
class Trajectory:
    """A run of training, as it was recorded.

    A result that a function returns. Nothing is checked when one is made; what draws one checks
    what it draws.

    Parameters
    ----------
    weights : ndarray, shape (T, d)
        The student's weight vector (of a network: end to end) at each recorded step.
    loss : ndarray, shape (T,)
        Its distillation loss.
    steps : ndarray, shape (T,)
        Which steps were recorded; the first is 0, the last is where the run ended. For a flow,
        the times.
    layers : tuple of ndarray
        The final layers W_1, ..., W_N; at depth 1 the weight vector as a (1, d) matrix.
    converged : bool
        Whether the gradient's norm came down to `tol` (in a flow: up to the interpolation
        between two steps of the solver).

    See Also
    --------
    gradient_descent, balanced_descent, gradient_flow : Which return one.

    Examples
    --------
    >>> run = dl.gradient_descent([[1.0]], [0.75], [0.0], steps=3)
    >>> run.steps.tolist(), run.weights.shape, run.converged
    ([0, 1, 2, 3], (4, 1), False)
    """

    weights: Matrix
    loss: Vector
    steps: Floats
    layers: Network
    converged: bool


def gradient_descent(
    X: ArrayLike,
    labels: ArrayLike,
    start: ArrayLike | Sequence[ArrayLike],
    *,
    step_size: float | None = None,
    steps: int,
    tol: float = 0.0,
    record_every: int = 1,
    coordinates: str = "input",
) -> Trajectory:
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
        that bound is :math:`\Lambda`, see `smoothness`, which also says how far one may go.
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
        If the run is given up as diverging: a recorded loss isn't finite, or is above twice the
        starting loss. With a step size up to :math:`2 / \Lambda` the loss of a vector never rises;
        a larger one may do as well. The message names both limits of a vector, and of a network
        the step size that is taken if it is left out.

    See Also
    --------
    balanced_descent : The same for a balanced network, at the cost of depth one.
    closed_form_student : Its limit from zero.

    References
    ----------
    Phuong & Lampert (2019), section 3; this book, chapter 3, "The rate, from any start", for the
    step size.

    Examples
    --------
    >>> X, w = np.array([[1.0, 2.0], [0.0, 1.0]]), np.array([1.0, -1.0])
    >>> run = dl.gradient_descent(X, dl.soft_labels(X, w), np.zeros(2), steps=10**4, tol=1e-9)
    >>> run.converged
    True
    >>> print(run.weights[-1].round(3))
    [ 1. -1.]
    """
    X = _arguments.matrix("X", X)
    labels = _arguments.labels(labels, X)
    deep = isinstance(start, tuple | list) and any(np.ndim(layer) == 2 for layer in start)
    if deep:
        first = _arguments.layers("start", start, X)
    else:
        w = _arguments.vector("start", start, size=X.shape[1], like=f"X of shape {X.shape}")
        first = [w[None, :]]
    schedule = _schedule(steps, tol, record_every)
    if coordinates not in ("input", "span") or (deep and coordinates == "span"):
        raise ValueError(
            'coordinates must be "input", or "span" if the start is a vector; '
            f"got {coordinates!r} with a start of {'layers' if deep else 'a vector'}"
        )

    step_size, cure = chosen_step(step_size, X, labels, first)

    if deep:
        layers = tuple(layer.copy() for layer in first)
        iterates = _network_iterates(X, labels, layers, step_size)
        weights, loss, recorded, converged = _run(iterates, labels, step_size, cure, *schedule)
        return Trajectory(weights, loss, recorded, layers, converged)
    features, w, basis = in_span(X, w) if coordinates == "span" else (X, w.copy(), None)
    iterates = _vector_iterates(features, labels, w, step_size)
    weights, loss, recorded, converged = _run(iterates, labels, step_size, cure, *schedule)
    weights = weights if basis is None else weights @ basis
    return Trajectory(weights, loss, recorded, (weights[-1:].copy(),), converged)


def balanced_descent(
    X: ArrayLike,
    labels: ArrayLike,
    w0: ArrayLike,
    depth: int,
    *,
    step_size: float | None = None,
    steps: int,
    tol: float = 0.0,
    record_every: int = 1,
    coordinates: str = "input",
) -> Trajectory:
    r"""Gradient descent on a balanced deep linear network, at the cost of depth one.

    .. math::

        w = a^{N-1} z , \qquad
        a \leftarrow a - \eta\, a^{N-2} (g \cdot z) , \qquad
        z \leftarrow z - \eta\, a^{N-1} g , \qquad g = \nabla L(w) ,

    both from the old a and z, starting at :math:`a = \|w_0\|^{1/N}`, :math:`z = w_0 / a^{N-1}`.
    These are exactly the iterates of `gradient_descent` from ``balanced_layers(w0, depth)`` of
    any width: balanced layers have rank one, so have their gradients, in the same hidden frame.

    Parameters
    ----------
    X : array_like, shape (n, d)
        Inputs, one per row.
    labels : array_like, shape (n,)
        Labels in [0, 1].
    w0 : array_like, shape (d,)
        End-to-end weights of the balanced start.
    depth : int
        N >= 1.
    step_size : float, optional
        As in `gradient_descent`.
    steps : int
        The largest number of steps.
    tol : float
        Stop as soon as the gradient's norm (of all layers together) is at most this.
    record_every : int
        Record the start, every so many steps, and the end.
    coordinates : {"input", "span"}
        As in `gradient_descent`, but "span" is there for every depth.

    Returns
    -------
    Trajectory
        Its `layers` are those of width 1: the network up to the choice of its hidden frame.

    Raises
    ------
    ValueError
        If an argument can't be used; the message names it.
    FloatingPointError
        If the run diverges, as in `gradient_descent`.

    See Also
    --------
    gradient_descent : From any layers.
    gradient_flow : With infinitely small steps.

    References
    ----------
    This book, chapter 4, "Balanced descent".

    Examples
    --------
    >>> X, w = np.array([[1.0, 2.0], [0.0, 1.0]]), np.array([1.0, -1.0])
    >>> run = dl.balanced_descent(X, dl.soft_labels(X, w), 0.1 * w, 3, steps=10**4, tol=1e-9)
    >>> run.converged
    True
    >>> print(run.weights[-1].round(3))
    [ 1. -1.]
    """
    X = _arguments.matrix("X", X)
    labels = _arguments.labels(labels, X)
    w0 = _arguments.vector("w0", w0, size=X.shape[1], like=f"X of shape {X.shape}")
    depth = _arguments.count("depth", depth)
    schedule = _schedule(steps, tol, record_every)
    if coordinates not in ("input", "span"):
        raise ValueError(f'coordinates must be "input" or "span"; got {coordinates!r}')
    a, z = scalar_and_vector(w0, depth)
    step_size, cure = chosen_step(step_size, X, labels, narrow_layers(a, z, depth))

    features, z, basis = in_span(X, z) if coordinates == "span" else (X, z, None)
    factors = [a]
    iterates = _balanced_iterates(features, labels, factors, z, depth, step_size)
    weights, loss, recorded, converged = _run(iterates, labels, step_size, cure, *schedule)
    if basis is not None:
        weights, z = weights @ basis, z @ basis
    layers = narrow_layers(factors[0], z, depth)
    return Trajectory(weights, loss, recorded, layers, converged)


def _schedule(steps: int, tol: float, record_every: int) -> tuple[int, float, int]:
    return (
        _arguments.count("steps", steps, least=0),
        _arguments.number("tol", tol, least=0.0),
        _arguments.count("record_every", record_every),
    )


def _vector_iterates(X: Matrix, labels: Vector, w: Vector, step_size: float) -> Iterates:
    """Yield w, its logits and its gradient's squared norm; between yields move w in place."""
    logits, residual, gradient = np.empty(len(X)), np.empty(len(X)), np.empty(w.size)
    while True:
        np.dot(X, w, out=logits)
        special.expit(logits, out=residual)
        residual -= labels
        np.dot(residual, X, out=gradient)
        gradient /= len(X)
        yield w, logits, np.float64(gradient @ gradient)
        gradient *= step_size
        w -= gradient


def _balanced_iterates(
    X: Matrix, labels: Vector, factors: list[np.float64], z: Vector, depth: int, step_size: float
) -> Iterates:
    """The same for w = a^(N-1) z; a is kept as factors[0], z is moved in place.

    It is numpy's double: in a run that diverges it overflows to infinity, where Python's raises.
    """
    logits, residual, gradient, w = (np.empty(k) for k in (len(X), len(X), z.size, z.size))
    while True:
        (a,) = factors
        np.multiply(z, a ** (depth - 1), out=w)
        np.dot(X, w, out=logits)
        special.expit(logits, out=residual)
        residual -= labels
        np.dot(residual, X, out=gradient)
        gradient /= len(X)
        slope = a ** (depth - 2) * np.float64(gradient @ z) if depth > 1 else 0.0
        scale = a ** (depth - 1)
        yield w, logits, (depth - 1) * slope**2 + scale**2 * np.float64(gradient @ gradient)
        factors[0] = a - step_size * slope
        gradient *= step_size * scale
        z -= gradient


def _network_iterates(
    X: Matrix, labels: Vector, layers: Sequence[Matrix], step_size: float
) -> Iterates:
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
        yield w, logits, sum(np.float64((row @ row) * (column @ column)) for row, column in pairs)
        for layer, buffer, (row, column) in zip(layers, buffers, pairs, strict=True):
            np.outer(step_size * row, column, out=buffer)
            layer -= buffer


def _run(
    iterates: Iterates,
    labels: Vector,
    step_size: float,
    cure: Callable[[], str],
    steps: int,
    tol: float,
    record_every: int,
) -> tuple[Matrix, Vector, Floats, bool]:
    """Follow the iterates, record some of them, and stop at the end, at rest or in divergence."""
    weights: list[Vector] = []
    recorded: list[int] = []
    pending: list[Vector] = []
    losses: list[float] = []
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
                _check_descent(losses, recorded, len(losses) - len(pending), step_size, cure)
                pending.clear()
            if last:
                break
    return np.array(weights), np.array(losses), np.array(recorded), converged


def _check_descent(
    losses: Sequence[float],
    recorded: Sequence[int],
    first: int,
    step_size: float,
    cure: Callable[[], str],
) -> None:
    # Up to 2/Lambda a vector's loss never rises. Twice leaves room for what a larger step that
    # still converges, or a deep network, does on its way; 1e-12 is far above the rounding of the
    # loss (1e-16).
    for step, loss in zip(recorded[first:], losses[first:], strict=True):
        if not loss <= 2.0 * losses[0] + 1e-12:
            raise FloatingPointError(
                f"gradient descent diverged: by step {step} the loss went from "
                f"{losses[0]:.3g} to {loss:.3g} with step_size={step_size:.6g}; {cure()}"
            )
