"""Put the rounds of test_costs.py together: the one table, of ratios, that is stored and shown.

python benchmarks/table.py TIMES, the file that pytest-benchmark wrote
"""

import json
import statistics
import sys
from importlib import metadata
from pathlib import Path

from test_costs import ROUNDS
from timing import circumstances, store

TARGET = Path(__file__).with_name("costs.csv")
COLUMNS = ["Group", "Case", "Contender", "Version", "Seconds", "Least to largest", "Ratio"]
COLUMNS += ["Rounds", "Apart", "Work"]


def short(value):
    """Return three digits of a number."""
    return f"{value:.3g}"


def rows(benchmarks):
    """Return the lines of the table."""
    times, about = {}, {}
    for benchmark in benchmarks:
        info = benchmark["extra_info"]
        key = info["group"], info["case"], info["contender"]
        about[key] = info
        times.setdefault(key, []).append(benchmark["stats"]["median"] / info["units"])
    ours = {}
    for (group, case, contender), seconds in times.items():
        info = about[group, case, contender]
        median = statistics.median(seconds)
        # The first of a case is this library.
        ratio = median / ours.setdefault((group, case), median)
        version = f"{info['package']} {metadata.version(info['package'])}"
        spread = f"{short(min(seconds))} to {short(max(seconds))}"
        apart = "" if info["apart"] is None else f"{info['apart']:.0e}"
        yield [group, case, contender, version, short(median), spread, short(ratio), len(seconds),
               apart, info["work"]]  # fmt: skip


def main():
    """Store the table, and print it."""
    times = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    table = [COLUMNS, *rows(times["benchmarks"])]
    rounds = {row[COLUMNS.index("Rounds")] for row in table[1:]}
    assert rounds == {ROUNDS}, f"not every round was run: {rounds}"
    how = f"All: medians of {ROUNDS} rounds, one thread, {circumstances('numpy')}"
    table.append([how, *[""] * (len(COLUMNS) - 1)])
    store(TARGET, table)
    widths = [max(len(str(row[k])) for row in table[:-1]) for k in range(len(COLUMNS))]
    for row in table[:-1]:
        padded = [str(cell).ljust(width) for cell, width in zip(row, widths, strict=True)]
        print("  ".join(padded).rstrip())
    print(how)


if __name__ == "__main__":
    main()
