"""What can go wrong with a file, for real: a server that misbehaves, a full disk, two at once."""

import contextlib
import errno
import gzip
import hashlib
import os
import random
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest
from cnncourse.datasets import files
from cnncourse.datasets.dataset import File, Info
from cnncourse.datasets.files import DatasetError
from file_server import Server

CONTENT = gzip.compress(random.Random(0).randbytes(1_000_000), mtime=0)


@pytest.fixture
def server():
    with Server({"/toys.gz": CONTENT}).running() as running:
        yield running


@pytest.fixture
def info(server, tmp_path, monkeypatch):
    """A data set of one file on that server; cache and mirror are fresh folders."""
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("CNNCOURSE_DATA", raising=False)
    for proxy in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(proxy, raising=False)
    digest = hashlib.sha256(CONTENT).hexdigest()
    file = File("keras/datasets/toys.gz", len(CONTENT), digest, server.url("/toys.gz"))
    return Info("toys", "Toys", "MIT", "invented", (file,))


def obtain(info):
    return files.obtain(info, info.files[0])


def cached():
    """Return what is in the cache's folder: the file alone, and nothing beside it."""
    folder = files.keras_cache() / "datasets"
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


def test_a_file_is_downloaded_once(info, server, capfd):
    path = obtain(info)
    assert path == files.keras_cache() / "datasets" / "toys.gz"
    assert path.read_bytes() == CONTENT
    assert "100%" in capfd.readouterr().err  # the progress bar
    assert obtain(info) == path
    assert server.requests == 1
    assert cached() == ["toys.gz"]


def test_the_mirror_comes_first_then_the_cache(info, server, tmp_path, monkeypatch):
    for root in (tmp_path / "mirror/keras", tmp_path / "cache"):
        (root / "datasets").mkdir(parents=True)
        (root / "datasets" / "toys.gz").write_bytes(CONTENT)
    monkeypatch.setenv("CNNCOURSE_DATA", str(tmp_path / "mirror"))
    assert obtain(info) == tmp_path / "mirror/keras/datasets/toys.gz"
    (tmp_path / "mirror/keras/datasets/toys.gz").unlink()
    assert obtain(info) == tmp_path / "cache/datasets/toys.gz"
    assert server.requests == 0


@pytest.mark.parametrize("damage", [CONTENT[:1000], CONTENT[:-1] + b"!", b"<html>", b""])
def test_a_damaged_file_in_the_cache_is_replaced(info, server, damage):
    path = files.keras_cache() / "datasets" / "toys.gz"
    path.parent.mkdir(parents=True)
    path.write_bytes(damage)
    assert obtain(info).read_bytes() == CONTENT
    assert server.requests == 1


@pytest.mark.parametrize("damage", [CONTENT[:1000], CONTENT[:-1] + b"!", b"<html>", b""])
def test_a_damaged_file_in_the_mirror_is_an_error(info, server, tmp_path, monkeypatch, damage):
    path = tmp_path / "mirror/keras/datasets/toys.gz"
    path.parent.mkdir(parents=True)
    path.write_bytes(damage)
    monkeypatch.setenv("CNNCOURSE_DATA", str(tmp_path / "mirror"))
    with pytest.raises(DatasetError) as caught:
        obtain(info)
    message = str(caught.value)
    assert message.startswith(f"Toys: {path} in the mirror is damaged")
    assert f"`cnncourse data fetch toys --to {tmp_path / 'mirror'}`" in message
    assert server.requests == 0


def test_a_mirror_that_is_not_there(info, tmp_path, monkeypatch):
    monkeypatch.setenv("CNNCOURSE_DATA", str(tmp_path / "nowhere"))
    with pytest.raises(DatasetError, match="nowhere, which is no folder"):
        obtain(info)


@pytest.mark.parametrize(
    ("manner", "words"),
    [
        ("altered", "Toys: toys.gz arrived damaged, its hash is wrong; it was thrown away"),
        ("half", "Toys: toys.gz arrived damaged, its hash is wrong; it was thrown away"),
        ("web page", "Toys: toys.gz: a web page came in place of the file"),
        ("missing", "the server answers 404 Not Found)"),
    ],
)
def test_a_bad_download_leaves_nothing_and_a_good_one_follows(info, server, manner, words):
    server.manner = manner
    with pytest.raises(DatasetError) as caught:
        obtain(info)
    assert words in str(caught.value)
    assert cached() == []
    server.manner = "well"
    assert obtain(info).read_bytes() == CONTENT


@pytest.mark.parametrize("afterwards", ["well", "deaf"])
def test_a_broken_download_goes_on_where_it_stopped(info, server, afterwards):
    server.manner = "cut"
    with pytest.raises(DatasetError, match=r"the connection broke off\). Check the connection"):
        obtain(info)
    assert cached() == [".toys.gz.part"]
    part = files.keras_cache() / "datasets" / ".toys.gz.part"
    done = part.stat().st_size
    assert 0 < done <= len(CONTENT) // 2
    server.manner = afterwards
    assert obtain(info).read_bytes() == CONTENT
    assert server.sent == (len(CONTENT) if afterwards == "deaf" else len(CONTENT) - done)
    assert cached() == ["toys.gz"]


@pytest.mark.parametrize(
    ("left", "requests", "good"),
    [(CONTENT, 0, True), (CONTENT[:-1], 1, True), (CONTENT + b"!", 0, False), (b"other", 1, False)],
)
def test_what_a_download_before_left_is_only_used_if_it_is_right(
    info, server, left, requests, good
):
    part = files.keras_cache() / "datasets" / ".toys.gz.part"
    part.parent.mkdir(parents=True)
    part.write_bytes(left)
    with contextlib.nullcontext() if good else pytest.raises(DatasetError, match="hash is wrong"):
        obtain(info)
    assert server.requests == requests
    assert cached() == (["toys.gz"] if good else [])
    assert obtain(info).read_bytes() == CONTENT
    assert cached() == ["toys.gz"]


def test_a_bad_download_does_not_touch_what_was_there(info, server):
    path = files.keras_cache() / "datasets" / "toys.gz"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"an older edition")
    server.manner = "cut"
    with pytest.raises(DatasetError):
        obtain(info)
    assert path.read_bytes() == b"an older edition"


def test_no_network(info, monkeypatch):
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    file = info.files[0]
    gone = File(file.path, file.size, file.sha256, f"http://127.0.0.1:{port}/toys.gz")
    with pytest.raises(DatasetError) as caught:
        files.obtain(info, gone)
    message = str(caught.value)
    assert message.startswith(f"Toys: toys.gz could not be downloaded from 127.0.0.1:{port} (")
    assert "no connection" in message
    assert "CNNCOURSE_DATA" in message and "`cnncourse data fetch toys --to FOLDER`" in message
    assert cached() == []


def test_a_line_that_stalls_in_the_middle_is_named(info, server, monkeypatch):
    """What came is kept for the next try."""
    monkeypatch.setattr("pooch.downloaders.DEFAULT_TIMEOUT", 0.3)
    server.manner = "stalled"
    with pytest.raises(DatasetError, match=r"could not be downloaded .*\(the connection stalled\)"):
        obtain(info)
    assert cached() == [".toys.gz.part"]
    server.manner = "held"  # not even the beginning of an answer
    with pytest.raises(DatasetError, match=r"\(the connection stalled\)"):
        obtain(info)
    server.manner = "well"
    server.go.set()
    assert obtain(info).read_bytes() == CONTENT


def test_a_tilde_in_keras_home_is_the_home_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("KERAS_HOME", "~/data")
    assert files.keras_cache() == tmp_path / "data"


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="this system has no /dev/full")
def test_a_full_disk(info):
    part = files.keras_cache() / "datasets" / ".toys.gz.part"
    part.parent.mkdir(parents=True)
    part.symlink_to("/dev/full")  # the kernel answers each write with "disk full"
    with pytest.raises(DatasetError) as caught:
        obtain(info)
    assert caught.value.__cause__.errno == errno.ENOSPC
    message = str(caught.value)
    assert "no space is left. Make room for 1.0 MB, or set KERAS_HOME to another folder" in message
    assert cached() == []


@contextlib.contextmanager
def without_privileges():
    """Be nobody for a while, since root may write everywhere."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="permissions work otherwise on Windows")
def test_a_cache_that_may_not_be_written(info, server, monkeypatch):
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name, "datasets")
        folder.mkdir()
        monkeypatch.setenv("KERAS_HOME", name)
        folder.chmod(0o555)
        Path(name).chmod(0o555)
        with without_privileges(), pytest.raises(DatasetError) as caught:
            obtain(info)
        message = str(caught.value)
        assert message.startswith(f"Toys: toys.gz cannot be written to {folder}: ")
        assert "Allow writing there, or set KERAS_HOME to another folder" in message
        folder.chmod(0o755)
        (folder / "toys.gz").write_bytes(CONTENT)
        folder.chmod(0o555)
        requests = server.requests
        with without_privileges():
            assert obtain(info).read_bytes() == CONTENT  # reading is all that is needed
        assert server.requests == requests
        Path(name).chmod(0o755)
        folder.chmod(0o755)


def loading(info):
    """Return the command of a process that loads the file."""
    code = (
        "from cnncourse.datasets import files\n"
        "from cnncourse.datasets.dataset import File, Info\n"
        f"file = {info.files[0]!r}\n"
        "path = files.obtain(Info('toys', 'Toys', 'MIT', '', (file,)), file)\n"
        "print(files.state(file, path))\n"
    )
    return [sys.executable, "-c", code]


def test_two_processes_at_once(info, server):
    """The second waits, and finds that the first has done the work."""
    server.manner = "held"
    first = start(loading(info))
    while not server.requests:
        assert first.poll() is None
        time.sleep(0.01)
    second = start(loading(info))
    path = files.keras_cache() / "datasets" / "toys.gz"
    said = second.stderr.readline()
    assert said == f"Toys: waiting for another process to make {path}\n"
    server.go.set()
    answers = [process.communicate(timeout=60) for process in (first, second)]
    assert [out.strip() for out, _ in answers] == ["ok", "ok"], answers
    assert server.requests == 1
    assert cached() == ["toys.gz"]


def start(command):
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, errors="replace"
    )


def test_a_drive_without_locks_will_do(info, monkeypatch):
    def lock(*arguments, **options):
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr("filelock.FileLock.acquire", lock)
    assert obtain(info).read_bytes() == CONTENT
    assert cached() == ["toys.gz"]


def test_killed_in_the_middle_the_next_one_goes_on(info, server):
    server.manner = "stalled"
    process = start(loading(info))
    part = files.keras_cache() / "datasets" / ".toys.gz.part"
    while not (part.exists() and part.stat().st_size):
        assert process.poll() is None
        time.sleep(0.01)
    process.kill()
    process.communicate()
    assert "toys.gz" not in cached()
    server.manner = "well"
    assert obtain(info).read_bytes() == CONTENT
    assert 0 < server.sent < len(CONTENT)
    assert cached() == ["toys.gz"]


def test_state_compares_contents_where_gzip_differs(tmp_path):
    data = b"idx" * 1000
    file = File("a.gz", 0, hashlib.sha256(data).hexdigest(), contents=True)
    path = tmp_path / "a.gz"
    assert files.state(file, path) == "missing"
    for mtime in (0, 12345):
        path.write_bytes(gzip.compress(data, mtime=mtime))
        assert files.state(file, path) == "ok"
    path.write_bytes(path.read_bytes()[:-20])
    assert files.state(file, path) == "damaged"
    path.write_bytes(b"<html>")
    assert files.state(file, path) == "damaged"
    path.write_bytes(gzip.compress(data[:-1]))
    assert files.state(file, path) == "damaged"
