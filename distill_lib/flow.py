"""How does training get to its end if its steps are infinitely small?"""

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike
from scipy import integrate, special

from distill_lib import _arguments
from distill_lib._coordinates import in_span, narrow_layers, scalar_and_vector
from distill_lib._logistic import bernoulli_divergence
from distill_lib._scaling import length
from distill_lib._types import Matrix, Vector
from distill_lib.training import Trajectory

Event: TypeAlias = Callable[[float, Vector], float]


def gradient_flow(
    X: ArrayLike,
    labels: ArrayLike,
    w0: ArrayLike,
    *,
    depth: int = 1,
    max_time: float = np.inf,
    tol: float = 1e-12,
    rtol: float = 1e-10,
) -> Trajectory:
    r"""Gradient flow of a balanced deep linear network, integrated to its limit.

    .. math::

        \dot w = -r^{2 - 2/N} \bigl(g + (N - 1)(b \cdot g)\, b\bigr) , \qquad
        r = \|w\| , \; b = w / r , \; g = \nabla L(w) ,

    for N = 1 the flow :math:`\dot w = -g`. For N >= 2 it is integrated in the rescaled time
    :math:`d\tau = r^{1 - 2/N} dt` and in the variables :math:`\log r` and b,

    .. math::

        \frac{d \log r}{d\tau} = -N (b \cdot g) , \qquad
        \frac{db}{d\tau} = -(I - b b^\top)\, g ,

    where nothing is small or large however small the start, so that the cost grows like
    :math:`\log(1/r_0)`. Coordinates are those of the span of the inputs and one more for the
    direction of `w0` outside it, which never changes.

    Parameters
    ----------
    X : array_like, shape (n, d)
        Inputs, one per row.
    labels : array_like, shape (n,)
        Labels in [0, 1].
    w0 : array_like, shape (d,)
        End-to-end weights of the balanced start; not zero if depth > 1, where zero is at rest.
    depth : int
        N >= 1.
    max_time : float
        Stop at this time t at the latest.
    tol : float
        Stop when :math:`\|g\|` has come down to this; > 0. The limit is then as near as this
        over the least curvature of the loss.
    rtol : float
        Relative tolerance of the solver, in [1e-12, 1e-3].

    Returns
    -------
    Trajectory
        At the solver's own steps; its `steps` are the times t, its `layers` those of width 1.
        `converged` is False if `max_time` came first, or if the flow ran into the saddle at 0.

    Raises
    ------
    ValueError
        If an argument can't be used; the message names it.

    See Also
    --------
    balanced_descent : With steps.
    limit_offset : How far from the closed-form student it ends.

    References
    ----------
    Arora, Cohen & Hazan (2018), for the equation; this book, chapter 4, "The limit of a deep
    student", for its end.

    Examples
    --------
    >>> X, w = np.array([[1.0, 2.0]]), np.array([1.0, -1.0])
    >>> run = dl.gradient_flow(X, dl.soft_labels(X, w), [0.001, 0.0], depth=2)
    >>> run.converged
    True
    >>> print(run.weights[-1].round(2), dl.closed_form_student(X, w).round(2))
    [-0.18 -0.41] [-0.2 -0.4]
    """
    X = _arguments.matrix("X", X)
    labels = _arguments.labels(labels, X)
    depth = _arguments.count("depth", depth)
    w0 = _arguments.vector(
        "w0", w0, size=X.shape[1], like=f"X of shape {X.shape}", nonzero=depth > 1
    )
    max_time = np.inf if max_time == np.inf else _arguments.number("max_time", max_time, above=0)
    tol = _arguments.number("tol", tol, above=0.0)
    rtol = _arguments.number("rtol", rtol, least=1e-12, most=1e-3)

    features, start, basis = in_span(X, w0)
    if depth == 1:
        times, weights, converged = _vector_flow(features, labels, start, max_time, tol, rtol)
    else:
        times, weights, converged = _balanced_flow(
            features, labels, start, depth, max_time, tol, rtol
        )
    loss = np.mean(bernoulli_divergence(labels, weights @ features.T), axis=1)
    weights = weights @ basis
    layers = narrow_layers(*scalar_and_vector(weights[-1], depth), depth)
    return Trajectory(weights, loss, times, layers, converged)


def _ending(event: Event) -> Any:
    """Let the solver stop where this is 0."""
    marked: Any = event
    marked.terminal = True
    return marked


def _vector_flow(
    X: Matrix, labels: Vector, start: Vector, max_time: float, tol: float, rtol: float
) -> tuple[Vector, Matrix, bool]:
    def velocity(t: float, w: Vector) -> Vector:
        return np.asarray((labels - special.expit(X @ w)) @ X / len(X))

    @_ending
    def at_rest(t: float, w: Vector) -> float:
        return float(np.linalg.norm(velocity(t, w)) - tol)

    if at_rest(0.0, start) <= 0:
        return np.zeros(1), start[None, :], True
    solution: Any = integrate.solve_ivp(
        velocity,
        (0.0, min(max_time, 1e300)),
        start,
        method="LSODA",
        events=at_rest,
        rtol=rtol,
        atol=rtol * 1e-2,
    )
    return solution.t, solution.y.T, solution.status == 1


def _balanced_flow(
    X: Matrix, labels: Vector, start: Vector, depth: int, max_time: float, tol: float, rtol: float
) -> tuple[Vector, Matrix, bool]:
    """Integrate (b, log r, t) in the time tau."""
    r0 = length(start)
    # One unit of tau at the start, so that t is of order one.
    unit = r0 ** (2.0 / depth - 1.0)

    def exp(exponent: float) -> float:
        # A trial step of the solver may go far beyond the doubles, before it is taken back.
        return float(np.exp(min(exponent, 600.0)))

    def gradient(y: Vector) -> Vector:
        w = exp(y[-2]) * y[:-2]
        return np.asarray((special.expit(X @ w) - labels) @ X / len(X))

    def velocity(tau: float, y: Vector) -> Vector:
        b, g = y[:-2], gradient(y)
        along = b @ g
        # |b| stays 1 up to the solver's error; dividing by b.b keeps it from drifting.
        turn = b * (along / (b @ b)) - g
        stretch = (2.0 / depth - 1.0) * (y[-2] - np.log(r0))
        return np.concatenate([turn, [-depth * along, exp(stretch)]])

    @_ending
    def at_rest(tau: float, y: Vector) -> float:
        return float(np.linalg.norm(gradient(y)) - tol)

    @_ending
    def out_of_time(tau: float, y: Vector) -> float:
        return float(max_time / unit - y[-1])

    # Starts that only pass by 0 stay far above a norm of 1e-100, and tiny ones near their own.
    lowest = min(-100.0 * np.log(10.0), np.log(r0) - 50.0 * np.log(10.0))

    @_ending
    def in_the_saddle(tau: float, y: Vector) -> float:
        return float(y[-2] - lowest)

    y0 = np.concatenate([start / r0, [np.log(r0), 0.0]])
    if at_rest(0.0, y0) <= 0:
        return np.zeros(1), start[None, :], True
    events = (at_rest, in_the_saddle, out_of_time)
    solution: Any = integrate.solve_ivp(
        velocity, (0.0, 1e300), y0, method="LSODA", events=events, rtol=rtol, atol=rtol
    )
    # Of b as it is, at whose end the gradient has come down to tol; its length is 1 up to the
    # solver's error, and to make it 1 would move the end away from there.
    b, log_r, t = solution.y[:-2].T, solution.y[-2], solution.y[-1]
    return unit * t, np.exp(log_r)[:, None] * b, bool(solution.t_events[0].size)
