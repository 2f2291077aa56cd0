"""The fork server: it imports the libraries once, runs nothing with them, and forks.

A fork of a process that has run one TensorFlow operation hangs; before the first one there is one
thread only, and forks are safe. So the server checks that it has one thread. Where a library starts
threads at import, it starts again without importing: then each fork imports for itself, in the same
sandbox, and takes seconds longer.
"""

import array
import gc
import importlib
import json
import os
import socket
import sys
import time

from cnncourse.grader import linux
from cnncourse.grader.environment import import_keras
from cnncourse.grader.limits import Limits
from cnncourse.grader.sandbox import confine, enter_jail

LIBRARIES = (
    *("numpy", "keras", "matplotlib.pyplot", "scipy.signal"),
    *("cnncourse.plotting", "cnncourse.scratch", "cnncourse.datasets", "cnncourse.layers"),
    *("cnncourse.session", "cnncourse.cost", "cnncourse.architectures", "cnncourse.grader.runner"),
)


def send_descriptors(control: socket.socket, message: dict, descriptors: list[int]) -> None:
    """Send a short message with open files."""
    rights = (socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", descriptors))
    control.sendmsg([json.dumps(message).encode()], [rights] if descriptors else [])


def receive_descriptors(control: socket.socket) -> tuple[dict, list[int]]:
    """Receive what `send_descriptors` sent; an empty message if the other side hung up."""
    data, ancillary, _, _ = control.recvmsg(65536, socket.CMSG_SPACE(16))
    files = array.array("i")
    for level, kind, content in ancillary:
        if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
            files.frombytes(content[: len(content) - len(content) % files.itemsize])
    return (json.loads(data) if data else {}), list(files)


def main() -> None:
    """Enter the jail, start the server as the init of a pid namespace, and wait for its end."""
    control = socket.socket(fileno=int(sys.argv[1]))
    try:
        proc = enter_jail()
    except OSError as error:
        send_descriptors(control, {"problem": str(error)}, [])
        sys.exit(1)
    pid = os.fork()
    if pid == 0:
        linux.die_with_parent()
        serve(control, proc, json.loads(sys.argv[2]))
    control.close()
    os.waitpid(pid, 0)


def serve(control: socket.socket, proc: int, preload: bool) -> None:
    """Import the libraries, then fork for every request until the driver hangs up."""
    started = time.perf_counter()
    if preload:
        import_keras()
        for name in LIBRARIES:
            importlib.import_module(name)
    else:
        importlib.import_module("cnncourse.grader.runner")
    threads = len(os.listdir(os.open("self/task", os.O_RDONLY, dir_fd=proc)))
    mapped = _mapped(proc)
    gc.collect()
    gc.freeze()  # the collector then touches no page that forks share
    seconds = time.perf_counter() - started
    send_descriptors(control, {"threads": threads, "seconds": seconds}, [])
    own_pids = os.open("self/ns/pid", os.O_RDONLY, dir_fd=proc)
    while True:
        request, descriptors = receive_descriptors(control)
        if not descriptors:
            os._exit(0)  # with this init goes all that it ever started
        _reap()
        limits = Limits(**request["limits"])
        linux.unshare(linux.NEWPID)
        pid = os.fork()
        if pid == 0:
            _become_runner(descriptors, limits, mapped, proc)
        linux.setns(own_pids, linux.NEWPID)
        handle = os.pidfd_open(pid)
        send_descriptors(control, {"pid": pid}, [handle])
        for descriptor in (handle, *descriptors):
            os.close(descriptor)


def _mapped(proc: int) -> int:
    """Return the bytes that this process maps."""
    with open(os.open("self/statm", os.O_RDONLY, dir_fd=proc)) as file:
        return int(file.read().split()[0]) * os.sysconf("SC_PAGE_SIZE")


def _reap() -> None:
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        pass


def _become_runner(descriptors: list[int], limits: Limits, mapped: int, proc: int) -> None:
    """Confine this fork, the init of its own pid namespace, and serve; never return."""
    from cnncourse.grader import protocol, runner

    try:
        source, sink = os.fdopen(descriptors[0], "rb"), os.fdopen(descriptors[1], "wb")
        try:
            os.setsid()
            confine(limits, mapped, proc)
        except OSError as error:
            protocol.send(sink, {"problem": str(error)})
            return
        runner.close_all_but(descriptors)
        runner.serve(source, sink)
    finally:
        os._exit(0)


if __name__ == "__main__":
    main()
