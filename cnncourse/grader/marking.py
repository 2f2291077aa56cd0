"""Turn what came back into points and feedback. Only values are looked at, only in the driver."""

import numpy as np
from cnncourse.grader.assignment import Draw, Question
from cnncourse.grader.interview import Interview
from cnncourse.grader.results import OUT_OF_MEMORY, STOPPED, TIMED_OUT, QuestionResult
from cnncourse.grading.compare import equal
from cnncourse.grading.judge import (
    CORRECT,
    NOT_ATTEMPTED,
    RAISED,
    WRONG,
    Verdict,
    earned,
    judge,
)
from cnncourse.grading.probes import Outcome
from cnncourse.grading.report import shorten
from cnncourse.grading.values import Raised, decode, describe

_FAILURE_HINTS = {
    TIMED_OUT: "Your code took too long. Does every loop end?",
    OUT_OF_MEMORY: "Your code took more memory than there is for one submission.",
    STOPPED: "The process ended before your code gave its value. Does it call exit() or quit()?",
}


def mark(question: Question, interview: Interview) -> QuestionResult:
    """Mark one question.

    Args:
        question: with what is expected.
        interview: with what was given.
    """
    answers = [interview.outcomes.get((question.name, i)) for i in range(len(question.draws))]
    with np.errstate(all="ignore"):  # overflow is the learner's affair
        passed = [_passed(d, a) for d, a in zip(question.draws, answers, strict=True)]
        verdict = _verdict(question, answers)
    failure = interview.failures.get(question.name, "")
    hint, unseen = verdict.hint if verdict else "", ""
    if failure:
        status, hint = failure, hint or _FAILURE_HINTS.get(failure, "")
    elif verdict is None:
        status = WRONG
    elif verdict.status == NOT_ATTEMPTED and question.name in interview.errors:
        status, hint = RAISED, _cell_hint(*interview.errors[question.name])
    elif verdict.status == NOT_ATTEMPTED or all(passed):
        status = verdict.status
    elif verdict.status == CORRECT:
        status, unseen = WRONG, _unseen(question, answers, passed)
    else:
        status = verdict.status
    return QuestionResult(
        question.name,
        status,
        0 if status == NOT_ATTEMPTED else _points(question, passed),
        question.max_points,
        hint,
        _public(question, answers, passed),
        unseen,
        interview.advice.get(question.name, ""),
        _printed(question, answers),
    )


def _passed(draw: Draw, answer: Outcome | None) -> bool:
    if answer is None:
        return False
    try:
        return equal(draw.expected, decode(answer.value), draw.probe.tolerance)
    except Exception:  # a value that cannot even be compared is not the right one
        return False


def _points(question: Question, passed: list[bool]) -> float:
    """A probe's points need every draw of it."""
    failed = {d.index for d, ok in zip(question.draws, passed, strict=True) if not ok}
    probes = {draw.index: draw.probe for draw in question.draws}
    return round(earned((probe, index not in failed) for index, probe in probes.items()), 9)


def _verdict(question: Question, answers: list[Outcome | None]) -> Verdict | None:
    """Return what the learner's own check would say; None if its values did not all come."""
    pairs = zip(question.draws, answers, strict=True)
    shown = [answer for draw, answer in pairs if draw.shown]
    if any(answer is None for answer in shown):
        return None
    try:
        return judge(question.key, shown)
    except Exception:  # a diagnosis is a kindness; a strange value goes without
        return None


def _cell_hint(error: object, line: int) -> str:
    where = f"at line {line} " if line else ""
    return f"Your cell stops {where}with {describe(error)}"


def _unseen(question: Question, answers: list[Outcome | None], passed: list[bool]) -> str:
    """Say in general words what failed beyond the public probes; no input, no expected value."""
    rows = zip(question.draws, answers, passed, strict=True)
    draw, answer = next((draw, answer) for draw, answer, ok in rows if not ok)
    where = (
        "for an example of the check with other random numbers"
        if draw.probe.public
        else "for a case that the check does not show"
    )
    given = decode(answer.value)
    if isinstance(draw.expected, Raised):
        return f"an error should be raised {where}"
    if isinstance(given, Raised):
        return f"your code raises an error {where}"
    for attribute, name in (("shape", "the shape is"), ("dtype", "the data type is")):
        first, second = getattr(draw.expected, attribute, None), getattr(given, attribute, None)
        if first is not None and first != second:
            return f"{name} wrong {where}"
    return f"the value is wrong {where}"


def _public(question: Question, answers: list[Outcome | None], passed: list[bool]) -> list[dict]:
    return [
        {
            "expression": draw.probe.expression,
            "given": describe(decode(answer.value)) if answer else "",
            "passed": ok,
        }
        for draw, answer, ok in zip(question.draws, answers, passed, strict=True)
        if draw.shown
    ]


def _printed(question: Question, answers: list[Outcome | None]) -> str:
    """Return what the public probes printed first; others may have seen secrets."""
    pairs = zip(question.draws, answers, strict=True)
    texts = (answer.printed for draw, answer in pairs if draw.shown and answer)
    return shorten(next((text for text in texts if text.strip()), ""))
