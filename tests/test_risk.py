"""risk: how often student and teacher disagree.

Monte Carlo comparisons are at 4 standard errors, with fixed seeds. There are 57 in this file;
a right library fails one of them with probability 57 * 6e-5 = 0.3%, once: the seeds stay.
"""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import integrate

from distill_lib import (
    BoundedAngles,
    Empirical,
    Gaussian,
    IsotropicGaussian,
    PolynomialAngles,
    axial_risk,
    expected_transfer_risk,
    isotropic_expected_risk,
    risk,
    risk_curve,
    transfer_risk,
)
from distill_lib._trials import _risk_of_angle

D = 6
TEACHER = np.arange(1.0, D + 1)
LAWS = {
    "isotropic": IsotropicGaussian(D),
    "gaussian": Gaussian(np.diag([4.0, 1, 1, 1, 1, 0.2])),
    "polynomial": PolynomialAngles(TEACHER, 0.5),
    "bounded": BoundedAngles(TEACHER, 1.4),
    # With zero rows and dependent rows, as pixels have.
    "empirical": Empirical(np.random.default_rng(0).integers(0, 2, (40, D))),
}
every_law = pytest.mark.parametrize("name", LAWS)


def rng(seed=1):
    return np.random.default_rng(seed)


def unit(d):
    return np.eye(d)[0]


def test_transfer_risk_counts_disagreements_and_the_boundary_belongs_to_class_one():
    X = [[1, 0], [-1, 0], [0, 1], [1, -3], [-1, 3]]
    # Teacher:  1, 0, 1 (boundary), 1, 0. Student (w = e2): 1 (boundary), 1 (boundary), 1, 0, 1.
    assert transfer_risk([0, 1], [1, 0], X) == 3 / 5
    assert transfer_risk([5, 0], [1, 0], X) == 0.0
    assert transfer_risk([-1, 0], [1, 0], X) == 4 / 5  # they agree on the boundary alone
    assert transfer_risk([0, 0], [1, 0], X) == 2 / 5  # the zero student always says 1


@pytest.mark.parametrize("size", [5e-324, 1e-200, 1e200, 1.7e308])
def test_transfer_risk_knows_no_lengths(size):
    X = np.array([[1.0, 0.0], [-1.0, 0.0], [1.0, -1.0], [-1.0, 1.0]])
    for student, rows in ((1.0, size * X), (size, X), (size, size * X)):
        assert transfer_risk([0.0, student], [size, 0.0], rows) == 0.75
        assert transfer_risk([student, 0.0], [size, 0.0], rows) == 0.0
    curves = [
        risk_curve(LAWS["gaussian"], w, [1, 4], trials=5, test_points=50, rng=rng())
        for w in (TEACHER, np.ldexp(TEACHER, 1000), np.ldexp(TEACHER, -1000))
    ]
    for curve in curves[1:]:
        assert curve.mean.tolist() == curves[0].mean.tolist()  # counts


def risks_by_hand(law, sizes, trials, test_points, seed=1):
    """Each trial from the definition: its own child generator, transfer set, then test set."""
    risks = []
    for child in rng(seed).spawn(trials):
        X, test = law.sample(max(sizes), child), law.sample(test_points, child)
        students = [np.linalg.pinv(X[:n], rcond=1e-10) @ X[:n] @ TEACHER for n in sizes]
        # On lattice points, logits of exactly 0 are common; rounding must not decide them.
        says = [np.round(test @ w, 9) >= 0 for w in (*students, TEACHER)]
        risks.append([np.mean(answer != says[-1]) for answer in says[:-1]])
    return np.array(risks)


@pytest.mark.parametrize("name", ["isotropic", "gaussian", "polynomial", "bounded"])
def test_estimates_are_the_mean_over_trials_that_do_not_change_when_more_are_added(name):
    law, sizes = LAWS[name], [1, 2, 4, 6, 8]
    risks = risks_by_hand(law, sizes, 6, 50)
    for trials in (2, 3, 6):
        mean, se = risks[:trials].mean(axis=0), risks[:trials].std(axis=0, ddof=1) / trials**0.5
        curve = risk_curve(law, TEACHER, sizes, trials=trials, test_points=50, rng=rng())
        assert curve.sizes.tolist() == sizes
        # 1e-14: the same 50 verdicts, averaged in another order.
        assert np.allclose(curve.mean, mean, rtol=0, atol=1e-14)
        assert np.allclose(curve.standard_error, se, rtol=0, atol=1e-14)
    for n in sizes:
        risks = risks_by_hand(law, [n], 6, 50)
        estimate = expected_transfer_risk(law, TEACHER, n, trials=6, test_points=50, rng=rng())
        assert estimate.trials == 6
        assert estimate.mean == pytest.approx(risks.mean(), abs=1e-14)
        assert estimate.standard_error == pytest.approx(risks.std(ddof=1) / 6**0.5, abs=1e-14)


@pytest.mark.parametrize("name", ["isotropic", "polynomial", "bounded"])
def test_exact_trials_do_not_change_when_more_are_added(name):
    law, sizes = LAWS[name], [1, 3, 5, 7]
    angles = []
    for child in rng().spawn(5):
        X = law.sample(7, child)
        students = [np.linalg.pinv(X[:n]) @ X[:n] @ TEACHER for n in sizes]
        cosines = [np.linalg.norm(w) / np.linalg.norm(TEACHER) for w in students]
        angles.append(np.arccos(np.minimum(cosines, 1.0)))
    risks = axial_risk(np.array(angles), law)
    for trials in (2, 5):
        curve = risk_curve(law, TEACHER, sizes, trials=trials, rng=rng())
        # arccos near 1 is good to 1e-8 only, and risk is at worst that to the power 1/2.
        assert np.allclose(curve.mean, risks[:trials].mean(axis=0), rtol=1e-6, atol=1e-4)
        expected = risks[:trials].std(axis=0, ddof=1) / trials**0.5
        assert np.allclose(curve.standard_error, expected, rtol=1e-5, atol=1e-4)


def test_the_result_does_not_depend_on_the_number_of_processes():
    law = LAWS["polynomial"]
    one, two = (risk_curve(law, TEACHER, [1, 3], trials=5, rng=rng(), n_jobs=j) for j in (1, 2))
    assert np.array_equal(one.mean, two.mean)
    assert np.array_equal(one.standard_error, two.standard_error)
    one, two = (
        expected_transfer_risk(law, TEACHER, 2, trials=5, test_points=20, rng=rng(), n_jobs=j)
        for j in (1, 2)
    )
    assert (one.mean, one.standard_error) == (two.mean, two.standard_error)


@pytest.mark.parametrize("jobs", [None, 1, 2, -1])
def test_as_many_processes_are_asked_for_as_the_caller_wants(jobs, monkeypatch):
    """The risk can't tell: it is the same with any number of them."""
    asked = []

    def over_trials(_, inputs, trials, rng, jobs):
        asked.append(jobs)
        return np.zeros((trials, 1))

    monkeypatch.setattr(risk, "over_trials", over_trials)
    law, options = LAWS["isotropic"], dict(trials=2, test_points=1, rng=rng(), n_jobs=jobs)
    risk_curve(law, TEACHER, [1], **options)
    expected_transfer_risk(law, TEACHER, 1, **options)
    assert asked == [jobs, jobs]


@every_law
def test_a_curve_at_one_size_is_the_expected_risk_at_that_size(name):
    law, options = LAWS[name], {"trials": 4, "test_points": 200}
    for n in (1, 3, 6, 9):
        curve = risk_curve(law, TEACHER, [n], rng=rng(), **options)
        single = expected_transfer_risk(law, TEACHER, n, rng=rng(), **options)
        assert curve.mean[0] == pytest.approx(single.mean, abs=1e-14)
        assert curve.standard_error[0] == pytest.approx(single.standard_error, abs=1e-14)


@pytest.mark.parametrize("name", ["isotropic", "gaussian", "polynomial", "bounded"])
def test_risk_is_exactly_zero_from_n_equal_to_d_on(name):
    law, sizes = LAWS[name], [D - 1, D, D + 1, 3 * D]
    curves = [risk_curve(law, TEACHER, sizes, trials=20, test_points=500, rng=rng())]
    if name != "gaussian":
        curves.append(risk_curve(law, TEACHER, sizes, trials=20, rng=rng()))
    for curve in curves:
        assert curve.mean[0] > 0
        assert not curve.mean[1:].any()
        assert not curve.standard_error[1:].any()
    estimate = expected_transfer_risk(law, TEACHER, D, trials=20, test_points=500, rng=rng())
    assert (estimate.mean, estimate.standard_error) == (0.0, 0.0)


@pytest.mark.parametrize("teacher", [[1.0, -1.0, 2.0, 1.0], [0.1, 0.2, 0.3, -0.1]])
def test_a_student_that_is_the_teacher_errs_on_no_boundary(teacher):
    """Points on a lattice: of some the logit is 0, or would be but for rounding."""
    points = np.array(list(itertools.product([-1, 0, 1], repeat=4)))
    law, options = Empirical(points[points.any(axis=1)]), dict(trials=20, test_points=300)
    # 60 of 80 points: the chance that some twenty sets of them lie in a hyperplane is 1e-15 or so.
    curve = risk_curve(law, teacher, [60], rng=rng(), **options)
    assert (curve.mean[0], curve.standard_error[0]) == (0.0, 0.0)
    assert expected_transfer_risk(law, teacher, 60, rng=rng(), **options).mean == 0.0


def test_a_tested_boundary_belongs_to_class_one_for_student_and_teacher():
    """Inputs are axes: a student knows the teacher's entries that it has seen, and errs on unseen
    ones that are negative. An entry of 0 is on the boundary, seen or not, as is all that is unseen.
    """
    teacher = np.array([1.0, -1.0, 0.0, 2.0, -3.0, 0.0])
    law, sizes = Empirical(np.eye(D)), [1, 3, 8]
    curve = risk_curve(law, teacher, sizes, trials=20, test_points=100, rng=rng())
    risks = []
    for child in rng().spawn(20):
        axes, tested = (law.sample(k, child).argmax(axis=1) for k in (8, 100))
        wrong = [(teacher[tested] < 0) & ~np.isin(tested, axes[:n]) for n in sizes]
        risks.append(np.mean(wrong, axis=1))
    # 1e-14: the same verdicts, averaged in another order.
    assert np.allclose(curve.mean, np.mean(risks, axis=0), rtol=0, atol=1e-14)
    assert 0 < curve.mean[-1] < curve.mean[0]


@pytest.mark.parametrize("size", [2.0**-1074, 2.0**-1000, 2.0**1023])
def test_tested_risk_knows_no_length_of_the_teacher(size):
    """The least double, and one of which six entries have a length beyond the doubles."""
    teacher, options = np.resize([1.0, -1.0], D), dict(trials=20, test_points=100)
    for name in ("isotropic", "gaussian", "empirical"):
        expected = risk_curve(LAWS[name], teacher, [1, 3], rng=rng(), **options)
        found = risk_curve(LAWS[name], size * teacher, [1, 3], rng=rng(), **options)
        # Powers of two, so that no rounding differs.
        assert found.mean.tolist() == expected.mean.tolist()
        assert expected.mean[0] > 0


@pytest.mark.parametrize("name", ["isotropic", "polynomial", "bounded"])
def test_tested_risk_agrees_with_exact_risk(name):
    """9 comparisons."""
    sizes = [1, 2, 4]
    exact = risk_curve(LAWS[name], TEACHER, sizes, trials=1000, rng=rng(2))
    tested = risk_curve(LAWS[name], TEACHER, sizes, trials=1000, test_points=200, rng=rng(3))
    se = np.hypot(exact.standard_error, tested.standard_error)
    assert np.all(np.abs(exact.mean - tested.mean) <= 4 * se)


@pytest.mark.parametrize(
    ("n", "d", "expected"),
    # Exact values: a quarter at half the dimension, 1/pi and its complement in d = 3.
    [
        (5, 10, 1 / 4),
        (1, 2, 1 / 4),
        (1, 3, 1 / np.pi),
        (2, 3, 1 / 2 - 1 / np.pi),
        (5, 20, 0.337804),
        (10, 50, 0.354777),
        (40, 50, 0.145223),
        (49, 50, 0.036342),
    ],
)
def test_isotropic_expected_risk_has_its_known_values(n, d, expected):
    """8 comparisons."""
    curve = risk_curve(IsotropicGaussian(d), np.ones(d), [n], trials=2000, rng=rng(4))
    assert abs(curve.mean[0] - expected) <= 4 * curve.standard_error[0]


@pytest.mark.parametrize(
    ("easiness", "expected"),
    # Reference values, d = 50: mean and standard error at n = 1, 2, 5, 10, 20, 40, 49.
    [
        (
            0.5,
            [
                (0.2263, 0.0030),
                (0.1457, 0.0021),
                (0.0764, 0.0009),
                (0.0498, 0.0005),
                (0.0319, 0.0003),
                (0.0168, 0.0002),
                (7.19e-3, 1e-4),
            ],
        ),
        (
            1.0,
            [
                (0.0657, 0.0018),
                (0.0253, 0.0007),
                (7.97e-3, 1.6e-4),
                (3.58e-3, 7e-5),
                (1.48e-3, 3e-5),
                (4.23e-4, 8e-6),
                (8.7e-5, 2e-6),
            ],
        ),
        (
            2.0,
            [
                (6.0e-3, 4e-4),
                (8.7e-4, 5e-5),
                (9.1e-5, 4e-6),
                (1.62e-5, 6e-7),
                (2.77e-6, 1e-7),
                (2.43e-7, 1e-8),
                (1.5e-8, 1e-9),
            ],
        ),
    ],
)
def test_expected_risk_of_polynomial_angles_has_its_reference_values(easiness, expected):
    """21 comparisons."""
    mean, se = np.array(expected).T
    law = PolynomialAngles(unit(50), easiness)
    curve = risk_curve(law, unit(50), [1, 2, 5, 10, 20, 40, 49], trials=1000, rng=rng(5))
    assert np.all(np.abs(curve.mean - mean) <= 4 * np.hypot(curve.standard_error, se))


def test_expected_risk_of_bounded_angles_has_its_reference_values():
    """3 comparisons, d = 50, angles up to 0.45 pi."""
    law = BoundedAngles(unit(50), 0.45 * np.pi)
    mean, se = np.array([(0.0230, 0.0015), (4.5e-3, 5e-4), (1.1e-4, 3e-5)]).T
    curve = risk_curve(law, unit(50), [1, 2, 5], trials=1000, rng=rng(8))
    assert np.all(np.abs(curve.mean - mean) <= 4 * np.hypot(curve.standard_error, se))


@pytest.mark.parametrize(
    ("n", "d", "value"),
    # Six decimals are printed.
    [
        (1, 10, 0.414687),
        (5, 20, 0.337804),
        (10, 50, 0.354777),
        (40, 50, 0.145223),
        (49, 50, 0.036342),
        (25, 100, 0.334249),
        (90, 100, 0.100321),
        (99, 100, 0.025547),
    ],
)
def test_the_exact_isotropic_risk_has_its_reference_values(n, d, value):
    assert isotropic_expected_risk(n, d) == pytest.approx(value, rel=0, abs=5e-7)


def test_the_exact_isotropic_risk_where_it_is_known_in_closed_form():
    for n, d, value in ((1, 2, 1 / 4), (1, 3, 1 / np.pi), (2, 3, 1 / 2 - 1 / np.pi), (3, 6, 1 / 4)):
        assert isotropic_expected_risk(n, d) == pytest.approx(value, abs=1e-12)  # the quadrature
    for n, d in ((1, 1), (5, 5), (9, 4), (10**7, 10**6)):
        assert isotropic_expected_risk(n, d) == 0.0


@pytest.mark.parametrize("d", [2, 3, 5, 10, 50, 1000])
def test_the_exact_isotropic_risk_is_the_mean_of_the_density_of_the_angle(d):
    """cos^2 of the angle is Beta(n/2, (d - n)/2): the angle's density is cos^(n-1) sin^(d-n-1)."""
    for n in sorted({1, 2, d // 3 or 1, d // 2, d - 1} & set(range(1, d))):
        theta = np.linspace(0, np.pi / 2, 20_002)[1:-1]
        logs = (n - 1) * np.log(np.cos(theta)) + (d - n - 1) * np.log(np.sin(theta))
        density = np.exp(logs - logs.max())
        # Left out at each end: half a step of a density whose peak is 1, and the ends of the
        # trapezoidal rule, 1e-8 of them.
        expected = integrate.trapezoid(theta * density) / integrate.trapezoid(density) / np.pi
        assert isotropic_expected_risk(n, d) == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize("d", [2, 3, 5, 10])
def test_the_exact_isotropic_risk_agrees_with_monte_carlo_at_every_size(d):
    """16 comparisons in all."""
    sizes = np.arange(1, d)
    curve = risk_curve(IsotropicGaussian(d), np.ones(d), sizes, trials=1000, rng=rng(9))
    exact = np.array([isotropic_expected_risk(int(n), d) for n in sizes])
    assert np.all(np.abs(curve.mean - exact) <= 4 * curve.standard_error)


@pytest.mark.parametrize("d", [10**4, 10**6, 10**8])
def test_the_exact_isotropic_risk_in_high_dimensions(d):
    """Near n = d the angle is like |z|/sqrt(d): its mean over pi is sqrt(2/pi)/(pi sqrt(d))."""
    last = np.sqrt(2 / np.pi) / (np.pi * np.sqrt(d))
    # 0.6/d in relative terms where it was measured; quadrature of 1e-12.
    assert isotropic_expected_risk(d - 1, d) == pytest.approx(last, rel=1 / d, abs=1e-11)
    assert isotropic_expected_risk(1, d) == pytest.approx(0.5 - last, rel=0, abs=1e-6)
    assert isotropic_expected_risk(d // 2, d) == pytest.approx(0.25, abs=1e-12)
    # arccos(1/2)/pi, and the second term of its expansion, 1/d.
    assert isotropic_expected_risk(d // 4, d) == pytest.approx(1 / 3, rel=0, abs=0.1 / d + 1e-12)


@pytest.mark.parametrize("left", [1, 2, 5, 10])
@pytest.mark.parametrize("d", [10**10, 10**12, 10**15])
def test_the_exact_isotropic_risk_of_the_last_sizes_keeps_its_digits(left, d):
    """With few directions left the angle is like chi(d - n) / sqrt(d), up to (d - n)/d of itself.

    There cos^2 is 1 up to 1e-10 and less, and has lost as many of the digits of the angle.
    """
    mean = np.sqrt(2) * math.gamma((left + 1) / 2) / math.gamma(left / 2)  # of chi(left)
    # 21 points on each piece leave 4e-10.
    expected = mean / np.sqrt(d) / np.pi
    assert isotropic_expected_risk(d - left, d) == pytest.approx(expected, rel=2e-9, abs=0)


def risk_by_quadrature(A, d, gap_probability):
    """An input at the acute angle a, phi away from the student's side, is misread iff

    tan(a) cos(phi) tan(A) >= 1, that is if its gap pi/2 - a is at most arctan(tan(A) cos(phi)).
    In d dimensions phi, in [0, pi], has a density proportional to sin^(d-3).
    """

    def misread(phi):
        return gap_probability(np.arctan(np.tan(A) * np.cos(phi))) * np.sin(phi) ** (d - 3)

    # In psi, phi = pi/2 - psi^4: smooth, though p may grow like the gap to the power 1/4.
    top = (np.pi / 2) ** 0.25
    numerator, _ = integrate.quad(
        lambda psi: misread(np.pi / 2 - psi**4) * 4 * psi**3, 0, top, epsabs=0, epsrel=1e-11
    )
    return numerator / integrate.quad(lambda phi: np.sin(phi) ** (d - 3), 0, np.pi)[0]


@pytest.mark.parametrize("d", [3, 4, 10, 50])
@pytest.mark.parametrize("easiness", [0.25, 0.5, 1.0, 2.0, 4.0])
def test_axial_risk_is_the_integral_over_the_cone_of_misread_inputs(d, easiness):
    for A in (1e-6, 0.05, 0.6, 1.2, 1.5):
        expected = risk_by_quadrature(A, d, lambda g: (2 * g / np.pi) ** easiness)
        # 1e-9: quad is asked for 1e-11, the library's rule claims 1e-13.
        assert axial_risk(A, PolynomialAngles(unit(d), easiness)) == pytest.approx(
            expected, rel=1e-9
        )


@pytest.mark.parametrize("easiness", [0.1, 1.0])
def test_near_0_the_axial_risk_is_a_fixed_part_of_the_chance_of_so_small_a_gap(easiness):
    law = PolynomialAngles(unit(5), easiness)
    A = np.array([1e-300, 1e-200, 1e-100, 1e-12])
    part = axial_risk(A, law) / law.gap_probability(A)
    # The rule's own error; and tan A is A up to its square.
    assert np.allclose(part, part[-1], rtol=1e-12, atol=0)
    assert 0.1 < part[-1] < 0.5


@pytest.mark.parametrize("d", [3, 4, 10])
def test_axial_risk_of_bounded_angles_starts_where_an_angle_can_reach_the_gap(d):
    law = BoundedAngles(unit(d), 1.1)
    assert axial_risk(np.pi / 2 - 1.1 - 1e-9, law) == 0.0
    assert axial_risk(1e-200, law) == 0.0  # the gap's share of it has no square in the doubles
    for A in (0.5, 0.8, 1.2, 1.5):
        expected = risk_by_quadrature(A, d, lambda g: max(0.0, 1 - (np.pi / 2 - g) / 1.1))
        # 1e-7: here the integrand has a corner, which costs both rules digits.
        assert axial_risk(A, law) == pytest.approx(expected, rel=1e-7)


def test_the_quadrature_above_gives_the_isotropic_risk_its_angle_over_pi():
    """The oracle on trial: p_iso in d = 3 is the cosine."""
    for A in (0.1, 0.7, 1.4):
        assert risk_by_quadrature(A, 3, np.sin) == pytest.approx(A / np.pi, rel=1e-10)
        assert axial_risk(A, IsotropicGaussian(3)) == pytest.approx(A / np.pi, rel=1e-15)


@pytest.mark.parametrize(
    ("A", "d", "easiness", "expected"),
    [
        (0.6, 3, 1, 0.126751),
        (0.8, 10, 2, 0.0203078),
        (1.2, 50, 0.5, 0.194033),
        (0.2, 50, 1, 0.00738832),
        (0.5, 20, 1, 0.0319412),
    ],
)
def test_axial_risk_has_its_reference_values(A, d, easiness, expected):
    """Reference values; half a unit of the sixth digit is at most 5e-6 of the value."""
    law = PolynomialAngles(unit(d), easiness)
    assert axial_risk(A, law) == pytest.approx(expected, rel=5e-6)


@pytest.mark.parametrize("law", [PolynomialAngles([1.0, 2], 0.7), BoundedAngles([1.0, 2], 1.2)])
def test_axial_risk_in_the_plane_is_half_of_the_tail(law):
    A = np.linspace(0, np.pi / 2, 9)
    # Rounding of pi/2 - (pi/2 - A).
    assert np.allclose(axial_risk(A, law), law.angle_tail(np.pi / 2 - A) / 2, rtol=0, atol=1e-14)


@pytest.mark.parametrize("law", [LAWS["isotropic"], LAWS["polynomial"], LAWS["bounded"]])
def test_axial_risk_at_the_ends_and_its_shapes(law):
    assert axial_risk(0.0, law) == 0.0
    # Orthogonal to the teacher, the student tosses a coin. 1e-12: the quadrature.
    assert axial_risk(np.pi / 2, law) == pytest.approx(0.5, abs=1e-12)
    A = np.linspace(0, np.pi / 2, 12).reshape(3, 4)
    table = axial_risk(A, law)
    assert table.shape == (3, 4)
    assert np.all(np.diff(table.ravel()) >= 0)
    # A hundred nodes, summed in another order.
    assert table[1, 2] == pytest.approx(axial_risk(A[1, 2], law), rel=1e-13)


@pytest.mark.parametrize("d", [2, 3, 10, 50])
@pytest.mark.parametrize("easiness", [0.5, 1.0, 2.0, 4.0])
def test_the_table_that_curves_use_is_good_to_a_millionth(d, easiness):
    """Relative, from 1e-10 to pi/2 - 1e-10: no Monte Carlo error is as small."""
    law = PolynomialAngles(unit(d), easiness)
    logs = rng(6).uniform(np.log(1e-10), np.log(1e10), 3000)
    A = np.arctan(np.exp(logs))
    exact = axial_risk(A, law)
    assert np.all(np.abs(_risk_of_angle(law)(A) - exact) <= 1e-6 * exact)


@pytest.mark.parametrize("d", [2, 3, 10])
@pytest.mark.parametrize("max_angle", [0.3, 0.8, 1.1, 1.5])
def test_the_table_of_bounded_angles_is_good_to_a_millionth_of_one(d, max_angle):
    """Absolute: here the risk leaves 0 at the angle pi/2 - max_angle, like a power."""
    law = BoundedAngles(unit(d), max_angle)
    A = np.linspace(0, np.pi / 2, 3000)
    assert np.all(np.abs(_risk_of_angle(law)(A) - axial_risk(A, law)) <= 1e-6)


TABLES = [_risk_of_angle(LAWS[name]) for name in ("polynomial", "bounded")]


@pytest.mark.parametrize("d", [2, 3, 10, 50])
@pytest.mark.parametrize(("easiness", "tol"), [(8.0, 1e-6), (16.0, 5e-6), (20.0, 5e-6)])
def test_the_table_goes_down_to_the_least_double(d, easiness, tol):
    law = PolynomialAngles(unit(d), easiness)
    A = np.geomspace(1e-15, 1.0, 300)
    exact = axial_risk(A, law)
    assert exact[0] < 1e-110
    known = exact > 1e-300
    found = _risk_of_angle(law)(A)
    assert np.all(np.abs(found - exact)[known] <= tol * exact[known])
    assert np.all(found[~known] <= 2e-300)


def test_the_table_begins_with_a_gap_of_probability_1e_304_and_below_it_the_risk_is_0():
    """In the plane the risk is half of the gap's probability."""
    law = PolynomialAngles(unit(2), 8.0)
    # The first piece of the table goes from exp(-700), 1e-304, to nine times as much.
    u = np.array([2e-304, 4e-304, 8e-304])
    table = _risk_of_angle(law)
    # The millionth to which a table is good: u hangs on the angle's rounding by 1e-15.
    assert np.allclose(table(law.gap_quantile(u)) / u, 0.5, rtol=1e-6, atol=0)
    assert table(law.gap_quantile(np.array([0.0, 1e-306]))).tolist() == [0.0, 0.0]


@given(st.floats(0, np.pi / 2))
def test_the_table_never_leaves_the_unit_interval(A):
    for table in TABLES:
        assert 0.0 <= table(np.array([A]))[0] <= 0.5 + 1e-9  # one half, interpolated


@pytest.mark.parametrize(
    ("law", "teacher"),
    [
        (LAWS["gaussian"], TEACHER),
        (LAWS["empirical"], TEACHER),
        (LAWS["polynomial"], TEACHER[::-1]),  # symmetric, but about another teacher
        (LAWS["bounded"], TEACHER + [0, 0, 0, 0, 0, 1e-9]),  # 1e-10 rad off
    ],
)
def test_without_test_points_a_law_that_is_not_symmetric_about_the_teacher_is_refused(law, teacher):
    with pytest.raises(ValueError, match="^test_points must be given"):
        risk_curve(law, teacher, [1], trials=2, rng=rng())


@pytest.mark.parametrize("name", ["polynomial", "bounded"])
def test_the_same_teacher_up_to_its_length_its_sign_and_rounding_is_the_same(name):
    exact = risk_curve(LAWS[name], TEACHER, [1, 3], trials=3, rng=rng())
    for teacher in (7.3 * TEACHER, -TEACHER, TEACHER * (1 + 1e-15)):
        curve = risk_curve(LAWS[name], teacher, [1, 3], trials=3, rng=rng())
        assert np.allclose(curve.mean, exact.mean, rtol=1e-9)
