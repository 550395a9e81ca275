"""What labels do to the student: hard, at a temperature, noisy, sampled, of a teacher who errs.

Each statement is transcribed here, literally and slowly. The experiment is the library's:
max_margin_student, closed_form_student, gradient_descent, the loss and its gradient, axial_risk.
Theory and experiment share no code.

The tables below are means over transfer sets, made once with other random numbers. A mean of
ours must agree with them within 4 standard errors of the difference: two independent means of
as many sets differ by sqrt(2) of the error of one, and where an error was given it is used. A
reading is also off by up to half a unit of its last digit.
"""

import functools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import optimize, special, stats
from scipy.special import expit

from distill_lib import (
    IsotropicGaussian,
    PolynomialAngles,
    angle,
    axial_risk,
    closed_form_student,
    distillation_gradient,
    distillation_loss,
    gradient_descent,
    hard_labels,
    isotropic_expected_risk,
    max_margin_student,
    smoothness,
    soft_labels,
    transfer_risk,
)

# ------------------------------------------------------------------ the theory, in small functions


def P_S(X):
    """The projector onto the span of the inputs."""
    return np.linalg.pinv(X, rcond=1e-10) @ X


def w_tilde(X, teacher, noise):
    """Interpolation of noisy logits: w_hat + X^T (X X^T)^{-1} xi."""
    return P_S(X) @ teacher + X.T @ np.linalg.solve(X @ X.T, noise)


def D(X, teacher):
    """diag sigma'(u*)."""
    u = X @ teacher
    return np.diag(expit(u) * expit(-u))


def gordon_margin(overlap, load):
    """The largest m for which some unit vector at this overlap has all margins at least m.

    load E[(m - R|z| - sqrt(1 - R^2) g)_+^2] = 1 - R^2, with z and g standard normal. The mean
    over g is (1 - R^2) [(t^2 + 1) Phi(t) + t phi(t)], t = (m - R|z|) / sqrt(1 - R^2).
    """
    z, weights = half_normal_rule()
    rest = np.sqrt(1 - overlap**2)

    def excess(m):
        t = (m - overlap * z) / rest
        inner = (t**2 + 1) * special.ndtr(t) + t * np.exp(-(t**2) / 2) / np.sqrt(2 * np.pi)
        return load * weights @ inner - 1

    return optimize.brentq(excess, -20, 20 + 3 / np.sqrt(load), xtol=1e-13)


@functools.cache
def half_normal_rule():
    """Nodes and weights for the mean over |z|: Gauss-Legendre on [0, 12]."""
    nodes, weights = np.polynomial.legendre.leggauss(600)
    z = 6 * (nodes + 1)
    return z, 6 * weights * 2 * stats.norm.pdf(z)


@functools.cache
def hard_limit(load):
    """The max-margin student's risk for isotropic inputs, n, d -> infinity, n / d -> load."""
    best = optimize.minimize_scalar(
        lambda overlap: -gordon_margin(overlap, load),
        bounds=(0, 1 - 1e-9),
        method="bounded",
        options={"xatol": 1e-9},
    )
    return np.arccos(best.x) / np.pi


def soft_limit(load):
    return np.arccos(np.sqrt(load)) / np.pi if load < 1 else 0.0


def flow_logit(size, time):
    """The logit of one of two orthogonal inputs, on hard labels: u' = |x|^2 / 2 sigma(-u).

    From 0 it satisfies u + e^u = 1 + |x|^2 t / 2, so e^u is Wright's omega of that.
    """
    return np.log(special.wrightomega(1 + size**2 * time / 2))


# --------------------------------------------------------------------------------- the experiments

seeds = st.integers(0, 10**6)

# Condition of the normal X here, up to 1e4, times 1e-16 and the size of the teacher; two digits
# to spare.
ROUNDING = 1e-10


@st.composite
def problems(draw, wide=False):
    """(X, teacher, rng): normal inputs; if wide, fewer than dimensions."""
    rng = np.random.default_rng(draw(seeds))
    d = draw(st.integers(2, 8))
    n = draw(st.integers(1, d - 1 if wide else 10))
    teacher = draw(st.sampled_from([0.1, 1.0, 3.0])) * rng.standard_normal(d)
    return rng.standard_normal((n, d)), teacher, rng


def orthogonal(rng, sizes, d):
    """Orthogonal inputs of these lengths, in general position."""
    directions, _ = np.linalg.qr(rng.standard_normal((d, len(sizes))))
    return np.asarray(sizes)[:, None] * directions.T


def m_estimator(X, labels, start):
    """The minimiser of the loss, by Newton's method; n >= d."""
    w = np.array(start, dtype=float)
    for _ in range(50):
        gradient = X.T @ (expit(X @ w) - labels)
        if np.linalg.norm(gradient) < 1e-9 * len(X):
            break
        w -= np.linalg.solve(X.T @ D(X, w) @ X, gradient)
    # The library agrees that this is the end.
    assert np.linalg.norm(distillation_gradient(w, X, labels)) < 1e-8
    return w


def mean(values):
    """The mean and its standard error."""
    return np.mean(values), np.std(values, ddof=1) / np.sqrt(len(values))


def assert_reading(values, reading, digits, error=None):
    """4 standard errors of the difference, and half a unit of the last digit that was printed."""
    ours, own_error = mean(values)
    error = own_error if error is None else error
    slack = 4 * np.hypot(own_error, error) + 0.5 * 10.0**-digits
    assert ours == pytest.approx(reading, abs=slack)


# ---------------------------------------------------------------------- hard labels: no minimiser


@given(problems())
def test_on_hard_labels_the_loss_falls_for_ever_along_a_separator(problem):
    X, teacher, _ = problem
    hard = hard_labels(X, teacher)
    w = max_margin_student(X, hard)
    t = np.linspace(0, 30, 13)
    loss = np.array([distillation_loss(s * w, X, hard) for s in t])
    assert np.all(np.diff(loss) < 0)
    assert np.all(loss > 0)
    # All margins are at least t, and one is t (up to rounding): inf L = 0.
    one = np.log1p(np.exp(-t))
    assert np.all(loss <= one * (1 + 1e-6))
    assert np.all(loss >= one / len(X) * (1 - 1e-6))


@given(problems(), st.floats(0, 5))
def test_on_hard_labels_no_student_is_a_minimiser(problem, size):
    """-grad L(v) . w >= mean of sigma(-s_i v . x_i) > 0 at every v, for the unit-margin w."""
    X, teacher, rng = problem
    hard = hard_labels(X, teacher)
    v = size * rng.standard_normal(X.shape[1])
    w = max_margin_student(X, hard)
    push = expit(np.where(hard == 1, -1, 1) * (X @ v)).mean()
    # Rounding: sigma - y loses the digits of a tiny difference, and |w| brings them to light.
    rounding = 1e-14 * np.linalg.norm(w) * np.abs(X).max()
    assert -distillation_gradient(v, X, hard) @ w >= push * (1 - 1e-6) - rounding


@given(seeds, st.floats(0, 5))
def test_this_push_is_attained_where_every_input_is_on_the_margin(seed, size):
    rng = np.random.default_rng(seed)
    X, teacher = orthogonal(rng, rng.uniform(0.5, 2, 3), 5), rng.standard_normal(5)
    hard, v = hard_labels(X, teacher), size * rng.standard_normal(5)
    push = expit(np.where(hard == 1, -1, 1) * (X @ v)).mean()
    w = max_margin_student(X, hard)
    assert -distillation_gradient(v, X, hard) @ w == pytest.approx(push, rel=1e-12)
    # And the loss along w is log(1 + e^-t).
    assert distillation_loss(5 * w, X, hard) == pytest.approx(np.log1p(np.exp(-5)), rel=1e-12)


# -------------------------------------------------------- hard labels: the direction of descent


def test_two_orthogonal_inputs_descend_as_the_flow_does_and_far_apart_from_the_limit():
    """The flow is known in closed form. Its angle to the max-margin student falls as 1 / log t."""
    rng = np.random.default_rng(4)
    sizes = np.array([2.0, 0.7])
    X, hard = orthogonal(rng, sizes, 4), np.array([1.0, 0.0])
    # Early, at small steps: off by some step sizes.
    early = gradient_descent(X, hard, np.zeros(4), step_size=0.001, steps=1000, record_every=100)
    logits = np.abs(early.weights @ X.T)
    assert np.allclose(logits, [flow_logit(sizes, 0.001 * k) for k in early.steps], atol=2e-3)
    step, steps = 0.5, 40_000
    run = gradient_descent(X, hard, np.zeros(4), step_size=step, steps=steps, record_every=1000)
    logits = np.where(hard == 1, 1, -1) * (run.weights[1:] @ X.T)
    flow = np.array([flow_logit(sizes, step * k) for k in run.steps[1:]])
    # A step is behind the flow by its square: e^u is off by log(t) steps' worth of t.
    assert np.allclose(logits, flow, rtol=0, atol=0.02)
    assert np.allclose(logits[-1], flow[-1], rtol=0, atol=1e-3)

    limit = max_margin_student(X, hard)

    def flow_angle(time):
        w = (np.where(hard == 1, 1, -1) * flow_logit(sizes, time) / sizes**2) @ X
        return angle(w, limit)

    # The logits are log(|x|^2 t / 2) in the end: across the limit, (log(a^2) - log(b^2)) / ab.
    a, b = sizes
    constant = 2 * np.log(a / b) / (a * b) / (1 / a**2 + 1 / b**2)
    times = 10.0 ** np.array([3, 10, 30, 100, 300])
    angles = np.array([flow_angle(time) for time in times])
    assert np.all(np.diff(angles) < 0)
    # The next term is another 1 / log t, relatively.
    assert np.allclose(angles * np.log(times), constant, rtol=2 / np.log(times), atol=0)
    assert angles[-1] * np.log(times[-1]) == pytest.approx(constant, rel=2e-3)
    assert angle(run.weights[-1], limit) == pytest.approx(flow_angle(step * steps), abs=1e-4)


def test_descent_grows_by_the_max_margin_student_times_log_t():
    """w(t^2) - w(t) = w log t + o(1); an input off the margin is soon forgotten."""
    rng = np.random.default_rng(5)
    X = orthogonal(rng, [1.5, 1.0, 0.8], 5)
    teacher = np.linalg.lstsq(X, [1.0, -1.0, 1.0])[0] + rng.standard_normal(5)
    X = np.vstack([X, 3 * X[0] - 2 * X[1], X[2] - X[1]])  # both further out
    hard = hard_labels(X, teacher)
    limit = max_margin_student(X, hard)
    assert np.flatnonzero(np.abs(X @ limit) < 1 + 1e-9).tolist() == [0, 1, 2]
    step = 1 / smoothness(X)
    run = gradient_descent(X, hard, np.zeros(5), step_size=step, steps=90_000, record_every=300)
    early, late = run.weights[1], run.weights[300]
    # o(1), over log 300 = 5.7.
    assert np.allclose((late - early) / np.log(300), limit, rtol=0, atol=0.02)
    angles = [angle(run.weights[k], limit) for k in (1, 10, 100, 300)]
    assert np.all(np.diff(angles) < 0)
    # Each support is on its own in the end: the others' push has shifted e^u by a few log t.
    expected = np.log(step * np.sum(X[:3] ** 2, axis=1) * run.steps[-1] / len(X))
    assert np.allclose(np.abs(X[:3] @ late), expected, rtol=0, atol=0.01)


@pytest.mark.parametrize("seed", range(4))
def test_descent_on_well_separated_inputs_turns_to_the_max_margin_student(seed):
    rng = np.random.default_rng(seed)
    teacher = rng.standard_normal(3)
    X = rng.standard_normal((5, 3))
    X += np.sign(X @ teacher)[:, None] * teacher / np.linalg.norm(teacher)
    hard = hard_labels(X, teacher)
    limit = max_margin_student(X, hard)
    run = gradient_descent(X, hard, np.zeros(3), steps=20_000, record_every=20)
    # Sooner, it may still turn away.
    angles = np.array([angle(run.weights[k], limit) for k in (20, 140, 1000)])
    assert np.all(np.diff(angles) < 0)
    margins = np.array([np.abs(w @ X.T).min() / np.linalg.norm(w) for w in run.weights[1:]])
    assert np.all(margins <= 1 / np.linalg.norm(limit))
    assert margins[-1] >= 0.9 / np.linalg.norm(limit)  # 1 - O(1 / log t), log t = 10


@given(problems())
def test_only_the_supports_make_the_max_margin_student(problem):
    X, teacher, _ = problem
    hard = hard_labels(X, teacher)
    w = max_margin_student(X, hard)
    on = np.abs(X @ w) < 1 + 1e-8
    close = dict(rtol=0, atol=1e-8 * np.linalg.norm(w))  # rounding times the condition
    assert np.allclose(max_margin_student(X[on], hard[on]), w, **close)
    # In general position each of them counts: with one fewer there is more room.
    for i in np.flatnonzero(on) if len(X) > 1 else []:
        fewer = np.arange(len(X)) != i
        assert np.linalg.norm(max_margin_student(X[fewer], hard[fewer])) < np.linalg.norm(w)


@given(problems())
def test_the_separator_is_along_the_shortest_mixture(problem):
    """Checked by what characterises the shortest: z_i . p >= |p|^2 for all i.

    Its weights are those of the supports; they come from linear equations, with rounding times
    the condition of the supports.
    """
    X, teacher, rng = problem
    hard = hard_labels(X, teacher)
    Z = np.where(hard == 1, 1, -1)[:, None] * X
    w = max_margin_student(X, hard)
    margin = 1 / np.linalg.norm(w)
    on = Z @ w < 1 + 1e-8
    weights = np.linalg.lstsq(Z[on].T, margin**2 * w)[0]
    p = weights @ Z[on]
    tiny = 1e-7 * np.linalg.norm(Z, axis=1).max() ** 2
    assert np.all(weights > -1e-7)
    assert weights.sum() == pytest.approx(1, abs=1e-7)
    assert np.all(Z @ p >= p @ p - tiny)
    assert np.linalg.norm(p) == pytest.approx(margin, abs=tiny)
    # A unit vector of margin m has at least the cosine m / margin with it.
    for spread in (0.01, 0.3):
        u = w * margin + spread * rng.standard_normal(w.size)
        u /= np.linalg.norm(u)
        assert u @ w * margin >= (Z @ u).min() / margin - tiny / margin


@given(problems())
def test_one_more_input_turns_the_separator_by_less_than_a_right_angle(problem):
    X, teacher, _ = problem
    hard = hard_labels(X, teacher)
    ws = [max_margin_student(X[:n], hard[:n]) for n in range(1, len(X) + 1)]
    lengths = np.linalg.norm(ws, axis=1)
    for before, after, ratio in zip(ws, ws[1:], lengths[:-1] / lengths[1:], strict=False):
        cosine = before @ after / np.linalg.norm(before) / np.linalg.norm(after)
        # The margin is 1 / length. Rounding, times the condition of the supports.
        assert cosine >= ratio - 1e-8
        assert cosine > 0


def test_the_bound_on_that_turn_is_attained():
    """Two inputs, both of them supports: cos = m'/m; from (1, 0) and (-1, h) nearly 90 degrees."""
    for h in (1.0, 0.1, 1e-3):
        first, both = (max_margin_student([[1, 0], [-1, h]][:n], [1.0] * n) for n in (1, 2))
        assert np.cos(angle(first, both)) == pytest.approx(1 / np.linalg.norm(both), rel=1e-9)
        assert np.tan(angle(first, both)) == pytest.approx(2 / h, rel=1e-9)


@given(seeds, st.integers(1, 8))
def test_one_input_teaches_the_same_direction_hard_or_soft(seed, d):
    rng = np.random.default_rng(seed)
    X, teacher = rng.standard_normal((1, d)), rng.standard_normal(d)
    student = max_margin_student(X, hard_labels(X, teacher))
    # A cosine of 1 up to rounding, times the digits that a tiny logit loses.
    assert angle(student, closed_form_student(X, teacher)) < 1e-9


# ----------------------------------------------------------- hard labels: the proportional limit

LOADS = (0.05, 0.1, 0.2, 0.5, 0.8, 0.95, 1, 2, 5, 10)
SOFT = (0.42822, 0.39758, 0.35242, 0.25, 0.14758, 0.07178, 0, 0, 0, 0)
HARD = (0.44345, 0.42043, 0.38873, 0.32885, 0.28787, 0.27096, 0.26571, 0.18848, 0.09383, 0.04918)


@pytest.mark.parametrize(("load", "soft", "hard"), list(zip(LOADS, SOFT, HARD, strict=True)))
def test_the_limit_of_the_risk_soft_and_hard(load, soft, hard):
    # Half a unit of the last digit, and what rounding makes of the flat top of the margin.
    assert soft_limit(load) == pytest.approx(soft, abs=5.5e-6)
    assert hard_limit(load) == pytest.approx(hard, abs=6e-6)
    # The exact risk in d dimensions is within 1/d or so of its limit.
    d = 20_000
    assert isotropic_expected_risk(round(load * d), d) == pytest.approx(soft_limit(load), abs=3e-5)


@given(seeds, st.integers(1, 12), st.floats(0.01, 10))
def test_the_inner_game_is_a_shift(seed, n, tau):
    """min over mixtures of lambda . a + tau |lambda| is the largest m with |(m - a)_+| <= tau."""
    rng = np.random.default_rng(seed)
    a = rng.standard_normal(n)
    m = optimize.brentq(
        lambda m: np.linalg.norm(np.maximum(m - a, 0)) - tau, a.min(), a.max() + 2 * tau, xtol=1e-14
    )
    lifted = np.maximum(m - a, 0)
    best = lifted / lifted.sum()
    assert best @ a + tau * np.linalg.norm(best) == pytest.approx(m, abs=1e-9)
    for mixture in rng.dirichlet(np.ones(n), 50):
        mixed = 0.5 * (best + mixture)
        assert min(mixed @ a + tau * np.linalg.norm(mixed), mixture @ a + tau) >= m - 1e-9


@pytest.mark.parametrize("load", [0.5, 1, 2])
def test_the_largest_margin_in_200_dimensions_is_near_its_limit(load):
    """Within 4 standard errors of 30 sets; the limit itself is off by 1/d or so."""
    best = np.cos(np.pi * hard_limit(load))
    expected, margins, d = gordon_margin(best, load), [], 200
    rng = np.random.default_rng([13, int(2 * load)])
    for _ in range(30):
        X = rng.standard_normal((int(load * d), d))
        margins.append(1 / np.linalg.norm(max_margin_student(X, X[:, 0] >= 0)))
    assert_reading(margins, expected, 2, 0.0)


def test_hard_labels_lose_a_factor_even_where_inputs_are_few():
    """Overlaps sqrt(load) and sqrt(2 load / pi): the next term is of relative order load."""
    for load in (1e-4, 1e-3, 1e-2):
        overlap = np.cos(np.pi * hard_limit(load))
        assert overlap == pytest.approx(np.sqrt(2 * load / np.pi), rel=0.3 * load)
        assert np.cos(np.pi * soft_limit(load)) == pytest.approx(np.sqrt(load), rel=1e-12)


def test_hard_labels_need_ever_more_inputs():
    """The risk is about half of d / n."""
    for load in (50, 100):
        assert load * hard_limit(load) == pytest.approx(0.5, abs=1e-3)


def hard_angles(law, teacher, n, sets, rng):
    """Angles of the hard and of the soft student to the teacher, over transfer sets."""
    angles = np.empty((2, sets))
    for i in range(sets):
        X = law.sample(n, rng)
        students = max_margin_student(X, hard_labels(X, teacher)), closed_form_student(X, teacher)
        angles[:, i] = [angle(student, teacher) for student in students]
    return angles


E_1 = np.eye(50)[0]


@pytest.mark.parametrize(
    ("n", "reading", "error"),
    [
        (10, 0.3898, 0.0017),
        (25, 0.3260, 0.0019),
        (40, 0.2853, 0.0019),
        (50, 0.2618, 0.0018),
        (100, 0.1904, 0.0018),
        (500, 0.0482, 0.0005),
    ],
)
def test_the_risk_of_hard_labels_for_isotropic_inputs(n, reading, error):
    law = IsotropicGaussian(50)
    sets = 200 if n <= 100 else 60
    hard, soft = hard_angles(law, E_1, n, sets, np.random.default_rng([1, n]))
    risks = axial_risk(hard, law)
    assert_reading(risks, reading, 4, error)
    # At d = 50 the mean is up to 2 per cent below its limit.
    ours, own_error = mean(risks)
    assert ours == pytest.approx(0.99 * hard_limit(n / 50), rel=0.01, abs=4 * own_error)
    assert_reading(soft / np.pi, isotropic_expected_risk(n, 50), 12, 0.0)


@pytest.mark.parametrize(
    ("easiness", "n", "hard", "soft", "digits"),
    [
        (0.5, 5, 0.149, 0.0754, (3, 4)),
        (0.5, 20, 0.158, 0.0318, (3, 4)),
        (0.5, 40, 0.155, 0.0175, (3, 4)),
        (0.5, 100, 0.138, 0.0, (3, 9)),
        (1, 5, 0.0352, 0.0077, (4, 4)),
        (1, 20, 0.0421, 0.00145, (4, 5)),
        (1, 100, 0.0385, 0.0, (4, 9)),
        (2, 5, 1.65e-3, 7.6e-5, (5, 6)),
        (2, 10, 2.3e-3, None, (4, None)),
        (2, 20, 2.5e-3, 2.8e-6, (4, 7)),
        (2, 100, 2.7e-3, 0.0, (4, 9)),
    ],
)
def test_the_risk_of_hard_labels_where_angles_are_polynomial(easiness, n, hard, soft, digits):
    law = PolynomialAngles(E_1, easiness)
    rng = np.random.default_rng([2, n, int(2 * easiness)])
    hard_risks, soft_risks = axial_risk(hard_angles(law, E_1, n, 150, rng), law)
    assert_reading(hard_risks, hard, digits[0])
    if soft is not None:
        assert_reading(soft_risks, soft, digits[1])


def test_the_hard_risk_rises_with_the_number_of_inputs_and_the_soft_risk_never():
    """Max-margin is not monotone, even for inputs that are axially symmetric."""
    law, rng = PolynomialAngles(E_1, 2), np.random.default_rng(3)
    few, many = (axial_risk(hard_angles(law, E_1, n, 150, rng), law) for n in (5, 40))
    (hard_few, error_few), (hard_many, error_many) = mean(few[0]), mean(many[0])
    assert hard_many - hard_few > 4 * np.hypot(error_few, error_many)
    assert mean(many[1])[0] < 0.1 * mean(few[1])[0]


@pytest.mark.parametrize(("easiness", "first"), [(1, 8.7e-3), (2, 9.1e-5)])
def test_descent_on_hard_labels_grows_worse_with_time(easiness, first):
    """After one step the student is the mean of the signed inputs: far better than the limit."""
    law, rng = PolynomialAngles(E_1, easiness), np.random.default_rng([4, easiness])
    one, later, limit = np.empty((3, 150))
    for i in range(150):
        X = law.sample(20, rng)
        hard = hard_labels(X, E_1)
        run = gradient_descent(X, hard, np.zeros(50), steps=100, record_every=100)
        step = gradient_descent(X, hard, np.zeros(50), steps=1)
        assert angle(step.weights[-1], (hard - 0.5) @ X) < 1e-12
        students = step.weights[-1], run.weights[-1], max_margin_student(X, hard)
        one[i], later[i], limit[i] = axial_risk([angle(w, E_1) for w in students], law)
    assert_reading(one, first, 4 if easiness == 1 else 6)
    for better, worse in ((one, later), (later, limit)):
        gain, error = mean(worse - better)
        assert gain > 4 * error
    assert 3 * mean(one)[0] < mean(limit)[0]


# ------------------------------------------------------------------------------------- temperature


@given(problems(), st.floats(0.2, 20))
def test_a_temperature_on_the_labels_alone_divides_the_teacher(problem, temperature):
    """The theorems hold with w* / T: the limit is w_hat / T, and its decisions are the same."""
    X, teacher, rng = problem
    labels = soft_labels(X, teacher, temperature=temperature)
    assert np.allclose(labels, expit(X @ teacher / temperature), rtol=1e-14, atol=0)
    student = P_S(X) @ teacher / temperature
    assert np.allclose(closed_form_student(X, teacher / temperature), student, atol=ROUNDING)
    # It is a minimiser, in the span.
    assert np.linalg.norm(distillation_gradient(student, X, labels)) < ROUNDING
    assert angle(closed_form_student(X, teacher), student) < 1e-7
    test = rng.standard_normal((200, X.shape[1]))
    test = test[np.abs(test @ student) > ROUNDING]
    assert transfer_risk(student, closed_form_student(X, teacher), test) == 0.0


@pytest.mark.parametrize("temperature", [0.5, 2.0, 10.0])
def test_descent_ends_at_the_student_divided_by_the_temperature(temperature):
    rng = np.random.default_rng(6)
    X = orthogonal(rng, [1.0, 1.5, 2.0], 5)
    # Logits of at most 1, whatever lies outside the span: at T = 1/2 these are 2.
    teacher = np.linalg.lstsq(X, [1.0, -0.7, 0.4])[0]
    teacher += (np.eye(5) - P_S(X)) @ rng.standard_normal(5)
    labels = soft_labels(X, teacher, temperature=temperature)
    run = gradient_descent(X, labels, np.zeros(5), steps=10_000, tol=1e-12, record_every=10_000)
    # The gradient, over the least curvature (more than 0.01).
    expected = P_S(X) @ teacher / temperature
    assert np.allclose(run.weights[-1], expected, rtol=0, atol=1e-10)
    # A student whose own logits are divided by the temperature: inputs x / T.
    run = gradient_descent(
        X / temperature, labels, np.zeros(5), steps=10_000, tol=1e-13, record_every=10_000
    )
    assert np.allclose(run.weights[-1], P_S(X) @ teacher, rtol=0, atol=1e-9)


@given(problems(), st.floats(0.2, 20))
def test_a_temperature_on_both_sides_changes_nothing(problem, temperature):
    X, teacher, _ = problem
    labels = soft_labels(X, teacher, temperature=temperature)
    gradient = distillation_gradient(P_S(X) @ teacher, X / temperature, labels)
    assert np.linalg.norm(gradient) < ROUNDING
    # But one side alone does: unless all logits are 0.
    if np.abs(X @ teacher).max() > 0.1 and abs(temperature - 1) > 0.1:
        one_sided = distillation_gradient(P_S(X) @ teacher, X, labels)
        assert np.linalg.norm(one_sided) > 1e-6


# ------------------------------------------------------------------------------------ noisy logits


@given(problems(wide=True), st.floats(0.01, 2))
def test_noisy_logits_are_interpolated(problem, noise_size):
    X, teacher, rng = problem
    noise = noise_size * rng.standard_normal(len(X))
    labels, student = expit(X @ teacher + noise), w_tilde(X, teacher, noise)
    condition = np.linalg.cond(X)
    # Rounding, times the condition of X X^T.
    assert np.linalg.norm(distillation_gradient(student, X, labels)) < 1e-13 * condition**2
    # In the span, so descent from zero can end nowhere else.
    assert np.allclose(P_S(X) @ student, student, rtol=1e-9, atol=1e-12 * condition**2)
    # What the noise adds lies in the span, what was missing lies outside: lengths add in squares.
    missing = np.sum((teacher - P_S(X) @ teacher) ** 2)
    added = noise @ np.linalg.solve(X @ X.T, noise)
    assert np.sum((student - teacher) ** 2) == pytest.approx(missing + added, rel=1e-8)


def test_descent_ends_at_the_interpolation():
    rng = np.random.default_rng(8)
    X, teacher, noise = orthogonal(rng, [1, 1.5, 2], 6), rng.standard_normal(6), [0.5, -0.3, 0.4]
    labels = expit(X @ teacher + noise)
    run = gradient_descent(X, labels, np.zeros(6), steps=5000, tol=1e-12, record_every=5000)
    # The gradient, over the least curvature (more than 0.01).
    assert np.allclose(run.weights[-1], w_tilde(X, teacher, noise), rtol=0, atol=1e-10)


@pytest.mark.parametrize("n", [10, 25, 40])
@pytest.mark.parametrize(("length", "noise_size"), [(1.0, 0.1), (2.0, 0.5), (0.5, 1.0)])
def test_the_mean_squared_error_of_the_interpolation(n, length, noise_size):
    """E |w - w*|^2 = |w*|^2 (1 - n/d) + s^2 n / (d - n - 1), n < d - 1."""
    d, sets = 50, 600
    rng, teacher = np.random.default_rng([5, n]), length * E_1
    errors = np.empty(sets)
    for i in range(sets):
        X, noise = rng.standard_normal((n, d)), noise_size * rng.standard_normal(n)
        student = closed_form_student(X, teacher) + np.linalg.lstsq(X, noise)[0]
        errors[i] = np.sum((student - teacher) ** 2)
    expected = length**2 * (1 - n / d) + noise_size**2 * n / (d - n - 1)
    assert_reading(errors, expected, 12, 0.0)


@pytest.mark.parametrize("n", [25, 40, 44])
def test_the_noise_comes_through_as_the_trace_of_the_inverse(n):
    """E tr (X X^T)^{-1} = n / (d - n - 1): the second term alone, its mean over the noise exact."""
    rng = np.random.default_rng([12, n])
    traces = [
        np.sum(np.linalg.svd(rng.standard_normal((n, 50)), compute_uv=False) ** -2.0)
        for _ in range(600)
    ]
    assert_reading(traces, n / (50 - n - 1), 12, 0.0)


def noisy_student(X, teacher, noise):
    labels, interpolation = expit(X @ teacher + noise), np.linalg.lstsq(X, X @ teacher + noise)[0]
    if len(X) <= len(teacher):
        return interpolation
    return m_estimator(X, labels, interpolation)


@functools.cache
def noisy_risks(noise_size, n):
    rng = np.random.default_rng([6, n, int(10 * noise_size)])
    risks = np.empty(100)
    for i in range(100):
        X, noise = rng.standard_normal((n, 50)), noise_size * rng.standard_normal(n)
        risks[i] = angle(noisy_student(X, E_1, noise), E_1) / np.pi
    return risks


SIZES = (10, 25, 40, 45, 48, 50, 52, 55, 60, 100, 500)
NOISY = {
    0.1: (0.358, 0.254, 0.162, 0.142, 0.159, 0.275, 0.150, 0.101, 0.070, 0.0322, 0.0105),
    0.5: (0.374, 0.302, 0.293, 0.326, 0.374, 0.429, 0.365, 0.317, 0.268, 0.148, 0.054),
}


@pytest.mark.parametrize("noise_size", NOISY)
@pytest.mark.parametrize("i", range(len(SIZES)), ids=SIZES)
def test_the_risk_under_noise(noise_size, i):
    digits = 4 if NOISY[noise_size][i] < 0.04 else 3
    assert_reading(noisy_risks(noise_size, SIZES[i]), NOISY[noise_size][i], digits)


@pytest.mark.parametrize("noise_size", NOISY)
def test_the_risk_under_noise_peaks_where_inputs_begin_to_span_the_space(noise_size):
    peak, error = mean(noisy_risks(noise_size, 50))
    for n in (40, 45, 48, 52, 55, 60):
        other, other_error = mean(noisy_risks(noise_size, n))
        assert peak - other > 4 * np.hypot(error, other_error)
    # Without noise it is 0 there.
    X = np.random.default_rng(0).standard_normal((50, 50))
    assert np.allclose(noisy_student(X, E_1, np.zeros(50)), E_1, rtol=0, atol=1e-8)


@pytest.mark.parametrize("seed", range(3))
def test_many_inputs_average_the_noise_to_first_order(seed):
    """w - w* = (X^T D X)^{-1} X^T D xi + O(s^2)."""
    rng = np.random.default_rng(seed)
    X, teacher = rng.standard_normal((40, 6)), rng.standard_normal(6)
    noise, weights = rng.standard_normal(40), D(X, teacher)
    first = np.linalg.solve(X.T @ weights @ X, X.T @ weights @ noise)
    rest = []
    for size in (1e-2, 1e-3):
        student = m_estimator(X, expit(X @ teacher + size * noise), teacher)
        rest.append(np.linalg.norm(student - teacher - size * first))
    assert rest[0] < 0.1 * 1e-2 * np.linalg.norm(first)
    assert rest[0] / rest[1] == pytest.approx(100, rel=0.1)  # the next order is s times smaller


def test_many_inputs_leave_the_noise_over_the_inputs_to_spare():
    """s^2 d / (n - d - 1), exact for equal weights D, and a little more for a teacher of length 1.

    The covariance of the first order is (X^T D X)^{-1} X^T D^2 X (X^T D X)^{-1}; least squares,
    with D = I, has the least trace (Gauss and Markov).
    """
    n, d, rng = 150, 50, np.random.default_rng(9)
    equal, weighted = [], []
    for _ in range(60):
        X = rng.standard_normal((n, d))
        weights = D(X, E_1)
        solve = np.linalg.solve(X.T @ weights @ X, X.T @ weights)
        equal.append(np.trace(np.linalg.inv(X.T @ X)))
        weighted.append(np.sum(solve**2))
    assert_reading(equal, d / (n - d - 1), 12, 0.0)
    assert np.all(np.array(weighted) >= equal)
    assert mean(weighted)[0] == pytest.approx(d / (n - d - 1), rel=0.1)  # "about"


# ---------------------------------------------------------------------------------- sampled labels


@functools.cache
def sampled(draws, sets=150):
    """(risk, |w - w*|^2 over tr (X^T D X)^{-1}), over transfer sets: n = 200, d = 20, |w*| = 3."""
    rng, teacher = np.random.default_rng([7, draws]), 3 * np.eye(20)[0]
    results = np.empty((2, sets))
    for i in range(sets):
        X = rng.standard_normal((200, 20))
        labels = rng.binomial(draws, soft_labels(X, teacher)) / draws
        student = m_estimator(X, labels, teacher)
        trace = np.trace(np.linalg.inv(X.T @ D(X, teacher) @ X))
        results[:, i] = angle(student, teacher) / np.pi, np.sum((student - teacher) ** 2) / trace
    return results


@pytest.mark.parametrize(
    ("draws", "reading"), [(1, 0.1019), (10, 0.0340), (100, 0.0104), (1000, 0.0032)]
)
def test_the_risk_of_sampled_labels(draws, reading):
    assert_reading(sampled(draws)[0], reading, 4)


def test_the_risk_of_sampled_labels_falls_as_the_root_of_their_number():
    (few, few_error), (many, many_error) = (mean(sampled(draws)[0]) for draws in (100, 10_000))
    error = 10 * np.hypot(few_error / few, many_error / many)
    assert few / many == pytest.approx(10, abs=4 * error)
    # For ever: without sampling, the student is the teacher.
    X, teacher = np.random.default_rng(1).standard_normal((200, 20)), 3 * np.eye(20)[0]
    student = m_estimator(X, soft_labels(X, teacher), np.zeros(20))
    assert np.allclose(student, teacher, rtol=0, atol=1e-7)  # Newton's tolerance, over curvature


@pytest.mark.parametrize("draws", [100, 10_000])
def test_the_covariance_of_sampled_labels(draws):
    """(1/K) (X^T D X)^{-1}: its trace is the mean squared error, given X, up to order 1/K^2."""
    assert_reading(draws * sampled(draws)[1], 1.0, 12, 0.0)


def test_the_covariance_of_sampled_labels_entry_by_entry():
    """For one transfer set, over the draws: whitened, the errors have covariance I / K."""
    rng, teacher, draws, sets = np.random.default_rng(10), np.array([1.0, -2, 0.5]), 1000, 1500
    X = rng.standard_normal((60, 3))
    factor = np.linalg.cholesky(X.T @ D(X, teacher) @ X)
    labels = soft_labels(X, teacher)
    errors = np.array([
        m_estimator(X, rng.binomial(draws, labels) / draws, teacher) - teacher for _ in range(sets)
    ])  # fmt: skip
    covariance = draws * np.cov((errors @ factor).T)
    # A variance of 1 is known to sqrt(2 / sets), a covariance of 0 to less; four of these, and
    # 1/K times a few for the order left out.
    assert np.allclose(covariance, np.eye(3), rtol=0, atol=4 * np.sqrt(2 / sets) + 5 / draws)


# ---------------------------------------------------------------------------- a teacher who errs


@given(problems())
def test_the_risks_add_up_on_every_test_set(problem):
    """R_true <= R_teacher + R_transfer: where the student errs, teacher or student strayed."""
    X, truth, rng = problem
    teacher = truth + 0.5 * rng.standard_normal(truth.size)
    student = closed_form_student(X, teacher)
    test = rng.standard_normal((300, truth.size))
    strayed = transfer_risk(student, teacher, test)
    wrong = transfer_risk(teacher, truth, test)
    # Multiples of 1/300, whose sums round.
    assert transfer_risk(student, truth, test) <= wrong + strayed + 1e-12
    assert transfer_risk(student, truth, test) >= abs(wrong - strayed) - 1e-12


@given(st.floats(0.01, 1.5), st.floats(0.01, 1.5), seeds)
def test_the_sum_of_the_risks_is_attained_if_the_student_strays_further_the_same_way(phi, A, seed):
    truth, teacher, student = (
        np.array([np.cos(turn), np.sin(turn)]) for turn in (0.0, phi, phi + A)
    )
    test = np.random.default_rng(seed).standard_normal((300, 2))
    together = transfer_risk(teacher, truth, test) + transfer_risk(student, teacher, test)
    assert transfer_risk(student, truth, test) == pytest.approx(together, abs=1e-12)


@given(st.floats(0.0, np.pi / 2), seeds, st.integers(2, 12))
def test_isotropic_inputs_that_span_the_space_leave_the_teachers_own_risk(phi, seed, d):
    rng = np.random.default_rng(seed)
    (truth, other), X = np.eye(d)[:2], rng.standard_normal((d, d))
    teacher = np.cos(phi) * truth + np.sin(phi) * other
    student = closed_form_student(X, teacher)
    risk = axial_risk(min(angle(student, truth), np.pi / 2), IsotropicGaussian(d))
    assert risk == pytest.approx(phi / np.pi, abs=1e-14)
    test = rng.standard_normal((50, d))
    assert transfer_risk(student, truth, test) == transfer_risk(teacher, truth, test)


def approximation(phi, A):
    """arccos(cos(phi) cos(A)) / pi: as if teacher's and student's errors were orthogonal."""
    return np.arccos(np.cos(phi) * np.cos(A)) / np.pi


def test_two_angles_combine_as_if_at_right_angles():
    """The student strays in a uniform direction: for every pair of angles, the mean is near.

    The cosine between student and truth is cos(phi) cos(A) + sin(phi) sin(A) t, where t is an
    entry of a uniform unit vector in d - 1 dimensions.
    """
    d = 50
    # 200 Gauss-Legendre nodes: the density is a polynomial times a smooth arccos.
    t, weights = np.polynomial.legendre.leggauss(200)
    weights = weights * stats.beta.pdf(t, (d - 2) / 2, (d - 2) / 2, loc=-1, scale=2)
    phi, A = np.meshgrid(*2 * [np.linspace(0.05, np.pi / 2, 30)])
    cosine = np.cos(phi) * np.cos(A) + np.multiply.outer(t, np.sin(phi) * np.sin(A))
    exact = np.tensordot(weights, np.arccos(cosine), 1) / np.pi
    worst = np.abs(exact - approximation(phi, A)).max()
    # A third of 2e-3; at about 45 degrees. Half a unit of the second digit.
    assert worst == pytest.approx(6.4e-4, abs=5e-6)


@pytest.mark.parametrize("phi", [0.2, 0.6, 1.2])
@pytest.mark.parametrize("n", [10, 25, 40])
def test_two_angles_combine_in_the_mean_over_transfer_sets(n, phi):
    """Student and truth differ in angle, for isotropic inputs, by pi times the risk."""
    rng, truth = np.random.default_rng([8, n]), E_1
    teacher = np.cos(phi) * E_1 + np.sin(phi) * np.eye(50)[1]
    gaps = np.empty(300)
    for i in range(300):
        student = closed_form_student(rng.standard_normal((n, 50)), teacher)
        risk = angle(student, truth) / np.pi
        gaps[i] = risk - approximation(phi, angle(student, teacher))
    gap, error = mean(gaps)
    assert abs(gap) < 7e-4 + 4 * error
