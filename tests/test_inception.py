"""Inception networks against keras.applications, NumPy, and their papers' tables."""

import keras
import numpy as np
import parity
import pytest
from cnncourse import architectures, cost, scratch
from cnncourse.architectures.googlenet import LOSS_WEIGHTS, MODULES
from cnncourse.layers import AuxiliaryHead, InceptionModule

REFERENCES = {
    "inception_v3": keras.applications.InceptionV3,
    "inception_resnet_v2": keras.applications.InceptionResNetV2,
}
LOGITS = {"weights": None, "classifier_activation": None}


@pytest.fixture(scope="module", params=REFERENCES)
def maps(request):
    """Return the reference without top, with weights that matter, and ours with the same."""
    arguments = {"input_shape": (None, None, 3), "include_top": False, "weights": None}
    reference = parity.randomise(REFERENCES[request.param](**arguments), (139, 139))
    ours = architectures.build(request.param, **arguments)
    architectures.copy_weights(reference, ours)
    return ours, reference


@pytest.mark.parametrize("name", REFERENCES)
def test_same_logits_as_the_reference(name):
    reference = parity.randomise(REFERENCES[name](**LOGITS), (299, 299))
    ours = architectures.build(name, **LOGITS)
    architectures.copy_weights(reference, ours)
    assert (ours.input_shape, ours.output_shape) == ((None, 299, 299, 3), (None, 1000))
    assert ours.count_params() == reference.count_params()
    assert parity.error(ours, reference, parity.images(299, 299, seed=5)) < parity.TOLERANCE
    shapes, configs = parity.settings(ours)
    assert (shapes, configs) == parity.settings(reference)
    norms = [config for config in configs.values() if "epsilon" in config]
    assert len(norms) == {"inception_v3": 94, "inception_resnet_v2": 204}[name]
    assert {(c["epsilon"], c["momentum"], c["scale"]) for c in norms} == {(1e-3, 0.99, False)}


def test_same_maps_as_the_reference_at_an_odd_size(maps):
    ours, reference = maps
    assert parity.error(ours, reference, parity.images(125, 107)) < parity.TOLERANCE


def other_epsilon(name, config):
    if "epsilon" in config:
        config["epsilon"] = 1.001e-5


def other_scale(name, config):
    if name.endswith("block35_1_scale"):
        config["scale"] = 0.2


def wider_average(name, config):
    if name.startswith("average_pooling"):
        config["pool_size"] = (5, 5)


def no_relu_at_the_end(name, config):
    if name == "conv_7b_ac":
        config["activation"] = "linear"


def rows_and_columns_swapped(name, config):
    if config.get("kernel_size") == (1, 7):
        config["kernel_size"] = (7, 1)


def test_wrong_inceptions_are_caught(maps):
    """The comparison above can fail: each of these mistakes is far beyond the tolerance."""
    ours, reference = maps
    batch = parity.images(139, 139)
    first = ours.layers[1].name

    def same_padding(name, config):
        if name == first:
            config["padding"] = "same"

    mistakes = [(other_epsilon, 20), (same_padding, 1000), (wider_average, 1000)]
    if ours.name == "inception_resnet_v2":  # each costs seconds: what only this network has
        mistakes = [(other_epsilon, 20), (other_scale, 100), (no_relu_at_the_end, 1000)]
    for mistake, tolerances in mistakes:
        wrong = parity.edited(ours, mistake)
        assert parity.error(wrong, reference, batch) > tolerances * parity.TOLERANCE, mistake


def test_a_wrong_kernel_does_not_fit(maps):
    ours, _ = maps
    with pytest.raises(ValueError, match=r"kernel has shape \(7, 1, .*, in source \(1, 7, "):
        parity.edited(ours, rows_and_columns_swapped)


# Name of the last layer of a stage: its map for 299 × 299 pixels.
STAGES = {
    "inception_v3": {  # Szegedy et al. (2016), arXiv:1512.00567, table 1: input of the next row
        "mixed2": (35, 35, 288),
        "mixed7": (17, 17, 768),
        "mixed8": (8, 8, 1280),
        "mixed10": (8, 8, 2048),
    },
    "inception_v4": {  # Szegedy et al. (2016), arXiv:1602.07261, figure 9
        "inception_a4": (35, 35, 384),
        "reduction_a": (17, 17, 1024),
        "inception_b7": (17, 17, 1024),
        "reduction_b": (8, 8, 1536),
        "inception_c3": (8, 8, 1536),
    },
    "inception_resnet_v2": {  # the authors' release; the paper's figures print 1154 and 2048 maps
        "mixed_5b": (35, 35, 320),
        "block35_10_ac": (35, 35, 320),
        "mixed_6a": (17, 17, 1088),
        "block17_20_ac": (17, 17, 1088),
        "mixed_7a": (8, 8, 2080),
        "conv_7b_ac": (8, 8, 1536),
    },
}


@pytest.mark.parametrize("name", STAGES)
def test_stages_have_the_papers_sizes(name):
    network = architectures.build(name)
    for layer, shape in STAGES[name].items():
        assert network.get_layer(layer).output.shape[1:] == shape, layer
    if name == "inception_v4":
        # PyTorch's conversion of the released weights has 42,679,816: one gamma more per map.
        trainable = sum(int(np.prod(weight.shape)) for weight in network.trainable_weights)
        normalised = sum(w.shape[0] for w in network.weights if w.path.endswith("/beta"))
        assert trainable + normalised == 42_679_816
        assert len([x for x in network.layers if isinstance(x, keras.layers.Conv2D)]) == 149


ROWS = {  # curriculum of chapter 08, from table 1: side, maps, weights, millions of products
    "3a": (28, 256, 163_696, 128.0),
    "3b": (28, 480, 388_736, 304.3),
    "4a": (14, 512, 376_176, 73.6),
    "4b": (14, 512, 449_160, 87.9),
    "4c": (14, 512, 510_104, 99.9),
    "4d": (14, 528, 605_376, 118.5),
    "4e": (14, 832, 868_352, 170.0),
    "5a": (7, 832, 1_043_456, 51.1),
    "5b": (7, 1024, 1_444_080, 70.7),
}


def test_googlenet_has_the_papers_rows():
    network = architectures.googlenet(auxiliary=True)
    assert [row for row, numbers in MODULES.items() if numbers] == list(ROWS)
    for row, (side, maps, parameters, millions) in ROWS.items():
        layer = network.get_layer(f"inception_{row}")
        assert layer.output.shape[1:] == (side, side, maps)
        assert layer.count_params() == parameters
        assert cost.macs(layer) / 1e6 == pytest.approx(millions, abs=0.06)
    counts = [network.get_layer(name).count_params() for name in ("conv1", "conv2_reduce", "conv2")]
    assert counts == [9_472, 4_160, 110_784]
    heads = [network.get_layer(f"auxiliary{i}") for i in (1, 2)]
    assert [head.count_params() for head in heads] == [3_188_840, 3_190_888]
    assert [head.input.shape[1:] for head in heads] == [(14, 14, 512), (14, 14, 528)]
    shapes = [network.get_layer(name).output.shape[1] for name in ("conv1", "pool1", "pool2")]
    shapes += [network.get_layer(name).output.shape[1] for name in ("pool3", "pool4")]
    assert shapes == [112, 56, 28, 14, 7]
    prediction = keras.Model(network.input, network.outputs[0])
    assert prediction.count_params() == 6_998_552
    convolutions = [layer for layer in prediction._flatten_layers() if "Conv2D" in str(type(layer))]
    assert len(convolutions) == 57


def test_googlenet_learns_with_its_heads_and_predicts_without():
    keras.utils.set_random_seed(0)
    arguments = {"input_shape": (65, 65, 3), "classes": 3}
    training = architectures.googlenet(**arguments, auxiliary=True)
    losses = ["sparse_categorical_crossentropy"] * 3
    training.compile(keras.optimizers.SGD(1e-3), losses, loss_weights=LOSS_WEIGHTS)
    x, labels = parity.images(65, 65, count=4), np.array([0, 1, 2, 1])
    before = training.test_on_batch(x, [labels] * 3, return_dict=True)
    parts = [
        float(keras.ops.mean(keras.losses.sparse_categorical_crossentropy(labels, y)))
        for y in training(x)
    ]
    assert before["loss"] == pytest.approx(parts[0] + 0.3 * (parts[1] + parts[2]), rel=1e-4)
    training.train_on_batch(x, [labels] * 3)
    assert training.test_on_batch(x, [labels] * 3, return_dict=True)["loss"] < before["loss"]
    prediction = keras.Model(training.input, training.outputs[0])
    plain = architectures.googlenet(**arguments)
    architectures.copy_weights(prediction, plain)
    np.testing.assert_array_equal(plain(x), training(x)[0])
    maps = architectures.googlenet((None, None, 3), include_top=False, auxiliary=True)
    assert maps.output_shape == (None, None, None, 1024)


def random_weights(layer):
    """Give a layer weights that matter and return them by name."""
    for i, weight in enumerate(layer.weights):
        weight.assign(np.random.default_rng(i).normal(0, 0.3, weight.shape))
    return {w.path.partition(f"{layer.name}/")[2]: np.asarray(w) for w in layer.weights}


def convolve(x, weights, name):
    """Apply a padded convolution and ReLU, in NumPy."""
    kernel, bias = weights[f"{name}/kernel"], weights[f"{name}/bias"]
    return np.maximum(scratch.conv2d(x, kernel, bias, padding="same"), 0)


def test_module_equals_numpy(tmp_path):
    network = keras.Sequential([keras.Input((None, None, 5)), InceptionModule([4, 2, 3, 1, 2, 6])])
    weights = random_weights(network.layers[0])
    x = np.random.default_rng(9).normal(size=(2, 7, 6, 5)).astype("float32")
    branches = [
        convolve(x, weights, "1x1"),
        convolve(convolve(x, weights, "3x3_reduce"), weights, "3x3"),
        convolve(convolve(x, weights, "5x5_reduce"), weights, "5x5"),
        convolve(scratch.max_pool2d(x, 3, 1, "same"), weights, "pool_proj"),
    ]
    np.testing.assert_allclose(network(x), np.concatenate(branches, axis=-1), atol=1e-4)
    assert network.output_shape == (None, None, None, 4 + 3 + 2 + 6)
    network.save(tmp_path / "module.keras")
    again = keras.models.load_model(tmp_path / "module.keras")
    np.testing.assert_array_equal(again(x), network(x))


def test_head_equals_numpy(tmp_path):
    network = keras.Sequential([keras.Input((14, 11, 5)), AuxiliaryHead(3, None)])
    weights = random_weights(network.layers[0])
    x = np.random.default_rng(9).normal(size=(2, 14, 11, 5)).astype("float32")
    y = convolve(scratch.avg_pool2d(x, 5, 3), weights, "conv").reshape(2, -1)
    y = np.maximum(y @ weights["fc/kernel"] + weights["fc/bias"], 0)
    expected = y @ weights["predictions/kernel"] + weights["predictions/bias"]
    np.testing.assert_allclose(network(x), expected, rtol=1e-4, atol=1e-3)
    assert np.abs(network(x, training=True) - expected).max() > 1  # dropout
    network.save(tmp_path / "head.keras")
    again = keras.models.load_model(tmp_path / "head.keras")
    np.testing.assert_array_equal(again(x), network(x))


def test_wrong_arguments():
    for maps in ((64, 96, 128, 16, 32), 64, (64, 96, 128, 16, 32, 0)):
        with pytest.raises(ValueError, match=r"maps is .*; accepted: (six|a) positive integer"):
            InceptionModule(maps)
    with pytest.raises(ValueError, match="accepted: known channels"):
        InceptionModule([1] * 6)(keras.Input((5, 5, None)))
    with pytest.raises(ValueError, match="classes is 0; accepted"):
        AuxiliaryHead(0)
    for sides in ((4, 14), (None, 14)):
        with pytest.raises(ValueError, match="accepted: known sides of 5 at least"):
            AuxiliaryHead(3)(keras.Input((*sides, 8)))
