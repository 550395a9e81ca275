"""Is what one would publish whole?

Builds the sources' archive, unpacks it, and builds the wheel from that. Then, in environments of
their own below `_build/package`: the wheel alone, which must need nothing but numpy and scipy, and
what its README shows; and the tests that come with the sources, where they were unpacked.

    python .ci/package.py [--all]

Without --all only the quick ones of those tests. The two files lie in `_build/package/dist`.
"""

import os
import re
import shutil
import subprocess
import sys
import tarfile
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
WORK = ROOT / "_build" / "package"
DIST = WORK / "dist"
QUICK = ["arguments", "files", "floors", "geometry", "inputs", "laws", "network", "plots", "tables"]
NEEDED = {"numpy", "scipy", "distill_lib", "pip"}
# The tests may find nothing of this tree, and nothing that was installed for another.
SURROUNDINGS = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}


def environment(name, *wanted):
    """Make an environment with these packages, pinned where the book pins them."""
    folder = WORK / name
    venv.create(folder, clear=True, with_pip=True)
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    pip = (python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check")
    run(*pip, "-c", ROOT / "constraints.txt", *wanted)
    return python


def run(*command, cwd=WORK, **options):
    """Run a command, and end if it fails."""
    return subprocess.run(command, cwd=cwd, check=True, env=SURROUNDINGS, **options)


def build():
    """Build both files, the second from the first; return the wheel and the unpacked sources."""
    shutil.rmtree(WORK, ignore_errors=True)
    DIST.mkdir(parents=True)
    hatchling = (sys.executable, "-m", "hatchling", "build", "-d", DIST, "-t")
    run(*hatchling, "sdist", cwd=ROOT, stdout=subprocess.DEVNULL)
    (archive,) = DIST.glob("*.tar.gz")
    with tarfile.open(archive) as file:
        file.extractall(WORK, filter="data")
    sources = WORK / archive.name.removesuffix(".tar.gz")
    run(*hatchling, "wheel", cwd=sources, stdout=subprocess.DEVNULL)
    (wheel,) = DIST.glob("*.whl")
    return wheel, sources


def main(everything):
    """Build, install and test; say what was done."""
    wheel, sources = build()
    alone = environment("alone", wheel)
    listing = run(alone, "-m", "pip", "list", "--format=freeze", capture_output=True, text=True)
    there = {line.partition("==")[0] for line in listing.stdout.split()}
    if not {"numpy", "scipy", "distill_lib"} <= there <= NEEDED | {"setuptools"}:
        sys.exit(f"the wheel alone brings {sorted(there)}")
    readme = (ROOT / "distill_lib" / "README.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"^```python\n(.*?)^```", readme, re.MULTILINE | re.DOTALL)
    run(alone, "-c", example)
    tested = environment("tested", f"{wheel}[dev]")
    names = ["tests"] if everything else [f"tests/test_{name}.py" for name in QUICK]
    run(tested, "-m", "pytest", "-q", "-n", "2", "--dist", "loadfile", *names, cwd=sources)
    print(f"{wheel.name} is whole.")


if __name__ == "__main__":
    main("--all" in sys.argv[1:])
