"""A student that beats its teacher: chapter 13, transcribed.

The experiment is least squares by `numpy.linalg.lstsq` on inputs drawn here, and a flow integrated
by scipy. A measured mean must agree with a formula within 4 standard errors; the numbers of draws
are such that a formula that is off by its smallest change (a 1 left out) would not.
"""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import integrate, linalg

SEEDS = st.integers(0, 2**32 - 1)


# ------------------------------------------------------------------ the theory


def teachers_error(d_w, n, noise):
    return noise**2 * d_w / (n - d_w - 1)


def students_error(r, d_s, n, N, noise):
    unit = noise**2 / (n - len(r) - 1)
    return unit * sum(x**2 + (1 - x**2) * d_s / (N - d_s - 1) for x in r)


def common_coordinates(c, d_w, d_s, n, N, noise):
    return noise**2 / (n - d_w - 1) * (c + (d_w - c) * d_s / (N - d_s - 1))


# ------------------------------------------------------------------ the experiment


def joint_covariance(r, d_s, rng):
    """Covariance of (x_T, x_S) with these canonical correlations, in rotated coordinates."""
    R = np.zeros((len(r), d_s))
    R[range(min(R.shape)), range(min(R.shape))] = r[: min(R.shape)]
    turns = [np.linalg.qr(rng.standard_normal((k, k)))[0] for k in R.shape]
    R = turns[0] @ R @ turns[1].T
    together = np.block([[np.eye(len(r)), R], [R.T, np.eye(d_s)]])
    # a truth that both can say: along the directions with correlation 1
    truth_T = turns[0] @ (np.array(r) == 1)
    return linalg.sqrtm(together + 1e-14 * np.eye(len(together))).real, truth_T, R.T @ truth_T


def draw(root, truth_T, d_w, n, N, noise, rng):
    X, Z = (rng.standard_normal((k, len(root))) @ root for k in (n, N))
    labels = X[:, :d_w] @ truth_T + noise * rng.standard_normal(n)
    teacher = np.linalg.lstsq(X[:, :d_w], labels)[0]
    return teacher, np.linalg.lstsq(Z[:, d_w:], Z[:, :d_w] @ teacher)[0]


CASES = [((1, 1, 0.8, 0.5, 0), 6, 10, 12), ((1, 0.3), 2, 6, 7), ((1, 1, 0, 0), 3, 9, 30)]


@pytest.mark.parametrize(("r", "d_s", "n", "N"), CASES)
def test_the_students_error_is_exact(r, d_s, n, N):
    rng = np.random.default_rng([200, d_s, n, N])
    root, truth_T, truth_S = joint_covariance(r, d_s, rng)
    squares = []
    for _ in range(8000):
        teacher, student = draw(root, truth_T, len(r), n, N, 0.7, rng)
        squares.append([np.sum((teacher - truth_T) ** 2), np.sum((student - truth_S) ** 2)])
    mean, error = np.mean(squares, axis=0), np.std(squares, axis=0) / np.sqrt(8000)
    stated = teachers_error(len(r), n, 0.7), students_error(r, d_s, n, N, 0.7)
    assert np.all(np.abs(mean - stated) < 4 * error)
    assert np.all(error < 0.1 * mean)  # else the line above says nothing


@given(SEEDS)
def test_what_is_seen_is_copied_and_the_rest_is_noise(seed):
    rng = np.random.default_rng(seed)
    r, d_s, N = (1, 0.6, 0), 4, 20
    root, truth_T, truth_S = joint_covariance(r, d_s, rng)
    both = root @ root
    R = both[:3, 3:]
    Z = rng.standard_normal((N, 7)) @ root
    error = rng.standard_normal(3)  # any error of the teacher's
    student = np.linalg.lstsq(Z[:, 3:], Z[:, :3] @ (truth_T + error))[0]
    beside = Z[:, :3] - Z[:, 3:] @ R.T
    proof = R.T @ error + np.linalg.pinv(Z[:, 3:]) @ beside @ error
    assert student - truth_S == pytest.approx(proof, abs=1e-5)  # the root's 1e-14, under a root


@given(st.integers(0, 6), st.integers(6, 9), st.integers(1, 9), st.integers(0, 50))
def test_common_coordinates_are_the_case_of_zeros_and_ones(c, d_w, d_s, more):
    n, N = d_w + 2 + more, d_s + 2 + more
    r = [1] * c + [0] * (d_w - c)
    stated = common_coordinates(c, d_w, d_s, n, N, 1.3)
    assert students_error(r, d_s, n, N, 1.3) == pytest.approx(stated, rel=1e-12)
    far = common_coordinates(c, d_w, d_s, n, 10**9, 1.3) / teachers_error(d_w, n, 1.3)
    assert far == pytest.approx(c / d_w, abs=1e-7)


@given(st.lists(st.floats(0, 0.9), min_size=1, max_size=6), st.integers(1, 9), st.integers(0, 40))
def test_the_student_is_ahead_exactly_from_two_d_plus_two_labels_on(r, d_s, more):
    N, n = d_s + 2 + more, len(r) + 5
    ahead = students_error(r, d_s, n, N, 1.0) < teachers_error(len(r), n, 1.0) * (1 - 1e-12)
    assert ahead == (2 * d_s + 1 < N)


# ------------------------------------------------------------------ stopping


def a_pool(seed):
    rng = np.random.default_rng(seed)
    Phi = rng.standard_normal((3, 5))
    lam, q = np.linalg.eigh(Phi @ Phi.T / 3)
    return Phi, lam, q, 2 * rng.standard_normal(3), rng.uniform(0.2, 1, 3)


def mean_square(lam, f, noise, t):
    left = np.exp(-lam * t)
    return np.sum(left**2 * f**2 + (1 - left) ** 2 * noise)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("t", [0.3, 2.0, 10.0])
def test_the_flow_learns_each_direction_at_its_pace(seed, t):
    Phi, lam, q, f, noise = a_pool(seed)
    squares = []
    for signs in itertools.product((-1, 1), repeat=3):  # equally likely errors with mean 0
        u = q @ (f + np.array(signs) * np.sqrt(noise))
        flow = integrate.solve_ivp(
            lambda _, w, u=u: -Phi.T @ (Phi @ w - u) / 3, (0, t), np.zeros(5), rtol=1e-9, atol=1e-10
        )
        squares.append(np.sum((q.T @ Phi @ flow.y[:, -1] - f) ** 2))
    assert np.mean(squares) == pytest.approx(mean_square(lam, f, noise, t), abs=1e-6)  # of solver


@given(SEEDS)
def test_from_some_time_on_the_student_is_better_and_in_the_end_it_is_its_teacher(seed):
    _, lam, _, f, noise = a_pool(seed)
    times = np.log((f**2 + noise) / (2 * noise)) / lam
    late = max(times.max(), 0)
    for factor in (1.001, 1.1, 1.5):
        t = late * factor + 1e-6 / lam.max()
        left = np.exp(-lam * t)
        # each direction by itself, without cancellation
        assert np.all(left * (f**2 + noise) < 2 * noise)
        assert mean_square(lam, f, noise, t) <= noise.sum() * (1 + 1e-12)
    assert mean_square(lam, f, noise, 60 / lam[0]) == pytest.approx(noise.sum(), rel=1e-9)


def test_the_time_is_the_first_that_does_where_there_is_one_direction():
    f, noise, lam = np.array([2.0]), np.array([0.5]), np.array([0.8])
    t = np.log((f**2 + noise) / (2 * noise)) / lam
    assert mean_square(lam, f, noise, t[0] * 0.999) > 0.5 > mean_square(lam, f, noise, t[0] * 1.001)
