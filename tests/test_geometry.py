"""geometry: angles to twelve digits, and what a span sees of a vector."""

import math
from decimal import Decimal, localcontext

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from distill_lib import acute_angle, angle
from distill_lib._scaling import length, power_of_two
from distill_lib.geometry import nested_coordinates, orthonormal_basis

seeds = st.integers(0, 10**6)


def exact_angle(u, v):
    """The angle of the exact doubles, from sine and cosine in 60 digits.

    Only the last line is in double precision: two roundings and atan2, under 5e-16 relative.
    """
    with localcontext(prec=60):
        u, v = [[Decimal(float(entry)) for entry in vector] for vector in (u, v)]
        uu, uv, vv = (
            sum(a * b for a, b in zip(*pair, strict=True)) for pair in ((u, u), (u, v), (v, v))
        )
        residual = [b - uv / uu * a for a, b in zip(u, v, strict=True)]
        sine = (sum(r * r for r in residual) / vv).sqrt()
        cosine = uv / (uu * vv).sqrt()
    return math.atan2(float(sine), float(cosine))


@st.composite
def vectors_at_an_angle(draw):
    """Two vectors, about theta apart, of any lengths from 1e-300 to 1e300."""
    rng = np.random.default_rng(draw(seeds))
    d = draw(st.integers(2, 12))
    theta = draw(
        st.floats(-9.0, 0.0).map(lambda power: 10.0**power) | st.floats(1.0, math.pi - 1e-3)
    )
    # Entries of very different sizes within one vector.
    u = rng.standard_normal(d) * 10.0 ** rng.integers(-draw(st.integers(0, 12)), 1, d)
    u /= np.linalg.norm(u)
    across = rng.standard_normal(d)
    across -= (across @ u) * u
    across /= np.linalg.norm(across)
    powers = st.floats(-300.0, 300.0)
    v = math.cos(theta) * u + math.sin(theta) * across
    return u * 10.0 ** draw(powers), v * 10.0 ** draw(powers)


@given(vectors_at_an_angle())
def test_angle_has_twelve_digits_from_a_billionth_of_a_radian_to_almost_pi(pair):
    u, v = pair
    exact = exact_angle(u, v)
    # 1e-12 relative: a thousand roundings, of which there are far fewer.
    assert abs(angle(u, v) - exact) <= 1e-12 * exact
    assert abs(angle(v, u) - exact) <= 1e-12 * exact


@given(vectors_at_an_angle())
def test_acute_angle_has_twelve_digits_and_ignores_signs_and_lengths(pair):
    u, v = pair
    folded = min(exact_angle(u, v), exact_angle(u, -v))
    # Rows of one matrix with lengths 300 decades apart must not disturb each other.
    X = np.array([v, -v, np.ldexp(v, 40), u])
    assert np.all(np.abs(acute_angle(X, u)[:3] - folded) <= 1e-12 * folded)
    # A vector and itself: what rounding leaves of the residual, 1e-16 of 1e-16.
    assert acute_angle(X, u)[3] < 1e-30


LENGTHS = [5e-324, 1e-310, 1e-200, 1.0, 1e200, 1.7e308]


@pytest.mark.parametrize("tangent", [1e-3, 1e-100, 1e-170, 1e-300])
def test_an_angle_may_be_as_small_as_a_double(tangent):
    """v = u + 5 tan(theta) e2, and e2 is orthogonal to u, whose length is 5."""
    u, v = [3.0, 0.0, 4.0], [3.0, 5 * tangent, 4.0]
    for found in (angle(u, v), angle(v, u), *acute_angle([v, np.negative(v)], u)):
        assert found == pytest.approx(np.arctan(tangent), rel=1e-12)
    tiny = 5e-324  # the smallest double; each of the steps may be off by one of them
    assert abs(angle([1.0, 0.0], [1.0, 16 * tiny]) - 16 * tiny) <= 4 * tiny


def test_vectors_may_be_as_long_or_as_short_as_doubles():
    for first in LENGTHS:
        for second in LENGTHS:
            u, v = np.array([first, first, 0.0]), np.array([second, 0.0, 0.0])
            assert angle(u, v) == pytest.approx(np.pi / 4, rel=1e-14)
            assert angle(u, -v) == pytest.approx(3 * np.pi / 4, rel=1e-14)
            assert acute_angle([u, v], v).tolist() == pytest.approx([np.pi / 4, 0.0], abs=1e-14)


@given(st.integers(0, 10**6), st.integers(1, 6), st.integers(1, 6), st.booleans())
def test_lengths_of_rows_change_neither_the_basis_nor_the_coordinates(seed, n, d, dependent):
    rng = np.random.default_rng(seed)
    X, w = rng.standard_normal((n, d)), rng.standard_normal(d)
    if dependent:
        X = np.vstack([X, X.sum(axis=0)])
    basis, rows = orthonormal_basis(X)
    coordinates, rest = nested_coordinates(X, w)
    scaled = X * 2.0 ** rng.integers(-1000, 1000, (len(X), 1))
    other, same_rows = orthonormal_basis(scaled)
    assert rows.tolist() == same_rows.tolist()
    # Powers of two: even the rounding is the same; one BLAS may take another order of summation.
    assert np.allclose(other, basis, rtol=0, atol=1e-12)
    for factor in (2.0**-1000, 1.0, 2.0**1000):
        found, left = nested_coordinates(scaled, factor * w)
        assert np.allclose(found / factor, coordinates, rtol=0, atol=1e-12)
        assert left / factor == pytest.approx(rest, rel=0, abs=1e-12)


def test_angles_of_lines_that_cross_nowhere_are_exact():
    u = np.array([0.1, -0.7, 1e-3])
    assert angle(u, 3 * u) < 1e-16  # 3 * u is rounded: its true angle to u isn't 0
    assert angle(u, 4 * u) < 1e-30  # 4 * u is not; what is left is 1e-16 of 1e-16
    assert angle(u, -u) == np.pi
    assert angle([1, 0], [0, 5]) == np.pi / 2


def with_dependent_rows(rng, n, d):
    """n rows of R^d, of which about a third are zero, repeated or sums of earlier ones."""
    X = np.zeros((n, d))
    for i in range(n):
        kind = rng.integers(6)
        if i == 0 or kind > 1:
            X[i] = rng.standard_normal(d)
        elif kind == 1:
            X[i] = rng.integers(-2, 3, i) @ X[:i]
    return X


row_sets = st.builds(
    lambda seed, n, d: with_dependent_rows(np.random.default_rng(seed), n, d),
    seeds,
    st.integers(1, 9),
    st.integers(1, 7),
)

# The row sets above have conditions up to about 1e4, and every method loses that factor to
# rounding (1e-16): 1e-10 leaves two more digits.
ROUNDING = 1e-10


@given(row_sets)
def test_basis_is_orthonormal_and_gains_a_vector_exactly_where_the_rank_grows(X):
    basis, rows = orthonormal_basis(X)
    # Reorthogonalised: to rounding, whatever the condition.
    assert np.allclose(basis @ basis.T, np.eye(len(rows)), rtol=0, atol=1e-14 * X.shape[1])
    # matrix_rank counts singular values; the tolerance stands far from 0 and from 1e-4.
    ranks = [0] + [np.linalg.matrix_rank(X[:k], tol=1e-9) for k in range(1, len(X) + 1)]
    assert rows.tolist() == np.flatnonzero(np.diff(ranks)).tolist()
    for k in range(1, len(X) + 1):
        known = basis[rows < k]
        assert np.allclose(X[:k] @ known.T @ known, X[:k], rtol=0, atol=ROUNDING * np.abs(X).max())


@given(row_sets, seeds)
def test_nested_coordinates_agree_with_a_least_squares_solve_for_every_prefix(X, seed):
    w = np.random.default_rng(seed).standard_normal(X.shape[1])
    coordinates, rest = nested_coordinates(X, w)
    assert coordinates.shape == (len(X),)
    for k in range(1, len(X) + 1):
        projection = X[:k].T @ np.linalg.lstsq(X[:k].T, w, rcond=1e-10)[0]
        assert abs(np.linalg.norm(coordinates[:k]) - np.linalg.norm(projection)) <= ROUNDING
    assert abs(rest - np.linalg.norm(w - projection)) <= ROUNDING


@pytest.mark.parametrize("extra", [0, 1, 5])
def test_nothing_is_left_of_a_vector_once_the_rows_span_the_space(extra):
    rng = np.random.default_rng(extra)
    X = rng.standard_normal((4 + extra, 4))
    coordinates, rest = nested_coordinates(X, rng.standard_normal(4))
    assert rest == 0.0
    assert not coordinates[4:].any()
    assert nested_coordinates(np.vstack([X[:1], X]), np.ones(4))[1] == 0.0


@pytest.mark.parametrize("repeated", [False, True])
@pytest.mark.parametrize("gap", [1e-13, 1e-11, 1e-9, 1e-6])
def test_rows_are_independent_from_a_gap_of_one_in_a_trillion_on(gap, repeated):
    X = np.array([[1.0, 0.0, 0.0], [1.0, gap, 0.0]])
    if repeated:  # the second way to the basis
        X = np.vstack([X, X[:1]])
    basis, rows = orthonormal_basis(X)
    assert rows.tolist() == ([0, 1] if gap > 1e-12 else [0])
    coordinates, rest = nested_coordinates(X, [0.0, 3.0, 4.0])
    assert rest == pytest.approx(4.0 if gap > 1e-12 else 5.0, rel=1e-14)


@pytest.mark.parametrize("repeated", [False, True])
def test_the_gap_is_relative_to_the_length_of_the_row(repeated):
    """Rows of length 10, whose entries are 1: one trillionth of it is 1e-11."""
    for gap, independent in ((4e-12, False), (3e-11, True)):
        X = np.ones((2 + repeated, 100))
        X[1, 0] += gap
        assert orthonormal_basis(X)[1].tolist() == [0, 1][: 1 + independent]


@pytest.mark.parametrize("gap", [1e-4, 1e-7, 1e-10])
def test_the_basis_of_nearly_dependent_rows_is_orthonormal_to_rounding(gap):
    """Rows (1, gap e_i), and a zero row, which sends them through the loop (Laeuchli 1961).

    Orthogonalised once, they would be at angles whose cosines are up to a half.
    """
    X = np.vstack([np.column_stack([np.ones(6), gap * np.eye(6)]), np.zeros((1, 7))])
    basis, rows = orthonormal_basis(X)
    assert rows.tolist() == list(range(6))
    assert np.allclose(basis @ basis.T, np.eye(6), rtol=0, atol=1e-14)


def test_a_repeated_direction_invents_nothing_and_spoils_nothing():
    """The span of [x, 2x, z], where two natural short cuts are wrong."""
    x, z, w = np.array([1.0, 0, 0]), np.array([1.0, 1, 1]), np.array([1.0, 2, 0])
    X = np.array([x, 2 * x, z])
    # span {e1, e2 + e3}: the projection of w is (1, 1, 1).
    basis, rows = orthonormal_basis(X)
    assert rows.tolist() == [0, 2]
    assert np.allclose(basis.T @ basis @ w, [1, 1, 1], rtol=0, atol=1e-14)  # rounding
    coordinates, rest = nested_coordinates(X, w)
    assert np.allclose(np.abs(coordinates), [1, 0, np.sqrt(2)], rtol=0, atol=1e-14)
    assert np.isclose(rest, np.sqrt(2), rtol=0, atol=1e-14)

    # An unpivoted QR invents e2 for 2x; dropping it afterwards leaves e3 for z.
    Q, R = np.linalg.qr(X.T)
    invented, dropped = Q.T @ w, Q[:, np.abs(np.diag(R)) > 1e-12].T @ w
    assert np.isclose(np.linalg.norm(invented), np.sqrt(5), rtol=0, atol=1e-14)
    assert np.isclose(np.linalg.norm(dropped), 1.0, rtol=0, atol=1e-14)


@pytest.mark.parametrize("size", LENGTHS)
def test_the_shortest_and_the_longest_rows_have_a_basis(size):
    X = np.array([[size, 0.0, 0.0], [size, size, 0.0], [0.0, size, 0.0]])
    basis, rows = orthonormal_basis(X)
    assert rows.tolist() == [0, 1]
    assert np.allclose(np.abs(basis), [[1, 0, 0], [0, 1, 0]], rtol=0, atol=1e-15)
    for w in LENGTHS:
        for some in (X, X[:2]):
            coordinates, rest = nested_coordinates(some, [w, 0.0, w])
            assert np.abs(coordinates[:2] / w).tolist() == pytest.approx([1.0, 0.0], abs=1e-15)
            assert rest == pytest.approx(w, rel=1e-15)


@pytest.mark.parametrize("power", [-1074, -1023, -1000, -1, 0, 1, 999, 1000, 1023])
def test_the_power_of_two_and_its_inverse_are_doubles_with_all_their_digits(power):
    """Between 2^-1000 and 2^1000: none of them is subnormal, which some processors flush to 0."""
    vectors = np.array([[2.0**power, 0.0], [1.9 * 2.0**power, -(2.0**power)], [0.0, 0.0]])
    scales = power_of_two(vectors)
    assert scales.shape == (3, 1)
    assert np.all((scales >= 2.0**-1000) & (scales <= 2.0**1000))
    assert np.all(np.frexp(scales)[0] == 0.5)
    largest = np.abs(vectors * scales).max(axis=1)
    assert largest[2] == 0.0
    if abs(power) <= 1000:
        assert np.all((largest[:2] >= 1.0) & (largest[:2] < 2.0))
    else:  # near to it: 2^74 is left of the least double, 2^-1074, and 2^23 of 2^1023
        assert np.all((largest[:2] >= 2.0**-75) & (largest[:2] <= 2.0**24))


@pytest.mark.parametrize("size", LENGTHS)
def test_the_length_of_any_vector(size):
    # One unit in the last place: a machine's square root, or its square, may be off by that.
    assert length(np.array([0.0, -size])) == pytest.approx(size, rel=2.3e-16)
    long, zero = length(np.array([[size, 0.0], [0.0, 0.0]]))
    assert long == pytest.approx(size, rel=2.3e-16)
    assert zero == 0
    if 1e-300 < size < 1e300:
        assert length(size * np.array([3.0, 4.0])) == pytest.approx(5 * size, rel=1e-15)


def test_zero_rows_bring_nothing():
    basis, rows = orthonormal_basis(np.zeros((3, 2)))
    assert basis.shape == (0, 2)
    assert rows.size == 0
    coordinates, rest = nested_coordinates(np.zeros((3, 2)), [3.0, 4.0])
    assert not coordinates.any()
    assert rest == 5.0


@pytest.mark.parametrize("function", [orthonormal_basis, lambda X: nested_coordinates(X, [1.0])])
@pytest.mark.parametrize("bad", [3.0, [1.0, 2.0], np.ones((0, 3)), [[math.nan]], "abc"])
def test_rows_that_are_none_are_refused(function, bad):
    with pytest.raises(ValueError, match="^X must "):
        function(bad)


def test_a_vector_of_another_dimension_has_no_coordinates():
    with pytest.raises(ValueError, match="^w must be finite"):
        nested_coordinates(np.ones((2, 3)), [1.0, math.nan, 1.0])
    with pytest.raises(ValueError, match="must have shape") as error:
        nested_coordinates(np.ones((2, 3)), np.ones(4))
    assert str(error.value) == "w must have shape (3,) to match X of shape (2, 3); got shape (4,)"
