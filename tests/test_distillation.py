"""distillation: what the teacher says, and what the student minimises."""

import math
from decimal import Decimal, localcontext

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from scipy.special import expit

from distill_lib import (
    distillation_gradient,
    distillation_loss,
    hard_labels,
    smoothness,
    soft_labels,
)
from distill_lib._logistic import _phi, _psi, bernoulli_divergence, logits


def digits(label, logit):
    """Enough to hold 1 - y and 1 + e^-|u|, of small labels and large logits, and then some.

    Down to 1e-312 or so, see below; the logarithms take most of the time of these tests.
    """
    small = max(-math.log10(min(label, 1 - label) or 1.0), abs(logit) / math.log(10))
    return 100 + round(min(small, 320.0))


def log_sigmoid(u):
    return -(1 + (-u).exp()).ln()


def exact_divergence(y, u):
    """KL(Ber(y) || Ber(sigma(u))) of two Decimals, by the definition."""
    divergence = Decimal(0)
    if y > 0:
        divergence += y * (y.ln() - log_sigmoid(u))
    if y < 1:
        divergence += (1 - y) * ((1 - y).ln() - log_sigmoid(-u))
    return divergence


def exact_loss(w, X, labels):
    logits = [sum((a * b for a, b in zip(row, w, strict=True)), Decimal(0)) for row in X]
    return sum(map(exact_divergence, labels, logits)) / len(X)


def decimals(array):
    return np.vectorize(lambda entry: Decimal(float(entry)), otypes=[object])(array)


def assert_loss_is_exact(label, logit, units=2):
    """One input x = (1): the loss is the divergence of this label from this logit."""
    loss = distillation_loss([1.0], [[logit]], [label])
    with localcontext(prec=digits(label, logit)):
        y, u = Decimal(float(label)), Decimal(float(logit))
        exact = exact_divergence(y, u)
        error = float(abs(Decimal(loss) - exact))
        # A label is a rounded number: some units in its last place change the divergence by this
        # (its derivative in y is logit(y) - u). Close to the label it is more than 1e-12.
        slope = abs(y.ln() - (1 - y).ln() - u) if 0 < y < 1 else Decimal(0)
        bound = max(float(exact) * 1e-12, float(slope) * units * np.spacing(float(label)))
    # Below 1e-300 doubles run out of digits (the smallest is 5e-324), and no one can tell such
    # a loss from 0.
    assert error <= bound + 1e-312, (label, logit, loss, float(exact))


some_logits = st.floats(-1e3, 1e3)
any_labels = (
    st.floats(0.0, 1.0)
    # Close to 0, to 1 and to 1/2: at every distance, from 1e-320 on.
    | st.floats(-320.0, 0.0).map(lambda power: 10.0**power)
    | st.floats(-16.0, 0.0).map(lambda power: 1.0 - 10.0**power)
    | st.floats(-16.0, -0.4).map(lambda power: 0.5 + 10.0**power)
    | st.floats(-16.0, -0.4).map(lambda power: 0.5 - 10.0**power)
    | st.sampled_from([0.0, 5e-324, 0.5, 1.0 - 2**-53, 1.0])
)


@given(any_labels, some_logits)
@example(0.0, 1e3)
@example(1.0, 1e3)
@example(1.0, -1e3)
@example(1.0 - 2**-53, -1e3)
@example(5e-324, 1e3)
def test_loss_has_twelve_digits_for_all_labels_and_logits_up_to_a_thousand(label, logit):
    if expit(logit) == label and 0.0 < label < 1.0:
        assert distillation_loss([1.0], [[logit]], [label]) == 0.0
    else:
        assert_loss_is_exact(label, logit)


@pytest.mark.parametrize("label_logit", [-700, -40, -5, -1.5, -0.5, 0, 0.9, 1.1, 3, 8, 30])
def test_the_forms_of_the_loss_meet_without_a_seam(label_logit):
    """The close and the far one at a difference of 1/2, and the far one and the logarithms."""
    label = float(expit(label_logit))
    for gap in (*np.linspace(0.03, 2.0, 67), 5.0, 50.0, 500.0, 699.0, 701.0, 705.0, 720.0):
        for logit in (label_logit - gap, label_logit + gap):
            assert_loss_is_exact(label, logit)


@pytest.mark.parametrize(
    "x", [-1.9, -0.99, -0.3, -0.1, -1e-3, -1e-9, 1e-12, 1e-3, 0.1, 0.3, 0.64, 0.99, 1.9]
)
def test_the_two_functions_without_cancellation(x):
    with localcontext(prec=60):
        exact = Decimal(x).exp() - 1 - Decimal(x)
        assert _phi(np.float64(x)) == pytest.approx(float(exact), rel=1e-14, abs=0)  # rounding
        if -0.4 <= x <= 0.65:
            exact = Decimal(x) - (1 + Decimal(x)).ln()
            assert _psi(np.float64(x)) == pytest.approx(float(exact), rel=1e-14, abs=0)


@given(
    st.floats(-700.0, 36.0),
    st.floats(-15.0, 1.0).map(lambda power: 10.0**power),
    st.sampled_from([-1, 1]),
)
def test_loss_is_as_exact_as_its_label_however_close_the_student_is(logit, gap, side):
    """All but the zero of a student whose probability is the label, digit for digit."""
    label, logit = float(expit(logit)), logit + side * gap
    if expit(logit) == label:
        assert distillation_loss([1.0], [[logit]], [label]) == 0.0
    else:
        assert_loss_is_exact(label, logit)


@pytest.mark.parametrize("label_logit", [-680, -200, -36.7, -8, -5, 5, 15, 30])
def test_loss_is_as_exact_as_a_label_whose_logit_is_no_double(label_logit):
    """The labels above are those of doubles, whose logits round to them: a difference is exact.

    Of any other label the logit is rounded, which spoils the difference of two large ones: by
    200 units where it is -600, and by 4 at -8.
    """
    rng = np.random.default_rng(5)
    for power in np.linspace(-12.0, -1.5, 25):
        label = float(expit(label_logit)) * (1 - 1e-10 * rng.random())
        logit = math.log(label) - math.log1p(-label) + rng.choice([-1, 1]) * 10.0**power
        if expit(logit) != label:
            # The student's probability has two to three roundings: a unit and a half of its own
            # last place, which may be twice that of the label. 2.2 were measured.
            assert_loss_is_exact(label, logit, units=3)


@given(
    st.floats(-15.0, -0.7).map(lambda power: 10.0**power),
    st.floats(-16.0, -0.4).map(lambda power: 10.0**power),
    st.sampled_from([-1, 1]),
    st.sampled_from([-1, 1]),
)
def test_near_one_half_the_loss_is_as_exact_as_the_labels_logit(off, gap, side, direction):
    """There a logit has far more digits than its label has: it is 4 (y - 1/2) or so."""
    label = 0.5 + side * off
    label_logit = 2 * math.atanh(2 * label - 1)
    logit = label_logit + direction * gap
    if expit(logit) == label:
        return  # 0, as above
    loss = distillation_loss([1.0], [[logit]], [label])
    with localcontext(prec=digits(label, logit)):
        exact = exact_divergence(Decimal(label), Decimal(logit))
        error = float(abs(Decimal(loss) - exact))
    # The derivative of the loss is at most a quarter of the difference of the logits; each of them
    # is rounded a few times.
    rounding = 5e-16 * (abs(label_logit) + abs(logit))
    assert error <= float(exact) * 1e-12 + rounding * abs(logit - label_logit)


@given(any_labels, st.floats(-1e300, 1e300))
def test_loss_is_finite_and_not_negative_for_every_finite_logit(label, logit):
    assert 0.0 <= distillation_loss([1.0], [[logit]], [label]) < math.inf


@given(st.integers(0, 10**6), st.integers(1, 8), st.integers(1, 8), st.floats(1e-6, 36.0))
def test_loss_is_exactly_zero_at_the_teacher_and_so_is_the_gradient(seed, n, d, largest):
    """For logits up to 36; beyond 37 a label is 1 and no finite student reaches it."""
    rng = np.random.default_rng(seed)
    X, w = rng.standard_normal((n, d)), rng.standard_normal(d)
    w *= largest / np.abs(X @ w).max()
    labels = soft_labels(X, w)
    assert distillation_loss(w, X, labels) == 0.0
    assert not distillation_gradient(w, X, labels).any()


@given(some_logits)
def test_hard_labels_make_it_the_logistic_loss(logit):
    with localcontext(prec=digits(1.0, logit)):
        exact = {1.0: -log_sigmoid(Decimal(logit)), 0.0: -log_sigmoid(Decimal(-logit))}
    for label, loss in exact.items():
        # 1e-13: softplus is within a few roundings of the truth.
        assert distillation_loss([1.0], [[logit]], [label]) == pytest.approx(
            float(loss), rel=1e-13, abs=5e-324
        )


@given(st.integers(0, 10**6), st.integers(1, 4), st.integers(1, 3), st.sampled_from([0.1, 1, 10]))
def test_loss_is_the_mean_divergence_and_the_gradient_its_derivative(seed, n, d, scale):
    """Central differences of the exact loss.

    In 80 digits and with a step of 1e-25, their error is 1e-50: what remains is the rounding
    of the library, 1e-16 of each of a few terms of the size of X.
    """
    rng = np.random.default_rng(seed)
    X, w = rng.standard_normal((n, d)), scale * rng.standard_normal(d)
    labels = rng.choice([0.0, 1.0, 0.5, rng.random()], n)
    with localcontext(prec=80):
        step = Decimal("1e-25")
        X10, w10, labels10 = decimals(X), decimals(w), decimals(labels)
        loss = float(exact_loss(w10, X10, labels10))
        gradient = []
        for e in decimals(np.eye(d)) * step:
            up, down = exact_loss(w10 + e, X10, labels10), exact_loss(w10 - e, X10, labels10)
            gradient.append(float((up - down) / (2 * step)))
    # The logits, here up to 50, are themselves rounded: 50 times 1e-16.
    assert distillation_loss(w, X, labels) == pytest.approx(loss, rel=1e-12, abs=1e-13)
    assert np.allclose(distillation_gradient(w, X, labels), gradient, rtol=0, atol=1e-13)


@given(st.integers(0, 10**6), st.integers(1, 8), st.integers(1, 8), st.floats(1e-3, 1e2))
def test_smoothness_bounds_the_change_of_the_gradient(seed, n, d, distance):
    rng = np.random.default_rng(seed)
    X, v, w = rng.standard_normal((n, d)), rng.standard_normal(d), rng.standard_normal(d)
    labels = rng.random(n)
    v = w + distance * v / np.linalg.norm(v)
    change = distillation_gradient(v, X, labels) - distillation_gradient(w, X, labels)
    # 1e-9: the change is a difference of gradients of size 1 over a distance of 1e-3 or more.
    assert np.linalg.norm(change) <= smoothness(X) * np.linalg.norm(v - w) * (1 + 1e-9)


@given(st.integers(0, 10**6), st.integers(1, 8), st.integers(1, 8))
def test_smoothness_is_attained_at_zero(seed, n, d):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, d))
    eigenvalues, directions = np.linalg.eigh(X.T @ X)
    v = 1e-3 * directions[:, -1]
    change = distillation_gradient(v, X, np.full(n, 0.5))
    # sigma' falls from 1/4 by u^2/16: with logits below 1e-2, by less than 1e-5 of itself.
    assert np.linalg.norm(change) >= smoothness(X) * 1e-3 * (1 - 1e-4)


def test_smoothness_of_a_matrix_that_can_be_worked_out_by_hand():
    # Rounding of a singular value.
    assert smoothness([[3.0, 0.0], [0.0, 4.0]]) == pytest.approx(16 / 8, rel=1e-14)


@given(some_logits, st.floats(1e-2, 1e2))
def test_soft_labels_are_the_logistic_function_of_the_cooled_logit(logit, temperature):
    with localcontext(prec=digits(1.0, logit / temperature)):
        exact = float(log_sigmoid(Decimal(logit / temperature)).exp())
    # A few roundings; the logistic function's own, near its tail.
    label = soft_labels([[logit]], [1.0], temperature=temperature)[0]
    assert label == pytest.approx(exact, rel=1e-14, abs=1e-320)


@pytest.mark.parametrize("size", [5e-324, 1e-200, 1.0, 1e200, 1.7e308])
def test_labels_of_the_longest_and_the_shortest_vectors(size):
    X = np.array([[-1.0, 1.0], [1.0, -1.0], [0.0, 1.0]])
    for rows, w in ((size * X, [size, 0.0]), (X, [size, 0.0]), (size * X[:, :1], [size])):
        assert hard_labels(rows, w).tolist() == [0.0, 1.0, 1.0]
        expected = {True: [0.5, 0.5, 0.5], False: [0.0, 1.0, 0.5]}[size < 1]
        if size != 1.0:
            assert soft_labels(rows, w).tolist() == pytest.approx(expected, abs=1e-150)


def test_a_sum_of_terms_that_underflow_keeps_its_sign():
    """Three products of -2.4e-324, which round to 0, and one of 4.9e-324, which doesn't."""
    w = np.array([2.4e-162, 2.4e-162, 2.4e-162, 4.9e-162])
    X = 1e-162 * np.array([[-1.0, -1.0, -1.0, 1.0], [1.0, 1.0, 1.0, -1.0]])
    assert logits(X, w).tolist() == [-5e-324, 5e-324]


def test_logits_beyond_the_doubles_are_infinite_and_never_lose_their_sign():
    X = np.array([[1e200, 1e200], [-1e200, -1e200], [1e-200, 0.0], [-1e-200, 0.0], [0.0, 0.0]])
    assert logits(X, np.array([1e200, 1e200])).tolist() == [math.inf, -math.inf, 1, -1, 0]
    assert logits(X, np.array([1e-200, 0.0])).tolist() == [1, -1, 5e-324, -5e-324, 0]


def test_infinite_terms_of_a_logit_cancel_as_they_should():
    """Powers of two, whose products are exact: a fused multiply and add would show a rounding."""
    X = 2.0**700 * np.array([[1.0, -1.0], [2.0, -1.0], [1.0, -2.0]])
    assert logits(X, np.array([2.0**700, 2.0**700])).tolist() == [0.0, math.inf, -math.inf]


def test_no_setting_of_numpy_makes_an_error_of_what_rounds_to_zero_or_infinity():
    X = np.array([[1e200, -2e200], [1e-200, 0.0], [0.0, 0.0]])
    labels = np.array([0.0, 5e-324, 1.0, 1e-310, 0.3, 1 - 1e-16])
    with np.errstate(all="raise"):
        logits(X, np.array([1e200, 1e200]))
        logits(X, np.array([1e-200, 1e-200]))
        # Of many terms a processor sums some apart: infinities of either sign, which then meet.
        logits(1e200 * np.resize([1.0, -1.0], (3, 64)), np.full(64, 1e200))
        for logit in (-1e300, -800.0, -1.0, 0.0, 40.0, 800.0, 1e300):
            bernoulli_divergence(labels, np.full(6, logit))


def test_hard_labels_say_class_one_on_the_boundary():
    X = np.array([[1.0, 0.0], [-1.0, 0.0], [0.0, 5.0]])
    assert hard_labels(X, [2.0, 0.0]).tolist() == [1.0, 0.0, 1.0]
