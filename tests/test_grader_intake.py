"""Finding and reading submissions: every layout, and everything that can be wrong with a file."""

import io
import json
import os
import socket
import string
import struct
import time
import zipfile
from pathlib import Path

import pytest
from cnncourse.grader import files, intake
from cnncourse.grader.files import UnreadableError, list_zip, read_file
from cnncourse.grader.notebook import read_cells
from cnncourse.grader.text import file_names, spreadsheet_cell, visible
from grader_cases import ANNA, CONV, OUTLINES, POOL, POOLED, cell, notebook
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

BLANK = notebook()


def lay(root, tree):
    """Write files below a folder."""
    for name, content in tree.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return root


def zipped(path, tree, **options):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, **options) as archive:
        for name, content in tree.items():
            archive.writestr(name, content)
    return path


def rows(path, **options):
    return [(s.student, s.assignment, s.problem) for s in intake.find(path, OUTLINES, **options)]


def only_row(path, **options):
    (submission,) = intake.find(path, OUTLINES, **options)
    return submission


LAYOUTS = {
    "a notebook each": {"anna.ipynb": ANNA, "ben.ipynb": POOLED},
    "named after student and assignment": {
        "02_convolution_anna.ipynb": ANNA,
        "ben 03-pooling.ipynb": POOLED,
    },
    "a folder each": {"anna/02_convolution.ipynb": ANNA, "ben/03_pooling.ipynb": POOLED},
    "a folder each, other file names": {"anna/hw.ipynb": ANNA, "ben/final (2).ipynb": POOLED},
    "nbgrader's folder": {
        "anna/02_convolution/02_convolution.ipynb": ANNA,
        "ben/03_pooling/problem1.ipynb": POOLED,
    },
    "nbgrader's course": {
        "submitted/anna/02_convolution/02_convolution.ipynb": ANNA,
        "submitted/ben/03_pooling/problem1.ipynb": POOLED,
        "source/02_convolution/02_convolution.ipynb": ANNA,
        "nbgrader_config.py": b"",
    },
    "other files, too": {
        "anna/02_convolution.ipynb": ANNA,
        "anna/.ipynb_checkpoints/02_convolution-checkpoint.ipynb": ANNA,
        "anna/data/x.csv": b"1",
        "ben/03_pooling.ipynb": POOLED,
        "__MACOSX/ben/._03_pooling.ipynb": b"?",
        "roster.csv": b"anna",
    },
    "with Windows' separators": {"anna\\02_convolution.ipynb": ANNA, "ben\\hw.ipynb": POOLED},
    "a wrong name is overruled by the cells": {
        "anna/03_pooling.ipynb": ANNA,
        "ben/02_convolution.ipynb": POOLED,
    },
}


@pytest.mark.parametrize("tree", LAYOUTS.values(), ids=LAYOUTS)
@pytest.mark.parametrize("packed", [False, True], ids=["folder", "zip"])
def test_layouts(tmp_path, tree, packed):
    if not packed:
        tree = {name.replace("\\", "/"): content for name, content in tree.items()}
    path = zipped(tmp_path / "a.zip", tree) if packed else lay(tmp_path / "class", tree)
    assert rows(path) == [("anna", CONV, ""), ("ben", POOL, "")]
    assert intake.find(path, OUTLINES)[0].cells == {
        "conv2d": "def conv2d(x):\n    return 2 * x",
        "out_size": "def out_size(n):\n    return n",
    }


@pytest.mark.parametrize("top", ["class", "a"])
def test_a_folder_around_all_is_taken_off_a_zip(tmp_path, top):
    tree = {f"{top}/anna.ipynb": ANNA, f"{top}/ben.ipynb": POOLED}
    found = intake.find(zipped(tmp_path / "a.zip", tree), OUTLINES)
    assert [s.student for s in found] == ["anna", "ben"]
    assert found[0].path == Path(top, "anna.ipynb")


def test_one_student_with_several_notebooks(tmp_path):
    tree = {"02_convolution.ipynb": ANNA, "03_pooling.ipynb": POOLED}
    expected = [("anna", CONV, ""), ("anna", POOL, "")]
    assert rows(lay(tmp_path / "anna", tree)) == expected
    assert rows(zipped(tmp_path / "anna.zip", tree)) == expected
    assert rows(tmp_path / "anna" / "03_pooling.ipynb") == expected[1:]
    assert rows(tmp_path / "anna", only=[POOL]) == expected[1:]
    assert rows(zipped(tmp_path / "x.zip", {f"anna/{k}": v for k, v in tree.items()})) == expected


def test_which_assignment_when_nothing_tells(tmp_path):
    lay(tmp_path, {"anna.ipynb": BLANK})
    (row,) = rows(tmp_path)
    assert row[:2] == ("anna", "")
    assert "answers no assignment" in row[2]
    assert "02_convolution, 03_pooling" in row[2]
    assert rows(tmp_path, only=[POOL]) == [("anna", POOL, "")]


def test_cells_are_matched_by_grade_id_alone(tmp_path):
    first, second = "def conv2d(x):", "    return x"
    cells = [
        cell("out_size", "b = 2", solution=False, grade=True, locked=True),
        cell("check_conv2d", "raise SystemExit", grade=True),
        {"cell_type": "code", "metadata": {}, "source": "my_own = 1"},
        cell("conv2d", first),
        cell("q4_sharing", " YOUR ANSWER HERE\n", kind="markdown"),
        cell("conv2d", second),
        cell("pool2d", "of another assignment"),
    ]
    lay(tmp_path, {"anna/02_convolution.ipynb": notebook(*cells)})
    submission = only_row(tmp_path)
    assert submission.cells == {"out_size": "b = 2", "conv2d": f"{first}\n{second}"}
    assert submission.answers == {}
    assert len(submission.digest) == 64


def test_the_answer_may_stand_in_a_code_cell(tmp_path):
    text = "Because."
    lay(tmp_path, {"02_convolution.ipynb": notebook(cell("q4_sharing", text))})
    assert only_row(tmp_path).answers == {"q4_sharing": text}


NOT_NOTEBOOKS = {
    "empty": (b"", "is empty"),
    "blank": (b" \n\n", "is empty"),
    "not UTF-8": (b"\xff\xfe{}", "is not in UTF-8 (at byte 0)"),
    "cut off": (ANNA[:-20], "is no notebook: "),
    "text": (b"print(1)", "is no notebook: "),
    "null": (b"null", "its JSON is no object"),
    "list": (b"[1]", "its JSON is no object"),
    "no cells": (b"{}", "it has no list of cells"),
    "cells are text": (b'{"cells": "conv2d"}', "it has no list of cells"),
    "old": (b'{"worksheets": [], "nbformat": 3}', "of an old format"),
    "deep": (b"[" * 200_000, "nested too deeply"),
    "deep objects": (b'{"a":' * 200_000, "nested too deeply"),
    "a cell is a number": (b'{"cells": [1]}', "cell 1 is no cell"),
    "source is a number": (notebook(cell("conv2d", 1)), "the source of cell 1 is no text"),
    "source holds a list": (notebook(cell("conv2d", ["a", []])), "the source of cell 1 is no text"),
    "source is missing": (notebook(cell("conv2d", None)), "the source of cell 1 is no text"),
    "a long number": (b"1" * 100_000, "is no notebook: "),
    "much code": (notebook(cell("conv2d", "#" * 1_000_001)), "more than 1,000,000 characters"),
    "many items": (b"[" + b"1," * 3_000_001 + b"1]", "more than 3,000,000 items"),
    "300 MB": (None, "has 300 MB; accepted: at most 25 MB"),
}


@pytest.mark.parametrize(("content", "reason"), NOT_NOTEBOOKS.values(), ids=NOT_NOTEBOOKS)
def test_what_is_no_notebook_gets_a_row_with_the_reason(tmp_path, content, reason):
    lay(tmp_path, {"anna/02_convolution.ipynb": content or b"", "ben.ipynb": POOLED})
    if content is None:
        os.truncate(tmp_path / "anna/02_convolution.ipynb", 300_000_000)
    anna, ben = intake.find(tmp_path, OUTLINES)
    assert (anna.student, anna.assignment, anna.cells) == ("anna", CONV, {})
    assert anna.problem.startswith("the notebook ")
    assert reason in anna.problem
    assert (ben.student, ben.problem) == ("ben", "")


@pytest.mark.parametrize("extra", [b"\xef\xbb\xbf", b"\n  "])
def test_harmless_oddities_are_accepted(tmp_path, extra):
    odd = ANNA.replace(b'"metadata": {}', b'"metadata": {"a": NaN, "b": 1e999}', 1)
    lay(tmp_path, {"anna.ipynb": extra + odd})
    assert only_row(tmp_path).cells.keys() == {"conv2d", "out_size"}


def test_half_a_surrogate_in_the_source_can_be_stored():
    source = read_cells(notebook(cell("conv2d", "x = '\ud800'"))).code["conv2d"]
    assert source.encode() == b"x = '?'"


def test_links_pipes_sockets_and_devices_are_never_opened(tmp_path):
    lay(tmp_path, {"ben.ipynb": POOLED, "carol/03_pooling.ipynb": POOLED})
    secret = tmp_path.parent / "secret.ipynb"
    secret.write_bytes(ANNA)
    (tmp_path / "link.ipynb").symlink_to(secret)
    (tmp_path / "loop.ipynb").symlink_to("loop.ipynb")
    (tmp_path / "dave").symlink_to(tmp_path / "carol")
    (tmp_path / "root").symlink_to("/")
    os.mkfifo(tmp_path / "pipe.ipynb")
    (tmp_path / "erin").mkdir()
    os.mkfifo(tmp_path / "erin/02_convolution.ipynb")
    here = os.getcwd()
    os.chdir(tmp_path)  # a socket's address has to be short
    try:
        with socket.socket(socket.AF_UNIX) as server:
            server.bind("sock.ipynb")
            started = time.monotonic()
            found = {s.student: (s.problem, s.cells) for s in intake.find(tmp_path, OUTLINES)}
    finally:
        os.chdir(here)
    assert time.monotonic() - started < 60  # opening a pipe would wait for ever
    for student in ("link", "loop", "dave", "root"):
        assert found[student] == ("the notebook is a symbolic link, which is not opened", {})
    assert found["pipe"][0] == "the notebook is a named pipe, which is not opened"
    assert found["erin"][0] == "the notebook is a named pipe, which is not opened"
    assert found["sock"][0] == "the notebook is a socket, which is not opened"
    assert {s for s, (problem, _) in found.items() if not problem} == {"ben", "carol"}


@pytest.mark.parametrize("name", ["/dev/zero", "/dev/tty"])
def test_a_device_is_refused(name):
    with pytest.raises(UnreadableError, match="is a device"):
        read_file(Path(name))


def test_a_pipe_put_in_the_place_of_a_file_does_not_block(tmp_path, monkeypatch):
    path = tmp_path / "a"
    path.write_bytes(b"")
    found = os.lstat(path)
    path.unlink()
    os.mkfifo(path)
    monkeypatch.setattr(os, "lstat", lambda _: found)
    with pytest.raises(UnreadableError, match="named pipe"):
        read_file(path)


def test_a_link_put_in_the_place_of_a_file_is_not_followed(tmp_path, monkeypatch):
    path, secret = tmp_path / "a", tmp_path / "secret"
    secret.write_bytes(b"secret")
    path.symlink_to(secret)
    monkeypatch.setattr(os, "lstat", lambda _: os.stat(secret))
    with pytest.raises(UnreadableError, match="cannot be read"):
        read_file(path)


def test_no_permission(tmp_path, monkeypatch):
    lay(tmp_path, {"anna/02_convolution.ipynb": ANNA, "ben/03_pooling.ipynb": POOLED})
    real_open, real_scan = os.open, os.scandir

    def denied(path):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(
        os, "open", lambda p, *a: denied(p) if "anna" in str(p) else real_open(p, *a)
    )
    monkeypatch.setattr(os, "scandir", lambda p: denied(p) if "ben" in str(p) else real_scan(p))
    assert rows(tmp_path) == [
        ("anna", CONV, "the notebook cannot be read: Permission denied"),
        ("ben", "", "the folder cannot be listed: Permission denied"),
    ]


def test_folders_that_hold_no_notebook(tmp_path):
    lay(tmp_path, {"anna/report.pdf": b"%PDF", "ben.ipynb": POOLED, "dora.zip": b"PK"})
    (tmp_path / "carol").mkdir()
    (tmp_path / "erin").mkdir()
    (tmp_path / "erin/work").symlink_to("/")
    (tmp_path / "fred.ipynb").mkdir()
    problems = {s.student: s.problem for s in intake.find(tmp_path, OUTLINES)}
    assert problems == {
        "anna": "the folder holds no notebook",
        "ben": "",
        "carol": "the folder holds no notebook",
        "dora": "the notebook is a zip inside of what is graded; unpack it, or grade it by itself",
        "erin": "the folder holds no notebook; 'work' is a symbolic link, which is not opened",
        "fred.ipynb": "the folder holds no notebook",
    }


def test_one_students_flood_of_files_stops_nobody(tmp_path, monkeypatch):
    monkeypatch.setattr(files, "MAX_STUDENT_ENTRIES", 60)
    lay(tmp_path, {f"anna/{i}.txt": b"" for i in range(61)})
    lay(tmp_path, {f"ben/{i}.ipynb": POOLED for i in range(51)})
    lay(tmp_path, {"carol/" + "d/" * 9 + "a.ipynb": POOLED, "dora.ipynb": POOLED})
    assert rows(tmp_path) == [
        ("anna", "", "the folder holds more than 60 files"),
        ("ben", "", "the folder holds 51 notebooks; accepted: at most 50"),
        ("carol", "", "the folder has folders more than 8 deep"),
        ("dora", POOL, ""),
    ]


def test_a_class_of_too_many_files_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(files, "MAX_ENTRIES", 3)
    lay(tmp_path, {f"{i}.ipynb": POOLED for i in range(4)})
    with pytest.raises(ValueError, match="holds more than 3 files"):
        intake.find(tmp_path, OUTLINES)
    submission = only_row(zipped(tmp_path / "a.zip", {f"{i}.ipynb": POOLED for i in range(4)}))
    assert submission.problem == "the zip lists 4 files; accepted: at most 3"


@pytest.mark.parametrize("name", ["nothing", "a.zip"])
def test_nothing_there(tmp_path, name):
    with pytest.raises(FileNotFoundError, match="is not there; accepted: a folder, a zip or a"):
        intake.find(tmp_path / name, OUTLINES)


def test_nothing_to_grade(tmp_path):
    lay(tmp_path, {"notes.txt": b"hello"})
    with pytest.raises(ValueError, match="there is no notebook in"):
        intake.find(tmp_path, OUTLINES)
    lay(tmp_path, {"anna.ipynb": ANNA})
    with pytest.raises(ValueError, match="there is no notebook for 03_pooling in"):
        intake.find(tmp_path, OUTLINES, only=[POOL])


# --- Zips.


def test_names_that_point_outside_of_a_zip(tmp_path):
    names = ["../evil.ipynb", "/abs.ipynb", "a/../../b.ipynb", "..\\win.ipynb", "good.ipynb"]
    path = zipped(tmp_path / "a.zip", dict.fromkeys(names, POOLED))
    problems = {s.student: s.problem for s in intake.find(path, OUTLINES)}
    outside = "the notebook has a name that points outside of the zip"
    assert problems == {"evil": outside, "abs": outside, "b": outside, "win": outside, "good": ""}
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.zip"]


def test_a_zip_bomb_is_unpacked_no_further_than_the_limit(tmp_path, monkeypatch):
    bomb = zipped(tmp_path / "a.zip", {"anna.ipynb": b" " * 60_000_000, "ben.ipynb": POOLED})
    assert bomb.stat().st_size < 100_000
    assert rows(bomb)[0][2] == "the notebook has 60 MB; accepted: at most 25 MB"
    lying = bytearray(bomb.read_bytes())
    for signature, offset in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):  # sizes: 1,000 bytes
        at = lying.index(signature) + offset
        lying[at : at + 4] = struct.pack("<I", 1000)
    bomb.write_bytes(lying)
    anna, ben = rows(bomb)
    assert anna[2].startswith("the notebook is damaged in the zip: ")
    assert ben == ("ben", POOL, "")
    monkeypatch.setattr(files, "MAX_UNPACKED", 1_000)
    monkeypatch.setattr(files, "MAX_RATIO", 1)
    many = zipped(tmp_path / "b.zip", {f"{c}.ipynb": POOLED + b" " * 900 for c in "abcdefgh"})
    found = [problem for _, _, problem in rows(many)]
    assert found[0] == ""
    assert found[-1] == "the notebook is in a zip that unpacks to far too much; unpack it yourself"


def _encrypted(path):
    content = bytearray(path.read_bytes())
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.index(signature) + offset] |= 1
    path.write_bytes(content)


def _unknown_method(path):
    content = bytearray(path.read_bytes())
    for signature, offset in ((b"PK\x03\x04", 8), (b"PK\x01\x02", 10)):
        content[content.index(signature) + offset] = 99
    path.write_bytes(content)


def _corrupt(path):
    content = bytearray(path.read_bytes())
    content[60] ^= 255
    path.write_bytes(content)


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (_encrypted, "the notebook is encrypted; hand it in without a password"),
        (_unknown_method, "the notebook is damaged in the zip: "),
        (_corrupt, "the notebook is damaged in the zip: "),
    ],
)
def test_spoilt_zips(tmp_path, spoil, reason):
    path = zipped(tmp_path / "a.zip", {"anna.ipynb": ANNA, "ben.ipynb": POOLED})
    spoil(path)
    anna, ben = rows(path)
    assert anna[2].startswith(reason)
    assert ben == ("ben", POOL, "")


def test_a_link_in_a_zip(tmp_path):
    link = zipfile.ZipInfo("anna.ipynb")
    link.external_attr = 0o120777 << 16
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr(link, "/etc/passwd")
    assert only_row(tmp_path / "a.zip").problem == (
        "the notebook is a symbolic link, which is not opened"
    )


@pytest.mark.parametrize("content", [b"", b"PK", b"PK\x05\x06" + b"\xff" * 18, ANNA])
def test_what_is_no_zip_gets_a_row(tmp_path, content):
    path = tmp_path / "anna.zip"
    path.write_bytes(content)
    submission = only_row(path, only=[POOL])
    assert (submission.student, submission.assignment) == ("anna", POOL)
    assert submission.problem.startswith("the zip is no zip that can be read: ")


def test_a_zip_with_an_endless_table_of_contents(tmp_path):
    path = zipped(tmp_path / "a.zip", {"n" * 200 + f"{i}.ipynb": b"" for i in range(40_000)})
    with pytest.raises(UnreadableError, match="table of contents is too long"):
        next(list_zip(path))


# --- Whatever Hypothesis thinks of.

JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["cells", "metadata", "nbgrader", "grade_id", "source", "cell_type"])
            | st.text(max_size=4),
            inner,
            max_size=6,
        )
    ),
    max_leaves=20,
)
MARKED = st.fixed_dictionaries(
    {
        "cell_type": JSON | st.just("code"),
        "source": JSON,
        "metadata": JSON
        | st.fixed_dictionaries(
            {"nbgrader": st.fixed_dictionaries({"grade_id": st.just("conv2d") | JSON})}
        ),
    }
)


@given(st.fixed_dictionaries({"cells": st.lists(MARKED | JSON, max_size=4) | JSON}) | JSON)
@settings(max_examples=200, deadline=None)
def test_any_json_is_read_or_refused(data):
    _read_or_refuse(json.dumps(data).encode())


@given(st.binary(max_size=200) | st.text(string.printable).map(str.encode))
@settings(max_examples=100, deadline=None)
def test_any_bytes_are_read_or_refused(content):
    _read_or_refuse(content)


def _read_or_refuse(content):
    try:
        cells = read_cells(content)
    except UnreadableError as error:
        assert str(error)
        return
    for text in (*cells.code, *cells.code.values(), *cells.prose.values()):
        assert text.encode().decode() == text


@given(st.binary(max_size=300), st.integers(0, 400), st.binary(min_size=1, max_size=8))
@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_any_damage_to_a_zip_gives_rows(tmp_path, junk, at, patch):
    buffer = io.BytesIO()
    zipped(buffer, {"anna.ipynb": ANNA, "ben/03_pooling.ipynb": POOLED, "x.ipynb": junk})
    content = bytearray(buffer.getvalue())
    content[at : at + len(patch)] = patch
    path = tmp_path / "any.zip"
    path.write_bytes(content)
    try:
        found = intake.find(path, OUTLINES)
    except ValueError as error:  # all that is left has another name
        assert "there is no notebook" in str(error)
        return
    assert all(s.problem or s.assignment for s in found)


NAMES = st.text(
    st.characters(blacklist_characters="/\0", blacklist_categories=["Cs"]), min_size=1, max_size=40
).filter(lambda name: not name.startswith(".") and len(name.encode()) < 200)


@given(st.sets(NAMES, min_size=1, max_size=4) | st.just({"a\nb", "\u202egpj.anna", "=1+1"}))
@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_any_name_is_shown_on_one_line_and_makes_a_safe_file_name(tmp_path_factory, names):
    root = tmp_path_factory.mktemp("class")
    for name in names:
        lay(root, {f"{name}/03_pooling.ipynb": POOLED})
    students = [s.student for s in intake.find(root, OUTLINES)]
    kept = {name for name in names if name not in ("__MACOSX", "__pycache__")}
    assert len(set(students)) == len(kept)
    for student in students:
        assert "".join(student.split()).isprintable()  # spaces of any width may stay
        assert "\u202e" not in student
        assert len(student.splitlines()) == 1
        assert spreadsheet_cell(student)[:1] not in "=+-@\t\r"
    safe = file_names(students, ".html")
    assert len({name.casefold() for name in safe}) == len(students)
    allowed = set(string.ascii_letters + string.digits + "_-")
    assert all(set(name.removesuffix(".html")) <= allowed and len(name) < 100 for name in safe)


def test_a_name_that_is_no_text(tmp_path):
    folder = os.fsencode(tmp_path) + b"/an\xffna"
    os.mkdir(folder)
    with open(folder + b"/03_pooling.ipynb", "wb") as file:
        file.write(POOLED)
    assert only_row(tmp_path).student == r"an\xffna"


def test_visible():
    assert visible("a\u202eb\u2066c\x00d\x1b[1m\ufeff\U000e0041é") == (
        r"a\u202eb\u2066c\x00d\x1b[1m\ufeff\U000e0041é"
    )
    assert visible("a\n\tb\r", keep="\n\t") == "a\n\tb\\r"
