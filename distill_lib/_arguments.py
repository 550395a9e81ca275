"""Is what came in usable?

Every public function passes its arguments through here before it does any work, so that a
mistake is reported by the name of the argument, with what came and what is wanted. Nothing
here knows any mathematics of distillation.
"""

import math
import operator
from typing import Any

import numpy as np

from distill_lib._types import Floats, Matrix, Vector


def matrix(name: str, value: Any, *, columns: int | None = None, like: str | None = None) -> Matrix:
    """Return `value` as a finite float array of shape (n, columns), n >= 1.

    `like` says in words which argument fixes the number of columns.
    """
    array = _finite_floats(name, value)
    if array.ndim != 2 or 0 in array.shape:
        raise ValueError(
            f"{name} must have shape (n, d) with n >= 1 rows, one input per row, "
            f"and d >= 1 columns; got shape {array.shape}"
        )
    if columns is not None and array.shape[1] != columns:
        raise ValueError(
            f"{name} must have {columns} columns to match {like}; got shape {array.shape}"
        )
    return array


def vector(
    name: str,
    value: Any,
    *,
    size: int | None = None,
    like: str | None = None,
    nonzero: bool = False,
) -> Vector:
    """Return `value` as a finite float array of shape (size,)."""
    array = _finite_floats(name, value)
    if array.ndim != 1 or array.size == 0 or (size is not None and array.size != size):
        wanted = f"shape ({size},) to match {like}" if size is not None else "shape (d,), d >= 1"
        raise ValueError(f"{name} must have {wanted}; got shape {array.shape}")
    if nonzero and not array.any():
        raise ValueError(f"{name} must not be the zero vector: it has no direction")
    return array


def teacher(value: Any, X: Matrix | None = None) -> Vector:
    """Return the teacher's weight vector, which must be finite, nonzero and fit the inputs."""
    if X is None:
        return vector("w_teacher", value, nonzero=True)
    return vector("w_teacher", value, size=X.shape[1], like=f"X of shape {X.shape}", nonzero=True)


def labels(value: Any, X: Matrix) -> Vector:
    """Return labels in [0, 1], one for each row of X."""
    array = vector("labels", value, size=X.shape[0], like=f"X of shape {X.shape}")
    if array.min() < 0 or array.max() > 1:
        raise ValueError(
            f"labels must lie in [0, 1], they are probabilities of class 1; "
            f"got values from {array.min():g} to {array.max():g}"
        )
    return array


def layers(name: str, value: Any, X: Matrix | None = None) -> list[Matrix]:
    """Return a network as a list of float matrices W_1, ..., W_N that fit together."""
    if not isinstance(value, tuple | list):
        raise ValueError(f"{name} must be a tuple of matrices W_1, ..., W_N; got {value!r:.80}")
    checked: list[Matrix] = []
    width, like = (None, None) if X is None else (X.shape[1], f"X of shape {X.shape}")
    for j, layer in enumerate(value, start=1):
        checked.append(matrix(f"{name}: layer W_{j}", layer, columns=width, like=like))
        width, like = checked[-1].shape[0], f"the rows of W_{j}"
    if not checked:
        raise ValueError(f"{name} must hold at least one layer (depth >= 1); got none")
    if width != 1:
        raise ValueError(
            f"{name}: the last layer must have 1 row, the student's one output; got {width}"
        )
    return checked


def number(
    name: str,
    value: Any,
    *,
    above: float | None = None,
    least: float | None = None,
    most: float | None = None,
) -> float:
    """Return `value` as a finite float inside the stated range."""
    try:
        # What float() would take all the same: "3", b"3", True, the only entry of an array.
        if isinstance(value, bool | np.bool_ | str | bytes) or np.ndim(value) > 0:
            raise TypeError
        if np.iscomplexobj(value):
            raise TypeError
        result = float(value)
    except (TypeError, ValueError):
        raise ValueError(f"{name} must be a number; got {value!r}") from None
    inside = (
        math.isfinite(result)
        and (above is None or result > above)
        and (least is None or result >= least)
        and (most is None or result <= most)
    )
    if not inside:
        limits = [
            f"{sign} {limit:g}"
            for sign, limit in ((">", above), (">=", least), ("<=", most))
            if limit is not None
        ]
        wanted = " and ".join(["finite", *limits])
        raise ValueError(f"{name} must be {wanted}; got {value!r}")
    return result


def count(name: str, value: Any, *, least: int = 1) -> int:
    """Return `value` as an int of at least `least`; 3.0 or True is refused, not rounded."""
    try:
        if isinstance(value, bool | np.bool_):
            raise TypeError
        result = operator.index(value)
    except TypeError:
        raise ValueError(f"{name} must be a whole number; got {value!r}") from None
    if result < least:
        raise ValueError(f"{name} must be >= {least}; got {result}")
    return result


def generator(value: Any) -> np.random.Generator:
    """Return a numpy Generator; nothing in this library draws from a global or unseeded one."""
    if not isinstance(value, np.random.Generator):
        raise ValueError(
            "rng must be a numpy random Generator, for example numpy.random.default_rng(0); "
            f"got {value!r}"
        )
    return value


def spawning_generator(value: Any) -> np.random.Generator:
    """Return a numpy Generator that can have children."""
    rng = generator(value)
    bits = rng.bit_generator
    if not isinstance(bits.seed_seq, np.random.bit_generator.ISpawnableSeedSequence):
        raise ValueError(
            "rng must have a seed sequence, from which each trial gets a generator of its own, as "
            "numpy.random.default_rng(0) has; that of a RandomState, for one, has none"
        )
    return rng


def angles(name: str, value: Any) -> Floats:
    """Return `value` as a float array (or 0-d array) of angles in [0, pi/2]."""
    array = _finite_floats(name, value)
    if array.size and (array.min() < 0 or array.max() > np.pi / 2):
        raise ValueError(
            f"{name} must hold acute angles in radians, in [0, pi/2]; "
            f"got values from {array.min():g} to {array.max():g}"
        )
    return array


def probabilities(name: str, value: Any) -> Floats:
    """Return `value` as a float array (or 0-d array) of numbers in [0, 1]."""
    array = _finite_floats(name, value)
    if array.size and (array.min() < 0 or array.max() > 1):
        raise ValueError(
            f"{name} must hold probabilities, in [0, 1]; "
            f"got values from {array.min():g} to {array.max():g}"
        )
    return array


def _finite_floats(name: str, value: Any) -> Floats:
    try:
        array = np.asarray(value)
        if array.dtype.kind not in "fiub":
            raise TypeError
        floats = np.asarray(array, np.float64)
    except (TypeError, ValueError):
        raise ValueError(f"{name} must hold real numbers; got {value!r:.80}") from None
    if not np.isfinite(floats).all():
        raise ValueError(f"{name} must be finite; it holds NaN or infinity")
    return floats
