"""Small pictures of one thing each: handwritten digits, and clothes."""

import gzip

import numpy as np
from cnncourse.datasets.dataset import Dataset, Split, check_whole
from cnncourse.datasets.files import has_idx, mirror_root, obtain
from cnncourse.datasets.sources import INFO, MNIST_IDX

DIGITS = tuple("0123456789")
CLOTHES = (
    *("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat"),
    *("Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"),
)


def digits() -> Dataset:
    """Return 1,797 handwritten digits of 8 × 8 pixels, embedded in scikit-learn.

    The splits, 1,257 / 180 / 360, are drawn at random, always the same.

    Returns:
        A `Dataset` of uint8 images (n, 8, 8, 1) whose values are 0 to 16, not 255.

    >>> digits()
    <Digits: 1,257 training, 180 validation, 360 test images of 8 × 8 × 1, 10 classes>
    """
    from sklearn.datasets import load_digits

    bunch = load_digits()
    images, labels = bunch.images.astype("uint8")[..., None], bunch.target.astype("int64")
    order = np.random.RandomState(42).permutation(len(labels))
    parts = np.split(order, [1257, 1257 + 180])
    return Dataset(*(Split(images[p], labels[p]) for p in parts), DIGITS, INFO["digits"])


def fashion_mnist(validation: int = 5000) -> Dataset:
    """Return Fashion-MNIST: 70,000 pictures of clothes, 28 × 28 pixels, in ten classes.

    Looked for in the mirror that `CNNCOURSE_DATA` names, then in Keras' cache; downloaded into
    that cache otherwise (31 MB).

    Args:
        validation: so many of the 60,000 training images, the last ones, are kept for validation.

    Returns:
        A `Dataset` of uint8 images (n, 28, 28, 1); its test split is the published one of 10,000.

    Raises:
        DatasetError: if the files cannot be had; the message says what to do.
        ValueError: if `validation` is no whole number from 0 to 60,000.
    """
    info = INFO["fashion_mnist"]
    check_whole("validation", validation, 0, 60000)
    paths = [obtain(info, file) for file in info.files]
    return _split_off(*(_read_idx(path) for path in paths), validation, CLOTHES, info)


def mnist(validation: int = 5000) -> Dataset:
    """Return MNIST: 70,000 handwritten digits, 28 × 28 pixels.

    Looked for in the mirror that `CNNCOURSE_DATA` names, as published in `mnist/` or as Keras has
    it, then in Keras' cache; downloaded into that cache otherwise (11 MB).

    Args:
        validation: so many of the 60,000 training images, the last ones, are kept for validation.

    Returns:
        A `Dataset` of uint8 images (n, 28, 28, 1); its test split is the published one of 10,000.

    Raises:
        DatasetError: if the files cannot be had; the message says what to do.
        ValueError: if `validation` is no whole number from 0 to 60,000.
    """
    info = INFO["mnist"]
    check_whole("validation", validation, 0, 60000)
    root = mirror_root()
    if root is not None and has_idx(root):
        arrays = [_read_idx(obtain(info, file)) for file in MNIST_IDX]
    else:
        with np.load(obtain(info, info.files[0]), allow_pickle=False) as stored:
            arrays = [stored[name] for name in ("x_train", "y_train", "x_test", "y_test")]
    return _split_off(*arrays, validation, DIGITS, info)


def _read_idx(path):
    """Read MNIST's own format: a magic number whose last byte counts the axes, sizes, bytes."""
    data = gzip.decompress(path.read_bytes())
    axes = data[3]
    shape = np.frombuffer(data, ">i4", count=axes, offset=4)
    return np.frombuffer(data, "uint8", offset=4 + 4 * axes).reshape(shape).copy()


def _split_off(x, y, x_test, y_test, validation, class_names, info):
    x, x_test = x[..., None], x_test[..., None]  # (n, 28, 28, 1)
    y, y_test = y.astype("int64"), y_test.astype("int64")
    rest = len(y) - validation
    return Dataset(
        Split(x[:rest], y[:rest]),
        Split(x[rest:], y[rest:]),
        Split(x_test, y_test),
        class_names,
        info,
    )
