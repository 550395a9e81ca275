"""What a submission takes, looked at again and again, where the kernel itself sets no limit."""

import contextlib
import errno
from pathlib import Path

import psutil

from course.grader.inside.checkpoints import files_in

MEMORY = 4 * 2**30  # bytes, of all processes of a submission together
FILES = 20_000  # of a submission: each, even an empty one, takes memory of the kernel's
# Bytes that a socket may hold by Linux's defaults, of TCP and of others; here it may be more.
TCP, OTHER = 36 * 2**20, 2 * 212_992
SETTINGS = Path("/proc/sys/net")


def look_after(pid, alone, counts, before, may=True):
    """End the process that runs a submission's cells, if together they take too much.

    A copy of it then goes on as it was before that cell, and ends all others. alone says whether
    they are in a sandbox, counts whether no one else limits their memory, before how many files
    there were at the last look, may whether anything may be ended now. Return whether it was
    ended, and how many files there are.
    """
    files = 0
    with contextlib.suppress(psutil.Error, OSError):
        first = psutil.Process(pid)
        if alone:  # it is bubblewrap, and that is what runs in it
            first = next(iter(first.children()), None)
        if first is None or not (runners := first.children()):
            return False, 0  # nothing has started yet
        if alone:
            with contextlib.suppress(OSError):
                files = files_in(f"/proc/{first.pid}/root")
        # Where they get fewer, somebody is clearing up.
        if may and (max(FILES, before) < files or counts and memory(first, alone) > MEMORY):
            # The oldest: what has lost its parent is the first process's as well.
            min(runners, key=psutil.Process.create_time).kill()
            return True, files
    return False, files


def at_most(*names):
    """Return the sum of this machine's limits of buffers, in bytes; 0 if it doesn't tell."""
    try:
        return sum(int((SETTINGS / name).read_text().split()[-1]) for name in names)
    except (OSError, ValueError, IndexError):
        return 0


def sockets(pid):
    """Return the bytes that the sockets of a process's network could hold.

    Nobody in a sandbox can make their buffers larger than they are at first (see the filter);
    those of TCP grow by themselves.
    """
    other = max(OTHER, at_most("core/wmem_default", "core/rmem_default"))
    tcp = max(TCP, at_most("ipv4/tcp_wmem", "ipv4/tcp_rmem"))
    total = 0
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/net/sockstat").read_text().splitlines():
            kind, _, number, *_ = line.split()
            total += int(number) * {"sockets:": other, "TCP:": tcp}.get(kind, 0)
    return total


def memory(first, alone):
    """Return the bytes of memory of a process and its descendants, shared ones once.

    Of a sandbox, with what its sockets could hold: what they do hold is counted nowhere.
    """
    total, sizes = sockets(first.pid) if alone else 0, []
    for process in [first, *first.children(recursive=True)]:
        with contextlib.suppress(psutil.Error):
            sizes.append((process.pid, process.memory_info().vms))
    if total + sum(size for _, size in sizes) <= MEMORY:
        return 0  # no need to look closer: it can't be more than the address space
    for number, size in sizes:
        try:
            text = Path(f"/proc/{number}/smaps_rollup").read_text()
        except FileNotFoundError:
            continue
        except OSError as error:
            # A process may forbid that we look: then all of it counts. One that ends has no map.
            total += 0 if error.errno == errno.ESRCH else size
            continue
        parts = {line.split()[0]: int(line.split()[1]) for line in text.splitlines()[1:]}
        total += 1024 * (parts["Pss:"] + parts.get("SwapPss:", 0))
    return total
