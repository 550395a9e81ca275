"""Take the times of several tasks in one process, round after round."""

import os
import platform
import statistics
import time
from importlib import metadata


def interleaved(tasks, rounds=5):
    """Return the seconds that each task took in each round, by name.

    A round runs every task once, one after the other, so that a busy moment of the machine
    doesn't fall on the same task every time. One round more goes before them and isn't timed:
    it warms caches and thread pools up.
    """
    seconds = {name: [] for name in tasks}
    for number in range(rounds + 1):
        for name, task in tasks.items():
            start = time.perf_counter()
            task()
            if number > 0:
                seconds[name].append(time.perf_counter() - start)
    return seconds


def spread(values):
    """Return the median of the values, and a text of their least and largest."""
    return statistics.median(values), f"{min(values):,.1f} to {max(values):,.1f}"


def circumstances(*packages):
    """Return one line on what the figures were taken with."""
    versions = ", ".join(f"{package} {metadata.version(package)}" for package in packages)
    line = f"Python {platform.python_version()}, {versions}; {os.cpu_count()} cores"
    if hasattr(os, "getloadavg"):
        line += f", load average {os.getloadavg()[0]:.1f}"
    return line
