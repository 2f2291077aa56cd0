"""Turn a solutions notebook into the release that learners get.

The result is what `nbgrader generate_assignment` makes of the same notebook without the cells that
are left out, byte for byte, without nbgrader and in a fraction of its time.
"""

import copy
import hashlib
import re

import nbformat
from cnncourse.grading.cells import AuthorError, is_left_out

CODE_STUB = ("# YOUR CODE HERE", "raise NotImplementedError()")
TEXT_STUB = ("YOUR ANSWER HERE",)


def release(notebook: nbformat.NotebookNode, name: str = "notebook") -> str:
    """Return the text of the release notebook.

    Args:
        notebook: the solutions notebook; it is not changed.
        name: for messages.

    Raises:
        AuthorError: if solution, hidden tests or mark scheme are where nbgrader refuses them.
    """
    notebook = copy.deepcopy(notebook)
    notebook.metadata.pop("celltoolbar", None)
    notebook.cells = [cell for cell in notebook.cells if not is_left_out(cell)]
    for number, cell in enumerate(notebook.cells, 1):
        _release_cell(cell, f"{name}, cell {number} of the release")
    text = nbformat.writes(notebook, version=4)
    return text if text.endswith("\n") else text + "\n"


def _release_cell(cell: nbformat.NotebookNode, where: str) -> None:
    meta = cell.metadata.get("nbgrader", {})
    _lock(cell, meta)
    _clear_solution(cell, meta, where)
    if cell.cell_type == "code":
        cell.outputs, cell.execution_count = [], None
        for volatile in ("collapsed", "scrolled"):
            cell.metadata.pop(volatile, None)
    _clear_region(cell, "HIDDEN TESTS", meta.get("grade"), "a check cell", where)
    _clear_region(cell, "MARK SCHEME", meta.get("task"), "the solution's delimiters", where)
    if meta.get("grade") or meta.get("solution") or meta.get("locked"):
        meta["checksum"] = checksum(cell)
        meta["cell_type"] = cell.cell_type


def _lock(cell: nbformat.NotebookNode, meta: dict) -> None:
    """Mark nbgrader's cells as not deletable, those that are not the learner's as read-only."""
    if meta.get("solution"):
        cell.metadata["deletable"] = False
    elif meta.get("grade") or meta.get("locked"):
        cell.metadata["deletable"] = False
        cell.metadata["editable"] = False


def _clear_solution(cell: nbformat.NotebookNode, meta: dict, where: str) -> None:
    """Put a stub in the place of each solution region, or of the whole solution cell."""
    stub = CODE_STUB if cell.cell_type == "code" else TEXT_STUB
    lines, within, found = [], False, False
    for line in cell.source.split("\n"):
        if "BEGIN SOLUTION" in line:
            if within:
                raise AuthorError(f"{where}: BEGIN SOLUTION inside a solution")
            within = found = True
            indent = re.match(r"\s*", line).group(0)
            lines += [indent + text for text in stub]
        elif "END SOLUTION" in line:
            within = False
        elif not within:
            lines.append(line)
    if within:
        raise AuthorError(f"{where}: BEGIN SOLUTION without END SOLUTION")
    if found and not meta.get("solution"):
        raise AuthorError(f"{where}: a solution in a cell whose metadata does not say so")
    cell.source = "\n".join(lines)
    if meta.get("solution") and not found:
        cell.source = "\n".join(stub)


def _clear_region(
    cell: nbformat.NotebookNode, region: str, allowed: bool | None, place: str, where: str
) -> None:
    """Remove one kind of region; nbgrader accepts it in one kind of cell only."""
    lines, within, found = [], False, False
    for line in cell.source.split("\n"):
        if f"BEGIN {region}" in line:
            if within:
                raise AuthorError(f"{where}: BEGIN {region} twice")
            within = found = True
        elif f"END {region}" in line:
            within = False
        elif not within:
            lines.append(line)
    if within:
        raise AuthorError(f"{where}: BEGIN {region} without END {region}")
    if found and not allowed:
        raise AuthorError(f"{where}: BEGIN {region} is outside {place}; move it inside")
    cell.source = "\n".join(lines)


def checksum(cell: nbformat.NotebookNode) -> str:
    """Return nbgrader's checksum of a cell, by which it sees whether a learner changed it."""
    meta = cell.metadata["nbgrader"]
    grade, solution = meta.get("grade", False), meta.get("solution", False)
    locked = not solution and (True if grade else meta.get("locked", False))
    parts = [cell.source, cell.cell_type, str(grade), str(solution), str(locked), meta["grade_id"]]
    if grade:
        parts.append(str(float(meta["points"])))
    return hashlib.md5("".join(parts).encode(), usedforsecurity=False).hexdigest()
