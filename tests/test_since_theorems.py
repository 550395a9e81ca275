"""The theory since the paper: a property for each theorem, in arithmetic of its own.

Theory: the closed forms, transcribed from the statements. Experiment: models fitted by solving
the equations of their optimum, or by descent. The two share no code, and none with the chapters.
"""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, optimize, stats

# ------------------------------------------------------------------ learning from oneself


def fit(X, labels, penalty):
    """The minimiser of |Xw - labels|^2 / n + penalty |w|^2, from its dual: X^T (XX^T + n l)^-1."""
    kernel = X @ X.T + len(X) * penalty * np.eye(len(X))
    return X.T @ np.linalg.solve(kernel, labels)


def problem(seed, n, d):
    rng = np.random.default_rng(seed)
    return rng, rng.standard_normal((n, d)), rng.standard_normal(n)


sizes = st.tuples(st.integers(0, 10**6), st.integers(2, 12), st.integers(2, 12))
penalties = st.floats(0.02, 2.0)


@settings(deadline=None, max_examples=60)
@given(sizes, penalties, st.floats(-3, 4))
def test_a_ridge_student_is_on_the_tangent_and_its_best_weight_obeys_the_sign_rule(
    drawn, penalty, mix
):
    rng, X, u = problem(*drawn)
    n, d = X.shape
    w = fit(X, u, penalty)
    student = fit(X, (1 - mix) * u + mix * X @ w, penalty)
    # The derivative of (X^T X + n l)^-1 X^T u in l, by the rule for an inverse.
    inverse = np.linalg.inv(X.T @ X + n * penalty * np.eye(d))
    derivative = -n * inverse @ inverse @ X.T @ u
    # A condition number is at most some 1e4 here: eleven digits are left.
    assert np.allclose(student, w + mix * penalty * derivative, atol=1e-9)

    root, center = rng.standard_normal((d, d)), rng.standard_normal(d)
    sigma = root @ root.T
    slope = 2 * derivative @ sigma @ (w - center)  # R'(l)
    bend = penalty**2 * derivative @ sigma @ derivative

    def risk(v):
        return (v - center) @ sigma @ (v - center)

    scale = risk(w) + abs(mix * penalty * slope) + mix**2 * bend
    parabola = risk(w) + mix * penalty * slope + mix**2 * bend
    assert abs(risk(student) - parabola) < 1e-8 * scale

    best = optimize.minimize_scalar(
        lambda x: risk(fit(X, (1 - x) * u + x * X @ w, penalty)),
        bracket=(-1.0, 1.0),
    )
    expected = -penalty * slope / (2 * bend)
    # A search for the least value sees the root of the rounding of values.
    assert abs(best.x - expected) < 1e-4 * (1 + abs(expected)) * (1 + risk(w) / bend) ** 0.5
    if abs(penalty * slope) > 1e-3 * scale and abs(expected) > 1e-2:
        assert np.sign(best.x) == -np.sign(slope)
        gain = (penalty * slope) ** 2 / (4 * bend)
        assert abs(risk(w) - best.fun - gain) < 1e-6 * scale + 1e-6 * gain


@settings(deadline=None, max_examples=40)
@given(sizes, penalties, st.floats(0, 0.8), st.integers(1, 7))
def test_rounds_are_powers_of_a_filter_and_mixed_ones_end_at_a_larger_ridge(
    drawn, penalty, mix, rounds
):
    _, X, u = problem(*drawn)
    n = len(X)
    w = fit(X, u, penalty)
    for _ in range(rounds - 1):
        w = fit(X, X @ w, penalty)
    squares, vectors = np.linalg.eigh(X @ X.T)
    squares = np.maximum(squares, 0)
    kept = (squares / (squares + n * penalty)) ** rounds
    assert np.allclose(X @ w, vectors @ (kept * (vectors.T @ u)), atol=1e-9)

    w = fit(X, u, penalty)
    for _ in range(200):  # 0.8 ** 200 is below rounding
        w = fit(X, (1 - mix) * u + mix * X @ w, penalty)
    assert np.allclose(w, fit(X, u, penalty / (1 - mix)), atol=1e-8)


@pytest.mark.parametrize(("n", "d"), [(6, 9), (9, 6), (7, 7)])
def test_no_filter_beats_the_best_ridge_for_isotropic_inputs(n, d):
    rng, noise, length, trials = np.random.default_rng(n), 0.6, 1.5, 4000
    base = rng.standard_normal((n, d))
    r, truth = min(n, d), length * np.eye(d)[0]
    s = np.linalg.svd(base, compute_uv=False)[:r]
    rotations = stats.ortho_group.rvs(d, size=trials, random_state=rng)
    noises = noise * rng.standard_normal((trials, n))

    def formula(a):
        inside = (1 - a) ** 2 * length**2 / d + a**2 * noise**2 / s**2
        return length**2 * (1 - r / d) + inside.sum()

    best = d * noise**2 / length**2 / n
    least = formula(s**2 / (s**2 + n * best))
    for a in (s**2 / (s**2 + n * best), np.ones(r), 0.0 * s, rng.uniform(0, 1, r)):
        assert formula(a) >= least - 1e-12
        errors = []
        for turn, epsilon in zip(rotations, noises, strict=True):
            U, lengths, V = np.linalg.svd(base @ turn, full_matrices=False)
            w = (a * (U.T @ (base @ turn @ truth + epsilon)) / lengths) @ V
            errors.append(np.sum((w - truth) ** 2))
        error = np.std(errors) / trials**0.5
        assert abs(np.mean(errors) - formula(a)) < 4 * error + 1e-12
    for by in (0.7, 1.4):  # any other ridge is worse
        assert formula(s**2 / (s**2 + n * best * by)) > least + 1e-5


def cross_entropy_fit(X, y, penalty):
    """Descent's end, found as the root of the gradient."""
    n, d = X.shape

    def gradient(w):
        return X.T @ (1 / (1 + np.exp(-X @ w)) - y) / n + penalty * w

    found = optimize.root(gradient, np.zeros(d), tol=1e-13)
    assert np.abs(gradient(found.x)).max() < 1e-10
    return found.x


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 10**6), st.floats(0.02, 0.5))
def test_a_little_self_distillation_is_a_little_more_penalty_for_the_cross_entropy(seed, penalty):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((15, 4))
    y = (rng.random(15) < 0.5).astype(float)
    w, h = cross_entropy_fit(X, y, penalty), 1e-4
    answers = 1 / (1 + np.exp(-X @ w))
    ahead, back = (cross_entropy_fit(X, y + x * (answers - y), penalty) for x in (h, -h))
    more, less = (cross_entropy_fit(X, y, penalty * (1 + x)) for x in (h, -h))
    # Both differences are off by h^2 times third derivatives, and 1e-10 / h of rounding.
    assert np.allclose((ahead - back) / (2 * h), (more - less) / (2 * h), atol=1e-5)


# ------------------------------------------------------------------ good teachers


def complexity(features, u):
    """u^T K^-1 u / n, by a Cholesky factor: the squared length of L^-1 u."""
    lower = np.linalg.cholesky(features @ features.T)
    return np.sum(np.linalg.solve(lower, u) ** 2) / len(u)


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 10**6), st.integers(1, 8), st.integers(0, 8))
def test_complexity_is_a_squared_length_and_a_sum_of_surprises(seed, n, more):
    rng = np.random.default_rng(seed)
    features, u = rng.standard_normal((n, n + more + 3)), rng.standard_normal(n)
    total = n * complexity(features, u)
    shortest = np.linalg.pinv(features) @ u
    assert np.isclose(total, shortest @ shortest, rtol=1e-6)
    surprises = 0.0
    for i in range(n):
        before = features[:i]
        back = np.linalg.pinv(before) if i else np.zeros((features.shape[1], 0))
        away = features[i] - back @ (before @ features[i])
        surprises += (u[i] - features[i] @ back @ u[:i]) ** 2 / (away @ away)
    assert np.isclose(total, surprises, rtol=1e-6)


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 10**6), st.integers(2, 8), st.floats(0.1, 3))
def test_noise_costs_at_least_its_variance_and_what_is_in_reach_next_to_nothing(seed, n, nu):
    rng = np.random.default_rng(seed)
    features, teacher = rng.standard_normal((n, n + 4)), rng.standard_normal(n + 4)
    told = features @ teacher
    assert complexity(features, told) <= teacher @ teacher / n * (1 + 1e-9)
    # The mean over noise of independent signs is a mean over all 2^n of them.
    signs = 2.0 * (np.arange(2**n)[:, None] >> np.arange(n) & 1) - 1
    mean = np.mean([complexity(features, told + nu * s) for s in signs])
    values = np.linalg.eigvalsh(features @ features.T)
    noise = nu**2 * np.sum(1 / values) / n
    assert np.isclose(mean, complexity(features, told) + noise, rtol=1e-6)
    assert noise >= nu**2 * n / np.sum(values) * (1 - 1e-9)
    # With features of length 1 noise alone costs at least its variance.
    unit = features / np.linalg.norm(features, axis=1, keepdims=True)
    assert np.mean([complexity(unit, nu * s) for s in signs]) >= nu**2 * (1 - 1e-9)


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 10**6), st.integers(1, 3))
def test_bayes_probabilities_have_the_mean_of_labels_and_less_variance(seed, n):
    """Inputs of three kinds: all sets of n inputs and labels, with their probabilities."""
    rng = np.random.default_rng(seed)
    law, p, q = rng.dirichlet(np.ones(3)), rng.random(3), rng.random(3)
    f = 2 * rng.standard_normal(3)

    def loss(kinds, labels):
        return np.mean(np.log1p(np.exp(f[kinds])) - labels * f[kinds])

    moments = {"labels": [0.0, 0.0], "p": [0.0, 0.0], "q": [0.0, 0.0]}
    for code in range(6**n):
        cells = [code // 6**i % 6 for i in range(n)]
        kinds, y = np.array([cell // 2 for cell in cells]), np.array([cell % 2 for cell in cells])
        weight = np.prod(law[kinds] * np.where(y, p[kinds], 1 - p[kinds]))
        for name, labels in (("labels", y), ("p", p[kinds]), ("q", q[kinds])):
            value = loss(kinds, labels)
            moments[name][0] += weight * value
            moments[name][1] += weight * value**2
    mean = {name: first for name, (first, _) in moments.items()}
    variance = {name: second - first**2 for name, (first, second) in moments.items()}
    assert np.isclose(mean["labels"], mean["p"])
    gap = law @ (p * (1 - p) * f**2) / n
    assert np.isclose(variance["labels"] - variance["p"], gap, atol=1e-10)
    bias = mean["q"] - mean["labels"]
    assert np.isclose(bias, -law @ ((q - p) * f), atol=1e-10)
    assert abs(bias) <= np.sqrt(law @ (q - p) ** 2 * (law @ f**2)) * (1 + 1e-9)


@pytest.mark.parametrize("factors", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_of_two_views_the_one_ahead_wins_from_three_factors_on(factors, seed):
    rng = np.random.default_rng(seed)
    shown, other = rng.standard_normal(6), rng.standard_normal(6)
    X = np.column_stack([shown, shown, other])
    y = (shown + 0.3 * other > 0).astype(float)
    start = np.array([0.5, 0.3, 0.4])

    def flow(_, u):
        w = u**factors
        pull = X.T @ (1 / (1 + np.exp(-X @ w)) - y)
        return -factors * u ** (factors - 1) * pull

    end = integrate.solve_ivp(flow, (0, 20), start, method="LSODA", rtol=1e-10, atol=1e-12)
    first, second = end.y[0], end.y[1]
    if factors == 1:
        kept = first - second
    elif factors == 2:
        kept = first / second
    else:
        kept = second ** (2.0 - factors) - first ** (2.0 - factors)
        bound = kept[0] ** (-1 / (factors - 2))
        assert np.all(second < bound)
        assert first[-1] > 1.2 * start[0]  # the winner does learn
    assert np.allclose(kept, kept[0], rtol=1e-6)
