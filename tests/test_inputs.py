"""inputs: where they come from, and how often they are nearly orthogonal to the teacher."""

from dataclasses import FrozenInstanceError, replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

import distill_lib
from distill_lib import (
    BoundedAngles,
    Empirical,
    Gaussian,
    IsotropicGaussian,
    PolynomialAngles,
)

TEACHER = np.array([3.0, 0.0, -1.0, 2.0])
COVARIANCE = np.diag([9.0, 1.0, 0.5, 2.0]) + 0.3

# Laws around a teacher, to be made from it.
AROUND = {
    "polynomial, kappa = 1/2": lambda w: PolynomialAngles(w, 0.5),
    "polynomial, kappa = 3": lambda w: PolynomialAngles(w, 3.0),
    "bounded, margin": lambda w: BoundedAngles(w, 1.1),
    "bounded, none": lambda w: BoundedAngles(w, np.pi / 2),
}
# Name: the law, and the teacher that its tail has to be told.
LAWS = {
    "isotropic": (IsotropicGaussian(4), None),
    "gaussian": (Gaussian(COVARIANCE), TEACHER),
    **{name: (make(TEACHER), None) for name, make in AROUND.items()},
    "empirical": (Empirical(np.random.default_rng(5).standard_normal((50, 4))), TEACHER),
}
every_law = pytest.mark.parametrize("name", LAWS)


def tail(name, theta):
    law, teacher = LAWS[name]
    return law.angle_tail(theta) if teacher is None else law.angle_tail(theta, teacher)


def acute_angles(X, w):
    return np.arccos(np.abs(X @ w) / (np.linalg.norm(X, axis=1) * np.linalg.norm(w)))


def test_every_law_of_the_library_is_tested_here():
    public = {name for name in distill_lib.__all__ if hasattr(getattr(distill_lib, name), "sample")}
    assert public - {"InputLaw", "AxialLaw"} == {type(law).__name__ for law, _ in LAWS.values()}
    around = {name for name, (law, _) in LAWS.items() if isinstance(law, distill_lib.AxialLaw)}
    assert around == set(AROUND)


@every_law
def test_tail_is_the_frequency_of_large_angles_in_its_own_samples(name):
    """Within 4 standard errors at 5 angles.

    A right law fails one of its five comparisons with probability 5 * 6e-5 = 0.03%; the seed is
    fixed, so it has passed for good.
    """
    size = 200_000
    angles = acute_angles(LAWS[name][0].sample(size, np.random.default_rng(1)), TEACHER)
    for theta in (0.1, 0.4, 0.8, 1.2, 1.5):
        p = tail(name, theta)
        assert abs(np.mean(angles >= theta) - p) <= 4 * np.sqrt(p * (1 - p) / size)


@given(st.sampled_from(sorted(LAWS)), st.lists(st.floats(0, np.pi / 2), min_size=2, max_size=5))
def test_tail_is_a_survival_function(name, thetas):
    p = tail(name, np.sort(thetas))
    assert np.all((p >= 0) & (p <= 1))
    # Rounding; of Gaussian that of an eigenvalue, of which the ends see the root.
    rounding = 2e-8 if name == "gaussian" else 1e-15
    assert np.all(np.diff(p) <= rounding)
    assert tail(name, 0.0) == 1.0
    assert tail(name, thetas[0]) == pytest.approx(tail(name, np.array(thetas))[0], abs=rounding)


def test_isotropic_tail_has_the_reference_values():
    """Reference values; half a unit of the last printed digit."""
    for theta, dim, expected in [(1.0, 7, 0.833173), (1.3, 7, 0.478148), (0.5, 3, 0.877583)]:
        assert IsotropicGaussian(dim).angle_tail(theta) == pytest.approx(expected, abs=5e-7)


@given(st.floats(0, np.pi / 2))
def test_isotropic_tail_in_low_dimensions(theta):
    # Rounding of a cosine or two: near pi/2 it is absolute, 1e-16.
    assert IsotropicGaussian(1).angle_tail(theta) == (theta == 0)  # a line: no angle but 0
    circle, sphere = IsotropicGaussian(2).angle_tail(theta), IsotropicGaussian(3).angle_tail(theta)
    assert circle == pytest.approx(1 - 2 * theta / np.pi, abs=1e-8)  # arcs
    assert sphere == pytest.approx(np.cos(theta), abs=1e-14)  # Archimedes' hat-box


@pytest.mark.parametrize("d", [2, 3, 10])
def test_gaussian_tail_is_the_isotropic_one_when_the_covariance_is(d):
    theta = np.linspace(0, np.pi / 2, 21)
    expected = IsotropicGaussian(d).angle_tail(theta)
    for scale in (1.0, 1e-6):
        p = Gaussian(scale * np.eye(d)).angle_tail(theta, np.arange(1.0, d + 1))
        assert np.allclose(p[:-1], expected[:-1], rtol=0, atol=1e-13)  # rounding
        assert 0.0 <= p[-1] <= 2e-8  # at pi/2: the root of the rounding of an eigenvalue


@pytest.mark.parametrize("w", [[1.0, 2.0], [1.0, 0.0], [1e-3, 1.0]])
@pytest.mark.parametrize("spread", [1e-12, 1e-6, 0.1, 1.0, 1e3, 1e12])
def test_gaussian_tail_in_the_plane_is_an_arc(spread, w):
    """x = L z, and the direction of z is uniform: two opposite arcs, seen through the inverse of L.

    Also where it is tiny, and where the integrand of the library is a narrow peak.
    """
    covariance = np.diag([1.0, spread]) + (0.3 if spread == 0.1 else 0.0) * (1 - np.eye(2))
    inverse = np.linalg.inv(np.linalg.cholesky(covariance))
    towards = np.arctan2(w[1], w[0])
    for theta, tol in ((1e-6, 1e-9), (1e-4, 1e-12), (0.05, 1e-12), (0.8, 1e-13), (1.57, 1e-12)):
        u, v = (
            inverse @ [np.cos(phi), np.sin(phi)]
            for phi in (towards + theta, towards + np.pi - theta)
        )
        arc = np.arctan2(abs(u[0] * v[1] - u[1] * v[0]), u @ v)
        assert Gaussian(covariance).angle_tail(theta, w) == pytest.approx(arc / np.pi, abs=tol)


def test_gaussian_tail_in_space_is_an_integral_over_the_sphere():
    """z = e cos(a) + (f cos(t) + g sin(t)) sin(a), x = L z; the density of a is sin(a) / 2."""
    covariance = np.array([[4.0, 1, 0], [1, 0.5, 0.1], [0, 0.1, 2]])
    w, theta = [1.0, 2.0, -1.0], 0.9
    factor = np.linalg.cholesky(covariance)
    e = np.array(w) / np.linalg.norm(w)
    # Midpoints in cos(a) and t, whose directions are equally likely.
    cosine, turn = np.meshgrid((np.arange(1000) + 0.5) / 1000, np.arange(2000) * np.pi / 1000)
    sine = np.sqrt(1 - cosine**2)
    x = np.stack([cosine, sine * np.cos(turn), sine * np.sin(turn)], axis=-1) @ factor.T
    far = np.abs(x @ e) <= np.cos(theta) * np.linalg.norm(x, axis=-1)
    # Along the edge of the region one cell of 2e6 in a thousand is misjudged by half: 1e-4 or so.
    assert Gaussian(covariance).angle_tail(theta, w) == pytest.approx(far.mean(), abs=3e-4)


@pytest.mark.parametrize("unit", [1e-300, 1e-9, 1.0, 1e9, 1e300])
def test_a_covariance_is_symmetric_or_refused_in_whatever_unit(unit):
    uneven = np.diag([unit, 1e-6 * unit])
    uneven[0, 1] = uneven[1, 0] = 5e-4 * unit
    expected = Gaussian(uneven / unit)
    law = Gaussian(uneven)
    theta = [0.1, 0.7, 1.5]
    assert np.allclose(
        law.angle_tail(theta, [1.0, 2.0]), expected.angle_tail(theta, [1.0, 2.0]), atol=1e-12
    )
    samples = [each.sample(5, np.random.default_rng(0)) for each in (law, expected)]
    assert np.allclose(samples[0] / np.sqrt(unit), samples[1], rtol=1e-12, atol=0)
    # Rounding of the product that makes a covariance, 1e-16; and a slip in the tenth digit.
    slightly, wrong = uneven.copy(), uneven.copy()
    slightly[0, 1] *= 1 + 1e-12
    wrong[0, 1] *= 1 + 1e-8
    Gaussian(slightly)
    with pytest.raises(ValueError, match="^covariance must be symmetric"):
        Gaussian(wrong)


def test_a_covariance_that_is_not_positive_definite_is_refused_with_its_least_eigenvalue():
    for diagonal in ([1.0, -2.0], [-2.0, 1.0], [3.0, -2.0, 5.0]):
        with pytest.raises(ValueError, match="^covariance must be positive .* eigenvalue is -2$"):
            Gaussian(np.diag(diagonal))
    for singular in (np.diag([0.0, 1.0]), np.zeros((2, 2)), np.ones((3, 3))):
        with pytest.raises(ValueError, match="^covariance must be positive definite"):
            Gaussian(singular)


@pytest.mark.parametrize("size", [5e-324, 1e-200, 1e200, 1.7e308])
def test_the_teachers_length_matters_to_no_law(size):
    short, w = np.array([size, 0.0, size]), np.array([1.0, 0.0, 1.0])
    theta = [0.1, 0.7, 1.5]
    for law in (Gaussian(np.diag([1.0, 2.0, 5.0])), Empirical(np.eye(3))):
        assert np.allclose(law.angle_tail(theta, short), law.angle_tail(theta, w), rtol=1e-14)
    for law in (lambda w: PolynomialAngles(w, 0.7), lambda w: BoundedAngles(w, 1.2)):
        samples = [law(each).sample(5, np.random.default_rng(0)) for each in (short, w)]
        assert np.allclose(*samples, rtol=0, atol=1e-14)


@pytest.mark.parametrize("law", [PolynomialAngles(TEACHER, 0.5), BoundedAngles(TEACHER, 1.1)])
def test_the_tail_of_a_law_is_that_about_its_own_teacher(law):
    """Any length and sign of it, and what rounding makes of it, but nothing beside it."""
    theta = [0.1, 0.7]
    for same in (7.3 * TEACHER, -TEACHER / 3, 1e-200 * TEACHER):
        assert law.angle_tail(theta, same).tolist() == law.angle_tail(theta).tolist()
    across = np.array([0.0, np.linalg.norm(TEACHER), 0.0, 0.0])  # orthogonal to it
    # 1e-13 rad is a few hundred roundings of an angle; 1e-11 rad is another teacher.
    law.angle_tail(theta, TEACHER + 1e-13 * across)
    for other in (TEACHER + 1e-11 * across, TEACHER + 1e-3 * across, across):
        with pytest.raises(ValueError, match="^w_teacher must be that of the law, or a multiple"):
            law.angle_tail(theta, other)


def test_gaussian_samples_have_the_covariance():
    """Each of the 10 entries within 4 standard errors; chance of failure of a right law 0.1%."""
    size = 100_000
    X = Gaussian(COVARIANCE).sample(size, np.random.default_rng(2))
    # The variance of x_i x_j for a centred Gaussian (Isserlis).
    variance = np.outer(np.diag(COVARIANCE), np.diag(COVARIANCE)) + COVARIANCE**2
    assert np.all(np.abs(X.T @ X / size - COVARIANCE) <= 4 * np.sqrt(variance / size))


@given(st.floats(0, np.pi / 2), st.floats(0.1, 8.0), st.floats(0.01, np.pi / 2))
def test_tails_of_the_laws_around_the_teacher(theta, easiness, max_angle):
    # Rounding of pi/2 - theta, raised to the power 0.1 at worst: (1e-16)^0.1 = 0.03 at theta =
    # pi/2 itself, hence relative to the gap.
    polynomial = PolynomialAngles(TEACHER, easiness).angle_tail(theta)
    gap = np.pi / 2 - theta
    assert polynomial == pytest.approx((2 * gap / np.pi) ** easiness, rel=1e-13)
    bounded = BoundedAngles(TEACHER, max_angle).angle_tail(theta)
    assert bounded == pytest.approx(max(0.0, 1 - theta / max_angle), abs=1e-13)


def test_easiness_one_in_the_plane_is_isotropic():
    theta = np.linspace(0, np.pi / 2, 21)
    p = PolynomialAngles([1.0, 2.0], 1.0).angle_tail(theta)
    # 1e-8: betainc near cos^2 = 0 and 1 keeps half of the digits of theta.
    assert np.allclose(p, IsotropicGaussian(2).angle_tail(theta), rtol=0, atol=1e-8)


@given(st.floats(1e-6, 1.0), st.floats(0.2, 8.0), st.floats(0.01, np.pi / 2))
def test_gap_quantile_inverts_gap_probability(u, easiness, max_angle):
    for law in (PolynomialAngles(TEACHER, easiness), BoundedAngles(TEACHER, max_angle)):
        # BoundedAngles subtracts from pi/2 and divides by max_angle: 1e-16 / 0.01.
        assert law.gap_probability(law.gap_quantile(u)) == pytest.approx(u, rel=1e-12, abs=1e-13)


@pytest.mark.parametrize("name", AROUND)
def test_laws_around_the_teacher_give_unit_inputs_with_fair_signs_and_no_preferred_side(name):
    """In d = 3 the direction around the teacher is an azimuth; it must be uniform.

    Also among the inputs with small angles, and among those of one sign. Nine comparisons at 4
    standard errors or p > 1e-4: a right law fails with probability 0.1%.
    """
    e, f, g = np.linalg.qr(np.array([[1.0, 2, 2], [0, 1, 0], [1, 0, 0]]).T)[0].T
    X = AROUND[name](7 * e).sample(20_000, np.random.default_rng(3))
    # Rounding of a sum of squares, also where every step is rounded the same way.
    assert np.allclose(np.linalg.norm(X, axis=1), 1.0, rtol=0, atol=1e-13)
    angles, side = acute_angles(X, e), X @ e > 0
    azimuth = np.arctan2(X @ g, X @ f) / (2 * np.pi) + 0.5
    for group in (np.full(len(X), True), angles < np.median(angles), side):
        assert stats.kstest(azimuth[group], "uniform").pvalue > 1e-4
    for group in (np.full(len(X), True), angles < np.median(angles)):
        assert abs(np.mean(side[group]) - 0.5) <= 4 * 0.5 / np.sqrt(group.sum())


def test_empirical_inputs_are_its_points_and_its_tail_counts_them():
    points = np.array([[1.0, 0], [1, 1], [-1, 1], [0, 2], [0, -3]])
    law = Empirical(points)
    drawn = law.sample(1000, np.random.default_rng(4))
    # Each of the five is missed with probability 0.8^1000.
    assert {tuple(x) for x in drawn} == {tuple(x) for x in points}
    assert law.angle_tail(np.array([0, 0.1, 0.7, 0.8, np.pi / 2]), [1.0, 0]).tolist() == [
        1.0, 0.8, 0.8, 0.4, 0.4
    ]  # fmt: skip


@every_law
def test_samples_depend_on_the_generator_and_on_nothing_else(name):
    law = LAWS[name][0]
    np.random.seed(0)  # noqa: NPY002 - the global generator is what must not be touched
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    first, second = (law.sample(7, np.random.default_rng(6)) for _ in range(2))
    assert np.array_equal(before, np.random.get_state()[1])  # noqa: NPY002
    assert np.array_equal(first, second)
    assert first.shape == (7, law.dim)
    rng = np.random.default_rng(6)
    assert not np.array_equal(law.sample(7, rng), law.sample(7, rng))


@pytest.mark.parametrize(
    ("law", "field", "given_array"),
    [
        (Gaussian, "covariance", np.eye(3)),
        (Empirical, "points", np.ones((2, 3))),
        (lambda w: PolynomialAngles(w, 1.0), "w_teacher", np.ones(3)),
        (lambda w: BoundedAngles(w, 1.0), "w_teacher", np.ones(3)),
    ],
)
def test_a_law_does_not_change_after_it_was_made(law, field, given_array):
    made = law(given_array)
    held = getattr(made, field).copy()
    given_array[...] = 9.0
    assert np.array_equal(getattr(made, field), held)
    with pytest.raises(ValueError, match="read-only"):
        getattr(made, field)[...] = 9.0
    with pytest.raises(FrozenInstanceError):
        setattr(made, field, held)
    made.sample(2, np.random.default_rng(0))[...] = 9.0
    assert np.array_equal(getattr(made, field), held)
    # What it has worked out for itself would otherwise be open to whoever looks for it.
    arrays = [value for value in vars(made).values() if isinstance(value, np.ndarray)]
    assert not any(array.flags.writeable for array in arrays)


def test_a_law_made_from_another_is_that_of_the_new_field():
    law = replace(Gaussian(np.eye(2)), covariance=[[4.0, 0.0], [0.0, 1.0]])
    same = Gaussian(covariance=[[4.0, 0.0], [0.0, 1.0]])
    assert repr(law) == repr(same)
    assert law.angle_tail(0.5, [1.0, 0.0]) == same.angle_tail(0.5, [1.0, 0.0])
    law = replace(PolynomialAngles(np.ones(2), 1.0), w_teacher=[3.0, 4.0])
    assert repr(law) == "PolynomialAngles(w_teacher=array([3., 4.]), easiness=1.0)"
    assert law.angle_tail(0.5, [6.0, 8.0]) == law.angle_tail(0.5)


def test_the_dimension_is_frozen_too():
    with pytest.raises(FrozenInstanceError):
        IsotropicGaussian(3).dim = 4


def test_what_a_law_is_given_becomes_pythons_own_numbers():
    """Else a law of numpy's numbers would show, and be stored, in another way than the same law."""
    assert repr(IsotropicGaussian(np.int64(3))) == "IsotropicGaussian(dim=3)"
    assert type(PolynomialAngles(TEACHER, np.float32(2)).easiness) is float
    assert type(BoundedAngles(TEACHER, 1).max_angle) is float
