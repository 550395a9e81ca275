"""Grade what students handed in.

    python -m course.grader SUBMISSIONS --assignment course/a1_closed_form --seed 7 --out graded

SUBMISSIONS holds a notebook, or a folder with one notebook, for each student, named after them.
The folder that --out names gets grades.csv, feedback/ with a page for each student, and results/.
A run that was stopped goes on where it was when it is started again.
"""

import argparse
import itertools
import os
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

from tqdm import tqdm

from course.grader import grade, gradebook, notebook
from course.grader.sandbox import Sandbox, SandboxError


class Refusal(Exception):
    """Why no submission is graded."""


def folder_of(parser, assignment):
    """Return an assignment's folder, or end with what is wrong with it."""
    if not (assignment / "hidden.py").is_file():
        parser.error(f"--assignment: there is no {assignment / 'hidden.py'}")
    return assignment.resolve()


def arguments(argv=None):
    """Return the arguments of the command, or end with what is wrong with them."""
    parser = argparse.ArgumentParser(
        prog="python -m course.grader",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    parser.add_argument("submissions", type=Path, help="the folder of what was handed in")
    parser.add_argument("--assignment", type=Path, required=True, help="the assignment's folder")
    parser.add_argument(
        "--seed", type=int, required=True, help="your secret number: it makes the hidden tests"
    )
    parser.add_argument("--out", type=Path, required=True, help="the folder for the grades")
    parser.add_argument("--jobs", type=int, default=cores, help="how many at once (%(default)s)")
    parser.add_argument("--unsafe", action="store_true", help="without a sandbox, at your own risk")
    args = parser.parse_args(argv)
    if not args.submissions.is_dir():
        parser.error(f"SUBMISSIONS: there is no folder {args.submissions}")
    args.assignment = folder_of(parser, args.assignment)
    if args.seed < 0:
        parser.error("--seed: must not be negative")
    if args.jobs < 1:
        parser.error("--jobs: must be at least 1")
    if args.out.exists() and not args.out.is_dir():
        parser.error(f"--out: {args.out} is there already, and isn't a folder")
    places = [args.out.resolve(), args.submissions.resolve()]
    if places[0] in [places[1], *places[1].parents] or places[1] in places[0].parents:
        parser.error("--out: must lie outside SUBMISSIONS, and not around it")
    return args


def preflight(folder, assignment, seed, sandbox):
    """Refuse to go on unless the solution gets all points in good time, and the blank none."""
    solution = folder / "master.ipynb"
    blank = folder.parent / "student" / f"{assignment.name}.ipynb"
    for path in (solution, blank):
        if not path.is_file():
            raise Refusal(f"There is no {path}: the preflight grades it first.")
    results, taken = [], []
    for path in (solution, blank):
        began = time.monotonic()
        results.append(grade.grade(notebook.read(path), assignment, seed, sandbox))
        taken.append(time.monotonic() - began)
    if results[0]["lost"]:
        lost = "; ".join(f"{name}: {reason}" for name, reason in results[0]["lost"].items())
        raise Refusal(f"The solution {solution} does not get full marks. {lost}")
    if any(results[1]["points"].values()):
        raise Refusal(f"The student version {blank} gets points before anything is done.")
    # Both had to start an interpreter. Students' code may be slower than the solution's.
    if taken[0] - taken[1] > assignment.seconds / 3:
        raise Refusal(
            f"The solution takes {taken[0] - taken[1]:.0f} s, more than a third of what students "
            f"have: raise seconds in {folder / 'hidden.py'}."
        )


def grade_all(found, jobs, one):
    """Return {student: one(paths, slot)}, several at once, each with processors of its own."""
    slots, own = itertools.count(), threading.local()

    def settle():
        own.slot = next(slots)
        if hasattr(os, "sched_setaffinity"):  # of this thread, and the processes it starts
            cores = sorted(os.sched_getaffinity(0))
            mine = cores[own.slot :: jobs] or [cores[own.slot % len(cores)]]
            os.sched_setaffinity(0, mine)

    with ThreadPoolExecutor(jobs, initializer=settle) as pool:
        futures = {
            pool.submit(lambda paths: one(paths, own.slot), paths): student
            for student, paths in found.items()
        }
        try:
            done = tqdm(as_completed(futures), total=len(futures), unit="student", disable=None)
            results = {futures[future]: future.result() for future in done}
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    return dict(sorted(results.items()))


def main(argv=None):
    """Grade, and return the exit code: 0, or 1 if nothing could be graded."""
    args = arguments(argv)
    assignment = grade.load(args.assignment)
    hidden = [args.assignment.parent.parent, args.submissions, args.out, Path(__file__).parents[2]]
    try:
        with Sandbox(assignment.library, assignment.seconds, hidden, args.unsafe) as sandbox:
            preflight(args.assignment, assignment, args.seed, sandbox)
            about = grade.version(args.assignment, assignment.library)
            store = args.out / "results"
            store.mkdir(parents=True, exist_ok=True)

            def one(paths, slot):
                for wait in (1, 5, None):
                    try:
                        return grade.graded_once(
                            paths, assignment, args.seed, sandbox, store, about, slot
                        )
                    except SandboxError:  # as when the machine is short of memory
                        if wait is None:
                            raise
                        time.sleep(wait)

            results = grade_all(notebook.submissions(args.submissions), args.jobs, one)
    except (Refusal, SandboxError, notebook.SubmissionError) as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Stopped; the same command goes on from here.", file=sys.stderr)
        return 130
    gradebook.write(assignment, results, args.out)
    print(f"{len(results)} graded: {args.out / 'grades.csv'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
