"""Grades for Moodle or Canvas: fill in the table that one downloads there, for uploading.

    python -m course.grader.exchange moodle WORKSHEET.csv --grades graded/a1_closed_form --out x.csv
    python -m course.grader.exchange canvas GRADEBOOK.csv --grades graded/a1_closed_form --out x.csv

Who is who is decided by the numbers that Moodle and Canvas put into the names of what they let one
download (Anna Schmidt_1234567). Students without a total, as when a part isn't marked yet, are left
as they are, and named.
"""

import argparse
import contextlib
import csv
import html
import re
import sys
from collections import defaultdict
from pathlib import Path

from course.grader import gradebook, tables
from course.grader.store import Refusal, write_whole

ASSIGNMENT = re.compile(r".+ \(\d+\)")  # how Canvas heads the column of an assignment


def opened(path):
    """Return the Table in a file, or refuse."""
    try:
        return tables.read(path)
    except tables.TableError as error:
        raise Refusal(f"{path} can't be read: {error}.") from error


def graded(folder, wanted):
    """Return {student: grade} of grades.csv; the grade is None where there is none yet."""
    table = opened(folder / "grades.csv")
    if not {"student", wanted} <= set(table.header):
        raise Refusal(f"{folder / 'grades.csv'} has no columns student and {wanted}.")
    try:
        return {
            tables.name_of(record["student"]): tables.number(record[wanted])
            for record in table.records()
        }
    except ValueError as error:
        raise Refusal(f"{folder / 'grades.csv'}: {wanted} is {error}.") from error


def heading(table, path, given, like):
    """Return the place of the column that takes the grades."""
    found = [given] if given else [name for name in table.header if like.fullmatch(name)]
    if len(found) != 1 or found[0] not in table.header:
        columns = ", ".join(found if len(found) > 1 else table.header)
        raise Refusal(f"{path}: say which column with --column. There are {columns}.")
    return table.header.index(found[0])


def number_in(text):
    """Return the digits that a text ends with, as Moodle's "Participant 1234567" does."""
    return re.search(r"\d*$", text.strip(), re.ASCII)[0]


def safe(cell):
    """Return a cell as it is, unless a spreadsheet might take it for a formula."""
    try:
        tables.number(cell)
        return cell
    except ValueError:
        return cell if cell.strip() == "-" else tables.harmless(cell)


def put(row, at, grade, most, student, notes):
    """Put a grade into a row, and note what the teacher should know."""
    with contextlib.suppress(ValueError):
        before, most = tables.number(row[at]), tables.number(most)
        if before is not None and before != grade:
            notes["In place of another grade"].append(student)
        if most is not None and grade > most:
            notes["More than the maximum there"].append(student)
    row[at] = grade


def moodle(table, path, grades, folder, column, notes):
    """Return a grading worksheet with grades and feedback, and the identifiers that it has.

    Moodle wants all its columns back, in its own language; the first holds the identifier.
    """
    at = heading(table, path, column, re.compile("Grade"))
    places = {name.lower(): k for k, name in enumerate(table.header)}
    comments, most = places.get("feedback comments"), places.get("maximum grade")
    rows, found = [table.header], set()
    for row in table.rows:
        row, identifier = [safe(cell) for cell in row], number_in(row[0])
        if identifier in grades:
            student, grade = grades[identifier]
            found.add(identifier)
            put(row, at, grade, row[most] if most else "", student, notes)
            page = folder / "feedback" / gradebook.file_name(student)
            if comments and page.is_file():
                said = html.escape(page.read_text(encoding="utf-8"))
                row[comments] = "<pre>" + said.replace("\n", "<br>") + "</pre>"
        rows.append(row)
    return tables.written(rows, table.separator, table.mark), found


def canvas(table, path, grades, folder, column, notes):
    """Return an export of the gradebook with one assignment, and the identifiers that it has.

    Only who the students are and this one column go back, and only those who have a grade: whatever
    has changed in Canvas since stays.
    """
    at = heading(table, path, column, ASSIGNMENT)
    if not {"ID", "Section"} <= set(table.header):
        raise Refusal(f"{path} is no gradebook of Canvas: it has no columns ID and Section.")
    who, last = table.header.index("ID"), table.header.index("Section") + 1
    rows, found, most = [[*table.header[:last], table.header[at]]], set(), ""
    for row in table.rows:
        identifier = row[who].strip()
        if row[0].strip() == "Points Possible":
            most = row[at]
            rows.append([*row[:last], most])
        elif identifier in grades:
            student, grade = grades[identifier]
            found.add(identifier)
            put(row, at, grade, most, student, notes)
            rows.append([*map(safe, row[:last]), row[at]])
    return tables.written(rows, table.separator, mark="", quoting=csv.QUOTE_MINIMAL), found


def main(argv=None):
    """Fill in a table, say who is missing, and return the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m course.grader.exchange",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("system", choices=["moodle", "canvas"])
    parser.add_argument("table", type=Path, help="what you downloaded there")
    parser.add_argument("--grades", type=Path, required=True, help="the folder with grades.csv")
    parser.add_argument("--out", type=Path, required=True, help="the file to upload")
    parser.add_argument("--column", help="its column for the grades")
    parser.add_argument("--give", default="total", help="the column of grades.csv (%(default)s)")
    args = parser.parse_args(argv)
    notes = defaultdict(list)
    try:
        grades = {}
        for student, grade in graded(args.grades, args.give).items():
            if grade is None:
                notes[f"No {args.give} yet"].append(student)
            else:
                grades[number_in(student) or student] = (student, grade)
        table = opened(args.table)
        fill = {"moodle": moodle, "canvas": canvas}[args.system]
        filled, found = fill(table, args.table, grades, args.grades, args.column, notes)
        notes["Not in the table"] = [grades[k][0] for k in grades if k not in found]
        if not found:
            raise Refusal(f"None of the graded students is in {args.table}. Nothing was written.")
        write_whole(args.out, filled)
    except Refusal as error:
        print(error, file=sys.stderr)
        return 1
    except OSError as error:
        print(f"{error.filename}: {error.strerror}.", file=sys.stderr)
        return 1
    print(f"{len(found)} grades: {args.out}")
    for said, names in notes.items():
        if names:
            print(f"{said}: {', '.join(sorted(names))}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
