"""What must hold before anybody is graded: the solution gets everything, the blank nothing."""

import dataclasses
import time

from course.grader import grade, notebook, solution
from course.grader.store import Refusal, SandboxError


def preflight(folder, assignment, seed, sandbox):
    """Return the assignment with the right functions that may be lent, or refuse to go on."""
    master = folder / "master.ipynb"
    blank = folder.parent / "student" / f"{assignment.name}.ipynb"
    for path in (master, blank):
        if not path.is_file():
            raise Refusal(f"There is no {path}: the preflight grades it first.")
    try:
        data, began = notebook.read(master), time.monotonic()
        result = grade.grade(data, assignment, seed, sandbox)
        taken = time.monotonic() - began
        full_marks(master, assignment, result)
        assignment = lending(assignment, solution.functions(data, assignment), seed, sandbox)
        began = time.monotonic()
        nothing = grade.grade(notebook.read(blank), assignment, seed, sandbox)
        taken -= time.monotonic() - began
    except (Refusal, notebook.SubmissionError, SandboxError, OSError):
        raise
    except Exception as error:  # the teacher's own questions
        said = f"{type(error).__name__}: {error}"
        raise Refusal(f"The questions in {folder / 'hidden.py'} fail: {said}.") from error
    if any(nothing["points"].values()):
        raise Refusal(f"The student version {blank} gets points before anything is done.")
    # Both had to start an interpreter. Students' code may be slower than the solution's.
    if taken > assignment.seconds / 3:
        raise Refusal(
            f"The solution takes {taken:.0f} s, more than a third of what students have: raise "
            f"seconds in {folder / 'hidden.py'}."
        )
    return assignment


def lending(assignment, sources, seed, sandbox):
    """Return the assignment with those functions of its solution that are right by themselves."""
    right = []
    sandbox.run([], grade.lend_all(assignment, sources, seed, right))
    missing = [q.function for q in assignment.questions[:-1] if q.function not in right]
    if missing:
        print(f"Where these are wrong, later questions get no right ones: {', '.join(missing)}")
    return dataclasses.replace(assignment, sources={name: sources[name] for name in right})


def full_marks(master, assignment, result):
    """Refuse a solution that isn't right everywhere."""
    missed = [q.name for q in assignment.questions if result["points"][q.name] != q.points]
    if missed:
        lost = result["lost"]
        why = [result["note"], *(f"{name}: {lost[name][0][2]}" for name in missed if name in lost)]
        said = "; ".join(filter(None, why))
        raise Refusal(f"The solution {master} does not get full marks. {said}")
