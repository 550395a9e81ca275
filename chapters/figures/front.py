"""Draw the figure of the front page that one can turn: each label brings the student nearer.

front.svg is its still; front.html holds the frames for web/static/flipbook.js, one for each number
of labels.
"""

import html
import json
from pathlib import Path

import matplotlib

matplotlib.use("svg")

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.patches import Wedge

from distill_lib import _svg, nested_angles, plots
from distill_lib._files import replaced

FOLDER = Path(__file__).parent
DIM, SHOWN = 10, 3  # dimension; labels of the still
DPI = 110
QUOTED = str.maketrans({'"': "'", "%": "%25", "#": "%23", "<": "%3C", ">": "%3E"})
ALT = (
    "{n} labels of {d} needed. On the left the student's arrow stands at {degrees:.0f} degrees "
    "from the teacher's, and two grey wedges show where they decide otherwise. On the right the "
    "share of new inputs on which they disagree falls with the number of labels; here it is "
    "{share:.0f} %."
)


def angles(seed=4):
    """Return the angle between student and teacher after 0, 1, ..., DIM labels, in radians."""
    rng = np.random.default_rng(seed)
    teacher, inputs = rng.standard_normal(DIM), rng.standard_normal((DIM, DIM))
    # Without any label the student is anywhere: on average at a right angle.
    return np.append(np.pi / 2, nested_angles(inputs, teacher))


def draw(angle, n):
    """Return the frame of n labels: the angle on the left, what it costs on the right."""
    figure, (disc, curve) = plt.subplots(1, 2, figsize=(6, 2.8), width_ratios=[1, 1.25])
    turned = np.degrees(angle[n])
    disc.add_patch(plt.Circle((0, 0), 1, facecolor="#e3eff7", edgecolor="none"))
    for start in (0, 180):  # between the two boundaries
        disc.add_patch(Wedge((0, 0), 1, start - turned, start, facecolor="#999999"))
    plots.plot_arrow(disc, (0, 0.98), color=plots.TEACHER["color"], lw=2.4)
    if n:
        tip = 0.98 * np.array([np.sin(angle[n]), np.cos(angle[n])])
        plots.plot_arrow(disc, tip, color=plots.SOFT["color"], linestyle="--", lw=2.4)
    disc.set(aspect="equal", xlim=(-1.08, 1.08), ylim=(-1.08, 1.08))
    disc.set_axis_off()
    shares = 100 * angle / np.pi
    curve.plot(shares, color=plots.SOFT["color"], marker="o", markersize=4, linestyle="--")
    curve.plot(n, shares[n], color=plots.SOFT["color"], marker="o", markersize=11)
    curve.set(xlabel="labels that the student has seen", ylabel="disagree on (%)", ylim=(-3, 56))
    curve.set(xticks=range(0, DIM + 1, 2), title=f"{n} labels: {shares[n]:.0f} %")
    return figure


def main():
    plt.style.use("distill_lib.book")
    angle = angles()
    # No number that is printed may hang on the last bit.
    assert np.all(np.abs(100 * angle[1:] / np.pi % 1 - 0.5) > 0.01)
    frames = []
    for n in range(DIM + 1):
        figure = draw(angle, n)
        picture = _svg.svg(figure, dpi=DPI)
        width, height = (round(DPI * inches) for inches in figure.get_size_inches())
        plt.close(figure)
        said = {"degrees": np.degrees(angle[n]), "share": 100 * angle[n] / np.pi}
        alt = html.escape(ALT.format(n=n, d=DIM, **said))
        frames.append(
            f'<img alt="{alt}" width="{width}" height="{height}" '
            f'src="data:image/svg+xml,{picture.translate(QUOTED)}">'
        )
        if n == SHOWN:
            replace("front.svg", picture)
    slider = {"name": "labels", "labels": [str(n) for n in range(DIM + 1)], "index": SHOWN}
    data = json.dumps({"sliders": [slider], "frames": frames}).replace("<", "\\u003c")
    replace(
        "front.html",
        f'<script type="application/json" data-flipbook="fig-front">{data}</script>\n',
    )


def replace(name, text):
    """Write a file as a whole, so that no reader sees half of it."""
    with replaced(FOLDER / name) as part:
        part.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
