"""The one shape in which data sets for classification come.

Two functions return something simpler: `sample_photos` an array, since two photographs have neither
labels nor splits, and `sprites` a pair of images and labels, since a chapter draws as many sets of
them as it wants, each as hard as it wants. What a `Dataset` has in `.info`, `info(name)` tells of
these two.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np


@dataclass(frozen=True)
class File:
    """A file that a data set is made of.

    Attributes:
        path: where it is in a mirror; what is under `keras/` has the same place in Keras' cache.
        size: in bytes.
        sha256: of the file, or of what is in it if `contents`: gzip stamps the time into a file.
        url: where to download it from; empty for files that only a mirror can have.
        contents: whether `sha256` is of the unpacked contents.
    """

    path: str
    size: int
    sha256: str
    url: str = ""
    contents: bool = False


@dataclass(frozen=True)
class Info:
    """What to know about a data set before using or passing it on.

    Attributes:
        name: of the function in `cnncourse.datasets`.
        title: its usual name.
        licence: under which it may be used.
        source: who made it, and where it is described.
        files: what is downloaded, with sizes and hashes; empty for data that need no download.
    """

    name: str
    title: str
    licence: str
    source: str
    files: tuple[File, ...] = ()

    @property
    def size(self) -> int:
        """Bytes to download."""
        return sum(file.size for file in self.files)


def check_whole(name: str, value, least: int, most: int | None = None) -> None:
    """Raise ValueError where an argument is no whole number, or too small or too large."""
    whole = isinstance(value, (int, np.integer)) and not isinstance(value, bool)
    if not whole or value < least or (most is not None and value > most):
        bounds = f"{least} or more" if most is None else f"{least} to {most}"
        raise ValueError(f"{name} is {value!r}; accepted: {bounds}, a whole number")


class Split(NamedTuple):
    """Images and their labels; unpacks into the two.

    Attributes:
        images: uint8 (n, height, width, channels).
        labels: int64 (n,), indices into the class names.
    """

    images: np.ndarray
    labels: np.ndarray


@dataclass(frozen=True, eq=False, repr=False)
class Dataset:
    """A data set in three splits, as arrays.

    For batches, `cnncourse.training.pipeline(*data.train)` makes a fast `tf.data` pipeline.

    Attributes:
        train: images to learn from.
        validation: images to choose a network and its settings by.
        test: images to report on, once.
        class_names: what label 0, 1, … stand for.
        info: title, licence, source and files.
    """

    train: Split
    validation: Split
    test: Split
    class_names: tuple[str, ...]
    info: Info

    def __repr__(self):
        """Say in a line what is there."""
        shape = " × ".join(map(str, self.train.images.shape[1:]))
        sizes = ", ".join(
            f"{len(split.labels):,} {name}"
            for name, split in (
                ("training", self.train),
                ("validation", self.validation),
                ("test", self.test),
            )
        )
        classes = len(self.class_names)
        return f"<{self.info.title}: {sizes} images of {shape}, {classes} classes>"
