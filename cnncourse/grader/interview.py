"""Ask one submission everything, and live through whatever it does."""

import secrets
import time
from collections.abc import Mapping

from cnncourse.grader import protocol
from cnncourse.grader.assignment import Assignment, Draw, Question
from cnncourse.grader.limits import Limits, Watchdog
from cnncourse.grader.results import STOPPED
from cnncourse.grader.spawn import Runner, SpawnError
from cnncourse.grading.probes import Outcome
from cnncourse.grading.values import decode

_START_SECONDS = 120
_FRAME_BYTES = 64 * 1024  # what stands around a value: prints, traceback, names
_ITEM_BYTES = 64  # of one number as JSON
_REFERENCE_SHARE = 5  # a learner may take so many times longer than the reference


class _Ended(Exception):
    """The runner is gone or speaks nonsense."""


class _Unadvised(_Ended):
    """The runner ended before any foreign code ran."""


class Interview:
    """Everything that is known about one submission.

    A process that ends, hangs, takes too much memory or breaks the protocol costs the question
    that was asked: what it answered before counts, and a new process answers the other questions.
    If a *cell* does that, the new process leaves this cell out.

    Attributes:
        outcomes: {(question, place of the draw): what came back}.
        failures: {question: why it was not asked to the end}.
        errors: {question: the error, decoded, and the line, that stopped its cell}.
        advice: {question: what `advice.library_answers` says of its cell}.
    """

    def __init__(
        self,
        assignment: Assignment,
        cells: Mapping[str, str],
        limits: Limits,
        spawner,
        watchdog: Watchdog,
    ):
        """Prepare; nothing runs yet."""
        self.assignment, self.limits = assignment, limits
        self._cells, self._spawner, self._watchdog = cells, spawner, watchdog
        self.outcomes: dict[tuple[str, int], Outcome] = {}
        self.failures: dict[str, str] = {}
        self.errors: dict[str, tuple[object, int]] = {}
        self._left_out: set[str] = set()  # questions whose cell must not run again
        self.advice: dict[str, str] = {}
        self._advise = [q.name for q in assignment.questions if q.from_scratch]
        self._end = 0.0  # when the time of the whole submission is over
        self._time = {q.name: self._budget(q) for q in assignment.questions}

    def _budget(self, question: Question) -> float:
        return self.limits.question + _REFERENCE_SHARE * question.seconds

    def run(self) -> None:
        """Ask until every question is answered or given up.

        Raises:
            SpawnError: if no process can be started.
        """
        self._end = time.monotonic() + self.limits.question + sum(self._time.values())
        # Each round but the last gives up a question, a cell or advice.
        for _ in range(2 * len(self.assignment.questions) + 2):
            todo = self._todo()
            if not todo:
                return
            runner = self._spawner.run(self.limits)
            self._watchdog.add(runner.watched)
            try:
                self._await_ready(runner)
                self._talk(runner, todo)
            finally:
                self._watchdog.remove(runner.watched)
                runner.close()

    def _await_ready(self, runner: Runner) -> None:
        """Wait until the runner is confined; no foreign code has run so far."""
        runner.watched.deadline = time.monotonic() + _START_SECONDS
        try:
            message, _ = self._receive(runner)
        except _Ended:
            message = {}
        if message != {"ready": True}:
            raise SpawnError(message.get("problem", "a runner ended before it began"))
        self._allow(runner, self.limits.question)

    def _allow(self, runner: Runner, seconds: float) -> None:
        """Set the time until the next answer, within that of the whole submission."""
        runner.watched.deadline = min(time.monotonic() + seconds, self._end)

    def _todo(self) -> list[tuple[Question, int, Draw]]:
        """Return what is still to be asked: all that learners may see first."""
        every = [
            (question, place, draw)
            for question in self.assignment.questions
            for place, draw in enumerate(question.draws)
            if question.name not in self.failures and (question.name, place) not in self.outcomes
        ]
        return [x for x in every if x[2].shown] + [x for x in every if not x[2].shown]

    def _talk(self, runner: Runner, todo: list[tuple[Question, int, Draw]]) -> None:
        current = [""]  # the question at hand, for the reckoning if it goes wrong
        try:
            self._run_cells(runner, current)
        except _Unadvised:
            return
        except _Ended:
            self._give_up(current[0], runner)
            self._left_out.add(current[0])
            return
        for question, place, draw in todo:
            if question.name in self.failures:
                continue
            try:
                outcome = self._ask(runner, question, draw)
            except _Ended:
                self._give_up(question.name, runner)
                return
            self.outcomes[question.name, place] = outcome

    def _give_up(self, question: str, runner: Runner) -> None:
        """Note why a question ends here; without one to blame, none can be asked."""
        reason = runner.watched.verdict or STOPPED
        for name in [question] if question else self._time:
            self.failures.setdefault(name, reason)

    def _run_cells(self, runner: Runner, current: list[str]) -> None:
        """Have the cells run; `current` always tells whose cell is at work."""
        wanted = [c for c in self.assignment.cells if c.question not in self._left_out]
        # Given helpers once more, all but the imports: a learner's cell may have replaced them.
        wanted += [c for c in self.assignment.cells if not c.question][1:]
        cells = [
            {
                "name": f"<{cell.question or 'given cell'}>",
                "source": self._cells.get(cell.question, "") if cell.question else cell.source,
            }
            for cell in wanted
        ]
        scratch = [(name, self._cells.get(name, "")) for name in self._advise]
        self._send(runner, {"cells": cells, "from_scratch": scratch})
        if scratch:
            self._take_advice(runner)
        for number, cell in enumerate(wanted):
            message, _ = self._receive(runner)
            self._allow(runner, self.limits.question)
            # A given cell fails because of what a learner's cell did before it.
            current[0] = cell.question or current[0]
            if message != {"cell": number}:
                raise _Ended
            message, _ = self._receive(runner)
            if message.get("ran") != number:
                raise _Ended
            if cell.question:
                self._note_error(cell.question, message.get("error"))

    def _take_advice(self, runner: Runner) -> None:
        """Read what was found in the source before any of it ran."""
        wanted, self._advise = self._advise, []  # once: there is source that Python cannot parse
        try:
            found = self._receive(runner)[0].get("advice")
        except _Ended:
            raise _Unadvised from None
        self.advice = {name: protocol.clean(str(found[name]))[:300] for name in wanted}

    def _note_error(self, question: str, error: object) -> None:
        if not error:
            return
        try:
            outcome = protocol.unpack({**_EMPTY, "value": error["raised"]}, b"")
            line = error["line"]
        except (ValueError, TypeError, KeyError):
            raise _Ended from None
        if type(line) is int and 0 <= line < 10**6:
            self.errors[question] = decode(outcome.value), line

    def _ask(self, runner: Runner, question: Question, draw: Draw) -> Outcome:
        """Ask for one probe and return what came back, safe to judge."""
        text_bytes, array_bytes = _size(draw.expected)
        max_text = max(self.limits.text_bytes, 4 * text_bytes)
        max_raw = max(self.limits.array_bytes, 4 * array_bytes)
        number = secrets.token_hex(8)  # an answer written before the question cannot have it
        request = {
            "id": number,
            "probe": draw.probe.to_json(),
            "max_raw": max_raw,
            "max_text": max_text,
        }
        started = time.monotonic()
        self._allow(runner, self._time[question.name])
        try:
            self._send(runner, request)
            message, raw = self._receive(runner, max_raw, max_text)
            if message.get("id") != number:
                raise _Ended
            return protocol.unpack(message, raw)
        except ValueError:
            raise _Ended from None
        finally:
            self._time[question.name] -= time.monotonic() - started

    def _send(self, runner: Runner, message: dict) -> None:
        try:
            protocol.send(runner.sink, message)
        except OSError:
            raise _Ended from None

    def _receive(self, runner: Runner, max_raw: int = 0, max_text: int = 0) -> tuple[dict, bytes]:
        max_text = (max_text or self.limits.text_bytes) + _FRAME_BYTES
        try:
            return protocol.receive(runner.source, max_text, max_raw)
        except (EOFError, OSError, ValueError):
            raise _Ended from None


_EMPTY = {"printed": "", "modified": [], "missing": [], "trace": [], "stub": False}


def _size(value: object) -> tuple[int, int]:
    """Return about how many bytes of JSON, and how many of arrays, a decoded value takes."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list | tuple):
        sizes = [_size(item) for item in value]
        return _ITEM_BYTES + sum(text for text, _ in sizes), sum(raw for _, raw in sizes)
    text = 6 * len(value) if isinstance(value, str) else 0
    return _ITEM_BYTES + text, getattr(value, "nbytes", 0)
