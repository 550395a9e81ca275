"""Submissions that try to get points without the answers, or to harm, and what each must score.

The assignment has three questions: mean(x) for 2 points, project(X, w) for 3, labels(X, w) for 1.
Each attack is (cells, points of the three). MEAN, PROJECT and LABELS are right answers: where an
attack contains them, they are its honest part, and the grader owes it these points or fewer, as
the number says. An attack whose name ends in _in_a_call waits until the hidden inputs are there.
"""

MEAN = "def mean(x):\n    return sum(x) / len(x)\n"
PROJECT = (
    "import numpy as np\ndef project(X, w):\n    return np.linalg.lstsq(X, X @ w, rcond=None)[0]\n"
)
LABELS = "def labels(X, w):\n    return [int(x @ w > 0) for x in X]\n"
HONEST = [MEAN, PROJECT, LABELS]
WRONG = """
def mean(x): return 0.0
def project(X, w): return w * 0
def labels(X, w): return [0] * len(X)
"""
ALL, NOTHING = (2, 3, 1), (0, 0, 0)


def everywhere(expression):
    """Return a cell in which all three functions return the same thing."""
    return "\n".join(
        f"def {name}: return {expression}" for name in ("mean(x)", "project(X, w)", "labels(X, w)")
    )


STYLES = {
    "lists": [
        "def mean(x):\n    total = 0\n    for part in x: total += part\n    return total / len(x)",
        """
def project(X, w):
    basis = []
    for x in X.tolist():
        for b in basis:
            c = sum(p * q for p, q in zip(x, b))
            x = [p - c * q for p, q in zip(x, b)]
        length = sum(p * p for p in x) ** 0.5
        if length > 1e-9: basis.append([p / length for p in x])
    gains = [sum(p * q for p, q in zip(b, w)) for b in basis]
    return [sum(g * b[k] for g, b in zip(gains, basis)) for k in range(len(w))]
""",
        LABELS,
    ],
    "in_place": [
        "def mean(x):\n    x /= len(x)\n    x[0] = x.sum()\n    return x[0]",
        """
import numpy as np
def project(X, w):
    X -= 0
    w[:] = np.linalg.pinv(X) @ (X @ w)
    X[:] = 0
    return w
""",
        "def labels(X, w):\n    X *= w\n    return (X.sum(axis=1) > 0).astype(int)",
    ],
    "svd": [
        "from numpy import *\nmean = lambda x: average(x)",
        """
def project(X, w):
    U, s, V = linalg.svd(X, full_matrices=False)
    V = V[s > 1e-9 * s[0]]
    return V.T @ V @ w
""",
        "labels = lambda X, w: where(X @ w > 0, 1.0, 0.0)",
    ],
    "qr_and_scipy": [
        "import numpy as np, scipy.linalg\ndef mean(x): return np.mean(x)",
        "def project(X, w):\n    Q = scipy.linalg.orth(X.T)\n    return Q @ (Q.T @ w)",
        "def labels(X, w): return X @ w > 0",
    ],
    "magics": [
        "%matplotlib inline\n%config InlineBackend.figure_format = 'svg'\nimport numpy as np",
        "!ls\n!echo hello > note.txt\n%timeit -n 1 -r 1 1 + 1",
        "%%time\n" + MEAN,
        "%load_ext autoreload\n%autoreload 2",
        "%%writefile helper.py\ndef twice(x): return 2 * x",
        "from helper import twice\n" + PROJECT.replace("X @ w,", "X @ twice(w) / 2,"),
        "%%bash\necho done",
        LABELS,
        "%pip install numpy",
    ],
    "figures": [
        "import matplotlib.pyplot as plt\nplt.plot([1, 2])\nplt.show()",
        "fig, ax = plt.subplots()\nax.hist([1, 2, 2])\nfig.savefig('x.png', dpi=40)\nplt.show()",
        *HONEST,
    ],
    "await_and_classes": [
        "import asyncio\nawait asyncio.sleep(0.01)",
        "class Mean:\n    def __call__(self, x): return x.mean()\nmean = Mean()",
        "import functools\n" + PROJECT,
        "def solve(w, X): return project(X, w)\nproject_ = functools.partial(solve)",
        "def labels(X, w): return tuple(1 if y > 0 else 0 for y in X @ w)",
    ],
    "descent": [
        MEAN,
        """
import numpy as np
def project(X, w):
    v = np.zeros_like(w)
    step = 1 / np.linalg.norm(X, 2) ** 2
    for _ in range(5000):
        v -= step * (X.T @ (X @ (v - w)))
    return v
""",
        LABELS,
    ],
    "processes": [
        "from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor",
        "with ProcessPoolExecutor(2) as pool: print(list(pool.map(abs, [1, -2])))",
        "with ThreadPoolExecutor(4) as pool: print(list(pool.map(abs, [1, -2])))",
        *HONEST,
    ],
    "errors_on_the_way": [
        "1 / 0",
        "this is no Python",
        MEAN,
        "undefined_name",
        PROJECT,
        "%nosuchmagic",
        "assert False, 'a visible check that fails'",
        LABELS,
        "raise KeyboardInterrupt",
    ],
}

PATCH_FRAMES = """
import sys, gc
def ours(frame):
    while frame:
        yield frame
        frame = frame.f_back
found = []
for frame in ours(sys._getframe()):
    for scope in (frame.f_locals, frame.f_globals):
        for key in list(scope):
            if key in ("encode", "answer", "make_calls", "describe", "decode"):
                try: scope[key] = lambda *a, **k: ["value", True]
                except Exception: pass
            if key in ("expected", "accept", "ASSIGNMENT", "solution", "seed"):
                found.append(scope[key])
        if "say" in scope:
            for k in range(3):
                for case in range(9):
                    scope["say"]([k, case, "value", 0.0])
"""
READ_EVERYTHING = """
import os, glob, sys
secrets = []
for top, folders, files in os.walk("/"):
    folders[:] = [f for f in folders if os.path.join(top, f) not in ("/proc", "/usr")]
    secrets += [os.path.join(top, f) for f in files
                if f in ("hidden.py", "grades.csv", "master.ipynb", "questions.py", "grade.py")]
# Where a walk sees no folder, a file in it may open all the same: on from where the grader lies.
for path in [*sys.path, sys.prefix, sys.executable]:
    while os.path.dirname(path) != path:
        path = os.path.dirname(path)
        secrets += glob.glob(path + "/course/*/*.py") + glob.glob(path + "/*/hidden.py")
secrets += ["/etc/passwd", "/etc/shadow"]
namespace = {}
for path in secrets:
    try: exec(open(path).read(), namespace)
    except Exception: pass
solutions = namespace.get("ASSIGNMENT")
"""
FAKE_RESULTS = """
import os, json
lines = [["cells"]] + [[q, c, "value", 0.0] for q in range(3) for c in range(9)]
lines += [["end"], ["next", 7]]
text = "".join(json.dumps(line) + "\\n" for line in lines).encode()
for fd in range(3, 64):
    try: os.write(fd, text)
    except OSError: pass
"""
FORK_BOMB = """
import os
def bomb():
    while True:
        try: os.fork()
        except OSError: pass
"""
RUNAWAY_FORK_BOMB = """
import os
def bomb():
    while True:
        try:
            if os.fork() == 0: os.setsid()
        except OSError: pass
"""
DAEMON = """
import os, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        import signal
        for number in range(1, 65):
            try: signal.signal(number, signal.SIG_IGN)
            except (OSError, ValueError): pass
        while True: time.sleep(0.01)
    os._exit(0)
os.wait()
"""
EVIL = """
class Evil(float):
    def always(self, *a, **k): return True
    __eq__ = __ne__ = __lt__ = __le__ = __gt__ = __ge__ = __bool__ = always
    def zero(self, *a, **k): return Evil(0)
    __sub__ = __rsub__ = __abs__ = __mul__ = __rmul__ = __add__ = __neg__ = zero
    __hash__ = None
"""

ATTACKS = {
    # Comparison and arithmetic bent
    "patched_numpy": (
        [
            "import numpy as np",
            "for n in ('allclose', 'isclose', 'array_equal', 'all'):\n"
            "    setattr(np, n, lambda *a, **k: True)\n"
            "np.linalg.norm = np.abs = lambda *a, **k: 0.0\n"
            "np.testing.assert_allclose = lambda *a, **k: None",
            WRONG,
        ],
        NOTHING,
    ),
    "patched_builtins": (
        [
            WRONG,
            LABELS,  # after the next cell nothing could be called any more: it is lost
            "import builtins\nbuiltins.abs = lambda x: 0.0\nbuiltins.isinstance = lambda *a: True",
            "builtins.all = builtins.bool = lambda *a: True\nbuiltins.sum = lambda *a: 0.0",
        ],
        (0, 0, 1),
    ),
    "patched_json": (
        [
            "import json\njson.dumps = lambda *a, **k: '[0, 0, \"value\", 0.0]'",
            "json.encoder.JSONEncoder.encode = lambda *a: '[\"end\"]'\njson.loads = lambda *a: []",
            WRONG,
        ],
        NOTHING,
    ),
    "patched_os": (["import os\nos.write = os.fork = os.waitpid = None", WRONG], NOTHING),
    "patched_frames": ([PATCH_FRAMES, WRONG], NOTHING),
    "patched_frames_in_a_call": (
        [
            "SOURCE = "
            + repr(PATCH_FRAMES)
            + "\ndef mean(x):\n    exec(SOURCE, {})\n    return 0.0",
            PROJECT,
            LABELS,
        ],
        NOTHING,  # it has given all answers itself, and the first counts
    ),
    "what_gc_knows": (
        [
            "import gc\nknown = [o for o in gc.get_objects() if callable(o)\n"
            "         and getattr(o, '__name__', '') in ('accept', 'accepts', 'close', 'judge')]",
            everywhere("known[0](0)"),
        ],
        NOTHING,
    ),
    # Values that aren't what they seem
    "evil_comparisons": ([EVIL, everywhere("Evil(1)")], NOTHING),
    "evil_array": (
        [
            "import numpy as np\nclass Evil:\n"
            "    def __array__(self, *a, **k): import os; os._exit(0)\n"
            "    def __len__(self): return 10**9\n"
            "    def __getattr__(self, name): return 0.0",
            everywhere("Evil()"),
        ],
        NOTHING,
    ),
    "evil_reduce": (
        [
            "class Evil:\n    def __reduce__(self):\n"
            "        import os\n        return os.system, ('touch /tmp/evil /tmp/home/evil',)",
            everywhere("Evil()"),
        ],
        NOTHING,
    ),
    "evil_pickle_bytes": (
        ["import pickle", everywhere("pickle.dumps(0.0)")],
        NOTHING,
    ),
    "evil_numbers": (
        [
            "class Evil:\n    def __float__(self): return 0.0\n"
            "    __index__ = __int__ = lambda self: 0",
            everywhere("[Evil(), Evil()]"),
        ],
        NOTHING,
    ),
    "evil_subarray": (
        [
            "import numpy as np\nclass Evil(np.ndarray):\n"
            "    shape = property(lambda self: (1,))\n    def __eq__(self, other): return True\n"
            "    def tolist(self): return [0.0]\n    def astype(self, *a, **k): return self",
            everywhere("np.zeros(3).view(Evil)"),
        ],
        NOTHING,
    ),
    "evil_metaclass": (
        [
            "class Meta(type):\n    def __eq__(self, other): return True\n"
            "    def __hash__(self): return hash(float)\n    __module__ = 'numpy'\n"
            "class Evil(metaclass=Meta): pass",
            everywhere("Evil()"),
        ],
        NOTHING,
    ),
    "object_array": (
        [EVIL, "import numpy as np", everywhere("np.array([Evil(1)] * 5, dtype=object)")],
        NOTHING,
    ),
    "masked_array": (
        ["import numpy as np", everywhere("np.ma.masked_all(5)")],
        NOTHING,
    ),
    "not_a_number": ([everywhere("float('nan')")], NOTHING),
    "arrays_of_nan": (["import numpy as np", everywhere("np.full(5, np.nan)")], NOTHING),
    "infinity": ([everywhere("[float('inf')] * 5")], NOTHING),
    "complex": (["import numpy as np", everywhere("np.zeros(5) + 0j")], NOTHING),
    "all_truths": ([everywhere("True")], NOTHING),
    "many_shapes": (["import numpy as np", everywhere("np.zeros((5, 0))")], NOTHING),
    "strings": ([everywhere("'0.0'")], NOTHING),
    "nothing_at_all": ([everywhere("None")], NOTHING),
    "a_generator": ([everywhere("(0.0 for _ in range(5))"), LABELS], (0, 0, 1)),
    "a_coroutine": (
        ["async def mean(x): return sum(x) / len(x)", PROJECT, LABELS],
        (0, 3, 1),
    ),
    "a_list_in_itself": (["a = []\na.append(a)", everywhere("a")], NOTHING),
    "a_list_very_deep": (
        ["a = 0.0\nfor _ in range(10**6): a = [a]", everywhere("a")],
        NOTHING,
    ),
    "a_number_very_long": ([everywhere("10**100000"), LABELS], (0, 0, 1)),
    "a_billion_entries": (
        ["import numpy as np\ndef mean(x): return np.zeros(10**9)", PROJECT, LABELS],
        (0, 3, 1),
    ),
    "a_million_entries": (
        ["def mean(x): return [0.0] * 10**6", PROJECT, LABELS],
        (0, 3, 1),
    ),
    "a_word_very_long": (["def mean(x): return 'x' * 10**8", PROJECT, LABELS], (0, 3, 1)),
    # Arguments, and knowing them
    "arguments_made_zero": (
        [
            "def mean(x):\n    x[:] = 0\n    return 0.0",
            "def project(X, w):\n    X[:] = 0\n    w[:] = 0\n    return w",
            "def labels(X, w):\n    X[:] = 0\n    return [0] * len(X)",
        ],
        NOTHING,
    ),
    "answers_of_the_visible_check": (
        ["def mean(x): return 2.0", "def project(X, w): return w", LABELS],
        (0, 0, 1),
    ),
    "right_at_the_first_call_only": (
        [
            "count = 0\ndef mean(x):\n    global count\n    count += 1\n"
            "    return x.mean() if count < 2 else 0"
        ],
        NOTHING,
    ),
    "redefined_later": ([*HONEST, "def mean(x): return 0.0"], (0, 3, 1)),
    "deleted_later": ([*HONEST, "del mean"], (0, 3, 1)),
    "the_inputs_in_an_error": (
        ["def mean(x): raise ValueError('inputs: ' + repr(x.tolist()))", PROJECT, LABELS],
        (0, 3, 1),
    ),
    "the_inputs_in_the_name_of_an_error": (
        [
            "def mean(x): raise type('inputs: ' + repr(x.tolist()), (Exception,), {})()",
            PROJECT,
            LABELS,
        ],
        (0, 3, 1),
    ),
    "the_inputs_read_too_early": (
        [
            *HONEST,
            "import os, select\nseen = b''\nfor fd in range(3, 30):\n    try:\n"
            "        if select.select([fd], [], [], 0.02)[0]: seen += os.read(fd, 1000)\n"
            "    except (OSError, ValueError): pass\nraise ValueError(f'inputs: {seen}')",
        ],
        ALL,
    ),
    # Results faked, and the line cut
    "fake_results": ([FAKE_RESULTS, WRONG], NOTHING),
    "fake_results_in_a_call": (
        ["SOURCE = " + repr(FAKE_RESULTS), "def mean(x):\n    exec(SOURCE, {})", PROJECT, LABELS],
        (0, 3, 1),  # what it says of other questions than the one that is open isn't heard
    ),
    "verdicts_of_its_own": (
        [
            "import os\nlines = ''.join(f'[{q}, {c}, \"{kind}\", 0.0]\\n' for q in range(3)\n"
            "                for c in range(9) for kind in ('right', 'accepted', '', 'wrong'))\n"
            "for fd in range(3, 30):\n"
            "    try: os.write(fd, b'[\"cells\"]\\n' + lines.encode())\n    except OSError: pass",
            WRONG,
        ],
        NOTHING,
    ),
    "fake_lines_of_odd_types": (
        [
            "import os\nfor line in ('[[], {}, [], []]', '[0, 0, [], 0]', 'null', '{}',"
            "\n             '[true, false, \"value\", 0]', '[0.0, 0, \"value\", 0]',"
            '\n             \'[0, 0, "value", {"array": 1}]\','
            "\n             '[' * 100000, '[0, 0, \"value\", 1e999]', '\\\\udfff', '9' * 9999,"
            "\n             '[\"cell\"]', '[\"cell\", {}, [], null]'):\n"
            "    for fd in range(3, 30):\n"
            "        try: os.write(fd, line.encode() + b'\\n')\n        except OSError: pass",
            WRONG,
        ],
        NOTHING,
    ),
    "faked_files": (
        [
            "import os\nfor name in ('results.json', 'grades.csv', 'hidden.py', 'json.py'):\n"
            "    for top in ('/autograder/results', '/grader', '/tmp', '.', '/'):\n"
            "        try:\n            os.makedirs(top, exist_ok=True)\n"
            "            open(f'{top}/{name}', 'w').write('{\"score\": 6}')\n"
            "        except OSError: pass",
            WRONG,
        ],
        NOTHING,
    ),
    "garbage_as_results": (
        [
            "import os\nfor fd in range(3, 30):\n    try:\n"
            "        for _ in range(3000): os.write(fd, b'x' * 10000)\n    except OSError: pass",
            WRONG,
        ],
        NOTHING,
    ),
    "many_short_lines": (
        [
            "import os\nfor fd in range(3, 30):\n    try:\n"
            "        for _ in range(300): os.write(fd, b'[]\\n' * 10000)\n    except OSError: pass",
            WRONG,
        ],
        NOTHING,
    ),
    "errors_of_odd_cells": (
        [
            "import os, json\nfor number in (-1, 7, 10**9, int('9' * 4299), True):\n"
            "    line = json.dumps(['cell', number, 'x\\n# y', '\\ud800' * 5000])\n"
            "    for fd in range(3, 30):\n"
            "        try: os.write(fd, line.encode() + b'\\n')\n        except OSError: pass",
            *HONEST,
        ],
        ALL,
    ),
    "errors_without_end": (
        ["1 / 0"] * 100 + HONEST,
        ALL,
    ),
    "closed_line": ([*HONEST, "import os\nos.closerange(3, 256)"], ALL),
    "closed_line_in_a_call": (
        [*HONEST, "import os\ndef mean(x):\n    os.closerange(3, 256)\n    return x.mean()"],
        (0, 3, 1),
    ),
    "half_a_line_in_a_call": (
        [
            *HONEST,
            "import os\ndef mean(x):\n    for fd in range(3, 30):\n"
            "        try: os.write(fd, b'[0, 0, ')\n        except OSError: pass\n    os._exit(0)",
        ],
        (0, 3, 1),
    ),
    # Ends
    "exit_at_once": ([*HONEST, "import os\nos._exit(0)"], ALL),
    "exit_in_a_call": ([*HONEST, "import os\ndef mean(x): os._exit(0)"], (0, 3, 1)),
    "polite_exit": (["import sys\nsys.exit(0)", *HONEST, "exit()", "quit()"], ALL),
    "polite_exit_in_a_call": ([*HONEST, "def mean(x): raise SystemExit(0)"], (0, 3, 1)),
    "kill_all": (
        [*HONEST, "import os\nos.kill(-1, 9)"],
        ALL,  # it can't reach even itself: what runs the cells isn't a child of its own
    ),
    "kill_the_parent_in_a_call": (
        [
            *HONEST,
            "import os, time\ndef labels(X, w):\n    os.kill(os.getppid(), 9)\n    time.sleep(9)",
        ],
        (2, 3, 0),
    ),
    "stop_oneself_in_a_call": (
        [*HONEST, "import os\ndef mean(x): os.kill(os.getpid(), 19)"],
        (0, 3, 1),
    ),
    "recursion": (
        [
            *HONEST,
            "import sys\nsys.setrecursionlimit(10**9)",
            "def mean(x): return mean(list(map(mean, [x])))",
        ],
        (0, 3, 1),
    ),
    "segfault": (
        [*HONEST, "import ctypes\ndef labels(X, w): return ctypes.string_at(1)"],
        (2, 3, 0),
    ),
    "segfault_in_a_cell": ([*HONEST, "import ctypes\nctypes.string_at(1)"], ALL),
    # Time
    "endless_cell": ([*HONEST, "while True: pass"], ALL),
    "endless_cell_that_insists": (
        [
            *HONEST,
            "import time\nwhile True:\n    try: time.sleep(1e6)\n    except BaseException: pass",
        ],
        ALL,
    ),
    "endless_cell_deaf_to_signals": (
        [
            *HONEST,
            "import signal\nfor s in range(1, 65):\n"
            "    try: signal.signal(s, signal.SIG_IGN)\n    except (OSError, ValueError): pass\n"
            "while True: pass",
        ],
        ALL,
    ),
    "endless_c_code": ([*HONEST, "sum(range(10**15))"], ALL),
    "endless_call": ([*HONEST, "def mean(x):\n    while True: pass"], (0, 3, 1)),
    "sleeping_call": ([*HONEST, "import time\ndef project(X, w): time.sleep(1e6)"], (2, 0, 1)),
    "endless_threads": (
        [
            "import threading\ndef spin():\n    while True: pass\n"
            "for _ in range(4): threading.Thread(target=spin).start()",
            *HONEST,
        ],
        ALL,
    ),
    "endless_repr": (
        [
            *HONEST,
            "class Evil:\n    def __repr__(self):\n        while True: pass\nEvil()",
        ],
        ALL,
    ),
    "endless_message_of_an_error": (
        [
            "class Evil(Exception):\n    def __str__(self):\n        while True: pass\n"
            "    def __bool__(self): raise SystemExit\nraise Evil",
            WRONG,
        ],
        NOTHING,
    ),
    "waits_for_input": (["name = input('Your name?')", *HONEST], ALL),
    # Processes
    "fork": (["import os\nos.fork()", *HONEST], ALL),
    "fork_in_a_call": (
        [*HONEST, "import os\ndef mean(x):\n    os.fork()\n    return x.mean()"],
        ALL,
    ),
    "fork_bomb": ([FORK_BOMB, WRONG, "bomb()"], NOTHING),
    "fork_bomb_in_a_call": ([FORK_BOMB, *HONEST, "def mean(x): bomb()"], (0, 3, 1)),
    "runaway_fork_bomb_in_a_call": (
        [RUNAWAY_FORK_BOMB, WRONG, "def mean(x): bomb()"],
        NOTHING,
    ),
    "shell_bomb": ([":(){ :|:& };:", "!:(){ :|:& };:", "%%bash\n:(){ :|:& };:", WRONG], NOTHING),
    "daemon": ([DAEMON, *HONEST], ALL),
    "daemon_from_the_shell": (["!nohup sleep 100000 > /dev/null 2>&1 &", *HONEST], ALL),
    "many_processors": (
        [
            "import os\ntry: os.sched_setaffinity(0, range(64))\nexcept OSError: pass\n"
            "try: os.nice(-20)\nexcept OSError: pass\n"
            "for _ in range(20):\n    if os.fork() == 0:\n        while True: pass",
            WRONG,
        ],
        NOTHING,
    ),
    "kill_the_neighbours": (
        [
            "import os\nfor pid in range(3, 5000):\n"
            "    if pid not in (os.getpid(), os.getppid()):\n"
            "        try: os.kill(pid, 9)\n        except OSError: pass",
            *HONEST,
        ],
        ALL,
    ),
    # Memory and disk
    "ten_gigabytes": (["x = bytearray(10 * 2**30)", *HONEST], ALL),
    "ten_gigabytes_bit_by_bit": (
        [
            "x = []\ntry:\n    while True: x.append(bytearray(b'x') * 2**26)\n"
            "except MemoryError: x = 0",
            *HONEST,
        ],
        ALL,
    ),
    "memory_of_many": (
        [
            "import os, time\nfor _ in range(30):\n    if os.fork() == 0:\n"
            "        x = bytearray(b'x') * 2**30\n        time.sleep(100)\ntime.sleep(100)",
            WRONG,
        ],
        NOTHING,
    ),
    "memory_shared_and_unmapped": (
        [
            "import mmap, os, time\nfor _ in range(30):\n    if os.fork() == 0:\n"
            "        x = mmap.mmap(-1, 2**30)\n"
            "        for k in range(0, 2**30, 4096): x[k] = 1\n"
            "        x.madvise(mmap.MADV_DONTNEED)\n        time.sleep(100)\ntime.sleep(100)",
            WRONG,
        ],
        NOTHING,
    ),
    "memory_of_nobody": (
        [
            "import os, ctypes\nlibc = ctypes.CDLL(None, use_errno=True)\n"
            "held = []\nfor k in range(200):\n    try: held.append(os.memfd_create(str(k)))\n"
            "    except OSError: break\n"
            "    os.posix_fallocate(held[-1], 0, 2**26)\n"
            "ids = [libc.shmget(0, 2**28, 0o1600) for _ in range(100)]\n"
            "assert not held and max(ids) < 0, 'memory that is not counted'",
            *HONEST,
        ],
        ALL,
    ),
    "full_folder": (
        [
            "import os\nfor top in ('.', '/tmp', '/dev/shm'):\n    try:\n"
            "        for k in range(10**6):\n"
            "            open(f'{top}/{k}', 'wb').write(bytes(2**24))\n    except OSError: pass",
            *HONEST,
        ],
        ALL,
    ),
    "output_flood": (["for _ in range(100): print('x' * 10**6)", *HONEST], ALL),
    "error_flood": (["raise ValueError('x' * 10**8)", *HONEST], ALL),
    "many_cells": (["1"] * 500 + HONEST, ALL),
    "folder_deleted": (
        [
            "import os, shutil\nshutil.rmtree(os.getcwd(), ignore_errors=True)",
            "os.chdir('/tmp')\nos.rmdir('/tmp/home')",
            *HONEST,
        ],
        ALL,
    ),
    "everything_deleted": (["!rm -rf / --no-preserve-root > /dev/null 2>&1", *HONEST], ALL),
    # What lies outside
    "read_everything": ([READ_EVERYTHING, everywhere("solutions.questions[0].accept(0)")], NOTHING),
    "import_the_grader": (
        [
            "import course.grader.questions as q\nq.Question.accepts = lambda *a: True",
            "import sys\nsys.path += ['/grader', '/tmp', '/']\nfrom hidden import ASSIGNMENT",
            "import inside.run as inside\ninside.encode = lambda *a: 0.0",
            WRONG,
        ],
        NOTHING,
    ),
    "import_the_answers": (
        ["import distill_lib", "from distill_lib import closed_form_student as project", MEAN],
        (2, 0, 0),
    ),
    "environment": (
        [
            "import os\nfound = dict(os.environ)\nfor pid in os.listdir('/proc'):\n"
            "    for name in ('environ', 'cmdline'):\n"
            "        try: found[pid + name] = open(f'/proc/{pid}/{name}').read()\n"
            "        except OSError: pass\n"
            "hits = [v for v in found.values() if 'THE SECRET' in v]\n"
            "raise ValueError(f'found {len(hits)} secrets: {hits}')",
            WRONG,
        ],
        NOTHING,
    ),
    "network": (
        [
            "import socket, urllib.request\nreached = []\n"
            "for place in [('127.0.0.1', PORT), ('1.1.1.1', 53), ('::1', PORT)]:\n    try:\n"
            "        reached.append(socket.create_connection(place, timeout=0.3))\n"
            "    except OSError: pass\n"
            "assert not reached, f'reached {reached}'",
            "!curl -m 1 http://127.0.0.1:PORT/\n",
            *HONEST,
        ],
        ALL,
    ),
    "become_root": (
        [
            "import os\nfor call in (os.setuid, os.setgid, os.chroot):\n"
            "    try: call(0 if call is not os.chroot else '/')\n    except OSError: pass\n"
            "assert os.getuid() != 0, 'root'",
            "!unshare -r true || unshare -U true || sudo true || su -c true",
            WRONG,
        ],
        NOTHING,
    ),
    "poisoned_packages": (
        [
            "import os, sys, numpy\nfor path in [numpy.__file__, os.__file__, sys.executable,\n"
            "             '/usr/bin/env', '/grader/inside/run.py', '/proc/self/exe',\n"
            "             '/proc/sys/kernel/core_pattern']:\n"
            "    try: open(path, 'w').write('poison'); raise SystemError('written: ' + path)\n"
            "    except OSError: pass",
            *HONEST,
        ],
        ALL,
    ),
    "left_for_the_next": (
        [
            "import os\nos.makedirs('.ipython/profile_default/startup', exist_ok=True)\n"
            "for path in ('.ipython/profile_default/startup/00.py', 'sitecustomize.py',\n"
            "             'numpy.py', 'usercustomize.py', '/tmp/x.py', '/dev/shm/left'):\n"
            "    assert not os.path.exists(path), 'left by somebody'\n"
            "    open(path, 'w').write('raise SystemExit')",
            *HONEST,
        ],
        ALL,
    ),
}
ATTACKS["left_for_the_next_again"] = ATTACKS["left_for_the_next"]
