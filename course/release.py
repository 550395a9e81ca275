"""What does a teacher hand out? The masters of the assignments, each cut in two.

A master holds everything: cells tagged `solution` are left out of the students' notebook, cells
tagged `student` (stubs, and room for answers) of the solution notebook; the others are in both.

    python -m course.release              # renew the students' notebooks in course/student
    python -m course.release --check      # are they what the masters make? changes nothing
    python -m course.release --out DIR    # write DIR/student and DIR/solution

With --course DIR the masters are those of DIR, for questions that aren't public.
"""

import argparse
import sys
from pathlib import Path

import nbformat
from nbconvert.preprocessors import (
    ClearMetadataPreprocessor,
    ClearOutputPreprocessor,
    TagRemovePreprocessor,
)

from course.grader.store import write_whole

COURSE = Path(__file__).resolve().parent


def masters(course=COURSE):
    """Return the path of every master."""
    return sorted(course.glob("a*/master.ipynb"))


def cut(master, without):
    """Return a master's notebook as text, without the cells of that tag and without outputs."""
    notebook, resources = nbformat.read(master, as_version=4), {}
    steps = (
        TagRemovePreprocessor(remove_cell_tags={without}, enabled=True),
        ClearOutputPreprocessor(enabled=True),
        # The text alternatives of figures are kept.
        ClearMetadataPreprocessor(preserve_cell_metadata_mask={"mystnb"}, enabled=True),
    )
    for step in steps:
        notebook, resources = step.preprocess(notebook, resources)
    for cell in notebook.cells:
        cell.metadata.pop("tags", None)  # the last step leaves cells of text as they are
    notebook.metadata.kernelspec = {
        "display_name": "Python 3",
        "language": "python",
        "name": "python3",
    }
    nbformat.validate(notebook)
    return nbformat.writes(notebook) + "\n"


def versions(tag, course=COURSE):
    """Return {file name: text} of all notebooks without the cells of that tag."""
    return {f"{master.parent.name}.ipynb": cut(master, without=tag) for master in masters(course)}


def write(folder, files):
    """Write the files into a folder, which is made if needed, with the same bytes everywhere."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        write_whole(folder / name, text)
        print(folder / name)


def stale(folder, files):
    """Return the names of files that differ from what they should be, or shouldn't be there."""
    there = {path.name: path.read_bytes() for path in folder.glob("*") if path.is_file()}
    wanted = {name: text.encode() for name, text in files.items()}
    names = there.keys() | wanted.keys()
    return sorted(name for name in names if there.get(name) != wanted.get(name))


def main(arguments=None):
    """Run the command; return its exit status."""
    parser = argparse.ArgumentParser(description="Make the notebooks that are handed out.")
    parser.add_argument("--check", action="store_true", help="only compare course/student")
    parser.add_argument("--out", type=Path, help="folder for student and solution notebooks")
    parser.add_argument("--course", type=Path, default=COURSE, help="folder of the masters")
    options = parser.parse_args(arguments)
    course = options.course
    if not masters(course):
        parser.error(f"--course: there is no a*/master.ipynb in {course}")
    student = versions("solution", course)
    if options.check:
        old = stale(course / "student", student)
        for name in old:
            print(
                f"course/student/{name} isn't what the masters make: run python -m course.release"
            )
        return int(bool(old))
    if options.out:
        write(options.out / "student", student)
        write(options.out / "solution", versions("student", course))
    else:
        write(course / "student", student)
    return 0


if __name__ == "__main__":
    sys.exit(main())
