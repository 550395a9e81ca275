"""From a submission to its points."""

import builtins
import hashlib
import importlib.util
import json
import os
import platform
import threading
from importlib import metadata
from pathlib import Path

from course.grader import inside, notebook
from course.grader.sandbox import SandboxError

HERE = Path(__file__).resolve().parent
REASONS = {
    "missing": "there was no `{function}` when all cells had run",
    "refused": "`{function}` returned something that is neither a number nor a list or array of "
    "numbers, or one that is far too long",
    "wrong": "an answer was wrong",
    "stopped": "an answer is missing: time or memory was used up, or the process had ended",
}


def load(folder):
    """Return the assignment that hidden.py in a folder defines."""
    spec = importlib.util.spec_from_file_location("hidden", folder / "hidden.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.ASSIGNMENT


def version(assignment_folder, library):
    """Return what results depend on apart from submission and seed, as a text."""
    source = Path(importlib.util.find_spec("distill_lib").origin).parent
    files = [*HERE.glob("*.py"), assignment_folder / "hidden.py"]
    files += source.glob("*.py") if library else []
    digests = [hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(files)]
    packages = [f"{name} {metadata.version(name)}" for name in ("numpy", "scipy", "ipython")]
    return " ".join([platform.python_version(), platform.machine(), *packages, *digests])


def judge(question, cases, answers):
    """Return why a question gets no points, or "" if every answer is right."""
    for arguments, (kind, data) in zip(cases, answers, strict=True):
        if kind == "raised":
            # Of what the student's process says here, only the name of one of Python's own errors
            # is passed on: a message could hold the hidden arguments.
            known = getattr(builtins, data, None) if isinstance(data, str) else None
            is_error = isinstance(known, type) and issubclass(known, BaseException)
            name = data if is_error else "Exception"
            return f"`{question.function}` raised an error ({name})"
        if kind == "value":
            try:
                value = inside.decode(data, integer=float)
            except Exception:  # whatever was sent, it's no value
                kind = "refused"
            else:
                if question.accepts(value, arguments):
                    continue
                kind = "wrong"
        return REASONS.get(str(kind), REASONS["refused"]).format(function=question.function)
    return ""


def grade(data, assignment, seed, sandbox, slot=0):
    """Return the result of a submission as plain data: points, and why some were lost."""
    cases = [question.hidden_cases(seed) for question in assignment.questions]
    calls = [(q.function, each) for q, each in zip(assignment.questions, cases, strict=True)]
    try:
        cells = notebook.code_cells(data)
    except notebook.SubmissionError as error:
        return unread(str(error), assignment, sandbox.isolation)
    run = sandbox.run(cells, calls, slot)
    result = {"points": {}, "lost": {}, "cells": run.cells, "note": run.stopped}
    for number, question in enumerate(assignment.questions):
        wanted = range(len(cases[number]))
        given = [run.answers.get((number, case), ("stopped", "")) for case in wanted]
        reason = judge(question, cases[number], given)
        result["points"][question.name] = 0 if reason else question.points
        if reason:
            result["lost"][question.name] = reason
    return result | {"isolation": sandbox.isolation}


def unread(note, assignment, isolation):
    """Return the result of a submission that can't be run."""
    names = [question.name for question in assignment.questions]
    return {
        "points": dict.fromkeys(names, 0),
        "lost": dict.fromkeys(names, note),
        "cells": [],
        "note": note,
        "isolation": isolation,
    }


def handed_in(paths):
    """Return the bytes of the one notebook and "", or None and why there is nothing to grade."""
    if len(paths) != 1:
        return None, f"{len(paths)} notebooks handed in: leave one" if paths else "no notebook"
    try:
        return notebook.read(paths[0]), ""
    except notebook.SubmissionError as error:
        return None, str(error)


def graded_once(paths, assignment, seed, sandbox, store, about, slot=0):
    """Return the result for what a student handed in: the stored one, if there is one."""
    data, note = handed_in(paths)
    if note:
        return unread(note, assignment, sandbox.isolation)
    parts = [data, f"{assignment.name} {seed} {sandbox.isolation} {about}".encode()]
    key = hashlib.sha256(b"".join(hashlib.sha256(part).digest() for part in parts)).hexdigest()
    path = store / f"{key}.json"
    if path.exists():
        return json.loads(path.read_text(encoding="utf-8"))
    try:
        result = grade(data, assignment, seed, sandbox, slot)
    except SandboxError:
        raise  # nobody's fault who handed in something
    except Exception as error:  # ours: seen by the teacher, not stored, and no harm to others
        note = f"the grader failed: {type(error).__name__}: {error}"
        return unread(note[:200], assignment, sandbox.isolation)
    write_whole(path, json.dumps(result, indent=1) + "\n")
    return result


def write_whole(path, text):
    """Write a file beside its place and move it there, so that no one sees half of it."""
    part = path.with_name(f"{path.name}.{threading.get_native_id()}.part")
    with part.open("w", encoding="utf-8", errors="backslashreplace", newline="") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    os.replace(part, path)
