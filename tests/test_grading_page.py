"""The page "Grade a class" can be followed literally."""

import csv
import re
import subprocess
import sys
from pathlib import Path

import pytest
from cnncourse.cli import main
from cnncourse.grader import run as grading
from cnncourse.sandbox_probe import isolation_problem

ROOT = Path(__file__).resolve().parent.parent
PAGE = (ROOT / "GRADING.md").read_text(encoding="utf-8")


def commands(section):
    """Return the commands of a section of the page."""
    text = re.search(rf"^## {section}$(.*?)(?=^## |\Z)", PAGE, re.DOTALL | re.MULTILINE)[1]
    return "\n".join(re.findall(r"^```bash\n(.*?)^```", text, re.DOTALL | re.MULTILINE))


@pytest.fixture
def checkout(tmp_path):
    """Return a folder that looks like a checkout after `make lab`."""
    for name in ("solutions", "exercises"):
        (tmp_path / name).symlink_to(ROOT / name)
    program = tmp_path / ".venv" / "bin" / "cnncourse"
    program.parent.mkdir(parents=True)
    code = "from cnncourse.cli import main; main()"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -c "{code}" "$@"\n')
    program.chmod(0o755)
    return tmp_path


def follow(section, folder):
    done = subprocess.run(
        ["bash", "-e"], input=commands(section), cwd=folder, text=True, capture_output=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.slow
@pytest.mark.skipif(
    isolation_problem() is not None, reason=f"no sandbox here: {isolation_problem()}"
)
def test_twenty_notebooks_step_by_step(checkout):
    assert re.search(r"^ok +sandbox", follow("Twenty notebooks, step by step", checkout), re.M)
    with open(checkout / "marks" / "grades.csv", encoding="utf-8", newline="") as file:
        rows = {row["student"]: row for row in csv.DictReader(file)}
    assert len(rows) == 20
    for number in range(1, 21):
        row = rows[f"student{number}"]
        expected = ("graded", "10") if number % 2 else ("not attempted", "0")
        assert (row["status"], row["total"], row["max"]) == (*expected, "10")
    assert len(list((checkout / "marks" / "feedback").glob("*.html"))) == 20
    listed = set(re.findall(r"^\| `([\w.]+)/?` \|", PAGE, re.MULTILINE))
    assert listed == {path.name for path in (checkout / "marks").iterdir()}


@pytest.mark.slow
def test_a_course_for_nbgrader(checkout):
    follow("With nbgrader instead", checkout)
    assert (checkout / "course" / "source" / "00_start_here" / "00_start_here.ipynb").is_file()


def test_options_and_exit_status_exist():
    options = {o for c in ("grade", "build") for p in main.commands[c].params for o in p.opts}
    named = {*re.findall(r"(?<![\w-])(--[a-z]+)", PAGE)} - {"--security"}
    assert named <= options, named - options
    table = {int(number) for number in re.findall(r"^\| (\d+) \|", PAGE, re.MULTILINE)}
    names = ("ALL_GRADED", "SOME_NOT_GRADED", "USAGE", "NO_SANDBOX", "INTERRUPTED")
    assert table == {getattr(grading, name) for name in names}
