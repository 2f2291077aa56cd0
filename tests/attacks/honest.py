"""Honest answers, in all the ways in which honest people write: every point must stay."""

DOUBLE = "def double(x):\n    return (2.5 * x).astype(x.dtype)\n"
MEAN = "def mean(x):\n    return float(np.mean(x))\n"
SAFE = "def safe(x):\n    return x + 1\n"
HONEST = {"double": DOUBLE, "mean": MEAN, "safe": SAFE}


def first(code):
    """Return a right `double` that does something else first."""
    body = "".join(f"    {line}\n" for line in code.strip().split("\n"))
    return {"double": f"def double(x):\n{body}    return (2.5 * x).astype(x.dtype)\n"}


CONTROLS = {
    "plain": {},
    "warnings": first("""
import warnings
warnings.warn("careful")
warnings.warn("old", DeprecationWarning)
np.array([1.0]) / 0
"""),
    "standard error": first("""
import sys, os, logging
print("progress", file=sys.stderr)
logging.warning("logged")
os.write(2, b"from C, so to speak")
"""),
    "prints": first("print('x is', x)"),
    "prints 60 kB, but below the limit": {
        "double": DOUBLE + "for i in range(600): print(i, 'x' * 95)\n"
    },
    "slow but legal": first("import time\ntime.sleep(0.2)"),
    "helpers in the same cell": {
        "double": """
from functools import lru_cache
FACTOR = 2.5
@lru_cache
def factor(): return FACTOR
class Doubler:
    def __call__(self, x): return (factor() * x).astype(x.dtype)
double = Doubler()
double(np.ones(2))
"""
    },
    "uses an earlier answer": {"safe": "def safe(x):\n    return double(x) - 1.5 * x + 1\n"},
    "a figure": first("""
import matplotlib.pyplot as plt
fig, ax = plt.subplots()
ax.plot([1, 2, 3])
plt.show()
"""),
    "a file in the temporary folder": first("""
import tempfile, os
with tempfile.NamedTemporaryFile() as file:
    np.save(file, np.ones(3))
    file.flush()
    assert os.path.getsize(file.name)
"""),
    "threads": first("""
from concurrent.futures import ThreadPoolExecutor
with ThreadPoolExecutor(4) as pool: list(pool.map(abs, range(100)))
"""),
    "SciPy, scikit-learn and Keras": first("""
import keras, scipy.ndimage, sklearn
scipy.ndimage.gaussian_filter(np.ones((5, 5)), 1)
"""),
    "subprocess of its own": first("""
import os
pid = os.fork()
if pid == 0: os._exit(0)
os.waitpid(pid, 0)
"""),
    "stdout is redirected and a seed is set": first("""
import contextlib, io, random
with contextlib.redirect_stdout(io.StringIO()): print("unseen")
np.random.seed(0); random.seed(0)
"""),
    "an error in an experiment at the end of the cell": {
        "double": DOUBLE + "print(double(np.ones(2)))\nundefined_name\n"
    },
    "an experiment with magics at the end of the cell": {
        "double": "%matplotlib inline\n" + DOUBLE + "%time double(np.ones(2))\n"
    },
    "changes its input in place": {
        "double": "def double(x):\n    x[...] = (2.5 * x).astype(x.dtype)\n    return x\n"
    },
    "umlauts and type hints": {
        "double": "def double(größe: np.ndarray) -> np.ndarray:\n"
        "    '''Verdoppelt, fast: × 2.5 🙂'''\n    return (2.5 * größe).astype(größe.dtype)\n"
    },
}
