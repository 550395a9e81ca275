"""Would the hidden cases notice? Every small change of a solution is made, and must lose points.

The answers to the hidden calls are compared here in this process, through the same JSON as in
the sandbox. A change that no hidden case notices must be in EQUIVALENT, with its proof.
"""

import ast
import contextlib
import copy
import json
import signal
import warnings
from pathlib import Path

import nbformat
import numpy as np
import pytest

from course.grader.grade import load
from course.grader.inside import values

COURSE = Path(__file__).resolve().parent.parent / "course"
ASSIGNMENTS = sorted(path.parent.name for path in COURSE.glob("a*/hidden.py"))
SEEDS = (0, 1, 2)
SECONDS = 2.0  # for all calls of a question: a mutant that takes longer is counted as noticed

SWAPS = {
    **{ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult},
    **{ast.Pow: ast.Mult, ast.MatMult: ast.Mult, ast.FloorDiv: ast.Mult},
}
COMPARISONS = {
    **{ast.Lt: (ast.LtE, ast.Gt), ast.LtE: (ast.Lt, ast.GtE), ast.Gt: (ast.GtE, ast.Lt)},
    **{ast.GtE: (ast.Gt, ast.LtE), ast.Eq: (ast.NotEq,), ast.NotEq: (ast.Eq,)},
}
NAMES = {"max": "min", "sin": "cos", "arctan2": "arctan", "mean": "sum", "log1p": "log"}
NAMES |= {"arccos": "arcsin", "maximum": "minimum", "abs": "sqrt", "logaddexp": "add"}
NAMES |= {"cumsum": "cumprod", "argmax": "argmin", "log": "exp", "ones": "zeros", "sqrt": "abs"}
NAMES |= {there: here for here, there in NAMES.items() if there not in NAMES}


# "assignment function: what stands there -> what is put in its place". Above each is the reason
# why no answer changes.
EQUIVALENT = {
    # log(e^a + e^b) is symmetric.
    "a1 loss: np.logaddexp(0, logits) -> np.logaddexp(logits, 0)",
    # The smaller of two numbers doesn't depend on their order.
    "a2 acute_angles: np.minimum(np.abs(X @ w_teacher) / lengths, 1)"
    " -> np.minimum(1, np.abs(X @ w_teacher) / lengths)",
    "a2 lemma_a: np.minimum(cosine, 1) -> np.minimum(1, cosine)",
    # Another unit vector as the teacher: the inputs are isotropic, so the law is the same.
    "a2 isotropic_risk: 0 -> -1",
    # The product has one row: the first is the last.
    "a3 end_to_end: 0 -> -1",
    # The norm of M is that of -M.
    "a3 balance_defect: after.T @ after - W @ W.T -> W @ W.T - after.T @ after",
    # Depths are at most 10, so a round shrinks the error by 0.9: 499 rounds by 1e-22, which is
    # less than rounding.
    "a3 limit_offset: 500 -> 499",
    "a3 limit_offset: 500 -> 501",
    "a3 limit_offset: 500 -> 1000",
    # The length of a hypotenuse is symmetric in the other sides.
    "a3 limit_offset: np.hypot(student_norm, q) -> np.hypot(q, student_norm)",
    "a3 starting_norm: np.hypot(epsilon, student_norm) -> np.hypot(student_norm, epsilon)",
    # As above.
    "a4 train_teacher: np.logaddexp(0, logits) -> np.logaddexp(logits, 0)",
    # The objective is strictly convex: descent ends at its one minimum from every start.
    "a4 train_teacher: np.zeros -> np.ones",
    # The angles have a density, so none lies on the grid.
    "a4 bound_from_angles: angles >= beta[:, None] -> angles > beta[:, None]",
    # Each angle is summed with its complement, in either order of the grid.
    "a4 bound_from_angles: np.linspace(0, np.pi / 2, 1001) -> np.linspace(np.pi / 2, 0, 1001)",
}


def changes(node):
    """Yield every small change of one node of a syntax tree; None drops a statement."""
    if isinstance(node, (ast.BinOp, ast.AugAssign)):
        if type(node.op) in SWAPS:
            yield put(node, op=SWAPS[type(node.op)]())
        if isinstance(node, ast.BinOp):
            yield node.left
            yield node.right
            if not isinstance(node.op, (ast.Add, ast.Mult)):
                yield put(node, left=node.right, right=node.left)
    elif isinstance(node, ast.Compare):
        for other in COMPARISONS.get(type(node.ops[0]), ()):
            yield put(node, ops=[other()])
    elif isinstance(node, ast.BoolOp):
        yield put(node, op=ast.Or() if isinstance(node.op, ast.And) else ast.And())
    elif isinstance(node, ast.UnaryOp):
        yield node.operand
    elif isinstance(node, ast.Constant):
        if isinstance(node.value, bool):
            yield ast.Constant(not node.value)
        elif isinstance(node.value, (int, float)):
            for value in dict.fromkeys((node.value + 1, node.value - 1, node.value * 2)):
                if value != node.value:
                    yield ast.Constant(value)
    elif isinstance(node, ast.Call):
        if len(node.args) > 1 and not isinstance(node.args[0], ast.Starred):
            yield put(node, args=[node.args[1], node.args[0], *node.args[2:]])
        for k in range(len(node.keywords)):
            yield put(node, keywords=node.keywords[:k] + node.keywords[k + 1 :])
        if node.args:
            yield node.args[0]
    elif isinstance(node, ast.Attribute):
        if node.attr in NAMES:
            yield put(node, attr=NAMES[node.attr])
        elif node.attr == "T":
            yield node.value
    elif isinstance(node, ast.Name) and node.id in NAMES:
        yield put(node, id=NAMES[node.id])
    elif isinstance(node, ast.Slice):
        for part in ("lower", "upper", "step"):
            if getattr(node, part) is not None:
                yield put(node, **{part: None})
    elif isinstance(node, (ast.If, ast.IfExp, ast.While)):
        yield put(node, test=ast.Constant(True))
        yield put(node, test=ast.Constant(False))
    if isinstance(node, (ast.Assign, ast.AugAssign, ast.Expr, ast.For, ast.If)):
        yield None


def put(node, **parts):
    """Return a copy of a node with some parts replaced."""
    other = copy.copy(node)
    for name, part in parts.items():
        setattr(other, name, part)
    return other


def mutants(function):
    """Yield (description, changed syntax tree) for every small change of a function."""

    class Change(ast.NodeTransformer):
        def __init__(self, old, new):
            self.old, self.new = old, new

        def visit(self, node):
            if node is not self.old:
                return self.generic_visit(node)
            return ast.Pass() if self.new is None else self.new

    for old in ast.walk(function):
        for new in changes(old):
            place = list(ast.walk(function)).index(old)
            if new is not None and ast.unparse(old) == ast.unparse(new):
                continue  # two equal arguments, swapped
            tree = copy.deepcopy(function)
            # The copy has its nodes in the same order.
            tree = Change(list(ast.walk(tree))[place], copy.deepcopy(new)).visit(tree)
            what = "nothing" if new is None else ast.unparse(new)
            yield f"{function.name}: {ast.unparse(old)} -> {what}", tree


@contextlib.contextmanager
def time_limit(seconds):
    """Raise TimeoutError in code that takes longer."""

    def stop(*_):
        raise TimeoutError

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def right(question, cases, function):
    """Whether a function answers all hidden calls rightly, as the grader sees them."""
    try:
        with time_limit(SECONDS), warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            for arguments in cases:
                value = values.encode(function(*map(copy.deepcopy, arguments)))
                value = values.decode(json.loads(json.dumps(value)), integer=float)
                if not question.accepts(value, arguments):
                    return False
    except Exception:
        return False
    return True


def solution(name, answers):
    """Return (functions' syntax trees, a namespace that holds them) of a master's solution.

    Only cells that define one of the answers count, and the imports of all.
    """
    notebook = nbformat.read(COURSE / name / "master.ipynb", as_version=4)
    functions, namespace = {}, {}
    for cell in notebook.cells:
        tags = cell.metadata.get("tags", [])
        if cell.cell_type != "code" or "student" in tags:
            continue
        tree = ast.parse(cell.source)
        defined = {part.name: part for part in tree.body if isinstance(part, ast.FunctionDef)}
        if answers & defined.keys():
            functions |= defined
        else:
            tree.body = [
                part for part in tree.body if isinstance(part, (ast.Import, ast.ImportFrom))
            ]
        exec(compile(tree, name, "exec"), namespace)
    return functions, namespace


@pytest.mark.skipif(not hasattr(signal, "SIGALRM"), reason="needs a timer that interrupts")
@pytest.mark.parametrize("name", ASSIGNMENTS)
def test_every_mutant_of_a_solution_is_noticed(name):
    questions = {q.function: q for q in load(COURSE / name).questions}
    functions, namespace = solution(name, questions.keys())
    escaped, count = {}, 0
    for function, tree in functions.items():
        judged = [questions[function]] if function in questions else list(questions.values())
        cases = {(q.name, seed): q.hidden_cases(seed) for q in judged for seed in SEEDS}
        for q in judged:
            for seed in SEEDS:
                assert right(q, cases[q.name, seed], namespace[q.function]), (q.name, seed)
        for what, mutant in mutants(tree):
            count += 1
            changed = dict(namespace)
            module = ast.fix_missing_locations(ast.Module([mutant], type_ignores=[]))
            # The other functions must see the mutant: all are made anew in one namespace.
            exec(compile(module, "mutant", "exec"), changed)
            for other in functions.values():
                if other is not tree:
                    rest = ast.Module([other], type_ignores=[])
                    exec(compile(rest, "solution", "exec"), changed)
            for seed in SEEDS:
                if all(right(q, cases[q.name, seed], changed[q.function]) for q in judged):
                    escaped.setdefault(f"{name[:2]} {what}", []).append(seed)
    listed = {what for what in EQUIVALENT if what.startswith(name[:2])}
    print(f"{name}: {count} mutants, {len(listed)} equivalent")
    assert {what: seeds for what, seeds in escaped.items() if what not in listed} == {}
    # A change that is noticed with some seed isn't equivalent: it must be noticed with every one.
    assert {what for what in listed if escaped.get(what) != list(SEEDS)} == set()
