"""What runs in the sandbox, beside the student's code: cells first, then the hidden calls.

It needs nothing of the grader. It reads lines of JSON from stdin, the first with all cells, each
further one with the calls of a question once those before are answered, and answers in lines of
JSON on stdout. Nothing here has to withstand the student's code: whatever arrives at the other end
is taken for the student's answers.
"""

import ast
import builtins
import contextlib
import json
import os
import signal
import sys
import time

from .checkpoints import WHY, Checkpoints
from .shell import Outputs, figures_as_png, quiet_shell
from .values import CHARACTERS, decode, encode

LOST = "This cell is lost; your functions are graded as they were before it"
SPENT = "the time for the cells of the notebook is used up"
MISSING = object()


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


def describe(error):
    """Return the type and the message of an error of a cell."""
    try:
        return [type(error).__name__, str(error)[:CHARACTERS]]
    except BaseException:
        return ["Exception", ""]


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


def run_cells(shell, cells, start, seconds, checkpoints, say, outputs=None):
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
        if outputs is not None:
            figures_as_png(shell)
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
        if outputs is not None:
            say(["shown", number, outputs.take()])
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


@contextlib.contextmanager
def lent(space, sources):
    """Have right functions in the place of the student's earlier ones: {name: source}."""
    own = {name: space.get(name, MISSING) for name in sources}
    for name, source in sources.items():
        apart = {"__name__": "lent"}
        exec(source, apart)
        space[name] = apart[name]
    try:
        yield
    finally:
        for name, function in own.items():
            if function is MISSING:
                space.pop(name, None)
            else:
                space[name] = function


def run_calls(space, heard, checkpoints, say):
    """Make the calls of each line, until there are no more.

    In the process that ran the cells, for a function may use a pool that was made there. Only
    where that process has ended a copy does it.
    """
    while line := heard.readline():
        number, name, cases, sources, seconds = json.loads(line)
        why = checkpoints.before(time.monotonic() + seconds)
        if why:
            say([])  # ends a line that was broken off
            for case in range(len(cases)):  # where there was an answer, that one counts
                say([number, case, "ended", why])
        else:
            with lent(space, sources):
                make_calls(number, space.get(name, MISSING), cases, say)
        checkpoints.done()
        say(["next", number])
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
    """Run the cells and make the calls that come in."""
    limits = json.loads(sys.argv[-1])
    confine(limits)
    heard, said = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb", buffering=0)

    def say(line, dumps=json.dumps):
        rest = memoryview(dumps(line).encode() + b"\n")
        while rest:
            rest = rest[said.write(rest) :]

    outputs = None
    if limits["show"]:
        outputs = Outputs()
        os.environ["MPLBACKEND"] = "module://matplotlib_inline.backend_inline"
    shell = quiet_shell(outputs)
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
        run_cells(shell, cells, start, limits["seconds"], checkpoints, say, outputs)
        checkpoints.done()
        say(["cells"])
        run_calls(shell.user_ns, heard, checkpoints, say)
    finally:
        os._exit(0)  # whatever the student left to be done at exit
