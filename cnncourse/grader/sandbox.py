"""The sandbox: what foreign code can see and do, built by ctypes in the process that will run it.

Two steps. `enter_jail` is for the fork server, before it imports anything: a root of its own with
the libraries in it, read-only, and no network. `confine` is for each fork, before it runs foreign
code: everything private to one submission, and no way back. Both undo nothing: the process that
calls them stays where it is.
"""

import contextlib
import importlib.util
import os
import sys
import sysconfig
from collections.abc import Iterable
from pathlib import Path

from cnncourse.grader import linux, seccomp
from cnncourse.grader.limits import MIB, Limits, set_limits
from cnncourse.paths import PACKAGE
from cnncourse.sandbox_probe import isolation_problem

NOBODY = 65534
PRELOADED = ("numpy", "scipy", "keras", "tensorflow", "matplotlib", "sklearn", "IPython")
_SYSTEM = ("/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/local/lib", "/etc/ld.so.cache")
_DEVICES = ("null", "zero", "full", "random", "urandom")
# A wheel carries the solutions inside the package.
_SECRET = {"_notebooks", "solutions", "exercises", "chapters", "tests", "__pycache__"}


class SandboxError(RuntimeError):
    """Submissions cannot be isolated here; the message says why and what helps."""


def require() -> None:
    """Raise SandboxError, with reason and remedy, where the sandbox cannot be had."""
    problem = isolation_problem() or _hidden_library()
    if problem:
        raise SandboxError(refusal(*problem))


def _hidden_library() -> tuple[str, str] | None:
    """Look for libraries in a folder that submissions have a private, empty one of."""
    for folder in (*library_folders(), PACKAGE):
        if folder.is_relative_to("/tmp") or folder.is_relative_to("/dev/shm"):
            return f"{folder} is where submissions have an empty folder", "install it elsewhere"
    return None


def refusal(reason: str, remedy: str) -> str:
    """Return the sentences for an instructor on whose machine nothing can be isolated."""
    return (
        f"Submissions cannot be isolated on this machine ({reason}). Remedy: {remedy}. "
        "With --unsafe they run as ordinary processes of yours, with limits but without walls: "
        "they can read your files and use your network. Do that only with code you trust."
    )


def library_folders() -> list[Path]:
    """Return the folders with Python's library and the installed packages; nothing is imported."""
    paths = sysconfig.get_paths()
    folders = {Path(paths[name]) for name in ("stdlib", "platstdlib", "purelib", "platlib")}
    for name in PRELOADED:
        spec = importlib.util.find_spec(name)
        if spec and spec.origin:
            folders.add(Path(spec.origin).parent.parent)
    folders.add(Path(paths["stdlib"]).parent)  # libpython, where Python is a shared library
    real = {folder.resolve() for folder in folders if folder.is_dir()} | folders
    return sorted(folder for folder in real if folder.is_dir())


def enter_jail() -> int:
    """Move this process into a read-only root that holds libraries only, with no network.

    Its next children live in a pid namespace of their own: the first of them is its init.

    Returns:
        A descriptor of /proc, which the new root does not have: what is not there tells nothing.

    Raises:
        OSError: if the kernel does not allow it.
    """
    user, group = os.getuid(), os.getgid()
    proc = os.open("/proc", os.O_PATH | os.O_DIRECTORY)
    inside = False
    if user == 0:
        # Real root first builds the root, then becomes nobody: limits do not bind root, and files
        # that only root can read stay unread even where they lie in an allowed folder.
        with contextlib.suppress(PermissionError):
            linux.unshare(linux.NEWNS)
            inside = True
    if inside:
        _build_root()
        os.setgroups([])
        os.setresgid(NOBODY, NOBODY, NOBODY)
        os.setresuid(NOBODY, NOBODY, NOBODY)
        linux.stay_visible()
        user = group = NOBODY
    linux.unshare(linux.NEWUSER | linux.NEWNS)
    linux.map_ids(proc, 0, user, group)
    if not inside:
        _build_root()
    _mount_private(64 * MIB)
    linux.unshare(linux.NEWPID | linux.NEWNET | linux.NEWIPC | linux.NEWUTS)
    os.chdir("/tmp")
    return proc


def _build_root() -> None:
    linux.mount("none", "/", None, linux.MS_REC | linux.MS_PRIVATE)
    root = Path("/tmp")  # covered in this mount namespace only
    sources = _open_all([*_SYSTEM, *map(str, library_folders()), *_package(), *_data()])
    devices = _open_all(f"/dev/{name}" for name in _DEVICES)
    linux.mount("tmpfs", root, "tmpfs", linux.MS_NOSUID, "size=16m,mode=755")
    below = lambda path: root / str(path).lstrip("/")  # noqa: E731
    for path, descriptor in sources.items():
        if Path(path) == PACKAGE / "__init__.py":
            below(PACKAGE).mkdir(parents=True, exist_ok=True)
            linux.mount("tmpfs", below(PACKAGE), "tmpfs", linux.MS_NOSUID, "size=1m,mode=755")
        _bind(descriptor, below(path))
    for path, descriptor in devices.items():
        _bind(descriptor, below(path))
    for name in ("tmp", "dev/shm"):
        below(name).mkdir(exist_ok=True)
    # There is no /proc, but TensorFlow aborts if it cannot read the name of its program there.
    below("/proc/self").mkdir(parents=True)
    below("/proc/self/exe").symlink_to(sys.executable)
    below("/proc/self/cmdline").write_text(f"{sys.executable}\0")
    linux.protect(str(root))
    linux.pivot_root(root)


def _package() -> list[str]:
    """Return the parts of this package that submissions may import."""
    parts = [p for p in sorted(PACKAGE.iterdir()) if p.name not in _SECRET]
    first = PACKAGE / "__init__.py"
    return [str(first), *(str(p) for p in parts if p != first)]


def _data() -> list[str]:
    mirror = os.environ.get("CNNCOURSE_DATA")
    return [str(Path(mirror).resolve())] if mirror else []


def _open_all(paths: Iterable[str]) -> dict[str, int]:
    """Open what is to be shown; a path that is not there is left out."""
    opened = {}
    for path in paths:
        with contextlib.suppress(FileNotFoundError):
            opened[path] = os.open(path, os.O_PATH)
    return opened


def _bind(descriptor: int, target: Path) -> None:
    """Show an opened folder or file at another place, with whatever is mounted below it."""
    source = f"/proc/self/fd/{descriptor}"
    if os.path.isdir(source):
        target.mkdir(parents=True, exist_ok=True)
    else:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.touch(exist_ok=True)
    linux.mount(source, target, None, linux.MS_BIND | linux.MS_REC)
    os.close(descriptor)


def _mount_private(size: int) -> None:
    """Mount empty folders to write to; they live in memory, and programs in them do not run."""
    flags = linux.MS_NOSUID | linux.MS_NODEV | linux.MS_NOEXEC
    for folder in ("/tmp", "/dev/shm"):
        linux.mount("tmpfs", folder, "tmpfs", flags, f"size={size},nr_inodes=10000,mode=700")


def confine(limits: Limits, mapped: int, proc: int) -> None:
    """Shut this process, a fork of the jailed server, in for good.

    Args:
        limits: for it and all that it starts.
        mapped: bytes that the server maps, which do not count.
        proc: what `enter_jail` returned; it is closed.

    Raises:
        OSError: if a step fails; no foreign code may run then.
    """
    linux.die_with_parent()
    # With the server's rights over its own namespaces first …
    linux.unshare(linux.NEWNS | linux.NEWNET | linux.NEWIPC | linux.NEWUTS)
    _mount_private(limits.disk_bytes)
    with contextlib.suppress(OSError):  # if memory runs short all the same, this goes first
        linux.write_proc(proc, "self/oom_score_adj", "1000")
    # … then as nobody in a user namespace of its own, where those rights are gone.
    linux.unshare(linux.NEWUSER)
    linux.map_ids(proc, NOBODY, 0, 0)
    os.close(proc)
    os.chdir("/tmp")
    set_limits(limits, mapped)
    linux.drop_capabilities()
    seccomp.install()
