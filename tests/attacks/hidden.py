"""The assignment under attack: three questions, with oracles that need no sandbox."""

import numpy as np

from course.grader.questions import Assignment, Question, close, near, same


def pairs(rng):
    X, w = rng.standard_normal((3, 5)), rng.standard_normal(5)
    rank_one = np.outer(rng.uniform(1, 2, size=4), rng.standard_normal(6))
    return [(X, w), (rank_one, rng.standard_normal(6)), (rng.standard_normal((4, 2)), w[:2])]


def projection(X, w):
    return np.linalg.pinv(X, rcond=1e-10) @ (X @ w)


QUESTIONS = (
    Question(
        name="q1",
        points=2,
        function="mean",
        cases=lambda rng: [(rng.uniform(1, 2, size=n),) for n in (1, 4, 7)],
        accept=lambda value, x: close(value, x.mean(), rtol=1e-12),
        hint="Sum, then divide.",
    ),
    Question(
        name="q2",
        points=3,
        function="project",
        cases=pairs,
        # A descent of 5000 steps gets within 1e-9; squaring the condition costs as many digits.
        accept=lambda value, X, w: near(value, projection(X, w), rtol=1e-6),
        hint="Stay in the span of the rows.",
    ),
    Question(
        name="q3",
        points=1,
        function="labels",
        # With 20 inputs it has labels of both kinds, except with probability 2e-6.
        cases=lambda rng: [(rng.standard_normal((20, d)), rng.standard_normal(d)) for d in (1, 3)],
        accept=lambda value, X, w: same(value, X @ w > 0),
        hint="Look at the sign.",
    ),
)
ASSIGNMENT = Assignment(
    name="attacked", questions=QUESTIONS, manual={"essay": 4}, library=(), seconds=5.0
)
