"""How `make execute` stores a notebook: the same code gives the same bytes.

Read by nbconvert's option --config.
"""

import base64
import io
import json

import nbformat
from nbconvert.preprocessors import CoalesceStreamsPreprocessor
from PIL import Image

WIDGET_STATE = "application/vnd.jupyter.widget-state+json"


def canonical(notebook, resources):
    """Keep nothing that depends on who executed the notebook, when, or with which Python."""
    # How many pieces a cell's prints arrive in is a matter of timing.
    notebook, resources = CoalesceStreamsPreprocessor().preprocess(notebook, resources)

    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            if "image/png" in output.get("data", {}):
                output.data["image/png"] = in_few_colours(output.data["image/png"])

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


def in_few_colours(png):
    """The same picture with a palette: it looks the same, and is a third as large."""
    picture = Image.open(io.BytesIO(base64.b64decode(png))).convert("RGB").quantize(256)
    small = io.BytesIO()
    picture.save(small, format="png", optimize=True)
    return base64.b64encode(small.getvalue()).decode()


c = get_config()  # noqa: F821  (nbconvert defines it)
c.Exporter.preprocessors = [canonical]
c.ExecutePreprocessor.record_timing = False
c.ExecutePreprocessor.timeout = 600
# The kernel would warn each time that it speaks plain text to this very machine.
c.ExecutePreprocessor.extra_arguments = ["--log-level=ERROR"]
