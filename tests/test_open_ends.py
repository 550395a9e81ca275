"""Beyond two classes and one loss: a property for each theorem, and where it is tight.

Theory: the closed forms and constants, transcribed literally and slowly from the statements.
Experiment: descent, flow and decisions in plain numpy, or the library where it can do it (two
classes). Theory and experiment share no code.
"""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, special, stats

from distill_lib import (
    angle,
    closed_form_student,
    gradient_descent,
    isotropic_expected_risk,
    soft_labels,
)

# ------------------------------------------------------------------ the theory, in small functions


def span(X):
    _, lengths, directions = np.linalg.svd(X, full_matrices=False)
    return directions[lengths > 1e-10 * lengths[0]]


def P(X):
    return span(X).T @ span(X)


def C(K):
    return np.eye(K) - np.ones((K, K)) / K


def W_hat(X, teacher):
    return P(X) @ teacher @ C(teacher.shape[1])


def W_bar(X, teacher, start):
    return W_hat(X, teacher) + start - P(X) @ start @ C(teacher.shape[1])


def D_0(X, teacher, start):
    return np.linalg.norm(P(X) @ start @ C(teacher.shape[1]) - W_hat(X, teacher))


def Lambda_K(X):
    return np.linalg.eigvalsh(X.T @ X)[-1] / (2 * len(X))


def m(X, teacher, radius):
    """The least probability of any class at each input, within this radius of W_bar."""
    powers = np.exp(X @ teacher)
    y = powers / powers.sum(axis=1, keepdims=True)
    return np.exp(-math.sqrt(2) * np.linalg.norm(X, axis=1) * radius) * y.min(axis=1)


def mu(X, teacher, start):
    form = sum(
        weight * np.outer(x, x)
        for weight, x in zip(m(X, teacher, D_0(X, teacher, start)), X, strict=True)
    )
    return np.linalg.eigvalsh(span(X) @ form @ span(X).T)[0] / len(X)


def omega(teacher, c, other, directions):
    """Pr[no class above c and other], over these points of their hyperplane's unit sphere."""
    normal = teacher[:, c] - teacher[:, other]
    normal = normal / np.linalg.norm(normal)
    ties = directions - np.outer(directions @ normal, normal)
    logits = ties @ teacher
    tied = np.maximum(logits[:, c], logits[:, other])
    return np.mean(logits.max(axis=1) <= tied + 1e-9)


def Omega(teacher, directions):
    """Omega of a teacher of shape (d, K); the directions' projections must be uniform."""
    pairs = itertools.combinations(range(teacher.shape[1]), 2)
    return sum(omega(teacher, c, other, directions) for c, other in pairs)


def m_K(K):
    """The expected largest of K standard normal numbers."""

    def density(x):
        return x * K * stats.norm.pdf(x) * math.exp((K - 1) * special.log_ndtr(x))

    return integrate.quad(density, -12, 12, epsabs=1e-12, limit=200)[0]


def Lambda_B(X, B):
    return B * np.linalg.eigvalsh(X.T @ X)[-1] / len(X)


# --------------------------------------------------------------------------------- the experiments


def loss(W, X, Y):
    """Mean KL(y || softmax) for matrices W."""
    return np.mean(np.sum(special.rel_entr(Y, special.softmax(X @ W, axis=1)), axis=1))


def descend(W, X, Y, step_size, steps):
    path = [W]
    for _ in range(steps):
        W = W - step_size * X.T @ (special.softmax(X @ W, axis=1) - Y) / len(X)
        path.append(W)
    return np.array(path)


def decisions(points, W):
    return np.argmax(points @ W, axis=1)


seeds = st.integers(0, 10**6)


@st.composite
def problems(draw):
    """(X, teacher, start, rng): up to six inputs, at times dependent; up to five classes."""
    rng = np.random.default_rng(draw(seeds))
    n, d, K = draw(st.integers(1, 5)), draw(st.integers(1, 6)), draw(st.integers(2, 5))
    X = rng.standard_normal((n, d))
    if draw(st.booleans()):
        X = np.vstack([X, -X[:1]])
    teacher = draw(st.sampled_from([0.1, 1.0])) * rng.standard_normal((d, K))
    start = draw(st.sampled_from([0.0, 0.1, 1.0])) * rng.standard_normal((d, K))
    return X, teacher, start, rng


# Condition of the normal X above, up to 1e4, times 1e-16 and the teacher; two digits to spare.
ROUNDING = 1e-10


# ----------------------------------------------------------------------- prop-softmax, (a) and (c)


@given(problems())
def test_softmax_the_perfect_students_are_those_with_this_centred_projection(problem):
    X, teacher, _, rng = problem
    Y = special.softmax(X @ teacher, axis=1)
    unseen = rng.standard_normal(teacher.shape)
    unseen -= P(X) @ unseen
    shift = rng.standard_normal((len(teacher), 1))
    for W in (teacher, W_hat(X, teacher), W_hat(X, teacher) + unseen + shift):
        # Quadratic near the minimum, but a divergence is a sum whose terms cancel: 1e-16 each.
        assert loss(W, X, Y) <= 1e-14
        assert np.allclose(P(X) @ W @ C(teacher.shape[1]), W_hat(X, teacher), atol=ROUNDING)


@given(problems(), st.floats(-2.0, 1.0))
def test_softmax_nothing_else_is_perfect(problem, power):
    """By Pinsker's inequality KL >= |s - y|_1^2 / 2."""
    X, teacher, _, rng = problem
    Y = special.softmax(X @ teacher, axis=1)
    away = P(X) @ rng.standard_normal(teacher.shape) @ C(teacher.shape[1])
    W = W_hat(X, teacher) + 10.0**power * away / np.linalg.norm(away)
    gap = np.abs(special.softmax(X @ W, axis=1) - Y).sum(axis=1)
    # The least singular value of X is at least 1e-4 or so, a probability at least 1e-4.
    assert np.mean(gap**2) / 2 > 1e-18
    assert loss(W, X, Y) >= np.mean(gap**2) / 2 - 1e-14  # the sum's rounding, as above


@given(problems())
def test_softmax_the_student_decides_like_the_projected_teacher(problem):
    X, teacher, _, rng = problem
    points = rng.standard_normal((100, len(teacher)))
    # From d inputs on (here 2 d) the projected teacher is the teacher, though the student isn't.
    many = rng.standard_normal((2 * len(teacher), len(teacher)))
    for inputs, alike in ((X, P(X) @ teacher), (many, teacher)):
        logits = np.sort(points @ alike, axis=1)
        clear = logits[:, -1] - logits[:, -2] > 1e-9  # not a tie
        says = decisions(points, W_hat(inputs, teacher))
        assert np.array_equal(says[clear], decisions(points, alike)[clear])


@given(seeds, st.integers(1, 5), st.integers(2, 6))
def test_softmax_with_two_classes_is_the_closed_form_student_and_its_descent(seed, n, d):
    """The difference of the columns moves twice as fast as the library's one vector."""
    rng = np.random.default_rng(seed)
    X, teacher = rng.standard_normal((n, d)), rng.standard_normal((d, 2))
    difference = teacher[:, 0] - teacher[:, 1]
    student = W_hat(X, teacher)
    expected = closed_form_student(X, difference)
    assert np.allclose(student[:, 0] - student[:, 1], expected, rtol=0, atol=ROUNDING)
    assert np.allclose(student[:, 0], -student[:, 1], rtol=0, atol=ROUNDING)
    eta = 1 / Lambda_K(X)
    path = descend(np.zeros((d, 2)), X, special.softmax(X @ teacher, axis=1), eta, 50)
    labels = soft_labels(X, difference)
    run = gradient_descent(X, labels, np.zeros(d), step_size=2 * eta, steps=50)
    # A run that has converged stops early.
    moved = path[run.steps, :, 0] - path[run.steps, :, 1]
    assert np.allclose(moved, run.weights, rtol=0, atol=1e-12)  # rounding of 50 steps


# ------------------------------------------------------------------------------- prop-softmax, (b)


@given(problems())
def test_softmax_the_gradient_sees_neither_the_complement_of_the_span_nor_the_mean(problem):
    """By central differences of the loss, which know nothing of any formula."""
    X, teacher, W, _ = problem
    Y, h, slopes = special.softmax(X @ teacher, axis=1), 1e-5, np.empty_like(teacher)
    for entry in np.ndindex(teacher.shape):
        step = np.zeros_like(teacher)
        step[entry] = h
        slopes[entry] = (loss(W + step, X, Y) - loss(W - step, X, Y)) / (2 * h)
    # Differences: rounding 1e-16 / h, and h^2.
    assert np.allclose(P(X) @ slopes, slopes, rtol=0, atol=1e-8)
    assert np.allclose(slopes.sum(axis=1), 0, rtol=0, atol=1e-8)
    one_step = (W - descend(W, X, Y, 1.0, 1)[1]) / 1.0
    assert np.allclose(one_step, slopes, rtol=0, atol=1e-8)


@given(problems(), st.floats(0.05, 1.95))
def test_softmax_descent_keeps_to_the_rate_and_never_moves_away(problem, share):
    X, teacher, start, _ = problem
    Y = special.softmax(X @ teacher, axis=1)
    eta = share / Lambda_K(X)
    path = descend(start, X, Y, eta, 100)
    errors = np.linalg.norm(path - W_bar(X, teacher, start), axis=(1, 2))
    least = mu(X, teacher, start)
    assert -1e-15 <= least <= Lambda_K(X)  # positive, where rounding leaves any of it
    rho = max(1 - eta * least, eta * Lambda_K(X) - 1)
    assert rho <= 1  # less, but perhaps by less than rounding
    assert errors[0] == pytest.approx(D_0(X, teacher, start), abs=ROUNDING)
    assert np.all(errors <= errors[0] * rho ** np.arange(101) + ROUNDING)


@st.composite
def clear_cut(draw):
    """Orthogonal inputs of lengths from 1 to 2 and a mild teacher: descent gets to its end."""
    rng = np.random.default_rng(draw(seeds))
    n, d, K = draw(st.integers(1, 4)), draw(st.integers(4, 6)), draw(st.integers(2, 5))
    rows, _ = np.linalg.qr(rng.standard_normal((d, n)))
    X = rng.uniform(1, 2, (n, 1)) * rows.T
    teacher, start = 0.5 * rng.standard_normal((2, d, K))
    return X, teacher, start * draw(st.sampled_from([0.0, 1.0]))


@given(clear_cut(), st.floats(0.5, 1.5))
@settings(max_examples=25)  # of 3000 steps each
def test_softmax_descent_ends_at_W_bar(problem, share):
    X, teacher, start = problem
    Y = special.softmax(X @ teacher, axis=1)
    end = descend(start, X, Y, share / Lambda_K(X), 3000)[-1]
    # Eigenvalues of H on V over Lambda_K: at least 2 * 0.01 / 4. 0.995^3000 is 3e-7; mostly less.
    assert np.allclose(end, W_bar(X, teacher, start), rtol=0, atol=1e-5)
    if not start.any():
        assert np.allclose(end, W_hat(X, teacher), rtol=0, atol=1e-5)
        assert np.allclose(end.sum(axis=1), 0, rtol=0, atol=1e-12)


@given(clear_cut())
@settings(max_examples=15)
def test_softmax_gradient_flow_ends_there_too(problem):
    X, teacher, start = problem
    Y = special.softmax(X @ teacher, axis=1)

    def velocity(_, w):
        W = w.reshape(teacher.shape)
        return -(X.T @ (special.softmax(X @ W, axis=1) - Y)).ravel() / len(X)

    # The slowest rate is 0.01 or more, over n <= 4.
    flow = integrate.solve_ivp(velocity, (0, 3000), start.ravel(), "LSODA", rtol=1e-9, atol=1e-11)
    end = flow.y[:, -1].reshape(teacher.shape)
    assert np.allclose(end, W_bar(X, teacher, start), rtol=0, atol=1e-5)  # 3e-4 of 2e-2 at worst


def test_softmax_the_largest_step_is_2_over_Lambda_K():
    """A teacher with two tied logits has the curvature 1/2, the largest there is."""
    X, teacher = np.array([[2.0, 0.0]]), np.zeros((2, 2))
    start = 1e-3 * np.array([[1.0, -1.0], [0.0, 0.0]])
    Y = special.softmax(X @ teacher, axis=1)
    assert Lambda_K(X) == 2.0
    small = descend(start, X, Y, 1.98 / Lambda_K(X), 2000)[-1]
    large = descend(start, X, Y, 2.02 / Lambda_K(X), 2000)[-1]
    assert np.abs(small).max() < 1e-9
    assert np.abs(large).max() > 1e-2


@pytest.mark.parametrize("K", [2, 3, 7])
def test_softmax_the_rate_is_attained_if_all_classes_tie(K):
    """Then J = C/K, all m_i are 1/K, and the error shrinks by exactly 1 - eta mu."""
    rng = np.random.default_rng(K)
    X = np.array([[2.0, 0.0, 0.0], [0.0, 1.0, 0.0]])
    teacher = np.zeros((3, K))
    start = np.zeros((3, K))
    start[1] = 1e-7 * rng.standard_normal(K)  # along the shorter input: the slowest direction
    eta = 1 / Lambda_K(X)
    path = descend(start, X, special.softmax(X @ teacher, axis=1), eta, 20)
    errors = np.linalg.norm(path - W_bar(X, teacher, start), axis=(1, 2))
    assert mu(X, teacher, start) == pytest.approx(1 / (2 * K), rel=1e-5)  # radius 1e-7
    ratio = 1 - eta * mu(X, teacher, start)
    # Probabilities are rounded, 1e-16 of changes of 1e-7.
    assert errors[1:] / errors[:-1] == pytest.approx(np.full(20, ratio), rel=1e-6)


@given(seeds, st.integers(2, 6), st.floats(0.01, 3.0))
def test_softmax_no_probability_within_the_radius_is_less_than_m(seed, K, radius):
    rng = np.random.default_rng(seed)
    X, teacher = rng.standard_normal((1, 4)), rng.standard_normal((4, K))
    E = rng.standard_normal((4, K))
    E *= radius / np.linalg.norm(E)
    found = special.softmax(X @ (teacher + E), axis=1)
    assert found.min() >= m(X, teacher, radius)[0] * (1 - 1e-12)


def test_softmax_m_is_nearly_attained():
    """By two classes that are pushed apart, the lesser one with the probability 1e-6."""
    X, teacher = np.array([[1.0]]), np.array([[math.log(1e6), 0.0]])
    for radius in (0.1, 1.0, 3.0):
        E = radius * np.array([[1.0, -1.0]]) / math.sqrt(2)
        found = special.softmax(X @ (teacher + E), axis=1).min()
        # The other class has the probability 1 up to 1e-6.
        assert found == pytest.approx(m(X, teacher, radius)[0], rel=1e-5)


# --------------------------------------------------------------------------------- prop-class-risk


def plane_risk(teacher, grid=720):
    """E R for d = 2, n = 1, all inputs and all test inputs on a grid of directions."""
    turns = 2 * np.pi * (np.arange(grid) + 0.5) / grid
    points = np.column_stack([np.cos(turns), np.sin(turns)])
    says = decisions(points, teacher)
    wrong = 0.0
    for input_ in points[: grid // 2]:  # the others have the same lines
        seen = np.outer(points @ input_, input_)
        wrong += np.mean(decisions(seen, teacher) != says)
    return wrong / (grid // 2)


def two_ties():
    """Every point of the circle's tie lines: Omega projects it, so any two directions do."""
    turns = np.linspace(0, 2 * np.pi, 360, endpoint=False) + 1e-3
    return np.column_stack([np.cos(turns), np.sin(turns)])


def fan(angles):
    return np.array([np.cos(angles), np.sin(angles)])


@given(seeds, st.integers(2, 6))
@settings(max_examples=30)  # of 360 inputs and 720 test inputs each
def test_class_risk_in_the_plane_is_at_most_the_number_of_walls_over_eight(seed, K):
    teacher = np.random.default_rng(seed).standard_normal((2, K))
    walls = Omega(teacher, two_ties())
    exact = walls * isotropic_expected_risk(1, 2)
    # Half of the points project to either end of a tie line: a wall that ends at 0 counts 1/2.
    assert walls == pytest.approx(round(2 * walls) / 2, abs=1e-12)
    # Each wall moves by up to a grid step: of 720.
    assert plane_risk(teacher) <= exact + 2 * walls / 720


@pytest.mark.parametrize(
    ("angles", "walls"),
    [((0, np.pi), 1.0), ((0, 2 * np.pi / 3, 4 * np.pi / 3), 1.5), ((0.3, 1.87, 3.44, 5.01), 2.0)],
)
def test_class_risk_is_attained_in_the_plane_if_all_cones_are_right_or_wider(angles, walls):
    """Then no arc of up to a right angle crosses two walls."""
    teacher = fan(np.array(angles))
    assert Omega(teacher, two_ties()) == walls
    # E R(1, 2) = 1/4; the grid's step is 1/720, and each wall moves by up to one.
    assert plane_risk(teacher) == pytest.approx(walls / 4, abs=2 * walls / 720)


@given(seeds, st.integers(3, 7))
def test_class_risk_three_classes_have_one_and_a_half_great_spheres(seed, d):
    """x and -x tie together; the third class is above at one of them."""
    rng = np.random.default_rng(seed)
    teacher, half = rng.standard_normal((d, 3)), rng.standard_normal((50, d))
    assert Omega(teacher, np.vstack([half, -half])) == pytest.approx(1.5, abs=1e-12)


@pytest.mark.parametrize(("K", "n", "d"), [(3, 2, 5), (4, 1, 4), (5, 6, 12), (8, 20, 30)])
def test_class_risk_bounds_the_risk_of_any_teacher(K, n, d):
    rng = np.random.default_rng(K)
    teacher = rng.standard_normal((d, K)) + rng.standard_normal((d, 1))
    walls = Omega(teacher, rng.standard_normal((4000, d)))
    risks = []
    for _ in range(300):
        X, test = rng.standard_normal((n, d)), rng.standard_normal((100, d))
        student = np.linalg.pinv(X) @ (X @ teacher)
        risks.append(np.mean(decisions(test, student) != decisions(test, teacher)))
    error = np.std(risks) / np.sqrt(300) + walls / np.sqrt(4000) * isotropic_expected_risk(n, d)
    assert np.mean(risks) <= walls * isotropic_expected_risk(n, d) + 4 * error


def test_class_risk_is_nearly_attained_for_a_small_angle():
    """n = 399, d = 400, where E R_2 is 0.013: an arc seldom crosses two walls."""
    K, n, d = 4, 399, 400
    rng = np.random.default_rng(9)
    teacher = rng.standard_normal((d, K))
    walls = Omega(teacher, rng.standard_normal((20_000, d)))
    # The student of n = d - 1 inputs: the projection off a uniform direction.
    wrong = total = 0
    for _ in range(300):
        off = rng.standard_normal(d)
        off /= np.linalg.norm(off)
        test = rng.standard_normal((500, d))
        student = teacher - np.outer(off, off @ teacher)
        wrong += np.sum(decisions(test, student) != decisions(test, teacher))
        total += len(test)
    ratio = wrong / total / isotropic_expected_risk(n, d)
    # 150,000 tests, 2% of them wrong: 2%. Omega from 20,000 points: 1%. Crossed twice: 1% or so.
    assert ratio == pytest.approx(walls, rel=0.06)


@pytest.mark.parametrize("K", [2, 3, 4, 6, 10])
def test_class_risk_the_mean_wall_area_of_a_normal_teacher(K):
    rng = np.random.default_rng(K)
    areas = [Omega(rng.standard_normal((6, K)), rng.standard_normal((200, 6))) for _ in range(150)]
    error = np.std(areas) / np.sqrt(150) + 1e-9
    assert abs(np.mean(areas) - math.sqrt(math.pi) * m_K(K)) <= 4 * error
    assert error < 0.02 * m_K(K) + 1e-6  # or the line above says nothing


def test_class_risk_the_expected_largest_of_normal_numbers():
    """Of two and three in closed form; of ten, tabulated as 1.53875."""
    assert m_K(2) == pytest.approx(1 / math.sqrt(math.pi), rel=1e-9)
    assert m_K(3) == pytest.approx(1.5 / math.sqrt(math.pi), rel=1e-9)
    assert m_K(10) == pytest.approx(1.53875, abs=5e-6)


def test_class_risk_the_expected_largest_is_below_the_root_of_2_log_K_but_not_by_much():
    for K in (2, 10, 10**3, 10**6, 10**12):
        assert m_K(K) <= math.sqrt(2 * math.log(K))
    # The ratio tends to 1, as slowly as log log K / log K.
    assert m_K(10**12) >= 0.93 * math.sqrt(2 * math.log(10**12))


@pytest.mark.parametrize(("K", "n", "d"), [(2, 3, 8), (5, 4, 10), (10, 18, 20)])
def test_class_risk_of_a_normal_teacher_is_that_of_pairs_of_normal_numbers(K, n, d):
    """Correlation cos(theta), cos(theta)^2 ~ Beta: a draw of numbers against one of inputs."""
    rng = np.random.default_rng(n)
    cosine = np.sqrt(stats.beta(n / 2, (d - n) / 2).rvs((100_000, 1), random_state=rng))
    z, fresh = rng.standard_normal((2, 100_000, K))
    both = cosine * z + np.sqrt(1 - cosine**2) * fresh
    theory = np.mean(z.argmax(axis=1) != both.argmax(axis=1))
    risks = []
    for _ in range(600):
        X, teacher = rng.standard_normal((n, d)), rng.standard_normal((d, K))
        test = rng.standard_normal((50, d))
        student = np.linalg.pinv(X) @ (X @ teacher)
        risks.append(np.mean(decisions(test, student) != decisions(test, teacher)))
    error = np.hypot(np.std(risks) / np.sqrt(600), 0.5 / np.sqrt(100_000))
    assert abs(np.mean(risks) - theory) <= 4 * error


# ------------------------------------------------------------------------------- prop-other-losses


def sigma(u):
    return special.expit(u)


def divergence(y, s):
    return special.rel_entr(y, s) + special.rel_entr(1 - y, 1 - s)


# name: (phi(u, u*), phi'(u, u*), B), as in the chapter's table.
LOSSES = {
    "divergence": (
        lambda u, v: divergence(sigma(v), sigma(u)),
        lambda u, v: sigma(u) - sigma(v),
        1 / 4,
    ),
    "temperature 3": (
        lambda u, v: divergence(sigma(v / 3), sigma(u / 3)),
        lambda u, v: (sigma(u / 3) - sigma(v / 3)) / 3,
        1 / (4 * 3**2),
    ),
    "reversed": (
        lambda u, v: divergence(sigma(u), sigma(v)),
        lambda u, v: sigma(u) * sigma(-u) * (u - v),
        1 / 4,
    ),
    "logits": (lambda u, v: (u - v) ** 2 / 2, lambda u, v: u - v, 1.0),
    "probabilities": (
        lambda u, v: (sigma(u) - sigma(v)) ** 2 / 2,
        lambda u, v: sigma(u) * sigma(-u) * (sigma(u) - sigma(v)),
        1 / 16,
    ),
}
any_loss = pytest.mark.parametrize("name", LOSSES)


def pull_along(w, X, teacher, pull, step_size, steps):
    path = [w]
    for _ in range(steps):
        w = w - step_size * X.T @ pull(X @ w, X @ teacher) / len(X)
        path.append(w)
    return np.array(path)


@any_loss
def test_other_losses_the_table_holds_and_its_constants_are_the_least(name):
    phi, pull, B = LOSSES[name]
    u, v = np.meshgrid(np.linspace(-6, 6, 121), np.linspace(-6, 6, 121))
    h = 1e-5
    slopes = (phi(u + h, v) - phi(u - h, v)) / (2 * h)
    assert np.allclose(pull(u, v), slopes, rtol=0, atol=1e-8)  # h^2 and rounding over h
    away = np.abs(u - v) > 1e-9
    assert np.all(np.sign(pull(u, v))[away] == np.sign(u - v)[away])
    ratio = np.abs(pull(u, v))[away] / np.abs(u - v)[away]
    assert ratio.max() <= B * (1 + 1e-9)
    assert ratio.max() >= 0.99 * B  # the grid has points that are a tenth apart, near 0


@st.composite
def single(draw):
    rng = np.random.default_rng(draw(seeds))
    n, d = draw(st.integers(1, 6)), draw(st.integers(1, 6))
    X = rng.standard_normal((n, d))
    if draw(st.booleans()):
        X = np.vstack([X, -2 * X[:1]])
    teacher = draw(st.sampled_from([0.1, 1.0, 4.0])) * rng.standard_normal(d)
    start = draw(st.sampled_from([0.0, 1.0, 4.0])) * rng.standard_normal(d)
    return X, teacher, start, rng


@any_loss
@given(single(), st.floats(0.05, 1.99))
@settings(max_examples=50)
def test_other_losses_the_distance_never_grows(name, problem, share):
    X, teacher, start, _ = problem
    _, pull, B = LOSSES[name]
    path = pull_along(start, X, teacher, pull, share / Lambda_B(X, B), 100)
    limit = P(X) @ teacher + start - P(X) @ start
    errors = np.linalg.norm(path - limit, axis=1)
    assert np.all(np.diff(errors) <= ROUNDING)
    outside = path - path @ P(X)
    assert np.allclose(outside, outside[0], rtol=0, atol=ROUNDING)


@any_loss
@given(seeds, st.integers(1, 4), st.booleans())
@settings(max_examples=15)  # of 5000 steps each
def test_other_losses_end_at_the_same_student(name, seed, n, from_zero):
    """Orthogonal inputs of lengths 1 to 2 and logits up to 2: thousands of steps are enough."""
    rng = np.random.default_rng(seed)
    rows, _ = np.linalg.qr(rng.standard_normal((6, n)))
    X = rng.uniform(1, 2, (n, 1)) * rows.T
    teacher = rng.uniform(-1, 1, 6) / 2
    start = np.zeros(6) if from_zero else rng.uniform(-1, 1, 6) / 2
    _, pull, B = LOSSES[name]
    end = pull_along(start, X, teacher, pull, 1 / Lambda_B(X, B), 5000)[-1]
    expected = closed_form_student(X, teacher) + start - P(X) @ start
    # Logits up to 2.5 in size: slopes of at least 0.07 B, times lengths 1/4: 0.98^5000.
    assert np.allclose(end, expected, rtol=0, atol=1e-9)


@given(single(), st.floats(0.1, 1.9), st.floats(0.1, 5.0))
@settings(max_examples=25)  # of 4000 steps each
def test_other_losses_any_pull_towards_the_teacher_will_do(problem, share, B):
    """A rough landscape: the pull's strength goes up and down, from B down to B/20."""
    X, teacher, start, rng = problem
    waves, shifts = rng.uniform(0.5, 5, len(X)), rng.uniform(0, 6, len(X))

    def pull(u, v):
        return B * (0.05 + 0.95 * np.sin(waves * u + shifts) ** 2) * (u - v)

    path = pull_along(start, X, teacher, pull, share / Lambda_B(X, B), 4000)
    limit = P(X) @ teacher + start - P(X) @ start
    errors = np.linalg.norm(path - limit, axis=1)
    assert np.all(np.diff(errors) <= ROUNDING)
    lengths = np.linalg.svd(X, compute_uv=False)
    slowest = share * 0.05 * (lengths[lengths > 1e-9][-1] / lengths[0]) ** 2
    rate = max(1 - slowest, share - 1)
    assert errors[-1] <= errors[0] * rate**4000 + ROUNDING


def test_other_losses_a_flat_bottom_only_costs_time():
    """phi' = tanh((u - u*)^3): no curvature at the teacher, and no rate either."""
    X, teacher = np.eye(2), np.array([1.0, -0.5])
    pull = lambda u, v: np.tanh((u - v) ** 3)  # noqa: E731
    errors = [
        np.linalg.norm(pull_along(np.zeros(2), X, teacher, pull, 1.0, steps)[-1] - teacher)
        for steps in (10, 1000, 30_000)
    ]
    # e' = -e^3 / 2 per step: e ~ k^(-1/2) in each of the two directions.
    assert errors[1] == pytest.approx(math.sqrt(2 / 1000), rel=0.05)
    assert errors[2] == pytest.approx(math.sqrt(2 / 30_000), rel=0.05)
    assert errors[0] > errors[1] > errors[2]


def test_other_losses_the_largest_step_is_2_over_Lambda_B():
    """Attained by the squared error of logits."""
    X, teacher = np.array([[3.0, 0.0], [0.0, 1.0]]), np.array([1.0, 1.0])
    _, pull, B = LOSSES["logits"]
    small = pull_along(np.zeros(2), X, teacher, pull, 1.99 / Lambda_B(X, B), 3000)[-1]
    large = pull_along(np.zeros(2), X, teacher, pull, 2.01 / Lambda_B(X, B), 3000)[-1]
    assert np.allclose(small, teacher, rtol=0, atol=1e-9)  # 0.99^3000 is 1e-13
    assert np.linalg.norm(large - teacher) > 1e3


def test_other_losses_a_pull_away_may_hold_descent_elsewhere():
    """So the assumption is needed: a second valley beyond a ridge."""
    X, teacher, start = np.array([[1.0]]), np.array([0.0]), np.array([3.0])
    pull = lambda u, v: 0.1 * (u - v) * (u - v - 1) * (u - v - 2)  # noqa: E731
    end = pull_along(start, X, teacher, pull, 0.1, 5000)[-1]
    assert end == pytest.approx([2.0], abs=1e-6)


@given(single())
def test_no_vector_in_the_span_is_closer_to_the_teacher(problem):
    """What the chapter says of mixed labels, penalties, early stopping: Lemma A, for any v in S."""
    X, teacher, _, rng = problem
    best = angle(closed_form_student(X, teacher), teacher)
    for scale in (1e-2, 1.0, 1e2):
        # Near the student and far from it.
        v = closed_form_student(X, teacher) + scale * rng.standard_normal(len(X)) @ X
        assert angle(v, teacher) >= best - 1e-7  # arccos near 1 keeps half of the digits


# ----------------------------------------------------------------------------------- feature space


@pytest.mark.parametrize(("seed", "n", "features"), [(0, 3, 8), (1, 8, 8), (2, 12, 8), (3, 5, 40)])
def test_in_feature_space_the_student_interpolates_with_the_kernel(seed, n, features):
    rng = np.random.default_rng(seed)
    frequencies, shifts = rng.standard_normal((features, 3)), rng.uniform(0, 2 * np.pi, features)

    def phi(x):
        return np.cos(x @ frequencies.T + shifts)

    x, fresh, teacher = (rng.standard_normal(s) for s in ((n, 3), (50, 3), features))
    kernel = phi(x) @ phi(x).T
    across = phi(fresh) @ phi(x).T
    interpolated = across @ np.linalg.pinv(kernel, rcond=1e-12) @ (phi(x) @ teacher)
    student = closed_form_student(phi(x), teacher)
    # 1e-6: the kernel squares the condition of the features, here up to 1e4.
    np.testing.assert_allclose(phi(fresh) @ student, interpolated, atol=1e-6)
    # Three-dimensional inputs, and still the teacher is found at n = D and not before.
    assert np.array_equal(student, teacher) == (n >= features)


def test_in_feature_space_descent_ends_at_the_same_student():
    rng = np.random.default_rng(4)
    frequencies = rng.standard_normal((10, 2))
    F, teacher = np.cos(rng.standard_normal((3, 2)) @ frequencies.T), rng.standard_normal(10)
    run = gradient_descent(
        F, soft_labels(F, teacher), np.zeros(10), steps=50_000, record_every=50_000
    )
    assert angle(run.weights[-1], closed_form_student(F, teacher)) < 1e-6  # converged geometrically


# -------------------------------------------------------------------------------------- break-even


def ridge(X, classes, penalty):
    """A rule: regularised least squares on the signs of the classes."""
    return np.linalg.solve(X.T @ X + penalty * np.eye(X.shape[1]), X.T @ (2 * classes - 1))


def wins(X, classes, sizes, penalties):
    """How often teacher and rival err less, over all deals of a table: two numbers."""
    found, rows = [0, 0], set(range(len(X)))
    for first in itertools.combinations(rows, sizes[0]):
        for second in itertools.combinations(rows - set(first), sizes[1]):
            rest = sorted(rows - set(first) - set(second))
            teacher, rival = (
                np.sum(
                    (X[rest] @ ridge(X[list(seen)], classes[list(seen)], penalty) >= 0)
                    != classes[rest]
                )
                for seen, penalty in zip((first, second), penalties, strict=True)
            )
            found[0] += teacher < rival
            found[1] += rival < teacher
    return found


@given(seeds, st.integers(1, 3))
@settings(max_examples=15)  # of up to 560 deals each
def test_break_even_over_all_deals_teacher_and_rival_win_equally_often(seed, size):
    """Seven rows with any classes: exactly, not on average."""
    rng = np.random.default_rng(seed)
    X, classes = rng.standard_normal((7, 2)), rng.random(7) < 0.5
    teacher, rival = wins(X, classes, (size, size), (0.1, 0.1))
    assert teacher == rival


def test_break_even_needs_one_rule_and_one_size():
    rng = np.random.default_rng(3)
    X = rng.standard_normal((7, 2))
    classes = X @ [1.0, 0.5] >= 0
    teacher, rival = wins(X, classes, (1, 3), (0.1, 0.1))
    assert rival > teacher  # it has seen three rows, the teacher one
    teacher, rival = wins(X, classes, (3, 3), (0.1, 1e4))
    assert rival != teacher
