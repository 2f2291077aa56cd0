"""The grader's engine: honest answers keep every point, broken ones lose their own only."""

import time
from dataclasses import replace
from itertools import zip_longest
from pathlib import Path

import nbformat
import pytest
from cnncourse.grader import environment
from cnncourse.grader.advice import library_answers
from cnncourse.grader.assignment import outline, prepare, secret_seed
from cnncourse.grader.engine import Grader
from cnncourse.grader.limits import MIB, Limits
from cnncourse.grader.results import (
    FAILED,
    GRADED,
    NOT_ATTEMPTED,
    OUT_OF_MEMORY,
    STOPPED,
    TIMED_OUT,
    UNREADABLE,
    Graded,
    Submission,
)
from cnncourse.grading.cells import AuthorError, read_source
from cnncourse.grading.compare import equal
from cnncourse.grading.judge import CORRECT, RAISED, WRONG
from grader_toy import DOUBLE, LOOK, ROOT, notebook, solved, started

SOURCES = {path.stem: path for path in sorted((ROOT / "solutions").glob("*.ipynb"))}
RIGHT = {"look": "def look():\n    return 0", "double": "def double(x):\n    return x + x"}


@pytest.fixture(scope="module")
def grader(tmp_path_factory):
    """A grader for every notebook; it computes all that the references give, for a minute."""
    with started(tmp_path_factory.mktemp("toy")) as made:
        yield made


def toy(**cells):
    return Submission("s", "toy", Path("s.ipynb"), {**RIGHT, **cells}, digest="d")


def statuses(graded):
    return {question.name: question.status for question in graded.questions}


@pytest.mark.parametrize("name", SOURCES)
def test_the_reference_earns_every_point(grader, name):
    graded = grader.grade_one(solved(name))
    assert graded.status == GRADED
    assert set(statuses(graded).values()) == {CORRECT}
    assert graded.total == graded.max_points == sum(p for _, p in outline(SOURCES[name]).questions)
    assert graded.manual.keys() == outline(SOURCES[name]).manual.keys()


@pytest.mark.parametrize("name", SOURCES)
def test_the_blank_release_is_not_attempted(grader, name):
    blank = nbformat.read(ROOT / "exercises" / f"{name}.ipynb", as_version=4)
    cells = {
        cell.metadata["nbgrader"]["grade_id"]: cell.source
        for cell in blank.cells
        if cell.cell_type == "code" and cell.metadata.get("nbgrader", {}).get("solution")
    }
    graded = grader.grade_one(replace(solved(name), cells=cells))
    assert (graded.status, graded.total) == (NOT_ATTEMPTED, 0)
    assert set(statuses(graded).values()) == {NOT_ATTEMPTED}


@pytest.mark.parametrize("name", SOURCES)
def test_every_mistake_costs_points(grader, name):
    """The first mistakes of all exercises in one submission, then all second ones, and so on."""
    exercises = read_source(SOURCES[name]).exercises.values()
    rounds = list(zip_longest(*([(e.name, m) for m in e.mistakes] for e in exercises)))
    submissions = [
        solved(name, str(i), **{pair[0]: pair[1].source for pair in each if pair})
        for i, each in enumerate(rounds)
    ]
    for graded in grader.grade(submissions):
        wrong = {pair[0] for pair in rounds[int(graded.student)] if pair}
        for question in graded.questions:
            if question.name in wrong:
                assert question.status in (WRONG, RAISED), question
                assert question.points < question.max_points or not question.max_points
                assert question.hint


def test_the_seed_decides_the_secret_draws(tmp_path):
    path = notebook(tmp_path)
    draws = []
    for seed in ("a", "a", "b"):
        (assignment,) = prepare([path], seed)
        draws.append(assignment.questions[1].draws)
    public, secret, hidden = draws[0]
    assert [draw.shown for draw in draws[0]] == [True, False, False]
    assert [draw.index for draw in draws[0]] == [0, 0, 1]
    assert public.probe.seed == draws[2][0].probe.seed
    assert secret.probe.seed == draws[1][1].probe.seed != draws[2][1].probe.seed
    assert hidden.probe.seed != draws[2][2].probe.seed
    assert equal(2 * secret.probe.draw()["x"], secret.expected, 0)
    assert secret_seed("a", "bc") != secret_seed("a", "b", "c")


def test_public_values_learnt_by_heart_earn_nothing(grader):
    (shown, *_) = grader.assignments["toy"].questions[1].draws
    code = f"def double(x):\n    return np.array({shown.expected.tolist()}, 'float32')"
    graded = grader.grade_one(toy(double=code))
    double = graded.questions[1]
    assert (double.status, double.points) == (WRONG, 0)
    assert double.public == [
        {"expression": "double(x)", "given": double.public[0]["given"], "passed": True}
    ]
    assert "other random numbers" in double.failed_property


def test_hidden_probes_inputs_reach_no_feedback(grader):
    """Once secret inputs were seen, neither values nor prints of public probes are taken."""
    look = "seen = []\ndef look():\n    print(seen)\n    return 0"
    double = "def double(x):\n    seen.append(x)\n    print('input', x)\n    return x"
    graded = grader.grade_one(toy(look=look, double=double))
    assert graded.questions[0].printed == "[]"
    assert graded.questions[1].printed.count("input") == 1
    public, secret, _ = grader.assignments["toy"].questions[1].draws
    text = repr(graded.to_json())
    assert str(public.probe.draw()["x"])[1:6] in text
    assert str(secret.probe.draw()["x"])[1:6] not in text


@pytest.mark.parametrize(
    ("look", "status"),
    [
        ("def look():\n    while True:\n        pass", TIMED_OUT),
        ("def look():\n    sum(range(10**12))", TIMED_OUT),
        ("while True:\n    pass", TIMED_OUT),
        ("def look():\n    import os\n    os._exit(0)", STOPPED),
        ("import os\nos._exit(0)", STOPPED),
        ("def look():\n    import ctypes\n    ctypes.string_at(0)", STOPPED),
        ("raise KeyboardInterrupt", STOPPED),
        ("def look(:", RAISED),
        ("def look():\n    raise SystemExit", RAISED),
        ("1 / 0", RAISED),
        ("def look():\n    return look", WRONG),
        (LOOK.replace("return 0", "raise NotImplementedError"), NOT_ATTEMPTED),
        ("", NOT_ATTEMPTED),
    ],
)
def test_a_broken_question_costs_only_itself(grader, look, status, monkeypatch):
    monkeypatch.setattr(grader, "limits", Limits(question=1.5))
    graded = grader.grade_one(toy(look=look))
    assert statuses(graded) == {"look": status, "double": CORRECT}
    assert graded.total == 2


def test_memory_of_all_processes_together_is_limited(grader, monkeypatch):
    take = """\
def look():
    import os, time
    for _ in range(4):
        if os.fork() == 0:
            kept = b"x" * 300_000_000
            time.sleep(30)
            os._exit(len(kept) > 0)
    time.sleep(30)
"""
    monkeypatch.setattr(grader, "limits", Limits(memory=900 * MIB))
    graded = grader.grade_one(toy(look=take))
    assert statuses(graded) == {"look": OUT_OF_MEMORY, "double": CORRECT}


def test_an_error_in_a_cell_is_explained(grader):
    look = grader.grade_one(toy(look="x = 1\nx.wrong")).questions[0]
    assert "line 2" in look.hint
    assert "AttributeError" in look.hint


def test_a_notebooks_own_lines_are_left_out(grader):
    assert grader.grade_one(toy(look="%matplotlib inline\n!pip list\n" + LOOK)).total == 3


def test_a_mistakes_hint_is_given(grader):
    double = grader.grade_one(toy(double="def double(x):\n    return x * x")).questions[1]
    assert (double.status, double.hint) == (WRONG, "Squared.")


def test_problems_have_their_row(grader):
    unreadable = replace(toy(), problem="it is a picture")
    graded = grader.grade_one(unreadable)
    assert (graded.status, graded.message, graded.total) == (UNREADABLE, "it is a picture", 0)
    assert (graded.max_points, graded.digest) == (3, "d")
    assert grader.grade_one(replace(toy(), assignment="17_x")).status == UNREADABLE
    assert grader.grade_one(replace(toy(), cells={})).status == NOT_ATTEMPTED
    assert Graded.from_json(graded.to_json()) == graded


def test_a_fault_of_ours_has_its_row_too(grader, monkeypatch):
    monkeypatch.setattr("cnncourse.grader.engine.mark", lambda *_: 1 / 0)
    graded = grader.grade_one(toy())
    assert (graded.status, graded.total, graded.max_points) == (FAILED, 0, 3)
    assert "ZeroDivisionError" in graded.message


def test_many_are_graded_each_once_and_few_are_held(grader):
    drawn = []

    def many():
        for i in range(12):
            drawn.append(i)
            yield replace(toy(), student=str(i))

    results = grader.grade(many())
    first = next(results)
    assert len(drawn) <= 2 * grader.jobs + 1
    everyone = [first, *results]
    assert sorted(int(graded.student) for graded in everyone) == list(range(12))
    assert {graded.total for graded in everyone} == {3}


def test_the_server_is_started_again_if_it_ends(grader):
    grader._spawner._process.kill()
    time.sleep(0.2)
    assert grader.grade_one(toy()).total == 3


def test_without_a_sandbox_it_says_so(tmp_path):
    with Grader.of([notebook(tmp_path)], "s", unsafe=True, limits=Limits(question=2)) as unsafe:
        assert "UNSAFE" in unsafe.note
        hang = "def look():\n    while True:\n        pass"
        for look, total in ((RIGHT["look"], 3), (hang, 2), ("import os\nos._exit(1)", 2)):
            graded = unsafe.grade_one(toy(look=look))
            assert graded.unsafe
            assert graded.total == total


@pytest.mark.parametrize("jobs", [0, -1, True, 1.5, "2"])
def test_jobs_must_be_a_positive_integer(jobs):
    with pytest.raises(ValueError, match="accepted: a positive integer"):
        Grader([], jobs=jobs)


def test_a_fault_in_the_source_names_its_place(tmp_path):
    path = notebook(tmp_path)
    path.write_text(path.read_text().replace("return 0", "return 1/0"))
    with pytest.raises(AuthorError, match=r"toy\.ipynb, cell 3"):
        prepare([path], "s")


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("from cnncourse.scratch import conv2d", "cnncourse.scratch"),
        ("import tensorflow as t\nt.nn.conv2d(x, w)", "tensorflow.nn"),
        ("keras.ops.conv(x, w)", "keras.ops.conv"),
        ("import numpy as n\nn.convolve(x, k)", "numpy.convolve"),
        ("np.correlate(x, k)", "numpy.correlate"),
        ("from scipy import signal", "scipy.signal"),
        ("np.tensordot(x, w, axes=3)", ""),
        (DOUBLE, ""),
        ("def (", ""),
        ("(" * 500, ""),
    ],
)
def test_the_librarys_own_answer_is_noticed(source, found):
    assert library_answers(source) == (f"uses the library's own answer: {found}" if found else "")


def test_advice_changes_no_points(grader):
    (assignment,) = [a for a in grader.assignments.values() if a.name == "toy"]
    scratch = tuple(replace(q, from_scratch=True) for q in assignment.questions)
    grader.assignments["toy"] = replace(assignment, questions=scratch)
    try:
        code = "import cnncourse.scratch\ndef double(x):\n    return x + x"
        graded = grader.grade_one(toy(double=code))
        deep = grader.grade_one(toy(look="look = lambda: " + "-" * 50_000 + "0"))
    finally:
        grader.assignments["toy"] = assignment
    assert graded.total == 3
    assert [bool(q.advice) for q in graded.questions] == [False, True]
    assert deep.questions[1].status == CORRECT


FORGE = """\
import json, os, struct, sys
pipe = max(n for n in range(3, 256) if os.path.exists("/tmp") and _open(n))
def frame(text, raw=b"", size=None):
    return struct.pack("!4sII", b"cnn1", len(text) if size is None else size, len(raw)) + text + raw
def answer(number, value):
    fields = {"printed": "", "modified": [], "missing": [], "trace": [], "stub": False}
    return frame(json.dumps({"id": number, "value": value, **fields}).encode())
"""
OPEN = """\
def _open(number):
    import os
    try:
        os.fstat(number)
        return True
    except OSError:
        return False
"""


@pytest.mark.parametrize(
    "forgery",
    [
        "os.write(pipe, b'points: 3')",
        "os.write(pipe, frame(b'{}', size=2**31))",
        "os.write(pipe, frame(b'[' * 60_000))",
        "os.write(pipe, frame(b'{\"id\": 1}'))",
        "os.write(pipe, answer(2, {'type': 'int', 'value': 0}))",
        "os.write(pipe, answer(1, {'type': 'raised', 'name': 'E', 'bases': [], 'message': ''}))",
        "os.write(pipe, answer(1, {'type': 'int', 'value': 0})[:20]); os._exit(0)",
        "os.close(pipe)",
        "[os.write(pipe, bytes(60_000)) for _ in range(2_000)]",
    ],
)
def test_forged_frames_earn_nothing(grader, forgery):
    look = f"{OPEN}{FORGE}def look():\n    {forgery}\n    return 0"
    graded = grader.grade_one(toy(look=look))
    assert graded.status == GRADED
    assert statuses(graded)["look"] in (STOPPED, RAISED, WRONG)
    assert graded.questions[0].points == 0
    assert graded.questions[1].points == 2


def test_a_submission_has_an_end_even_if_every_step_stays_within_its_time(grader, monkeypatch):
    slow = "import time\ntime.sleep({0})\ndef {1}(*x):\n    time.sleep({0})\n    return 1"
    cells = {name: slow.format(0.9, name) for name in RIGHT}
    monkeypatch.setattr(grader, "limits", Limits(question=1))
    started = time.monotonic()
    graded = grader.grade_one(toy(**cells))
    assert graded.total == 0
    assert time.monotonic() - started < 8


def test_a_library_that_starts_threads_means_no_forks_of_it(tmp_path, monkeypatch):
    monkeypatch.setitem(environment._FIXED, "OPENBLAS_NUM_THREADS", "3")
    with Grader.of([notebook(tmp_path)], "s") as slow:
        assert "3 threads" in slow.note or "2 threads" in slow.note
        assert slow.grade_one(toy()).total == 3
