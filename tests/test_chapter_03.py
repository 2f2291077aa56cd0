"""Chapter 03: every number the text states, recomputed another way; its code against the library's.

The exercises' reference solutions are compared with Keras and TensorFlow here as well.
"""

import re
import tempfile
from functools import partial
from pathlib import Path

import keras
import numpy as np
import pytest
import stored
import tensorflow as tf
from cnncourse import datasets, layers, scratch
from cnncourse.paths import course_root
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, ndimage, stats
from sklearn.datasets import load_digits

ROOT = course_root()
CHAPTER = stored.read("chapters", "03_pooling")
SOLUTIONS = stored.read("solutions", "03_pooling")
PROSE = stored.prose(CHAPTER)
PRINTED = stored.printed(CHAPTER.cells)
MATRIX = [
    [1, 2, 6, 0, 0, 2],
    [2, 0, 3, 2, 1, 0],
    [0, 4, 3, 3, 5, 1],
    [1, 2, 3, 0, 1.2, 2],
    [5, 6, 4, 1, 0, 4.1],
    [9, 2, 0, 2, 7.8, 4],
]
SMALL = np.array([[1, 5, 2, 0], [3, 2, 6, 1], [0, 2, 9, 7], [8, 1, 3, 2]], "float32")
defined = partial(stored.defined, np=np, keras=keras, scratch=scratch, tf=tf)


def max_pool(x, size=2, strides=None, padding="valid"):
    """Pool with Keras, in x's own float type."""
    layer = keras.layers.MaxPooling2D(size, strides, padding, dtype=str(x.dtype))
    return keras.ops.convert_to_numpy(layer(x))


def mean_pool(x):
    """Average windows of 2×2 by a reshape."""
    n, h, w, c = x.shape
    return x.reshape(n, h // 2, 2, w // 2, 2, c).mean(axis=(2, 4))


def max_pool_map(x):
    return max_pool(x[np.newaxis, :, :, np.newaxis])[0, :, :, 0]


# What the text says


def test_first_window():
    window = [1, 5, 3, 2]
    assert f"1, 5, 3, 2. Its largest value is {max(window)}, its mean is {sum(window) / 4}" in PROSE
    assert sorted(SMALL[:2, :2].ravel()) == sorted(window)


def test_matrix():
    windows = [
        [MATRIX[i][j] for i in range(r, r + 3) for j in range(c, c + 3)]
        for r in (0, 3)
        for c in (0, 3)
    ]
    sums = [round(sum(w), 6) for w in windows]
    assert sums == [21, 14, 32, 22.1]
    assert [max(w) for w in windows] == [6, 5, 9, 7.8]
    means = ", ".join(f"{s / 9:.3f}" for s in sums[:3]) + f" and {sums[3] / 9:.3f}"
    assert means == "2.333, 1.556, 3.556 and 2.456"
    assert means in PROSE and "21, 14, 32 and 22.1" in PROSE
    assert "max  [[6.0, 5.0], [9.0, 7.8]]" in PRINTED
    assert "mean [[2.333, 1.556], [3.556, 2.456]]" in PRINTED


def test_sizes():
    for side in (28, 14, 7):
        valid, same = (
            keras.layers.MaxPooling2D(padding=p).compute_output_shape((1, side, side, 1))[1]
            for p in ("valid", "same")
        )
        assert f"{side:2d} -> valid {valid:2d}, same {same:2d}" in PRINTED
    assert "(2, 427, 640, 3) -> (2, 213, 320, 3)" in PRINTED


def test_costs():
    conv = keras.Sequential([keras.Input((28, 28, 64)), keras.layers.Conv2D(128, 3)])
    for side in (28, 14):
        macs = np.prod((side, side, 128)) * np.prod((3, 3, 64))
        line = (
            f"{side * side * 64:6,} values in, {macs:10,} MAC, {conv.count_params():,} parameters"
        )
        assert line in PRINTED
    assert conv.count_params() == 73_856 and "73,856 in both rows" in PROSE
    dense = {side: keras.layers.Dense(128) for side in (3, 28)}
    for side, layer in dense.items():
        assert layer.compute_output_shape((None, side * side * 256))[-1] == 128
        assert f"dense layer has {(side * side * 256 + 1) * 128:10,} parameters" in PRINTED
    assert (28 * 28 * 256 + 1) * 128 == 25_690_240 and (3 * 3 * 256 + 1) * 128 == 295_040
    assert "25.7 million against 0.3 million" in PROSE
    assert f"{'global average':15} {(256 + 1) * 128:9,} parameters" in PRINTED
    strided = keras.Sequential([keras.Input((28, 28, 64)), keras.layers.Conv2D(64, 3, 2)])
    assert strided.count_params() == 36_928
    assert "36,928 parameters" in PROSE and "36,928 parameters" in PRINTED


def test_three_quarters_are_dropped():
    assert "9,600 values in, 2,400 out, 75% dropped" in PRINTED
    assert 80 * 120 == 9_600 and 1 - 40 * 60 / 9_600 == 0.75


def test_a_lonely_response_and_the_bias_of_the_maximum():
    assert f"1×1: max 1, mean {1 / 64:.6f}" in PRINTED and "1/64" in PROSE
    bias = integrate.quad(lambda z: z * 4 * stats.norm.pdf(z) * stats.norm.cdf(z) ** 3, -9, 9)[0]
    assert f"max of four:  {bias:.2f} on average" in PRINTED and f"about {bias:.2f}" in PROSE


def test_spike_and_phase():
    pooled = {p: [max(row) for row in np.eye(8)[p].reshape(4, 2)] for p in range(8)}
    assert pooled[2] == pooled[3] == [0, 1, 0, 0] and pooled[4] == [0, 0, 1, 0]
    for start, shift, same in ((2, 1, 4), (2, 2, 2), (3, 1, 2)):
        equal = sum(a == b for a, b in zip(pooled[start], pooled[start + shift], strict=True))
        assert equal == same
        assert f"spike at {start} moved by {shift}: {same} of 4 outputs unchanged" in PRINTED
    for count in (1, 2, 3):
        share = (2**count - 1) / 2**count
        assert f"{count} × max pooling: {share:.1%} of one-pixel shifts change nothing" in PRINTED


def test_images_a_b_c():
    a = np.zeros((8, 8))
    a[1:6, 2], a[5, 4] = 1, 0.6
    one, two, three = (max_pool_map(ndimage.shift(a, (0, t), order=0)) for t in range(3))
    assert np.array_equal(one, two) and (one != three).sum() == 7
    for name, share in (("A and B, shift 1", 1), ("A and C, shift 2", 9 / 16)):
        assert f"{name}: {share:.0%} of the outputs are equal" in PRINTED
    assert f"B and C, shift 1: {9 / 16:.0%}" in PRINTED


def ring(corner_row, corner_column, side):
    rows, columns = np.indices((16, 16))
    rows, columns = rows - corner_row, columns - corner_column
    inside = (rows >= 0) & (columns >= 0) & (rows < side) & (columns < side)
    core = (rows >= 1) & (columns >= 1) & (rows < side - 1) & (columns < side - 1)
    return (inside & ~core).astype(float)


def pearson(one, other):
    return stats.pearsonr(one.ravel(), other.ravel()).statistic


@pytest.mark.parametrize(
    ("name", "first", "second", "numbers", "differing"),
    [
        ("moved by one column  ", (4, 4, 8), (4, 5, 8), "0.44 -> 0.71", 6),
        ("one pixel larger     ", (4, 4, 8), (4, 4, 9), "0.44 -> 0.37", 14),
        ("corner at 4: one pixel larger ", (4, 4, 8), (4, 4, 9), "0.44 -> 0.37", 14),
        ("corner at 3: one pixel larger ", (3, 3, 8), (3, 3, 9), "0.44 -> 1.00", 0),
    ],
)
def test_hollow_squares(name, first, second, numbers, differing):
    one, other = ring(*first), ring(*second)
    small, smaller = max_pool_map(one), max_pool_map(other)
    assert f"{pearson(one, other):.2f} -> {pearson(small, smaller):.2f}" == numbers
    assert (small != smaller).sum() == differing
    assert name + numbers in PRINTED


def test_digits_come_closer():
    digits = load_digits().images / 16
    padded = np.pad(digits, ((0, 0), (2, 2), (2, 2)))
    versions = {
        "moved by 1 pixel": np.pad(digits, ((0, 0), (0, 0), (1, 0)))[:, :, :8],
        "turned by 20°": ndimage.rotate(digits, 20, axes=(2, 1), reshape=False, order=1),
        "enlarged by 25 %": ndimage.zoom(padded, (1, 1.25, 1.25), order=1)[:, 3:11, 3:11],
        "another digit": np.random.default_rng(42).permutation(digits),
    }

    def features(images):
        def edges(axis):
            slope = ndimage.correlate1d(images, [-1, 0, 1], axis, mode="constant")
            return ndimage.correlate1d(slope, [0.25, 0.5, 0.25], 3 - axis, mode="constant")

        across, down = edges(2), edges(1)
        return np.maximum(np.stack([across, -across, down, -down], axis=-1), 0)

    def alike(ones, others):
        return np.mean([pearson(a, b) for a, b in zip(ones, others, strict=True)])

    found, maps = {}, features(digits)
    for name, images in versions.items():
        other = features(images)
        pairs = [(maps, other), *((pool(maps), pool(other)) for pool in (max_pool, mean_pool))]
        before, by_max, by_mean = numbers = [f"{alike(*pair):.3f}" for pair in pairs]
        assert f"{name:16} {before} -> max {by_max}, mean {by_mean}" in PRINTED
        found[name] = np.array(numbers, float)
    stranger = found.pop("another digit")
    assert f"({stranger[0]} to {stranger[1]} with max pooling)" in PROSE
    for numbers in found.values():  # the leads that a reader finds by subtracting
        before, by_max, _ = numbers - stranger
        assert f"from {before:.3f} to {by_max:.3f}" in PROSE
    moved = (found["moved by 1 pixel"] - stranger)[2]
    assert f"With the mean, the lead for the moved digit is {moved:.3f}." in PROSE


def test_equivariance():
    x = np.zeros((1, 16, 16, 1), "float32")
    x[0, 5:11, 4:10, 0] = np.random.default_rng(3).random((6, 6))
    moved = {t: np.roll(x, t, axis=2) for t in (1, 2)}
    assert not np.allclose(max_pool(moved[1]), np.roll(max_pool(x), 1, axis=2))
    assert np.allclose(max_pool(moved[2]), np.roll(max_pool(x), 1, axis=2))
    dense = [max_pool(y, 2, 1, "same") for y in (moved[1], x)]
    assert np.allclose(dense[0], np.roll(dense[1], 1, axis=2))
    for line in ("convolution: shift by 1 = True", "pooling:     shift by 1 = False"):
        assert line in PRINTED
    assert "pooling:     shift by 2 = True" in PRINTED and "stride 1: shift by 1 = True" in PRINTED


def blur_row(row):
    strongest = ndimage.maximum_filter1d(row, 2, origin=-1, mode="constant")
    return ndimage.convolve1d(strongest, [0.25, 0.5, 0.25], mode="constant")[::2]


def test_blur_pooling_of_a_row():
    for position in (2, 3, 4):
        assert f"{position:8}    " in PRINTED and str(blur_row(np.eye(8)[position])) in PRINTED
    for start, by_max in ((2, 0), (3, 2)):
        by_blur = np.abs(blur_row(np.eye(8)[start + 1]) - blur_row(np.eye(8)[start])).sum()
        line = f"{start} to {start + 1}: max pooling changes by {by_max:.1f}, blur pooling by"
        assert f"{line} {by_blur:.1f}" in PRINTED


def test_blur_pooling_of_photographs():
    grey = (datasets.sample_photos() / 255).mean(axis=-1, keepdims=True)
    still, moved = grey[:, :400, :600], grey[:, :400, 1:601]

    def blur(x):
        x = max_pool(x, 2, 1)
        for axis in (1, 2):
            x = ndimage.convolve1d(x, [0.25, 0.5, 0.25], axis=axis)
        return x[:, 1:-1:2, 1:-1:2]

    kinds = {
        "every second pixel": lambda x: x[:, ::2, ::2],
        "max pooling": max_pool,
        "average pooling": mean_pool,
        "blur pooling": blur,
    }
    changes = {k: np.abs(f(moved) - f(still)).mean(axis=(1, 2, 3)) for k, f in kinds.items()}
    for name, (temple, flower) in changes.items():
        assert f"{name:19} temple {temple:.3f}, flower {flower:.3f}" in PRINTED
    least = np.min(list(changes.values()), axis=0)
    assert np.array_equal(changes["blur pooling"], least)


def test_depthwise_maximum_over_turned_digits():
    def turned(angle):
        picture = ndimage.rotate(load_digits().images[3], angle, reshape=False, order=1)
        return stats.zscore(picture.ravel()) / 8  # length 1

    responses = np.array([[turned(a) @ turned(f) for f in range(-40, 41, 20)]
                          for a in range(-40, 41, 5)])  # fmt: skip
    assert f"filter at 0° alone: at least {responses[:, 2].min():.2f}" in PRINTED
    assert f"depthwise max:      at least {responses.max(axis=1).min():.2f}" in PRINTED


def test_older_depthwise_pooling():
    x = np.ones((1, 2, 2, 32), "float32")
    window = (1, 1, 1, 3)
    with tf.device("CPU"):
        with pytest.raises(tf.errors.UnimplementedError, match="evenly divide"):
            tf.nn.max_pool(x, window, window, "VALID")
        with pytest.raises(tf.errors.InvalidArgumentError):
            tf.nn.max_pool(x[..., :30], window, window, "valid")
    with pytest.raises(ValueError, match="KerasTensor"):
        tf.reduce_max(keras.Input((4, 4, 6)), axis=-1)


def test_a_lambda_does_not_reload(tmp_path):
    model = keras.Sequential([keras.Input((3,)), keras.layers.Lambda(lambda x: 2 * x)])
    model.save(tmp_path / "with_lambda.keras")
    with pytest.raises(ValueError, match="Lambda"):
        keras.saving.load_model(tmp_path / "with_lambda.keras")


def test_global_average():
    crops = datasets.sample_photos()[:, 178:248, 260:380].astype("float64") / 255
    means = crops.reshape(2, -1, 3).sum(axis=1) / (70 * 120)
    written = [[0.64339, 0.59718, 0.58250], [0.76307, 0.26011, 0.10849]]
    np.testing.assert_allclose(means, written, atol=1e-4)
    assert str(means.round(4)) in PRINTED
    assert "(2, 70, 120, 3) -> (2, 3)" in PRINTED


def test_every_citation_has_an_entry():
    cited = set(re.findall(r'\]\(#References "([\w:-]+)"\)', PROSE))
    entries = re.findall(r"^@\w+\{(\w+),", (ROOT / "book/references.bib").read_text("utf-8"), re.M)
    assert cited == {"lin2014", "scherer2010", "springenberg2015", "zeiler2014", "zhang2019"}
    assert cited <= set(entries) and entries == sorted(entries)


# The chapter's code is the library's

sides = st.integers(3, 9)


@settings(max_examples=15, deadline=None)
@given(sides, sides, st.integers(1, 3), st.integers(1, 3), st.integers(0, 99))
def test_pool_loops(height, width, size, stride, seed):
    pool_loops = defined(CHAPTER, "pool_loops")
    x = np.random.default_rng(seed).normal(size=(height, width))
    batch = x[np.newaxis, :, :, np.newaxis]
    for reduce, function in ((np.max, scratch.max_pool2d), (np.mean, scratch.avg_pool2d)):
        y = function(batch, size, stride)[0, :, :, 0]
        np.testing.assert_allclose(pool_loops(x, size, stride, reduce), y, atol=1e-12)


@settings(max_examples=10, deadline=None)
@given(st.integers(1, 4), st.integers(1, 4), st.integers(1, 3), st.integers(0, 99))
def test_max_pool_reshape(rows, columns, k, seed):
    x = np.random.default_rng(seed).normal(size=(2, rows * k, columns * k, 3))
    y = defined(CHAPTER, "max_pool_reshape")(x, k)
    np.testing.assert_array_equal(y, scratch.max_pool2d(x, k))


@settings(max_examples=10, deadline=None)
@given(st.integers(1, 4), st.integers(1, 4), st.integers(0, 99))
def test_pool_backward(rows, columns, seed):
    rng = np.random.default_rng(seed)
    x, grad = rng.normal(size=(2 * rows, 2 * columns)), rng.normal(size=(rows, columns))
    pool_backward = defined(CHAPTER, "pool_backward")
    for kind, operation in (("max", tf.nn.max_pool2d), ("mean", tf.nn.avg_pool2d)):
        source = tf.constant(x[np.newaxis, :, :, np.newaxis])
        with tf.GradientTape() as tape:
            tape.watch(source)
            y = operation(source, 2, 2, "VALID")
        dx = tape.gradient(y, source, tf.constant(grad[np.newaxis, :, :, np.newaxis]))
        np.testing.assert_allclose(pool_backward(grad, x, kind), dx[0, :, :, 0], atol=1e-12)


@settings(max_examples=10, deadline=None)
@given(st.integers(1, 4), st.integers(1, 4), st.integers(0, 99))
def test_depth_pooling_of_the_chapter(groups, pool_size, seed):
    x = np.random.default_rng(seed).normal(size=(2, 3, 2, groups * pool_size)).astype("float32")
    loops, sketch = defined(CHAPTER, "depth_pool_loops", "DepthPoolSketch")
    y = keras.ops.convert_to_numpy(layers.DepthPool(pool_size)(x))
    np.testing.assert_array_equal(loops(x, pool_size), y)
    np.testing.assert_array_equal(sketch(pool_size)(x), y)
    np.testing.assert_array_equal(scratch.depth_max_pool(x, pool_size), y)


def test_switches():
    x = SMALL[np.newaxis, :, :, np.newaxis]
    y, switches = tf.nn.max_pool_with_argmax(x, 2, 2, "VALID")
    assert f"pooled   {y[0, :, :, 0].numpy().tolist()}" in PRINTED
    assert f"switches {switches[0, :, :, 0].numpy().tolist()}" in PRINTED
    assert switches.numpy().ravel().tolist() == [1, 6, 12, 10]


# The exercises


def test_points():
    metas = [cell.metadata.get("nbgrader", {}) for cell in SOLUTIONS.cells]
    coding = {m["grade_id"]: m["points"] for m in metas if m.get("grade") and not m["solution"]}
    assert coding == {
        "check_pool2d": 3,
        "check_DepthMaxPool": 3,
        "check_global_avg": 1,
        "check_shift_report": 3,
    }


@settings(max_examples=15, deadline=None)
@given(sides, sides, st.integers(1, 3), st.integers(1, 3), st.integers(0, 99))
def test_reference_pool2d_is_keras(height, width, k, s, seed):
    pool2d = defined(SOLUTIONS, "pool2d")
    x = np.random.default_rng(seed).normal(size=(2, height, width, 3))
    np.testing.assert_allclose(pool2d(x, k, s, "max"), max_pool(x, k, s))
    means = keras.layers.AveragePooling2D(k, s, dtype="float64")(x)
    np.testing.assert_allclose(pool2d(x, k, s, "mean"), means, atol=1e-12)
    with pytest.raises(ValueError, match="median"):
        pool2d(x, k, s, "median")


def test_reference_depth_max_pool_is_tensorflow():
    layer, reloaded = defined(SOLUTIONS, "DepthMaxPool", "reloaded")
    reloaded.__globals__.update(tempfile=tempfile, Path=Path)
    x = np.random.default_rng(0).normal(size=(2, 3, 4, 12)).astype("float32")
    for k in (1, 2, 3, 4, 6, 12):
        with tf.device("CPU"):
            y = tf.nn.max_pool(x, (1, 1, 1, k), (1, 1, 1, k), "VALID")
        np.testing.assert_array_equal(layer(k)(x), y)
        np.testing.assert_array_equal(reloaded(layer(k), x), y)
    assert layer(3)(keras.Input((70, 60, 60))).shape == (None, 70, 60, 20)
    with pytest.raises(ValueError, match="accepted"):
        layer(5)(x)


def test_reference_global_avg_is_keras():
    x = datasets.sample_photos()[:, 178:248, 260:380] / 255
    y = keras.layers.GlobalAveragePooling2D()(x)
    np.testing.assert_allclose(defined(SOLUTIONS, "global_avg")(x), y, atol=1e-4)


def test_reference_shift_report():
    report = defined(SOLUTIONS, "shift_report")
    spike = np.eye(8, dtype=int)
    assert report(spike[2], 2) == [True, True, False, False, False, False, False, False]
    assert report(spike[3], 2) == [True] + [False] * 7
    assert report(spike[0], 8) == [True] * 8
    assert report([0, 0, 0], 2) == [True] * 3
    assert all(type(entry) is bool for entry in report([1, 2, 3], 1))
    for k in (0, 4):
        with pytest.raises(ValueError, match="accepted: 1 to 3"):
            report([1, 2, 3], k)
