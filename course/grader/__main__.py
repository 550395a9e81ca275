"""Grade what students handed in.

    python -m course.grader SUBMISSIONS --assignment a1_closed_form --out graded/a1_closed_form

SUBMISSIONS holds a notebook, or a folder with one notebook, for each student, named after them; or
what Moodle or Canvas let one download. The folder that --out names gets grades.csv, statistics.csv,
feedback/ with a page for each student, executed/ with copies of the notebooks for marking by hand,
index.html, which leads to both, and results/. A run that was stopped goes on where it was
when it is started again.

What is yours lies in the folder that --private names, which the program never changes: the key
(made the first time), marks by hand, a line on lateness, questions of your own.
"""

import argparse
import difflib
import itertools
import os
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

from tqdm import tqdm

from course.grader import grade, gradebook, notebook, private, tables
from course.grader.arguments import ROOT, common_arguments, folder_of, seed_of
from course.grader.copies import Copies, overview
from course.grader.preflight import preflight
from course.grader.sandbox import Sandbox, Unconfined
from course.grader.store import Key, Refusal, SandboxError, locked, sweep, workplace, write_whole

MATHJAX = ROOT / "web" / "vendor" / "mathjax3" / "tex-mml-chtml.js"
LINES = 20  # of changes, shown


def arguments(argv=None):
    """Return the arguments of the command, or end with what is wrong with them."""
    parser = argparse.ArgumentParser(
        prog="python -m course.grader",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    parser.add_argument("submissions", type=Path, help="the folder of what was handed in")
    common_arguments(parser)
    parser.add_argument("--out", type=Path, required=True, help="the folder for the grades")
    parser.add_argument("--jobs", type=int, default=cores, help="how many at once (%(default)s)")
    parser.add_argument(
        "--again", metavar="NAME", action="append", default=[], help="grade this student anew"
    )
    parser.add_argument(
        "--no-copies", action="store_true", help="no executed notebooks for marking by hand"
    )
    parser.add_argument("--force", action="store_true", help="grades may change, or go")
    args = parser.parse_args(argv)
    if not args.submissions.is_dir():
        parser.error(f"SUBMISSIONS: there is no folder {args.submissions}")
    args.assignment = folder_of(parser, args)
    if args.jobs < 1:
        parser.error("--jobs: must be at least 1")
    inside = args.submissions.resolve()
    for name, path in (("--out", args.out), ("--private", args.private)):
        if path.exists() and not path.is_dir():
            parser.error(f"{name}: {path} is there already, and isn't a folder")
        place = path.resolve()
        if place in [inside, *inside.parents] or inside in place.parents:
            parser.error(f"{name}: must lie outside SUBMISSIONS, and not around it")
    return args


def grade_all(found, jobs, one):
    """Return {student: one(student, slot)}, several at once, each with processors of its own."""
    slots, own = itertools.count(), threading.local()

    def settle():
        own.slot = next(slots)
        if hasattr(os, "sched_setaffinity"):  # of this thread, and the processes it starts
            cores = sorted(os.sched_getaffinity(0))
            mine = cores[own.slot :: jobs] or [cores[own.slot % len(cores)]]
            os.sched_setaffinity(0, mine)

    with ThreadPoolExecutor(jobs, initializer=settle) as pool:
        futures = {
            pool.submit(lambda student: one(student, own.slot), student): student
            for student in found
        }
        try:
            done = tqdm(as_completed(futures), total=len(futures), unit="student", disable=None)
            results = {futures[future]: future.result() for future in done}
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    return dict(sorted(results.items()))


def some(lines):
    """Return lines to show, and how many are left out."""
    more = len(lines) - LINES
    return [f"  {line}" for line in lines[:LINES]] + [f"  and {more} more"] * (more > 0)


def handed_in(args):
    """Return {student: Submission}, or refuse where there is nothing or not what was asked for."""
    found = notebook.submissions(args.submissions)
    if not found:
        raise Refusal(f"Nothing was handed in: {args.submissions} is empty. Nothing was written.")
    # A name may be given as it stands in grades.csv.
    args.again = [name if name in found else tables.name_of(name) for name in args.again]
    for name in args.again:
        if name not in found:
            near = difflib.get_close_matches(name, found, 3, 0.5)
            hint = f" Is it {' or '.join(near)}?" if near else ""
            raise Refusal(f"--again: nothing was handed in by {name}.{hint}")
    return found


def marks_by_hand(path, assignment):
    """Return {student: Marks}, and say where they come from."""
    if not path.exists():
        if assignment.manual:
            print(f"No marks by hand: there is no {path}")
        return {}
    marks, ignored = private.marks(path, assignment.manual)
    print(f"Marks by hand of {len(marks)}: {path}")
    ignored -= {*gradebook.header(assignment), ""}
    if ignored:
        print(f"  Columns that are not read: {', '.join(sorted(ignored))}")
    return marks


def run(args, assignment, key, seed):
    """Grade all, and return the exit code."""
    found = handed_in(args)
    settings = private.settings(args.private)
    marks = marks_by_hand(args.private / "marks" / f"{assignment.name}.csv", assignment)
    hidden = [args.assignment.parent.parent, args.submissions, args.out, args.private, ROOT]
    place = Unconfined if args.unsafe else Sandbox
    with place(assignment.library, assignment.seconds, hidden) as sandbox:
        assignment = preflight(args.assignment, assignment, seed, sandbox)
        about = grade.version(args.assignment, assignment)
        store = args.out / "results"
        store.mkdir(parents=True, exist_ok=True)
        with locked(args.out) as free:
            if not free:
                raise Refusal(f"Another run is writing into {args.out}: wait for its end.")
            copies = Copies(args.out, MATHJAX)
            sweep(args.out, store, args.out / "feedback", copies.folder, copies.made)
            wanted = assignment.manual and not args.no_copies

            def one(student, slot):
                again = student in args.again
                result = graded(student, slot, again)
                if wanted and result["points"]:
                    copies.make(student, found[student], sandbox, slot, again)
                return result

            def graded(student, slot, again):
                for wait in (1, 5, None):
                    try:
                        return grade.graded_once(
                            found[student],
                            assignment,
                            seed,
                            sandbox,
                            store,
                            key,
                            about,
                            slot,
                            again,
                        )
                    except SandboxError:  # as when the machine is short of memory
                        if wait is None:
                            raise
                        time.sleep(wait)

            results = grade_all(found, args.jobs, one)
            for name, why in sorted(copies.failed.items()):
                print(f"No executed copy of {name}: {why}", file=sys.stderr)
            book = gradebook.rows(assignment, found, results, marks, settings)
            return conclude(args, assignment, results, book, marks, settings, copies)


def conclude(args, assignment, results, book, marks, settings, copies):
    """Write what was found, unless it would change grades; return the exit code."""
    table = args.out / "grades.csv"
    lines = gradebook.changes(table, book, args.again)
    nobody = "has marks by hand, but nobody of that name handed anything in"
    lines += [f"{name}: {nobody}" for name in marks.keys() - book]
    if gradebook.hollow(results):
        print(
            f"Warning: most of {len(book)} have no points. "
            f"Is {args.submissions} the folder for {assignment.name}?",
            file=sys.stderr,
        )
    failed = [f"{name}: {book[name]['note']}" for name in book if not results[name]["points"]]
    if failed:
        print("\n".join(["The same command tries again:", *some(failed)]), file=sys.stderr)
    if lines and not args.force:
        said = ["Nothing was written, for this would change:", *some(sorted(lines))]
        raise Refusal("\n".join([*said, "Say --force (make grade: FORCE=1) if it is meant."]))
    gradebook.write(assignment, results, book, marks, settings, args.out)
    copies.write()
    write_whole(args.out / "index.html", overview(assignment.name, book, args.out))
    print(f"{len(book)} graded: {table}")
    if lines:
        print("\n".join(["Changed:", *some(sorted(lines))]))
    late = [student for student in book if book[student]["late"]]
    if late and not settings.late:
        print(f"{len(late)} late, and nothing taken off: no late in grading.toml")
    return int(bool(failed))


def main(argv=None):
    """Grade, and return the exit code: 0, or 1 if something could not be graded."""
    args = arguments(argv)
    try:
        assignment = grade.load(args.assignment)
        seed = seed_of(args, assignment)
        with workplace():
            return run(args, assignment, Key(args.private / "key"), seed)
    except (Refusal, SandboxError, notebook.SubmissionError) as error:
        print(error, file=sys.stderr)
        return 1
    except OSError as error:
        place = error.filename2 or error.filename or "A file"
        print(
            f"{place}: {error.strerror}. When that is mended, the same command goes on from here.",
            file=sys.stderr,
        )
        return 1
    except KeyboardInterrupt:
        print("Stopped; the same command goes on from here.", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())
