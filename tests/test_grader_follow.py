"""A wrong function costs its own points only, a special case its own; and nobody gains by that."""

import dataclasses
import json

import numpy as np
import pytest
from attacks.batch import ONLY_LINUX, need_sandbox, notebook
from conftest import ROOT

from course.grader import grade, gradebook, preflight, solution, store
from course.grader import questions as asked
from course.grader.inside import run as inside
from course.grader.inside.values import decode, encode
from course.grader.sandbox import Sandbox

pytestmark = ONLY_LINUX
MEAN = "def mean(x):\n    return sum(x) / len(x)\n"
SPREAD = "def spread(x):\n    m = mean(x)\n    return sum((a - m) ** 2 for a in x) / len(x)\n"
SCORE = "def score(x):\n    return [(a - mean(x)) / spread(x) ** 0.5 for a in x]\n"
RIGHT = [MEAN, SPREAD, SCORE]
WRONG = "def mean(x): return 7.0\n"


def numbers(rng):
    return {
        "several numbers": [(rng.uniform(1, 2, size=n),) for n in (2, 4, 7)],
        "one number": [(rng.uniform(1, 2, size=1),)],
        "large numbers": [(1e200 * rng.uniform(1, 2, size=3),)],
    }


QUESTIONS = (
    asked.Question(
        "q1",
        6,
        "mean",
        numbers,
        lambda value, x: asked.close(value, x.mean(), rtol=1e-12),
        "Some means are wrong. Try one number.",
        {"several numbers": 3, "one number": 2, "large numbers": 1},
    ),
    asked.Question(
        "q2",
        4,
        "spread",
        lambda rng: numbers(rng)["several numbers"],
        lambda value, x: asked.close(value, x.var(), rtol=1e-9),
        "Subtract the mean.",
    ),
    asked.Question(
        "q3",
        5,
        "score",
        lambda rng: numbers(rng)["several numbers"],
        lambda value, x: asked.close(value, (x - x.mean()) / x.std(), rtol=1e-6, atol=1e-6),
        "",
    ),
)
BARE = asked.Assignment("scores", QUESTIONS, {}, (), 10.0)
SOURCES = solution.functions(notebook(RIGHT).encode(), BARE)
ASSIGNMENT = dataclasses.replace(BARE, sources=SOURCES)


@pytest.fixture(scope="module")
def graded():
    """graded(cells) returns the result of a notebook."""
    need_sandbox()
    with Sandbox((), ASSIGNMENT.seconds) as prepared:
        yield lambda cells: grade.grade(notebook(cells).encode(), ASSIGNMENT, 11, prepared)


def points(result):
    return tuple(result["points"].values())


# Groups


@pytest.mark.parametrize(
    ("mean", "scored", "said"),
    [
        ("sum(x) / len(x)", 6, ""),
        (
            "sum(x) / (len(x) if len(x) > 1 else 2)",
            4,
            "In hidden tests: one number (2 lost): an answer was wrong. "
            "Some means are wrong. Try one number.",
        ),
        (
            "sum(x) / len(x) if len(x) > 1 and max(x) < 9 else 1 / 0",
            3,
            "In hidden tests: one number (2 lost): `mean` raised an error (ZeroDivisionError); "
            "large numbers (1 lost): `mean` raised an error (ZeroDivisionError). Try one number.",
        ),
        # What is right in special cases only gets nothing.
        (
            "x[0]",
            0,
            "In a hidden test (several numbers) an answer was wrong. Without these there are no "
            "points for the others. Some means are wrong. Try one number.",
        ),
    ],
)
def test_a_special_case_costs_its_own_points(mean, scored, said, graded):
    result = graded([f"def mean(x): return {mean}"])
    assert points(result) == (scored, 0, 0)
    assert gradebook.lost(result, QUESTIONS[0]) == said


@pytest.mark.parametrize("groups", [{"a": 1}, {"a": 3, "b": -1}, {"a": 2, "b": 0}])
def test_groups_make_up_the_points(groups):
    with pytest.raises(ValueError, match="must make up 2"):
        asked.Question("q", 2, "f", None, None, "", groups)


def test_cases_have_the_groups_that_have_points():
    question = asked.Question("q", 2, "f", lambda rng: {"a": [], "c": []}, None, "", {"a": 2})
    with pytest.raises(ValueError, match="the groups are"):
        question.hidden_groups(1)
    question = dataclasses.replace(question, cases=lambda rng: [()])
    with pytest.raises(ValueError, match="the groups are"):
        question.hidden_groups(1)


ALL_QUESTIONS = [
    (path.parent.name, question)
    for path in sorted((ROOT / "course").glob("a*/hidden.py"))
    for question in grade.load(path.parent).questions
]
EMPTY = {
    "None": lambda *given: None,
    "zero": lambda *given: 0.0,
    "one": lambda *given: 1.0,
    "a half": lambda *given: 0.5,
    "the first argument": lambda *given: given[0],
    "the second": lambda *given: given[1 % len(given)],
    "the last": lambda *given: given[-1],
    "zeros like the first": lambda *given: np.zeros_like(np.asarray(given[0], dtype=float)),
    "zeros like the second": lambda *given: np.zeros_like(np.asarray(given[1], dtype=float)),
    "zeros for rows": lambda *given: np.zeros(len(given[0])),
    "halves for rows": lambda *given: np.full(len(given[0]), 0.5),
    "a path of starts": lambda X, y, start, step, steps: [start] * (steps + 1),
}


@pytest.mark.parametrize(("name", "question"), ALL_QUESTIONS, ids=lambda x: getattr(x, "name", x))
def test_what_is_right_in_special_cases_only_gets_nothing(name, question):
    groups = question.hidden_groups(5)
    cases = [each for group in groups.values() for each in group]
    for what, function in EMPTY.items():
        answered = {}
        for number, given in enumerate(cases):
            try:
                value = encode(function(*decode([encode(part) for part in given])))
                answered[number] = ["value", json.loads(json.dumps(value))]
            except Exception as error:
                answered[number] = ["raised", type(error).__name__]
        assert grade.weigh(question, groups, answered)[0] == 0, what


# Follow-through


@pytest.mark.parametrize(
    ("cells", "scored", "helped"),
    [
        (RIGHT, (6, 4, 5), {}),
        ([WRONG, SPREAD, SCORE], (0, 4, 5), {"q2": "`mean`", "q3": "`mean`"}),
        (
            ["def mean(x): raise NotImplementedError", *RIGHT[1:]],
            (0, 4, 5),
            {"q2": "`mean`", "q3": "`mean`"},
        ),
        (RIGHT[1:], (0, 4, 5), {"q2": "`mean`", "q3": "`mean`"}),
        ([WRONG, "def spread(x): return 1.0", SCORE], (0, 0, 5), {"q3": "`mean`, `spread`"}),
        # Consistent with one's own mistake, and right without help: one's own function stays.
        (
            ["def mean(x): return sum(x)", "def spread(x): return x.var()", SCORE],
            (0, 4, 5),
            {"q3": "`mean`"},
        ),
        (
            [
                "def mean(x, n): return sum(x) / n",
                SPREAD.replace("mean(x)", "mean(x, len(x))"),
                SCORE.replace("mean(x)", "mean(x, len(x))"),
            ],
            (0, 4, 5),
            {},
        ),
        # Who has lost a special case only is helped as well, where it matters.
        (
            ["def mean(x): return sum(x) / len(x) if len(x) > 1 else 0", *RIGHT[1:]],
            (4, 4, 5),
            {},
        ),
        # A wrong function is wrong with right ones, too.
        ([WRONG, "def spread(x): return mean(x)", SCORE], (0, 0, 5), {"q3": "`mean`, `spread`"}),
        # One that ends the process doesn't take the next with it.
        (
            ["import os\ndef mean(x): os._exit(1)", *RIGHT[1:]],
            (0, 4, 5),
            {"q2": "`mean`", "q3": "`mean`"},
        ),
    ],
)
def test_a_wrong_function_costs_its_own_points_only(cells, scored, helped, graded):
    result = graded(cells)
    assert points(result) == scored
    assert result["helped"] == helped


def test_the_page_says_who_was_helped(graded):
    said = gradebook.about(graded([WRONG, *RIGHT[1:]]), QUESTIONS[1])
    assert said == "Judged with a right `mean` in the place of yours."


def test_a_right_function_is_lent_and_taken_back():
    space = {"mean": 1}
    with inside.lent(space, SOURCES):
        assert space["mean"]([1, 3]) == 2 and space["spread"]([1, 3]) == 1
    assert space == {"mean": 1}


# What is lent


def test_a_function_brings_what_it_needs_and_no_answer_to_another_question():
    cells = [
        "import numpy as np\nimport math\nunused = 7",
        "SCALE = 2.0\ndef twice(x): return SCALE * x\ndef mean(x): return twice(np.mean(x)) / 2",
        "import math as m\ndef spread(x): return m.sqrt(4) / 2 * np.var(x)",
        "def score(x):\n    def inner(a): return a - mean(x)\n    return inner(x) / spread(x)",
        "%time mean([1])",
        "X = 3\nY = mean([X])",
    ]
    sources = solution.functions(notebook(cells).encode(), BARE)
    assert sources["mean"].splitlines()[:3] == [
        "import numpy as np",
        "SCALE = 2.0",
        "def twice(x):",
    ]
    assert "spread" not in sources["mean"] and "math" not in sources["mean"]
    assert sources["spread"].startswith("import numpy as np\nimport math as m\ndef spread")
    assert "def mean" in sources["score"] and "def spread" in sources["score"]


def test_what_needs_a_later_answer_is_not_lent():
    cells = [MEAN.replace("sum(x)", "score(x)[0] + sum(x)"), SPREAD, SCORE]
    assert set(solution.functions(notebook(cells).encode(), BARE)) == {"score"}
    assert solution.functions(notebook(["x = 1"]).encode(), BARE) == {}


@pytest.mark.parametrize("name", sorted({name for name, _ in ALL_QUESTIONS}))
def test_all_functions_of_our_solutions_can_be_lent(name, capsys):
    need_sandbox()
    folder = ROOT / "course" / name
    assignment = grade.load(folder)
    sources = solution.functions((folder / "master.ipynb").read_bytes(), assignment)
    assert list(sources) == [q.function for q in assignment.questions]
    with Sandbox((), assignment.seconds) as prepared:
        lending = preflight.lending(assignment, sources, 4, prepared)
    assert lending.sources == sources and capsys.readouterr().out == ""


def test_what_is_not_right_by_itself_is_not_lent(capsys):
    need_sandbox()
    with Sandbox((), 10) as prepared:
        lending = preflight.lending(BARE, SOURCES | {"mean": WRONG}, 4, prepared)
    assert set(lending.sources) == {"spread", "score"}
    said = "Where these are wrong, later questions get no right ones: mean\n"
    assert capsys.readouterr().out == said


# Attacks: who gives up a question to see its answer, and wants more than that

WRITE = """
import json, os
def say(*lines):
    for fd in range(3, 40):
        for line in lines:
            try: os.write(fd, json.dumps(line).encode() + b"\\n")
            except OSError: pass
"""
LOOK = """
import gc, os, select, sys
def texts(part):
    parts = part.values() if type(part) is dict else part
    return [each for each in list(parts) if type(each) is str]
def look():
    # All texts in this process, and what may be read from outside
    found = [part for part in gc.get_objects() if type(part) in (list, tuple, dict, set)]
    frame = sys._getframe()
    while frame:
        found += [frame.f_locals, *frame.f_locals.values()]
        frame = frame.f_back
    found = [text for part in found if type(part) in (list, tuple, dict, set)
             for text in texts(part)]
    for fd in range(3, 40):
        try:
            if select.select([fd], [], [], 0.02)[0]: found.append(str(os.read(fd, 10**6)))
        except (OSError, ValueError): pass
    return " ".join(found)
def seen(*parts):
    # In parts, for whoever looks finds the own cells, too
    return "".join(parts) in look()
"""
# {name: (cells, the most points)}
ATTACKS = {
    # The answer to a later question among the globals of what was lent
    "globals_of_what_is_lent": (
        [
            WRONG,
            "def spread(x): return mean.__globals__['spread'](x)",
            "def score(x): return mean.__globals__.get('score', spread.__globals__['score'])(x)",
        ],
        (0, 0, 0),
    ),
    # A closed question answered with what was lent
    "answers_to_what_is_closed": (
        [
            WRITE,
            WRONG,
            "def spread(x):\n"
            "    say(*([turn, case, 'value', float(mean(x))] for turn in range(9)\n"
            "          for case in range(9)))\n    return 0.0",
        ],
        (0, 0, 0),
    ),
    # The next question asked for before this one is answered, to see what is lent there
    "the_next_question_first": (
        [
            WRITE + LOOK,
            "def mean(x):\n    say(['next', 0], ['next', 1], ['next', 2])\n"
            "    return x.mean() if seen('sum(x)', ' / len(x)') else 0.0",
            "def spread(x): return x.var() if seen('(a - m)', ' ** 2') else 0.0",
            "def score(x): return (x - x.mean()) / x.std() if seen('/ spread', '(x) **') else 0.0",
        ],
        (0, 0, 0),
    ),
    # The same, as soon as something is lent: is there more in the process than that?
    "what_comes_later_in_memory": (
        [
            LOOK,
            WRONG,
            "def spread(x): return x.var() if seen('(a - m)', ' ** 2') else 0.0",
            "def score(x): return (x - x.mean()) / x.std() if seen('/ spread', '(x) **') else 0.0",
        ],
        (0, 0, 0),
    ),
    # What is lent is kept, for the own function of an earlier question
    "lent_functions_kept": (
        [
            "kept = []\ndef mean(x): return kept[0](x) if kept else 0.0",
            "def spread(x):\n    kept.append(mean)\n    return 0.0",
            "def score(x): return kept[0](x)",
        ],
        (0, 0, 0),
    ),
    # A second process that lies in wait for the lines
    "a_thief_at_the_line": (
        [
            WRITE,
            "import select\nif os.fork() == 0:\n    while True:\n        for fd in range(3, 40):\n"
            "            try:\n                if select.select([fd], [], [], 0)[0]:\n"
            "                    line = os.read(fd, 10**6)\n"
            "                    open('/tmp/line', 'ab').write(line)\n"
            "                    say(['next', 0], ['next', 1], ['next', 2], ['next', 3])\n"
            "            except (OSError, ValueError): pass",
            WRONG,
            "def spread(x):\n    text = open('/tmp/line').read()\n"
            "    return x.var() if '(a - m)' in text else 0.0",
            "def score(x): return 0.0",
        ],
        (0, 0, 0),
    ),
    # Two tries for one question, where one should have one
    "another_try": (
        [
            WRONG,
            "tries = 0\ndef spread(x):\n    global tries\n    tries += 1\n"
            "    return x.var() if tries % 2 else 0.0",
            "def score(x): return 0.0",
        ],
        (0, 0, 0),
    ),
    # A wrong name for what is lent, so that it lands on another
    "lent_over_everything": (
        [
            WRONG,
            "class Space(dict):\n    def get(self, *a): return lambda x: x.var()\n"
            "def spread(x): return 0.0",
            "get_ipython().user_ns.update(score=lambda x: mean(x))",
        ],
        (0, 0, 0),
    ),
    "many_nexts": ([WRITE, WRONG, "say(*(['next', k] for k in range(-5, 50)))", SPREAD], (0, 4, 0)),
}


@pytest.mark.parametrize("name", ATTACKS)
def test_nobody_gains_by_giving_up_a_question(name, graded):
    cells, most = ATTACKS[name]
    scored = points(graded(cells))
    assert all(got <= limit for got, limit in zip(scored, most, strict=True)), scored


def test_whoever_looks_finds_what_is_lent(graded):
    # So that the attacks above would find the rest, if it were there
    cells = [LOOK, WRONG, "def spread(x): return x.var() if seen('sum(x)', ' / len(x)') else 0.0"]
    assert points(graded(cells)) == (0, 4, 0)


def test_what_is_lent_comes_only_when_its_question_is_closed():
    exam = grade.examine(ASSIGNMENT, [q.hidden_groups(1) for q in QUESTIONS], result := empty())
    first = next(exam)
    assert (first.function, first.lent, first.left) == ("mean", {}, 3)
    second = exam.send(({}, ""))
    assert (second.function, second.lent) == ("spread", {})
    wrong = {k: ["value", 0.0] for k in range(3)}
    third = exam.send((wrong, ""))
    assert (third.function, third.lent) == ("spread", {"mean": SOURCES["mean"]})
    fourth = exam.send((wrong, ""))
    assert (fourth.function, fourth.lent) == ("score", {})
    fifth = exam.send((wrong, ""))
    assert set(fifth.lent) == {"mean", "spread"}
    with pytest.raises(StopIteration):
        exam.send((wrong, ""))
    assert result["points"] == {"q1": 0, "q2": 0, "q3": 0}


def test_where_all_is_stopped_nothing_is_asked_again():
    exam = grade.examine(ASSIGNMENT, [q.hidden_groups(1) for q in QUESTIONS], result := empty())
    asked_for, turn = [], next(exam)
    while turn:
        asked_for.append(turn.function)
        try:
            turn = exam.send(({}, "it took too long"))
        except StopIteration:
            break
    assert asked_for == ["mean", "spread", "score"]
    assert "no answer came: it took too long" in result["lost"]["q3"][0][2]


def empty():
    return {"points": {}, "lost": {}, "helped": {}}


def test_a_refusal_is_no_sandbox_error():
    assert not issubclass(store.Refusal, store.SandboxError)
