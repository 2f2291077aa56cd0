"""EditWeightDemo: the network in the browser is Keras', before and after weights are changed."""

import keras
import numpy as np
import pytest
from cnncourse.demos import EditWeightDemo
from cnncourse.demos.edit_weight import MOST_WEIGHTS
from keras import layers
from traitlets import TraitError

EDITS = [[0, 4, -1.5], [1, 100, 3.0], [2, 7, -2.25]]


def network(side=8, padding="same", kernel_size=3):
    """Return a network as in chapter 06, with random weights and biases."""
    keras.utils.set_random_seed(1)
    made = keras.Sequential(
        [
            keras.Input((side, side, 1)),
            layers.Conv2D(8, kernel_size, padding=padding, activation="relu", name="conv_1"),
            layers.MaxPooling2D(name="pool_1"),
            layers.Conv2D(6, 2, padding="same", name="conv_2"),
            layers.MaxPooling2D(name="pool_2"),
            layers.Flatten(),
            layers.Dropout(0.5),
            layers.Dense(10, activation="softmax", name="classes"),
        ]
    )
    random = np.random.default_rng(2)
    made.set_weights([random.normal(size=w.shape) / 2 for w in made.get_weights()])
    return made


def pictures(side=8):
    return np.random.default_rng(3).random((3, side, side, 1))


def with_edits(model, edits):
    """Return a copy of the model with the same weights changed."""
    copy = keras.models.clone_model(model)
    copy.set_weights(model.get_weights())
    weighted = [layer for layer in copy.layers if layer.get_weights()]
    for number, place, value in edits:
        kernel, bias = weighted[number].get_weights()
        kernel.flat[place] = value
        weighted[number].set_weights([kernel, bias])
    return copy


def keras_maps(model, image):
    """Return what each layer gives, without Dropout."""
    kept = [layer.output for layer in model.layers if not isinstance(layer, layers.Dropout)]
    return [y[0] for y in keras.Model(model.inputs, kept).predict(image[None], verbose=0)]


@pytest.fixture
def demo():
    return EditWeightDemo(network(), pictures(), [4, 7, 1])


@pytest.mark.parametrize(("side", "padding", "kernel_size"), [(8, "same", 3), (11, "valid", 4)])
def test_every_layer_is_keras(side, padding, kernel_size):
    model, images = network(side, padding, kernel_size), pictures(side)
    for picture in range(3):
        demo = EditWeightDemo(model, images, [4, 7, 1], picture=picture, edits=EDITS)
        for edited, twin in ((True, with_edits(model, EDITS)), (False, model)):
            expected = keras_maps(twin, images[picture])
            for ours, theirs in zip(demo.maps(edited), expected, strict=True):
                np.testing.assert_allclose(ours, theirs, atol=1e-4)


def test_one_weight_is_chosen_and_edited(demo):
    model = network()
    demo.layer, demo.row, demo.column, demo.channel, demo.unit = 1, 1, 0, 5, 2
    assert demo.weight == pytest.approx(model.get_layer("conv_2").get_weights()[0][1, 0, 5, 2])
    demo.edit(2)
    demo.edit(-3.5)
    assert demo.weight == -3.5 and len(demo.edits) == 1
    before, after = demo.maps(edited=False), demo.maps()
    np.testing.assert_array_equal(before[0], after[0])
    changed = np.any(before[2] != after[2], axis=(0, 1))
    assert changed.tolist() == [False, False, True, False, False, False]
    assert abs(demo.probabilities.sum() - 1) < 1e-9 and np.any(before[-1] != after[-1])
    demo.row = 9  # beyond the kernel: the last
    assert demo.weight == -3.5
    with pytest.raises(ValueError, match="value is 5; accepted: -4"):
        demo.edit(5)
    for wrong in ([9, 0, 1], [-1, 0, 1], [0, 72, 1], [0, 0, 5], [0, 0, np.nan], [0, 0]):
        with pytest.raises(TraitError, match="edits has"):
            demo.edits = [wrong]


def test_still_follows_the_edits(demo):
    plain, _ = demo.still()
    demo.edit(4)
    picture, alt = demo.still()
    half = len(picture) // 2
    np.testing.assert_array_equal(picture[:half], plain[:half])
    assert np.any(picture[half:] != plain[half:]) and "1 changed weights" in alt


def classifier(*before, last="softmax"):
    """Return a network with three answers, and a good last part if nothing else is said."""
    end = [layers.Flatten(), layers.Dense(3, activation=last)]
    return keras.Sequential([keras.Input((8, 8, 1)), *before, *end])


def test_what_is_refused():
    for layer, name in (
        (layers.Conv2D(2, 3, strides=2, name="s2"), "s2"),
        (layers.Conv2D(2, 3, activation="tanh", name="t"), "tanh"),
        (layers.BatchNormalization(name="bn"), "bn"),
        (layers.MaxPooling2D(3, strides=2, name="mp"), "mp"),
    ):
        with pytest.raises(ValueError, match=name):
            EditWeightDemo(classifier(layer), pictures(), [0, 1, 2])
    large = [layers.Flatten(), layers.Dense(MOST_WEIGHTS // 64 + 1)]
    with pytest.raises(ValueError, match="accepted: at most 6,000"):
        EditWeightDemo(classifier(*large), pictures(), [0, 1, 2])


def test_networks_of_another_form_are_refused():
    x = keras.Input((8, 8, 1))
    branch = layers.Dense(3, activation="softmax")(layers.Flatten()(x))
    for model, said in (
        (keras.Model(x, [branch, layers.Conv2D(2, 3)(x)]), "accepted: a keras.Sequential"),
        (keras.Sequential([layers.Flatten(), layers.Dense(3)]), "keras.Input first"),
        (keras.Sequential([x, layers.Flatten(name="flat")]), "ends with the layer 'flat'"),
        (keras.Sequential([x, layers.Conv2D(3, 8, name="map")]), "ends with the layer 'map'"),
        (keras.Sequential([x, layers.Dropout(0.5)]), "ends with the layer None"),
        (classifier(last="relu"), "accepted: Dense with softmax"),
        (classifier(layers.Dense(2)), "Dense layer without Flatten before"),
        (keras.Sequential([x, layers.Dense(3, activation="softmax")]), "without Flatten"),
    ):
        with pytest.raises(ValueError, match=said):
            EditWeightDemo(model, pictures(), [0, 1, 2])


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"images": pictures()[..., 0]}, r"shape \(3, 8, 8\); accepted: \(n, height, width, 1\)"),
        ({"images": pictures(9)}, r"shape \(3, 9, 9, 1\); accepted: \('n', 8, 8, 1\)"),
        ({"images": np.full((3, 8, 8, 1), np.nan)}, "images has values that are not finite"),
        ({"labels": [0, 1]}, r"labels has shape \(2,\); accepted: \(3,\)"),
        ({"labels": np.eye(3)}, r"labels has shape \(3, 3\)"),
        ({"labels": [0, 1, 7]}, r"labels is \[0, 1, 7\]; accepted: 0 to 2"),
        ({"labels": [0, 1, -1]}, "accepted: 0 to 2"),
        ({"class_names": ["a", "b"]}, "class_names has 2; accepted: 3"),
    ],
)
def test_pictures_labels_and_names_fit_the_network(change, said):
    fitting = {"images": pictures(), "labels": [0, 1, 2], "class_names": np.array(["a", "b", "c"])}
    assert EditWeightDemo(classifier(), **fitting).class_names == ["a", "b", "c"]
    with pytest.raises(ValueError, match=said):
        EditWeightDemo(classifier(), **fitting | change)


@pytest.mark.browser
@pytest.mark.parametrize(("side", "padding", "kernel_size"), [(8, "same", 3), (11, "valid", 4)])
def test_the_browsers_network_is_keras(show, side, padding, kernel_size):
    model, images = network(side, padding, kernel_size), pictures(side)
    demo = EditWeightDemo(model, images, [4, 7, 1], edits=EDITS)
    page = show(demo)
    got = page.evaluate(
        """async ([network, edits, pictures]) => {
            const { edited, forward } = await import("./demos/edit_weight.js");
            return pictures.map((p) => forward(network, edited(network, edits), p));
        }""",
        [demo.network, EDITS, demo.pictures],
    )
    twin = with_edits(model, EDITS)
    for levels, image in zip(got, images, strict=True):
        for level, expected in zip(levels, keras_maps(twin, image), strict=True):
            assert tuple(level["shape"]) == expected.shape
            np.testing.assert_allclose(
                np.reshape(level["data"], expected.shape), expected, atol=1e-4
            )


@pytest.mark.browser
def test_editing_by_keyboard_at_390_px(show, demo):
    page = show(demo, width=390)
    page.get_by_label("layer", exact=True).press("ArrowRight")  # conv_2
    page.get_by_label("filter or unit", exact=True).press("End")
    page.get_by_label("reads map or value", exact=True).press("ArrowRight")
    page.get_by_role("button", name="row 2, column 1").press("Enter")
    demo.layer, demo.unit, demo.channel, demo.row = 1, 5, 1, 1
    weight = page.get_by_label("weight", exact=True)
    assert float(weight.input_value()) == pytest.approx(demo.weight, abs=0.006)
    weight.press("End")
    demo.edit(4)
    best = int(demo.probabilities.argmax())
    text = f"Answer: {best} ({100 * demo.probabilities[best]:.1f} %)."
    assert page.locator(".ce-report").inner_text().startswith(text)
    captions = page.locator(".ce figcaption").all_inner_texts()
    assert {"conv_1: 0 of 8 changed", "conv_2: 1 of 6 changed"} <= set(captions)
    cells = page.locator(".ce-answers tbody tr").all_inner_texts()
    for row, now, before in zip(
        cells, demo.probabilities, demo.maps(edited=False)[-1], strict=True
    ):
        assert f"{100 * now:.1f} %" in row and f"{100 * before:.1f} %" in row
    assert show.visits[-1].demo_faults() == []
    page.get_by_role("button", name="put all back").press("Enter")
    assert "conv_2: 0 of 6 changed" in page.locator(".ce figcaption").all_inner_texts()
    page.get_by_label("layer", exact=True).press("End")  # the dense layer
    assert page.locator(".ce-kernel button").count() == 1
