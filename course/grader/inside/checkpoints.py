"""Copies of the process that runs a notebook, which go on where it ends before its time."""

import contextlib
import os
import signal
import sys
import time

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
        self.said = -1  # where the process says that it is done with a step
        self.without = False  # whether threads or processes were lost when a copy took over

    def before(self, limit):
        """Make a copy. It comes back from here as well, if it must: with why, of WHY, not ""."""
        own, busy = os.getpid(), company()
        self.drop()
        heard, said = os.pipe()
        self.copy = fork()
        if self.copy:
            os.close(heard)
            os.set_blocking(said, False)  # the copy reads little
            self.said = said
            return ""
        os.close(said)
        self.said = -1
        os.set_blocking(heard, False)
        late = done = False
        while os.getppid() == own:
            with contextlib.suppress(BlockingIOError):
                done = done or os.read(heard, 1) == b"d"
            if not late and not done and time.monotonic() > limit:
                late = True
                os.kill(own, signal.SIGKILL)
            time.sleep(0.01)
        os.close(heard)
        if self.alone:
            self.end_others()  # at once: they may be what takes too much
        why = "late" if late else self.how(own)
        if self.alone:
            why = self.tidy() or why
        if late and self.without:
            why = "pool"
        if busy:
            self.without = True
            forget_workers()
        return why

    def done(self):
        """Let the copy know that a step is done: what comes now is waiting, and isn't late."""
        with contextlib.suppress(OSError):
            os.write(self.said, b"d")

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
                os.close(self.said)
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
