"""Grade on a Dask cluster: each worker process has a fork server of its own.

The driver prepares the assignments and sends them to the workers, which are as trusted as itself;
what runs a submission sees no more of them than it does on one machine. Use `tls://` addresses
where others can listen. When a worker is lost, Dask gives its submissions to another one; each
result is taken once.
"""

import threading
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from cnncourse import __version__
from cnncourse.grader.assignment import Assignment
from cnncourse.grader.engine import Grader
from cnncourse.grader.limits import Limits
from cnncourse.grader.results import FAILED, Graded, Submission
from cnncourse.grader.sandbox import SandboxError
from distributed import Client, Future, KilledWorker, WorkerPlugin, as_completed, get_worker

CONNECT_SECONDS = 30
LOST_SECONDS = 60  # with no worker at all
_LOST = "the cluster is lost; start it again, and grade with --resume"


class GraderPlugin(WorkerPlugin):
    """A worker's grader, from its first submission to the end of the run."""

    def __init__(self, make: Callable[..., Any], assignments: Sequence[Assignment], options: dict):
        """Take what the grader is made of; `setup` runs on the worker.

        Args:
            make: the grader's class.
            assignments: prepared ones; secret.
            options: its other arguments.
        """
        self.arguments, self.version = (make, assignments, options), __version__

    def setup(self, worker: Any) -> None:
        """Refuse a worker of another version: it might mark in another way."""
        if self.version != __version__:
            raise RuntimeError(
                f"cnncourse is {__version__} on worker {worker.address} and {self.version} here; "
                "install the same on both"
            )
        self.lock, self.started = threading.Lock(), None

    def grader(self) -> Any:
        """Return the worker's grader; the first call starts it."""
        with self.lock:
            if self.started is None:
                make, assignments, options = self.arguments
                grader = make(assignments, **options)
                grader.__enter__()
                self.started = grader
            return self.started

    def teardown(self, worker: Any) -> None:
        """End the grader and everything below it."""
        with self.lock:
            if self.started is not None:
                self.started.__exit__(None, None, None)


def grade_on_cluster(
    address: str,
    assignments: Sequence[Assignment],
    submissions: Sequence[Submission],
    *,
    limits: Limits | None = None,
    unsafe: bool = False,
    make: Callable[..., Any] = Grader,
) -> Iterator[Graded]:
    """Grade submissions on a cluster and yield what each earned, as soon as it is known.

    Args:
        address: of the cluster's scheduler, e.g. `tcp://10.0.0.1:8786`.
        assignments: prepared ones.
        submissions: in any order.
        limits: of each.
        unsafe: without a sandbox.
        make: what makes a worker's grader.

    Raises:
        OSError: if scheduler or workers cannot be reached within 30 seconds, or all are lost.
        SandboxError: if a worker cannot isolate submissions.
    """
    name = f"cnncourse-grader-{uuid.uuid4().hex}"  # two runs may share a cluster
    plugin = GraderPlugin(make, assignments, {"limits": limits, "unsafe": unsafe})
    with Client(address, timeout=CONNECT_SECONDS, set_as_default=False) as client:
        try:
            client.wait_for_workers(1, timeout=CONNECT_SECONDS)
        except TimeoutError:
            raise OSError(f"the cluster at {address} has no worker") from None
        client.register_plugin(plugin, name=name)
        try:
            yield from _collect(client, name, submissions, unsafe)
        finally:
            if client.status == "running":
                client.unregister_worker_plugin(name)


def _collect(
    client: Client, name: str, submissions: Sequence[Submission], unsafe: bool
) -> Iterator[Graded]:
    """Yield every submission's result, once.

    Dask gives up on whatever was on several workers that died, be it running or only waiting
    there. So each of those gets another chance, all by itself.
    """
    suspects = []
    for submission, future in _done(client, name, submissions):
        if future.status == "finished":
            yield future.result()
        elif isinstance(future.exception(), KilledWorker):
            suspects.append(submission)
        else:
            yield _failed(submission, future.exception(), unsafe)
    for number, suspect in enumerate(suspects):
        for submission, future in _done(client, f"{name}-alone-{number}", [suspect], name):
            done = future.status == "finished"
            yield future.result() if done else _failed(submission, future.exception(), unsafe)


def _done(
    client: Client, key: str, submissions: Sequence[Submission], name: str = ""
) -> Iterator[tuple[Submission, Future]]:
    """Submit tasks and yield each when it has ended, well or not."""
    futures = {
        client.submit(_grade, name or key, submission, key=f"{key}-{number}"): submission
        for number, submission in enumerate(submissions)
    }
    ended = as_completed(list(futures), loop=client.loop)
    while futures:
        _wait(client, ended)
        future = next(ended)
        if future.status == "cancelled":  # the scheduler is gone
            raise OSError(_LOST)
        if future.status not in ("finished", "error"):  # its result went with a worker: once more
            ended.add(future)
            continue
        yield futures.pop(future), future
        future.release()  # the cluster may forget it


def _wait(client: Client, ended: as_completed) -> None:
    """Wait until a task has ended; but not for ever for a cluster that is no more."""
    alive = time.monotonic()
    while not ended.has_ready():
        time.sleep(0.02)
        if time.monotonic() - alive > LOST_SECONDS / 2 and _has_workers(client):
            alive = time.monotonic()
        elif time.monotonic() - alive > LOST_SECONDS:
            raise OSError(_LOST)


def _has_workers(client: Client) -> bool:
    return client.status == "running" and bool(client.nthreads())


def _failed(submission: Submission, error: BaseException | None, unsafe: bool) -> Graded:
    """Return the row of a submission that no worker could grade."""
    if isinstance(error, SandboxError):
        raise error
    reason = f"no worker could grade it ({type(error).__name__}): {str(error)[:300]}"
    who = (submission.student, submission.assignment, submission.digest)
    return Graded(*who, FAILED, message=reason, unsafe=unsafe)


def _grade(name: str, submission: Submission) -> Graded:
    """Grade one submission; this runs on a worker."""
    return get_worker().plugins[name].grader().grade_one(submission)
