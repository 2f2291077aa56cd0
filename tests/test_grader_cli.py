"""`cnncourse grade`: options, exit status, what is printed, and a run that goes on after a kill."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import jsonschema
import pytest
from click.testing import CliRunner
from cnncourse.cli import main
from cnncourse.grader import engine, journal, run
from cnncourse.grader.results import FAILED, Graded
from cnncourse.grader.sandbox import SandboxError
from cnncourse.grader.spawn import SpawnError
from grader_cases import cell, notebook
from grading_notebooks import toy, write
from test_grader_outputs import SCHEMA

RIGHT = {
    "correlate": "def correlate(x, k):\n    n = len(x) - len(k) + 1\n"
    "    return np.float32([np.sum(x[i : i + len(k)] * k) for i in range(n)])",
    "out_size": "def out_size(size, kernel_size):\n    if kernel_size > size:\n"
    "        raise ValueError\n    return size - kernel_size + 1",
}
HALF = {**RIGHT, "out_size": "def out_size(size, kernel_size):\n    return size - kernel_size"}


def work(answers, prose="They are shared."):
    cells = [cell(name, source) for name, source in answers.items()]
    return notebook(*cells, cell("q1", prose, kind="markdown"))


@pytest.fixture
def course(tmp_path):
    """A folder with a solutions notebook, and one with three submissions."""
    write(toy(), tmp_path / "solutions/toy.ipynb")
    students = {"anna": work(RIGHT), "ben": work(HALF), "carol": work({}, "YOUR ANSWER HERE")}
    for name, content in students.items():
        path = tmp_path / "class" / name / "toy.ipynb"
        path.parent.mkdir(parents=True)
        path.write_bytes(content)
    return tmp_path


def cli(course, *options, out=True):
    where = ["--out", str(course / "out")] if out else []
    source = ["--source", str(course / "solutions")]
    return CliRunner().invoke(
        main, ["grade", str(course / "class"), *source, *where, *options], catch_exceptions=False
    )


@pytest.fixture
def fake(monkeypatch):
    """An engine that runs nothing: full points for what has no `kernel_size` alone at its end."""
    calls = []

    class Grader:
        note = "a note"

        @classmethod
        def of(cls, paths, seed, **options):
            calls.append((sorted(path.name for path in paths), seed, options))
            cls.graded, cls.unsafe = [], options["unsafe"]
            return cls()

        def __enter__(self):
            return self

        def __exit__(self, *_):
            pass

        def grade(self, submissions):
            for s in submissions:
                self.graded.append(s.student)
                status = "graded" if s.cells else "not attempted"
                yield Graded(s.student, s.assignment, s.digest, status, unsafe=self.unsafe)

    Grader.calls = calls
    monkeypatch.setattr(engine, "Grader", Grader)
    return Grader


def rows(course):
    lines = (course / "out/grades.csv").read_text().splitlines()
    return [line.split(",") for line in lines[1:]]


def test_what_is_written_and_said(course, fake):
    result = cli(course)
    assert (result.exit_code, result.stderr) == (0, "a note\n")
    assert result.stdout.splitlines() == [
        "3 submissions: 2 graded, 1 not attempted.",
        "toy: 0.0 of 5 on average.",
        f"Marks: {course / 'out/grades.csv'}. Feedback: {course / 'out/feedback'}.",
    ]
    assert {p.name for p in (course / "out").iterdir()} == {
        *("feedback", "grades.csv", "journal.jsonl", "results.json"),
    }
    for name in ("out", "out/journal.jsonl"):
        assert (course / name).stat().st_mode & 0o077 == 0  # marks and seed are nobody else's
    assert len(list((course / "out/feedback").iterdir())) == 3


def test_one_bad_submission_is_a_row_and_exit_status_1(course, fake):
    (course / "class/ben/toy.ipynb").write_bytes(b"")
    result = cli(course)
    assert result.exit_code == run.SOME_NOT_GRADED == 1
    assert rows(course)[1][-2:] == ["unreadable", "the notebook is empty"]
    assert fake.graded == ["anna", "carol"]


def test_when_all_are_bad_nothing_is_started(course, fake):
    for path in (course / "class").glob("*/toy.ipynb"):
        path.write_bytes(b"")
    assert cli(course).exit_code == 1
    assert fake.calls == []
    assert [row[-2] for row in rows(course)] == ["unreadable"] * 3


def test_an_engine_that_loses_a_submission(course, fake, monkeypatch):
    monkeypatch.setattr(fake, "grade", lambda self, submissions: iter(()))
    assert cli(course).exit_code == 1
    assert [row[-2] for row in rows(course)] == [FAILED] * 3


def test_json_is_all_there_is_on_standard_output(course, fake, monkeypatch):
    monkeypatch.chdir(course)
    result = cli(course, "--json", "--seed", "s", out=False)
    assert result.exit_code == 0
    data = json.loads(result.stdout)
    jsonschema.validate(data, SCHEMA)
    assert data["seed"] == "s"
    assert not (course / "grades").exists()
    assert (course / "out").exists() is False
    cli(course, "--json")
    assert (course / "out/grades.csv").exists()


def test_options_reach_the_engine(course, fake):
    cli(course, "-j", "3", "--timeout", "7", "--memory", "512", "--seed", "abc", "--gradescope")
    ((paths, seed, options),) = fake.calls
    assert (paths, seed) == (["toy.ipynb"], "abc")
    assert (options["jobs"], options["unsafe"]) == (3, False)
    assert (options["limits"].question, options["limits"].memory) == (7, 512 * 2**20)
    assert (course / "out/gradescope/anna/results.json").exists()


def test_a_new_seed_every_time(course, fake):
    cli(course)
    cli(course)
    seeds = [seed for _, seed, _ in fake.calls]
    assert len(set(seeds)) == 2
    assert all(len(seed) == 32 for seed in seeds)


def test_only_one_assignment(course, fake):
    write(toy("other"), course / "solutions/other.ipynb")
    (course / "class/anna/other.ipynb").write_bytes(work(RIGHT))
    cli(course, "--assignment", "other")
    assert fake.calls[0][0] == ["other.ipynb"]
    assert [row[:2] for row in rows(course)] == [["anna", "other"]]
    result = cli(course, "--assignment", "ohter")
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == "Error: assignment is 'ohter'; accepted: other, toy\n"


def test_results_among_the_submissions_are_none(course, fake, monkeypatch):
    monkeypatch.chdir(course / "class")
    for _ in range(2):  # the second time the first one's results are there
        command = ["grade", ".", "--source", str(course / "solutions")]
        assert CliRunner().invoke(main, command).exit_code == 0
    table = (course / "class/grades/grades.csv").read_text().splitlines()
    assert [line.split(",")[0] for line in table] == ["student", "anna", "ben", "carol"]


def test_unsafe_is_said_on_every_line(course, fake):
    (course / "class/ben/toy.ipynb").write_bytes(b"")
    result = cli(course, "--unsafe")
    lines = (result.stdout + result.stderr).splitlines()
    assert len(lines) == 5
    assert all(line.startswith("UNSAFE ") for line in lines)
    assert all("(UNSAFE)" in ",".join(row) for row in rows(course))
    assert json.loads((course / "out/results.json").read_text())["unsafe"] is True


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (SandboxError("no namespaces. Remedy: Linux"), 3),
        (SpawnError("no process"), 3),
        (ValueError("the reference has a fault"), 2),
        (OSError("disk full"), 2),
        (KeyboardInterrupt(), 130),
    ],
)
def test_errors_are_one_line(course, fake, monkeypatch, error, code):
    def fail(_):
        raise error

    monkeypatch.setattr(fake, "__enter__", fail)
    result = cli(course)
    assert (result.exit_code, result.stdout) == (code, "")
    assert str(error) in result.stderr
    assert "Traceback" not in result.stderr
    assert not (course / "out/grades.csv").exists()


@pytest.mark.parametrize(
    "options",
    [["-j", "0"], ["--timeout", "0"], ["--memory", "1"], ["--json", "--resume"], ["--what"]],
)
def test_wrong_options(course, fake, options):
    result = cli(course, *options, out=False)
    assert (result.exit_code, result.stdout) == (2, "")
    assert fake.calls == []


def test_nothing_there(course, fake):
    for arguments in (["grade", "nowhere"], ["grade", str(course / "solutions"), "--source", "x"]):
        result = CliRunner().invoke(main, arguments)
        assert (result.exit_code, result.stdout) == (2, "")
        assert result.stderr.startswith("Error: ")


# --- Resuming.


def test_resume_grades_what_is_new_or_changed(course, fake):
    cli(course)
    assert fake.graded == ["anna", "ben", "carol"]
    first = fake.calls[0][1]
    (course / "class/ben/toy.ipynb").write_bytes(work(RIGHT))
    (course / "class/dora").mkdir()
    (course / "class/dora/toy.ipynb").write_bytes(work(RIGHT))
    cli(course, "--resume")
    assert fake.graded == ["ben", "dora"]
    assert fake.calls[1][1] == first  # the same secret inputs for everybody
    assert [row[0] for row in rows(course)] == ["anna", "ben", "carol", "dora"]
    (course / "class/dora/toy.ipynb").rename(course / "class/dora/late.ipynb")
    assert cli(course, "--resume").exit_code == 0
    assert len(fake.calls) == 2  # nothing was left to do
    cli(course)
    assert fake.graded == ["anna", "ben", "carol", "dora"]


def test_what_marks_depend_on_makes_resume_grade_again(course, fake, monkeypatch):
    def count(*options):
        fake.graded = []
        cli(course, "--resume", *options)
        return len(fake.graded)

    assert [count("--seed", "a"), count("--seed", "a"), count()] == [3, 0, 0]
    assert count("--timeout", "3") == 3
    assert count("--unsafe") == 3
    assert count("--seed", "b") == 3
    notebook = toy()
    notebook.cells[0].source += " Another text."
    write(notebook, course / "solutions/toy.ipynb")
    assert [count(), count()] == [3, 0]
    monkeypatch.setattr(journal, "__version__", "9")
    assert [count(), count()] == [3, 0]


def test_what_failed_is_tried_again(course, fake, monkeypatch):
    def fail(self, submissions):
        for s in submissions:
            yield Graded(s.student, s.assignment, s.digest, FAILED, message="lost")

    with monkeypatch.context() as patch:
        patch.setattr(fake, "grade", fail)
        assert cli(course).exit_code == 1
    assert cli(course, "--resume").exit_code == 0
    assert fake.graded == ["anna", "ben", "carol"]


@pytest.mark.parametrize("junk", [b'{"key": "half', b"\xff\n", b"[1]\n", b'{"key": 1}\n', b"{}\n"])
def test_a_damaged_journal_costs_only_what_is_damaged(course, fake, junk):
    cli(course)
    path = course / "out/journal.jsonl"
    lines = path.read_bytes().splitlines(True)
    assert len(lines) == 4
    path.write_bytes(b"".join(lines[:3]) + junk)
    cli(course, "--resume")
    assert fake.graded == ["carol"]
    cli(course, "--resume")
    assert len(fake.calls) == 2
    assert path.read_bytes().endswith(b"}\n")


@pytest.mark.parametrize("content", [b"", b"what?\n", b'{"format": "x", "version": 9}\n'])
def test_a_journal_that_is_none_is_begun_anew(course, fake, content):
    (course / "out").mkdir()
    (course / "out/journal.jsonl").write_bytes(content)
    assert cli(course, "--resume").exit_code == 0
    assert fake.graded == ["anna", "ben", "carol"]
    cli(course, "--resume")
    assert len(fake.calls) == 1


def test_each_result_is_on_disk_before_the_next(course, fake, monkeypatch):
    synced = []
    monkeypatch.setattr(os, "fsync", lambda fd: synced.append(os.fstat(fd).st_size))
    cli(course)
    assert len(synced) == 4  # the head and three results
    assert synced == sorted(set(synced))


def test_equal_work_of_one_student_is_graded_once(course, fake):
    (course / "class/anna/toy copy.ipynb").write_bytes(work(RIGHT))
    cli(course)
    assert fake.graded == ["anna", "ben", "carol"]
    assert [row[0] for row in rows(course)] == ["anna", "anna", "ben", "carol"]


def test_progress_is_for_terminals(course, fake, monkeypatch):
    written = []
    terminal = type("T", (), {"isatty": lambda s: True, "flush": lambda s: None})()
    terminal.write = written.append
    monkeypatch.setattr(sys, "stderr", terminal)
    tell = run.Progress(unsafe=True)
    tell(1, 4, "")
    tell(4, 4, "")
    text = "".join(written)
    assert text.count("\r") == 2
    assert "UNSAFE grading" in text
    assert text.endswith("4 of 4\n")
    terminal.isatty = lambda: False
    written.clear()
    quiet = run.Progress(unsafe=False)
    monkeypatch.setattr(quiet, "_live", False)
    quiet(1, 4, "")
    assert written == []


# --- The real engine.


def command(course, *options):
    code = "import sys; from cnncourse.cli import main; main(sys.argv[1:])"
    arguments = ["grade", course / "class", "--source", course / "solutions", *options]
    return [sys.executable, "-c", code, *map(str, arguments)]


@pytest.mark.slow
def test_the_same_seed_gives_the_same_marks(course):
    made = []
    for _ in range(2):
        done = subprocess.run(
            command(course, "--json", "--seed", "s", "-j", "2"), capture_output=True, text=True
        )
        assert (done.returncode, done.stderr) == (0, "")
        data = json.loads(done.stdout)
        jsonschema.validate(data, SCHEMA)
        for submission in data["submissions"]:
            del submission["seconds"]
        made.append(data)
    assert made[0] == made[1]
    totals = {s["student"]: (s["total"], s["status"]) for s in made[0]["submissions"]}
    assert totals == {"anna": (5, "graded"), "ben": (3, "graded"), "carol": (0, "not attempted")}
    ben = made[0]["submissions"][1]
    assert ben["questions"][1]["hint"] == "Count the windows: the first one counts too."


@pytest.mark.slow
def test_a_run_that_is_killed_goes_on_where_it_stood(course):
    slow = {**RIGHT, "out_size": "import time; time.sleep(1.5)\n" + RIGHT["out_size"]}
    for name in "klmnop":
        path = course / "class" / f"{name}.ipynb"
        path.write_bytes(work(slow, name))
    log = course / "out/journal.jsonl"
    options = ("--out", course / "out", "-j", "1", "--seed", "s")
    process = subprocess.Popen(command(course, *options), stderr=subprocess.PIPE)
    try:
        deadline = time.monotonic() + 120
        while not (log.exists() and log.read_bytes().count(b"\n") >= 5):
            assert process.poll() is None, process.stderr.read()
            assert time.monotonic() < deadline
            time.sleep(0.05)
    finally:
        os.kill(process.pid, signal.SIGKILL)
        process.communicate()
    kept = {json.loads(line)["key"]: line for line in log.read_bytes().splitlines()[1:]}
    assert 4 <= len(kept) < 9
    assert not (course / "out/grades.csv").exists()
    with log.open("ab") as file:
        file.write(b'{"key": "in flight", "gra')
    done = subprocess.run(command(course, *options, "--resume"), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    lines = log.read_bytes().splitlines()[1:]
    assert len(lines) == 9
    assert set(kept.values()) <= set(lines)  # what was graded is untouched
    marks = {row[0]: row[5] for row in rows(course)}
    assert marks == {"anna": "5", "ben": "3", "carol": "0", **dict.fromkeys("klmnop", "5")}
    assert _left_over(course) == []


def _left_over(course: Path) -> list[str]:
    """Return the command lines of processes that still work for this course."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            text = path.read_bytes().decode(errors="replace")
        except OSError:
            continue
        if str(course) in text:
            found.append(text)
    return found
