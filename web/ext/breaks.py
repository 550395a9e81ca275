"""Where a long name in code may break at the end of a line: behind a / or _, before a dot.

A phone would break `private/marks.csv` wherever its line ends.
"""

import re

LONG = 10  # characters: what is shorter goes to the next line as a whole
WORD = re.compile(rf'(?<=<span class="pre">)[^<]{{{LONG},}}(?=</span>)')
PLACE = re.compile(r"(?<=[/_])(?=\w)|(?<=\w)(?=\.\w)")


def setup(app):
    app.connect("html-page-context", add_places)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}


def add_places(app, page, template, context, doctree):
    """Put places to break into the long words of a page's code."""
    if "body" in context:
        context["body"] = WORD.sub(lambda word: PLACE.sub("<wbr>", word[0]), context["body"])
