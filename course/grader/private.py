"""What is the teacher's own, in a folder that nobody else has and that the program never changes.

key             made when it is first needed, and then left alone
grading.toml    one line on lateness; how a spreadsheet separates cells
marks/a1_closed_form.csv     marks by hand: a row for each student
a1_closed_form/ student/     questions that aren't public, if there are any
"""

import math
import re
import tomllib
from dataclasses import dataclass, field

from course.grader import tables
from course.grader.store import Refusal

LATE = re.compile(r"(?P<rate>\d+(\.\d+)?)% a day(, at most (?P<most>\d+(\.\d+)?)%)?")


@dataclass(frozen=True)
class Settings:
    """What grading.toml says."""

    late: str = ""  # "10% a day, at most 50%": of the points that were earned
    separator: str = ","

    def kept(self, days):
        """Return the share of the points that is left after some days."""
        if not self.late or not days:
            return 1.0
        rule = LATE.fullmatch(self.late)
        return 1 - min(float(rule["rate"]) * days, float(rule["most"] or 100)) / 100


def settings(folder):
    """Return the Settings of a folder; without a grading.toml, those above."""
    path = folder / "grading.toml"
    try:
        given = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return Settings()
    except (OSError, ValueError) as error:
        raise Refusal(f"{path} can't be read: {error}.") from error
    late, separator = given.pop("late", ""), given.pop("separator", ",")
    if given:
        raise Refusal(f"{path}: there is no setting {', '.join(given)}; late and separator are.")
    if late and not (isinstance(late, str) and LATE.fullmatch(late)):
        raise Refusal(f'{path}: late is {late!r}; write "10% a day, at most 50%" or the like.')
    if separator not in (",", ";"):
        raise Refusal(f'{path}: separator is {separator!r}; write "," or ";".')
    return Settings(late, separator)


@dataclass
class Marks:
    """What the teacher gave a student by hand."""

    points: dict = field(default_factory=dict)  # of the parts that are marked
    late: float | None = None  # days; None: as the file's name says
    comment: str = ""


def column(part, most):
    """Return what a column for marks by hand is called."""
    return f"{part} (of {most})"


def marks(path, manual):
    """Return {student: Marks} from columns student, m1, ..., late, comment; and those not read.

    Columns may be called as in grades.csv, of which the file may be a copy. What can't be
    understood is refused.
    """
    try:
        table = tables.read(path)
    except tables.TableError as error:
        raise Refusal(f"{path} can't be read: {error}.") from error
    called = {"late": "late", "comment": "comment"}
    called |= {name: part for part, most in manual.items() for name in (part, column(part, most))}
    if "student" not in table.header or not called.keys() & set(table.header):
        wanted = ", ".join([*manual, "late", "comment"])
        raise Refusal(f"{path} needs a column student, and one or more of {wanted}.")
    found, wrong = {}, []
    for record in table.records():
        name, given = tables.name_of(record["student"]), Marks()
        for heading in filter(called.get, table.header):
            what, text = called[heading], record[heading]
            try:
                if what == "comment":
                    given.comment = text.strip()
                elif (value := tables.number(text)) is None:
                    continue
                elif not 0 <= value <= manual.get(what, math.inf):
                    wrong.append(f"{name}: {what} is {text}, of {manual.get(what, 'any')}")
                elif what == "late":
                    given.late = value
                else:
                    given.points[what] = value
            except ValueError as error:
                wrong.append(f"{name}: {what} is {error}")
        if given != Marks():
            if name in found:
                wrong.append(f"{name} has two rows")
            found[name] = given
    if wrong:
        raise Refusal(f"{path} must be mended: {'; '.join(wrong[:10])}.")
    return found, set(table.header) - {"student"} - called.keys()
