"""Nothing honest is lost: right answers in every dress, and what was right before one bad step."""

import dataclasses

import pytest
from attacks.batch import ONLY_LINUX, isolation, need_sandbox, notebook
from attacks.corpus import ALL
from attacks.hidden import ASSIGNMENT
from attacks.honest import CELL, HONESTLY, LOST

from course.grader import grade, sandbox, watch

pytestmark = ONLY_LINUX
SECONDS = {"two_processes_beside_a_large_array": 60.0, "memory": 60.0}  # memory is slow to fill
LESS = {"memory": 2**29}  # bytes, so that a busy machine can fill them in time


@pytest.fixture(scope="module")
def graded():
    """A function that grades cells, with time enough for a busy machine."""
    need_sandbox()
    assignment, most = dataclasses.replace(ASSIGNMENT, seconds=24.0), watch.MEMORY
    with sandbox.Sandbox((), assignment.seconds) as prepared:

        def run(cells, name):
            watch.MEMORY = LESS.get(name, most)
            prepared.seconds = SECONDS.get(name, assignment.seconds)
            return grade.grade(notebook(cells).encode(), assignment, 11, prepared)

        yield run
        watch.MEMORY = most


def test_there_are_many():
    assert len(HONESTLY) >= 30


@pytest.mark.parametrize("name", HONESTLY)
def test_an_honest_notebook_gets_full_marks(name, graded):
    result = graded(HONESTLY[name], name)
    kinds = {kind for _, kind, _ in result["cells"]}
    assert tuple(result["points"].values()) == ALL, result
    assert result["note"] == "" and kinds <= {"Warning"}


@pytest.mark.parametrize("name", LOST)
def test_one_bad_step_costs_its_own_points(name, graded):
    cells, points, said, reasons = LOST[name]
    if name == "memory" and "cgroup" in isolation():
        # The kernel ends the processes that take it; the one that waits for them is late.
        said = [3, "Lost", f"it took too long. {CELL}"]
    result = graded(cells, name)
    assert tuple(result["points"].values()) == points, result
    assert result["cells"] == ([said] if said else [])
    assert {name: why for name, [(_, _, why, _)] in result["lost"].items()} == reasons
    assert result["note"] == ""
