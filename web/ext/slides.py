"""The talk: slides for a browser, made of what the chapters hold.

``talk/slides.md`` says what is said. Every figure, flipbook, formula and statement on a slide is
named there and taken from the chapters as they are stored, so that there is no second copy which
could differ. A name that leads nowhere ends the build.

A slide begins with its title (``#`` or ``##``) and holds Markdown, with formulas, and

* ``{figure}`c03-03b` ``, in a line of its own: the figure or flipbook of that cell, or the figure
  of that name on a page; below it stands the question with which its caption begins;
* ``{formula}`eq-bound` ``: the equation of that label;
* ``{claim}`T1` ``: that row of the ledger, with its tag;
* ``{formal}`logistic.v::result_1` ``: what that theorem says to the machine;
* ``{count}`claims` ``: how many rows the ledger has; ``formal``, of them checked by machine, at
  least in part; ``broken``, how many changes its checks have been tried on;
* ``+`` before an item of a list: it comes when the speaker asks for it;
* ``>``: what the speaker says. The audience doesn't see it.

The foot of a slide leads to the chapters that it has something from. On a page the role
``{slide}`soft-labels` `` leads to a slide, by the words of its title; of two with one title the
second is called ``...-2``.

Sphinx calls this once the pages are written; ``python web/ext/slides.py`` makes the slides alone.
"""

import base64
import difflib
import html
import json
import re
import struct
import sys
from collections import Counter
from pathlib import Path

import yaml
from claims import SOURCES, changes
from docutils import nodes
from jinja2 import Environment, FileSystemLoader
from machine import check
from markdown_it import MarkdownIt
from mdit_py_plugins.dollarmath import dollarmath_plugin
from mdit_py_plugins.myst_role import myst_role_plugin
from sphinx.errors import ExtensionError
from sphinx.util.docutils import SphinxRole

from distill_lib._files import replaced

SOURCE = Path("talk", "slides.md")
FIGURE = re.compile(r"^\{figure\}`([^`]+)`$", re.MULTILINE)
EQUATION = re.compile(r"\$\$((?:(?!\$\$).)+)\$\$ \(([\w-]+)\)", re.DOTALL)
STATEMENT = re.compile(r"^:label: (\S+)$", re.MULTILINE)
PAGE_FIGURE = re.compile(
    r"\{figure\} (figures/\S+)\n:name: (\S+)\n(?::width:.*\n)?:alt: (.+)\n\n((?:.+\n)+?)```"
)
VIEW = "application/vnd.jupyter.widget-view+json"
STATE = "application/vnd.jupyter.widget-state+json"
# A paragraph that is one thing from the book is that thing.
ALONE = re.compile(r"<p>(<div .*?</div>)</p>", re.DOTALL)
# The shapes of a figure, by its width over its height: talk.js knows where each has most room.
MIDDLE, WIDE = 1.25, 1.7
MINUTES = 25


class SlideError(ExtensionError):
    """A slide asks for what isn't there."""


class SlideRole(SphinxRole):
    """``{slide}`name` ``: a link to a slide, in the words of its title."""

    def run(self):
        self.env.note_dependency(SOURCE.as_posix())
        path = Path(self.env.srcdir, SOURCE)
        titles = {name: title for name, title, *_ in written(path)} if path.is_file() else {}
        if self.text not in titles:
            return [], [self.inliner.reporter.error(f"no slide is called {self.text}")]
        address = "../" * self.env.docname.count("/") + f"talk/index.html#{self.text}"
        return [nodes.reference("", titles[self.text], refuri=address)], []


def setup(app):
    app.add_role("slide", SlideRole())
    app.connect("build-finished", build_with_the_pages)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}


def build_with_the_pages(app, exception):
    if not exception and app.builder.name == "html" and Path(app.srcdir, SOURCE).is_file():
        build(Path(app.srcdir), Path(app.outdir))


def build(root, site):
    """Write the slides into the folder talk/ of the site; return how many there are."""
    book = Book(root)
    found = [slide(book, *each) for each in written(root / SOURCE)]
    config = yaml.safe_load((root / "_config.yml").read_text(encoding="utf-8"))
    maths = json.dumps(config["sphinx"]["config"]["mathjax3_config"])
    templates = Environment(
        loader=FileSystemLoader(root / "talk"), autoescape=True, trim_blocks=True
    )
    deck = templates.get_template("deck.html").render(
        book=config["title"], slides=found, maths=maths, seconds=60 * MINUTES
    )
    files = {f"figures/{name}": picture for name, picture in book.shown.items()}
    files |= {name: (root / "talk" / name).read_bytes() for name in ("talk.css", "talk.js")}
    renew(site / "talk", files | {"index.html": deck.encode()})
    return len(found)


def renew(folder, files):
    """Let a folder hold these files and no others; what hasn't changed stays as old as it is.

    So that a printed deck is known to be that of today.
    """
    for path in folder.rglob("*"):
        if path.is_file() and path.relative_to(folder).as_posix() not in files:
            path.unlink()
    for name, content in files.items():
        path = folder / name
        if not (path.is_file() and path.read_bytes() == content):
            path.parent.mkdir(parents=True, exist_ok=True)
            with replaced(path) as part:
                part.write_bytes(content)


def written(path):
    """Return (name, title, whether it is that of the talk, the rest) of each slide."""
    text = re.sub(r"<!--.*?-->\s*", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
    parts = re.split(r"^(##? )(.+)$", text, flags=re.MULTILINE)[1:]
    found, seen = [], Counter()
    for mark, title, rest in zip(parts[::3], parts[1::3], parts[2::3], strict=True):
        name = "-".join(re.findall(r"\w+", title.lower()))
        seen[name] += 1
        name += f"-{seen[name]}" if seen[name] > 1 else ""
        found.append((name, title, mark == "# ", rest))
    return found


def slide(book, name, title, first, text):
    """Return what the template needs of a slide."""
    book.here, book.links = title, {}
    figures = [book.figure(name) for name in FIGURE.findall(text)]
    said = "\n".join(re.findall(r"^> ?(.*)$", text, re.MULTILINE))
    if not said:
        raise book.error("nothing to say: a line that begins with >")
    seen = re.sub(r"^>.*\n?", "", FIGURE.sub("", text), flags=re.MULTILINE)
    words = ALONE.sub(r"\1", book.markdown.render(seen)).strip()
    return {
        "name": name,
        "title": book.inline(title),
        "first": first,
        "words": words,
        "figures": figures,
        "shape": shape(figures),
        "notes": book.inline(said),
        "links": list(book.links.values()),
    }


def shape(figures):
    """Return the class of a slide by the widest of its figures."""
    ratio = max((figure["width"] / figure["height"] for figure in figures), default=0)
    return (
        "wide" if ratio > WIDE else "middle" if ratio > MIDDLE else "narrow" if ratio else "plain"
    )


class Book:
    """What the chapters hold, by the names that slides call it by."""

    def __init__(self, root):
        self.root = root
        self.here, self.links, self.shown = "", {}, {}
        self.titles, self.cells, self.equations = {}, {}, {}
        self.statements, self.figures, self.state = {}, {}, {}
        for path in sorted((root / "chapters").glob("*.ipynb")):
            self.read_notebook(path)
        for path in sorted((root / "chapters").glob("*.md")):
            text = path.read_text(encoding="utf-8")
            self.read_text(path.stem, text)
            for file, name, alt, caption in PAGE_FIGURE.findall(text):
                self.figures[name] = (path.stem, file, alt, " ".join(caption.split()))
        rows = check.rows(root)
        self.claims = {row["id"]: row for row in rows}
        notebooks = (root / "chapters").glob("*.ipynb")
        self.counts = {
            "claims": len(rows),
            "formal": sum("coq" in row for row in rows),
            "broken": sum(len(changes(notebook)) for notebook in notebooks),
        }
        self.markdown = MarkdownIt("commonmark", {"html": False, "typographer": True})
        self.markdown.use(dollarmath_plugin).use(myst_role_plugin)
        self.markdown.enable(["replacements", "smartquotes", "table"])
        rules = self.markdown.renderer.rules
        rules["math_inline"] = lambda tokens, at, *_: maths(tokens[at].content, "span", "()")
        rules["myst_role"] = lambda tokens, at, *_: self.role(
            **tokens[at].meta, what=tokens[at].content
        )
        self.markdown.core.ruler.push("one_by_one", one_by_one)

    def read_notebook(self, path):
        notebook = json.loads(path.read_text(encoding="utf-8"))
        self.state[path.stem] = notebook["metadata"].get("widgets", {}).get(STATE, {"state": {}})
        for cell in notebook["cells"]:
            self.cells[cell["id"]] = (path.stem, cell)
            if cell["cell_type"] == "markdown":
                self.read_text(path.stem, "".join(cell["source"]))

    def read_text(self, page, text):
        title = re.match(r"(?:\(.*\)=\n)?# (.+)", text)
        if title:
            self.titles.setdefault(page, title[1])
        for tex, label in EQUATION.findall(text):
            self.equations[label] = (page, tex.strip().rstrip(" .,;"))
        for label in STATEMENT.findall(text):
            self.statements[label] = page

    # ---- What slides ask for ----

    def error(self, what):
        return SlideError(f"{SOURCE.as_posix()}, slide “{self.here}”: {what}")

    def look_up(self, kind, name, known):
        """Return what has the name, or say that nothing has, and what is called nearly so."""
        if name not in known:
            near = difflib.get_close_matches(name, known, n=3)
            hint = f" (is it {' or '.join(near)}?)" if near else ""
            raise self.error(f"the book has no {kind} {name}{hint}")
        return known[name]

    def link(self, page, anchor):
        """Let the foot of the slide lead to what it takes from a page; to the first such thing."""
        number = re.match(r"0*(\d+)_", page)
        words = f"Chapter {number[1]}: " if number else ""
        address = f"../chapters/{page}.html#{anchor}"
        self.links.setdefault(page, {"address": address, "words": words + self.titles[page]})

    def figure(self, name):
        """Return the figure of a cell, or of a page, and write down its picture."""
        if name in self.figures:
            page, file, alt, caption = self.figures[name]
            label, suffix = name, Path(file).suffix
            path = self.root / "chapters" / file
            if not path.is_file():
                raise self.error(f"there is no chapters/{file}")
            picture, flipbook = path.read_bytes(), self.page_flipbook(name)
        else:
            page, cell = self.look_up("cell or figure", name, self.cells | self.figures)
            about = cell["metadata"].get("mystnb", {})
            outputs = [each["data"] for each in cell.get("outputs", []) if "data" in each]
            found = [data for data in outputs if {"image/svg+xml", "image/png"} & data.keys()]
            if not found or "figure" not in about:
                raise self.error(f"the cell {name} has no stored figure")
            label, caption = about["figure"]["name"], about["figure"]["caption"]
            alt = about["image"]["alt"]
            suffix, picture = stored_picture(found[-1])
            flipbook = None
            if VIEW in found[-1]:
                flipbook = stored_flipbook(self.state[page]["state"], found[-1][VIEW]["model_id"])
        self.link(page, label)
        self.shown[label + suffix] = picture
        width, height = size(suffix, picture)
        return {
            "name": label,
            "file": f"figures/{label}{suffix}",
            "alt": alt,
            "caption": self.inline(question(caption)),
            "width": width,
            "height": height,
            # "<" begins the end of a script.
            "flipbook": flipbook and json.dumps(flipbook).replace("<", "\\u003c"),
        }

    def page_flipbook(self, name):
        """Return the flipbook of a figure that isn't a cell's, if it is one."""
        start = f'data-flipbook="{name}">'
        for path in (self.root / "chapters" / "figures").glob("*.html"):
            found = re.search(start + "(.*?)</script>", path.read_text("utf-8"), re.DOTALL)
            if found:
                return json.loads(found[1])
        return None

    def role(self, name, what):
        """Return the HTML of ``{name}`what` ``."""
        if name == "formula":
            page, tex = self.look_up("equation", what, self.equations)
            self.link(page, f"equation-{what}")
            return maths(tex, "div", "[]")
        if name == "claim":
            return self.claim(self.look_up("claim", what, self.claims))
        if name == "formal":
            return self.formal(what)
        if name == "count":
            return str(self.look_up("count of", what, self.counts))
        raise self.error(f"there is no role {name}")

    def claim(self, row):
        self.link(self.look_up("statement", row["anchor"], self.statements), row["anchor"])
        css_class, meaning = SOURCES[row["source"]]
        tags = f'<span class="src {css_class}">{row["source"]}</span>'
        tags += f'<span class="visually-hidden"> ({meaning})</span>'
        if row.get("coq"):
            words = "checked by machine" + (", in part" if row.get("unchecked") else "")
            tags += f' <span class="src src-machine">{words}</span>'
        return f'<div class="claim">{self.inline(row["statement"])} {tags}</div>'

    def formal(self, what):
        file, _, name = what.partition("::")
        path = self.root / "proofs" / file
        known = check.read(path) if path.is_file() else {}
        text = self.look_up(f"theorem in proofs/{file}", name, known)["text"]
        self.link("proof_files", f"coq-{file}")
        return f'<div class="formal"><pre>{html.escape(text)}</pre></div>'

    def inline(self, text):
        return self.markdown.renderInline(text)


def one_by_one(state):
    """Let the items of a list with ``+`` come one by one."""
    for token in state.tokens:
        if token.type == "list_item_open" and token.markup == "+":
            token.attrJoin("class", "fragment")


def maths(tex, box, brackets):
    """Return a formula as Sphinx writes it, for maths.js to set."""
    left, right = brackets
    return f'<{box} class="math">\\{left}{html.escape(tex)}\\{right}</{box}>'


def question(caption):
    """Return the first sentence of a caption: with most, what the figure answers."""
    return re.match(r".*?[.?!](?=\s|$)|.*", caption, re.DOTALL)[0]


def stored_picture(data):
    """Return the suffix and the bytes of what a cell has drawn."""
    if "image/svg+xml" in data:
        return ".svg", "".join(data["image/svg+xml"]).encode()
    return ".png", base64.b64decode("".join(data["image/png"]))


def stored_flipbook(state, model):
    """Return the sliders and frames of a flipbook, in the form that flipbook.js reads."""

    def at(name):
        return state[name.removeprefix("IPY_MODEL_")]["state"]

    def frames(name):
        page = at(name)
        return (
            [frames(child) for child in page["children"]] if "children" in page else page["value"]
        )

    *sliders, pages = at(model)["children"]
    return {
        "sliders": [
            {
                "name": slider["description"],
                "labels": slider["_options_labels"],
                "index": slider["index"],
            }
            for slider in map(at, sliders)
        ],
        "frames": frames(pages),
    }


def size(suffix, picture):
    """Return the width and height of a picture, in units of its own."""
    if suffix == ".png":
        return struct.unpack(">II", picture[16:24])
    box = re.search(rb'<svg[^>]*?\sviewBox="([^"]+)"', picture)[1].split()
    return round(float(box[2])), round(float(box[3]))


def main():
    root = Path(__file__).resolve().parents[2]
    site = root / "_build" / "html"
    try:
        slides = build(root, site)
    except SlideError as error:
        sys.exit(str(error))
    page = (site / "talk" / "index.html").relative_to(root).as_posix()
    print(f"{slides} slides for {MINUTES} minutes lie in {page}; open it in your browser.")


if __name__ == "__main__":
    main()
