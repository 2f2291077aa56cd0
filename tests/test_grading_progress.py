"""Progress: the best is kept, nothing is ever lost, and nothing ever stops a check."""

import json

import pytest
from cnncourse.grading import build, progress
from cnncourse.grading.judge import Verdict
from grading_notebooks import toy, write


@pytest.fixture
def file(tmp_path, monkeypatch):
    path = tmp_path / "some" / "where" / "progress.json"
    monkeypatch.setenv("CNNCOURSE_PROGRESS", str(path))
    monkeypatch.setattr(progress, "course_root", lambda: tmp_path)
    return path


def record(points, max_points=4, exercise="conv2d", notebook="02_convolution"):
    return progress.record(notebook, Verdict(exercise, "wrong", points, max_points))


def saved():
    return progress.read()[0]["02_convolution"]["conv2d"]


def test_the_best_is_kept(file):
    assert progress.read() == ({}, "")
    for points, best in ((1, 1), (3, 3), (2, 3), (4, 4), (0, 4)):
        assert record(points) == ""
        assert saved() == {"points": best, "max_points": 4}
    assert [path.name for path in file.parent.iterdir()] == ["progress.json"]


def test_points_follow_when_the_exercise_changes(file):
    record(4)
    record(1, max_points=2)
    assert saved() == {"points": 2, "max_points": 2}


def test_a_zero_counts_as_tried(file):
    record(0)
    assert saved() == {"points": 0, "max_points": 4}


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "null", '{"version": 9}', '{"version": 1, "notebooks": {"a": 1}}',
     '{"version": 1, "notebooks": {"a": {"b": {"points": "x", "max_points": 1}}}}', "\x00\xff"],
)  # fmt: skip
def test_a_damaged_file_is_set_aside(file, text):
    file.parent.mkdir(parents=True)
    file.write_bytes(text.encode("latin-1"))
    assert "kept as progress.json.damaged," in record(3)
    assert file.with_name("progress.json.damaged").read_bytes() == text.encode("latin-1")
    assert saved()["points"] == 3
    file.write_text("again")
    assert "progress.json.damaged2" in record(2)
    assert saved()["points"] == 2


def test_where_nothing_can_be_written_a_sentence_says_so(file):
    file.parent.parent.write_text("a file where the folder should be")
    assert "could not be kept" in record(3) or "cannot be read" in record(3)


def test_a_folder_in_its_place(file):
    file.mkdir(parents=True)
    assert "cannot be read" in record(3)
    assert "cannot be read" in progress.summary()


def test_the_default_place_is_the_users_data_folder(monkeypatch, tmp_path):
    monkeypatch.delenv("CNNCOURSE_PROGRESS", raising=False)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))
    assert progress.path().is_relative_to(tmp_path)
    assert progress.path().name == "progress.json"


def test_summary(file, tmp_path):
    assert progress.summary().split() == ["In", "all", "0", "of", "0"]
    write(toy(), tmp_path / "solutions" / "toy.ipynb")
    build.build(tmp_path / "solutions", tmp_path / "exercises")
    record(2, 2, "correlate", "toy")
    record(1, 4)
    rows = [line.split() for line in progress.summary().split("\n")]
    assert rows == [
        ["02_convolution", "1", "of", "4"],
        ["conv2d", "1", "of", "4"],
        ["toy", "2", "of", "4"],
        ["correlate", "2", "of", "2", "done"],
        ["out_size", "0", "of", "2"],
        ["In", "all", "3", "of", "8"],
    ]
    file.write_text(json.dumps({"version": 0}))
    assert "damaged" in progress.summary()
