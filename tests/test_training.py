"""training: gradient descent, step by step, and gradient flow."""

import re
import tracemalloc
from decimal import Decimal, localcontext

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import solve_ivp

from distill_lib import (
    balanced_descent,
    balanced_layers,
    closed_form_student,
    distillation_gradient,
    distillation_loss,
    end_to_end,
    gradient_descent,
    gradient_flow,
    hard_labels,
    limit_offset,
    smoothness,
    soft_labels,
)
from distill_lib._coordinates import in_span

seeds = st.integers(0, 10**6)


def problem(seed, n, d):
    """Normal inputs, soft labels of a normal teacher, a normal start."""
    rng = np.random.default_rng(seed)
    X, teacher, start = rng.standard_normal((n, d)), rng.standard_normal(d), rng.standard_normal(d)
    return X, soft_labels(X, teacher), start


def random_layers(seed, widths):
    rng = np.random.default_rng(seed)
    return tuple(
        rng.standard_normal(shape) / np.sqrt(shape[1])
        for shape in zip(widths[1:], widths[:-1], strict=True)
    )


def sigmoid(u):
    return 1 / (1 + np.exp(-u))


def plain_descent(X, labels, w, step_size, steps):
    weights = [w]
    for _ in range(steps):
        gradient = sum((sigmoid(w @ x) - y) * x for x, y in zip(X, labels, strict=True)) / len(X)
        w = w - step_size * gradient
        weights.append(w)
    return np.array(weights)


def plain_network_descent(X, labels, layers, step_size, steps):
    """Each layer's gradient is B^T g A^T: B all layers above it, A all layers below it."""
    weights = [np.linalg.multi_dot([*layers[::-1], np.eye(X.shape[1])])[0]]
    for _ in range(steps):
        g = X.T @ (sigmoid(X @ weights[-1]) - labels) / len(X)
        gradients = []
        for j in range(len(layers)):
            above, below = np.eye(1), np.eye(X.shape[1])
            for layer in layers[:j:-1]:
                above = above @ layer
            for layer in layers[:j]:
                below = layer @ below
            gradients.append(above.T @ g[None, :] @ below.T)
        layers = [W - step_size * G for W, G in zip(layers, gradients, strict=True)]
        weights.append(np.linalg.multi_dot([*layers[::-1], np.eye(X.shape[1])])[0])
    return np.array(weights), layers


@given(seeds, st.integers(1, 8), st.integers(1, 8), st.floats(0.1, 1.9))
def test_descent_from_a_vector_is_ten_lines_of_numpy(seed, n, d, fraction):
    X, labels, start = problem(seed, n, d)
    step_size = fraction / smoothness(X)
    run = gradient_descent(X, labels, start, step_size=step_size, steps=30)
    # The same sums in another order: 1e-16 a step, and a stable descent doesn't amplify it.
    plain = plain_descent(X, labels, start, step_size, 30)
    tolerance = 1e-13 * (1 + np.abs(start).max())
    assert np.allclose(run.weights, plain, rtol=0, atol=tolerance)
    assert np.array_equal(run.layers[0], run.weights[-1:])
    expected = np.array([distillation_loss(w, X, labels) for w in run.weights])
    # Logits of size 20 are sums that are rounded at 2e-14. The loss is the square of their
    # differences: near the end that rounding counts times the root of what is left.
    near_the_end = 2e-14 * np.sqrt(expected) + 2e-14**2
    assert np.all(np.abs(run.loss - expected) <= 1e-12 * expected + near_the_end)


def test_left_out_the_step_size_is_one_over_the_smoothness():
    X, labels, start = problem(0, 6, 4)
    run = gradient_descent(X, labels, start, steps=1)
    expected = start - distillation_gradient(start, X, labels) / smoothness(X)
    assert np.allclose(run.weights[1], expected, rtol=0, atol=1e-14)  # rounding


SHAPES = [(3, 1), (3, 2, 1), (2, 5, 1), (3, 1, 4, 1), (4, 3, 3, 1), (2, 3, 4, 2, 1)]


@pytest.mark.parametrize("widths", SHAPES)
def test_each_layer_moves_along_its_own_partial_derivative(widths):
    """One step against central differences of the loss in 50 digits.

    With a difference step of 1e-15 their error is 1e-30. Dividing the layers' move by the step
    size 1/64 leaves 64 times the rounding of entries of size 1.
    """
    X, labels, _ = problem(1, 3, widths[0])
    layers = random_layers(2, widths)
    run = gradient_descent(X, labels, layers, step_size=1 / 64, steps=1)

    def exact(array):
        return np.vectorize(lambda entry: Decimal(float(entry)), otypes=[object])(array)

    def loss(layers):
        """The cross-entropy: the labels' entropy doesn't depend on the layers."""
        forward = exact(X).T
        for W in layers:
            forward = W.dot(forward)
        return sum(
            (1 + u.exp()).ln() - y * u for u, y in zip(forward[0], exact(labels), strict=True)
        ) / len(X)

    with localcontext(prec=50):
        step, exact_layers = Decimal("1e-15"), [exact(W) for W in layers]
        for j, W in enumerate(exact_layers):
            derivative = np.empty(W.shape)
            for entry in np.ndindex(W.shape):
                W[entry] += step
                above = loss(exact_layers)
                W[entry] -= 2 * step
                derivative[entry] = (above - loss(exact_layers)) / (2 * step)
                W[entry] += step
            moved = (layers[j] - run.layers[j]) * 64
            assert np.allclose(moved, derivative, rtol=0, atol=1e-13)


@pytest.mark.parametrize("widths", SHAPES)
def test_descent_of_a_network_is_the_plain_loop_over_its_layers(widths):
    X, labels, _ = problem(3, 4, widths[0])
    layers = random_layers(4, widths)
    run = gradient_descent(X, labels, layers, step_size=0.1, steps=100)
    weights, last = plain_network_descent(X, labels, layers, 0.1, 100)
    # 100 steps of rounding 1e-16 on entries of size 1, with room for a factor of 100.
    assert np.allclose(run.weights, weights, rtol=0, atol=1e-12)
    assert len(run.layers) == len(layers)
    for layer, expected in zip(run.layers, last, strict=True):
        assert np.allclose(layer, expected, rtol=0, atol=1e-12)
    assert np.allclose(end_to_end(run.layers), run.weights[-1], rtol=0, atol=1e-14)  # rounding


def test_a_network_of_one_layer_is_a_vector():
    X, labels, start = problem(5, 4, 3)
    deep = gradient_descent(X, labels, (start[None, :],), steps=50)
    assert np.allclose(
        deep.weights, gradient_descent(X, labels, start, steps=50).weights, rtol=0, atol=1e-13
    )


@given(seeds, st.integers(1, 8), st.integers(1, 8), st.booleans())
@settings(max_examples=30)  # of 1,000 steps each
def test_span_coordinates_give_the_same_iterates(seed, n, d, dependent):
    """From a start outside the span, for n < d and n >= d, and for dependent inputs."""
    X, labels, start = problem(seed, n, d)
    if dependent:
        X, labels = np.vstack([X, 2 * X[:1]]), np.append(labels, 0.3)
    in_input, in_span = (
        gradient_descent(X, labels, start, steps=1000, record_every=10, coordinates=coordinates)
        for coordinates in ("input", "span")
    )
    # Rounding of 1e-16 a step, for 1,000 steps, with room for a factor of ten.
    assert np.abs(in_input.weights - in_span.weights).max() <= 1e-12


@pytest.mark.parametrize("coordinates", ["input", "span"])
@pytest.mark.parametrize(
    ("steps", "record_every", "recorded"),
    [
        (10, 1, list(range(11))),
        (10, 3, [0, 3, 6, 9, 10]),
        (10, 5, [0, 5, 10]),
        (10, 99, [0, 10]),
        (0, 1, [0]),
    ],
)
def test_the_start_every_so_many_steps_and_the_end_are_recorded(
    coordinates, steps, record_every, recorded
):
    X, labels, start = problem(6, 3, 4)
    every = gradient_descent(X, labels, start, steps=steps, coordinates=coordinates)
    run = gradient_descent(
        X, labels, start, steps=steps, record_every=record_every, coordinates=coordinates
    )
    assert run.steps.tolist() == recorded
    # Rounding of one change of basis: how many rows BLAS has at once decides in which order it
    # sums each of them. A step of this run moves a weight by 1e-2.
    assert np.allclose(run.weights, every.weights[recorded], rtol=0, atol=1e-14)
    assert np.allclose(run.loss, every.loss[recorded], rtol=0, atol=1e-14)
    assert np.allclose(run.weights[0], start, rtol=0, atol=1e-14)
    assert not run.converged


@pytest.mark.parametrize("deep", [False, True])
def test_descent_stops_at_the_first_step_whose_gradient_is_within_tol(deep):
    X, labels, start = problem(7, 3, 4)
    if deep:
        start = random_layers(8, (4, 2, 1))
    step_size, tol = 0.2, 1e-3
    run = gradient_descent(
        X, labels, start, step_size=step_size, steps=100_000, tol=tol, record_every=7
    )
    assert run.converged
    end = int(run.steps[-1])
    assert run.steps.tolist() == sorted({*range(0, end, 7), end})
    # The gradient of all layers together is the move of one step over the step size.
    norms = []
    for steps in (end - 1, end):
        here, next_ = (
            gradient_descent(X, labels, start, step_size=step_size, steps=k).layers
            for k in (steps, steps + 1)
        )
        moved = sum(np.sum((a - b) ** 2) for a, b in zip(here, next_, strict=True))
        norms.append(np.sqrt(moved) / step_size)
    assert norms[1] <= tol < norms[0]


def test_a_run_that_ends_too_early_has_not_converged():
    X, labels, start = problem(7, 3, 4)
    assert not gradient_descent(X, labels, start, steps=3, tol=1e-3).converged


def test_from_the_teacher_there_is_nowhere_to_go():
    X, w = np.array([[1.0, 2.0], [0.0, 1.0]]), np.array([0.5, -1.0])
    run = gradient_descent(X, soft_labels(X, w), w, steps=10)
    assert run.converged
    assert not run.loss.any()
    assert (run.weights == w).all()


def test_without_a_tolerance_every_step_is_taken():
    """Also where the gradient is 0 to the last digit: the number of records is steps + 1."""
    X, w = np.array([[1.0, 2.0], [0.0, 1.0]]), np.array([0.5, -1.0])
    assert len(gradient_descent(X, soft_labels(X, w), w, steps=10).weights) == 11
    assert len(gradient_descent(X, soft_labels(X, w), w, steps=10, tol=1e-300).weights) == 1


@pytest.mark.parametrize("kind", ["input", "span", "layers"])
def test_memory_does_not_grow_with_the_steps(kind):
    X, labels, start = problem(9, 20, 50)
    options = {"coordinates": kind}
    if kind == "layers":
        start, options = random_layers(9, (50, 10, 1)), {}

    def peak(steps):
        tracemalloc.start()
        gradient_descent(
            X, labels, start, step_size=0.01, steps=steps, record_every=steps, **options
        )
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return peak

    peak(10)  # what the first call imports and caches
    # One float a step would be 40 kB; 1 kB is room for the interpreter's own small change.
    assert peak(5000) <= peak(10) + 1000


@pytest.mark.parametrize("coordinates", ["input", "span"])
def test_what_comes_in_is_left_alone_and_what_goes_out_is_new(coordinates):
    X, labels, start = problem(10, 3, 4)
    layers = random_layers(10, (4, 2, 1))
    inputs = [X, labels, start, *layers]
    before = [array.copy() for array in inputs]
    for array in inputs:
        array.flags.writeable = False
    run = gradient_descent(X, labels, start, steps=5, coordinates=coordinates)
    deep = gradient_descent(X, labels, layers, steps=5)
    # No step at all is the case where handing back the start itself would go unnoticed.
    still = gradient_descent(X, labels, layers, steps=0)
    for out in [run.weights, run.loss, *run.layers, *deep.layers, *still.layers]:
        assert not any(np.shares_memory(out, array) for array in inputs)
        out[...] = 9.0
    assert all(np.array_equal(a, b) for a, b in zip(inputs, before, strict=True))


def numbers_in(error):
    """The step that the message names, and the numbers that follow an equals sign or an "is"."""
    message = str(error.value).partition("; ")
    step = re.search(r"step (\d+)", message[0])
    return int(step[1]), *map(float, re.findall(r"(?:=|is) (\d[\d.e+-]*\d|\d)", message[2]))


def stability_limit(X, w_teacher):
    """2 / lambda_max of the Hessian at the teacher."""
    slopes = sigmoid(X @ w_teacher) * sigmoid(-X @ w_teacher)
    return 2 / np.linalg.eigvalsh((X * slopes[:, None]).T @ X / len(X))[-1]


@given(seeds, st.integers(1, 8), st.integers(1, 8), st.floats(0.0, 1.0))
def test_a_hundred_times_the_limit_diverges_and_the_message_names_the_cure(seed, n, d, scale):
    X, labels, start = problem(seed, n, d)
    # Labels in [1/5, 4/5]. Those close to 0 or 1 forgive a leap towards their own side: their
    # loss is flat there, and such a run may oscillate without ever losing more than it had.
    labels = 0.2 + 0.6 * labels
    limit = 2 / smoothness(X)
    local = 2 * n / np.linalg.norm(X * np.sqrt(labels * (1 - labels))[:, None], 2) ** 2
    for coordinates in ("input", "span"):
        with pytest.raises(FloatingPointError) as error:
            gradient_descent(
                X, labels, scale * start, step_size=100 * limit, steps=200, coordinates=coordinates
            )
        step, enough, stable = numbers_in(error)
        assert 1 <= step <= 200
        # Six printed digits.
        assert enough == pytest.approx(limit, rel=1e-5)
        assert stable == pytest.approx(local, rel=1e-5)
    # The named cure works: below it, descent goes down.
    cured = gradient_descent(X, labels, scale * start, step_size=0.99 * enough, steps=50)
    assert np.all(np.diff(cured.loss) <= 1e-14)  # rounding of a loss of size 1


@given(seeds, st.integers(1, 8), st.integers(1, 8), st.floats(0.5, 6.0))
@settings(max_examples=40)  # of 300 steps each
def test_both_named_limits_of_a_vector_are_what_the_message_says(seed, n, d, size):
    rng = np.random.default_rng(seed)
    X, teacher, start = rng.standard_normal((n, d)), rng.standard_normal(d), rng.standard_normal(d)
    teacher *= size / np.abs(X @ teacher).max()
    labels = soft_labels(X, teacher)
    with pytest.raises(FloatingPointError) as error:
        gradient_descent(X, labels, teacher + 1e-3 * start, step_size=1e9, steps=100)
    _, enough, stable = numbers_in(error)
    assert stable == pytest.approx(stability_limit(X, teacher), rel=1e-5)  # six printed digits
    assert enough < stable * (1 + 1e-5)
    # Up to the first the loss never rises, whatever the start.
    run = gradient_descent(X, labels, 10 * start, step_size=enough * (1 - 1e-5), steps=100)
    assert np.all(np.diff(run.loss) <= 1e-14 * run.loss[0])  # rounding
    # From the teacher, pushed a little in the worst direction: back below the second limit, and
    # away above it. What is pushed grows or shrinks by 1 - 2 * factor each time.
    slopes = labels * (1 - labels)
    push = np.linalg.eigh((X * slopes[:, None]).T @ X)[1][:, -1] * 1e-6 / np.abs(X).max()
    for factor, grows in ((0.98, False), (1.02, True)):
        run = gradient_descent(
            X, labels, teacher + push, step_size=factor * stable, steps=8, record_every=1
        )
        distances = np.linalg.norm(closed_form_student(X, run.weights[-1] - teacher))
        expected = np.linalg.norm(push) * (2 * factor - 1) ** 8
        # The slopes change by 1e-6 of themselves or so.
        assert distances == pytest.approx(expected, rel=1e-4)
        assert (distances > np.linalg.norm(push)) == grows


def test_a_step_between_the_two_limits_may_converge_and_hard_labels_have_one_limit():
    """A sure teacher: the two are a factor of three apart."""
    X, teacher = np.array([[2.0, 0.0], [0.0, 1.0]]), np.array([1.5, -3.0])
    labels, limit = soft_labels(X, teacher), 2 / smoothness(X)
    assert stability_limit(X, teacher) > 3 * limit
    run = gradient_descent(X, labels, [1.0, -1.0], step_size=3 * limit, steps=1000, tol=1e-12)
    assert run.converged
    assert np.allclose(run.weights[-1], teacher, rtol=0, atol=1e-10)  # 1e-12 over 0.02
    with pytest.raises(FloatingPointError) as error:
        gradient_descent([[1.0], [1.0]], [1.0, 0.0], [5.0], step_size=1e3, steps=5)
    assert numbers_in(error)[1:] == (8.0,)  # Lambda = 1/4
    assert "whatever the labels: choose a step size" in str(error.value)  # no teacher gives them


@pytest.mark.parametrize("widths", SHAPES)
def test_a_diverging_network_names_the_step_and_a_step_size_that_works(widths):
    X, labels, _ = problem(11, 4, widths[0])
    layers = random_layers(11, widths)
    with pytest.raises(FloatingPointError) as error:
        gradient_descent(X, labels, layers, step_size=100 * 2 / smoothness(X), steps=200)
    step, chosen, *_ = numbers_in(error)
    assert 1 <= step <= 200
    run = gradient_descent(X, labels, layers, steps=1)
    moved = sum(np.sum((a - b) ** 2) for a, b in zip(run.layers, layers, strict=True))
    slope = gradient_descent(X, labels, layers, step_size=1.0, steps=1).layers
    whole = sum(np.sum((a - b) ** 2) for a, b in zip(slope, layers, strict=True))
    left_out = np.sqrt(moved / whole)
    if len(layers) == 1:
        chosen /= 2  # of a vector the message names 2 / Lambda
    assert chosen == pytest.approx(left_out, rel=1e-5)  # six printed digits
    cured = gradient_descent(X, labels, layers, step_size=chosen, steps=200)
    assert np.all(np.diff(cured.loss) <= 1e-14)


@given(seeds, st.sampled_from(SHAPES), st.floats(0.1, 3.0))
@settings(max_examples=40)  # of 200 steps each
def test_left_out_the_step_size_of_a_network_lets_it_descend(seed, widths, scale):
    X, labels, _ = problem(seed, 4, widths[0])
    layers = [scale * layer for layer in random_layers(seed, widths)]
    run = gradient_descent(X, labels, layers, steps=200)
    assert np.all(np.diff(run.loss) <= 1e-14 * (1 + run.loss[0]))  # rounding


def test_the_step_that_is_named_is_the_first_recorded_one_that_is_too_bad():
    X, labels, start = problem(12, 3, 3)
    step_size = 100 * 2 / smoothness(X)
    weights = plain_descent(X, labels, start, step_size, 40)
    loss = [distillation_loss(w, X, labels) for w in weights]
    for record_every in (1, 3):
        bad = [k for k in range(0, 41, record_every) if loss[k] > 2 * loss[0]]
        with pytest.raises(FloatingPointError) as error:
            gradient_descent(
                X, labels, start, step_size=step_size, steps=40, record_every=record_every
            )
        assert numbers_in(error)[0] == bad[0]


def test_a_run_is_given_up_as_soon_as_its_loss_is_above_twice_the_start():
    """Here it goes to 2.4 times the start, and never beyond 10 times."""
    X, labels, start = problem(15, 3, 3)
    step_size = 4 * 2 / smoothness(X)
    weights = plain_descent(X, labels, start, step_size, 40)
    loss = np.array([distillation_loss(w, X, labels) for w in weights])
    assert 2.2 < loss.max() / loss[0] < 10
    with pytest.raises(FloatingPointError) as error:
        gradient_descent(X, labels, start, step_size=step_size, steps=40)
    assert numbers_in(error)[0] == np.flatnonzero(loss > 2 * loss[0])[0]


def test_the_message_tells_from_where_to_where_the_loss_went():
    X, labels, start = np.array([[1.0]]), np.array([0.5]), np.array([1e-4])
    with pytest.raises(FloatingPointError) as error:
        gradient_descent(X, labels, start, step_size=9.0, steps=50)
    weights = plain_descent(X, labels, start, 9.0, 2)
    found = re.match(
        r"gradient descent diverged: by step 2 the loss went from (\S+) to (\S+) "
        r"with step_size=9; ",
        str(error.value),
    )
    # Three printed digits.
    assert [float(loss) for loss in found.groups()] == pytest.approx(
        [distillation_loss(w, X, labels) for w in (weights[0], weights[2])], rel=6e-3, abs=0
    )


def test_a_small_loss_that_doubles_is_a_divergence():
    """Beyond the limit, 8 here, the distance grows by a quarter a step: the loss by 1.56."""
    with pytest.raises(FloatingPointError) as error:
        gradient_descent([[1.0]], [0.5], [1e-4], step_size=9.0, steps=50)
    assert numbers_in(error)[0] == 2


def test_a_loss_that_is_all_rounding_is_no_divergence():
    """From a few units in the last place beside the teacher: losses of 1e-32 or so, up and down."""
    for seed in range(400):
        rng = np.random.default_rng(seed)
        n, d = rng.integers(1, 6, 2)
        X, teacher = rng.standard_normal((n, d)), rng.standard_normal(d)
        start = teacher * (1 + rng.integers(-3, 4, d) * np.finfo(float).eps)
        run = gradient_descent(X, soft_labels(X, teacher), start, steps=30)
        # A logit of size 10 is rounded at 1e-15 or so, and the loss is the square of an error.
        assert run.loss.max() <= 1e-28


def test_a_loss_that_rises_less_than_to_its_double_is_no_divergence():
    """One sure input, stepped over: the run comes back, and converges."""
    X, teacher = np.array([[1.0]]), np.array([4.0])
    labels = soft_labels(X, teacher)
    run = gradient_descent(X, labels, [2.3], step_size=100.0, steps=500, tol=1e-12)
    assert 1.5 < run.loss.max() / run.loss[0] < 1.9
    assert run.converged


def test_recording_every_step_of_many_inputs_takes_no_more_memory_than_its_record():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((1000, 2))
    labels = soft_labels(X, [1.0, 2.0])

    def peak(steps):
        tracemalloc.start()
        gradient_descent(X, labels, [0.0, 0.0], step_size=0.1, steps=steps)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return peak

    peak(10)  # what the first call imports and caches
    # The logits of 900 more steps would be 7 MB, the record is 0.2 MB with Python's own.
    assert peak(1000) <= peak(100) + 1_000_000


@pytest.mark.parametrize("widths", SHAPES)
def test_left_out_the_step_size_of_a_network_is_the_inverse_of_its_bound(widths):
    """(3N - 2) Lambda rho^(2N - 2), rho^N the larger of the student's norm and a layer's power."""
    X, labels, _ = problem(19, 4, widths[0])
    minimiser = np.linalg.pinv(X) @ np.log(labels / (1 - labels))
    N = len(widths) - 1
    for scale in (0.1, 10.0):  # the minimiser is the longer one, or a layer is
        layers = [scale * layer for layer in random_layers(19, widths)]
        sizes = [np.linalg.svd(layer, compute_uv=False)[0] for layer in layers]
        rho = max(np.linalg.norm(minimiser) ** (1 / N), *sizes)
        eta = 1 / ((3 * N - 2) * smoothness(X) * rho ** (2 * N - 2))
        run = gradient_descent(X, labels, layers, steps=1)
        expected = gradient_descent(X, labels, layers, step_size=eta, steps=1)
        assert np.allclose(run.weights[1], expected.weights[1], rtol=1e-9, atol=1e-15)


@pytest.mark.parametrize("labels", [[0.0, 0.75], [0.25, 1.0]])
def test_one_hard_label_is_enough_to_ask_a_network_for_a_step_size(labels):
    """It has no logit, so no student is to be reached: the message goes by the start alone."""
    X = np.array([[1.0, 2.0, 0.5], [0.0, 1.0, -1.0]])
    layers = (np.array([[0.5, 0.0, 1.0], [0.0, 2.0, 0.0]]), np.array([[1.0, 1.0]]))
    with pytest.raises(ValueError, match="^step_size must be given"):
        gradient_descent(X, labels, layers, steps=1)
    with pytest.raises(FloatingPointError) as error:
        gradient_descent(X, labels, layers, step_size=1e3, steps=20)
    # 3N - 2 = 4, and the longest layer's spectral norm is 2; six printed digits.
    assert numbers_in(error)[1] == pytest.approx(1 / (4 * smoothness(X) * 2**2), rel=1e-5)


@pytest.mark.parametrize("kind", ["input", "span", "balanced", "layers"])
def test_a_run_that_leaves_the_doubles_is_reported_as_any_other_divergence(kind):
    """No warning of an overflow or of infinities that meet comes before it."""
    X, labels, start = problem(17, 3, 4)
    options = {"step_size": 1e300, "steps": 50}
    with pytest.raises(FloatingPointError, match="^gradient descent diverged: by step 1 "):
        if kind == "layers":
            gradient_descent(X, labels, random_layers(17, (4, 3, 1)), **options)
        elif kind == "balanced":
            balanced_descent(X, labels, start, 3, **options)
        else:
            gradient_descent(X, labels, start, coordinates=kind, **options)


@pytest.mark.parametrize("depth", [1, 2])
def test_a_gradient_that_is_just_the_tolerance_is_small_enough(depth):
    """The input is a unit vector and the start orthogonal to it: the gradient is 1/4 of it."""
    run = gradient_flow([[1.0, 0.0]], [0.75], [0.0, 1.0], depth=depth, tol=0.25)
    assert run.converged and run.steps.tolist() == [0.0]
    run = gradient_descent([[1.0, 0.0]], [0.75], [0.0, 1.0], steps=5, tol=0.25)
    assert run.converged and run.steps.tolist() == [0]


@pytest.mark.parametrize("size", [1e-60, 1e-9, 1.0, 1e9])
def test_what_a_start_has_outside_the_span_is_kept_at_every_size_unless_it_is_rounding(size):
    rng = np.random.default_rng(18)
    X, weights = rng.standard_normal((3, 6)), rng.standard_normal(3)
    inside, outside = size * (weights @ X), rng.standard_normal(6)
    outside -= closed_form_student(X, outside)
    outside *= 1e-9 * np.linalg.norm(inside) / np.linalg.norm(outside)
    # Rounding of three inputs' combination is some 1e-16 of it; the border is at 1e-14.
    assert in_span(X, inside)[1][-1] == 0.0
    features, start, basis = in_span(X, inside + outside)
    # That rounding is 1e-7 or so of the part outside, and 1e-16 of the whole.
    assert start[-1] == pytest.approx(1e-9 * np.linalg.norm(inside), rel=1e-5)
    assert np.allclose(start @ basis / size, (inside + outside) / size, rtol=0, atol=1e-14)
    assert not features[:, -1].any()


@given(seeds, st.integers(2, 5), st.integers(1, 4), st.integers(1, 4))
@settings(max_examples=40)
def test_no_direction_is_more_curved_than_that_bound(seed, N, n, d):
    """Second differences of the loss along unit changes of all layers, within norm rho."""
    rng = np.random.default_rng(seed)
    X, teacher = rng.standard_normal((n, d)), rng.standard_normal(d)
    labels = soft_labels(X, teacher)
    shapes = list(zip([3] * (N - 1) + [1], [d] + [3] * (N - 1), strict=True))
    layers = [rng.standard_normal(shape) for shape in shapes]
    rho = np.linalg.norm(closed_form_student(X, teacher)) ** (1 / N)
    layers = [rho * layer / np.linalg.norm(layer, 2) for layer in layers]
    bound = (3 * N - 2) * smoothness(X) * rho ** (2 * N - 2)
    for _ in range(5):
        way = [rng.standard_normal(shape) for shape in shapes]
        size = np.sqrt(sum(np.sum(part**2) for part in way))
        h = 1e-4 * rho
        losses = [
            distillation_loss(
                end_to_end([a + t * b / size for a, b in zip(layers, way, strict=True)]), X, labels
            )
            for t in (-h, 0.0, h)
        ]
        curved = (losses[0] - 2 * losses[1] + losses[2]) / h**2
        # Rounding, 1e-16 of the loss over h^2; and the layers are longer than rho by h: 1e-3.
        assert curved <= bound * 1.001 + 1e-15 * losses[1] / h**2


# ------------------------------------------------------------------------------- balanced_descent

# What 2,000 steps of rounding may add up to: 1e-16 a step and a factor 500.
SAME = 1e-10


def assert_same_run(run, explicit):
    assert run.steps.tolist() == explicit.steps.tolist()
    assert np.abs(run.weights - explicit.weights).max() <= SAME
    assert np.abs(run.loss - explicit.loss).max() <= SAME
    assert run.converged == explicit.converged


@pytest.mark.parametrize("coordinates", ["input", "span"])
@pytest.mark.parametrize(
    ("depth", "width", "n", "d"),
    [
        (1, 1, 4, 6), (2, 1, 3, 3), (2, 64, 5, 9), (3, 7, 8, 5), (3, 64, 2, 9),
        (4, 2, 5, 6), (5, 33, 4, 7), (6, 1, 3, 5), (6, 64, 6, 4),
    ],
)  # fmt: skip
def test_one_number_and_one_vector_are_descent_on_all_the_layers(depth, width, n, d, coordinates):
    X, labels, start = problem(depth, n, d)
    layers = balanced_layers(start, depth, width=width, rng=np.random.default_rng(width))
    options = {"step_size": 0.05, "steps": 2000, "record_every": 20}
    run = balanced_descent(X, labels, start, depth, coordinates=coordinates, **options)
    assert_same_run(run, gradient_descent(X, labels, layers, **options))
    # It went somewhere: the comparison isn't of two starts.
    assert np.linalg.norm(run.weights[-1] - start) > 0.1


@given(
    seeds, st.integers(1, 6), st.integers(1, 64), st.integers(1, 8), st.integers(1, 8),
    st.floats(0.01, 2.0), st.booleans(), st.booleans(), st.sampled_from(["input", "span"]),
)  # fmt: skip
@settings(max_examples=50)  # of 100 steps each
def test_the_same_for_any_start_inputs_and_labels(
    seed, depth, width, n, d, scale, dependent, hard, coordinates
):
    X, labels, start = problem(seed, n, d)
    if dependent:
        X, labels = np.vstack([X, 2 * X[:1]]), np.append(labels, 0.3)
    if hard:
        labels = np.round(labels)
    start *= scale
    layers = balanced_layers(start, depth, width=width, rng=np.random.default_rng(seed))
    # A total time of 2: who passes close to the saddle at 0 leaves it with rounding errors that
    # have grown by exp(2 |g|) at most, and |g| is at most 4 or so.
    options = {"step_size": 0.02, "steps": 100, "record_every": 10}
    run = balanced_descent(X, labels, start, depth, coordinates=coordinates, **options)
    assert_same_run(run, gradient_descent(X, labels, layers, **options))


@given(seeds, st.integers(1, 6), st.floats(0.1, 2.0))
@settings(max_examples=30)  # of 100 steps each
def test_left_out_its_step_size_is_that_of_the_layers(seed, depth, scale):
    X, labels, start = problem(seed, 3, 4)
    layers = balanced_layers(scale * start, depth, width=3, rng=np.random.default_rng(seed))
    run = balanced_descent(X, labels, scale * start, depth, steps=100)
    assert_same_run(run, gradient_descent(X, labels, layers, steps=100))
    assert np.all(np.diff(run.loss) <= 1e-14 * (1 + run.loss[0]))  # rounding


@pytest.mark.parametrize("coordinates", ["input", "span"])
def test_zero_is_left_by_a_vector_and_by_no_network(coordinates):
    X, labels, _ = problem(20, 3, 4)
    zero = np.zeros(4)
    options = {"step_size": 0.1, "steps": 50, "coordinates": coordinates}
    vector = gradient_descent(X, labels, zero, **options).weights
    shallow = balanced_descent(X, labels, zero, 1, **options).weights
    assert np.allclose(shallow, vector, rtol=0, atol=1e-14)  # rounding
    assert np.linalg.norm(vector[-1]) > 0.1
    for depth in (2, 3, 6):
        run = balanced_descent(X, labels, zero, depth, tol=1e-300, **options)
        assert not run.weights.any()
        assert run.converged and len(run.weights) == 1
        assert len(balanced_descent(X, labels, zero, depth, **options).weights) == 51


@pytest.mark.parametrize("depth", [None, 1, 2])
def test_in_span_coordinates_what_is_far_outside_does_not_drown_the_steps(depth):
    """The start is so long that a step added to one of its own coordinates is lost in rounding.

    Its logit is 0; or, if rounding has put a trace of it into the span, some 20 at most.
    """
    X, start = np.array([[1.0, 1.0]]), 2.0**57 * np.array([1.0, -1.0])
    # The logit moves by 2 |w_0|^(2 - 2/N) times the residual and the step size: by 2 or so.
    options = {"step_size": 1.0 if depth in (None, 1) else 1 / np.linalg.norm(start), "steps": 200}
    for coordinates in ("input", "span"):
        if depth is None:
            run = gradient_descent(X, [0.75], start, coordinates=coordinates, **options)
        else:
            run = balanced_descent(X, [0.75], start, depth, coordinates=coordinates, **options)
        if coordinates == "span":
            assert run.loss[-1] < 0.01 * run.loss[0]
        else:
            assert np.all(run.loss == run.loss[0])


def test_at_depth_one_nothing_is_divided_by_a_number_that_has_no_layer():
    """What would be the slope of a, 512, times the step size is 1: a would come to 0."""
    run = balanced_descent([[1.0]], [0.5], [1024.0], 1, step_size=2.0**-9, steps=3)
    vector = gradient_descent([[1.0]], [0.5], [1024.0], step_size=2.0**-9, steps=3)
    assert np.array_equal(run.weights, vector.weights)


@pytest.mark.parametrize("depth", [1, 2, 3, 5])
def test_the_tolerance_is_for_the_gradient_of_all_layers_together(depth):
    X, labels, start = problem(28, 3, 4)
    layers = balanced_layers(start, depth, width=2, rng=np.random.default_rng(28))
    _, moved = plain_network_descent(X, labels, layers, 1.0, 1)
    norm = np.sqrt(sum(np.sum((a - b) ** 2) for a, b in zip(layers, moved, strict=True)))
    # Far more than the rounding of the norm, 1e-15 of it.
    for tol, enough in ((norm * (1 - 1e-9), False), (norm * (1 + 1e-9), True)):
        assert gradient_descent(X, labels, layers, steps=0, tol=tol).converged == enough
        assert balanced_descent(X, labels, start, depth, steps=0, tol=tol).converged == enough


@pytest.mark.parametrize("coordinates", ["input", "span"])
@pytest.mark.parametrize("depth", [1, 2, 5])
def test_its_layers_multiply_to_its_last_weights(depth, coordinates):
    X, labels, start = problem(21, 3, 4)
    run = balanced_descent(X, labels, start, depth, steps=100, coordinates=coordinates)
    assert [layer.shape for layer in run.layers] == [(1, 4)] + [(1, 1)] * (depth - 1)
    # A rounding for every layer.
    assert np.allclose(end_to_end(run.layers), run.weights[-1], rtol=1e-14, atol=0)
    # And they are the layers that descent on layers of width 1 ends with, up to signs.
    narrow = gradient_descent(
        X, labels, balanced_layers(start, depth, width=1, rng=np.random.default_rng(0)), steps=100
    )
    for layer, expected in zip(run.layers, narrow.layers, strict=True):
        assert np.allclose(np.abs(layer), np.abs(expected), rtol=0, atol=SAME)


@pytest.mark.parametrize("coordinates", ["input", "span"])
def test_it_records_and_stops_as_gradient_descent_does(coordinates):
    X, labels, start = problem(22, 3, 4)
    for depth in (1, 2, 4):
        layers = balanced_layers(start, depth, width=2, rng=np.random.default_rng(1))
        for steps, tol, every in ((100_000, 1e-3, 7), (10, 0.0, 3), (3, 1e-3, 5), (0, 0.0, 1)):
            options = {"step_size": 0.2, "steps": steps, "tol": tol, "record_every": every}
            run = balanced_descent(X, labels, start, depth, coordinates=coordinates, **options)
            assert_same_run(run, gradient_descent(X, labels, layers, **options))
            assert run.converged == (steps == 100_000)


@pytest.mark.parametrize("coordinates", ["input", "span"])
@pytest.mark.parametrize("depth", [1, 2, 4])
def test_a_diverging_balanced_run_names_the_step_and_a_step_size_that_works(depth, coordinates):
    X, labels, start = problem(23, 4, 3)
    labels = 0.2 + 0.6 * labels  # see above: labels close to 0 or 1 forgive a leap
    with pytest.raises(FloatingPointError) as error:
        balanced_descent(
            X, labels, start, depth,
            step_size=100 * 2 / smoothness(X), steps=200, coordinates=coordinates,
        )  # fmt: skip
    step, named, *stable = numbers_in(error)
    assert 1 <= step <= 200
    assert len(stable) == (depth == 1)
    cured = balanced_descent(X, labels, start, depth, step_size=0.99 * named, steps=200)
    assert np.all(np.diff(cured.loss) <= 1e-14)  # rounding of a loss of size 1


def test_hard_labels_ask_a_balanced_network_for_a_step_size():
    X, _, start = problem(24, 2, 3)
    with pytest.raises(ValueError, match="^step_size must be given"):
        balanced_descent(X, [0.0, 1.0], start, 2, steps=1)
    balanced_descent(X, [0.0, 1.0], start, 1, steps=1)
    balanced_descent(X, [0.0, 1.0], start, 2, steps=1, step_size=0.1)


@pytest.mark.parametrize("coordinates", ["input", "span"])
def test_the_memory_of_a_balanced_run_does_not_grow_with_its_steps(coordinates):
    X, labels, start = problem(25, 20, 50)

    def peak(steps):
        tracemalloc.start()
        balanced_descent(
            X, labels, start, 3,
            step_size=0.001, steps=steps, record_every=steps, coordinates=coordinates,
        )  # fmt: skip
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return peak

    peak(10)  # what the first call imports and caches
    # One float a step would be 40 kB; 1 kB is room for the interpreter's own small change.
    assert peak(5000) <= peak(10) + 1000


@pytest.mark.parametrize("coordinates", ["input", "span"])
@pytest.mark.parametrize("depth", [1, 3])
def test_neither_balanced_descent_nor_the_flow_touches_what_comes_in(depth, coordinates):
    inputs = problem(26, 3, 4)
    before = [array.copy() for array in inputs]
    for array in inputs:
        array.flags.writeable = False
    runs = [
        balanced_descent(*inputs, depth, steps=5, coordinates=coordinates),
        balanced_descent(*inputs, depth, steps=0, coordinates=coordinates),
        gradient_flow(*inputs, depth=depth),
        gradient_flow(*inputs, depth=depth, tol=100.0),  # returns at once
    ]
    assert [len(run.weights) for run in runs[1::2]] == [1, 1]
    for run in runs:
        for out in [run.weights, run.loss, run.steps, *run.layers]:
            assert not any(np.shares_memory(out, array) for array in inputs)
            out[...] = 9
    assert all(np.array_equal(a, b) for a, b in zip(inputs, before, strict=True))


# ---------------------------------------------------------------------------------- gradient_flow


def layered_flow(X, labels, layers, times):
    """dW_j/dt = -B^T g A^T over all entries of all layers; the end-to-end weights at the times."""
    shapes = [layer.shape for layer in layers]
    ends = np.cumsum([layer.size for layer in layers])[:-1]

    def unpack(flat):
        parts = np.split(flat, ends)
        return [part.reshape(shape) for part, shape in zip(parts, shapes, strict=True)]

    def product(layers, size):
        whole = np.eye(size)
        for layer in layers:
            whole = layer @ whole
        return whole

    def velocity(_, flat):
        W = unpack(flat)
        g = X.T @ (sigmoid(X @ product(W, X.shape[1])[0]) - labels) / len(X)
        moves = []
        for j in range(len(W)):
            above, below = product(W[j + 1 :], len(W[j])), product(W[:j], X.shape[1])
            moves.append(-above.T @ g[None, :] @ below.T)
        return np.concatenate([move.ravel() for move in moves])

    solution = solve_ivp(
        velocity, (0, times[-1]), np.concatenate([layer.ravel() for layer in layers]),
        t_eval=times, method="DOP853", rtol=1e-11, atol=1e-13,
    )  # fmt: skip
    return np.array([product(unpack(flat), X.shape[1])[0] for flat in solution.y.T])


# The flow's own tolerance is 1e-10 a step, for hundreds of steps: two digits to spare.
SOLVER = 1e-6


@pytest.mark.parametrize("depth", [1, 2, 3, 4, 6])
@pytest.mark.parametrize(("n", "d", "size"), [(2, 4, 0.3), (5, 3, 1.0), (3, 5, 3.0)])
def test_the_flow_end_to_end_is_the_flow_of_all_the_layers(depth, n, d, size):
    X, labels, start = problem(30 + depth, n, d)
    start *= size / np.linalg.norm(start)
    run = gradient_flow(X, labels, start, depth=depth, max_time=3.0)
    # The solver stops where its own interpolation says so.
    assert run.steps[-1] == pytest.approx(3.0, rel=1e-9)
    assert not run.converged
    layers = balanced_layers(start, depth, width=3, rng=np.random.default_rng(depth))
    some = slice(None, None, 10)
    weights = layered_flow(X, labels, layers, run.steps[some])
    assert np.abs(run.weights[some] - weights).max() <= SOLVER * size
    assert np.linalg.norm(run.weights[-1] - start) > 0.1 * size
    expected = [distillation_loss(w, X, labels) for w in run.weights]
    assert run.loss == pytest.approx(expected, rel=1e-9, abs=1e-15)  # rounding


@pytest.mark.parametrize("seed", range(3))
def test_at_depth_one_the_flow_goes_along_minus_the_gradient(seed):
    X, labels, start = problem(seed, 4, 6)
    run = gradient_flow(X, labels, start, max_time=5.0)
    solution = solve_ivp(
        lambda _, w: -distillation_gradient(w, X, labels),
        (0, 5.0), start, t_eval=run.steps[::10], method="DOP853", rtol=1e-11, atol=1e-13,
    )  # fmt: skip
    assert run.steps[-1] == 5.0
    assert np.abs(run.weights[::10] - solution.y.T).max() <= SOLVER


def test_small_weights_are_integrated_as_exactly_as_large_ones():
    """With one input x and the label 1, u = w x has du/dt = x^2 / (1 + e^u).

    So u + e^u grows by x^2 t.
    """
    x = 100.0  # for which w is of size 1/100
    run = gradient_flow([[x]], [1.0], [-1.0 / x], max_time=10.0 / x**2)
    u = x * run.weights[:, 0]
    drift = u + np.exp(u) - x**2 * run.steps
    # A tolerance of 1e-10 of w a step, for a hundred steps. (With one of 1e-10 in w, 1e-8 in u,
    # it would be 7e-8.)
    assert np.abs(drift - drift[0]).max() <= 1e-8


def orthogonal_inputs(seed, n, d):
    """Inputs of lengths from 1 to 2, a teacher with logits from 1/2 to 2 in size on them."""
    rng = np.random.default_rng(seed)
    rows, _ = np.linalg.qr(rng.standard_normal((d, n)))
    lengths = np.linspace(1, 2, n)
    X = lengths[:, None] * rows.T
    outside = rng.standard_normal(d)
    outside -= rows @ (rows.T @ outside)
    teacher = rows @ (rng.uniform(0.5, 2, n) * rng.choice([-1, 1], n) / lengths) + outside
    start = rng.standard_normal(d)
    return X, teacher, start / np.linalg.norm(start)


@pytest.mark.parametrize("depth", [1, 2, 3, 4, 7, 10])
def test_the_flow_converges_from_tiny_and_from_large_starts_in_logarithmically_many_steps(depth):
    X, teacher, direction = orthogonal_inputs(depth, 3, 6)
    labels = soft_labels(X, teacher)
    for r0 in (1e-9, 1e-6, 1e-3, 0.1, 1.0, 10.0):
        run = gradient_flow(X, labels, r0 * direction, depth=depth)
        assert run.converged
        gradient = distillation_gradient(run.weights[-1], X, labels)
        # The end is where the norm is tol, 1e-12; rounding of its terms, 1e-16, is 1e-4 of that.
        assert np.linalg.norm(gradient) <= 1.01e-12
        # So the student is reached on the inputs: the curvature there is at least
        # sigma'(2) / 3 = 0.035 times 1.
        inside = closed_form_student(X, run.weights[-1])
        assert np.linalg.norm(inside - closed_form_student(X, teacher)) <= 1.01e-12 / 0.035
        # About 600 at most without the second term, whose slope is a few steps for every factor e.
        assert len(run.steps) <= 1000 + 20 * np.log(1 / min(r0, 1.0))


@pytest.mark.parametrize("depth", [1, 2])
def test_an_input_that_is_long_ago_learned_does_not_keep_the_steps_short(depth):
    """Its curvature is 1e6 times the other's, 1e5: explicit steps must stay below 3 / 1e5 or so."""
    X, teacher = np.diag([1e3, 1.0]), np.array([1e-3, 1.0])
    labels = soft_labels(X, teacher)
    run = gradient_flow(X, labels, teacher / 2, depth=depth, max_time=0.3)
    assert abs(run.weights[-1, 0] - teacher[0]) < 1e-5 < teacher[1] / 4 < run.weights[-1, 1] < 0.9
    # Some 200; explicit ones would be some 3,000 to 10,000.
    assert len(run.steps) <= 1000


@pytest.mark.parametrize(("depth", "size"), [(2, 1e3), (3, 1e3), (3, 1e5)])
@pytest.mark.parametrize("share", [1e-3, 1e-6])
def test_the_direction_of_a_flow_that_comes_from_far_away_keeps_its_length(depth, size, share):
    """A long start, nearly in the span: the little outside it decides where the flow ends.

    On the way in, an error of the direction's length grows with (size / r)^(2/N).
    """
    X, teacher, _ = orthogonal_inputs(46, 3, 6)
    rng = np.random.default_rng(46)
    inside = closed_form_student(X, rng.standard_normal(6))
    outside = rng.standard_normal(6)
    outside -= closed_form_student(X, outside)
    start = size * inside / np.linalg.norm(inside)
    start += size * share * outside / np.linalg.norm(outside)
    student = closed_form_student(X, teacher)
    run = gradient_flow(X, soft_labels(X, teacher), start, depth=depth)
    offset = np.linalg.norm(closed_form_student(X, run.weights[-1]) - run.weights[-1])
    law = limit_offset(size * share, np.linalg.norm(start), np.linalg.norm(student), depth)
    # A tolerance of 1e-10 a step, for a thousand steps.
    assert offset == pytest.approx(law, rel=1e-7)


# A solver's trial step may overflow: pytest makes an error of any warning.
@pytest.mark.parametrize("r0", [1e-60, 1e-120, 1e-250, 1e-300])
@pytest.mark.parametrize("depth", [2, 3, 4, 7])
def test_the_flow_leaves_the_saddle_from_the_tiniest_starts(depth, r0):
    X, teacher, direction = orthogonal_inputs(44, 3, 6)
    run = gradient_flow(X, soft_labels(X, teacher), r0 * direction, depth=depth)
    assert run.converged
    inside = closed_form_student(X, run.weights[-1])
    # As from other starts, above.
    assert np.linalg.norm(inside - closed_form_student(X, teacher)) <= 1.01e-12 / 0.035


@pytest.mark.parametrize("depth", [2, 3, 5])
def test_a_flow_that_only_passes_by_the_saddle_comes_out_of_it(depth):
    """Near 0 the gradient is constant, and r is r_0 (sin psi_0 / sin psi)^N.

    psi is the angle to where the flow wants to go: nearly straight on into 0 at the start, and a
    right angle where it is nearest to 0.
    """
    off, r0 = 1e-5, 1e-120
    start = r0 * np.array([-np.cos(off), np.sin(off)])
    run = gradient_flow([[1.0, 0.0]], [0.75], start, depth=depth)
    assert run.converged
    assert run.weights[-1] == pytest.approx([np.log(3.0), 0.0], rel=1e-9, abs=1e-12)
    nearest = np.linalg.norm(run.weights / r0, axis=1).min() / np.sin(off) ** depth
    # A step of the solver lies beside that point, by 1e-3 of r; and its tolerance of 1e-10 is 1e-5
    # of the angle at the start.
    assert 1 - 1e-3 <= nearest <= 1.1


@pytest.mark.parametrize("depth", [2, 3])
@pytest.mark.parametrize("power", [-70, 70])
def test_a_deep_flow_does_not_know_in_which_unit_the_inputs_are_measured(depth, power):
    """With c x for x, from w_0 / c, it is the same flow divided by c."""
    X, teacher, start = orthogonal_inputs(48, 3, 5)
    labels, unit = soft_labels(X, teacher), 2.0**power
    run = gradient_flow(X, labels, start, depth=depth, tol=1e-9)
    other = gradient_flow(unit * X, labels, start / unit, depth=depth, tol=1e-9 * unit)
    assert run.converged and other.converged
    # Both gradients end at 1e-9, over the curvature 0.035.
    assert np.allclose(other.weights[-1] * unit, run.weights[-1], rtol=0, atol=1e-7)


@pytest.mark.parametrize("power", [-1000, -600, 600])
def test_layers_of_the_tiniest_and_the_largest_balanced_starts(power):
    X, labels, start = problem(27, 3, 4)
    start = np.ldexp(start, power)
    run = balanced_descent(X, labels, start, 2, step_size=1e-300, steps=0)
    assert np.allclose(end_to_end(run.layers) / start, 1.0, rtol=1e-14)
    sizes = [np.linalg.norm(np.ldexp(layer, -power // 2)) for layer in run.layers]
    assert sizes[0] == pytest.approx(sizes[1], rel=1e-14)


def test_its_tolerances_do_what_they_say():
    X, teacher, start = orthogonal_inputs(40, 3, 5)
    labels = soft_labels(X, teacher)
    for depth in (1, 2, 3, 6):
        # Down to where rounding, 1e-16 of a gradient's terms, is still below the 1e-3.
        for tol in (1e-2, 1e-5, 1e-10, 1e-12):
            run = gradient_flow(X, labels, start, depth=depth, tol=tol)
            norms = [np.linalg.norm(distillation_gradient(w, X, labels)) for w in run.weights]
            assert run.converged
            # Stopped where the norm comes down to tol, and not before.
            assert norms[-1] == pytest.approx(tol, rel=1e-3)
            assert min(norms[:-1]) > tol
        rough, fine = (
            gradient_flow(X, labels, start, depth=depth, rtol=rtol) for rtol in (1e-4, 1e-10)
        )
        assert len(rough.steps) < 0.5 * len(fine.steps)


@pytest.mark.parametrize("depth", [1, 2, 4])
def test_the_flow_stops_at_max_time_and_has_not_converged(depth):
    X, teacher, start = orthogonal_inputs(41, 3, 5)
    labels = soft_labels(X, teacher)
    for max_time in (1e-3, 1.0, 10.0):
        run = gradient_flow(X, labels, start, depth=depth, max_time=max_time)
        assert not run.converged
        assert run.steps[0] == 0.0
        assert np.all(np.diff(run.steps) > 0)
        assert run.steps[-1] == pytest.approx(max_time, rel=1e-9)
    assert gradient_flow(X, labels, start, depth=depth, max_time=1e6).converged


@pytest.mark.parametrize("depth", [1, 2, 5])
def test_a_flow_from_a_minimiser_returns_at_once(depth):
    X, teacher, _ = orthogonal_inputs(42, 3, 5)
    run = gradient_flow(X, soft_labels(X, teacher), teacher, depth=depth)
    assert run.converged
    assert run.steps.tolist() == [0.0]
    assert np.allclose(run.weights, [teacher], rtol=0, atol=1e-14)  # rounding
    assert np.allclose(end_to_end(run.layers), teacher, rtol=0, atol=1e-14)


@pytest.mark.parametrize("depth", [2, 3, 5])
def test_on_a_line_a_flow_from_the_wrong_side_ends_in_the_saddle(depth):
    labels = soft_labels([[2.0]], [1.0])
    run = gradient_flow([[2.0]], labels, [-0.5], depth=depth)
    assert not run.converged
    assert np.all(run.weights <= 0)
    assert -1e-90 <= run.weights[-1, 0] < 0
    assert np.all(np.diff(run.weights[:, 0]) > 0)
    # From the right side it gets to the teacher; a single layer does from both.
    # Gradient 1e-9 over a curvature of 4 sigma'(2) = 0.42.
    for start, layers in ((0.5, depth), (-0.5, 1)):
        run = gradient_flow([[2.0]], labels, [start], depth=layers)
        assert run.converged
        assert run.weights[-1, 0] == pytest.approx(1.0, abs=1e-8)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("depth", [2, 3, 5])
def test_rounding_does_not_save_it_in_higher_dimension(seed, depth):
    """The start lies on the line of one oblique input, up to rounding."""
    rng = np.random.default_rng(seed)
    x, teacher = rng.standard_normal((2, 3))
    X = x[None]
    wrong = -0.5 * (teacher @ x) / (x @ x) * x
    run = gradient_flow(X, soft_labels(X, teacher), wrong, depth=depth)
    assert not run.converged
    assert np.linalg.norm(run.weights[-1]) < 1e-50


def test_a_network_cannot_flow_from_zero_and_a_vector_can():
    X, teacher, _ = orthogonal_inputs(43, 3, 5)
    with pytest.raises(ValueError, match="^w0 must not be the zero vector"):
        gradient_flow(X, soft_labels(X, teacher), np.zeros(5), depth=2)
    run = gradient_flow(X, soft_labels(X, teacher), np.zeros(5))
    # 1e-9 over the curvature 0.035.
    assert np.linalg.norm(run.weights[-1] - closed_form_student(X, teacher)) <= 1e-9 / 0.035


@pytest.mark.parametrize("depth", [1, 2, 3])
def test_a_flow_on_hard_labels_runs_until_it_is_told_to_stop(depth):
    X, teacher, start = orthogonal_inputs(44, 3, 5)
    labels = hard_labels(X, teacher)
    run = gradient_flow(X, labels, start, depth=depth, max_time=30.0)
    assert not run.converged
    assert np.all(np.diff(run.loss) < 0)


@pytest.mark.parametrize("depth", [1, 2, 5])
def test_the_layers_of_a_flow_are_balanced_and_multiply_to_its_end(depth):
    X, teacher, start = orthogonal_inputs(45, 3, 5)
    run = gradient_flow(X, soft_labels(X, teacher), start, depth=depth)
    assert [layer.shape for layer in run.layers] == [(1, 5)] + [(1, 1)] * (depth - 1)
    assert np.allclose(end_to_end(run.layers), run.weights[-1], rtol=1e-14, atol=0)
    size = np.linalg.norm(run.weights[-1]) ** (1 / depth)
    for layer in run.layers:
        assert np.linalg.norm(layer) == pytest.approx(size, rel=1e-14)  # rounding
