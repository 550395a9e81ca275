"""Theorem T2 and its sharper form T2+, on deep linear students: a property for each part.

Each statement is transcribed here, literally and slowly. The experiment is the library's:
gradient_flow, balanced_descent and gradient_descent. Where a flow is that of explicit layers, or
a network isn't linear, it is written out below. limit_offset and the two radii are tested
against a bisection and literal formulas elsewhere; here they are held against training.

A bound may hold because it is loose. So each has an example in which it is attained.
"""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import solve_ivp
from scipy.special import expit

from distill_lib import (
    balance_defect,
    balanced_descent,
    balanced_layers,
    closed_form_student,
    distillation_gradient,
    distillation_loss,
    end_to_end,
    gradient_descent,
    gradient_flow,
    initialisation_radius,
    limit_offset,
    sharp_initialisation_radius,
    soft_labels,
)

# ------------------------------------------------------------------ the theory, in small functions


def P_S(X):
    """The orthogonal projector on S = span(x_1, ..., x_n), from singular vectors."""
    _, lengths, directions = np.linalg.svd(X, full_matrices=False)
    basis = directions[lengths > 1e-10 * lengths[0]]
    return basis.T @ basis


def P_perp(X):
    return np.eye(X.shape[1]) - P_S(X)


def norm(v):
    return np.linalg.norm(v, axis=-1)


def q_infinity(X, teacher, w0, depth):
    """The root s of s^2 = k^2 (|w_hat|^2 + s^2)^(1 - 1/N), k = q_0 r_0^-(1 - 1/N), by halving."""
    q0, r0, student = norm(P_perp(X) @ w0), norm(w0), norm(P_S(X) @ teacher)
    k = q0 * r0 ** (-(1 - 1 / depth))
    low, high = 0.0, 100.0 * (1 + r0 + student)
    for _ in range(200):
        s = (low + high) / 2
        if s**2 < k**2 * (student**2 + s**2) ** (1 - 1 / depth):
            low = s
        else:
            high = s
    return low


def w_infinity(X, teacher, w0, depth):
    """w_hat + q_infinity q(0)/|q(0)|."""
    q = P_perp(X) @ w0
    return P_S(X) @ teacher + q_infinity(X, teacher, w0, depth) * q / norm(q)


def g_0(X, labels):
    return distillation_gradient(np.zeros(X.shape[1]), X, labels)


def differences(layers):
    """W_{j+1}^T W_{j+1} - W_j W_j^T for every j."""
    pairs = zip(layers[:-1], layers[1:], strict=True)
    return [after.T @ after - before @ before.T for before, after in pairs]


def layered_flow(X, labels, layers, times):
    """All the layers at the times, flowing: dW_j/dt = -(W_N .. W_j+1)^T g (W_j-1 .. W_1)^T."""
    ends = np.cumsum([layer.size for layer in layers])[:-1]

    def unpack(flat):
        parts = np.split(flat, ends)
        return [part.reshape(layer.shape) for part, layer in zip(parts, layers, strict=True)]

    def product(matrices, size):
        whole = np.eye(size)
        for matrix in matrices:
            whole = matrix @ whole
        return whole

    def velocity(_, flat):
        W = unpack(flat)
        g = distillation_gradient(product(W, X.shape[1])[0], X, labels)[None, :]
        return -np.concatenate([
            (product(W[j + 1 :], len(W[j])).T @ g @ product(W[:j], X.shape[1]).T).ravel()
            for j in range(len(W))
        ])  # fmt: skip

    solution = solve_ivp(
        velocity, (0, times[-1]), np.concatenate([layer.ravel() for layer in layers]),
        t_eval=times, method="DOP853", rtol=1e-11, atol=1e-13,
    )  # fmt: skip
    return [unpack(flat) for flat in solution.y.T]


# --------------------------------------------------------------------------------- the experiments


def problem(seed, n, d):
    """(X, teacher, a random unit vector): n < d inputs or more of them, |w_hat| of order one.

    Inputs are orthogonal, of lengths from 1 to 2 and with logits from 1/2 to 2 in size (all rows
    twice over, if n >= d), so that the curvature is known: at least sigma'(2) / n = 0.1 / n.
    """
    rng = np.random.default_rng(seed)
    rank = min(n, d)
    rows, _ = np.linalg.qr(rng.standard_normal((d, rank)))
    lengths = np.linspace(1, 2, rank)
    X = lengths[:, None] * rows.T
    outside = rng.standard_normal(d)
    outside -= rows @ (rows.T @ outside)
    teacher = rows @ (rng.uniform(0.5, 2, rank) * rng.choice([-1, 1], rank) / lengths) + outside
    direction = rng.standard_normal(d)
    if n >= d:
        X = np.vstack([X, -X[: n - d]])
    return X, teacher, direction / norm(direction)


def gaussian_layers(seed, widths, size=1.0):
    rng = np.random.default_rng(seed)
    shapes = zip(widths[1:], widths[:-1], strict=True)
    return tuple(size * rng.standard_normal(shape) for shape in shapes)


def downhill(X, labels, direction):
    """The sign of the direction that has g_0 . w <= 0: short starts have L(w) < L(0)."""
    return direction if g_0(X, labels) @ direction <= 0 else -direction


seeds = st.integers(0, 10**6)
depths = st.integers(2, 6)
norms = st.floats(-6.0, np.log10(3.0)).map(lambda power: 10.0**power)
sizes = st.sampled_from([(1, 2), (1, 5), (2, 4), (3, 4), (3, 7), (5, 9)])  # n < d

# The flow stops at |g| <= 1e-9, over a curvature of 0.02 a distance of 5e-8; its steps, some
# hundreds, are within 1e-10 each.
END = 1e-6


# ------------------------------------------------------------------------------------- T2+ (a)


@given(seeds, st.integers(2, 4), st.floats(0.3, 1.0))
@settings(max_examples=15)  # each is a differential equation for every entry of every layer
def test_t2a_the_flow_conserves_all_differences_of_neighbouring_layers(seed, depth, size):
    """From any start, balanced or not."""
    X, teacher, _ = problem(seed, 2, 4)
    layers = gaussian_layers(seed, [4, *[3] * (depth - 1), 1], size)
    ends = layered_flow(X, soft_labels(X, teacher), layers, [0.0, 1.0, 4.0])
    assert np.abs(ends[-1][0] - layers[0]).max() > 1e-2
    for end in ends:
        for before, after in zip(differences(layers), differences(end), strict=True):
            # The solver's 1e-11 over a few hundred steps, on entries up to 10.
            assert np.allclose(after, before, rtol=0, atol=1e-8)


@given(seeds, st.integers(2, 5), st.integers(1, 5), st.floats(0.1, 3.0))
def test_t2a_whatever_is_balanced_with_one_output_is_a_chain(seed, depth, width, size):
    """Built from the definition alone: W_j any root of W_{j+1}^T W_{j+1}, times any rotation."""
    rng = np.random.default_rng(seed)
    layers = [size * rng.standard_normal((1, width))]
    for columns in [width] * (depth - 2) + [width + 2]:
        values, vectors = np.linalg.eigh(layers[0].T @ layers[0])
        root = (vectors * np.sqrt(np.maximum(values, 0))) @ vectors.T
        rotation, _ = np.linalg.qr(rng.standard_normal((columns, columns)))
        layers.insert(0, root @ rotation[:width])
    scale = 1 + norm(layers[-1][0])
    assert balance_defect(layers) <= 1e-13 * scale**2
    w = end_to_end(layers)
    column = np.ones(1)
    for layer in reversed(layers):
        left, lengths, right = np.linalg.svd(layer)
        assert lengths[0] == pytest.approx(norm(w) ** (1 / depth), rel=1e-9)
        # An eigenvalue that is 0 has a rounding of 1e-16, its root one of 1e-8.
        assert np.all(lengths[1:] <= 1e-6 * scale)
        assert abs(left[:, 0] @ column) == pytest.approx(1, abs=1e-9)
        column = right[0]
    assert abs(column @ w) == pytest.approx(norm(w))


@given(seeds, st.integers(2, 4), st.floats(0.3, 2.0))
@settings(max_examples=15)
def test_t2a_balanced_layers_stay_balanced_of_rank_one_and_norm_r_to_the_1_over_N(
    seed, depth, size
):
    X, teacher, direction = problem(seed, 2, 4)
    rng = np.random.default_rng(seed)
    layers = balanced_layers(size * direction, depth, width=3, rng=rng)
    for end in layered_flow(X, soft_labels(X, teacher), layers, [0.0, 1.0, 4.0]):
        # The solver's tolerance, as above.
        assert balance_defect(end) <= 1e-8
        r = norm(end_to_end(end))
        for layer in end:
            lengths = np.linalg.svd(layer, compute_uv=False)
            assert lengths[0] == pytest.approx(r ** (1 / depth), abs=1e-8)
            assert np.all(lengths[1:] <= 1e-8)


@given(seeds, depths, sizes, st.floats(0.1, 2.0))
@settings(max_examples=40)
def test_t2a_the_end_to_end_equation(seed, depth, size, r0):
    """A step of descent on the layers, divided by the step, is -r^(2 - 2/N)(g + (N-1)(b.g) b)."""
    X, teacher, direction = problem(seed, *size)
    labels, w0 = soft_labels(X, teacher), r0 * direction
    g = distillation_gradient(w0, X, labels)
    velocity = -(r0 ** (2 - 2 / depth)) * (g + (depth - 1) * (direction @ g) * direction)
    layers = balanced_layers(w0, depth, width=3, rng=np.random.default_rng(seed))
    for run in (
        gradient_descent(X, labels, layers, step_size=1e-6, steps=1),
        balanced_descent(X, labels, w0, depth, step_size=1e-6, steps=1),
    ):
        moved = (run.weights[1] - run.weights[0]) / 1e-6
        # Second order in the step, times N^2 r0^2 |g|^2, and 1e-16 / 1e-6 of rounding.
        assert np.allclose(moved, velocity, rtol=0, atol=1e-3 * r0)
        assert norm(moved - velocity) <= 1e-3 * norm(velocity) + 1e-9


@given(seeds, depths, st.floats(0.3, 2.0))
@settings(max_examples=15)  # of hundreds of steps each, on explicit layers
def test_under_descent_layers_stay_rank_one_and_lose_balance_in_proportion_to_the_step(
    seed, depth, size
):
    X, teacher, direction = problem(seed, 2, 4)
    labels = soft_labels(X, teacher)
    layers = balanced_layers(size * direction, depth, width=3, rng=np.random.default_rng(seed))
    defects = []
    for step_size in (2e-3, 1e-3):
        steps = round(0.5 / step_size)
        run = gradient_descent(
            X, labels, layers, step_size=step_size, steps=steps, record_every=steps
        )
        defects.append(balance_defect(run.layers))
        for layer in run.layers:
            lengths = np.linalg.svd(layer, compute_uv=False)
            assert np.all(lengths[1:] <= 1e-13 * lengths[0])  # rounding, 500 times
    assert defects[0] > 1e-10  # rounding is 1e-14 at most
    # To first order in the step.
    assert defects[0] / defects[1] == pytest.approx(2.0, rel=0.05)


# ------------------------------------------------------------------------------------- T2+ (b)


@given(seeds, st.integers(1, 6), sizes, norms)
@settings(max_examples=80)  # each is a differential equation
def test_t2b_the_forgetting_law(seed, depth, size, r0):
    """q(t) = q(0) (r(t)/r0)^(1 - 1/N), as vectors."""
    X, teacher, direction = problem(seed, *size)
    run = gradient_flow(X, soft_labels(X, teacher), r0 * direction, depth=depth)
    q, r = run.weights @ P_perp(X), norm(run.weights)[:, None]
    expected = P_perp(X) @ (r0 * direction) * (r / r0) ** (1 - 1 / depth)
    # The solver's error, relative to the whole vector.
    assert np.all(np.abs(q - expected) <= END * np.maximum(r, np.abs(expected)))
    # In other words: sin of the angle to S is that at the start times (r0/r)^(1/N).
    sines = norm(q)[:, None] / r
    assert np.allclose(sines, sines[0] * (r0 / r) ** (1 / depth), rtol=0, atol=END)


@given(seeds, st.integers(2, 4))
@settings(max_examples=10)
def test_t2b_the_forgetting_law_on_explicit_layers(seed, depth):
    X, teacher, direction = problem(seed, 2, 4)
    layers = balanced_layers(0.5 * direction, depth, width=3, rng=np.random.default_rng(seed))
    flow = layered_flow(X, soft_labels(X, teacher), layers, [0.0, 1.0, 3.0, 9.0])
    weights = np.array([end_to_end(end) for end in flow])
    q, r = weights @ P_perp(X), norm(weights)[:, None]
    # The solver's 1e-11 over a few hundred steps.
    assert np.allclose(q, q[0] * (r / r[0]) ** (1 - 1 / depth), rtol=0, atol=1e-8)
    assert np.ptp(r) > 1e-3


@given(seeds, st.integers(1, 4), st.sampled_from([0.01, 0.1, 0.3]), st.floats(0.1, 0.5))
@settings(max_examples=30)
def test_what_the_first_layer_does_outside_the_span_is_frozen_whatever_the_start(
    seed, depth, step_size, size
):
    """Unbalanced Gaussian layers, large steps, arbitrary labels."""
    X, _, _ = problem(seed, 2, 5)
    layers = gaussian_layers(seed, [5, *[6] * (depth - 1), 1], size)
    run = gradient_descent(X, [0.9, 0.3], layers, step_size=step_size, steps=300, record_every=300)
    first, last = layers[0], run.layers[0]
    # 300 steps of rounding at 1e-16 of entries up to 2, summed over 5 of them.
    assert np.abs((last - first) @ P_perp(X)).max() <= 1e-13
    assert np.abs((last - first) @ P_S(X)).max() > 1e-6


@pytest.mark.parametrize("seed", range(3))
def test_the_same_for_a_relu_network_with_momentum_but_not_with_weight_decay(seed):
    X, teacher, _ = problem(seed, 3, 8)
    labels = soft_labels(X, teacher)

    def train(decay):
        rng = np.random.default_rng(seed)
        W, v = rng.standard_normal((20, 8)) / 3, rng.standard_normal(20) / 5
        start, speed_W, speed_v = W, np.zeros_like(W), np.zeros_like(v)
        for _ in range(300):
            hidden = np.maximum(X @ W.T, 0)
            residual = (expit(hidden @ v) - labels) / len(X)
            grad_v = hidden.T @ residual
            grad_W = (residual[:, None] * (hidden > 0) * v).T @ X
            speed_W, speed_v = 0.9 * speed_W - 0.1 * grad_W, 0.9 * speed_v - 0.1 * grad_v
            W, v = (1 - decay) * W + speed_W, (1 - decay) * v + speed_v
        return W - start

    moved = train(decay=0.0)
    # 300 steps of rounding.
    assert np.abs(moved @ P_perp(X)).max() <= 1e-13
    assert np.abs(moved @ P_S(X)).max() > 0.1
    assert np.abs(train(decay=1e-3) @ P_perp(X)).max() > 0.1


# ------------------------------------------------------------------------------------- T2+ (c)


@given(seeds, depths, sizes, norms, st.booleans())
@settings(max_examples=100)
def test_t2c_the_flow_ends_at_w_hat_plus_the_offset(seed, depth, size, r0, uphill):
    """Also from starts with L(w0) >= L(0), which half of these are: no smallness is needed."""
    X, teacher, direction = problem(seed, *size)
    labels = soft_labels(X, teacher)
    w0 = r0 * downhill(X, labels, direction)
    if uphill:
        w0 = -w0  # by convexity L(w0) >= L(0) + g_0 . w0
        assert distillation_loss(w0, X, labels) >= distillation_loss(0 * w0, X, labels)
    run = gradient_flow(X, labels, w0, depth=depth)
    assert run.converged
    assert norm(run.weights[-1] - w_infinity(X, teacher, w0, depth)) <= END
    # The library's closed formula, from the library's student.
    student = closed_form_student(X, teacher)
    offset = limit_offset(norm(P_perp(X) @ w0), r0, norm(student), depth)
    assert norm(run.weights[-1] - student) == pytest.approx(offset, abs=END)


def strong_convexity(X, labels, level):
    """A lower bound of mu: the least curvature of the loss on S where it is at most `level`.

    n times the loss bounds each term: KL(y, sigma(u)) <= n level. sigma' is least at an end of
    the interval of u that this allows, and the inputs span S with lengths of at least 1.
    """
    slopes = []
    for y in labels:
        grid = np.linspace(-60, 60, 24_001)
        divergence = y * np.log(y) + (1 - y) * np.log1p(-y) + np.logaddexp(0, grid) - y * grid
        inside = grid[divergence <= len(X) * level]
        ends = np.array([inside[0], inside[-1]])
        slopes.append(np.min(expit(ends) * expit(-ends)))
    return np.min(slopes) / len(X)


@given(seeds, depths, sizes, st.floats(0.1, 2.0), st.booleans())
@settings(max_examples=30)
def test_t2c_the_loss_falls_exponentially(seed, depth, size, r0, uphill):
    """L(w(t)) <= L(w0) exp(-2 mu r_min^(2-2/N) t), r_min >= r0 (q0/r0)^N."""
    X, teacher, direction = problem(seed, *size)
    labels = soft_labels(X, teacher)
    w0 = r0 * downhill(X, labels, direction) * (-1 if uphill else 1)
    run = gradient_flow(X, labels, w0, depth=depth)
    r, r_min = norm(run.weights), r0 * (norm(P_perp(X) @ w0) / r0) ** depth
    assert np.all(r >= r_min * (1 - END))
    mu = strong_convexity(X, labels, run.loss[0])
    # The loss of the solver's w, off by 1e-8 of it on the way and by 1e-18 at the end.
    for least in (r_min, r.min()):
        bound = run.loss[0] * np.exp(-2 * mu * least ** (2 - 2 / depth) * run.steps)
        assert np.all(run.loss <= bound * (1 + 1e-6) + 1e-16)


@given(seeds, st.integers(1, 6), st.sampled_from([(2, 2), (3, 2), (3, 3), (4, 3), (8, 5)]), norms)
@settings(max_examples=40)
def test_t2_with_d_inputs_or_more_the_flow_ends_at_the_teacher(seed, depth, size, r0):
    X, teacher, direction = problem(seed, *size)
    labels = soft_labels(X, teacher)
    run = gradient_flow(X, labels, r0 * downhill(X, labels, direction), depth=depth)
    assert run.converged
    assert norm(run.weights[-1] - teacher) <= END


# ------------------------------------------------------------------------------------- T2+ (d)


@pytest.mark.parametrize("epsilon", [1.0, 0.1, 0.01])
@pytest.mark.parametrize("depth", [2, 3, 4])
def test_t2d_at_the_sharp_radius_the_worst_direction_ends_at_epsilon(depth, epsilon):
    X, teacher, direction = problem(depth, 3, 6)
    labels, student = soft_labels(X, teacher), closed_form_student(X, teacher)
    worst = P_perp(X) @ direction
    worst /= norm(worst)

    def error(radius):
        run = gradient_flow(X, labels, radius * worst, depth=depth)
        assert run.converged
        return norm(run.weights[-1] - student)

    sharp = sharp_initialisation_radius(epsilon, norm(student), depth)
    # Four digits; the flow's own END is 1e-4 of the least epsilon.
    assert error(sharp) == pytest.approx(epsilon, rel=5e-5)
    # Necessary: 1 % above it is too much, 1 % below is not.
    assert error(0.99 * sharp) < epsilon * (1 - 1e-4) < epsilon * (1 + 1e-4) < error(1.01 * sharp)
    # The paper's radius is smaller by cos(psi). So is the error there, by a power of it between
    # 1/N and 1: the equation for s, differentiated, has d log s / d log r_0 between them.
    cosine = norm(student) / np.hypot(epsilon, norm(student))
    paper = error(initialisation_radius(epsilon, norm(student), depth))
    assert cosine * epsilon - END <= paper <= cosine ** (1 / depth) * epsilon + END


def test_t2d_by_hand_a_tenth_leaves_one_half():
    """|w_hat| = 1, N = 3, q0 = r0 = 1/10: k^2 (1 + 1/4)^(2/3) = (1/8)^(2/3) = 1/4."""
    X, teacher, direction = problem(4, 3, 6)
    teacher = teacher / norm(P_S(X) @ teacher)
    start = P_perp(X) @ direction
    run = gradient_flow(X, soft_labels(X, teacher), 0.1 * start / norm(start), depth=3)
    assert norm(run.weights[-1] - P_S(X) @ teacher) == pytest.approx(0.5, abs=END)
    assert limit_offset(0.1, 0.1, 1.0, 3) == pytest.approx(0.5, rel=1e-12)
    assert sharp_initialisation_radius(0.5, 1.0, 3) == pytest.approx(0.1, rel=1e-12)


@given(seeds, depths, sizes, st.floats(-2.0, 0.0), st.booleans())
@settings(max_examples=80)
def test_t2d_the_sharp_radius_is_sufficient_for_every_direction(seed, depth, size, power, uphill):
    X, teacher, direction = problem(seed, *size)
    labels, student, epsilon = soft_labels(X, teacher), closed_form_student(X, teacher), 10**power
    direction = downhill(X, labels, direction) * (-1 if uphill else 1)
    w0 = 0.999 * sharp_initialisation_radius(epsilon, norm(student), depth) * direction
    run = gradient_flow(X, labels, w0, depth=depth)
    assert run.converged
    assert norm(run.weights[-1] - student) <= epsilon + END


@given(seeds, depths, sizes, st.floats(-2.0, 1.0))
@settings(max_examples=80)
def test_t2_as_recalled(seed, depth, size, power):
    """Balanced, L(w0) < L(0), |w0| < epsilon^N (...)^(-N/2): ends within epsilon."""
    X, teacher, direction = problem(seed, *size)
    labels, student, epsilon = soft_labels(X, teacher), closed_form_student(X, teacher), 10**power
    w, N = norm(student), depth
    radius = epsilon**N * (epsilon**2 * w ** (-2 / N) + w ** (2 - 2 / N)) ** (-N / 2)
    assert radius < w
    w0 = 0.999 * radius * downhill(X, labels, direction)
    # A short start is below L(0), a longer one must be shortened towards the span's descent.
    while distillation_loss(w0, X, labels) >= distillation_loss(0 * w0, X, labels):
        w0 = w0 - 0.5 * P_S(X) @ w0
    run = gradient_flow(X, labels, w0, depth=depth)
    assert run.converged
    assert norm(run.weights[-1] - student) <= epsilon + END


@pytest.mark.parametrize("r0", [1e-3, 0.1])
def test_depth_makes_forgetting_slower_from_a_short_start_and_faster_from_a_long_one(r0):
    X, teacher, direction = problem(7, 3, 6)
    labels, student = soft_labels(X, teacher), closed_form_student(X, teacher)

    def offsets(inside):
        outside = P_perp(X) @ direction
        w0 = inside * student + r0 * outside / norm(outside)
        ends = [gradient_flow(X, labels, w0, depth=N).weights[-1] for N in (1, 2, 3, 5)]
        return norm(np.array(ends) - student)

    short, equal, long = (offsets(inside) for inside in (0.1, 1.0, 3.0))
    assert np.all(np.diff(short) > 0.1 * r0)
    assert np.allclose(equal, r0, rtol=0, atol=END)
    assert np.all(np.diff(long) < -0.05 * r0)


# ------------------------------------------------------------------------------------- T2+ (e)


@given(seeds, st.integers(2, 5), st.floats(0.05, 3.0))
@settings(max_examples=20)
def test_t2e_on_a_line_half_of_all_starts_end_in_the_saddle(seed, depth, r0):
    """dim S = 1 and q0 = 0, exactly, on the first axis: the half line against the descent."""
    rng = np.random.default_rng(seed)
    X, teacher = np.zeros((2, 3)), rng.standard_normal(3)
    X[:, 0], teacher[0] = rng.uniform(0.5, 2, 2), rng.choice([-1, 1]) * rng.uniform(0.3, 1.5)
    labels, start = soft_labels(X, teacher), np.array([r0 * np.sign(teacher[0]), 0, 0])
    wrong = gradient_flow(X, labels, -start, depth=depth)
    assert not wrong.converged
    assert norm(wrong.weights[-1]) <= 1e-90
    right = gradient_flow(X, labels, start, depth=depth)
    assert right.converged
    assert norm(right.weights[-1] - closed_form_student(X, teacher)) <= END
    # Anything at all outside the span is enough to get away.
    aside = gradient_flow(X, labels, -start + [0, 0.1 * r0, 0], depth=depth)
    assert aside.converged
    assert norm(aside.weights[-1] - w_infinity(X, teacher, -start + [0, 0.1 * r0, 0], depth)) <= END


@pytest.mark.parametrize("depth", [2, 4])
def test_t2e_in_a_plane_one_orbit_ends_in_the_saddle_and_arrives_along_the_ascent(depth):
    """Between a path that turns left at 0 and one that turns right, found by halving."""
    X, teacher, _ = problem(depth, 3, 2)
    labels = soft_labels(X, teacher)
    ascent = g_0(X, labels) / norm(g_0(X, labels))
    across = np.array([-ascent[1], ascent[0]])

    def path(angle):
        start = 0.1 * (np.cos(angle) * ascent + np.sin(angle) * across)
        run = gradient_flow(X, labels, start, depth=depth)
        return run.weights

    def side(weights):
        return np.sign(weights[norm(weights).argmin()] @ across)

    low, high = -1.0, 1.0
    assert side(path(low)) == -1
    assert side(path(high)) == 1
    for _ in range(25):
        middle = (low + high) / 2
        low, high = (middle, high) if side(path(middle)) == -1 else (low, middle)
    weights = path((low + high) / 2)
    # r sin^N: the angle is known to 2^-24, so that the path comes this near, up to a factor of 10.
    assert norm(weights).min() <= 0.1 * (10 * 2.0**-24) ** depth
    near = weights[np.argmax(norm(weights) < 1e-4)]
    assert near @ ascent / norm(near) >= 1 - 1e-6
    # Beside it nothing ends there.
    for beside in (low - 0.02, high + 0.02):
        weights = path(beside)
        assert norm(weights).min() >= 0.1 * 0.01**depth
        assert norm(weights[-1] - teacher) <= END


@given(seeds, st.integers(2, 5), st.sampled_from([(1, 2), (2, 4), (3, 7)]), st.floats(0.1, 0.6))
@settings(max_examples=30)
def test_t2c_the_distance_from_zero_is_attained_against_the_descent(seed, depth, size, share):
    """r >= r0 (q0/r0)^N, with equality for a short start along g_0 and off the span."""
    X, teacher, direction = problem(seed, *size)
    labels = soft_labels(X, teacher)
    ascent, outside = g_0(X, labels), P_perp(X) @ direction
    start = np.sqrt(1 - share**2) * ascent / norm(ascent) + share * outside / norm(outside)
    r = norm(gradient_flow(X, labels, 1e-7 * start, depth=depth).weights)
    # g is g_0 up to 1e-7 of it; the solver's steps miss the lowest point by 1 % at most.
    assert 1 - 1e-6 <= r.min() / (1e-7 * share**depth) <= 1.01


@pytest.mark.parametrize("depth", [2, 3, 4, 6])
def test_the_time_to_get_away_from_zero(depth):
    """log(1/r0)/(2|g_0|), or r0^-(1-2/N)/((N-2)|g_0|), up to a constant that differences lose."""
    X, teacher, _ = problem(1, 3, 6)
    labels = soft_labels(X, teacher)
    g = g_0(X, labels)

    def time(r0):
        run = gradient_flow(X, labels, -r0 * g / norm(g), depth=depth)
        return np.interp(-run.loss[0] / 2, -run.loss, run.steps)

    def law(r0):
        if depth == 2:
            return np.log(1 / r0) / (2 * norm(g))
        return r0 ** -(1 - 2 / depth) / ((depth - 2) * norm(g))

    # Where they differ g isn't g_0 yet or no longer: by r0, 1e-4, of it.
    assert time(1e-6) - time(1e-4) == pytest.approx(law(1e-6) - law(1e-4), rel=1e-2)


@given(seeds, depths, st.sampled_from([(2, 2), (3, 3), (4, 3), (8, 5)]), norms)
@settings(max_examples=40)
def test_t2e_in_a_plane_or_more_a_generic_start_above_L0_still_gets_there(seed, depth, size, r0):
    X, teacher, direction = problem(seed, *size)
    labels = soft_labels(X, teacher)
    w0 = -r0 * downhill(X, labels, direction)
    assert distillation_loss(w0, X, labels) >= distillation_loss(0 * w0, X, labels)
    run = gradient_flow(X, labels, w0, depth=depth)
    assert run.converged
    assert norm(run.weights[-1] - teacher) <= END


@given(seeds, st.integers(2, 5), st.sampled_from([(2, 2), (4, 3), (2, 4)]), st.floats(1.7, 2.7))
@settings(max_examples=30)
def test_the_closest_approach_to_the_saddle(seed, depth, size, phi):
    """r_min = r0 sin^N(phi0), phi0 > pi/2 the angle to -g_0; for r0 so small that g is g_0.

    dim S >= 2, or a component outside the span. With phi0 <= pi/2 the start itself is closest.
    """
    X, teacher, direction = problem(seed, *size)
    labels = soft_labels(X, teacher)
    descent = -g_0(X, labels) / norm(g_0(X, labels))
    across = direction - (direction @ descent) * descent
    w0 = 1e-7 * (np.cos(phi) * descent + np.sin(phi) * across / norm(across))
    r = norm(gradient_flow(X, labels, w0, depth=depth).weights)
    # g is g_0 up to Lambda r0 = 1e-7 of it. The solver's steps turn w by up to 1/20: the nearest
    # to the minimum misses it by N/2 (1/40)^2 at most.
    assert r.min() == pytest.approx(1e-7 * np.sin(phi) ** depth, rel=1e-2)
    ahead = 1e-7 * (-np.cos(phi) * descent + np.sin(phi) * across / norm(across))
    assert norm(gradient_flow(X, labels, ahead, depth=depth).weights).min() == pytest.approx(1e-7)


# ---------------------------------------------------------------------------------- discretisation


def recursion(X, labels, w0, depth, step_size, steps):
    """a and z of w = a^(N-1) z after every step, and the size eta |a|^(N-2) |g| of every step."""
    a = norm(w0) ** (1 / depth)
    z = w0 / a ** (depth - 1)
    states, step_sizes = [(a, z)], []
    for _ in range(steps):
        g = X.T @ (expit(X @ (a ** (depth - 1) * z)) - labels) / len(X)
        step_sizes.append(step_size * abs(a) ** (depth - 2) * norm(g))
        a, z = a - step_size * a ** (depth - 2) * (g @ z), z - step_size * a ** (depth - 1) * g
        states.append((a, z))
    return states, step_sizes


@given(seeds, st.integers(2, 5), sizes, st.floats(0.05, 1.0), st.sampled_from([0.05, 0.2, 0.4]))
@settings(max_examples=60)  # of hundreds or thousands of steps each
def test_discretisation_never_hurts(seed, depth, size, r0, step_size):
    """If eta |a|^(N-2) |g| <= 1 throughout: a^2 <= |z|^2, and the end is no further than q_inf."""
    X, teacher, direction = problem(seed, *size)
    labels = soft_labels(X, teacher)
    w0 = r0 * downhill(X, labels, direction)
    run = balanced_descent(
        X, labels, w0, depth,
        step_size=step_size, steps=200_000, tol=1e-9, record_every=100,
    )  # fmt: skip
    assert run.converged
    states, step_sizes = recursion(X, labels, w0, depth, step_size, run.steps[-1])
    assert max(step_sizes) <= 1
    D = np.array([a**2 - z @ z for a, z in states])
    assert np.all(D <= 1e-14)  # rounding
    # D_{k+1} <= D_k (1 - size^2), and there the sign of D comes from.
    assert np.all(D[1:] <= D[:-1] * (1 - np.array(step_sizes) ** 2) + 1e-14)
    # This is what the library does, up to rounding.
    weights = np.array([a ** (depth - 1) * z for a, z in (states[k] for k in run.steps)])
    assert np.allclose(run.weights, weights, rtol=0, atol=1e-10)
    offset = norm(run.weights[-1] - closed_form_student(X, teacher))
    # Gradient 1e-9 of the layers over a curvature of 0.02 and the layers' own factor.
    assert offset <= q_infinity(X, teacher, w0, depth) + END


def test_steps_that_are_too_long_may_end_further_away():
    """eta |g| > 1: one input, a start from which the flow ends exactly 1 away."""
    X, goal, start = np.array([[1.0, 0.0]]), np.array([1.0, 0.0]), np.array([-1.0, 1.0])
    labels = soft_labels(X, goal)
    assert q_infinity(X, goal, start, 2) == pytest.approx(1.0)
    for step_size, fits, least, most in ((4.0, False, 1.1, 1.2), (1.0, True, 0.9, 1.0)):
        states, sizes = recursion(X, labels, start, 2, step_size, 2000)
        assert (max(sizes) <= 1) == fits
        end = states[-1][0] * states[-1][1]
        assert abs(end[0] - 1) < 1e-9
        assert least < abs(end[1]) < most


@pytest.mark.parametrize("depth", [2, 3, 4])
def test_what_discretisation_helps_is_of_the_order_of_the_step(depth):
    X, teacher, direction = problem(3, 3, 6)
    labels, student = soft_labels(X, teacher), closed_form_student(X, teacher)
    w0 = 0.3 * downhill(X, labels, direction)
    gains = []
    for step_size in (0.1, 0.05):
        run = balanced_descent(
            X, labels, w0, depth, step_size=step_size, steps=200_000, tol=1e-10, record_every=10**6
        )
        assert run.converged
        gains.append(q_infinity(X, teacher, w0, depth) - norm(run.weights[-1] - student))
    assert gains[1] > 1e-5
    assert gains[0] / gains[1] == pytest.approx(2.0, rel=0.1)  # first order


@pytest.mark.parametrize("coordinates", ["input", "span"])
@given(seed=seeds, depth=depths)
@settings(max_examples=15)
def test_descent_freezes_the_direction_outside_the_span_and_its_first_layer(
    coordinates, seed, depth
):
    X, teacher, direction = problem(seed, 2, 5)
    w0 = 0.5 * direction
    run = balanced_descent(
        X, soft_labels(X, teacher), w0, depth, steps=300, step_size=0.1, coordinates=coordinates
    )
    first = P_perp(X) @ w0 / norm(w0) ** (1 - 1 / depth)
    # 300 steps of rounding.
    assert np.allclose(run.layers[0][0] @ P_perp(X), first, rtol=0, atol=1e-13)
    assert norm(run.layers[0][0] @ P_S(X) - P_S(X) @ w0 / norm(w0) ** (1 - 1 / depth)) > 1e-3
