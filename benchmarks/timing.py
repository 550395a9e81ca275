"""Say what figures were taken with, and store them, whole or not at all."""

import csv
import os
import platform
from importlib import metadata

from distill_lib._files import replaced


def circumstances(*packages):
    """Return one line on what the figures were taken with."""
    versions = ", ".join(f"{package} {metadata.version(package)}" for package in packages)
    line = f"Python {platform.python_version()}, {versions}; {os.cpu_count()} cores"
    if hasattr(os, "getloadavg"):
        line += f", load average {os.getloadavg()[0]:.1f}"
    return line


def store(target, rows):
    """Replace the csv file `target`, a Path, by these rows, whole or not at all."""
    with replaced(target) as part, part.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows(rows)
