"""What teacher and students are shown: grades.csv, statistics.csv and a page of feedback each."""

import hashlib
import statistics
from collections import Counter

from course.grader import tables
from course.grader.notebook import plain
from course.grader.private import Marks, column
from course.grader.store import write_whole
from course.grader.tables import harmless, named, tidy

SHOWN = 300  # characters of an error's message
WORDS = {"student", "late", "note", "isolation"}  # columns that hold no grade


def full_marks(assignment):
    """Return the points that can be had automatically, and by hand."""
    return sum(question.points for question in assignment.questions), sum(
        assignment.manual.values()
    )


def header(assignment):
    """Return the columns of grades.csv."""
    questions = [question.name for question in assignment.questions]
    by_hand = [column(part, most) for part, most in assignment.manual.items()]
    return ["student", *questions, "automatic", *by_hand, "late", "total", "note", "isolation"]


def row(assignment, student, result, given, late, settings):
    """Return a student's row of grades.csv as {column: text or number}.

    There is no total as long as a part isn't marked: half a grade looks like a bad one.
    """
    points = [result["points"].get(question.name, "") for question in assignment.questions]
    by_hand = [given.points.get(part, "") for part in assignment.manual]
    days = late if given.late is None else given.late
    automatic = "" if "" in points else sum(points)
    total = "" if "" in points + by_hand else sum(points + by_hand) * settings.kept(days)
    cells = [named(student), *points, automatic, *by_hand, days or "", tidy(total)]
    cells += [harmless(result["note"]), result["isolation"]]
    return dict(zip(header(assignment), cells, strict=True))


def rows(assignment, found, results, marks, settings):
    """Return {student: row} for all that was handed in."""
    return {
        student: row(
            assignment,
            student,
            results[student],
            marks.get(student, Marks()),
            int(submission.late),
            settings,
        )
        for student, submission in found.items()
    }


def written(book, settings):
    """Return grades.csv."""
    heads = list(next(iter(book.values())))
    return tables.written([heads, *(row.values() for row in book.values())], settings.separator)


def changes(path, book, meant=()):
    """Return what a new book would change or drop of the grades in a file, a line for each.

    A grade that is filled in changes nothing; nor does what is meant to be graded anew.
    """
    try:
        old = tables.read(path)
        if "student" not in old.header:
            raise tables.TableError("there is no column student")
    except tables.TableError as error:
        if not path.exists():
            return []
        return [f"{path} itself, which can't be read: {error}"]
    lines = []
    for record in old.records():
        name = tables.name_of(record["student"])
        grades = {c: text for c, text in record.items() if c not in WORDS and text.strip()}
        if name not in book and grades:
            lines.append(f"{name}: was handed in before, and is gone")
        elif name not in meant:
            new = {c: tidy(book[name].get(c, "")) for c in grades}
            lines += [
                f"{name}: {c} from {text} to {'nothing' if new[c] == '' else new[c]}"
                for c, text in grades.items()
                if not equal(text, new[c])
            ]
    return lines


def equal(text, value):
    """Whether a cell that was read holds the value that would be written."""
    try:
        return tables.number(text) == value
    except ValueError:
        return False


def quoted(text):
    """Return a student's text as a block of code: no markup in it has an effect."""
    text = plain(text[: SHOWN + 1])
    return "    " + (f"{text[:SHOWN]} ..." if len(text) > SHOWN else text)


def lost(result, question):
    """Return why points were lost, in sentences that are true of this submission."""
    parts = result["lost"].get(question.name, [])
    if not parts:
        return ""
    hint = next((hint for *_, hint in parts if hint), "")
    if len(parts) == 1 and parts[0][0] in ("", next(iter(question.worth))):
        where = f" ({parts[0][0]})" if parts[0][0] else ""
        said = f"In a hidden test{where} {parts[0][2]}."
        if question.groups:
            said += " Without these there are no points for the others."
    else:
        said = "In hidden tests: "
        said += "; ".join(f"{group} ({worth} lost): {why}" for group, worth, why, _ in parts) + "."
    return f"{said} {hint}".strip()


def helped(result, question):
    """Return whose right functions stood in the place of wrong ones when points were given."""
    names = result.get("helped", {}).get(question.name)
    return f"Judged with a right {names} in the place of yours." if names else ""


def about(result, question):
    """Return all that is said of a question beside its points."""
    return " ".join(filter(None, [lost(result, question), helped(result, question)]))


def feedback(assignment, student, result, given, row):
    """Return what a student is told: points, hints, and the errors of the notebook's own cells."""
    automatic, by_hand = full_marks(assignment)
    lines = [f"# {assignment.name}", "", quoted(student), ""]
    if row["automatic"] != "":
        lines += [f"**{row['automatic']} of {automatic} automatic points.**", ""]
    if row["total"] != "" and (by_hand or row["late"]):
        days = tidy(row["late"])
        late = f", {days} day{'s' * (days != 1)} late" if days else ""
        lines += [f"**{row['total']} of {automatic + by_hand} points in all{late}.**", ""]
    if result["note"]:
        lines += ["The notebook as a whole:", "", quoted(result["note"]), ""]
    for question in assignment.questions:
        points = row[question.name]
        line = f"- **{question.name}**: {points} of {question.points}"
        if points == "":
            line = f"- **{question.name}**: not graded yet"
        lines.append(". ".join(filter(None, [line, about(result, question)])))
    for part, most in assignment.manual.items():
        mark = tidy(given.points.get(part, ""))
        said = f"of {most}, graded by hand" if mark == "" else f"{mark} of {most}"
        lines.append(f"- **{part}**: {said}")
    lines.append("")
    if given.comment:
        lines += ["From your teacher:", "", *map(quoted, given.comment.splitlines()), ""]
    for number, kind, message in result["cells"][:20]:
        lines += [
            f"{happened(number, kind)}:",
            "",
            quoted(f"{kind}: {message}"),
            "",
        ]
    return "\n".join(lines)


def happened(number, kind):
    """Return what a message of a cell is about."""
    if kind == "Warning":
        return f"A warning about code cell {int(number) + 1}"
    return f"Code cell {int(number) + 1} {'was lost' if kind == 'Lost' else 'ended with an error'}"


def file_name(student):
    """Return the name of a student's page; a long name is cut, and stays different from others."""
    if len(student.encode()) > 200:
        student = f"{student[:40]}-{hashlib.sha256(student.encode()).hexdigest()[:16]}"
    return f"{student}.md"


def correlation(first, second):
    """Return a correlation, or None where one of the two never varies."""
    try:
        return statistics.correlation(first, second)
    except statistics.StatisticsError:
        return None


def figures(assignment, results):
    """Return statistics.csv as rows: for each question what it was worth, to those it was put to.

    The discrimination is the correlation of a question's points with the points of all the others.
    """
    told = [r for r in results.values() if len(r["points"]) == len(assignment.questions)]
    heads = ["question", "of", "students", "mean", "full marks", "no points", "discrimination"]
    table = [[*heads, "commonest failure", "times"]]
    for question in assignment.questions:
        points = [result["points"][question.name] for result in told]
        others = [sum(r["points"].values()) - p for r, p in zip(told, points, strict=True)]
        known = correlation(points, others)
        lost_by = [r["lost"][question.name][0] for r in told if question.name in r["lost"]]
        why = Counter(": ".join(filter(None, [group, why])) for group, _, why, _ in lost_by)
        # Of equally common ones the first in the alphabet.
        failure, times = min(why.items(), key=lambda pair: (-pair[1], pair[0]), default=("", 0))
        table.append(
            [
                question.name,
                question.points,
                len(points),
                statistics.mean(points) if points else "",
                points.count(question.points),
                points.count(0),
                "" if known is None else known,
                harmless(failure),
                times,
            ]
        )
    return table


def write(assignment, results, book, marks, settings, out):
    """Write pages and tables, each whole or not at all; pages of students who are gone go."""
    pages = out / "feedback"
    pages.mkdir(parents=True, exist_ok=True)
    ours = {file_name(student) for student in book}
    for name in former(out / "grades.csv") - ours:
        (pages / name).unlink(missing_ok=True)
    for student, result in results.items():
        given = marks.get(student, Marks())
        text = feedback(assignment, student, result, given, book[student])
        write_whole(pages / file_name(student), text)
    table = tables.written(figures(assignment, results), settings.separator)
    write_whole(out / "statistics.csv", table)
    write_whole(out / "grades.csv", written(book, settings))  # the last: it says what was done


def former(path):
    """Return the names of the pages that go with the grades in a file."""
    try:
        students = [record.get("student", "") for record in tables.read(path).records()]
    except tables.TableError:
        return set()
    return {file_name(tables.name_of(student)) for student in students if student}


def hollow(results):
    """Whether most of a class has no points: a wrong folder looks so."""
    none = [result for result in results.values() if not any(result["points"].values())]
    return len(none) * 2 > len(results)
