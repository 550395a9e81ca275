"""The filter of system calls: what namespaces leave open of ways round the limits, and out."""

import errno
import mmap
import socket
import tempfile

from course.grader.store import SandboxError

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
        # A socket holds no more than the watch counts for it. It seems to be done: the kernel, too,
        # gives less than one asks for, and says nothing. (Of these registers it reads 32 bits.)
        level = seccomp.Arg(1, seccomp.MASKED_EQ, 0xFFFFFFFF, socket.SOL_SOCKET)
        for option in (socket.SO_SNDBUF, socket.SO_RCVBUF):
            larger = seccomp.Arg(2, seccomp.MASKED_EQ, 0xFFFFFFFF, option)
            rules.add_rule(seccomp.ERRNO(0), "setsockopt", level, larger)
        with tempfile.TemporaryFile() as file:
            rules.export_bpf(file)
            file.seek(0)
            return file.read()
    except (ImportError, OSError, RuntimeError, AttributeError) as error:
        raise SandboxError(NO_FILTER.format(error)) from error
