"""LeNet-5 against NumPy and its paper's numbers; the layers that only the original has."""

import keras
import numpy as np
import parity
import pytest
from cnncourse import architectures, cost, scratch
from cnncourse.architectures.lenet import C3_READS, digit_codes
from cnncourse.layers import GaussianRBF, SparseConv2D, scaled_tanh
from hypothesis import given, settings
from hypothesis import strategies as st

# LeCun et al. (1998), table I: row = map of S2, column = map of C3.
TABLE_I = """
X...XXX..XXXX.XX
XX...XXX..XXXX.X
XXX...XXX..X.XXX
.XXX..XXXX..X.XX
..XXX..XXXX.XX.X
...XXX..XXXX.XXX
"""


@pytest.fixture(scope="module")
def original():
    """The original, with weights that matter."""
    network = architectures.lenet5(original=True)
    for i, weight in enumerate(network.trainable_weights):
        weight.assign(np.random.default_rng(i).normal(0, 0.3, weight.shape))
    return network


def squash(x):
    return 1.7159 * np.tanh(2 / 3 * x)


def test_the_table_of_connections():
    rows = TABLE_I.split()
    assert [[i for i in range(6) if rows[i][j] == "X"] for j in range(16)] == C3_READS
    assert [len(maps) for maps in C3_READS] == 6 * [3] + 9 * [4] + [6]


def test_layers_have_the_papers_sizes_and_weights(original):
    expected = {
        "C1": ((28, 28, 6), 156),
        "S2": ((14, 14, 6), 0),
        "S2_scale": ((14, 14, 6), 12),
        "C3": ((10, 10, 16), 1_516),
        "S4": ((5, 5, 16), 0),
        "S4_scale": ((5, 5, 16), 32),
        "C5": ((1, 1, 120), 48_120),
        "F6": ((84,), 10_164),
        "distances": ((10,), 840),
    }
    for name, (shape, parameters) in expected.items():
        layer = original.get_layer(name)
        assert (tuple(layer.output.shape[1:]), layer.count_params()) == (shape, parameters), name
    trainable = sum(int(np.prod(weight.shape)) for weight in original.trainable_weights)
    assert trainable == 60_000
    convolutions = 28**2 * 25 * 6 + 10**2 * 25 * 60 + 25 * 16 * 120
    assert cost.macs(original) == convolutions + 14**2 * 6 + 25 * 16 + 120 * 84 + 84 * 10


def numpy_original(x, network):
    """Compute the original's distances without Keras, C3 as one convolution with zeros in it."""
    weights = {w.path: np.asarray(w, "float64") for w in network.weights}
    x = squash(scratch.conv2d(x, weights["C1/kernel"], weights["C1/bias"]))
    x = scratch.avg_pool2d(x)
    x = squash(x * weights["S2_scale/kernel"][..., 0] + weights["S2_scale/bias"])
    kernel, bias = np.zeros((5, 5, 6, 16)), np.zeros(16)
    for i, maps in enumerate(C3_READS):
        kernel[:, :, maps, i] = weights[f"C3/map{i}/kernel"][..., 0]
        bias[i] = weights[f"C3/map{i}/bias"][0]
    x = scratch.avg_pool2d(squash(scratch.conv2d(x, kernel, bias)))
    x = squash(x * weights["S4_scale/kernel"][..., 0] + weights["S4_scale/bias"])
    x = squash(scratch.conv2d(x, weights["C5/kernel"], weights["C5/bias"]))[:, 0, 0]
    x = squash(x @ weights["F6/kernel"] + weights["F6/bias"])
    centres = weights["distances/centres"]
    return np.stack([((x - centres[:, i]) ** 2).sum(axis=1) for i in range(10)], axis=1)


def test_the_original_equals_numpy(original):
    x = np.random.default_rng(0).normal(size=(3, 32, 32, 1))
    distances = numpy_original(x, original)
    layer = keras.Model(original.input, original.get_layer("distances").output)
    np.testing.assert_allclose(layer(x), distances, rtol=1e-4)
    likelihood = np.exp(distances.min(axis=1, keepdims=True) - distances)
    probabilities = likelihood / likelihood.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(original(x), probabilities, rtol=1e-2, atol=1e-4)
    np.testing.assert_array_equal(np.argmax(original(x), axis=1), distances.argmin(axis=1))


def test_codes_are_ten_different_pictures(original):
    codes = digit_codes()
    assert codes.shape == (7 * 12, 10)
    assert set(codes.ravel()) == {-1, 1}
    differing = [(codes[:, i] != codes[:, j]).sum() for i in range(10) for j in range(i)]
    assert min(differing) >= 4
    np.testing.assert_array_equal(original.get_layer("distances").centres, codes)
    seven = np.where(codes[:, 7].reshape(12, 7) > 0, "#", ".")
    assert "".join(seven[1]) == "#######"
    assert "".join(seven[8]) == "..##..."


def test_the_original_learns_but_for_its_centres_and_comes_back(original, tmp_path):
    network = architectures.lenet5(original=True)
    network.compile(keras.optimizers.SGD(1e-4), "sparse_categorical_crossentropy")
    rng = np.random.default_rng(0)
    x, labels = rng.normal(size=(20, 32, 32, 1)), np.arange(20) % 10
    losses = [network.train_on_batch(x, labels) for _ in range(5)]
    assert losses[-1] < losses[0]
    np.testing.assert_array_equal(network.get_layer("distances").centres, digit_codes())
    original.save(tmp_path / "lenet.keras")
    again = keras.models.load_model(tmp_path / "lenet.keras")
    np.testing.assert_array_equal(again(x), original(x))


def test_todays_form_has_a_plain_layer_for_each_of_these():
    network = architectures.lenet5()
    counts = {layer.name: layer.count_params() for layer in network.layers if layer.weights}
    expected = {"C1": 156, "C3": 2_416, "C5": 48_120, "F6": 10_164, "predictions": 850}
    assert counts == expected
    assert {network.get_layer(name).activation.__name__ for name in ("C1", "C3", "C5", "F6")} == {
        "tanh"
    }


def test_another_number_of_classes_and_no_top():
    network = architectures.lenet5((36, 32, 3), classes=4, original=True)
    centres = np.asarray(network.get_layer("distances").centres)
    assert centres.shape == (84, 4)
    assert set(centres.ravel()) == {-1, 1}
    logits = architectures.lenet5(classes=4, original=True, classifier_activation=None)
    assert float(keras.ops.max(logits(np.ones((2, 32, 32, 1))))) < 0
    maps = architectures.lenet5((None, None, 1), include_top=False, original=True)
    assert maps.output_shape == (None, None, None, 120)
    with pytest.raises(ValueError, match="classes is 0; accepted"):
        architectures.lenet5(classes=0, original=True)


def test_scaled_tanh():
    x = np.linspace(-3, 3, 13, dtype="float32")
    np.testing.assert_allclose(scaled_tanh(x), squash(x), rtol=1e-6)
    np.testing.assert_allclose(scaled_tanh(np.array([-1.0, 1])), [-1, 1], atol=1e-4)


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 4), st.integers(1, 5), st.integers(1, 6))
def test_rbf_equals_numpy(instances, features, units):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(instances, features)).astype("float32")
    layer = GaussianRBF(units)
    layer(x)
    assert set(np.asarray(layer.centres).ravel()) <= {-1, 1}
    centres = rng.normal(size=(features, units)).astype("float32")
    layer.centres.assign(centres)
    expected = ((x[:, :, None] - centres) ** 2).sum(axis=1)
    np.testing.assert_allclose(layer(x), expected, rtol=1e-5, atol=1e-6)
    assert layer.trainable_weights == []
    assert cost.macs(layer, (features,)) == features * units


@settings(max_examples=15, deadline=None)
@given(
    st.lists(st.lists(st.integers(0, 3), min_size=1, max_size=4, unique=True), min_size=1),
    st.integers(1, 3),
)
def test_sparse_convolution_equals_one_with_zeros(connections, kernel_size):
    connections = connections[:4]
    x = parity.images(6, 5)
    x = np.concatenate([x, x[..., :1] ** 2], axis=-1)
    layer = SparseConv2D(connections, kernel_size, activation="relu")
    y = layer(x)
    kernel = np.zeros((kernel_size, kernel_size, 4, len(connections)))
    for i, maps in enumerate(connections):
        kernel[:, :, maps, i] = np.asarray(layer.convolutions[i].kernel)[..., 0]
    expected = np.maximum(scratch.conv2d(x, kernel.astype("float32")), 0)
    np.testing.assert_allclose(y, expected, atol=1e-5)
    assert tuple(y.shape) == layer.compute_output_shape(x.shape)


@pytest.mark.parametrize(
    ("layer", "arguments"),
    [
        (GaussianRBF, {"units": 3}),
        (SparseConv2D, {"connections": [[0, 2], [1]], "kernel_size": 1, "activation": scaled_tanh}),
    ],
)
def test_layers_come_back_and_know_unknown_sizes(layer, arguments, tmp_path):
    network = keras.Sequential([keras.Input((None, None, 3)), layer(**arguments)])
    units = len(arguments.get("connections", [0, 0, 0]))
    assert network.output_shape == (None, None, None, units)
    network.save(tmp_path / "layer.keras")
    again = keras.models.load_model(tmp_path / "layer.keras")
    np.testing.assert_array_equal(again(parity.images(4, 3)), network(parity.images(4, 3)))
    assert keras.saving.get_registered_name(layer) == f"cnncourse>{layer.__name__}"
    half = layer(**arguments, dtype="mixed_float16")
    assert keras.backend.standardize_dtype(half(parity.images(4, 3)).dtype) == "float16"


def test_wrong_arguments():
    with pytest.raises(ValueError, match="units is 0; accepted: a positive integer"):
        GaussianRBF(0)
    for connections in ([], [[0], []]):
        with pytest.raises(ValueError, match=r"connections is \[.*; accepted: one map or more"):
            SparseConv2D(connections, 3)
    with pytest.raises(ValueError, match=r"connections holds \[3\] .*; accepted: numbers of maps"):
        SparseConv2D([[0], [3]], 1)(parity.images(2, 2))
