"""Can what a law says of its gaps be true?

Laws of one's own are asked here, so that a slip in one is reported as its own.
"""

import numpy as np

from distill_lib._types import Floats
from distill_lib.laws import AxialLaw

ROUNDING = 1e-9  # more than any inverse that was found by halving leaves


def gap_probability(inputs: AxialLaw, gap: Floats) -> Floats:
    """Return the probabilities of gaps of at most these, which must be in [0, 1]."""
    return _between("gap_probability", inputs.gap_probability(gap), gap, 1.0)


def gap_quantile(inputs: AxialLaw, probability: Floats) -> Floats:
    """Return the gaps that have these probabilities, which must be in [0, pi/2]."""
    return _between("gap_quantile", inputs.gap_quantile(probability), probability, np.pi / 2)


def _between(name: str, answer: object, asked: Floats, most: float) -> Floats:
    values = np.asarray(answer, dtype=float)
    if values.shape != asked.shape:
        raise ValueError(
            f"inputs: {name} must return as many numbers as it gets, in the same shape; "
            f"of shape {asked.shape} it made {values.shape}"
        )
    if not ((values >= -ROUNDING) & (values <= most + ROUNDING)).all():
        raise ValueError(
            f"inputs: {name} must return numbers in [0, {most:.4g}]; "
            f"got values from {values.min():g} to {values.max():g}"
        )
    return np.asarray(np.clip(values, 0.0, most))
