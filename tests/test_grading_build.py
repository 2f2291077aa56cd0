"""Building: deterministic, nothing half-written, authors are told what is wrong and where."""

import json
import os

import numpy as np
import pytest
from cnncourse.grading import build
from cnncourse.grading.cells import AuthorError, read_source
from cnncourse.grading.key import find_mistake, read_key
from cnncourse.grading.probes import evaluate
from cnncourse.grading.values import decode
from grading_notebooks import SIZE_CHECK, cell, code, toy, write


@pytest.fixture
def course(tmp_path):
    """Return a folder with solutions/, built into exercises/."""
    write(toy(), tmp_path / "solutions" / "toy.ipynb")
    build.build(tmp_path / "solutions", tmp_path / "exercises")
    return tmp_path


def check(course):
    return build.check(course / "solutions", course / "exercises")


def test_build_is_deterministic_and_check_agrees(course):
    files = sorted(path for path in (course / "exercises").rglob("*") if path.is_file())
    before = [path.read_bytes() for path in files]
    assert [path.name for path in files] == ["toy.json", "toy.ipynb"]
    assert build.build(course / "solutions", course / "exercises") == files
    assert [path.read_bytes() for path in files] == before
    assert check(course) == []


def test_key_holds_nothing_hidden(course):
    text = (course / "exercises" / "keys" / "toy.json").read_text()
    assert "uniform" not in text and '"public": false' not in text
    key = read_key(course / "exercises" / "keys" / "toy.json")["correlate"]
    assert (len(key.probes), key.hidden_points) == (1, 1)
    inputs = key.probes[0].draw()
    expected = np.correlate(inputs["x"], inputs["k"], "valid")
    np.testing.assert_allclose(key.values[0], expected, rtol=1e-5)
    assert "BEGIN SOLUTION" not in key.solution and "np.sum" in key.solution


def rewrite(course, change):
    """Change the key's JSON in place."""
    path = course / "exercises" / "keys" / "toy.json"
    data = json.loads(path.read_text())
    change(data["exercises"])
    path.write_text(json.dumps(data))


def nudge(amount):
    def change(exercises):
        value = exercises["correlate"]["probes"][0]["value"]
        array = decode(value) * np.float32(1 + amount)
        exercises["correlate"]["probes"][0]["value"] = build.encode(array)

    return change


@pytest.mark.parametrize(
    ("change", "stale"),
    [
        (nudge(1e-6), []),  # another processor
        (nudge(1e-2), ["correlate"]),
        (lambda e: e["correlate"]["hints"].append("more"), ["correlate"]),
        (lambda e: e["out_size"].update(solution="pass"), ["out_size"]),
        (lambda e: e["out_size"]["mistakes"].clear(), ["out_size"]),
        (lambda e: e.pop("out_size"), ["out_size"]),
        (lambda e: e.update(old=e["out_size"]), ["old"]),
        (lambda e: e["out_size"].pop("probes"), ["damaged"]),
    ],
)
def test_check_compares_values_with_tolerance_and_the_rest_exactly(course, change, stale):
    rewrite(course, change)
    differences = check(course)
    assert len(differences) == len(stale)
    assert all(name in text for name, text in zip(stale, differences, strict=True))


def test_check_sees_changed_missing_and_left_over_files(course):
    out = course / "exercises"
    with open(out / "toy.ipynb", "a") as file:
        file.write("\n")
    (out / "keys" / "toy.json").unlink()
    (out / "gone.ipynb").write_text("{}")
    assert check(course) == [
        "toy.ipynb is not what its solutions notebook gives",
        "keys/toy.json is missing",
        "gone.ipynb has no source",
    ]


def test_a_fault_leaves_the_old_files(course, monkeypatch):
    before = {p: p.read_bytes() for p in (course / "exercises").rglob("*.*")}
    bad = toy("zzz")
    cell(bad, "setup").source = "1 / 0"
    write(bad, course / "solutions" / "zzz.ipynb")
    with pytest.raises(AuthorError, match=r"zzz.ipynb, cell 2 raises ZeroDivisionError"):
        build.build(course / "solutions", course / "exercises")

    def full(source, target):
        raise OSError("disk full")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(OSError):
        build.write_atomically(course / "exercises" / "toy.ipynb", "new")
    assert {p: p.read_bytes() for p in (course / "exercises").rglob("*.*")} == before


def test_no_sources(tmp_path):
    with pytest.raises(FileNotFoundError, match="no solutions notebook"):
        build.build(tmp_path, tmp_path)


SIZE_PROBES = SIZE_CHECK.split("### ")[1].partition("\n")[2]
FAULTS = {  # what is done to which cell, and what the author is told
    "points": ("check1", "points=2", "points=9", "add up to 10, the cell's points are 3"),
    "no probe": ("check2", SIZE_PROBES, "", "no public probe"),
    "all hidden": ("check1", "points=2,", "points=2, public=False,", "no public probe"),
    "end missing": ("check1", "### END HIDDEN TESTS", "", "no 'END HIDDEN TESTS'"),
    "visible part": ("check1", 'check("correlate")', 'check("x") + 1', "accepted: check"),
    "other name": ("check1", 'check("correlate")', 'check("x")', "accepted: 'check_x'"),
    "expression": ("check2", "out_size(7, 3)", "out_size(7,", "is no Python expression"),
    "tolerance": ("check1", "tolerance=1e-5)", "tolerance=2)", "tolerance is 2"),
    "raises": ("check2", "raises=ValueError", "raises='ValueError'", "raises is 'ValueError'"),
    "input": ("check1", "k=normal(3)", "k=object()", "k is object"),
    "shape": ("check1", "normal(8)", "normal(-8)", "shape is"),
    "hint": ("check1", '"How many positions fit?"', "3", "a hint is 3"),
    "raises not": ("check2", "(2, 3)", "(3, 3)", "gives 1, no ValueError"),
    "reference raises": ("check2", "(7, 3)", "(7, 9)", "the reference raises a ValueError"),
    "no value": ("check2", "out_size(7, 3)", "out_size", "cannot be compared"),
    "in place": ("correlate", "    n = ", "    x -= 1\n    n = ", "changes x in place"),
    "no delimiter": ("size", "### END SOLUTION", "", "END SOLUTION"),
    "no def": ("size", "def out_size", "### BEGIN SOLUTION\ndef out_size", "has no partner"),
    "no hint": ("noone", "# hint:", "#", "begins with a comment"),
    "empty hint": ("noone", "Count the windows: the first one counts too.", "", "begins with"),
    "no code": (
        "noone",
        "def out_size(size, kernel_size):\n    return size - kernel_size",
        "",
        "no w",
    ),
    "syntax": ("noone", "return size", "return return", "is no Python"),
    "unknown": ("noone", "%%mistake out_size", "%%mistake outsize", "no exercise 'outsize'"),
    "accepted": (
        "noone",
        "return size - kernel_size",
        "return 5 if size > 5 else int('a')",
        "accept",
    ),
    "undefined": ("noone", "def out_size", "def outsize", "accept this mistake"),
    "crash": ("noone", "def out_size", "1 / 0\ndef out_size", "cell 9 raises ZeroDivisionError"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_authors_are_told(tmp_path, name):
    cell_id, old, new, message = FAULTS[name]
    notebook = toy()
    before = cell(notebook, cell_id).source
    assert old in before
    cell(notebook, cell_id).source = before.replace(old, new, 1)
    path = write(notebook, tmp_path / "solutions" / "toy.ipynb")
    with pytest.raises(AuthorError) as caught:
        build.build(path.parent, tmp_path / "exercises")
    assert message in str(caught.value) and "toy.ipynb, cell" in str(caught.value)
    assert not (tmp_path / "exercises").exists()


def test_two_mistakes_that_no_probe_tells_apart(tmp_path):
    notebook = toy()
    notebook.cells.append(
        code("%%mistake out_size\n# hint: Another.\ndef out_size(a, b):\n    return a - b", "same")
    )
    write(notebook, tmp_path / "solutions" / "toy.ipynb")
    with pytest.raises(AuthorError, match="no public probe tells this mistake"):
        build.build(tmp_path / "solutions", tmp_path / "exercises")


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda nb: nb.cells.remove(cell(nb, "noone")), "no %%mistake"),
        (lambda nb: nb.cells.remove(cell(nb, "check2")), "no check"),
        (lambda nb: nb.cells.remove(cell(nb, "size")), "no solution cell"),
        (lambda nb: cell(nb, "noone").metadata.pop("tags"), "needs the tag"),
        (lambda nb: cell(nb, "check2").metadata.nbgrader.pop("points"), "points is None"),
        (lambda nb: nb.cells.append(code("1", "x", grade_id="out_size", solution=True)), "already"),
    ],
)
def test_authors_are_told_of_cells(tmp_path, spoil, message):
    notebook = toy()
    spoil(notebook)
    path = write(notebook, tmp_path / "toy.ipynb")
    with pytest.raises(AuthorError, match=message):
        read_source(path)


def test_no_notebook(tmp_path):
    (tmp_path / "a.ipynb").write_text("{")
    with pytest.raises(AuthorError, match=r"a\.ipynb is no notebook"):
        read_source(tmp_path / "a.ipynb")


def test_large_keys_are_refused(tmp_path):
    notebook = toy()
    check_cell = cell(notebook, "check1")
    check_cell.source = check_cell.source.replace("normal(8)", "normal(200_000)")
    solution = "np.correlate(x, k, 'valid').astype('float32')"
    cell(
        notebook, "correlate"
    ).source = (
        f"def correlate(x, k):\n    ### BEGIN SOLUTION\n    return {solution}\n    ### END SOLUTION"
    )
    write(notebook, tmp_path / "toy.ipynb")
    with pytest.raises(AuthorError, match="accepted: 500 kB"):
        build.build(tmp_path, tmp_path / "out")


def test_hidden_probes_come_with_values_for_a_grader(course):
    source = read_source(course / "solutions" / "toy.ipynb")
    assert source.manual == {"q1": 1}
    namespace = build.run_code(source)
    _, pairs = build.reference(source.exercises["correlate"], namespace)
    assert [probe.public for probe, _ in pairs] == [True, False]
    inputs = pairs[1][0].draw()
    expected = np.correlate(inputs["x"], inputs["k"].astype("float32"), "valid")
    np.testing.assert_allclose(decode(pairs[1][1]), expected, rtol=1e-5)


# Mistakes


@pytest.fixture
def key(course):
    return read_key(course / "exercises" / "keys" / "toy.json")["out_size"]


def hint_for(key, source):
    namespace = {"np": np}
    exec(source, namespace)
    mistake = find_mistake(key, [evaluate(probe, namespace) for probe in key.probes])
    return mistake and mistake.hint[:17]


def test_a_mistake_is_recognised_where_it_shows(key):
    count = "Count the windows"
    assert hint_for(key, "def out_size(a, b): return a - b") == count
    # the mistake, and another probe right: every wrong value is the mistake's
    right = "def out_size(a, b):\n    if b > a: raise ValueError\n    return a - b"
    assert hint_for(key, right) == count
    # the mistake and another type besides
    floats = "def out_size(a, b):\n    if b > a: raise ValueError\n    return float(a - b)"
    assert hint_for(key, floats) == count
    assert hint_for(key, "def out_size(a, b): return a - b - 1") is None
    assert hint_for(key, "def out_size(a, b): return a - b + 1") is None
    exact = "def out_size(a, b):\n    if b > a: raise ValueError\n    return float(a - b + 1)"
    assert hint_for(key, exact) is None  # right but for its type: no mistake's business
