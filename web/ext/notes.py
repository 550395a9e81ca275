"""A row of a table that holds a note, in its first cell alone, goes right across.

Such a row ends the tables of what was measured: on what machine, and how often. In the width of the
first column it would be many short lines.
"""

from docutils import nodes
from sphinx.transforms import SphinxTransform


def setup(app):
    app.add_transform(NotesGoAcross)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}


class NotesGoAcross(SphinxTransform):
    default_priority = 500  # of no matter: nothing else looks at these cells

    def apply(self):
        for row in list(self.document.findall(nodes.row)):
            note, *others = row.children
            if others and note.children and not any(cell.children for cell in others):
                note["morecols"] = len(others)
                row.children = [note]
