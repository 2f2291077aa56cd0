"""List and read the files of a folder or a zip that strangers filled: nothing followed or unpacked.

Whatever is wrong with one file is a reason beside its name; nothing is raised for it.
"""

import io
import itertools
import os
import stat
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

MAX_BYTES = 25_000_000  # of one notebook
MAX_ENTRIES = 100_000  # files and folders of a class
MAX_STUDENT_ENTRIES = 5_000  # files and folders in one folder of the class
MAX_DEPTH = 8
MAX_ARCHIVE_LISTING = 8_000_000  # bytes of a zip's table of contents
MAX_UNPACKED = 1_000_000_000  # bytes of a zip in all, or the archive's size times …
MAX_RATIO = 100

_KINDS = {
    stat.S_IFLNK: "a symbolic link",
    stat.S_IFIFO: "a named pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFBLK: "a device",
    stat.S_IFCHR: "a device",
    stat.S_IFDIR: "a folder",
}


class UnreadableError(ValueError):
    """A file cannot be read; the message says why, as in "the notebook …"."""


@dataclass(frozen=True)
class Entry:
    """A file, or something else in the place of one.

    Attributes:
        parts: folder names and file name, below what is graded.
        read: returns the content; raises `UnreadableError`.
        problem: why it cannot be read; known before reading.
        folder: whether it is a folder: one is only listed if it is empty or cannot be entered.
    """

    parts: tuple[str, ...]
    read: Callable[[], bytes] = bytes
    problem: str = ""
    folder: bool = False


def read_file(path: Path, limit: int = MAX_BYTES) -> bytes:
    """Read a regular file of limited size; never open a link, a pipe or a device.

    Raises:
        UnreadableError: if it is no such file or cannot be read.
    """
    try:
        _require_regular(os.lstat(path).st_mode)  # opening a device can already do something
        flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
        flags |= getattr(os, "O_NOCTTY", 0) | getattr(os, "O_BINARY", 0)
        with open(os.open(path, flags), "rb") as file:
            found = os.fstat(file.fileno())
            _require_regular(found.st_mode)
            _require_size(found.st_size, limit)
            content = file.read(limit + 1)
    except (OSError, ValueError) as error:
        if isinstance(error, UnreadableError):
            raise
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise UnreadableError(f"cannot be read: {reason}") from None
    _require_size(len(content), limit)
    return content


def _require_regular(mode: int) -> None:
    if not stat.S_ISREG(mode):
        raise UnreadableError(f"is {_KINDS.get(stat.S_IFMT(mode), 'no file')}, which is not opened")


def _require_size(size: int, limit: int) -> None:
    if size > limit:
        raise UnreadableError(f"has {size / 1e6:,.0f} MB; accepted: at most {limit / 1e6:,.0f} MB")


def ignored(name: str) -> bool:
    """Tell whether a file or folder is a program's own, such as `.ipynb_checkpoints`."""
    return name.startswith(".") or name in ("__MACOSX", "__pycache__")


def list_folder(root: Path) -> Iterator[Entry]:
    """List a folder's files, sorted, following no link below it.

    Raises:
        OSError: if the folder itself cannot be listed.
        ValueError: if it holds more than 100,000 files and folders.
    """
    items = _scan(root, MAX_ENTRIES)
    if len(items) > MAX_ENTRIES:
        raise ValueError(f"{root} holds more than {MAX_ENTRIES:,} files; accepted: fewer")
    for item in items:
        if item.is_dir(follow_symlinks=False):
            yield from _list_student(root, item.name)
        else:
            yield _file(Path(item.path), (item.name,))


def _scan(folder: Path, limit: int) -> list[os.DirEntry]:
    with os.scandir(folder) as found:
        kept = (item for item in found if not ignored(item.name))
        return sorted(itertools.islice(kept, limit + 1), key=lambda item: item.name)


def _list_student(root: Path, student: str) -> Iterator[Entry]:
    """List one of the folders; what one student hands in shall not stop the others."""
    waiting, left = [(student,)], MAX_STUDENT_ENTRIES
    while waiting:
        parts = waiting.pop()
        try:
            items = _scan(Path(root, *parts), left)
        except OSError as error:
            yield Entry(parts, problem=f"cannot be listed: {error.strerror}", folder=True)
            continue
        left -= len(items)
        if left < 0:
            reason = f"holds more than {MAX_STUDENT_ENTRIES:,} files"
            yield Entry((student,), problem=reason, folder=True)
            return
        if not items:
            yield Entry(parts, folder=True)
        for item in items:
            here = (*parts, item.name)
            if not item.is_dir(follow_symlinks=False):
                yield _file(Path(item.path), here)
            elif len(here) > MAX_DEPTH:
                reason = f"has folders more than {MAX_DEPTH} deep"
                yield Entry((student,), problem=reason, folder=True)
            else:
                waiting.append(here)


def _file(path: Path, parts: tuple[str, ...]) -> Entry:
    try:
        _require_regular(os.lstat(path).st_mode)
    except UnreadableError as error:
        return Entry(parts, problem=str(error))
    except OSError as error:
        return Entry(parts, problem=f"cannot be read: {error.strerror}")
    return Entry(parts, lambda: read_file(path))


class _Listing(io.FileIO):
    """A file that refuses to be read in one gulp, as a zip's table of contents is."""

    def read(self, size=-1):
        rest = os.fstat(self.fileno()).st_size - self.tell()
        if (rest if size is None or size < 0 else min(size, rest)) > MAX_ARCHIVE_LISTING:
            raise zipfile.BadZipFile("its table of contents is too long")
        return super().read(size)


def list_zip(path: Path) -> Iterator[Entry]:
    """List a zip's files; they are unpacked in memory, one at a time, when they are read.

    Raises:
        UnreadableError: if it is no zip, or lists more than 100,000 files.
    """
    try:
        _require_regular(os.stat(path).st_mode)
        archive = zipfile.ZipFile(_Listing(path))
        items = archive.infolist()
    except UnreadableError:
        raise
    except Exception as error:  # zipfile does not say all that it raises for a damaged file
        raise UnreadableError(f"is no zip that can be read: {error}") from None
    if len(items) > MAX_ENTRIES:
        raise UnreadableError(f"lists {len(items):,} files; accepted: at most {MAX_ENTRIES:,}")
    budget = _Budget(max(MAX_UNPACKED, MAX_RATIO * os.stat(path).st_size))
    for item in sorted(items, key=lambda item: item.filename):
        path = PurePosixPath(item.filename.replace("\\", "/"))  # some Windows programs write those
        if not any(ignored(part) for part in path.parts if part != ".."):
            yield _member(archive, item, path, budget)


@dataclass
class _Budget:
    """How many bytes may still be unpacked."""

    left: int


def _member(
    archive: zipfile.ZipFile, item: zipfile.ZipInfo, path: PurePosixPath, budget: _Budget
) -> Entry:
    parts = path.parts
    if not parts or ".." in parts or path.is_absolute():
        return Entry((path.name or "entry",), problem="has a name that points outside of the zip")
    if item.is_dir():
        return Entry(parts, folder=True)
    kind = stat.S_IFMT(item.external_attr >> 16)
    if kind not in (0, stat.S_IFREG):
        return Entry(parts, problem=f"is {_KINDS.get(kind, 'no file')}, which is not opened")
    if len(parts) > MAX_DEPTH:
        return Entry(parts[:1], problem=f"has folders more than {MAX_DEPTH} deep", folder=True)
    if item.flag_bits & 1:
        return Entry(parts, problem="is encrypted; hand it in without a password")
    return Entry(parts, lambda: _unpack(archive, item, budget))


def _unpack(archive: zipfile.ZipFile, item: zipfile.ZipInfo, budget: _Budget) -> bytes:
    _require_size(item.file_size, MAX_BYTES)
    if budget.left <= 0:
        raise UnreadableError("is in a zip that unpacks to far too much; unpack it yourself")
    try:
        with archive.open(item) as file:
            content = file.read(MAX_BYTES + 1)  # whatever size the zip claims
    except Exception as error:  # zlib's, lzma's, a wrong checksum, an unknown method, …
        raise UnreadableError(f"is damaged in the zip: {error}") from None
    budget.left -= len(content)
    _require_size(len(content), MAX_BYTES)
    return content
