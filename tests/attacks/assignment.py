"""The small assignment that is attacked: three questions, ten points, only NumPy needed."""

import json

from cnncourse.grading.build import key_text
from cnncourse.grading.cells import read_source
from grading_notebooks import code, write
from nbformat.v4 import new_notebook

NAME = "attacked"
POINTS = {"double": 4, "mean": 2, "safe": 4}
SETUP = """\
import cnncourse
import numpy as np

check, hint, solution = cnncourse.exercises("attacked")"""

DOUBLE = '''\
def double(x):
    """Return 2.5 times x, in x's dtype."""
    ### BEGIN SOLUTION
    secret_factor = 2.5
    return (secret_factor * x).astype(x.dtype)
    ### END SOLUTION'''
DOUBLE_CHECK = """\
check("double")
### BEGIN HIDDEN TESTS
probe("double(x)", x=normal(3, 4))
probe("double(x)", x=normal(2, 5), points=2, public=False)
probe("double(x)", x=integers(6, low=0, high=99), public=False)
hints("Multiply.")
### END HIDDEN TESTS"""
MEAN = '''\
def mean(x):
    """Return the mean of x as a float."""
    ### BEGIN SOLUTION
    secret_factor = 1 / x.size
    return float(np.sum(x) * secret_factor)
    ### END SOLUTION'''
MEAN_CHECK = """\
check("mean")
### BEGIN HIDDEN TESTS
probe("mean(x)", x=normal(5), tolerance=1e-5)
probe("mean(x)", x=uniform(7, 2), public=False, tolerance=1e-5)
### END HIDDEN TESTS"""
SAFE = '''\
def safe(x):
    """Return x + 1."""
    ### BEGIN SOLUTION
    return x + 1
    ### END SOLUTION'''
SAFE_CHECK = """\
check("safe")
### BEGIN HIDDEN TESTS
probe("safe(x)", x=normal(4))
probe("safe(x)", x=normal(2, 2), points=3, public=False)
### END HIDDEN TESTS"""
MISTAKE = "%%mistake {0}\n# hint: That is nothing at all.\ndef {0}(x):\n    return None"


def notebook():
    """Return the solutions notebook."""
    cells = [code(SETUP, "setup")]
    texts = {
        "double": (DOUBLE, DOUBLE_CHECK),
        "mean": (MEAN, MEAN_CHECK),
        "safe": (SAFE, SAFE_CHECK),
    }
    for name, (solution, check) in texts.items():
        grade = {"grade": True, "locked": True, "points": POINTS[name]}
        cells += [
            code(solution, name, grade_id=name, solution=True),
            code(check, f"check-{name}", grade_id=f"check_{name}", **grade),
            code(MISTAKE.format(name), f"mistake-{name}"),
        ]
    kernelspec = {"display_name": "Python 3", "language": "python", "name": "python3"}
    return new_notebook(cells=cells, metadata={"kernelspec": kernelspec})


def lay_out(folder):
    """Write solutions notebook and key as in a checkout; return both paths and public values."""
    path = write(notebook(), folder / "solutions" / f"{NAME}.ipynb")
    key = folder / "exercises" / "keys" / f"{NAME}.json"
    key.parent.mkdir(parents=True)
    key.write_text(key_text(read_source(path)), encoding="utf-8")
    exercises = json.loads(key.read_text(encoding="utf-8"))["exercises"]
    public = {name: [p["value"] for p in each["probes"]] for name, each in exercises.items()}
    return path, key, json.dumps(public)
