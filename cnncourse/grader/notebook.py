"""Read the learner's cells of a notebook that a stranger wrote: every field may be anything."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from cnncourse.grader.files import UnreadableError
from cnncourse.grader.text import encodable

MAX_ITEMS = 3_000_000  # of JSON: what the parser makes of them takes memory
MAX_TEXT = 1_000_000  # characters of one learner's code, or prose


@dataclass(frozen=True)
class Cells:
    """The cells of a notebook that carry a `grade_id`.

    Attributes:
        code: {grade_id: source} of code cells; several with one id are joined in their order.
        prose: {grade_id: source} of the other cells.
        digest: SHA-256 of the file.
    """

    code: dict[str, str] = field(default_factory=dict)
    prose: dict[str, str] = field(default_factory=dict)
    digest: str = ""


def read_cells(content: bytes) -> Cells:
    """Read the marked cells of a notebook; its outputs and everything else are not looked at.

    Args:
        content: of the file.

    Raises:
        UnreadableError: if that is no notebook; the message says why.
    """
    code: dict[str, list[str]] = {}
    prose: dict[str, list[str]] = {}
    for kind, grade_id, source in _marked(_parse(content)):
        (code if kind == "code" else prose).setdefault(grade_id, []).append(source)
    # One newline: a cell that the learner split in two is whole again.
    joined = [{name: "\n".join(parts) for name, parts in cells.items()} for cells in (code, prose)]
    return Cells(*joined, hashlib.sha256(content).hexdigest())


def _parse(content: bytes) -> list[Any]:
    """Return the list of cells."""
    if not content.strip():
        raise UnreadableError("is empty")
    if sum(map(content.count, (b",", b"[", b"{"))) > MAX_ITEMS:
        raise UnreadableError(f"has more than {MAX_ITEMS:,} items; clear its outputs")
    try:
        data = json.loads(content.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise UnreadableError(f"is not in UTF-8 (at byte {error.start})") from None
    except RecursionError:
        raise UnreadableError("is no notebook: its JSON is nested too deeply") from None
    except ValueError as error:
        raise UnreadableError(f"is no notebook: {str(error)[:200]}") from None
    if not isinstance(data, dict):
        raise UnreadableError("is no notebook: its JSON is no object")
    if "worksheets" in data:
        raise UnreadableError("is a notebook of an old format; save it with a Jupyter of today")
    if not isinstance(data.get("cells"), list):
        raise UnreadableError("is no notebook: it has no list of cells")
    return data["cells"]


def _marked(cells: list[Any]) -> Iterator[tuple[str, str, str]]:
    """Yield cell type, grade_id and source of each cell that has a `grade_id`."""
    left = {"code": MAX_TEXT, "prose": MAX_TEXT}
    for number, cell in enumerate(cells, 1):
        if not isinstance(cell, dict):
            raise UnreadableError(f"is damaged: cell {number} is no cell")
        grade_id = _grade_id(cell.get("metadata"))
        if grade_id is None:
            continue
        source = cell.get("source")
        lines = source if isinstance(source, list) else [source]
        if not all(isinstance(line, str) for line in lines):
            raise UnreadableError(f"is damaged: the source of cell {number} is no text")
        kind = "code" if cell.get("cell_type") == "code" else "prose"
        text = "".join(lines)
        left[kind] -= len(text)
        if left[kind] < 0:
            raise UnreadableError(f"has answers of more than {MAX_TEXT:,} characters")
        yield kind, encodable(grade_id), encodable(text)


def _grade_id(metadata: Any) -> str | None:
    mark = metadata.get("nbgrader") if isinstance(metadata, dict) else None
    grade_id = mark.get("grade_id") if isinstance(mark, dict) else None
    return grade_id if isinstance(grade_id, str) else None
