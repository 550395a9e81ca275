"""The hidden half of assignment 1: inputs, and oracles that share nothing with the solution.

Oracles compute entry by entry in plain Python: logarithms and exponentials with 40 decimal
digits, projections in exact fractions. What the solution does with matrices is not used.
"""

import math
from decimal import Decimal, localcontext
from fractions import Fraction

import numpy as np

from course.grader.questions import Assignment, Question, close, near, numbers

# Shapes (n, d): a single number, one input, one coordinate, n below, at and above d.
SHAPES = [(1, 1), (1, 4), (6, 1), (2, 5), (4, 4), (7, 3)]


def logit(x, w):
    """The logit w . x, to 40 digits."""
    return sum(
        (Decimal(float(a)) * Decimal(float(b)) for a, b in zip(x, w, strict=True)), Decimal(0)
    )


def sigma(u):
    """The logistic function, to 40 digits; exp never sees a large positive number."""
    power = (-abs(u)).exp()
    return 1 / (1 + power) if u >= 0 else power / (1 + power)


def exactly(function):
    """Let Decimal count 40 digits while the function runs."""

    def wrapped(*arguments):
        with localcontext() as context:
            context.prec = 40
            return function(*arguments)

    return wrapped


@exactly
def true_labels(X, w_teacher):
    return [float(sigma(logit(x, w_teacher))) for x in X]


@exactly
def true_loss(w, X, y):
    total = Decimal(0)
    for x, label in zip(X, y, strict=True):
        u, p = logit(x, w), Decimal(float(label))
        # log(1 + e^u) is u + log(1 + e^-u): only the power that is below 1 is computed.
        total += max(u, Decimal(0)) + (1 + (-abs(u)).exp()).ln() - p * u
        total += sum((q * q.ln() for q in (p, 1 - p) if q > 0), Decimal(0))
    return float(total / len(X))


@exactly
def true_gradient(w, X, y):
    pull = [sigma(logit(x, w)) - Decimal(float(label)) for x, label in zip(X, y, strict=True)]
    columns = zip(*X, strict=True)
    return [
        float(sum(p * Decimal(float(a)) for p, a in zip(pull, column, strict=True)) / len(X))
        for column in columns
    ]


def true_path(X, y, start, step, steps):
    """Gradient descent on lists of Python's floats."""
    path, n = [[float(a) for a in start]], len(X)
    for _ in range(steps):
        w, slope = path[-1], [0.0] * len(start)
        for x, label in zip(X.tolist(), y.tolist(), strict=True):
            u = math.fsum(a * b for a, b in zip(x, w, strict=True))
            missing = (math.tanh(u / 2) + 1) / 2 - label
            slope = [s + missing * a / n for s, a in zip(slope, x, strict=True)]
        path.append([a - step * s for a, s in zip(w, slope, strict=True)])
    return path


def true_step(X):
    """1 / Lambda by the power method, in fractions of the largest entry."""
    scale = np.abs(X).max()
    rows = X / scale
    v = rows[np.argmax((rows**2).sum(axis=1))]
    for _ in range(300):
        v = rows.T @ (rows @ v)
        v = v / math.sqrt(v @ v)
    stretched = rows @ v
    return 4 * len(X) / (scale**2 * float(stretched @ stretched))


def true_projection(X, w):
    """Gram-Schmidt without square roots, in exact fractions: no rank has to be guessed."""
    student = [Fraction(0)] * len(w)
    target, basis = [Fraction(float(a)) for a in w], []
    for x in X:
        rest = [Fraction(float(a)) for a in x]
        for b in basis:
            share = dot(rest, b) / dot(b, b)
            rest = [a - share * c for a, c in zip(rest, b, strict=True)]
        if any(rest):
            share = dot(target, rest) / dot(rest, rest)
            student = [a + share * c for a, c in zip(student, rest, strict=True)]
            basis.append(rest)
    return np.array([float(a) for a in student])


def dot(a, b):
    return sum((p * q for p, q in zip(a, b, strict=True)), Fraction(0))


def whole(rng, shape):
    """Small whole numbers, so that fractions stay short and dependent rows exactly dependent."""
    numbers_ = rng.integers(-9, 10, size=shape).astype(float)
    numbers_[..., 0] += numbers_[..., 0] == 0  # no zero row by accident
    return numbers_


def label_cases(rng):
    cases = [(rng.standard_normal(shape), rng.standard_normal(shape[1])) for shape in SHAPES]
    extreme = np.array([[1.0, 0.0], [-1.0, 0.0], [0.0, 1.0], [0.0, 0.0]])
    return {
        "ordinary inputs": [*cases, (extreme[::-1] / 8, np.array([80.0, 3]))],
        "extreme logits": [(extreme, np.array([1000.0, -700.0]))],
    }


def loss_cases(rng):
    cases = []
    for n, d in SHAPES:
        X, w, teacher = rng.standard_normal((n, d)), *rng.standard_normal((2, d))
        soft = 1 / (1 + np.exp(-X @ teacher))
        cases += [(w, X, soft), (teacher, X, soft), (3 * w, 2 * X, rng.uniform(size=n))]
    X, hard = rng.standard_normal((5, 3)), np.array([0.0, 1.0, 1.0, 0.0, 0.25])
    far = rng.choice([-1.0, 1.0], size=5)[:, None] * np.array([[1.0], [1.0], [0.9], [0.9], [0.7]])
    wrong = np.array([[1.0], [-1.0]])
    return {
        "soft labels": cases,
        "labels 0 and 1": [(rng.standard_normal(3), X, hard), (np.zeros(1), wrong, hard[:2])],
        # Soft ones, so that who errs with labels 0 and 1 doesn't pay twice; missed by far.
        "extreme logits": [
            (np.array([1000.0]), far, rng.uniform(0.05, 0.95, size=5)),
            (np.array([1000.0]), wrong, np.array([0.05, 0.95])),
        ],
    }


def gradient_cases(rng):
    cases = loss_cases(rng)
    extreme = cases.pop("extreme logits")
    return {"ordinary inputs": sum(cases.values(), []), "extreme logits": extreme}


def step_cases(rng):
    cases = []
    for n, d in [*SHAPES, (5, 2), (3, 8)]:
        # One long direction, so that the power method converges; sizes of many orders.
        X = rng.standard_normal((n, d)) + 3 * np.outer(rng.choice([-1.0, 1.0], n), np.ones(d))
        cases.append((10.0 ** rng.uniform(-5, 5) * X,))
    x = rng.standard_normal(4) + 2
    return [*cases, (np.array([x, x, -2 * x]),), (np.array([x, 0 * x]),)]


def path_cases(rng):
    cases = []
    for (n, d), steps in zip([*SHAPES, (3, 6)], (7, 1, 12, 0, 5, 20, 30), strict=True):
        X = rng.standard_normal((n, d))
        y = rng.uniform(0.05, 0.95, size=n)
        # Below 2 / Lambda, where errors of rounding don't grow.
        step = float(rng.uniform(0.5, 1.5) * 4 * n / (X**2).sum())
        cases.append((X, y, rng.standard_normal(d), step, steps))
    X, y, start, step, _ = cases[4]
    hard = (X, (y > 0.5).astype(float), 0 * start, step, 10)
    return {
        "some steps": [case for case in [*cases, hard] if case[-1]],
        "no steps at all": [case for case in cases if not case[-1]],
    }


def span_cases(rng):
    """Inputs of every rank, and a teacher, none of length 1."""
    cases = [(whole(rng, shape), whole(rng, shape[1])) for shape in [*SHAPES, (3, 5), (5, 6)]]
    many = [(X, w) for X, w in cases if len(X) >= X.shape[1]]
    few = [(X, w) for X, w in cases if len(X) < X.shape[1]]
    a, b, c = whole(rng, (3, 6))
    b[1], c[2] = b[1] + 30, c[2] - 30  # surely not parallel, so that the ranks are as meant
    w = whole(rng, 6)
    sets = {
        "repeated": [a, a, b],
        "multiples": [a, -2 * a, b, c],
        "sums": [a, b, a + b, a - 2 * b, c],
        "more than d, of rank 3": [a, b, c, a + b, b - c, a + c, a, 2 * c],
        "a zero first": [0 * a, a, b],
        "all zero": [0 * a, 0 * a],
    }
    dependent = [(np.array(rows), w) for rows in sets.values()]
    # Powers of two: as small and as large as promised, and still exact.
    sizes = [(X * 2.0**k, w) for X, w in (few[-2], *dependent[1:4:2]) for k in (-31, 28)]
    orthogonal = np.array([[1.0, 1, 0], [1, 1, 0], [0, 0, 3]])
    return {
        "n < d": [*few, (few[-1][0], 100 * few[-1][1])],
        "n >= d": many,
        "dependent inputs": [*dependent[:4], (orthogonal, np.array([2.0, -2, 0]))],
        "zero inputs": dependent[4:],
        "very short or very long inputs": sizes,
    }


def limit_cases(rng):
    spans = span_cases(rng)
    cases = {name: [(X, w, whole(rng, w.shape)) for X, w in each] for name, each in spans.items()}
    X, w, _ = cases["n < d"][-2]
    cases["dependent inputs"] += cases.pop("zero inputs")
    cases["n < d"] += cases.pop("very short or very long inputs")[:2]
    starts = [(X, w, 0 * w), (X, w, w), (X, w, 40 * whole(rng, w.shape))]
    return {**cases, "starts at zero, at the teacher, and far away": starts}


def accept_labels(value, X, w_teacher):
    # Any good formula is within a few units in the last place of a number up to 1.
    return close(value, true_labels(X, w_teacher), rtol=0, atol=1e-12)


def accept_loss(value, w, X, y):
    # The terms cancel from the size of the logits down: an error in proportion, as promised.
    largest = 1 + np.abs(X @ w).max()
    return close(value, true_loss(w, X, y), rtol=0, atol=1e-9 * largest)


def accept_gradient(value, w, X, y):
    return near(value, true_gradient(w, X, y), rtol=0, atol=1e-10 * (1 + np.abs(X).max()))


def accept_step(value, X):
    return close(value, true_step(X), rtol=1e-6)


def accept_path(value, X, y, start, step, steps):
    expected = np.array(true_path(X, y, start, step, steps))
    # Steps this short don't let rounding grow, so that all methods agree to many digits.
    return close(value, expected, rtol=0, atol=1e-9 * (1 + np.abs(expected).max()))


def accept_student(value, X, w_teacher):
    # 1e-6 is what is promised; where the projection is 0, rounding leaves 1e-16 of the teacher.
    size = np.linalg.norm(w_teacher)
    return near(value, true_projection(X, w_teacher), rtol=1e-6, atol=1e-9 * size)


def accept_limit(value, X, w_teacher, start):
    inside = true_projection(X, w_teacher - start)
    size = np.linalg.norm(w_teacher) + np.linalg.norm(start)
    return numbers(value, start.shape) is not None and near(
        numbers(value, start.shape) - start, inside, rtol=1e-6, atol=1e-9 * size
    )


ASSIGNMENT = Assignment(
    name="a1_closed_form",
    questions=(
        Question(
            "q1",
            5,
            "soft_labels",
            label_cases,
            accept_labels,
            "Some labels are wrong. Try a single input, inputs of one coordinate, and logits "
            "of 1000 and -1000.",
            {"ordinary inputs": 3, "extreme logits": 2},
        ),
        Question(
            "q2",
            10,
            "loss",
            loss_cases,
            accept_loss,
            "Some losses are wrong. Try labels 0 and 1, logits of 1000 and -1000, and the "
            "student that is the teacher; is it a mean over the inputs?",
            {"soft labels": 6, "labels 0 and 1": 2, "extreme logits": 2},
        ),
        Question(
            "q3",
            10,
            "gradient",
            gradient_cases,
            accept_gradient,
            "Some gradients are wrong. Compare with differences of the loss, for one input and "
            "for more inputs than coordinates.",
            {"ordinary inputs": 8, "extreme logits": 2},
        ),
        Question(
            "q4",
            5,
            "safe_step",
            step_cases,
            accept_step,
            "Some step sizes are wrong. Try one input, more inputs than coordinates, fewer, and "
            "inputs ten times as long.",
        ),
        Question(
            "q5",
            15,
            "descend",
            path_cases,
            accept_path,
            "Some paths are wrong. Look at their shape, their first row, no steps at all, and "
            "starts other than zero.",
            {"some steps": 12, "no steps at all": 3},
        ),
        Question(
            "q6",
            15,
            "closed_form_student",
            span_cases,
            accept_student,
            "Some students are wrong. Try repeated and zero inputs, sums of inputs, more inputs "
            "than coordinates, very short and very long ones.",
            {
                "n < d": 7,
                "n >= d": 2,
                "dependent inputs": 3,
                "zero inputs": 1,
                "very short or very long inputs": 2,
            },
        ),
        Question(
            "q7",
            10,
            "descent_limit",
            limit_cases,
            accept_limit,
            "Some limits are wrong. Try dependent inputs, inputs that span everything, and a "
            "start that already fits all labels.",
            {
                "n < d": 5,
                "n >= d": 2,
                "dependent inputs": 2,
                "starts at zero, at the teacher, and far away": 1,
            },
        ),
    ),
    manual={"m1": 10, "m2": 10, "m3": 10},
    library=(),
    seconds=120.0,
)
