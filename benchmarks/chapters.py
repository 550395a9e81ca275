"""How long does each chapter run?

Executes every notebook of `_toc.yml` in a fresh kernel, one after the other, on one BLAS thread,
round after round, and stores the medians in `chapters.csv`: the table of the page *Execution
times*. From starting the kernel to the end of the last cell, imports and figures included. What
the cells print is thrown away: no notebook is written.

    python benchmarks/chapters.py [rounds, three if not said]
"""

import os
import re
import statistics
import sys
import time
from pathlib import Path

import nbformat
import yaml
from nbclient import NotebookClient
from timing import circumstances, store
from tqdm import tqdm

ROOT = Path(__file__).resolve().parent.parent
TARGET = Path(__file__).with_suffix(".csv")
COLUMNS = ["Chapter", "Seconds", "Code cells", "Slowest cell"]


def chapters():
    """Return the notebooks of the book, in its order."""
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))
    pages = [page["file"] for part in toc["parts"] for page in part["chapters"]]
    notebooks = [ROOT / f"{page}.ipynb" for page in pages]
    return [path for path in notebooks if path.is_file()]


def execute(path):
    """Run a notebook in a fresh kernel; return the seconds in all, and those of its code cells."""
    notebook = nbformat.read(path, as_version=4)
    client = NotebookClient(
        notebook,
        timeout=600,
        kernel_name="python3",
        resources={"metadata": {"path": str(path.parent)}},
        extra_arguments=["--log-level=ERROR"],
    )
    seconds = []
    start = time.perf_counter()
    with client.setup_kernel():
        for index, cell in enumerate(notebook.cells):
            before = time.perf_counter()
            client.execute_cell(cell, index)
            if cell.cell_type == "code":
                seconds.append(time.perf_counter() - before)
        whole = time.perf_counter() - start
    return whole, seconds


def row(path, runs):
    """Return the line of the table on a notebook: the medians of its runs."""
    cells = nbformat.read(path, as_version=4).cells
    first = next(cell.source for cell in cells if cell.cell_type == "markdown")
    title = re.search(r"^# (.+)$", first, re.MULTILINE)[1].strip()
    whole = statistics.median(whole for whole, _ in runs)
    each = [statistics.median(times) for times in zip(*(times for _, times in runs), strict=True)]
    slowest = max(range(len(each)), key=each.__getitem__)
    return [
        f"[{title}]({path.name})",
        f"{whole:.1f}",
        str(len(each)),
        f"{each[slowest]:.1f} (no. {slowest + 1})",
    ]


def main():
    """Take the times, and replace the table."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    # The kernels inherit both: one thread, and the figures that a reader gets.
    os.environ["OPENBLAS_NUM_THREADS"] = "1"
    os.environ.pop("MPLBACKEND", None)
    paths = chapters()
    runs = {path: [] for path in paths}
    # A round is all chapters, so that a busy moment doesn't fall on the same one every time.
    for path in tqdm(paths * rounds, unit="chapter"):
        runs[path].append(execute(path))

    rows = [row(path, taken) for path, taken in runs.items()]
    total = sum(float(seconds) for _, seconds, _, _ in rows)
    cells = sum(int(count) for _, _, count, _ in rows)
    how = f"medians of {rounds} rounds, {circumstances('numpy', 'scipy', 'matplotlib')}"
    rows.append([f"All: {how}", f"{total:.1f}", str(cells), ""])
    store(TARGET, [COLUMNS, *rows])
    print(TARGET.read_text(encoding="utf-8"), end="")


if __name__ == "__main__":
    main()
