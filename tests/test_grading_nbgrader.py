"""The course directory for nbgrader: nbgrader's own commands work on it."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from click.testing import CliRunner
from cnncourse.cli import main
from cnncourse.grading.nbgrader_export import earned
from grading_notebooks import toy, write
from nbgrader.api import Gradebook

ROOT = Path(__file__).resolve().parent.parent
NAME = "00_start_here"
FLOAT64 = """\
def rescale(x, lo=0.0, hi=1.0):
    return lo + np.asarray(x, dtype="float64") * (hi - lo) / 255
"""
NO_ERROR = """\
def center_crop(img, h, w):
    height, width = img.shape[:2]
    top, left = max(0, (height - h) // 2), max(0, (width - w) // 2)
    return img[top : top + h, left : left + w]
"""
BEGIN = "    ### BEGIN SOLUTION"


def nbgrader(folder, *arguments):
    """Run nbgrader in a course directory; every command must end well and log no error."""
    scripts = str(Path(sys.executable).parent)  # nbgrader looks for alembic on the path
    done = subprocess.run(
        [sys.executable, "-m", "nbgrader", *arguments],
        cwd=folder,
        env={**os.environ, "PATH": scripts + os.pathsep + os.environ["PATH"]},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0 and "ERROR" not in done.stderr, done.stderr
    return done.stderr


def submit(folder, student, answers):
    """Hand in the release, with the sources of these solution cells."""
    notebook = nbformat.read(folder / "release" / NAME / f"{NAME}.ipynb", as_version=4)
    for cell in notebook.cells:
        cell.source = answers.get(cell.metadata.get("nbgrader", {}).get("grade_id"), cell.source)
    write(notebook, folder / "submitted" / student / NAME / f"{NAME}.ipynb")


def model_answers():
    notebook = nbformat.read(ROOT / "solutions" / f"{NAME}.ipynb", as_version=4)
    marked = [(cell, cell.metadata.get("nbgrader", {})) for cell in notebook.cells]
    return {meta["grade_id"]: cell.source for cell, meta in marked if meta.get("solution")}


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    """Return a course directory in which three students were graded by nbgrader's commands."""
    folder = tmp_path_factory.mktemp("course")
    (folder / "solutions").mkdir()
    shutil.copy(ROOT / "solutions" / f"{NAME}.ipynb", folder / "solutions")
    options = ["--nbgrader", str(folder), "--source", str(folder / "solutions")]
    result = CliRunner().invoke(main, ["build", *options])
    assert result.exit_code == 0, result.output
    nbgrader(folder, "generate_assignment", NAME)
    right = model_answers()
    warns = right["top_k_error"].replace(BEGIN, f"    np.array([1.0]) / 0  # warns\n{BEGIN}")
    assert "warns" in warns
    submit(folder, "honest", {**right, "top_k_error": warns})
    submit(folder, "blank", {})
    submit(folder, "mistaken", {**right, "rescale": FLOAT64, "center_crop": NO_ERROR})
    nbgrader(folder, "autograde", NAME)
    nbgrader(folder, "generate_feedback", NAME)
    return folder


def scores(folder, student):
    """Return a student's automatic score of each check cell."""
    with Gradebook(f"sqlite:///{folder}/gradebook.db") as book:
        notebook = book.find_submission_notebook(NAME, NAME, student)
        return {grade.name.removeprefix("check_"): grade.auto_score for grade in notebook.grades}


@pytest.mark.slow
def test_release_is_ours_byte_for_byte(course):
    theirs = course / "release" / NAME / f"{NAME}.ipynb"
    assert theirs.read_bytes() == (ROOT / "exercises" / f"{NAME}.ipynb").read_bytes()
    assert (course / "release" / NAME / "keys" / f"{NAME}.json").is_file()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("student", "points"),
    [
        ("honest", {"to_batch": 3, "center_crop": 3, "rescale": 2, "top_k_error": 2}),
        ("blank", {"to_batch": 0, "center_crop": 0, "rescale": 0, "top_k_error": 0}),
        ("mistaken", {"to_batch": 3, "center_crop": 2.25, "rescale": 0, "top_k_error": 2}),
    ],
)
def test_scores(course, student, points):
    assert scores(course, student) == points


@pytest.mark.slow
@pytest.mark.parametrize("student", ["honest", "blank", "mistaken"])
def test_feedback_keeps_the_values_to_itself(course, student):
    text = (course / "feedback" / student / NAME / f"{NAME}.html").read_text(encoding="utf-8")
    assert "center_crop" in text
    for secret in ("earned", "BEGIN HIDDEN", "sample_photos()[1]"):
        assert secret not in text


def test_export_of_a_folder(tmp_path):
    """Values are in the hidden block only; every export draws anew; settings are kept."""
    write(toy(), tmp_path / "solutions" / "toy.ipynb")
    command = ["build", "--nbgrader", str(tmp_path / "a"), "--source", str(tmp_path / "solutions")]
    texts = []
    for _ in range(2):
        result = CliRunner().invoke(main, command)
        assert result.exit_code == 0, result.output
        texts.append((tmp_path / "a" / "source" / "toy" / "toy.ipynb").read_text())
        (tmp_path / "a" / "nbgrader_config.py").write_text("mine")
    assert texts[0] != texts[1] and "%%mistake" not in texts[0]
    assert (tmp_path / "a" / "nbgrader_config.py").read_text() == "mine"
    namespace = {}
    exec("import numpy as np\ndef correlate(x, k): return np.correlate(x, k)", namespace)
    cells = {c["id"]: "".join(c["source"]) for c in json.loads(texts[0])["cells"]}
    call = cells["check1"].split("earned(globals(), ")[1].split("\n")[0].removesuffix(")")
    assert earned(namespace, eval(call)) == 2  # k of integers gives float64: one point lost


@pytest.mark.parametrize("option", ["--check", "--out=x"])
def test_options_that_contradict(tmp_path, option):
    result = CliRunner().invoke(main, ["build", "--nbgrader", str(tmp_path), option])
    assert result.exit_code == 2 and "--source only" in result.output
