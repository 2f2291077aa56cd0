"""Grade submissions: one process per submission, its values judged here, nothing believed.

Order is part of the safety. First every question's public probes are asked, then the hidden ones
and the secret draws. All that feedback shows of a learner's values and prints comes from the first
part, so code that sees a secret input has no way left to tell anybody.
"""

import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from pathlib import Path

from cnncourse.grader.assignment import Assignment, prepare
from cnncourse.grader.interview import Interview
from cnncourse.grader.limits import Limits, Watchdog
from cnncourse.grader.marking import mark
from cnncourse.grader.results import (
    FAILED,
    GRADED,
    NOT_ATTEMPTED,
    OUT_OF_MEMORY,
    TIMED_OUT,
    UNREADABLE,
    Graded,
    QuestionResult,
    Submission,
)
from cnncourse.grader.sandbox import require
from cnncourse.grader.spawn import ForkServer, SpawnError, UnsafeSpawner


class Grader:
    """Grades submissions in sandboxed processes; a context manager.

    >>> with Grader(prepare(paths, seed)) as grader:  # doctest: +SKIP
    ...     for graded in grader.grade(submissions):
    ...         print(graded.student, graded.total)
    """

    def __init__(
        self,
        assignments: Sequence[Assignment] | Callable[[], Sequence[Assignment]],
        *,
        jobs: int = 1,
        limits: Limits | None = None,
        unsafe: bool = False,
    ):
        """Say what to grade and how.

        Args:
            assignments: prepared ones; or a function that prepares them, which then happens while
                the fork server imports its libraries.
            jobs: submissions at the same time.
            limits: of each.
            unsafe: without a sandbox, as ordinary processes.

        Raises:
            ValueError: if `jobs` is not a positive integer.
        """
        if isinstance(jobs, bool) or not isinstance(jobs, int) or jobs < 1:
            raise ValueError(f"jobs is {jobs!r}; accepted: a positive integer")
        self._prepare = assignments if callable(assignments) else lambda: assignments
        self.jobs, self.limits, self.unsafe = jobs, limits or Limits(), unsafe

    @classmethod
    def of(cls, paths: Iterable[Path], seed: str, **options) -> "Grader":
        """Make a grader that prepares solutions notebooks while its server starts."""
        paths = list(paths)
        return cls(lambda: prepare(paths, seed), **options)

    def __enter__(self) -> "Grader":
        """Start the processes.

        Raises:
            SandboxError: if submissions cannot be isolated here; says why and what helps.
            AuthorError: if the assignments cannot be prepared.
        """
        if not self.unsafe:
            require()
        self._spawner = UnsafeSpawner() if self.unsafe else ForkServer()
        self._watchdog = Watchdog(TIMED_OUT, OUT_OF_MEMORY)
        try:
            self.assignments = {a.name: a for a in self._prepare()}
            self._spawner.ready()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_) -> None:
        """End the processes and everything below them."""
        self._spawner.close()
        self._watchdog.close()

    @property
    def note(self) -> str:
        """Something that the instructor should know about this run; empty if there is nothing."""
        return self._spawner.note

    def grade(self, submissions: Iterable[Submission]) -> Iterator[Graded]:
        """Grade submissions and yield what each earned as soon as it is known, in any order.

        No submission makes this raise. Few are held at a time, however many there are.
        """
        waiting = iter(submissions)
        with ThreadPoolExecutor(self.jobs, "grader") as pool:
            running = deque()
            try:
                while True:
                    while len(running) < 2 * self.jobs:
                        submission = next(waiting, None)
                        if submission is None:
                            break
                        running.append(pool.submit(self.grade_one, submission))
                    if not running:
                        return
                    done, _ = wait(running, return_when=FIRST_COMPLETED)
                    for future in done:
                        running.remove(future)
                        yield future.result()
            finally:
                for future in running:
                    future.cancel()

    def grade_one(self, submission: Submission) -> Graded:
        """Grade one submission; never raises."""
        started = time.perf_counter()
        try:
            status, message, questions = self._grade(submission)
        except Exception as error:  # a fault of ours; the others go on
            status, message, questions = FAILED, f"{type(error).__name__}: {error}", None
        assignment = self.assignments.get(submission.assignment)
        if questions is None:
            questions = _nothing(assignment) if assignment else []
        manual = assignment.manual if assignment else {}
        return Graded(
            submission.student,
            submission.assignment,
            submission.digest,
            status,
            questions,
            {n: {"points": p, "answer": submission.answers.get(n, "")} for n, p in manual.items()},
            message,
            round(time.perf_counter() - started, 3),
            self.unsafe,
        )

    def _grade(self, submission: Submission) -> tuple[str, str, list[QuestionResult] | None]:
        if submission.problem:
            return UNREADABLE, submission.problem, None
        assignment = self.assignments.get(submission.assignment)
        if assignment is None:
            return UNREADABLE, f"there is no assignment {submission.assignment!r}", None
        if not any(source.strip() for source in submission.cells.values()):
            return NOT_ATTEMPTED, "no solution cell holds anything", None
        answers = self._interview(assignment, submission)
        questions = []
        for question in assignment.questions:
            questions.append(mark(question, answers))
        blank = all(question.status == NOT_ATTEMPTED for question in questions)
        return NOT_ATTEMPTED if blank else GRADED, "", questions

    def _interview(self, assignment: Assignment, submission: Submission) -> Interview:
        for last_try in (False, True):
            interview = Interview(
                assignment, submission.cells, self.limits, self._spawner, self._watchdog
            )
            try:
                interview.run()
                return interview
            except SpawnError:
                # The server may have died of somebody's memory. Once more with a new one.
                if last_try:
                    raise
                self._spawner.renew()
        raise AssertionError("not reached")


def _nothing(assignment: Assignment) -> list[QuestionResult]:
    return [QuestionResult(q.name, NOT_ATTEMPTED, 0, q.max_points) for q in assignment.questions]
