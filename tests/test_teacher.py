"""The teacher of real data is the minimum that it claims to be, and scikit-learn's."""

import ast
import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from conftest import needed
from scipy import optimize, special

from distill_lib import digits, logistic_regression, teacher, tumours


def objective(w, X, labels, C):
    """What is minimised, and its gradient, written out anew."""
    logits = X @ w
    loss = np.sum(labels * np.logaddexp(0, -logits) + (1 - labels) * np.logaddexp(0, logits))
    pull = X.T @ (special.expit(logits) - labels)
    return C * loss + w @ w / 2, C * pull + w


@pytest.mark.parametrize("C", [1e-3, 0.1, 1.0, 10.0, 1e4])
@pytest.mark.parametrize("soft", [False, True])
def test_a_general_minimiser_finds_the_same(C, soft):
    rng = np.random.default_rng(0)
    X, labels = rng.standard_normal((30, 5)), rng.uniform(size=30)
    labels = labels if soft else labels.round()
    w = logistic_regression(X, labels, C=C)
    found = optimize.minimize(objective, np.zeros(5), (X, labels, C), jac=True, tol=1e-12)
    # BFGS stops where it can't see the value fall: at an error of about the root of rounding.
    assert np.allclose(w, found.x, atol=1e-4 * max(1, np.linalg.norm(w)))
    # The gradient is a sum of 30 terms of the size C, and w.
    assert np.abs(objective(w, X, labels, C)[1]).max() < 1e-11 * (1 + 30 * C)


@pytest.mark.parametrize("C", [1e-3, 0.1, 10.0])
def test_it_is_scikit_learns(C):
    linear = needed("sklearn.linear_model", "run `pip install -r requirements.txt`")
    images, digit = digits()
    measurements, benign = tumours()
    for X, y in ((images / 16, digit % 2), (measurements / measurements.std(axis=0), benign)):
        X = X - X.mean(axis=0)
        theirs = linear.LogisticRegression(
            C=C, fit_intercept=False, solver="newton-cholesky", tol=1e-10
        ).fit(X, y)
        w = logistic_regression(X, y, C=C)
        # Theirs stops when the gradient of the *mean* loss is below 1e-10.
        assert np.allclose(w, theirs.coef_[0], rtol=0, atol=1e-6 * np.abs(w).max())


def test_where_full_newton_steps_go_round_in_circles_halved_ones_arrive():
    X = np.array(
        [[21, 8, 33], [2, 3, 51], [-114, 4, 12], [-63, 0, 21], [49, 39, -4], [-7, -32, 24]]
        + [[-2, -13, 1], [-11, 2676, -9], [-47, -11, 69]]
    )
    X, labels, C = X / 10, np.array([0, 0, 1, 1, 0, 0, 0, 1, 0]), 1e5
    w = logistic_regression(X, labels, C=C)
    # Rounding of nine terms of the size C times an input.
    assert np.abs(objective(w, X, labels, C)[1]).max() < 1e-12 * C * np.abs(X).sum()
    full = np.zeros(3)
    for _ in range(teacher.MOST_STEPS):
        s = special.expit(X @ full)
        hessian = np.eye(3) + C * (X.T * (s * (1 - s))) @ X
        full = full - np.linalg.solve(hessian, objective(full, X, labels, C)[1])
    assert np.linalg.norm(full - w) > 1


@pytest.mark.parametrize(
    ("X", "labels"),
    [
        ([[5, 1], [-63, -15]], [1.0, 0.5]),
        ([[10, -14], [12, -9], [-46, -111]], [0.25, 0.0, 0.0]),
    ],
)
def test_a_step_back_towards_0_is_taken_for_what_it_is(X, labels):
    """The halving weighs the teacher's length rightly: else it would cut such steps to nothing."""
    X, labels = np.array(X, dtype=float), np.array(labels)
    w = logistic_regression(X, labels, C=1.0)
    # Rounding of a sum of a few inputs.
    assert np.abs(objective(w, X, labels, 1.0)[1]).max() < 1e-12 * np.abs(X).sum()


@pytest.mark.parametrize(
    ("X", "labels", "C"),
    [
        # Steps that lead up, if only by a quarter of what was promised, go round in circles.
        (
            [[1, -2, 0], [-168, 24, -91], [118, 12, -43], [11, 44, -91], [-15, 7, 37]],
            [1, 0, 1, 0, 1],
            1e5,
        ),
        # The last steps gain less than rounding shows: halved until they seem to, they end nowhere.
        ([[10, -6], [-1, 1], [5, 7]], [0, 1, 1], 1e4),
        ([[30, -2], [-50, 30], [4, 2]], [1, 0, 1], 1e5),
        # There rounding is large, for the value is: the allowance grows with it.
        ([[-1, 3], [8, -10], [14, -13], [68, 18], [-16, -5]], [1, 0, 0, 0, 0], 1e4),
        # One gains 3e-13 of the value: were 1e-12 of it to be gained, no part would be enough.
        ([[3]], [1], 100.0),
    ],
)
def test_what_a_step_must_gain_is_neither_too_little_nor_too_much(X, labels, C):
    X, labels = np.array(X, dtype=float), np.array(labels)
    w = logistic_regression(X, labels, C=C)
    # Rounding of a few terms of the size C times an input.
    assert np.abs(objective(w, X, labels, C)[1]).max() < 1e-12 * C * np.abs(X).sum()


@pytest.mark.parametrize(
    ("X", "labels", "C"),
    [  # whole Newton steps lead up here: by 57, 7, 13 and 5 per cent
        ([[-356, -318], [2, 1], [2, -2]], [1, 0, 0], 100.0),
        ([[-8, 105], [2, 0], [-464, 344]], [1, 1, 0], 10.0),
        ([[1, -1], [1, -2], [-12, -186], [13, -103], [49, 109]], [0, 0, 0, 0, 0], 100.0),
        ([[-78, -6], [1, 0], [-1, -37], [5, -5], [-50, 100]], [1, 0, 1, 0, 1], 1000.0),
    ],
)
def test_no_step_leads_up(X, labels, C, monkeypatch):
    """At each step the library asks for the probabilities of the logits X w; they tell w."""
    X, labels, seen = np.array(X, dtype=float), np.array(labels), []

    def expit(logits):
        seen.append(logits)
        return special.expit(logits)

    monkeypatch.setattr(teacher, "special", SimpleNamespace(expit=expit))
    logistic_regression(X, labels, C=C)
    found = [np.linalg.lstsq(X, logits)[0] for logits in seen]
    values = np.array([objective(w, X, labels, C)[0] for w in found])
    # The library leaves rounding 1e-12 of a value; lstsq finds w up to 1e-13 or so.
    assert np.all(np.diff(values) <= 1e-9 * values[:-1])


@pytest.mark.parametrize("unit", [2.0**-40, 2.0**-20, 2.0**10, 2.0**20])
def test_inputs_in_another_unit_have_the_teacher_in_that_unit(unit):
    """Put w = unit * v: the function of X / unit and C unit^2 at w is unit^2 times that at v."""
    rng = np.random.default_rng(1)
    X, labels = rng.integers(-9, 10, (12, 3)) / 4, rng.integers(0, 5, 12) / 4
    w = logistic_regression(X, labels, C=1.0)
    # A power of two rounds nothing; at worst one step more is taken, which is rounding.
    again = logistic_regression(X / unit, labels, C=unit**2) / unit
    assert np.allclose(again, w, rtol=1e-12, atol=0)


def test_what_is_not_found_is_said(monkeypatch):
    monkeypatch.setattr(teacher, "MOST_STEPS", 2)
    with pytest.raises(FloatingPointError, match="2 Newton steps"):
        logistic_regression(np.eye(3), [0, 1, 1], C=1.0)


CHAPTERS = Path(__file__).resolve().parent.parent / "chapters"


def functions_of_chapters(*names):
    """Return functions that stand in chapters, with numpy as np, by their names."""
    space = {"np": np}
    for path in sorted(CHAPTERS.glob("*.ipynb")):
        for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
            for node in (
                ast.parse("".join(cell["source"])).body if cell["cell_type"] == "code" else ()
            ):
                if isinstance(node, ast.FunctionDef) and node.name in names:
                    exec(ast.unparse(node), space)
    return [space[name] for name in names]


@pytest.mark.skipif(not CHAPTERS.is_dir(), reason="the book isn't here")
def test_the_chapters_own_newton_methods_find_what_scikit_learn_finds():
    linear = needed("sklearn.linear_model", "run `pip install -r requirements.txt`")
    two, many, _ = functions_of_chapters("logistic_regression", "softmax_regression", "softmax")
    images, digit = digits()
    X = (images - images.mean(axis=0)) / 16
    assert np.allclose(two(X, digit % 2, 0.1), logistic_regression(X, digit % 2, C=0.1), atol=1e-9)
    model = linear.LogisticRegression(C=0.01, fit_intercept=False, tol=1e-8, max_iter=5000)
    theirs = model.fit(X, digit).coef_.T
    # Theirs stops when no entry of the mean loss's gradient is above 1e-8; weights are about 1.
    assert np.allclose(many(X, digit, 0.01), theirs, rtol=0, atol=1e-4)
