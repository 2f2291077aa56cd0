"""Judge outcomes against a key: status, points and the hint that fits. No learner's names here."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from cnncourse.grading.compare import equal
from cnncourse.grading.diagnose import diagnose
from cnncourse.grading.key import ExerciseKey, find_mistake
from cnncourse.grading.probes import Outcome, Probe
from cnncourse.grading.values import Raised, decode

CORRECT = "correct"
WRONG = "wrong"
NOT_ATTEMPTED = "not attempted"
RAISED = "your code raised"
NO_KEY = "no key"


@dataclass(frozen=True)
class ProbeResult:
    """One probe, what was expected, what was given, and whether that is the same."""

    probe: Probe
    expected: Any
    given: Any
    outcome: Outcome

    @property
    def passed(self) -> bool:
        """Whether the value is right."""
        return equal(self.expected, self.given, self.probe.tolerance)


@dataclass
class Verdict:
    """What a check found.

    Attributes:
        exercise: its name.
        status: `"correct"`, `"wrong"`, `"not attempted"`, `"your code raised"` or `"no key"`.
        points: earned by the probes that passed.
        max_points: of the probes that were evaluated.
        hidden_points: of those that only grading evaluates.
        hint: the matching mistake's hint, or a diagnosis; empty when there is none.
        more_hints: how many hints the author wrote.
        results: one per probe.
        note: something to say besides, in a sentence.
    """

    exercise: str
    status: str
    points: float = 0
    max_points: float = 0
    hidden_points: float = 0
    hint: str = ""
    more_hints: int = 0
    results: list[ProbeResult] = field(default_factory=list)
    note: str = ""

    @property
    def failed(self) -> ProbeResult | None:
        """The first probe that did not pass."""
        return next((result for result in self.results if not result.passed), None)


def earned(results: Iterable[tuple[Probe, bool]]) -> float:
    """Return the points of (probe, passed) pairs.

    An error that is asked for pays only where a value is right too: code that always raises has
    recognised nothing.
    """
    results = list(results)
    values = [passed for probe, passed in results if not probe.raises]
    if values and not any(values):
        return 0
    return sum(probe.points for probe, passed in results if passed)


def judge(key: ExerciseKey, outcomes: Sequence[Outcome]) -> Verdict:
    """Compare outcomes with what the reference gave.

    Args:
        key: of the exercise.
        outcomes: one per probe of the key, in its order.
    """
    results = [
        ProbeResult(probe, expected, decode(outcome.value), outcome)
        for probe, expected, outcome in zip(key.probes, key.values, outcomes, strict=True)
    ]
    verdict = Verdict(
        exercise=key.name,
        status=CORRECT,
        points=earned((result.probe, result.passed) for result in results),
        max_points=sum(result.probe.points for result in results),
        hidden_points=key.hidden_points,
        more_hints=len(key.hints),
        results=results,
        note=_in_place(outcomes),
    )
    if all(outcome.not_attempted for outcome in outcomes):
        verdict.status, verdict.note = NOT_ATTEMPTED, ""
    elif failed := verdict.failed:
        verdict.status = RAISED if isinstance(failed.given, Raised) else WRONG
        mistake = find_mistake(key, outcomes)
        if mistake:
            verdict.hint = mistake.hint
        elif verdict.status == WRONG:
            verdict.hint = diagnose(failed.expected, failed.given, failed.probe.tolerance)
    return verdict


def _in_place(outcomes: Sequence[Outcome]) -> str:
    names = dict.fromkeys(name for outcome in outcomes for name in outcome.modified)
    if not names:
        return ""
    return (
        f"Your code changes {', '.join(f'`{n}`' for n in names)} in place: whoever passed it in "
        "loses the original. Work on a copy."
    )
