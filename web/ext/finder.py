"""The search: the words under which a reader looks for a chapter that uses others.

``search_words`` in _config.yml names them for each page. A page is found by them as if it held
them, and comes first where one of them is what was asked for (web/static/search.js).
"""

import json
from pathlib import Path

from docutils import nodes

ADDED = "\nSearch.words = "  # to what Sphinx writes into searchindex.js


def setup(app):
    app.add_config_value("search_words", {}, "env", dict)
    app.connect("builder-inited", restore)
    app.connect("doctree-read", add_keywords)
    app.connect("build-finished", tell)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}


def add_keywords(app, doctree):
    """Give the page its words as keywords, which Sphinx puts into its index."""
    words = " ".join(app.config.search_words.get(app.env.docname, ())).split()
    if words:
        doctree.insert(0, nodes.meta(name="keywords", content=", ".join(words)))


def index_of(app):
    """Return the file of the index, and the text in it that is Sphinx's own, or None."""
    file = Path(app.outdir, "searchindex.js")
    if app.builder.name != "html" or not file.is_file():
        return file, None
    return file, file.read_text(encoding="utf-8").partition(ADDED)[0]


def restore(app):
    """Take the words of the last build away: Sphinx reads its index, to change a part of it."""
    file, text = index_of(app)
    if text is not None:
        file.write_text(text, encoding="utf-8")


def tell(app, exception):
    """Add the words to the index, for the order of what is found."""
    file, text = index_of(app)
    if text is not None and not exception:
        words = json.dumps(app.config.search_words)
        file.write_text(f"{text}{ADDED}{words};\n", encoding="utf-8")
