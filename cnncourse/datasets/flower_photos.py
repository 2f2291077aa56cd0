"""Photographs of five kinds of flowers, in many sizes."""

import hashlib
import io
import os
import re
import shutil
import zlib
from pathlib import Path

import numpy as np
from cnncourse.datasets.dataset import Dataset, Split, check_whole
from cnncourse.datasets.files import DatasetError, alone, keras_cache, mirror_root, obtain
from cnncourse.datasets.sources import INFO

FLOWERS = ("daisy", "dandelion", "roses", "sunflowers", "tulips")  # the folders' names
LICENCE = "LICENSE.txt"  # of the photographs, in the archive beside them
SUMS = "SHA256SUMS"  # written when all photographs are there, in the format of `sha256sum`


def flowers(size: int = 224) -> Dataset:
    """Return photographs of flowers, cut to squares.

    Looked for in the folder `flowers` of the mirror that `CNNCOURSE_DATA` names, with one folder
    of JPEG files per class; a mirror may hold a part of the 3,670 photographs. Then in Keras'
    cache; downloaded into that cache otherwise (229 MB).

    A folder that the course filled has a list, `SHA256SUMS`: exactly the photographs in it are
    read, and the hash of each is compared: tenths of a second for all of them, where decoding
    takes seconds. Of a folder without a list all photographs are read, and there is nothing to
    compare with; `cnncourse data list` and `verify` say so.

    The photographs are put in a random order, always the same; the first 10 % are the test split,
    the next 15 % the validation split.

    Args:
        size: side in pixels. The largest central square of each photograph is scaled to it.

    Returns:
        A `Dataset` of uint8 images (n, size, size, 3). All photographs take 552 MB of memory at
        the default size, 101 MB at 96.

    Raises:
        DatasetError: if the files cannot be had, or one is not what the list says; the message
            says what to do.
        ValueError: if `size` is no whole number from 8 on.
    """
    check_whole("size", size, 8)
    folder = _folder()
    paths = photographs(folder)
    order = np.random.RandomState(42).permutation(len(paths))
    images = _read([paths[i] for i in order], size, sums(folder))
    labels = np.array([FLOWERS.index(paths[i].parent.name) for i in order], "int64")
    test, validation = round(0.1 * len(paths)), round(0.25 * len(paths))
    parts = np.split(np.arange(len(paths)), [test, validation])
    test, validation, train = (Split(images[p], labels[p]) for p in parts)
    return Dataset(train, validation, test, FLOWERS, INFO["flowers"])


def photographs(folder: Path) -> list[Path]:
    """Return the photographs in a folder of flowers, by class and name.

    Raises:
        DatasetError: if there are none of some class, or fewer than `SHA256SUMS` lists.
    """
    found = [path for name in FLOWERS for path in in_class(folder, name)]
    listed = (folder / name for name in sums(folder))
    paths = sorted(path for path in listed if _is_photograph(path, folder)) or found
    empty = [name for name in FLOWERS if not any(path.parent.name == name for path in paths)]
    if empty:
        raise DatasetError(f"Flowers: no photographs in {folder / empty[0]}")
    missing = sorted(set(paths).difference(found))
    if missing:
        raise DatasetError(
            f"Flowers: {len(missing)} of the photographs are missing in {folder}, first "
            f"{missing[0].relative_to(folder).as_posix()}. {_again(folder)}"
        )
    return paths


def in_class(folder: Path, name: str) -> list[Path]:
    """Return the photographs of one class, by name; not the hidden files that macOS lays beside."""
    return sorted((folder / name).glob("[!.]*.jpg"))


def _is_photograph(path, folder):
    return path.suffix == ".jpg" and path.parent.parent == folder and path.parent.name in FLOWERS


def any_in(folder: Path) -> bool:
    """Return whether there is a photograph, or a list of photographs, in a folder of flowers."""
    return (folder / SUMS).is_file() or any(in_class(folder, name) for name in FLOWERS)


def in_cache() -> bool:
    """Return whether the unpacked photographs are in Keras' cache."""
    return (_cache() / SUMS).is_file()


def sums(folder: Path) -> dict[str, str]:
    """Return the hash that `SHA256SUMS` gives for each file; empty if there is no such list.

    Raises:
        DatasetError: if the list is damaged, or has no entries.
    """
    if not (folder / SUMS).is_file():
        return {}
    lines = (folder / SUMS).read_text(encoding="utf-8", errors="replace").splitlines()
    entries = [re.fullmatch(r"([0-9a-f]{64}) [ *](.+)", line) for line in lines]
    if not entries or not all(entries):
        raise DatasetError(f"Flowers: {folder / SUMS} is damaged. {_again(folder)}")
    return {Path(entry[2]).as_posix(): entry[1] for entry in entries}


def _again(folder):
    return f"Remove the folder {folder}, and fetch the data set again"


def refuse_own(folder: Path) -> None:
    """Raise an error if there are files in a folder of flowers that are not of the data set.

    Without a list nothing in it counts as the data set: the course did not make it. Hidden files
    are no one's work.

    Raises:
        DatasetError: if there are, or the list is damaged.
    """
    known = {SUMS, LICENCE, *sums(folder)} if (folder / SUMS).is_file() else set()
    paths = (path for path in folder.rglob("[!.]*") if path.is_file())
    own = next((path for path in paths if path.relative_to(folder).as_posix() not in known), None)
    if own:
        raise DatasetError(
            f"Flowers: {own} is not of the data set, whose folder would be made anew, so it is "
            "left alone. Move it elsewhere, then fetch the data set again"
        )


def unpack(archive: Path, folder: Path) -> None:
    """Unpack the downloaded archive into a folder, which appears when it is complete.

    To be called by one process at a time, after `refuse_own`: what is in the folder is replaced.

    Args:
        archive: the file flower_photos.tgz.
        folder: the folder to make.

    Raises:
        DatasetError: if that fails, for instance because the disk is full.
    """
    part = folder.with_name(f".{folder.name}.part")
    try:
        shutil.rmtree(part, ignore_errors=True)  # left by a process that was killed
        part.mkdir(parents=True)
        shutil.unpack_archive(archive, part, "gztar", filter="data")
        unpacked = part / "flower_photos"
        lines = [
            f"{hashlib.sha256(path.read_bytes()).hexdigest()}  "
            f"{path.relative_to(unpacked).as_posix()}\n"
            for path in photographs(unpacked)
        ]
        (unpacked / SUMS).write_text("".join(lines), encoding="utf-8")
        for path in (unpacked, *unpacked.rglob("*")):  # whoever made the archive, all may read
            path.chmod(0o755 if path.is_dir() else 0o644)
        shutil.rmtree(folder, ignore_errors=True)
        os.rename(unpacked, folder)
    except DatasetError:
        raise
    except (OSError, EOFError, zlib.error) as error:
        raise DatasetError(
            f"Flowers: {archive} cannot be unpacked to {folder}: {error}. "
            "About 250 MB and the right to write there are needed"
        ) from error
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _folder():
    """Return a folder with photographs, downloaded and unpacked if there is none."""
    info = INFO["flowers"]
    root = mirror_root()
    if root is not None and any_in(root / "flowers"):
        return root / "flowers"
    if not in_cache():
        with alone(_cache(), info.title, "set KERAS_HOME to another folder"):
            if not in_cache():  # another process may have been faster
                refuse_own(_cache())
                unpack(obtain(info, info.files[0]), _cache())
    return _cache()


def _cache():
    return keras_cache() / "datasets" / "flowers"


def _read(paths, size, digests):
    """Read photographs as squares, the central part, scaled; compare the hashes that are known."""
    from PIL import Image, ImageOps
    from tqdm import tqdm

    images = np.empty((len(paths), size, size, 3), "uint8")
    for i, path in enumerate(tqdm(paths, "Flowers", leave=False, unit="photo", delay=2)):
        folder = path.parent.parent
        try:
            data = path.read_bytes()
            known = digests.get(path.relative_to(folder).as_posix())
            if known and hashlib.sha256(data).hexdigest() != known:
                raise OSError(f"its hash is not the one in {SUMS}")
            with Image.open(io.BytesIO(data)) as photo:
                photo.draft("RGB", (size, size))  # JPEG can skip detail that is not needed
                images[i] = ImageOps.fit(photo.convert("RGB"), (size, size), Image.BILINEAR)
        except OSError as error:
            raise DatasetError(f"Flowers: {path} is damaged ({error}). {_again(folder)}") from error
    return images
