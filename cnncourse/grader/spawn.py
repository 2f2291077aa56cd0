"""The driver's handles on processes that run foreign code: started, talked to, surely ended."""

import contextlib
import json
import os
import queue
import select
import signal
import socket
import subprocess
import tempfile
import threading
from dataclasses import asdict
from pathlib import Path
from typing import BinaryIO

from cnncourse.grader.environment import command, environment
from cnncourse.grader.limits import Limits, Watched, kill_group
from cnncourse.grader.sandbox import SandboxError, refusal

_START_SECONDS = 300
_END_SECONDS = 30


class SpawnError(RuntimeError):
    """No process could be started; the fault is not the submission's."""


class Runner:
    """One process (with all below it) that runs one submission's code.

    Attributes:
        source: frames from it.
        sink: frames to it.
        watched: it, as the watchdog sees it.
    """

    def __init__(self, source: BinaryIO, sink: BinaryIO, watched: Watched, wait, release):
        """Hold the streams.

        Args:
            source: frames from it.
            sink: frames to it.
            watched: it, as the watchdog sees it.
            wait: returns once every process is gone.
            release: gives back what was needed to kill it.
        """
        self.source, self.sink, self.watched = source, sink, watched
        self._wait, self._release = wait, release

    def close(self) -> None:
        """Kill it and all below it, and wait until they are gone."""
        self.watched.end()
        try:
            self._wait()
        finally:
            self.watched.forget()
            self._release()
            self._close_streams()

    def _close_streams(self) -> None:
        for stream in (self.source, self.sink):
            with contextlib.suppress(OSError):  # what was not sent yet cannot be
                stream.close()


class ForkServer:
    """The zygote in its jail: forks in milliseconds, each fork sandboxed."""

    def __init__(self):
        """Start it; imports go on in the background until `ready` is called."""
        self._lock = threading.Lock()
        self.note = ""  # something the instructor should know
        self._ready = False
        self._start(preload=True)

    def _start(self, preload: bool) -> None:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 (a pipe that nobody reads fills up)
        with theirs:
            self._process = subprocess.Popen(
                command("zygote", str(theirs.fileno()), json.dumps(preload)),
                env=environment(),
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=self._errors,
            )
        self._control = ours

    def ready(self) -> None:
        """Wait for the imports.

        Raises:
            SandboxError: if the jail could not be built.
            SpawnError: if the server does not start for another reason.
        """
        with self._lock:
            if self._ready:
                return
            message = self._hello()
            if message["threads"] != 1:
                self.close()
                self._start(preload=False)
                self.note = (
                    f"importing the libraries starts {message['threads']} threads, and such a "
                    "process cannot be forked: every submission imports for itself and takes "
                    "seconds longer, in the same sandbox"
                )
                self._hello()
            self._ready = True

    def _hello(self) -> dict:
        from cnncourse.grader.zygote import receive_descriptors

        self._control.settimeout(_START_SECONDS)
        try:
            message, _ = receive_descriptors(self._control)
        except OSError:
            message = {}
        self._control.settimeout(_END_SECONDS)
        if "problem" in message:
            self.close()
            remedy = "run `cnncourse doctor` and follow its line about the sandbox"
            raise SandboxError(refusal(message["problem"], remedy))
        if not message:
            self._process.kill()
            self._process.wait()
            self._errors.seek(0)
            lines = self._errors.read().decode(errors="replace").strip().splitlines()
            last = lines[-1] if lines else "no reason given"
            raise SpawnError(f"the fork server did not start: {last}")
        return message

    def run(self, limits: Limits) -> Runner:
        """Fork a runner.

        Raises:
            SpawnError: if the server is gone.
        """
        from cnncourse.grader.zygote import receive_descriptors, send_descriptors

        self.ready()
        # Pipes, not sockets: nothing but bytes goes through them, and they name no process.
        theirs_in, sink = os.pipe()
        source, theirs_out = os.pipe()
        with self._lock:
            try:
                send_descriptors(self._control, {"limits": asdict(limits)}, [theirs_in, theirs_out])
                _, descriptors = receive_descriptors(self._control)
            except OSError:
                descriptors = []
        for descriptor in (theirs_in, theirs_out):
            os.close(descriptor)
        streams = os.fdopen(source, "rb"), os.fdopen(sink, "wb")
        if not descriptors:
            for stream in streams:
                stream.close()
            raise SpawnError("the fork server ended")
        handle = descriptors[0]
        watched = Watched(_pid(handle), limits, lambda: _kill(handle))
        return Runner(*streams, watched, lambda: _await_end(handle), lambda: os.close(handle))

    def renew(self) -> None:
        """Start another server if this one is gone."""
        with self._lock:
            if self._process.poll() is None:
                return
            self.close()
            self._ready = False
            self._start(preload=not self.note)
        self.ready()

    def close(self) -> None:
        """End the server, and with it everything that it ever started."""
        self._control.close()
        try:
            self._process.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._errors.close()


def _pid(handle: int) -> int:
    """Return the number, as seen from here, of the process that a pidfd stands for."""
    text = Path(f"/proc/self/fdinfo/{handle}").read_text()
    return next(int(line.split()[1]) for line in text.splitlines() if line.startswith("Pid:"))


def _kill(handle: int) -> None:
    with contextlib.suppress(OSError):
        signal.pidfd_send_signal(handle, signal.SIGKILL)


def _await_end(handle: int) -> None:
    """Wait for an init's end; the kernel ends it after all others of its pid namespace."""
    if not select.select([handle], [], [], _END_SECONDS)[0]:
        raise SpawnError("a process could not be ended")


class _Pump:
    """Reads a pipe that may stay open after its process was killed, held by an escaped child."""

    def __init__(self, stream: BinaryIO, watched: Watched):
        self._stream, self._watched, self._rest = stream, watched, b""
        self._parts: queue.Queue[bytes] = queue.Queue(maxsize=100)
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self) -> None:
        part = b"?"
        while part and not self._watched.verdict:
            part = self._stream.read1(1 << 16)
            self._parts.put(part)

    def read(self, size: int) -> bytes:
        """Return some bytes; none at the end of the stream or once the process was killed."""
        while not self._rest:
            try:
                self._rest = self._parts.get(timeout=0.1)
            except queue.Empty:
                if self._watched.verdict:
                    return b""
            else:
                if not self._rest:
                    return b""
        part, self._rest = self._rest[:size], self._rest[size:]
        return part

    def close(self) -> None:
        """Leave the pipe to its thread: closing it here would wait for a read that never ends."""


class UnsafeSpawner:
    """Ordinary processes with limits and no walls: `--unsafe`."""

    note = "UNSAFE: no sandbox"

    def ready(self) -> None:
        """Do nothing: there is no server."""

    def renew(self) -> None:
        """Do nothing: there is no server."""

    def run(self, limits: Limits) -> Runner:
        """Start a process that imports and runs."""
        process = subprocess.Popen(
            command("runner", json.dumps(asdict(limits))),
            env=environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

        def kill() -> None:
            kill_group(process.pid)
            process.kill()

        watched = Watched(process.pid, limits, kill)
        pump = _Pump(process.stdout, watched)
        return Runner(pump, process.stdin, watched, process.wait, lambda: None)

    def close(self) -> None:
        """Do nothing: there is no server."""
