"""Where the grader keeps things: whole files or none, folders of its own, results that are signed.

Nothing here knows what a grade is.
"""

import contextlib
import hashlib
import hmac
import json
import os
import secrets
import shutil
import tempfile
import threading
from pathlib import Path

PREFIX = "grading-"  # of the temporary folder of a run


class Refusal(Exception):
    """Why the grader doesn't go on, and what to do about it, in a line or two."""


class SandboxError(Exception):
    """The sandbox doesn't work: nobody's fault who handed something in."""


def write_whole(path, content, mode=0o666):
    """Write a text or bytes beside their place and move them there: no one sees half a file.

    Not by `distill_lib`, which a grader shouldn't need: grades must outlive a power cut, secrets
    be nobody else's from the start, and a full disk be named.
    """
    if isinstance(content, str):
        content = content.encode("utf-8", errors="backslashreplace")
    part = path.with_name(f"{path.name[:80]}.{os.getpid()}-{threading.get_native_id()}.part")
    try:
        handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
        with open(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, path)
    except BaseException as error:
        with contextlib.suppress(OSError):
            part.unlink()
        if isinstance(error, OSError):  # of a full disk, the system doesn't say with which file
            raise OSError(error.errno, error.strerror, str(path)) from error
        raise


@contextlib.contextmanager
def locked(folder):
    """Hold a folder while the block runs, and yield True; or yield False: somebody else does.

    When a process ends, however it ends, the kernel lets go of what it held.
    """
    try:
        import fcntl
    except ModuleNotFoundError:  # Windows
        yield True
        return
    handle, free = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW), True
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            free = False
        except OSError:  # a file system without locks
            pass
        yield free
    finally:
        os.close(handle)


@contextlib.contextmanager
def workplace():
    """Have everything temporary in one folder, which goes; so do those of runs that were killed."""
    top = tempfile.gettempdir()
    for old in Path(top).glob(f"{PREFIX}*"):
        with contextlib.suppress(OSError), locked(old) as free:
            if free and old.stat().st_uid == os.geteuid():
                shutil.rmtree(old, ignore_errors=True)
    made = Path(tempfile.mkdtemp(prefix=f"new-{PREFIX}"))
    with locked(made):
        # Only now does it have a name that another run would sweep away, if nobody held it.
        folder = made.rename(made.with_name(made.name.removeprefix("new-")))
        folder.chmod(0o755)  # without a sandbox, the code of students runs as somebody else
        before, tempfile.tempdir = tempfile.tempdir, str(folder)
        try:
            yield
        finally:
            tempfile.tempdir = before
            shutil.rmtree(folder, ignore_errors=True)


def sweep(*folders):
    """Remove files that were half written when a run was killed."""
    for folder in folders:
        for part in filter(Path.is_file, folder.glob("*.part")):
            part.unlink()


class Key:
    """The teacher's secret: it signs what is stored, and makes the hidden inputs."""

    def __init__(self, path):
        """Read it; the first time, make it."""
        if not path.exists():
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            write_whole(path, secrets.token_hex(32) + "\n", mode=0o600)
            print(f"Made your key, {path}: keep a copy, and keep it to yourself")
        try:
            self.secret = bytes.fromhex(path.read_text(encoding="ascii"))
        except ValueError:
            self.secret = b""
        if len(self.secret) != 32:
            raise Refusal(
                f"{path} is damaged: it should hold 64 hexadecimal digits. Bring back your copy, "
                "or remove it: then there will be other hidden inputs, and all is graded anew."
            )

    def digest(self, text):
        """Return what nobody can make from the text without the key."""
        return hmac.new(self.secret, text.encode(), hashlib.sha256).hexdigest()

    def seed(self, name):
        """Return the seed of an assignment's hidden inputs."""
        return int(self.digest(f"seed {name}")[:12], 16)

    def signature(self, path, result):
        """Return the signature of a result under the name of its file."""
        return self.digest(f"{path.name} {json.dumps(result, sort_keys=True)}")

    def keep(self, path, result):
        """Store a result, signed."""
        signed = {"result": result, "signature": self.signature(path, result)}
        write_whole(path, json.dumps(signed, indent=1) + "\n")

    def kept(self, path):
        """Return a stored result, or None if there is none, or one that isn't as it was stored."""
        try:
            signed = json.loads(path.read_bytes())
            given = str(signed["signature"]).encode()
            right = self.signature(path, signed["result"]).encode()
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            return None
        return signed["result"] if hmac.compare_digest(given, right) else None
