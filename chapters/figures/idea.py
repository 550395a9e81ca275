"""Draw the two figures of the front page: Result 1 and Result 2 at a glance.

idea_shadow.svg: the closed-form student is the teacher's shadow on the span of the inputs.
idea_risk.svg: its expected transfer risk against the number of inputs, for three distributions.
Two files, so that they stand side by side on a wide page and one below the other on a phone.
"""

from pathlib import Path

import matplotlib

matplotlib.use("svg")

import matplotlib.pyplot as plt
import numpy as np

from distill_lib import PolynomialAngles, closed_form_student, plots, risk_curve
from distill_lib._files import replaced

FOLDER = Path(__file__).parent

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
    ax.text(0.62, -0.12, r"$\mathrm{span}(x_1, x_2)$", color="#444444", va="center")
    ax.set(aspect="equal", ylim=(-0.25, 1.35))
    ax.set_axis_off()


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


def main():
    plt.style.use("distill_lib.book")
    # As large as the text beside it: a panel is shown about 330 px wide, on any screen.
    plt.rcParams.update({"font.size": 11, "axes.labelsize": 11, "legend.fontsize": 10.5})
    for name, draw in (("idea_shadow", draw_shadow), ("idea_risk", draw_risk)):
        fig, ax = plt.subplots(figsize=(3.9, 3.1))
        draw(ax)
        with replaced(FOLDER / f"{name}.svg") as part:
            fig.savefig(part, format="svg", metadata={"Date": None, "Creator": None})


if __name__ == "__main__":
    main()
