"""The hidden half of assignment 2: inputs, and oracles that share nothing with the solution.

Cosines and projections are exact fractions, tails come from a recurrence or from counting one by
one, and expected risks from the known distribution of the angle.
"""

import math
from fractions import Fraction

import numpy as np
from scipy import integrate, stats

from course.grader.questions import Assignment, Question, between, close, numbers


def dot(a, b):
    return sum((p * q for p, q in zip(a, b, strict=True)), Fraction(0))


def exact(vector):
    return [Fraction(float(a)) for a in vector]


def angle_of(squared_cosine):
    """The angle in [0, pi/2] whose squared cosine is that fraction, to all digits."""
    return math.atan2(math.sqrt(1 - squared_cosine), math.sqrt(squared_cosine))


def true_angles(X, w_teacher):
    w = exact(w_teacher)
    rows = [exact(x) for x in X]
    return [angle_of(dot(x, w) ** 2 / (dot(x, x) * dot(w, w))) for x in rows]


def true_student_angle(X, w_teacher):
    """By Gram-Schmidt without square roots: what each new direction adds to the squared cosine."""
    w, basis, seen = exact(w_teacher), [], Fraction(0)
    for x in X:
        rest = exact(x)
        for b in basis:
            share = dot(rest, b) / dot(b, b)
            rest = [a - share * c for a, c in zip(rest, b, strict=True)]
        if any(rest):
            seen += dot(w, rest) ** 2 / dot(rest, rest)
            basis.append(rest)
    return angle_of(seen / dot(w, w))


def true_isotropic_tail(theta, d):
    """The share of the sphere from theta on, by the recurrence of the integral of sin^(d-2)."""

    def integral(start, m):
        if m < 2:
            return math.cos(start) if m else math.pi / 2 - start
        head = math.cos(start) * math.sin(start) ** (m - 1) / m
        return head + (m - 1) / m * integral(start, m - 2)

    return [integral(float(t), d - 2) / integral(0.0, d - 2) for t in theta]


def true_isotropic_risk(n, d):
    """Mean and standard deviation of A / pi; the squared cosine of A is Beta(n/2, (d - n)/2)."""
    if n >= d:
        return 0.0, 0.0
    density = stats.beta(n / 2, (d - n) / 2).pdf

    def mean(power):
        # In the angle itself, where the density has no poles.
        def value(a):
            return (a / np.pi) ** power * density(np.cos(a) ** 2) * np.sin(2 * a)

        return integrate.quad(value, 0, np.pi / 2)[0]

    return mean(1), math.sqrt(mean(2) - mean(1) ** 2)


def whole(rng, shape):
    """Small whole numbers, so that fractions stay short and dependent rows exactly dependent."""
    entries = rng.integers(-9, 10, size=shape).astype(float)
    entries[..., 0] += 3 * (entries[..., 0] == 0)  # no zero row by accident
    return entries


def angle_cases(rng):
    cases = []
    for n, d in [(1, 1), (1, 3), (6, 1), (2, 5), (4, 4), (9, 3)]:
        lengths = 10.0 ** rng.uniform(-3, 3, size=(n, 1))
        cases.append((lengths * rng.standard_normal((n, d)), 7 * rng.standard_normal(d)))
    # Along the teacher, where rounding makes cosines of more than 1, and across.
    w = rng.standard_normal(5)
    along = np.outer(rng.standard_normal(60), w)
    across = np.array([[0.0, 0.0, 2.0], [-1.0, 1.0, 0.0], [-3.0, -3.0, 0.0]])
    return {
        "inputs anywhere": cases,
        "inputs along or across the teacher": [(along, w), (across, np.array([4.0, 4.0, 0.0]))],
    }


def tail_cases(rng):
    angles = rng.uniform(0, np.pi / 2, size=12)
    ends = np.array([0.0, np.pi / 2])
    few = np.array([0.25, 0.5, 0.5, 0.5, 1.0])
    theta = np.sort(rng.uniform(0, np.pi / 2, size=7))
    return {
        "angles that differ from theta": [(angles, theta), (angles, theta[[3, 0, 6]])],
        "angles that equal theta": [
            (angles, angles[:5]),
            (few, np.array([1.0, 0.5, 0.25, 0.0, 0.7])),  # and not in order
            (angles[:1], np.append(ends, angles[0])),
            (np.append(angles, ends), ends),
            (angles, ends[:1]),
        ],
    }


def isotropic_tail_cases(rng):
    theta = np.concatenate([[0.0], rng.uniform(0, np.pi / 2, size=6), [1.3, np.pi / 2]])
    return {
        "low dimensions": [(theta, d) for d in (2, 3, 4, 7)],
        "high dimensions": [*((theta, d) for d in (20, 60)), (np.array([1.5]), 150)],
    }


def lemma_cases(rng):
    shapes = [(1, 1), (1, 4), (5, 1), (2, 5), (4, 4), (3, 7), (7, 3)]
    cases = [(whole(rng, (n, d)), whole(rng, d)) for n, d in shapes]
    a, b, w = whole(rng, (3, 6))
    a[1], b[2] = a[1] + 30, b[2] - 30  # surely not parallel
    # Inputs that span everything: in some of so many sets a cosine is rounded to more than 1.
    full = [(whole(rng, (4, 3)), whole(rng, 3)) for _ in range(25)]
    few = [(X, w) for X, w in cases if len(X) < X.shape[1]]
    return {
        "n < d": [
            *few,
            (np.array([a, b]) * 2.0**-20, w * 2.0**20),
            (np.array([a, b]) * 2.0**20, w),
        ],
        "inputs that span everything": [(X, w) for X, w in cases if len(X) >= X.shape[1]] + full,
        "dependent inputs": [
            (np.array([a, -2 * a, b]), w),
            (np.array([a, b, a + b, a - b, b, a, 2 * a]), w),  # more than d, of rank 2
        ],
        "inputs along or across the teacher": [
            (np.array([w, a]), w),
            (np.array([[0.0, 0, 1], [1, -1, 0]]), np.array([2.0, 2, 0])),  # nothing seen
            (np.array([[0.0, 0, 1], [1, -1, 1], [9, -8, 0]]), np.array([2.0, 2, 0])),
        ],
    }


def bound_cases(rng):
    cases = []
    for k, n in ((2, 1), (3, 1), (5, 2), (40, 3), (41, 7), (400, 30), (2001, 100)):
        theta = np.linspace(0, 1, k)
        falling = np.sort(rng.uniform(size=k))[::-1]
        falling[0] = 1.0
        cases += [(falling, n), ((1 - theta) ** rng.uniform(0.4, 3), n)]
    flat = np.array([1.0, 1.0, 1.0, 0.9, 0.5])
    # For n = 1 the sums are symmetric, and the last of them is as good as the first.
    cases += [(flat, 4), (np.array([1.0, 1.0, 0.2, 0.1, 0.0]), 1)]
    return {
        "several inputs": [(p, n) for p, n in cases if n > 1],
        "one input": [(p, n) for p, n in cases if n == 1],
    }


def risk_cases(rng):
    # Inputs on a side, for sure: those of a continuous law are no ties, nor near any.
    cases = [
        (whole(rng, d), whole(rng, d), rng.standard_normal((m, d)))
        for m, d in ((1, 3), (7, 1), (40, 4), (20, 3))
    ]
    ties = rng.integers(-2, 3, size=(60, 3)).astype(float)
    w = np.array([[1.0, -1, 0], [0, 1, 1], [1, 1, -1]])
    pairs = [(w[0], w[1]), (w[1], w[2]), (w[2], -w[2]), (w[0], 3 * w[0]), (0 * w[0], w[1])]
    return {
        "inputs with a side": cases,
        "inputs with w . x = 0": [(a, b, ties) for a, b in pairs],
    }


def monte_carlo_cases(rng):
    # With two sets of 50 inputs in dimension 100 the risk hardly varies: a sum that is divided
    # by a wrong number of sets is seen there.
    sizes = [(1, 2, 2000), (3, 8, 500), (10, 20, 500), (19, 20, 200), (50, 100, 2)]
    sizes += [(1, 1, 5), (5, 5, 20), (7, 4, 20)]
    cases = [(n, d, trials, int(rng.integers(1000))) for n, d, trials in sizes]
    return {
        "n < d": [case for case in cases if case[0] < case[1]],
        "n >= d": [case for case in cases if case[0] >= case[1]],
    }


def accept_angles(value, X, w_teacher):
    # As promised. The arc cosine of a rounded cosine near 1 is off by up to 5e-8.
    return close(value, true_angles(X, w_teacher), rtol=0, atol=1e-6)


def accept_tail(value, angles, theta):
    counts = [sum(bool(a >= t) for a in angles.tolist()) for t in theta.tolist()]
    return close(value, np.array(counts) / len(angles), rtol=0, atol=1e-12)


def accept_isotropic_tail(value, theta, d):
    return close(value, true_isotropic_tail(theta, d), rtol=0, atol=1e-6)  # as promised


def accept_lemma(value, X, w_teacher):
    expected = true_student_angle(X, w_teacher), min(true_angles(X, w_teacher))
    return close(value, expected, rtol=0, atol=1e-6)  # as for the angles


def accept_bound(value, p, n):
    p, last = p.tolist(), len(p) - 1
    sums = (p[i] + math.prod([p[last - i]] * n) for i in range(len(p)))
    return close(value, min(sums), rtol=1e-9)  # rounding of a power and a sum


def accept_risk(value, w_student, w_teacher, X):
    # Ties are of whole numbers: no rounding, and all others are far from ties.
    wrong = [(dot(exact(x), w_student) >= 0) != (dot(exact(x), w_teacher) >= 0) for x in X]
    return close(value, sum(wrong) / len(wrong), rtol=0, atol=1e-12)


def accept_monte_carlo(value, n, d, trials, seed):
    # Five standard errors: a right answer fails once in a million. Where the risk is always 0,
    # the arc cosine of a rounded cosine leaves 1e-8.
    mean, deviation = true_isotropic_risk(n, d)
    slack = 5 * deviation / math.sqrt(trials) + 1e-6
    return numbers(value, ()) is not None and between(value, mean - slack, mean + slack)


ASSIGNMENT = Assignment(
    name="a2_risk_bound",
    questions=(
        Question(
            "q1",
            10,
            "acute_angles",
            angle_cases,
            accept_angles,
            "Some angles are wrong. Try inputs and teachers of very different lengths, one input, "
            "one coordinate, and inputs along the teacher or across it.",
            {"inputs anywhere": 7, "inputs along or across the teacher": 3},
        ),
        Question(
            "q2",
            5,
            "empirical_tail",
            tail_cases,
            accept_tail,
            "Some shares are wrong. Try angles that equal theta, angles that repeat, and a theta "
            "that isn't in order.",
            {"angles that differ from theta": 3, "angles that equal theta": 2},
        ),
        Question(
            "q3",
            10,
            "isotropic_tail",
            isotropic_tail_cases,
            accept_isotropic_tail,
            "Some tails are wrong. Try both ends of the range of angles, even and odd dimensions, "
            "and high ones.",
            {"low dimensions": 7, "high dimensions": 3},
        ),
        Question(
            "q4",
            10,
            "lemma_a",
            lemma_cases,
            accept_lemma,
            "Some pairs are wrong. Try dependent inputs, more inputs than coordinates, inputs "
            "that see nothing of the teacher, and teachers of any length.",
            {
                "n < d": 5,
                "inputs that span everything": 2,
                "dependent inputs": 2,
                "inputs along or across the teacher": 1,
            },
        ),
        Question(
            "q5",
            10,
            "risk_bound",
            bound_cases,
            accept_bound,
            "Some bounds are wrong. Try n = 1, a large n, a grid with an even and with an odd "
            "number of angles, and a tail that doesn't end at 0.",
            {"several inputs": 8, "one input": 2},
        ),
        Question(
            "q6",
            5,
            "transfer_risk",
            risk_cases,
            accept_risk,
            "Some risks are wrong. Look at inputs with w . x = 0 exactly, for the teacher and for "
            "the student.",
            {"inputs with a side": 3, "inputs with w . x = 0": 2},
        ),
        Question(
            "q7",
            15,
            "isotropic_risk",
            monte_carlo_cases,
            accept_monte_carlo,
            "Some estimates are too far from the truth. Try n = 1 and n = d - 1, n from d on, few "
            "trials and many.",
            {"n < d": 12, "n >= d": 3},
        ),
    ),
    manual={"m1": 10, "m2": 15, "m3": 10},
    library=(),
    seconds=120.0,
)
