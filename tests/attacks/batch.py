"""What the tests of the grader share: notebooks, an assignment, a run of the grader."""

import contextlib
import csv
import json
import os
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
from attacks.corpus import HONEST
from conftest import ROOT, wanting

HERE = Path(__file__).resolve().parent
ONLY_LINUX = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="bubblewrap is for Linux"
)


def notebook(cells):
    """Return a notebook of nbformat 4 as text."""
    empty = {"cell_type": "code", "execution_count": None, "metadata": {}, "outputs": []}
    parts = [empty | {"source": source} for source in cells]
    return json.dumps({"nbformat": 4, "nbformat_minor": 4, "metadata": {}, "cells": parts})


def make_assignment(top, solution=HONEST, blank=("",), hidden=None):
    """Write an assignment with its solution and its student version; return its folder."""
    folder = top / "course" / "attacked"
    folder.mkdir(parents=True)
    (top / "course" / "student").mkdir()
    text = hidden or (HERE / "hidden.py").read_text(encoding="utf-8")
    (folder / "hidden.py").write_text(text, encoding="utf-8")
    (folder / "master.ipynb").write_text(notebook(solution), encoding="utf-8")
    (top / "course" / "student" / "attacked.ipynb").write_text(notebook(blank), encoding="utf-8")
    return folder


def command(submissions, folder, out, *more, seed=11):
    """Return the grader's command; the teacher's own folder lies beside the course."""
    options = ["--assignment", folder, "--private", private(folder), "--seed", seed, "--out", out]
    parts = [sys.executable, "-m", "course.grader", submissions, *options, *more]
    return [str(part) for part in parts]


def private(folder):
    """Return the teacher's own folder for an assignment."""
    return folder.parent.parent / "private"


def run(arguments, **environment):
    """Run a command of the grader to its end."""
    environment = os.environ | environment
    return subprocess.run(
        arguments, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=300
    )


def rows(out):
    """Return grades.csv as {student: row}."""
    with (out / "grades.csv").open(encoding="utf-8-sig", newline="") as file:
        return {row["student"]: row for row in csv.DictReader(file)}


def points(row):
    """Return the points of a row's questions."""
    return tuple(int(row[name]) for name in ("q1", "q2", "q3"))


def need_sandbox():
    """Skip, or fail in CI, where there is no sandbox."""
    from course.grader.sandbox import Sandbox
    from course.grader.store import SandboxError

    try:
        Sandbox((), 1).folder.cleanup()
    except SandboxError as error:
        no_sandbox(error)


def no_sandbox(error):
    """Skip, or fail in CI, for the reason that the error gives."""
    cure, _, _ = str(error).partition(" Or say --unsafe")  # a teacher may choose to, a test may not
    wanting("no sandbox", cure.removeprefix("There is no sandbox here: "))


def isolation():
    """Return what is written beside every grade that a sandbox gives here."""
    from course.grader.sandbox import Sandbox

    with Sandbox((), 20) as prepared:
        return prepared.isolation


def running_commands():
    """Return the command of every process of this machine, as a text."""
    commands = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):  # it may end while we look
            commands.append(" ".join(process.cmdline()))
    return commands
