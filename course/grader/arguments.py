"""What the commands of the grader are told in the same words: which assignment, which secrets."""

import argparse
from pathlib import Path

from course.grader.store import Key

ROOT = Path(__file__).resolve().parents[2]


def folder_of(parser, args):
    """Return the folder of an assignment, or end with what is wrong with it.

    It is given by its path or its name; the teacher's own questions come before those of the book.
    """
    given = args.assignment
    places = [args.private / given, given, ROOT / "course" / given]
    for folder in places if len(given.parts) == 1 else [given]:
        if (folder / "hidden.py").is_file():
            return folder.resolve()
    parser.error(f"--assignment: there is no {given / 'hidden.py'}")


def seed_of(args, assignment):
    """Return the seed of an assignment's hidden inputs: of the key, if no other is given."""
    if args.seed is None:
        return Key(args.private / "key").seed(assignment.name)
    return args.seed


def natural(text):
    """Return the number that an argument is."""
    if int(text) < 0:
        raise argparse.ArgumentTypeError("must not be negative")
    return int(text)


def common_arguments(parser):
    """Add the arguments that say what is asked, and with which secrets."""
    parser.add_argument(
        "--assignment", type=Path, required=True, help="its name, or the path of its folder"
    )
    parser.add_argument(
        "--private", type=Path, default=ROOT / "private", help="your folder (default: private)"
    )
    parser.add_argument(
        "--seed", type=natural, help="a number instead of your key, for the hidden inputs"
    )
    parser.add_argument("--unsafe", action="store_true", help="without a sandbox, at your own risk")
