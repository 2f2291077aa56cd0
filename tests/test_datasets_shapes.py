"""Generated shapes: exact truth, the same everywhere, out of reach for a linear model."""

import hashlib
import math

import numpy as np
import pytest
from cnncourse import datasets
from cnncourse.datasets import drawing, random_things, scenes
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression

SEEDS = st.integers(0, 2**31)


def fingerprint(*arrays):
    return hashlib.sha256(b"".join(a.tobytes() for a in arrays)).hexdigest()[:16]


def test_the_same_pixels_on_every_machine():
    """Hashes of pictures drawn once: they hold for every Python, NumPy and processor."""
    data = datasets.shapes(40, 0, 0)
    scene = datasets.shape_scenes(3)[2]
    frame = datasets.shape_film(10)[9]
    found = [
        fingerprint(*data.train),
        fingerprint(scene.image, scene.masks),
        fingerprint(frame.image),
    ]
    assert found == ["ba65eec26e4118c7", "031699ed79a4462b", "3a3c6548cac15f23"]


def test_no_rotation_hangs_on_the_last_bit_of_a_cosine():
    for t in range(drawing.TURNS):
        for value in (math.cos, math.sin):
            fraction = 4096 * value(2 * math.pi * t / drawing.TURNS) % 1
            assert abs(fraction - 0.5) > 1e-4


def test_classification_has_the_common_shape():
    data = datasets.shapes(600, 30, 20, size=24)
    assert data.class_names == ("circle", "cross", "heart", "square", "star", "triangle")
    assert data.info.name == "shapes"
    for split, n in ((data.train, 600), (data.validation, 30), (data.test, 20)):
        assert split.images.shape == (n, 24, 24, 3)
        assert split.images.dtype == np.uint8
        assert split.labels.dtype == np.int64
    counts = np.bincount(data.train.labels, minlength=6)
    assert counts.min() > 70  # 100 expected of each
    assert repr(data).startswith("<Shapes: 600 training, 30 validation, 20 test images of 24 × 24")


def test_more_images_begin_with_the_same_ones_and_splits_differ():
    few, many = datasets.shapes(5, 5, 5), datasets.shapes(9, 5, 5)
    np.testing.assert_array_equal(few.train.images, many.train.images[:5])
    assert not np.array_equal(few.train.images, few.test.images)
    assert not np.array_equal(few.train.images, datasets.shapes(5, 5, 5, seed=1).train.images)


# What a shape is in real numbers: an area, from a formula, for a circle of radius 1 around it.
AREAS = {
    "circle": math.pi * (880 / 1024) ** 2,
    "cross": (4 * 960 * 300 * 2 - 4 * 300**2) / 1024**2,
    "heart": (2 * 800**2 + math.pi * (400 * math.sqrt(2)) ** 2) / 1024**2,
    "square": 2.0,
    "star": 5 * math.sin(math.pi / 5) * math.sin(math.pi / 10) / math.sin(3 * math.pi / 10),
    "triangle": 3 * math.sqrt(3) / 4,
}


@pytest.mark.parametrize("name", drawing.CLASS_NAMES)
@given(turn=st.integers(0, 255), x=st.integers(3300, 3500), y=st.integers(3300, 3500))
@settings(max_examples=15, deadline=None)
def test_a_mask_has_the_area_of_its_shape(name, turn, x, y):
    label, radius = drawing.CLASS_NAMES.index(name), 40 * drawing.UNIT
    thing = drawing.Thing(label, x, y, radius, turn, (255, 0, 0), "plain")
    full = drawing.mask(thing, 107)
    assert full.sum() / 40**2 == pytest.approx(AREAS[name], rel=0.03)
    rows, columns = full.nonzero()
    distance = np.hypot(64 * columns + 32 - x, 64 * rows + 32 - y)
    assert distance.max() <= radius + 64
    assert distance.max() > 0.8 * radius


@given(seed=SEEDS, size=st.integers(48, 96))
@settings(max_examples=20, deadline=None)
def test_truth_of_a_scene(seed, size):
    """Masks do not overlap, full masks contain them, boxes touch them on all four sides."""
    (scene,) = datasets.shape_scenes(1, size=size, seed=seed)
    k = len(scene.labels)
    assert 1 <= k <= 5
    assert scene.masks.shape == scene.full_masks.shape == (k, size, size)
    assert scene.masks.sum(axis=0).max() == 1
    assert not (scene.masks & ~scene.full_masks).any()
    assert ((scene.full_masks.any(axis=0)) == scene.masks.any(axis=0)).all()
    assert scene.visibility.min() >= 0.3
    assert scene.track_ids.tolist() == list(range(1, k + 1))
    for masks, boxes in (
        (scene.full_masks, scene.boxes),
        (scene.masks, scene.visible_boxes),
    ):
        for mask, (x1, y1, x2, y2) in zip(masks, boxes, strict=True):
            inside = mask[y1:y2, x1:x2]
            assert inside.sum() == mask.sum()
            edges = (inside[0], inside[-1], inside[:, 0], inside[:, -1])
            assert all(edge.any() for edge in edges)
    for label, mask in zip(scene.labels, scene.masks, strict=True):
        assert (scene.semantic_mask[mask] == 1 + label).all()
    assert (scene.semantic_mask > 0).sum() == scene.masks.sum()


@given(seed=SEEDS)
@settings(max_examples=10, deadline=None)
def test_a_picture_shows_what_the_masks_say(seed):
    """Drawn again without its shapes, a picture differs inside the masks and only there."""
    rng = scenes.Random(seed)
    background, avoid = random_things.random_background(64, rng)
    things = [random_things.random_thing(64, (10, 22), avoid, rng) for _ in range(4)]
    noise = scenes.np.random.RandomState
    scene = scenes._scene(background, things, noise(0))
    empty = scenes._finish(background.copy(), noise(0))
    different = (scene.image != empty).any(axis=-1)
    inside = scene.masks.any(axis=0)
    assert not (different & ~inside).any()
    assert (different & inside).sum() > 0.9 * inside.sum()  # a bar may have a shape's colour


@given(seed=SEEDS, objects=st.integers(1, 6))
@settings(max_examples=10, deadline=None)
def test_truth_of_a_film(seed, objects):
    """Ids and labels stay, shapes move a little and never leave, pairs hide each other."""
    film = datasets.shape_film(24, size=64, objects=objects, seed=seed)
    assert len(film) == 24
    centres = []
    for frame in film:
        assert frame.track_ids.tolist() == list(range(1, objects + 1))
        np.testing.assert_array_equal(frame.labels, film[0].labels)
        assert frame.masks.sum(axis=0).max() <= 1
        assert (frame.boxes[:, :2] >= 0).all() and (frame.boxes[:, 2:] <= 64).all()
        centres.append((frame.boxes[:, :2] + frame.boxes[:, 2:]) / 2)
        hidden = frame.visibility == 0
        assert (frame.visible_boxes[hidden] == 0).all()
    steps = np.abs(np.diff(centres, axis=0))
    assert 0 < steps.max() <= 64 / 40 + 3  # a turning triangle's box moves by itself
    least = np.min([frame.visibility for frame in film], axis=0)
    assert (least[: objects // 2 * 2 : 2] < 0.7).all()  # the first of each pair is hidden in part


def test_a_shape_can_be_hidden_almost_altogether_and_is_seen_again():
    films = [datasets.shape_film(40, size=64, objects=2, seed=seed) for seed in range(10)]
    hidden = np.array([[frame.visibility[0] for frame in film] for film in films])
    assert np.median(hidden.min(axis=1)) < 0.3
    assert (hidden.max(axis=1) > 0.8).all()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: datasets.shapes(-1), "train is -1; accepted: 0 or more"),
        (lambda: datasets.shapes(size=8), "size is 8; accepted: 16 or more"),
        (lambda: datasets.shape_scenes(1, objects=(3, 2)), "objects is (3, 2); accepted"),
        (lambda: datasets.shape_scenes(1, objects=(0, 2)), "objects is (0, 2); accepted"),
        (lambda: datasets.shape_scenes(1, size=32), "size is 32; accepted: 48 or more"),
        (lambda: datasets.shape_film(0), "frames is 0; accepted: 1 or more"),
        (lambda: datasets.shapes(2.5), "train is 2.5; accepted: 0 or more, a whole number"),
        (lambda: datasets.shape_scenes(1, objects=3), "objects is 3; accepted: (fewest, most)"),
        (lambda: datasets.shape_scenes(1, objects="12"), "objects is '12'; accepted"),
        (lambda: datasets.shape_scenes(1, objects=(1, 2.5)), "objects is (1, 2.5); accepted"),
        (lambda: datasets.shape_film(2.5), "frames is 2.5; accepted: 1 or more, a whole number"),
    ],
)
def test_bad_numbers_are_named(call, message):
    with pytest.raises(ValueError) as caught:
        call()
    assert str(caught.value).startswith(message)


def test_every_background_leaves_colours_to_choose_from():
    for first in random_things.QUIET:
        for second in random_things.QUIET:
            left = [
                colour
                for colour in random_things.VIVID
                if all(
                    random_things._contrast(colour, other) >= random_things.LEAST_CONTRAST
                    for other in (first, second)
                )
            ]
            assert len(left) >= 4


@pytest.mark.slow
def test_a_linear_model_fails_where_a_small_network_does_not():
    data = datasets.shapes(6000, 0, 1000)
    pixels, labels = data.train.images / np.float32(127.5) - 1, data.train.labels
    test_pixels = data.test.images / np.float32(127.5) - 1
    linear = LogisticRegression(C=0.01, max_iter=100, tol=0.01)
    linear.fit(pixels.reshape(len(pixels), -1), labels)
    linear_accuracy = linear.score(test_pixels.reshape(len(test_pixels), -1), data.test.labels)

    import keras
    from keras import layers

    keras.utils.set_random_seed(0)
    network = keras.Sequential([keras.Input((32, 32, 3))])
    for filters in (16, 32, 64):
        network.add(
            layers.Conv2D(filters, 5 if filters == 16 else 3, padding="same", use_bias=False)
        )
        network.add(layers.BatchNormalization(momentum=0.9))
        network.add(layers.ReLU())
        network.add(layers.MaxPooling2D())
    network.add(layers.Conv2D(96, 3, padding="same", use_bias=False))
    network.add(layers.BatchNormalization(momentum=0.9))
    network.add(layers.ReLU())
    network.add(layers.GlobalMaxPooling2D())
    network.add(layers.Dense(6, activation="softmax"))
    schedule = keras.optimizers.schedules.CosineDecay(0.006, 6 * 94)
    adam = keras.optimizers.Adam(schedule)
    network.compile(adam, "sparse_categorical_crossentropy", metrics=["accuracy"])
    network.fit(pixels, labels, batch_size=64, epochs=6, verbose=0)
    accuracy = network.evaluate(test_pixels, data.test.labels, verbose=0)[1]
    print(f"linear model {linear_accuracy:.3f}, network {accuracy:.3f}")
    assert linear_accuracy < 0.3  # chance is 0.167
    assert accuracy > 0.85
