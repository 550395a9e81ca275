"""What a figure that matplotlib wrote as SVG draws: its words, its shapes, and where they stand.

Two machines write other bytes for the same drawing: a number rounds the other way, and the name of
a shape is a hash of its numbers.
"""

import re

import numpy as np

COLOUR_OR_NUMBER = re.compile(r"(#[0-9a-f]{6}\b)|-?\d+(?:\.\d+)?(?:e[+-]?\d+)?")
# In points. A printed digit is a tenth of a millionth; a pixel is three quarters.
APART = 0.01


def drawing(svg):
    """Return what stands between the numbers of an SVG, and the numbers."""
    names = {}
    for name in re.findall(r'\bid="([^"]*)"', svg):
        names.setdefault(name, f"name-{len(names)}")
    svg = re.sub(
        r'\bid="([^"]*)"|(?<=#)[\w-]+(?=[")])',
        lambda match: names.get(match[1] or match[0], match[0]),
        svg,
    )
    numbers = [float(each[0]) for each in COLOUR_OR_NUMBER.finditer(svg) if not each[1]]
    return COLOUR_OR_NUMBER.sub(lambda each: each[1] or "0", svg), np.array(numbers)


def same_drawing(one, other):
    """Whether two SVGs draw the same, up to a hundredth of a point."""
    (shapes, where), (other_shapes, other_where) = drawing(one), drawing(other)
    return shapes == other_shapes and bool(np.all(np.abs(where - other_where) < APART))
