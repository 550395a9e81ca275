"""A flipbook's still: the one frame that paper shows, and a browser without scripts.

distill_lib.flipbook stores both in one output, the widget and a picture. MyST-NB takes one of
them for each builder. For web pages this transform keeps the picture beside the widget; the
style sheet shows one or the other.

And every picture says how large it is, so that nothing moves when it arrives.
"""

import re
from pathlib import Path

from docutils import nodes
from myst_nb.core.render import WIDGET_VIEW_MIMETYPE
from sphinx.transforms.post_transforms import SphinxPostTransform

PICTURE = re.compile(r'<img [^>]*?src="(\.\./_images/[^"]+\.svg)"[^>]*>')
SIZE = re.compile(r'<svg [^>]*?width="([\d.]+)(pt)?" height="([\d.]+)(?:pt)?"')
PICTURES = ("image/svg+xml", "image/png")


class KeepStills(SphinxPostTransform):
    default_priority = 3  # before MyST-NB's SelectMimeType, which has 4
    builders = ("html", "dirhtml")

    def run(self, **kwargs):
        for bundle in list(self.document.findall(nodes.container)):
            if bundle.get("nb_element") != "mime_bundle":
                continue
            kinds = {output["mime_type"]: output for output in bundle}
            pictures = [kinds[kind] for kind in PICTURES if kind in kinds]
            if WIDGET_VIEW_MIMETYPE in kinds and pictures:
                still = nodes.container(classes=["flipbook-still"])
                still += pictures[0].children
                bundle.parent.insert(bundle.parent.index(bundle), still)


def give_sizes(app, exception):
    """Write into the pages how large each picture is that lies beside them."""
    if exception or app.builder.name != "html":
        return
    for page in Path(app.outdir).glob("chapters/*.html"):
        html = page.read_text(encoding="utf-8")
        sized = PICTURE.sub(lambda picture, folder=page.parent: with_size(picture, folder), html)
        if sized != html:
            page.write_text(sized, encoding="utf-8")


def with_size(picture, folder):
    """Return an <img> with the width and height that its SVG names."""
    file = folder / picture[1]
    size = file.is_file() and SIZE.search(file.read_text(encoding="utf-8"))
    if not size or " height=" in picture[0]:
        return picture[0]
    unit = 96 / 72 if size[2] else 1  # points or pixels, to the pixel of CSS
    width, height = (round(float(size[place]) * unit) for place in (1, 3))
    return picture[0].replace("<img ", f'<img width="{width}" height="{height}" ', 1)


def setup(app):
    app.add_post_transform(KeepStills)
    app.connect("build-finished", give_sizes)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
