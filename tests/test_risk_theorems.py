"""The bound on the transfer risk and easiness: a property for each, and where it is tight.

Each theorem is transcribed here, literally and slowly, from its statement. The experiment is
the library's: closed_form_student, nested_angles, transfer_risk, axial_risk. Theory and
experiment share no code.

Nearly nothing here is left to chance. A law with a few possible inputs has an expected risk
that can be summed over all its transfer sets; and its tail is a sum too.
"""

import functools
import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, stats

from distill_lib import (
    BoundedAngles,
    IsotropicGaussian,
    PolynomialAngles,
    acute_angle,
    angle,
    axial_risk,
    closed_form_student,
    easiness_bound,
    isotropic_expected_risk,
    margin_bound,
    nested_angles,
    sharp_easiness_bound,
    sharp_transfer_risk_bound,
    transfer_risk,
    transfer_risk_bound,
)

# ------------------------------------------------------------------ the theory, in small functions


def alpha_bar(X, teacher):
    """The acute angle of each input."""
    cosine = np.abs(X @ teacher) / (np.linalg.norm(X, axis=1) * np.linalg.norm(teacher))
    return np.arccos(np.minimum(cosine, 1.0))


def A(X, teacher):
    """The angle between the teacher and its projection on the span."""
    w_hat = np.linalg.pinv(X, rcond=1e-10) @ (X @ teacher)
    return np.arctan2(np.linalg.norm(teacher - w_hat), np.linalg.norm(w_hat))


def M(X, teacher):
    return alpha_bar(X, teacher).min()


def p(theta, angles, weights=None):
    """The tail of a law with finitely many angles."""
    weights = np.full(len(angles), 1 / len(angles)) if weights is None else weights
    return float(np.sum(weights[np.asarray(angles) >= theta]))


def T3(angles, weights, n):
    """inf over beta of p(beta) + p(pi/2 - beta)^n; p only jumps just above its angles."""
    jumps = np.concatenate([[0.0, np.pi / 2], angles, np.pi / 2 - angles])
    betas = np.concatenate([jumps - 1e-9, jumps, jumps + 1e-9])
    betas = betas[(betas >= 0) & (betas <= np.pi / 2)]
    return min(p(b, angles, weights) + p(np.pi / 2 - b, angles, weights) ** n for b in betas)


def T3_plus(angles, weights, n):
    """Pr[alpha_bar(x) + M_n >= pi/2], summed over the values of M_n."""
    total = 0.0
    for m in np.unique(angles):
        just = p(m, angles, weights) ** n - p(m + 1e-9, angles, weights) ** n
        total += just * p(np.pi / 2 - m - SLACK, angles, weights)
    return total


def C2(n, kappa):
    return (1 + math.log(n) ** kappa) / n**kappa


def C2_plus(n, kappa, easy=None):
    """Gamma(kappa + 1) Gamma(a n + 1) / Gamma(a n + kappa + 1), with a = kappa unless told."""
    an = (kappa if easy is None else easy) * n
    return math.exp(math.lgamma(kappa + 1) + math.lgamma(an + 1) - math.lgamma(an + kappa + 1))


# --------------------------------------------------------------------------------- the experiments

seeds = st.integers(0, 10**6)
easinesses = st.floats(0.2, 4.0)

# Angles of the normal inputs below: arccos near 1 keeps half of the digits.
SLACK = 1e-7
# The grid of the library's integral over angles leaves about 3e-6 of the value for the smooth
# tails here, at the sizes here.
GRID = 1e-5


@st.composite
def problems(draw):
    """(X, teacher, rng): normal inputs, at times dependent, at times all close to the teacher."""
    rng = np.random.default_rng(draw(seeds))
    n, d = draw(st.integers(1, 7)), draw(st.integers(2, 8))
    teacher = 10.0 ** rng.uniform(-3, 3) * rng.standard_normal(d)
    X = rng.standard_normal((n, d))
    if draw(st.booleans()):
        X += rng.choice([-3, 3], (n, 1)) * teacher / np.linalg.norm(teacher)
    if draw(st.booleans()):
        X = np.vstack([X, -2 * X[:1], np.ones(n) @ X])
    return X, teacher, rng


@st.composite
def finite_laws(draw):
    """(points, weights, teacher): an input is one of up to 4 points, some nearly orthogonal.

    Or one of two or three that misjudge each other, for which the theorems are nearly tight.
    """
    rng = np.random.default_rng(draw(seeds))
    kind = draw(st.sampled_from(["any", "rare", "margin"]))
    if kind == "rare":
        near = rng.uniform(0.3, 0.7)
        points, teacher = two_sides(np.array([near, np.pi / 2 - near + rng.uniform(0.001, 0.05)]))
        return points, np.array([1 - 1e-4, 1e-4]), teacher
    if kind == "margin":
        points, teacher = two_sides(np.array([*rng.uniform(0.8, 1.5, 2), 0.0]))
        share = rng.uniform(0.01, 0.3)
        return points, np.array([share, share, 1 - 2 * share]), teacher
    k, d = draw(st.integers(1, 4)), draw(st.integers(2, 5))
    teacher = rng.standard_normal(d)
    points = rng.standard_normal((k, d))
    points += rng.uniform(-2, 2, (k, 1)) * teacher / np.linalg.norm(teacher)
    return points, rng.dirichlet(np.full(k, 0.5)), teacher


def expected_risk(points, weights, teacher, n):
    """E R, exactly: all transfer sets and all test inputs, each with its probability."""

    @functools.cache
    def risk(different):
        student = closed_form_student(points[list(different)], teacher)
        return weights @ [transfer_risk(student, teacher, [x]) for x in points]

    sets = itertools.product(range(len(points)), repeat=n)
    return sum(np.prod(weights[list(i)]) * risk(tuple(sorted(set(i)))) for i in sets)


def tail_of(angles, weights):
    """The same tail as p, for the library: of arrays."""
    return lambda theta: np.minimum((np.asarray(theta)[..., None] <= angles) @ weights, 1.0)


def two_sides(angles):
    """In the plane, the teacher e_1: unit inputs at these angles, in turn left and right of it."""
    sides = np.where(np.arange(len(angles)) % 2, -1, 1)
    return np.column_stack([np.cos(angles), sides * np.sin(angles)]), np.array([1.0, 0.0])


def in_the_plane_of(X, teacher, t):
    """The input sin(t) e - cos(t) q, where w_hat points along cos(A) e + sin(A) q.

    Its acute angle is pi/2 - t, and the student's logit has the sign of sin(t - A).
    """
    e, w = teacher / np.linalg.norm(teacher), closed_form_student(X, teacher)
    q = w - (w @ e) * e
    return np.sin(t) * e - np.cos(t) * q / np.linalg.norm(q)


# --------------------------------------------------------------------------------- Lemmas A and B


@given(problems())
def test_lemma_a_the_student_is_at_least_as_aligned_as_the_best_input(problem):
    X, teacher, rng = problem
    student = closed_form_student(X, teacher)
    aligned = A(X, teacher)
    assert angle(student, teacher) == pytest.approx(aligned, abs=SLACK)
    assert nested_angles(X, teacher)[-1] == pytest.approx(aligned, abs=SLACK)
    cosine = np.linalg.norm(student) / np.linalg.norm(teacher)
    assert cosine == pytest.approx(np.cos(aligned), abs=1e-9)  # rounding times the condition
    # A = min over the span, which holds the inputs.
    assert angle(student, teacher) <= acute_angle(X, teacher).min() + SLACK
    anything = rng.standard_normal((50, len(X))) @ X
    assert angle(student, teacher) <= acute_angle(anything, teacher).min() + SLACK


@given(seeds, st.integers(2, 8))
def test_lemma_a_is_tight_if_all_other_inputs_are_orthogonal_to_both(seed, d):
    rng = np.random.default_rng(seed)
    basis, _ = np.linalg.qr(rng.standard_normal((d, d)))
    turn = rng.uniform(0.1, 1.4)
    first = np.cos(turn) * basis[0] + np.sin(turn) * basis[1]
    X = np.vstack([first, basis[2:]])
    assert angle(closed_form_student(X, basis[0]), basis[0]) == pytest.approx(turn, abs=1e-12)
    assert acute_angle(X, basis[0]).min() == pytest.approx(turn, abs=1e-12)


@given(problems())
def test_lemma_b_a_misjudged_input_is_nearly_orthogonal_to_the_teacher(problem):
    X, teacher, rng = problem
    student = closed_form_student(X, teacher)
    test = rng.standard_normal((300, teacher.size))
    wrong = ((test @ student >= 0) != (test @ teacher >= 0)) & (A(X, teacher) > SLACK)
    assert np.all(alpha_bar(test, teacher)[wrong] >= np.pi / 2 - A(X, teacher) - SLACK)


@given(problems())
def test_lemma_b_is_tight_in_the_plane_of_student_and_teacher(problem):
    """At the angle pi/2 - A the verdict turns."""
    X, teacher, _ = problem
    if A(X, teacher) < 1e-3:
        return  # the student is the teacher, and the plane is none
    for t, wrong in ((A(X, teacher) - 1e-6, 1.0), (A(X, teacher) + 1e-6, 0.0)):
        x = in_the_plane_of(X, teacher, min(t, np.pi / 2))
        assert acute_angle([x], teacher)[0] == pytest.approx(np.pi / 2 - t, abs=1e-12)
        assert transfer_risk(closed_form_student(X, teacher), teacher, [x]) == wrong


@given(problems())
def test_the_angle_never_grows_along_nested_sets_and_only_the_lines_of_the_inputs_matter(problem):
    X, teacher, rng = problem
    angles = nested_angles(X, teacher)
    assert np.all(np.diff(angles) <= 0)
    for n in range(1, len(X) + 1):
        assert angles[n - 1] == pytest.approx(A(X[:n], teacher), abs=SLACK)
    # An input seen before changes nothing: tight.
    twice = nested_angles(np.repeat(X, 2, axis=0), teacher)
    assert twice[1::2] == pytest.approx(twice[::2], abs=1e-14)
    factors = 10.0 ** rng.uniform(-6, 6, (len(X), 1)) * rng.choice([-1, 1], (len(X), 1))
    assert nested_angles(factors * X, teacher) == pytest.approx(angles, abs=SLACK)
    student, scaled = (closed_form_student(Z, teacher) for Z in (X, factors * X))
    # 1e-9: rounding, times the condition of the inputs.
    assert np.allclose(scaled, student, rtol=0, atol=1e-9 * np.linalg.norm(teacher))


# ---------------------------------------------------------------------------------- Theorem T3, T3+


@given(finite_laws(), st.integers(1, 4))
@settings(max_examples=60)  # of up to 256 transfer sets each
def test_t3_and_t3_plus_bound_the_expected_risk_of_every_finite_law(law, n):
    """And T3+ <= T3. No density is needed."""
    points, weights, teacher = law
    angles = alpha_bar(points, teacher)
    exact = expected_risk(points, weights, teacher, n)
    plus = T3_plus(angles, weights, n)
    assert exact <= plus + 1e-12  # rounding of sums of probabilities
    assert plus <= T3(angles, weights, n) + 1e-12
    # The library knows the tail alone. Each beta that it tries is a bound.
    bound = transfer_risk_bound(tail_of(angles, weights), n)
    assert T3(angles, weights, n) - 1e-12 <= bound <= 1


@pytest.mark.parametrize("n", [1, 2, 3])
def test_t3_and_t3_plus_are_tight_if_the_two_sides_misjudge_each_other(n):
    """A rare input on one side, common ones on the other: E R = q (1 - q)^n + (1 - q) q^n."""
    q = 1e-3
    points, teacher = two_sides(np.array([0.5, 1.2]))
    weights, angles = np.array([1 - q, q]), np.array([0.5, 1.2])
    exact = expected_risk(points, weights, teacher, n)
    # Rounding; the sum runs over at most 2^3 transfer sets.
    assert exact == pytest.approx(q * (1 - q) ** n + (1 - q) * q**n, rel=1e-12)
    assert T3_plus(angles, weights, n) == pytest.approx(q + (1 - q) * q**n, rel=1e-12)
    assert T3(angles, weights, n) == pytest.approx(q + q**n, rel=1e-12)
    # (1 - q)^n is within n q of 1.
    assert exact >= (1 - n * q) * T3(angles, weights, n)
    # No grid point of the library is at a jump of this tail or of its complement.
    tail = tail_of(angles, weights)
    assert transfer_risk_bound(tail, n) == pytest.approx(q + q**n, rel=1e-12)
    assert sharp_transfer_risk_bound(tail, n) == pytest.approx(q + (1 - q) * q**n, rel=1e-12)


@given(st.floats(0.01, 0.5), st.integers(1, 6))
def test_t3_without_a_density_the_risk_is_positive_however_many_inputs(q, n):
    """Two inputs in the plane: both may be of one kind. So n >= d alone gives nothing."""
    points, teacher = two_sides(np.array([0.5, 1.2]))
    exact = expected_risk(points, np.array([1 - q, q]), teacher, n)
    assert exact == pytest.approx(q * (1 - q) ** n + (1 - q) * q**n, rel=1e-12)
    assert exact > 0


@pytest.mark.parametrize("n", [1, 3, 10])
def test_t3_is_an_infimum_where_the_tail_jumps(n):
    """Half of the inputs at 0.6, half evenly on [0.9, pi/2 - 0.6]: 2^-n is not attained."""

    def tail(theta):
        spread = np.clip((np.pi / 2 - 0.6 - theta) / (np.pi / 2 - 1.5), 0, 1)
        return 0.5 * (np.asarray(theta) <= 0.6) + 0.5 * spread

    sums = [tail(np.pi / 2 - rest) + tail(rest) ** n for rest in (0.6 + 1e-9, 0.6)]
    # The slope of the tail at its end is 1/2 over 0.07.
    assert sums == pytest.approx([0.5**n, 1.0], abs=1e-7)
    rest = np.linspace(0, np.pi / 2, 100_001)
    assert (tail(np.pi / 2 - rest) + tail(rest) ** n).min() > 0.5**n
    # The library tries angles as close to the jump as its grid has them.
    assert 0.5**n < transfer_risk_bound(tail, n) < 0.5**n + 0.01


@given(problems())
def test_other_perfect_students_are_less_than_a_right_angle_worse(problem):
    """w_hat - t h, h = teacher - w_hat, fits every label; its angle is A + arctan(t tan A)."""
    X, teacher, _ = problem
    w_hat, turned = closed_form_student(X, teacher), A(X, teacher)
    if not 1e-3 < turned < np.pi / 2 - 1e-3:
        return
    for t in (0.1, 1.0, 10.0, 1e4):
        other = w_hat - t * (teacher - w_hat)
        # The logits are rounded at the length of this student.
        scale = np.linalg.norm(other) * np.linalg.norm(X, axis=1)
        assert np.all(np.abs(X @ other - X @ teacher) <= 1e-9 * scale)
        expected = turned + np.arctan(t * np.tan(turned))
        assert angle(other, teacher) == pytest.approx(expected, abs=SLACK)
        assert angle(other, teacher) < turned + np.pi / 2


def test_t3_needs_independent_inputs():
    """Copies of one input in the plane, isotropic: the risk stays 1/4, the bound falls below."""
    law = PolynomialAngles([1.0, 0.0], 1.0)
    turns = (np.arange(100) + 0.5) / 100 * np.pi / 2
    sets = [np.outer(np.ones(20), [np.cos(t), np.sin(t)]) for t in turns]
    risk = np.mean([axial_risk(nested_angles(X, law.w_teacher)[-1], law) for X in sets])
    assert risk == pytest.approx(0.25, abs=1e-12)  # the mean of evenly spread angles
    assert transfer_risk_bound(law.angle_tail, 20) < 0.2


@given(problems(), st.floats(0.0, 3.0))
def test_t3_plus_holds_pointwise_on_every_test_set(problem, pull):
    """R <= p(pi/2 - A) <= p(pi/2 - M_n), with the tail of the test set itself: no chance."""
    X, teacher, rng = problem
    test = rng.standard_normal((200, teacher.size))
    test += pull * rng.choice([-1, 1], (200, 1)) * teacher / np.linalg.norm(teacher)
    risk = transfer_risk(closed_form_student(X, teacher), teacher, test)
    angles = alpha_bar(test, teacher)
    if A(X, teacher) < SLACK:
        assert risk == 0.0  # the student is the teacher
    assert risk <= p(np.pi / 2 - A(X, teacher) - SLACK, angles)
    tail = p(np.pi / 2 - A(X, teacher) - SLACK, angles)
    assert tail <= p(np.pi / 2 - M(X, teacher) - 2 * SLACK, angles)


@given(problems())
def test_t3_plus_is_attained_pointwise_by_inputs_on_the_far_side_of_the_student(problem):
    """And p(pi/2 - A) = p(pi/2 - M_n) if there is one input."""
    X, teacher, _ = problem
    if A(X, teacher) < 1e-3:
        return  # the student is the teacher: nothing is misjudged
    turns = np.linspace(0.0005, 1.57, 100)
    turns = turns[np.abs(turns - A(X, teacher)) > SLACK]
    test = np.array([in_the_plane_of(X, teacher, t) for t in turns])
    tail = p(np.pi / 2 - A(X, teacher), alpha_bar(test, teacher))
    risk = transfer_risk(closed_form_student(X, teacher), teacher, test)
    assert risk == pytest.approx(tail, abs=1e-12)  # rounding of a hundred hundredths
    assert risk > 0
    assert A(X[:1], teacher) == pytest.approx(M(X[:1], teacher), abs=SLACK)


axial_laws = st.one_of(
    st.builds(lambda d, k: PolynomialAngles(np.eye(d)[0], k), st.integers(2, 60), easinesses),
    st.builds(
        lambda d, g: BoundedAngles(np.eye(d)[0], g), st.integers(2, 60), st.floats(0.1, np.pi / 2)
    ),
    st.builds(IsotropicGaussian, st.integers(2, 60)),
)


@given(axial_laws, seeds, st.integers(1, 7))
def test_t3_plus_half_of_it_holds_for_axially_symmetric_laws(law, seed, n):
    """R <= p(pi/2 - A)/2 <= p(pi/2 - M_n)/2, for every transfer set; so the means too."""
    teacher = np.eye(law.dim)[0]
    X = law.sample(n, np.random.default_rng(seed))
    turned = nested_angles(X, teacher)
    half = law.angle_tail(np.pi / 2 - turned) / 2
    # 1e-9: the risk is an integral, the tail loses half of its digits at the ends.
    assert np.all(axial_risk(turned, law) <= half + 1e-8)
    best = np.minimum.accumulate(acute_angle(X, teacher))
    # The power 0.2 of rounding, 1e-15, is 1e-3 where an angle is 0: here that is n >= d alone.
    assert np.all(half <= law.angle_tail(np.pi / 2 - best) / 2 + 1e-8)


@given(easinesses, st.floats(1e-4, np.pi / 2), st.integers(3, 60))
def test_t3_plus_the_half_is_attained_in_the_plane_and_by_an_orthogonal_student(kappa, turn, d):
    law = PolynomialAngles([3.0, 4.0], kappa)
    # 1e-9: pi/2 - turn is rounded at 1e-16, of at least 1e-4.
    assert axial_risk(turn, law) == pytest.approx(law.angle_tail(np.pi / 2 - turn) / 2, rel=1e-9)
    # 1e-11: the quadrature.
    law = PolynomialAngles(np.eye(d)[0], kappa)
    assert axial_risk(np.pi / 2, law) == pytest.approx(0.5, abs=1e-11)


@pytest.mark.parametrize("kappa", [0.5, 1.0, 2.0, 4.0])
def test_t3_plus_the_half_is_attained_in_expectation_by_one_input_in_the_plane(kappa):
    """kappa = 1 in the plane is isotropic: a quarter."""
    law = PolynomialAngles([1.0, 0.0], kappa)

    def risk_of_quantile(u):  # the acute angle of one input is its student's
        return axial_risk(np.pi / 2 - law.gap_quantile(u), law)

    exact, _ = integrate.quad(risk_of_quantile, 0, 1, epsabs=1e-11)
    half = C2_plus(1, kappa) / 2
    assert exact == pytest.approx(half, abs=1e-9)  # quad near a power
    assert sharp_transfer_risk_bound(law.angle_tail, 1) / 2 == pytest.approx(half, rel=GRID)
    if kappa == 1:
        assert isotropic_expected_risk(1, 2) == pytest.approx(half, abs=1e-12)


@st.composite
def tails(draw):
    """A mixture of (1 - (2 theta/pi)^m)^kappa, for up to three m and kappa."""
    part = st.tuples(st.floats(0.1, 5.0), st.floats(0.3, 4.0), st.floats(0.05, 1.0))
    kappa, m, share = np.array(draw(st.lists(part, min_size=1, max_size=3))).T
    share /= share.sum()

    def tail(theta):
        powers = np.clip(2 * np.asarray(theta)[..., None] / np.pi, 0, 1) ** m
        return np.minimum((1 - powers) ** kappa @ share, 1.0)

    return tail


@given(tails(), st.integers(1, 1000))
def test_t3_plus_is_never_above_t3(tail, n):
    bound = transfer_risk_bound(tail, n)
    sharp = sharp_transfer_risk_bound(tail, n)
    assert 0 < sharp <= bound * (1 + GRID)
    assert bound <= 1
    # Both are what more inputs can only lower.
    assert transfer_risk_bound(tail, n + 1) <= bound * (1 + 1e-9)
    assert sharp_transfer_risk_bound(tail, n + 1) <= sharp * (1 + 1e-9)


# ------------------------------------------------------------------------------- isotropic inputs


@given(st.integers(2, 200).flatmap(lambda d: st.tuples(st.just(d), st.integers(1, d - 1))))
def test_the_bound_is_vacuous_for_isotropic_inputs(d_and_n):
    d, n = d_and_n
    tail = IsotropicGaussian(d).angle_tail
    # 1e-8: betainc near cos^2 = 0 and 1 keeps half of the digits of theta.
    assert transfer_risk_bound(tail, n) == pytest.approx(1.0, abs=1e-8)
    # As 1 - p(beta) <= p(pi/2 - beta)^(d - 1) at every angle.
    beta = np.linspace(0, np.pi / 2, 201)
    assert np.all(1 - tail(beta) <= tail(np.pi / 2 - beta) ** (d - 1) + 1e-8)


@pytest.mark.parametrize(("d", "n"), [(2, 2), (3, 3), (4, 4), (5, 6), (8, 14), (10, 26)])
def test_from_n_equal_to_d_on_the_bound_is_not_vacuous_but_soon_it_might_as_well_be(d, n):
    """The least n >= d at which the bound gains a millionth."""
    tail = IsotropicGaussian(d).angle_tail
    assert 1 - transfer_risk_bound(tail, n) > 1e-6
    assert n == d or 1 - transfer_risk_bound(tail, n - 1) < 1e-6


def test_in_the_plane_the_bound_for_two_isotropic_inputs_is_three_quarters():
    """min of 1 - s + s^2, s = 2 beta/pi."""
    tail = IsotropicGaussian(2).angle_tail
    assert transfer_risk_bound(tail, 2) == pytest.approx(0.75, abs=1e-8)


def test_for_isotropic_inputs_the_squared_cosine_has_a_beta_law():
    """Kolmogorov-Smirnov at p > 1e-4, 9 times: a right library fails with probability 0.1%."""
    for d, sizes in ((2, [1]), (3, [1, 2]), (6, [1, 2, 5]), (20, [1, 7, 15])):
        law, teacher = IsotropicGaussian(d), np.arange(1.0, d + 1)
        rng = np.random.default_rng(d)
        turned = np.array([nested_angles(law.sample(d - 1, rng), teacher) for _ in range(1500)])
        for n in sizes:
            beta = stats.beta(n / 2, (d - n) / 2)
            assert stats.kstest(np.cos(turned[:, n - 1]) ** 2, beta.cdf).pvalue > 1e-4


@given(st.integers(2, 3000).flatmap(lambda d: st.tuples(st.just(d), st.integers(1, d - 1))))
def test_isotropic_risks_at_n_and_d_minus_n_add_to_one_half(d_and_n):
    d, n = d_and_n
    both = isotropic_expected_risk(n, d) + isotropic_expected_risk(d - n, d)
    assert both == pytest.approx(0.5, abs=1e-11)  # twice the quadrature's 1e-12/pi, and more
    assert isotropic_expected_risk(d, 2 * d) == pytest.approx(0.25, abs=1e-11)
    assert isotropic_expected_risk(n, d) > isotropic_expected_risk(n + 1, d)


@given(st.floats(0.05, 0.95), st.sampled_from([10**3, 10**4, 10**5]))
def test_the_isotropic_risk_tends_to_the_arc_cosine_of_the_square_root_of_the_share(share, d):
    n = round(share * d)
    share = n / d
    spread = math.sqrt(share * (1 - share))
    limit = math.acos(math.sqrt(share)) / math.pi
    second = (1 - 2 * share) / (4 * math.pi * (d + 2) * spread)
    # The next term is of the order 1/(d spread)^2: 0.04 of that where it was measured, d = 100.
    assert isotropic_expected_risk(n, d) == pytest.approx(
        limit + second, rel=0, abs=0.1 / (d * spread) ** 2 / spread + 1e-12
    )


# ------------------------------------------------------------------------ axially symmetric inputs


@given(st.floats(0.0, np.pi / 2), easinesses, seeds)
@settings(max_examples=25)  # of 40,000 test inputs each
def test_the_risk_at_an_angle_is_counted_on_rings_around_the_teacher(turn, kappa, seed):
    """Three dimensions: rings at the quantiles of the gap, each with evenly spread inputs.

    A ring's two ends may each miss one input of 200; and its share of misread inputs falls from
    1/2 at most to 0, so that the midpoint rule over 200 rings is within 1/2 of one of them.
    """
    rings = count = 200
    law = PolynomialAngles([0, 0, 2.0], kappa)
    gap = law.gap_quantile((np.arange(rings) + 0.5) / rings)[:, None]
    around = 2 * np.pi * (np.arange(count) + np.random.default_rng(seed).random()) / count
    test = np.stack(
        np.broadcast_arrays(np.cos(gap) * np.cos(around), np.cos(gap) * np.sin(around), np.sin(gap))
    )
    student = [np.sin(turn), 0.0, np.cos(turn)]
    counted = transfer_risk(student, law.w_teacher, test.reshape(3, -1).T)
    assert axial_risk(turn, law) == pytest.approx(counted, abs=1 / count + 0.5 / rings)


# ------------------------------------------------------------------------------------- C1: a margin


@given(finite_laws(), st.integers(1, 4))
@settings(max_examples=60)  # of up to 256 transfer sets each
def test_c1_a_margin_bounds_the_risk_by_a_power_of_n_plus_one(law, n):
    points, weights, teacher = law
    angles = alpha_bar(points, teacher)
    gamma = angles.max() + SLACK
    if gamma > np.pi / 2:
        return  # no margin
    seen = p(np.pi / 2 - gamma, angles, weights)
    exact = expected_risk(points, weights, teacher, n)
    assert exact <= seen ** (n + 1) + 1e-12
    assert margin_bound(tail_of(angles, weights), gamma, n) == pytest.approx(seen**n, rel=1e-12)


@pytest.mark.parametrize("n", [1, 2, 3])
def test_c1_with_n_plus_one_is_tight_for_inputs_that_all_misjudge_each_other(n):
    """k inputs around the teacher at the corners of a simplex, and with them the teacher itself.

    Two corners have a negative product if tan^2 > k - 1. A corner that the student hasn't seen
    is misjudged, and nothing is once the teacher has been seen: E R = q^(n+1) (1 - 1/k)^n.
    """
    k, q = 400, 0.3
    corners = np.eye(k) - 1 / k
    turn = np.arctan(np.sqrt(k - 1)) + 0.01
    corners *= np.sin(turn) / np.linalg.norm(corners, axis=1, keepdims=True)
    points = np.column_stack([np.full(k, np.cos(turn)), corners])
    teacher = np.eye(k + 1)[0]
    risk = 0.0
    # A transfer set with j different corners, and their number among k^n.
    for j, ways in {1: {1: k}, 2: {1: k, 2: k * (k - 1)}, 3: {
        1: k, 2: 3 * k * (k - 1), 3: k * (k - 1) * (k - 2)
    }}[n].items():  # fmt: skip
        student = closed_form_student(points[:j], teacher)
        wrong = transfer_risk(student, teacher, points) * q
        assert transfer_risk(student, teacher, [teacher]) == 0.0
        risk += ways / k**n * q**n * wrong
    assert not transfer_risk(closed_form_student([teacher, points[0]], teacher), teacher, points)
    assert risk == pytest.approx(q ** (n + 1) * (1 - 1 / k) ** n, rel=1e-9)
    assert (1 - n / k) * q ** (n + 1) <= risk <= q ** (n + 1)


@given(seeds, st.integers(1, 5), st.integers(2, 8))
def test_within_45_degrees_of_the_teacher_one_input_is_enough(seed, n, d):
    rng = np.random.default_rng(seed)
    law = BoundedAngles(rng.standard_normal(d), np.pi / 4)
    student = closed_form_student(law.sample(n, rng), law.w_teacher)
    assert transfer_risk(student, law.w_teacher, law.sample(300, rng)) == 0.0
    turned = nested_angles(law.sample(n, rng), law.w_teacher)
    assert not axial_risk(turned, law).any()


@given(st.floats(1e-6, 0.7))
def test_within_more_than_45_degrees_it_is_not(more):
    points, teacher = two_sides(np.pi / 4 + np.array([more, more]))
    assert transfer_risk(closed_form_student(points[:1], teacher), teacher, points) == 1 / 2
    points, teacher = two_sides(np.pi / 4 - np.array([more, more]))
    assert transfer_risk(closed_form_student(points[:1], teacher), teacher, points) == 0.0


# ------------------------------------------------------------------------------ C2, C2+: easiness


@given(tails(), easinesses, st.integers(1, 10**6))
def test_c2_and_c2_plus_bound_the_bounds_of_every_tail_of_the_easiness(tail, kappa, n):
    """p(theta) = (1 - 2 theta/pi)^kappa times any other tail."""

    def easy(theta):
        return np.clip(1 - 2 * theta / np.pi, 0, 1) ** kappa * tail(theta)

    assert transfer_risk_bound(easy, n) <= C2(n, kappa) * (1 + 1e-12)
    assert easiness_bound(n, kappa) == pytest.approx(C2(n, kappa), rel=1e-12)
    # lgamma of 4e6 is 6e7, rounded at 1e-8.
    assert sharp_easiness_bound(n, kappa) == pytest.approx(C2_plus(n, kappa), rel=1e-7)
    assert sharp_transfer_risk_bound(easy, n) <= C2_plus(n, kappa) * (1 + GRID)


@given(easinesses, st.integers(1, 10**6))
def test_c2_is_what_its_angle_gives_and_c2_plus_is_what_equality_gives(kappa, n):
    law = PolynomialAngles([1.0, 2.0], kappa)
    # 1 - 2 beta/pi = log n / n.
    share = math.log(n) / n
    beta = np.pi / 2 * (1 - share)
    tried = law.angle_tail(beta) + law.angle_tail(np.pi / 2 - beta) ** n
    # Of the first term nothing is lost, of the second (1 - share)^(kappa n) n^kappa: e to the
    # power -kappa n (share^2/2 + ...), where share <= 0.37 and the dots add less than a third.
    assert tried <= C2(n, kappa) * (1 + 1e-9)
    assert tried >= C2(n, kappa) * np.exp(-kappa * n * share**2 * 0.67) * (1 - 1e-9)
    sharp = sharp_transfer_risk_bound(law.angle_tail, n)
    assert sharp == pytest.approx(C2_plus(n, kappa), rel=3 * GRID)


@pytest.mark.parametrize("kappa", [0.5, 1.0, 2.0, 4.0])
def test_c2_has_the_order_and_the_constant_of_t3(kappa):
    """T3 minimises s^kappa + e^(-kappa n s): at n s = log n - l, l of the order log log n.

    So the ratio of T3 to C2 tends to 1, though as slowly as (1 - l / log n)^kappa.
    """
    for n in (10**6, 10**9, 10**12):
        t3 = transfer_risk_bound(PolynomialAngles([1.0, 2.0], kappa).angle_tail, n)
        ns = np.linspace(0, 3 * math.log(n), 300_001)
        t3_by_hand = np.min((ns / n) ** kappa + np.exp(kappa * n * np.log1p(-ns / n)))
        # The grid's step is 3e-4 at most, the library's 2e-3 of n s; at a minimum their squares.
        # And the library's angle, s pi/2 short of pi/2, is rounded: twice where it is least, which
        # is at n s > 10, and the power kappa of that.
        rounding = 2 * kappa * np.spacing(np.pi / 2) / (10 / n * np.pi / 2)
        assert t3 == pytest.approx(t3_by_hand, rel=1e-5 + rounding, abs=0)
        late = 1 - 2 * math.log(math.log(n)) / math.log(n)
        assert late**kappa <= t3 / easiness_bound(n, kappa) <= 1 + rounding


@given(st.integers(1, 8), st.integers(1, 1000))
def test_c2_plus_is_one_over_a_binomial_for_whole_easiness(kappa, n):
    exact = 1 / math.comb(kappa * n + kappa, kappa)
    assert sharp_easiness_bound(n, kappa) == pytest.approx(exact, rel=1e-10)


@given(easinesses, st.integers(1, 10**6))
def test_c2_plus_has_no_logarithm(kappa, n):
    """It tends to Gamma(kappa + 1) (kappa n)^-kappa: within kappa (kappa + 1)/2 over kappa n."""
    limit = math.gamma(kappa + 1) * (kappa * n) ** -kappa
    ratio = sharp_easiness_bound(n, kappa) / limit
    # Kershaw's inequalities for ratios of gamma functions.
    assert (1 + (kappa + 1) / (kappa * n)) ** -kappa <= ratio * (1 + 1e-7)
    assert ratio <= 1 + 1e-7
    assert sharp_easiness_bound(n, kappa) <= easiness_bound(n, kappa)


# ------------------------------------------------------------------ C2c: the constant in front


@given(st.floats(1.0, 10.0), easinesses, st.floats(0.05, 4.0), st.integers(1, 10**4))
def test_c2c_any_constant_keeps_the_rate_if_there_are_inputs_near_the_teacher(c, kappa, a, n):
    """p <= c (1 - 2 theta/pi)^kappa and p <= (1 - 2 theta/pi)^a."""

    def tail(theta):
        share = np.clip(1 - 2 * theta / np.pi, 0, 1)
        return np.minimum(c * share**kappa, share**a)

    bound = c * C2_plus(n, kappa, easy=a)
    assert sharp_transfer_risk_bound(tail, n) <= bound * (1 + GRID)
    share = kappa * math.log(n) / (a * n)
    if share <= 1:
        assert transfer_risk_bound(tail, n) <= (c * share**kappa + n**-kappa) * (1 + 1e-9)


def test_c2c_with_a_constant_is_nearly_attained():
    """c = 2^(3/2), kappa = 2, a = 1/2, n = 20: 0.0427 of at most 0.0429."""
    bound = 2**1.5 * C2_plus(20, 2, easy=0.5)

    def tail(theta):
        share = 1 - 2 * theta / np.pi
        return np.minimum(2**1.5 * share**2, np.sqrt(share))

    # Half a unit of the last digits.
    assert sharp_transfer_risk_bound(tail, 20) == pytest.approx(0.0427, abs=5e-5)
    assert transfer_risk_bound(tail, 20) == pytest.approx(0.219, abs=5e-4)
    assert bound == pytest.approx(0.0429, abs=5e-5)


@given(st.floats(0.05, 1.0), st.floats(0.5, 4.0), easinesses, st.integers(1, 10**4))
def test_c2c_the_mass_near_the_teacher_may_grow_like_any_power(b, m, kappa, n):
    """p <= c (1 - 2 theta/pi)^kappa and p <= 1 - b (2 theta/pi)^m, in the general form."""

    def tail(theta):
        share = np.clip(1 - 2 * theta / np.pi, 0, 1)
        return np.minimum(4.0 * share**kappa, 1 - b * np.clip(2 * theta / np.pi, 0, 1) ** m)

    bound = 4.0 * math.gamma(1 + kappa / m) * (b * n) ** (-kappa / m)
    assert sharp_transfer_risk_bound(tail, n) <= bound * (1 + GRID)


def test_c2c_a_smooth_law_has_the_slower_rate():
    """p = 1 - (2 theta/pi)^2: c = 2, kappa = 1, m = 2, and so n^(-1/2)."""

    def tail(theta):
        return 1 - (2 * theta / np.pi) ** 2

    for n, value in ((10, 0.45), (100, 0.17), (1000, 0.055)):
        sharp = sharp_transfer_risk_bound(tail, n)
        assert sharp == pytest.approx(value, rel=0, abs=0.5 * 10.0 ** -(2 + (n == 1000)))
        assert sharp <= 2 * math.gamma(1.5) / math.sqrt(n)
    # Tight as n grows: 1 - 2 theta/pi = (1 - t)(1 + t) loses O(t) = O(n^(-1/2)).
    sharp = sharp_transfer_risk_bound(tail, 10**6)
    assert sharp == pytest.approx(2 * math.gamma(1.5) / 1e3, rel=1e-3)


@pytest.mark.parametrize("more", [1, 2, 20])
@pytest.mark.parametrize("n", [3, 10, 40, 160])
def test_c2c_without_them_the_rate_is_lost(n, more):
    """The counterexample: kappa = 2, c = 4, n E R >= 1/4 whatever n and d > n are.

    Two kinds of input on two sides of the teacher, the second with probability 1/n. If a
    transfer set has none of the second kind, its student misjudges them all.
    """
    kappa, c, noise, d = 2, 4.0, 1e-3, n + more
    common, rare = np.pi / 4 - 0.01, np.pi / 4 + 0.05
    for seed in range(5):
        rng = np.random.default_rng(seed)
        z = rng.standard_normal((2 * n, d - 2))
        z *= noise * rng.random((2 * n, 1)) / np.linalg.norm(z, axis=1, keepdims=True)
        # A component in the plane of the two kinds, much shorter: a law with a density. (As the
        # noise has hardly more dimensions than inputs, it is amplified some thousand times.)
        plane = 1e-13 * rng.standard_normal((2 * n, 2))
        kinds = np.repeat(
            [[np.cos(common), np.sin(common)], [np.cos(rare), -np.sin(rare)]], n, axis=0
        )
        X = rng.choice([-1, 1], (2 * n, 1)) * np.column_stack([kinds + plane, z])
        teacher = np.eye(d)[0]
        # The law is in the class: its tail is 1, then 1/n, then 0.
        angles = alpha_bar(X, teacher)
        assert c * (1 - 2 * angles[:n].max() / np.pi) ** kappa >= 1
        assert c * (1 - 2 * angles[n:].max() / np.pi) ** kappa >= 1 / n
        student = closed_form_student(X[:n], teacher)
        assert transfer_risk(student, teacher, X[n:]) == 1.0
        # It is xi times the common direction, and a rest no longer than the noise.
        xi, rest = student[0] / np.cos(common), student[2:]
        assert (xi - np.cos(common)) ** 2 + rest @ rest <= noise**2
    risk = (1 - 1 / n) ** n / n
    assert n * risk >= 1 / 4
    # With c = 1 its easiness would have promised less, from some n on.
    assert n < 160 or risk > easiness_bound(n, kappa)


@given(st.floats(1.0, 10.0), st.floats(0.2, 4.0), st.integers(1, 10**6))
def test_c2c_the_bound_itself_stops_at_a_constant(c, kappa, n):
    def tail(theta):
        return np.minimum(1.0, c * np.clip(1 - 2 * theta / np.pi, 0, 1) ** kappa)

    floor = min(1.0, (c ** (1 / kappa) - 1) ** kappa)
    assert transfer_risk_bound(tail, n) >= floor * (1 - 1e-9)


@pytest.mark.parametrize(("c", "kappa"), [(1.2, 1.0), (2.0, 2.0), (1.5, 3.0), (1.1, 0.5)])
def test_c2c_the_bound_reaches_that_constant(c, kappa):
    def tail(theta):
        return np.minimum(1.0, c * (1 - 2 * theta / np.pi) ** kappa)

    floor = (c ** (1 / kappa) - 1) ** kappa
    # What n inputs add falls like a power of log(n)/n: at 10^9 it is below a thousandth.
    assert transfer_risk_bound(tail, 10**9) == pytest.approx(floor, rel=1e-3)


# ------------------------------------------------------------------------------ the mistake bound


def mistakes(X, teacher):
    """Which inputs the student of the inputs before them misjudges; the first student is 0."""
    students = [0 * teacher, *(closed_form_student(X[:n], teacher) for n in range(1, len(X)))]
    pairs = zip(students, X, strict=True)
    return np.array([transfer_risk(w, teacher, [x]) for w, x in pairs], dtype=bool)


@st.composite
def sequences(draw):
    """(X, teacher): inputs near the teacher, or far, or each where the student before it errs."""
    rng = np.random.default_rng(draw(seeds))
    d, n = draw(st.integers(2, 8)), draw(st.integers(1, 12))
    teacher = rng.standard_normal(d)
    X = rng.standard_normal((n, d))
    X += draw(st.floats(0, 3)) * rng.choice([-1, 1], (n, 1)) * teacher / np.linalg.norm(teacher)
    if draw(st.booleans()):
        for i in range(1, n):
            X[i] = in_the_way(X[:i], teacher, rng)
    return X, teacher


def in_the_way(X, teacher, rng):
    """Of many inputs the one closest to the teacher's line that the student misjudges."""
    test = rng.standard_normal((200, teacher.size)) + rng.choice([-1, 1], (200, 1)) * teacher
    student = closed_form_student(X, teacher)
    wrong = (test @ student >= 0) != (test @ teacher >= 0)
    return min(test[wrong], key=lambda x: alpha_bar(x[None], teacher), default=test[0])


@given(sequences())
def test_the_squared_cosines_of_all_mistakes_add_to_one_at_most(sequence):
    X, teacher = sequence
    angles, wrong = alpha_bar(X, teacher), mistakes(X, teacher)
    assert np.sum(np.cos(angles[wrong]) ** 2) <= 1 + 1e-12  # rounding
    # So at most 1/cos^2(theta) mistakes, and those at angles above theta.
    for theta in (0.3, 0.8, 1.2):
        assert wrong.sum() <= 1 / np.cos(theta) ** 2 + np.sum(angles >= theta)


@given(seeds, st.integers(1, 8))
def test_the_mistake_bound_is_attained_by_orthogonal_inputs(seed, d):
    """The student before each of them says 0, that is class 1, and the teacher doesn't."""
    rng = np.random.default_rng(seed)
    teacher = rng.uniform(0.1, 1, d) * rng.choice([-1, 1], d)
    X = -np.diag(np.sign(teacher))[rng.permutation(d)]
    wrong = mistakes(X, teacher)
    assert wrong.all()
    assert np.sum(np.cos(alpha_bar(X, teacher)) ** 2) == pytest.approx(1.0, abs=1e-14)


@given(st.integers(2, 8), st.floats(1e-5, 1e-2))
def test_the_mistake_bound_is_nearly_attained_without_a_tie(d, tilt):
    """Tilted a little towards each other's negatives: each student gets the next one wrong."""
    teacher, X = np.ones(d), -np.eye(d) + tilt
    wrong = mistakes(X, teacher)
    assert wrong.all()
    students = [closed_form_student(X[:n], teacher) for n in range(1, d)]
    # Class 1, and clearly: the product of two inputs is -2 tilt.
    assert all(w @ x > tilt / 10 for w, x in zip(students, X[1:], strict=True))
    total = np.sum(np.cos(alpha_bar(X, teacher)) ** 2)
    by_hand = (1 - d * tilt) ** 2 / (1 - 2 * tilt + d * tilt**2)
    assert total == pytest.approx(by_hand, abs=1e-13)
    assert 1 - 2 * d * tilt <= total <= 1


@given(st.integers(2, 6))
def test_the_mean_risk_over_the_sizes_is_nearly_attained(d):
    """The same inputs, all equally likely: those that weren't seen are misjudged."""
    teacher, X, n = np.ones(d), -np.eye(d) + 1e-5, 20 * d
    for s in range(1, d + 1):
        risk = transfer_risk(closed_form_student(X[:s], teacher), teacher, X)
        assert risk == pytest.approx(1 - s / d, abs=1e-15)
    mean = np.mean((1 - 1 / d) ** np.arange(n))  # the next input is a new one; at i = 0 it is
    bound = 1 / (n * np.cos(alpha_bar(X, teacher)[0]) ** 2)
    # A geometric sum: of d, the fraction (1 - 1/d)^n < e^-20 is missing.
    assert (1 - 1e-3) * bound <= mean <= bound


@given(finite_laws(), st.integers(1, 4), st.floats(0.0, 1.5))
@settings(max_examples=150)  # a third of the laws is of each kind
def test_the_mean_risk_over_the_sizes_is_bounded_for_every_law(law, n, theta):
    """(1/n) sum of E R_i, i = 0, ..., n - 1, is at most 1/(n cos^2 theta) + p(theta)."""
    points, weights, teacher = law
    nothing = weights @ (points @ teacher < 0)  # the zero student says class 1
    risks = [nothing, *(expected_risk(points, weights, teacher, i) for i in range(1, n))]
    bound = 1 / (n * np.cos(theta) ** 2) + p(theta, alpha_bar(points, teacher), weights)
    assert np.mean(risks) <= bound + 1e-12
