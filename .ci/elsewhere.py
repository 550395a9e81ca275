"""Does everything come out the same on other machines?

This one pretends to be them: older processors (other kernels of OpenBLAS, numpy without its fast
instructions, a C library without fused multiplication), one or two threads, and machines whose
every rounding differs (.ci/shaken). On each run all chapters, the playground, the solutions of the
assignments, and the tests that compare numbers.

    python .ci/elsewhere.py [machines, all if none is named]

The variable PARTS names some of "chapters playground numbers" instead of all three. Prints what
differed on each machine, then a table of all; fails if anything did.
"""

import os
import platform
import re
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
from tqdm import tqdm

ROOT = Path(__file__).resolve().parent.parent
SHAKEN = os.fspath(ROOT / ".ci" / "shaken")

# All that numpy may choose at run time; what it was built for can't be disabled.
DISPATCHED = " ".join(np._core._multiarray_umath.__cpu_dispatch__)
NO_FMA = "glibc.cpu.hwcaps=-AVX2,-FMA,-FMA4,-AVX512F"
KERNELS = ("Prescott", "Nehalem", "Sandybridge", "Haswell", "Zen", "SkylakeX")
# All of them, also those that take a processor, or a C library, which this machine hasn't.
EVERY = (
    *("here", "shaken-1", "shaken-2", "shaken-up", "shaken-down", "two-threads"),
    *(kernel.lower() for kernel in KERNELS),
    *("plain-numpy", "no-fma", "old", "old-shaken"),
)


def has_avx512():
    """Whether this processor can run the kernels of SkylakeX."""
    return bool(np._core._multiarray_umath.__cpu_features__.get("AVX512F"))


def machines():
    """Return the environment variables that make this machine another one, by its name."""
    found = {"here": {}}
    for way in ("1", "2", "up", "down"):
        found[f"shaken-{way}"] = {"PYTHONPATH": SHAKEN, "SHAKEN": way}
    found["two-threads"] = {"OPENBLAS_NUM_THREADS": "2"}
    if platform.machine() not in {"x86_64", "AMD64"}:
        return found
    for kernel in KERNELS:
        if kernel != "SkylakeX" or has_avx512():
            found[kernel.lower()] = {"OPENBLAS_CORETYPE": kernel}
    found["plain-numpy"] = {"NPY_DISABLE_CPU_FEATURES": DISPATCHED}
    if platform.libc_ver()[0] == "glibc":
        found["no-fma"] = {"GLIBC_TUNABLES": NO_FMA}
    old = ("prescott", "plain-numpy", "no-fma")
    found["old"] = {key: value for name in old for key, value in found.get(name, {}).items()}
    found["old-shaken"] = found["old"] | found["shaken-1"]  # both at once: one run asks for both
    return found


# The tests that compare numbers: of the library, the theorems, the assignments.
NUMBERS = """arguments assignments bounds deep_theorems distillation docstrings factor_theorems
flipbook geometry inputs label_theorems laws network open_ends plots risk risk_parallel
risk_theorems since_theorems speed_theorems student sweep tables teacher theorems training
weak_to_strong_theorems"""
# They run in a sandbox, into which none of this reaches.
IN_A_SANDBOX = "full_marks or right_answers or five_styles"
PYTEST = (sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--nbval-current-env")
RUNS = {
    "chapters": ("--nbval", "-n2", "--dist=loadfile", *sorted(ROOT.glob("chapters/*.ipynb"))),
    # Its sliders need a reader: only that it runs can be asked.
    "playground": ("--nbval-lax", *sorted(ROOT.glob("web/lite/*.ipynb"))),
    "numbers": (
        "-n2",
        "--dist=loadfile",
        f"-k=not ({IN_A_SANDBOX})",
        *(ROOT / "tests" / f"test_{name}.py" for name in NUMBERS.split()),
    ),
}


def run(arguments, environment):
    """Run tests as another machine; return how many there were, and what failed and why."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder, "report.xml")
        command = [*PYTEST, f"--junitxml={report}", *map(os.fspath, arguments)]
        done = subprocess.run(
            command,
            cwd=ROOT,
            env=os.environ | environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            encoding="utf-8",
            errors="replace",
        )
        if not report.is_file():
            return 0, {"pytest": done.stdout[-2000:] + done.stderr[-2000:]}
        cases = list(ET.parse(report).getroot().iter("testcase"))
    wrong = {}
    for case in cases:
        for failure in (*case.iter("failure"), *case.iter("error")):
            wrong[f"{case.get('classname')}::{case.get('name')}"] = said(failure.text or "")
    if done.returncode and not wrong:
        wrong["pytest"] = done.stdout[-2000:]
    return len(cases), wrong


def said(failure):
    """Return the lines of a failure that tell: what was stored and what came out, or the error."""
    failure = re.sub(r"\x1b\[\d*m", "", failure)
    _, _, compared = failure.partition("assert reference_output == test_output failed:")
    lines = compared.splitlines() if compared else re.findall(r"^E .*", failure, re.MULTILINE)
    lines = [line.strip() for line in lines if line.strip()]
    return "\n".join(lines[:12] or failure.strip().splitlines()[-3:])


def main(names):
    """Run everything on the machines of these names; return whether anything differed."""
    known = machines()
    if unknown := set(names) - set(EVERY):
        sys.exit(f"no machine is called {', '.join(sorted(unknown))}; known: {', '.join(EVERY)}")
    parts = os.environ.get("PARTS") or " ".join(RUNS)
    runs = {part: RUNS[part] for part in parts.split()}
    table, differed = [], False
    for name in tqdm(names or known, desc="machines", disable=not sys.stderr.isatty()):
        if name not in known:
            table.append(f"{name:14s}can't be pretended here")
            continue
        start, counts, wrongs = time.monotonic(), [], {}
        for arguments in runs.values():
            count, wrong = run(arguments, known[name])
            counts.append(count)
            wrongs |= wrong
        for where, what in wrongs.items():
            print(f"-- {name}: {where}\n{what}", flush=True)
        counts = " ".join(f"{count:10d}" for count in counts)
        seconds = time.monotonic() - start
        table.append(f"{name:14s}{counts} {len(wrongs):8d} {seconds:8.0f}")
        print(table[-1], flush=True)
        differed |= bool(wrongs)
    head = " ".join(f"{part:>10s}" for part in runs)
    print(f"\n{'machine':14s}{head} {'differ':>8s} {'seconds':>8s}", *table, sep="\n")
    return differed


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
