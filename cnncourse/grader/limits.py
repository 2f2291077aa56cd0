"""How much a submission may use, and who watches over it."""

import contextlib
import os
import signal
import threading
import time
from dataclasses import dataclass
from pathlib import Path

MIB = 2**20
_POLL = 0.05  # seconds


@dataclass(frozen=True)
class Limits:
    """What one submission may use.

    Attributes:
        question: seconds of wall time for each question's probes, and for each cell. On top comes
            five times what the reference needs, so that questions that train take their time.
        memory: bytes of all processes of the submission together.
        processes: processes and threads together.
        disk_bytes: of the private, empty /tmp, which lives in memory.
        file_bytes: of one file.
        open_files: file descriptors of one process.
        text_bytes: of one answer without its arrays, and
        array_bytes: of its arrays: or four times what the right answer has, if that is more.
    """

    question: float = 10
    memory: int = 2048 * MIB
    processes: int = 128
    disk_bytes: int = 128 * MIB
    file_bytes: int = 64 * MIB
    open_files: int = 256
    text_bytes: int = 128 * 1024
    array_bytes: int = MIB


def set_limits(limits: Limits, mapped: int, processes: bool = True) -> None:
    """Set the kernel's limits for this process and its children; they cannot be raised again.

    Args:
        limits: to set.
        mapped: bytes that the libraries map. That is far more than they use, so it is free; the
            watchdog looks at what is used.
        processes: whether the number of processes is limited. It counts per user, so it makes sense
            only in a user namespace.
    """
    import resource

    wanted = {
        "AS": mapped + limits.memory + 1024 * MIB,  # and room for the threads' stacks
        "CORE": 1,  # 0 would still hand the memory to a program that collects crashes
        "CPU": round(20 * limits.question) + 60,  # wall time is watched; this is for what escapes
        "FSIZE": limits.file_bytes,
        "NOFILE": limits.open_files,
        "MEMLOCK": 0,
        "MSGQUEUE": 0,
        "STACK": 8 * MIB,
    }
    if processes:
        wanted["NPROC"] = limits.processes
    for name, value in wanted.items():
        kind = getattr(resource, f"RLIMIT_{name}", None)
        if kind is not None:
            _, hard = resource.getrlimit(kind)
            value = value if hard == resource.RLIM_INFINITY else min(value, hard)
            with contextlib.suppress(ValueError, OSError):  # macOS knows some by name only
                resource.setrlimit(kind, (value, value))


class Watched:
    """A process and all below it, as the watchdog sees it.

    Attributes:
        pid: of the topmost process, as numbered here.
        limits: for the whole.
        deadline: by `time.monotonic`; whoever asks a question sets it anew.
        verdict: why it was killed; empty while it was not.
    """

    def __init__(self, pid: int, limits: Limits, kill):
        """Begin with the time that one question has."""
        self.pid, self.limits, self._kill = pid, limits, kill
        self.deadline = time.monotonic() + limits.question
        self.verdict = ""
        self._lock, self._gone = threading.Lock(), False
        self._rest = 0.0  # until then the memory is not looked at closely

    def over_memory(self) -> bool:
        """Tell whether it uses more memory than it may.

        What a fork shares with its parent is in the resident size of both, so a first, fast sum is
        too large. Only if that is over the limit the kernel is asked for each page's fair share,
        which may take long: it is not asked all the time.
        """
        tree = descendants(self.pid)
        started = time.monotonic()
        if sum(map(_resident, tree)) <= self.limits.memory or started < self._rest:
            return False
        over = sum(map(_share, tree)) > self.limits.memory
        now = time.monotonic()
        self._rest = now + 4 * (now - started)
        return over

    def end(self, verdict: str = "") -> None:
        """Kill it and all below it."""
        with self._lock:
            if not self._gone:
                self.verdict = self.verdict or verdict
                self._kill()

    def forget(self) -> None:
        """Never kill it again: what its handle or number stands for may be another one now."""
        with self._lock:
            self._gone = True


class Watchdog:
    """A thread that kills what is over its time or memory."""

    def __init__(self, timed_out: str, out_of_memory: str):
        """Start watching nothing.

        Args:
            timed_out: the verdict on who takes too long.
            out_of_memory: the verdict on who takes too much.
        """
        self._verdicts = timed_out, out_of_memory
        self._watched: set[Watched] = set()
        self._lock, self._stop = threading.Lock(), threading.Event()
        self._thread = threading.Thread(target=self._run, name="watchdog", daemon=True)
        self._thread.start()

    def add(self, watched: Watched) -> None:
        """Watch over a process from now on."""
        with self._lock:
            self._watched.add(watched)

    def remove(self, watched: Watched) -> None:
        """Stop watching."""
        with self._lock:
            self._watched.discard(watched)

    def close(self) -> None:
        """End the thread."""
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stop.wait(_POLL):
            with self._lock:
                watched = list(self._watched)
            for each in watched:
                if time.monotonic() > each.deadline:
                    each.end(self._verdicts[0])
                elif each.over_memory():
                    each.end(self._verdicts[1])


def descendants(pid: int) -> list[int]:
    """Return a process and all below it; orphans are below the init of their pid namespace."""
    found, new = [pid], [pid]
    while new:
        children = []
        for parent in new:
            with contextlib.suppress(OSError):
                for task in Path(f"/proc/{parent}/task").iterdir():
                    with contextlib.suppress(OSError):
                        children += map(int, (task / "children").read_text().split())
        found, new = found + children, children
    return found


def _resident(pid: int) -> int:
    with contextlib.suppress(OSError, IndexError):
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    return 0


def _share(pid: int) -> int:
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    return _resident(pid)  # who hides its memory map pays for shared pages, too


def kill_group(pid: int) -> None:
    """Kill a process and its group, where there are no namespaces."""
    with contextlib.suppress(OSError):
        if hasattr(os, "killpg"):
            os.killpg(pid, signal.SIGKILL)
        else:
            os.kill(pid, signal.SIGTERM)
