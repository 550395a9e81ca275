"""What a machine has checked: the mark at a statement, and the pages that show the formal proofs.

A row of the ledger may name formal theorems in its field ``coq``, and in ``unchecked`` what of the
claim these leave out. Then

* the statement that the row is about gets a mark beside its tags, which leads to what was checked;
* the directive ``{machine-checked}`` shows every such row with its formal statements;
* the directive ``{coq-files}`` shows the files, whole.

All is read from the sources (``proofs/check.py``): no Coq is needed to build the site.
"""

import importlib.util
from pathlib import Path

from claims import book_link
from docutils import nodes
from sphinx.transforms import SphinxTransform
from sphinx.util.docutils import SphinxDirective

ROOT = Path(__file__).resolve()
ROOT = next(folder for folder in ROOT.parents if (folder / "proofs" / "check.py").is_file())


def load(path):
    """Return the module that a file is, wherever it lies."""
    spec = importlib.util.spec_from_file_location("proofs_check", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


check = load(ROOT / "proofs" / "check.py")


def formal_rows():
    """Return {anchor: rows of the ledger that name formal theorems}."""
    found = {}
    for row in check.rows(ROOT):
        if row.get("coq"):
            found.setdefault(row["anchor"], []).append(row)
    return found


def in_part(anchor, rows):
    """Whether something of a statement is left out: by a row, or by one without formal theorems."""
    whole = [row for row in check.rows(ROOT) if row["anchor"] == anchor]
    return len(whole) > len(rows) or any(row.get("unchecked") for row in rows)


class MarkStatements(SphinxTransform):
    """Put the mark behind the first tag of each statement that the machine has checked."""

    default_priority = 880

    def apply(self, **kwargs):
        rows = formal_rows()
        for statement in list(self.document.findall(nodes.Element)):
            label = statement.get("label")
            if label not in rows or "countertype" not in statement:
                continue
            self.env.note_dependency(str(ROOT / check.LEDGER))
            tags = (t for t in statement.findall(book_link) if t["label"] == "source-tags")
            tag = next(tags, None)
            if tag is None:
                continue
            words = "checked by machine" + (", in part" if in_part(label, rows[label]) else "")
            shown = nodes.inline("", words, classes=["src", "src-machine"])
            mark = book_link("", "", shown, label=f"machine-{label}")
            at = tag.parent.index(tag)
            tag.parent.insert(at + 1, [nodes.Text(" "), mark])


class Formal(SphinxDirective):
    """What the two directives share."""

    def read_files(self):
        for path in [ROOT / check.LEDGER, *check.files(ROOT)]:
            self.env.note_dependency(str(path))
        return {path.name: check.read(path) for path in check.files(ROOT)}

    def section(self, name, title):
        """Return a section that other pages can link to."""
        section = nodes.section(ids=[name], names=[name])
        section += nodes.title(title, "", nodes.Text(title))
        std = self.env.get_domain("std")
        std.note_hyperlink_target(name, self.env.docname, name, title)
        return section

    def markdown(self, text):
        """Return the nodes that some Markdown makes."""
        box = nodes.container()
        self.state.nested_parse([text], self.content_offset, box)
        return box.children


class MachineChecked(Formal):
    """``{machine-checked}``: each claim in words, and what was checked."""

    def run(self):
        known, rows = self.read_files(), formal_rows()
        sections = []
        for anchor, of_anchor in rows.items():
            section = self.section(f"machine-{anchor}", of_anchor[0]["id"])
            sections.append(section)
            for row in of_anchor:
                where = book_link(label=anchor)
                self.set_source_info(where)
                section += nodes.paragraph("", "", where, nodes.Text(". "))
                said = self.markdown(row["statement"])
                section[-1] += said[0].children
                if row.get("unchecked"):
                    words = nodes.strong("", "Not checked: ")
                    left = self.markdown(row["unchecked"])
                    section += nodes.paragraph("", "", words, *left[0].children)
                for file, name in check.names_in(row):
                    section += self.theorem(file, known.get(file, {}).get(name), name)
        return sections

    def theorem(self, file, item, name):
        """Return a formal theorem: what its comment says, and the statement."""
        if item is None:
            raise self.error(f"proofs/{file} states no {name}, which the ledger names")
        link = book_link("", "", nodes.literal("", file), label=f"coq-{file}")
        text = "\n".join([*item["context"], item["text"]])
        return [nodes.paragraph("", "", nodes.Text("In "), link, nodes.Text(":")), coq(text)]


class CoqFiles(Formal):
    """``{coq-files}``: the files, each in a section of its own."""

    def run(self):
        self.read_files()
        sections = []
        for path in check.files(ROOT):
            sections.append(self.section(f"coq-{path.name}", path.name))
            text = path.read_text(encoding="utf-8")
            sections[-1] += coq(text, classes=["coq-file"])
        return sections


def coq(text, classes=()):
    """Return Coq source as a block that will be highlighted."""
    box = nodes.container(classes=["coq", *classes])
    block = nodes.literal_block(text, text)
    block["language"] = "coq"
    box += block
    return box


def setup(app):
    app.add_transform(MarkStatements)
    app.add_directive("machine-checked", MachineChecked)
    app.add_directive("coq-files", CoqFiles)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
