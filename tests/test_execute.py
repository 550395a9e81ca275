"""`make execute` is reproducible: the same notebook gives the same bytes, and those stored."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
# One chapter stands for all: nbval compares the text outputs of the others.
CHAPTER = ROOT / "chapters" / "01_what_is_distillation.ipynb"


def execute(notebook):
    """Execute a notebook in place, with the command of the Makefile."""
    command = [sys.executable, "-m", "nbconvert", "--config", str(ROOT / "nbconvert_config.py")]
    command += ["--to", "notebook", "--execute", "--inplace", str(notebook)]
    # As in the Makefile: a backend asked for elsewhere doesn't decide what figures look like.
    environment = {name: value for name, value in os.environ.items() if name != "MPLBACKEND"}
    run = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    return notebook.read_bytes()


@pytest.fixture(scope="module")
def twice(tmp_path_factory):
    """The bytes of one notebook after it has been executed once, and once more."""
    notebook = tmp_path_factory.mktemp("execute") / CHAPTER.name
    shutil.copy(CHAPTER, notebook)
    return execute(notebook), execute(notebook)


def test_executing_twice_changes_nothing(twice):
    once, again = twice
    assert once == again


def without_pictures(notebook):
    """Return a notebook but for its images: another processor may round a place differently."""
    text = re.sub(r"data:image/svg\+xml,[^\"\\]+", "a frame", notebook.decode())
    content = json.loads(text)
    for cell in content["cells"]:
        for output in cell.get("outputs", []):
            if "image/svg+xml" in output.get("data", {}):
                output["data"]["image/svg+xml"] = "a figure"
    return content


def test_the_stored_notebook_is_what_execution_gives(twice):
    once, _ = twice
    assert without_pictures(once) == without_pictures(CHAPTER.read_bytes())
