"""The learner's progress: best points per exercise, in one file on this computer."""

import json
import os
from pathlib import Path
from typing import Any

import platformdirs
from cnncourse.grading.build import write_atomically
from cnncourse.grading.judge import Verdict
from cnncourse.grading.key import read_key
from cnncourse.paths import course_root

VERSION = 1


def path() -> Path:
    """Return where progress is kept: `CNNCOURSE_PROGRESS`, or a file in the user's data folder."""
    named = os.environ.get("CNNCOURSE_PROGRESS")
    if named:
        return Path(named)
    return Path(platformdirs.user_data_dir("cnncourse", appauthor=False)) / "progress.json"


def read() -> tuple[dict[str, dict[str, dict[str, float]]], str]:
    """Read the progress so far.

    Returns:
        Notebook → exercise → `{"points": …, "max_points": …}`, and a sentence if something was
        wrong: a damaged file is set aside, never lost, and progress begins anew.
    """
    file = path()
    try:
        data = json.loads(file.read_text(encoding="utf-8"))
        return _validated(data), ""
    except FileNotFoundError:
        return {}, ""
    except OSError as error:
        return {}, f"Your progress cannot be read: {error.strerror}: {file}."
    except (ValueError, KeyError, TypeError, AttributeError):
        return {}, _set_aside(file)


def _validated(data: Any) -> dict[str, dict[str, dict[str, float]]]:
    if data["version"] != VERSION:
        raise ValueError("another version")
    return {
        str(notebook): {
            str(name): {"points": float(row["points"]), "max_points": float(row["max_points"])}
            for name, row in rows.items()
        }
        for notebook, rows in data["notebooks"].items()
    }


def _set_aside(file: Path) -> str:
    aside = file.with_name(file.name + ".damaged")
    number = 1
    while aside.exists():
        number += 1
        aside = file.with_name(f"{file.name}.damaged{number}")
    try:
        file.rename(aside)
    except OSError as error:
        return f"Your progress file is damaged and cannot be moved: {error.strerror}: {file}."
    return f"Your progress file was damaged; it is kept as {aside.name}, and progress begins anew."


def record(notebook: str, verdict: Verdict) -> str:
    """Keep the points of a check if they are the best so far.

    Returns:
        A sentence if something was wrong; a check never fails because of its progress.
    """
    notebooks, problem = read()
    if problem and os.path.exists(path()):
        return problem  # it could be neither read nor set aside: leave it alone
    row = notebooks.setdefault(notebook, {}).setdefault(verdict.exercise, {"points": -1})
    if verdict.points <= row["points"] and verdict.max_points == row["max_points"]:
        return problem
    best = min(max(verdict.points, row["points"]), verdict.max_points)
    row.update(points=best, max_points=verdict.max_points)
    data = {"version": VERSION, "notebooks": notebooks}
    try:
        write_atomically(path(), json.dumps(data, indent=1, sort_keys=True) + "\n")
    except OSError as error:
        return f"Your progress could not be kept: {error.strerror}: {path()}."
    return problem


def summary() -> str:
    """Return the progress as a table: best points per exercise, per notebook, in all."""
    notebooks, problem = read()
    offered = _offered()
    lines = [problem] if problem else []
    earned_in_all = possible_in_all = 0.0
    for notebook in sorted({*offered, *notebooks}):
        rows = {**offered.get(notebook, {}), **notebooks.get(notebook, {})}
        possible = {
            name: offered.get(notebook, {}).get(name, row)["max_points"]
            for name, row in rows.items()
        }
        earned = {name: min(row["points"], possible[name]) for name, row in rows.items()}
        lines.append(_row(notebook, sum(earned.values()), sum(possible.values())))
        lines += [_row(f"  {name}", earned[name], possible[name]) for name in rows]
        earned_in_all += sum(earned.values())
        possible_in_all += sum(possible.values())
    lines.append(_row("In all", earned_in_all, possible_in_all))
    return "\n".join(lines)


def _row(name: str, points: float, max_points: float) -> str:
    mark = "done" if points >= max_points > 0 else ""
    return f"{name:<32}{points:>5g} of {max_points:>3g}  {mark}".rstrip()


def _offered() -> dict[str, dict[str, dict[str, float]]]:
    """Return every exercise that the course offers, with no points earned."""
    try:
        keys = sorted((course_root() / "exercises" / "keys").glob("*.json"))
    except FileNotFoundError:
        return {}
    offered = {}
    for file in keys:
        try:
            exercises = read_key(file)
        except (OSError, ValueError):
            continue
        offered[file.stem] = {
            name: {"points": 0.0, "max_points": float(sum(probe.points for probe in key.probes))}
            for name, key in exercises.items()
        }
    return offered
