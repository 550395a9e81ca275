"""What the site serves and isn't ours is exactly what its origin published."""

import hashlib
from pathlib import Path

VENDOR = Path(__file__).resolve().parent.parent / "web" / "vendor"
OURS = {"README.md", "SHA256SUMS"}


def test_every_vendored_file_has_the_checksum_on_record():
    lines = (VENDOR / "SHA256SUMS").read_text(encoding="utf-8").splitlines()
    on_record = {name.removeprefix("./"): checksum for checksum, name in map(str.split, lines)}
    found = {
        path.relative_to(VENDOR).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in VENDOR.rglob("*")
        if path.is_file() and path.relative_to(VENDOR).as_posix() not in OURS
    }
    assert found == on_record


def test_every_vendored_package_brings_its_licence():
    for package in ("mathjax", "mathjax3", "computer-modern", "reveal"):
        assert (VENDOR / package / "LICENSE").is_file()
