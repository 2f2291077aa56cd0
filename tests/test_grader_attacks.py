"""Hostile submissions: no undeserved point, no harm to others, no survivor, no crash; all in time.

The whole suite is graded once, two at a time: each attack is followed by an honest submission, so
that one is graded beside it and another one right after it. The tests then look at the rows.
"""

import contextlib
import json
import os
import socket
import subprocess
import sys
import time
import uuid
from collections import Counter
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from attacks import ATTACKS, assignment, keras_answers
from attacks.honest import CONTROLS, HONEST
from cnncourse.grader.assignment import prepare
from cnncourse.grader.engine import Grader
from cnncourse.grader.limits import Limits
from cnncourse.grader.results import GRADED, Submission
from cnncourse.grading.cells import read_source
from cnncourse.sandbox_probe import isolation_problem

ROOT = Path(__file__).resolve().parent.parent
MIB = 2**20
LIMITS = Limits(question=2, memory=700 * MIB, processes=64, disk_bytes=32 * MIB)
LONGEST = 60  # seconds for any one submission, on a busy machine

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        isolation_problem() is not None, reason=f"no sandbox here: {isolation_problem()}"
    ),
]


def fill(source, places):
    """Tell the attacker where things are."""
    for name, value in places.items():
        source = source.replace(f"@{name}@", str(value))
    return source


def submission(student, cells, world):
    """Return a submission: what `cells` leaves out is answered right."""
    cells = {name: fill(cells.get(name, source), world.places) for name, source in HONEST.items()}
    return Submission(student, assignment.NAME, Path(f"{student}.ipynb"), cells, digest=student)


def alive(marker):
    """Return the other processes that carry the marker in their environment."""
    found = {}
    for process in Path("/proc").iterdir():
        if process.name.isdigit() and int(process.name) != os.getpid():
            with contextlib.suppress(OSError):
                if marker.encode() in (process / "environ").read_bytes():
                    command = (process / "cmdline").read_bytes().replace(b"\0", b" ")
                    found[int(process.name)] = command.decode(errors="replace")[:200]
    return found


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """Lay out what attackers would like to reach: files, a process, sockets."""
    folder = tmp_path_factory.mktemp("attacked")
    path, key, public = assignment.lay_out(folder)
    out = folder / "out"
    out.mkdir()
    for each in (*folder.parents[:2], folder, out):
        each.chmod(0o777)  # so that only the sandbox stands in the way
    with (
        subprocess.Popen([sys.executable, "-c", "import time; time.sleep(900)"]) as victim,
        socket.create_server(("127.0.0.1", 0)) as listener,
        socket.socket(socket.AF_UNIX) as abstract,
    ):
        name = f"cnncourse-{uuid.uuid4().hex}"
        abstract.bind(f"\0{name}")
        abstract.listen()
        places = {
            "SOLUTIONS": path,
            "KEY": key,
            "OUT": out,
            "PUBLIC": public,
            "VICTIM": victim.pid,
            "SOCKET": name,
            "PORT": listener.getsockname()[1],
        }
        yield SimpleNamespace(
            folder=folder,
            path=path,
            key=key,
            out=out,
            victim=victim,
            sockets=(listener, abstract),
            places=places,
        )
        victim.kill()


@pytest.fixture(scope="module")
def chapter(world):
    """Grade the attacks on a chapter, with TensorFlow; each is followed by a right answer."""
    source = read_source(ROOT / "solutions" / f"{keras_answers.NAME}.ipynb")
    right = {name: exercise.solution for name, exercise in source.exercises.items()}
    key = json.loads((ROOT / "exercises" / "keys" / f"{keras_answers.NAME}.json").read_text())
    public = {n: [p["value"] for p in e["probes"]] for n, e in key["exercises"].items()}
    everybody = []
    for name, cells in keras_answers.ATTACKS.items():
        for student, given in ((name, {**right, **cells}), (f"after {name}", right)):
            places = {**world.places, "PUBLIC": json.dumps({"global_avg": public["global_avg"]})}
            given = {question: fill(text, places) for question, text in given.items()}
            everybody.append(Submission(student, source.name, Path(student), given))
    path = ROOT / "solutions" / f"{source.name}.ipynb"
    limits = Limits(question=5, memory=1500 * MIB)
    with Grader(prepare([path], "a secret"), jobs=2, limits=limits) as grader:
        rows = {row.student: row for row in grader.grade(everybody)}
    assert len(rows) == len(everybody)
    return rows, {name: exercise.points for name, exercise in source.exercises.items()}


@pytest.fixture(scope="module")
def run(world):
    """Grade everything, once."""
    before = {p: p.read_bytes() for p in world.folder.rglob("*") if p.is_file()}
    everybody = []
    for name, cells in ATTACKS.items():
        everybody.append(submission(name, cells, world))
        everybody.append(submission(f"after {name}", {}, world))
    everybody += [submission(f"honest: {n}", cells, world) for n, cells in CONTROLS.items()]
    # The grader's processes get few variables; this one they keep, and so they can be told.
    marker = world.folder / f"data-{uuid.uuid4().hex}"
    marker.mkdir()
    start = time.monotonic()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CNNCOURSE_DATA", str(marker))
        with Grader(prepare([world.path], "a secret"), jobs=2, limits=LIMITS) as grader:
            rows = list(grader.grade(everybody))
            time.sleep(0.5)
            left = alive(str(marker))
    seconds = time.monotonic() - start
    time.sleep(0.5)
    after = {p: p.read_bytes() for p in world.folder.rglob("*") if p.is_file()}
    return SimpleNamespace(
        rows={row.student: row for row in rows},
        count=Counter(row.student for row in rows),
        names=[each.student for each in everybody],
        left=left,
        survivors=alive(str(marker)),
        files=(before, after),
        seconds=seconds,
    )


def points(row):
    return {question.name: question.points for question in row.questions}


def test_the_suite_is_large():
    assert len(ATTACKS) >= 60 and len(CONTROLS) >= 15


@pytest.mark.parametrize(
    "name", ["the solutions notebook by its path", "subprocesses that read for it"]
)
def test_without_walls_the_reference_is_found(world, name):
    """The attackers that read know how to: here, outside of the sandbox, they succeed."""
    namespace = {"np": np}
    exec(fill(ATTACKS[name]["double"], world.places), namespace)
    x = np.arange(6, dtype="float32")
    np.testing.assert_array_equal(namespace["double"](x), 2.5 * x)


def test_by_heart_the_public_values_are_right(world):
    """What the public key gives away is what the public probe expects, and no more."""
    cells = ATTACKS["hard-coded values, once the inputs are the public ones"]
    namespace = {"np": np}
    exec(fill(cells["double"], world.places), namespace)
    np.testing.assert_allclose(namespace["double"](namespace["public"]), 2.5 * namespace["public"])
    assert namespace["double"](namespace["public"] + 1) is None


def test_everybody_has_one_row(run):
    assert sorted(run.count.elements()) == sorted(run.names)


@pytest.mark.parametrize("name", ATTACKS)
def test_attack_earns_nothing(run, name):
    row = run.rows[name]
    assert row.status and row.seconds < LONGEST
    earned = points(row)
    undeserved = {q: earned.get(q, 0) for q in ATTACKS[name] if earned.get(q, 0) > 0}
    assert undeserved == {}
    assert all(earned[q] <= most for q, most in assignment.POINTS.items() if q in earned)


@pytest.mark.parametrize("name", ATTACKS)
def test_the_next_student_keeps_every_point(run, name):
    row = run.rows[f"after {name}"]
    assert (row.status, points(row)) == (GRADED, assignment.POINTS), row


@pytest.mark.parametrize("name", CONTROLS)
def test_honest_submission_keeps_every_point(run, name):
    row = run.rows[f"honest: {name}"]
    assert (row.status, points(row)) == (GRADED, assignment.POINTS), row


@pytest.mark.parametrize("name", keras_answers.ATTACKS)
def test_attack_on_a_chapter(chapter, name):
    rows, most = chapter
    earned = points(rows[name])
    assert {q: earned[q] for q in keras_answers.ATTACKS[name] if earned[q] > 0} == {}
    assert points(rows[f"after {name}"]) == most


def test_nobody_survives(run):
    """While the grader still stands, its fork server is all there is; afterwards nothing is."""
    assert len(run.left) == 2 and all("zygote" in command for command in run.left.values()), (
        run.left
    )
    assert run.survivors == {}


def test_nothing_outside_was_touched(run, world):
    before, after = run.files
    assert after == before
    assert world.victim.poll() is None
    state = Path(f"/proc/{world.victim.pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    assert state == "S"  # neither stopped nor traced
    for listener in world.sockets:
        listener.setblocking(False)
        with pytest.raises(BlockingIOError):
            listener.accept()


def test_in_bounded_time(run):
    assert run.seconds < 240
