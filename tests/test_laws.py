"""laws: a law of one's own needs nothing but the members of the protocol."""

import numpy as np
import pytest
from scipy import integrate, optimize, special, stats

from distill_lib import (
    AxialLaw,
    BoundedAngles,
    Empirical,
    Gaussian,
    InputLaw,
    IsotropicGaussian,
    PolynomialAngles,
    axial_risk,
    risk_curve,
    risk_sweep,
)
from distill_lib._trials import _risk_of_angle

W = np.array([1.0, 2.0, 0.0, 2.0])


class Signs:
    dim = 4

    def sample(self, n, rng):
        return rng.choice([-1.0, 1.0], size=(n, 4))


class Cosine:
    """The gap has the distribution function 1 - cos."""

    dim, w_teacher = 4, W

    def gap_probability(self, gap):
        return 1.0 - np.cos(gap)

    def gap_quantile(self, probability):
        return np.arccos(1.0 - np.asarray(probability))

    def sample(self, n, rng):
        axis = W / np.linalg.norm(W)
        gaps = self.gap_quantile(rng.random(n)) * rng.choice([-1.0, 1.0], size=n)
        around = rng.standard_normal((n, 4))
        around -= np.outer(around @ axis, axis)
        around /= np.linalg.norm(around, axis=1, keepdims=True)
        return np.sin(gaps)[:, None] * axis + np.cos(gaps)[:, None] * around


def rng(seed=0):
    return np.random.default_rng(seed)


@pytest.mark.parametrize(
    ("law", "axial"),
    [
        (IsotropicGaussian(4), False),  # about every teacher, so it has none of its own
        (Gaussian(np.eye(4)), False),
        (Empirical(np.eye(4)), False),
        (PolynomialAngles(W, 1.0), True),
        (BoundedAngles(W, 1.0), True),
        (Signs(), False),
        (Cosine(), True),
    ],
    ids=lambda value: type(value).__name__,
)
def test_who_is_a_law_and_who_one_around_a_teacher(law, axial):
    assert isinstance(law, InputLaw)
    assert isinstance(law, AxialLaw) == axial


def test_a_law_of_ones_own_is_measured(tmp_path):
    curve = risk_curve(Signs(), W, [1, 3], trials=100, test_points=100, rng=rng())
    assert curve.mean[0] > curve.mean[1]
    cell = dict(inputs=Signs(), w_teacher=W, sizes=[1, 3], trials=100, test_points=100, seed=0)
    assert np.array_equal(risk_sweep([cell], folder=tmp_path)[0].mean, curve.mean)
    with pytest.raises(ValueError, match="^test_points must be given"):
        risk_curve(Signs(), W, [1], trials=2, rng=rng())


def test_a_law_of_ones_own_around_a_teacher_has_the_exact_risk_that_is_measured():
    """Three comparisons at 4 standard errors: a right law fails with probability 2e-4."""
    law, sizes = Cosine(), [1, 2, 3]
    exact = risk_curve(law, W, sizes, trials=1000, rng=rng(1))
    tested = risk_curve(law, W, sizes, trials=1000, test_points=200, rng=rng(2))
    se = np.hypot(exact.standard_error, tested.standard_error)
    assert np.all(np.abs(exact.mean - tested.mean) <= 4 * se)
    assert axial_risk(np.pi / 2, law) == pytest.approx(0.5, abs=1e-12)  # the quadrature
    with pytest.raises(ValueError, match="^test_points must be given"):
        risk_curve(law, W[::-1], [1], trials=2, rng=rng())


class Pieces(Cosine):
    """Gaps that are uniform between knots, at which the distribution function is given."""

    def __init__(self, knots, probabilities):
        self.knots, self.probabilities = np.array(knots), np.array(probabilities)

    def gap_probability(self, gap):
        return np.interp(gap, self.knots, self.probabilities)

    def gap_quantile(self, probability):
        return np.interp(probability, self.probabilities, self.knots)


def hole(start, end):
    """Half of the gaps lie on either side of a hole."""
    return Pieces([0.0, start, end, np.pi / 2], [0.0, 0.5, 0.5 + 1e-15, 1.0])


HOLE = hole(0.2, 1.2)
# A fifth of the inputs is orthogonal to the teacher, and no other is nearly so.
ORTHOGONAL = Pieces([0.0, 0.4, np.pi / 2], [0.2, 0.2 + 1e-15, 1.0])


@pytest.mark.parametrize("law", [HOLE, ORTHOGONAL], ids=["hole", "orthogonal"])
def test_gaps_with_a_hole_have_no_table_but_an_exact_risk_of_each_angle(law):
    with pytest.raises(ValueError, match="^inputs must have a gap_probability"):
        risk_curve(law, W, [1], trials=2, rng=rng())
    assert risk_curve(law, W, [1], trials=2, test_points=2, rng=rng()).mean.shape == (1,)
    X, axis = law.sample(100_000, rng(3)), W / np.linalg.norm(W)
    for angle in (0.1, 0.5, 1.0):
        student = np.cos(angle) * axis + np.sin(angle) * np.array([0.0, 0.0, 1.0, 0.0])
        found = np.mean((X @ student >= 0) != (X @ W >= 0))
        # Six comparisons at 4 standard errors: right laws fail with probability 4e-4.
        assert abs(found - axial_risk(angle, law)) <= 4 * np.sqrt(found / 100_000)


@pytest.mark.parametrize(("start", "end"), [(0.05, 0.2), (0.3, 0.5), (0.7, 0.9), (1.2, 1.5)])
def test_a_hole_is_noticed_wherever_it_is(start, end):
    with pytest.raises(ValueError, match="^inputs must have a gap_probability"):
        risk_curve(hole(start, end), W, [1], trials=2, rng=rng())


@pytest.mark.parametrize("start", [0.1, 0.4, 0.9, 1.4])
def test_a_hole_of_one_degree_is_noticed(start):
    """Also near 0: the table of a law with such a hole is right at all angles beyond 1."""
    with pytest.raises(ValueError, match="^inputs must have a gap_probability"):
        risk_curve(hole(start, start + 0.018), W, [1], trials=2, rng=rng())


def test_gaps_with_a_corner_in_their_distribution_keep_their_table():
    """Below 0.4 gaps are a little rarer than above: nowhere is the distribution level.

    The corner costs a cubic digits, here down to 1e-4; a table is refused from 1e-3 on.
    """
    law = Pieces([0.0, 0.4, np.pi / 2], [0.0, 0.24, 1.0])
    angles = np.linspace(0.1, 1.5, 50)
    exact = axial_risk(angles, law)
    assert np.allclose(_risk_of_angle(law)(angles), exact, rtol=1e-3, atol=0)


class Found(Cosine):
    """The gap has the distribution function (sin z + 2 z / pi) / 2, inverted by halving."""

    def gap_probability(self, gap):
        return (np.sin(gap) + gap / (np.pi / 2)) / 2

    def gap_quantile(self, probability):
        def one(p):
            return optimize.brentq(lambda z: self.gap_probability(z) - p, -0.1, 1.6)

        return np.vectorize(one)(probability)


class Truncated(Cosine):
    """A normal gap around 0.5, cut off at the ends."""

    gaps = stats.truncnorm(-1, (np.pi / 2 - 0.5) / 0.5, loc=0.5, scale=0.5)

    def gap_probability(self, gap):
        return self.gaps.cdf(gap)

    def gap_quantile(self, probability):
        return self.gaps.ppf(probability)


def uniform(start, end):
    """Gaps that are uniform between two: none is smaller, and none larger."""
    return Pieces([start, end], [0.0, 1.0])


class Cone(Cosine):
    """All inputs make the same angle with the teacher's line."""

    def gap_probability(self, gap):
        return np.where(np.asarray(gap) >= 0.6, 1.0, 0.0)

    def gap_quantile(self, probability):
        return np.full(np.shape(probability), 0.6)


@pytest.mark.parametrize(
    "law",
    [
        Cone(),
        Cosine(),
        Found(),
        Truncated(),
        uniform(0.0, 0.7),
        uniform(0.2, 0.7),
        uniform(0.2, 1.5),
    ],
    ids=["cone", "cosine", "found by halving", "truncated", "from 0", "below 0.7", "below 1.5"],
)
def test_the_table_of_a_law_of_ones_own_is_its_exact_risk(law):
    """Its rounding, too, is its own: a quantile may be off by 1e-12, or below 0."""
    angles = np.append(np.linspace(0.01, np.pi / 2, 300), [0.2, 0.6, 0.7, 1.5])
    table, exact = _risk_of_angle(law)(angles), axial_risk(angles, law)
    # A table promises a millionth; the exact risk is 0 up to rounding below the least gap.
    assert np.allclose(table, exact, rtol=1e-6, atol=1e-12)


def test_beside_a_hole_two_digits_of_the_risk_at_an_angle_are_kept():
    for law in (HOLE, ORTHOGONAL):
        starts, ends = law.knots[:-1], law.knots[1:]
        densities = np.diff(law.probabilities) / np.diff(law.knots)
        for angle in (0.5, 1.0, 1.3):

            def misread(gap, angle=angle):
                return special.betainc(1, 0.5, 1 - (np.tan(gap) / np.tan(angle)) ** 2) / 2

            exact = law.probabilities[0] / 2 + sum(
                density * integrate.quad(misread, start, min(end, angle))[0]
                for start, end, density in zip(starts, ends, densities, strict=True)
                if start < angle
            )
            assert axial_risk(angle, law) == pytest.approx(exact, rel=1e-2, abs=0)


def test_a_quantile_that_rounding_lifts_above_the_right_angle_is_cut_there():
    class Lifted(Cosine):
        def gap_quantile(self, probability):
            return super().gap_quantile(probability) * (1 + 1e-15)

    lifted, exact = (
        risk_curve(law, W, [1, 2, 3], trials=5, rng=rng(1)) for law in (Lifted(), Cosine())
    )
    # Twice the millionth to which a table is good.
    assert np.allclose(lifted.mean, exact.mean, rtol=2e-6, atol=0)


@pytest.mark.parametrize("missing", ["dim", "sample"])
def test_what_lacks_a_member_is_no_law(missing):
    members = {"dim": 4, "sample": Signs.sample}
    del members[missing]
    with pytest.raises(ValueError, match="^inputs must be a law"):
        risk_curve(type("Partial", (), members)(), W, [1], trials=2, test_points=2, rng=rng())


@pytest.mark.parametrize("dim", [0, 2.5, "4", None])
def test_a_dimension_that_is_none_is_refused(dim):
    law = type("Odd", (), {"dim": dim, "sample": Signs.sample})()
    with pytest.raises(ValueError, match="^inputs: dim must be"):
        risk_curve(law, W, [1], trials=2, test_points=2, rng=rng())


@pytest.mark.parametrize(
    ("name", "answer", "said"),
    [
        (
            "gap_probability",
            lambda gap: 2 * np.asarray(gap),
            r"gap_probability must .* in \[0, 1\]",
        ),
        ("gap_probability", lambda gap: np.nan * gap, r"gap_probability must .* in \[0, 1\]"),
        ("gap_probability", lambda gap: np.sum(gap), "gap_probability must return as many"),
        ("gap_quantile", lambda p: np.asarray(p) - 1, r"gap_quantile must .* in \[0, 1\.571\]"),
        ("gap_quantile", lambda p: np.nan * p, r"gap_quantile must .* in \[0, 1\.571\]"),
    ],
)
def test_what_no_gap_can_have_is_reported_as_the_laws_own(name, answer, said):
    law = type("Odd", (Cosine,), {name: lambda self, asked: answer(asked)})()
    with pytest.raises(ValueError, match=f"^inputs: {said}"):
        axial_risk(np.array([0.5, 1.5]), law)
    with pytest.raises(ValueError, match=f"^inputs: {said}"):
        risk_curve(law, W, [1], trials=2, rng=rng())


@pytest.mark.parametrize("w_teacher", [None, np.ones(3), np.zeros(4)], ids=["none", "3", "zero"])
def test_a_law_around_no_teacher_is_refused(w_teacher):
    law = type("Odd", (Cosine,), {"w_teacher": w_teacher})()
    matching = "have shape .* to match the inputs' dim; got|hold real numbers|not be the zero"
    with pytest.raises(ValueError, match=f"^inputs: w_teacher must ({matching})"):
        risk_curve(law, W, [1], trials=2, rng=rng())


@pytest.mark.parametrize("test_points", [None, 5])
def test_a_law_that_draws_no_numbers_is_refused(test_points):
    law = type("Odd", (Cosine,), {"sample": lambda self, n, rng: np.full((n, 4), np.nan)})()
    with pytest.raises(ValueError, match="^inputs must draw finite numbers; got NaN or infinity$"):
        risk_curve(law, W, [1], trials=2, test_points=test_points, rng=rng())


def test_a_law_that_draws_another_shape_is_refused():
    law = type("Odd", (), {"dim": 4, "sample": lambda self, n, rng: np.ones((4, n))})()
    said = r"^inputs must draw arrays of shape \(1, 4\) when asked for 1; got shape \(4, 1\)$"
    with pytest.raises(ValueError, match=said):
        risk_curve(law, W, [1], trials=2, test_points=2, rng=rng())
