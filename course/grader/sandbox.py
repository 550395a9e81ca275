"""A process for one submission, with nothing in its reach that it doesn't need.

bubblewrap gives it a file system, a network and processes of its own: the interpreter and the
system's libraries, read-only; no network; a small folder in memory. A filter of system calls
closes the ways round the limit of memory, and out of the sandbox, that namespaces leave open.
"""

import ast
import compileall
import contextlib
import errno
import importlib.util
import json
import mmap
import os
import selectors
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from course.grader import cgroup, inside

START = 60  # seconds for the interpreter to start; no student's code has run by then
INTERVAL = 0.1  # seconds between looks at the memory
PAUSE = 1.0  # seconds until the next look, when a process was ended: a copy of it clears up
MEMORY = 4 * 2**30  # bytes, of all processes of a submission together
FILES = 20_000  # of a submission: each, even an empty one, takes memory of the kernel's
BUFFER = 2 * 212_992  # bytes that a socket may hold by Linux's defaults; one of TCP ten times that
CORES = 2  # that a submission may keep busy
ANSWERS = 20_000_000  # bytes, of all answers of a submission together
ERRORS = 20  # of cells, kept for the feedback
FOLDER = 64 * 2**20  # bytes of the folder, and of the shared memory
RESOURCES = {
    "RLIMIT_AS": 2 * 2**30,
    "RLIMIT_NPROC": 96,
    "RLIMIT_NOFILE": 256,
    "RLIMIT_FSIZE": FOLDER,
    "RLIMIT_CORE": 0,
}
ENVIRONMENT = {
    "HOME": "/tmp/home",
    "USER": "student",
    "LANG": "C.UTF-8",
    "PYTHONHASHSEED": "0",  # what a set's order decides is the same each time
    "MPLBACKEND": "agg",
    "MPLCONFIGDIR": "/tmp/home",
    # One thread: the cores are shared, and sums have one order.
    **dict.fromkeys(["OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"], "1"),
    # A cell that installs something fails at once: there is no network.
    "PIP_NO_INDEX": "1",
    "PIP_DISABLE_PIP_VERSION_CHECK": "1",
}
CURE = (
    "Install bubblewrap 0.8 or later (Debian, Ubuntu: apt install bubblewrap), which needs a Linux "
    "that allows user namespaces. Or say --unsafe: then the code of students runs as you, with "
    "your files and your network, and can change its own grade and others'."
)


class SandboxError(Exception):
    """The sandbox doesn't work: nobody's fault who handed something in."""


@dataclass
class Run:
    """What came out of the sandbox. All of it is the student's word, none of it is trusted."""

    cells: list = field(default_factory=list)  # [number, type, message] of the cells that failed
    answers: dict = field(default_factory=dict)  # (question, case): ["value", data] or the like
    stopped: str = ""  # why it was stopped
    deadline: float = 0.0


FAMILIES = {socket.AF_UNIX, socket.AF_INET, socket.AF_INET6, socket.AF_NETLINK}  # no others:
# these belong to the sandbox's own network, which is empty; AF_VSOCK, say, reaches the host.
# System calls that are refused, one line for each reason
REFUSED = """
    memfd_create memfd_secret shmget msgget semget mq_open io_uring_setup add_key request_key keyctl
    unshare setns mount umount2 pivot_root chroot move_mount open_tree fsopen fspick mount_setattr
    sched_setaffinity
    ptrace process_vm_writev bpf perf_event_open userfaultfd kexec_load init_module finit_module
    open_by_handle_at pidfd_getfd swapon quotactl acct reboot settimeofday iopl ioperm
"""
# They are: memory that belongs to no process, and so is not counted; file systems and namespaces
# of its own, without our limits; processors where other submissions run; doors to the kernel and
# to other processes.
NEW_NAMESPACE = 0x7E020080  # the CLONE_NEW* flags of clone
NO_FILTER = (
    "libseccomp or its Python bindings are missing or too old ({}). Install both (Debian, Ubuntu: "
    "apt install libseccomp2; pip install pyseccomp, as requirements.txt has it)"
)


def syscall_filter():
    """Return the filter of system calls as a program for the kernel."""
    try:
        import pyseccomp as seccomp

        rules = seccomp.SyscallFilter(seccomp.ALLOW)  # other machines' numbers: killed
        refuse = seccomp.ERRNO(errno.EPERM)
        for name in REFUSED.split():
            rules.add_rule(refuse, name)
        # Its flags can't be seen from here; the C library then uses clone.
        rules.add_rule(seccomp.ERRNO(errno.ENOSYS), "clone3")
        for flag in (1 << k for k in range(32) if NEW_NAMESPACE >> k & 1):
            rules.add_rule(refuse, "clone", seccomp.Arg(0, seccomp.MASKED_EQ, flag, flag))
        # Memory that is shared and nameless stays when only a page of it is still mapped.
        both = mmap.MAP_SHARED | mmap.MAP_ANONYMOUS
        rules.add_rule(refuse, "mmap", seccomp.Arg(3, seccomp.MASKED_EQ, both, both))
        for call in ("socket", "socketpair"):
            for family in set(range(64)) - FAMILIES:
                rules.add_rule(refuse, call, seccomp.Arg(0, seccomp.EQ, family))
            rules.add_rule(refuse, call, seccomp.Arg(0, seccomp.GE, 64))
        with tempfile.TemporaryFile() as file:
            rules.export_bpf(file)
            file.seek(0)
            return file.read()
    except (ImportError, OSError, RuntimeError, AttributeError) as error:
        raise SandboxError(NO_FILTER.format(error)) from error


def trimmed_library(modules, target):
    """Write a distill_lib into target that has these modules, what they import, and no more."""
    source = Path(importlib.util.find_spec("distill_lib").origin).parent
    wanted, kept = list(modules), {}
    while wanted:
        name = wanted.pop()
        if name not in kept:
            kept[name] = (source / f"{name}.py").read_text(encoding="utf-8")
            for node in ast.walk(ast.parse(kept[name])):
                if isinstance(node, ast.ImportFrom) and node.module == "distill_lib":
                    wanted += [alias.name for alias in node.names]
                elif isinstance(node, ast.ImportFrom) and node.module.startswith("distill_lib."):
                    wanted.append(node.module.removeprefix("distill_lib."))
    lines = [
        ast.unparse(node)
        for node in ast.parse((source / "__init__.py").read_text(encoding="utf-8")).body
        if isinstance(node, ast.ImportFrom) and node.module.removeprefix("distill_lib.") in kept
    ]
    if not modules:
        lines = ["raise ImportError('this assignment is done without distill_lib')"]
    target.mkdir()
    for name, text in {"__init__": "\n".join(lines) + "\n", **kept}.items():
        (target / f"{name}.py").write_text(text, encoding="utf-8")
    if "plots" in kept:
        shutil.copy(source / "book.mplstyle", target)


def open_to_all(*places):
    """Whether everyone may enter these folders and those above."""
    folders = {folder for place in places for folder in (Path(place), *Path(place).parents)}
    return all(folder.stat().st_mode & 1 for folder in folders)


class Sandbox:
    """What all submissions of a run have in common; a context, because it has files of its own."""

    def __init__(self, library, seconds, hidden=(), unsafe=False):
        """Prepare it; hidden are folders that no student's code may see, wherever they are."""
        self.seconds = seconds
        self.unsafe = unsafe
        self.isolation = "none (--unsafe)" if unsafe else "bubblewrap"
        self.group = None  # the way in which the kernel limits the memory, or None: we count
        self.limited = False  # whether the last run was seen to be
        self.folder = tempfile.TemporaryDirectory(prefix="grader-")
        try:
            self.prepare(library, [Path(path).resolve() for path in hidden])
        except BaseException:
            self.folder.cleanup()
            raise

    def prepare(self, library, hidden):
        """Lay out the files, and see whether the sandbox starts."""
        self.own = Path(self.folder.name)
        self.own.chmod(0o755)
        shutil.copy(inside.__file__, self.own / "inside.py")
        trimmed_library(library, self.own / "distill_lib")
        compileall.compile_dir(self.own, quiet=1)
        if not self.unsafe:
            self.bubblewrap = shutil.which("bwrap")
            if self.bubblewrap is None:
                raise SandboxError(f"There is no sandbox here: no bubblewrap. {CURE}")
            self.view, self.filter = self.file_system(hidden), syscall_filter()
        for way in [] if self.unsafe else cgroup.ways():
            self.group = way
            with contextlib.suppress(SandboxError, OSError):
                if not self.run([], []).stopped and self.limited:
                    self.isolation = "bubblewrap with a cgroup"
                    return
        self.group = None
        try:
            if self.run([], []).stopped:
                raise SandboxError("it stopped")
        except SandboxError as error:
            raise SandboxError(f"The sandbox does not start: {error}. {CURE}") from error

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.folder.cleanup()

    def file_system(self, hidden):
        """Return bubblewrap's options for what can be seen; what lies deeper comes later."""
        seen = [Path(sys.prefix), Path(sys.base_prefix), Path("/usr")]
        seen += [Path("/etc/ld.so.cache"), Path("/etc/alternatives"), Path("/etc/fonts")]
        roots = [Path(name) for name in ("/bin", "/sbin", "/lib", "/lib32", "/lib64")]
        seen += [path for path in roots if path.is_dir() and not path.is_symlink()]
        places = {path: ["--ro-bind", path, path] for path in seen if path.exists()}
        # A distill_lib that is installed here may hold the answers.
        hidden = [*hidden, *(Path(folder).resolve() / "distill_lib" for folder in sys.path)]
        masks = [p for p in hidden if p.is_dir() and any(place in p.parents for place in places)]
        places |= {path: ["--size", 4096, "--tmpfs", path] for path in masks}
        places[Path("/tmp")] = ["--perms", "0777", "--size", FOLDER, "--tmpfs", "/tmp"]
        # Its memory, shared, would stay when only a page of it is still mapped.
        options = ["--proc", "/proc", "--dev", "/dev", "--dev-bind", "/dev/null", "/dev/zero"]
        for path in sorted(places, key=lambda path: len(path.parts)):
            for parent in [*path.parents][-2::-1]:  # those that bubblewrap makes are root's alone
                options += ["--perms", "0755", "--dir", parent]
            options += places[path]
        for path in roots:
            if path.is_symlink():
                options += ["--symlink", os.readlink(path), path]
        options += ["--perms", "0777", "--dir", "/tmp/home", "--chdir", "/tmp/home"]
        options += ["--perms", "1777", "--size", FOLDER, "--tmpfs", "/dev/shm"]
        options += ["--ro-bind", self.own, "/grader", *self.fonts()]
        for path in [*masks, "/dev", "/"]:
            options += ["--remount-ro", path]
        return options

    def fonts(self):
        """Return options that give matplotlib its list of fonts, which takes seconds to make."""
        script = "import matplotlib.font_manager, matplotlib; print(matplotlib.get_cachedir())"
        found = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
        for path in Path(found.stdout.strip() or ".").glob("fontlist-*.json"):
            return ["--ro-bind", path, f"/tmp/home/{path.name}"]
        return []

    def command(self, slot, program):
        """Return the command that starts the sandbox, and its environment."""
        user, resources = 0, dict(RESOURCES, RLIMIT_CPU=int(self.seconds) + 10)
        if os.geteuid() == 0:
            # Limits don't bind root. The number is nobody's, so that only its own processes count.
            room = int(Path("/proc/self/uid_map").read_text().split()[2])
            user = 2**30 + os.getpid() * 128 + slot if room > 2**31 else 60600 + slot
        if self.unsafe and not open_to_all(sys.prefix, sys.base_prefix):
            user = 0
        if self.unsafe and not user:
            del resources["RLIMIT_NPROC"]  # it would count the teacher's own processes
        limits = {
            "user": user,
            "resources": resources,
            "seconds": self.seconds,
            "strict": not self.unsafe,
            "files": FILES,
        }
        environment = dict(ENVIRONMENT, PATH=f"{Path(sys.executable).parent}:/usr/bin:/bin")
        if self.unsafe:
            home = tempfile.mkdtemp(dir=self.own)
            os.chmod(home, 0o777)
            environment |= {"HOME": home, "MPLCONFIGDIR": home}
            script = self.own / "inside.py"
            return [sys.executable, "-sB", script, json.dumps(limits)], environment
        command = [self.bubblewrap, *(w for n in cgroup.SESSION for w in ("--unsetenv", n))]
        command += ["--die-with-parent", "--new-session", "--as-pid-1"]
        command += ["--seccomp", program]
        command += ["--unshare-ipc", "--unshare-pid", "--unshare-net", "--unshare-uts"]
        command += ["--unshare-cgroup-try"]
        if user:
            command += ["--cap-drop", "ALL", "--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID"]
        else:
            command += ["--unshare-user"]
        command += [*self.view, "--", sys.executable, "-sB", "/grader/inside.py"]
        return [str(part) for part in [*command, json.dumps(limits)]], environment

    def run(self, cells, calls, slot=0):
        """Run a notebook's cells, then make the calls: [(function, [arguments, ...]), ...]."""
        calls = [
            [name, [[inside.encode(a) for a in each] for each in cases]] for name, cases in calls
        ]
        program, sender = os.pipe()
        if not self.unsafe:
            os.write(sender, self.filter)
        os.close(sender)
        command, environment = self.command(slot, program)
        if self.group:
            # Some more tasks than the limit inside, which comes first and ends nobody
            tasks = RESOURCES["RLIMIT_NPROC"] + 32
            command = self.group.start(command, slot, MEMORY, tasks)
        with few_cores(slot):
            process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=environment,
                cwd=environment["HOME"] if self.unsafe else "/",
                pass_fds=[program],
                start_new_session=self.unsafe,
                bufsize=0,
            )
        os.close(program)
        writers = []
        try:
            return self.converse(process, cells, calls, writers)
        finally:
            self.end(process, writers)
            if self.group:
                self.group.end(slot)
            if self.unsafe:
                shutil.rmtree(environment["HOME"], ignore_errors=True)

    def end(self, process, writers):
        """End a sandbox with all its processes: with its first process the kernel ends all."""
        with contextlib.suppress(psutil.Error, ProcessLookupError):
            if self.unsafe:
                os.killpg(process.pid, signal.SIGKILL)
            for child in psutil.Process(process.pid).children():
                child.kill()
        try:
            process.wait(timeout=10)  # it comes to its end when its namespace is empty
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        for writer in writers:
            writer.join()  # it has no reader any more; what it writes to mustn't be closed before
        for stream in (process.stdin, process.stdout, process.stderr):
            stream.close()

    def converse(self, process, cells, calls, writers):
        """Send cells, and calls when the cells have run; gather what comes back."""
        run, stage = Run(deadline=time.monotonic() + START), "start"
        wanted = {(k, case) for k, (_, cases) in enumerate(calls) for case in range(len(cases))}
        for message in messages(process, run, not self.unsafe, self.group is None):
            if stage == "start" and message == ["start"]:
                self.limited = cgroup.in_force(process.pid, MEMORY)
                # The processes themselves see to the limit; a little later we do.
                run.deadline, stage = time.monotonic() + self.seconds + 4, "cells"
                writers.append(send(process, cells))
            elif stage == "cells" and message == ["cells"]:
                stage = "calls"
                writers.append(send(process, calls))
            elif stage == "cells" and kinds(message) == [str, int, str, str]:
                if 0 <= message[1] < len(cells) and len(run.cells) < ERRORS:
                    texts = [part[: inside.CHARACTERS] for part in message[2:]]
                    run.cells.append([message[1], *texts])
            elif stage == "calls" and message == ["end"]:
                return run
            elif stage == "calls" and kinds(message)[:-1] == [int, int, str]:
                call = (message[0], message[1])
                if call in wanted:  # the first answer counts
                    run.answers.setdefault(call, message[2:])
        if stage == "start":
            raise SandboxError(process.stderr.read(1000).decode(errors="replace").strip())
        return run


def kinds(message):
    """Return the types of the parts of a message."""
    return [type(part) for part in message]


def send(process, message):
    """Write a line in a thread, which is returned: maybe nobody reads it."""

    def write():
        rest = memoryview(json.dumps(message).encode() + b"\n")
        with contextlib.suppress(OSError, ValueError):
            while rest:
                rest = rest[process.stdin.write(rest) :]

    writer = threading.Thread(target=write, daemon=True)
    writer.start()
    return writer


def messages(process, run, alone, counts):
    """Yield the lists that a process sends as lines of JSON, until it ends or must be stopped."""
    pending, received, look, files = [], 0, 0.0, 0
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ)
        while not run.stopped:
            now = time.monotonic()
            if now > look:
                ended, files = look_after(process.pid, alone, counts, files)
                look = now + (PAUSE if ended else INTERVAL)
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


@contextlib.contextmanager
def few_cores(slot):
    """Let what this thread starts have a submission's cores, not the next slot's if possible."""
    if not hasattr(os, "sched_setaffinity"):
        yield
        return
    own = os.sched_getaffinity(0)
    order = sorted(own)
    os.sched_setaffinity(0, {order[(slot * CORES + k) % len(order)] for k in range(CORES)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, own)


def look_after(pid, alone, counts, before):
    """End the process that runs a submission's cells, if together they take too much.

    A copy of it then goes on as it was before that cell, and ends all others. alone says whether
    they are in a sandbox, counts whether no one else limits their memory, before how many files
    there were at the last look. Return whether it was ended, and how many files there are.
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
                files = inside.files_in(f"/proc/{first.pid}/root")
        # Where they get fewer, somebody is clearing up.
        if max(FILES, before) < files or counts and memory(first, alone) > MEMORY:
            # The oldest: what has lost its parent is the first process's as well.
            min(runners, key=psutil.Process.create_time).kill()
            return True, files
    return False, files


def sockets(pid):
    """Return the bytes that the sockets of a process's network could hold."""
    total = 0
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/net/sockstat").read_text().splitlines():
            kind, _, number, *_ = line.split()
            total += int(number) * {"sockets:": BUFFER, "TCP:": 10 * BUFFER}.get(kind, 0)
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
