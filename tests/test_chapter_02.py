"""Chapter 02: every number in its text, the functions it derives, and its exercises."""

import functools
import math

import keras
import numpy as np
import pytest
import stored
from cnncourse import scratch
from cnncourse.cost import output_size, receptive_field, same_padding
from cnncourse.datasets import sample_photos
from cnncourse.grading import build
from cnncourse.grading.cells import read_source
from cnncourse.grading.compare import equal
from cnncourse.grading.probes import evaluate
from cnncourse.grading.values import decode
from cnncourse.paths import course_root
from hypothesis import given, settings
from hypothesis import strategies as st

ROOT = course_root()
CHAPTER = stored.read("chapters", "02_convolution")
SOURCE = read_source(ROOT / "solutions" / "02_convolution.ipynb")
RELEASE = ROOT / "exercises" / "02_convolution.ipynb"

PROSE = stored.prose(CHAPTER)
PRINTED = stored.printed(CHAPTER.cells)


FUNCTIONS = stored.functions(CHAPTER, np=np, scratch=scratch)


def solutions():
    """Run the reference solutions."""
    names = {"np": np}
    for exercise in SOURCE.exercises.values():
        exec(exercise.solution, names)
    return names


def layer_shape(shape, *arguments, layer=keras.layers.Conv2D, **options):
    """Return the output shape of a real layer called on a real array."""
    return tuple(layer(*arguments, **options)(np.zeros(shape, "float32")).shape)


def layer_parameters(*stack, channels):
    """Return the parameters of a stack of Conv2D layers, built on so many channels."""
    model = keras.Sequential([keras.Input((16, 16, channels))])
    for filters, kernel_size in stack:
        model.add(keras.layers.Conv2D(filters, kernel_size))
    return model.count_params()


BATCH = (2, 70, 120, 3)
STACK, LARGE = ((128, 3), (128, 3)), ((128, 5),)
FIRST_STACK, FIRST_LARGE = ((64, 3), (64, 3)), ((64, 5),)


def dearer():
    first = layer_parameters(*FIRST_STACK, channels=3)
    return round(first / layer_parameters(*FIRST_LARGE, channels=3))


@functools.cache  # 100 MB of weights
def dense():
    layer = keras.layers.Dense(32)
    layer.build((None, sample_photos()[0].size))
    return layer.count_params()


# What the chapter says, with {} where the number stands, and how it is found independently.
PROSE_CLAIMS = [
    ("{} million of section 1", lambda: round(dense() / 1e6)),
    ("so the answer, {}, is large", lambda: 9 + 9 + 9 - 4),
    ("In all 7·7·3·32 + 32 = {:,} parameters", lambda: layer_parameters((32, 7), channels=3)),
    ("filters of 7×7 on RGB need {:,} parameters", lambda: layer_parameters((32, 7), channels=3)),
    ("Each side lost {} pixels", lambda: 70 - layer_shape(BATCH, 32, 7)[1]),
    ("After ten such layers {} rows", lambda: 10 * (120 - layer_shape(BATCH, 32, 7)[2])),
    ("on a 7×7 image gives {:.2f} outputs", lambda: (7 - 3) / 3 + 1),
    ("It gives {}, and the last column", lambda: layer_shape((1, 7, 7, 1), 1, 3, strides=3)[1]),
    ("the bracket is −{}", lambda: -((math.ceil(8 / 2) - 1) * 2 + 1 - 8)),
    ("The table has the answer: {0}×{0}", lambda: layer_shape((1, 7, 7, 1), 1, 3, strides=2)[1]),
    (
        "leaves a quarter of the outputs, so a {}",
        lambda: {4.0: "quarter"}[
            math.prod(layer_shape(BATCH, 1, 7, padding="same"))
            / math.prod(layer_shape(BATCH, 1, 7, padding="same", strides=2))
        ],
    ),
    (
        "saves {:.0%}",
        lambda: 1 - layer_parameters(*STACK, channels=128) / layer_parameters(*LARGE, channels=128),
    ),
    ("costs {:,} parameters against", lambda: layer_parameters(*FIRST_STACK, channels=3)),
    ("parameters against {:,}", lambda: layer_parameters(*FIRST_LARGE, channels=3)),
    ("{} times as much", lambda: {8: "eight"}[dearer()]),
]

PRINTED_CLAIMS = [
    ("= {:,} numbers", lambda: sample_photos()[0].size),
    ("32 dense neurons: {:,}", dense),
    ("faint line   output {:.2f}", lambda: 3 * 0.2),
    ("bright slope output {:.2f}", lambda: 3 * 0.85),
    ("output {}\nkernel", lambda: layer_shape(BATCH, 32, 7)),
    ("stride 1, same : {}", lambda: layer_shape(BATCH, 32, 7, padding="same")),
    ("stride 2, valid: {}", lambda: layer_shape(BATCH, 32, 7, strides=2)),
    ("stride 2, same : {}", lambda: layer_shape(BATCH, 32, 7, strides=2, padding="same")),
    ("5×7, stride 2 → {}×4", lambda: len(range(-1, 5 + 1 - 3 + 1, 2))),
    ("5×7, stride 2 → 3×{}", lambda: len(range(-1, 7 + 1 - 3 + 1, 2))),
    ("{} from the whole", lambda: layer_shape(sample_photos().shape, 32, 7)),
    ("borders of zeros: {}", lambda: (32 + 2 * 2, 32 + 2 * 2, 3)),
    ("filters, stride 1: {}", lambda: layer_shape((1, 36, 36, 3), 3, 5)[1:]),
    ("[1, 0, 0, 0, 2, 0, 0, 0, 3] length {}", lambda: 3 + 2 * 3),
    ("true convolution  {}", lambda: np.convolve(np.arange(1.0, 7), [1, 0, -1], "valid")),
    ("cross-correlation {}", lambda: np.correlate(np.arange(1.0, 7), [1, 0, -1], "valid")),
    ("two 3×3 {:,}, one", lambda: layer_parameters(*STACK, channels=128)),
    ("one 5×5 {:,}, -28%", lambda: layer_parameters(*LARGE, channels=128)),
    ("Conv1D: (1, 50, 3) → {}", lambda: layer_shape((1, 50, 3), 8, 5, layer=keras.layers.Conv1D)),
    (
        "Conv3D: (1, 15, 15, 15, 1) → {}",
        lambda: layer_shape((1, 15, 15, 15, 1), 8, 5, layer=keras.layers.Conv3D),
    ),
]


@pytest.mark.parametrize(("claim", "value"), PROSE_CLAIMS)
def test_the_text_states_what_is_true(claim, value):
    stated = claim.format(value()).replace("28%", "28 %")
    assert stated in PROSE


@pytest.mark.parametrize(("claim", "value"), PRINTED_CLAIMS)
def test_the_cells_print_what_is_true(claim, value):
    assert claim.format(value()) in PRINTED


def seen_by_one_output(layers):
    """Measure (size, jump): push a pulse through each layer's windows, from the top down."""
    fields = []
    for neuron in (0, 1):
        cells = {neuron}
        for k, s in reversed(layers):
            cells = {cell * s + u for cell in cells for u in range(k)}
        fields.append(cells)
    return max(fields[0]) - min(fields[0]) + 1, min(fields[1]) - min(fields[0])


VGG_16 = ([(3, 1)] * 2 + [(2, 2)]) * 2 + ([(3, 1)] * 3 + [(2, 2)]) * 3
NETWORKS = {
    "two 3×3": ([(3, 1)] * 2, (5, 1)),
    "three 3×3": ([(3, 1)] * 3, (7, 1)),
    "LeNet-5, C5": ([(5, 1), (2, 2), (5, 1), (2, 2), (5, 1)], (32, 4)),
    "AlexNet, S8": (
        [(11, 4), (3, 2), (5, 1), (3, 2), (3, 1), (3, 1), (3, 1), (3, 2)],
        (195, 32),
    ),
    "VGG-16, last pool": (VGG_16, (212, 32)),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_receptive_fields_of_the_table(name):
    layers, expected = NETWORKS[name]
    size, jump = seen_by_one_output(layers)
    assert (size, jump) == expected == receptive_field(layers)
    assert f"{name:18s} sees {size:3d} pixels, jump {jump}" in PRINTED
    assert FUNCTIONS["receptive_field_naive"](layers) == (size, jump)
    assert solutions()["receptive_field"](layers) == (size, jump)


def test_equivariance_of_the_text():
    assert "stride 1: 637 of 639 columns moved exactly" in PRINTED
    assert "columns that did not: [1, 639]" in PRINTED
    image = sample_photos()[:1].astype("float32")
    edge = np.tile(np.float32([-1, 0, 1]).reshape(1, 3, 1, 1), (3, 1, 3, 1))
    maps = [
        np.asarray(keras.ops.conv(np.roll(image, shift, 2), edge, strides=2)) for shift in (0, 1, 2)
    ]
    moved = [float((m[:, :, 1:] == maps[0][:, :, :-1]).mean()) for m in maps]
    assert moved[2] == 1  # a shift by the stride moves the map by one output
    assert moved[1] < 0.2  # a shift by one pixel does not
    assert f"shift 1: unchanged {(maps[1] == maps[0])[:, :, 1:].mean():.1%}" in PRINTED


sizes = st.integers(1, 9)


@settings(max_examples=40, deadline=None)
@given(sizes, sizes, st.integers(1, 4), st.integers(1, 4), st.integers(1, 3), st.data())
def test_naive_convolution_of_the_chapter_equals_keras(height, width, f_h, f_w, s, data):
    height, width = max(height, f_h), max(width, f_w)
    rng = np.random.default_rng(data.draw(st.integers(0, 99)))
    x = rng.normal(size=(2, height, width, 2)).astype("float32")
    w, b = rng.normal(size=(f_h, f_w, 2, 3)).astype("float32"), np.float32([1, -2, 0.5])
    theirs = keras.ops.conv(x, w, strides=s) + b
    np.testing.assert_allclose(FUNCTIONS["conv2d_naive"](x, w, b, s), theirs, atol=1e-4)


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 4), st.integers(1, 4), st.integers(1, 3))
def test_two_layers_collapse_to_one(k1, k2, channels):
    rng = np.random.default_rng(k1 + 10 * k2)
    x = rng.normal(size=(1, 8, 9, channels))
    w1, w2 = rng.normal(size=(k1, k1, channels, 5)), rng.normal(size=(k2, k2, 5, 2))
    two = keras.ops.conv(keras.ops.conv(x, w1), w2)
    one = keras.ops.conv(x, FUNCTIONS["collapse"](w1, w2))
    np.testing.assert_allclose(one, two, atol=1e-9)


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 4), st.integers(1, 3), st.integers(0, 4), st.integers(1, 2))
def test_naive_backward_pass_equals_the_tape(f_h, f_w, extra, maps):
    import tensorflow as tf

    rng = np.random.default_rng(f_h)
    x = tf.constant(rng.normal(size=(2, f_h + extra, f_w + 2, 3)))
    w, b = tf.constant(rng.normal(size=(f_h, f_w, 3, maps))), tf.zeros(maps, tf.float64)
    with tf.GradientTape() as tape:
        tape.watch([x, w, b])
        z = tf.nn.conv2d(x, w, 1, "VALID") + b
    g = rng.normal(size=z.shape)
    theirs = tape.gradient(z, [x, w, b], output_gradients=tf.constant(g))
    ours = FUNCTIONS["conv2d_backward_naive"](g, x.numpy(), w.numpy())
    for mine, tape_gradient in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(mine, tape_gradient, atol=1e-10)


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 20), st.integers(1, 7), st.integers(1, 5), st.sampled_from(["same", "valid"]))
def test_size_and_zeros_equal_a_real_layer(i, f, s, padding):
    names = {**FUNCTIONS, **solutions()}
    if padding == "valid" and f > i:
        with pytest.raises(ValueError, match="does not fit"):
            names["out_size"](i, f, s, padding)
        return
    row = np.random.default_rng(i).normal(size=(1, i, 1))
    taps = np.random.default_rng(f).normal(size=(f, 1, 1))
    theirs = np.asarray(keras.ops.conv(row, taps, strides=s, padding=padding))
    assert names["output_size_naive"](i, f, s, padding) == theirs.shape[1]
    assert names["out_size"](i, f, s, padding.upper()) == theirs.shape[1]
    zeros = (0, 0)
    if padding == "same":
        zeros = names["same_zeros_naive"](i, f, s)
        assert zeros == names["same_pad"](i, f, s) == same_padding(i, f, s)
    padded = np.pad(row, ((0, 0), zeros, (0, 0)))
    np.testing.assert_allclose(keras.ops.conv(padded, taps, strides=s), theirs, atol=1e-10)


@pytest.mark.parametrize("d", [1, 2, 4])
def test_dilation_solutions_equal_a_dilated_layer(d):
    names = solutions()
    x = np.random.default_rng(d).normal(size=(1, 14, 13, 1))
    kernel = np.random.default_rng(5).normal(size=(3, 2))
    spread = names["dilate"](kernel, d)
    dilated = keras.ops.conv(x, kernel[..., None, None], dilation_rate=d)
    with_zeros = names["conv2d"](x, spread[..., None, None], np.zeros(1))
    np.testing.assert_allclose(with_zeros, dilated, atol=1e-10)
    for axis in (0, 1):
        size = x.shape[1 + axis], kernel.shape[axis]
        assert names["out_size"](*size, d=d) == with_zeros.shape[1 + axis]
        assert output_size(*size, dilation=d) == with_zeros.shape[1 + axis]


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 9), st.integers(0, 9))
def test_correlate1d_equals_numpy(taps, extra):
    rng = np.random.default_rng(taps)
    x, k = rng.normal(size=taps + extra), rng.normal(size=taps)
    correlate1d = solutions()["correlate1d"]
    np.testing.assert_allclose(correlate1d(x, k), np.correlate(x, k, "valid"))
    np.testing.assert_allclose(correlate1d(x, k, True), np.convolve(x, k, "valid"))


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 4), st.integers(1, 4), st.integers(1, 5), st.sampled_from(["SAME", "valid"]))
def test_conv2d_solution_equals_keras(f_h, f_w, s, padding):
    rng = np.random.default_rng(f_h)
    x = rng.normal(size=(2, 7, 8, 3)).astype("float32")
    w, b = rng.normal(size=(f_h, f_w, 3, 2)).astype("float32"), np.float32([0.5, -1])
    ours = solutions()["conv2d"](x, w, b, s, padding)
    theirs = keras.ops.conv(x, w, strides=s, padding=padding.lower()) + b
    assert ours.dtype == np.float32
    np.testing.assert_allclose(ours, theirs, atol=1e-4)


def test_points_and_mistakes():
    points = {name: exercise.points for name, exercise in SOURCE.exercises.items()}
    assert points == {
        "quick_shape": 0,
        "out_size": 2,
        "same_pad": 1,
        "conv2d": 4,
        "dilate": 1,
        "correlate1d": 1,
        "receptive_field": 1,
    }
    assert sum(points.values()) == 10
    assert SOURCE.manual == {}
    for exercise in SOURCE.exercises.values():
        hints = {mistake.hint for mistake in exercise.mistakes}
        assert len(hints) == len(exercise.mistakes) >= 2


# Right answers that look nothing like the reference.
ALTERNATIVE = """
import keras

def quick_shape():
    return [len(range(0, 7 - 3 + 1, 2))] * 2

def out_size(i, k, s=1, padding="valid", d=1):
    if padding.upper() not in ("SAME", "VALID"):
        raise ValueError(padding)
    starts = range(0, i, s) if padding.upper() == "SAME" else range(0, i - d * (k - 1), s)
    if not starts:
        raise ValueError("nothing fits")
    return len(starts)

def same_pad(i, k, s):
    last = range(0, i, s)[-1] + k
    zeros = np.maximum(last - i, 0)
    return zeros // 2, -(-zeros // 2)

def conv2d(x, w, b, s=1, padding="valid"):
    z = keras.ops.conv(x, w, strides=s, padding=padding.lower())
    return np.asarray(z) + b

def dilate(kernel, d):
    grown = np.asarray(kernel, float)
    for axis in range(grown.ndim):
        for place in range(grown.shape[axis] - 1, 0, -1):
            for _ in range(d - 1):
                grown = np.insert(grown, place, 0, axis=axis)
    return grown

def correlate1d(x, k, flip=False):
    return np.convolve(x, k if flip else k[::-1], "valid").tolist()

def receptive_field(layers):
    size = 1
    for k, s in reversed(layers):
        size = (size - 1) * s + k
    return [size, int(np.prod([s for _, s in layers], dtype=int))]
"""


@pytest.fixture(scope="module")
def namespaces():
    alternative = {"np": np}
    exec(ALTERNATIVE, alternative)
    return {"np": np, **solutions()}, alternative


@pytest.mark.parametrize("name", SOURCE.exercises)
def test_another_right_answer_passes_every_probe(name, namespaces):
    ours, alternative = namespaces
    _, pairs = build.reference(SOURCE.exercises[name], ours)
    for probe, value in pairs:
        given_value = decode(evaluate(probe, alternative).value)
        assert equal(decode(value), given_value, probe.tolerance), probe.expression


def test_the_release_gives_nothing_away():
    text = RELEASE.read_text("utf-8")
    for secret in ("BEGIN SOLUTION", "probe(", "mistake"):
        assert secret not in text
    assert text.count("raise NotImplementedError()") >= len(SOURCE.exercises)


def test_the_demos_are_islands_with_alternative_text():
    shown = "".join(stored.html(CHAPTER.cells))
    for name in ("filter", "stack", "arithmetic"):
        assert f'data-esm="{name}"' in shown
    assert shown.count("<img") == shown.count('<img alt="')
