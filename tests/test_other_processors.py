"""On an older processor, which sums in another order, the library passes the same tests.

BLAS, numpy and the C library choose their code by the processor. Told to be another one, they round
in other places; a test that compares bits across two orders of summation fails on one of them.
"""

import os
import platform
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from threadpoolctl import threadpool_info

TESTS = Path(__file__).resolve().parent
# Those that compare floating-point results of the library.
FILES = ["distillation", "geometry", "network", "student", "training"]
NO_VECTORS = {
    # All that numpy has code for beyond its baseline, whatever this version calls it.
    "NPY_DISABLE_CPU_FEATURES": " ".join(np._core._multiarray_umath.__cpu_dispatch__),
    "GLIBC_TUNABLES": "glibc.cpu.hwcaps=-AVX2,-FMA,-AVX512F,-FMA4",
}
# Of 2004: two numbers at once, and no more. `make elsewhere` pretends to be many others.
OLD = {"OPENBLAS_CORETYPE": "Prescott", **NO_VECTORS}


def test_the_tests_pass_as_on_an_old_processor():
    ours = any(library["internal_api"] == "openblas" for library in threadpool_info())
    if platform.machine().lower() not in {"x86_64", "amd64"} or not ours:
        pytest.skip("only OpenBLAS on x86-64 can be told to be another processor")
    files = [TESTS / f"test_{name}.py" for name in FILES]
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *files],
        cwd=TESTS.parent,
        env=os.environ | OLD,
        capture_output=True,
        text=True,
        encoding="utf-8",
    )
    assert run.returncode == 0, run.stdout[-3000:] + run.stderr[-3000:]
