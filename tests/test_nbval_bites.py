"""nbval is what re-derives every printed number: one changed digit must turn it red."""

import subprocess
import sys

import nbformat
import pytest

CELL = 'print(f"root of two {2**0.5:.3f}")'


@pytest.mark.parametrize(
    ("stored", "outcome"), [("1.414", 0), ("1.415", 1)], ids=["as it is", "a digit changed"]
)
def test_nbval_compares_the_stored_text(stored, outcome, tmp_path):
    output = nbformat.v4.new_output("stream", name="stdout", text=f"root of two {stored}\n")
    notebook = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(CELL, execution_count=1, outputs=[output], id="root")],
        metadata={
            "kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}
        },
    )
    nbformat.write(notebook, tmp_path / "small.ipynb")
    # In a folder of its own, where the book's configuration of pytest isn't found.
    command = [sys.executable, "-m", "pytest", "--nbval", "--nbval-current-env", "small.ipynb"]
    run = subprocess.run(command, cwd=tmp_path, capture_output=True, encoding="utf-8", check=False)
    assert run.returncode == outcome, run.stdout + run.stderr
    assert ("mismatch" in run.stdout) == bool(outcome), run.stdout
