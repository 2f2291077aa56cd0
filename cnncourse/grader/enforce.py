"""What this machine can enforce: the whole sandbox is built once, for nobody, and thrown away.

`python -m cnncourse.grader.enforce` prints one line of JSON; `cnncourse doctor` reads it.
"""

import json
import os
from pathlib import Path

from cnncourse.grader.limits import MIB, Limits
from cnncourse.grader.sandbox import confine, enter_jail


def problem() -> str:
    """Build the sandbox as for a submission; only in a process of its own.

    Returns:
        What could not be had; nothing if all of it could.
    """
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            proc = enter_jail()
            child = os.fork()
            if child == 0:
                confine(Limits(), 4096 * MIB, proc)
            else:
                os.waitpid(child, 0)
        except BaseException as error:
            os.write(writer, str(error).encode()[:1000])
        finally:
            os._exit(0)
    os.close(writer)
    os.waitpid(pid, 0)
    with os.fdopen(reader, "rb") as stream:
        return stream.read().decode(errors="replace")


def unwatched() -> str:
    """Return what the memory watchdog cannot see here; nothing if it sees everything."""
    if not Path("/proc/self/task", str(os.getpid()), "children").exists():
        return "memory of a submission's child processes (a kernel without PROC_CHILDREN)"
    if not Path("/proc/self/smaps_rollup").exists():
        return "which memory processes share (a kernel older than 4.14): they pay for it twice"
    return ""


if __name__ == "__main__":
    print(json.dumps({"problem": problem(), "unwatched": unwatched()}))
