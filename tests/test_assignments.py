"""The assignments: what is handed out, what its checks say, and that no solution goes with it."""

import ast
import contextlib
import copy
import gzip
import html
import io
import json
import re
import tarfile
import warnings
import zipfile
from pathlib import Path

import matplotlib.pyplot as plt
import nbformat
import numpy as np
import pytest
from attacks.batch import no_sandbox
from hatchling.builders.sdist import SdistBuilder
from hatchling.builders.wheel import WheelBuilder

from course import release
from course.grader import grade, notebook
from course.grader.inside import values
from course.grader.sandbox import Sandbox
from course.grader.store import SandboxError

ROOT = Path(__file__).resolve().parent.parent
COURSE = ROOT / "course"
NAMES = sorted(path.parent.name for path in release.masters())
ASSIGNMENTS = {name: grade.load(COURSE / name) for name in NAMES}
STUDENT = release.versions(tag="solution")
SOLUTION = release.versions(tag="student")


def cells(text, kind="code"):
    """Return the cells of one kind of a notebook that is given as text."""
    return [c.source for c in nbformat.reads(text, as_version=4).cells if c.cell_type == kind]


def run(source, namespace):
    """Run a cell where nothing is shown."""
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.filterwarnings("ignore", message="FigureCanvasAgg is non-interactive")
        exec(compile(source, "cell", "exec"), namespace)
    plt.close("all")


def accepted(question, function, seed=0):
    """Whether a function gives the right answers, through the same JSON as in the sandbox."""
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for arguments in question.hidden_cases(seed):
            try:
                value = values.encode(function(*map(copy.deepcopy, arguments)))
            except Exception:
                return False
            value = values.decode(json.loads(json.dumps(value)), integer=float)
            if not question.accepts(value, arguments):
                return False
    return True


# What is handed out.


def test_the_student_notebooks_are_what_the_masters_make():
    assert release.stale(COURSE / "student", STUDENT) == []
    assert release.main(["--check"]) == 0


def test_a_student_notebook_that_was_changed_added_or_lost_is_seen(tmp_path):
    release.write(tmp_path, STUDENT)
    assert release.stale(tmp_path, STUDENT) == []
    first, second = NAMES[0] + ".ipynb", NAMES[1] + ".ipynb"
    (tmp_path / first).write_bytes((tmp_path / first).read_bytes() + b" ")
    (tmp_path / second).unlink()
    (tmp_path / "more.txt").touch()
    assert release.stale(tmp_path, STUDENT) == [first, second, "more.txt"]


def test_a_release_has_both_versions_and_the_same_bytes_each_time(tmp_path):
    assert release.main(["--out", str(tmp_path / "one")]) == 0
    assert release.main(["--out", str(tmp_path / "two")]) == 0
    files = {p.relative_to(tmp_path / "one"): p for p in (tmp_path / "one").rglob("*.ipynb")}
    assert {str(path.parent) for path in files} == {"student", "solution"}
    assert len(files) == 2 * len(NAMES) == 8
    for path, one in files.items():
        assert one.read_bytes() == (tmp_path / "two" / path).read_bytes()


@pytest.mark.parametrize("name", NAMES)
def test_points_and_questions_are_the_same_everywhere(name):
    assignment = ASSIGNMENTS[name]
    table = "\n".join(cells(STUDENT[name + ".ipynb"], "markdown"))
    rows = dict(re.findall(r"\| `(\w+)` [^|]+\| (\d+) \|", table))
    points = {q.name: q.points for q in assignment.questions} | assignment.manual
    assert {key: int(value) for key, value in rows.items()} == points
    assert sum(points.values()) == 100
    headings = dict(re.findall(r"^### (\w+): .*\((\d+) points\)$", table, re.M))
    assert {key: int(value) for key, value in headings.items()} == points
    assert assignment.name == name
    for question in assignment.questions:
        stubs = [c for c in cells(STUDENT[name + ".ipynb"]) if f"def {question.function}(" in c]
        assert len(stubs) == 1
        assert f'raise NotImplementedError("{question.name}: ' in stubs[0]


@pytest.mark.parametrize("name", NAMES)
def test_a_student_notebook_needs_no_more_than_it_says(name):
    book = nbformat.reads(STUDENT[name + ".ipynb"], as_version=4)
    assert len({cell.id for cell in book.cells}) == len(book.cells)
    for cell in book.cells:
        # Nothing may depend on metadata: Colab drops it. Text alternatives are a courtesy.
        assert cell.metadata.keys() <= {"mystnb"}
        if cell.cell_type == "markdown":
            assert not re.search(r"\{(doc|eq|ref|prf:ref|cite:\w+)\}`|^```\{", cell.source, re.M)
            continue
        assert cell.outputs == [] and cell.execution_count is None
        assert ("plt.show()" in cell.source) == ("mystnb" in cell.metadata)
        if not cell.source.startswith("# Four kinds of digits"):  # the data
            assert max(map(len, cell.source.splitlines())) <= 84
            assert len(cell.source.splitlines()) <= 25
        for node in ast.walk(ast.parse(cell.source)):
            if isinstance(node, ast.Import):
                used = {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                used = {node.module.split(".")[0]}
            else:
                continue
            assert used <= {"numpy", "scipy", "matplotlib", "base64", "zlib"}


# What the visible checks say.


def check_of(question, name):
    """Return the visible check of a question: the cell that says that it passes."""
    (found,) = [c for c in cells(STUDENT[name + ".ipynb"]) if f'"{question}: the visible' in c]
    return found


@pytest.fixture(scope="module")
def solved():
    """Return {assignment: the namespace after its solution notebook has run}."""
    spaces = {}
    for name in NAMES:
        spaces[name] = {}
        for source in cells(SOLUTION[name + ".ipynb"]):
            run(source, spaces[name])  # raises if a check of the solution fails
    return spaces


QUESTIONS = [(name, q) for name in NAMES for q in ASSIGNMENTS[name].questions]
IDS = [f"{name[:2]}-{q.name}" for name, q in QUESTIONS]


@pytest.mark.parametrize(("name", "question"), QUESTIONS, ids=IDS)
def test_the_check_of_a_question_asks_for_what_is_missing(name, question, solved):
    # Everything but this one is done.
    space = dict(solved[name])
    del space[question.function]
    (stub,) = [c for c in cells(STUDENT[name + ".ipynb"]) if f"def {question.function}(" in c]
    run(stub, space)
    with pytest.raises(NotImplementedError, match=f"^{question.name}: write {question.function}"):
        run(check_of(question.name, name), space)


# Plausible mistakes: what the function returns, given the right one as `right`. The visible check
# must name the question and say something; the hidden cases must see them as well.
MISTAKES = [
    ("a1", "q1", "lambda X, w: right(X, -w)"),
    ("a1", "q1", "lambda X, w: right(X, w) >= 0.5"),
    ("a1", "q1", "lambda X, w: np.exp(X @ w) / (1 + np.exp(X @ w))"),
    ("a1", "q2", "lambda w, X, y: len(X) * right(w, X, y)"),
    ("a1", "q2", "lambda w, X, y: np.mean(np.logaddexp(0, X @ w) - y * (X @ w))"),
    ("a1", "q2", "lambda w, X, y: right(w, X, np.clip(y, 1e-12, 1 - 1e-12)) + np.log(y).sum() * 0"),
    ("a1", "q2", "lambda w, X, y: right(np.clip(w, -700, 700), X, y)"),
    ("a1", "q3", "lambda w, X, y: -right(w, X, y)"),
    ("a1", "q3", "lambda w, X, y: len(X) * right(w, X, y)"),
    ("a1", "q4", "lambda X: right(X) / len(X)"),
    ("a1", "q4", "lambda X: 4 * len(X) / np.sum(X**2)"),
    ("a1", "q4", "lambda X: 4 * len(X) / np.linalg.norm(X, 2)"),
    ("a1", "q5", "lambda X, y, w, step, k: right(X, y, w, step, k)[1:]"),
    ("a1", "q5", "lambda X, y, w, step, k: [right(X, y, w, step, k)[-1]] * (k + 1)"),
    ("a1", "q5", "lambda X, y, w, step, k: right(X, y, w, -step, k)"),
    ("a1", "q6", "lambda X, w: X.T @ np.linalg.solve(X @ X.T, X @ w)"),
    ("a1", "q6", "lambda X, w: np.linalg.qr(X.T)[0] @ np.linalg.qr(X.T)[0].T @ w"),
    (
        "a1",
        "q6",
        "lambda X, w: np.linalg.lstsq(X, X @ w, rcond=1e-3)[0] * (np.abs(X).max() > 1e-8)",
    ),
    ("a1", "q6", "lambda X, w: X.T @ (X @ w)"),
    ("a1", "q7", "lambda X, w, start: closed_form_student(X, w)"),
    ("a1", "q7", "lambda X, w, start: closed_form_student(X, w) + start"),
    ("a1", "q7", "lambda X, w, start: start + closed_form_student(X, w + start)"),
    ("a2", "q1", "lambda X, w: right(X, w) * 180 / np.pi"),
    ("a2", "q1", "lambda X, w: np.arccos(X @ w / np.linalg.norm(X, axis=1) / np.linalg.norm(w))"),
    ("a2", "q1", "lambda X, w: np.arccos(np.minimum(np.abs(X @ w) / np.linalg.norm(w), 1))"),
    ("a2", "q2", "lambda a, t: np.mean(a[:, None] > t, axis=0)"),
    ("a2", "q2", "lambda a, t: 1 - right(a, t)"),
    ("a2", "q3", "lambda t, d: right(t, d + 1)"),
    ("a2", "q3", "lambda t, d: 1 - right(t, d)"),
    ("a2", "q3", "lambda t, d: np.cos(t)"),
    ("a2", "q4", "lambda X, w: (acute_angles(X, w).min(), acute_angles(X, w).min())"),
    ("a2", "q4", "lambda X, w: right(X, w)[::-1]"),
    ("a2", "q4", "lambda X, w: right(X[:1], w)"),
    ("a2", "q5", "lambda p, n: np.min(p + p**n)"),
    ("a2", "q5", "lambda p, n: np.min(p**n + p[::-1] ** n)"),
    ("a2", "q5", "lambda p, n: np.min((p + p[::-1]) ** n)"),
    ("a2", "q6", "lambda a, b, X: np.mean((X @ a > 0) != (X @ b > 0))"),
    ("a2", "q6", "lambda a, b, X: 1 - right(a, b, X)"),
    ("a2", "q7", "lambda n, d, trials, seed: 2 * right(n, d, trials, seed)"),
    ("a2", "q7", "lambda n, d, trials, seed: right(1, d, trials, seed)"),
    ("a3", "q1", "lambda W: right(W)[None, :]"),
    ("a3", "q1", "lambda W: np.linalg.multi_dot(W) if len(W) > 1 else W[0]"),
    ("a3", "q2", "lambda w, N, m: right(w / np.linalg.norm(w), N, m)"),
    ("a3", "q2", "lambda w, N, m: [2 * W if k == 0 else W for k, W in enumerate(right(w, N, m))]"),
    ("a3", "q3", "lambda W: sum(np.linalg.norm(B.T @ B - A @ A.T) for A, B in zip(W, W[1:]))"),
    ("a3", "q3", "lambda W: max(np.linalg.norm(B.T @ B - A @ A.T, 2) for A, B in zip(W, W[1:]))"),
    ("a3", "q4", "lambda W, g: right(W, g)[::-1]"),
    ("a3", "q4", "lambda W, g: [G.T for G in right(W, g)]"),
    ("a3", "q5", "lambda W, X, y, step, k: right(W, X, y, -step, k)"),
    ("a3", "q5", "lambda W, X, y, step, k: right(W, X, y, step * len(X), k)"),
    ("a3", "q6", "lambda q, r, s, N: right(q, r, s, N + 1)"),
    ("a3", "q6", "lambda q, r, s, N: q * (s / r) ** (1 - 1 / N)"),
    ("a3", "q7", "lambda e, s, N: s * (e / np.hypot(e, s)) ** N"),
    ("a3", "q7", "lambda e, s, N: e * (e / s) ** (N - 1)"),
    ("a4", "q1", "lambda X, y, c: right(X, y, 2 * c)"),
    ("a4", "q1", "lambda X, y, c: right(X, y, c / len(X))"),
    ("a4", "q1", "lambda X, y, c: right(X, 1 - y, c)"),
    ("a4", "q2", "lambda X, w, T: right(X, w, T)[1:]"),
    ("a4", "q2", "lambda X, w, T: 1 - np.array(right(X, w, T))"),
    ("a4", "q3", "lambda a: 1 / right(a)"),
    ("a4", "q3", "lambda a: np.mean(-1 / np.log(1 - 2 * a / np.pi + 1e-9))"),
    ("a4", "q4", "lambda a, n: right(np.pi / 2 - a, n)"),
    ("a4", "q4", "lambda a, n: right(a, 1)"),
]


@pytest.mark.parametrize(("short", "number", "code"), MISTAKES)
def test_a_typical_mistake_is_told_and_costs_the_points(short, number, code, solved):
    (name,) = [name for name in NAMES if name.startswith(short)]
    (question,) = [q for q in ASSIGNMENTS[name].questions if q.name == number]
    space = dict(solved[name])
    wrong = eval(code, space | {"right": space[question.function]})
    assert not accepted(question, wrong)
    space[question.function] = wrong
    with (
        np.errstate(all="ignore"),
        pytest.raises((AssertionError, ValueError, np.linalg.LinAlgError)) as told,
    ):
        run(check_of(number, name), space)
    if told.type is AssertionError:
        assert re.match(rf"{number}: .{{15,}}", str(told.value))


def test_every_question_has_its_mistakes():
    assert {(short, number) for short, number, _ in MISTAKES} == {
        (name[:2], q.name) for name, q in QUESTIONS
    }


# What is right, in other words.

STYLES = {
    ("a1", "plain lists"): """
        import math
        def soft_labels(X, w_teacher):
            labels = []
            for x in X.tolist():
                u = sum(a * b for a, b in zip(x, w_teacher.tolist()))
                labels.append(1 / (1 + math.exp(-u)) if u > -700 else 0)
            return labels
        def loss(w, X, y):
            total = 0
            for x, p in zip(X.tolist(), y.tolist()):
                u = sum(a * b for a, b in zip(x, w.tolist()))
                total += max(u, 0) + math.log1p(math.exp(-abs(u))) - p * u
                for q in (p, 1 - p):
                    if q > 0:
                        total += q * math.log(q)
            return total / len(X)
        def gradient(w, X, y):
            labels = soft_labels(X, w)
            return [sum((s - p) * x[k] for s, p, x in zip(labels, y, X)) / len(X)
                    for k in range(len(w))]
        def safe_step(X):
            return 4 * len(X) / max(np.linalg.eigvalsh(np.dot(X.T, X)))
        def descend(X, y, start, step, steps):
            path = [list(start)]
            for k in range(steps):
                slope = gradient(np.array(path[-1]), X, y)
                path.append([a - step * b for a, b in zip(path[-1], slope)])
            return path
        def closed_form_student(X, w_teacher):
            basis = []
            for x in X:
                rest = x / (max(abs(x)) or 1)
                for _ in range(2):
                    for b in basis:
                        rest = rest - sum(rest * b) * b
                if math.sqrt(sum(rest**2)) > 1e-9:
                    basis.append(rest / math.sqrt(sum(rest**2)))
            student = [0.0] * len(w_teacher)
            for b in basis:
                share = sum(b * w_teacher)
                student = [s + share * c for s, c in zip(student, b)]
            return student
        def descent_limit(X, w_teacher, start):
            inside = closed_form_student(X, start)
            return [s - i + h for s, i, h in zip(start, inside, closed_form_student(X, w_teacher))]
    """,
    ("a1", "in place"): """
        def soft_labels(X, w_teacher):
            u = X @ w_teacher
            np.clip(u, -700, 700, out=u)
            np.negative(u, out=u)
            np.exp(u, out=u)
            u += 1
            np.reciprocal(u, out=u)
            return u
        def loss(w, X, y):
            u = X @ w
            y += 0.0
            terms = np.where(u > 0, u, 0) + np.log1p(np.exp(-np.abs(u))) - y * u
            for p in (y, 1 - y):
                terms[p > 0] += p[p > 0] * np.log(p[p > 0])
            return terms.sum() / u.size
        def gradient(w, X, y):
            y -= soft_labels(X, w)
            X *= -y[:, None]
            return X.mean(axis=0)
        def safe_step(X):
            X /= 2 * np.sqrt(len(X))
            return 1 / np.linalg.norm(X, ord=2) ** 2
        def descend(X, y, start, step, steps):
            path = np.empty((steps + 1, start.size))
            path[:] = start
            for k in range(steps):
                path[k + 1 :] -= step * gradient(path[k], X.copy(), y.copy())
            return path
        def closed_form_student(X, w_teacher):
            X /= np.abs(X).max() or 1
            w_teacher -= (np.eye(X.shape[1]) - np.linalg.pinv(X, rcond=1e-9) @ X) @ w_teacher
            return w_teacher
        def descent_limit(X, w_teacher, start):
            w_teacher -= start
            start += closed_form_student(X, w_teacher)
            return start
    """,
    ("a1", "lstsq and magics"): """
        %matplotlib inline
        import scipy.linalg, scipy.special
        %time soft_labels = lambda X, w_teacher: scipy.special.expit(X.dot(w_teacher))
        def loss(w, X, y):
            u = X @ w
            return np.mean(scipy.special.rel_entr(y, 1) + scipy.special.rel_entr(1 - y, 1)
                           - y * scipy.special.log_expit(u) - (1 - y) * scipy.special.log_expit(-u))
        gradient = lambda w, X, y: np.average((soft_labels(X, w) - y)[:, None] * X, axis=0)
        safe_step = lambda X: 4 * len(X) / np.linalg.norm(X.T @ X, 2)
        !true
        def descend(X, y, start, step, steps):
            w = start.copy()
            path = [w.copy()]
            while len(path) <= steps:
                w -= step * gradient(w, X, y)
                path += [w.copy()]
            return tuple(path)
        def closed_form_student(X, w_teacher):
            return scipy.linalg.lstsq(X, X @ w_teacher)[0]
        def descent_limit(X, w_teacher, start):
            w, *_ = np.linalg.lstsq(X, X @ (w_teacher - start), rcond=None)
            return w + start
    """,
    ("a1", "SVD"): """
        def soft_labels(X, w_teacher):
            return 0.5 + 0.5 * np.tanh(0.5 * np.einsum("ij,j->i", X, w_teacher))
        def safe_step(X):
            s = np.linalg.svd(X)[1]
            return 1 / (s.max() ** 2 / (4 * X.shape[0]))
        def closed_form_student(X, w_teacher):
            U, s, V = np.linalg.svd(X, full_matrices=True)
            rank = int((s > 1e-9 * s[0]).sum())
            return V[:rank].T @ (V[:rank] @ w_teacher)
        def descent_limit(X, w_teacher, start):
            U, s, V = np.linalg.svd(X, full_matrices=True)
            rest = V[int((s > 1e-9 * s[0]).sum()) :]
            return w_teacher - rest.T @ (rest @ (w_teacher - start))
    """,
    ("a1", "pivoted QR, eigenvectors"): """
        import scipy.linalg
        def safe_step(X):
            return 4 * len(X) / np.sort(np.linalg.eigvals(X @ X.T).real)[-1]
        def closed_form_student(X, w_teacher):
            Q, R, _ = scipy.linalg.qr(X.T, mode="economic", pivoting=True)
            size = np.abs(np.diag(R))
            Q = Q[:, size > 1e-10 * size[0]]
            return Q @ Q.T @ w_teacher
        def descent_limit(X, w_teacher, start):
            X = X / (np.abs(X).max() or 1)
            values, vectors = np.linalg.eigh(X.T @ X)
            kept = vectors[:, values > 1e-10 * max(values.max(), 1e-300)]
            P = kept @ kept.T
            return P @ w_teacher + start - P @ start
    """,
    ("a2", "plain lists"): """
        import math
        def acute_angles(X, w_teacher):
            angles = []
            for x in X:
                cosine = abs(sum(x * w_teacher)) / math.sqrt(sum(x * x) * sum(w_teacher**2))
                angles.append(math.acos(min(1.0, cosine)))
            return angles
        def empirical_tail(angles, theta):
            return [sum(a >= t for a in angles) / len(angles) for t in theta]
        def isotropic_tail(theta, d):
            from scipy.integrate import quad
            density = lambda a: math.sin(a) ** (d - 2)
            whole = quad(density, 0, math.pi / 2)[0]
            return [quad(density, t, math.pi / 2)[0] / whole for t in theta]
        def risk_bound(p, n):
            return min(p[i] + p[-1 - i] ** n for i in range(len(p)))
        def transfer_risk(w_student, w_teacher, X):
            wrong = 0
            for x in X:
                wrong += (x @ w_student >= 0) != (x @ w_teacher >= 0)
            return wrong / len(X)
    """,
    ("a2", "arctangents and distributions"): """
        from scipy import stats
        def acute_angles(X, w_teacher):
            e = w_teacher / np.linalg.norm(w_teacher)
            along = X @ e
            return np.arctan2(np.linalg.norm(X - np.outer(along, e), axis=1), abs(along))
        def empirical_tail(angles, theta):
            return 1 - np.searchsorted(np.sort(angles), theta, side="left") / angles.size
        def isotropic_tail(theta, d):
            return stats.beta(0.5, (d - 1) / 2).sf(np.cos(theta) ** 2) * -1 + 1
        def lemma_a(X, w_teacher):
            w = np.linalg.pinv(X, rcond=1e-10) @ X @ w_teacher
            A = np.arctan2(np.linalg.norm(w_teacher - w), np.linalg.norm(w))
            return np.array([A, acute_angles(X, w_teacher).min()])
        def transfer_risk(w_student, w_teacher, X):
            h = lambda w: (X @ w >= 0).astype(int)
            return np.abs(h(w_student) - h(w_teacher)).mean()
        def isotropic_risk(n, d, trials, seed):
            rng = np.random.default_rng(seed)
            w_teacher = rng.standard_normal(d)
            return float(np.mean([lemma_a(rng.normal(size=(n, d)), w_teacher)[0] / np.pi
                                  for _ in range(trials)]))
    """,
    ("a3", "explicit products"): """
        import functools
        def end_to_end(layers):
            return functools.reduce(np.matmul, layers[::-1]).ravel()
        def balanced_layers(w, depth, width):
            r = np.linalg.norm(w)
            rng = np.random.default_rng(0)
            units = [w / r]
            for _ in range(depth - 1):
                u = rng.normal(size=width)
                units.append(u / np.linalg.norm(u))
            units.append(np.array([1.0]))
            return [r ** (1 / depth) * u[:, None] @ v[None, :] for u, v in zip(units[1:], units)]
        def balance_defect(layers):
            worst = 0
            for j in range(len(layers) - 1):
                M = layers[j + 1].T @ layers[j + 1] - layers[j] @ layers[j].T
                worst = max(worst, float(np.sqrt((M**2).sum())))
            return worst
        def layer_gradients(layers, g):
            result = []
            for j in range(len(layers)):
                left = np.eye(1)
                for W in layers[:j:-1]:
                    left = left @ W
                right = g[:, None]
                for W in layers[:j]:
                    right = W @ right
                result.append((left.T @ right.T).tolist())
            return result
        def train(layers, X, y, step, steps):
            for _ in range(steps):
                s = 1 / (1 + np.exp(-X @ end_to_end(layers)))
                for W, G in zip(layers, layer_gradients(layers, X.T @ (s - y) / y.size)):
                    W -= step * np.array(G)
            return layers
        def limit_offset(q0, r0, student_norm, depth):
            from scipy.optimize import brentq
            if q0 == 0 or depth == 1:
                return q0
            k = q0 / r0 ** (1 - 1 / depth)
            f = lambda s: s**2 - k**2 * (student_norm**2 + s**2) ** (1 - 1 / depth)
            return brentq(f, 0, 1e5, xtol=1e-14)
        def starting_norm(epsilon, student_norm, depth):
            sine = np.sin(np.arctan(epsilon / student_norm))
            return epsilon * sine ** (depth - 1)
    """,
    ("a3", "bisection"): """
        def limit_offset(q0, r0, student_norm, depth):
            low, high = 0.0, 1e6
            for _ in range(120):
                q = (low + high) / 2
                law = q0 * ((student_norm**2 + q**2) ** 0.5 / r0) ** (1 - 1 / depth)
                low, high = (q, high) if q < law else (low, q)
            return high
        def starting_norm(epsilon, student_norm, depth):
            low, high = 0.0, epsilon
            for _ in range(200):
                r0 = (low + high) / 2
                inside = limit_offset(r0, r0, student_norm, depth) <= epsilon if r0 else True
                low, high = (r0, high) if inside else (low, r0)
            return low
    """,
    ("a4", "Newton, one basis"): """
        def train_teacher(X, y, decay):
            w = np.zeros(X.shape[1])
            for _ in range(200_000 // X.size):
                s = 1 / (1 + np.exp(-X @ w))
                H = X.T * (s * (1 - s)) @ X / len(y) + decay * np.eye(w.size)
                w -= 0.5 * np.linalg.solve(H, X.T @ (s - y) / len(y) + decay * w)
                if _ > 200:
                    break
            return w.tolist()
        def student_risks(X, w_teacher, X_test):
            student, basis, risks = np.zeros(len(w_teacher)), [], []
            for x in X:
                rest = x.copy()
                for b in basis + basis:
                    rest -= (rest @ b) * b
                if np.linalg.norm(rest) > 1e-9 * np.linalg.norm(x):
                    basis.append(rest / np.linalg.norm(rest))
                    student += (basis[-1] @ w_teacher) * basis[-1]
                risks.append(np.mean(((X_test @ student) >= 0) ^ ((X_test @ w_teacher) >= 0)))
            return np.array(risks)
        def fit_easiness(angles):
            return len(angles) / -sum(np.log1p(-a / (np.pi / 2)) for a in angles)
        def bound_from_angles(angles, n):
            best = 2
            for beta in np.linspace(0, np.pi / 2, 1001):
                tail = lambda t: sum(angles >= t) / len(angles)
                best = min(best, tail(beta) + tail(np.pi / 2 - beta) ** n)
            return best
    """,
    ("a4", "minimisers of scipy"): """
        from scipy import optimize
        def train_teacher(X, y, decay):
            f = lambda w: np.mean(np.log1p(np.exp(X @ w)) - y * (X @ w)) + decay / 2 * w @ w
            return optimize.minimize(f, np.zeros(X.shape[1])).x
        def student_risks(X, w_teacher, X_test):
            students = [np.linalg.pinv(X[: k + 1], rcond=1e-10) @ (X[: k + 1] @ w_teacher)
                        for k in range(len(X))]
            answers = X_test @ np.array(students).T >= 0
            return (answers != (X_test @ w_teacher >= 0)[:, None]).mean(axis=0)
    """,
}


def style(code):
    """Return the source without its indentation, and the names that it defines."""
    source = "\n".join(line[8:] for line in code.splitlines())
    return source, set(re.findall(r"^(?:def|%time)? ?(\w+)(?:\(| = lambda)", source, re.M))


@pytest.fixture(scope="module")
def sandboxes():
    with contextlib.ExitStack() as stack:
        made = {}

        def sandbox(name):
            if name not in made:
                assignment = ASSIGNMENTS[name]
                box = Sandbox(assignment.library, assignment.seconds, [ROOT])
                made[name] = stack.enter_context(box)
            return made[name]

        yield sandbox


def graded(text, name, sandboxes):
    try:
        result = grade.grade(text.encode(), ASSIGNMENTS[name], 5, sandboxes(name))
    except SandboxError as error:
        no_sandbox(error)
    return result


@pytest.mark.parametrize("name", NAMES)
def test_solutions_get_full_marks_and_student_versions_none(name, sandboxes):
    result = graded(SOLUTION[name + ".ipynb"], name, sandboxes)
    assert result["lost"] == {} and result["cells"] == []
    assert result["points"] == {q.name: q.points for q in ASSIGNMENTS[name].questions}
    result = graded(STUDENT[name + ".ipynb"], name, sandboxes)
    assert set(result["points"].values()) == {0}
    master = (COURSE / name / "master.ipynb").read_text(encoding="utf-8")
    assert notebook.code_cells(master.encode())  # what the preflight grades


@pytest.mark.parametrize("key", STYLES, ids=" ".join)
def test_other_right_answers_get_full_marks(key, sandboxes):
    (name,) = [name for name in NAMES if name.startswith(key[0])]
    source, defined = style(STYLES[key])
    book = nbformat.reads(SOLUTION[name + ".ipynb"], as_version=4)
    # The solution's answers, then those of this style in their place, and all checks once more.
    checks = [cell for cell in book.cells if ": the visible checks pass" in cell.source]
    # Without the experiments, which are tried above.
    book.cells = [c for c in book.cells if "import" in c.source or "print(f" not in c.source]
    book.cells += [nbformat.v4.new_code_cell(part) for part in source.split("\n!true\n")]
    book.cells += [nbformat.v4.new_code_cell(cell.source) for cell in checks]
    questions = [q for q in ASSIGNMENTS[name].questions if q.function in defined]
    assert len(questions) >= 2
    result = graded(nbformat.writes(book), name, sandboxes)
    assert result["lost"] == {}
    said = [cell for cell in result["cells"] if cell[1] == "AssertionError"]
    # (A check that uses an input twice can't be passed by who overwrites it; the hidden ones can.)
    assert said == [] or key[1] == "in place"


def test_some_questions_were_answered_in_five_styles():
    five = {"q4": "safe_step", "q6": "closed_form_student", "q7": "descent_limit"}
    for function in five.values():
        assert sum(function in style(code)[1] for code in STYLES.values()) >= 5


# Where solutions must not be.


def secrets():
    """Return (canaries, lines): what only masters hold, and what would betray a solution."""
    canaries, lines = set(), set()
    for name in NAMES:
        for cell in nbformat.read(COURSE / name / "master.ipynb", as_version=4).cells:
            if "solution" in cell.metadata.get("tags", []):
                (canary,) = re.findall(r"^(?:# |<!-- )solution (\w+)", cell.source, re.M)
                canaries.add(canary)
                lines.update(line.strip() for line in cell.source.splitlines())
    common = {
        line.strip() for text in STUDENT.values() for c in cells(text) for line in c.split("\n")
    }
    # Shorter lines, such as "return path", prove nothing.
    return canaries, {plain(line) for line in lines - common if len(line) >= 34}


def plain(text):
    """Return a text without what markup, JSON and line breaks do to a line of code."""
    text = html.unescape(re.sub(r"<[^<>]*>", "", text))
    return re.sub(r"[\s\\\"']+", "", text)


def betrayed(name, data, canaries, lines):
    """Yield what a file holds of the solutions, also inside archives."""
    if data[:2] == b"\x1f\x8b":
        data = gzip.decompress(data)
    if data[:4] == b"PK\x03\x04":
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            for member in archive.namelist():
                yield from betrayed(f"{name}:{member}", archive.read(member), canaries, lines)
        return
    if data[257:262] == b"ustar":
        with tarfile.open(fileobj=io.BytesIO(data)) as archive:
            for member in archive.getmembers():
                if member.isfile():
                    inner = archive.extractfile(member).read()
                    yield from betrayed(f"{name}:{member.name}", inner, canaries, lines)
        return
    if b"\0" in data[:2000]:  # pictures, fonts, compiled code
        return
    text = data.decode(errors="replace")
    yield from ((name, canary) for canary in canaries if canary in text.lower())
    if re.search(r"\.(ipynb|html|py|js|json|txt|md|rst)$", name):
        text = plain(text)
        yield from ((name, line) for line in lines if line in text)


def test_the_masters_themselves_would_be_seen():
    canaries, lines = secrets()
    assert len(canaries) == len(NAMES) and len(lines) > 100
    for name in NAMES:
        found = list(betrayed("x.ipynb", SOLUTION[name + ".ipynb"].encode(), canaries, lines))
        assert len(found) > 15
        page = html.escape("\n".join(cells(SOLUTION[name + ".ipynb"]))).replace("(", "<b>(</b>")
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w") as archive:
            archive.writestr("in.html", page)
        assert len(list(betrayed("x", gzip.compress(packed.getvalue()), canaries, lines))) > 10


@pytest.mark.parametrize("place", ["course/student", "_build/html"])
def test_no_solution_is_where_students_look(place):
    folder = ROOT / place
    if not folder.is_dir():
        pytest.skip("not built")
    canaries, lines = secrets()
    # What JupyterLite serves of Pyodide isn't ours.
    files = [p for p in folder.rglob("*") if p.is_file() and "pyodide" not in p.parts]
    assert files
    found = [betrayed(str(path), path.read_bytes(), canaries, lines) for path in files]
    assert [what for each in found for what in each] == []


@pytest.mark.parametrize("builder", [WheelBuilder, SdistBuilder])
def test_no_solution_is_in_what_is_published(builder, tmp_path):
    (path,) = builder(str(ROOT)).build(directory=str(tmp_path), versions=["standard"])
    data = Path(path).read_bytes()
    assert list(betrayed(Path(path).name, data, *secrets())) == []
    if path.endswith(".whl"):
        members = zipfile.ZipFile(path).namelist()
    else:
        with tarfile.open(path) as archive:
            members = archive.getnames()
    # The tests of the assignments hold right answers too.
    assert [m for m in members if re.search(r"(^|/)course/|/test_(assignment|grader)", m)] == []
