"""What goes into the grader and what comes out: plain data, no code of anybody's."""

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

# Of a submission.
GRADED = "graded"
NOT_ATTEMPTED = "not attempted"  # also of a question
UNREADABLE = "unreadable"  # no notebook could be made of the file; `message` says why
FAILED = "failed"  # the grader itself could not finish; grade it again

# Of a question, beside those of `grading.judge`: correct, wrong, not attempted, your code raised.
TIMED_OUT = "timed out"
OUT_OF_MEMORY = "out of memory"
STOPPED = "stopped"  # the process ended or broke the protocol before the value came


@dataclass(frozen=True)
class Submission:
    """One student's answers to one assignment, read from a notebook, nothing run.

    Attributes:
        student: from the folder or file name; any text.
        assignment: name of the solutions notebook that it answers, e.g. `02_convolution`.
        path: of the notebook, as it is to be shown.
        cells: {grade_id: source} of the solution cells; several with one id are joined.
        answers: {grade_id: text} of the prose answers.
        digest: SHA-256 of what was read, so that an unchanged submission is known again.
        problem: why it cannot be graded; empty if it can.
    """

    student: str
    assignment: str
    path: Path
    cells: dict[str, str] = field(default_factory=dict)
    answers: dict[str, str] = field(default_factory=dict)
    digest: str = ""
    problem: str = ""


@dataclass(frozen=True)
class QuestionResult:
    """What one question earned.

    Attributes:
        name: of the exercise.
        status: one of `grading.judge`'s or of those above.
        points: earned.
        max_points: that could be earned.
        hint: the matching mistake's hint or a diagnosis; from public probes only.
        public: [{"expression", "given", "passed"}] of the public probes; `given` is the learner's
            own value as text. Never the expected value.
        failed_property: which hidden property failed, in general words; empty if none did.
        advice: e.g. "uses the library's own answer"; does not change the points.
        printed: what the learner's code printed, shortened.
    """

    name: str
    status: str
    points: float
    max_points: float
    hint: str = ""
    public: list[dict[str, Any]] = field(default_factory=list)
    failed_property: str = ""
    advice: str = ""
    printed: str = ""


@dataclass(frozen=True)
class Graded:
    """What one submission earned.

    Attributes:
        student: as in the submission.
        assignment: as in the submission.
        digest: as in the submission.
        status: `graded`, `not attempted`, `unreadable` or `failed`.
        questions: one result per question of the assignment, in its order.
        manual: {grade_id: {"points": maximum, "answer": text}} that wait for a reader.
        message: what an instructor should know, in a sentence.
        seconds: wall time.
        unsafe: whether it was graded without the sandbox.
    """

    student: str
    assignment: str
    digest: str
    status: str
    questions: list[QuestionResult] = field(default_factory=list)
    manual: dict[str, dict[str, Any]] = field(default_factory=dict)
    message: str = ""
    seconds: float = 0
    unsafe: bool = False

    @property
    def total(self) -> float:
        """Points earned by the autograded questions."""
        return sum(question.points for question in self.questions)

    @property
    def max_points(self) -> float:
        """Points that the autograded questions could earn."""
        return sum(question.max_points for question in self.questions)

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "Graded":
        """Read what `to_json` gave."""
        return cls(**{**data, "questions": [QuestionResult(**q) for q in data["questions"]]})
