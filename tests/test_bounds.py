"""bounds: the closed formulas, against reference values and slow ways to the same numbers.

The slow ways are a bisection, a fine grid of angles, and quadrature of densities.
"""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import integrate

from distill_lib import (
    BoundedAngles,
    IsotropicGaussian,
    PolynomialAngles,
    easiness_bound,
    fit_easiness,
    initialisation_radius,
    limit_offset,
    margin_bound,
    sharp_easiness_bound,
    sharp_initialisation_radius,
    sharp_transfer_risk_bound,
    transfer_risk_bound,
)

depths = st.integers(1, 50)
norms = st.floats(-9.0, 3.0).map(lambda power: 10.0**power)
shares = st.floats(-9.0, 0.0).map(lambda power: 10.0**power)


def bisected_offset(q0, r0, student_norm, depth):
    """The root s of s^2 = k^2 (|w_hat|^2 + s^2)^(1 - 1/N), k = q0 r0^-(1 - 1/N), in logarithms.

    The left side over the right one grows with s. Norms from 1e-18 to 1e3 have a root between
    1e-40 and 1e10.
    """
    power = 1 - 1 / depth
    low, high = math.log(1e-40), math.log(1e10)
    for _ in range(200):
        middle = (low + high) / 2
        right = 2 * (math.log(q0) - power * math.log(r0))
        right += power * math.log(student_norm**2 + math.exp(2 * middle))
        low, high = (middle, high) if 2 * middle < right else (low, middle)
    return math.exp(low)


def half_a_unit(digits):
    """Half a unit of the last digit of a number as it is printed."""
    mantissa, _, exponent = digits.partition("e")
    return 0.5 * 10.0 ** (int(exponent or 0) - len(mantissa.partition(".")[2]))


# ---------------------------------------------------------------------------------- limit_offset


@pytest.mark.parametrize(
    ("arguments", "value"),
    [
        ((0.1, 0.1, 1, 2), "0.324230"),
        ((0.1, 0.1, 1, 4), "0.639493"),
        ((0.05, 0.1, 1, 2), "0.159105"),
        ((0.01, 0.02, 2, 3), "0.216280"),
    ],
)
def test_the_offset_has_its_reference_values(arguments, value):
    assert limit_offset(*arguments) == pytest.approx(float(value), rel=0, abs=half_a_unit(value))


def test_an_offset_that_is_known_exactly():
    """s^2 = k^2 (1 + s^2)^(2/3), cubed, with k^6 = 1/100: 1/64 = (25/16) / 100 at s = 1/2."""
    assert limit_offset(0.1, 0.1, 1.0, 3) == pytest.approx(0.5, rel=1e-13)  # rounding


# By N = 1, 2, 3, 4, 6, 10, 50; half of the start's square lies outside the span.
BY_DEPTH = {
    1e-1: ".07071 .22642 .34043 .42295 .53502 .66127 .90559",
    1e-2: ".00707 .07080 .15353 .22789 .34385 .49184 .83620",
    1e-4: ".00007 .00707 .03283 .07084 .15383 .29207 .72258",
}


@pytest.mark.parametrize("r0", BY_DEPTH)
def test_the_offset_by_depth_has_its_reference_values(r0):
    for depth, value in zip((1, 2, 3, 4, 6, 10, 50), BY_DEPTH[r0].split(), strict=True):
        offset = limit_offset(r0 * math.sqrt(0.5), r0, 1.0, depth)
        assert offset == pytest.approx(float(value), rel=0, abs=half_a_unit(value))


@given(shares, norms, norms, depths)
def test_the_offset_is_the_root_that_bisection_finds(share, r0, student_norm, depth):
    expected = bisected_offset(share * r0, r0, student_norm, depth)
    # Logarithms up to 50 are rounded at 1e-14, and at depth N the equation's slope in log s is
    # as little as 2/N.
    offset = limit_offset(share * r0, r0, student_norm, depth)
    assert offset == pytest.approx(expected, rel=1e-14 * (10 + depth))


@given(shares, norms, norms)
def test_at_depth_two_the_offset_has_a_closed_form(share, r0, student_norm):
    k2 = (share * r0) ** 2 / r0
    expected = math.sqrt((k2**2 + math.sqrt(k2**4 + 4 * k2**2 * student_norm**2)) / 2)
    # Logarithms up to 50, rounded at 1e-14.
    assert limit_offset(share * r0, r0, student_norm, 2) == pytest.approx(expected, rel=1e-12)


@given(shares, norms, norms)
def test_at_depth_one_the_offset_is_the_start_s(share, r0, student_norm):
    assert limit_offset(share * r0, r0, student_norm, 1) == share * r0


@given(norms, norms, depths)
def test_nothing_outside_the_span_leaves_nothing(r0, student_norm, depth):
    assert limit_offset(0.0, r0, student_norm, depth) == 0.0
    # And continuously so: s <= k (2 max(|w_hat|, s)^2)^((1 - 1/N)/2).
    assert limit_offset(1e-300 * r0, r0, student_norm, depth) <= 1e-250


@given(shares, st.floats(0.001, 0.999), norms, norms, depths)
def test_more_outside_the_span_ends_further_away(share, less, r0, student_norm, depth):
    nearer, further = (
        limit_offset(part * share * r0, r0, student_norm, depth) for part in (less, 1)
    )
    # s is at least proportional to q0: d log s / d log q0 is between 1 and N.
    assert nearer <= less * further * (1 + 1e-11)


@given(st.floats(0.01, 0.99), norms, depths)
def test_a_start_as_long_in_the_span_as_the_student_keeps_its_offset(share, student_norm, depth):
    q0 = share / math.sqrt(1 - share**2) * student_norm
    r0 = math.hypot(q0, student_norm)
    # Rounding of logarithms up to 20, over a slope of at least 2/50.
    assert limit_offset(q0, r0, student_norm, depth) == pytest.approx(q0, rel=1e-12)


@given(shares, norms, st.floats(0.1, 0.99), st.integers(1, 49))
def test_depth_makes_forgetting_slower_for_a_short_start_and_faster_for_a_long_one(
    share, student_norm, ratio, depth
):
    """Short or long: what the start has in the span, against the student."""

    def offsets(inside):
        q0 = share * inside
        return [limit_offset(q0, math.hypot(q0, inside), student_norm, N) for N in (depth, 51)]

    shallow, deep = offsets(ratio * student_norm)
    assert shallow < deep
    shallow, deep = offsets(student_norm / ratio)
    assert shallow > deep


def test_a_component_longer_than_the_whole_by_rounding_is_the_whole():
    offset = limit_offset(0.1 * (1 + 1e-12), 0.1, 1.0, 3)
    assert offset == pytest.approx(0.5, rel=1e-11)


# ------------------------------------------------------------------------------------- the radii


@pytest.mark.parametrize(
    ("arguments", "paper", "sharp"),
    [
        ((0.1, 1, 2), "0.00990099", "0.00995037"),
        ((0.1, 1, 3), "9.85185e-4", "9.90099e-4"),
        ((1, 0.5, 2), "0.400000", "0.894427"),
    ],
)
def test_the_radii_have_their_reference_values(arguments, paper, sharp):
    for radius, value in ((initialisation_radius, paper), (sharp_initialisation_radius, sharp)):
        assert radius(*arguments) == pytest.approx(float(value), rel=0, abs=half_a_unit(value))


epsilons = st.floats(-4.0, 2.0).map(lambda power: 10.0**power)
student_norms = st.floats(-3.0, 3.0).map(lambda power: 10.0**power)
# Both radii stay above 1e-120.
some_depths = st.integers(1, 15)


@given(epsilons, student_norms, some_depths)
def test_the_paper_s_radius_is_the_recalled_formula_letter_by_letter(epsilon, w, N):
    recalled = epsilon**N * (epsilon**2 * w ** (-2 / N) + w ** (2 - 2 / N)) ** (-N / 2)
    # Rounding, N times.
    assert initialisation_radius(epsilon, w, N) == pytest.approx(recalled, rel=1e-13)


@given(epsilons, student_norms, some_depths)
def test_the_paper_s_radius_is_smaller_by_the_cosine_and_below_the_student_s_norm(epsilon, w, N):
    paper, sharp = (
        radius(epsilon, w, N) for radius in (initialisation_radius, sharp_initialisation_radius)
    )
    cosine = w / math.hypot(epsilon, w)
    assert paper == pytest.approx(cosine * sharp, rel=1e-13)  # rounding, N times
    assert paper < w  # so the theorem's "min with |w_hat|" says nothing more
    assert sharp <= epsilon


@given(epsilons, student_norms, some_depths, st.floats(0.01, 1.0))
def test_at_the_sharp_radius_the_worst_direction_ends_at_epsilon_and_no_other(epsilon, w, N, share):
    radius = sharp_initialisation_radius(epsilon, w, N)
    # Logarithms up to 200 at depth 15, rounded at 3e-14, over a slope of at least 2/N.
    assert limit_offset(radius, radius, w, N) == pytest.approx(epsilon, rel=1e-11)
    assert limit_offset(share * radius, radius, w, N) <= share * epsilon * (1 + 1e-11)
    assert limit_offset(1.01 * radius, 1.01 * radius, w, N) > epsilon * 1.01 ** (1 / N) * (1 - 1e-9)


def test_the_radii_of_a_single_layer():
    assert sharp_initialisation_radius(0.3, 0.4, 1) == 0.3
    # 3-4-5: the sine is 3/5.
    assert initialisation_radius(0.3, 0.4, 1) == pytest.approx(0.24, rel=1e-14)


@given(epsilons, student_norms, some_depths, st.floats(1.001, 10.0))
def test_the_radii_grow_with_epsilon_and_shrink_with_depth(epsilon, w, N, factor):
    for radius in (initialisation_radius, sharp_initialisation_radius):
        assert radius(epsilon, w, N) < radius(factor * epsilon, w, N) * (1 + 1e-14)  # rounding
        sine = epsilon / np.hypot(epsilon, w)
        assert radius(epsilon, w, N + 1) == pytest.approx(sine * radius(epsilon, w, N), rel=1e-13)


# --------------------------------------------------------- the bounds on the expected transfer risk


def polynomial(easiness):
    return PolynomialAngles([1.0, 2.0], easiness).angle_tail


def bounded(max_angle):
    return BoundedAngles([1.0, 2.0], max_angle).angle_tail


TAILS = {
    "kappa = 1/2": polynomial(0.5),
    "kappa = 1": polynomial(1.0),
    "kappa = 3": polynomial(3.0),
    "margin": bounded(1.3),
    "isotropic, d = 2": IsotropicGaussian(2).angle_tail,
    "smooth": lambda theta: 1 - (2 * theta / np.pi) ** 2,
}
every_tail = pytest.mark.parametrize("name", TAILS)


@pytest.mark.parametrize(
    ("n", "kappa", "value"),
    [
        (10, 0.5, 0.70737),
        (10, 1, 0.30316),
        (10, 2, 0.05087),
        (49, 1, 0.09670),
        (100, 1, 0.05500),
        (100, 2, 0.0018708),
    ],
)
def test_theorem_3_has_its_reference_values(n, kappa, value):
    # Half a unit of the fifth decimal, of the seventh for the last.
    assert transfer_risk_bound(polynomial(kappa), n) == pytest.approx(
        value, rel=0, abs=5e-8 if value < 0.01 else 5e-6
    )


@pytest.mark.parametrize(
    ("n", "kappa", "value"),
    [
        (1, 0.5, 0.785398),
        (10, 0.5, 0.369408),
        (10, 1, 1 / 11),
        (10, 2, 0.00432900),
        (49, 1, 0.02),
        (100, 2, 4.92587e-5),
    ],
)
def test_the_sharper_bound_has_its_reference_values(n, kappa, value):
    # Six digits are printed.
    assert sharp_easiness_bound(n, kappa) == pytest.approx(value, rel=1.5e-6)
    assert sharp_transfer_risk_bound(polynomial(kappa), n) == pytest.approx(value, rel=1.5e-6)


@pytest.mark.parametrize("n", [1, 10, 1000, 10**5])
@pytest.mark.parametrize("kappa", [0.3, 1.0, 2.0, 5.0])
def test_the_sharper_bound_and_its_formula_agree(n, kappa):
    # A ten-millionth of the sum may be misjudged in a cell. 1e-7 was the worst that was seen.
    formula = sharp_easiness_bound(n, kappa)
    assert sharp_transfer_risk_bound(polynomial(kappa), n) == pytest.approx(formula, rel=2e-7)


@pytest.mark.parametrize("n", [2, 10**3, 10**6, 10**9, 10**12])
def test_theorem_3_for_a_straight_tail_has_a_formula(n):
    """s + (1 - s)^n is least at s = 1 - n^(-1/(n - 1)): for many inputs, next to a right angle."""
    s = -math.expm1(-math.log(n) / (n - 1))
    least = s + math.exp(n * math.log1p(-s))
    assert transfer_risk_bound(polynomial(1.0), n) == pytest.approx(least, rel=1e-5)


@pytest.mark.parametrize("n", [1, 2, 7])
def test_theorem_3_for_a_few_angles_is_an_infimum_over_small_windows(n):
    """Between jumps the sum is constant; the best window here is 0.0018 wide."""
    angles = np.array([0.5, 0.52, 1.0, 1.069])

    def tail(theta):
        return np.mean(np.asarray(theta)[..., None] <= angles, axis=-1)

    jumps = np.unique(np.concatenate([[0.0, np.pi / 2], angles, np.pi / 2 - angles]))
    middles = (jumps[1:] + jumps[:-1]) / 2
    exact = np.min(tail(middles) + tail(np.pi / 2 - middles) ** n)
    assert transfer_risk_bound(tail, n) == pytest.approx(exact, rel=1e-12)


@pytest.mark.parametrize("n", [2, 7])
def test_theorem_3_sees_a_window_at_the_middle_however_small(n):
    """Half of the inputs a little below 45 degrees, half a little above: 45 is on the grid."""
    angles = np.pi / 4 + np.array([-1e-9, 1e-9])

    def tail(theta):
        return np.mean(np.asarray(theta)[..., None] <= angles, axis=-1)

    assert transfer_risk_bound(tail, n) == pytest.approx(0.5 + 0.5**n, rel=1e-14)  # rounding


@pytest.mark.parametrize(
    ("n", "kappa", "value"),
    [(10, 0.5, "0.796080"), (10, 1, "0.330259"), (10, 2, "0.0630190"), (100, 1, "0.0560517")],
)
def test_the_easiness_bound_has_its_reference_values(n, kappa, value):
    bound = easiness_bound(n, kappa)
    assert bound == pytest.approx(float(value), rel=0, abs=half_a_unit(value))


@pytest.mark.parametrize(("n", "kappa"), [(10**6, 52.0), (1000, 103.0), (100, 155.0)])
def test_the_easiness_bound_of_a_power_that_no_double_holds(n, kappa):
    """n^kappa is beyond the doubles, the bound isn't below them."""
    logs = kappa * (math.log(math.log(n)) - math.log(n))  # the 1 is 1e-40 of it and less
    # A hundred ulps of an exponent of some 500.
    assert easiness_bound(n, kappa) == pytest.approx(math.exp(logs), rel=1e-11, abs=0)


@pytest.mark.parametrize(
    ("n", "power", "sharp"), [(1, "0.889", "0.395"), (2, "0.790", "0.234"), (5, "0.555", "0.082")]
)
def test_the_margin_bound_has_its_reference_values(n, power, sharp):
    """p(pi/2 - gamma) = 8/9 for gamma = 0.45 pi."""
    gamma = 0.45 * np.pi
    assert margin_bound(bounded(gamma), gamma, n) == pytest.approx((8 / 9) ** n, rel=1e-12)
    assert (8 / 9) ** n == pytest.approx(float(power), rel=0, abs=half_a_unit(power))
    bound = sharp_transfer_risk_bound(bounded(gamma), n)
    assert bound == pytest.approx(float(sharp), rel=0, abs=half_a_unit(sharp))


@every_tail
@pytest.mark.parametrize("n", [1, 2, 10, 100, 10_000])
def test_theorem_3_is_the_least_value_on_a_fine_grid_of_angles(name, n):
    tail = TAILS[name]
    beta = np.pi / 2 * np.concatenate([np.linspace(0, 1, 200_001), np.geomspace(1e-9, 1, 200_001)])
    beta = np.concatenate([beta, np.pi / 2 - beta, [1.3]])  # where one of them has a corner
    values = tail(beta) + tail(np.pi / 2 - beta) ** n
    bound = transfer_risk_bound(tail, n)
    # Steps of 1e-4 here and 2e-3 there, of an angle's distance from an end: their squares.
    assert bound == pytest.approx(min(values.min(), 1.0), rel=3e-6, abs=0)


@pytest.mark.parametrize("n", [1, 2, 5, 30])
def test_the_sharper_bound_is_the_integral_over_the_density_of_the_smallest_angle(n):
    """Three tails whose density is at hand: uniform up to gamma, sphere, smooth."""
    half = np.pi / 2
    cases = [
        (bounded(1.3), lambda m: n * (1 - m / 1.3) ** (n - 1) / 1.3, 1.3),
        (np.cos, lambda m: n * np.cos(m) ** (n - 1) * np.sin(m), half),
        (TAILS["smooth"], lambda m: n * (1 - (m / half) ** 2) ** (n - 1) * 2 * m / half**2, half),
    ]
    for tail, density, top in cases:
        expected, _ = integrate.quad(
            lambda m, p=tail, f=density: p(half - m) * f(m), 0, top, points=[half - 1.3]
        )
        bound = sharp_transfer_risk_bound(lambda t, p=tail: np.clip(p(t), 0, 1), n)
        # The grid's step is at most 8e-4, the scale of the density 1/n.
        assert bound == pytest.approx(expected, rel=5e-6 + (8e-4 * n) ** 2 / 12)


@pytest.mark.parametrize("kappa", [0.3, 1.0, 2.5])
@pytest.mark.parametrize("n", [1, 4, 50])
def test_the_sharp_easiness_bound_is_the_integral_it_came_from(kappa, n):
    """The integral of s^kappa against the density kappa n (1 - s)^(kappa n - 1)."""
    # In t = (1 - s)^(kappa n) the density is gone, and with it its pole.
    expected, _ = integrate.quad(lambda t: (1 - t ** (1 / (kappa * n))) ** kappa, 0, 1, limit=500)
    assert sharp_easiness_bound(n, kappa) == pytest.approx(expected, rel=1e-6)  # quad, at a power


@given(st.integers(1, 10**6), st.floats(0.01, 20.0))
def test_the_easiness_bounds_are_their_formulas(n, kappa):
    an = kappa * n
    logs = math.lgamma(kappa + 1) + math.lgamma(an + 1) - math.lgamma(an + kappa + 1)
    # lgamma of 2e7 is 3e8, rounded at 6e-8.
    assert sharp_easiness_bound(n, kappa) == pytest.approx(math.exp(logs), rel=5e-7)
    recalled = (1 + math.log(n) ** kappa) / n**kappa
    assert easiness_bound(n, kappa) == pytest.approx(recalled, rel=1e-12)  # rounding


@every_tail
@pytest.mark.parametrize("n", [1, 3, 49, 1000])
def test_the_sharper_bound_is_the_smaller_and_the_easiness_bound_the_larger(name, n):
    sharp, bound = (f(TAILS[name], n) for f in (sharp_transfer_risk_bound, transfer_risk_bound))
    assert 0 < sharp <= bound <= 1
    if name.startswith("kappa"):
        kappa = {"1/2": 0.5, "1": 1.0, "3": 3.0}[name.rpartition(" ")[2]]
        assert bound <= easiness_bound(n, kappa) + 1e-12  # both are 1 at n = 1


def test_the_bounds_for_inputs_on_the_teacher_s_line_are_zero_and_for_orthogonal_ones_one():
    for n in (1, 5):
        aligned = (lambda theta: np.where(theta > 0, 0.0, 1.0), n)
        assert transfer_risk_bound(*aligned) == 0.0
        assert sharp_transfer_risk_bound(*aligned) == 0.0
        orthogonal = (lambda theta: np.ones_like(theta), n)
        assert transfer_risk_bound(*orthogonal) == 1.0
        assert sharp_transfer_risk_bound(*orthogonal) == 1.0


@pytest.mark.parametrize(
    "no_tail",
    [
        lambda theta: theta / 2,  # increases
        lambda theta: 2 - theta,  # above 1
        lambda theta: 0 * theta,  # 0 at angle 0
        lambda theta: 1 - theta,  # below 0
        lambda theta: np.where(theta > 1, np.nan, 1.0),
        lambda theta: 1.0,  # one number for all angles
        lambda theta: np.ones((2, theta.size)),
        lambda theta: 1 - np.sin(3 * theta) ** 2,  # goes up again
        lambda theta: 1 - 1e-6 - theta / 2,
        lambda theta: np.cos(theta) ** 2 - 1e-6 * np.sin(theta),
        lambda theta: np.where(theta < 1, 0.5, 0.5 + 1e-6) + 0.5 * (theta == 0),
    ],
)
def test_what_is_no_tail_is_refused(no_tail):
    for call in (
        lambda: transfer_risk_bound(no_tail, 3),
        lambda: sharp_transfer_risk_bound(no_tail, 3),
        lambda: margin_bound(no_tail, 1.0, 3),
    ):
        with pytest.raises(ValueError, match="^angle_tail must return one probability for each"):
            call()


def test_a_tail_may_miss_by_rounding():
    def missing(theta):  # as a difference of two probabilities does
        return bounded(1.0)(theta) - 1e-16

    for bound in (transfer_risk_bound, sharp_transfer_risk_bound):
        # 1e-12: powers up to 3 of a tail that is off by 1e-16 are off by less than 1e-15.
        assert bound(missing, 3) == pytest.approx(bound(bounded(1.0), 3), abs=1e-12)


def test_a_tail_that_misses_by_rounding_gives_no_negative_bound():
    def missing(theta):
        return np.where(np.asarray(theta) > 0, -1e-10, 1.0)

    assert transfer_risk_bound(missing, 1) == 0.0
    assert sharp_transfer_risk_bound(missing, 1) == 0.0


def test_a_tail_that_exceeds_one_by_rounding_is_one_for_however_many_inputs():
    """With n = 10^9 a power of 1 + 1e-8 would be e^10."""
    n, miss = 10**9, 1e-8
    assert sharp_transfer_risk_bound(lambda theta: np.full_like(theta, 1 + miss), n) == 1.0
    # Kept at 1, the tail 1 - s + miss is that of 1 - s with s put off by miss: the least of n such
    # shares has the mean miss + 1/(n + 1), and the tail at its complement is higher by miss.
    bound = sharp_transfer_risk_bound(lambda theta: 1 - 2 * theta / np.pi + miss, n)
    # The quadrature's 1e-7, and rounding of the tail, 1e-16, to the power n.
    assert bound == pytest.approx(2 * miss + 1 / (n + 1), rel=1e-6)


@pytest.mark.parametrize(("angle", "lost"), [(0.3, 0.0), (1.2, 1.0)])
def test_a_tail_may_be_of_booleans(angle, lost):
    """All inputs at one angle: two of them are 2 * angle apart at the most."""
    for bound in (transfer_risk_bound, sharp_transfer_risk_bound):
        assert bound(lambda theta: theta <= angle, 3) == lost


def test_a_margin_that_some_inputs_exceed_is_refused():
    with pytest.raises(ValueError, match=r"^gamma must be an angular margin.*= 0\.2$"):
        margin_bound(bounded(1.0), 0.8, 3)
    assert margin_bound(bounded(1.0), 1.0, 3) == pytest.approx((2 - np.pi / 2) ** 3, rel=1e-12)


@pytest.mark.parametrize("share", [1e-300, 1e-15, 1e-8])
def test_a_margin_that_one_input_in_a_hundred_million_exceeds_is_none(share):
    with pytest.raises(ValueError, match="^gamma must be an angular margin"):
        margin_bound(lambda theta: np.maximum(bounded(1.0)(theta), share), 1.0, 3)


# ------------------------------------------------------------------------------------ fit_easiness


samples = st.lists(st.floats(1e-6, 1 - 1e-6), min_size=1, max_size=20)


@given(samples, st.floats(0.05, 20.0))
def test_the_fitted_easiness_is_the_one_that_made_the_angles(quantiles, kappa):
    """1 - 2 alpha/pi = U^(1/kappa): scaling kappa scales the fit."""
    law = PolynomialAngles([1.0, 2.0], kappa)
    angles = np.pi / 2 - law.gap_quantile(np.array(quantiles))
    if not angles.any():
        return  # refused: the easiness is infinite
    gaps = -np.mean(np.log(quantiles)) / kappa
    # pi/2 - gap is rounded at 1e-16, and a gap is at least (pi/2) 10^(-6/0.05): too small to see.
    if min(quantiles) ** (1 / kappa) > 1e-6 and gaps > 1e-6:
        assert fit_easiness(angles) == pytest.approx(1 / gaps, rel=1e-8)


@given(st.lists(st.floats(1e-3, 1.57), min_size=1, max_size=20), st.floats(1.001, 3.0))
def test_the_fitted_easiness_has_the_greatest_likelihood(angles, factor):
    shares = np.log1p(-2 * np.array(angles) / np.pi)

    def likelihood(kappa):  # of the density (2/pi) kappa (1 - 2 alpha/pi)^(kappa - 1)
        return len(angles) * np.log(kappa) + (kappa - 1) * shares.sum()

    fitted = fit_easiness(angles)
    for other in (fitted * factor, fitted / factor):
        assert likelihood(other) < likelihood(fitted)


@pytest.mark.parametrize("kappa", [0.3, 1.0, 4.0])
def test_the_easiness_of_a_sample_is_found(kappa):
    """Within 4 standard errors, kappa/sqrt(m); a right library fails in 0.02% of all seeds."""
    law = PolynomialAngles([1.0, 2.0, 3.0], kappa)
    X = law.sample(20_000, np.random.default_rng(7))
    cosine = np.abs(X @ law.w_teacher) / np.linalg.norm(law.w_teacher)
    angles = np.arccos(np.minimum(cosine, 1.0))
    assert abs(fit_easiness(angles) - kappa) <= 4 * kappa / np.sqrt(len(X))


def test_an_angle_of_ninety_degrees_leaves_no_easiness():
    assert fit_easiness([0.1, 0.2, np.pi / 2]) == 0.0


@pytest.mark.parametrize("n", [1, 2, 5])
def test_the_sharper_bound_sees_atoms_at_complementary_angles(n):
    """Half of the inputs at the angle 1/2, half at pi/2 - 1/2: the two together make pi/2.

    The bound is lost unless x and M_n are both at the smaller one.
    """
    angles = np.array([0.5, np.pi / 2 - 0.5])

    def tail(theta):
        return np.mean(np.asarray(theta)[..., None] <= angles, axis=-1)

    exact = 1 - 0.5 * (1 - 0.5**n)
    # 1e-12: the sum of a few thousand cells in which nothing happens.
    assert sharp_transfer_risk_bound(tail, n) == pytest.approx(exact, abs=1e-12)


@pytest.mark.parametrize("n", [1, 2, 5])
def test_the_sharper_bound_sees_an_atom_of_orthogonal_inputs(n):
    """Half of the inputs lie on the line of the teacher, half are orthogonal to it.

    The bound is lost if x is orthogonal, or if all of the transfer set are.
    """

    def tail(theta):
        return np.where(np.asarray(theta) > 0, 0.5, 1.0)

    # 1e-12: the sum of a few thousand cells in which nothing happens.
    assert sharp_transfer_risk_bound(tail, n) == pytest.approx(0.5 + 0.5 * 0.5**n, abs=1e-12)
