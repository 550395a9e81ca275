"""How does one measure what takes longer than a day, or than one machine?"""

import inspect
import os
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import scipy

from distill_lib import (
    _arguments,
    _gaps,
    _logistic,
    _processes,
    _scaling,
    _trials,
    _types,
    axial,
    exact,
    geometry,
    inputs,
    laws,
    risk,
    student,
)

# What a curve runs through: mended, it may give other numbers.
_MODULES = (
    _arguments,
    _gaps,
    _logistic,
    _processes,
    _scaling,
    _trials,
    _types,
    axial,
    exact,
    geometry,
    inputs,
    laws,
    risk,
    student,
)
_REQUIRED = ("inputs", "w_teacher", "sizes", "trials", "seed")


def risk_sweep(
    cells: Iterable[Mapping[str, Any]],
    *,
    folder: str | os.PathLike[str],
    n_jobs: int | None = None,
) -> list[risk.RiskCurve]:
    """Measure many risk curves, and keep each as soon as it is finished.

    The curve of a cell is

    .. code-block:: python

        risk_curve(inputs, w_teacher, sizes, trials=trials, test_points=test_points,
                   rng=np.random.default_rng(seed))

    whatever the other cells are, and whatever their order. A sweep that was stopped, by Ctrl-C,
    by a crash or by a power cut, is started again by the same call: it loses the cell that was
    being measured, and ends with the same numbers.

    Parameters
    ----------
    cells : sequence of dict
        Each with ``inputs``, ``w_teacher``, ``sizes``, ``trials`` and perhaps ``test_points``, as
        for `risk_curve`, and ``seed``, a whole number >= 0. Cells with the same seed share their
        random numbers; independent curves need different ones.
    folder : str or path
        Where finished cells are kept, on the machine of the call; it is made if need be. Deleting
        it forgets them.
    n_jobs : int, optional
        How the trials of a cell run, as for `risk_curve`.

    Returns
    -------
    list of RiskCurve
        In the order of the cells.

    Raises
    ------
    ValueError
        If an argument can't be used. All cells are checked before the first is measured.
    ImportError
        If joblib isn't installed; ``distill_lib[parallel]`` brings it.
    RuntimeError
        If a process is killed, as for `risk_curve`. Finished cells are kept.

    See Also
    --------
    risk_curve : One curve.

    Notes
    -----
    The cells are kept by ``joblib.Memory``. A cell is found again if its values are the same, and
    if the same versions of this library's modules, numpy and scipy measured it. For inputs of
    your own, what they hold and the name of their class must be the same: after a change to its
    code, take another folder.

    Cells run one after another, and the trials of each side by side, so that a long cell leaves
    no core idle. For thousands of cells of less than a second, call `risk_sweep` with a part of
    them in each of several processes: they may share the folder.

    Examples
    --------
    >>> import tempfile
    >>> w = np.ones(10)
    >>> cells = [
    ...     dict(inputs=dl.PolynomialAngles(w, k), w_teacher=w, sizes=[1, 4], trials=50, seed=1)
    ...     for k in (1.0, 2.0)
    ... ]
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     hard, easy = dl.risk_sweep(cells, folder=folder)
    >>> bool((easy.mean < hard.mean).all())
    True
    """
    checked = _checked_cells(cells)
    folder = _checked_folder(folder)
    n_jobs = _processes.checked_jobs(n_jobs)
    joblib = _processes.needed_joblib("a sweep")
    code = joblib.hash([np.__version__, scipy.__version__, *map(inspect.getsource, _MODULES)])
    measured = joblib.Memory(folder, verbose=0).cache(_measure, ignore=["n_jobs"])
    bar = _processes.with_progress(checked, "cells", len(checked))
    return [measured(*cell, code, n_jobs) for cell in bar]


def _measure(
    inputs: Any,
    w_teacher: Any,
    sizes: Any,
    trials: int,
    test_points: int | None,
    seed: int,
    code: str,
    n_jobs: int | None,
) -> risk.RiskCurve:
    rng = np.random.default_rng(seed)
    return risk.risk_curve(
        inputs, w_teacher, sizes, trials=trials, test_points=test_points, rng=rng, n_jobs=n_jobs
    )


def _checked_cells(cells: Any) -> list[tuple[Any, ...]]:
    """Return the cells as tuples of checked values."""
    if isinstance(cells, Mapping | str) or not np.iterable(cells):
        raise ValueError(f"cells must be a list of dicts, one for each curve; got {cells!r:.80}")
    checked = []
    for i, cell in enumerate(cells):
        if not isinstance(cell, Mapping):
            raise ValueError(f"cells[{i}] must be a dict; got {cell!r:.80}")
        wrong = set(_REQUIRED) ^ (set(cell) - {"test_points"})
        if wrong:
            raise ValueError(
                f"cells[{i}] must have {', '.join(_REQUIRED)}, perhaps test_points, and nothing "
                f"else; check {', '.join(sorted(map(str, wrong)))}"
            )
        law, *given = (cell.get(name) for name in (*_REQUIRED[:-1], "test_points"))
        try:
            curve = _trials.checked_curve(law, *given)
            seed = _arguments.count("seed", cell["seed"], least=0)
        except ValueError as error:
            raise ValueError(f"cells[{i}]: {error}") from None
        checked.append((*curve, seed))
    if not checked:
        raise ValueError("cells must hold at least one cell; got none")
    return checked


def _checked_folder(folder: Any) -> str:
    if not isinstance(folder, str | os.PathLike) or not os.fspath(folder):
        raise ValueError(f"folder must be the path of a folder; got {folder!r:.80}")
    try:
        os.makedirs(folder, exist_ok=True)
    except OSError as error:
        raise ValueError(f"folder must be one that exists or can be made; {error}") from None
    # Memory takes a Path and a str for two places.
    return os.fspath(folder)
