"""Which step size is chosen with reason, and what helps a run that diverges?"""

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
from scipy import special

from distill_lib import _arguments
from distill_lib._types import Matrix, Vector
from distill_lib.distillation import smoothness


def chosen_step(
    step_size: float | None, X: Matrix, labels: Vector, layers: Sequence[Matrix]
) -> tuple[float, Callable[[], str]]:
    """Return the step size, and a function that says what helps a run that diverges with it."""
    cure = partial(_cure, X, labels, layers)
    if step_size is not None:
        return _arguments.number("step_size", step_size, above=0.0), cure
    curvature = _curvature(X, labels, layers)
    if (len(layers) > 1 and _any_hard(labels)) or not 0.0 < curvature < np.inf:
        raise ValueError(
            "step_size must be given: there is no bound on the curvature to choose it by, "
            "because X is 0 or too large, or because a deep network learns labels of exactly "
            "0 or 1, for which there may be no minimiser"
        )
    return 1.0 / curvature, cure


def _any_hard(labels: Vector) -> bool:
    return bool((labels == 0.0).any() or (labels == 1.0).any())


def _cure(X: Matrix, labels: Vector, layers: Sequence[Matrix]) -> str:
    curvature = _curvature(X, labels, layers)
    if len(layers) > 1:
        return (
            f"the inverse of a bound on the curvature is {1.0 / curvature:.6g}: choose a step "
            "size of this order, or, unless labels are exactly 0 or 1, leave it out"
        )
    # A teacher with the logits u has the labels y = sigma(u), and sigma'(u) = y (1 - y).
    at_teacher = np.linalg.norm(np.sqrt(labels * (1.0 - labels))[:, None] * X, 2) ** 2 / len(X)
    near = (
        "; near a teacher that gives these labels descent is stable up to 2/lambda_max(H(w*)) = "
        f"{2.0 / at_teacher:.6g}"
        if at_teacher > 0.0
        else ""
    )
    return (
        f"up to 2/Lambda = {2.0 / curvature:.6g} the loss never rises, whatever the labels{near}: "
        "choose a step size below the first, or leave it out"
    )


def _curvature(X: Matrix, labels: Vector, layers: Sequence[Matrix]) -> float:
    """A bound on the curvature of the loss in the layers, from the start to the minimiser.

    While no layer's spectral norm exceeds rho, and a minimiser's norm is at most rho^N, the
    second derivative along a unit change of all layers is at most
    (3N - 2) Lambda rho^(2N-2): N from the first-order change of the product, 2(N - 1) from
    its second-order change times the gradient. At N = 1 it is Lambda.

    rho is that of the start, or of the least-norm vector whose logits come nearest to those of
    the labels: with labels of a linear teacher that is the shortest minimiser. Hard labels have
    no logits; then rho is that of the start. So at depth N > 1 the inverse of this bound is a step
    size that is chosen with reason, not one of which descent is proved: a layer may grow beyond
    rho.
    """
    depth = len(layers)
    if depth == 1:
        return smoothness(X)
    rho = max(np.linalg.norm(layer, 2) for layer in layers)
    if not _any_hard(labels):
        minimiser = np.linalg.lstsq(X, special.logit(labels), rcond=None)[0]
        rho = max(rho, np.linalg.norm(minimiser) ** (1.0 / depth))
    return float((3 * depth - 2) * smoothness(X) * rho ** (2 * depth - 2))
