"""The data sets, embedded and real, as the course's loaders give them."""

import dataclasses
import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from cnncourse import datasets
from cnncourse.datasets import files, sources
from cnncourse.datasets.dataset import File
from PIL import Image

MIRROR = os.environ.get("CNNCOURSE_DATA")
real = pytest.mark.skipif(not MIRROR, reason="real data: set CNNCOURSE_DATA to a mirror")


@pytest.fixture(autouse=True)
def no_cache(monkeypatch, tmp_path):
    """Whatever is loaded comes from the mirror: Keras' cache is empty, and nothing is near."""
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")


def sizes(data):
    return [len(split.labels) for split in (data.train, data.validation, data.test)]


def test_sample_photos_are_the_two_known_pictures():
    photos = datasets.sample_photos()
    assert photos.shape == (2, 427, 640, 3)
    assert photos.dtype == np.uint8
    crop = photos[:, 178:248, 260:380] / 255  # the centre 70 × 120, as in chapter 00
    known = [[0.64339, 0.59718, 0.58250], [0.76307, 0.26011, 0.10849]]
    np.testing.assert_allclose(crop.mean(axis=(1, 2)), known, atol=1e-4)


def test_digits_are_scikit_learns_in_three_splits():
    from sklearn.datasets import load_digits

    data = datasets.digits()
    assert sizes(data) == [1257, 180, 360]
    images = np.concatenate([data.train.images, data.validation.images, data.test.images])
    assert images.shape == (1797, 8, 8, 1)
    assert images.dtype == np.uint8
    labels = np.concatenate([data.train.labels, data.validation.labels, data.test.labels])
    ours = sorted((label, image.tobytes()) for image, label in zip(images, labels, strict=True))
    bunch = load_digits()
    theirs = zip(bunch.images.astype("uint8"), bunch.target, strict=True)
    assert ours == sorted((label, image.tobytes()) for image, label in theirs)
    assert np.bincount(data.test.labels).min() >= 20  # no class is left out


def test_everything_says_what_it_is():
    assert set(sources.INFO) == {
        *("digits", "sample_photos", "shapes", "sprites", "fashion_mnist", "mnist", "flowers"),
    }
    for name in sources.INFO:
        info = datasets.info(name)
        assert callable(getattr(datasets, name))
        assert info.name == name and info.title and info.licence and info.source
        for file in info.files:
            assert len(file.sha256) == 64 and file.size > 0 and file.url.startswith("https://")
    assert datasets.shape_scenes(1)[0].info is datasets.info("shapes")
    with pytest.raises(ValueError, match="name is 'imagenet'; accepted: digits, sample_photos"):
        datasets.info("imagenet")


def test_hash_and_address_are_those_of_keras():
    folder = Path(importlib.util.find_spec("keras").origin).parent / "src" / "datasets"
    (file,) = datasets.info("mnist").files
    assert file.sha256 in (folder / "mnist.py").read_text()
    code = (folder / "fashion_mnist.py").read_text()
    for file in datasets.info("fashion_mnist").files:
        base, name = file.url.rsplit("/", 1)
        assert f'"{base}/"' in code and f'"{name}"' in code


def test_loading_needs_no_keras():
    """Nor TensorFlow: a loader is there in a second."""
    code = (
        "import sys; from cnncourse import datasets; datasets.digits(); datasets.shapes(2, 1, 1)\n"
        "print([m for m in ('keras', 'tensorflow', 'matplotlib', 'pooch') if m in sys.modules])"
    )
    out = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert out.stdout == "[]\n"


@real
def test_fashion_mnist():
    data = datasets.fashion_mnist()
    assert sizes(data) == [55000, 5000, 10000]
    assert data.train.images.shape == (55000, 28, 28, 1)
    assert data.train.images.dtype == np.uint8 and data.train.labels.dtype == np.int64
    everything = datasets.fashion_mnist(validation=0)
    assert sizes(everything) == [60000, 0, 10000]
    images, labels = everything.train  # unpacks
    np.testing.assert_array_equal(images[55000:], data.validation.images)
    assert np.bincount(labels).tolist() == [6000] * 10
    assert images.mean() == pytest.approx(72.94, abs=0.01)  # 0.2860 × 255, as published
    assert data.class_names[labels[0]] == "Ankle boot"
    images[0] = 0  # a learner may write into the arrays


@real
def test_fashion_mnist_is_what_keras_loads(tmp_path):
    """Keras finds its files where a mirror has them, and both read the same arrays."""
    shutil.copytree(Path(MIRROR, "keras/datasets"), tmp_path / "datasets", symlinks=True)
    code = (
        "import hashlib, keras\n"
        "for pair in keras.datasets.fashion_mnist.load_data():\n"
        "    for array in pair: print(hashlib.sha256(array.tobytes()).hexdigest())\n"
    )
    environment = os.environ | {"KERAS_HOME": str(tmp_path)}
    keras_says = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True, env=environment
    ).stdout.split()
    data = datasets.fashion_mnist(validation=0)
    arrays = [*data.train, *data.test]
    found = [hashlib.sha256(a.astype("uint8").tobytes()).hexdigest() for a in arrays]
    assert found == keras_says


@real
def test_mnist():
    data = datasets.mnist()
    assert sizes(data) == [55000, 5000, 10000]
    assert data.test.images.shape == (10000, 28, 28, 1)
    assert data.train.labels[:10].tolist() == [5, 0, 4, 1, 9, 2, 1, 3, 1, 4]
    assert np.bincount(data.test.labels).tolist() == [
        *(980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009),
    ]
    assert data.train.images.mean() == pytest.approx(33.3, abs=0.1)  # 0.1307 × 255


@pytest.mark.parametrize("load", [datasets.mnist, datasets.fashion_mnist])
@pytest.mark.parametrize("validation", [70000, -1, 0.5, True, "5"])
def test_validation_out_of_range(load, validation):
    message = f"validation is {validation!r}; accepted: 0 to 60000, a whole number"
    with pytest.raises(ValueError, match=message):
        load(validation=validation)


def test_mnist_as_keras_has_it(monkeypatch, tmp_path):
    """From a mirror with mnist.npz, a small one whose hash is put in the place of the true one."""
    path = tmp_path / "keras" / "datasets" / "mnist.npz"
    path.parent.mkdir(parents=True)
    x, y = np.arange(60 * 784, dtype="uint8").reshape(60, 28, 28), np.arange(60, dtype="uint8")
    np.savez(path, x_train=x, y_train=y, x_test=x[:7], y_test=y[:7])
    file = File("keras/datasets/mnist.npz", path.stat().st_size, files.sha256(path))
    info = dataclasses.replace(sources.INFO["mnist"], files=(file,))
    monkeypatch.setitem(sources.INFO, "mnist", info)
    monkeypatch.setenv("CNNCOURSE_DATA", str(tmp_path))
    data = datasets.mnist(validation=10)
    assert sizes(data) == [50, 10, 7]
    np.testing.assert_array_equal(data.validation.images[..., 0], x[50:])


@real
def test_a_truncated_copy_of_mnist_is_an_error(monkeypatch, tmp_path):
    shutil.copytree(Path(MIRROR, "mnist"), tmp_path / "mnist")
    path = tmp_path / "mnist" / "t10k-labels-idx1-ubyte.gz"
    path.chmod(0o644)
    path.write_bytes(path.read_bytes()[:-100])
    monkeypatch.setenv("CNNCOURSE_DATA", str(tmp_path))
    with pytest.raises(datasets.DatasetError, match=r"MNIST: .*t10k-labels.* is damaged"):
        datasets.mnist()
    path.unlink()
    with pytest.raises(datasets.DatasetError, match=r"MNIST: .*t10k-labels.* is missing"):
        datasets.mnist()


@real
def test_flowers():
    data = datasets.flowers(size=64)
    total = sum(sizes(data))
    assert total == len(list(Path(MIRROR, "flowers").glob("*/*.jpg")))
    shares = np.array(sizes(data)) / total
    np.testing.assert_allclose(shares, [0.75, 0.15, 0.1], atol=0.002)
    assert data.train.images.shape[1:] == (64, 64, 3)
    assert data.class_names == ("daisy", "dandelion", "roses", "sunflowers", "tulips")
    for split in (data.train, data.validation, data.test):
        assert len(np.bincount(split.labels, minlength=5).nonzero()[0]) == 5
    roses, sunflowers = (
        data.train.images[data.train.labels == label].mean(axis=(0, 1, 2)) for label in (2, 3)
    )
    assert sunflowers[1] - sunflowers[2] > 25 + roses[1] - roses[2]  # yellow against red
    again = datasets.flowers(size=64)
    np.testing.assert_array_equal(again.test.images, data.test.images)


@pytest.fixture
def garden(tmp_path, monkeypatch):
    """A mirror with one photograph of each class, of different sizes: left half red."""
    for i, name in enumerate(datasets.flower_photos.FLOWERS):
        folder = tmp_path / "flowers" / name
        folder.mkdir(parents=True)
        pixels = np.zeros((60 + 20 * i, 140 - 20 * i, 3), "uint8")
        pixels[:, : pixels.shape[1] // 2] = 255, 0, 0
        Image.fromarray(pixels).save(folder / "a.jpg", quality=95)
    monkeypatch.setenv("CNNCOURSE_DATA", str(tmp_path))
    return tmp_path / "flowers"


def test_flowers_are_cut_from_the_centre(garden):
    data = datasets.flowers(size=32)
    images = np.concatenate([data.train.images, data.validation.images, data.test.images])
    assert images.shape == (5, 32, 32, 3)
    assert images[:, :, :14, 0].min() > 200
    assert images[:, :, 18:, 0].max() < 60


def test_a_truncated_photograph_is_named(garden):
    path = garden / "roses" / "a.jpg"
    path.write_bytes(path.read_bytes()[:400])
    with pytest.raises(datasets.DatasetError, match=r"Flowers: .*roses.a\.jpg is damaged"):
        datasets.flowers(size=32)


def test_a_class_without_photographs_is_named(garden):
    (garden / "tulips" / "a.jpg").unlink()
    with pytest.raises(datasets.DatasetError, match=r"Flowers: no photographs in .*tulips"):
        datasets.flowers(size=32)


@pytest.mark.parametrize("size", [4, 20.5])
def test_flowers_of_no_size(size):
    with pytest.raises(ValueError, match=f"size is {size}; accepted: 8 or more, a whole number"):
        datasets.flowers(size=size)


def test_nothing_takes_the_place_of_a_set_that_is_not_there(monkeypatch, tmp_path):
    monkeypatch.setenv("CNNCOURSE_DATA", str(tmp_path))
    for load in (datasets.fashion_mnist, datasets.mnist, datasets.flowers):
        with pytest.raises(datasets.DatasetError, match="could not be downloaded from storage"):
            load()
    assert list(tmp_path.rglob("*.gz")) == []


def test_photos_are_scikit_learns():
    from sklearn.datasets import load_sample_images

    photos = datasets.sample_photos()
    assert photos.dtype == "uint8"
    np.testing.assert_array_equal(photos, load_sample_images().images)
