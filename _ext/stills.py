"""A flipbook's still: the one frame that paper shows, and a browser without scripts.

distill_lib.flipbook stores both in one output, the widget and a picture. MyST-NB takes one of
them for each builder. For web pages this transform keeps the picture beside the widget; the
style sheet shows one or the other.
"""

from docutils import nodes
from myst_nb.core.render import WIDGET_VIEW_MIMETYPE
from sphinx.transforms.post_transforms import SphinxPostTransform

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


def setup(app):
    app.add_post_transform(KeepStills)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
