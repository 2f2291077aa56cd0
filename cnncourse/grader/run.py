"""One run of `cnncourse grade`: find, grade what is not graded yet, write, say what came out."""

import contextlib
import secrets
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from cnncourse.grader import gradebook
from cnncourse.grader.gradebook import Gradebook, Row
from cnncourse.grader.intake import find
from cnncourse.grader.journal import Journal, fingerprint, key
from cnncourse.grader.limits import Limits
from cnncourse.grader.results import (
    FAILED,
    GRADED,
    NOT_ATTEMPTED,
    UNREADABLE,
    Graded,
    Submission,
)
from cnncourse.paths import course_root

if TYPE_CHECKING:
    from cnncourse.grader.assignment import Outline

# Exit status.
ALL_GRADED, SOME_NOT_GRADED, USAGE, NO_SANDBOX, INTERRUPTED = 0, 1, 2, 3, 130
JOURNAL = "journal.jsonl"


@dataclass(frozen=True)
class Request:
    """What to grade, how, and where to.

    Attributes:
        directory: folder, zip or notebook.
        out: where files are written; none are if it is None.
        source: folder of the solutions notebooks; the course's own by default.
        only: names of the assignments to grade; all by default.
        seed: of the secret inputs; drawn, or with `resume` the former run's, if it is empty.
        jobs: submissions at the same time.
        limits: of one submission.
        scheduler: address of a Dask cluster that does the work; empty to do it here.
        resume: keep what was graded and has not changed.
        gradescope: write Gradescope's files, too.
        unsafe: do without the sandbox.
    """

    directory: Path
    out: Path | None = None
    source: Path | None = None
    only: Sequence[str] = ()
    seed: str = ""
    jobs: int = 1
    limits: Limits = field(default_factory=Limits)
    scheduler: str = ""
    resume: bool = False
    gradescope: bool = False
    unsafe: bool = False


def grade(request: Request, tell: Callable[[int, int, str], None] = lambda *_: None) -> Gradebook:
    """Grade and write everything.

    Args:
        request: what to do.
        tell: is given how many submissions are graded, of how many, and a note now and then.

    Returns:
        The gradebook, as it was written.

    Raises:
        OSError: if something cannot be read or written.
        SandboxError: if submissions cannot be isolated here.
        ValueError: if there is nothing to grade, or the solutions have a fault.
    """
    paths, outlines = read_outlines(request.source, request.only)
    submissions = find(request.directory, outlines, request.only, request.out)
    names = {submission.assignment for submission in submissions}
    used = {name: outline for name, outline in outlines.items() if name in names}
    journal = Journal(request.out / JOURNAL if request.out else None, request.resume)
    seed = request.seed or journal.seed or secrets.token_hex(16)
    settings = {"seed": seed, "limits": asdict(request.limits), "unsafe": request.unsafe}
    prints = {name: fingerprint(paths[name].read_bytes(), **settings) for name in used}
    todo = {key(s, prints): s for s in submissions if not s.problem}
    with journal:
        journal.begin(seed)
        count = len(todo)
        todo = {k: submission for k, submission in todo.items() if k not in journal.done}
        tell(count - len(todo), count, "")
        work = _work(request, [paths[name] for name in used], seed, [*todo.values()], tell)
        with contextlib.closing(work):
            for number, graded in enumerate(work, count - len(todo) + 1):
                journal.add(key(graded, prints), graded)
                tell(number, count, "")
    rows = [Row(str(s.path), _result(s, journal, prints, request.unsafe)) for s in submissions]
    book = Gradebook(rows, used, seed, request.unsafe)
    if request.out:
        gradebook.write(book, request.out, request.gradescope)
    return book


def read_outlines(
    source: Path | None, only: Sequence[str] = ()
) -> tuple[dict[str, Path], dict[str, "Outline"]]:
    """Read what the solutions notebooks ask; those without coding exercises are left out.

    Raises:
        FileNotFoundError: if there is none.
        ValueError: if one has a fault, or a name in `only` is not among them.
    """
    from cnncourse.grader.assignment import outline

    folder = source or course_root() / "solutions"
    paths = {path.stem: path for path in sorted(folder.glob("*.ipynb"))}
    outlines = {name: outline(path) for name, path in paths.items()}
    outlines = {name: found for name, found in outlines.items() if found.questions}
    if not outlines:
        raise FileNotFoundError(f"there is no solutions notebook with exercises in {folder}")
    for name in only:
        if name not in outlines:
            raise ValueError(f"assignment is {name!r}; accepted: {', '.join(outlines)}")
    return paths, outlines


def _work(
    request: Request,
    paths: list[Path],
    seed: str,
    submissions: list[Submission],
    tell: Callable[[int, int, str], None],
) -> Iterator[Graded]:
    """Grade submissions, here or on a cluster, and yield them as they are done."""
    if not submissions:
        return
    if request.scheduler:
        from cnncourse.grader.assignment import prepare

        try:
            from cnncourse.grader.cluster import grade_on_cluster
        except ModuleNotFoundError as error:
            raise ValueError(f"{error}: pip install distributed for --scheduler") from None
        assignments = prepare(paths, seed)
        options = {"limits": request.limits, "unsafe": request.unsafe}
        yield from grade_on_cluster(request.scheduler, assignments, submissions, **options)
        return
    from cnncourse.grader.engine import Grader

    options = {"jobs": request.jobs, "limits": request.limits, "unsafe": request.unsafe}
    with Grader.of(paths, seed, **options) as grader:
        if grader.note:
            tell(0, 0, grader.note)
        yield from grader.grade(submissions)


def _result(
    submission: Submission, journal: Journal, prints: Mapping[str, str], unsafe: bool
) -> Graded:
    who = (submission.student, submission.assignment, submission.digest)
    if submission.problem:
        return Graded(*who, UNREADABLE, message=submission.problem, unsafe=unsafe)
    reason = "the grader gave no result; run it again with --resume"
    nothing = Graded(*who, FAILED, message=reason, unsafe=unsafe)
    return journal.done.get(key(submission, prints), nothing)


def status(book: Gradebook) -> int:
    """Return the command's exit status: 0 if every submission was graded, 1 if one was not."""
    return ALL_GRADED if all(row.fine for row in book.rows) else SOME_NOT_GRADED


def summary(book: Gradebook, out: Path | None) -> list[str]:
    """Say in a few lines what came out; no line holds anything that a learner chose."""
    counts = {
        kind: sum(row.graded.status == kind for row in book.rows)
        for kind in (GRADED, NOT_ATTEMPTED, UNREADABLE, FAILED)
    }
    parts = ", ".join(f"{count} {kind}" for kind, count in counts.items() if count)
    number = len(book.rows)
    lines = [f"{number} submission{'' if number == 1 else 's'}: {parts}."]
    for name in book.outlines:
        rows = [row for row in book.rows if row.graded.assignment == name and row.fine]
        if rows:
            mean = sum(row.graded.total for row in rows) / len(rows)
            pending = sum(row.manual_pending > 0 for row in rows)
            more = f"; {pending} with prose to read" if pending else ""
            lines.append(f"{name}: {mean:.1f} of {book.max_points(rows[0]):g} on average{more}.")
    if out:
        lines.append(f"Marks: {out / 'grades.csv'}. Feedback: {out / 'feedback'}.")
    return lines


class Progress:
    """A line on standard error that says how far it is, where somebody can see it."""

    def __init__(self, unsafe: bool):
        """Begin; `unsafe` is said in every line."""
        self._prefix = "UNSAFE " if unsafe else ""
        self._live = sys.stderr.isatty()

    def __call__(self, done: int, count: int, note: str) -> None:
        """Show how far it is, or a note."""
        if note:
            print(f"{self._prefix}{note}", file=sys.stderr)
        elif self._live and count:
            width = 30 * done // count
            bar = "█" * width + "░" * (30 - width)
            end = "\n" if done == count else ""
            text = f"\r{self._prefix}grading {bar} {done} of {count}"
            print(text, end=end, file=sys.stderr, flush=True)
