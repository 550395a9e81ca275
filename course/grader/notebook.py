"""What a student handed in: which files, whose, and the code in them, read as data.

Nothing of it is executed or imported here. `submissions` and `chosen` decide what a submission
is, in a folder of many as on Gradescope.
"""

import itertools
import json
import os
import re
import stat
import unicodedata
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

LARGEST = 20_000_000  # bytes: a notebook with dozens of figures has a tenth
JOINERS = "\u200c\u200d"  # names in Persian, Hindi and others are misspelt without them
# What systems, browsers and editors leave beside a student's files.
LITTER = re.compile(
    r"\.|~\$|(__MACOSX|__pycache__|Thumbs\.db|ehthumbs\.db|desktop\.ini|Icon\r)$", re.IGNORECASE
)
# Some browsers put an ending of their own behind that of a notebook.
NOTEBOOK = re.compile(r"(?P<stem>.*)\.ipynb(\.json|\.txt)?", re.IGNORECASE | re.DOTALL)
# Names in what Moodle and Canvas let one download: the name with an identifier, and the rest.
MOODLE = re.compile(r"(?P<who>.+_\d+)_assignsubmission_[a-z]+(_(?P<rest>.*))?", re.DOTALL)
CANVAS = re.compile(
    r"(?P<name>.+?)(?P<late>_LATE)?(?P<id>_[1-9]\d*)_((?P<file>[1-9]\d*)_.+|(text|link)\.html)",
    re.DOTALL,
)


class SubmissionError(ValueError):
    """A submission that can't be graded; says why in words for student and teacher."""


@dataclass
class Submission:
    """The files of a student."""

    notebooks: list[Path] = field(default_factory=list)
    others: list[Path] = field(default_factory=list)  # a PDF, data: not graded
    late: bool = False  # as the file's name says
    unread: str = ""  # why a folder can't be looked into

    def add(self, more):
        """Add the files of another one, which is the same student's."""
        self.notebooks += more.notebooks
        self.others += more.others
        self.late |= more.late
        self.unread = self.unread or more.unread


def plain(text):
    """Return a text with control characters and the like spelled out, for tables and pages."""
    return "".join(
        # C*: control, format (such as right-to-left overrides), surrogates, unassigned;
        # Zl and Zp end lines.
        f"\\u{ord(c):04x}"
        if c not in JOINERS and (unicodedata.category(c)[0] == "C" or c in "\u2028\u2029")
        else c
        for c in unicodedata.normalize("NFC", text)
    )


def collect(place):
    """Return the files of one student: a file, or a folder with all that lies in it."""
    if place.is_symlink() or not place.is_dir():
        files, unread = [place], ""
    else:
        files, errors = [], []
        for top, folders, names in os.walk(place, onerror=errors.append):
            folders[:] = sorted(name for name in folders if not LITTER.match(name))
            files += [Path(top, name) for name in sorted(names) if not LITTER.match(name)]
        unread = errors[0].strerror if errors else ""
    notebooks = [path for path in files if NOTEBOOK.fullmatch(path.name)]
    others = [path for path in files if path not in notebooks]
    return Submission(notebooks, others, unread=unread)


def owner(entry, shared):
    """Return whose a file or folder is, by its name, and whether the name says that it is late.

    shared are the numbers that several files have in the place where Canvas has one of its own.
    """
    if match := MOODLE.fullmatch(entry.name):
        return match["who"], False
    match = CANVAS.fullmatch(entry.name)
    if match and match["file"] not in shared:
        return match["name"] + match["id"], bool(match["late"])
    if match := NOTEBOOK.fullmatch(entry.name):
        return match["stem"], False
    is_folder = entry.is_dir() and not entry.is_symlink()
    return entry.name if is_folder else entry.stem.removesuffix(".tar"), False


def submissions(folder):
    """Return {student: Submission} of a folder, in which each entry is named after a student.

    Of a folder, the notebooks in it count, however deep. Whoever has several that differ, or none,
    gets no points and a note: the teacher chooses, not the grader.
    """
    entries = sorted(entry for entry in folder.iterdir() if not LITTER.match(entry.name))
    numbers = Counter(match["file"] for e in entries if (match := CANVAS.fullmatch(e.name)))
    shared = {number for number, count in numbers.items() if number and count > 1}
    groups, found = {}, {}
    for entry in entries:
        who, late = owner(entry, shared)
        submission = collect(entry)
        submission.late = late
        groups.setdefault(plain(who), {}).setdefault(who, Submission()).add(submission)
    for name, spelled in groups.items():
        found[name], *more = apart(list(spelled.values()))
        for submission in more:
            numbered = (f"{name} ({number})" for number in itertools.count(2))
            found[next(n for n in numbered if n not in groups and n not in found)] = submission
    return dict(sorted(found.items()))


def apart(spelled):
    """Return what was handed in under names that look the same: one, unless the notebooks differ.

    As two names do that are equal up to Unicode's normalisation.
    """
    together = Submission()
    for submission in spelled:
        together.add(submission)
    own = [submission for submission in spelled if submission.notebooks]
    try:
        if len(own) > 1:
            chosen(together)
    except SubmissionError:
        return own
    return [together]


def chosen(submission):
    """Return the bytes of the one notebook that was handed in; of equal ones, any."""
    paths = submission.notebooks
    if not paths:
        shown = (f"{p.name}{' (a symbolic link)' * p.is_symlink()}" for p in submission.others[:3])
        others = ", ".join(shown)
        note = f"no notebook (.ipynb), only {others}" if others else "no notebook (.ipynb)"
        raise SubmissionError(f"{note}: {submission.unread}" if submission.unread else note)
    data = read(paths[0])
    if any(read(path) != data for path in paths[1:]):
        shown = ", ".join(path.name for path in paths[:3])
        raise SubmissionError(f"{len(paths)} notebooks handed in ({shown}): leave one")
    return data


def read(path):
    """Return the bytes of a file, which must be a regular one of bearable size."""
    try:
        # The file that is examined is the one that is read; a pipe doesn't make us wait.
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        try:
            if not stat.S_ISREG(os.fstat(handle).st_mode):
                raise SubmissionError("not a regular file")
            with open(handle, "rb", closefd=False) as file:
                data = file.read(LARGEST + 1)
        finally:
            os.close(handle)
    except OSError as error:
        raise SubmissionError(
            "a symbolic link: hand in the file itself" if path.is_symlink() else error.strerror
        ) from error
    if len(data) > LARGEST:
        raise SubmissionError(f"larger than {LARGEST // 1_000_000} MB: clear its outputs")
    return data


def code_cells(data):
    """Return the sources of the code cells of a notebook of nbformat 4."""
    try:
        notebook = json.loads(data.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise SubmissionError("not a notebook: its text is not valid JSON in UTF-8") from error
    try:
        if notebook["nbformat"] != 4:
            raise SubmissionError("not of nbformat 4: save it with a current Jupyter")
        sources = [cell["source"] for cell in notebook["cells"] if cell["cell_type"] == "code"]
        return ["".join(source) for source in sources]  # a text, or its lines
    except (KeyError, TypeError) as error:
        raise SubmissionError("not a notebook: cells are missing or malformed") from error
