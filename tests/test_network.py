"""network: what a deep linear network computes."""

from fractions import Fraction

import numpy as np
import pytest

from distill_lib import end_to_end


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
