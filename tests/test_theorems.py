"""Theorem T1 with its facts and remarks: a property for each, and an example in which it is tight.

Each theorem is transcribed here, literally and slowly, from its statement. The experiment is
the library's: closed_form_student, distillation_loss, distillation_gradient, gradient_descent.
Theory and experiment share no code.

A bound may hold because it is loose. So each has an example in which it is attained, up to a
tolerance that is stated: a constant that is off by a few per cent fails one or the other.
"""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import solve_ivp
from scipy.special import entr, expit

from distill_lib import (
    closed_form_student,
    distillation_gradient,
    distillation_loss,
    gradient_descent,
    hard_labels,
    soft_labels,
    transfer_risk,
)
from distill_lib.geometry import orthonormal_basis

# ------------------------------------------------------------------ the theory, in small functions


def span(X):
    """An orthonormal basis of S = span(x_1, ..., x_n), one vector per row (singular vectors)."""
    _, lengths, directions = np.linalg.svd(X, full_matrices=False)
    return directions[lengths > 1e-10 * lengths[0]]


def P_S(X):
    return span(X).T @ span(X)


def P_perp(X):
    return np.eye(X.shape[1]) - P_S(X)


def w_hat(X, teacher):
    """The teacher, seen from S."""
    return P_S(X) @ teacher


def w_bar(X, teacher, start):
    """Where training from `start` ends: w_hat + P_perp w_0."""
    return w_hat(X, teacher) + P_perp(X) @ start


def D_0(X, teacher, start):
    return np.linalg.norm(P_S(X) @ start - w_hat(X, teacher))


def secant(u, u_star):
    """(sigma(u) - sigma(u*)) / (u - u*), and sigma'(u*) for u = u*.

    Written as sinh(h)/h / (4 cosh(u/2) cosh(u*/2)), h = (u - u*)/2, which doesn't cancel.
    """
    h = (u - u_star) / 2
    with np.errstate(invalid="ignore"):
        ratio = np.where(np.abs(h) < 1e-8, 1.0, np.sinh(h) / h)
    return ratio / (4 * np.cosh(u / 2) * np.cosh(u_star / 2))


def H(X, teacher, w):
    """(1/n) X^T diag(c(w)) X."""
    return X.T @ np.diag(secant(X @ w, X @ teacher)) @ X / len(X)


def Lambda(X):
    return np.linalg.eigvalsh(X.T @ X)[-1] / (4 * len(X))


def worst_secants(X, teacher, start):
    """c_i: the smaller of the secant slopes at u_i* +- |x_i| D_0."""
    u_star, reach = X @ teacher, np.linalg.norm(X, axis=1) * D_0(X, teacher, start)
    return np.minimum(secant(u_star - reach, u_star), secant(u_star + reach, u_star))


def mu(X, teacher, start):
    """The least positive eigenvalue of (1/n) X^T diag(c) X, that is its least one on S."""
    form = X.T @ np.diag(worst_secants(X, teacher, start)) @ X / len(X)
    return np.linalg.eigvalsh(span(X) @ form @ span(X).T)[0]


def rho(X, teacher, start, step_size):
    return max(1 - step_size * mu(X, teacher, start), step_size * Lambda(X) - 1)


def local_rates(X, teacher):
    """Eigenvalues and eigenvectors, on S, of (1/n) X^T diag(sigma'(u*)) X; ascending."""
    slopes = expit(X @ teacher) * expit(-X @ teacher)
    rates, vectors = np.linalg.eigh(span(X) @ (X.T @ np.diag(slopes) @ X / len(X)) @ span(X).T)
    return rates, span(X).T @ vectors


# --------------------------------------------------------------------------------- the experiments


@st.composite
def problems(draw):
    """(X, teacher, start): normal inputs, at times dependent; a start in general position."""
    rng = np.random.default_rng(draw(st.integers(0, 10**6)))
    n, d = draw(st.integers(1, 7)), draw(st.integers(1, 7))
    X = rng.standard_normal((n, d))
    if draw(st.booleans()):
        X = np.vstack([X, -2 * X[:1], np.ones(n) @ X])
    teacher = draw(st.sampled_from([0.1, 1.0, 3.0])) * rng.standard_normal(d)
    start = draw(st.sampled_from([0.0, 0.1, 1.0, 3.0])) * rng.standard_normal(d)
    return X, teacher, start


def clear_cut(seed, n=3, d=5):
    """(X, teacher, rng): orthogonal inputs of lengths from 1 to 2, logits from 1/2 to 2 in size.

    So the rates are known, and training gets to its end in thousands of steps.
    """
    rng = np.random.default_rng(seed)
    rows, _ = np.linalg.qr(rng.standard_normal((d, n)))
    X = np.linspace(1, 2, n)[:, None] * rows.T
    return X, with_logits(X, rng.uniform(0.5, 2, n) * rng.choice([-1, 1], n), rng), rng


def with_logits(X, logits, rng):
    """A teacher with these logits on orthogonal inputs, and something outside their span."""
    return logits / np.sum(X**2, axis=1) @ X + P_perp(X) @ rng.standard_normal(X.shape[1])


seeds = st.integers(0, 10**6)

# Condition of the normal X above, up to 1e4, times 1e-16 and the size of the teacher; two digits
# to spare.
ROUNDING = 1e-10


# ----------------------------------------------------------------------------------------- Fact 1


@given(problems(), seeds)
def test_fact_1_the_minimisers_are_w_hat_plus_the_complement_of_the_span(problem, seed):
    X, teacher, _ = problem
    labels = soft_labels(X, teacher)
    any_vector = np.random.default_rng(seed).standard_normal(X.shape[1])
    # The loss is quadratic near its minimum: rounding of the logits, squared.
    for minimiser in (teacher, w_hat(X, teacher), w_bar(X, teacher, any_vector)):
        assert distillation_loss(minimiser, X, labels) <= ROUNDING**2
    # Of all of them, w_hat is the shortest, and the library's.
    student = closed_form_student(X, teacher)
    assert np.allclose(student, w_hat(X, teacher), rtol=0, atol=ROUNDING)
    assert np.linalg.norm(student) <= np.linalg.norm(w_bar(X, teacher, any_vector)) + ROUNDING


@given(problems(), seeds, st.floats(-3.0, 1.0))
def test_fact_1_nothing_else_is_a_minimiser(problem, seed, power):
    """If P_S(w - w_hat) isn't 0, the loss isn't, by Pinsker: KL >= 2 (sigma(u) - y)^2."""
    X, teacher, start = problem
    labels = soft_labels(X, teacher)
    away = P_S(X) @ np.random.default_rng(seed).standard_normal(X.shape[1])
    w = w_bar(X, teacher, start) + 10.0**power * away / np.linalg.norm(away)
    pinsker = np.mean(2 * (expit(X @ w) - expit(X @ teacher)) ** 2)
    assert pinsker > ROUNDING**2
    # The difference of the two probabilities is rounded: 1e-16 of a difference of 1e-9 or more.
    assert distillation_loss(w, X, labels) >= pinsker * (1 - 1e-6)


# ----------------------------------------------------------------------------------------- Fact 2


@given(seeds, st.integers(1, 8), st.integers(1, 8))
def test_fact_2_inputs_with_a_density_have_full_rank_and_d_of_them_give_the_teacher(seed, n, d):
    rng = np.random.default_rng(seed)
    X, teacher = rng.standard_normal((n, d)), rng.standard_normal(d)
    assert len(orthonormal_basis(X)[0]) == min(n, d)
    expected = teacher if n >= d else X.T @ np.linalg.solve(X @ X.T, X @ teacher)
    # The Gram matrix squares the condition.
    assert np.allclose(closed_form_student(X, teacher), expected, rtol=0, atol=1e-8)


@given(problems(), seeds)
def test_fact_2_only_the_span_matters(problem, seed):
    X, teacher, _ = problem
    rng = np.random.default_rng(seed)
    student = closed_form_student(X, teacher)
    rescaled = 10.0 ** rng.uniform(-6, 6, (len(X), 1)) * X
    rotation, _ = np.linalg.qr(rng.standard_normal((len(X), len(X))))
    for same_span in (rescaled, (rotation * rng.uniform(0.5, 2, len(X))) @ X):
        assert np.allclose(closed_form_student(same_span, teacher), student, rtol=0, atol=ROUNDING)


# ----------------------------------------------------------------------------------------- Fact 3


@given(problems(), seeds)
def test_fact_3_the_gradient_is_H_times_the_way_to_any_minimiser(problem, seed):
    X, teacher, w = problem
    any_vector = np.random.default_rng(seed).standard_normal(X.shape[1])
    gradient = distillation_gradient(w, X, soft_labels(X, teacher))
    for minimiser in (teacher, w_bar(X, teacher, w), w_bar(X, teacher, any_vector)):
        expected = H(X, teacher, w) @ (w - minimiser)
        assert np.allclose(gradient, expected, rtol=0, atol=ROUNDING)


@given(problems())
def test_fact_3_the_curvature_is_between_zero_and_Lambda(problem):
    X, teacher, w = problem
    c = secant(X @ w, X @ teacher)
    assert np.all((c > 0) & (c <= 0.25 * (1 + 1e-15)))  # the last rounding of a quotient
    eigenvalues = np.linalg.eigvalsh(H(X, teacher, w))
    # An eigenvalue is rounded relative to the largest.
    assert eigenvalues[0] >= -1e-14 * Lambda(X)
    assert eigenvalues[-1] <= Lambda(X) * (1 + 1e-14)


@given(problems())
def test_fact_3_Lambda_is_attained_where_student_and_teacher_are_undecided(problem):
    X, teacher, _ = problem
    v = np.linalg.eigh(X.T @ X)[1][:, -1]
    undecided = soft_labels(X, 1e-4 * teacher)
    here, there = (distillation_gradient(w, X, undecided) for w in (0 * v, 1e-4 * v))
    # With logits below 1e-2, sigma' is within 1e-5 of 1/4; and the difference of gradients of size
    # 1e-4 is rounded at 1e-16.
    assert np.linalg.norm(there - here) / 1e-4 == pytest.approx(Lambda(X), rel=1e-4)


@given(st.floats(-30, 30), st.floats(0, 30), st.floats(-1, 1) | st.sampled_from([-1, 1]))
def test_fact_3_on_an_interval_the_secant_slope_is_least_at_an_end(u_star, reach, where):
    """Asked of the library: sigma(u) - y is the gradient of one input x = (1)."""
    u = u_star + where * reach
    gap = distillation_gradient([u], [[1.0]], soft_labels([[1.0]], [u_star or 1e-300]))[0]
    least = min(secant(u_star - reach, u_star), secant(u_star + reach, u_star))
    # Both sides are rounded, the left one in a difference of probabilities: 1e-16.
    assert np.sign(u - u_star) * gap >= least * abs(u - u_star) * (1 - 1e-12) - 1e-15


@given(st.floats(-30, 30))
def test_fact_3_the_secant_slope_rises_if_at_all_and_then_falls_for_good(u_star):
    """Away from 0 it falls at once; across 0 it has one hump. So its ends are where it is least."""
    outwards = np.linspace(0, 40, 4001)
    for side in (1, -1):
        slopes = secant(u_star + side * outwards, u_star)
        # Steps below the rounding of a quotient count as none.
        turns = np.diff(slopes)[np.abs(np.diff(slopes)) > 1e-14 * slopes[:-1]] > 0
        assert np.all(np.diff(turns.astype(int)) <= 0)
        if side * u_star >= 0:
            assert not turns.any()


# ------------------------------------------------------------------------------------- Theorem T1


@given(problems(), st.floats(0.02, 0.98))
def test_t1b_descent_approaches_w_bar_at_the_rate_rho_and_never_steps_back(problem, fraction):
    X, teacher, start = problem
    step_size = fraction * 2 / Lambda(X)
    run = gradient_descent(X, soft_labels(X, teacher), start, step_size=step_size, steps=60)
    distances = np.linalg.norm(run.weights - w_bar(X, teacher, start), axis=1)
    rate = rho(X, teacher, start, step_size)
    assert rate < 1
    bound = D_0(X, teacher, start) * rate**run.steps
    assert np.all(distances <= bound * (1 + 1e-9) + ROUNDING)
    assert np.all(np.diff(distances) <= ROUNDING)


@given(
    st.floats(-5, 5),
    st.floats(0.1, 8),
    st.sampled_from([0.1, 0.5, 1.0]),
    st.sampled_from([(1.0,), (0.6, -0.8), (2.0, 1.0, -3.0)]),
)
def test_t1b_the_rate_is_attained_by_the_first_step_from_far_away(logit, reach, eta, x):
    """One input: the first step divides the error by 1 / rho if the flatter chord leads there."""
    X, x = np.array([x]), np.array(x)
    teacher = logit * x / (x @ x)
    factors = []
    for side in (1, -1):
        start = teacher + side * reach * x / (x @ x)
        labels = expit(X @ teacher)  # also for a teacher that is 0
        run = gradient_descent(X, labels, start, step_size=eta / Lambda(X), steps=1)
        distances = np.linalg.norm(run.weights - teacher, axis=1)
        factors.append(distances[1] / distances[0])
        # The rounding of a difference of probabilities, over a reach of 0.1 or more.
        assert factors[-1] <= rho(X, teacher, start, eta / Lambda(X)) + 1e-12
    assert max(factors) == pytest.approx(rho(X, teacher, start, eta / Lambda(X)), abs=1e-12)


@given(problems())
def test_t1b_at_the_goal_the_slopes_are_those_of_sigma(problem):
    """D_0 = 0: no 0/0, and descent stays."""
    X, teacher, start = problem
    goal = w_bar(X, teacher, start)
    slopes = worst_secants(X, teacher, goal)
    # D_0 is rounding, at most 1e-10 here, and sigma' changes by less than that.
    assert np.allclose(slopes, expit(X @ teacher) * expit(-X @ teacher), rtol=0, atol=1e-8)
    run = gradient_descent(X, soft_labels(X, teacher), goal, steps=5)
    assert np.abs(run.weights - goal).max() <= ROUNDING


@given(seeds, st.integers(1, 4), st.sampled_from([0.1, 0.5, 1.0]))
def test_t1b_the_rate_is_attained_close_to_the_end_along_the_slowest_direction(seed, n, eta):
    """A start at the distance 1e-6 makes all c_i equal to sigma'(u_i*), up to 1e-6 of it."""
    X, teacher, rng = clear_cut(seed, n)
    outside = P_perp(X) @ rng.standard_normal(X.shape[1])
    start = w_hat(X, teacher) + outside + 1e-6 * local_rates(X, teacher)[1][:, 0]
    step_size = eta / Lambda(X)
    run = gradient_descent(X, soft_labels(X, teacher), start, step_size=step_size, steps=50)
    distances = np.linalg.norm(run.weights - w_bar(X, teacher, start), axis=1)
    bound = D_0(X, teacher, start) * rho(X, teacher, start, step_size) ** run.steps
    # 50 steps, each off by at most 1e-6; distances rounded at 1e-16, here down to 1e-13 ...
    far = bound > 1e-11
    assert far.sum() >= 3
    # ... and compared where that is 1e-5 of them.
    assert distances[far] == pytest.approx(bound[far], rel=1e-3)


@pytest.mark.parametrize("eta", [1.8, 1.95])
@given(seed=seeds)
@settings(max_examples=30)
def test_t1b_with_a_large_step_the_rate_eta_Lambda_less_one_is_attained(eta, seed):
    """Undecided teacher, so that c_i = 1/4, and a start along the steepest direction."""
    X, teacher, _ = clear_cut(seed)
    teacher = 1e-6 * teacher
    start = w_hat(X, teacher) + 1e-4 * local_rates(X, teacher)[1][:, -1]
    step_size = eta / Lambda(X)
    run = gradient_descent(X, soft_labels(X, teacher), start, step_size=step_size, steps=40)
    distances = np.linalg.norm(run.weights - w_bar(X, teacher, start), axis=1)
    # sigma' is within 1e-8 of 1/4.
    assert distances == pytest.approx(1e-4 * (eta - 1) ** run.steps, rel=1e-4)
    bound = D_0(X, teacher, start) * rho(X, teacher, start, step_size) ** run.steps
    assert np.all(distances <= bound * (1 + 1e-4))
    # The smallest rate on S is 1/4 of the largest: eta Lambda - 1 is the larger of the two.
    assert rho(X, teacher, start, step_size) == pytest.approx(eta - 1, rel=1e-6)


@given(seed=seeds)
@settings(max_examples=30)
def test_t1b_two_over_Lambda_is_the_limit_for_an_undecided_teacher(seed):
    """Nearly undecided teacher: at 1.99 descent comes closer, at 2.05 it runs away."""
    X, teacher, _ = clear_cut(seed)
    teacher = 0.01 * teacher
    start = w_hat(X, teacher) + 1e-3 * local_rates(X, teacher)[1][:, -1]
    labels, options = soft_labels(X, teacher), {"steps": 200, "record_every": 200}
    run = gradient_descent(X, labels, start, step_size=1.99 / Lambda(X), **options)
    # 0.99^200 = 0.13.
    assert np.linalg.norm(run.weights[-1] - w_bar(X, teacher, start)) < 0.2e-3
    with pytest.raises(FloatingPointError):
        gradient_descent(X, labels, start, step_size=2.05 / Lambda(X), **options)


@given(seed=seeds)
@settings(max_examples=30)
def test_near_its_goal_descent_is_stable_up_to_two_over_the_largest_local_rate(seed):
    """For a sure teacher that is beyond 2 / Lambda: sufficient isn't necessary."""
    X, teacher, _ = clear_cut(seed)
    rates, vectors = local_rates(X, teacher)
    limit = 2 / rates[-1]
    assert limit > 2.05 / Lambda(X)  # sigma'(1/2) = 0.235 at most
    start = w_hat(X, teacher) + 1e-5 * vectors[:, -1]
    for share, least, most in ((0.95, 0.0, 0.2), (1.05, 5.0, 10.0)):
        w = start
        for _ in range(20):
            w = w - share * limit * distillation_gradient(w, X, soft_labels(X, teacher))
        # 0.9^20 = 0.12 and 1.1^20 = 6.7.
        assert least < np.linalg.norm(w - w_hat(X, teacher)) / 1e-5 < most


def flow(X, teacher, start, times):
    labels = soft_labels(X, teacher)
    solution = solve_ivp(
        lambda _, w: -distillation_gradient(w, X, labels),
        (0, times[-1]), start, t_eval=times, method="DOP853", rtol=1e-11, atol=1e-13,
    )  # fmt: skip
    return solution.y.T


@given(seeds, st.integers(1, 4))
@settings(max_examples=20)  # each is an ordinary differential equation
def test_t1_flow_from_zero_ends_at_the_closed_form_student(seed, n):
    X, teacher, _ = clear_cut(seed, n)
    zero = np.zeros(X.shape[1])
    time = np.log(1e6) / mu(X, teacher, zero)  # T1 promises 1e-6 of D_0
    end = flow(X, teacher, zero, [0.0, time])[-1]
    # The solver's tolerance.
    assert np.linalg.norm(end - w_hat(X, teacher)) <= 1e-6 * D_0(X, teacher, zero) + 1e-9
    formula = X.T @ np.linalg.solve(X @ X.T, X @ teacher)
    assert np.allclose(closed_form_student(X, teacher), formula, rtol=0, atol=1e-12)


@given(problems())
@settings(max_examples=40)  # each is an ordinary differential equation
def test_t1a_flow_approaches_w_bar_at_the_rate_mu_and_never_turns_back(problem):
    X, teacher, start = problem
    times = np.linspace(0, 10 / Lambda(X), 12)
    distances = np.linalg.norm(flow(X, teacher, start, times) - w_bar(X, teacher, start), axis=1)
    bound = D_0(X, teacher, start) * np.exp(-mu(X, teacher, start) * times)
    # The solver's tolerance over the whole path, and the projector's rounding.
    assert np.all(distances <= bound * (1 + 1e-8) + 1e-9)
    assert np.all(np.diff(distances) <= 1e-9)


@given(seeds, st.integers(1, 4))
@settings(max_examples=20)
def test_t1a_the_rate_is_attained_close_to_the_end_along_the_slowest_direction(seed, n):
    X, teacher, rng = clear_cut(seed, n)
    outside = P_perp(X) @ rng.standard_normal(X.shape[1])
    start = w_hat(X, teacher) + outside + 1e-4 * local_rates(X, teacher)[1][:, 0]
    times = np.linspace(0, 3 / mu(X, teacher, start), 5)
    distances = np.linalg.norm(flow(X, teacher, start, times) - w_bar(X, teacher, start), axis=1)
    bound = D_0(X, teacher, start) * np.exp(-mu(X, teacher, start) * times)
    # c_i is within 1e-4 of sigma'(u_i*), over three time constants; the solver's 1e-13 is 1e-8
    # of what is left.
    assert distances == pytest.approx(bound, rel=1e-3)


@given(seeds, st.sampled_from([0.2, 1.0]))
@settings(max_examples=30)  # of hundreds of steps each
def test_t1_the_asymptotic_rate_is_the_least_local_one(seed, eta):
    """From afar, where T1's own rho is pessimistic, descent ends at the rate 1 - eta lambda_min."""
    X, _, rng = clear_cut(seed)
    # At lengths 1, 1.5, 2: three rates, each at least twice the one before.
    teacher = with_logits(X, np.array([2.0, 1.0, 0.0]), rng)
    start = 3 * rng.standard_normal(X.shape[1])
    rate, step_size = local_rates(X, teacher)[0][0], eta / Lambda(X)
    # Down to a distance of about 1e-9 / rate = 3e-8: what isn't linear is 1e-8 of it, and so is
    # rounding.
    run = gradient_descent(
        X, soft_labels(X, teacher), start, step_size=step_size, steps=20_000, tol=1e-9
    )
    assert run.converged
    distances = np.linalg.norm(run.weights - w_bar(X, teacher, start), axis=1)
    observed = 1 - (distances[-1] / distances[-11]) ** (1 / 10)
    assert observed == pytest.approx(step_size * rate, rel=1e-5)
    assert 1 - rho(X, teacher, start, step_size) < 0.9 * observed


@given(problems(), st.sampled_from(["soft", "hard", "arbitrary"]))
def test_t1_what_a_start_has_outside_the_span_is_never_forgotten(problem, kind):
    """Whatever the labels; in input coordinates, where nothing puts it there by construction."""
    X, teacher, start = problem
    labels = {
        "soft": soft_labels(X, teacher),
        "hard": hard_labels(X, teacher),
        "arbitrary": np.linspace(0, 1, len(X)),
    }[kind]
    run = gradient_descent(X, labels, start, steps=300, record_every=30)
    moved = (run.weights - start) @ P_perp(X)
    # 300 steps of rounding at 1e-16 of weights of size up to 100, and the projector's own error
    # times the way.
    assert np.abs(moved).max() <= ROUNDING * (1 + np.abs(run.weights - start).max())


@given(seeds)
@settings(max_examples=30)  # of thousands of steps each
def test_t1_descent_from_zero_ends_at_the_closed_form_student(seed):
    X, teacher, _ = clear_cut(seed)
    zero = np.zeros(X.shape[1])
    steps = int(np.ceil(np.log(1e-9) / np.log(rho(X, teacher, zero, 1 / Lambda(X)))))
    run = gradient_descent(X, soft_labels(X, teacher), zero, steps=steps, record_every=steps)
    # T1 promises 1e-9 of D_0 after so many steps; rounding adds 1e-16 a step.
    left = np.linalg.norm(run.weights[-1] - closed_form_student(X, teacher))
    assert left <= 1.01e-9 * D_0(X, teacher, zero)


# ---------------------------------------------------------------------------------------- Remarks


@given(st.floats(0, 1), st.floats(-1e3, 1e3))
def test_remark_ii_soft_labels_make_the_loss_coercive(y, u):
    """log(1 + e^u) - y u >= min(y, 1 - y) |u|; on the left, the loss plus the label's entropy."""
    cross_entropy = distillation_loss([1.0], [[u]], [y]) + entr(y) + entr(1 - y)
    assert cross_entropy >= min(y, 1 - y) * abs(u) - 1e-12  # rounding of 1e3


@given(st.floats(0, 1))
def test_remark_ii_the_slope_of_the_coercive_bound_is_attained_far_out(y):
    u = 1e3 if y > 0.5 else -1e3
    cross_entropy = distillation_loss([1.0], [[u]], [y]) + entr(y) + entr(1 - y)
    assert cross_entropy == pytest.approx(min(y, 1 - y) * 1e3, abs=1e-12)


@given(problems(), st.floats(0.1, 30.0))
def test_remark_ii_hard_labels_have_no_finite_minimiser(problem, radius):
    """L(w) >= log(1 + exp(-|w| max|x_i|)) > 0, but along the teacher's own ray it falls to 0."""
    X, teacher, start = problem
    labels = hard_labels(X, teacher)
    longest = np.linalg.norm(X, axis=1).max()
    w = radius * (start + 1e-3) / np.linalg.norm(start + 1e-3)
    least = np.log1p(np.exp(-radius * longest))
    assert distillation_loss(w, X, labels) >= least * (1 - 1e-12)
    margin = np.abs(X @ teacher).min()
    ray = [distillation_loss(t / margin * teacher, X, labels) for t in (0, 1, 10, 100)]
    assert np.all(np.diff(ray) < 0)
    assert ray[-1] <= np.exp(-100) * (1 + 1e-12)  # every margin is 100 or more


@given(st.floats(0.1, 30.0), st.integers(1, 5))
def test_remark_ii_the_lower_bound_for_hard_labels_is_attained_by_one_repeated_input(radius, n):
    X = np.tile([[3.0, 4.0]], (n, 1))
    loss = distillation_loss([0.6 * radius, 0.8 * radius], X, np.ones(n))
    assert loss == pytest.approx(np.log1p(np.exp(-5 * radius)), rel=1e-12)  # 150 times 1e-16


@given(problems())
@settings(max_examples=30)  # of 3,000 steps each
def test_remark_ii_with_hard_labels_the_norm_grows_without_bound(problem):
    """Past every radius: the loss it needs to go below log(1 + exp(-r max|x_i|)) is reached."""
    X, teacher, start = problem
    run = gradient_descent(X, hard_labels(X, teacher), start, steps=3000, record_every=300)
    assert np.all(np.diff(run.loss) < 0)
    norms = np.linalg.norm(run.weights, axis=1)
    # The progress towards a separator never stops: sum_i |sigma - y| |w* . x_i| > 0 at each step.
    assert np.all(np.diff(run.weights @ teacher) > 0)
    needed = -np.log(np.expm1(run.loss)) / np.linalg.norm(X, axis=1).max()
    assert np.all(norms >= needed - 1e-9)


def test_remark_ii_soft_labels_stop_where_hard_ones_run_on():
    X, teacher, _ = clear_cut(0)
    steps = {"steps": 20_000, "record_every": 2_000}
    soft = gradient_descent(X, soft_labels(X, teacher), 0 * teacher, **steps)
    hard = gradient_descent(X, hard_labels(X, teacher), 0 * teacher, **steps)
    soft_norms, hard_norms = (np.linalg.norm(run.weights, axis=1) for run in (soft, hard))
    assert soft_norms[-1] == pytest.approx(np.linalg.norm(w_hat(X, teacher)), rel=1e-9)
    # Logarithmically: ten times the steps add log(10) to every margin u_i = x_i . w, and the rows
    # of X are orthogonal, so that w has the coordinates u_i / |x_i|.
    margins = np.abs(X @ hard.weights[[1, -1]].T)
    assert margins[:, 1] - margins[:, 0] == pytest.approx(np.log(10), abs=0.05)
    assert np.all(np.diff(hard_norms) > 0)


@given(seeds, st.sampled_from([0.5, 2.0, 10.0]))
@settings(max_examples=30)
def test_temperature_trains_the_same_classifier_shrunk_by_it(seed, temperature):
    """Labels sigma(w* . x / T) end at w_hat / T."""
    X, teacher, rng = clear_cut(seed)
    labels = soft_labels(X, teacher, temperature=temperature)
    rate = rho(X, teacher / temperature, 0 * teacher, 1 / Lambda(X))
    steps = int(np.ceil(np.log(1e-7) / np.log(rate)))
    end = gradient_descent(X, labels, 0 * teacher, steps=steps, record_every=steps).weights[-1]
    # T1 promises 1e-7 of D_0 = |w_hat| / T.
    student = w_hat(X, teacher)
    error = np.linalg.norm(end - student / temperature)
    assert error <= 1.01e-7 * np.linalg.norm(student) / temperature
    # So the two answer alike, except within 1e-6 of the boundary.
    test = rng.standard_normal((500, X.shape[1]))
    clear = np.abs(test @ student) > 1e-5 * np.linalg.norm(student)
    assert clear.sum() > 490
    assert np.array_equal((test @ end >= 0)[clear], (test @ student >= 0)[clear])


# ----------------------------------------------------------------------- chapters 01 and 02


@given(seeds, st.floats(0.01, 3.13))
def test_for_isotropic_inputs_the_risk_is_the_angle_over_pi(seed, theta):
    """Directions spread evenly over a circle are isotropic in the plane, without chance."""
    rng = np.random.default_rng(seed)
    m = 10_000
    turns = 2 * np.pi * (np.arange(m) + rng.random()) / m
    circle = rng.uniform(0.5, 2, m)[:, None] * np.column_stack([np.cos(turns), np.sin(turns)])
    teacher, student = (np.array([np.cos(t), np.sin(t)]) for t in (turns[0], turns[0] + theta))
    # Each of the four ends of the two sectors may miss one direction.
    assert abs(transfer_risk(student, teacher, circle) - theta / np.pi) <= 4 / m
    # In space the plane of the two decides, whatever the inputs are outside it.
    frame = np.linalg.qr(rng.standard_normal((6, 6)))[0]
    space = np.column_stack([circle, 10 * rng.standard_normal((m, 4))]) @ frame.T
    student, teacher = (np.append(w, np.zeros(4)) @ frame.T for w in (student, teacher))
    assert abs(transfer_risk(student, teacher, space) - theta / np.pi) <= 4 / m


@pytest.mark.parametrize(("student", "risk"), [(0.1, 0.0), (-3.0, 1.0)])
def test_in_one_dimension_the_risk_is_the_angle_over_pi(student, risk):
    assert transfer_risk([student], [2.0], [[1.0], [-1.0], [0.5], [-7.0]]) == risk


@given(seeds, st.integers(1, 6))
def test_soft_labels_determine_the_teacher_and_hard_ones_a_ball(seed, d):
    rng = np.random.default_rng(seed)
    teacher, X = rng.standard_normal(d), 2 * np.eye(d) + 0.2 * rng.standard_normal((d, d))
    labels = soft_labels(X, teacher)
    # 1e-9: a label's rounding, 1e-16, over sigma' > 1e-5; the inputs are well conditioned.
    assert np.allclose(np.linalg.solve(X, np.log(labels / (1 - labels))), teacher, atol=1e-9)
    if d > 1:  # one independent input fewer, and another vector gives the same labels
        tied = np.vstack([X[: d - 1], X[: d - 1].sum(axis=0)])
        unseen = np.linalg.svd(tied)[2][-1]
        assert np.allclose(
            soft_labels(tied, teacher), soft_labels(tied, teacher + unseen), rtol=1e-9
        )
    gaps = np.abs(X @ teacher) / np.linalg.norm(X, axis=1)
    toward = -np.sign(X @ teacher)[:, None] * X
    steps = gaps.min() * toward / np.linalg.norm(X, axis=1, keepdims=True)
    hard = hard_labels(X, teacher)
    assert all(np.array_equal(hard_labels(X, teacher + 0.999 * step), hard) for step in steps)
    assert not np.array_equal(hard_labels(X, teacher + 1.001 * steps[gaps.argmin()]), hard)
    assert np.array_equal(hard_labels(X, 7.0 * teacher), hard)


@given(problems(), st.booleans())
def test_cross_entropy_and_divergence_differ_by_the_entropy(problem, hard):
    X, teacher, w = problem
    labels = (hard_labels if hard else soft_labels)(X, teacher)
    # log sigma(u) = -log(1 + e^-u), which no logit makes infinite.
    cross = labels * np.logaddexp(0, -X @ w) + (1 - labels) * np.logaddexp(0, X @ w)
    entropy = entr(labels) + entr(1 - labels)  # entr(0) = 0: 0 log 0
    loss = distillation_loss(w, X, labels)
    assert loss == pytest.approx(np.mean(cross - entropy), abs=1e-14 * (1 + np.mean(cross)))
    assert loss >= 0
    if not hard:
        assert (
            distillation_loss(teacher, X, labels)
            <= 1e-28
            < distillation_loss(teacher + 1e-3 * X[0] / (X[0] @ X[0]), X, labels)
        )


@given(st.floats(-3, 3), st.floats(-3, 3))
def test_cold_labels_are_hard_and_hot_ones_match_logits(u, u_star):
    x = [[1.0]]
    if abs(u_star) > 1e-3:
        (cold,) = soft_labels(x, [u_star], temperature=1e-5)
        # e^-100 at most
        assert cold == pytest.approx(hard_labels(x, [u_star])[0], abs=1e-40)
        T = 1e3
        (slope,) = distillation_gradient([u / T], x, soft_labels(x, [u_star], temperature=T)) / T
        # The next term: |u^3 - u*^3| / 48 T^2 <= 2 * 27 / 48 T^2; the label's rounding times T.
        assert T**2 * slope == pytest.approx((u - u_star) / 4, abs=1.2 / T**2 + 1e-12)
    assert soft_labels([[1.0, -1.0]], [2.0, 2.0], temperature=1e-5)[0] == 0.5


def promised_gain(X, gradient, step_size):
    """eta (1 - eta Lambda / 2) |gradient|^2."""
    return step_size * (1 - step_size * Lambda(X) / 2) * gradient @ gradient


@given(problems(), st.floats(0.01, 1.0))
def test_a_step_of_descent_gains_what_smoothness_promises(problem, fraction):
    X, teacher, w = problem
    labels, step_size = soft_labels(X, teacher), 2 * fraction / Lambda(X)
    gradient = distillation_gradient(w, X, labels)
    before = distillation_loss(w, X, labels)
    after = distillation_loss(w - step_size * gradient, X, labels)
    # 1e-14: the rounding of the weights, times the slope of a loss of order one.
    assert after <= before - promised_gain(X, gradient, step_size) + 1e-14 * (1 + before)


@given(st.floats(0.1, 3.0), st.floats(0.5, 2.0))
def test_the_promise_of_smoothness_is_attained_where_labels_are_undecided(x, share):
    """One undecided input and a student close to it: the loss is a parabola there."""
    X, w = np.array([[x]]), np.array([1e-3])
    step_size = share / Lambda(X)
    gradient = distillation_gradient(w, X, np.array([0.5]))
    losses = [distillation_loss(v, X, [0.5]) for v in (w, w - step_size * gradient)]
    gain = promised_gain(X, gradient, step_size)
    # 1e-5: the next term of the loss is smaller than the parabola by (x w)^2 / 24 < 1e-6.
    assert losses[0] - losses[1] == pytest.approx(gain, rel=1e-5, abs=1e-5 * losses[0])


@given(st.floats(0.05, 0.95).filter(lambda y: abs(y - 0.5) > 0.01), st.floats(0.3, 3.0))
def test_at_depth_two_the_origin_is_a_saddle(y, x):
    """The eigenvalues of the Hessian of F(W_1, W_2) = L(W_2 W_1) at 0 are +-L'(0)."""

    def F(first, second):
        return distillation_loss([first * second], [[x]], [y])

    h = 1e-3
    along, across = ((F(h, s * h) - 2 * F(0, 0) + F(-h, -s * h)) / (2 * h**2) for s in (1, -1))
    slope = (0.5 - y) * x
    # h^2 x^2: the quartic term of F along the diagonals, relative to the quadratic one 1/8 / slope.
    assert along == pytest.approx(slope, abs=2 * h**2 * x**2)
    assert across == pytest.approx(-slope, abs=2 * h**2 * x**2)
    start = (np.zeros((1, 1)), np.zeros((1, 1)))
    assert gradient_descent([[x]], [y], start, steps=10).weights[-1] == 0.0


@given(seeds, st.lists(st.integers(1, 3), min_size=0, max_size=3))
def test_the_gradient_in_a_layer_is_an_outer_product(seed, widths):
    """A step of descent on layers of any widths moves each by the formula of the chapter."""
    rng = np.random.default_rng(seed)
    d = 4
    sizes = [d, *widths, 1]
    layers = [rng.standard_normal(shape) for shape in zip(sizes[1:], sizes[:-1], strict=True)]
    X, teacher = rng.standard_normal((5, d)), rng.standard_normal(d)

    def product(matrices, size):
        """W_j ... W_i, last first; the identity if there are none."""
        result = np.eye(size)
        for W in matrices:
            result = W @ result
        return result

    (w,) = product(layers, d)
    g = X.T @ (expit(X @ w) - expit(X @ teacher)) / 5
    after = gradient_descent(X, soft_labels(X, teacher), tuple(layers), step_size=1e-3, steps=1)
    for j, (W, moved) in enumerate(zip(layers, after.layers, strict=True)):
        row, column = product(layers[j + 1 :], len(W)), product(layers[:j], d) @ g
        # Weights of order one are rounded at 1e-16, their changes at 1e-13.
        assert np.allclose((W - moved) / 1e-3, np.outer(row, column), rtol=1e-9, atol=1e-11)


def near_the_end(seed, share):
    """(X, labels, teacher, eigenvalues and eigenvectors of H, step size, C) of the local limit.

    The step size is `share` of it.
    """
    rng = np.random.default_rng(seed)
    d = rng.integers(1, 5)
    X = rng.standard_normal((d + 3, d))
    teacher = rng.uniform(0, 4) * rng.standard_normal(d)
    rates, vectors = local_rates(X, teacher)
    step_size = share * 2 / rates[-1]
    C = step_size * np.sum(np.linalg.norm(X, axis=1) ** 3) / (20 * len(X))
    return X, soft_labels(X, teacher), teacher, rates, vectors, step_size, C


@given(seeds, st.floats(0.05, 0.98))
def test_below_the_local_limit_every_near_start_comes_home(seed, share):
    X, labels, teacher, rates, vectors, step_size, C = near_the_end(seed, share)
    assert 2 / rates[-1] >= 2 / Lambda(X) * (1 - 1e-12)
    ratio = np.max(np.abs(1 - step_size * rates))
    away = np.random.default_rng(seed + 1).standard_normal(teacher.size)
    start = teacher + (1 - ratio) / (2 * C) * away / np.linalg.norm(away)
    run = gradient_descent(X, labels, start, step_size=step_size, steps=60)
    distances = np.linalg.norm(run.weights - teacher, axis=1)
    # Weights of order ten are rounded at 1e-15.
    assert np.all(distances[1:] <= (1 + ratio) / 2 * distances[:-1] + 1e-14)


@given(seeds, st.floats(1.05, 1.6))
def test_beyond_the_local_limit_descent_leaves_the_teacher(seed, share):
    X, labels, teacher, rates, vectors, step_size, C = near_the_end(seed, share)
    growth = np.min(step_size * rates[step_size * rates > 2] - 1)
    radius = (growth - 1) / (4 * C)
    w = teacher + 1e-2 * radius * vectors[:, -1]
    # Of the part along the steep directions, which grows by (1 + growth) / 2 a step at least.
    steps = int(np.log(1e2) / np.log((1 + growth) / 2)) + 1
    for _ in range(steps):
        if np.linalg.norm(w - teacher) > radius:
            break
        w = w - step_size * distillation_gradient(w, X, labels)
    assert np.linalg.norm(w - teacher) > radius


def test_the_local_limit_is_attained_on_both_sides():
    """One input of 1: at 0.999 of 2 / sigma'(u*) the error shrinks, at 1.001 it grows, by 0.2 %."""
    X, teacher = np.array([[1.0]]), np.array([2.0])
    limit = 2 / (expit(2.0) * expit(-2.0))
    assert limit > 2.3 * 2 / Lambda(X)
    for share in (0.999, 1.001):
        options = {"step_size": share * limit, "steps": 1}
        run = gradient_descent(X, soft_labels(X, teacher), teacher + 1e-6, **options)
        # 1e-5: the error's next power, times the step size; the label's rounding over 1e-6
        assert (run.weights[1, 0] - 2.0) / 1e-6 == pytest.approx(1 - 2 * share, abs=1e-5)


@pytest.mark.parametrize(("start", "home"), [(0.4, True), (1.5, False)])
def test_below_the_local_limit_a_far_start_may_end_in_a_cycle(start, home):
    """Near starts come home; this one doesn't, though a linear teacher made the labels."""
    X, teacher = np.array([[1.0], [1.0], [20.0]]), np.array([0.5])
    step_size = 0.8 * 2 / local_rates(X, teacher)[0][-1]
    options = {"step_size": step_size, "steps": 2000}
    path = gradient_descent(X, soft_labels(X, teacher), [start], **options).weights[:, 0]
    assert (abs(path[-1] - 0.5) < 1e-9) == home
    assert abs(path[-1] - path[-3]) < 1e-9
    assert (abs(path[-1] - path[-2]) > 1) != home
