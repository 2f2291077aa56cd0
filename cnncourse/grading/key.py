"""The key of an exercise: what the learner's own check compares with."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cnncourse.grading.compare import equal
from cnncourse.grading.probes import Outcome, Probe
from cnncourse.grading.values import decode

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
    agrees on all probes; the next best on the wrong ones; the last one only in the numbers, when
    a learner made the mistake and returned another dtype besides.
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
    tests: tuple[Callable[[KnownMistake], bool], ...] = (
        lambda m: all(same(m, i, True) for i in everywhere),
        lambda m: all(same(m, i, True) for i in wrong),
        lambda m: telling(m) == wrong and all(same(m, i, False) for i in wrong),
    )
    for test in tests:
        if fitting := [mistake for mistake in key.mistakes if test(mistake)]:
            agreement = [sum(same(m, i, False) for i in everywhere) for m in fitting]
            return fitting[agreement.index(max(agreement))]
    return None


def _same(first: Any, second: Any, tolerance: float, dtype: bool) -> bool:
    """Compare two wrong values: errors must be of one type and say the same."""
    if hasattr(first, "message") and hasattr(second, "message"):
        return (first.name, first.message) == (second.name, second.message)
    return equal(first, second, tolerance, dtype)
