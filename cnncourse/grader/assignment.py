"""What is asked and what is right: read from the solutions notebook, its code run apart.

`prepare` is the only place where the reference runs: in a process of its own, so that neither the
driver nor the fork server ever runs a TensorFlow operation.
"""

import contextlib
import hashlib
import hmac
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import cnncourse
from cnncourse.grader.environment import command, environment, import_keras
from cnncourse.grading import build
from cnncourse.grading.cells import AuthorError, Exercise, Source, is_left_out, read_source
from cnncourse.grading.key import ExerciseKey
from cnncourse.grading.probes import Probe, Random
from cnncourse.grading.values import decode

FROM_SCRATCH = "from-scratch"
_TRIES = 20
_SECONDS = 1800


@dataclass(frozen=True)
class Outline:
    """What an assignment asks, without any answer.

    Attributes:
        name: the notebook's stem, e.g. `02_convolution`.
        questions: (name, points) of the autograded questions, in order.
        manual: points of those that people mark, by `grade_id`.
    """

    name: str
    questions: tuple[tuple[str, float], ...]
    manual: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Draw:
    """One evaluation of a probe.

    Attributes:
        index: of the probe in its question; its points need every draw of it.
        probe: with the seed of this draw.
        expected: what the reference gives, decoded.
        shown: whether learners have the same draw in their own check.
    """

    index: int
    probe: Probe
    expected: Any
    shown: bool


@dataclass(frozen=True)
class Question:
    """One exercise with everything that is needed to judge an answer.

    Attributes:
        name: of the exercise.
        key: what the learner's own check has: public probes, mistakes, hints.
        draws: every evaluation that grading makes.
        points: of each probe, by index.
        seconds: that the reference took for all draws.
        from_scratch: whether the library's own answer is not what is asked for.
    """

    name: str
    key: ExerciseKey
    draws: tuple[Draw, ...]
    points: tuple[float, ...]
    seconds: float
    from_scratch: bool = False

    @property
    def max_points(self) -> float:
        """Points of all probes."""
        return sum(self.points)


@dataclass(frozen=True)
class Cell:
    """A cell to run: given by the author (`question` is empty) or to be filled by the learner."""

    question: str
    source: str = ""


@dataclass(frozen=True)
class Assignment:
    """A solutions notebook, prepared for grading; secret.

    Attributes:
        name: the notebook's stem.
        questions: in the notebook's order.
        cells: what runs before the probes, in order.
        manual: as in the outline.
    """

    name: str
    questions: tuple[Question, ...]
    cells: tuple[Cell, ...]
    manual: dict[str, float] = field(default_factory=dict)


def outline(path: Path) -> Outline:
    """Read what an assignment asks; no code is run.

    Raises:
        AuthorError: if the notebook breaks a rule of the format.
    """
    source = read_source(path)
    questions = tuple((e.name, e.points) for e in source.exercises.values())
    return Outline(source.name, questions, source.manual)


def prepare(paths: Iterable[Path], seed: str) -> list[Assignment]:
    """Run the reference solutions in a process of their own.

    Args:
        paths: solutions notebooks.
        seed: secret; from it follow the random inputs that no learner has seen.

    Returns:
        One assignment per notebook that has exercises.

    Raises:
        AuthorError: if a notebook has a fault; the message says where and what to do.
    """
    paths = [str(Path(path).resolve()) for path in paths]
    result = subprocess.run(
        command("assignment"),
        input=json.dumps({"paths": paths, "seed": seed}),
        capture_output=True,
        text=True,
        encoding="utf-8",
        env=environment(),
        timeout=_SECONDS,
    )
    if result.returncode:
        lines = result.stderr.strip().splitlines() or [f"exit status {result.returncode}"]
        raise AuthorError(f"the reference could not be run: {lines[-1]}")
    answer = json.loads(result.stdout)
    if "problem" in answer:
        raise AuthorError(answer["problem"])
    prepared = zip(paths, answer["assignments"], strict=True)
    made = [_assignment(read_source(Path(path)), questions) for path, questions in prepared]
    return [assignment for assignment in made if assignment.questions]


def _assignment(source: Source, answers: dict[str, Any]) -> Assignment:
    """Put the notebook and what its run gave together."""
    scratch = {
        cell.metadata["nbgrader"]["grade_id"]
        for cell in source.notebook.cells
        if FROM_SCRATCH in cell.metadata.get("tags", []) and "nbgrader" in cell.metadata
    }
    questions = tuple(_question(name, answers[name], name in scratch) for name in source.exercises)
    return Assignment(source.name, questions, tuple(_cells(source)), source.manual)


def _question(name: str, answer: dict[str, Any], from_scratch: bool) -> Question:
    draws = tuple(
        Draw(d["index"], Probe.from_json(d["probe"]), decode(d["value"]), d["shown"])
        for d in answer["draws"]
    )
    points = {draw.index: draw.probe.points for draw in draws}
    key = ExerciseKey.from_json(name, answer["key"])
    return Question(name, key, draws, tuple(points.values()), answer["seconds"], from_scratch)


def _cells(source: Source) -> Iterable[Cell]:
    for cell in source.notebook.cells:
        meta = cell.metadata.get("nbgrader", {})
        if cell.cell_type == "code" and not is_left_out(cell) and not meta.get("grade"):
            yield Cell(meta["grade_id"]) if meta.get("solution") else Cell("", cell.source)


def secret_seed(seed: str, *names: object) -> int:
    """Derive the seed of one draw; who knows some of them learns nothing about another."""
    text = "\0".join(map(str, names))
    return int.from_bytes(hmac.digest(seed.encode(), text.encode(), hashlib.sha256)[:8], "big")


def _run(path: Path, seed: str) -> dict[str, Any]:
    """Run one solutions notebook; only in the process that `prepare` starts."""
    source = read_source(path)
    if not source.exercises:
        return {}
    cnncourse.exercises = lambda name: (None, None, None)  # no notebook's checks here
    names = build.run_code(source)
    return {e.name: _answers(e, names, seed, source.name) for e in source.exercises.values()}


def _answers(exercise: Exercise, names: dict[str, Any], seed: str, where: str) -> dict[str, Any]:
    made = build.reference(exercise, names)
    key = build.exercise_key(exercise, made, names)
    started, draws = time.perf_counter(), []
    for index, (probe, value) in enumerate(made[1]):
        random = any(_is_random(value) for value in probe.inputs.values())
        if probe.public or not random:
            draws.append(_draw(index, probe, value, probe.public))
        if random:
            parts = (where, exercise.name, index)
            secret, value = _secret(probe, names, exercise, [seed, *parts])
            draws.append(_draw(index, secret, value, False))
    return {"key": key, "draws": draws, "seconds": time.perf_counter() - started}


def _draw(index: int, probe: Probe, value: dict[str, Any], shown: bool) -> dict[str, Any]:
    return {"index": index, "probe": probe.to_json(), "value": value, "shown": shown}


def _is_random(value: Any) -> bool:
    if isinstance(value, list | tuple):
        return any(_is_random(item) for item in value)
    return isinstance(value, Random)


def _secret(
    probe: Probe, names: dict[str, Any], exercise: Exercise, parts: Sequence[Any]
) -> tuple[Probe, dict[str, Any]]:
    """Draw a probe's inputs anew, until the reference gives something that can be compared."""
    problem = None
    for number in range(_TRIES):
        drawn = replace(probe, seed=secret_seed(*parts, number))
        try:
            return drawn, build.expected(drawn, names, exercise.where)
        except AuthorError as error:
            problem = error
    raise AuthorError(f"{problem} (for {_TRIES} random draws of its inputs)")


def main() -> None:
    """Read the request from standard input, write the answer to standard output."""
    request = json.load(sys.stdin)
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    with open(os.devnull, "w") as nowhere, contextlib.redirect_stdout(nowhere):
        os.dup2(nowhere.fileno(), 1)  # what libraries in C print is not the answer
        try:
            import_keras("matplotlib", "sklearn")
            made = [_run(Path(path), request["seed"]) for path in request["paths"]]
            answer = {"assignments": made}
        except AuthorError as error:
            answer = {"problem": str(error)}
    json.dump(answer, answers)
    answers.close()


if __name__ == "__main__":
    main()
