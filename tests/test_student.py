"""student: where training ends."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from distill_lib import (
    closed_form_student,
    distillation_loss,
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
    scales = 10.0 ** rng.uniform(-8, 8, len(X)) * rng.choice([-1, 1], len(X))
    # A rotation with lengths in [1/2, 2]: its condition is at most 4.
    rotation, _ = np.linalg.qr(rng.standard_normal((len(X), len(X))))
    mixing = rotation * rng.uniform(0.5, 2, len(X))
    student = closed_form_student(X, w)
    for same_span in (scales[:, None] * X, mixing @ X, X[::-1]):
        assert np.allclose(closed_form_student(same_span, w), student, rtol=0, atol=ROUNDING)


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


@pytest.mark.parametrize("tangent", [1e-3, 1e-9, 1e-14])
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
