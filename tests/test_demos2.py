"""ArithmeticDemo, StackDemo and TimelineDemo: their numbers against Keras and the papers."""

import json
import re

import numpy as np
import pytest
import traitlets
from cnncourse.demos import ArithmeticDemo, StackDemo, TimelineDemo
from cnncourse.demos.arithmetic import PRESETS, axis_numbers
from cnncourse.demos.stack import NUMBER_BIASES, NUMBER_FILTERS, NUMBERS, first_filters
from cnncourse.demos.timeline import ENTRIES, NOT_STATED, YEARS
from hypothesis import given, settings
from hypothesis import strategies as st

DEMOS = [ArithmeticDemo, StackDemo, TimelineDemo]


def keras_output(layer, size):
    """Return Keras' output size along one axis, or None where Keras says it cannot be."""
    try:
        output = layer.compute_output_shape((1, size, 1))[1]
    except ValueError:
        return None
    return output if output > 0 else None


@pytest.mark.parametrize("padding", ["valid", "same"])
def test_output_sizes_are_keras_for_every_setting_of_the_sliders(padding):
    from keras.layers import Conv1D

    compared = 0
    for kernel_size in range(1, 12):
        for strides, dilation in [(s, 1) for s in range(1, 9)] + [(1, d) for d in range(2, 7)]:
            demo = ArithmeticDemo(
                view="row",
                kernel_size=kernel_size,
                strides=strides,
                dilation=dilation,
                padding=padding,
            )
            layer = Conv1D(1, kernel_size, strides, padding, dilation_rate=dilation)
            for size in range(1, 129):
                expected = keras_output(layer, size)
                demo.width = size
                if expected is None:
                    assert demo.problem, (size, kernel_size, strides, dilation)
                else:
                    assert demo.output_shape == (expected,), (size, kernel_size, strides, dilation)
                compared += 1
    assert compared == 11 * 13 * 128


@pytest.mark.parametrize(("strides", "dilation"), [(2, 2), (8, 6), (3, 2)])
def test_what_keras_refuses_the_demo_refuses(strides, dilation):
    from keras.layers import Conv1D

    with pytest.raises(ValueError):
        Conv1D(1, 3, strides, dilation_rate=dilation)
    demo = ArithmeticDemo(strides=strides, dilation=dilation)
    assert "Keras refuses" in demo.problem
    with pytest.raises(ValueError, match="Keras refuses"):
        demo.numbers()


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 30), st.integers(1, 9), st.integers(1, 6), st.integers(1, 4), st.randoms())
def test_zeros_and_ignored_cells_are_those_of_keras(size, kernel_size, strides, dilation, random):
    import keras

    if strides > 1:
        dilation = 1
    x = np.array([random.random() for _ in range(size)])
    w = np.array([1 + random.random() for _ in range(kernel_size)])

    def conv(signal, padding):
        tensors = signal[None, :, None], w[:, None, None]
        y = keras.ops.conv(*tensors, strides=strides, padding=padding, dilation_rate=dilation)
        return np.asarray(y)[0, :, 0]

    same = axis_numbers(size, kernel_size, strides, "same", dilation)
    padded = np.pad(x, (same["before"], same["after"]))
    np.testing.assert_allclose(conv(padded, "valid"), conv(x, "same"), rtol=1e-5)
    assert same["after"] - same["before"] in (0, 1)

    for numbers, signal in [(same, padded)] + (
        [(axis_numbers(size, kernel_size, strides, "valid", dilation), x)]
        if size >= same["effective"]
        else []
    ):
        before = conv(signal, "valid")
        last = len(signal) - numbers["ignored"]
        changed = signal.copy()
        changed[last:] += 1
        np.testing.assert_array_equal(conv(changed, "valid"), before)
        changed[last - 1] += 1
        assert not np.allclose(conv(changed, "valid"), before)


@pytest.mark.parametrize(
    ("preset", "output", "zeros", "ignored"),
    [
        (0, (3, 3), [(0, 0)] * 2, [0, 0]),
        (1, (5, 5), [(0, 0)] * 2, [0, 0]),
        (2, (2, 2), [(0, 0)] * 2, [1, 1]),
        (3, (3, 4), [(1, 1)] * 2, [0, 0]),
        (4, (35, 60), [(2, 3)] * 2, [0, 0]),
        (5, (2,), [(0, 0)], [2]),
        (6, (3,), [(1, 2)], [0]),
        (7, (35,), [(2, 3)], [0]),
        (8, (5,), [(0, 0)], [0]),
    ],
)
def test_presets_are_the_worked_table(preset, output, zeros, ignored):
    demo = ArithmeticDemo(**{k: v for k, v in PRESETS[preset].items() if k != "name"})
    assert demo.output_shape == output
    assert [(axis["before"], axis["after"]) for axis in demo.numbers()] == zeros
    assert [axis["ignored"] for axis in demo.numbers()] == ignored
    assert len(PRESETS) == 9


def test_dilated_kernel_is_the_worked_one():
    demo = ArithmeticDemo(**{k: v for k, v in PRESETS[8].items() if k != "name"})
    assert demo.dilated_kernel == [1, 0, 0, 0, 2, 0, 0, 0, 3]
    assert demo.numbers()[0]["effective"] == 9
    demo.dilation = 1
    assert demo.dilated_kernel == [1, 2, 3]


def test_fields_follow_the_index_rule():
    demo = ArithmeticDemo(
        view="grid", height=5, width=7, kernel_size=3, strides=2, padding="same", position=6
    )
    # Output (1, 2) of 3 × 4: rows 1·2 − 1 …, columns 2·2 − 1 …
    assert demo.fields() == [(1, 3), (3, 5)]
    demo.position = 6 + 12  # beyond the last output it starts again
    assert demo.fields() == [(1, 3), (3, 5)]


def test_a_kernel_larger_than_the_input_is_explained():
    demo = ArithmeticDemo(view="row", width=5, kernel_size=6, strides=1, padding="valid")
    assert demo.problem == (
        "The kernel spans 6 cells but the input has only 5: without zeros it fits nowhere."
    )
    demo.padding = "same"
    assert demo.problem is None and demo.output_shape == (5,)


@pytest.mark.parametrize("photo", ["china", "flower"])
@pytest.mark.parametrize("setting", [(3, 1, 1, 1), (5, 1, 3, 2), (7, 3, 5, 3), (7, 2, 3, 2)])
def test_maps_are_two_keras_layers(photo, setting):
    import keras
    from cnncourse.demos.stack import second_filters

    k1, s1, k2, s2 = setting
    demo = StackDemo(photo=photo, kernel_size_1=k1, strides_1=s1, kernel_size_2=k2, strides_2=s2)
    image, first, second = demo.maps()
    relu, conv = keras.ops.relu, keras.ops.conv
    keras_first = relu(conv(image[None], first_filters(k1), strides=s1))
    keras_second = relu(conv(keras_first, second_filters(k2), strides=s2))
    assert image.shape == (40, 40, 3) and image.min() >= 0 and image.max() <= 1
    np.testing.assert_allclose(first, keras_first[0], atol=1e-5)
    np.testing.assert_allclose(second, keras_second[0], atol=1e-5)
    assert all(layer[..., n].max() > 0.01 for layer in (first, second) for n in range(3))


@pytest.mark.parametrize("setting", [(3, 1, 3, 1), (5, 1, 3, 2), (7, 3, 5, 3), (5, 2, 1, 3)])
def test_boxes_are_where_the_gradient_is_not_zero(setting):
    import tensorflow as tf

    k1, s1, k2, s2 = setting
    demo = StackDemo(
        kernel_size_1=k1, strides_1=s1, kernel_size_2=k2, strides_2=s2, row=2, column=1
    )
    # In float32 oneDNN's gradient of a 1×1 kernel with strides writes beyond its memory.
    image = tf.Variable(tf.ones((1, 40, 40, 1), "float64"))
    kernel_1, kernel_2 = (tf.ones((k, k, 1, 1), "float64") for k in (k1, k2))
    with tf.GradientTape() as tape:
        first = tf.nn.conv2d(image, kernel_1, s1, "VALID")
        tape.watch(first)
        neuron = tf.nn.conv2d(first, kernel_2, s2, "VALID")[0, 2, 1, 0]
    gradients = tape.gradient(neuron, {"image": image, "layer_1": first})
    for level, gradient in gradients.items():
        row, column, side = demo.boxes()[level]
        expected = np.zeros(gradient.shape[1:3], bool)
        expected[row : row + side, column : column + side] = True
        np.testing.assert_array_equal(np.asarray(gradient)[0, :, :, 0] != 0, expected)


def test_small_numbers_add_up():
    demo = StackDemo(mode="numbers", row=1, column=2, feature_map=1)
    by_hand = np.zeros((2, 3, 2), int)
    for i in range(2):
        for j in range(3):
            patch = NUMBERS[2 * i : 2 * i + 3, 2 * j : 2 * j + 3, :, None]
            by_hand[i, j] = (patch * NUMBER_FILTERS).sum(axis=(0, 1, 2)) + NUMBER_BIASES
    np.testing.assert_array_equal(demo.sums(), by_hand)
    assert demo.products().sum() + NUMBER_BIASES[1] == by_hand[1, 2, 1]


def test_a_neuron_beyond_its_map_is_the_last_one():
    demo = StackDemo(row=1000, column=1000, feature_map=2)
    assert demo.neuron == (16, 16, 2)
    demo.mode = "numbers"
    assert demo.neuron == (1, 2, 1)


def test_the_timeline_is_the_corrected_table():
    errors = {(entry.year, entry.name): entry.top5 for entry in ENTRIES}
    assert errors == {
        (2011, "XRCE"): 25.8,
        (2012, "AlexNet"): 15.3,
        (2012, "ISI"): 26.2,
        (2013, "Clarifai"): 11.7,
        (2013, "ZF"): 13.5,
        (2014, "GoogLeNet"): 6.67,
        (2014, "VGG"): 7.3,
        (2015, "ResNet"): 3.57,
        (2016, "Trimps-Soushen"): 2.99,
        (2016, "Inception-v4 paper"): 3.08,
        (2017, "SENet"): 2.25,
    }
    layers = {entry.name: entry.layers for entry in ENTRIES if entry.layers.isdigit()}
    assert layers == {"AlexNet": "8", "ZF": "8", "GoogLeNet": "22", "VGG": "19", "ResNet": "152"}


def test_every_year_has_one_winner_with_the_smallest_error_of_the_challenge():
    for year in YEARS:
        entered = [e for e in ENTRIES if e.year == year and e.role != "not an entry"]
        assert [e.name for e in entered if e.role == "winner"] == [
            min(entered, key=lambda e: e.top5).name
        ]
        assert TimelineDemo(year=year).chosen[0].role == "winner"
    assert list(YEARS) == list(range(2011, 2018))


def test_what_is_unknown_is_said_to_be():
    for entry in ENTRIES:
        for text in (entry.layers, entry.parameters):
            assert text in (NOT_STATED, "no CNN") or re.search(r"\d", text)
        assert entry.note.endswith(".")


@pytest.mark.parametrize(
    ("demo", "name", "value"),
    [
        (ArithmeticDemo, "strides", 0),
        (ArithmeticDemo, "strides", -1),
        (ArithmeticDemo, "width", 129),
        (ArithmeticDemo, "width", 2.5),
        (ArithmeticDemo, "padding", "full"),
        (ArithmeticDemo, "kernel_size", "3"),
        (ArithmeticDemo, "position", -1),
        (StackDemo, "kernel_size_1", 4),
        (StackDemo, "strides_2", 9),
        (StackDemo, "photo", "cat"),
        (StackDemo, "feature_map", 3),
        (TimelineDemo, "year", 2010),
        (TimelineDemo, "year", "2012"),
    ],
)
def test_bad_values_are_named(demo, name, value):
    with pytest.raises(traitlets.TraitError, match=name) as error:
        demo(**{name: value})
    assert str(value) in str(error.value)
    with pytest.raises(AttributeError, match="accepted"):
        demo(**{name + "s": value})


@pytest.mark.parametrize("demo", DEMOS)
def test_the_island_is_small_deterministic_and_described(demo):
    island = demo().island()
    assert island == demo().island()
    assert len(re.search(r'src="([^"]*)"', island)[1]) <= 25_000
    alt = re.search(r'alt="([^"]*)"', island)[1]
    assert len(alt.split()) > 8
    assert len(island) < 60_000
    state = re.search(r'data-state="([^"]*)"', island)[1].replace("&quot;", '"')
    assert set(json.loads(state)) == {n for n in demo().keys if n in demo.class_own_traits()}


def test_the_picture_of_impossible_settings_says_why():
    _, alt = ArithmeticDemo(strides=2, dilation=2).still()
    assert "Keras refuses" in alt
