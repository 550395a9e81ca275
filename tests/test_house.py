"""The tree keeps its promises: pinned, relocatable, silent about where it was made."""

import re
import subprocess
import tomllib
from importlib import metadata
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parent.parent
TEXT = {"", ".bib", ".cff", ".cfg", ".css", ".html", ".ipynb", ".js", ".json", ".md", ".mplstyle"}
TEXT |= {".py", ".svg", ".toml", ".txt", ".yaml", ".yml"}


def requirements():
    """Return the lines of requirements.txt that say something."""
    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def our_files():
    """Return every text file of the tree that is ours and isn't made by make."""
    listing = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    names = subprocess.run(listing, cwd=ROOT, capture_output=True, check=True).stdout
    paths = [ROOT / name for name in names.decode().split("\0") if name]
    return [
        path
        for path in paths
        if path.suffix in TEXT and ROOT / "vendor" not in path.parents and path.is_file()
    ]


def test_every_requirement_is_pinned_to_one_release():
    first, *pins, last = requirements()
    assert first == "-c constraints.txt"
    assert last == "-e ."
    assert [pin for pin in pins if not re.fullmatch(r"[\w.-]+==[\w.]+", pin)] == []


def test_the_constraints_pin_everything_and_agree():
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    lines = [line.split(" ; ")[0] for line in lines if line and not line.startswith("#")]
    assert [line for line in lines if not re.fullmatch(r"[\w.-]+==[\w.]+", line)] == []
    normal = {re.sub(r"[._-]+", "-", pin).lower() for pin in lines}
    wanted = {re.sub(r"[._-]+", "-", pin).lower() for pin in requirements()[1:-1]}
    assert wanted - normal == set()


def test_one_version():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert citation["version"] == project["version"] == metadata.version("distill_lib")


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


@pytest.mark.parametrize("name", ["LICENSE", "LICENSE-text", "CITATION.cff", "README.md"])
def test_what_a_reader_looks_for_first_is_there(name):
    assert (ROOT / name).read_text(encoding="utf-8").strip()
