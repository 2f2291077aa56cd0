"""Can a process here be given namespaces of its own? Tried, not guessed from settings."""

import subprocess
import sys
from pathlib import Path

# Runs in a process of its own, on the standard library alone: what it gives up stays given up.
_TRY = r"""
import ctypes, os, sys
NEWNS, NEWIPC, NEWUSER, NEWPID, NEWNET = 0x20000, 0x8000000, 0x10000000, 0x20000000, 0x40000000
PRIVATE, RECURSIVE = 1 << 18, 1 << 14
libc = ctypes.CDLL(None, use_errno=True)

def must(result, what):
    if result:
        sys.exit(f"{what}: {os.strerror(ctypes.get_errno())}")

uid, gid = os.getuid(), os.getgid()
must(libc.unshare(NEWUSER), "user namespace")
must(libc.unshare(NEWNS | NEWIPC | NEWPID | NEWNET), "mount, ipc, pid and net namespaces")
try:
    for name, text in (("setgroups", "deny"), ("uid_map", f"0 {uid} 1"), ("gid_map", f"0 {gid} 1")):
        with open(f"/proc/self/{name}", "w") as file:
            file.write(text)
except OSError as error:
    sys.exit(f"mapping of users: {error.strerror}")
must(libc.mount(b"none", b"/", None, RECURSIVE | PRIVATE, None), "private mounts")
must(libc.mount(b"none", b"/tmp", b"tmpfs", 0, None), "mounting")
child = os.fork()
if child == 0:
    os._exit(os.getpid() != 1)
if os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]):
    sys.exit("pid namespace: the child is not its first process")
"""

_SETTINGS = (
    ("kernel/unprivileged_userns_clone", "0", "sudo sysctl kernel.unprivileged_userns_clone=1"),
    (
        "kernel/apparmor_restrict_unprivileged_userns",
        "1",
        "sudo sysctl kernel.apparmor_restrict_unprivileged_userns=0",
    ),
    ("user/max_user_namespaces", "0", "sudo sysctl user.max_user_namespaces=10000"),
)


def isolation_problem(proc_sys: Path = Path("/proc/sys")) -> tuple[str, str] | None:
    """Try the namespaces that isolate a submission: user, mount, pid, net and ipc.

    Args:
        proc_sys: where the kernel's settings are; read only to choose the remedy.

    Returns:
        `None` if all of them work; otherwise what did not, and the remedy.
    """
    if not sys.platform.startswith("linux"):
        return f"{sys.platform} has no namespaces", "grade on Linux, for example in a container"
    try:
        result = subprocess.run(
            [sys.executable, "-I", "-c", _TRY], capture_output=True, text=True, timeout=60
        )
    except subprocess.TimeoutExpired:
        return "no answer in 60 s", "grade on another machine"
    if result.returncode == 0:
        return None
    lines = result.stderr.strip().splitlines() or [f"exit status {result.returncode}"]
    return lines[-1], _remedy(proc_sys)


def _remedy(proc_sys: Path) -> str:
    for name, blocking, remedy in _SETTINGS:
        path = proc_sys / name
        if path.is_file() and path.read_text().strip() == blocking:
            return remedy
    return "in a container, allow user namespaces (Docker: --security-opt seccomp=unconfined)"
