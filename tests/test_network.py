"""network: what a deep linear network computes, and when it is balanced."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from distill_lib import balance_defect, balanced_layers, end_to_end


def exact_product(layers):
    """W_N ... W_1 in fractions, entry by entry."""
    product = [[Fraction(entry) for entry in row] for row in layers[0].tolist()]
    for layer in layers[1:]:
        product = [
            [sum(Fraction(a) * column[k] for a, column in zip(row, product, strict=True))
             for k in range(len(product[0]))]
            for row in layer.tolist()
        ]  # fmt: skip
    return product[0]


@pytest.mark.parametrize("widths", [(3, 1), (3, 2, 1), (2, 5, 1), (4, 1, 3, 1), (3, 4, 2, 5, 1)])
def test_end_to_end_is_the_product_of_the_layers_last_one_first(widths):
    rng = np.random.default_rng(len(widths))
    layers = tuple(rng.standard_normal(shape) for shape in zip(widths[1:], widths, strict=False))
    exact = np.array([float(entry) for entry in exact_product(layers)])
    # A handful of roundings on entries of size 1.
    assert np.allclose(end_to_end(layers), exact, rtol=0, atol=1e-13)


def test_end_to_end_returns_an_array_of_its_own():
    layer = np.array([[1.0, 2.0]])
    w = end_to_end((layer,))
    w[:] = 0
    assert layer.tolist() == [[1.0, 2.0]]


# -------------------------------------------------------------------------------- balanced_layers

seeds = st.integers(0, 10**6)


def product(layers):
    whole = np.eye(layers[0].shape[1])
    for layer in layers:
        whole = layer @ whole
    return whole


@given(seeds, st.integers(1, 6), st.integers(1, 64), st.integers(1, 8), st.floats(-9.0, 3.0))
def test_balanced_layers_are_balanced_of_rank_one_and_multiply_to_the_vector(
    seed, depth, width, d, power
):
    rng = np.random.default_rng(seed)
    w = rng.standard_normal(d)
    w *= 10.0**power / np.linalg.norm(w)
    layers = balanced_layers(w, depth, width=width, rng=rng)
    hidden = [width] * (depth - 1)
    shapes = list(zip([*hidden, 1], [d, *hidden], strict=True))
    assert [layer.shape for layer in layers] == shapes
    # Rounding of entries at most |w|^(1/N), up to 64 of them to a sum.
    size = np.linalg.norm(w) ** (1 / depth)
    assert np.allclose(product(layers)[0], w, rtol=0, atol=1e-14 * np.linalg.norm(w))
    for layer in layers:
        lengths = np.linalg.svd(layer, compute_uv=False)
        assert lengths[0] == pytest.approx(size, rel=1e-14)
        assert np.all(lengths[1:] <= 1e-14 * size)
    for before, after in zip(layers[:-1], layers[1:], strict=True):
        assert np.allclose(after.T @ after, before @ before.T, rtol=0, atol=1e-14 * size**2)
    assert balance_defect(layers) <= 1e-14 * size**2


@pytest.mark.parametrize("width", range(1, 65))
def test_every_width_will_do(width):
    w = np.array([3.0, 0.0, -4.0])
    layers = balanced_layers(w, 4, width=width, rng=np.random.default_rng(width))
    shapes = [(width, 3), (width, width), (width, width), (1, width)]
    assert [layer.shape for layer in layers] == shapes
    assert np.allclose(product(layers)[0], w, rtol=0, atol=1e-14)  # rounding


def test_left_out_the_width_is_that_of_the_inputs():
    layers = balanced_layers(np.ones(5), 3, rng=np.random.default_rng(0))
    assert [layer.shape for layer in layers] == [(5, 5), (5, 5), (1, 5)]


def test_one_layer_is_the_vector_and_zero_is_zero():
    rng = np.random.default_rng(0)
    (layer,) = balanced_layers([1.0, 0.1, 3.0], 1, width=7, rng=rng)
    assert layer.tolist() == [[1.0, 0.1, 3.0]]
    (layer,) = balanced_layers([0.0, 0.0], 1, rng=rng)
    assert layer.tolist() == [[0.0, 0.0]]
    layers = balanced_layers([0.0, 0.0], 3, width=4, rng=rng)
    assert [layer.shape for layer in layers] == [(4, 2), (4, 4), (1, 4)]
    assert not any(layer.any() for layer in layers)


def test_the_hidden_frame_is_the_generator_s_and_nobody_else_s():
    w = np.array([1.0, -2.0])
    draw = [balanced_layers(w, 3, width=4, rng=np.random.default_rng(seed)) for seed in (0, 0, 1)]
    assert all(np.array_equal(a, b) for a, b in zip(draw[0], draw[1], strict=True))
    assert not any(np.allclose(a, b) for a, b in zip(draw[0], draw[2], strict=True))
    # Two hidden directions, independent of each other.
    first, second = draw[0][0] @ w, draw[0][2][0]
    assert abs(first @ second) < 0.99 * np.linalg.norm(first) * np.linalg.norm(second)
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    balanced_layers(w, 3, rng=np.random.default_rng(0))
    assert np.array_equal(np.random.get_state()[1], before)  # noqa: NPY002


def test_hidden_directions_are_uniform_on_the_circle():
    rng = np.random.default_rng(0)
    turns = []
    for _ in range(2000):
        x, y = balanced_layers([1.0], 2, width=2, rng=rng)[1][0]
        turns.append(np.arctan2(y, x) / (2 * np.pi) % 1)
    # A uniform angle has no harmonics. Their means over 2000 draws have a standard deviation of
    # sqrt(1/4000) in each part: five of these are passed in one case of 30,000.
    for k in range(1, 5):
        harmonic = np.mean(np.exp(2j * np.pi * k * np.array(turns)))
        assert abs(harmonic) < 5 * np.sqrt(1 / 4000)


def test_the_layers_are_new():
    w = np.array([1.0, 2.0])
    for depth in (1, 2):
        layers = balanced_layers(w, depth, rng=np.random.default_rng(0))
        for layer in layers:
            layer[...] = 9.0
    assert w.tolist() == [1.0, 2.0]


# --------------------------------------------------------------------------------- balance_defect


def test_the_defect_of_a_network_worked_out_by_hand():
    """W_2^T W_2 - W_1 W_1^T = [[1, 2], [2, 4]] - [[1, 1], [1, 2]] = [[0, 1], [1, 2]].

    And W_3^T W_3 - W_2 W_2^T = 9 - 5 = 4. The norms are sqrt(6) and 4; the larger is 4.
    """
    first, second, third = [[1.0, 0.0], [1.0, 1.0]], [[1.0, 2.0]], [[3.0]]
    assert balance_defect((first, second)) == pytest.approx(np.sqrt(6), rel=1e-15)
    assert balance_defect((first, second, third)) == 4.0


@pytest.mark.parametrize("power", [-1000, -600, 600, 1000])
def test_layers_of_the_longest_and_the_shortest_vectors(power):
    """By powers of two: doubles with as many digits."""
    w = np.ldexp([3.0, -4.0], power)
    for depth in (1, 2, 4):
        layers = balanced_layers(w, depth, width=3, rng=np.random.default_rng(0))
        assert np.ldexp(end_to_end(layers), -power) == pytest.approx([3.0, -4.0], rel=1e-13)
        size = math.ldexp(5.0, power) ** (1 / depth)  # of each layer
        assert balance_defect(layers) <= (1e-14 * size) * size
    # The defect is |4 - 1| in the square of this unit: beyond the doubles, infinite or 0.
    one, two = (np.ldexp([[entry]], power // 2) for entry in (1.0, 2.0))
    assert balance_defect((one, two)) == math.ldexp(3.0, power)
    beyond = balance_defect((np.ldexp(one, power // 2), np.ldexp(two, power // 2)))
    assert beyond == (math.inf if power > 0 else 0.0)


def test_a_single_layer_is_always_balanced():
    assert balance_defect(([[1.0, 2.0, 3.0]],)) == 0.0


@given(seeds, st.integers(2, 5))
def test_gaussian_layers_are_not_balanced_and_the_defect_is_a_square(seed, depth):
    rng = np.random.default_rng(seed)
    layers = [rng.standard_normal((3, 3)) for _ in range(depth - 1)] + [rng.standard_normal((1, 3))]
    defect = balance_defect(layers)
    assert defect > 0.1
    # Doubling is exact.
    assert balance_defect([2 * layer for layer in layers]) == 4 * defect
