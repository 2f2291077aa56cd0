"""Grading on a Dask cluster of real worker processes, of which some are killed."""

import json
import os
import signal
import threading
import time
from pathlib import Path

import dask
import pytest
from click.testing import CliRunner
from cnncourse.cli import main
from cnncourse.grader.cluster import GraderPlugin, grade_on_cluster
from cnncourse.grader.results import FAILED, GRADED, Submission
from cnncourse.grader.sandbox import SandboxError
from distributed import Client, LocalCluster
from grader_cases import CONV, ClusterGrader, NoSandbox
from grading_notebooks import toy, write
from test_grader_cli import HALF, RIGHT, work


def cluster(workers):
    """Start workers, each a process with one thread."""
    # A task is given up after its second lost worker, not its fourth: starting one takes long.
    with dask.config.set({"distributed.scheduler.allowed-failures": 1}):
        return LocalCluster(
            n_workers=workers, threads_per_worker=1, processes=True, dashboard_address=":0"
        )


@pytest.fixture(scope="module")
def three():
    with cluster(3) as running:
        yield running


def submissions(folder, *names):
    return [
        Submission(name, CONV, Path(folder, name), {"conv2d": "right"}, digest="0" * 64)
        for name in names
    ]


def run(running, todo, make=ClusterGrader):
    return list(grade_on_cluster(running.scheduler_address, [], todo, make=make))


def test_every_worker_takes_part(three, tmp_path):
    found = run(three, submissions(tmp_path, *(f"s{i:02}" for i in range(30))))
    assert sorted(graded.student for graded in found) == [f"s{i:02}" for i in range(30)]
    assert {graded.status for graded in found} == {GRADED}
    assert {graded.total for graded in found} == {3}
    assert len({graded.manual["done by"]["points"] for graded in found}) == 3


def test_what_a_lost_worker_had_is_graded_elsewhere_and_once(three, tmp_path):
    names = [f"s{i:02}" for i in range(20)]
    found = run(three, submissions(tmp_path, *names[:5], "kills its worker", *names[5:]))
    assert sorted(graded.student for graded in found) == sorted([*names, "kills its worker"])
    assert {graded.status for graded in found} == {GRADED}


def test_who_kills_every_worker_gets_a_row_and_the_others_their_marks(three, tmp_path):
    names = [f"s{i:02}" for i in range(6)]
    found = run(three, submissions(tmp_path, *names, "kills them all"))
    status = {graded.student: graded.status for graded in found}
    assert len(found) == len(status) == 7
    assert status.pop("kills them all") == FAILED
    assert set(status.values()) == {GRADED}
    (failed,) = (graded for graded in found if graded.status == FAILED)
    assert failed.message.startswith("no worker could grade it (KilledWorker): ")


def test_a_worker_without_a_sandbox_ends_the_run(three, tmp_path):
    with pytest.raises(SandboxError, match="Remedy: Linux"):
        run(three, submissions(tmp_path, "anna", "ben"), NoSandbox)


def test_nothing_stays_on_the_workers(three, tmp_path):
    run(three, submissions(tmp_path, "anna"))
    with Client(three.scheduler_address, set_as_default=False) as client:
        plugins = client.run(lambda dask_worker: [*dask_worker.plugins])
        assert not [name for names in plugins.values() for name in names if "cnncourse" in name]
        assert client.run_on_scheduler(lambda dask_scheduler: len(dask_scheduler.tasks)) == 0


def test_another_version_is_refused(monkeypatch):
    plugin = GraderPlugin(ClusterGrader, [], {})
    monkeypatch.setattr("cnncourse.grader.cluster.__version__", "9.9")
    with pytest.raises(RuntimeError, match=r"cnncourse is 9\.9 on worker tcp://w and "):
        plugin.setup(type("Worker", (), {"address": "tcp://w"}))


def test_no_cluster_there(monkeypatch):
    monkeypatch.setattr("cnncourse.grader.cluster.CONNECT_SECONDS", 1)
    with pytest.raises(OSError, match=r"127\.0\.0\.1:9"):
        list(grade_on_cluster("tcp://127.0.0.1:9", [], []))
    with cluster(0) as empty, pytest.raises(OSError, match="has no worker"):
        list(grade_on_cluster(empty.scheduler_address, [], []))


@pytest.mark.parametrize("lost", ["workers", "scheduler"])
def test_a_cluster_that_goes_away_ends_the_run(tmp_path, monkeypatch, lost):
    monkeypatch.setattr("cnncourse.grader.cluster.LOST_SECONDS", 3)
    found = []
    with cluster(1) as running:
        todo = submissions(tmp_path, *(f"s{i:03}" for i in range(200)))
        results = grade_on_cluster(running.scheduler_address, [], todo, make=ClusterGrader)
        with pytest.raises(OSError, match="the cluster is lost"):
            for graded in results:
                found.append(graded)
                if len(found) == 1:
                    leave = (lambda: running.scale(0)) if lost == "workers" else running.close
                    threading.Thread(target=leave).start()
    assert 0 < len(found) < 200


def test_the_driver_needs_dask_only_for_a_cluster(tmp_path, monkeypatch):
    import sys

    write(toy(), tmp_path / "solutions/toy.ipynb")
    (tmp_path / "anna.ipynb").write_bytes(work(RIGHT))
    monkeypatch.setitem(sys.modules, "distributed", None)
    monkeypatch.delitem(sys.modules, "cnncourse.grader.cluster", raising=False)
    monkeypatch.setattr("cnncourse.grader.assignment.prepare", lambda paths, seed: [])
    source = ["--source", str(tmp_path / "solutions"), "--out", str(tmp_path / "out")]
    arguments = ["grade", str(tmp_path / "anna.ipynb"), *source, "--scheduler", "tcp://x:1"]
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 2
    assert "pip install distributed" in result.stderr


@pytest.mark.slow
def test_the_command_on_a_cluster_of_which_one_worker_is_killed(tmp_path):
    """The whole way: real sandboxes below real workers, one killed with work on its hands."""
    write(toy(), tmp_path / "solutions/toy.ipynb")
    (tmp_path / "class").mkdir()
    for number in range(12):
        answers = HALF if number % 3 == 0 else RIGHT
        (tmp_path / f"class/s{number:02}.ipynb").write_bytes(work(answers, f"answer {number}"))
    source = ["--source", str(tmp_path / "solutions"), "--out", str(tmp_path / "out")]
    with cluster(2) as running:
        victim = next(iter(running.workers.values()))
        killed = []

        def kill(done, count, note):
            if done == 2 and not killed:
                killed.append(victim.pid)
                os.kill(victim.pid, signal.SIGKILL)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("cnncourse.grader.run.Progress", lambda unsafe: kill)
            address = ["--scheduler", running.scheduler_address]
            result = CliRunner().invoke(
                main, ["grade", str(tmp_path / "class"), *source, *address], catch_exceptions=False
            )
    assert killed
    assert result.exit_code == 0, result.output
    data = json.loads((tmp_path / "out/results.json").read_text())
    totals = {s["student"]: s["total"] for s in data["submissions"]}
    assert len(data["submissions"]) == 12
    assert totals == {f"s{n:02}": 3 if n % 3 == 0 else 5 for n in range(12)}
    assert len((tmp_path / "out/journal.jsonl").read_text().splitlines()) == 13  # none twice
    deadline = time.monotonic() + 20
    while _zygotes(killed) and time.monotonic() < deadline:
        time.sleep(0.2)
    assert _zygotes(killed) == []


def _zygotes(parents):
    """Return fork servers that outlived the worker that started them."""
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        try:
            command = (path / "cmdline").read_bytes().decode(errors="replace")
            environment = (path / "environ").read_bytes().decode(errors="replace")
            parent = int((path / "stat").read_text().rsplit(")", 1)[1].split()[1])
        except (OSError, ValueError):
            continue
        if "cnncourse.grader.zygote" in command and parent in (1, *parents):
            found.append((path.name, command, environment[:0]))
    return found
