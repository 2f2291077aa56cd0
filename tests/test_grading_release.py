"""The release is what nbgrader makes of the same notebook, and its rules are nbgrader's."""

import copy
import os
import subprocess
import sys
from pathlib import Path

import pytest
from cnncourse.grader.assignment import _cells
from cnncourse.grading.cells import AuthorError, read_source
from cnncourse.grading.release import release
from grading_notebooks import cell, code, toy, write
from nbformat.v4 import new_code_cell, new_output

ROOT = Path(__file__).resolve().parent.parent
CONFIG = """
from nbconvert.preprocessors import TagRemovePreprocessor
from nbgrader.converters import GenerateAssignment

c = get_config()
ours = [TagRemovePreprocessor, *GenerateAssignment.preprocessors.default()]
c.GenerateAssignment.preprocessors = ours
c.TagRemovePreprocessor.enabled = True
c.TagRemovePreprocessor.remove_cell_tags = {"mistake", "model-answer"}
"""


def nbgrader_release(folder, notebooks):
    """Return the bytes that `nbgrader generate_assignment` makes of notebooks, by name."""
    for name, notebook in notebooks.items():
        write(notebook, folder / "source" / "ps" / f"{name}.ipynb")
    (folder / "nbgrader_config.py").write_text(CONFIG)
    scripts = str(Path(sys.executable).parent)  # nbgrader looks for alembic on the path
    done = subprocess.run(
        [sys.executable, "-m", "nbgrader", "generate_assignment", "ps"],
        cwd=folder,
        env={**os.environ, "PATH": scripts + os.pathsep + os.environ["PATH"]},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return {name: (folder / "release" / "ps" / f"{name}.ipynb").read_bytes() for name in notebooks}


def odd():
    """Return a notebook with much that a transform could get wrong."""
    notebook = toy()
    notebook.metadata["celltoolbar"] = "Create Assignment"
    solution = cell(notebook, "correlate")
    solution.execution_count = 3
    solution.metadata.update(
        collapsed=True,
        scrolled=True,
        tags=["kept"],
        execution={"iopub.execute_input": "2026-01-01T00:00:00Z"},
    )
    solution.outputs = [new_output("stream", name="stdout", text="×\n")]
    two = "def a():\n    # BEGIN SOLUTION\n    pass\n    # END SOLUTION\n\n\ndef b():\n"
    two += "\t### BEGIN SOLUTION\n\treturn '×'\n\t### END SOLUTION\n\n"
    flags = {"grade": False, "locked": False, "task": False}
    notebook.cells += [
        code(two, "two", grade_id="two", **{**flags, "solution": True}),
        code("x = 1\ny = 2", "whole", grade_id="whole", **{**flags, "solution": True}),
        code("data = 1", "readonly", grade_id="readonly", **{**flags, "locked": True}),
        code("", "empty"),
        code("half", "half", grade_id="half", grade=True, solution=True, points=0.5),
        model_answer(),
    ]
    return notebook


def model_answer():
    """Return a cell that must neither reach learners nor be run by who builds or grades."""
    return new_code_cell("1 / 0", id="run", metadata={"tags": ["model-answer"]})


def test_release_is_nbgraders_byte_for_byte(tmp_path):
    notebooks = {"toy": toy(), "odd": odd()}
    theirs = nbgrader_release(tmp_path, notebooks)
    for name, notebook in notebooks.items():
        assert release(notebook).encode() == theirs[name], name


def test_release_hides_everything_and_keeps_the_source():
    notebook = toy()
    before = copy.deepcopy(notebook)
    text = release(notebook)
    for secret in ("np.sum", "probe(", "How many", "flipped", "One kernel", "1 point for"):
        assert secret not in text
    assert 'check(\\"correlate\\")' in text and "Slide `k`" in text
    assert notebook == before and release(notebook) == text


def test_a_model_answers_cells_stay_with_the_solutions(tmp_path):
    notebook = toy()
    notebook.cells.append(model_answer())
    source = read_source(write(notebook, tmp_path / "toy.ipynb"))
    cells = [text for _, text in source.code] + [given.source for given in _cells(source)]
    assert not any("1 / 0" in text for text in [release(notebook), *cells])
    assert len(cells) == 2 * 3  # setup and two solutions


@pytest.mark.parametrize(
    ("cell_id", "old", "new", "message"),
    [
        ("correlate", "    ### END SOLUTION", "", "without END SOLUTION"),
        ("correlate", "    n = ", "    ### BEGIN SOLUTION\n    n = ", "inside a solution"),
        ("check1", "### END HIDDEN TESTS", "", "without END HIDDEN"),
        ("setup", "import numpy", "### BEGIN SOLUTION\n### END SOLUTION\n#", "metadata"),
        ("answer", "### END SOLUTION", "", "without END SOLUTION"),
    ],
)
def test_faults_are_named(cell_id, old, new, message):
    notebook = toy()
    cell(notebook, cell_id).source = cell(notebook, cell_id).source.replace(old, new)
    with pytest.raises(AuthorError, match=message):
        release(notebook)


def test_a_mark_scheme_below_the_solution_is_refused_as_nbgrader_does():
    notebook = toy()
    answer = cell(notebook, "answer")
    answer.source = "### BEGIN SOLUTION\n### END SOLUTION\n=== BEGIN MARK SCHEME ===\nx\n"
    answer.source += "=== END MARK SCHEME ==="
    with pytest.raises(AuthorError, match="move it inside"):
        release(notebook)
