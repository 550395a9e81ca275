"""A limit of memory that the kernel keeps: a control group, version 2, for each submission.

Where there is one, it counts all that a submission makes the kernel hold, too, and at the limit
only the largest process ends. Each way is tried, and taken only if the limit is seen in force.
"""

import contextlib
import os
import shutil
import time
from pathlib import Path

MOUNTS = Path("/proc/self/mounts")
NEEDED = {"memory", "pids"}
# systemd's variables, for the command that asks it for a group; nothing of them is seen inside
SESSION = ("XDG_RUNTIME_DIR", "DBUS_SESSION_BUS_ADDRESS")


def mount():
    """Return where control groups of version 2 are mounted, or None."""
    for line in MOUNTS.read_text().splitlines():
        _, place, kind, *_ = line.split()
        if kind == "cgroup2":
            return Path(place)
    return None


def group_of(process):
    """Return the folder of a process's control group, or None."""
    top = mount()
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{process}/cgroup").read_text().splitlines():
            if line.startswith("0::/") and top:
                return top / line[4:]
    return None


def in_force(process, limit):
    """Whether the kernel limits the memory of a process to no more than that."""
    folder = group_of(process)
    try:
        return int((folder / "memory.max").read_text()) <= limit
    except (TypeError, OSError, ValueError):  # no group, no such file, "max"
        return False


def ran_short(folder):
    """Whether the kernel has ended a process of a group, which held as much as the group may."""
    try:
        lines = (folder / "memory.events").read_text().splitlines()
        return int(dict(line.split() for line in lines)["oom_kill"]) > 0
    except (TypeError, OSError, KeyError):  # no group, no such file, an old kernel's
        return False


class Direct:
    """A group that we make ourselves, below one that is ours or below the first."""

    def __init__(self, top):
        self.top = top

    def start(self, command, slot, memory, tasks):
        """Make a group; return a command that enters it and then does what it should."""
        self.make_room()
        folder = self.folder(slot)
        folder.mkdir(exist_ok=True)
        (folder / "memory.max").write_text(str(memory))
        with contextlib.suppress(OSError):  # where there is no swap
            (folder / "memory.swap.max").write_text("0")
        (folder / "pids.max").write_text(str(tasks))
        script = f'echo $$ > "{folder}/cgroup.procs" && exec "$@"'
        return ["/bin/sh", "-c", script, "sh", *command]

    def make_room(self):
        """See to it that groups below ours have the limits that we need."""
        control = self.top / "cgroup.subtree_control"
        if NEEDED - set(control.read_text().split()):
            control.write_text(" ".join(f"+{name}" for name in sorted(NEEDED)))

    def folder(self, slot):
        """Return the group of a slot."""
        return self.top / f"grader-{os.getpid()}-{slot}"

    def end(self, slot):
        """Remove the group of a slot, in which all processes have ended, or soon have."""
        for _ in range(100):
            try:
                self.folder(slot).rmdir()
                return
            except FileNotFoundError:
                return
            except OSError:
                time.sleep(0.02)


class Systemd:
    """A scope that systemd makes."""

    def __init__(self, program, *more):
        self.words = [program, *([] if os.geteuid() == 0 else ["--user"])]
        self.words += ["--scope", "--quiet", "--collect", *more]

    def start(self, command, slot, memory, tasks):
        """Return a command that does in a scope what the given one does."""
        limits = [f"MemoryMax={memory}", "MemorySwapMax=0", f"TasksMax={tasks}"]
        options = [part for limit in limits for part in ("-p", limit)]
        session = [f"{name}={os.environ[name]}" for name in SESSION if name in os.environ]
        return ["/usr/bin/env", *session, *self.words, *options, "--", *command]

    def end(self, slot):
        """Do nothing: systemd removes an empty scope."""


def ways():
    """Return the ways in which there may be control groups here, the best first."""
    found = []
    program = shutil.which("systemd-run")
    if program:
        # Newer systemd would end the whole scope for one process; older knows no such property.
        found += [Systemd(program, "-p", "OOMPolicy=continue"), Systemd(program)]
    tops = {group_of(os.getpid()), mount()} - {None}
    return found + [Direct(top) for top in sorted(tops) if os.access(top, os.W_OK) and has(top)]


def has(top):
    """Whether a group could give others the limits that we need."""
    try:
        return set((top / "cgroup.controllers").read_text().split()) >= NEEDED
    except OSError:
        return False
