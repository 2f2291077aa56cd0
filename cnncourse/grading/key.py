"""The key of an exercise: what the learner's own check compares with."""

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from cnncourse.grading.compare import equal
from cnncourse.grading.probes import Outcome, Probe
from cnncourse.grading.values import Raised, decode

VERSION = 1


@dataclass(frozen=True)
class KnownMistake:
    """A mistake's hint and what it gives for each probe, decoded."""

    hint: str
    values: tuple[Any, ...]


@dataclass(frozen=True)
class ExerciseKey:
    """Everything `check`, `hint` and `solution` need for one exercise.

    Attributes:
        probes: those to evaluate.
        values: what the reference gives for each of them, decoded.
        hidden_points: of the probes that only grading evaluates.
    """

    name: str
    probes: tuple[Probe, ...]
    values: tuple[Any, ...]
    mistakes: tuple[KnownMistake, ...] = ()
    hints: tuple[str, ...] = ()
    solution: str = ""
    hidden_points: float = 0

    @classmethod
    def from_json(cls, name: str, data: dict[str, Any]) -> "ExerciseKey":
        """Read one exercise of a key file."""
        return cls(
            name=name,
            probes=tuple(Probe.from_json(probe) for probe in data["probes"]),
            values=tuple(decode(probe["value"]) for probe in data["probes"]),
            mistakes=tuple(
                KnownMistake(mistake["hint"], tuple(decode(v) for v in mistake["values"]))
                for mistake in data["mistakes"]
            ),
            hints=tuple(data["hints"]),
            solution=data["solution"],
            hidden_points=data["hidden_points"],
        )


def read_key(path: Path) -> dict[str, ExerciseKey]:
    """Read a key file.

    Raises:
        OSError: if it cannot be read.
        ValueError: if it is not a key file of this version.
    """
    try:
        data = json.loads(Path(path).read_text(encoding="utf-8"))
        if data["version"] != VERSION:
            raise ValueError(f"version is {data['version']!r}; accepted: {VERSION}")
        return {name: ExerciseKey.from_json(name, item) for name, item in data["exercises"].items()}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"{path.name} is damaged ({error})") from None


def find_mistake(key: ExerciseKey, outcomes: Sequence[Outcome]) -> KnownMistake | None:
    """Return the mistake that explains the outcomes, if one does.

    A mistake explains them when every wrong value is the mistake's value. The best explanation
    agrees on all probes; the next best on the wrong ones; the third only in the numbers, when a
    learner made the mistake and returned another dtype besides. The last one explains just the
    first wrong value, which is the one that learners are shown: there may be a second mistake.
    It takes an array for that, since a single number can agree by chance.
    """
    given = [decode(outcome.value) for outcome in outcomes]
    wrong = [i for i, p in enumerate(key.probes) if not equal(key.values[i], given[i], p.tolerance)]
    if not wrong:
        return None

    def same(mistake: KnownMistake, i: int, dtype: bool) -> bool:
        return _same(mistake.values[i], given[i], key.probes[i].tolerance, dtype)

    def telling(mistake: KnownMistake) -> list[int]:
        """Return the wrong probes on which the mistake's numbers are wrong too."""
        return [
            i
            for i in wrong
            if not equal(key.values[i], mistake.values[i], key.probes[i].tolerance, dtype=False)
        ]

    everywhere = range(len(key.probes))
    is_large = isinstance(given[wrong[0]], np.ndarray) and given[wrong[0]].size >= 4
    tests: tuple[Callable[[KnownMistake], bool], ...] = (
        lambda m: all(same(m, i, True) for i in everywhere),
        lambda m: all(same(m, i, True) for i in wrong),
        lambda m: telling(m) == wrong and all(same(m, i, False) for i in wrong),
        lambda m: is_large and wrong[0] in telling(m) and same(m, wrong[0], False),
    )
    for test in tests:
        if fitting := [mistake for mistake in key.mistakes if test(mistake)]:
            agreement = [sum(same(m, i, False) for i in everywhere) for m in fitting]
            return fitting[agreement.index(max(agreement))]
    return None


def _same(first: Any, second: Any, tolerance: float, dtype: bool) -> bool:
    """Compare two wrong values: errors must be of one type and say the same."""
    if isinstance(first, Raised) and isinstance(second, Raised):
        return first.name == second.name and _uncounted(first) == _uncounted(second)
    return equal(first, second, tolerance, dtype)


def _uncounted(error: Raised) -> str:
    """Return an error's message without the numbers that Keras appends: `keras_tensor_7`."""
    return re.sub(r"_\d+\b", "", error.message)


def compare_keys(new: str, old: str) -> list[str]:
    """Return how two key files differ: everything exactly, but values with their tolerance."""
    try:
        first, second = json.loads(new), json.loads(old)
        names = [*first["exercises"], *(second["exercises"].keys() - first["exercises"].keys())]
        stale = [
            n
            for n in names
            if not _same_exercise(*(k["exercises"].get(n) for k in (first, second)))
        ]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        return [f"the file is damaged ({error!r})"]
    if {**first, "exercises": 0} != {**second, "exercises": 0}:
        stale.append("the file's head")
    return [f"{name} is not what the solutions notebook gives" for name in stale]


def _same_exercise(first: dict | None, second: dict | None) -> bool:
    if first is None or second is None:
        return False
    (frame, values), (other_frame, other_values) = _take_apart(first), _take_apart(second)
    return frame == other_frame and all(
        _values_equal(decode(a), decode(b), tolerance)
        for (a, tolerance), (b, _) in zip(values, other_values, strict=True)
    )


def _values_equal(first: Any, second: Any, tolerance: float) -> bool:
    if isinstance(first, Raised) and isinstance(second, Raised):
        return first.name == second.name  # messages change with the libraries' versions
    return equal(first, second, tolerance)


def _take_apart(exercise: dict[str, Any]) -> tuple[dict[str, Any], list[tuple[Any, float]]]:
    """Separate an exercise's values, each with its tolerance, from everything else."""
    tolerances = [probe["tolerance"] for probe in exercise["probes"]]
    values = [(probe["value"], probe["tolerance"]) for probe in exercise["probes"]]
    for mistake in exercise["mistakes"]:
        values += zip(mistake["values"], tolerances, strict=True)
    frame = {
        **exercise,
        "probes": [{**probe, "value": None} for probe in exercise["probes"]],
        "mistakes": [mistake["hint"] for mistake in exercise["mistakes"]],
    }
    return frame, values
