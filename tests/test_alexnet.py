"""AlexNet, ZF Net and the layer they brought, against NumPy, TensorFlow and the papers' numbers."""

import keras
import numpy as np
import parity
import pytest
import tensorflow as tf
from cnncourse import architectures, cost, scratch
from cnncourse.layers import LocalResponseNormalization
from hypothesis import given, settings
from hypothesis import strategies as st


def numpy_lrn(a, n, k, alpha, beta):
    """Write the paper's formula with loops over the maps."""
    b = np.empty_like(a)
    maps = a.shape[-1]
    for i in range(maps):
        low, high = max(0, i - n // 2), min(i + n // 2, maps - 1)
        total = (a[..., low : high + 1] ** 2).sum(axis=-1)
        b[..., i] = a[..., i] * (k + alpha * total) ** -beta
    return b


@settings(max_examples=30, deadline=None)
@given(
    st.tuples(*[st.integers(1, 3)] * 3),
    st.integers(1, 9),
    st.integers(1, 8),
    st.floats(0.5, 3),
    st.floats(0, 2),
    st.floats(-0.5, 2),
)
def test_lrn_equals_numpy_and_tensorflow(size, channels, n, k, alpha, beta):
    x = np.random.default_rng(0).normal(0, 3, size=(*size, channels)).astype("float32")
    y = LocalResponseNormalization(n, k, alpha, beta)(x)
    np.testing.assert_allclose(y, numpy_lrn(x, n, k, alpha, beta), rtol=2e-4, atol=1e-5)
    theirs = tf.nn.local_response_normalization(x, n // 2, k, alpha, beta)
    np.testing.assert_allclose(y, theirs, rtol=2e-4, atol=1e-5)


def test_lrn_constants_and_the_half_width():
    x = np.random.default_rng(0).normal(0, 100, size=(2, 3, 3, 16)).astype("float32")
    y = LocalResponseNormalization()(x)
    constants = {"bias": 2, "alpha": 1e-4, "beta": 0.75}
    same = tf.nn.local_response_normalization(x, depth_radius=2, **constants)
    wider = tf.nn.local_response_normalization(x, depth_radius=5, **constants)
    np.testing.assert_allclose(y, same, rtol=1e-5)
    assert np.abs(y - wider).max() > 1
    example = LocalResponseNormalization(n=2)(np.array([[1.0, 1, 100, 1, 1]], "float32"))
    np.testing.assert_allclose(example, [[0.595, 0.439, 43.87, 0.439, 0.595]], rtol=1e-3)


def test_lrn_in_half_precision_does_not_overflow():
    x = np.array([[300.0, 1, 2]])  # its square is beyond float16
    y = LocalResponseNormalization(dtype="float16")(x)
    assert keras.backend.standardize_dtype(y.dtype) == "float16"
    np.testing.assert_allclose(y, numpy_lrn(x, 5, 2, 1e-4, 0.75), rtol=2e-3)


def test_lrn_comes_back_and_knows_unknown_sizes(tmp_path):
    layer = LocalResponseNormalization(n=3, k=1.0, alpha=0.5, beta=0.25)
    network = keras.Sequential([keras.Input((None, None, 3)), layer])
    assert network.output_shape == (None, None, None, 3)
    network.save(tmp_path / "lrn.keras")
    again = keras.models.load_model(tmp_path / "lrn.keras")
    np.testing.assert_array_equal(again(parity.images(4, 3)), network(parity.images(4, 3)))
    assert cost.macs(network, (4, 3, 3)) == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"n": 0}, "n is 0; accepted: a positive integer"),
        ({"k": 0}, "k is 0; accepted: a positive number"),
        ({"alpha": -1}, "alpha is -1; accepted"),
    ],
)
def test_wrong_constants(arguments, message):
    with pytest.raises(ValueError, match=message):
        LocalResponseNormalization(**arguments)


def test_lrn_needs_known_channels():
    with pytest.raises(ValueError, match="accepted: known channels"):
        LocalResponseNormalization()(keras.Input((4, 4, None)))


ALEXNET = {  # curriculum of chapter 07, from the paper's figure 2: map and weights
    "C1": ((55, 55, 96), 34_944),
    "S2": ((27, 27, 96), 0),
    "C3": ((27, 27, 256), 614_656),
    "S4": ((13, 13, 256), 0),
    "C5": ((13, 13, 384), 885_120),
    "C6": ((13, 13, 384), 1_327_488),
    "C7": ((13, 13, 256), 884_992),
    "S8": ((6, 6, 256), 0),
    "F9": ((4096,), 37_752_832),
    "F10": ((4096,), 16_781_312),
    "predictions": ((1000,), 4_097_000),
}
ZFNET = {  # Zeiler & Fergus (2014), figure 3
    "C1": ((110, 110, 96), 14_208),
    "S2": ((55, 55, 96), 0),
    "C3": ((26, 26, 256), 614_656),
    "S4": ((13, 13, 256), 0),
    **{name: row for name, row in ALEXNET.items() if name not in ("C1", "S2", "C3", "S4")},
}


@pytest.mark.parametrize(("name", "table"), [("alexnet", ALEXNET), ("zfnet", ZFNET)])
def test_layers_have_the_papers_sizes(name, table):
    network = architectures.build(name)
    for layer, (shape, parameters) in table.items():
        found = network.get_layer(layer)
        assert (tuple(found.output.shape[1:]), found.count_params()) == (shape, parameters), layer
    dropout = [layer.rate for layer in network.layers if isinstance(layer, keras.layers.Dropout)]
    assert dropout == [0.5, 0.5]
    dense = sum(parameters for layer, (_, parameters) in table.items() if "F" in layer)
    assert (dense + table["predictions"][1]) / network.count_params() == pytest.approx(
        0.94, abs=1e-2
    )


@pytest.mark.parametrize(("name", "side"), [("alexnet", 67), ("zfnet", 53)])
def test_smallest_side(name, side):
    smallest = architectures.build(name, input_shape=(side, side, 3), include_top=False)
    assert smallest.output_shape == (None, 1, 1, 256)
    with pytest.raises(ValueError, match="would be zero or negative"):
        architectures.build(name, input_shape=(side, side - 1, 3), include_top=False)


def test_grouped_alexnet_is_the_papers():
    network = architectures.alexnet(grouped=True)
    assert network.count_params() == 60_965_224
    grouped = [layer.name for layer in network.layers if getattr(layer, "groups", 1) == 2]
    assert grouped == ["C3", "C6", "C7"]
    assert cost.macs(network) == 724_406_816  # ungrouped: 1,135 million


def test_groups_are_a_split_two_convolutions_and_a_stack():
    layer = architectures.alexnet((67, 67, 3), grouped=True, include_top=False).get_layer("C3")
    layer.bias.assign(np.linspace(-1, 1, 256))
    x = np.random.default_rng(0).normal(size=(2, 4, 3, 96)).astype("float32")
    kernel, bias = np.asarray(layer.kernel), np.asarray(layer.bias)
    halves = [
        scratch.conv2d(x[..., inputs], kernel[..., outputs], bias[outputs], padding="same")
        for inputs, outputs in (
            (slice(0, 48), slice(0, 128)),
            (slice(48, 96), slice(128, 256)),
        )
    ]
    expected = np.maximum(np.concatenate(halves, axis=-1), 0)
    np.testing.assert_allclose(layer(x), expected, atol=1e-4)


def test_first_cnn_is_the_textbooks():
    network = architectures.fashion_cnn()
    shapes = [layer.output.shape[1:] for layer in network.layers if "conv" in layer.name]
    sides = ((28, 64), (14, 128), (14, 128), (7, 256), (7, 256))
    assert shapes == [(side, side, maps) for side, maps in sides]
    counts = [layer.count_params() for layer in network.layers if layer.weights]
    assert counts == [3_200, 73_856, 147_584, 295_168, 590_080, 295_040, 8_256, 650]
    rates = [layer.rate for layer in network.layers if isinstance(layer, keras.layers.Dropout)]
    assert rates == [0.5, 0.5]
    assert cost.macs(network) / 1e6 == pytest.approx(89.5, abs=0.05)
    assert network.layers[-1].activation.__name__ == "softmax"
    again = architectures.fashion_cnn()
    architectures.copy_weights(network, again)  # names do not depend on what was built before
    x = np.random.default_rng(0).normal(size=(2, 28, 28, 1)).astype("float32")
    np.testing.assert_array_equal(again(x), network(x))
    initialisers = {
        type(layer.kernel_initializer).__name__ for layer in network.layers[:-1] if layer.weights
    }
    assert initialisers == {"HeNormal"}
