"""Can everything that is pinned be installed everywhere, with nothing to compile?

For each system and each Python, uv resolves requirements.txt and the lists in requirements/ as if
it ran there, from wheels only. Nothing is installed.

    python .ci/wheels.py

Says what has no wheel, and where; fails if anything hasn't.
"""

import itertools
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from tqdm import tqdm

ROOT = Path(__file__).resolve().parent.parent
PYTHONS = ("3.11", "3.12", "3.13", "3.14")
SYSTEMS = {
    "Linux, x86-64": "x86_64-manylinux_2_28",
    "Linux, arm64": "aarch64-manylinux_2_28",
    "macOS, arm64": "aarch64-apple-darwin",
    "macOS, Intel": "x86_64-apple-darwin",
    "Windows": "x86_64-pc-windows-msvc",
}
# The oldest macOS that these lists promise.
MACOS = {"requirements.txt": "13.0", "paper.txt": "14.0"}


def lacking(path, python, system):
    """Return why a list can't be installed from wheels there, or None."""
    lines = path.read_text(encoding="utf-8").splitlines()
    pins = "\n".join(line for line in lines if not line.startswith("-"))
    with tempfile.TemporaryDirectory() as folder:
        wanted = Path(folder, "wanted.txt")
        wanted.write_text(pins, encoding="utf-8")
        command = [sys.executable, "-m", "uv", "pip", "install", "--quiet", "--dry-run"]
        command += ["--no-build", "--python-platform", system, "--python-version", python]
        command += ["--target", folder, "-c", ROOT / "constraints.txt", "-r", wanted]
        surroundings = os.environ | {"MACOSX_DEPLOYMENT_TARGET": MACOS.get(path.name, "14.0")}
        done = subprocess.run(command, capture_output=True, text=True, env=surroundings)
    return done.stderr.strip() if done.returncode else None


def main():
    """Ask for every list, system and Python; say what is missing."""
    lists = [ROOT / "requirements.txt", *sorted((ROOT / "requirements").glob("*.txt"))]
    every = list(itertools.product(lists, PYTHONS, SYSTEMS.items()))
    missing = []
    for path, python, (name, system) in tqdm(every, desc="wheels"):
        if why := lacking(path, python, system):
            missing.append(f"{path.relative_to(ROOT)}, {name}, Python {python}: {why}")
    print("\n".join(missing) or f"{len(every)} of {len(every)} can be installed from wheels alone.")
    return bool(missing)


if __name__ == "__main__":
    sys.exit(main())
