"""Does the book still build, and pass its tests, on the newest releases of everything?

In `_build/canary`: a copy of the files as they are now, and an environment with the newest release
of every package that the book pins. Jupyter Book 1 itself, which holds back all others, stays
behind: it only turns `_config.yml` into Sphinx's `conf.py`, from which plain Sphinx builds.

    python .ci/canary.py [more arguments for pytest]

Says what is newer than the pins and what broke; fails if anything did.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import venv
from importlib import metadata
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
WORK = ROOT / "_build" / "canary"
BOOK, ENVIRONMENT = WORK / "book", WORK / "venv"
PYTHON = ENVIRONMENT / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
# What Jupyter Book does by itself before it runs Sphinx.
CONF = """
import sys

sys.path.insert(0, "web/ext")
extensions.remove("jupyter_book")
"""


def pins():
    """Return the version that the book is pinned to, of each package to install."""
    lists = [ROOT / "requirements.txt", *(ROOT / "requirements").glob("*.txt")]
    text = "\n".join(path.read_text(encoding="utf-8") for path in lists)
    pinned = dict(re.findall(r"^([\w.-]+)==(\S+)$", text, re.MULTILINE))
    del pinned["jupyter-book"]
    needed = [line for line in metadata.requires("jupyter-book") if "extra ==" not in line]
    names = {re.match(r"[\w.-]+", line)[0] for line in needed}
    names -= {"sphinx-thebe"} | {name.lower() for name in pinned}  # _config.yml leaves it out
    return {name: metadata.version(name) for name in names} | pinned


def copy_book():
    """Copy all files that git tracks or would, as they are now."""
    shutil.rmtree(WORK, ignore_errors=True)
    listing = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(listing, cwd=ROOT, check=True, capture_output=True).stdout
    for name in names.decode().rstrip("\0").split("\0"):
        if (ROOT / name).is_file():
            (BOOK / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, BOOK / name)
    # Some tests ask git which files there are.
    run("git", "init", "--quiet")
    run("git", "add", "--all")


def run(*command, **options):
    """Run a command in the copy of the book; return whether it succeeded."""
    print("==", *command, flush=True)
    return subprocess.run(command, cwd=BOOK, **options).returncode == 0


def newer(pinned):
    """Return a line for each package whose newest release isn't the one that is pinned."""
    listing = subprocess.run(
        [PYTHON, "-m", "pip", "list", "--format=json"], check=True, capture_output=True
    )
    newest = {each["name"].lower(): each["version"] for each in json.loads(listing.stdout)}
    return [
        f"{name}: {version} -> {newest[name.lower()]}"
        for name, version in sorted(pinned.items(), key=lambda item: item[0].lower())
        if newest.get(name.lower(), version) != version
    ]


def main():
    """Build and test the copy, and say how it went."""
    pinned = pins()
    copy_book()
    venv.create(ENVIRONMENT, with_pip=True)
    pip = (PYTHON, "-m", "pip", "install", "--quiet", "--disable-pip-version-check")
    steps = {"install": lambda: run(*pip, *pinned) and run(*pip, "--no-deps", "-e", ".")}

    def configure():
        jupyter_book = "from jupyter_book.cli.main import main; main()"
        done = run(sys.executable, "-c", jupyter_book, "config", "sphinx", ".")
        with (BOOK / "conf.py").open("a", encoding="utf-8") as file:
            file.write(CONF)
        return done

    steps["configure"] = configure
    strict = ("-W", "--keep-going", "-n", "-q")
    steps["build"] = lambda: run(PYTHON, "-m", "sphinx", *strict, ".", "_build/html")
    tests = ("--nbval", "--nbval-current-env", "-n", "2", "--dist", "loadfile", "-q")
    steps["test"] = lambda: run(PYTHON, "-m", "pytest", *tests, *sys.argv[1:])

    said, went = [], True
    for name, step in steps.items():
        went = went and step()
        said.append(f"{name}: {'passed' if went else 'failed, or not tried'}")
    report = ["# The newest releases", "", *said, "", *newer(pinned), ""]
    print("\n".join(report))
    if summary := os.environ.get("GITHUB_STEP_SUMMARY"):
        Path(summary).write_text("\n\n".join(report), encoding="utf-8")
    return not went


if __name__ == "__main__":
    sys.exit(main())
