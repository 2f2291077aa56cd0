"""ResidualUnit and BottleneckUnit against convolutions written in NumPy."""

import keras
import numpy as np
import parity
import pytest
from cnncourse import cost, scratch
from cnncourse.layers import BottleneckUnit, ResidualUnit

UNITS = (ResidualUnit, BottleneckUnit)


def unit_in_a_model(unit, shape=(7, 6, 8), **arguments):
    """Return a model of one unit, all of whose weights matter."""
    model = keras.Sequential([keras.Input(shape), unit(name="unit", **arguments)])
    for i, weight in enumerate(model.weights):
        model.weights[i].assign(np.random.default_rng(i).uniform(0.5, 1.5, weight.shape))
    return model


def numpy_branch(x, model, numbers, strides, epsilon):
    """Apply the numbered convolutions with their normalisation; ReLU between them."""
    weights = {w.path.partition("unit/")[2]: np.asarray(w, "float64") for w in model.weights}
    for i in numbers:
        if i > 1:
            x = np.maximum(x, 0)
        kernel, bias = weights[f"{i}_conv/kernel"], weights.get(f"{i}_conv/bias")
        x = scratch.conv2d(x, kernel, bias, strides if i < 2 else 1, "same")
        gamma, beta, mean, variance = (
            weights[f"{i}_bn/{w}"] for w in ("gamma", "beta", "moving_mean", "moving_variance")
        )
        x = gamma * (x - mean) / np.sqrt(variance + epsilon) + beta
    return x


@pytest.mark.parametrize("unit", UNITS)
@pytest.mark.parametrize(("filters", "strides"), [(8, 1), (2, 1), (3, 1), (8, 2), (2, 2)])
def test_equals_numpy(unit, filters, strides):
    wide, convolutions, epsilon = (1, 2, 1e-3) if unit is ResidualUnit else (4, 3, 1.001e-5)
    model = unit_in_a_model(unit, filters=filters, strides=strides)
    x = np.random.default_rng(9).normal(size=(2, 7, 6, 8))
    projects = strides > 1 or wide * filters != 8
    assert any("0_conv" in w.path for w in model.weights) == projects
    skip = numpy_branch(x, model, [0], strides, epsilon) if projects else x
    expected = numpy_branch(x, model, range(1, convolutions + 1), strides, epsilon) + skip
    expected = np.maximum(expected, 0)
    np.testing.assert_allclose(model(x), expected, rtol=1e-4, atol=1e-4 * expected.max())


def test_one_channel_is_projected_not_broadcast():
    unit = ResidualUnit(4)
    unit(np.ones((1, 5, 5, 1)))
    assert [layer.name for layer in unit.skip] == ["0_conv", "0_bn"]


@pytest.mark.parametrize("unit", UNITS)
def test_starts_as_the_identity_where_the_last_gamma_is_zero(unit):
    layer = unit(2)
    channels = layer.compute_output_shape((None, 5, 5, 1))[-1]
    x = np.random.default_rng(0).normal(size=(2, 5, 5, channels)).astype("float32")
    layer(x)
    layer.main[-1].gamma.assign(np.zeros(channels))
    np.testing.assert_array_equal(layer(x), np.maximum(x, 0))


def test_a_bottleneck_is_17_times_smaller():
    def kernels(unit):
        unit.build((None, 8, 8, 256))
        return sum(int(np.prod(w.shape)) for w in unit.weights if w.name == "kernel")

    assert kernels(BottleneckUnit(64)) == 69_632
    assert kernels(ResidualUnit(256)) == 1_179_648


@pytest.mark.parametrize("unit", UNITS)
def test_unknown_sides_saving_and_costs(unit, tmp_path):
    model = unit_in_a_model(unit, (None, None, 3), filters=2, strides=2)
    model.save(tmp_path / "unit.keras")
    again = keras.models.load_model(tmp_path / "unit.keras")
    x = parity.images(7, 6)
    np.testing.assert_array_equal(again(x), model(x))
    restored = unit.from_config(model.layers[0].get_config())
    assert (type(restored), restored.filters, restored.strides) == (unit, 2, 2)
    assert model.output_shape == (None, None, None, 2 if unit is ResidualUnit else 8)
    kernels = sum(int(np.prod(w.shape)) for w in model.weights if w.name == "kernel")
    assert cost.macs(model, (8, 6, 3)) == 12 * kernels  # all work on the smaller map, 4×3


def test_half_precision_inside():
    unit = ResidualUnit(4, dtype="mixed_float16")
    assert keras.backend.standardize_dtype(unit(parity.images(5, 5)).dtype) == "float16"
    assert {keras.backend.standardize_dtype(w.dtype) for w in unit.weights} == {"float32"}
    assert {layer.compute_dtype for layer in unit.main} == {"float16"}


@pytest.mark.parametrize("unit", UNITS)
def test_wrong_arguments(unit):
    with pytest.raises(ValueError, match="filters is 0; accepted: a positive integer"):
        unit(0)
    with pytest.raises(ValueError, match="strides is -1; accepted: a positive integer"):
        unit(4, strides=-1)
    with pytest.raises(ValueError, match="accepted: known channels"):
        unit(4)(keras.Input((5, 5, None)))
