"""Nothing honest is lost: what a submission is, what is kept, and what only --force changes.

Where it doesn't matter how code is run, it is run in this very process, by `StandIn`.
"""

import contextlib
import errno
import json
import os
import shutil
import subprocess
import tempfile
import unicodedata
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest
from attacks.batch import ONLY_LINUX, make_assignment, notebook, points, private, rows
from attacks.corpus import ALL, HONEST, LABELS, WRONG
from conftest import wanting

from course import release
from course.grader import __main__ as main
from course.grader import conversation, grade, gradebook, gradescope, questions, store, tables
from course.grader import notebook as submitted
from course.grader import private as own
from course.grader.inside import run as inside
from course.grader.inside.values import encode

pytestmark = ONLY_LINUX
NAMES = ["student", "q1", "q2", "q3", "automatic", "essay (of 4)", "late", "total", "note"]


class StandIn:
    """Runs cells and calls as a sandbox does, without one."""

    isolation = "bubblewrap"
    ran = 0

    def __init__(self, *_):
        pass

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def run(self, cells, turns=(), slot=0, show=False):
        done, space = conversation.Run(), {}
        StandIn.ran += bool(cells) and not show
        for number, cell in enumerate(cells):
            if cell == "the sandbox fails":
                raise ConnectionResetError(104, "no answer")
            try:
                exec(cell, space)
            except Exception as error:
                done.cells.append([number, *inside.describe(error)])
        turns, said = iter(turns), None
        with contextlib.suppress(StopIteration):
            while True:
                turn = turns.send(said) if said else next(turns)
                with inside.lent(space, turn.lent):
                    said = self.answers(space, turn), ""
        return done

    def answers(self, space, turn):
        if turn.function not in space:
            return dict.fromkeys(range(len(turn.cases)), ["missing", ""])
        function = space[turn.function]
        given = [[encode(part) for part in case] for case in turn.cases]
        return {k: inside.answer(function, case) for k, case in enumerate(given)}


class Course:
    """An assignment, what was handed in, and the teacher at work."""

    def __init__(self, top, capfd):
        self.folder, self.capfd = make_assignment(top), capfd
        self.handed_in, self.out, self.own = top / "handed in", top / "out", private(self.folder)
        self.handed_in.mkdir()

    def hand_in(self, **files):
        for name, cells in files.items():
            path = self.handed_in / f"{name}.ipynb"
            path.write_text(notebook([f"# {name}", *cells]), encoding="utf-8")

    def marks(self, text, encoding="utf-8"):
        path = self.own / "marks" / "attacked.csv"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding=encoding)
        return path

    def grade(self, *more):
        """Return the exit code, what was printed, and what was said in warning."""
        self.capfd.readouterr()
        options = ["--assignment", str(self.folder), "--private", str(self.own), "--jobs", "1"]
        code = main.main([str(self.handed_in), *options, "--out", str(self.out), *more])
        said = self.capfd.readouterr()
        lines = [line for line in said.err.splitlines() if "student/s" not in line]
        assert "Traceback" not in said.err
        return code, said.out, "\n".join(lines)

    def page(self, name):
        return (self.out / "feedback" / f"{name}.md").read_text(encoding="utf-8")

    def files(self):
        """Return {path: bytes} of all that was written."""
        paths = sorted(path for path in self.out.rglob("*") if path.is_file())
        return {str(path.relative_to(self.out)): path.read_bytes() for path in paths}


@pytest.fixture
def course(tmp_path, capfd, monkeypatch):
    monkeypatch.setattr(main, "Sandbox", StandIn)
    monkeypatch.setattr(gradescope, "Sandbox", StandIn)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return Course(tmp_path, capfd)


# What a submission is

BOOK = notebook(HONEST)
OTHER = notebook([*HONEST, "2"])
NFC, NFD = (unicodedata.normalize(form, "Zoë") for form in ("NFC", "NFD"))
NONE = "no notebook (.ipynb)"
# {file: text}, and {student: what is read, or the note}
LAYOUTS = {
    "a PDF beside it": ({"anna.ipynb": BOOK, "anna.pdf": "x"}, {"anna": BOOK}),
    "an archive beside it": ({"anna.ipynb": BOOK, "anna.tar.gz": "x"}, {"anna": BOOK}),
    "a folder with a PDF beside it": ({"anna.ipynb": BOOK, "anna/x.pdf": "x"}, {"anna": BOOK}),
    "capital letters": ({"anna/A1.IPYNB": BOOK, "ben.Ipynb": BOOK}, {"anna": BOOK, "ben": BOOK}),
    "a folder in the folder": ({"anna/a1/data/a1.ipynb": BOOK}, {"anna": BOOK}),
    "a folder called like a notebook": (
        {"anna/x.ipynb/y.txt": "x"},
        {"anna": f"{NONE}, only y.txt"},
    ),
    "a folder called so at the top": ({"anna.ipynb/a1.ipynb": BOOK}, {"anna": BOOK}),
    "a browser's ending": (
        {"anna.ipynb.json": BOOK, "ben/x.ipynb.txt": BOOK},
        {"anna": BOOK, "ben": BOOK},
    ),
    "litter": (
        {
            "anna/a1.ipynb": BOOK,
            "anna/.ipynb_checkpoints/a1-checkpoint.ipynb": OTHER,
            "anna/__MACOSX/._a1.ipynb": OTHER,
            "anna/__MACOSX/a1.ipynb": OTHER,
            "anna/._a1.ipynb": OTHER,
            "Thumbs.db": "x",
            "desktop.ini": "x",
            "DESKTOP.INI": "x",
            "__MACOSX/ben.ipynb": OTHER,
            ".DS_Store": "x",
            "~$anna.docx": "x",
            ".ipynb_checkpoints/anna-checkpoint.ipynb": OTHER,
        },
        {"anna": BOOK},
    ),
    "the same twice": ({"anna/a1.ipynb": BOOK, "anna/a1 (1).ipynb": BOOK}, {"anna": BOOK}),
    "two that differ": (
        {"anna/a1.ipynb": BOOK, "anna/b/a1.ipynb": OTHER},
        {"anna": "2 notebooks handed in (a1.ipynb, a1.ipynb): leave one"},
    ),
    "one name in two spellings": ({f"{NFC}.ipynb": BOOK, f"{NFD}.ipynb": BOOK}, {NFC: BOOK}),
    "two people in two spellings": (
        {f"{NFC}.ipynb": BOOK, f"{NFD}.ipynb": OTHER},
        {NFC: OTHER, f"{NFC} (2)": BOOK},
    ),
    "a PDF in another spelling": ({f"{NFC}.ipynb": BOOK, f"{NFD}.pdf": "x"}, {NFC: BOOK}),
    "a link": ({"anna@": "elsewhere"}, {"anna": f"{NONE}, only anna (a symbolic link)"}),
    "only an archive": ({"anna.zip": "x"}, {"anna": f"{NONE}, only anna.zip"}),
    "an empty file": ({"anna.ipynb": ""}, {"anna": ""}),
    "Moodle's folders": (
        {
            "Anna Schmidt_1234567_assignsubmission_file/a1.ipynb": BOOK,
            "Anna Schmidt_1234567_assignsubmission_onlinetext/onlinetext.html": "x",
            "Anna Schmidt_89_assignsubmission_file_/sub/a1.ipynb": BOOK,
        },
        {"Anna Schmidt_1234567": BOOK, "Anna Schmidt_89": BOOK},
    ),
    "Moodle's files": (
        {
            "Zoë de la Cruz_12_assignsubmission_file_a1_closed_form.ipynb": BOOK,
            "Zoë de la Cruz_12_assignsubmission_file_notes_2.pdf": "x",
        },
        {"Zoë de la Cruz_12": BOOK},
    ),
    "Canvas's files": (
        {
            "schmidtanna_12345_6789_a1_closed_form-1.ipynb": BOOK,
            "schmidtanna_12345_6790_notes.pdf": "x",
            "maiben_LATE_222_6791_a1.ipynb": OTHER,
            "mai_333_text.html": "x",
        },
        {
            "schmidtanna_12345": BOOK,
            "maiben_222": OTHER,
            "mai_333": f"{NONE}, only mai_333_text.html",
        },
    ),
    "names that only look like Canvas's": (
        {
            "a1_2024_01_anna.ipynb": BOOK,
            "a1_2024_12_anna.ipynb": BOOK,
            "a1_2024_12_ben.ipynb": BOOK,
        },
        {f"a1_2024_{name}": BOOK for name in ("01_anna", "12_anna", "12_ben")},
    ),
}


def lay_out(folder, files):
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        if name[-1] == "@":
            (folder / name[:-1]).symlink_to(text)
            continue
        (folder / name).write_text(text, encoding="utf-8")


def read(submission):
    try:
        return submitted.chosen(submission).decode()
    except submitted.SubmissionError as error:
        return str(error)


@pytest.mark.parametrize("name", LAYOUTS)
def test_what_a_submission_is(name, tmp_path):
    files, wanted = LAYOUTS[name]
    lay_out(tmp_path, files)
    found = submitted.submissions(tmp_path)
    assert {student: read(submission) for student, submission in found.items()} == wanted


def test_canvas_says_who_is_late(tmp_path):
    lay_out(tmp_path, LAYOUTS["Canvas's files"][0])
    late = {student: s.late for student, s in submitted.submissions(tmp_path).items()}
    assert late == {"mai_333": False, "maiben_222": True, "schmidtanna_12345": False}


def test_a_folder_that_cannot_be_looked_into_says_so(tmp_path, monkeypatch):
    (tmp_path / "anna").mkdir()
    refused = PermissionError(errno.EACCES, "Permission denied")

    def walk(place, onerror):
        onerror(refused)
        return []

    monkeypatch.setattr(os, "walk", walk)
    assert read(submitted.submissions(tmp_path)["anna"]) == f"{NONE}: Permission denied"


@pytest.mark.parametrize(
    "files",
    [
        {"a1.ipynb": BOOK, ".ipynb_checkpoints/a1-checkpoint.ipynb": OTHER},
        {"a1/A1.IPYNB": BOOK, "a1/notes.pdf": "x", "__MACOSX/a1/._A1.IPYNB": "x"},
        {"a1.ipynb.txt": BOOK},
    ],
)
def test_on_gradescope_the_same_counts(files, course, tmp_path, monkeypatch):
    lay_out(tmp_path / "autograder" / "submission", files)
    source = tmp_path / "course" / "attacked"
    monkeypatch.chdir(tmp_path)
    settings = {"folder": str(source), "seed": 11, "unsafe": False}
    Path("settings.json").write_text(json.dumps(settings))
    assert gradescope.main(["--run", str(tmp_path / "autograder")]) == 0
    results = json.loads((tmp_path / "autograder" / "results" / "results.json").read_text())
    assert tuple(test["score"] for test in results["tests"]) == ALL


# What is kept


def test_marks_by_hand_are_merged_and_stay(course):
    course.hand_in(anna=HONEST, ben=[WRONG, LABELS])
    code, said, warned = course.grade()
    assert (code, warned) == (0, "")
    assert f"No marks by hand: there is no {course.own / 'marks' / 'attacked.csv'}" in said
    assert rows(course.out)["anna"]["total"] == ""  # not before everything is marked
    path = course.marks("student,essay,comment,q1,my own\nanna,3.5,Fine.,0,x\nben,,,,\n")
    before = path.read_bytes()
    for _ in range(2):
        code, said, warned = course.grade()
        assert (code, warned) == (0, "")
        assert f"Marks by hand of 1: {path}\n  Columns that are not read: my own\n" in said
        assert [list(row.values()) for row in rows(course.out).values()] == [
            ["anna", "2", "3", "1", "6", "3.5", "", "9.5", "", "bubblewrap"],
            ["ben", "0", "0", "1", "1", "", "", "", "", "bubblewrap"],
        ]
        page = course.page("anna")
        assert "**6 of 6 automatic points.**\n\n**9.5 of 10 points in all.**" in page
        assert "- **essay**: 3.5 of 4\n" in page
        assert "From your teacher:\n\n    Fine.\n" in page
        assert "- **essay**: of 4, graded by hand\n" in course.page("ben")
    assert path.read_bytes() == before


def test_marks_that_were_typed_into_grades_are_not_blanked(course):
    course.hand_in(anna=HONEST, ben=HONEST)
    assert course.grade()[0] == 0
    table = course.out / "grades.csv"
    text = table.read_text(encoding="utf-8").replace('"anna",2,3,1,6,""', '"anna",2,3,1,6,4')
    table.write_text(text, encoding="utf-8")
    code, _, warned = course.grade()
    assert code == 1
    assert warned == (
        "Nothing was written, for this would change:\n"
        "  anna: essay (of 4) from 4 to nothing\n"
        "Say --force (make grade: FORCE=1) if it is meant."
    )
    assert table.read_text(encoding="utf-8") == text
    # The file itself, where marks by hand belong, is as good as one with these columns only.
    shutil.copy(table, course.marks(""))
    assert course.grade()[0] == 0
    assert rows(course.out)["anna"]["total"] == "10"


def test_the_wrong_folder_changes_nothing_unless_it_is_meant(course):
    course.hand_in(anna=HONEST, ben=HONEST, cleo=HONEST)
    assert course.grade()[0] == 0
    before = course.files()
    shutil.rmtree(course.handed_in)
    course.handed_in.mkdir()
    course.hand_in(anna=[WRONG], ben=[WRONG], dora=HONEST)
    code, _, warned = course.grade()
    assert code == 1
    assert warned.splitlines() == [
        f"Warning: most of 3 have no points. Is {course.handed_in} the folder for attacked?",
        "Nothing was written, for this would change:",
        *(
            f"  {name}: {change}"
            for name in ("anna", "ben")
            for change in (
                "automatic from 6 to 0",
                "q1 from 2 to 0",
                "q2 from 3 to 0",
                "q3 from 1 to 0",
            )
        ),
        "  cleo: was handed in before, and is gone",
        "Say --force (make grade: FORCE=1) if it is meant.",
    ]
    after = course.files()
    assert {name: after[name] for name in before} == before
    code, said, _ = course.grade("--force")
    assert code == 0
    assert "  cleo: was handed in before, and is gone\n" in said
    pages = sorted(path.name for path in (course.out / "feedback").iterdir())
    assert pages == ["anna.md", "ben.md", "dora.md"]
    assert course.grade() == (0, said.split("Changed:")[0], warned.splitlines()[0])


def test_a_long_list_of_changes_is_cut(course):
    course.hand_in(**{f"s{k:02}": HONEST for k in range(25)})
    assert course.grade()[0] == 0
    shutil.rmtree(course.handed_in)
    course.handed_in.mkdir()
    course.hand_in(dora=HONEST)
    lines = course.grade()[2].splitlines()
    assert lines[1] == "  s00: was handed in before, and is gone"
    assert lines[-2] == "  and 5 more" and len(lines) == 23


@pytest.mark.parametrize("litter", [[], [".DS_Store", "Thumbs.db"]])
def test_an_empty_folder_changes_nothing(litter, course):
    course.hand_in(anna=HONEST)
    assert course.grade()[0] == 0
    before = course.files()
    (course.handed_in / "anna.ipynb").unlink()
    for name in litter:
        (course.handed_in / name).write_text("x")
    said = f"Nothing was handed in: {course.handed_in} is empty. Nothing was written."
    for more in ([], ["--force"]):
        assert course.grade(*more) == (1, "", said)
    assert course.files() == before


def test_a_table_that_cannot_be_read_is_not_overwritten(course):
    course.hand_in(anna=HONEST)
    assert course.grade()[0] == 0
    table = course.out / "grades.csv"
    table.write_bytes("student,q1\nZoë,2\n".encode("latin-1"))
    said = "which can't be read: it isn't in UTF-8: save it as CSV UTF-8"
    assert f"  {table} itself, {said}\n" in course.grade()[2]
    assert course.grade("--force")[0] == 0
    assert points(rows(course.out)["anna"]) == ALL


def test_what_a_spreadsheet_makes_of_the_table_is_no_change(course):
    course.hand_in(**{"00123": HONEST, "anna": HONEST})
    course.marks("student,essay\n00123,2.5\nanna,1\n")
    assert course.grade()[0] == 0
    table = course.out / "grades.csv"
    text = table.read_text(encoding="utf-8").replace('"', "")
    assert text.splitlines()[1] == "'00123,2,3,1,6,2.5,,8.5,,bubblewrap"
    # As a spreadsheet saves it in half of Europe.
    table.write_text(text.replace(",", ";").replace(".", ","), encoding="utf-8")
    assert course.grade()[2] == ""


def test_a_stored_result_that_was_edited_or_damaged_is_made_anew(course):
    course.hand_in(anna=HONEST, ben=[WRONG], cleo=[LABELS], dora=HONEST[:1])
    assert course.grade()[0] == 0
    right = course.files()
    stored = sorted((course.out / "results").iterdir())
    assert len(stored) == 4
    edited = json.loads(stored[0].read_text())
    edited["result"]["points"] = dict.fromkeys(edited["result"]["points"], 3)
    stored[0].write_text(json.dumps(edited))
    stored[1].write_text("")
    stored[2].write_text(stored[3].read_text())  # another's, with its signature
    for path in stored[3:]:
        path.write_text("[" * 100_000)
    StandIn.ran = 0
    assert course.grade()[0] == 0
    assert StandIn.ran == 4 + 2  # and the preflight
    assert course.files() == right
    StandIn.ran = 0
    assert course.grade()[0] == 0
    assert StandIn.ran == 2


@pytest.mark.parametrize(
    "damaged",
    ["", "null", "{}", '{"result": {}, "signature": "é"}', '{"result": 1, "signature": 1}'],
)
def test_what_was_not_signed_here_is_no_result(damaged, tmp_path):
    key, path = store.Key(tmp_path / "key"), tmp_path / "x.json"
    path.write_text(damaged)
    assert key.kept(path) is None
    key.keep(path, {"points": {"q1": 1.5}})
    assert key.kept(path) == {"points": {"q1": 1.5}}
    assert store.Key(tmp_path / "key").kept(path) == {"points": {"q1": 1.5}}
    assert store.Key(tmp_path / "another").kept(path) is None


def test_the_key_is_made_once_for_its_owner_only(tmp_path, capsys):
    first = store.Key(tmp_path / "private" / "key")
    assert (tmp_path / "private" / "key").stat().st_mode & 0o777 == 0o600
    made = f"Made your key, {tmp_path / 'private' / 'key'}: keep a copy, and keep it to yourself\n"
    assert capsys.readouterr().out == made
    again = store.Key(tmp_path / "private" / "key")
    assert capsys.readouterr().out == ""
    other = store.Key(tmp_path / "other")
    assert first.seed("a1") == again.seed("a1")
    assert len({first.seed("a1"), first.seed("a2"), other.seed("a1")}) == 3


def test_without_a_seed_the_key_makes_one(course):
    course.hand_in(anna=HONEST)
    assert course.grade()[0] == 0
    (course.own / "key").write_text("00" * 32)
    (first,) = (course.out / "results").iterdir()
    assert course.grade()[0] == 0
    assert len(list((course.out / "results").iterdir())) == 2
    assert first.exists()


def test_again_grades_one_anew(course):
    course.hand_in(anna=HONEST, ben=HONEST, cleo=HONEST)
    for name in ("anna", "ben"):  # it goes well once only
        path = course.handed_in / f"{name}.ipynb"
        mark = path.with_suffix(".mark")
        cell = f"import os\nif os.path.exists({str(mark)!r}): mean = None"
        path.write_text(notebook([f"# {name}", *HONEST, cell]))
    assert course.grade()[0] == 0
    for name in ("anna", "ben"):
        (course.handed_in / f"{name}.mark").write_text("")
    StandIn.ran = 0
    assert course.grade("--again", "anna")[::2] == (0, "")
    assert StandIn.ran == 1 + 2
    assert [points(row) for row in rows(course.out).values()] == [(0, 3, 1), ALL, ALL]
    assert course.grade("--again", "ann")[::2] == (
        1,
        "--again: nothing was handed in by ann. Is it anna?",
    )
    assert course.grade()[0] == 0  # what was found anew is what is stored


@pytest.mark.parametrize("name", ["00123", "'00123", NFC, NFD])
def test_again_takes_a_name_as_it_stands_in_the_table(name, course):
    course.hand_in(**{"00123": HONEST, NFD: HONEST})
    assert course.grade()[0] == 0
    StandIn.ran = 0
    assert course.grade("--again", name)[0] == 0
    assert StandIn.ran == 1 + 2


def test_a_submission_at_which_the_grader_fails_costs_nobody_anything(course):
    course.hand_in(anna=HONEST, ben=[*HONEST, "the sandbox fails"], cleo=HONEST)
    code, _, warned = course.grade()
    assert code == 1
    said = "not graded: ConnectionResetError: [Errno 104] no answer"
    assert warned == f"The same command tries again:\n  ben: {said}"
    table = rows(course.out)
    assert [points(table[name]) for name in ("anna", "cleo")] == [ALL, ALL]
    assert [*table["ben"].values()] == ["ben", *[""] * 7, said, "bubblewrap"]
    assert "- **q1**: not graded yet\n" in course.page("ben")
    assert len(list((course.out / "results").iterdir())) == 2
    course.hand_in(ben=HONEST)
    assert course.grade()[::2] == (0, "")
    assert points(rows(course.out)["ben"]) == ALL
    # Nor does it take away what there was.
    course.hand_in(ben=[*HONEST, "the sandbox fails"])
    lines = course.grade()[2].splitlines()
    assert lines[:4] == [
        "The same command tries again:",
        f"  ben: {said}",
        "Nothing was written, for this would change:",
        "  ben: automatic from 6 to nothing",
    ]
    assert points(rows(course.out)["ben"]) == ALL


# Disks that are full, runs that are killed


def test_a_full_disk_is_one_line_and_leaves_no_part(course, monkeypatch):
    course.hand_in(anna=HONEST, ben=HONEST)
    fsync, left = os.fsync, [2]

    def full(handle):
        left[0] -= 1
        if left[0] < 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        fsync(handle)

    monkeypatch.setattr(os, "fsync", full)
    code, _, warned = course.grade()
    assert code == 1
    (first,) = (course.out / "results").iterdir()  # and the key
    assert first.suffix == ".json"
    cure = "When that is mended, the same command goes on from here."
    assert warned.endswith(f": No space left on device. {cure}")
    assert warned.startswith(str(course.out)) and len(warned.splitlines()) == 1
    monkeypatch.undo()
    monkeypatch.setattr(main, "Sandbox", StandIn)
    assert course.grade()[0] == 0
    assert [points(row) for row in rows(course.out).values()] == [ALL, ALL]


def test_what_a_killed_run_left_is_swept_and_a_running_one_is_not(course, tmp_path):
    course.hand_in(anna=HONEST)
    (course.out / "results").mkdir(parents=True)
    for folder in (course.out, course.out / "results"):
        (folder / "x.1-1.part").write_text("half")
    for name in ("stale", "busy"):
        (tmp_path / f"grading-{name}" / "grader-x").mkdir(parents=True)
    with store.locked(tmp_path / "grading-busy") as free:
        assert free
        assert course.grade()[0] == 0
    assert list(course.out.rglob("*.part")) == []
    assert [path.name for path in tmp_path.glob("*grading-*")] == ["grading-busy"]


def test_two_runs_do_not_write_into_one_folder(course):
    course.hand_in(anna=HONEST)
    course.out.mkdir()
    with store.locked(course.out):
        said = f"Another run is writing into {course.out}: wait for its end."
        assert course.grade()[::2] == (1, said)


# What is refused, in a line


@pytest.mark.parametrize(
    ("file", "text", "said"),
    [
        ("course/attacked/hidden.py", "1 +", "{file} can't be used: SyntaxError: "),
        ("course/attacked/hidden.py", "x = 1", "{file} can't be used: AttributeError: "),
        ("private/key", "", "{file} is damaged: it should hold 64 hexadecimal digits."),
        ("private/key", "é", "{file} is damaged: it should hold 64 hexadecimal digits."),
        ("private/grading.toml", "late = ", "{file} can't be read: "),
        ("private/grading.toml", "lates = 1", "{file}: there is no setting lates; "),
        (
            "private/grading.toml",
            'late = "10 a day"',
            "{file}: late is '10 a day'; write \"10% a day, at most 50%\" or the like.",
        ),
        ("private/grading.toml", 'separator = "."', "{file}: separator is '.'; write "),
        (
            "private/marks/attacked.csv",
            "name,essay\nanna,1\n",
            "{file} needs a column student, and one or more of essay, late, comment.",
        ),
        ("private/marks/attacked.csv", "student,m1\nanna,1\n", "{file} needs a column student, "),
        ("private/marks/attacked.csv", "", "{file} needs a column student, "),
        (
            "private/marks/attacked.csv",
            "student,essay,late\nanna,5,-1\nben,x,2\nben,1,1\n,,\n",
            "{file} must be mended: anna: essay is 5, of 4; anna: late is -1, of any; "
            "ben: essay is 'x' is no number; ben has two rows.",
        ),
        (
            "private/marks/attacked.csv",
            'student,essay\n"anna,1\n',
            "can't be read: it is no ",
        ),
        (
            "private/marks/attacked.csv",
            "student,essay\nann,1\n",
            "ann: has marks by hand, but nobody of that name ",
        ),
    ],
)
def test_what_is_wrong_in_a_file_is_said_in_a_line(file, text, said, course, tmp_path):
    course.hand_in(anna=HONEST)
    path = tmp_path / file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    code, _, warned = course.grade()
    assert code == 1
    assert said.format(file=path) in warned
    assert not (course.out / "grades.csv").exists()


def test_questions_that_fail_are_said_in_a_line(course):
    course.hand_in(anna=HONEST)
    hidden = course.folder / "hidden.py"
    hidden.write_text(hidden.read_text().replace("cases=pairs", "cases=lambda rng: 1 / 0"))
    assert (
        course.grade()[2] == f"The questions in {hidden} fail: ZeroDivisionError: division by zero."
    )


def test_questions_of_ones_own_come_before_the_public_ones(course):
    course.own.mkdir()
    shutil.copytree(course.folder, course.own / "attacked")
    shutil.copytree(course.folder.parent / "student", course.own / "student")
    hidden = course.own / "attacked" / "hidden.py"
    hidden.write_text(hidden.read_text().replace("x.mean()", "2 * x.mean()"))
    other = [HONEST[0].replace("sum(x)", "2 * sum(x)"), *HONEST[1:]]
    (course.own / "attacked" / "master.ipynb").write_text(notebook(other))
    course.hand_in(anna=HONEST, ben=other)
    course.folder = "attacked"
    assert course.grade()[0] == 0
    assert [points(row) for row in rows(course.out).values()] == [(0, 3, 1), ALL]


def test_the_public_oracles_pasted_get_all_points_of_public_questions_only(tmp_path):
    folder = Path(main.ROOT) / "course" / "a1_closed_form"
    oracles = (folder / "hidden.py").read_text(encoding="utf-8")
    pasted = [
        oracles,
        "soft_labels, loss, gradient, safe_step = true_labels, true_loss, true_gradient, true_step",
        "descend, closed_form_student = true_path, true_projection",
        "def descent_limit(X, w, start): return start + true_projection(X, w - start)",
    ]
    # Enough of a change: a temperature, and a sum in the place of a mean.
    own_questions = oracles.replace("true_labels(X, w_teacher),", "true_labels(X, w_teacher / 2),")
    own_questions = own_questions.replace("true_loss(w, X, y),", "len(X) * true_loss(w, X, y),")
    (tmp_path / "a1_closed_form").mkdir()
    (tmp_path / "a1_closed_form" / "hidden.py").write_text(own_questions, encoding="utf-8")
    points = []
    for place in (folder, tmp_path / "a1_closed_form"):
        result = grade.grade(notebook(pasted).encode(), grade.load(place), 11, StandIn())
        points.append(list(result["points"].values()))
    assert points == [[5, 10, 10, 5, 15, 15, 10], [0, 0, 10, 5, 15, 15, 10]]


def test_notebooks_of_ones_own_questions_are_released(tmp_path, capsys):
    (tmp_path / "own" / "a9").mkdir(parents=True)
    shutil.copy(
        Path(main.ROOT) / "course" / "a1_closed_form" / "master.ipynb", tmp_path / "own" / "a9"
    )
    assert release.main(["--course", str(tmp_path / "own")]) == 0
    blank = tmp_path / "own" / "student" / "a9.ipynb"
    public = Path(main.ROOT) / "course" / "student" / "a1_closed_form.ipynb"
    assert blank.read_bytes() == public.read_bytes()
    assert release.main(["--course", str(tmp_path / "own"), "--check"]) == 0
    with pytest.raises(SystemExit):
        release.main(["--course", str(tmp_path)])
    assert "there is no a*/master.ipynb in" in capsys.readouterr().err


# Late


@pytest.mark.parametrize(
    ("rule", "days", "kept"),
    [
        ("", 3, 1.0),
        ("10% a day", 0, 1.0),
        ("10% a day", 3, 0.7),
        ("10% a day", 11, 0.0),
        ("10% a day, at most 50%", 9, 0.5),
        ("2.5% a day, at most 7.5%", 2, 0.95),
    ],
)
def test_late_costs_a_share_of_what_was_earned(rule, days, kept):
    assert own.Settings(late=rule).kept(days) == pytest.approx(kept, abs=1e-12)


def test_late_is_what_the_name_says_or_the_teacher(course):
    (course.own).mkdir()
    (course.own / "grading.toml").write_text('late = "10% a day, at most 50%"\n')
    names = ["anna_1_11_a1", "ben_LATE_2_12_a1", "cleo_LATE_3_13_a1", "dora_LATE_4_14_a1"]
    course.hand_in(**dict.fromkeys(names, HONEST))
    course.marks("student,essay,late\nanna_1,4,\nben_2,4,\ncleo_3,4,0\ndora_4,4,3\n")
    assert course.grade()[0] == 0
    found = {name: (row["late"], row["total"]) for name, row in rows(course.out).items()}
    assert found == {
        "anna_1": ("", "10"),
        "ben_2": ("1", "9"),
        "cleo_3": ("", "10"),
        "dora_4": ("3", "7"),
    }
    assert "**7 of 10 points in all, 3 days late.**" in course.page("dora_4")
    assert "**9 of 10 points in all, 1 day late.**" in course.page("ben_2")
    (course.own / "grading.toml").unlink()
    code, said, _ = course.grade("--force")
    assert "2 late, and nothing taken off: no late in grading.toml" in said
    assert rows(course.out)["dora_4"]["total"] == "10"


def test_days_late_can_be_filled_in_without_force(course):
    course.own.mkdir()
    (course.own / "grading.toml").write_text('late = "10% a day"\n')
    course.hand_in(ben_LATE_2_12_a1=HONEST)
    assert course.grade()[0] == 0
    course.marks("student,essay,late\nben_2,4,2\n")
    assert course.grade()[::2] == (0, "")
    assert rows(course.out)["ben_2"]["total"] == "8"
    # Once there is a total, it is a grade.
    course.marks("student,essay,late\nben_2,4,3\n")
    assert "  ben_2: total from 8 to 7\n" in course.grade()[2]


# Statistics


def test_statistics(course):
    course.hand_in(
        anna=HONEST,
        ben=HONEST[:2],
        cleo=[HONEST[0], LABELS],
        dora=[*HONEST[:2], "def labels(X, w): 1 / 0"],
    )
    (course.handed_in / "eve.pdf").write_text("x")
    assert course.grade()[0] == 0
    lines = (course.out / "statistics.csv").read_text(encoding="utf-8-sig").splitlines()
    # Points of q1: 2 2 2 2 0, of q2: 3 3 0 3 0, of q3: 1 0 1 0 0; each against the other two.
    assert lines == [
        '"question","of","students","mean","full marks","no points","discrimination",'
        '"commonest failure","times"',
        '"q1",2,5,1.6,4,1,0.75,"",0',
        '"q2",3,5,1.8,3,2,0.37,"there was no `project` when all cells had run",1',
        '"q3",1,5,0.4,2,3,0.04,"`labels` raised an error (ZeroDivisionError)",1',
    ]


def test_where_nothing_varies_there_is_no_discrimination():
    asked = questions.Assignment("a", (), {}, (), 1)
    assert gradebook.figures(asked, {})[0][0] == "question"
    assert gradebook.correlation([1, 1], [1, 2]) is None
    assert gradebook.correlation([], []) is None


# Tables

WRITTEN = {
    "Müller; Änne": "Müller; Änne",
    'the "quoted", one': 'the "quoted", one',
    "00123": "'00123",
    "1E5": "'1E5",
    "12,5": "'12,5",
    "-2": "'-2",
    "=1+2": "'=1+2",
    "+49 30": "'+49 30",
    "@SUM(1)": "'@SUM(1)",
    " =1": "' =1",
    "1/2": "'1/2",
    "Mar12": "'Mar12",
    "May 3": "'May 3",
    "TRUE": "'TRUE",
    "'quoted": "''quoted",
    "१२": "'१२",
    "Maria 12": "Maria 12",
    "june": "june",
    "true love": "true love",
    "Anna Schmidt_1234567": "Anna Schmidt_1234567",
    "نی\u200cنا": "نی\u200cنا",  # with a joiner, as it is spelt
    "क्\u200dष": "क्\u200dष",
    "\U0001f469\u200d\U0001f52c": "\U0001f469\u200d\U0001f52c",
    "a\u202eb": r"a\u202eb",
    "a\u200bb": r"a\u200bb",
}


@pytest.mark.parametrize("name", WRITTEN)
def test_a_name_in_a_table_is_itself_and_no_number(name):
    shown = tables.named(name)
    assert shown == WRITTEN[name]
    assert tables.name_of(shown) == submitted.plain(name)


def a_book():
    """Return a table of grades with these names, as it is written."""
    asked = questions.Assignment(
        "a", (questions.Question("q1", 2, "f", None, None, ""),), {}, (), 1
    )
    result = {"points": {"q1": 1.5}, "lost": {}, "cells": [], "note": "=x", "isolation": "none"}
    found = {submitted.plain(name): submitted.Submission() for name in WRITTEN}
    return gradebook.rows(asked, found, dict.fromkeys(found, result), {}, own.Settings())


@pytest.mark.parametrize("separator", [",", ";"])
def test_a_table_is_read_as_it_was_written(separator, tmp_path):
    book, path = a_book(), tmp_path / "grades.csv"
    path.write_text(gradebook.written(book, own.Settings(separator=separator)), encoding="utf-8")
    assert path.read_bytes().startswith(b"\xef\xbb\xbf")
    table = tables.read(path)
    assert [tables.name_of(record["student"]) for record in table.records()] == list(book)
    assert {record["q1"] for record in table.records()} == {"1,5" if separator == ";" else "1.5"}
    assert gradebook.changes(path, book) == []


@pytest.mark.parametrize("separator", [",", ";"])
def test_libreoffice_reads_names_as_texts_and_points_as_numbers(separator, tmp_path):
    office = shutil.which("soffice") or shutil.which("libreoffice")
    if not office:
        wanting("no LibreOffice found", "install it, to see how it reads the tables")
    book, path = a_book(), tmp_path / "grades.csv"
    path.write_text(gradebook.written(book, own.Settings(separator=separator)), encoding="utf-8")
    # As its window reads the file, in English and in German: from Unicode, nothing else set.
    language = {",": 1033, ";": 1031}[separator]
    reading = f"--infilter=CSV:{ord(separator)},34,76,1,,{language},false,false,false"
    home = f"-env:UserInstallation=file://{tmp_path}/home"
    options = [home, "--headless", reading, "--convert-to", "fods", "--outdir", tmp_path, path]
    subprocess.run([office, *options], check=True, capture_output=True, timeout=300)
    tree, cells = ElementTree.parse(tmp_path / "grades.fods"), []
    for line in tree.iter("{urn:oasis:names:tc:opendocument:xmlns:table:1.0}table-row"):
        cells.append(
            [
                (
                    cell.get("{urn:oasis:names:tc:opendocument:xmlns:office:1.0}value-type"),
                    cell.get("{urn:oasis:names:tc:opendocument:xmlns:office:1.0}value")
                    or "".join(cell.itertext()).strip("\n "),
                )
                for cell in line
                if not cell.get("{urn:oasis:names:tc:opendocument:xmlns:table:1.0}formula")
            ][:3]
        )
    wanted = [[("string", row["student"]), ("float", "1.5")] for row in book.values()]
    assert [line[:2] for line in cells[1 : len(book) + 1]] == wanted


@pytest.mark.parametrize(
    ("text", "value"),
    [("", None), (" ", None), ("7", 7.0), ("7.5", 7.5), ("7,5", 7.5), ("-.5", -0.5)],
)
def test_numbers_in_cells(text, value):
    assert tables.number(text) == value


@pytest.mark.parametrize("text", ["x", "1,000,5", "1e5", "nan", "١", "7 of 10", "7-"])
def test_what_is_no_number_in_a_cell(text):
    with pytest.raises(ValueError, match="no number"):
        tables.number(text)


# make


def make(top, *arguments):
    """Run make where there is nothing but its file, and a Python that says what it is asked."""
    python = top / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True, exist_ok=True)
    python.write_text('#!/bin/sh\nfor part; do echo "<$part>"; done\n')
    python.chmod(0o755)
    for name in ("requirements.txt", "constraints.txt", "pyproject.toml"):
        (top / name).write_text("")
    (top / "course" / "a1").mkdir(parents=True, exist_ok=True)
    (top / "course" / "a1" / "hidden.py").write_text("")
    shutil.copy(Path(main.ROOT) / "Makefile", top)
    (top / ".venv" / ".stamp").write_text(f"{top.resolve()}\n")
    # A make that runs these tests has things to say to those that it starts.
    alone = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    done = subprocess.run(["make", *arguments], cwd=top, env=alone, capture_output=True, text=True)
    return done.returncode, done.stdout + done.stderr


@pytest.mark.skipif(not shutil.which("make"), reason="there is no make")
def test_make_grade_passes_on_what_it_is_given(tmp_path):
    given = ['SUBMISSIONS=it\'s "new" stuff', "ASSIGNMENT=a1", "AGAIN=Zoë d'Or", "FORCE=1"]
    given += ["COPIES=no"]
    code, said = make(tmp_path, "grade", *given)
    assert (code, said.splitlines()) == (
        0,
        [
            *(
                "<-m>",
                "<course.grader>",
                '<it\'s "new" stuff>',
                "<--assignment>",
                "<a1>",
                "<--out>",
            ),
            *("<graded/a1>", "<--again>", "<Zoë d'Or>", "<--force>", "<--no-copies>"),
        ],
    )


@pytest.mark.skipif(not shutil.which("make"), reason="there is no make")
@pytest.mark.parametrize("target", ["grade", "similarity", "moodle", "canvas", "gradescope"])
def test_make_without_its_arguments_explains_itself(target, tmp_path):
    code, said = make(tmp_path, target)
    assert code == 2
    assert said.startswith(f"make {target} ") and "ASSIGNMENT=" in said
    assert "<" not in said
    if target == "grade":
        assert "  ASSIGNMENT   a1\n" in said
        assert "SEED=2" not in said  # no seed that would be copied
