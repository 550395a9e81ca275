"""What teacher and students are shown: grades.csv and a page of feedback each."""

import csv
import hashlib
import io

from course.grader.grade import write_whole
from course.grader.notebook import plain

SHOWN = 300  # characters of an error's message


def harmless(text):
    """Return a text that no spreadsheet takes for a formula."""
    text = plain(str(text))
    return f"'{text}" if text.lstrip()[:1] in set("=+-@\uff1d\uff0b\uff0d\uff20") else text


def grades(assignment, results):
    """Return grades.csv: a row a student, with empty columns for what is graded by hand."""
    names = [question.name for question in assignment.questions]
    by_hand = [f"{part} (of {points})" for part, points in assignment.manual.items()]
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(["student", *names, "automatic", *by_hand, "note", "isolation"])
    for student, result in sorted(results.items()):
        points = [result["points"][name] for name in names]
        note, isolation = harmless(result["note"]), result["isolation"]
        blanks = [""] * len(by_hand)
        writer.writerow([harmless(student), *points, sum(points), *blanks, note, isolation])
    return file.getvalue()


def quoted(text):
    """Return a student's text as a block of code: no markup in it has an effect."""
    text = plain(text[: SHOWN + 1])
    return "    " + (f"{text[:SHOWN]} ..." if len(text) > SHOWN else text)


def feedback(assignment, student, result):
    """Return what a student is told: points, hints, and the errors of the notebook's own cells."""
    points = result["points"]
    total = sum(question.points for question in assignment.questions)
    lines = [f"# {assignment.name}", "", quoted(student), ""]
    lines += [f"**{sum(points.values())} of {total} automatic points.**", ""]
    if result["note"]:
        lines += ["The notebook as a whole:", "", quoted(result["note"]), ""]
    for question in assignment.questions:
        line = f"- **{question.name}**: {points[question.name]} of {question.points}"
        if question.name in result["lost"]:
            line += f". In a hidden test {result['lost'][question.name]}. {question.hint}"
        lines.append(line)
    by_hand = [
        f"- **{part}**: of {number}, graded by hand" for part, number in assignment.manual.items()
    ]
    lines += [*by_hand, ""]
    for number, kind, message in result["cells"][:20]:
        lines += [
            f"Code cell {int(number) + 1} ended with an error:",
            "",
            quoted(f"{kind}: {message}"),
            "",
        ]
    return "\n".join(lines)


def file_name(student):
    """Return the name of a student's page; a long name is cut, and stays different from others."""
    if len(student.encode()) > 200:
        student = f"{student[:40]}-{hashlib.sha256(student.encode()).hexdigest()[:16]}"
    return f"{student}.md"


def write(assignment, results, out):
    """Write grades.csv and feedback/<student>.md, each whole or not at all."""
    (out / "feedback").mkdir(parents=True, exist_ok=True)
    write_whole(out / "grades.csv", grades(assignment, results))
    for student, result in results.items():
        write_whole(out / "feedback" / file_name(student), feedback(assignment, student, result))
