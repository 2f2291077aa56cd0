"""Chapter 00: every number its text states, computed again; its map, figures and exercises."""

import re
from pathlib import Path

import keras
import numpy as np
import pytest
import stored
from cnncourse.datasets import sample_photos
from cnncourse.demos.timeline import ENTRIES, NO_CNN
from cnncourse.grading import progress
from cnncourse.grading.check import Session
from hypothesis import given, settings
from hypothesis import strategies as st

ROOT = Path(__file__).resolve().parent.parent
CHAPTER = stored.read("chapters", "00_start_here")
TEXT = stored.prose(CHAPTER)
PRINTED = stored.printed(CHAPTER.cells)
SOLUTION = stored.read("solutions", "00_start_here")


@pytest.fixture(scope="module")
def photos():
    return sample_photos()


@pytest.fixture(scope="module")
def answers():
    """The reference functions of the exercises, from the cells that students get as stubs."""
    names = {"np": np}
    for cell in SOLUTION.cells:
        if cell.metadata.get("nbgrader", {}).get("solution") and cell.cell_type == "code":
            exec(cell.source, names)
    return names


# ---------------------------------------------------------------------------- photos, crop, means


def test_the_batch_is_what_the_text_says(photos):
    assert photos.shape == (2, 427, 640, 3)
    assert photos.dtype == np.uint8
    assert "(2, 427, 640, 3) uint8" in PRINTED
    bytes_stated = int(re.search(r"= ([\d,]+) bytes", TEXT)[1].replace(",", ""))
    assert bytes_stated == photos.nbytes == 2 * 427 * 640 * 3
    assert f"{photos.nbytes:,} bytes, values from {photos.min()} to {photos.max()}" in PRINTED


def test_the_crop_is_keras_crop(photos):
    theirs = np.asarray(keras.layers.CenterCrop(70, 120)(photos))
    first_row, last_row, first_column, last_column = map(
        int, re.search(r"rows (\d+) to (\d+), columns (\d+) to (\d+)", PRINTED).groups()
    )
    assert (first_row, last_row, first_column, last_column) == (178, 247, 260, 379)
    ours = photos[:, first_row : last_row + 1, first_column : last_column + 1]
    assert ours.shape == (2, 70, 120, 3)
    np.testing.assert_array_equal(theirs, ours)


def test_channel_means(photos):
    curriculum = [[0.643388, 0.597182, 0.582504], [0.76307, 0.26011, 0.10849]]
    crops = photos[:, 178:248, 260:380].astype("float32") / 255
    exact = crops.mean(axis=(1, 2), dtype="float64")
    np.testing.assert_allclose(exact, curriculum, atol=1e-4)
    np.testing.assert_allclose(crops.mean(axis=(1, 2)), exact, atol=1e-4)
    printed = re.findall(r"red (\S+), green (\S+), blue (\S+)", PRINTED)
    np.testing.assert_allclose(np.array(printed, float), exact, atol=0.5e-4)


def test_what_is_said_of_rounding(photos):
    blue = photos[0, 178:248, 260:380, 2].astype("float32") / 255
    assert blue.size == 8400 and "8,400 additions" in TEXT
    in_float64, in_float32 = map(float, re.findall(r"added in float\d\d: (\S+)", PRINTED))
    assert in_float64 == pytest.approx(blue.mean(dtype="float64"), abs=1e-7)
    assert f"{in_float64:.3f}" == "0.583"
    assert in_float32 == pytest.approx(in_float64, abs=1e-4)


def test_what_is_said_of_uint8(photos):
    assert np.array(260).astype("uint8") == 4  # "260 would wrap round to 4"
    sky = photos[0, :60, 400:600] * 2.0
    assert (sky > 255).mean() > 0.5  # "set the brightness to 2 and look at the sky"


# ------------------------------------------------------------------------------------- yardstick


def test_top_5_of_blind_guesses():
    stated = float(re.search(r"fail (\S+) % of the time", TEXT)[1]) / 100
    assert stated == pytest.approx(1 - 5 / 1000)


def test_the_small_world_by_keras_metric():
    names = {"np": np}
    exec(next(c.source for c in CHAPTER.cells if "classes = [" in c.source), names)
    for k, stated in (("1", 0.75), ("2", 0.25), ("5", 0.0)):
        metric = keras.metrics.SparseTopKCategoricalAccuracy(k=int(k))
        metric.update_state(names["labels"], names["probs"].astype("float32"))
        assert 1 - float(metric.result()) == pytest.approx(stated)
        assert f"top-{k} error: {stated:.2f}" in PRINTED
    assert re.search(r"top-2 error of 0\.25\b.*top-1 error of 0\.75\b", TEXT, re.DOTALL)


def test_timeline_is_the_curriculum():
    table = {entry.name: entry for entry in ENTRIES}
    best = {"AlexNet": 15.3, "GoogLeNet": 6.67, "VGG": 7.3, "ResNet": 3.57, "SENet": 2.25}
    years = {"AlexNet": 2012, "GoogLeNet": 2014, "VGG": 2014, "ResNet": 2015, "SENet": 2017}
    depths = {"AlexNet": "8", "GoogLeNet": "22", "VGG": "19", "ResNet": "152"}
    for name, error in best.items():
        assert (table[name].top5, table[name].year) == (error, years[name])
    for name, layers in depths.items():
        assert table[name].layers == layers
    assert table["Inception-v4 paper"].role == "not an entry"
    assert [e.top5 for e in ENTRIES if e.layers == NO_CNN] == [25.8, 26.2]
    (clarifai,) = [e for e in ENTRIES if e.year == 2013 and e.role == "winner"]
    assert (clarifai.name, clarifai.top5) == ("Clarifai", 11.7)


def test_the_text_states_the_timeline_s_numbers():
    for number in ("15.3 %", "26.2 %", "25.8 %", "11.7 %", "2.25 %", "17.0 %"):
        assert number in TEXT
    table = {entry.name: entry for entry in ENTRIES}
    assert round(1 - table["AlexNet"].top5 / 26.2, 1) == 0.4  # "cut the error by two fifths"
    figure = next(c for c in CHAPTER.cells if "for i, entry in enumerate(ENTRIES)" in c.source)
    alt = re.search(r'alt="([^"]*)"', figure.outputs[0]["data"]["text/html"])[1]
    for name, error in re.findall(r"(AlexNet|Clarifai|GoogLeNet|ResNet|SENet) ([\d.]*\d)", alt):
        assert table[name].top5 == float(error)


def test_depth_counts_layers_with_parameters():
    vgg = keras.applications.VGG16(weights=None)
    kinds = [type(layer).__name__ for layer in vgg.layers if layer.weights]
    assert (kinds.count("Conv2D"), kinds.count("Dense"), len(kinds)) == (13, 3, 16)
    assert sum(type(layer).__name__ == "MaxPooling2D" for layer in vgg.layers) == 5
    assert "depth: 0" in PRINTED


# ------------------------------------------------------------------------------- map and exercises


def test_the_map_lists_19_chapters_and_links_those_that_exist():
    table = TEXT.split("### The map")[1].split("### The folders")[0]
    assert [int(n) for n in re.findall(r"\| [*\[]*(\d\d) ", table)] == list(range(19))
    linked = set(re.findall(r"\((\d\d_\w+\.ipynb)\)", table))
    assert linked == {path.name for path in (ROOT / "chapters").glob("[0-9]*.ipynb")}


crops = st.tuples(st.integers(1, 9), st.integers(1, 9), st.integers(1, 9), st.integers(1, 9))


@settings(max_examples=25, deadline=None)
@given(sizes=crops, seed=st.integers(0, 99))
def test_center_crop_is_keras_crop_or_refuses(answers, sizes, seed):
    height, width, h, w = sizes
    image = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype="uint8")
    if h > height or w > width:
        with pytest.raises(ValueError, match=f"crop is {h} × {w}"):
            answers["center_crop"](image, h, w)
        return
    theirs = keras.layers.CenterCrop(h, w)(image[np.newaxis])[0]
    np.testing.assert_array_equal(answers["center_crop"](image, h, w), theirs)


@pytest.mark.parametrize("photo", [0, 1])
def test_center_crop_of_the_photos(answers, photos, photo):
    theirs = keras.layers.CenterCrop(70, 120)(photos)[photo]
    np.testing.assert_array_equal(answers["center_crop"](photos[photo], 70, 120), theirs)


@pytest.mark.parametrize(("lo", "hi"), [(0.0, 1.0), (-1, 1), (10, 30)])
def test_rescale_is_keras_rescaling(answers, photos, lo, hi):
    ours = answers["rescale"](photos, lo, hi)
    theirs = keras.layers.Rescaling((hi - lo) / 255, offset=lo)(photos)
    assert ours.dtype == np.float32
    np.testing.assert_allclose(ours, theirs, atol=1e-5)
    assert answers["rescale"](np.array([0, 255.0]), lo, hi).tolist() == [lo, hi]
    middle = answers["rescale"](np.array([127.5]), -1, 1)
    np.testing.assert_allclose(middle, 0, atol=1e-7)


@settings(max_examples=25, deadline=None)
@given(classes=st.integers(2, 12), k=st.integers(1, 6), seed=st.integers(0, 99))
def test_top_k_error_is_keras_metric(answers, classes, k, seed):
    rng = np.random.default_rng(seed)
    probs, labels = rng.random((20, classes), "float32"), rng.integers(0, classes, 20)
    k = min(k, classes)
    hits = np.asarray(keras.ops.in_top_k(labels, probs, k=k))
    assert answers["top_k_error"](probs, labels, k) == pytest.approx(1 - hits.mean())


def test_top_k_error_breaks_ties_by_the_lower_index(answers):
    flat = np.full((3, 6), 1 / 6)
    assert answers["top_k_error"](flat, np.array([0, 1, 2]), k=2) == pytest.approx(1 / 3)


def test_to_batch(answers):
    rng = np.random.default_rng(0)
    grey = rng.integers(0, 256, (3, 4, 5), dtype="uint8")
    batch = answers["to_batch"](list(grey))
    assert (batch.shape, batch.dtype) == ((3, 4, 5, 1), np.float32)
    np.testing.assert_array_equal(batch[..., 0], grey)
    for unequal in ([grey[0], grey[1, :3]], [grey[0], np.stack([grey[1]] * 3, axis=-1)], []):
        with pytest.raises(ValueError, match="accepted: all the same"):
            answers["to_batch"](unequal)


def test_exercises_are_worth_ten_points():
    points = [c.metadata.get("nbgrader", {}).get("points", 0) for c in SOLUTION.cells]
    assert [p for p in points if p] == [3, 3, 2, 2]


def test_the_check_that_the_chapter_shows_is_what_learners_get(monkeypatch):
    monkeypatch.setattr(progress, "record", lambda *_: "")
    wrong = {"np": np, "rescale": lambda x, lo=0.0, hi=1.0: np.float32(lo + x / 256 * (hi - lo))}
    report = Session("00_start_here", wrong).check("rescale")
    shown = re.search(r"```text\n(.*?)\n```", TEXT, re.DOTALL)[1]
    assert repr(report) == shown
