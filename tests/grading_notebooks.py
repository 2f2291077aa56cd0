"""A small solutions notebook, made here, and ways to spoil it, for the tests of the grading."""

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

SETUP = """\
import cnncourse
import numpy as np

check, hint, solution = cnncourse.exercises("{name}")"""

CORRELATE = '''\
def correlate(x, k):
    """Slide `k` over `x`, both 1-D, and return the products' sums."""
    ### BEGIN SOLUTION
    n = len(x) - len(k) + 1
    return np.array([np.sum(x[i : i + len(k)] * k) for i in range(n)], dtype="float32")
    ### END SOLUTION'''

CORRELATE_CHECK = """\
check("correlate")
### BEGIN HIDDEN TESTS
probe("correlate(x, k)", x=normal(8), k=normal(3), points=2, tolerance=1e-5)
probe("correlate(x, k)", x=uniform(5), k=integers(2, low=1, high=9), public=False, tolerance=1e-5)
hints("How many positions fit?", "Use `x[i : i + len(k)]` & sum.")
### END HIDDEN TESTS"""

FLIPPED = """\
%%mistake correlate
# hint: You flipped the kernel: that is convolution.
#   Keras does cross-correlation, so use k[u] at x[i + u].
def correlate(x, k):
    return np.convolve(x, k, "valid").astype("float32")"""

FULL = """\
%%mistake correlate
# hint: You padded: only whole windows count.
def correlate(x, k):
    return np.correlate(x, k, "full").astype("float32")"""

SIZE = '''\
def out_size(size, kernel_size):
    """Return the number of windows; a kernel that is too large raises ValueError."""
    ### BEGIN SOLUTION
    if kernel_size > size:
        raise ValueError("the kernel is larger than the input")
    return size - kernel_size + 1
    ### END SOLUTION'''

SIZE_CHECK = """\
check("out_size")
### BEGIN HIDDEN TESTS
probe("out_size(7, 3)")
probe("out_size(2, 3)", raises=ValueError)
### END HIDDEN TESTS"""

NO_ONE = """\
%%mistake out_size
# hint: Count the windows: the first one counts too.
def out_size(size, kernel_size):
    return size - kernel_size"""

ANSWER = """\
Weights are shared.
### BEGIN SOLUTION
One kernel serves every position.
=== BEGIN MARK SCHEME ===
1 point for sharing.
=== END MARK SCHEME ===
### END SOLUTION"""


def code(source, cell_id, **nbgrader):
    """Return a code cell, nbgrader's if it has a grade_id, a mistake if it begins so."""
    cell = new_code_cell(source, id=cell_id)
    if nbgrader:
        flags = {"grade": False, "locked": False, "solution": False, "task": False}
        cell.metadata["nbgrader"] = {"schema_version": 3, "cell_type": "code", **flags, **nbgrader}
    if source.startswith("%%mistake"):
        cell.metadata["tags"] = ["mistake"]
    return cell


def toy(name="toy", setup=SETUP):
    """Return a solutions notebook with two coding exercises and one prose question."""
    grade = {"grade": True, "locked": True}
    answer = new_markdown_cell(ANSWER, id="answer")
    answer.metadata["nbgrader"] = {
        "cell_type": "markdown",
        "grade": True,
        "grade_id": "q1",
        "locked": False,
        "points": 1,
        "schema_version": 3,
        "solution": True,
        "task": False,
    }
    cells = [
        new_markdown_cell("# Exercises × 2\n\nWrite `correlate`.", id="title"),
        code(setup.format(name=name), "setup"),
        code(CORRELATE, "correlate", grade_id="correlate", solution=True),
        code(CORRELATE_CHECK, "check1", grade_id="check_correlate", points=3, **grade),
        code(FLIPPED, "flipped"),
        code(FULL, "full"),
        code(SIZE, "size", grade_id="out_size", solution=True),
        code(SIZE_CHECK, "check2", grade_id="check_out_size", points=2, **grade),
        code(NO_ONE, "noone"),
        new_markdown_cell("## Why so few weights?", id="question"),
        answer,
    ]
    kernelspec = {"display_name": "Python 3", "language": "python", "name": "python3"}
    metadata = {"kernelspec": kernelspec, "language_info": {"name": "python"}}
    return new_notebook(cells=cells, metadata=metadata)


def cell(notebook, cell_id):
    """Return the cell of this id."""
    return next(cell for cell in notebook.cells if cell.id == cell_id)


def write(notebook, path):
    """Write a notebook, making its folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook, path)
    return path
