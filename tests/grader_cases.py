"""What the grader's tests share: assignments in outline, submitted notebooks, a stand-in engine."""

import json
import os
import signal
import time
from dataclasses import dataclass, field

from cnncourse.grader.results import GRADED, NOT_ATTEMPTED, UNREADABLE, Graded, QuestionResult
from cnncourse.grader.sandbox import SandboxError

CONV, POOL = "02_convolution", "03_pooling"


@dataclass(frozen=True)
class FakeOutline:
    name: str
    questions: list
    manual: dict = field(default_factory=dict)


OUTLINES = {
    CONV: FakeOutline(CONV, [("conv2d", 3), ("out_size", 2)], {"q4_sharing": 2}),
    POOL: FakeOutline(POOL, [("pool2d", 4)]),
}


def cell(grade_id, source, kind="code", **flags):
    """Return a marked cell as a notebook's JSON has it."""
    mark = {"grade_id": grade_id, "schema_version": 3, "solution": True, **flags}
    return {"cell_type": kind, "metadata": {"nbgrader": mark}, "source": source}


def notebook(*cells):
    """Return a notebook's bytes."""
    return json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}).encode()


ANNA = notebook(
    {"cell_type": "markdown", "metadata": {}, "source": ["# My ", "work"]},
    cell("conv2d", "def conv2d(x):\n    return 2 * x"),
    cell("check_conv2d", 'check("conv2d")', grade=True, solution=False),
    cell("out_size", ["def out_size(n):\n", "    return n"]),
    cell("q4_sharing", "Because weights are **shared**.", kind="markdown", grade=True),
)
POOLED = notebook(cell("pool2d", "def pool2d(x):\n    return x.max()"))


class FakeGrader:
    """Gives full points to every answer that does not contain the word wrong; runs nothing."""

    def __init__(self, assignments=(), *, jobs=1, limits=None, unsafe=False):
        self.unsafe, self.closed = unsafe, False

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.closed = True

    def grade(self, submissions):
        for submission in submissions:
            yield grade(submission, self.unsafe)


def grade(submission, unsafe=False):
    """Grade one submission without running it."""
    outline = OUTLINES.get(submission.assignment)
    same = {"unsafe": unsafe, "seconds": 0.25}
    who = (submission.student, submission.assignment, submission.digest)
    if submission.problem or outline is None:
        return Graded(*who, UNREADABLE, message=submission.problem, **same)
    questions = [_question(n, p, submission.cells.get(n)) for n, p in outline.questions]
    manual = {
        name: {"points": points, "answer": submission.answers.get(name, "")}
        for name, points in outline.manual.items()
    }
    tried = any(q.status != NOT_ATTEMPTED for q in questions)
    return Graded(*who, GRADED if tried else NOT_ATTEMPTED, questions, manual, **same)


def _question(name, points, source):
    if source is None:
        return QuestionResult(name, NOT_ATTEMPTED, 0, points)
    right = "wrong" not in source
    public = [{"expression": f"{name}(x)", "given": source[-30:], "passed": right}]
    status, hint = ("correct", "") if right else ("wrong", "You forgot the stride.")
    return QuestionResult(name, status, points if right else 0, points, hint, public)


class ClusterGrader(FakeGrader):
    """Takes its time, and says in which process it was done."""

    def grade_one(self, submission):
        for name in ("worker", "all"):
            if name in submission.student and (name == "all" or _first(submission.path)):
                os.kill(os.getpid(), signal.SIGKILL)
        time.sleep(0.1)
        graded = grade(submission, self.unsafe)
        graded.manual["done by"] = {"points": os.getpid(), "answer": ""}
        return graded


def _first(path):
    """Tell whether nobody was here before."""
    try:
        path.touch(exist_ok=False)
    except FileExistsError:
        return False
    return True


class NoSandbox(FakeGrader):
    def __enter__(self):
        raise SandboxError("no namespaces. Remedy: Linux")
