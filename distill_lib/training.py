"""How does training get to its end?"""

from dataclasses import dataclass
from functools import partial

import numpy as np
from scipy import integrate, special

from distill_lib import _arguments
from distill_lib.distillation import bernoulli_divergence, smoothness
from distill_lib.geometry import length, orthonormal_basis


@dataclass(frozen=True, eq=False)
class Trajectory:
    """A run of training, as it was recorded.

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

    References
    ----------
    Phuong & Lampert (2019), section 3; this book, chapter 3, "The rate, from any start", for the
    step size.
    """
    X = _arguments.matrix("X", X)
    labels = _arguments.labels(labels, X)
    deep = isinstance(start, tuple | list) and any(np.ndim(layer) == 2 for layer in start)
    if deep:
        start = _arguments.layers("start", start, X)
    else:
        start = _arguments.vector("start", start, size=X.shape[1], like=f"X of shape {X.shape}")
    schedule = _schedule(steps, tol, record_every)
    if coordinates not in ("input", "span") or (deep and coordinates == "span"):
        raise ValueError(
            'coordinates must be "input", or "span" if the start is a vector; '
            f"got {coordinates!r} with a start of {'layers' if deep else 'a vector'}"
        )

    step_size, cure = _chosen_step(step_size, X, labels, start if deep else [start[None, :]])

    if deep:
        layers = tuple(layer.copy() for layer in start)
        iterates = _network_iterates(X, labels, layers, step_size)
        weights, *rest, converged = _run(iterates, labels, step_size, cure, *schedule)
        return Trajectory(weights, *rest, layers, converged)
    features, w, basis = _in_span(X, start) if coordinates == "span" else (X, start.copy(), None)
    iterates = _vector_iterates(features, labels, w, step_size)
    weights, *rest, converged = _run(iterates, labels, step_size, cure, *schedule)
    weights = weights if basis is None else weights @ basis
    return Trajectory(weights, *rest, (weights[-1:].copy(),), converged)


def balanced_descent(
    X,
    labels,
    w0,
    depth,
    *,
    step_size=None,
    steps,
    tol=0.0,
    record_every=1,
    coordinates="input",
):
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
    step_size, steps, tol, record_every, coordinates
        As in `gradient_descent`; "span" coordinates are there for every depth.

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

    References
    ----------
    This book, chapter 4, "Balanced descent".
    """
    X = _arguments.matrix("X", X)
    labels = _arguments.labels(labels, X)
    w0 = _arguments.vector("w0", w0, size=X.shape[1], like=f"X of shape {X.shape}")
    depth = _arguments.count("depth", depth)
    schedule = _schedule(steps, tol, record_every)
    if coordinates not in ("input", "span"):
        raise ValueError(f'coordinates must be "input" or "span"; got {coordinates!r}')
    a, z = _scalar_and_vector(w0, depth)
    step_size, cure = _chosen_step(step_size, X, labels, _narrow_layers(a, z, depth))

    features, z, basis = _in_span(X, z) if coordinates == "span" else (X, z, None)
    factors = [a]
    iterates = _balanced_iterates(features, labels, factors, z, depth, step_size)
    weights, *rest, converged = _run(iterates, labels, step_size, cure, *schedule)
    if basis is not None:
        weights, z = weights @ basis, z @ basis
    return Trajectory(weights, *rest, _narrow_layers(factors[0], z, depth), converged)


def gradient_flow(X, labels, w0, *, depth=1, max_time=np.inf, tol=1e-12, rtol=1e-10):
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

    References
    ----------
    Arora, Cohen & Hazan (2018), for the equation; this book, chapter 4, "The limit of a deep
    student", for its end.
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

    features, start, basis = _in_span(X, w0)
    if depth == 1:
        times, weights, converged = _vector_flow(features, labels, start, max_time, tol, rtol)
    else:
        times, weights, converged = _balanced_flow(
            features, labels, start, depth, max_time, tol, rtol
        )
    loss = np.mean(bernoulli_divergence(labels, weights @ features.T), axis=1)
    weights = weights @ basis
    layers = _narrow_layers(*_scalar_and_vector(weights[-1], depth), depth)
    return Trajectory(weights, loss, times, layers, converged)


def _schedule(steps, tol, record_every):
    return (
        _arguments.count("steps", steps, least=0),
        _arguments.number("tol", tol, least=0.0),
        _arguments.count("record_every", record_every),
    )


def _chosen_step(step_size, X, labels, layers):
    """Return the step size, and a function that says what helps a run that diverges with it."""
    cure = partial(_cure, X, labels, layers)
    if step_size is not None:
        return _arguments.number("step_size", step_size, above=0.0), cure
    curvature = _curvature(X, labels, layers)
    if (len(layers) > 1 and _any_hard(labels)) or not 0.0 < curvature < np.inf:
        raise ValueError(
            "step_size must be given: there is no bound on the curvature to choose it by, "
            "because X is 0 or too large, or because a deep network learns labels of exactly "
            "0 or 1, for which there may be no minimiser"
        )
    return 1.0 / curvature, cure


def _any_hard(labels):
    return bool((labels == 0.0).any() or (labels == 1.0).any())


def _cure(X, labels, layers):
    curvature = _curvature(X, labels, layers)
    if len(layers) > 1:
        return (
            f"the inverse of a bound on the curvature is {1.0 / curvature:.6g}: choose a step "
            "size of this order, or, unless labels are exactly 0 or 1, leave it out"
        )
    # A teacher with the logits u has the labels y = sigma(u), and sigma'(u) = y (1 - y).
    at_teacher = np.linalg.norm(np.sqrt(labels * (1.0 - labels))[:, None] * X, 2) ** 2 / len(X)
    near = (
        "; near a teacher that gives these labels descent is stable up to 2/lambda_max(H(w*)) = "
        f"{2.0 / at_teacher:.6g}"
        if at_teacher > 0.0
        else ""
    )
    return (
        f"up to 2/Lambda = {2.0 / curvature:.6g} the loss never rises, whatever the labels{near}: "
        "choose a step size below the first, or leave it out"
    )


def _in_span(X, start):
    """Return X, start and the basis of coordinates that hold all that descent can change.

    The last basis vector is the direction of the start outside the span, where no input has a
    component: its features are exactly 0.
    """
    basis, _ = orthonormal_basis(X)
    inside = basis @ start
    outside = start - inside @ basis
    distance = length(outside)
    # A start in the span keeps out of it nothing but rounding, on which no path may depend.
    if distance <= 1e-14 * length(start):
        distance = 0.0
    features = np.column_stack([X @ basis.T, np.zeros(len(X))])
    direction = outside / distance if distance > 0 else outside
    return features, np.append(inside, distance), np.vstack([basis, direction])


def _scalar_and_vector(w, depth):
    """Return a and z of balanced layers: w = a^(N-1) z, both of length |w|^(1/N)."""
    if depth == 1:
        return 1.0, w.copy()
    a = length(w) ** (1.0 / depth)
    return a, w / a ** (depth - 1) if a > 0 else w.copy()


def _narrow_layers(a, z, depth):
    return (z[None, :].copy(), *(np.array([[a]]) for _ in range(depth - 1)))


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


def _balanced_iterates(X, labels, factors, z, depth, step_size):
    """The same for w = a^(N-1) z; a is kept as factors[0], z is moved in place."""
    logits, residual, gradient, w = (np.empty(k) for k in (len(X), len(X), z.size, z.size))
    while True:
        (a,) = factors
        np.multiply(z, a ** (depth - 1), out=w)
        np.dot(X, w, out=logits)
        special.expit(logits, out=residual)
        residual -= labels
        np.dot(residual, X, out=gradient)
        gradient /= len(X)
        slope = a ** (depth - 2) * (gradient @ z) if depth > 1 else 0.0
        scale = a ** (depth - 1)
        yield w, logits, (depth - 1) * slope**2 + scale**2 * (gradient @ gradient)
        factors[0] = a - step_size * slope
        gradient *= step_size * scale
        z -= gradient


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


def _run(iterates, labels, step_size, cure, steps, tol, record_every):
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
                _check_descent(losses, recorded, len(losses) - len(pending), step_size, cure)
                pending.clear()
            if last:
                break
    return np.array(weights), np.array(losses), np.array(recorded), converged


def _check_descent(losses, recorded, first, step_size, cure):
    # Up to 2/Lambda a vector's loss never rises. Twice leaves room for what a larger step that
    # still converges, or a deep network, does on its way; 1e-12 is far above the rounding of the
    # loss (1e-16).
    for step, loss in zip(recorded[first:], losses[first:], strict=True):
        if not loss <= 2.0 * losses[0] + 1e-12:
            raise FloatingPointError(
                f"gradient descent diverged: by step {step} the loss went from "
                f"{losses[0]:.3g} to {loss:.3g} with step_size={step_size:.6g}; {cure()}"
            )


def _vector_flow(X, labels, start, max_time, tol, rtol):
    def velocity(t, w):
        return (labels - special.expit(X @ w)) @ X / len(X)

    def at_rest(t, w):
        return np.linalg.norm(velocity(t, w)) - tol

    at_rest.terminal = True
    if at_rest(0.0, start) <= 0:
        return np.zeros(1), start[None, :], True
    solution = integrate.solve_ivp(
        velocity,
        (0.0, min(max_time, 1e300)),
        start,
        method="LSODA",
        events=at_rest,
        rtol=rtol,
        atol=rtol * 1e-2,
    )
    return solution.t, solution.y.T, solution.status == 1


def _balanced_flow(X, labels, start, depth, max_time, tol, rtol):
    """Integrate (b, log r, t) in the time tau."""
    r0 = length(start)
    # One unit of tau at the start, so that t is of order one.
    unit = r0 ** (2.0 / depth - 1.0)

    def gradient(y):
        # A trial step of the solver may go far beyond the doubles, before it is taken back.
        w = np.exp(min(y[-2], 600.0)) * y[:-2]
        return (special.expit(X @ w) - labels) @ X / len(X)

    def velocity(tau, y):
        b, g = y[:-2], gradient(y)
        along = b @ g
        # |b| stays 1 up to the solver's error; dividing by b.b keeps it from drifting.
        turn = b * (along / (b @ b)) - g
        stretch = (2.0 / depth - 1.0) * (y[-2] - np.log(r0))
        return np.concatenate([turn, [-depth * along, np.exp(stretch)]])

    def at_rest(tau, y):
        return np.linalg.norm(gradient(y)) - tol

    def out_of_time(tau, y):
        return max_time / unit - y[-1]

    # Starts that only pass by 0 stay far above a norm of 1e-100, and tiny ones near their own.
    lowest = min(-100.0 * np.log(10.0), np.log(r0) - 50.0 * np.log(10.0))

    def in_the_saddle(tau, y):
        return y[-2] - lowest

    at_rest.terminal = out_of_time.terminal = in_the_saddle.terminal = True
    y0 = np.concatenate([start / r0, [np.log(r0), 0.0]])
    if at_rest(0.0, y0) <= 0:
        return np.zeros(1), start[None, :], True
    events = (at_rest, in_the_saddle) + ((out_of_time,) if np.isfinite(max_time) else ())
    solution = integrate.solve_ivp(
        velocity, (0.0, 1e300), y0, method="LSODA", events=events, rtol=rtol, atol=rtol
    )
    b, log_r, t = solution.y[:-2].T, solution.y[-2], solution.y[-1]
    b = b / np.linalg.norm(b, axis=1, keepdims=True)  # it is 1, up to the solver's error
    return unit * t, np.exp(log_r)[:, None] * b, bool(len(solution.t_events[0]))


def _curvature(X, labels, layers):
    """A bound on the curvature of the loss in the layers, from the start to the minimiser.

    While no layer's spectral norm exceeds rho, and a minimiser's norm is at most rho^N, the
    second derivative along a unit change of all layers is at most
    (3N - 2) Lambda rho^(2N-2): N from the first-order change of the product, 2(N - 1) from
    its second-order change times the gradient. At N = 1 it is Lambda.

    rho is that of the start, or of the least-norm vector whose logits come nearest to those of
    the labels: with labels of a linear teacher that is the shortest minimiser. Hard labels have
    no logits; then rho is that of the start. So at depth N > 1 the inverse of this bound is a step
    size that is chosen with reason, not one of which descent is proved: a layer may grow beyond
    rho.
    """
    depth = len(layers)
    if depth == 1:
        return smoothness(X)
    rho = max(np.linalg.norm(layer, 2) for layer in layers)
    if not _any_hard(labels):
        minimiser = np.linalg.lstsq(X, special.logit(labels), rcond=None)[0]
        rho = max(rho, np.linalg.norm(minimiser) ** (1.0 / depth))
    return (3 * depth - 2) * smoothness(X) * rho ** (2 * depth - 2)
