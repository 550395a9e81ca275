"""The hidden half of assignment 3: inputs, and oracles that share nothing with the solution.

Products are sums over indices in plain Python, a gradient is what a unit in one entry does to the
product, roots are not computed but tested, and training is compared with the book's library.
"""

import math

import numpy as np

import distill_lib as dl
from course.grader.questions import Assignment, Question, close, near, numbers


def matrix_product(A, B):
    rows, columns = np.asarray(A).tolist(), list(zip(*np.asarray(B).tolist(), strict=True))
    return [
        [math.fsum(a * b for a, b in zip(row, column, strict=True)) for column in columns]
        for row in rows
    ]


def true_product(layers):
    """W_N ... W_1, from the last layer down."""
    product = np.asarray(layers[-1]).tolist()
    for W in layers[-2::-1]:
        product = matrix_product(product, W)
    return np.array(product[0])


def true_defects(layers):
    """The Frobenius norm of each pair's difference."""
    norms = []
    for before, after in zip(layers[:-1], layers[1:], strict=True):
        inner = np.array(matrix_product(after.T, after))
        norms.append(math.sqrt(math.fsum((inner - matrix_product(before, before.T)).ravel() ** 2)))
    return norms


def true_gradients(layers, g):
    """The loss changes by g . (change of the product), and the product is linear in each layer."""
    gradients = []
    for j, W in enumerate(layers):
        gradient = np.zeros(W.shape)
        for place in np.ndindex(W.shape):
            unit = np.zeros(W.shape)
            unit[place] = 1.0
            changed = true_product([*layers[:j], unit, *layers[j + 1 :]])
            gradient[place] = math.fsum(changed * g)
        gradients.append(gradient)
    return gradients


# Numbers of columns of the first layer, then of rows of each: deep, flat, narrow, not square.
SIZES = [(3, 1), (1, 1), (4, 2, 1), (2, 5, 1), (3, 2, 4, 1), (1, 1, 1, 1), (4, 3, 3, 3, 1)]


def network(rng, sizes):
    pairs = zip(sizes[1:], sizes[:-1], strict=True)
    return [rng.standard_normal(shape) for shape in pairs]


def network_cases(rng):
    cases = [(network(rng, sizes),) for sizes in [*SIZES, (6, 2, 2, 1)]]
    return by_depth(cases, lambda layers: len(layers))


def by_depth(cases, depth):
    """Cases of several layers, and of one."""
    return {
        "several layers": [case for case in cases if depth(*case) > 1],
        "depth 1": [case for case in cases if depth(*case) == 1],
    }


def balance_cases(rng):
    cases = []
    for (d, depth, width), size in zip(
        [(4, 1, 3), (1, 1, 1), (1, 3, 2), (5, 2, 3), (2, 3, 4), (4, 4, 1), (6, 5, 3), (3, 6, 2)],
        10.0 ** rng.uniform(-2, 2, size=8),
        strict=True,
    ):
        cases.append((size * rng.standard_normal(d), depth, width))
    cases.append((np.array([0.0, 0.0, -8.0]), 3, 3))
    return by_depth(cases, lambda w, depth, width: depth)


def defect_cases(rng):
    cases = network_cases(rng)
    deep = cases["several layers"]
    # The worst pair first, in the middle, and last; and a defect of one sign and the other.
    W = network(rng, (3, 3, 3, 3, 1))
    for j in range(4):
        deep.append(([5 * V if i == j else V for i, V in enumerate(W)],))
    deep.append((list(dl.balanced_layers(rng.standard_normal(4), 3, rng=rng)),))
    return cases


def gradient_cases(rng):
    return {
        name: [(layers, rng.standard_normal(layers[0].shape[1])) for (layers,) in cases]
        for name, cases in network_cases(rng).items()
    }


def training_cases(rng):
    cases = []
    for sizes, n, steps in zip(SIZES, (1, 4, 5, 1, 3, 2, 8), (3, 5, 1, 10, 2, 0, 6), strict=True):
        X, y = rng.standard_normal((n, sizes[0])), rng.uniform(0.1, 0.9, size=n)
        layers = [0.7 * W for W in network(rng, sizes)]
        cases.append((layers, X, y, float(rng.uniform(0.05, 0.3)), steps))
    return {
        "some steps": [case for case in cases if case[-1]],
        "no steps at all": [case for case in cases if not case[-1]],
    }


def offset_cases(rng):
    cases = [(0.3, 0.4, 1.0, 1), (0.1, 0.1, 1.0, 3)]
    for depth in (1, 2, 2, 3, 4, 5, 7, 10):
        r0 = 10.0 ** rng.uniform(-2, 2)
        q0 = r0 * 10.0 ** rng.uniform(-1.5, 0)
        cases.append((q0, r0, r0 * 10.0 ** rng.uniform(-0.9, 1), depth))
    # Large starts, whose offset is mostly their own, and starts with all outside the span.
    r0 = float(rng.uniform(50, 100))
    return {
        "short starts": [*cases, (0.01, 0.01, 900.0, 10)],
        "q0 = 0": [(0.0, 0.5, 1.0, 3), (0.0, 0.1, 2.0, 1)],
        "starts longer than the student": [(0.9 * r0, r0, 0.5, 4), (r0, r0, 0.1, 10)],
    }


def norm_cases(rng):
    cases = [(0.1, 1.0, 1), (1.0, 1.0, 2)]
    for depth in (1, 2, 3, 4, 6):
        length = 10.0 ** rng.uniform(-1, 1)
        cases.append((length * 10.0 ** rng.uniform(-2, 1), length, depth))
    return by_depth(cases, lambda epsilon, length, depth: depth)


def accept_product(value, layers):
    expected = true_product(layers)
    return near(value, expected, rtol=1e-9, atol=1e-12)  # sums of a few products


def accept_balanced(value, w, depth, width):
    sizes = [len(w)] + [width] * (depth - 1) + [1]
    if len(value) != depth:
        return False
    layers = [numbers(value[j], (sizes[j + 1], sizes[j])) for j in range(depth)]
    if any(W is None for W in layers):
        return False
    # As promised, relative to what the terms are: |w|^(2/N).
    terms = np.linalg.norm(w) ** (2 / depth)
    return near(true_product(layers), w, rtol=1e-9) and all(
        defect <= 1e-9 * terms for defect in true_defects(layers)
    )


def accept_defect(value, layers):
    size = max(np.linalg.norm(W) ** 2 for W in layers)
    return close(value, max([0.0, *true_defects(layers)]), rtol=1e-9, atol=1e-12 * size)


def accept_gradients(value, layers, g):
    expected = true_gradients(layers, g)
    return len(value) == len(expected) and all(
        near(given, true, rtol=1e-9, atol=1e-12)
        for given, true in zip(value, expected, strict=True)
    )


def accept_training(value, layers, X, y, step, steps):
    run = dl.gradient_descent(X, y, layers, step_size=step, steps=steps, record_every=max(steps, 1))
    expected = run.layers if steps else layers
    return len(value) == len(layers) and all(
        near(given, true, rtol=1e-9) for given, true in zip(value, expected, strict=True)
    )


def law(q, q0, r0, student_norm, depth):
    """Logarithm of the left side of the law over its right side; increases with q."""
    return math.log(q / q0) - (1 - 1 / depth) * math.log(math.hypot(student_norm, q) / r0)


def accept_offset(value, q0, r0, student_norm, depth):
    if numbers(value, ()) is None or q0 == 0:
        return close(value, 0.0, atol=1e-9)
    # The one root is within a millionth of the answer, as promised. (The slope of the law is at
    # least 1/N, so its signs here are far above rounding.)
    low, high = float(value) * (1 - 1e-6), float(value) * (1 + 1e-6)
    rest = q0, r0, student_norm, depth
    return low > 0 and law(low, *rest) < 0 < law(high, *rest)


def accept_norm(value, epsilon, student_norm, depth):
    if numbers(value, ()) is None or value <= 0:
        return False
    # The worst start lies wholly outside the span. A little shorter it ends within epsilon, a
    # little longer beyond: the law, at epsilon, has opposite signs.
    short, long = float(value) * (1 - 1e-6), float(value) * (1 + 1e-6)
    return (
        law(epsilon, short, short, student_norm, depth)
        > 0
        > law(epsilon, long, long, student_norm, depth)
    )


ASSIGNMENT = Assignment(
    name="a3_deep_students",
    questions=(
        Question(
            "q1",
            5,
            "end_to_end",
            network_cases,
            accept_product,
            "Some products are wrong. Try depth 1, layers that aren't square, and hidden layers "
            "of width 1.",
            {"several layers": 4, "depth 1": 1},
        ),
        Question(
            "q2",
            15,
            "balanced_layers",
            balance_cases,
            accept_balanced,
            "Some networks have wrong shapes or a wrong product, or aren't balanced. Try depth 1, "
            "width 1, hidden layers wider than the input, and w much longer than 1.",
            {"several layers": 12, "depth 1": 3},
        ),
        Question(
            "q3",
            5,
            "balance_defect",
            defect_cases,
            accept_defect,
            "Some defects are wrong. Try depth 1, and networks whose worst pair is the first, the "
            "last, or between.",
            {"several layers": 4, "depth 1": 1},
        ),
        Question(
            "q4",
            15,
            "layer_gradients",
            gradient_cases,
            accept_gradients,
            "Some gradients are wrong. Try depth 1, layers that aren't square, and four layers.",
            {"several layers": 13, "depth 1": 2},
        ),
        Question(
            "q5",
            10,
            "train",
            training_cases,
            accept_training,
            "Some trained layers are wrong. Try one input, no steps, several steps, and look at "
            "which layers a gradient is computed from.",
            {"some steps": 8, "no steps at all": 2},
        ),
        Question(
            "q6",
            15,
            "limit_offset",
            offset_cases,
            accept_offset,
            "Some offsets aren't the root of the law. Try depth 1, q0 = 0, starts longer than the "
            "student and much shorter ones, and large depths.",
            {"short starts": 11, "q0 = 0": 2, "starts longer than the student": 2},
        ),
        Question(
            "q7",
            10,
            "starting_norm",
            norm_cases,
            accept_norm,
            "Some norms are too large or not the largest. Try depth 1, and epsilon longer than "
            "the student.",
            {"several layers": 8, "depth 1": 2},
        ),
    ),
    manual={"m1": 15, "m2": 10},
    library=(),
    seconds=120.0,
)
