"""The course's own exercises: built from their source, complete, and as nbgrader makes them."""

from pathlib import Path

import nbformat
from cnncourse.grading import build
from cnncourse.grading.cells import read_source
from test_grading_release import nbgrader_release

ROOT = Path(__file__).resolve().parent.parent
SOURCES = {path.stem: path for path in sorted((ROOT / "solutions").glob("*.ipynb"))}


def test_every_chapter_has_exercises():
    assert SOURCES
    assert SOURCES.keys() <= {path.stem for path in (ROOT / "chapters").glob("*.ipynb")}


def test_exercises_are_what_their_sources_give():
    assert build.check() == []


def test_exercises_are_nbgraders_byte_for_byte(tmp_path):
    notebooks = {name: nbformat.read(path, as_version=4) for name, path in SOURCES.items()}
    for name, theirs in nbgrader_release(tmp_path, notebooks).items():
        assert (ROOT / "exercises" / f"{name}.ipynb").read_bytes() == theirs, name


def test_every_exercise_has_two_mistakes_and_every_notebook_ten_points():
    for path in SOURCES.values():
        source = read_source(path)
        for exercise in source.exercises.values():
            assert len(exercise.mistakes) >= 2, f"{exercise.where}: one mistake only"
        points = sum(e.points for e in source.exercises.values())
        assert points >= 10, f"{path.name}: {points:g} points"
