"""Give a course that grades with nbgrader its source tree: `cnncourse build --nbgrader DIR`.

nbgrader runs check cells in the learner's own process, where `probe` only describes and earns
nothing. So the hidden block of each check cell is replaced by a call of `earned` that carries the
probes and the reference's values, and whose result nbgrader takes for the cell's points.

That process can read those values and replace this very function: nbgrader trusts what it runs.
`cnncourse grade` does not.
"""

import contextlib
import copy
import dataclasses
import io
import json
import secrets
from collections.abc import MutableMapping
from pathlib import Path
from typing import Any

import nbformat
from cnncourse.grading import judge
from cnncourse.grading.build import expected, key_text, reference, run_code, write_atomically
from cnncourse.grading.cells import CHECK_PREFIX, Exercise, Source, is_left_out, read_source
from cnncourse.grading.compare import equal
from cnncourse.grading.probes import Probe, Random, evaluate
from cnncourse.grading.values import decode
from cnncourse.paths import course_root

BEGIN, END = "### BEGIN HIDDEN TESTS", "### END HIDDEN TESTS"
CONFIG = '''\
"""nbgrader's settings for cnncourse; edit as you like, it is not written again."""

import os

from nbgrader.converters import GenerateFeedback
from nbgrader.preprocessors import ClearHiddenTests

c = get_config()
c.CourseDirectory.course_id = "cnncourse"
c.Execute.timeout = 120  # seconds a cell may take

# Feedback without the hidden tests: they hold the reference's values.
c.GenerateFeedback.preprocessors = [ClearHiddenTests, *GenerateFeedback.preprocessors.default()]

# The submissions' kernels inherit these. nbgrader gives no points to a cell that writes to stderr.
os.environ["PYTHONWARNINGS"] = "ignore"
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["CNNCOURSE_PROGRESS"] = os.devnull  # what students solve is not your progress
'''


def export(out: Path, source: Path | None = None) -> list[Path]:
    """Write a course directory for nbgrader: an assignment for each solutions notebook.

    Everything is made before anything is written. Random inputs are drawn anew for each export, so
    the values of the learners' keys are of no use there.

    Args:
        out: the course directory. An `nbgrader_config.py` that is already there is kept.
        source: folder of the solutions notebooks; the course's own by default.

    Returns:
        The files written, sorted.

    Raises:
        AuthorError: if a solutions notebook has a fault; the message says where and what to do.
        FileNotFoundError: if there is no notebook in `source`.
    """
    folder = Path(source) if source else course_root() / "solutions"
    paths = sorted(folder.glob("*.ipynb"))
    if not paths:
        raise FileNotFoundError(f"there is no solutions notebook in {folder}")
    files = {}
    for path in paths:
        read = read_source(path)
        files[f"source/{read.name}/{read.name}.ipynb"] = source_text(read)
        if read.exercises:
            files[f"source/{read.name}/keys/{read.name}.json"] = key_text(read)
    if not Path(out, "nbgrader_config.py").exists():
        files["nbgrader_config.py"] = CONFIG
    for name, text in files.items():
        write_atomically(Path(out, name), text)
    return sorted(Path(out, name) for name in files)


def source_text(source: Source) -> str:
    """Return the text of nbgrader's source notebook: no mistakes, and hidden tests that grade."""
    namespace = run_code(source)
    notebook = copy.deepcopy(source.notebook)
    notebook.cells = [cell for cell in notebook.cells if not is_left_out(cell)]
    for cell in notebook.cells:
        if cell.cell_type != "code":
            continue
        cell.outputs, cell.execution_count = [], None
        meta = cell.metadata.get("nbgrader", {})
        if meta.get("grade"):
            exercise = source.exercises[meta["grade_id"].removeprefix(CHECK_PREFIX)]
            cell.source = _graded_source(exercise, namespace)
    return nbformat.writes(notebook, version=4) + "\n"


def _graded_source(exercise: Exercise, namespace: dict[str, Any]) -> str:
    """Return a check cell's source, its hidden block turned into a call of `earned`."""
    _, pairs = reference(exercise, namespace)
    probes = [_redrawn(probe) for probe, _ in pairs]
    cases = [
        {"probe": probe.to_json(), "value": expected(probe, namespace, exercise.where)}
        for probe in probes
    ]
    return "\n".join(
        [
            f'check("{exercise.name}")',
            BEGIN,
            f"from {__name__} import earned",
            f"earned(globals(), {json.dumps(cases)!r})",
            END,
        ]
    )


def _redrawn(probe: Probe) -> Probe:
    """Give a probe with random inputs another seed."""
    return dataclasses.replace(probe, seed=secrets.randbits(32)) if _has_random(probe) else probe


def _has_random(probe: Probe) -> bool:
    def within(value: Any) -> bool:
        if isinstance(value, list | tuple):
            return any(within(item) for item in value)
        return isinstance(value, Random)

    return any(within(value) for value in probe.inputs.values())


def earned(namespace: MutableMapping[str, Any], cases: str) -> float:
    """Return the points that a learner's names earn; in nbgrader's check cells only.

    Args:
        namespace: the notebook's.
        cases: JSON: a list of `{"probe": …, "value": …}`.
    """
    results = []
    for case in json.loads(cases):
        probe = Probe.from_json(case["probe"])
        with contextlib.redirect_stderr(io.StringIO()):  # a warning would cost all points
            outcome = evaluate(probe, namespace)
        right = equal(decode(case["value"]), decode(outcome.value), probe.tolerance)
        results.append((probe, right))
    return judge.earned(results)
