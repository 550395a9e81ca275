"""student: where training ends."""

import numpy as np
import pytest
from conftest import needed
from hypothesis import given
from hypothesis import strategies as st
from scipy import optimize

from distill_lib import (
    angle,
    closed_form_student,
    distillation_loss,
    hard_labels,
    max_margin_student,
    nested_angles,
    nested_students,
    soft_labels,
)

# Condition of the random row sets below (up to about 1e4) times the rounding 1e-16, with two
# digits to spare. Rows are normal, so entries and teachers are of size 1.
ROUNDING = 1e-10


@st.composite
def problems(draw):
    """Inputs, some of them zero, repeated or sums of earlier ones, and a teacher."""
    rng = np.random.default_rng(draw(st.integers(0, 10**6)))
    n, d = draw(st.integers(1, 9)), draw(st.integers(1, 7))
    X = rng.standard_normal((n, d))
    if draw(st.booleans()):
        for i in rng.integers(1, n, size=2) if n > 1 else []:
            X[i] = rng.integers(-2, 3, i) @ X[:i]
    return X, rng.standard_normal(d)


def projection(X, w):
    """X^+ X w: the projector onto the row space, from the singular values."""
    return np.linalg.pinv(X, rcond=1e-10) @ X @ w


def projection_by_least_squares(X, w):
    return X.T @ np.linalg.lstsq(X.T, w, rcond=1e-10)[0]


@given(problems())
def test_the_student_is_the_teachers_projection_onto_the_span(problem):
    X, w = problem
    assert np.allclose(closed_form_student(X, w), projection(X, w), rtol=0, atol=ROUNDING)


@given(problems())
def test_nested_students_are_the_students_of_the_prefixes(problem):
    X, w = problem
    students = nested_students(X, w)
    for k in range(1, len(X) + 1):
        expected = projection_by_least_squares(X[:k], w)
        assert np.allclose(students[k - 1], expected, rtol=0, atol=ROUNDING)


@given(problems())
def test_nested_angles_are_the_angles_of_the_prefixes_and_never_increase(problem):
    X, w = problem
    angles = nested_angles(X, w)
    for k in range(1, len(X) + 1):
        student = projection_by_least_squares(X[:k], w)
        # The student is a projection: adjacent over hypotenuse, opposite over adjacent.
        expected = np.arctan2(np.linalg.norm(w - student), np.linalg.norm(student))
        assert abs(angles[k - 1] - expected) <= ROUNDING * (1 + 1 / np.linalg.norm(w))
    assert np.all(np.diff(angles) <= 0)
    assert np.all((angles >= 0) & (angles <= np.pi / 2))


@given(problems(), st.integers(0, 10**6))
def test_only_the_span_matters(problem, seed):
    """Fact 2: rescaled inputs, or inputs mixed by an invertible matrix, teach the same."""
    X, w = problem
    rng = np.random.default_rng(seed)
    scales = 10.0 ** rng.uniform(-300, 300, len(X)) * rng.choice([-1, 1], len(X))
    # A rotation with lengths in [1/2, 2]: its condition is at most 4.
    rotation, _ = np.linalg.qr(rng.standard_normal((len(X), len(X))))
    mixing = rotation * rng.uniform(0.5, 2, len(X))
    student = closed_form_student(X, w)
    for same_span in (scales[:, None] * X, mixing @ X, X[::-1]):
        assert np.allclose(closed_form_student(same_span, w), student, rtol=0, atol=ROUNDING)


@given(problems(), st.integers(-1000, 1000))
def test_the_teachers_length_is_the_students(problem, power):
    """A product with a power of two is exact."""
    X, w = problem
    factor = 2.0**power
    student = closed_form_student(X, factor * w) / factor
    assert np.allclose(student, closed_form_student(X, w), rtol=0, atol=ROUNDING)
    students = nested_students(X, factor * w) / factor
    assert np.allclose(students, nested_students(X, w), rtol=0, atol=ROUNDING)
    assert np.allclose(nested_angles(X, factor * w), nested_angles(X, w), rtol=0, atol=ROUNDING)


def test_students_of_the_longest_and_the_shortest_vectors():
    for size in (5e-324, 1e-200, 1e155, 1.7e308):
        assert closed_form_student([[size, 0.0]], [1.0, 2.0]).tolist() == [1.0, 0.0]
        assert closed_form_student([[1.0, 0.0]], [size, size]).tolist() == [size, 0.0]
        for X, w in (([[size, size]], [1.0, 0.0]), ([[1.0, 1.0]], [size, 0.0])):
            assert nested_angles(X, w) == pytest.approx([np.pi / 4], rel=1e-14)
            half = max(w) / 2 if max(w) > 5e-324 else 0.0  # to even
            assert nested_students(X, w)[0] == pytest.approx([half, half], rel=1e-14)
            assert closed_form_student(X, w) == pytest.approx([half, half], rel=1e-14)


@pytest.mark.parametrize("size", [5e-324, 1e-310, 1e300, 1.7e308])
def test_a_teacher_whose_length_is_beyond_the_doubles_has_students(size):
    """A hundred entries of this size: ten times as long. A product with a tenth of 5e-324 is 0."""
    w, along = np.full(100, size), np.ones((1, 100))
    quarter = np.repeat([[1.0, 0.0]], [25, 75], axis=1)
    for X, student in ((along, w), (quarter, w * quarter[0])):
        # Rounding: none is left of the least double, and 1e-14 of itself of any other.
        tolerance = max(1e-14 * size, 5e-324)
        assert np.abs(closed_form_student(X, w) - student).max() < tolerance
        assert np.abs(nested_students(X, w)[0] - student).max() < tolerance
    assert nested_angles(along, w) == pytest.approx([0.0], abs=1e-14)
    assert nested_angles(quarter, w) == pytest.approx([np.pi / 3], rel=1e-14)


@pytest.mark.parametrize("d", [1, 2, 7])
def test_the_student_becomes_the_teacher_exactly_at_n_equal_to_d(d):
    rng = np.random.default_rng(d)
    X, w = rng.standard_normal((d + 3, d)), rng.standard_normal(d)
    students, angles = nested_students(X, w), nested_angles(X, w)
    for n in range(1, d + 4):
        for student in (students[n - 1], closed_form_student(X[:n], w)):
            assert np.array_equal(student, w) == (n >= d)
        assert (angles[n - 1] == 0.0) == (n >= d)


def test_repeated_inputs_never_make_a_teacher():
    X = np.tile([[1.0, 2.0, 3.0], [0.0, 1.0, 1.0]], (4, 1))
    assert not np.array_equal(nested_students(X, [1.0, 0, 0])[-1], [1.0, 0, 0])
    assert nested_angles(X, [1.0, 0, 0])[-1] > 0.1


def test_the_student_of_inputs_that_say_nothing_is_zero():
    X = np.array([[0.0, 0, 0], [0, 1, 0], [0, 0, 1]])
    teacher = [2.0, 0, 0]
    assert not closed_form_student(X, teacher).any()
    assert not nested_students(X, teacher).any()
    assert (nested_angles(X, teacher) == np.pi / 2).all()


@pytest.mark.parametrize("tangent", [1e-3, 1e-9, 1e-14, 1e-170, 1e-300])
def test_a_tiny_angle_keeps_its_digits(tangent):
    """One minus the cosine squared would round to 0 below 1e-8."""
    X, w = np.array([[1.0, tangent, 0], [0, 0, 1]]), np.array([1.0, 0, 0])
    # A dozen roundings.
    assert np.allclose(nested_angles(X, w), np.arctan(tangent), rtol=1e-14, atol=0)


def test_reference_figures():
    """Reference values, whose inputs are columns; half a unit of the last printed digit."""
    rng = np.random.default_rng(0)
    w = rng.standard_normal(5)
    X = rng.standard_normal((5, 3)).T
    angles = nested_angles(X, w)
    assert np.isclose(angles[-1], 0.7630858805, rtol=0, atol=5e-11)
    assert np.allclose(np.cos(angles) ** 2, [0.0245318, 0.5024748, 0.5223049], rtol=0, atol=5e-8)
    loss_of_zero = distillation_loss(np.zeros(5), X, soft_labels(X, w))
    assert np.isclose(loss_of_zero, 0.0834033360, rtol=0, atol=5e-11)


def test_the_result_is_an_array_of_its_own():
    X, w = np.eye(2), np.array([1.0, 2.0])
    for result in (closed_form_student(X, w), nested_students(X, w), nested_students(X[:1], w)):
        result[:] = 7
    assert w.tolist() == [1.0, 2.0]
    assert X.tolist() == [[1.0, 0.0], [0.0, 1.0]]


# --------------------------------------------------------------------------- the max-margin student


@st.composite
def separable(draw):
    """Inputs, at times repeated, dependent or of very different lengths, and hard labels."""
    rng = np.random.default_rng(draw(st.integers(0, 10**6)))
    n, d = draw(st.integers(1, 30)), draw(st.integers(1, 7))
    X = rng.standard_normal((n, d))
    if draw(st.booleans()):
        X = rng.integers(-2, 3, (n, d)).astype(float)  # many ties
        X[~X.any(axis=1)] = 1.0
    if draw(st.booleans()):
        X = np.vstack([X, X[rng.integers(0, n, 3)], 0.5 * X[:1], X[:1] + X[-1:]])
        X = X[X.any(axis=1)]
    if draw(st.booleans()):
        X *= 10.0 ** rng.uniform(-2, 2, (len(X), 1))
    return X, hard_labels(X, rng.standard_normal(d))


def signed(X, hard):
    """The inputs s_i x_i, all of which a separator has on its positive side."""
    return np.where(np.asarray(hard) == 1, 1, -1)[:, None] * np.asarray(X)


@given(separable())
def test_max_margin_satisfies_the_conditions_that_single_out_the_optimum(problem):
    """Feasible, and a nonnegative combination of the inputs on the margin (KKT): sufficient.

    Bounded least squares (BVLS) finds the combination; the library uses something else.
    """
    X, hard = problem
    Z, w = signed(X, hard), max_margin_student(X, hard)
    # Rounding, 1e-16, times |w| |x|: up to 1e7 here, where lengths differ by up to 1e4 and little
    # room may be left between 30 inputs; a digit to spare.
    margins = Z @ w
    assert margins.min() == pytest.approx(1, abs=1e-8)
    support = Z[margins < 1 + 1e-8]
    fit = optimize.lsq_linear(support.T, w, bounds=(0, np.inf), method="bvls", tol=1e-14)
    # The coefficients of what is on the margin lose the same digits again to its condition.
    assert np.linalg.norm(fit.fun) <= 1e-8 * np.linalg.norm(w)


@pytest.mark.parametrize("seed", range(5))
def test_max_margin_is_what_a_general_solver_finds(seed):
    """Sequential quadratic programming, from the teacher: right to about 1e-7 of |w|^2."""
    rng = np.random.default_rng(seed)
    X, teacher = rng.standard_normal((12, 4)), rng.standard_normal(4)
    hard = hard_labels(X, teacher)
    Z = signed(X, hard)
    found = optimize.minimize(
        lambda w: w @ w,
        teacher / (Z @ teacher).min(),
        jac=lambda w: 2 * w,
        method="SLSQP",
        constraints={"type": "ineq", "fun": lambda w: Z @ w - 1, "jac": lambda w: Z},
        options={"ftol": 1e-14, "maxiter": 500},
    )
    w = max_margin_student(X, hard)
    assert w @ w == pytest.approx(found.fun, rel=1e-7)
    # The square is flat at its least value: half of the digits.
    assert np.allclose(w, found.x, rtol=0, atol=1e-6 * np.linalg.norm(w))


@pytest.mark.parametrize("seed", range(5))
def test_max_margin_in_the_plane_is_the_best_of_all_directions(seed):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((6, 2))
    hard = hard_labels(X, rng.standard_normal(2))
    turns = np.linspace(0, 2 * np.pi, 100_001)
    margins = signed(X, hard) @ np.array([np.cos(turns), np.sin(turns)])
    w = max_margin_student(X, hard)
    # Between two directions of the grid a margin changes by at most half a step times |x|.
    step = np.pi / 1e5 * np.linalg.norm(X, axis=1).max()
    assert margins.min(axis=0).max() == pytest.approx(1 / np.linalg.norm(w), abs=step)


def test_max_margin_is_what_support_vector_machines_find():
    """LinearSVC without an intercept; SVC, whose intercept is 0 on inputs and their mirror images.

    At a large C no input gives way.
    """
    svm = needed("sklearn.svm", "run `pip install -r requirements.txt`")
    rng = np.random.default_rng(0)
    for n, d in ((5, 20), (25, 20), (60, 20), (40, 3)):
        X, teacher = rng.standard_normal((n, d)), rng.standard_normal(d)
        hard = hard_labels(X, teacher)
        w = max_margin_student(X, hard)
        linear = svm.LinearSVC(
            C=1e6, loss="hinge", fit_intercept=False, tol=1e-9, max_iter=10**6, random_state=0
        ).fit(X, hard)
        mirrored = svm.SVC(kernel="linear", C=1e10, tol=1e-9).fit(
            np.vstack([X, -X]), np.append(hard, 1 - hard)
        )
        # The first stops at its tol. The second keeps about seven digits, whatever its tol.
        for found, tol in ((linear.coef_[0], 1e-8), (mirrored.coef_[0], 1e-6)):
            assert angle(found, w) < tol
            assert np.linalg.norm(found) == pytest.approx(np.linalg.norm(w), rel=10 * tol)


def test_max_margin_of_orthogonal_inputs_counts_each_by_its_length():
    """w = sum of s_i x_i / |x_i|^2: inputs count as they are, a long one for less."""
    rng = np.random.default_rng(3)
    directions, _ = np.linalg.qr(rng.standard_normal((6, 4)))
    for spread in (0, 1, 8, 150, 300):
        lengths = 10.0 ** rng.uniform(-spread, spread, 4)
        X, hard = lengths[:, None] * directions.T, np.array([1, 0, 0, 1])
        expected = np.array([1, -1, -1, 1]) / lengths @ directions.T
        # Rounding; what is long has no say, and nearly none in the error.
        assert np.allclose(max_margin_student(X, hard), expected, rtol=1e-12, atol=0)
    # So lengths matter, where the soft student knows lines alone.
    assert np.allclose(max_margin_student([[1, 0], [0, 4]], [1, 1]), [1, 0.25], rtol=1e-14)


@given(separable(), st.integers(0, 10**6))
def test_max_margin_knows_no_order_no_unit_and_no_names(problem, seed):
    X, hard = problem
    rng = np.random.default_rng(seed)
    w = max_margin_student(X, hard)
    close = dict(rtol=0, atol=1e-8 * np.linalg.norm(w))  # rounding times the condition, as above
    order = rng.permutation(len(X))
    assert np.allclose(max_margin_student(X[order], hard[order]), w, **close)
    assert np.allclose(max_margin_student(np.vstack([X, X]), np.append(hard, hard)), w, **close)
    assert np.allclose(max_margin_student(X, 1 - hard), -w, **close)
    assert np.allclose(max_margin_student(-X, 1 - hard), w, **close)
    assert np.allclose(max_margin_student(signed(X, hard), np.ones(len(X))), w, **close)
    # Powers of two, so that no rounding differs: twice as long, half the weight.
    for scale in (2.0**-990, 0.5, 2.0**990):
        assert np.array_equal(max_margin_student(scale * X, hard), w / scale)
    rotation, _ = np.linalg.qr(rng.standard_normal((X.shape[1], X.shape[1])))
    assert np.allclose(max_margin_student(X @ rotation, hard), w @ rotation, **close)


def test_max_margin_of_inputs_as_long_and_as_short_as_doubles():
    for size in (1e-300, 1e-154, 1e155, 1.7e308):
        found = max_margin_student([[size, 0.0], [0.0, -size]], [1, 0])
        assert found == pytest.approx([1 / size, 1 / size], rel=1e-14)
    # The short one decides: the long one has the margin 1 from it at once.
    assert max_margin_student([[1e-200, 1.0], [1e200, 1.0]], [1, 1]).tolist() == [0.0, 1.0]
    with pytest.raises(ValueError, match="^X must hold longer inputs"):
        max_margin_student([[1e-310, 0.0]], [1])  # 1e310 is no double


def test_max_margin_of_one_input_is_along_it():
    x = np.array([3.0, -4.0])
    # Rounding.
    assert np.allclose(max_margin_student([x], [1]), x / 25, rtol=1e-14, atol=0)
    assert np.allclose(max_margin_student([x], [0]), -x / 25, rtol=1e-14, atol=0)
    # Inputs further out on the same side change nothing.
    X = np.array([[3.0, -4.0], [9.0, -1.0], [0.0, -7.0], [6.0, -8.0]])
    assert np.allclose(max_margin_student(X, [True] * 4), x / 25, rtol=1e-14, atol=0)


@pytest.mark.parametrize("gap", [1e-2, 1e-6, 1e-10])
def test_max_margin_keeps_its_digits_where_little_room_is_left(gap):
    """Two opposite inputs, each turned by the gap towards the third axis; others further off."""
    rng = np.random.default_rng(7)
    X = np.array([[1, 0, gap, 0], [-1, 0, gap, 0], [0, 1, 1, 0], [0, -1, 3, 0], [2, 1, 1, 0]])
    rotation, _ = np.linalg.qr(rng.standard_normal((4, 4)))
    w = max_margin_student(X @ rotation, np.ones(5)) * gap
    # The rotation rounds the inputs by 1e-16, which is 1e-16 / gap of the room; a digit to spare.
    assert np.allclose(w, rotation[2], rtol=0, atol=1e-15 / gap)


@pytest.mark.parametrize("seed", range(20))
def test_max_margin_of_many_inputs_with_little_room(seed):
    """All in a half-space, close to its wall: some 1.2 steps for each row and column are needed."""
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((66, 22))
    X[:, 0] = 1e-4 * np.abs(X[:, 0])
    w = max_margin_student(X, np.ones(66))
    margins = X @ w
    # Rounding times |w| |x|, 1e5 or so: with two digits to spare.
    assert margins.min() == pytest.approx(1, abs=1e-9)
    fit = optimize.lsq_linear(X[margins < 1 + 1e-8].T, w, bounds=(0, np.inf), method="bvls")
    assert np.linalg.norm(fit.fun) <= 1e-8 * np.linalg.norm(w)


def test_max_margin_of_many_inputs():
    rng = np.random.default_rng(11)
    X, teacher = rng.standard_normal((3000, 50)), rng.standard_normal(50)
    Z = signed(X, hard_labels(X, teacher))
    margins = Z @ max_margin_student(X, hard_labels(X, teacher))
    assert margins.min() == pytest.approx(1, abs=1e-9)  # rounding, over a room of 1e-2
    # In general position at most d inputs are on the margin.
    assert 40 <= np.sum(margins < 1 + 1e-9) <= 50


@pytest.mark.parametrize(
    ("X", "hard"),
    [
        ([[1.0, 2], [-1, -2]], [1, 1]),  # all on a line, in the origin's way
        ([[1.0, 2], [2, 4]], [0, 1]),
        ([[1.0, 1], [-1, -1], [1, -1], [-1, 1]], [1, 1, 0, 0]),  # exclusive or
        ([[1.0, 0], [-0.5, 0.9], [-0.5, -0.9]], [1, 1, 1]),  # around the origin
        ([[1.0], [2.0], [3.0]], [0, 1, 1]),  # needs an intercept
        (np.random.default_rng(0).standard_normal((60, 5)), np.arange(60) % 2),
    ],
)
def test_max_margin_refuses_what_no_hyperplane_through_the_origin_separates(X, hard):
    with pytest.raises(ValueError, match="^X must be separable: .* through the origin"):
        max_margin_student(X, hard)


def test_max_margin_is_not_fooled_by_long_inputs():
    """Their margin is 1e-9 of the first one's, and no separator misses them by more than 1e-8."""
    long = 1e9 * np.array([[-1e-8, 1.0], [-1e-8, -1.0]])
    with pytest.raises(ValueError, match="separable"):
        max_margin_student(np.vstack([[1.0, 0.0], long]), np.ones(3))


def test_max_margin_takes_an_input_on_the_teachers_boundary_but_not_at_the_origin():
    """A boundary input has the label 1; another separator has it properly on its side."""
    X = np.array([[0.0, 2.0], [1.0, 0.0]])
    assert np.allclose(max_margin_student(X, hard_labels(X, [1.0, 0])), [1, 0.5], rtol=1e-14)
    both_ways = [[0.0, 2.0], [0.0, -2.0]]
    with pytest.raises(ValueError, match="separable"):
        max_margin_student(both_ways, hard_labels(both_ways, [1.0, 0]))
    with pytest.raises(ValueError, match="^X must not hold a zero row"):
        max_margin_student([[0.0, 0.0], [1.0, 0.0]], [1, 1])


def test_max_margin_refuses_soft_labels_and_names_the_cure():
    X = np.eye(2)
    with pytest.raises(ValueError, match="^hard must hold only 0 and 1, as hard_labels"):
        max_margin_student(X, soft_labels(X, [1.0, 2.0]))


def test_max_margin_gives_up_after_ten_steps_for_each_row_and_column(monkeypatch):
    """No inputs are known that would need as many: a search that only takes its limit stands in."""

    def endless(A, b, maxiter):
        raise RuntimeError(f"{maxiter} steps")

    monkeypatch.setattr(optimize, "nnls", endless)
    with pytest.raises(RuntimeError, match="^50 steps"):
        max_margin_student([[2.0, 0.0, 0.0], [0.0, 2.0, 0.0]], [1, 0])


def test_max_margin_leaves_its_arguments_alone():
    X, hard = np.array([[2.0, 0.0], [0.0, 2.0]]), np.array([1.0, 0.0])
    max_margin_student(X, hard)[:] = 7
    assert X.tolist() == [[2.0, 0.0], [0.0, 2.0]]
    assert hard.tolist() == [1.0, 0.0]
