"""Follow the teaching page as a teacher would: four assignments, five students, with make.

    python3 .ci/walk.py            # or the names of some assignments behind it

To be run in a clean clone, by an ordinary user; it writes into released/, graded/, private/ and
handed_in/, as the page says, and refuses where one of them is there. It needs a few minutes.
The students: one has everything right, one has a wrong first function, one hands in half a file,
one is late, and one has copied from the first and changed names.
"""

import csv
import json
import re
import statistics
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGE = (ROOT / "chapters" / "teaching.md").read_text(encoding="utf-8")
FOLDERS = ("released", "graded", "private", "handed_in")
# {assignment: (automatic points, parts by hand, points of the first question, its function)}
ASSIGNMENTS = {
    "a1_closed_form": (70, ("m1", "m2", "m3"), 5, "soft_labels"),
    "a2_risk_bound": (65, ("m1", "m2", "m3"), 10, "acute_angles"),
    "a3_deep_students": (75, ("m1", "m2"), 5, "end_to_end"),
    "a4_real_data": (35, ("m1", "m2", "m3", "m4"), 10, "train_teacher"),
}
STUDENTS = {"Anna Good": 1, "Ben Partial": 2, "Cleo Broken": 3, "Dora Late": 4, "Eve Copied": 5}
MARK, DAYS, RATE = 6.5, 2, 0.1


def make(target, **given):
    """Run a command of the page, and return what it says and the seconds that it took."""
    words = ["make", target, *(f"{name}={value}" for name, value in given.items())]
    if f"make {target}" not in PAGE or not all(f"{name}=" in PAGE for name in given):
        sys.exit(f"Not on the page: {' '.join(words)}")
    began = time.monotonic()
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{' '.join(words)}\n{done.stdout}{done.stderr}")
    return done.stdout + done.stderr, time.monotonic() - began


def check(what, found, wanted):
    """Say what isn't as it should be, and end."""
    if found != wanted:
        sys.exit(f"{what}: {found!r}, should be {wanted!r}")


def with_cell(text, source):
    """Return a notebook with one more cell."""
    book = json.loads(text)
    book["cells"].append({"cell_type": "code", "metadata": {}, "outputs": [], "source": source})
    book["nbformat_minor"], book["cells"][-1]["execution_count"] = 4, None
    return json.dumps(book)


def hand_in(name, moodle):
    """Write five submissions, named as Moodle or Canvas names them; return their folder."""
    folder = ROOT / "handed_in" / name
    folder.mkdir(parents=True)
    right = (ROOT / "released" / "solution" / f"{name}.ipynb").read_text(encoding="utf-8")
    wrong = with_cell(right, f"def {ASSIGNMENTS[name][3]}(*given): return 0.125")
    copied = re.sub(r"\bpath\b", "way", right)
    texts = [right, wrong, right[: len(right) // 2], with_cell(right, "# in time, nearly"), copied]
    for (student, number), text in zip(STUDENTS.items(), texts, strict=True):
        if moodle:
            path = folder / f"{student}_{number}_assignsubmission_file" / f"{name}.ipynb"
        else:
            late = "_LATE" * (student == "Dora Late")
            short = "".join(reversed(student.lower().split()))
            path = folder / f"{short}{late}_{number}_{90 + number}_{name}.ipynb"
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder


def table(path):
    """Return a table as a list of rows."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def mark(name, moodle):
    """Copy the grades as the page says, and fill in marks by hand, a comment, and two days."""
    own = ROOT / "private" / "marks" / f"{name}.csv"
    own.parent.mkdir(parents=True, exist_ok=True)
    found = table(ROOT / "graded" / name / "grades.csv")
    for row in found:
        for column in row:
            if re.match(r"m\d ", column):
                row[column] = MARK
        row["comment"] = "Well argued."
        if "Dora" in row["student"] or "late" in row["student"]:
            row["late"] = DAYS
    with own.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.DictWriter(file, list(found[0]))
        writer.writeheader()
        writer.writerows(found)


def sheet(name, moodle):
    """Write the table that one downloads from Moodle or Canvas; return its path."""
    path = ROOT / "handed_in" / f"{name}.csv"
    if moodle:
        heads = "Identifier,Full name,Status,Grade,Maximum Grade,Feedback comments\n"
        lines = [f"Participant {k},{who},Submitted,,100.00,\n" for who, k in STUDENTS.items()]
    else:
        heads = f"Student,ID,SIS User ID,Section,{name} (77)\n    Points Possible,,,,100\n"
        lines = [f'"{", ".join(reversed(w.split()))}",{k},,1,\n' for w, k in STUDENTS.items()]
    path.write_text(heads + "".join(lines), encoding="utf-8")
    return path


def walk(name, moodle):
    """Go through one assignment; return the seconds a submission, with and without copy."""
    automatic, parts, first, _ = ASSIGNMENTS[name]
    folder = hand_in(name, moodle)
    given = {"SUBMISSIONS": folder, "ASSIGNMENT": name}
    said, taken = make("grade", **given)
    out = ROOT / "graded" / name
    wanted = [automatic, automatic - first, 0, automatic, automatic]
    rows = sorted(table(out / "grades.csv"), key=lambda row: int(row["student"].rpartition("_")[2]))
    check(f"{name}, automatic points", [int(row["automatic"]) for row in rows], wanted)
    index = (out / "index.html").read_text(encoding="utf-8")
    check(f"{name}, copies", index.count('href="executed/'), 4)

    mark(name, moodle)
    said, again = make("grade", **given)  # runs nothing but the preflight
    rows = sorted(table(out / "grades.csv"), key=lambda row: int(row["student"].rpartition("_")[2]))
    totals = [points + MARK * len(parts) for points in wanted]
    totals[3] *= 1 - RATE * DAYS
    check(f"{name}, totals", [float(r["total"]) for r in rows], [round(t, 2) for t in totals])
    page = (out / "feedback" / f"{rows[1]['student']}.md").read_text(encoding="utf-8")
    check(f"{name}, comment", "Well argued." in page, True)

    _, one = make("grade", **given, AGAIN=rows[1]["student"], COPIES="no")
    system, more = ("moodle", {}) if moodle else ("canvas", {"COLUMN": f"{name} (77)"})
    said, _ = make(system, SHEET=sheet(name, moodle), ASSIGNMENT=name, **more)
    column = "Grade" if moodle else f"{name} (77)"
    filled = [row for row in table(out / f"{system}.csv") if row.get("ID") != ""]
    check(
        f"{name}, {system}", [float(row[column]) for row in filled], [round(t, 2) for t in totals]
    )

    said, _ = make("similarity", SUBMISSIONS=folder, ASSIGNMENT=name)
    pairs = [line for line in said.splitlines() if re.match(r" *\d+%", line)]
    check(f"{name}, similar", any("Eve" in p or "copied" in p for p in pairs), True)
    # One student in the foreground; five, as many at once as there are cores.
    return (taken - again) / len(STUDENTS), one - again


def main():
    """Walk, and say how long a submission takes."""
    there = [name for name in FOLDERS if (ROOT / name).exists()]
    if there:
        sys.exit(f"Not a clean clone: there is {', '.join(there)}.")
    make("release")
    (ROOT / "private").mkdir()
    rule = 'late = "10% a day, at most 50%"\n'
    check("the rule on lateness is on the page", rule in PAGE, True)
    (ROOT / "private" / "grading.toml").write_text(rule, encoding="utf-8")
    taken = {}
    for number, name in enumerate(ASSIGNMENTS):
        if sys.argv[1:] and name not in sys.argv:
            continue
        taken[name] = walk(name, moodle=number % 2 == 0)
        print(f"{name}: {taken[name][1]:.2f} s a submission, {taken[name][0]:.2f} s with a copy")
    for k, what in ((1, "without copies"), (0, "with copies")):
        median = statistics.median(seconds[k] for seconds in taken.values())
        print(f"Median of the assignments, {what}: {median:.2f} s a submission")


if __name__ == "__main__":
    main()
