"""The notebooks are laid out without ever touching a learner's work."""

import json
import os
import sys
import types

import pytest
from cnncourse import lab, paths
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

ONE, TWO = "chapters/00_start_here.ipynb", "exercises/02_convolution.ipynb"
NEW = "exercises/02_convolution.new.ipynb"


@pytest.fixture
def course(tmp_path, monkeypatch):
    """A wheel's notebooks; call it with texts to make another release."""
    root = tmp_path / "site-packages" / "cnncourse" / "_notebooks"

    def release(one="one", two="two"):
        for name, text in ((ONE, one), (TWO, two), ("exercises/keys/02_convolution.json", "{}")):
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text(text)
        (root / "solutions").mkdir(exist_ok=True)

    release()
    monkeypatch.setattr(lab, "course_root", lambda: root)
    return release


def files(folder):
    return {
        p.relative_to(folder).as_posix(): p.read_text() for p in folder.rglob("*") if p.is_file()
    }


def test_first_layout(course, tmp_path):
    target = tmp_path / "new" / "folder"
    layout = lab.lay_out(target)
    assert layout.added == [ONE, TWO]
    found = files(target)
    assert set(json.loads(found.pop(lab.MANIFEST))) == {ONE, TWO}
    assert found == {ONE: "one", TWO: "two"}


def test_second_layout_changes_nothing(course, tmp_path):
    lab.lay_out(tmp_path / "w")
    before = files(tmp_path / "w")
    layout = lab.lay_out(tmp_path / "w")
    assert layout.unchanged == [ONE, TWO]
    assert files(tmp_path / "w") == before


def test_newer_release(course, tmp_path):
    target = tmp_path / "w"
    lab.lay_out(target)
    (target / TWO).write_text("my work")
    assert lab.lay_out(target).unchanged == [ONE, TWO]  # nothing newer to offer

    course(one="ONE", two="TWO")
    layout = lab.lay_out(target)
    assert layout.updated == [ONE]
    assert layout.kept == [f"{TWO} (newer version: {NEW})"]
    assert "you changed it, so it stays" in str(layout)
    found = files(target)
    found.pop(lab.MANIFEST)
    assert found == {ONE: "ONE", TWO: "my work", NEW: "TWO"}

    (target / NEW).unlink()  # read and thrown away: not offered again
    assert lab.lay_out(target).kept == []
    assert not (target / NEW).exists()

    course(two="third")
    lab.lay_out(target)
    course(two="fourth")  # the version beside is the course's own, so it follows
    lab.lay_out(target)
    assert ((target / TWO).read_text(), (target / NEW).read_text()) == ("my work", "fourth")


def test_work_in_the_copy_beside_is_kept(course, tmp_path):
    target = tmp_path / "w"
    lab.lay_out(target)
    (target / TWO).write_text("my work")
    course(two="TWO")
    lab.lay_out(target)
    (target / NEW).write_text("my other work")
    course(two="third")
    layout = lab.lay_out(target)
    assert layout.kept[0].startswith(f"{TWO} (as does {NEW}")
    assert ((target / TWO).read_text(), (target / NEW).read_text()) == ("my work", "my other work")


@pytest.mark.parametrize("manifest", [None, "{half", "[]", '{"chapters": 3}'])
def test_without_a_manifest_everything_is_the_learners(course, tmp_path, manifest):
    target = tmp_path / "w"
    (target / "exercises").mkdir(parents=True)
    (target / TWO).write_text("mine, from elsewhere")
    if manifest is not None:
        (target / lab.MANIFEST).write_text(manifest)
    layout = lab.lay_out(target)
    assert layout.added == [ONE]
    assert (target / TWO).read_text() == "mine, from elsewhere"
    assert (target / NEW).read_text() == "two"


def test_a_deleted_notebook_comes_back(course, tmp_path):
    lab.lay_out(tmp_path / "w")
    (tmp_path / "w" / ONE).unlink()
    assert lab.lay_out(tmp_path / "w").added == [ONE]


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("release"), st.sampled_from("abc")),
        st.tuples(st.just("edit"), st.sampled_from("xyz")),
        st.tuples(st.just("lay out"), st.none()),
        st.tuples(st.just("lose manifest"), st.none()),
    ),
    max_size=12,
)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(steps=STEPS)
def test_no_sequence_of_releases_loses_an_edit(course, tmp_path_factory, steps):
    target = tmp_path_factory.mktemp("w")
    course(two="a")
    lab.lay_out(target)
    mine = None
    for step, text in [*steps, ("lay out", None)]:
        if step == "release":
            course(two=text)
        elif step == "edit":
            mine = text
            (target / TWO).write_text(mine)
        elif step == "lose manifest":
            (target / lab.MANIFEST).unlink(missing_ok=True)
        else:
            lab.lay_out(target)
        if mine is not None:
            assert (target / TWO).read_text() == mine
    assert not list(target.rglob("*.part"))


def obstacle_link(target):
    (target.parent / "elsewhere.ipynb").write_text("precious")
    (target / "exercises").mkdir(parents=True)
    (target / TWO).symlink_to(target.parent / "elsewhere.ipynb")


def obstacle_dangling_link(target):
    (target / "exercises").mkdir(parents=True)
    (target / TWO).symlink_to(target.parent / "nowhere.ipynb")


def obstacle_folder(target):
    (target / TWO).mkdir(parents=True)


def obstacle_linked_folder(target):
    (target.parent / "elsewhere").mkdir()
    target.mkdir()
    (target / "exercises").symlink_to(target.parent / "elsewhere")


def obstacle_file_for_folder(target):
    target.mkdir()
    (target / "exercises").write_text("a file")


def obstacle_file(target):
    target.write_text("a file")


def obstacle_beside(target):
    (target / NEW).mkdir(parents=True)


@pytest.mark.parametrize(
    ("obstacle", "message"),
    [
        (obstacle_link, "02_convolution.ipynb is a link or a folder, where a file shall be"),
        (obstacle_dangling_link, "02_convolution.ipynb is a link or a folder"),
        (obstacle_folder, "02_convolution.ipynb is a link or a folder"),
        (obstacle_beside, "02_convolution.new.ipynb is a link or a folder"),
        (obstacle_linked_folder, "exercises is a link or a file, where a folder"),
        (obstacle_file_for_folder, "exercises is a link or a file, where a folder"),
        (obstacle_file, "w is a file; accepted: a folder, new or not"),
    ],
)
def test_obstacles_are_refused_before_anything_is_written(course, tmp_path, obstacle, message):
    target = tmp_path / "w"
    obstacle(target)
    before = files(tmp_path)
    with pytest.raises(OSError, match=message):
        lab.lay_out(target)
    assert files(tmp_path) == before


def test_a_full_disk_leaves_no_half_file(course, tmp_path, monkeypatch):
    target = tmp_path / "w"
    lab.lay_out(target)
    course(one="ONE", two="TWO")
    replace = os.replace

    def full(source, destination):
        if str(destination).endswith("02_convolution.ipynb"):
            raise OSError(28, "No space left on device")
        replace(source, destination)

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(OSError, match="No space"):
        lab.lay_out(target)
    monkeypatch.undo()
    found = files(target)
    assert (found[ONE], found[TWO]) == ("ONE", "two")
    assert not [name for name in found if name.endswith(".part")]
    # The manifest knows what arrived.
    assert len(set(json.loads(found[lab.MANIFEST]).values())) == 2


def make_checkout(folder):
    for name in ("cnncourse/__init__.py", "chapters/00_start_here.ipynb"):
        (folder / name).parent.mkdir(parents=True)
        (folder / name).write_text("")
    return folder


def test_workspace_of_a_checkout_is_the_checkout(course, tmp_path, monkeypatch):
    checkout = make_checkout(tmp_path / "checkout")
    before = files(checkout)
    assert lab.workspace(checkout) == checkout
    monkeypatch.chdir(checkout)
    assert lab.workspace(None) == checkout
    assert files(checkout) == before

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(lab, "course_root", lambda: checkout)  # an editable install
    assert lab.workspace(None) == checkout


def test_workspace_outside_a_checkout(course, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "cnncourse-notebooks"
    assert lab.workspace(None) == folder
    assert "2 added" in capsys.readouterr().out
    assert (folder / ONE).is_file()

    monkeypatch.chdir(folder)  # started again from inside: no folder within the folder
    assert lab.workspace(None) == folder


def test_this_repository_is_a_checkout():
    assert lab.is_checkout(paths.PACKAGE.parent)


@pytest.mark.parametrize(("user", "as_root"), [(0, True), (1000, False)])
def test_serve_hands_arguments_on(monkeypatch, tmp_path, user, as_root):
    monkeypatch.setattr(os, "geteuid", lambda: user)
    given_to_lab = []
    monkeypatch.setitem(
        sys.modules, "jupyterlab.labapp", types.SimpleNamespace(main=given_to_lab.extend)
    )
    lab.serve(tmp_path, ("--no-browser", "--port", "9999"))
    assert given_to_lab[-3:] == ["--no-browser", "--port", "9999"]
    assert f"--ServerApp.root_dir={tmp_path}" in given_to_lab
    assert "--LabApp.default_url=/lab/tree/chapters/00_start_here.ipynb" in given_to_lab
    assert ("--allow-root" in given_to_lab) == as_root
