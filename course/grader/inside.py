"""What runs in the sandbox, beside the student's code: cells first, then the hidden calls.

A script that needs nothing of the grader. It reads two lines of JSON from stdin, the second only
once all cells have run, and answers in lines of JSON on stdout. Nothing here has to withstand the
student's code: whatever arrives at the other end is taken for the student's answers.

It is also imported by the grader, for `encode` and `decode`.
"""

import builtins
import json
import os
import signal
import sys
import time

import numpy as np

ENTRIES = 200_000  # of one answer
CHARACTERS = 1_000  # of an answer that is a text, or of an error's message


class Refused(Exception):
    """A value that is no number, text, list or array; or one that is too large."""


def encode(value, room=ENTRIES, depth=0):
    """Return a value as what JSON has, or raise Refused; of exactly the types below, no others."""
    kind = type(value)
    if value is None or kind is bool or kind is float:
        return value
    if kind is int and abs(value) < 2**63:
        return value
    if kind is str and len(value) <= CHARACTERS:
        return value
    if kind in (list, tuple) and len(value) <= room and depth < 8:
        return [encode(part, room // max(len(value), 1), depth + 1) for part in value]
    if isinstance(value, np.generic) and kind.__module__ == "numpy":
        return encode(value.astype(float).item() if value.dtype.kind == "f" else value.item())
    if kind is np.ndarray and value.dtype.kind in "biuf" and value.size <= room:
        if value.dtype.kind == "f":
            value = value.astype(float)
        return {"array": value.ravel().tolist(), "shape": value.shape, "kind": value.dtype.kind}
    raise Refused


def decode(data, integer=np.int64):
    """Return what encode was given, tuples as lists; integer arrays get that type."""
    if isinstance(data, list):
        return [decode(part, integer) for part in data]
    if isinstance(data, dict):
        kind = {"b": bool, "i": integer, "u": integer, "f": float}[data["kind"]]
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


def run_cells(shell, cells, seconds, say):
    """Run all cells; those that fail, or that take all the time, don't keep the next ones."""

    running, own = False, os.getpid()

    def interrupt(*_):
        if running:
            raise TimeoutError("the time for the cells of the notebook is used up")

    signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, seconds, 1)  # then a second for each cell after it
    for number, source in enumerate(cells):
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
    """Make the calls of a question and say what they return."""
    own = os.getpid()
    for case, arguments in enumerate(cases):
        given = ["missing", ""] if function is None else answer(function, arguments)
        if os.getpid() == own:  # and no copy of us, made by the function
            say([number, case, *given])


def run_calls(shell, calls, end, say):
    """Make the calls of each question in a process of its own, with its share of the time left."""
    for number, (name, cases) in enumerate(calls):
        share = (end - time.monotonic()) / (len(calls) - number)
        child = os.fork()
        if child == 0:
            try:
                os.setpgid(0, 0)
                make_calls(number, shell.user_ns.get(name), cases, say)
            finally:
                os._exit(0)
        stop = time.monotonic() + max(share, 0.1)
        while os.waitpid(child, os.WNOHANG) == (0, 0) and time.monotonic() < stop:
            time.sleep(0.002)
        try:
            os.killpg(child, signal.SIGKILL)  # with the processes that it has started
            os.waitpid(child, 0)
        except OSError:
            pass
        say([])  # ends a line that was broken off


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
    say(["start"])
    cells = json.loads(heard.readline())
    end = time.monotonic() + limits["seconds"]
    run_cells(shell, cells, limits["seconds"] / 2, say)
    say(["cells"])
    run_calls(shell, json.loads(heard.readline()), end, say)
    say(["end"])
    os._exit(0)  # whatever the student left to be done at exit


if __name__ == "__main__":
    main()
