"""Draw times.svg: how long each chapter runs, from the table that benchmarks/chapters.py stores.

    python chapters/figures/times.py [table figure]

Nothing is timed here, so the same table gives the same bytes.
"""

import csv
import re
import sys
import textwrap
from pathlib import Path

import matplotlib

matplotlib.use("svg")

import matplotlib.pyplot as plt

from distill_lib import plots
from distill_lib._files import replaced

TABLE = Path(__file__).resolve().parents[2] / "benchmarks" / "chapters.csv"
TARGET = Path(__file__).with_suffix(".svg")
LIMIT = 20  # seconds, the promise of the page
BACKGROUND = {"color": "white", "pad": 2}  # where a number meets a line, it covers it
WIDTH, LINE = 5.2, 0.22  # inches: a phone shows the figure at two thirds of its size


def times(table):
    """Return the title and the seconds of each chapter in the table."""
    with open(table, encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    links = [(re.fullmatch(r"\[(.+)\]\(.+\)", row["Chapter"]), row["Seconds"]) for row in rows]
    return [(link[1], float(seconds)) for link, seconds in links if link]  # not the sum


def draw(ax, chapters):
    """Draw a bar for each chapter, its title above it: on a phone there's no room at its side."""
    down = 0.0  # in lines of text
    for number, (title, seconds) in enumerate(chapters, start=1):
        lines = textwrap.wrap(f"{number}. {title}", 52)
        ax.text(0.2, down, "\n".join(lines), va="top", linespacing=1.15)
        down += len(lines)
        ax.barh(down + 0.45, seconds, height=0.7, color="#777777")
        ax.text(seconds + 0.3, down + 0.45, f"{seconds:.1f}", va="center", bbox=BACKGROUND)
        down += 1.35
    longest = max(seconds for _, seconds in chapters)
    ax.axvline(LIMIT, **plots.BOUND | {"label": None})
    ax.set(xlim=(0, max(LIMIT, longest) * 1.15), ylim=(down, -0.2), yticks=[])
    ax.set(xlabel="seconds", xticks=range(0, LIMIT + 1, 5))
    ax.grid(False)
    return down


def main():
    """Draw the book's table, or another one."""
    table, target = map(Path, sys.argv[1:]) if len(sys.argv) > 1 else (TABLE, TARGET)
    chapters = times(table)
    plt.style.use("distill_lib.book")
    # Larger type than in the chapters, as in idea.py.
    plt.rcParams.update({"font.size": 12, "axes.labelsize": 12, "xtick.labelsize": 11})
    fig, ax = plt.subplots(figsize=(WIDTH, 1))
    down = draw(ax, chapters)
    fig.set_size_inches(WIDTH, LINE * down + 0.6)
    with replaced(target) as part:
        fig.savefig(part, format="svg", metadata={"Date": None, "Creator": None})


if __name__ == "__main__":
    main()
