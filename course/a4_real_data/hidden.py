"""The hidden half of assignment 4: inputs, and oracles that share nothing with the solution.

The teacher is found by Newton's method, students by exact Gram-Schmidt, tails by counting.
"""

import bisect
import math
from fractions import Fraction

import numpy as np

from course.grader.questions import Assignment, Question, close, near


def dot(a, b):
    return sum((p * q for p, q in zip(a, b, strict=True)), Fraction(0))


def exact(vector):
    return [Fraction(float(a)) for a in vector]


def true_teacher(X, y, decay):
    """Newton's method, halving steps that don't lower the objective."""

    def objective(w):
        u = X @ w
        return math.fsum(np.logaddexp(0.0, -u) + (1 - y) * u) / len(X) + decay / 2 * math.fsum(w**2)

    w = np.zeros(X.shape[1])
    for _ in range(100):
        s = (1 + np.tanh(X @ w / 2)) / 2
        slope = X.T @ (s - y) / len(X) + decay * w
        curvature = (X.T * (s * (1 - s))) @ X / len(X) + decay * np.eye(len(w))
        step = np.linalg.solve(curvature, slope)
        while objective(w - step) > objective(w) + 1e-14:
            step = step / 2
        w = w - step
    return w


def true_risks(X, w_teacher, X_test):
    """Each student adds to the one before what the new row shows of the teacher, in fractions."""
    w, tests = exact(w_teacher), [exact(x) for x in X_test]
    student, basis, risks = [Fraction(0)] * len(w), [], []
    for x in X:
        rest = exact(x)
        for b in basis:
            share = dot(rest, b) / dot(b, b)
            rest = [a - share * c for a, c in zip(rest, b, strict=True)]
        if any(rest):
            basis.append(rest)
            share = dot(w, rest) / dot(rest, rest)
            student = [a + share * c for a, c in zip(student, rest, strict=True)]
        wrong = sum((dot(t, student) >= 0) != (dot(t, w) >= 0) for t in tests)
        risks.append(wrong / len(tests))
    return risks


def teacher_cases(rng):
    cases = []
    for (n, d), decay in zip(
        [(1, 1), (1, 3), (8, 1), (30, 2), (40, 6), (5, 9), (12, 12)],
        (0.5, 0.02, 0.1, 1.0, 0.01, 10.0, 0.003),
        strict=True,
    ):
        X = rng.standard_normal((n, d)) + rng.standard_normal(d)
        noisy = X @ rng.standard_normal(d) + rng.standard_normal(n) >= 0
        cases.append((X, noisy.astype(float), decay))
    X, _, _ = cases[4]
    separated = (X[:, 0] >= np.median(X[:, 0])).astype(float)
    easy = [(X, separated, 0.001), (X, 1 - separated, 100.0), (X, separated, 0.2)]
    return {"noisy classes": cases, "classes that can be separated": easy}


def risk_cases(rng):
    cases = []
    for n, d in ((1, 1), (1, 4), (6, 3), (4, 8), (7, 7)):
        X, tests = rng.integers(-4, 5, size=(n, d)), rng.standard_normal((60, d))
        X[:, 0] += 5  # no zero row
        tests[7] = 0  # the one tie: both say class 1
        cases.append((X.astype(float), 1 + rng.uniform(size=d), tests))
    X, w, tests = cases[3]
    dependent = np.array([X[0], X[0], X[1], X[0] - 2 * X[1], X[2], -X[2], X[3], X[1]])
    constant = X.copy()
    constant[:, 1:3] = 0.0  # pixels that are always the same
    return {
        "independent inputs": [*cases[:2], *cases[3:]],
        "dependent inputs": [cases[2], (dependent, w, tests), (dependent, 100 * w, tests)],
        "columns that are always zero": [(constant, w, tests)],
    }


def angle_cases(rng):
    cases = [(np.pi / 2 * (1 - rng.uniform(size=m) ** rng.uniform(0.3, 3)),) for m in (1, 2, 9, 80)]
    return {
        "angles above 0": [*cases, (np.array([1.5, 1.57]),)],
        "angles of 0": [(np.array([0.0, 0.0, 1.3]),)],
    }


def bound_cases(rng):
    cases = []
    for m, n in ((1, 1), (2, 1), (7, 2), (30, 5), (100, 20), (50, 300)):
        # Angles on both sides of 45 degrees.
        angles = rng.uniform(0.05, 0.7, size=m)
        angles[::3] = rng.uniform(0.9, 1.55, size=len(angles[::3]))
        cases.append((angles, n))
        cases.append((rng.uniform(0.2, 1.5, size=m), n))
    # More angles than the grid has: the least sum depends on the grid.
    cases += [(np.pi / 2 * rng.beta(2, 2, size=2000), n) for n in (2, 5, 10)]
    hard = rng.uniform(0.9, 1.5, size=20)
    cases += [(hard, 10), (np.pi / 2 - hard, 2), (np.array([0.3, 0.4, 1.5, 1.55]), 3)]
    return {
        "several inputs": [(angles, n) for angles, n in cases if n > 1],
        "one input": [(angles, n) for angles, n in cases if n == 1],
    }


def accept_teacher(value, X, y, decay):
    return near(value, true_teacher(X, y, decay), rtol=0.01)  # as promised


def accept_risks(value, X, w_teacher, X_test):
    # Apart from the zero no test input is a tie, or so near that rounding decides.
    return close(value, true_risks(X, w_teacher, X_test), rtol=0, atol=1e-12)


def accept_easiness(value, angles):
    # exp of the mean of logarithms: the geometric mean of the gaps.
    gaps = [1 - float(a) / (math.pi / 2) for a in angles]
    mean = math.fsum(math.log2(gap) for gap in gaps) / len(gaps) * math.log(2)
    return close(value, -1 / mean, rtol=1e-6)


def accept_bound(value, angles, n):
    angles = sorted(angles.tolist())
    m, best = len(angles), math.inf
    for k in range(1001):
        beta, rest = (math.pi / 2 * j / 1000 for j in (k, 1000 - k))
        given_up, unlucky = (m - bisect.bisect_left(angles, a) for a in (beta, rest))
        best = min(best, given_up / m + (unlucky / m) ** n)
    return close(value, best, rtol=0, atol=1e-9)  # of counts; angles on the grid don't occur


ASSIGNMENT = Assignment(
    name="a4_real_data",
    questions=(
        Question(
            "q1",
            10,
            "train_teacher",
            teacher_cases,
            accept_teacher,
            "Some teachers are more than 1% off. Try one input, fewer inputs than coordinates, "
            "classes that can be separated, and weak and strong decay.",
            {"noisy classes": 7, "classes that can be separated": 3},
        ),
        Question(
            "q2",
            10,
            "student_risks",
            risk_cases,
            accept_risks,
            "Some risks are wrong. Try dependent inputs, columns that are always zero, more "
            "inputs than coordinates, and a test input that is zero.",
            {"independent inputs": 6, "dependent inputs": 3, "columns that are always zero": 1},
        ),
        Question(
            "q3",
            5,
            "fit_easiness",
            angle_cases,
            accept_easiness,
            "Some values are wrong. Try a single angle, and angles of 0.",
            {"angles above 0": 4, "angles of 0": 1},
        ),
        Question(
            "q4",
            10,
            "bound_from_angles",
            bound_cases,
            accept_bound,
            "Some bounds are wrong. Try n = 1, one angle, angles on one side of 45 degrees only, "
            "and look at the ends of the grid.",
            {"several inputs": 8, "one input": 2},
        ),
    ),
    manual={"m1": 15, "m2": 15, "m3": 25, "m4": 10},
    library=(),
    seconds=120.0,
)
