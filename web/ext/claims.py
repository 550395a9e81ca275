"""The ledger of claims, and the tag that says whose a statement is.

The directive ``{claims} claims.yml`` shows the rows of that file as a table. Each is linked
to where the book proves it and to the function that computes it; an anchor or a function that
doesn't exist is a warning, and so, with ``-W``, the end of the build. How often a step of its proof
was broken on purpose, and its check saw it, is counted in the notebooks:
``tests/test_checks_bite.py`` repeats every such change.

The directive ``{paper} paper.yml`` shows that file likewise: what the paper says, row by row,
and where the book has it.

The role ``{src}`P✓``` is a small tag, linked to the page that explains them all.
"""

import json
from collections import Counter
from pathlib import Path

import yaml
from docutils import nodes
from sphinx import addnodes
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective, SphinxRole
from sphinx.util.nodes import make_refnode

logger = logging.getLogger(__name__)

FIELDS = {"id", "statement", "source", "anchor", "function", "test"}
# And, where no cell of a chapter checks a step of the proof, the reason.
REASON = "unbroken"
# And, where a machine has checked it: the formal theorems, and what of the claim they leave out.
FORMAL = {"coq", "unchecked"}
SOURCES = {  # tag: (CSS class, what it says)
    "P✓": ("src-paper", "the paper's"),
    "P~": ("src-reconstructed", "the paper's, reconstructed"),
    "OURS": ("src-ours", "this book's own"),
    "STD": ("src-standard", "textbook knowledge"),
    "LIT": ("src-standard", "another paper's"),
}
WIDTHS = {  # of the columns, in per cent
    "Claim": 16,
    "Statement": 33,
    "Source": 10,
    "Proved in": 15,
    "Computed, checked": 26,
}


PAPER = {"id", "says", "known", "where", "agrees", "differs", "unknown"}
PAPER_WIDTHS = {
    "The paper's": 13,
    "What it says, and how we know": 33,
    "In this book": 17,
    "What agrees, what differs, what isn't known": 37,
}


class book_link(nodes.Inline, nodes.TextElement):
    """A link to a label of this book, which is known only once every page has been read."""


class LinkBook(SphinxPostTransform):
    """Make each book_link a link. One without words is named by what it leads to."""

    default_priority = 5

    def run(self, **kwargs):
        for link in list(self.document.findall(book_link)):
            page, target, name = self.find(link["label"]) or (None, None, link["label"])
            words = link.children or [nodes.Text(name)]
            if page is None:
                logger.warning("no page has the label %r", link["label"], location=link)
                link.replace_self(words)
            else:
                here = self.env.docname
                link.replace_self(make_refnode(self.app.builder, here, page, target, words))

    def find(self, label):
        """Return the page, the id and the name of a label: a theorem's, or any other."""
        proof = getattr(self.env, "proof_list", {}).get(label)
        if proof is None:
            return self.env.get_domain("std").labels.get(label)
        number = self.env.toc_fignumbers[proof["docname"]][proof["countertype"]][label]
        name = f"{proof['realtype'].title()} {'.'.join(map(str, number))}"
        return proof["docname"], label, name


def source_tag(tag):
    """Return a tag, as a small label that leads to its explanation."""
    css_class, meaning = SOURCES[tag]
    # Whoever can't see the tag hears what it means instead.
    shown = nodes.inline("", tag, classes=["src", css_class])
    heard = nodes.inline("", f" ({meaning})", classes=["visually-hidden"])
    return book_link("", "", shown, heard, label="source-tags")


class SourceRole(SphinxRole):
    """``{src}`TAG```, where TAG is one of SOURCES."""

    def run(self):
        if self.text in SOURCES:
            return [source_tag(self.text)], []
        known = ", ".join(SOURCES)
        here = self.get_location()
        logger.warning("%r is no source tag (%s are)", self.text, known, location=here)
        return [nodes.Text(self.text)], []


class ClaimsDirective(SphinxDirective):
    """``{claims} file``: the table."""

    required_arguments = 1
    final_argument_whitespace = True

    def run(self):
        relative, path = self.env.relfn2path(self.arguments[0])
        self.env.note_dependency(relative)
        claims = yaml.safe_load(Path(path).read_text(encoding="utf-8")) or []
        self.broken = Counter()
        for notebook in sorted(Path(path).parent.glob("*.ipynb")):
            self.env.note_dependency(str(notebook))
            self.broken.update(changes(notebook))
        for claim in claims:
            if set(claim) - {REASON} - FORMAL != FIELDS or claim["source"] not in SOURCES:
                raise self.error(
                    f"{relative}: a claim has the fields {', '.join(sorted(FIELDS))} and one of "
                    f"the sources {', '.join(SOURCES)}; got {claim}"
                )
        titles = row([nodes.paragraph(title, title)] for title in WIDTHS)
        group = nodes.tgroup("", cols=len(WIDTHS))
        group += [nodes.colspec(colwidth=width) for width in WIDTHS.values()]
        group += nodes.thead("", titles)
        group += nodes.tbody("", *(row(self.cells(claim)) for claim in claims))
        return [nodes.table("", group, classes=["claims", "colwidths-given"])]

    def cells(self, claim):
        """Return what stands in each column."""
        statement = nodes.container()
        self.state.nested_parse([claim["statement"]], self.content_offset, statement)
        proof = book_link(label=claim["anchor"])
        self.set_source_info(proof)
        # A test is named by the sentence it checks.
        test = claim["test"].rpartition("::")[2].removeprefix("test_").replace("_", " ")
        code = [nodes.paragraph("", test, classes=["test"])]
        if claim["function"]:
            name = claim["function"].rpartition(".")[2]
            function = addnodes.pending_xref(
                "",
                nodes.literal(name, name),
                refdomain="py",
                reftype="obj",
                reftarget=claim["function"],
                refwarn=True,
            )
            code.insert(0, nodes.paragraph("", "", function))
        if times := self.broken[claim["anchor"]]:
            said = f"broken on purpose {times} time{'s' * (times > 1)}, and caught each time"
            code.append(nodes.paragraph("", said, classes=["broken"]))
        if claim.get("coq"):
            said = "checked by machine" + (", in part" if claim.get("unchecked") else "")
            link = book_link("", "", nodes.Text(said), label=f"machine-{claim['anchor']}")
            code.append(nodes.paragraph("", "", link))
        return [
            [nodes.paragraph("", claim["id"])],
            statement.children,
            [nodes.paragraph("", "", source_tag(claim["source"]))],
            [nodes.paragraph("", "", proof)],
            code,
        ]


class PaperDirective(SphinxDirective):
    """``{paper} file``: the paper's statements and figures, and where the book has them."""

    required_arguments = 1
    final_argument_whitespace = True

    def run(self):
        relative, path = self.env.relfn2path(self.arguments[0])
        self.env.note_dependency(relative)
        items = yaml.safe_load(Path(path).read_text(encoding="utf-8")) or []
        for item in items:
            if set(item) != PAPER:
                raise self.error(f"{relative}: a row has {', '.join(sorted(PAPER))}; got {item}")
        titles = row([nodes.paragraph(title, title)] for title in PAPER_WIDTHS)
        group = nodes.tgroup("", cols=len(PAPER_WIDTHS))
        group += [nodes.colspec(colwidth=width) for width in PAPER_WIDTHS.values()]
        group += nodes.thead("", titles)
        group += nodes.tbody("", *(row(self.cells(item)) for item in items))
        return [nodes.table("", group, classes=["claims", "of-paper", "colwidths-given"])]

    def cells(self, item):
        links = [nodes.paragraph("", "", self.link(label)) for label in item["where"]]
        for link in links:
            self.set_source_info(link[0])
        verdicts = [
            node
            for name, field in (
                ("Agrees", "agrees"),
                ("Differs", "differs"),
                ("Unknown", "unknown"),
            )
            for node in self.parsed(f"*{name}.* {item[field]}")
        ]
        return [
            self.parsed(item["id"]),
            [*self.parsed(item["says"]), *self.parsed(f"*{item['known']}*")],
            links or [nodes.paragraph("", "nowhere")],
            verdicts,
        ]

    def link(self, label):
        """Return a link to a statement or section by its name, to a figure by its number."""
        if not label.startswith("fig-"):
            return book_link(label=label)
        return addnodes.pending_xref(
            "",
            nodes.inline("", label),
            refdomain="std",
            reftype="numref",
            reftarget=label,
            refexplicit=False,
            refwarn=True,
        )

    def parsed(self, text):
        """Return the nodes of a piece of Markdown."""
        found = nodes.container()
        self.state.nested_parse([text], self.content_offset, found)
        return found.children


def changes(notebook):
    """Return the label of the statement that is broken, for each change that a notebook carries."""
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    return [change["breaks"] for cell in cells for change in cell["metadata"].get("bites", [])]


def row(cells):
    """Return a table row; each cell is a list of nodes."""
    return nodes.row("", *(nodes.entry("", *cell) for cell in cells))


def setup(app):
    app.add_node(book_link)
    app.add_role("src", SourceRole())
    app.add_directive("claims", ClaimsDirective)
    app.add_directive("paper", PaperDirective)
    app.add_post_transform(LinkBook)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
