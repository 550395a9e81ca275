"""How long does the site take to build, and what does it weigh?

Builds the site anew in its usual place, prints the PDF, and stores what it finds in `weight.csv`.
Both commands are those of `make book` and `make pdf`, in an environment that is there already.

    python benchmarks/weight.py
"""

import gzip
import os
import re
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path

from timing import circumstances, store

ROOT = Path(__file__).resolve().parent.parent
SITE = ROOT / "_build" / "html"
TARGET = Path(__file__).with_suffix(".csv")
NOT_PAGES = {"_static", "_sources", "mathjax", "lite", "talk"}
KB, MB = 1e3, 1e6
# Its command, which lies elsewhere on each system.
JUPYTER_BOOK = "from jupyter_book.cli.main import main; main(prog_name='jupyter-book')"


def seconds(*command):
    """Run a module of this Python at the root; return the seconds it took."""
    environment = {key: value for key, value in os.environ.items() if key != "PYODIDE_DIST"}
    start = time.perf_counter()
    subprocess.run([sys.executable, *command], cwd=ROOT, env=environment, check=True)
    return time.perf_counter() - start


def compressed(path):
    """Return the bytes that a server sends which compresses."""
    return len(gzip.compress(path.read_bytes(), mtime=0))


def page_weight(page):
    """Return the compressed bytes of a page and its figures: what it has for itself."""
    html = page.read_text(encoding="utf-8")
    figures = {page.parent / name for name in re.findall(r'src="([^":?#]*_images/[^"?#]+)"', html)}
    return compressed(page) + sum(compressed(figure) for figure in figures)


def size(folder):
    """Return the bytes of a folder, as they lie there."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def main():
    """Build, weigh, and replace the table."""
    for folder in (SITE, SITE.parent / ".doctrees"):
        shutil.rmtree(folder, ignore_errors=True)
    build, whole = seconds("-c", JUPYTER_BOOK, "build", ".", "-W", "-n"), size(SITE)
    printing = seconds("-m", "paper.pdf")
    pdf = SITE / "distillation-proved-and-run.pdf"

    found = {path: path.relative_to(SITE).parts[0] for path in SITE.rglob("*.html")}
    pages = {path: page_weight(path) for path, top in found.items() if top not in NOT_PAGES}
    largest = max(pages, key=pages.get)
    median = statistics.median(pages.values())
    rows = [
        ["Building the site, seconds", f"{build:.0f}"],
        ["Printing it as a PDF after that, seconds", f"{printing:.0f}"],
        ["Pages", str(len(pages))],
        ["A page with its figures, compressed, median, kB", f"{median / KB:.0f}"],
        [f"The largest ({largest.stem}), kB", f"{pages[largest] / KB:.0f}"],
        ["JupyterLite without Pyodide, MB", f"{size(SITE / 'lite') / MB:.1f}"],
        ["The PDF, MB", f"{pdf.stat().st_size / MB:.1f}"],
        ["All the site without the PDF, MB", f"{whole / MB:.1f}"],
    ]
    rows.append([f"With {circumstances('Sphinx')}", ""])
    store(TARGET, [["What", "Amount"], *rows])
    print(TARGET.read_text(encoding="utf-8"), end="")


if __name__ == "__main__":
    main()
