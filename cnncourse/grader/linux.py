"""The few system calls of Linux that Python has no name for, by ctypes; each raises OSError."""

import ctypes
import functools
import os
import platform
from pathlib import Path

NEWNS, NEWUTS, NEWIPC = 0x00020000, 0x04000000, 0x08000000
NEWUSER, NEWPID, NEWNET = 0x10000000, 0x20000000, 0x40000000

MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC = 1, 2, 4, 8
MS_BIND, MS_REC, MS_PRIVATE = 1 << 12, 1 << 14, 1 << 18
_MNT_DETACH = 2

_PR_SET_PDEATHSIG, _PR_SET_DUMPABLE, _PR_CAPBSET_DROP = 1, 4, 24
_PR_SET_NO_NEW_PRIVS, _PR_CAP_AMBIENT, _PR_CAP_AMBIENT_CLEAR_ALL = 38, 47, 4
_SYS_MOUNT_SETATTR, _SYS_PIVOT_ROOT = 442, {"x86_64": 155, "aarch64": 41}
_AT_FDCWD, _AT_RECURSIVE = -100, 0x8000
_LAST_CAPABILITY = 63  # kernels know fewer; asking for one too many is an error that ends the loop
_CAPABILITY_V3 = 0x20080522


def machine() -> str:
    """Return the name of this processor's architecture.

    Raises:
        OSError: if the numbers of its system calls are not known here.
    """
    name = platform.machine()
    if name not in _SYS_PIVOT_ROOT:
        raise OSError(f"the architecture {name!r} is not known; known: x86_64 and aarch64")
    return name


@functools.cache
def libc() -> ctypes.CDLL:
    """Return the C library of this process."""
    return ctypes.CDLL(None, use_errno=True)


def must(result: int, what: str) -> int:
    """Return the result of a system call, or raise OSError saying what failed."""
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")
    return result


def unshare(flags: int) -> None:
    """Leave the caller's namespaces for new ones."""
    must(libc().unshare(flags), f"new namespaces {flags:#x}")


def setns(descriptor: int, kind: int) -> None:
    """Enter a namespace (for pid: put the children there)."""
    must(libc().setns(descriptor, kind), "entering a namespace")


def mount(source: str, target: Path | str, kind: str | None, flags: int, data: str = "") -> None:
    """Mount a file system, or bind a folder or file to another place."""
    texts = [None if t is None else os.fsencode(t) for t in (source, target, kind)]
    must(libc().mount(*texts, ctypes.c_ulong(flags), data.encode()), f"mounting {target}")


def unmount(target: str) -> None:
    """Take a mount and all below it away."""
    must(libc().umount2(os.fsencode(target), _MNT_DETACH), f"unmounting {target}")


def pivot_root(new_root: Path) -> None:
    """Make a folder, itself a mount, the root; the old root is gone afterwards."""
    os.chdir(new_root)
    number = _SYS_PIVOT_ROOT[machine()]
    must(libc().syscall(ctypes.c_long(number), b".", b"."), "pivot_root")
    unmount(".")  # the old root lies on top of the new one
    os.chdir("/")


def protect(path: str) -> None:
    """Make a mount and every mount below it read-only, without set-uid programs."""
    attributes = (ctypes.c_uint64 * 4)(MS_RDONLY | MS_NOSUID, 0, 0, 0)
    arguments = (
        ctypes.c_long(_SYS_MOUNT_SETATTR),
        ctypes.c_int(_AT_FDCWD),
        os.fsencode(path),
        ctypes.c_uint(_AT_RECURSIVE),
        ctypes.byref(attributes),
        ctypes.c_size_t(32),
    )
    must(libc().syscall(*arguments), f"making {path} read-only")


def prctl(option: int, value: int = 0, what: str = "prctl") -> None:
    """Set a property of this process."""
    zero = ctypes.c_ulong(0)
    must(libc().prctl(option, ctypes.c_ulong(value), zero, zero, zero), what)


def die_with_parent() -> None:
    """Ask to be killed when the parent dies."""
    prctl(_PR_SET_PDEATHSIG, 9, "parent-death signal")


def stay_visible() -> None:
    """Let this process open its own /proc files again after a change of user."""
    prctl(_PR_SET_DUMPABLE, 1, "dumpable")


def map_ids(proc: int, inside: int, user: int, group: int) -> None:
    """Say who this process is in its new user namespace.

    Args:
        proc: descriptor of a /proc.
        inside: user and group number in the new namespace.
        user: its user in the namespace above.
        group: its group there.
    """
    texts = (("setgroups", "deny"), ("uid_map", f"{inside} {user} 1"))
    for name, text in (*texts, ("gid_map", f"{inside} {group} 1")):
        write_proc(proc, f"self/{name}", text)


def write_proc(proc: int, name: str, text: str) -> None:
    """Write to a file of an open /proc."""
    descriptor = os.open(name, os.O_WRONLY, dir_fd=proc)
    try:
        os.write(descriptor, text.encode())
    finally:
        os.close(descriptor)


def drop_capabilities() -> None:
    """Give up every capability for good, and gaining any by running a program."""
    for capability in range(_LAST_CAPABILITY + 1):
        zero = ctypes.c_ulong(0)
        if libc().prctl(_PR_CAPBSET_DROP, ctypes.c_ulong(capability), zero, zero, zero):
            if capability == 0:
                must(-1, "dropping capabilities")
            break
    prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_CLEAR_ALL, "ambient capabilities")
    header = (ctypes.c_uint32 * 2)(_CAPABILITY_V3, 0)
    must(libc().capset(header, (ctypes.c_uint32 * 6)()), "capset")
    prctl(_PR_SET_NO_NEW_PRIVS, 1, "no_new_privs")
