"""Tables that spreadsheets and other programs read as they are meant, and tables they have written.

A spreadsheet takes what it finds in a CSV file for numbers, dates or formulas when it can, inside
quotes too. A name that could be one gets an apostrophe in front, in all of them a text.
"""

import csv
import io
import re
from dataclasses import dataclass

from course.grader.notebook import plain

MARK = "\ufeff"  # tells Excel that the file is in UTF-8
FORMULA = "=+-@\uff1d\uff0b\uff0d\uff20"
# A number, an amount, a date, a truth; and what has an apostrophe already.
NO_TEXT = re.compile(
    rf"\s*[\d.,(%€$£¥'{re.escape(FORMULA)}]|(true|false)$|"
    r"(jan(uary)?|feb(ruary)?|mar(ch)?|apr(il)?|may|june?|july?|aug(ust)?|sep(tember)?|"
    r"oct(ober)?|nov(ember)?|dec(ember)?)[ ./-]?\d+$",
    re.IGNORECASE,
)


class TableError(ValueError):
    """Why a file isn't read as a table."""


def harmless(text):
    """Return a text that no spreadsheet takes for a formula."""
    text = plain(text)
    return f"'{text}" if text.lstrip()[:1] and text.lstrip()[0] in FORMULA else text


def named(name):
    """Return a name as it stands in a table, where it stays the text that it is."""
    text = plain(name)
    return f"'{text}" if NO_TEXT.match(text) else text


def name_of(text):
    """Return the name that stands in a table so, or without the apostrophe."""
    return plain(text.removeprefix("'"))


def number(text):
    """Return the number that a cell holds, None if it is empty; a comma is as good as a point.

    Raises ValueError for anything else.
    """
    text = text.strip().replace(",", ".")
    if not re.fullmatch(r"([+-]?(\d+\.?\d*|\.\d+))?", text, re.ASCII):
        raise ValueError(f"{text!r} is no number")
    return float(text) if text else None


def tidy(value):
    """Return a number with at most two decimals, a whole one without; a text as it is."""
    if not isinstance(value, (int, float)):
        return value
    value = round(value, 2)
    return int(value) if value == int(value) else value


def written(rows, separator=",", mark=MARK, quoting=csv.QUOTE_NONNUMERIC):
    """Return rows of texts and numbers as a CSV file; with semicolons, numbers have commas."""
    file = io.StringIO()
    writer = csv.writer(file, delimiter=separator, lineterminator="\n", quoting=quoting)
    for row in rows:
        cells = [tidy(cell) for cell in row]
        if separator == ";":
            cells = [str(c).replace(".", ",") if isinstance(c, float) else c for c in cells]
        writer.writerow(cells)
    return mark + file.getvalue()


@dataclass
class Table:
    """What a CSV file holds, and how it was written."""

    header: list[str]
    rows: list[list[str]]  # each as long as the header
    separator: str
    mark: str

    def records(self):
        """Return {column: text} for each row."""
        return [dict(zip(self.header, row, strict=True)) for row in self.rows]


def read(path):
    """Return the Table in a file, whichever of comma, semicolon and tabulator separates cells."""
    try:
        data = path.read_bytes()
        text = data.decode("utf-8-sig")
    except OSError as error:
        raise TableError(error.strerror) from error
    except UnicodeDecodeError as error:
        raise TableError("it isn't in UTF-8: save it as CSV UTF-8") from error
    csv.field_size_limit(max(csv.field_size_limit(), len(text)))

    def lines(separator, strict=True):
        return csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=strict)

    separator = max(",;\t", key=lambda mark: len(next(lines(mark, strict=False), [])))
    try:
        full = [row for row in lines(separator) if any(cell.strip() for cell in row)]
    except csv.Error as error:
        raise TableError(f"it is no CSV file: {error}") from error
    header, *rows = full or [[]]
    header = [cell.strip() for cell in header]
    rows = [(row + [""] * len(header))[: len(header)] for row in rows]
    return Table(header, rows, separator, MARK if data.startswith(MARK.encode()) else "")
