"""Notebooks of honest students, of which each must get full marks; and those with one bad step.

HONESTLY: right answers in every dress, after everything that a notebook may do on its way.
LOST: right functions, and one cell or function that ends the process or takes all the time.
"""

from attacks.corpus import HONEST, LABELS, MEAN, PROJECT

NUMPY = "import numpy as np\n"


def means(expression):
    """Return an honest notebook whose first function gives a number as this expression of m."""
    return [f"{NUMPY}def mean(x):\n    m = float(np.mean(x))\n    return {expression}", *HONEST[1:]]


def projections(expression):
    """Return an honest notebook whose second function gives its array v as this expression."""
    text = f"{NUMPY}import array, collections, fractions\nright = project\n"
    text += f"def project(X, w):\n    v = right(X, w)\n    return {expression}"
    return [*HONEST, text]


POOL = """
from multiprocessing import Pool
def total(x): return float(np.ones(1000).sum() * 0 + np.sum(x))
pool = Pool(2)
"""
HONESTLY = {
    # Values
    "a_memmap": projections("_mapped(v)")
    + [
        NUMPY + "def _mapped(v):\n"
        "    m = np.memmap('v.dat', dtype=float, mode='w+', shape=v.shape)\n    m[:] = v\n"
        "    return m"
    ],
    "complex_array": projections("v + 0j"),
    "complex_number": means("complex(m)"),
    "complex_numpy_number": means("np.complex128(m)"),
    "array_of_objects": projections("np.array(v.tolist(), dtype=object)"),
    "array_of_fractions": projections("np.array([fractions.Fraction(float(a)) for a in v])"),
    "masked_array_without_a_mask": projections("np.ma.array(v)"),
    "masked_array_with_a_mask_of_nothing": projections("np.ma.array(v, mask=np.zeros(len(v)))"),
    "subclass_of_ndarray": ["import numpy as np\nclass Vector(np.ndarray): pass"]
    + projections("v.view(Vector)"),
    "subclass_of_list": ["class Row(list): pass"] + projections("Row(v)"),
    "subclass_of_float": ["class Metre(float): pass"] + means("Metre(m)"),
    "a_namedtuple": ["from collections import namedtuple\nTwo = namedtuple('Two', 'first rest')"]
    + projections("namedtuple('Row', [f'x{k}' for k in range(len(v))])(*v)"),
    "array_of_the_standard_library": projections("array.array('d', v)"),
    "long_doubles": projections("v.astype(np.longdouble)"),
    "numbers_of_numpy_in_a_list": projections("[np.float64(a) for a in v]"),
    "array_without_axes": means("np.array(m)"),
    "a_fraction": ["from fractions import Fraction"] + means("Fraction(m)"),
    "a_decimal": ["from decimal import Decimal"] + means("Decimal(m)"),
    "transposed_and_strided": projections("np.asfortranarray(np.array([v, v]).T)[:, 0]"),
    "other_byte_order": projections("v.astype('>f8')"),
    # Magics
    "autosave": ["%autosave 60", *HONEST],
    "autosave_above_a_function": ["%autosave 60\n" + MEAN, PROJECT, LABELS],
    "connect_info": ["%connect_info\n" + MEAN, "%qtconsole\n" + PROJECT, LABELS],
    "colab": ["%tensorflow_version 2.x\n" + MEAN, "%%shell\nls", PROJECT, LABELS],
    "an_extension_that_is_not_here": [
        "%load_ext google.colab.data_table\n%load_ext line_profiler\n" + MEAN,
        "%lprun -f mean mean([1.0])\n" + PROJECT,
        "x = %memit 1\n" + LABELS,
    ],
    "magic_called_by_name": ["get_ipython().run_line_magic('autosave', '0')\n" + MEAN, *HONEST[1:]],
    # Processes and threads
    "pool": [NUMPY + POOL, *HONEST[1:], "def mean(x): return pool.map(total, [x])[0] / len(x)"],
    "pool_in_with": [
        NUMPY + "from multiprocessing import Pool\ndef f(k): return np.ones(k).sum()",
        "with Pool(16) as pool: assert len(pool.map(f, range(32))) == 32",
        *HONEST,
    ],
    "joblib": [
        "from joblib import Parallel, delayed\nimport math",
        "assert Parallel(n_jobs=2)(delayed(math.sqrt)(k) for k in (1, 4)) == [1, 2]",
        *HONEST[1:],
        "def mean(x):\n"
        "    return sum(Parallel(n_jobs=2)(delayed(math.fabs)(a) for a in x)) / len(x)",
    ],
    "executor_of_threads": [
        "from concurrent.futures import ThreadPoolExecutor\nthreads = ThreadPoolExecutor(4)",
        "list(threads.map(abs, range(9)))",
        *HONEST[1:],
        "def mean(x): return threads.submit(sum, x).result() / len(x)",
    ],
    "executor_of_processes": [
        "from concurrent.futures import ProcessPoolExecutor\nworkers = ProcessPoolExecutor(2)",
        "list(workers.map(abs, range(9)))",
        *HONEST[1:],
        "def mean(x): return sum(workers.map(abs, x)) / len(x)",
    ],
    "as_many_workers_as_cores": [
        "import os, multiprocessing\nassert os.cpu_count() <= 2",
        "with multiprocessing.Pool() as pool: pool.map(abs, range(9))",
        *HONEST,
    ],
    "two_processes_beside_a_large_array": [
        NUMPY + "import multiprocessing\nlarge = np.zeros(150_000_000)\nlarge[:10_000_000] = 1",
        "def part(k): return float(large[k])",
        "with multiprocessing.Pool(2) as pool: assert pool.map(part, range(4)) == [1] * 4",
        *HONEST,
    ],
    "twelve_workers_after_sklearn": [
        "import time\nfrom multiprocessing import Pool\nfrom sklearn.linear_model import Ridge",
        "def slope(k):\n    time.sleep(0.1)\n"
        "    return Ridge(alpha=1).fit([[0.0], [1.0]], [0.0, k]).coef_[0]",
        "with Pool(12) as pool: assert len(pool.map(slope, range(24))) == 24",
        *HONEST,
    ],
    # What a right function does to those before it
    "own_versions_of_earlier_functions": [
        MEAN.replace("mean", "mean_old"),
        "def mean(x, old=mean_old): return old(x)",
        PROJECT,
        LABELS,
    ],
    "functions_that_call_each_other": [
        MEAN,
        "def dot(a, b): return len(a) * mean(a * b)",
        PROJECT,
        "def labels(X, w): return [int(dot(x, w) > 0) for x in X]",
    ],
    # Shapes of a notebook
    "state_between_cells": ["cache = {}", "cache['n'] = 1", *HONEST, "assert cache['n'] == 1"],
    "file_between_cells": [
        "open('n.txt', 'w').write('0')",
        *HONEST[1:],
        "def mean(x): return float(open('n.txt').read()) + sum(x) / len(x)",
    ],
    "defaults_and_annotations": [
        NUMPY + "def mean(x: np.ndarray, *, unit: float = 1.0) -> float: return x.mean() * unit",
        *HONEST[1:],
    ],
    "dataclass_and_enum": [
        "from dataclasses import dataclass\nfrom enum import IntEnum",
        "class Label(IntEnum):\n    NO = 0\n    YES = 1",
        MEAN,
        PROJECT,
        "def labels(X, w): return [Label.YES if x @ w > 0 else Label.NO for x in X]",
    ],
}
# (cells, points, [number, kind, beginning of what is said] of the last cell message, reasons)
CELL = "This cell is lost; your functions are graded as they were before it"
ALL = (2, 3, 1)
LOST = {
    "segfault": (
        [*HONEST, "import ctypes\nctypes.string_at(1)"],
        ALL,
        [3, "Lost", f"its process crashed. {CELL}"],
        {},
    ),
    "exit": (
        [*HONEST, "import os\nos._exit(0)"],
        ALL,
        [3, "Lost", f"it ended the process. {CELL}"],
        {},
    ),
    "slow": (
        [*HONEST, "sum(range(10**15))"],
        ALL,
        [3, "Lost", f"it took too long. {CELL}"],
        {},
    ),
    "memory": (
        [
            *HONEST,
            "import os, time\nfor _ in range(6):\n    if os.fork() == 0:\n"
            "        x = bytearray(b'x') * 2**30\n        time.sleep(99)\n"
            "time.sleep(99)",
        ],
        ALL,
        [
            3,
            "Lost",
            f"it was ended, as what takes too much memory or makes too many files is. {CELL}",
        ],
        {},
    ),
    "files": (
        [*HONEST, "for k in range(10**6): open(f'/tmp/{k}', 'w').close()"],
        ALL,
        [3, "Lost", f"it made too many files; all files are gone. {CELL}"],
        {},
    ),
    "in_the_middle": (
        [MEAN, "import os\nx = 1\nos.abort()", PROJECT, "assert 'x' not in globals()", LABELS],
        ALL,
        [1, "Lost", f"its process crashed. {CELL}"],
        {},
    ),
    "a_function_that_crashes": (
        [PROJECT, LABELS, "import ctypes\ndef mean(x): return ctypes.string_at(1)"],
        (0, 3, 1),
        None,
        {"q1": "no answer came from `mean`: its process crashed"},
    ),
    "a_function_that_is_slow": (
        [PROJECT, LABELS, "def mean(x): return sum(range(10**15))"],
        (0, 3, 1),
        None,
        {"q1": "no answer came from `mean`: it took too long"},
    ),
    "a_pool_that_is_gone": (
        [
            NUMPY + POOL,
            MEAN,
            PROJECT,
            "def labels(X, w): return pool.map(int, X @ w > 0)",
            "import os\nos.abort()",
        ],
        (2, 3, 0),
        [4, "Lost", f"its process crashed. {CELL}"],
        {
            "q3": "no answer came from `labels`: it waited for a pool of processes or for a "
            "thread, which ended when an earlier step took too long, crashed or was ended"
        },
    ),
    "a_name_that_is_overwritten": (
        [*HONEST, "mean = 3.0"],
        (0, 3, 1),
        None,
        {
            "q1": "`mean` was no function any more when all cells had run: the name had been "
            "given to something else"
        },
    ),
    "a_magic": (
        ["%autosave 60\n" + MEAN, PROJECT, LABELS],
        ALL,
        [0, "Warning", "left out, for there is no such magic: %autosave"],
        {},
    ),
}
