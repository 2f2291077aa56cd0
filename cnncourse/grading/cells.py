"""Read a solutions notebook, the one source of its exercises, and tell its author what is wrong."""

import ast
import re
from dataclasses import dataclass, field
from pathlib import Path

from cnncourse.imports import without

with without("rfc3987_syntax"):  # a second, for addresses that no notebook's format has
    import nbformat

CHECK_PREFIX = "check_"
MISTAKE_TAG = "mistake"
MODEL_ANSWER_TAG = "model-answer"


class AuthorError(ValueError):
    """Something in a solutions notebook that its author must mend; the message says where."""


@dataclass(frozen=True)
class Mistake:
    """A wrong implementation and the hint for whoever makes that mistake."""

    hint: str
    source: str
    where: str


@dataclass(frozen=True)
class Exercise:
    """One coding exercise.

    Attributes:
        name: what the learner defines; the solution cell's `grade_id`.
        points: of the check cell.
        solution: the reference's source, without its delimiters.
        block: the hidden block: calls of `probe` and `hints`.
        mistakes: in the notebook's order.
        where: the check cell, for messages.
    """

    name: str
    points: float
    solution: str
    block: str
    mistakes: tuple[Mistake, ...]
    where: str


@dataclass
class Source:
    """A solutions notebook, read and found well-formed.

    Attributes:
        name: its file's stem, such as `"02_convolution"`.
        notebook: all its cells.
        code: (where, source) of the cells that define things: all but checks and what is left out.
        exercises: by name, in the notebook's order.
        manual: points of the cells that people mark, by `grade_id`.
    """

    name: str
    notebook: nbformat.NotebookNode
    code: list[tuple[str, str]] = field(default_factory=list)
    exercises: dict[str, Exercise] = field(default_factory=dict)
    manual: dict[str, float] = field(default_factory=dict)


def is_mistake(cell: nbformat.NotebookNode) -> bool:
    """Tell whether a cell is a mistake."""
    return MISTAKE_TAG in cell.metadata.get("tags", [])


def is_left_out(cell: nbformat.NotebookNode) -> bool:
    """Tell whether the release leaves a cell out: a mistake, or part of a prose's model answer."""
    return is_mistake(cell) or MODEL_ANSWER_TAG in cell.metadata.get("tags", [])


def read_source(path: Path) -> Source:
    """Read a solutions notebook.

    Raises:
        AuthorError: if it breaks a rule of the format; the message names cell and remedy.
        FileNotFoundError: if there is no such file.
    """
    path = Path(path)
    try:
        notebook = nbformat.reads(path.read_text(encoding="utf-8"), as_version=4)
    except (ValueError, AttributeError, KeyError, TypeError) as error:
        raise AuthorError(f"{path.name} is no notebook: {error}") from None
    source = Source(path.stem, notebook)
    solutions, checks, mistakes = {}, {}, {}
    for number, cell in enumerate(notebook.cells, 1):
        where = f"{path.name}, cell {number}"
        meta = cell.metadata.get("nbgrader", {})
        if cell.cell_type == "markdown" and meta.get("grade"):
            source.manual[meta["grade_id"]] = _points(meta, where)
        if cell.cell_type != "code":
            continue
        if is_mistake(cell) or cell.source.lstrip().startswith("%%mistake"):
            exercise, mistake = _mistake(cell, where)
            mistakes.setdefault(exercise, []).append(mistake)
        elif is_left_out(cell):
            continue
        elif meta.get("grade"):
            _add(checks, *_check(cell, meta, where))
        else:
            source.code.append((where, cell.source))
            if meta.get("solution"):
                _add(solutions, meta.get("grade_id", ""), where, cell.source)
    _join(source, solutions, checks, mistakes)
    return source


def _add(cells: dict[str, tuple], name: str, where: str, *rest: object) -> None:
    if name in cells:
        raise AuthorError(f"{where}: {name!r} is already in {cells[name][0]}; use each name once")
    cells[name] = (where, *rest)


def _points(meta: dict, where: str) -> float:
    points = meta.get("points")
    if isinstance(points, bool) or not isinstance(points, int | float) or points < 0:
        raise AuthorError(f"{where}: points is {points!r}; accepted: a number from 0")
    return points


def _check(cell: nbformat.NotebookNode, meta: dict, where: str) -> tuple:
    """Return name, place, points and hidden block of a check cell."""
    visible, block = _split(cell.source, "BEGIN HIDDEN TESTS", "END HIDDEN TESTS", where)
    call = re.fullmatch(r"""check\(["'](\w+)["']\)""", visible.strip())
    if not call:
        raise AuthorError(f'{where}: the visible part is {visible!r}; accepted: check("name")')
    name = call[1]
    if meta.get("grade_id") != CHECK_PREFIX + name:
        raise AuthorError(
            f"{where}: grade_id is {meta.get('grade_id')!r}; accepted: {CHECK_PREFIX + name!r}"
        )
    return name, where, _points(meta, where), block


def _split(source: str, begin: str, end: str, where: str) -> tuple[str, str]:
    """Split a source at its regions' delimiters into what is outside and what is inside."""
    outside, inside, within, seen = [], [], False, False
    for line in source.split("\n"):
        if begin in line or end in line:
            if (begin in line) == within:
                raise AuthorError(f"{where}: {line.strip()!r} has no partner")
            within, seen = begin in line, True
        else:
            (inside if within else outside).append(line)
    if within or not seen:
        raise AuthorError(f"{where}: there is no {end if within else begin!r}")
    return "\n".join(outside), "\n".join(inside)


def _mistake(cell: nbformat.NotebookNode, where: str) -> tuple[str, Mistake]:
    """Return the exercise's name and the mistake of a mistake cell."""
    first, _, body = cell.source.lstrip().partition("\n")
    magic = re.fullmatch(r"%%mistake\s+(\w+)\s*", first)
    if not magic:
        raise AuthorError(f"{where}: begins with {first!r}; accepted: %%mistake name")
    if not is_mistake(cell):
        raise AuthorError(f"{where}: a %%mistake cell needs the tag {MISTAKE_TAG!r}")
    return magic[1], parse_mistake(body, where)


def parse_mistake(body: str, where: str) -> Mistake:
    """Take a mistake cell's body apart.

    Args:
        body: begins with `# hint: …`, in as many comment lines as it takes; then the wrong code.
        where: for messages.

    Raises:
        AuthorError: if hint or code is missing, or the code is no Python.
    """
    lines = body.strip("\n").split("\n")
    count = next((i for i, line in enumerate(lines) if not line.startswith("#")), len(lines))
    text = " ".join(line.lstrip("#").strip() for line in lines[:count])
    source = "\n".join(lines[count:])
    if not text.startswith("hint:") or not text.removeprefix("hint:").strip():
        raise AuthorError(f"{where}: a mistake begins with a comment '# hint: …'")
    try:
        empty = not ast.parse(source).body
    except SyntaxError as error:
        raise AuthorError(f"{where}: the mistake is no Python: {error}") from None
    if empty:
        raise AuthorError(f"{where}: there is a hint, but no wrong code below it")
    return Mistake(text.removeprefix("hint:").strip(), source, where)


def _join(source: Source, solutions: dict, checks: dict, mistakes: dict) -> None:
    """Put solution, check and mistakes of each exercise together."""
    for name in mistakes.keys() - checks.keys() - solutions.keys():
        raise AuthorError(f"{mistakes[name][0].where}: there is no exercise {name!r}")
    for name, (where, text) in solutions.items():
        if name not in checks:
            raise AuthorError(f'{where}: no check("{name}") follows the solution of {name!r}')
        before, _ = _split(text, "BEGIN SOLUTION", "END SOLUTION", where)
        if name not in before:
            raise AuthorError(f"{where}: nothing outside the solution's delimiters defines {name}")
    for name, (where, points, block) in checks.items():
        if name not in solutions:
            raise AuthorError(f"{where}: there is no solution cell with grade_id {name!r}")
        if name not in mistakes:
            raise AuthorError(f"{where}: {name!r} has no %%mistake cell; write at least one")
        text = "\n".join(line for line in solutions[name][1].split("\n") if not _is_delimiter(line))
        wrong = tuple(mistakes[name])
        source.exercises[name] = Exercise(name, points, text, block, wrong, where)


def _is_delimiter(line: str) -> bool:
    return "### BEGIN SOLUTION" in line or "### END SOLUTION" in line
