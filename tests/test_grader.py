"""The grader does what its page promises, and refuses in plain words what it can't."""

import array
import json
import os
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from collections import namedtuple
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from attacks.batch import (
    ONLY_LINUX,
    command,
    isolation,
    make_assignment,
    need_sandbox,
    notebook,
    points,
    rows,
    run,
    running_commands,
)
from attacks.corpus import ALL, HONEST, NOTHING, WRONG
from conftest import ROOT

from course.grader import __main__ as main
from course.grader import grade, gradebook, private, questions, sandbox, seccomp, store
from course.grader.inside import run as inside
from course.grader.inside import values

pytestmark = ONLY_LINUX
NAN, INF = float("nan"), float("inf")


@pytest.fixture
def place(tmp_path):
    """An assignment, and a folder with some submissions."""
    need_sandbox()
    handed_in = tmp_path / "handed in"
    handed_in.mkdir()
    for number, cells in enumerate([HONEST, [WRONG], HONEST[:1], [*HONEST, "1 / 0"], HONEST[1:]]):
        (handed_in / f"student {number}.ipynb").write_text(notebook([f"# {number}", *cells]))
    return make_assignment(tmp_path), handed_in, tmp_path


def tree(folder):
    """Return {path: bytes} of all files in a folder."""
    paths = [path for path in folder.rglob("*") if path.is_file()]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


# What is accepted


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (2.0, 2),
        (2, 2.0),
        (np.float64(2), 2),
        (np.array(2.0), 2),
        ([1, 2.0], np.array([1, 2])),
        ([np.array([1.0, 2.0]), [3, 4]], [[1, 2], [3, 4]]),
        (1 + 1e-7, 1),
        (np.zeros((0, 2)), np.zeros((0, 2))),
    ],
)
def test_numbers_in_any_dress_are_close(value, expected):
    assert questions.close(value, expected, rtol=1e-6)
    assert questions.near(value, expected, rtol=1e-6)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, 0),
        (NAN, 0),
        (NAN, NAN),
        (INF, 0),
        (INF, INF),
        (True, 1),
        (False, 0),
        ("1.0", 1),
        (["1.0"], [1]),
        ([True], [1]),
        (np.array([True]), [1]),
        ([1.0], 1),
        (1.0, [1]),
        ([[1.0]], [1]),
        ([1.0, [2.0]], [1, 2]),
        ([1.0, 1.0], [1]),
        ([], 1),
        ([], [1]),
        (np.ones((1, 2)), [1, 1]),
        (10**400, 1),
        ([10**400], [1]),
        (1 + 3e-6, 1),
        ([1.0, NAN], [1, 1]),
        ({"array": [1.0]}, [1]),
    ],
)
def test_what_is_no_such_number_is_neither_close_nor_near(value, expected):
    assert not questions.close(value, expected, rtol=1e-6, atol=1e-9)
    assert not questions.near(value, expected, rtol=1e-6, atol=1e-9)


def test_close_goes_entry_by_entry_and_near_by_the_norm():
    assert questions.near([1.0, 1e-8], [1, 0], rtol=1e-6)
    assert not questions.close([1.0, 1e-8], [1, 0], rtol=1e-6)
    assert questions.close([1.0, 1e-8], [1, 0], rtol=1e-6, atol=1e-7)
    assert not questions.near([1.0, 3e-6], [1, 0], rtol=1e-6)


def test_between_wants_one_number():
    assert questions.between(1, 1, 2) and questions.between(2.0, 1, 2)
    for value in (0.999, 2.001, NAN, [1.5], True, None, "1.5"):
        assert not questions.between(value, 1, 2)


def test_same_is_for_labels_counts_and_words():
    for value in ([1, 0], [1.0, 0.0], [True, False], np.array([1.0, 0.0]), np.array([True, False])):
        assert questions.same(value, [1, 0])
    for value in ([1, 1], [1], 1, [[1, 0]], ["1", "0"], [1, None], [1, NAN], [1, [0]], None, "10"):
        assert not questions.same(value, [1, 0])
    assert questions.same("soft", "soft") and not questions.same("hard", "soft")
    assert questions.same(3.0, 3) and not questions.same("3", 3) and not questions.same(3, "3")
    assert questions.same(None, None) and not questions.same(0, None)


def test_an_oracle_that_stumbles_accepts_nothing():
    question = questions.Question("q", 1, "f", lambda rng: [()], lambda value: value["x"], "")
    assert not question.accepts([], ())


def test_hidden_inputs_depend_on_seed_and_question_alone():
    first, other = (
        questions.Question(name, 1, "f", lambda rng: [(rng.uniform(),)], None, "")
        for name in ("q1", "q2")
    )
    assert first.hidden_cases(3) == first.hidden_cases(3)
    drawn = [q.hidden_cases(seed)[0][0] for q in (first, other) for seed in (3, 4)]
    assert len(set(drawn)) == 4


@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        7,
        -1.5,
        "word",
        [1, [2.0, "x"]],
        np.arange(6.0).reshape(2, 3),
        np.arange(3),
        np.array([True, False]),
        np.array(2.5),
        np.zeros((2, 0)),
        [np.ones(2), np.zeros((1, 2))],
        np.array([0.1, NAN, INF, 5e-324]),
    ],
)
def test_arguments_arrive_as_they_were(value):
    arrived = values.decode(json.loads(json.dumps(values.encode(value))))
    assert type(arrived) is type(value)
    np.testing.assert_equal(arrived, value)
    if isinstance(value, np.ndarray):
        assert arrived.dtype == value.dtype


class Vector(np.ndarray):
    """An array by another name."""


class Row(list):
    """A list by another name."""


class Metre(float):
    """A number by another name."""


@pytest.mark.parametrize(
    "value",
    [
        np.array([1.0, 2.5]) + 0j,
        [1 + 0j, np.complex128(2.5)],
        np.array([1, 2.5], dtype=object),
        np.array([Fraction(1), Decimal("2.5")], dtype=object),
        np.array([np.array(1.0), np.float32(2.5)], dtype=object),
        np.ma.array([1.0, 2.5]),
        np.ma.array([1.0, 2.5], mask=[False, False]),
        np.array([1.0, 2.5]).view(Vector),
        Row([1.0, Metre(2.5)]),
        namedtuple("Two", "a b")(1, 2.5),
        array.array("d", [1.0, 2.5]),
        np.array([1.0, 2.5], dtype=np.float32),
        np.array([1.0, 2.5], dtype=np.longdouble),
        [np.float32(1), np.float16(2.5)],
        [Fraction(1), Decimal("2.5")],
    ],
)
def test_right_values_in_any_dress_arrive(value):
    arrived = values.decode(json.loads(json.dumps(values.encode(value))), integer=float)
    assert questions.close(arrived, [1, 2.5], rtol=1e-15)
    assert questions.near(arrived, [1, 2.5], rtol=1e-15)


@pytest.mark.parametrize(
    "value",
    [
        np.array([1.0, 2.5]) + 1e-9j,
        1j,
        np.array([1.0, None], dtype=object),
        np.array([1.0, "2.5"], dtype=object),
        np.array([1.0, True], dtype=object),
        np.ma.array([1.0, 2.5], mask=[False, True]),
        np.ma.masked,
        np.array(["1"]),
        np.array([1], dtype="datetime64[s]"),
        array.array("u", "ab"),
        {1.0, 2.5},
        Decimal,
    ],
)
def test_what_is_no_number_does_not_arrive(value):
    with pytest.raises((values.Refused, TypeError)):
        values.encode(value)


def test_single_precision_is_as_good_as_it_can_be_and_no_better():
    def arrived(value):
        return values.decode(values.encode(value), integer=float)

    third = np.array([1 / 3])
    for compare in (questions.close, questions.near):
        assert compare(arrived(third.astype(np.float32)), third, rtol=1e-12)
        assert compare([arrived(np.float32(1 / 3))], third, rtol=1e-12)
        assert not compare(arrived((third * (1 + 1e-6)).astype(np.float32)), third, rtol=1e-12)
        assert not compare(arrived(third.astype(np.float32).astype(float)), third, rtol=1e-12)


def test_a_name_that_is_no_function_any_more_is_overwritten():
    said = []
    for function in (inside.MISSING, None, 3.0, len):
        inside.make_calls(0, function, [[[1.0, 2.0]]], said.append)
    kinds = ["missing", "overwritten", "overwritten", "value"]
    assert [line[2] for line in said] == kinds


# A run


def test_a_run_and_what_it_writes(place):
    folder, handed_in, top = place
    done = run(command(handed_in, folder, top / "out"))
    assert done.returncode == 0, done.stderr
    table = rows(top / "out")
    assert [points(row) for row in table.values()] == [ALL, NOTHING, (2, 0, 0), ALL, (0, 3, 1)]
    lines = (top / "out" / "grades.csv").read_text(encoding="utf-8").splitlines()
    names = ["student", "q1", "q2", "q3", "automatic", "essay (of 4)", "late", "total", "note"]
    assert lines[0] == "\ufeff" + ",".join(f'"{name}"' for name in [*names, "isolation"])
    assert lines[1] == '"student 0",2,3,1,6,"","","","","bubblewrap"'
    page = (top / "out" / "feedback" / "student 4.md").read_text()
    assert "**4 of 6 automatic points.**" in page
    assert "- **q1**: 0 of 2. In a hidden test there was no `mean`" in page
    assert "Sum, then divide." not in page  # nothing was wrong: there was nothing
    assert "- **q2**: 3 of 3\n" in page
    assert "- **essay**: of 4, graded by hand" in page
    page = (top / "out" / "feedback" / "student 1.md").read_text()
    assert "- **q1**: 0 of 2. In a hidden test an answer was wrong. Sum, then divide.\n" in page
    page = (top / "out" / "feedback" / "student 3.md").read_text()
    assert "Code cell 5 ended with an error:\n\n    ZeroDivisionError: division by zero" in page


def test_the_same_submissions_give_the_same_bytes_however_many_at_once(place):
    folder, handed_in, top = place
    for jobs in (1, 5):
        done = run(command(handed_in, folder, top / f"out {jobs}", "--jobs", jobs))
        assert done.returncode == 0, done.stderr
    assert tree(top / "out 1") == tree(top / "out 5")


def test_killed_halfway_it_goes_on_and_ends_the_same(place):
    folder, handed_in, top = place
    (handed_in / "student 9.ipynb").write_text(notebook([*HONEST, "while True: pass"]))
    arguments = command(handed_in, folder, top / "out", "--jobs", 1)
    environment = os.environ | {"TMPDIR": str(top)}
    killed = subprocess.Popen(arguments, cwd=ROOT, env=environment, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    while len(list((top / "out").glob("results/*.json"))) < 2:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    assert not (top / "out" / "grades.csv").exists()
    assert len(list(top.glob("grading-*"))) == 1
    before = {path: path.stat().st_mtime_ns for path in (top / "out").glob("results/*.json")}
    assert len(before) < 6
    for path in before:
        json.loads(path.read_text())

    while any("bwrap" in text and str(top) in text for text in running_commands()):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    done = run(arguments, TMPDIR=str(top))
    assert done.returncode == 0, done.stderr
    assert list(top.glob("*grading-*")) == []
    for path, written in before.items():
        assert path.stat().st_mtime_ns == written  # not graded again
    assert run(command(handed_in, folder, top / "at once")).returncode == 0
    whole = tree(top / "at once")
    assert tree(top / "out") == whole


def test_another_seed_or_assignment_is_graded_anew(place):
    folder, handed_in, top = place
    for number in (2, 3, 4):
        (handed_in / f"student {number}.ipynb").unlink()
    assert run(command(handed_in, folder, top / "out")).returncode == 0
    assert len(tree(top / "out" / "results")) == 2
    assert run(command(handed_in, folder, top / "out", seed=12)).returncode == 0
    assert len(tree(top / "out" / "results")) == 4
    hidden = folder / "hidden.py"
    hidden.write_text(hidden.read_text().replace("points=2", "points=5"))
    assert run(command(handed_in, folder, top / "out", "--force")).returncode == 0
    assert [row["q1"] for row in rows(top / "out").values()] == ["5", "0"]


# Refusals


def refused(place, **environment):
    folder, handed_in, top = place
    done = run(command(handed_in, folder, top / "out"), **environment)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert not (top / "out").exists()
    return done.stderr


def test_without_bubblewrap_it_refuses(place):
    said = refused(place, PATH="")
    assert "no bubblewrap" in said
    assert "apt install bubblewrap" in said
    assert "--unsafe" in said


def test_with_a_bubblewrap_that_fails_it_refuses(place):
    fake = place[2] / "bin"
    fake.mkdir()
    (fake / "bwrap").write_text("#!/bin/sh\necho bwrap: no namespaces for you >&2\nexit 1\n")
    (fake / "bwrap").chmod(0o755)
    assert "no namespaces for you" in refused(place, PATH=f"{fake}:{os.environ['PATH']}")


def test_unsafe_is_written_into_every_row(place):
    folder, handed_in, top = place
    done = run(command(handed_in, folder, top / "out", "--unsafe"), PATH="")
    assert done.returncode == 0, done.stderr
    table = rows(top / "out")
    assert {row["isolation"] for row in table.values()} == {"none (--unsafe)"}
    assert [points(row) for row in table.values()] == [ALL, NOTHING, (2, 0, 0), ALL, (0, 3, 1)]
    # What was graded without a sandbox isn't taken for what is graded in one.
    assert run(command(handed_in, folder, top / "out")).returncode == 0
    assert {row["isolation"] for row in rows(top / "out").values()} == {isolation()}


def test_a_wrong_solution_is_refused(place):
    (place[0] / "master.ipynb").write_text(notebook([*HONEST, "def mean(x): return 0.0"]))
    said = refused(place)
    assert "does not get full marks" in said
    assert "q1" in said and "q2" not in said


def test_a_student_version_that_gets_points_is_refused(place):
    blank = place[0].parent / "student" / "attacked.ipynb"
    blank.write_text(notebook(HONEST[:1]))
    assert "gets points before anything is done" in refused(place)


def test_a_slow_solution_is_refused(place):
    # 2.2 of the 5 seconds; the last question may take all that is left.
    slow = ["import time\ntime.sleep(1.4)", *HONEST, "right = labels"]
    slow += ["def labels(X, w):\n    time.sleep(0.4)\n    return right(X, w)"]
    (place[0] / "master.ipynb").write_text(notebook(slow))
    assert "raise seconds" in refused(place)


@pytest.mark.parametrize("name", ["master.ipynb", "../student/attacked.ipynb"])
def test_a_missing_notebook_is_refused(name, place):
    (place[0] / name).unlink()
    assert "the preflight" in refused(place)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (["nowhere"], "SUBMISSIONS: there is no folder"),
        (["--assignment", "nowhere"], "--assignment: there is no"),
        (["--seed", "-1"], "--seed: must not be negative"),
        (["--jobs", "0"], "--jobs: must be at least 1"),
        (["--out", "{top}/file"], "--out: "),
        (["--out", "{top}/handed in"], "--out: must lie outside"),
        (["--out", "{top}/handed in/x"], "--out: must lie outside"),
        (["--out", "{top}"], "--out: must lie outside"),
    ],
)
def test_a_wrong_argument_is_named(change, said, tmp_path, capsys):
    (tmp_path / "handed in").mkdir()
    (tmp_path / "file").write_text("")
    folder = make_assignment(tmp_path)
    options = ["--assignment", str(folder), "--seed", "1", "--out", str(tmp_path / "out")]
    change = [part.format(top=tmp_path) for part in change]
    given = change if change[0] == "nowhere" else [str(tmp_path / "handed in")]
    with pytest.raises(SystemExit) as ended:
        main.arguments([*given, *options, *(change if change[0] != "nowhere" else [])])
    assert ended.value.code == 2
    assert said in capsys.readouterr().err


# What students see


def a_result(**parts):
    lost = {"q1": [["", 2, "an answer was wrong", "Think."]]}
    result = {"points": {"q1": 0}, "lost": lost, "cells": [], "note": ""}
    return result | {"isolation": "bubblewrap"} | parts


def a_page(student, result, given=None):
    """Return the page of a student."""
    given, asked = given or private.Marks(), an_assignment()
    row = gradebook.row(asked, student, result, given, 0, private.Settings())
    return gradebook.feedback(asked, student, result, given, row)


def an_assignment(**parts):
    question = questions.Question("q1", 2, "f", None, None, "Think.")
    given = {"name": "a", "questions": (question,), "manual": {}, "library": (), "seconds": 1}
    return questions.Assignment(**given | parts)


@pytest.mark.parametrize(
    "text",
    ["</code><script>alert(1)</script>", "```\n# Points: 6", "~~~", "x\r\n\r\n# y", "a\u2028# b"],
)
def test_a_students_text_stays_in_its_block(text):
    page = a_page(text, a_result(cells=[[0, text, text]], note=text), private.Marks(comment=text))
    ours = [line for line in page.split("\n") if not line.startswith("    ")]
    assert text[:4] not in "\n".join(ours)
    assert [*page.splitlines(), ""] == page.split("\n")  # no other ends of lines


def why(question, given, cases=None, **more):
    """Return what a student is told of the answers that were given."""
    lost = grade.judge(question, cases or [()] * len(given), given, **more)
    result = a_result(lost={question.name: [["", 2, *lost]]} if lost else {})
    return gradebook.lost(result, question)


def test_only_pythons_own_errors_are_named():
    question = questions.Question("q1", 2, "f", None, lambda value: True, "")
    assert why(question, [["raised", "ValueError"]]).endswith("(ValueError).")
    for name in ("inputs 1.5", "print", "__doc__", 7, None, ["ValueError"]):
        assert why(question, [["raised", name]]).endswith("(Exception).")


@pytest.mark.parametrize("kind", ["right", "", "wrong", "of course"])
def test_only_a_value_can_be_right(kind):
    question = questions.Question("q1", 2, "f", None, lambda value: True, "")
    assert why(question, [["value", 1.0]]) == ""
    assert why(question, [[kind, 1.0]]) != ""


def test_every_case_must_be_right():
    question = questions.Question("q1", 2, "f", None, lambda value, x: value == x, "")
    given = [["value", 1], ["value", 2]]
    assert why(question, given, [(1,), (2,)]) == ""
    assert why(question, given, [(1,), (3,)]) != ""
    assert why(question, given, [(3,), (2,)]) != ""
    with pytest.raises(ValueError, match="shorter"):
        grade.judge(question, [(1,), (2,)], given[:1])


@pytest.mark.parametrize(
    ("given", "stopped", "said"),
    [
        (["value", 2], "", "an answer was wrong. Some f are wrong. Try n = 1."),
        (["raised", "ValueError"], "", "`f` raised an error (ValueError). Try n = 1."),
        (
            ["raised", "NotImplementedError"],
            "",
            "`f` raised an error (NotImplementedError). It does so until it is written. "
            "Is `f` done?",
        ),
        (
            ["raised", "TypeError"],
            "",
            "`f` raised an error (TypeError). Is `f` still your function at the end? Try n = 1.",
        ),
        (["missing", ""], "", "there was no `f` when all cells had run."),
        (
            ["overwritten", ""],
            "",
            "`f` was no function any more when all cells had run: the name had been given to "
            "something else.",
        ),
        (
            ["refused", ""],
            "",
            "`f` returned something that is neither a number nor a list or array of numbers, or "
            "one that is far too long.",
        ),
        (
            ["stopped", ""],
            "",
            "no answer came: the time for this question was used up, or the process had ended.",
        ),
        (["stopped", ""], "it took too long", "no answer came: it took too long."),
    ],
)
def test_a_hint_is_true_of_what_happened(given, stopped, said):
    hint = "Some f are wrong. Try n = 1."
    question = questions.Question("q1", 2, "f", None, lambda value: value == 1, hint)
    assert why(question, [["value", 1], given], stopped=stopped) == f"In a hidden test {said}"


def test_a_file_that_cannot_be_read_gets_its_reason_once_and_no_hint():
    result = grade.unread("larger than 20 MB: clear its outputs", an_assignment(), "bubblewrap")
    page = a_page("anna", result)
    assert page.count("larger than 20 MB") == 1
    assert "- **q1**: 0 of 2\n" in page and "Think." not in page and "hidden test" not in page


# The library of the sandbox


def errors(library, cells):
    need_sandbox()
    with sandbox.Sandbox(library, 10) as prepared:
        run = prepared.run(cells, [])
    assert run.stopped == ""
    return [(number, kind) for number, kind, _ in run.cells]


def test_students_have_the_modules_they_may_use_and_no_others():
    cells = [
        "from distill_lib import angle\nassert abs(angle([1, 0], [0, 1]) - 3.1415 / 2) < 1e-3",
        "from distill_lib.geometry import acute_angle",
        "from distill_lib import closed_form_student",
        "import distill_lib.student",
        "import distill_lib\nassert not hasattr(distill_lib, 'transfer_risk')",
        "import os\nassert sorted(f for f in os.listdir('/grader/distill_lib') if f[-3:] == '.py')"
        " == ['__init__.py', '_arguments.py', '_scaling.py', '_types.py', 'geometry.py']",
    ]
    assert errors(("geometry",), cells) == [(2, "ImportError"), (3, "ModuleNotFoundError")]


def test_what_a_module_imports_comes_with_it():
    cells = ["from distill_lib import transfer_risk", "from distill_lib import closed_form_student"]
    assert errors(("risk",), cells) == []


def test_without_a_library_there_is_none():
    assert errors((), ["import distill_lib"]) == [(0, "ImportError")]


def test_a_folder_inside_what_is_seen_can_be_hidden():
    need_sandbox()
    hidden = os.path.dirname(np.__file__) + "/f2py"
    cells = [f"import os\nassert os.listdir({hidden!r}) == []", "import numpy"]
    assert os.listdir(hidden)
    with sandbox.Sandbox((), 10, hidden=[hidden]) as prepared:
        assert prepared.run(cells, []).cells == []


# What the kernel refuses

PROBE = """
import ctypes, errno, mmap, os, socket

def outcome(call, *arguments):
    try:
        call(*arguments)
    except OSError as error:
        return errno.errorcode[error.errno]
    return "allowed"

def plain(number):
    libc = ctypes.CDLL(None, use_errno=True)
    return "allowed" if libc.unshare(number) == 0 else errno.errorcode[ctypes.get_errno()]

RAW, STREAM = socket.SOCK_RAW, socket.SOCK_STREAM
families = [f for f in range(100) if "allowed" in (
    outcome(socket.socket, f, STREAM), outcome(socket.socket, f, RAW))]
"""


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("set(families) <= {1, 2, 10, 16} and {1, 2} <= set(families)", "True"),
        ("outcome(socket.socket, 40, STREAM)", "EPERM"),  # AF_VSOCK, which reaches the host
        ("outcome(socket.socketpair)", "allowed"),
        ("outcome(socket.socketpair, 30, STREAM)", "EPERM"),
        ("outcome(mmap.mmap, -1, 4096)", "EPERM"),
        ("outcome(mmap.mmap, -1, 4096, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)", "allowed"),
        ("open('/dev/zero', 'rb').read(4)", "b''"),
        ("outcome(os.memfd_create, 'x')", "EPERM"),
        ("plain(0x10000000)", "EPERM"),
        ("outcome(os.sched_setaffinity, 0, range(64))", "EPERM"),
        ("os.cpu_count() == len(os.sched_getaffinity(0)) <= 2", "True"),
        ("outcome(os.kill, 1, 9), outcome(os.kill, 1, 0)", "('allowed', 'allowed')"),
    ],
)
def test_what_the_kernel_refuses(expression, value, probed):
    assert probed[expression] == value


@pytest.fixture(scope="module")
def probed():
    """What each expression gives in the sandbox, as a text."""
    need_sandbox()
    (mark,) = [m for m in test_what_the_kernel_refuses.pytestmark if m.name == "parametrize"]
    expressions = [expression for expression, _ in mark.args[1]]
    cells = [PROBE, *(f"raise ValueError(str(({each})))" for each in expressions)]
    with sandbox.Sandbox((), 20) as prepared:
        said = prepared.run(cells, []).cells
    return {expressions[number - 1]: message for number, _, message in said}


def test_without_libseccomp_it_refuses(monkeypatch):
    monkeypatch.setitem(sys.modules, "pyseccomp", None)
    with pytest.raises(store.SandboxError, match="apt install libseccomp2; pip install pysecc"):
        seccomp.syscall_filter()


# Gradescope


def gradescope(folder, target, *more):
    options = ["--assignment", str(folder), "--seed", "11", "--out", str(target), *more]
    return run([sys.executable, "-m", "course.grader.gradescope", *options])


def test_the_zip_for_gradescope(place):
    folder, handed_in, top = place
    for name in ("a.zip", "b.zip"):
        done = gradescope(folder, top / name)
        assert done.returncode == 0, done.stderr
    assert (top / "a.zip").read_bytes() == (top / "b.zip").read_bytes()
    with zipfile.ZipFile(top / "a.zip") as archive:
        assert {"setup.sh", "run_autograder"} <= set(archive.namelist())
        assert not [name for name in archive.namelist() if name.endswith(".ipynb")]
        archive.extractall(top / "autograder" / "source")
        assert archive.getinfo("run_autograder").external_attr >> 16 & 0o111
    (top / "autograder" / "submission").mkdir()
    shutil.copy(handed_in / "student 4.ipynb", top / "autograder" / "submission" / "x.ipynb")
    arguments = [sys.executable, "-m", "course.grader.gradescope"]
    arguments += ["--run", str(top / "autograder")]
    options = dict(cwd=top / "autograder" / "source", capture_output=True, text=True)
    done = subprocess.run(arguments, **options)
    assert done.returncode == 0, done.stderr
    results = json.loads((top / "autograder" / "results" / "results.json").read_text())
    tests = results["tests"]
    assert [(t["name"], t["score"], t["max_score"], t["status"]) for t in tests] == [
        ("q1", 0, 2, "failed"),
        ("q2", 3, 3, "passed"),
        ("q3", 1, 1, "passed"),
    ]
    assert tests[0]["output"] == "In a hidden test there was no `mean` when all cells had run."
    assert "Isolation: bubblewrap." in results["output"]
    assert results["stdout_visibility"] == "hidden"

    # Where there is no sandbox there are no results, unless the zip was built with --unsafe.
    (top / "autograder" / "results" / "results.json").unlink()
    options["env"] = os.environ | {"PATH": ""}
    assert subprocess.run(arguments, **options).returncode == 1
    assert not (top / "autograder" / "results" / "results.json").exists()
    assert gradescope(folder, top / "c.zip", "--unsafe").returncode == 0
    with zipfile.ZipFile(top / "c.zip") as archive:
        archive.extractall(top / "autograder" / "source")
    assert subprocess.run(arguments, **options).returncode == 0
    text = (top / "autograder" / "results" / "results.json").read_text()
    assert "Isolation: none (--unsafe)." in text


def test_a_zip_is_not_built_with_a_wrong_solution(place):
    (place[0] / "master.ipynb").write_text(notebook([WRONG]))
    done = gradescope(place[0], place[2] / "a.zip")
    assert done.returncode == 1
    assert "does not get full marks" in done.stderr
    assert not (place[2] / "a.zip").exists()


# Which bubblewrap


def pretend(top, said, code=0):
    """Put a bubblewrap into a folder that says that, and return a PATH with it."""
    fake = top / "bin"
    fake.mkdir()
    (fake / "bwrap").write_text(
        f"#!/bin/sh\n[ $1 = --version ] && echo '{said}' && exit {code}\n"
        "echo bwrap: setting up uid map: Permission denied >&2\nexit 1\n"
    )
    (fake / "bwrap").chmod(0o755)
    return f"{fake}:{os.environ['PATH']}"


@pytest.mark.parametrize("version", ["0.6.3", "0.7.0", "0.4"])
def test_a_bubblewrap_that_is_too_old_is_named(version, place):
    said = refused(place, PATH=pretend(place[2], f"bubblewrap {version}"))
    program = place[2] / "bin" / "bwrap"
    assert f"no sandbox here: {program} is bubblewrap {version}, which is too old" in said
    assert "Install bubblewrap 0.8 or later" in said and "--unsafe" in said


@pytest.mark.parametrize("version", ["0.8.0", "0.10.0", "0.11.1", "1.0", "of another kind"])
def test_another_bubblewrap_is_tried(version, tmp_path, monkeypatch):
    path = pretend(tmp_path, f"bubblewrap {version}")
    monkeypatch.setenv("PATH", path)
    assert sandbox.found_bubblewrap() == str(tmp_path / "bin" / "bwrap")


@pytest.mark.parametrize(
    ("restricted", "user", "profile"),
    [("1\n", 1000, True), ("0\n", 1000, False), ("1\n", 0, False)],
)
def test_where_apparmor_forbids_sandboxes_the_cure_is_a_profile(
    restricted, user, profile, tmp_path, monkeypatch
):
    (tmp_path / "restricted").write_text(restricted)
    monkeypatch.setattr(sandbox, "RESTRICTED", tmp_path / "restricted")
    monkeypatch.setattr(os, "geteuid", lambda: user)
    monkeypatch.setenv("PATH", pretend(tmp_path, "bubblewrap 0.9.0"))
    with pytest.raises(store.SandboxError) as refusal:
        sandbox.Sandbox((), 10)
    said = str(refusal.value)
    assert "The sandbox does not start: bwrap: setting up uid map: Permission denied." in said
    assert ("cat > /etc/apparmor.d/bwrap" in said) == profile
    assert (f"profile bwrap {tmp_path}/bin/bwrap flags=(unconfined) {{" in said) == profile
    assert ("Install bubblewrap 0.8" in said) != profile


def test_the_profile_on_the_teaching_page_is_the_one_that_is_said():
    page = (ROOT / "chapters" / "teaching.md").read_text(encoding="utf-8")
    profile = sandbox.PROFILE.format(program="/usr/bin/bwrap").split("\n\n")[1]
    assert profile.strip() in page
