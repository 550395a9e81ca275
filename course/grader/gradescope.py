"""The same grader for Gradescope: build the zip to upload, and grade there.

    python -m course.grader.gradescope --assignment a1_closed_form --out a1.zip

The zip holds the seed of the hidden inputs, how answers are judged, and right functions, which are
lent to later questions: it is for Gradescope alone.
Gradescope's containers may forbid a sandbox. Then the autograder says so when it is built, and
doesn't grade, unless its zip was built with --unsafe.
"""

import argparse
import dataclasses
import io
import json
import platform
import re
import sys
import zipfile
from pathlib import Path

from course.grader import grade, gradebook, notebook
from course.grader.arguments import ROOT, common_arguments, folder_of, seed_of
from course.grader.preflight import preflight
from course.grader.sandbox import Sandbox, Unconfined
from course.grader.store import Refusal, SandboxError, write_whole

# What the grader, the library and the students' notebooks import.
PACKAGES = {"numpy", "scipy", "matplotlib", "scikit-learn", "joblib", "tqdm", "psutil", "pillow"}
PACKAGES |= {"ipython", "ipywidgets", "pyseccomp"}


def contents(folder, settings):
    """Return {name: bytes} of what the autograder needs; the solution isn't part of it."""
    folder = folder.resolve()
    paths = [*(ROOT / "course" / "grader").rglob("*.py"), ROOT / "course" / "__init__.py"]
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


def zipped(files):
    """Return a zip whose bytes depend on the files' names and bytes only."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in sorted(files.items()):
            entry = zipfile.ZipInfo(name)  # dated 1980
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.create_system = 3
            executable = name in ("setup.sh", "run_autograder")
            entry.external_attr = (0o100755 if executable else 0o100644) << 16
            archive.writestr(entry, data)
    return target.getvalue()


def results(assignment, result):
    """Return a result in Gradescope's format."""
    tests = []
    for question in assignment.questions:
        score = result["points"][question.name]
        tests.append(
            {
                "name": question.name,
                "score": score,
                "max_score": question.points,
                "status": "passed" if score == question.points else "failed",
                "output": gradebook.about(result, question),
                "output_format": "text",
                "visibility": "visible",
            }
        )
    said = [f"Isolation: {result['isolation']}.", result["note"]]
    said += [
        f"{gradebook.happened(number, kind)}:\n{gradebook.quoted(f'{kind}: {message}')}"
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
    assignment = dataclasses.replace(assignment, sources=settings.get("sources", {}))
    where = Unconfined if settings["unsafe"] else Sandbox
    with where(assignment.library, assignment.seconds, hidden) as sandbox:
        if check:
            return
        try:
            data = notebook.chosen(notebook.collect(place / "submission"))
            result = grade.grade(data, assignment, settings["seed"], sandbox)
        except notebook.SubmissionError as error:
            result = grade.unread(str(error), assignment, sandbox.isolation)
    text = json.dumps(results(assignment, result), indent=1)
    (place / "results").mkdir(exist_ok=True)
    write_whole(place / "results" / "results.json", text)


def main(argv=None):
    """Build the zip, or grade with what it holds; return the exit code."""
    there = argparse.ArgumentParser(add_help=False)  # what the zip's scripts say
    there.add_argument("--run", type=Path)
    there.add_argument("--check", action="store_true")
    parser = argparse.ArgumentParser(
        prog="python -m course.grader.gradescope",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    common_arguments(parser)
    parser.add_argument("--out", type=Path, required=True, help="the zip")
    asked, rest = there.parse_known_args(argv)
    try:
        if asked.run or asked.check:
            run(asked.run or Path("/autograder"), asked.check)
            return 0
        args = parser.parse_args(rest)
        folder = folder_of(parser, args)
        assignment = grade.load(folder)
        seed = seed_of(args, assignment)
        hidden = [ROOT, folder.parent.parent, args.private]
        where = Unconfined if args.unsafe else Sandbox
        with where(assignment.library, assignment.seconds, hidden) as sandbox:
            assignment = preflight(folder, assignment, seed, sandbox)
        args.out.parent.mkdir(parents=True, exist_ok=True)
        settings = {"seed": seed, "unsafe": args.unsafe, "sources": assignment.sources}
        write_whole(args.out, zipped(contents(folder, settings)))
    except OSError as error:
        print(f"{error.filename}: {error.strerror}.", file=sys.stderr)
        return 1
    except (Refusal, SandboxError, notebook.SubmissionError) as error:
        print(error, file=sys.stderr)
        return 1
    print(f"{args.out}: upload it as the autograder; it holds the seed of the hidden inputs")
    return 0


if __name__ == "__main__":
    sys.exit(main())
