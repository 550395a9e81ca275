"""A process for one submission, with nothing in its reach that it doesn't need.

bubblewrap gives it a file system, a network and processes of its own: the interpreter and the
system's libraries, read-only; no network; a small folder in memory. A filter of system calls
closes the ways round the limit of memory, and out of the sandbox, that namespaces leave open.
"""

import compileall
import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import psutil

from course.grader import cgroup, inside, watch
from course.grader.conversation import Conversation
from course.grader.library import trimmed_library
from course.grader.seccomp import syscall_filter
from course.grader.store import SandboxError

CORES = 2  # that a submission may keep busy
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
# The oldest bubblewrap that was tried. That of Enterprise Linux 9, 0.6.3, can't limit the size of a
# folder in memory.
OLDEST = (0, 8)
CURE = (
    "Install bubblewrap 0.8 or later (Debian 12, Ubuntu 24.04 and later: apt install bubblewrap), "
    "which needs a Linux that allows user namespaces. Or say --unsafe: then the code of students "
    "runs as you, with your files and your network, and can change its own grade and others'."
)
RESTRICTED = Path("/proc/sys/kernel/apparmor_restrict_unprivileged_userns")
# Ubuntu since 24.04 asks for this, once, as root.
PROFILE = """AppArmor lets no program make a sandbox here. Allow it for bubblewrap, once, as root:

cat > /etc/apparmor.d/bwrap <<'END'
abi <abi/4.0>,
include <tunables/global>
profile bwrap {program} flags=(unconfined) {{
  userns,
}}
END
systemctl reload apparmor
"""


def open_to_all(*places):
    """Whether everyone may enter these folders and those above."""
    folders = {folder for place in places for folder in (Path(place), *Path(place).parents)}
    return all(folder.stat().st_mode & 1 for folder in folders)


class Place:
    """What all submissions of a run have in common, wherever their code is run; a context."""

    isolation = ""  # written beside every grade
    alone = True  # whether there are none but a submission's processes where it runs
    group = None  # the way in which the kernel limits the memory, or None: we count

    def __init__(self, library, seconds, hidden=()):
        """Prepare it; hidden are folders that no student's code may see, wherever they are."""
        self.seconds = seconds
        self.limited = False  # whether the kernel was seen to limit the last run
        self.folder = tempfile.TemporaryDirectory(prefix="grader-")
        try:
            self.own = Path(self.folder.name)
            self.own.chmod(0o755)
            ours = shutil.ignore_patterns("__pycache__")
            shutil.copytree(Path(inside.__file__).parent, self.own / "inside", ignore=ours)
            trimmed_library(library, self.own / "distill_lib")
            compileall.compile_dir(self.own, quiet=1)
            self.prepare([Path(path).resolve() for path in hidden])
        except BaseException:
            self.folder.cleanup()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.folder.cleanup()

    def prepare(self, hidden):
        """See whether code can be run here."""
        raise NotImplementedError

    def start(self, limits, slot):
        """Return a process that has just been started, for a submission's code."""
        raise NotImplementedError

    def end(self, process, slot):
        """End all processes of a submission."""
        raise NotImplementedError

    def user(self, slot):
        """Return the number of a user who is nobody else, or 0: limits don't bind root."""
        if os.geteuid() != 0:
            return 0
        # Only a submission's own processes count for it.
        room = int(Path("/proc/self/uid_map").read_text().split()[2])
        return 2**30 + os.getpid() * 128 + slot if room > 2**31 else 60600 + slot

    def python(self, folder, limits):
        """Return the command that runs what is inside."""
        script = f"import sys; sys.path[0] = {str(folder)!r}; from inside.run import main; main()"
        return [sys.executable, "-sB", "-c", script, json.dumps(limits)]

    def limits(self, user, show):
        """Return what the process itself keeps to."""
        return {
            "user": user,
            "resources": RESOURCES | {"RLIMIT_CPU": int(self.seconds) + 10},
            "seconds": self.seconds,
            "strict": self.alone,
            "files": watch.FILES,
            "show": show,
        }

    def run(self, cells, turns=(), slot=0, show=False):
        """Run a notebook's cells, then what turns asks; see Conversation."""
        process = self.start(self.limits(self.user(slot), show), slot)
        conversation, groups = Conversation(process, cells, turns, self.seconds), []

        def started():
            self.limited = cgroup.in_force(process.pid, watch.MEMORY)
            groups.append(cgroup.group_of(process.pid) if self.limited else None)

        try:
            run = conversation.hold(self.alone, self.group is None, started)
            run.short = any(map(cgroup.ran_short, groups))
            return run
        finally:
            self.end(process, slot)
            conversation.close()

    def popen(self, command, environment, slot, **more):
        """Start a process with processors of its own, with which one can converse."""
        ends = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
        with few_cores(slot):
            return subprocess.Popen(
                [str(part) for part in command], env=environment, bufsize=0, **ends, **more
            )


class Sandbox(Place):
    """Where bubblewrap and the kernel keep apart what they run."""

    isolation = "bubblewrap"

    def prepare(self, hidden):
        """Lay out the files, and see whether the sandbox starts, in the best way that there is."""
        self.bubblewrap = found_bubblewrap()
        self.view, self.filter = self.file_system(hidden), syscall_filter()
        for way in cgroup.ways():
            self.group = way
            with contextlib.suppress(SandboxError, OSError):
                if not self.run([]).stopped and self.limited:
                    self.isolation = "bubblewrap with a cgroup"
                    return
        self.group = None
        try:
            if self.run([]).stopped:
                raise SandboxError("it stopped")
        except SandboxError as error:
            raise SandboxError(f"The sandbox does not start: {error}. {cure(self)}") from error

    def file_system(self, hidden):
        """Return bubblewrap's options for what can be seen; what lies deeper comes later."""
        seen = [Path(sys.prefix), Path(sys.base_prefix), Path("/usr")]
        seen += [Path("/etc/ld.so.cache"), Path("/etc/alternatives"), Path("/etc/fonts")]
        roots = [Path(name) for name in ("/bin", "/sbin", "/lib", "/lib32", "/lib64")]
        seen += [path for path in roots if path.is_dir() and not path.is_symlink()]
        places = {path: ["--ro-bind", path, path] for path in seen if path.exists()}
        # A distill_lib that is installed here may hold the answers.
        hidden = [*hidden, *(Path(folder).resolve() / "distill_lib" for folder in sys.path)]
        # By the path at which it is seen: an environment may be a link to another.
        masks = {
            place / path.relative_to(place.resolve())
            for path in filter(Path.is_dir, hidden)
            for place in places
            if place.resolve() in path.parents
        }
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

    def start(self, limits, slot):
        """Return bubblewrap, just started."""
        program, sender = os.pipe()
        os.write(sender, self.filter)
        os.close(sender)
        command = self.command(limits, program)
        if self.group:
            # Some more tasks than the limit inside, which comes first and ends nobody
            tasks = RESOURCES["RLIMIT_NPROC"] + 32
            command = self.group.start(command, slot, watch.MEMORY, tasks)
        environment = dict(ENVIRONMENT, PATH=f"{Path(sys.executable).parent}:/usr/bin:/bin")
        try:
            return self.popen(command, environment, slot, cwd="/", pass_fds=[program])
        finally:
            os.close(program)

    def command(self, limits, program):
        """Return the command that starts the sandbox."""
        command = [self.bubblewrap, *(w for n in cgroup.SESSION for w in ("--unsetenv", n))]
        command += ["--die-with-parent", "--new-session", "--as-pid-1"]
        command += ["--seccomp", program]
        command += ["--unshare-ipc", "--unshare-pid", "--unshare-net", "--unshare-uts"]
        command += ["--unshare-cgroup-try"]
        if limits["user"]:
            command += ["--cap-drop", "ALL", "--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID"]
        else:
            command += ["--unshare-user"]
        return [str(part) for part in [*command, *self.view, "--", *self.python("/grader", limits)]]

    def end(self, process, slot):
        """End a sandbox: with its first process the kernel ends all."""
        with contextlib.suppress(psutil.Error):
            for child in psutil.Process(process.pid).children():
                child.kill()
        ended(process)
        if self.group:
            self.group.end(slot)


class Unconfined(Place):
    """Where a student's code runs as the teacher, or as nobody if that is root: --unsafe."""

    isolation = "none (--unsafe)"
    alone = False

    def prepare(self, hidden):
        """See whether Python starts; nothing can be hidden."""
        self.homes = {}
        try:
            if self.run([]).stopped:
                raise SandboxError("it stopped")
        except SandboxError as error:
            raise SandboxError(f"Python does not start: {error}.") from error

    def user(self, slot):
        """Return nobody's number, if that one can read what Python needs."""
        return super().user(slot) if open_to_all(sys.prefix, sys.base_prefix) else 0

    def start(self, limits, slot):
        """Return Python, just started, in a folder that is its own."""
        if not limits["user"]:
            del limits["resources"]["RLIMIT_NPROC"]  # it would count the teacher's own processes
        home = tempfile.mkdtemp(dir=self.own)
        os.chmod(home, 0o777)
        environment = dict(ENVIRONMENT, PATH=f"{Path(sys.executable).parent}:/usr/bin:/bin")
        environment |= {"HOME": home, "MPLCONFIGDIR": home}
        command = self.python(self.own, limits)
        process = self.popen(command, environment, slot, cwd=home, start_new_session=True)
        self.homes[process.pid] = home
        return process

    def end(self, process, slot):
        """End all that is still in the process's group, and remove its folder."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        with contextlib.suppress(psutil.Error):
            for child in psutil.Process(process.pid).children():
                child.kill()
        ended(process)
        shutil.rmtree(self.homes.pop(process.pid), ignore_errors=True)


def ended(process):
    """Wait for a process to end; it comes to its end when its namespace is empty."""
    try:
        process.wait(timeout=10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def found_bubblewrap():
    """Return where bubblewrap is, or refuse where there is none, or one that is too old."""
    program = shutil.which("bwrap")
    if program is None:
        raise SandboxError(f"There is no sandbox here: no bubblewrap. {CURE}")
    done = subprocess.run([program, "--version"], capture_output=True, text=True)
    found = re.search(r"(\d+)\.(\d+)", done.stdout)
    if found and (int(found[1]), int(found[2])) < OLDEST:
        said = f"{program} is {done.stdout.strip()}, which is too old"
        raise SandboxError(f"There is no sandbox here: {said}. {CURE}")
    return program


def cure(place):
    """Return what to do where bubblewrap is there, but can't make a sandbox."""
    with contextlib.suppress(OSError):
        if os.geteuid() != 0 and RESTRICTED.read_text().strip() == "1":
            return PROFILE.format(program=place.bubblewrap)
    return CURE


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
