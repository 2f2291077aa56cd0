"""What a run leaves behind: `grades.csv`, `results.json`, Gradescope's format, feedback pages.

`results.json` is described, field by field, by `results.schema.json` beside this file.
"""

import csv
import io
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cnncourse import __version__
from cnncourse.grader.results import GRADED, NOT_ATTEMPTED, Graded
from cnncourse.grader.text import file_names, shorten, spreadsheet_cell, visible
from cnncourse.grading.build import write_atomically

if TYPE_CHECKING:
    from cnncourse.grader.assignment import Outline

FORMAT, VERSION = "cnncourse grades", 1


@dataclass(frozen=True)
class Row:
    """One submission: where it was found, and what it earned."""

    path: str
    graded: Graded

    @property
    def manual_pending(self) -> float:
        """Points of the prose answers that wait for a reader; a missing answer does not wait."""
        answers = self.graded.manual.values()
        return sum(a["points"] for a in answers if a["answer"].strip())

    @property
    def fine(self) -> bool:
        """Whether the submission could be graded."""
        return self.graded.status in (GRADED, NOT_ATTEMPTED)


@dataclass(frozen=True)
class Gradebook:
    """All rows of a run.

    Attributes:
        rows: in the order in which they are written.
        outlines: of the assignments that were graded, by name.
        seed: that the random inputs were drawn from; with it the marks can be had again.
        unsafe: whether submissions ran without the sandbox.
    """

    rows: Sequence[Row]
    outlines: Mapping[str, "Outline"]
    seed: str = ""
    unsafe: bool = False

    def max_points(self, row: Row) -> float:
        """Return what the autograded questions of the row's assignment could earn."""
        outline = self.outlines.get(row.graded.assignment)
        return sum(points for _, points in outline.questions) if outline else 0

    def messages(self) -> list[str]:
        """Return what an instructor should know of each row."""
        counts = Counter((row.graded.student, row.graded.assignment) for row in self.rows)
        found = []
        for row in self.rows:
            count = counts[row.graded.student, row.graded.assignment]
            twice = f"one of {count} submissions for this assignment" if count > 1 else ""
            found.append("; ".join(filter(None, (visible(row.graded.message), twice))))
        return found

    def feedback_names(self) -> list[str]:
        """Return a file name for each row's feedback."""
        labels = [
            "-".join(filter(None, (r.graded.student, r.graded.assignment))) for r in self.rows
        ]
        return file_names(labels, ".html")


def write(book: Gradebook, out: Path, gradescope: bool = False) -> None:
    """Write every file of a run into a folder, each in one step.

    Args:
        book: the rows.
        out: the folder.
        gradescope: also write `gradescope/results.json`; with several students one each, in
            `gradescope/STUDENT/`.
    """
    from cnncourse.grader.feedback import page

    for row, name in zip(book.rows, book.feedback_names(), strict=True):
        write_atomically(out / "feedback" / name, page(row, book.max_points(row)))
    if gradescope:
        for name, data in gradescope_files(book).items():
            write_atomically(out / "gradescope" / name, json.dumps(data, indent=1) + "\n")
    write_atomically(out / "grades.csv", grades_csv(book))
    write_atomically(out / "results.json", results_json(book))


def grades_csv(book: Gradebook) -> str:
    """Return the table: a row for each submission, a column for each question.

    With several assignments a question's column is named ASSIGNMENT/QUESTION. No cell begins like
    a spreadsheet's formula.
    """
    outlines = book.outlines.values()
    columns = [(o.name, question) for o in outlines for question, _ in o.questions]
    titles = [f"{a}/{q}" if len(book.outlines) > 1 else q for a, q in columns]
    table = io.StringIO()
    writer = csv.writer(table, lineterminator="\n")
    rest = ["manual_pending", "total", "max", "status", "message"]
    writer.writerow(["student", "assignment", *map(spreadsheet_cell, titles), *rest])
    for row, message in zip(book.rows, book.messages(), strict=True):
        graded = row.graded
        points = {(graded.assignment, q.name): f"{q.points:g}" for q in graded.questions}
        texts = (graded.student, graded.assignment)
        writer.writerow(
            [
                *(spreadsheet_cell(visible(text)) for text in texts),
                *(points.get(column, "") for column in columns),
                *(f"{n:g}" for n in (row.manual_pending, graded.total, book.max_points(row))),
                graded.status + (" (UNSAFE)" if graded.unsafe else ""),
                spreadsheet_cell(message),
            ]
        )
    return table.getvalue()


def results_json(book: Gradebook) -> str:
    """Return everything, for programs, in ASCII; `results.schema.json` describes it."""
    files, messages = book.feedback_names(), book.messages()
    data = {
        "format": FORMAT,
        "version": VERSION,
        "grader": __version__,
        "seed": book.seed,
        "unsafe": book.unsafe,
        "assignments": [
            {
                "name": outline.name,
                "questions": [{"name": q, "max_points": p} for q, p in outline.questions],
                "manual": [{"name": q, "max_points": p} for q, p in outline.manual.items()],
            }
            for outline in book.outlines.values()
        ],
        "submissions": [
            {
                **row.graded.to_json(),
                "path": visible(row.path),
                "message": message,
                "total": row.graded.total,
                "max_points": book.max_points(row),
                "manual_pending": row.manual_pending,
                "feedback": f"feedback/{file}",
            }
            for row, file, message in zip(book.rows, files, messages, strict=True)
        ],
    }
    return json.dumps(data, indent=1, allow_nan=False) + "\n"


def gradescope_files(book: Gradebook) -> dict[str, dict[str, Any]]:
    """Return Gradescope's results, by file name: a student's assignments together in one."""
    students: dict[str, list[Row]] = {}
    for row in book.rows:
        students.setdefault(row.graded.student, []).append(row)
    if len(students) == 1:
        return {"results.json": _gradescope(next(iter(students.values())))}
    names = file_names([*students], "/results.json")
    return {name: _gradescope(rows) for name, rows in zip(names, students.values(), strict=True)}


def _gradescope(rows: list[Row]) -> dict[str, Any]:
    several = len(rows) > 1
    tests = []
    for row in rows:
        for question in row.graded.questions:
            name = f"{row.graded.assignment}: {question.name}" if several else question.name
            passed = question.points >= question.max_points
            tests.append(
                {
                    "name": visible(name),
                    "score": question.points,
                    "max_score": question.max_points,
                    "status": "passed" if passed else "failed",
                    "output": _explain(question),
                    "output_format": "text",
                    "visibility": "visible",
                }
            )
    messages = [visible(row.graded.message) for row in rows if row.graded.message]
    pending = sum(row.manual_pending for row in rows)
    if pending:
        messages.append(f"Answers worth {pending:g} points wait for a reader.")
    return {
        "score": sum(row.graded.total for row in rows),
        "execution_time": round(sum(row.graded.seconds for row in rows), 3),
        "output": "\n".join(messages),
        "output_format": "text",
        "visibility": "visible",
        "stdout_visibility": "hidden",
        "tests": tests,
    }


def _explain(question: Any) -> str:
    """Return in plain text what a feedback page says about a question."""
    lines = [f"{question.status}, {question.points:g} of {question.max_points:g} points"]
    for probe in question.public:
        given = visible(shorten(probe["given"], 2_000), keep="\n")
        lines.append(f"{'passed' if probe['passed'] else 'not passed'}: {probe['expression']}")
        lines += [] if probe["passed"] else [f"  you gave: {given}"]
    for label, text in (
        ("Hint", question.hint),
        ("Further cases", question.failed_property),
        ("Note", question.advice),
    ):
        lines += [f"{label}: {visible(text, keep=chr(10))}"] if text else []
    return "\n".join(lines)
