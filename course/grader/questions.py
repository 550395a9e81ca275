"""What an assignment asks, and when an answer is right.

`hidden.py` of an assignment defines `ASSIGNMENT` with these classes. Everything here runs in the
grader, never beside a student's code. An answer has come through JSON and is plain data: None,
bool, int, float, str, lists of these, or a numpy array of floats (of bools, if it was one; in
single precision, if it was). It may hold anything: nan, a wrong shape, a number where a list
should be.
"""

import zlib
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np


@dataclass(frozen=True)
class Question:
    """A function that the student defines, and how it is judged.

    It gets all points or none, unless the hidden cases fall into groups with a name. Then the
    first group comes first: without it there are no points. Each of the others adds its own. So
    what is right for zeros only, or returns its argument, gets nothing.
    """

    name: str  # "q1": shown to the student, a column of grades.csv
    points: int
    function: str  # the name that the student defines
    # cases(rng) -> list of tuples: the hidden arguments of each call; or {group: such a list}
    cases: Callable
    accept: Callable  # accept(value, *arguments) -> bool: the oracle and its tolerance
    hint: str  # said when a case fails; reveals no hidden argument and no expected value
    groups: dict[str, int] = field(default_factory=dict)  # {group: points}, which make up the sum

    def __post_init__(self):
        if self.groups and (
            sum(self.groups.values()) != self.points or min(self.groups.values()) <= 0
        ):
            raise ValueError(f"{self.name}: the points of the groups must make up {self.points}")

    def hidden_groups(self, seed):
        """Return {group: arguments of every call}; they depend on seed and name of the question.

        Where there are no groups, there is one, called "".
        """
        rng = np.random.default_rng([seed, zlib.crc32(self.name.encode())])
        given = self.cases(rng)
        given = given if isinstance(given, dict) else {"": given}
        if set(given) != set(self.worth):
            raise ValueError(f"{self.name}: the groups are {set(given)}, of {set(self.worth)}")
        return {group: [tuple(each) for each in given[group]] for group in self.worth}

    @property
    def worth(self):
        """The points of each group."""
        return self.groups or {"": self.points}

    def hidden_cases(self, seed):
        """Return the arguments of every call of all groups."""
        return [each for group in self.hidden_groups(seed).values() for each in group]

    def accepts(self, value, arguments):
        """Whether an answer is right; one that the oracle stumbles over isn't."""
        try:
            with np.errstate(all="ignore"):
                return bool(self.accept(value, *arguments))
        except Exception:
            return False


@dataclass(frozen=True)
class Assignment:
    """A notebook's questions, and what its functions may use."""

    name: str  # "a1_closed_form": the name of its folder
    questions: tuple[Question, ...]
    manual: dict[str, int]  # parts graded by hand and their points: blank columns of grades.csv
    library: tuple[str, ...]  # the modules of distill_lib that students may import, () for none
    seconds: float  # how long all cells and all calls together may take
    # Right functions as source, of the solution: the grader fills them in (solution.py)
    sources: dict[str, str] = field(default_factory=dict)


def numbers(value, shape):
    """Return an answer as a float array of that shape, or None if it isn't one.

    Lists of numbers, and lists of arrays, are as good as arrays. Bools and strings are no
    numbers; nan and infinity are none either.
    """

    def numeric(part):
        if isinstance(part, list):
            return all(map(numeric, part))
        if isinstance(part, np.ndarray):
            return part.dtype.kind == "f"
        return isinstance(part, (int, float)) and not isinstance(part, bool)

    if not numeric(value):
        return None
    try:
        array = np.asarray(value, dtype=float)
    except (ValueError, OverflowError):  # ragged lists; integers beyond every float
        return None
    return array if array.shape == tuple(shape) and np.isfinite(array).all() else None


def precision(value):
    """Return the relative error that the numbers of an answer have for being stored as they are.

    In single precision it is 1e-7, and no method could do better.
    """
    if isinstance(value, list):
        return max(map(precision, value), default=0.0)
    if isinstance(value, np.ndarray) and value.dtype == np.float32:
        return float(np.finfo(np.float32).eps)
    return 0.0


def close(value, expected, rtol=1e-6, atol=0.0):
    """Whether every entry is within atol + rtol * |its expected value|, in the same shape."""
    expected = np.asarray(expected, dtype=float)
    array = numbers(value, expected.shape)
    rtol = max(rtol, precision(value))
    return array is not None and bool(
        (np.abs(array - expected) <= atol + rtol * np.abs(expected)).all()
    )


def near(value, expected, rtol=1e-6, atol=0.0):
    """Whether the distance to an expected vector or matrix is within atol + rtol * its norm.

    For answers with entries near zero, where `close` would ask for digits that no method has.
    """
    expected = np.asarray(expected, dtype=float)
    array = numbers(value, expected.shape)
    rtol = max(rtol, precision(value))
    return array is not None and bool(
        np.linalg.norm(array - expected) <= atol + rtol * np.linalg.norm(expected)
    )


def between(value, low, high):
    """Whether an answer is one number from low to high."""
    array = numbers(value, ())
    return array is not None and bool(low <= array <= high)


def same(value, expected):
    """Whether an answer equals expected: for labels, counts, truths and words.

    True is as good as 1 here, 1.0 as good as 1; a string equals only a string.
    """
    if isinstance(expected, str) or isinstance(value, str):
        return isinstance(value, str) and isinstance(expected, str) and value == expected
    if value is None or expected is None:
        return value is expected
    try:
        value, expected = np.asarray(value), np.asarray(expected)
    except ValueError:  # ragged lists
        return False
    return (
        value.dtype.kind in "biuf"
        and value.shape == expected.shape
        and bool((value == expected).all())
    )
