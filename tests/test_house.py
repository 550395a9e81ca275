"""The tree keeps its promises: pinned, relocatable, silent about where it was made."""

import fnmatch
import importlib.util
import os
import re
import shutil
import subprocess
import tomllib
from importlib import metadata
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml

import distill_lib

ROOT = Path(__file__).resolve().parent.parent
TEXT = {"", ".bib", ".cff", ".cfg", ".css", ".html", ".ipynb", ".js", ".json", ".md", ".mplstyle"}
TEXT |= {".py", ".svg", ".toml", ".txt", ".yaml", ".yml"}


def said_by(path):
    """Return the lines of a list of requirements that say something."""
    lines = path.read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def all_pins():
    """Return what requirements.txt and the lists of single commands pin."""
    lists = [ROOT / "requirements.txt", *sorted((ROOT / "requirements").glob("*.txt"))]
    return [line for path in lists for line in said_by(path) if not line.startswith("-")]


def our_files():
    """Return every text file of the tree that is ours and isn't made by make.

    Git knows them. Where the tree is no clone, all are ours but what .gitignore names.
    """
    listing = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    if shutil.which("git") and (ROOT / ".git").exists():
        names = subprocess.run(listing, cwd=ROOT, capture_output=True, check=True).stdout
        paths = [ROOT / name for name in names.decode().split("\0") if name]
    else:
        paths = files_of_a_tree(ROOT)
    return [
        path
        for path in paths
        if path.suffix in TEXT and ROOT / "web" / "vendor" not in path.parents and path.is_file()
    ]


def files_of_a_tree(folder):
    """Return the files below a folder, but for what its .gitignore names."""
    lines = (folder / ".gitignore").read_text(encoding="utf-8").splitlines()
    names = [line.strip("/") for line in lines if line and not line.startswith("#")]

    def is_ours(path):
        parts = path.relative_to(folder).parts
        return not any(fnmatch.fnmatch(part, name) for part in parts for name in names)

    return [path for path in folder.rglob("*") if is_ours(path)]


def test_without_git_the_same_files_are_looked_at():
    ours = set(our_files())
    assert ours
    also = {path for path in files_of_a_tree(ROOT) if path.suffix in TEXT and path.is_file()}
    assert ours <= also
    # Git leaves out itself, what is in web/vendor/, and what a single machine ignores.
    vendor = ROOT / "web" / "vendor"
    left = {path.relative_to(ROOT).parts[0] for path in also - ours if vendor not in path.parents}
    assert left <= {".git", ".venv"}


def test_every_requirement_is_pinned_to_one_release():
    first, *_, last = said_by(ROOT / "requirements.txt")
    assert first == "-c constraints.txt"
    assert last == "-e ."
    pins = all_pins()
    assert [pin for pin in pins if not re.fullmatch(r"[\w.-]+==[\w.]+", pin)] == []
    names = [pin.partition("==")[0] for pin in pins]
    assert len(set(names)) == len(names)


def test_make_and_the_tests_give_kernels_the_same_surroundings():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    exported = dict(re.findall(r"^export (\w+) := \$\(OWN\)/(\w+)$", makefile, re.MULTILINE))
    exported.pop("HOME")
    here = root_conftest()
    assert exported == {name: path.name for name, path in here.SURROUNDINGS.items()}
    assert {Path(os.environ[name]) for name in exported} == set(here.SURROUNDINGS.values())
    hidden = set(re.search(r"^unexport (JUPYTER.*)$", makefile, re.MULTILINE)[1].split())
    assert hidden == here.UNWANTED
    assert not hidden & os.environ.keys()


def test_a_skipped_test_tells_what_would_have_it_run():
    reasons = ["no apples: buy fruit", "Skipped: too windy", "Skipped: no pears: buy fruit"]
    skipped = [SimpleNamespace(longrepr=("file", 1, reason)) for reason in 2 * reasons]
    lines = []
    reporter = SimpleNamespace(
        stats={"skipped": skipped}, section=lines.append, write_line=lines.append
    )
    root_conftest().pytest_terminal_summary(reporter)
    fruit, wind = "    4 skipped: no apples, no pears: buy fruit", "    2 skipped: too windy"
    assert lines == ["not tested here", fruit, wind]
    reporter.stats.clear()
    lines.clear()
    root_conftest().pytest_terminal_summary(reporter)
    assert not lines


def root_conftest():
    """Return the conftest.py of the root as a module of another name: there are two."""
    spec = importlib.util.spec_from_file_location("surroundings", ROOT / "conftest.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_constraints_pin_everything_and_agree():
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    lines = [line.split(" ; ")[0] for line in lines if line and not line.startswith("#")]
    assert [line for line in lines if not re.fullmatch(r"[\w.-]+==[\w.]+", line)] == []
    normal = {re.sub(r"[._-]+", "-", pin).lower() for pin in lines}
    wanted = {re.sub(r"[._-]+", "-", pin).lower() for pin in all_pins()}
    assert wanted - normal == set()


def test_one_version():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert citation["version"] == project["version"] == metadata.version("distill_lib")
    assert distill_lib.__version__ == project["version"]


def test_no_file_names_the_machine_it_was_made_on():
    # Put together here, so that this file doesn't name them either.
    folders = "|".join(("work", "root", "home", "Users"))
    hosts = "|".join(("files.python" + "hosted", "pypi" + r"\.org", "registry.npm" + "js"))
    telling = re.compile(rf"(?<![\w.~:/-])/({folders})/(?!someone)\w|{hosts}")
    found = {}
    for path in our_files():
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            # Pictures inside notebooks are base64, in which anything may occur.
            if '"image/' not in line and (match := telling.search(line)):
                found[f"{path.relative_to(ROOT)}:{number}"] = match[0]
    assert found == {}


@pytest.mark.parametrize(
    "name", ["LICENSE", "LICENSE-text", "CITATION.cff", "README.md", "CHANGELOG.md"]
)
def test_what_a_reader_looks_for_first_is_there(name):
    assert (ROOT / name).read_text(encoding="utf-8").strip()
