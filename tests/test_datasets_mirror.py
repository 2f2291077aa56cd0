"""Filling and checking a mirror, and the commands that do it."""

import dataclasses
import errno
import hashlib
import io
import os
import shutil
import subprocess
import sys
import tarfile
import time
from pathlib import Path

import pytest
from click.testing import CliRunner
from cnncourse import datasets, doctor
from cnncourse.cli import main
from cnncourse.datasets import files, flower_photos, mirror, sources
from cnncourse.datasets.dataset import File
from file_server import Server
from PIL import Image

MIRROR = os.environ.get("CNNCOURSE_DATA")


def archive(broken=False):
    """Return a flower_photos.tgz of two photographs per class."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as tar:
        for number, name in enumerate(flower_photos.FLOWERS[: 4 if broken else 5]):
            for letter in "ab":
                photo = io.BytesIO()
                Image.new("RGB", (40, 30), (50 * number, 0, 0)).save(photo, "jpeg")
                member = tarfile.TarInfo(f"flower_photos/{name}/{letter}.jpg")
                member.size, member.mode = photo.tell(), 0o600
                photo.seek(0)
                tar.addfile(member, photo)
    return stream.getvalue()


@pytest.fixture
def server():
    content = {"/toy-labels.gz": b"labels" * 9000, "/toy-images.gz": b"images" * 90000}
    with Server(content | {"/flower_photos.tgz": archive()}).running() as running:
        yield running


@pytest.fixture
def root(server, tmp_path, monkeypatch):
    """An empty mirror; Fashion-MNIST and the flowers are small ones on the server."""

    def put(name, *paths):
        entries = []
        for path in paths:
            content = server.files["/" + Path(path).name]
            digest = hashlib.sha256(content).hexdigest()
            entries.append(File(path, len(content), digest, server.url("/" + Path(path).name)))
        info = dataclasses.replace(sources.INFO[name], files=tuple(entries))
        monkeypatch.setitem(sources.INFO, name, info)

    put("fashion_mnist", "keras/datasets/toy-labels.gz", "keras/datasets/toy-images.gz")
    put("flowers", "keras/datasets/flower_photos.tgz")
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("CNNCOURSE_DATA", raising=False)
    return tmp_path / "mirror"


def run(*arguments):
    return CliRunner().invoke(main, ["data", *map(str, arguments)])


def images(root):
    return root / "keras/datasets/toy-images.gz"


def test_fetch_then_verify(root, server):
    result = run("fetch", "fashion_mnist", "--to", root)
    assert result.exit_code == 0, result.output
    assert f"fashion_mnist: complete in {root}" in result.output
    assert images(root).read_bytes() == server.files["/toy-images.gz"]
    result = run("verify", "--in", root)
    assert (result.exit_code, result.output) == (0, "fashion_mnist: ok, 2 files\n")


def test_fetch_goes_on_where_it_was_cut(root, server):
    """The first file is there, of the second a part: only the rest of that one is fetched."""
    mirror.fetch("fashion_mnist", root)
    images(root).unlink()
    server.requests = 0
    server.manner = "cut"
    result = run("fetch", "fashion_mnist", "--to", root)
    assert result.exit_code == 1
    assert "Fashion-MNIST: toy-images.gz could not be downloaded" in result.output
    assert not images(root).exists()
    result = run("verify", "--in", root)
    assert result.exit_code == 1
    assert "fashion_mnist: incomplete" in result.output
    assert f"missing: {images(root)}" in result.output
    server.manner = "well"
    mirror.fetch("fashion_mnist", root)
    assert 0 < server.sent < images(root).stat().st_size
    mirror.fetch("fashion_mnist", root)
    assert server.requests == 2
    assert run("verify", "--in", root).exit_code == 0


@pytest.mark.parametrize("damage", [b"", b"<html>", b"images" * 89999, b"Images" * 90000])
def test_damage_is_found_and_mended(root, damage):
    mirror.fetch("fashion_mnist", root)
    images(root).write_bytes(damage)
    result = run("verify", "--in", root)
    assert result.exit_code == 1
    assert f"  damaged: {images(root)}\n" in result.output
    assert f"  mend: cnncourse data fetch fashion_mnist --to {root}\n" in result.output
    assert run("fetch", "fashion_mnist", "--to", root).exit_code == 0
    assert run("verify", "fashion_mnist", "--in", root).exit_code == 0


def test_flowers_are_unpacked_and_listed(root):
    assert run("fetch", "flowers", "--to", root).exit_code == 0
    assert run("verify", "--in", root).output == "flowers: ok, 10 files\n"
    assert sorted(p.name for p in root.iterdir()) == ["flowers", "keras"]
    assert list((root / "keras/datasets").iterdir()) == []  # the archive is gone
    lines = (root / "flowers/SHA256SUMS").read_text().splitlines()
    assert len(lines) == 10
    photo = root / "flowers/tulips/b.jpg"
    assert f"{hashlib.sha256(photo.read_bytes()).hexdigest()}  tulips/b.jpg" in lines


def test_flowers_lost_or_damaged(root, monkeypatch):
    mirror.fetch("flowers", root)
    photo = root / "flowers/tulips/b.jpg"
    photo.write_bytes(photo.read_bytes() + b"!")
    assert f"damaged: {photo}" in run("verify", "--in", root).output
    photo.unlink()
    assert f"missing: {photo}" in run("verify", "--in", root).output
    monkeypatch.setenv("CNNCOURSE_DATA", str(root))
    with pytest.raises(datasets.DatasetError, match=r"1 of the photographs .*tulips/b.jpg"):
        datasets.flowers(size=16)
    mirror.fetch("flowers", root)
    assert run("verify", "--in", root).exit_code == 0
    assert len(datasets.flowers(size=16).train.labels) == 8


def test_an_altered_photograph_is_not_read(root, monkeypatch):
    """It can be decoded, but it is another one; a photograph that the list lacks is left out."""
    mirror.fetch("flowers", root)
    monkeypatch.setenv("CNNCOURSE_DATA", str(root))
    photo = root / "flowers/tulips/b.jpg"
    (root / "flowers/tulips/mine.jpg").write_bytes(photo.read_bytes())
    assert len(datasets.flowers(size=16).train.labels) == 8
    Image.new("RGB", (40, 30), (1, 2, 3)).save(photo)
    words = (
        r"tulips.b\.jpg is damaged \(its hash is not the one in SHA256SUMS\)\. Remove the folder"
    )
    with pytest.raises(datasets.DatasetError, match=words):
        datasets.flowers(size=16)
    words = r"mine\.jpg is not of the data set"  # making the folder anew would lose it
    with pytest.raises(datasets.DatasetError, match=words):
        mirror.fetch("flowers", root)
    (root / "flowers/tulips/mine.jpg").rename(root / "mine.jpg")
    mirror.fetch("flowers", root)
    assert len(datasets.flowers(size=16).train.labels) == 8
    sums = root / "flowers/SHA256SUMS"
    mirror.fetch("fashion_mnist", root)
    for damage in (sums.read_bytes()[:-30], b""):
        sums.write_bytes(damage)
        words = r"SHA256SUMS is damaged\. Remove the folder"
        with pytest.raises(datasets.DatasetError, match=words):
            datasets.flowers(size=16)
        result = run("verify", "--in", root)  # the other data sets are checked as well
        assert (result.exit_code, "fashion_mnist: ok, 2 files\n" in result.output) == (1, True)
        assert f"  damaged: {sums}\n" in result.output
        assert "mirror: damaged" in run("list").output
        assert doctor.data_mirror().finding == f"mirror {root}: not whole: flowers"
    assert "SHA256SUMS is damaged. Remove the" in run("fetch", "flowers", "--to", root).output


def test_flowers_laid_out_by_hand_are_left_alone(root, monkeypatch):
    for name in flower_photos.FLOWERS:
        (root / "flowers" / name).mkdir(parents=True)
        Image.new("RGB", (20, 20)).save(root / "flowers" / name / "mine.jpg")
    result = run("fetch", "flowers", "--to", root)
    assert result.exit_code == 1
    assert "mine.jpg is not of the data set" in result.output.replace("\n", " ")
    assert (root / "flowers/daisy/mine.jpg").exists()
    result = run("verify", "--in", root)
    assert result.exit_code == 0
    assert result.output == (
        "flowers: 5 files, readable, but without a list of hashes (SHA256SUMS) to compare with\n"
    )
    monkeypatch.setenv("CNNCOURSE_DATA", str(root))
    assert "  mirror, without hashes  " in run("list").output
    assert len(datasets.flowers(size=16).train.labels) == 4
    (root / "flowers/roses/mine.jpg").unlink()
    result = run("verify", "--in", root)
    assert (result.exit_code, f"missing: {root / 'flowers/roses'}\n" in result.output) == (1, True)
    with pytest.raises(datasets.DatasetError, match=r"no photographs in .*roses"):
        datasets.flowers(size=16)


@pytest.mark.parametrize("name", ["notes.txt", "daisy/mine.png", "my/own/photo.jpg"])
def test_a_folder_with_other_files_is_left_alone(root, name):
    path = root / "flowers" / name
    path.parent.mkdir(parents=True)
    path.write_text("mine")
    result = run("fetch", "flowers", "--to", root)
    assert (
        result.exit_code,
        "left alone. Move it elsewhere" in result.output.replace("\n", " "),
    ) == (1, True)
    assert path.read_text() == "mine"


def test_folders_without_the_photographs_hold_nothing(root, server, monkeypatch):
    """What `list` says, the loaders do: such a folder does not keep them from downloading."""
    (root / "flowers" / "daisy").mkdir(parents=True)
    (root / "flowers" / "mine").mkdir()
    (root / "flowers" / "mine" / "photo.jpg").touch()
    (root / "mnist").mkdir()
    monkeypatch.setenv("CNNCOURSE_DATA", str(root))
    assert run("list").output.count("to be downloaded") == 3
    assert run("verify").output == f"{root} holds none of fashion_mnist, mnist, flowers\n"
    assert len(datasets.flowers(size=16).train.labels) == 8
    assert not files.has_idx(root)
    shutil.rmtree(root / "flowers" / "mine")
    mirror.fetch("flowers", root)
    assert run("verify", "flowers").exit_code == 0


def test_flowers_laid_out_by_hand_are_read_to_the_end(root):
    (root / "flowers" / "daisy").mkdir(parents=True)
    photo = root / "flowers" / "daisy" / "cut.jpg"
    Image.effect_noise((90, 90), 99).save(photo)
    photo.write_bytes(photo.read_bytes()[:-900])
    result = run("verify", "--in", root)
    assert (result.exit_code, f"damaged: {photo}" in result.output) == (1, True)
    assert run("fetch", "flowers", "--to", root).exit_code == 1
    assert photo.exists()


def test_own_files_in_the_cache_are_left_alone(root, server, tmp_path):
    own = tmp_path / "cache/datasets/flowers/thesis/labels.csv"
    own.parent.mkdir(parents=True)
    own.write_text("mine")
    with pytest.raises(datasets.DatasetError, match=r"labels\.csv is not of the data set"):
        datasets.flowers(size=16)
    assert (own.read_text(), server.requests) == ("mine", 0)
    own.unlink()
    assert len(datasets.flowers(size=16).train.labels) == 8


def test_the_splits_depend_neither_on_the_lists_order_nor_on_other_files(root, monkeypatch):
    """A list made by hand may name the licence, too; macOS lays hidden files beside photographs."""
    mirror.fetch("flowers", root)
    monkeypatch.setenv("CNNCOURSE_DATA", str(root))
    before = datasets.flowers(size=16)
    (root / "flowers/LICENSE.txt").write_text("free")
    (root / "flowers/daisy/._a.jpg").write_bytes(b"Mac OS X")
    sums = root / "flowers/SHA256SUMS"
    licence = hashlib.sha256(b"free").hexdigest() + "  LICENSE.txt"
    sums.write_text("\n".join([licence, *sums.read_text().splitlines()[::-1]]) + "\n")
    assert run("verify", "flowers").output == "flowers: ok, 11 files\n"
    for listed in (True, False):
        if not listed:
            sums.unlink()
        now = datasets.flowers(size=16)
        for part in ("train", "validation", "test"):
            then, there = getattr(before, part), getattr(now, part)
            assert (then.images == there.images).all() and (then.labels == there.labels).all()
    assert run("verify", "flowers").output.startswith("flowers: 10 files, readable")


def test_flowers_without_a_mirror_are_unpacked_into_the_cache(root, server, tmp_path):
    assert len(datasets.flowers(size=16).train.labels) == 8
    assert (tmp_path / "cache/datasets/flowers/SHA256SUMS").is_file()
    datasets.flowers(size=16)
    assert server.requests == 1


@pytest.mark.parametrize("cut", [b"not an archive", archive()[:-700], archive(broken=True)])
def test_an_archive_that_cannot_be_unpacked_leaves_nothing(tmp_path, cut):
    """Its hash was right, or it would not be here: this is the last line of defence."""
    (tmp_path / "flower_photos.tgz").write_bytes(cut)
    with pytest.raises(datasets.DatasetError, match="Flowers: "):
        flower_photos.unpack(tmp_path / "flower_photos.tgz", tmp_path / "flowers")
    assert [path.name for path in tmp_path.iterdir()] == ["flower_photos.tgz"]


def test_a_disk_that_is_full_while_unpacking(tmp_path, monkeypatch):
    def unpack(archive, folder, *arguments, **options):
        Path(folder, "half").write_bytes(b"a photogr")
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(flower_photos.shutil, "unpack_archive", unpack)
    with pytest.raises(datasets.DatasetError, match=r"No space left on device\. About 250 MB"):
        flower_photos.unpack(tmp_path / "flower_photos.tgz", tmp_path / "flowers")
    assert list(tmp_path.iterdir()) == []


def fetching(root, info):
    """Start the command that fetches the flowers of `info`, in a process of its own."""
    code = (
        "from cnncourse.cli import main\n"
        "from cnncourse.datasets import sources\n"
        "from cnncourse.datasets.dataset import File, Info\n"
        f"sources.INFO['flowers'] = {info!r}\n"
        f"main(['data', 'fetch', 'flowers', '--to', {str(root)!r}])\n"
    )
    pipe = subprocess.PIPE
    return subprocess.Popen([sys.executable, "-c", code], stdout=pipe, stderr=pipe, text=True)


def test_two_commands_fetch_into_the_same_folder(root, server):
    """The second asks while the first downloads: it waits, and leaves the folder alone."""
    server.manner = "held"
    processes = [fetching(root, sources.INFO["flowers"])]
    while not server.requests:
        assert processes[0].poll() is None
        time.sleep(0.01)
    processes.append(fetching(root, sources.INFO["flowers"]))
    said = processes[1].stderr.readline()
    assert said == f"Flowers: waiting for another process to make {root / 'flowers'}\n"
    server.go.set()
    answers = [process.communicate(timeout=60) for process in processes]
    assert [process.returncode for process in processes] == [0, 0], answers
    assert [out for out, _ in answers] == 2 * [f"flowers: complete in {root}\n"]
    assert server.requests == 1
    assert run("verify", "--in", root).output == "flowers: ok, 10 files\n"
    assert sorted(p.name for p in root.iterdir()) == ["flowers", "keras"]
    assert list((root / "keras/datasets").iterdir()) == []


def test_what_a_killed_command_left_is_removed(root):
    """It was unpacking; or it had unpacked, and not yet removed the archive."""
    packed = root / "keras/datasets/flower_photos.tgz"
    for there in (False, True):  # an archive laid there by hand is used, too
        (root / ".flowers.part" / "flower_photos" / "daisy").mkdir(parents=True)
        if there:
            shutil.rmtree(root / "flowers")
            packed.write_bytes(archive())
        mirror.fetch("flowers", root)
        assert sorted(p.name for p in root.iterdir()) == ["flowers", "keras"]
        assert list(packed.parent.iterdir()) == []
        assert run("verify", "--in", root).output == "flowers: ok, 10 files\n"
    packed.write_bytes(archive())
    mirror.fetch("flowers", root)
    assert list(packed.parent.iterdir()) == []
    assert run("verify", "--in", root).exit_code == 0


def test_a_mirror_that_may_not_be_written(root):
    root.parent.joinpath("file").write_text("")
    result = run("fetch", "flowers", "--to", root.parent / "file" / "mirror")
    assert result.exit_code == 1
    assert "Flowers: flowers cannot be written to" in result.output
    assert "or name another folder with --to" in result.output.replace("\n", " ")


def test_list_says_where_each_would_come_from(root, monkeypatch):
    rows = {line.split()[0]: line for line in run("list").output.splitlines()}
    assert "no download needed" in rows["digits"]
    assert "to be downloaded" in rows["fashion_mnist"] and rows["fashion_mnist"].endswith("MIT")
    assert "11 MB" in rows["mnist"]
    mirror.fetch("fashion_mnist", root)
    monkeypatch.setenv("KERAS_HOME", str(root / "keras"))  # a mirror serves as that, too
    assert "Keras' cache" in run("list").output
    monkeypatch.setenv("CNNCOURSE_DATA", str(root))
    assert "  mirror  " in run("list").output
    images(root).unlink()
    assert "mirror: incomplete" in run("list").output


def test_the_variable_names_the_mirror(root, monkeypatch):
    assert "give --to FOLDER, or set CNNCOURSE_DATA" in run("fetch").output
    assert run("verify").exit_code == 1
    root.mkdir()
    monkeypatch.setenv("CNNCOURSE_DATA", str(root))
    result = run("verify")
    assert result.exit_code == 1
    assert f"{root} holds none of fashion_mnist, mnist, flowers" in result.output
    assert run("fetch", "fashion_mnist").exit_code == 0
    assert run("verify").exit_code == 0
    result = run("verify", "fashion_mnist", "flowers")
    assert (result.exit_code, "flowers: missing" in result.output) == (1, True)


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such permissions")
def test_everybody_may_read_a_mirror(root):
    """An administrator fills it, and students read it."""
    before = os.umask(0o022)
    try:
        for name in ("fashion_mnist", "flowers"):
            mirror.fetch(name, root)
    finally:
        os.umask(before)
    for path in root.rglob("*"):
        needed = 0o555 if path.is_dir() else 0o444
        assert path.stat().st_mode & needed == needed, path


def test_names_without_a_download(root):
    for names in (["digits"], ["fashion_mnist", "digits"]):  # nothing is downloaded before that
        result = run("fetch", *names, "--to", root)
        assert result.exit_code == 1
        assert "name is 'digits'; accepted: fashion_mnist, mnist, flowers" in result.output
        assert not root.exists()


def test_doctor_sees_a_mirror_that_is_not_whole(root, monkeypatch):
    mirror.fetch("fashion_mnist", root)
    monkeypatch.setenv("CNNCOURSE_DATA", str(root))
    assert doctor.data_mirror().status == "ok"
    images(root).write_bytes(b"short")
    check = doctor.data_mirror()
    assert (check.status, check.remedy) == ("fail", "run `cnncourse data fetch fashion_mnist`")
    assert check.finding == f"mirror {root}: not whole: fashion_mnist"


@pytest.mark.skipif(not MIRROR, reason="real data: set CNNCOURSE_DATA to a mirror")
def test_the_real_mirror_is_whole():
    report, good = mirror.verify(Path(MIRROR))
    assert good, report
    assert "fashion_mnist: ok, 4 files" in report
    assert "mnist: ok" in report
