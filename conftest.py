"""What every test stands in: surroundings of the book's own, a limit on waiting, skips that tell.

The user's settings must not decide what a notebook prints: an IPython profile, a kernel of the same
name, a home that can't be written to. So kernels get their settings and caches from a folder of
the book's own. The Makefile says the same of everything that it runs.
"""

import os
import warnings
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent
OWN = ROOT / "_build" / "own"
SURROUNDINGS = {
    "IPYTHONDIR": OWN / "ipython",
    "JUPYTER_CONFIG_DIR": OWN / "jupyter",
    "JUPYTER_DATA_DIR": OWN / "jupyter",
    "JUPYTER_RUNTIME_DIR": OWN / "jupyter",
    "MPLCONFIGDIR": OWN / "matplotlib",
}
# The tests that take minutes, longest first: on two processors none of them should be the last to
# start. (pytest-xdist keeps this order if it is told not to have one of its own.)
LONGEST = [
    "test_site_lite",
    "test_checks_bite",
    "test_site_pages",
    "test_grader",
    "test_site_look",
    "test_talk",
    "test_proofs",
    "test_site_flipbooks",
    "test_assignments",
    "test_grader_follow",
    "test_grader_attacks",
    "test_grader_honest",
    "test_publishing",
    "test_elsewhere",
    "test_risk_parallel",
]
# What would undo it: other kernels and settings, figures that are drawn otherwise.
UNWANTED = {"JUPYTER_PATH", "JUPYTER_CONFIG_PATH", "MPLBACKEND", "MATPLOTLIBRC"}
COMES_AND_GOES = {"PYTEST_CURRENT_TEST"}  # pytest keeps it there

for _folder in SURROUNDINGS.values():
    _folder.mkdir(parents=True, exist_ok=True)
os.environ.update({name: os.fspath(folder) for name, folder in SURROUNDINGS.items()})
for _name in UNWANTED:
    os.environ.pop(_name, None)
# Two test processes with as many BLAS threads each as there are cores stand in each other's way.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")


@pytest.fixture(scope="module", autouse=True)
def _surroundings_as_they_were():
    """What a test changes there is taken back before the next one's, or a notebook's, turn.

    Dask, threadpoolctl and scikit-learn set variables when they are first used.
    """
    before = dict(os.environ)
    yield
    changed = {name for name, _ in os.environ.items() ^ before.items()} - COMES_AND_GOES
    for name in changed:
        os.environ.pop(name, None)
        os.environ.update({name: before[name]} if name in before else {})


def pytest_collection_modifyitems(items):
    """Begin with what takes longest."""
    places = {name: place for place, name in enumerate(LONGEST)}
    items.sort(key=lambda item: places.get(item.path.stem, len(places)))


def pytest_collectstart(collector):
    """Compare what notebooks print, not what they draw: nbval knows only of PNG and JPEG."""
    if hasattr(collector, "skip_compare"):
        collector.skip_compare += ("image/svg+xml",)


def pytest_configure(config):
    """Let matplotlib look for its fonts once, before the notebooks would each say so."""
    if not hasattr(config, "workerinput"):  # not in each process of pytest-xdist
        with warnings.catch_warnings(action="ignore"):  # it may be too old for its own needs
            import matplotlib.font_manager  # noqa: F401


def pytest_terminal_summary(terminalreporter):
    """Say what was skipped: a line for each cure, and what it is for."""
    counts, wanting = Counter(), {}
    for report in terminalreporter.stats.get("skipped", []):
        reason = report.longrepr[2].removeprefix("Skipped: ")
        *what, cure = reason.split(": ", maxsplit=1)
        counts[cure] += 1
        wanting.setdefault(cure, Counter()).update(what)
    if counts:
        terminalreporter.section("not tested here")
    for cure, count in counts.most_common():
        what = ", ".join(each for each, _ in wanting[cure].most_common())
        terminalreporter.write_line(f"{count:5d} skipped: {what + ': ' if what else ''}{cure}")
