"""A tiny assignment, and ways to run code in the grader's sandbox and look at what it gives."""

import contextlib
from pathlib import Path

import pytest
from cnncourse.grader.engine import Grader
from cnncourse.grader.interview import Interview
from cnncourse.grader.limits import Limits
from cnncourse.grader.results import Submission
from cnncourse.grading.cells import read_source
from cnncourse.grading.values import decode
from cnncourse.sandbox_probe import isolation_problem
from grading_notebooks import code, write
from nbformat.v4 import new_notebook

ROOT = Path(__file__).resolve().parent.parent
LOOK = """\
def look():
    ### BEGIN SOLUTION
    return 0
    ### END SOLUTION"""
LOOK_CHECK = """\
check("look")
### BEGIN HIDDEN TESTS
probe("look()")
### END HIDDEN TESTS"""
DOUBLE = """\
def double(x):
    ### BEGIN SOLUTION
    return 2 * x
    ### END SOLUTION"""
DOUBLE_CHECK = """\
check("double")
### BEGIN HIDDEN TESTS
probe("double(x)", x=normal(3))
probe("double(x)", x=integers(4, low=1, high=9), public=False)
### END HIDDEN TESTS"""
SETUP = """\
import cnncourse

import numpy as np

check, hint, solution = cnncourse.exercises("toy")"""


def notebook(path):
    """Write the solutions notebook of the assignment `toy`: questions `look` and `double`."""
    grade = {"grade": True, "locked": True}
    cells = [
        code(SETUP, "setup"),
        code(LOOK, "look", grade_id="look", solution=True),
        code(LOOK_CHECK, "c1", grade_id="check_look", points=1, **grade),
        code("%%mistake look\n# hint: One too many.\ndef look():\n    return 1", "m1"),
        code(DOUBLE, "double", grade_id="double", solution=True),
        code(DOUBLE_CHECK, "c2", grade_id="check_double", points=2, **grade),
        code("%%mistake double\n# hint: Squared.\ndef double(x):\n    return x * x", "m2"),
    ]
    return write(new_notebook(cells=cells), path / "toy.ipynb")


@contextlib.contextmanager
def started(folder, names="*"):
    """Start a grader in its sandbox, for `toy` and the solutions notebooks with such names."""
    solutions = sorted((ROOT / "solutions").glob(f"{names}.ipynb"))
    if problem := isolation_problem():
        pytest.skip(f"submissions cannot be isolated here: {problem[0]}")
    patient = Limits(question=60)  # a busy machine is no fault of the answers
    notebooks = [*solutions, notebook(folder)]
    with Grader.of(notebooks, "the seed of the tests", jobs=2, limits=patient) as made:
        yield made


def ask(grader, look, limits=None):
    """Run an interview with the toy assignment where `look` is the given code."""
    cells = {"look": look, "double": "def double(x):\n    return 2 * x"}
    interview = Interview(
        grader.assignments["toy"],
        cells,
        limits or Limits(question=60),
        grader._spawner,
        grader._watchdog,
    )
    interview.run()
    return interview


def inside(grader, body, limits=None):
    """Run a function's body in the sandbox and return its value, decoded."""
    lines = "\n".join(f"    {line}" for line in body.splitlines())
    return decode(ask(grader, f"def look():\n{lines}", limits).outcomes["look", 0].value)


def solved(name, student="honest", **changed):
    """Return a submission with the reference's own answers, some of them changed."""
    source = read_source(ROOT / "solutions" / f"{name}.ipynb")
    cells = {e.name: e.solution for e in source.exercises.values()}
    return Submission(student, name, Path(f"{student}.ipynb"), {**cells, **changed})
