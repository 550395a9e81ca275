"""Say what some figures were taken with."""

import os
import platform
from importlib import metadata


def circumstances(*packages):
    """Return one line on what the figures were taken with."""
    versions = ", ".join(f"{package} {metadata.version(package)}" for package in packages)
    line = f"Python {platform.python_version()}, {versions}; {os.cpu_count()} cores"
    if hasattr(os, "getloadavg"):
        line += f", load average {os.getloadavg()[0]:.1f}"
    return line
