"""Draw costs_*.svg, how each cost grows, and shorten the table that `make bench` stores.

The short tables, costs_*.csv, hold seconds of this library and ratios of the others: one table for
each group.

    python chapters/figures/costs.py [table folder]

Nothing is timed here, so the same table gives the same bytes.
"""

import csv
import io
import math
import re
import sys
from pathlib import Path

import matplotlib

matplotlib.use("svg")

import matplotlib.pyplot as plt

from distill_lib._files import replaced

TABLE = Path(__file__).resolve().parents[2] / "benchmarks" / "costs.csv"
FOLDER = Path(__file__).parent
WIDTH, HEIGHT, LINE = 5.2, 3.3, 0.23  # inches: a phone shows the figure at two thirds of its size

# A colour and a marker for each package; hollow and dashed is its second way. This library
# has the blue of the soft student, which it computes; no other colour has a role in the book.
OURS = {"color": "#0072B2", "marker": "o"}
NUMPY = {"color": "#555555", "marker": "s"}
SKLEARN = {"color": "#56B4E9", "marker": "v"}
TORCH = {"color": "#E69F00", "marker": "^"}
JAX = {"color": "#CC79A7", "marker": "D"}
HOLLOW = {"linestyle": "--", "markerfacecolor": "white"}
DEEP = {
    "PyTorch": TORCH,
    "JAX": JAX,
    "distill_lib, layers": OURS | HOLLOW,
    "JAX, layers multiplied first": JAX | HOLLOW,
    "distill_lib": OURS,
}

# Each figure: its group; a pattern for its cases, with the number along the axis; what the axes
# say; who is drawn.
FIGURES = {
    "dimension": (
        "1 students",
        r"d = (\d+)",
        "dimension d",
        "seconds for all n = 1, ..., d",
        {
            "PyTorch LBFGS": TORCH,
            "scikit-learn": SKLEARN,
            "numpy lstsq": NUMPY,
            "distill_lib": OURS,
            "distill_lib, risks only": OURS | HOLLOW,
        },
    ),
    "inputs": (
        "2 descent",
        r"n = (\d+), d = 200",
        "inputs n, at depth one and d = 200",
        "seconds a step",
        {"PyTorch SGD": TORCH, "distill_lib": OURS, "JAX": JAX},
    ),
    "width": (
        "3 deep step",
        r"depth 4, width (\d+)",
        "width, at depth 4",
        "seconds a step",
        DEEP,
    ),
    "depth": (
        "3 deep step",
        r"depth (\d+), width 256",
        "depth, at width 256",
        "seconds a step",
        DEEP,
    ),
}

# Each short table: its group, and whether its lines are cases or contenders.
SHORT = {
    "students": ("1 students", "contenders"),
    "descent": ("2 descent", "contenders"),
    "deep": ("3 deep step", "cases"),
    "risk": ("4 risk", "cases"),
    "margin": ("5 margin", "contenders"),
    "rate": ("6 rate", "contenders"),
}
UNITS = [(1.0, "s"), (1e-3, "ms"), (1e-6, "µs")]


def costs(rows, group, pattern, contender):
    """Return the numbers along the axis and the seconds (of descent: of a step)."""
    points = []
    for row in rows:
        case = re.fullmatch(pattern, row["Case"])
        if case and (row["Group"], row["Contender"]) == (group, contender):
            steps = re.match(r"([\d,]+) steps", row["Work"]) if group == "2 descent" else None
            count = int(steps[1].replace(",", "")) if steps else 1
            points.append((int(case[1]), float(row["Seconds"]) / count))
    return tuple(zip(*sorted(points), strict=True))


def slope(x, y):
    """Return the slope between the two largest: a power law's exponent."""
    return math.log(y[-1] / y[-2]) / math.log(x[-1] / x[-2])


def draw(rows, group, pattern, xlabel, ylabel, contenders):
    """Return a figure: both axes logarithmic, the legend above, with slopes."""
    legend = LINE * (len(contenders) + 1)
    fig, ax = plt.subplots(figsize=(WIDTH, HEIGHT + legend))
    for contender, look in contenders.items():
        x, y = costs(rows, group, pattern, contender)
        # Rounded first, so that nothing is -0.0.
        label = f"{contender}: {round(slope(x, y), 1) + 0.0:.1f}"
        ax.plot(x, y, label=label, markersize=7, **look)
    ax.set(xscale="log", yscale="log", xlabel=xlabel, ylabel=ylabel)
    ax.set_xticks(x, [f"{value}" for value in x])
    ax.minorticks_off()
    title = "Who, and the slope between the last two points"
    ax.legend(title=title, alignment="left", loc="lower left", bbox_to_anchor=(-0.02, 1))
    return fig


def amount(row):
    """Return the seconds of this library, or the ratio of another."""
    if row["Contender"] != "distill_lib":
        ratio = float(row["Ratio"])
        return row["Ratio"] if ratio < 100 else f"{ratio:,.0f}"
    seconds = float(row["Seconds"])
    size, unit = next((pair for pair in UNITS if seconds >= pair[0]), UNITS[-1])
    return f"{seconds / size:.3g} {unit}"


def shortened(rows, group, lines):
    """Return a table of one group with its heading."""
    rows = [row for row in rows if row["Group"] == group]
    found = {(row["Case"], row["Contender"]): row for row in rows}
    cases, contenders = (list(dict.fromkeys(column)) for column in zip(*found, strict=True))
    if lines == "contenders":
        yield ["Who", *cases]
        for who in contenders:
            yield [who, *(amount(found[case, who]) for case in cases)]
    else:
        yield ["Case", *contenders]
        for case in cases:
            yield [case, *(amount(found[case, who]) for who in contenders)]


def main():
    """Draw the book's table, or another one."""
    table, folder = map(Path, sys.argv[1:]) if len(sys.argv) > 1 else (TABLE, FOLDER)
    with open(table, encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    plt.style.use("distill_lib.book")
    # Larger type than in the chapters, as in idea.py.
    sizes = dict.fromkeys(("font.size", "axes.labelsize"), 12)
    sizes |= dict.fromkeys(("xtick.labelsize", "ytick.labelsize", "legend.fontsize"), 11)
    plt.rcParams.update(sizes | {"legend.title_fontsize": 11})
    plain = {"format": "svg", "metadata": {"Date": None, "Creator": None}}
    for name, what in FIGURES.items():
        fig = draw(rows, *what)
        with replaced(folder / f"costs_{name}.svg") as part:
            fig.savefig(part, **plain)
    for name, what in SHORT.items():
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows(shortened(rows, *what))
        with replaced(folder / f"costs_{name}.csv") as part:
            part.write_text(text.getvalue(), encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
