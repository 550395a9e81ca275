"""A figure as SVG: small, and the same bytes on every run.

Shapes and words stay sharp at any size, and compressed, as servers send it, an SVG of this book is
half as heavy as a PNG that is sharp on a phone.
"""

import io
import re
from typing import Any

from matplotlib.figure import Figure

# In points: a tenth of what a printer resolves, and far more than a machine's rounding.
DIGITS = 2
# The size of a letter is a small number that must be exact.
LONG_NUMBER = re.compile(r"scale\([^)]*\)|-?\d+\.\d{3,}")
NAMED = re.compile(r'(?<=\bid=")[^"]+(?=")|(?<=href="#)[^"]+(?=")|(?<=url\(#)[^)]+(?=\))')
SIZE = re.compile(r'width="([\d.]+)pt" height="([\d.]+)pt"')
POINTS = 72  # to the inch


def svg(figure: Figure, *, dpi: float, **options: Any) -> str:
    """Return a Figure as SVG text, as large as it would be with `dpi` pixels to the inch."""
    file = io.StringIO()
    figure.savefig(file, format="svg", **options)
    return tidy(file.getvalue(), dpi=dpi)


def tidy(text: str, *, dpi: float) -> str:
    """Return an SVG that matplotlib wrote, without what no one sees.

    What is left depends neither on a machine's rounding (coordinates have two decimals) nor on
    the hashes that matplotlib uses as names (they are numbered).
    """
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>|<!--.*?-->", "", text, flags=re.DOTALL)
    if not SIZE.search(text):  # of a flipbook's still this is done already
        return text
    text = SIZE.sub(lambda size: _pixels(size, dpi), text, count=1)
    text = LONG_NUMBER.sub(_rounded, text)
    text = re.sub(r"\s*\n\s*", " ", text).replace("> <", "><").strip()
    # A group's name is used by nothing.
    used = set(re.findall(r'href="#([^"]+)"|url\(#([^)]+)\)', text))
    used = {name for pair in used for name in pair if name}
    text = re.sub(r' id="([^"]*)"', lambda name: name[0] if name[1] in used else "", text)
    numbers: dict[str, str] = {}
    for name in NAMED.findall(text):
        numbers.setdefault(name, f"n{len(numbers)}")
    return NAMED.sub(lambda name: numbers[name[0]], text)


def _pixels(size: re.Match[str], dpi: float) -> str:
    width, height = (round(float(points) / POINTS * dpi) for points in size.groups())
    return f'width="{width}" height="{height}"'


def _rounded(number: re.Match[str]) -> str:
    if number[0].startswith("scale"):
        return number[0]
    text = f"{float(number[0]):.{DIGITS}f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text
