"""The search: the words under which a reader looks for a chapter that uses others.

``search_words`` in _config.yml names them for each page. A page is found by them as if it held
them, and comes first where one of them is what was asked for (web/static/search.js).
"""

import json
from pathlib import Path

from docutils import nodes


def setup(app):
    app.add_config_value("search_words", {}, "env", dict)
    app.connect("doctree-read", add_keywords)
    app.connect("build-finished", tell)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}


def add_keywords(app, doctree):
    """Give the page its words as keywords, which Sphinx puts into its index."""
    words = " ".join(app.config.search_words.get(app.env.docname, ())).split()
    if words:
        doctree.insert(0, nodes.meta(name="keywords", content=", ".join(words)))


def tell(app, exception):
    """Add the words to the index, for the order of what is found."""
    index = Path(app.outdir, "searchindex.js")
    if exception or app.builder.name != "html" or not index.is_file():
        return
    text = index.read_text(encoding="utf-8").partition("\nSearch.words = ")[0]
    words = json.dumps(app.config.search_words)
    index.write_text(f"{text}\nSearch.words = {words};\n", encoding="utf-8")
