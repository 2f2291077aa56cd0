"""Find submissions and say whose they are and what they answer. Nothing of them is run.

Whatever is handed in gets a `Submission`: one that cannot be read carries the reason as `problem`.
"""

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from cnncourse.grader.files import Entry, UnreadableError, list_folder, list_zip, read_file
from cnncourse.grader.notebook import Cells, read_cells
from cnncourse.grader.results import Submission
from cnncourse.grader.text import visible

if TYPE_CHECKING:
    from cnncourse.grader.assignment import Outline

MAX_NOTEBOOKS = 50  # of one student
STUB = "YOUR ANSWER HERE"
_NBGRADER = {"source", "release", "autograded", "feedback", "downloaded", "exchange"}


def find(
    path: Path,
    assignments: Mapping[str, "Outline"],
    only: Collection[str] = (),
    skip: Path | None = None,
) -> list[Submission]:
    """Find every submission in a folder, a zip or a single notebook.

    A notebook in a folder is handed in by whom the first folder is named after, however deep it
    lies: `STUDENT/NAME.ipynb` and nbgrader's `submitted/STUDENT/ASSIGNMENT/NAME.ipynb` are both
    understood. One that lies in no folder is named after its student, or after student and
    assignment: `anna.ipynb`, `02_convolution_anna.ipynb`.

    Args:
        path: of the folder, zip or notebook.
        assignments: all that there are, by name.
        only: leave out what answers another assignment than these; all by default.
        skip: a folder that holds no submissions, though it may lie among them: the results'.

    Returns:
        A submission for each notebook, sorted by student and assignment; also for a student's
        folder without one, and for whatever is no file.

    Raises:
        OSError: if there is nothing at `path`.
        ValueError: if there is nothing to grade in it.
    """
    path = Path(path)
    if not path.exists() and not path.is_symlink():
        raise FileNotFoundError(f"{path} is not there; accepted: a folder, a zip or a notebook")
    wanted = [*(only or assignments)]
    default = wanted[0] if len(wanted) == 1 else ""  # no doubt what a nameless one was meant for
    found = _submissions(path, assignments, default, skip)
    found = [s for s in found if s.assignment in wanted or not s.assignment]
    if not found:
        kind = f" for {', '.join(sorted(only))}" if only else ""
        raise ValueError(f"there is no notebook{kind} in {path}; accepted: a folder of them")
    return sorted(found, key=lambda s: (s.student, s.assignment, str(s.path)))


def _submissions(
    path: Path, assignments: Mapping[str, "Outline"], default: str, skip: Path | None
) -> list[Submission]:
    path = path.resolve()  # what the user names may be a link; what lies in it may not
    if path.is_dir():
        base, entries = path.name, [*list_folder(path)]
        if skip:
            skip = skip.resolve()
            entries = [e for e in entries if not Path(path, *e.parts).is_relative_to(skip)]
    elif path.suffix.lower() == ".zip":
        base = path.stem
        try:
            entries = [*list_zip(path)]
        except UnreadableError as error:
            return [Submission(_name(base), default, Path(path.name), problem=f"the zip {error}")]
    else:
        student = _student(path.name, path.parent.name, assignments)
        entry = Entry((path.name,), lambda: read_file(path))
        return [_read(entry, student, Path(path.name), assignments, default)]
    wrapper, entries = _unwrap(entries, base, assignments)
    return [
        _read(entry, student, Path(*map(_name, (*wrapper, *entry.parts))), assignments, default)
        for student, items in _by_student(entries, base, assignments).items()
        for entry in _notebooks(items)
    ]


def _unwrap(
    entries: list[Entry], base: str, assignments: Mapping[str, "Outline"]
) -> tuple[tuple[str, ...], list[Entry]]:
    """Take off a folder around all students, such as nbgrader's `submitted` or a zip's own name."""
    tops = {entry.parts[0] for entry in entries if len(entry.parts) > 1}
    loose = any(_is_notebook(entry) and len(entry.parts) == 1 for entry in entries)
    if loose or not tops:
        return (), entries
    wrapper = "submitted" if "submitted" in tops and tops <= {"submitted", *_NBGRADER} else ""
    if len(tops) == 1 and not wrapper:
        (top,) = tops
        second = {entry.parts[1] for entry in entries if len(entry.parts) > 1}
        several = len(second) > 1 and not any(_named(name, assignments) for name in second)
        wrapper = top if several or top == base else ""
    if not wrapper:
        return (), entries
    inside = [e for e in entries if e.parts[0] == wrapper and len(e.parts) > 1]
    return (wrapper,), [replace(e, parts=e.parts[1:]) for e in inside]


def _by_student(
    entries: Iterable[Entry], base: str, assignments: Mapping[str, "Outline"]
) -> dict[str, list[Entry]]:
    students: dict[str, list[Entry]] = {}
    for entry in entries:
        first = entry.parts[0]
        if len(entry.parts) > 1 or entry.folder:
            students.setdefault(_name(first), []).append(entry)
        elif _is_notebook(entry) or entry.problem:
            students.setdefault(_student(first, base, assignments), []).append(entry)
        elif Path(first).suffix.lower() == ".zip":
            problem = "is a zip inside of what is graded; unpack it, or grade it by itself"
            bad = replace(entry, problem=problem)
            students.setdefault(_student(first, base, assignments), []).append(bad)
    return students


def _is_notebook(entry: Entry) -> bool:
    return entry.parts[-1].lower().endswith(".ipynb") and not entry.folder


def _notebooks(entries: list[Entry]) -> list[Entry]:
    """Return what of a student's files is a submission; at least one thing."""
    loose = [entry for entry in entries if len(entry.parts) == 1 and not entry.folder]
    own = [entry for entry in entries if len(entry.parts) > 1 or entry.folder]
    found = [entry for entry in own if _is_notebook(entry) or (entry.folder and entry.problem)]
    if len(found) > MAX_NOTEBOOKS:
        problem = f"holds {len(found):,} notebooks; accepted: at most {MAX_NOTEBOOKS}"
        found = [Entry(own[0].parts[:1], problem=problem, folder=True)]
    if own and not found:
        reasons = [f"{visible(e.parts[-1])!r} {e.problem}" for e in own if e.problem]
        problem = "; ".join(["holds no notebook", *reasons[:1]])
        found = [Entry(own[0].parts[:1], problem=problem, folder=True)]
    return found + loose


def _read(
    entry: Entry, student: str, shown: Path, assignments: Mapping[str, "Outline"], default: str
) -> Submission:
    """Make the submission of one notebook; `default` is what it answers if nothing tells."""
    cells, problem = Cells(), entry.problem
    try:
        if not problem:
            cells = read_cells(entry.read())
    except UnreadableError as error:
        problem = str(error)
    if problem:
        problem = f"the {'folder' if entry.folder else 'notebook'} {problem}"
    name = _assignment(entry.parts, cells, assignments) or default
    if not name:
        problem = problem or _unknown(assignments)
        return Submission(student, "", shown, digest=cells.digest, problem=problem)
    outline = assignments[name]
    questions = {question for question, _ in outline.questions}
    prose = {**cells.code, **cells.prose}
    return Submission(
        student,
        name,
        shown,
        {key: source for key, source in cells.code.items() if key in questions},
        {key: text for key, text in prose.items() if key in outline.manual and _answered(text)},
        cells.digest,
        problem,
    )


def _unknown(assignments: Mapping[str, "Outline"]) -> str:
    names = ", ".join(sorted(assignments))
    return f"the notebook answers no assignment, by its name or by its cells; known: {names}"


def _answered(text: str) -> bool:
    return text.strip() not in ("", STUB)


def _assignment(parts: tuple[str, ...], cells: Cells, assignments: Mapping[str, "Outline"]) -> str:
    """Return what a notebook answers: by its name, by its folders', or by its cells if they differ.

    The cells decide against a name only if they share nothing with the assignment so named.
    """
    stem, folders = parts[-1].rpartition(".")[0] or parts[-1], parts[:-1]
    named = (_named(text, assignments) for text in (stem, *reversed(folders)))
    name = next(filter(None, named), "")
    shared = {
        a: len({*(q for q, _ in outline.questions), *outline.manual} & {*cells.code, *cells.prose})
        for a, outline in assignments.items()
    }
    best = max(shared, key=lambda a: shared[a], default="")
    return best if best and shared[best] and not shared.get(name) else name


def _named(text: str, assignments: Iterable[str]) -> str:
    """Return the assignment that a name contains, the longest if there are several."""
    fitting = [name for name in assignments if _pattern(name).search(text)]
    return max(fitting, key=len, default="")


def _pattern(name: str) -> re.Pattern:
    """Match an assignment's name between other words, however the words are set apart."""
    words = r"[\W_]+".join(map(re.escape, re.findall(r"[^\W_]+", name)))
    return re.compile(rf"(?<![^\W_]){words}(?![^\W_])", re.IGNORECASE)


def _student(file: str, base: str, assignments: Mapping[str, "Outline"]) -> str:
    """Return whose a notebook in no folder is."""
    stem = file.rpartition(".")[0] or file
    name = _named(stem, assignments)
    rest = _pattern(name).sub("", stem, count=1).strip(" _-.") if name else stem
    return _name(rest or base)


def _name(text: str) -> str:
    """Return a name in which everything can be seen, and which no other name gives."""
    return visible(text.replace("\\", "\\\\"))
