"""Executed copies of what was handed in, for the parts that a person marks.

The cells run once more in a sandbox of their own, this time with what they show. Neither grades
nor stored results depend on that. What comes out is text and pictures and nothing else: the page
for a browser runs no script but the one that sets formulas, and fetches nothing.
"""

import base64
import errno
import hashlib
import html
import json
from urllib.parse import quote

import bleach
import nbformat
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonLexer

from course.grader import gradebook, notebook
from course.grader.store import write_whole

PICTURES = {"image/png": b"\x89PNG\r\n\x1a\n", "image/jpeg": b"\xff\xd8\xff"}  # how they begin
LARGEST = 10_000_000  # bytes of a picture
LONGEST = 20_000  # characters of an output
TAGS = {"p", "h1", "h2", "h3", "h4", "h5", "h6", "em", "strong", "code", "pre", "ul", "ol", "li"}
TAGS |= {"blockquote", "hr", "br", "table", "thead", "tbody", "tr", "th", "td", "a", "img", "del"}
# Formulas as in Jupyter
MATH = 'MathJax = {tex: {inlineMath: [["$", "$"], ["\\\\(", "\\\\)"]]}};\n'
STYLE = """body { max-width: 50em; margin: 2em auto; font-family: sans-serif; line-height: 1.4 }
pre { overflow-x: auto; padding: .5em; margin: .3em 0 } img { max-width: 100% }
.source { background: #f4f4f4; border-left: 3px solid #0072B2 }
.stderr, .error { border-left: 3px solid #D55E00 } td, th { padding: .2em .7em; text-align: left }
"""
PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy"
 content="default-src 'none'; img-src data:; style-src 'unsafe-inline'; {scripts}">
<title>{title}</title>
<style>{style}</style>
{body}
</html>
"""


def picture(mime, data):
    """Return a picture as base64 in one line, or None if it isn't one of that kind."""
    try:
        raw = base64.b64decode("".join(data) if isinstance(data, list) else data)
    except (ValueError, TypeError):
        return None
    if mime not in PICTURES or len(raw) > LARGEST or not raw.startswith(PICTURES[mime]):
        return None
    return base64.b64encode(raw).decode("ascii")


def text(value):
    """Return what should be a text as one, of bearable length."""
    value = value if isinstance(value, str) else ""
    return value if len(value) <= LONGEST else value[:LONGEST] + " ..."


def output(part):
    """Return an output as nbformat has it, made anew, or None if it is none."""
    part = part if isinstance(part, dict) else {}
    kind, new = part.get("output_type"), nbformat.v4.new_output
    if kind == "stream":
        name = "stderr" if part.get("name") == "stderr" else "stdout"
        return new("stream", name=name, text=text(part.get("text")))
    if kind == "error":
        lines = part.get("traceback")
        lines = [text(line) for line in lines[:100]] if isinstance(lines, list) else []
        said = {name: text(part.get(name)) for name in ("ename", "evalue")}
        return new("error", **said, traceback=lines)
    if kind in ("execute_result", "display_data") and isinstance(part.get("data"), dict):
        data = {"text/plain": text(part["data"].get("text/plain"))}
        if shown := picture("image/png", part["data"].get("image/png")):
            data["image/png"] = shown
        return new("display_data", data=data)
    return None


def attached(cell):
    """Return the pictures that are attached to a cell, as photographs of a proof are."""
    given = cell.get("attachments")
    found = {}
    for name, kinds in given.items() if isinstance(given, dict) else ():
        for mime, data in kinds.items() if isinstance(kinds, dict) else ():
            if kept := picture(mime, data):
                found[str(name)] = {mime: kept}
    return found


def executed(data, run, origin):
    """Return a notebook as it was handed in, with what its cells have shown in a Run."""
    cells, number, new = [], 0, nbformat.v4
    for place, cell in enumerate(json.loads(data.decode("utf-8-sig"))["cells"]):
        source, kind = cell.get("source", ""), cell.get("cell_type")
        source = source if isinstance(source, str) else "".join(source)
        if kind == "code":
            outputs = [output(part) for part in run.shown.get(number, [])]
            outputs = [part for part in outputs if part is not None]
            if not any(part.output_type == "error" for part in outputs):
                outputs += [
                    new.new_output("error", ename=what, evalue=said, traceback=[f"{what}: {said}"])
                    for which, what, said in run.cells
                    if which == number
                ]
            number += 1
            cells.append(new.new_code_cell(source, outputs=outputs, execution_count=number))
        else:
            cells.append(new.new_markdown_cell(source))
            if pictures := attached(cell):
                cells[-1].attachments = pictures
        cells[-1].id = f"cell-{place}"
    book = new.new_notebook(cells=cells)
    book.metadata = {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "grader": origin,
    }
    return book


def allowed(tag, name, value):
    """Whether a student's text may have this attribute."""
    if tag == "img":
        return name == "alt" or name == "src" and value.startswith("data:image/")
    return tag == "a" and name == "href" and value.startswith(("https:", "http:", "#"))


def prose(cell):
    """Return a cell of text as HTML; HTML in it is shown as text."""
    renderer = IPythonRenderer(
        escape=True, attachments=cell.get("attachments", {}), exclude_anchor_links=True
    )
    shown = MarkdownWithMath(renderer=renderer).render(cell.source)
    protocols = {"http", "https", "data"}
    return bleach.clean(shown, tags=TAGS, attributes=allowed, protocols=protocols)


def shown(part):
    """Return an output as HTML."""
    if part.output_type == "stream":
        return f'<pre class="{part.name}">{html.escape(part.text)}</pre>'
    if part.output_type == "error":
        said = "\n".join(part.traceback) or f"{part.ename}: {part.evalue}"
        return f'<pre class="error">{html.escape(said)}</pre>'
    if "image/png" in part.data:
        alt = html.escape(part.data.get("text/plain", ""))
        return f'<img alt="{alt}" src="data:image/png;base64,{part.data["image/png"]}">'
    return f"<pre>{html.escape(part.data['text/plain'])}</pre>"


def page(student, book, mathjax):
    """Return an executed copy as a page."""
    formatter, body = HtmlFormatter(cssclass="source"), [f"<h1>{html.escape(student)}</h1>"]
    for cell in book.cells:
        if cell.cell_type == "code":
            body += [highlight(cell.source, PythonLexer(), formatter), *map(shown, cell.outputs)]
        else:
            body.append(prose(cell))
    body.append('<script src="math.js"></script>')
    body.append(f'<script src="{mathjax.resolve().as_uri()}"></script>')
    scripts = "script-src file: 'self'; font-src file: 'self'"
    style = STYLE + formatter.get_style_defs(".source")
    title = html.escape(student)
    return PAGE.format(title=title, style=style, body="\n".join(body), scripts=scripts)


class Copies:
    """The folder of copies; what hasn't changed isn't run again."""

    def __init__(self, out, mathjax):
        """Take the place where they lie, and that of the script that sets formulas."""
        self.folder, self.mathjax = out / "executed", mathjax
        self.made = self.folder / ".made"  # under names that say what they were made from
        self.found, self.failed = {}, {}

    def make(self, student, submission, sandbox, slot=0, again=False):
        """Make a student's, if need be; that there is none keeps nobody from being graded."""
        try:
            data = notebook.chosen(submission)
            cells = notebook.code_cells(data)
            origin = hashlib.sha256(f"{sandbox.isolation} ".encode() + data).hexdigest()
            path = self.made / f"{origin}.ipynb"
            if again or not path.is_file():
                book = executed(data, sandbox.run(cells, slot=slot, show=True), origin)
                self.made.mkdir(parents=True, exist_ok=True)
                write_whole(path, nbformat.writes(book) + "\n")
            self.found[student] = path
        except notebook.SubmissionError:  # which the gradebook tells
            pass
        except OSError as error:
            if error.errno == errno.ENOSPC:
                raise
            self.failed[student] = f"{type(error).__name__}: {error}"[:200]
        except Exception as error:
            self.failed[student] = f"{type(error).__name__}: {error}"[:200]

    def write(self):
        """Write all, as pages and notebooks; remove those of students who have none any more."""
        names = {student: name_of(student) for student in self.found}
        for path in self.folder.glob("*"):
            if path.suffix in (".html", ".ipynb") and path.stem not in names.values():
                path.unlink()
        for path in set(self.made.glob("*")) - set(self.found.values()):
            path.unlink()
        if self.found:
            write_whole(self.folder / "math.js", MATH)
        for student, path in self.found.items():
            html_path, book_path = (
                self.folder / f"{names[student]}{ending}" for ending in (".html", ".ipynb")
            )
            text = path.read_bytes()
            if not html_path.is_file() or not book_path.is_file() or book_path.read_bytes() != text:
                book = nbformat.reads(text.decode(), as_version=4)
                write_whole(html_path, page(student, book, self.mathjax))
                write_whole(book_path, text)


def name_of(student):
    """Return the name of a student's copy, without its ending."""
    return gradebook.file_name(student).removesuffix(".md")


def overview(name, book, out):
    """Return the gradebook as a page, with links to everybody's copy and feedback."""
    heads = [column for column in next(iter(book.values())) if column != "isolation"]
    lines = ["<tr>" + "".join(f"<th>{html.escape(head)}</th>" for head in heads)]
    lines[0] += "<th>notebook</th><th>feedback</th></tr>"
    for student, row in book.items():
        at = gradebook.file_name(student)
        links = []
        for folder, file in (("executed", f"{name_of(student)}.html"), ("feedback", at)):
            there = (out / folder / file).is_file()
            link = f'<a href="{quote(f"{folder}/{file}")}">{folder}</a>'
            links.append(link if there else "")
        cells = [html.escape(str(row[head])) for head in heads] + links
        lines.append("<tr>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>")
    body = f"<h1>{html.escape(name)}</h1>\n<table>\n" + "\n".join(lines) + "\n</table>"
    return PAGE.format(title=html.escape(name), style=STYLE, body=body, scripts="script-src 'none'")
