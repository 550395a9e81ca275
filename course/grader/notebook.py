"""What a student handed in, read as data: nothing of it is executed or imported here."""

import json
import os
import stat
import unicodedata

LARGEST = 20_000_000  # bytes: a notebook with dozens of figures has a tenth


class SubmissionError(ValueError):
    """A submission that can't be graded; says why in words for student and teacher."""


def plain(text):
    """Return a text with control characters and the like spelled out, for tables and pages."""
    return "".join(
        # C*: control, format (such as right-to-left overrides), surrogates, unassigned;
        # Zl and Zp end lines.
        f"\\u{ord(c):04x}" if unicodedata.category(c)[0] == "C" or c in "\u2028\u2029" else c
        for c in unicodedata.normalize("NFC", text)
    )


def submissions(folder):
    """Return {student: paths}: files and folders, named after the student, hidden ones left out.

    Of a folder, its notebooks count. A student with several, or none, gets no points and a note:
    the teacher chooses, not the grader.
    """
    found = {}
    for entry in sorted(folder.iterdir()):
        if entry.name.startswith("."):
            continue
        paths, name = [entry], entry.stem
        if entry.is_dir() and not entry.is_symlink():
            name = entry.name
            paths = sorted(path for path in entry.glob("*.ipynb") if path.name[0] != ".")
        found.setdefault(plain(name), []).extend(paths)
    return dict(sorted(found.items()))


def read(path):
    """Return the bytes of a notebook file, which must be a regular file of bearable size."""
    if path.suffix.lower() != ".ipynb":
        raise SubmissionError("not a notebook (.ipynb)")
    try:
        # The file that is examined is the one that is read; a pipe doesn't make us wait.
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError as error:
        raise SubmissionError(
            "a symbolic link: hand in the file itself" if path.is_symlink() else error.strerror
        ) from error
    with open(handle, "rb") as file:
        status = os.fstat(file.fileno())
        if not stat.S_ISREG(status.st_mode):
            raise SubmissionError("not a regular file")
        data = file.read(LARGEST + 1)
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
