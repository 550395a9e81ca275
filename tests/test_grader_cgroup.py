"""Control groups: taken where the limit is seen in force, and only there; otherwise we count."""

import json
import os
import platform
import subprocess
from pathlib import Path

import pytest
from attacks.batch import ONLY_LINUX, need_sandbox

from course.grader import cgroup, grade, sandbox, watch
from course.grader.inside import checkpoints
from course.grader.inside.run import LOST

pytestmark = ONLY_LINUX
A1 = Path(grade.__file__).parents[1] / "a1_closed_form"
EMPTY = json.dumps({"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}).encode()


@pytest.fixture
def top(tmp_path):
    """A folder with the files of a control group, which are plain files here."""
    (tmp_path / "cgroup.subtree_control").write_text("cpu memory pids")
    return tmp_path


def test_a_group_has_limits_before_anything_runs_in_it(top):
    group = cgroup.Direct(top)
    command = group.start(["/bin/echo", "two words", "$HOME"], 3, 1000, 7)
    folder = group.folder(3)
    assert (folder / "memory.max").read_text() == "1000"
    assert (folder / "memory.swap.max").read_text() == "0"
    assert (folder / "pids.max").read_text() == "7"
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    said, _ = process.communicate(timeout=20)
    assert said == "two words $HOME\n"
    assert int((folder / "cgroup.procs").read_text()) == process.pid


def test_what_a_group_needs_is_asked_for_once(top):
    control = top / "cgroup.subtree_control"
    cgroup.Direct(top).make_room()
    assert control.read_text() == "cpu memory pids"
    control.write_text("cpu")
    cgroup.Direct(top).make_room()
    assert control.read_text() == "+memory +pids"


def test_a_group_is_removed(top):
    group = cgroup.Direct(top)
    group.folder(0).mkdir()
    group.end(0)
    group.end(0)
    assert not group.folder(0).exists()


@pytest.mark.parametrize(
    ("written", "holds"), [("1000", True), ("999", True), ("1001", False), ("max", False)]
)
def test_a_limit_is_in_force_as_the_kernel_says(written, holds, top, monkeypatch):
    (top / "memory.max").write_text(written)
    monkeypatch.setattr(cgroup, "group_of", lambda process: top)
    assert cgroup.in_force(1, 1000) == holds


def test_without_a_group_none_is_in_force(top, monkeypatch):
    monkeypatch.setattr(cgroup, "group_of", lambda process: None)
    assert not cgroup.in_force(os.getpid(), 1000)
    monkeypatch.setattr(cgroup, "group_of", lambda process: top)
    assert not cgroup.in_force(os.getpid(), 1000)


@pytest.mark.parametrize(
    ("written", "short"),
    [("low 0\noom 2\noom_kill 1\n", True), ("oom 2\noom_kill 0\n", False), ("low 0\n", False)],
)
def test_a_group_ran_short_when_the_kernel_ended_something(written, short, top):
    assert not cgroup.ran_short(None)
    assert not cgroup.ran_short(top)  # no such file
    (top / "memory.events").write_text(written)
    assert cgroup.ran_short(top) == short


class Pretender:
    """A way to a group in which nothing is limited, as an old or a broken systemd may be."""

    def start(self, command, slot, memory, tasks):
        return ["/usr/bin/env", *command]

    def end(self, slot):
        pass


class Refuser(Pretender):
    def start(self, command, slot, memory, tasks):
        return ["/bin/false", *command]


def test_a_group_that_limits_nothing_is_not_trusted(monkeypatch):
    need_sandbox()
    monkeypatch.setattr(cgroup, "ways", lambda: [Refuser(), Pretender()])
    with sandbox.Sandbox((), 20) as prepared:
        assert prepared.group is None
        assert prepared.isolation == "bubblewrap"
        assert not prepared.run([], []).stopped


def test_a_group_that_limits_is_taken_and_named(monkeypatch):
    need_sandbox()
    monkeypatch.setattr(cgroup, "ways", lambda: [Refuser(), Pretender()])
    monkeypatch.setattr(cgroup, "in_force", lambda process, limit: True)
    with sandbox.Sandbox((), 20) as prepared:
        assert isinstance(prepared.group, Pretender)
        assert prepared.isolation == "bubblewrap with a cgroup"


@pytest.mark.parametrize("killed", [0, 1])
def test_a_student_reads_that_memory_was_short(killed, top, monkeypatch):
    need_sandbox()
    (top / "memory.events").write_text(f"oom_kill {killed}\n")
    monkeypatch.setattr(cgroup, "ways", lambda: [Pretender()])
    monkeypatch.setattr(cgroup, "in_force", lambda process, limit: True)
    monkeypatch.setattr(cgroup, "group_of", lambda process: top)
    with sandbox.Sandbox((), 20) as prepared:
        result = grade.grade(EMPTY, grade.load(A1), 1, prepared)
    assert result["note"] == (grade.SHORT if killed else "")


@pytest.mark.parametrize("kind", [cgroup.Systemd, cgroup.Direct])
def test_a_real_group_ends_what_takes_too_much(kind, monkeypatch):
    # Seen under a kernel of its own (Linux 6.1, as root and as a user with a session).
    need_sandbox()
    ways = [way for way in cgroup.ways() if isinstance(way, kind)]
    monkeypatch.setattr(cgroup, "ways", lambda: ways)
    monkeypatch.setattr(watch, "MEMORY", 2**28)
    cells = ["x = 1", "y = bytearray(b'x') * 2**29", "assert x == 1 and 'y' not in globals()"]
    with sandbox.Sandbox((), 24) as prepared:
        if prepared.group is None:
            pytest.skip("no such control group here that we may use")
        monkeypatch.delattr(watch, "memory")  # it isn't we who count
        run = prepared.run(cells, [])
        assert prepared.limited
    assert run.cells == [[1, "Lost", f"{checkpoints.WHY['killed']}. {LOST}"]]
    assert run.short
    if isinstance(prepared.group, cgroup.Direct):
        assert not prepared.group.folder(0).exists()


def run_counted(cells, monkeypatch):
    """Return what became of cells where there is no group."""
    need_sandbox()
    monkeypatch.setattr(cgroup, "ways", list)
    with sandbox.Sandbox((), 24) as prepared:
        return prepared.run(cells, [])


def test_without_a_group_sockets_count_as_what_they_could_hold(monkeypatch):
    cells = [
        "import os, socket, time\nheld = []",
        "for _ in range(90):\n    if os.fork() == 0:\n        try:\n"
        "            while True:\n                pair = socket.socketpair()\n"
        "                held += pair\n                pair[0].setblocking(False)\n"
        "                pair[0].setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 2**24)\n"
        "                try:\n                    while True: pair[0].send(bytes(2**16))\n"
        "                except BlockingIOError: pass\n"
        "        except OSError: time.sleep(99)\n"
        "time.sleep(99)",
        "x = 1",
    ]
    run = run_counted(cells, monkeypatch)
    assert run.cells == [[1, "Lost", f"{checkpoints.WHY['killed']}. {LOST}"]]
    assert run.stopped == ""


def test_no_socket_gets_more_room_than_is_counted(monkeypatch):
    cells = [
        "import ctypes, socket\nhere, there = socket.socketpair()\n"
        "def ask(level, option):\n"
        "    big = ctypes.byref(ctypes.c_int(2**24))\n"
        "    numbers = [ctypes.c_long(k) for k in (NUMBER, here.fileno(), level, option)]\n"
        "    return ctypes.CDLL(None).syscall(*numbers, big, ctypes.c_long(4))",
        # as one asks, and with what the kernel doesn't read of a register
        "for high in (0, 2**40):\n    for option in (socket.SO_SNDBUF, socket.SO_RCVBUF):\n"
        "        before = here.getsockopt(socket.SOL_SOCKET, option)\n"
        "        assert ask(high + socket.SOL_SOCKET, high + option) == 0\n"
        "        assert here.getsockopt(socket.SOL_SOCKET, option) == before",
        # other settings are what they were
        "here.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)\n"
        "assert here.getsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED) == 1",
    ]
    number = {"x86_64": "54", "aarch64": "208"}[platform.machine()]
    cells[0] = cells[0].replace("NUMBER", number)
    assert run_counted(cells, monkeypatch).cells == []


@pytest.mark.parametrize(
    ("said", "number", "each"),
    [
        ("sockets: used 3\n", 3, watch.OTHER),
        ("sockets: used 0\nTCP: inuse 2 orphan 0\n", 2, watch.TCP),
        ("sockets: used 0\nUDP: inuse 2 mem 0\n", 2, 0),
    ],
)
@pytest.mark.parametrize("room", ["100", "4096 16384 90000000"])
def test_a_socket_counts_as_what_this_machine_lets_it_hold(
    said, number, each, room, tmp_path, monkeypatch
):
    for name in ("core/wmem_default", "core/rmem_default", "ipv4/tcp_wmem", "ipv4/tcp_rmem"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(room + "\n", encoding="utf-8")
    (tmp_path / "sockstat").write_text(said, encoding="utf-8")
    monkeypatch.setattr(watch, "SETTINGS", tmp_path)
    monkeypatch.setattr(watch, "Path", lambda _: tmp_path / "sockstat")
    most = 2 * int(room.split()[-1])
    assert watch.sockets(1) == number * (each and max(each, most))
    monkeypatch.setattr(watch, "SETTINGS", tmp_path / "nowhere")
    assert watch.sockets(1) == number * each


def test_shared_memory_counts_once(monkeypatch):
    # Twelve processes share half a gigabyte; each by itself, they would have six.
    cells = [
        "import numpy as np, os, time\nlarge = np.ones(2**26)",
        "for _ in range(12):\n    if os.fork() == 0:\n        time.sleep(1)\n        os._exit(0)",
        "for _ in range(12): os.wait()",
        "assert large[-1] == 1",
    ]
    monkeypatch.setattr(watch, "MEMORY", 2**30)
    assert run_counted(cells, monkeypatch).cells == []


@pytest.mark.parametrize("processes", [1, 8])
def test_files_end_with_the_next_look(processes, monkeypatch):
    # Between two looks, a tenth of a second apart, so many more can be made: that costs the
    # kernel some tens of megabytes. Without a limit, 400,000 are half a gigabyte.
    counted = []

    def files_in(root, count=watch.files_in):
        counted.append(count(root))
        return counted[-1]

    monkeypatch.setattr(watch, "files_in", files_in)
    cells = [
        f"import os\nfor j in range({processes} - 1):\n    if os.fork() == 0: break\n"
        f"else: j = {processes}\n"
        "for k in range(10**7): os.close(os.open(f'/tmp/{j}-{k}', os.O_CREAT | os.O_WRONLY))",
        # No file is left; there may be folders, on the way to the book.
        "import os\nassert not [name for name in os.listdir('/tmp') if '-' in name][:9]",
    ]
    run = run_counted(cells, monkeypatch)
    assert run.cells == [[0, "Lost", f"{checkpoints.WHY['files']}. {LOST}"]]
    assert watch.FILES < max(counted) < 100_000
