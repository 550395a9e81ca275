"""How `make execute` stores a notebook: the same code gives the same bytes.

Read by nbconvert's option --config.
"""

import json

import nbformat
from nbconvert.preprocessors import CoalesceStreamsPreprocessor

from distill_lib import _svg

PICTURE = "image/svg+xml"
DPI = 140  # as in distill_lib/book.mplstyle
WIDGET_STATE = "application/vnd.jupyter.widget-state+json"


def canonical(notebook, resources):
    """Keep nothing that depends on who executed the notebook, when, or with which Python."""
    # How many pieces a cell's prints arrive in is a matter of timing.
    notebook, resources = CoalesceStreamsPreprocessor().preprocess(notebook, resources)

    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            if PICTURE in output.get("data", {}):
                output.data[PICTURE] = _svg.tidy(output.data[PICTURE], dpi=DPI)

    widgets = notebook.metadata.get("widgets")
    notebook.metadata.clear()
    notebook.metadata.kernelspec = {
        "display_name": "Python 3",
        "language": "python",
        "name": "python3",
    }
    notebook.metadata.language_info = {"name": "python"}
    if widgets:
        notebook.metadata.widgets = widgets
        # ipywidgets draws its ids at random: number them in the order of creation instead.
        text = json.dumps(notebook)
        for number, model in enumerate(widgets[WIDGET_STATE]["state"]):
            text = text.replace(model, f"{number:032x}")
        notebook = nbformat.from_dict(json.loads(text))
    return notebook, resources


c = get_config()  # noqa: F821  (nbconvert defines it)
c.Exporter.preprocessors = [canonical]
c.ExecutePreprocessor.record_timing = False
c.ExecutePreprocessor.timeout = 600
# The kernel would warn each time that it speaks plain text to this very machine.
# And it draws shapes, not pixels: sharp on every screen, and lighter (distill_lib/_svg.py).
c.ExecutePreprocessor.extra_arguments = [
    "--log-level=ERROR",
    "--InlineBackend.figure_formats=svg",
]
