"""Which notebooks look copied: from each other, or from what this book publishes.

    python -m course.grader.similarity SUBMISSIONS --assignment a1_closed_form --out similar.html

copydetect (requirements/similarity.txt) compares the code cells. Names and comments make no
difference, and what was handed out doesn't count. It finds what one should look at, and proves
nothing: short functions look alike.
"""

import argparse
import contextlib
import re
import sys
import tempfile
import warnings
from pathlib import Path

import matplotlib

from course.grader import grade, notebook
from course.grader.arguments import ROOT, folder_of
from course.grader.store import Refusal, write_whole

SHOW = 0.5  # the share of a notebook that must be found elsewhere for it to be shown
# What the report would fetch from elsewhere, as soon as one looks at it: how it is folded.
ELSEWHERE = re.compile(r'<link href="https:[^>]*>|<script src="https:[^>]*></script>')


def code(data):
    """Return the code of a notebook as one text."""
    return "\n\n".join(notebook.code_cells(data))


def sources(found, assignment):
    """Yield (kind, name, code) of all that is compared, with names fit for files and for HTML."""
    for number, (student, submission) in enumerate(found.items(), 1):
        # Whatever can't be read has got its note from the grader.
        with contextlib.suppress(notebook.SubmissionError):
            name = re.sub(r"[^\w .-]", "_", student)[:60]
            yield "testref", f"{number} {name}.py", code(notebook.chosen(submission))
    for folder in {assignment, ROOT / "course" / assignment.name}:
        for path in (folder / "master.ipynb", folder / "hidden.py"):
            if path.is_file():
                text = path.read_text(encoding="utf-8")
                text = code(text.encode()) if path.suffix == ".ipynb" else text
                shown = path.relative_to(ROOT) if ROOT in path.parents else path
                yield "ref", re.sub(r"[^\w.-]", "_", str(shown)) + ".py", text
    blank = assignment.parent / "student" / f"{assignment.name}.ipynb"
    yield "boilerplate", "handed out.py", code(notebook.read(blank))


def report(found, assignment):
    """Return the report as a page, and the pairs above SHOW: [share, one, other]."""
    matplotlib.use("agg")  # its histogram is for a page, not for a window
    try:
        import copydetect
    except ModuleNotFoundError as error:
        cure = "pip install -r requirements/similarity.txt (make similarity does it)"
        raise Refusal(f"copydetect isn't installed: {cure}.") from error
    detector = copydetect.CopyDetector(silent=True, autoopen=False, display_t=SHOW)
    with tempfile.TemporaryDirectory() as place, contextlib.chdir(place):
        for kind, name, text in sources(found, assignment):
            Path(name).write_text(text, encoding="utf-8", errors="backslashreplace")
            detector.add_file(name, kind)
        if not detector.test_files:
            raise Refusal("There is no notebook to compare.")
        detector.run()
        with warnings.catch_warnings(action="ignore"):
            page = ELSEWHERE.sub("", detector.generate_html_report("return"))
        pairs = [[max(c[0], c[1]), *c[2:4]] for c in detector.get_copied_code_list()]
    return page, sorted(pairs, reverse=True)


def main(argv=None):
    """Write the report, name the pairs, and return the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m course.grader.similarity",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("submissions", type=Path)
    parser.add_argument("--assignment", type=Path, required=True)
    parser.add_argument("--private", type=Path, default=ROOT / "private")
    parser.add_argument("--out", type=Path, required=True, help="the page to write")
    args = parser.parse_args(argv)
    if not args.submissions.is_dir():
        parser.error(f"SUBMISSIONS: there is no folder {args.submissions}")
    folder = folder_of(parser, args)
    try:
        grade.load(folder)
        page, pairs = report(notebook.submissions(args.submissions.resolve()), folder)
        args.out.parent.mkdir(parents=True, exist_ok=True)
        write_whole(args.out, page)
    except (Refusal, notebook.SubmissionError) as error:
        print(error, file=sys.stderr)
        return 1
    except OSError as error:
        print(f"{error.filename}: {error.strerror}.", file=sys.stderr)
        return 1
    for share, one, other in pairs:
        print(f"{share:4.0%}  {one.removesuffix('.py')}  {other.removesuffix('.py')}")
    print(f"{len(pairs)} pairs above {SHOW:.0%}: {args.out}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
