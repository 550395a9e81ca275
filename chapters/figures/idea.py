"""Draw the figure of the front page, idea.svg: Result 1 and Result 2 at a glance.

Left: the closed-form student is the teacher's shadow on the span of the inputs. Right: its
expected transfer risk against the number of inputs, for three distributions.
"""

import os
from pathlib import Path

import matplotlib

matplotlib.use("svg")

import matplotlib.pyplot as plt
import numpy as np

from distill_lib import PolynomialAngles, closed_form_student, plots, risk_curve

TARGET = Path(__file__).with_suffix(".svg")


# Looking at the plane of the inputs from above and a little from the right.
CAMERA = np.array([[1.0, -0.42, 0.0], [0.16, 0.42, 1.0]])


def draw_shadow(ax):
    inputs = np.array([[1.0, 0.15, 0.0], [0.1, 1.0, 0.0]])
    teacher = np.array([0.75, 0.62, 0.85])
    student = closed_form_student(inputs, teacher)
    sheet = np.array([[-0.1, -0.25, 0], [1.3, -0.25, 0], [1.3, 1.25, 0], [-0.1, 1.25, 0]])
    ax.fill(*(CAMERA @ sheet.T), color="#e3eff7", zorder=0)
    for i, x in enumerate(inputs, start=1):
        plots.plot_arrow(ax, CAMERA @ x, color="#777777", lw=1.3)
        ax.annotate(f"$x_{i}$", CAMERA @ (1.1 * x), color="#444444", ha="center", va="center")
    plots.plot_arrow(ax, CAMERA @ teacher, color=plots.TEACHER["color"], lw=2.4)
    plots.plot_arrow(ax, CAMERA @ student, color=plots.SOFT["color"], lw=2.4)
    ax.plot(*(CAMERA @ np.column_stack([teacher, student])), color="#777777", linestyle=":")
    ax.annotate(r"teacher $w^\star$", CAMERA @ teacher, xytext=(6, -6), textcoords="offset points")
    ax.annotate(
        r"student $\hat w$",
        CAMERA @ student,
        xytext=(5, -3),
        textcoords="offset points",
        color=plots.SOFT["color"],
    )
    ax.annotate(
        r"$\mathrm{span}(x_1, x_2)$",
        CAMERA @ [0.52, -0.2, 0],
        ha="left",
        va="center",
        color="#444444",
    )
    ax.set(aspect="equal", ylim=(-0.2, 1.4))
    ax.set_axis_off()
    ax.set_title("Result 1: the student is the teacher's\nshadow on the span of the inputs")


def draw_risk(ax, d=50):
    sizes = np.unique(np.geomspace(1, d - 1, 18).astype(int))
    teacher = np.eye(d)[0]
    looks = ((0.5, "-", "o"), (1.0, "--", "s"), (2.0, ":", "^"))
    for easiness, linestyle, marker in looks:
        inputs = PolynomialAngles(teacher, easiness)
        curve = risk_curve(inputs, teacher, sizes, trials=2000, rng=np.random.default_rng(1))
        ax.loglog(
            curve.sizes,
            curve.mean,
            linestyle=linestyle,
            marker=marker,
            markersize=4,
            color=plots.SOFT["color"],
            label=rf"$\kappa = {easiness:g}$",
        )
    ax.axvline(d, **plots.TEACHER | {"label": None, "lw": 1.2})
    ax.annotate(
        "from $n = d$ on: 0",
        (d, 0.5),
        xytext=(-4, -2),
        textcoords="offset points",
        ha="right",
        va="top",
    )
    ax.set(xlabel="number of inputs $n$", ylabel="expected transfer risk", xlim=(0.9, 62))
    ax.set(ylim=(3e-9, 1), xticks=[1, 10, 50], xticklabels=["1", "10", "50"])
    ax.legend(loc="lower left", title="easiness")
    ax.set_title(f"Result 2: how fast the risk falls\n(dimension $d = {d}$)")


def main():
    plt.style.use("distill_lib.book")
    # Larger type than in the chapters: on a phone the two panels share 350 px.
    plt.rcParams.update({"font.size": 12, "axes.titlesize": 12, "legend.fontsize": 11})
    fig, (left, right) = plt.subplots(1, 2, figsize=(8.2, 3.9))
    draw_shadow(left)
    draw_risk(right)
    # Written beside the target and moved into place, so that no reader sees half a figure.
    part = TARGET.with_suffix(".part")
    fig.savefig(part, format="svg", metadata={"Date": None, "Creator": None})
    os.replace(part, TARGET)


if __name__ == "__main__":
    main()
