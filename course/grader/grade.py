"""From a submission to its points."""

import builtins
import hashlib
import importlib.util
import json
import platform
from importlib import metadata
from pathlib import Path

from course.grader import notebook
from course.grader.conversation import Turn
from course.grader.inside import values
from course.grader.inside.checkpoints import WHY
from course.grader.store import Refusal, SandboxError

HERE = Path(__file__).resolve().parent
# What no result depends on: how results are kept, shown and passed on.
APART = {
    "__main__",
    "arguments",
    "exchange",
    "gradebook",
    "gradescope",
    "private",
    "similarity",
    "store",
}
APART |= {"copies", "tables"}
REASONS = {
    "missing": "there was no `{function}` when all cells had run",
    "overwritten": "`{function}` was no function any more when all cells had run: "
    "the name had been given to something else",
    "refused": "`{function}` returned something that is neither a number nor a list or array of "
    "numbers, or one that is far too long",
    "wrong": "an answer was wrong",
    "stopped": "no answer came: the time for this question was used up, or the process had ended",
}

SHORT = (
    "its processes together held as much memory as they may, and Linux ended one of them; what "
    "waited for that one may have taken too long"
)


def load(folder):
    """Return the assignment that hidden.py in a folder defines."""
    path = folder / "hidden.py"
    try:
        spec = importlib.util.spec_from_file_location("hidden", path)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module.ASSIGNMENT
    except (Exception, SystemExit) as error:  # the teacher's own code
        raise Refusal(f"{path} can't be used: {type(error).__name__}: {error}.") from error


def version(assignment_folder, assignment):
    """Return what results depend on apart from submission and seed, as a text."""
    source = Path(importlib.util.find_spec("distill_lib").origin).parent
    files = [path for path in HERE.rglob("*.py") if path.stem not in APART]
    files += assignment_folder.glob("*.py")  # hidden.py, and what it may import
    files += source.glob("*.py") if assignment.library else []
    digests = [hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(files)]
    packages = [f"{name} {metadata.version(name)}" for name in ("numpy", "scipy", "ipython")]
    digests.append(hashlib.sha256(json.dumps(assignment.sources).encode()).hexdigest())
    return " ".join([platform.python_version(), platform.machine(), *packages, *digests])


def judge(question, cases, answers, stopped=""):
    """Return why a group of cases isn't right and a hint, or None if every answer is.

    Both are true of what happened: what the hint says about wrong answers is said of those only.
    """
    for arguments, (kind, data) in zip(cases, answers, strict=True):
        if kind == "raised":
            return raised(question, data)
        if kind == "value":
            try:
                value = values.decode(data, integer=float)
            except Exception:  # whatever was sent, it's no value
                kind = "refused"
            else:
                if question.accepts(value, arguments):
                    continue
                return REASONS["wrong"], question.hint
        if kind == "ended" and isinstance(data, str) and data in WHY:
            return f"no answer came from `{question.function}`: {WHY[data]}", ""
        if kind == "stopped" and stopped:
            return f"no answer came: {stopped}", ""
        return REASONS.get(str(kind), REASONS["refused"]).format(function=question.function), ""
    return None


def weigh(question, groups, answered, stopped=""):
    """Return the points of a question, and what was lost: [[group, points, why, hint], ...].

    answered is {case: [kind, data]}, with the cases counted through all groups.
    """
    points, lost, before = question.points, [], 0
    for group, cases in groups.items():
        given = [answered.get(before + k, ("stopped", "")) for k in range(len(cases))]
        before += len(cases)
        why = judge(question, cases, given, stopped)
        if why and not lost and group == next(iter(groups)):
            return 0, [[group, question.points, *why]]
        if why:
            points -= question.worth[group]
            lost.append([group, question.worth[group], *why])
    return points, lost


def raised(question, name):
    """Return why a question gets no points whose function raised an error, and a hint."""
    # Of what the student's process says here, only the name of one of Python's own errors is
    # passed on: a message could hold the hidden arguments.
    known = getattr(builtins, name, None) if isinstance(name, str) else None
    if not (isinstance(known, type) and issubclass(known, BaseException)):
        name = "Exception"
    why = f"`{question.function}` raised an error ({name})"
    if known is NotImplementedError:
        return why, f"It does so until it is written. Is `{question.function}` done?"
    # Its first sentence may say that answers are wrong; here there were none.
    advice = question.hint.partition(". ")[2] if question.hint[:5] == "Some " else question.hint
    if known is TypeError:
        return why, f"Is `{question.function}` still your function at the end? {advice}".strip()
    return why, advice


def examine(assignment, groups, result):
    """Yield the Turns of an assignment, and fill a result with what the answers are worth.

    A wrong function costs its own points only: a later one that isn't right with the student's own
    is asked once more, with right ones in the place of those earlier ones that aren't.
    They are lent only when the question that asks for them is closed.
    """
    wrong = {}
    for number, question in enumerate(assignment.questions):
        cases, left = groups[number], len(assignment.questions) - number
        flat = [each for group in cases.values() for each in group]
        answered, stopped = yield Turn(question.function, flat, {}, left)
        points, lost = weigh(question, cases, answered, stopped)
        there = not any(kind in ("missing", "overwritten") for kind, _ in answered.values())
        helped = ""
        if lost and wrong and there and not stopped:
            answered, stopped = yield Turn(question.function, flat, dict(wrong), left)
            again, still = weigh(question, cases, answered, stopped)
            if again > points:
                points, lost, helped = again, still, ", ".join(f"`{name}`" for name in wrong)
        result["points"][question.name] = points
        if lost:
            result["lost"][question.name] = lost
        if helped:
            result["helped"][question.name] = helped
        if lost and question.function in assignment.sources:
            wrong[question.function] = assignment.sources[question.function]


def grade(data, assignment, seed, sandbox, slot=0):
    """Return the result of a submission as plain data: points, and why some were lost."""
    groups = [question.hidden_groups(seed) for question in assignment.questions]
    try:
        cells = notebook.code_cells(data)
    except notebook.SubmissionError as error:
        return unread(str(error), assignment, sandbox.isolation)
    result = {"points": {}, "lost": {}, "helped": {}}
    run = sandbox.run(cells, examine(assignment, groups, result), slot)
    note = "; ".join(filter(None, [run.stopped, run.short and SHORT]))
    return result | {"cells": run.cells, "note": note, "isolation": sandbox.isolation}


def lend_all(assignment, sources, seed, right):
    """Yield a Turn for each function of the solution, and gather in right those that are."""
    for question in assignment.questions:
        groups, name = question.hidden_groups(seed), question.function
        if name in sources:
            flat = [each for group in groups.values() for each in group]
            answered, stopped = yield Turn(name, flat, {name: sources[name]}, 1)
            if not weigh(question, groups, answered, stopped)[1]:
                right.append(name)


def unread(note, assignment, isolation):
    """Return the result of a submission that can't be run: its note says why, once."""
    names = [question.name for question in assignment.questions] if assignment else []
    return {
        "points": dict.fromkeys(names, 0),
        "lost": {},
        "helped": {},
        "cells": [],
        "note": note,
        "isolation": isolation,
    }


def ungraded(error, isolation):
    """Return the result of a submission at which the grader failed: no points, not 0 points."""
    note = f"not graded: {type(error).__name__}: {error}"[:200]
    return unread(note, None, isolation)


def graded_once(submission, assignment, seed, sandbox, store, key, about, slot=0, again=False):
    """Return the result for what a student handed in: the stored one, if it is as it was stored."""
    try:
        data = notebook.chosen(submission)
    except notebook.SubmissionError as error:
        return unread(str(error), assignment, sandbox.isolation)
    parts = [data, f"{assignment.name} {seed} {sandbox.isolation} {about}".encode()]
    name = hashlib.sha256(b"".join(hashlib.sha256(part).digest() for part in parts)).hexdigest()
    path = store / f"{name}.json"
    result = None if again else key.kept(path)
    if result is None:
        try:
            result = grade(data, assignment, seed, sandbox, slot)
        except SandboxError:
            raise  # nobody's fault who handed in something
        except Exception as error:  # ours: seen by the teacher, not stored, and no harm to others
            return ungraded(error, sandbox.isolation)
        key.keep(path, result)
    return result
