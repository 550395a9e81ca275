"""What is measured in one trial of a risk curve, and can it be?"""

from collections.abc import Callable
from functools import partial
from typing import Any, TypeAlias

import numpy as np
from scipy import interpolate, special

from distill_lib import _arguments
from distill_lib._gaps import gap_probability, gap_quantile
from distill_lib._logistic import logits
from distill_lib._scaling import power_of_two
from distill_lib._types import Counts, Floats, Matrix, Vector
from distill_lib.exact import axial_risk
from distill_lib.geometry import angle, orthonormal_basis
from distill_lib.inputs import IsotropicGaussian
from distill_lib.laws import AxialLaw, InputLaw
from distill_lib.student import nested_angles

Trial: TypeAlias = Callable[[np.random.Generator, InputLaw], Floats]


def checked_curve(
    inputs: Any, w_teacher: Any, sizes: Any, trials: Any, test_points: Any
) -> tuple[InputLaw, Vector, Counts, int, int | None]:
    """Return the arguments of a risk curve that say what is measured, or refuse them."""
    # A class has the members of its objects: IsotropicGaussian instead of IsotropicGaussian(10).
    if isinstance(inputs, type) or not isinstance(inputs, InputLaw):
        raise ValueError(
            "inputs must be a law with dim and sample(n, rng), such as "
            f"IsotropicGaussian(10); got {inputs!r:.80}"
        )
    dim = _arguments.count("inputs: dim", inputs.dim)
    w_teacher = _arguments.vector(
        "w_teacher", w_teacher, size=dim, like="the inputs' dim", nonzero=True
    )
    wanted = np.atleast_1d(np.asarray(sizes, dtype=object))
    checked = np.array([_arguments.count("sizes", size) for size in wanted.ravel()])
    if wanted.ndim > 1 or checked.size == 0 or (np.diff(checked) <= 0).any():
        raise ValueError(f"sizes must be one or more increasing whole numbers; got {wanted}")
    trials = _arguments.count("trials", trials, least=2)
    if test_points is not None:
        test_points = _arguments.count("test_points", test_points)
    elif not _is_axial_about(inputs, w_teacher):
        raise ValueError(
            "test_points must be given: the risk is a function of the angle only for "
            "IsotropicGaussian inputs and for laws built around this very w_teacher"
        )
    return inputs, w_teacher, checked, trials, test_points


def trial_of_curve(
    inputs: InputLaw, w_teacher: Vector, sizes: Counts, test_points: int | None
) -> Trial:
    """Return what one trial does, from arguments that were checked: the risk at each size."""
    if test_points is not None:
        return partial(_tested_risks, w_teacher=w_teacher, sizes=sizes, test_points=test_points)
    risk_of_angle = _risk_of_angle(inputs)
    return partial(_exact_risks, w_teacher=w_teacher, sizes=sizes, risk_of_angle=risk_of_angle)


def _is_axial_about(inputs: InputLaw, w_teacher: Vector) -> bool:
    """Whether the risk is a function of the student's angle."""
    if isinstance(inputs, IsotropicGaussian):
        return True
    if not isinstance(inputs, AxialLaw):
        return False
    own = _arguments.vector(
        "inputs: w_teacher",
        inputs.w_teacher,
        size=w_teacher.size,
        like="the inputs' dim",
        nonzero=True,
    )
    # 1e-12 rad: the same line up to rounding.
    return bool(np.sin(angle(own, w_teacher)) <= 1e-12)


def _exact_risks(
    rng: np.random.Generator,
    inputs: InputLaw,
    *,
    w_teacher: Vector,
    sizes: Counts,
    risk_of_angle: Callable[[Vector], Vector],
) -> Vector:
    X = _drawn(inputs, int(sizes[-1]), rng)
    return risk_of_angle(nested_angles(X, w_teacher)[sizes - 1])


def _tested_risks(
    rng: np.random.Generator,
    inputs: InputLaw,
    *,
    w_teacher: Vector,
    sizes: Counts,
    test_points: int,
) -> Vector:
    basis, rows = orthonormal_basis(_drawn(inputs, int(sizes[-1]), rng))
    X = _drawn(inputs, test_points, rng)
    w = w_teacher * power_of_two(w_teacher)  # answers don't depend on its length
    # Column k: the logits of the student that knows the first k basis vectors.
    known = np.zeros((test_points, len(rows) + 1))
    np.cumsum((X @ basis.T) * (basis @ w), axis=1, out=known[:, 1:])
    wrong = np.mean((known >= 0) != (logits(X, w) >= 0)[:, None], axis=0)
    if len(rows) == inputs.dim:
        # This student is the teacher; rounding must not make it err on a boundary.
        wrong[-1] = 0.0
    return np.asarray(wrong[np.searchsorted(rows, sizes - 1, side="right")])


def _drawn(inputs: InputLaw, n: int, rng: np.random.Generator) -> Matrix:
    X = inputs.sample(n, rng)
    if np.shape(X) != (n, inputs.dim):
        raise ValueError(
            f"inputs must draw arrays of shape ({n}, {inputs.dim}) when asked for {n}; "
            f"got shape {np.shape(X)}"
        )
    if not np.isfinite(X).all():
        raise ValueError("inputs must draw finite numbers; got NaN or infinity")
    return X


def _risk_of_angle(inputs: InputLaw) -> Callable[[Vector], Vector]:
    """Return a fast function from angle to risk, for inputs of which the risk is one."""
    return _Tabulated(inputs) if isinstance(inputs, AxialLaw) else _ScaledAngle()


class _ScaledAngle:
    def __call__(self, angles: Vector) -> Vector:
        return angles / np.pi


class _Tabulated:
    """`axial_risk` on a grid, interpolated.

    In terms of G, the probability of a gap of at most A: log R is a smooth function of
    log(G / (1 - G)), and linear where G is small. Beyond the largest gap, where G is 1, in terms
    of A.
    """

    def __init__(self, inputs: AxialLaw) -> None:
        self.inputs = inputs
        # Wide steps where it is linear, narrow ones where it bends; down to the least double, and
        # up to where 1/2 is reached (from 20 on it is, to 1e-9).
        # A cubic leaves a relative error below 1e-6 up to an easiness of 8, and 5e-6 up to 20:
        # far less than any Monte Carlo error.
        log_odds = np.concatenate([np.linspace(-700, -30, 300), np.linspace(-30, 36, 1200)[1:]])
        angle = gap_quantile(inputs, special.expit(log_odds))
        risk = np.asarray(axial_risk(angle, inputs))
        # The odds that the rounded angle has, which are those that will be asked for.
        log_odds = special.logit(gap_probability(inputs, angle))
        # Rounded angles may coincide, or have a gap of probability 0; and a law of one's own has
        # its rounding, too: only what is above all before it counts.
        usable = (risk > np.finfo(float).tiny) & np.isfinite(log_odds)
        highest = np.maximum.accumulate(np.where(usable, log_odds, -np.inf))
        usable[1:] &= log_odds[1:] > highest[:-1] + 1e-9
        self.curve: Callable[[Vector], Vector]
        if usable.any():
            self.log_odds = log_odds[usable]
            self.curve = interpolate.CubicSpline(self.log_odds, np.log(risk[usable]))
        else:  # all gaps are alike: what is up to there is never misread
            self.log_odds, self.curve = (
                np.array([np.inf]),
                partial(np.full_like, fill_value=-np.inf),
            )
        # Linear in between, which leaves 1e-6; dense at the least angle, where it may be a root.
        largest = gap_quantile(inputs, np.ones(()))
        self.beyond = largest + (np.pi / 2 - largest) * np.linspace(0, 1, 3001) ** 2
        self.risk_beyond = np.asarray(axial_risk(self.beyond, inputs))
        # Between gaps that lie apart the risk is no function of G: it grows, and G doesn't.
        apart = np.linspace(0, np.pi / 2, 102)[1:-1]
        if not np.allclose(self(apart), axial_risk(apart, inputs), rtol=1e-3, atol=1e-9):
            raise ValueError(
                "inputs must have a gap_probability without level stretches between the least and "
                "the largest gap, for an exact curve; pass test_points to measure the risk"
            )

    def __call__(self, angles: Vector) -> Vector:
        log_odds = special.logit(gap_probability(self.inputs, angles))
        risk = np.exp(self.curve(np.clip(log_odds, self.log_odds[0], self.log_odds[-1])))
        risk = np.where(log_odds >= self.log_odds[0], risk, 0.0)
        beyond = np.interp(angles, self.beyond, self.risk_beyond)
        return np.where(angles > self.beyond[0], beyond, risk)
