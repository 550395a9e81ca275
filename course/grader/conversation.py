"""What is said to a process that runs a student's code, and what it answers: lines of JSON.

Nothing that it says is trusted. What it may know is sent when what it could answer with that is
closed: the calls of a question after the last cell, and a right function, in the place of a wrong
one of the student's, after the last answer to the question that asks for this function.
"""

import contextlib
import json
import selectors
import threading
import time
from dataclasses import dataclass, field

from course.grader.inside.values import CHARACTERS, encode
from course.grader.store import SandboxError
from course.grader.watch import look_after

START = 60  # seconds for the interpreter to start; no student's code has run by then
GRACE = 4  # seconds more than the process itself takes to end what is late
INTERVAL = 0.1  # seconds between looks at the memory
PAUSE = 2.0  # seconds in which nothing is ended again: a copy of what was ended clears up
ANSWERS = 20_000_000  # bytes, of all answers of a submission together
ERRORS = 20  # of cells, kept for the feedback
SHORTEST = 0.1  # seconds that a question gets when there is no time left


@dataclass
class Run:
    """What came out of the sandbox. All of it is the student's word, none of it is trusted."""

    cells: list = field(default_factory=list)  # [number, type, message] of the cells that failed
    shown: dict = field(default_factory=dict)  # {number: outputs} of cells, where somebody looks
    stopped: str = ""  # why it was stopped
    short: bool = False  # whether the kernel ended a process of it, for want of memory
    deadline: float = 0.0


@dataclass
class Turn:
    """What is asked of a function of the student's at once."""

    function: str
    cases: list  # of tuples of arguments
    lent: dict = field(default_factory=dict)  # {name: source} of right functions, in place of own
    left: int = 1  # how many questions share the time that is left, with this one


class Conversation:
    """With one process, from its start to its end."""

    def __init__(self, process, cells, turns, seconds):
        """Prepare; turns is a generator of Turns, and is sent ({case: [kind, data]}, stopped)."""
        self.process, self.cells, self.turns = process, cells, iter(turns)
        self.run = Run(deadline=time.monotonic() + START)
        self.seconds = seconds  # that are left, of those that the grader isn't busy itself
        self.number, self.line, self.repeated = -1, "", -1  # of the turn, and what was sent
        self.answers, self.wanted = {}, range(0)
        self.stage, self.since, self.writers = "start", 0.0, []

    def hold(self, alone, counts, started):
        """Converse to the end, and return the Run; started is called when the process has begun."""
        for message in messages(self.process, self.run, alone, counts):
            if self.stage == "start" and message == ["start"]:
                started()
                self.stage, self.since = "cells", time.monotonic()
                # The processes themselves see to the limit; a little later we do.
                self.run.deadline = self.since + self.seconds + GRACE
                self.send(json.dumps(self.cells))
            elif self.stage == "cells" and message == ["cells"]:
                self.stage = "calls"
                if not self.ask():
                    return self.run
            elif self.stage == "cells":
                self.keep(message)
            elif self.stage == "calls" and kinds(message) == [str, int] and message[0] == "next":
                if message[1] == self.number:
                    if not self.ask():
                        return self.run
                elif message[1] == self.number - 1 and self.repeated < self.number:
                    # A copy has gone on, and the process that ended may have read its line.
                    self.repeated = self.number
                    self.send(self.line)
            elif self.stage == "calls" and kinds(message)[:-1] == [int, int, str]:
                number, case, *said = message
                if number == self.number and case in self.wanted:
                    self.answers.setdefault(case, said)  # the first one counts
        if self.stage == "start":
            raise SandboxError(self.process.stderr.read(1000).decode(errors="replace").strip())
        while self.turn() is not None:  # what is still open is judged, too: nothing came
            pass
        return self.run

    def keep(self, message):
        """Keep what a message says about a cell."""
        what, number, *said = message if kinds(message)[:2] == [str, int] else ("", -1)
        if not 0 <= number < len(self.cells):
            return
        if what == "cell" and kinds(said) == [str, str] and len(self.run.cells) < ERRORS:
            self.run.cells.append([number, *(part[:CHARACTERS] for part in said)])
        elif what == "shown" and kinds(said) == [list]:
            self.run.shown.setdefault(number, said[0])

    def turn(self):
        """Hand in the answers to the last turn, and return the next one, or None."""
        answered, self.answers, self.wanted = (self.answers, self.run.stopped), {}, range(0)
        try:
            return next(self.turns) if self.number < 0 else self.turns.send(answered)
        except StopIteration:
            return None
        finally:
            self.number += 1

    def ask(self):
        """Close a turn and open the next; return whether there is one."""
        now = time.monotonic()
        self.seconds -= now - self.since
        turn = self.turn()
        self.since = time.monotonic()
        self.run.deadline += self.since - now  # in which we were busy, not the student
        if turn is None:
            return False
        seconds = max(self.seconds / turn.left, SHORTEST)
        self.wanted = range(len(turn.cases))
        cases = [[encode(part) for part in case] for case in turn.cases]
        self.line = json.dumps([self.number, turn.function, cases, turn.lent, seconds])
        self.send(self.line)
        return True

    def send(self, line):
        """Write a line in a thread: maybe nobody reads it."""

        def write(before):
            if before:
                before.join()
            rest = memoryview(line.encode() + b"\n")
            with contextlib.suppress(OSError, ValueError):
                while rest:
                    rest = rest[self.process.stdin.write(rest) :]

        last = self.writers[-1] if self.writers else None
        self.writers.append(threading.Thread(target=write, args=(last,), daemon=True))
        self.writers[-1].start()

    def close(self):
        """Wait for what is still written, when the process has ended, and close its streams."""
        for writer in self.writers:
            writer.join()  # it has no reader any more; what it writes to mustn't be closed before
        for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
            stream.close()


def kinds(message):
    """Return the types of the parts of a message."""
    return [type(part) for part in message]


def messages(process, run, alone, counts):
    """Yield the lists that a process sends as lines of JSON, until it ends or must be stopped."""
    pending, received, look, spare, files = [], 0, 0.0, 0.0, 0
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ)
        while not run.stopped:
            now = time.monotonic()
            if now > look:
                ended, files = look_after(process.pid, alone, counts, files, now > spare)
                look = now + INTERVAL
                spare = now + PAUSE if ended else spare
            if now > run.deadline:
                run.stopped = "it took too long"
            if received > ANSWERS:
                run.stopped = "it answered too much"
            if run.stopped or not selector.select(INTERVAL):
                continue
            chunk = process.stdout.read(2**16)
            if not chunk:
                run.stopped = "it ended before its time"
            first, *rest = chunk.split(b"\n")
            received += len(chunk) + 100 * len(rest)  # many short lines are work, too
            pending.append(first)
            for piece in rest:
                try:
                    message = json.loads(b"".join(pending))
                except (ValueError, RecursionError):
                    message = None
                if isinstance(message, list):
                    yield message
                pending = [piece]
