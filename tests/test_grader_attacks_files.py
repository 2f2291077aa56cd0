"""Hostile files, end to end: `cnncourse grade` on a folder in which everything is wrong."""

import csv
import json
import os
import socket
import subprocess
import sys
from html.parser import HTMLParser
from types import SimpleNamespace

import nbformat
import numpy as np
import pytest
from attacks import ATTACKS, assignment, leaks
from attacks.honest import HONEST
from click.testing import CliRunner
from cnncourse.cli import main
from cnncourse.grader.assignment import prepare
from cnncourse.sandbox_probe import isolation_problem
from grading_notebooks import code
from nbformat.v4 import new_notebook

SEED = "a secret seed"
FROM_THE_SUITE = (
    "HTML, JavaScript and formulas for whoever reads",
    "terminal escapes and right-to-left marks",
    "types with hostile names",
    "errors that cannot be shown",
    "lone surrogates and zeros",
    "frames that say correct",
    "source that no parser survives",
    "os._exit in the call",
)
NAMES = (
    "=HYPERLINK(1)",
    "+1+1",
    "@SUM(A1)",
    "-2+3|cmd",
    "new\nline",
    "tab\tand\rreturn",
    "\u202egpj.right to left",
    "<script>alert(1)<",
    "'quotes\"",
    "a" * 200,
    "a ... .. ~",
    "\udcff\udcfe no UTF-8",
    "%00%2e%2e",
)

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        isolation_problem() is not None, reason=f"no sandbox here: {isolation_problem()}"
    ),
]


def hand_in(path, cells):
    path.parent.mkdir(parents=True, exist_ok=True)
    made = [code(source, name, grade_id=name, solution=True) for name, source in cells.items()]
    text = json.dumps(new_notebook(cells=made))
    path.write_text(text, encoding="utf-8")


def fill_class(folder, world):
    """Hand in everything bad, and something good; return how many rows there must be."""
    for name in NAMES:
        hand_in(folder / name / f"{assignment.NAME}.ipynb", HONEST)
    for name in FROM_THE_SUITE:
        cells = {question: ATTACKS[name].get(question, HONEST[question]) for question in HONEST}
        for place, value in world.items():
            cells = {q: source.replace(f"@{place}@", value) for q, source in cells.items()}
        hand_in(folder / f"attack {FROM_THE_SUITE.index(name)}" / f"{assignment.NAME}.ipynb", cells)
    spy = {q: source.replace("@OUT@", world["OUT"]) for q, source in leaks.SUBMISSION.items()}
    hand_in(folder / "spy" / f"{assignment.NAME}.ipynb", spy)
    files = {"empty": b"", "binary": b"\xff\x00" * 99, "deep": b"[" * 10**5, "text": b"hello"}
    for name, content in {**files, "cells": b'{"cells": 1}'}.items():
        (folder / name).mkdir()
        (folder / name / f"{assignment.NAME}.ipynb").write_bytes(content)
    for name in ("link", "linked folder", "pipe", "socket", "huge"):
        (folder / name).mkdir()
    (folder / "link" / f"{assignment.NAME}.ipynb").symlink_to(world["SOLUTIONS"])
    (folder / "linked folder" / "all").symlink_to("/")
    os.mkfifo(folder / "pipe" / f"{assignment.NAME}.ipynb")
    with open(folder / "huge" / f"{assignment.NAME}.ipynb", "wb") as file:
        file.truncate(300_000_000)
    bad = len(files) + 1 + 5
    return len(NAMES) + len(FROM_THE_SUITE) + 1 + bad, bad


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Grade the class by the command."""
    folder = tmp_path_factory.mktemp("files")
    path, key, public = assignment.lay_out(folder)
    (folder / "out").mkdir(mode=0o777)
    world = {"SOLUTIONS": str(path), "KEY": str(key), "OUT": str(folder / "out"), "PUBLIC": public}
    rows, bad = fill_class(folder / "class", world)
    with socket.socket(socket.AF_UNIX) as endpoint:
        previous = os.getcwd()
        os.chdir(folder / "class" / "socket")  # a socket's path must be short
        try:
            endpoint.bind(f"{assignment.NAME}.ipynb")
        finally:
            os.chdir(previous)
        command = ["grade", str(folder / "class"), "--source", str(path.parent), "--seed", SEED]
        options = ["--out", str(folder / "marks"), "--gradescope", "--timeout", "3", "-j", "2"]
        done = subprocess.run(
            [sys.executable, "-c", "from cnncourse.cli import main; main()", *command, *options],
            capture_output=True,
            timeout=300,
        )
    table = (folder / "marks" / "grades.csv").read_text(encoding="utf-8")
    results = json.loads((folder / "marks" / "results.json").read_text(encoding="utf-8"))
    return SimpleNamespace(
        folder=folder, done=done, rows=rows, bad=bad, table=table, results=results, path=path
    )


def test_a_row_for_everything(run):
    assert run.done.returncode == 1, run.done.stderr  # some could not be read
    table = list(csv.DictReader(run.table.splitlines()))
    assert len(table) == len(run.results["submissions"]) == run.rows
    unreadable = [row for row in table if row["status"] == "unreadable"]
    assert len(unreadable) == run.bad and all(row["message"] for row in unreadable)
    assert all(row["total"] == "0" for row in unreadable)
    assert {row["status"] for row in table} <= {"graded", "unreadable", "not attempted"}


def test_names_cost_nothing(run):
    full = [s for s in run.results["submissions"] if s["total"] == sum(assignment.POINTS.values())]
    assert len(full) == len(NAMES)


def test_attacks_earn_nothing(run):
    for submission in run.results["submissions"]:
        if submission["student"].startswith("attack "):
            attacked = ATTACKS[FROM_THE_SUITE[int(submission["student"].split()[1])]]
            earned = {q["name"]: q["points"] for q in submission["questions"]}
            assert all(earned[question] == 0 for question in attacked), submission


def test_no_formula_in_the_table(run):
    for row in csv.reader(run.table.splitlines()):
        assert not any(cell.startswith(("=", "+", "@", "\t", "\r")) for cell in row), row
        assert not any(cell.startswith("-") and not cell[1:].isdigit() for cell in row), row


class Tags(HTMLParser):
    def __init__(self):
        super().__init__()
        self.bad = []

    def handle_starttag(self, tag, attributes):
        names = [name for name, _ in attributes]
        if tag in ("script", "img", "iframe", "object") or any(n.startswith("on") for n in names):
            self.bad.append((tag, attributes))


def test_nothing_runs_in_feedback(run):
    pages = list((run.folder / "marks" / "feedback").iterdir())
    assert len(pages) == run.rows
    for page in pages:
        tags = Tags()
        tags.feed(page.read_text(encoding="utf-8"))
        assert tags.bad == [], page


def test_files_stay_in_their_folder(run):
    marks = run.folder / "marks"
    for path in marks.rglob("*"):
        assert path.is_dir() or (path.name.isascii() and path.name.isprintable())
    assert sorted(p.name for p in run.folder.iterdir()) == sorted(
        ["class", "exercises", "marks", "out", "solutions"]
    )
    assert list((run.folder / "out").iterdir()) == []


def test_terminal_sees_no_escapes(run):
    assert b"\x1b" not in run.done.stdout + run.done.stderr


def test_hidden_inputs_are_told_to_nobody(run):
    """Whatever a submission prints, raises or returns, no secret or hidden input gets out."""
    secret, shown = set(), set()
    (prepared,) = prepare([run.path], SEED)
    for question in prepared.questions:
        for draw in question.draws:
            for value in draw.probe.draw().values():
                numbers = [repr(n) for n in np.asarray(value).ravel().tolist() if abs(n) > 1e-3]
                (shown if draw.shown else secret).update(n[:9] for n in numbers if len(n) > 8)
    written = [p for p in (run.folder / "marks").rglob("*") if p.is_file()]
    public = [p for p in written if p.name != "journal.jsonl"]
    text = "".join(path.read_text(encoding="utf-8") for path in public)
    assert any(number in text for number in shown)  # the spy did tell what it may
    assert [number for number in secret - shown if number in text] == []


def test_a_device_alone_is_refused(tmp_path):
    """A single path that is no file: an answer at once."""
    os.mkfifo(tmp_path / "pipe.ipynb")
    path, *_ = assignment.lay_out(tmp_path)
    for target in (tmp_path / "pipe.ipynb", "/dev/zero"):
        options = ["--source", str(path.parent), "--out", str(tmp_path / "marks")]
        result = CliRunner().invoke(main, ["grade", str(target), *options])
        assert result.exit_code in (1, 2), result.output


def test_notebooks_are_as_nbformat_writes_them(tmp_path):
    """The hostile notebooks above are read at all."""
    hand_in(tmp_path / "a.ipynb", HONEST)
    assert len(nbformat.read(tmp_path / "a.ipynb", as_version=4).cells) == len(HONEST)
