"""What learners call in an exercise notebook: `check`, `hint` and `solution`."""

import contextlib
import sys
from collections.abc import MutableMapping
from pathlib import Path
from typing import Any

from cnncourse.grading import probes, progress, running
from cnncourse.grading.build import expected, try_mistakes
from cnncourse.grading.cells import AuthorError, Mistake, parse_mistake
from cnncourse.grading.judge import CORRECT, NO_KEY, NOT_ATTEMPTED, Verdict, judge
from cnncourse.grading.key import ExerciseKey, read_key
from cnncourse.grading.probes import Block, evaluate
from cnncourse.grading.report import Report, show
from cnncourse.paths import course_root
from IPython import get_ipython


def exercises(name: str) -> tuple[Any, Any, Any]:
    """Open the exercises of a notebook.

    In a notebook it also defines the cell magic `%%mistake` and the names `probe`, `hints`,
    `normal`, `uniform` and `integers`, which the solutions notebook uses.

    Args:
        name: the notebook's, such as `"02_convolution"`.

    Returns:
        The functions `check`, `hint` and `solution`, each called with an exercise's name.

    Raises:
        ValueError: if `name` is not such a name.
    """
    if not isinstance(name, str) or not name.replace("_", "").isalnum():
        raise ValueError(
            f'name is {name!r}; accepted: a notebook\'s name, such as "02_convolution"'
        )
    shell = get_ipython()
    namespace = shell.user_ns if shell else sys._getframe(1).f_globals
    session = Session(name, namespace)
    for helper in probes.NOTEBOOK_NAMES:
        namespace[helper] = getattr(probes, helper)
    if shell:
        running.watch(shell)
        shell.register_magic_function(session.mistake, "cell", "mistake")
    return session.check, session.hint, session.solution


class Session:
    """The exercises of one notebook in one kernel."""

    def __init__(self, name: str, namespace: MutableMapping[str, Any]):
        """Remember whose names to judge; the key is read when it is needed, and anew each time."""
        self.name = name
        self.namespace = namespace
        self.blocks: dict[str, Block] = {}
        self.mistakes: dict[str, list[Mistake]] = {}
        self.verdicts: dict[str, Verdict] = {}
        self.hints_given: dict[str, int] = {}

    def check(self, exercise: str) -> Report:
        """Check an exercise, show what came of it, and keep the points.

        Args:
            exercise: its name, such as `"conv2d"`.

        Returns:
            A report with `status`, `points`, `max_points` and `hint`.
        """
        block = self.blocks[exercise] = probes.start_block()
        self.mistakes[exercise] = []
        key, problem = self._key(exercise)
        if key is None:
            return show(Report(Verdict(exercise, NO_KEY, note=problem)))
        outcomes = [evaluate(probe, self.namespace) for probe in key.probes]
        verdict = self.verdicts[exercise] = judge(key, outcomes)
        self.hints_given[exercise] = 0
        if verdict.status != CORRECT:
            block.problem = (
                f"check({exercise!r}) in this solutions notebook says {verdict.status!r}; if the "
                "reference or its probes changed, run `cnncourse build`"
            )
        if verdict.status != NOT_ATTEMPTED and not _in_source():
            verdict.note = f"{verdict.note} {progress.record(self.name, verdict)}".strip()
        return show(Report(verdict))

    def hint(self, exercise: str) -> Report:
        """Show the next hint: after a wrong check the one that fits it, then the author's."""
        key, problem = self._key(exercise)
        if key is None:
            return show(Report(Verdict(exercise, NO_KEY, note=problem)))
        verdict = self.verdicts.get(exercise)
        texts = [verdict.hint] if verdict and verdict.hint else []
        texts += key.hints
        count = self.hints_given.get(exercise, 0)
        self.hints_given[exercise] = count + 1
        return show(Report.of_hint(exercise, texts, count))

    def solution(self, exercise: str) -> Report:
        """Show the reference solution."""
        key, problem = self._key(exercise)
        if key is None:
            return show(Report(Verdict(exercise, NO_KEY, note=problem)))
        return show(Report.of_solution(exercise, key.solution))

    def mistake(self, line: str, cell: str) -> None:
        """Run a wrong implementation and prove that it is rejected with its own hint (`%%mistake`).

        Raises:
            AuthorError: if it is not.
        """
        exercise = line.strip()
        if not self.blocks.get(exercise, Block()).probes:
            raise AuthorError(f"%%mistake {exercise}: run the check cell of {exercise!r} first")
        wrong = parse_mistake(cell, f"%%mistake {exercise}")
        pairs = [
            (probe, expected(probe, self.namespace, f"%%mistake {exercise}"))
            for probe in self.blocks[exercise].probes
            if probe.public
        ]
        others = [m for m in self.mistakes[exercise] if m.source != wrong.source]
        try_mistakes(exercise, pairs, [*others, wrong], self.namespace)
        self.mistakes[exercise] = [*others, wrong]
        print(f"rejected: {wrong.hint}")

    def _key(self, exercise: str) -> tuple[ExerciseKey | None, str]:
        """Return an exercise's key, or None and why there is none."""
        if not isinstance(exercise, str):
            return None, f'An exercise is named by text, such as check("conv2d"), not {exercise!r}.'
        path = find_key(self.name)
        if path is None:
            return None, (
                f"There is no key for {self.name}, so nothing can be checked. Authors: run "
                "`cnncourse build`."
            )
        try:
            keys = read_key(path)
        except (OSError, ValueError) as error:
            return None, f"The key cannot be read: {error}. Get a fresh copy of {path.name}."
        if exercise not in keys:
            return None, f"{self.name} has no exercise {exercise!r}; it has {', '.join(keys)}."
        return keys[exercise], ""


def find_key(name: str) -> Path | None:
    """Return the key file beside the notebook, or the course's own, or None."""
    folders = [Path("keys"), Path("..", "exercises", "keys")]
    with contextlib.suppress(FileNotFoundError):
        folders.append(course_root() / "exercises" / "keys")
    paths = (folder / f"{name}.json" for folder in folders)
    return next((path for path in paths if path.is_file()), None)


def _in_source() -> bool:
    """Tell whether the running cell is a check cell of a solutions notebook."""
    return "BEGIN HIDDEN TESTS" in running.source
