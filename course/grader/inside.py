"""What runs in the sandbox, beside the student's code: cells first, then the hidden calls.

A script that needs nothing of the grader. It reads two lines of JSON from stdin, the second only
once all cells have run, and answers in lines of JSON on stdout. Nothing here has to withstand the
student's code: whatever arrives at the other end is taken for the student's answers.

It is also imported by the grader, for `encode` and `decode`.
"""

import array
import ast
import builtins
import contextlib
import json
import os
import signal
import sys
import time
from decimal import Decimal
from fractions import Fraction

import numpy as np

ENTRIES = 200_000  # of one answer
CHARACTERS = 1_000  # of an answer that is a text, or of an error's message

SPENT = "the time for the cells of the notebook is used up"
LOST = "This cell is lost; your functions are graded as they were before it"
MISSING = object()
# How a process can end before its time, in words for the student
WHY = {
    "late": "it took too long",
    "exit": "it ended the process",
    "crash": "its process crashed",
    "killed": "it was ended, as what takes too much memory or makes too many files is",
    "files": "it made too many files; all files are gone",
    "pool": "it waited for a pool of processes or for a thread, which ended when an earlier step "
    "took too long, crashed or was ended",
    "unknown": "its process ended",
}


class Refused(Exception):
    """A value that is no number, text, list or array; or one that is too large."""


def encode(value, room=ENTRIES, depth=0):
    """Return a value as what JSON has, or raise Refused.

    Numbers, texts, lists and arrays may come in any dress: of a subclass, mapped into memory,
    masked where nothing is masked, complex without an imaginary part.
    """
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str) and len(value) <= CHARACTERS:
        return str.__str__(value)
    if isinstance(value, array.array) and value.typecode != "u":
        value = np.asarray(value)
    if isinstance(value, np.generic):
        if value.dtype != np.float32:
            return encode(value.astype(float).item() if value.dtype.kind == "f" else value.item())
        value = np.asarray(value)
    if isinstance(value, (int, float, complex, Fraction, Decimal)):
        return plain_number(value)
    if isinstance(value, (list, tuple)) and len(value) <= room and depth < 8:
        return [encode(part, room // max(len(value), 1), depth + 1) for part in value]
    if isinstance(value, np.ndarray) and value.size <= room:
        return encode_array(value)
    raise Refused


def plain_number(value):
    """Return a number as one of Python's own types."""
    if isinstance(value, complex):
        if value.imag:
            raise Refused
        value = value.real
    if isinstance(value, int):
        if abs(value) >= 2**63:
            raise Refused
        return int(value)
    return float(value)


def encode_array(value):
    """Return an array as what JSON has."""
    if np.ma.is_masked(value):
        raise Refused
    value = np.asarray(value)  # of a subclass, what it holds
    kind = value.dtype.kind
    if kind == "c" and not value.imag.any():
        value, kind = value.real, "f"
    if kind == "O":
        parts = [encode(part) for part in value.ravel()]
        parts = [decode(part).item() if isinstance(part, dict) else part for part in parts]
        if not all(isinstance(part, (bool, int, float)) for part in parts):
            raise Refused
        types = {type(part) for part in parts}
        if bool in types and len(types) > 1:
            raise Refused
        kind = "b" if bool in types else "i" if types == {int} else "f"
        return {"array": parts, "shape": value.shape, "kind": kind}
    if kind not in "biuf":
        raise Refused
    if value.dtype == np.float32:
        kind = "s"
    if kind in "fs":
        value = value.astype(float)
    return {"array": value.ravel().tolist(), "shape": value.shape, "kind": kind}


def decode(data, integer=np.int64):
    """Return what encode was given, tuples as lists; integer arrays get that type."""
    if isinstance(data, list):
        return [decode(part, integer) for part in data]
    if isinstance(data, dict):
        kinds = {"b": bool, "i": integer, "u": integer, "f": float, "s": np.float32}
        kind = kinds[data["kind"]]
        return np.array(data["array"], dtype=kind).reshape(data["shape"])
    return data


def confine(limits):
    """Give up, for good, what the code of students doesn't need."""
    import resource

    if limits["user"]:
        os.setgroups([])
        os.setgid(limits["user"])
        os.setuid(limits["user"])
    os.nice(10)
    if hasattr(os, "sched_getaffinity"):
        # Whoever asks how many cores there are learns of those that a submission may keep busy:
        # a pool of 64 processes is nobody's wish.
        os.cpu_count = lambda: len(os.sched_getaffinity(0))
    for name, bound in limits["resources"].items():
        try:
            resource.setrlimit(getattr(resource, name), (bound, bound))
        except (AttributeError, ValueError, OSError):  # macOS hasn't all of them
            if limits["strict"]:
                raise


def quiet_shell():
    """Return an IPython shell in which magics work, and nothing is shown or stored."""
    from IPython.core.history import HistoryManager
    from IPython.core.interactiveshell import InteractiveShell

    HistoryManager.enabled = False

    class Shell(InteractiveShell):
        unknown = []  # the magics of a cell that there aren't here: of a kernel, of an extension

        def run_line_magic(self, magic_name, line, _stack_depth=1):
            if self.find_line_magic(magic_name) is None:
                self.unknown.append(f"%{magic_name}")
                return None
            try:
                return super().run_line_magic(magic_name, line, _stack_depth + 1)
            except ImportError:
                if magic_name not in ("load_ext", "reload_ext"):
                    raise
                self.unknown.append(f"%{magic_name} {line}")

        def run_cell_magic(self, magic_name, line, cell):
            if self.find_cell_magic(magic_name):
                return super().run_cell_magic(magic_name, line, cell)
            self.unknown.append(f"%%{magic_name} and what stands below it")

        def enable_matplotlib(self, gui=None):
            return None, "agg"  # as no one looks, no figure is ever drawn

        def enable_gui(self, gui=None):
            pass

        def ask_exit(self):
            pass

        def showtraceback(self, *_, **__):
            pass

        showsyntaxerror = showindentationerror = showtraceback

    return Shell.instance(colors="nocolor", cache_size=0)


def describe(error):
    """Return the type and the message of an error of a cell."""
    try:
        return [type(error).__name__, str(error)[:CHARACTERS]]
    except BaseException:
        return ["Exception", ""]


class Checkpoints:
    """Copies of the process, one before each step that may end it.

    The process itself takes the steps, so that its threads, and the pools of processes that it
    has made, go on working. A copy waits. If the process ends, or is late and is ended, the copy
    goes on in its place, as it was before that step.
    """

    def __init__(self, limits, ends):
        """Prepare; ends is a pipe in which the first process says how others have ended."""
        self.alone = limits["strict"]  # whether there are none but our own processes here
        self.files = limits["files"]
        self.ends = ends
        self.copy = 0
        self.without = False  # whether threads or processes were lost when a copy took over

    def before(self, limit):
        """Make a copy. It comes back from here as well, if it must: with why, of WHY, not ""."""
        own, busy = os.getpid(), company()
        self.drop()
        self.copy = fork()
        if self.copy:
            return ""
        late = False
        while os.getppid() == own:
            if not late and time.monotonic() > limit:
                late = True
                os.kill(own, signal.SIGKILL)
            time.sleep(0.01)
        why = "late" if late else self.how(own)
        if self.alone:
            self.end_others()
            why = self.tidy() or why
        if late and self.without:
            why = "pool"
        if busy:
            self.without = True
            forget_workers()
        return why

    def end_others(self):
        """End what the process has started; not us, nor the first process."""
        stop = time.monotonic() + 2
        with contextlib.suppress(OSError):  # there are none
            while time.monotonic() < stop:
                os.kill(-1, signal.SIGKILL)
                time.sleep(0.002)

    def drop(self):
        """End the copy that isn't needed any more."""
        if self.copy:
            with contextlib.suppress(OSError):
                os.kill(self.copy, signal.SIGKILL)
                os.waitpid(self.copy, 0)
            self.copy = 0

    def how(self, process):
        """Return how a process ended, as far as the first process knows."""
        heard, stop = b"", time.monotonic() + 0.5
        while time.monotonic() < stop:
            with contextlib.suppress(BlockingIOError):
                heard += os.read(self.ends, 2**16)
            for line in heard.split(b"\n")[:-1]:
                number, _, status = line.partition(b" ")
                if number == b"%d" % process:
                    return kind_of(int(status))
            time.sleep(0.01)
        return "unknown"

    def tidy(self):
        """Remove the files, if there were more of them than allowed; say so, or return ""."""
        if files_in("/") <= self.files:
            return ""
        for place in ("/tmp", "/dev/shm"):
            for top, folders, names in os.walk(place, topdown=False):
                for name in names:
                    with contextlib.suppress(OSError):
                        os.unlink(os.path.join(top, name))
                for name in folders:
                    with contextlib.suppress(OSError):
                        os.rmdir(os.path.join(top, name))
        return "files"


def files_in(root):
    """Return how many files there are in the two places below root where there can be any."""
    counts = [os.statvfs(os.path.join(root, place)) for place in ("tmp", "dev/shm")]
    return sum(count.f_files - count.f_ffree for count in counts)


def company():
    """Whether this process has threads or other processes, which no copy of it has."""
    import multiprocessing
    import threading

    return threading.active_count() > 1 or bool(multiprocessing.active_children())


def forget_workers():
    """Let joblib start workers anew: those that it remembers aren't this process's."""
    loky = sys.modules.get("joblib.externals.loky.reusable_executor")
    if loky:
        loky._executor = None


def fork():
    """Fork, if need be once other processes have made room by ending."""
    for _ in range(200):
        with contextlib.suppress(BlockingIOError):
            return os.fork()
        time.sleep(0.01)
    return os.fork()


def kind_of(status):
    """Return which of WHY a status means that the system gives for a process that has ended."""
    if os.WIFEXITED(status):
        return "exit"
    return "killed" if os.WTERMSIG(status) == signal.SIGKILL else "crash"


def harmless(source):
    """Whether a cell only defines functions, so that there is no need for a checkpoint."""
    try:
        body = ast.parse(source).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return all(
        isinstance(part, ast.Expr)
        and isinstance(part.value, ast.Constant)
        or isinstance(part, ast.FunctionDef)
        and not part.decorator_list
        and all(isinstance(value, ast.Constant) for value in part.args.defaults)
        and not any(part.args.kw_defaults)
        for part in body
    )


def run_cells(shell, cells, start, seconds, checkpoints, say):
    """Run all cells; those that fail, or that take all the time, don't keep the next ones.

    A cell that ends the process is lost, and what it did; the next one finds what was before it.
    """
    running, until = False, start + seconds / 2

    def interrupt(*_):
        if running:
            raise TimeoutError(SPENT)

    def watch():
        signal.signal(signal.SIGALRM, interrupt)
        # Later, a second for each cell after it.
        signal.setitimer(signal.ITIMER_REAL, max(until - time.monotonic(), 0.001), 1)

    watch()
    for number, source in enumerate(cells):
        now = time.monotonic()
        if now > start + 0.75 * seconds:
            say([])
            say(["cell", number, "TimeoutError", f"{SPENT}: from here on no cell was run"])
            break
        # A second more than a cell gets that can be interrupted
        why = "" if harmless(source) else checkpoints.before(max(until, now + 1) + 1)
        if why:
            say([])  # ends a line that was broken off
            say(["cell", number, "Lost", f"{WHY[why]}. {LOST}"])
            watch()
            continue
        own = os.getpid()
        try:
            running = True
            result = shell.run_cell(source, store_history=False)
            running = False
            errors = [result.error_before_exec, result.error_in_exec]
        except BaseException as unexpected:
            running = False
            errors = [unexpected]
        if os.getpid() != own:
            os._exit(0)  # a copy of us, made by the cell
        for error in errors:
            if error is not None:
                say(["cell", number, *describe(error)])
        if shell.unknown:
            left_out = ", ".join(shell.unknown)[:CHARACTERS]
            say(["cell", number, "Warning", f"left out, for there is no such magic: {left_out}"])
            shell.unknown.clear()
    signal.setitimer(signal.ITIMER_REAL, 0)


def answer(function, arguments):
    """Return ["value", value] or what went wrong; of an error only its type, if it's Python's."""
    try:
        value = function(*decode(arguments))
    except BaseException as error:
        name = type(error).__name__
        return ["raised", name if getattr(builtins, name, None) is type(error) else "Exception"]
    try:
        return ["value", encode(value)]
    except BaseException:
        return ["refused", ""]


def make_calls(number, function, cases, say):
    """Make the calls of a question and say what they return; a function may be MISSING."""
    own = os.getpid()
    for case, arguments in enumerate(cases):
        if function is MISSING:
            given = ["missing", ""]
        elif not callable(function):
            given = ["overwritten", ""]
        else:
            given = answer(function, arguments)
        if os.getpid() != own:
            os._exit(0)  # a copy of us, made by the function
        say([number, case, *given])


def run_calls(shell, calls, end, checkpoints, say):
    """Make the calls of each question, with its share of the time left.

    In the process that ran the cells, for a function may use a pool that was made there. Only
    where that process has ended a copy does it.
    """
    for number, (name, cases) in enumerate(calls):
        now = time.monotonic()
        why = checkpoints.before(now + max((end - now) / (len(calls) - number), 0.1))
        if why:
            say([])
            for case in range(len(cases)):  # where there was an answer, that one counts
                say([number, case, "ended", why])
        else:
            make_calls(number, shell.user_ns.get(name, MISSING), cases, say)
    checkpoints.drop()


def wait_for_all(ends):
    """Wait until there are no other processes, and say in a pipe how each has ended."""
    while True:
        try:
            process, status = os.wait()
        except ChildProcessError:
            return
        with contextlib.suppress(OSError):  # full
            os.write(ends, b"%d %d\n" % (process, status))


def main():
    limits = json.loads(sys.argv[1])
    confine(limits)
    heard, said = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb", buffering=0)

    def say(line, dumps=json.dumps):
        rest = memoryview(dumps(line).encode() + b"\n")
        while rest:
            rest = rest[said.write(rest) :]

    shell = quiet_shell()
    sys.path.insert(0, "")  # as in Jupyter: files beside the notebook can be imported
    # The student's code gets neither end of the conversation as its stdin, stdout or stderr.
    nothing = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1, 2):
        os.dup2(nothing, standard)
    ends, end_said = os.pipe()
    os.set_blocking(ends, False)
    os.set_blocking(end_said, False)
    if os.fork():
        # The first process runs no student's code. Nothing in the sandbox can end it.
        wait_for_all(end_said)
        os._exit(0)
    os.close(end_said)
    say(["start"])
    cells = json.loads(heard.readline())
    start = time.monotonic()
    checkpoints = Checkpoints(limits, ends)
    try:
        run_cells(shell, cells, start, limits["seconds"], checkpoints, say)
        say(["cells"])
        calls = json.loads(heard.readline())
        run_calls(shell, calls, start + limits["seconds"], checkpoints, say)
        say(["end"])
    finally:
        os._exit(0)  # whatever the student left to be done at exit


if __name__ == "__main__":
    main()
