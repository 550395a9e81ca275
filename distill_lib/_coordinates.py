"""In which coordinates does training move?"""

import numpy as np

from distill_lib._scaling import length
from distill_lib._types import Matrix, Network, Vector
from distill_lib.geometry import orthonormal_basis


def in_span(X: Matrix, start: Vector) -> tuple[Matrix, Vector, Matrix]:
    """Return X, start and the basis of coordinates that hold all that descent can change.

    The last basis vector is the direction of the start outside the span, where no input has a
    component: its features are exactly 0.
    """
    basis, _ = orthonormal_basis(X)
    inside = basis @ start
    outside = start - inside @ basis
    distance = float(length(outside))
    # A start in the span keeps out of it nothing but rounding, on which no path may depend.
    if distance <= 1e-14 * length(start):
        distance = 0.0
    features = np.column_stack([X @ basis.T, np.zeros(len(X))])
    direction = outside / distance if distance > 0 else outside
    return features, np.append(inside, distance), np.vstack([basis, direction])


def scalar_and_vector(w: Vector, depth: int) -> tuple[np.float64, Vector]:
    """Return a and z of balanced layers: w = a^(N-1) z, both of length |w|^(1/N)."""
    a = np.float64(length(w) ** (1.0 / depth))
    return a, w / a ** (depth - 1) if a > 0 else w.copy()


def narrow_layers(a: float, z: Vector, depth: int) -> Network:
    """Return the layers of width 1 that a and z stand for."""
    return (z[None, :].copy(), *(np.array([[a]]) for _ in range(depth - 1)))
