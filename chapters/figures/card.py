"""Draw what stands for the book elsewhere: the card of a shared link, and the icons.

static/card.png in web/ has the title and the figure of Result 1. extra/favicon.ico and
extra/apple-touch-icon.png have the drawing of static/favicon.svg, for what takes no SVG.
With a folder as its argument the script draws them there.
"""

import io
import struct
import sys
from pathlib import Path

import matplotlib

matplotlib.use("agg")

import matplotlib.pyplot as plt
from idea import draw_shadow
from matplotlib.patches import FancyBboxPatch

from distill_lib import plots
from distill_lib._files import replaced

ROOT = Path(__file__).resolve().parents[2]
INK, PAPER = "#10202c", "#ffffff"
# The lines of favicon.svg: from, to, colour, width, dashes. Its drawing is 32 wide, y downwards.
ICON = [
    ((6, 27), (16, 5), PAPER, 3, None),
    ((6, 27), (22.5, 21.5), "#56b4e9", 4, None),
    ((16, 5), (22.5, 21.5), "#b9c7d1", 1.8, (0.1, 3.4)),
]


def draw_card():
    """Return the PNG of the card, 1200 x 630 pixels: what the places that show cards ask for."""
    plt.style.use("distill_lib.book")
    plt.rcParams.update({"figure.constrained_layout.use": False, "font.size": 11})
    fig = plt.figure(figsize=(6, 3.15), dpi=200, facecolor=PAPER)
    title = "Distillation,\nproved and run"
    fig.text(0.055, 0.80, title, size=21, weight="bold", va="top", color=INK)
    promise = "Every theorem proved,\nevery number computed,\nevery cell yours to run."
    fig.text(0.055, 0.45, promise, size=11.5, va="top", color="#4a5560", linespacing=1.5)
    fig.add_artist(plt.Rectangle((0, 0), 0.016, 1, color=plots.SOFT["color"]))
    draw_shadow(fig.add_axes((0.47, 0.10, 0.51, 0.80)))
    return as_png(fig)


def draw_icon(pixels, corner):
    """Return the PNG of the icon; the corner's radius is in the units of its drawing."""
    fig = plt.figure(figsize=(1, 1), dpi=pixels)
    fig.patch.set_alpha(0)
    ax = fig.add_axes((0, 0, 1, 1))
    ax.set(xlim=(0, 32), ylim=(32, 0))
    ax.set_axis_off()
    inner = 32 - 2 * corner
    box = f"round,pad={corner},rounding_size={corner}" if corner else "square,pad=0"
    ax.add_patch(FancyBboxPatch((corner, corner), inner, inner, boxstyle=box, color=INK, lw=0))
    point = 72 / 32  # the width of the drawing is one inch
    for start, end, colour, width, dashes in ICON:
        style = (0, [dash / width for dash in dashes]) if dashes else "-"
        ax.plot(
            *zip(start, end, strict=True),
            color=colour,
            linewidth=width * point,
            linestyle=style,
            solid_capstyle="round",
            dash_capstyle="round",
        )
    return as_png(fig)


def as_png(fig):
    """Return a figure as the bytes of a PNG: the same for the same figure."""
    file = io.BytesIO()
    fig.savefig(file, format="png", dpi=fig.dpi, metadata={"Software": None})
    plt.close(fig)
    return file.getvalue()


def as_ico(png, pixels):
    """Return an icon file that holds one picture."""
    directory = struct.pack("<3H", 0, 1, 1)
    entry = struct.pack("<4B2H2I", pixels, pixels, 0, 0, 1, 32, len(png), 22)
    return directory + entry + png


def main(folder=None):
    files = {
        "web/static/card.png": draw_card(),
        "web/extra/apple-touch-icon.png": draw_icon(180, corner=0),  # the telephone rounds it
        "web/extra/favicon.ico": as_ico(draw_icon(32, corner=6), 32),
    }
    for name, content in files.items():
        target = Path(folder) / Path(name).name if folder else ROOT / name
        with replaced(target) as part:
            part.write_bytes(content)


if __name__ == "__main__":
    main(*sys.argv[1:])
