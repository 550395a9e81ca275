"""The same grader for Gradescope: build the zip to upload, and grade there.

    python -m course.grader.gradescope --assignment course/a1_closed_form --seed 7 --out a1.zip

The zip holds your seed and the hidden tests: it is for Gradescope alone. Gradescope's containers
may forbid a sandbox. Then the autograder says so when it is built, and doesn't grade, unless its
zip was built with --unsafe.
"""

import argparse
import json
import platform
import re
import sys
import zipfile
from pathlib import Path

from course.grader import grade, gradebook, notebook
from course.grader.__main__ import Refusal, folder_of, preflight
from course.grader.sandbox import Sandbox, SandboxError

ROOT = Path(__file__).resolve().parents[2]
# What the grader, the library and the students' notebooks import.
PACKAGES = {"numpy", "scipy", "matplotlib", "scikit-learn", "joblib", "tqdm", "psutil", "pillow"}
PACKAGES |= {"ipython", "ipywidgets"}


def contents(folder, settings):
    """Return {name: bytes} of what the autograder needs; the solution isn't part of it."""
    folder = folder.resolve()
    paths = [*(ROOT / "course" / "grader").glob("*.py"), ROOT / "course" / "__init__.py"]
    paths += [*(ROOT / "distill_lib").glob("*.py"), *(ROOT / "distill_lib").glob("*.mplstyle")]
    paths += [ROOT / "constraints.txt"]
    files = {path.relative_to(ROOT).as_posix(): path.read_bytes() for path in paths}
    for path in sorted((ROOT / "course" / "gradescope").iterdir()):
        files[path.name] = path.read_bytes()
    # Modules that hidden.py imports may lie beside it; notebooks stay here.
    for path in folder.glob("*.py"):
        files[f"course/{folder.name}/{path.name}"] = path.read_bytes()
    pins = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    named = [pin for pin in pins if re.split("[=; ]", pin)[0].lower() in PACKAGES]
    files["requirements.txt"] = "\n".join(["-c constraints.txt", *named, ""]).encode()
    files["python_version"] = ".".join(platform.python_version_tuple()[:2]).encode()
    files["settings.json"] = json.dumps({"folder": f"course/{folder.name}", **settings}).encode()
    return files


def write_zip(target, files):
    """Write a zip whose bytes depend on the files' names and bytes only."""
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in sorted(files.items()):
            entry = zipfile.ZipInfo(name)  # dated 1980
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.create_system = 3
            executable = name in ("setup.sh", "run_autograder")
            entry.external_attr = (0o100755 if executable else 0o100644) << 16
            archive.writestr(entry, data)


def results(assignment, result):
    """Return a result in Gradescope's format."""
    tests = []
    for question in assignment.questions:
        score, lost = result["points"][question.name], result["lost"].get(question.name)
        tests.append(
            {
                "name": question.name,
                "score": score,
                "max_score": question.points,
                "status": "failed" if lost else "passed",
                "output": f"In a hidden test {lost}. {question.hint}" if lost else "",
                "output_format": "text",
                "visibility": "visible",
            }
        )
    said = [f"Isolation: {result['isolation']}.", result["note"]]
    said += [
        f"Code cell {number + 1} ended with an error:\n{gradebook.quoted(f'{kind}: {message}')}"
        for number, kind, message in result["cells"][:20]
    ]
    return {
        "output": "\n".join(filter(None, said)),
        "output_format": "text",
        "stdout_visibility": "hidden",
        "tests": tests,
    }


def run(place, check=False):
    """Grade the submission in Gradescope's folders, or only see whether one could."""
    settings = json.loads(Path("settings.json").read_text(encoding="utf-8"))
    folder = Path(settings["folder"])
    assignment = grade.load(folder)
    hidden = [place, ROOT]
    unsafe = settings["unsafe"]
    with Sandbox(assignment.library, assignment.seconds, hidden, unsafe) as sandbox:
        if check:
            return
        paths = sorted((place / "submission").rglob("*.ipynb"))
        data, note = grade.handed_in(paths)
        if note:
            result = grade.unread(note, assignment, sandbox.isolation)
        else:
            result = grade.grade(data, assignment, settings["seed"], sandbox)
    text = json.dumps(results(assignment, result), indent=1)
    (place / "results").mkdir(exist_ok=True)
    grade.write_whole(place / "results" / "results.json", text)


def main(argv=None):
    """Build the zip, or grade with what it holds; return the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m course.grader.gradescope",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--assignment", type=Path, help="the assignment's folder")
    parser.add_argument("--seed", type=int, help="your secret number")
    parser.add_argument("--out", type=Path, help="the zip")
    parser.add_argument("--unsafe", action="store_true", help="let it grade without a sandbox")
    parser.add_argument("--run", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--check", action="store_true", help=argparse.SUPPRESS)
    args = parser.parse_args(argv)
    try:
        if args.run or args.check:
            run(args.run or Path("/autograder"), args.check)
            return 0
        if args.assignment is None or args.seed is None or args.seed < 0 or args.out is None:
            parser.error("--assignment, --seed (not negative) and --out are needed")
        folder = folder_of(parser, args.assignment)
        assignment = grade.load(folder)
        hidden = [ROOT, folder.parent.parent]
        with Sandbox(assignment.library, assignment.seconds, hidden, args.unsafe) as sandbox:
            preflight(folder, assignment, args.seed, sandbox)
    except (Refusal, SandboxError, notebook.SubmissionError) as error:
        print(error, file=sys.stderr)
        return 1
    write_zip(args.out, contents(folder, {"seed": args.seed, "unsafe": args.unsafe}))
    print(f"{args.out}: upload it as the autograder; it holds your seed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
