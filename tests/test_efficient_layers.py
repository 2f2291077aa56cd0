"""Blocks of the efficient networks against convolutions written in NumPy."""

import keras
import numpy as np
import parity
import pytest
from cnncourse import cost, scratch
from cnncourse.layers import (
    CrossStagePartial,
    DenseBlock,
    InvertedResidual,
    MBConv,
    ResNeXtUnit,
    SEBottleneckUnit,
    SqueezeExcite,
    Transition,
)


def in_a_model(layer, shape=(7, 6, 8)):
    """Return a model of one layer, all of whose weights matter."""
    model = keras.Sequential([keras.Input(shape), layer])
    for i, weight in enumerate(model.weights):
        rng = np.random.default_rng(i)
        kernel = weight.path.endswith("kernel")
        weight.assign(
            rng.normal(0, 0.5, weight.shape) if kernel else rng.uniform(0.5, 1.5, weight.shape)
        )
    return model


def inputs(channels=8):
    return np.random.default_rng(9).normal(size=(2, 7, 6, channels)).astype("float32")


def weights(model):
    """Return {path below the layer: array of float64}."""
    layer = model.layers[0].name
    return {w.path.partition(f"{layer}/")[2]: np.asarray(w, "float64") for w in model.weights}


def norm(x, w, name, epsilon=1e-3):
    kinds = ("gamma", "beta", "moving_mean", "moving_variance")
    gamma, beta, mean, variance = (w[f"{name}/{kind}"] for kind in kinds)
    return gamma * (x - mean) / np.sqrt(variance + epsilon) + beta


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def swish(x):
    return x * sigmoid(x)


def relu(x):
    return np.maximum(x, 0)


def recalibrated(x, w, prefix="", activation=relu):
    """Squeeze by the mean, excite by two dense layers, scale."""
    reduce, expand = w[f"{prefix}reduce/kernel"][0, 0], w[f"{prefix}expand/kernel"][0, 0]
    squeezed = activation(x.mean(axis=(1, 2)) @ reduce + w[f"{prefix}reduce/bias"])
    gate = sigmoid(squeezed @ expand + w[f"{prefix}expand/bias"])
    return x * gate[:, None, None, :]


def depthwise(x, kernel, strides):
    """Convolve each map with its own kernel."""
    maps = [
        scratch.conv2d(x[..., [i]], kernel[:, :, [i]], None, strides, "same")
        for i in range(x.shape[-1])
    ]
    return np.concatenate(maps, axis=-1)


def close(actual, expected):
    assert np.abs(expected).max() > 0.1
    np.testing.assert_allclose(actual, expected, rtol=1e-4, atol=1e-4 * np.abs(expected).max())


@pytest.mark.parametrize(("ratio", "activation"), [(4, "relu"), (16, "relu"), (2, "swish")])
def test_squeeze_excite(ratio, activation):
    model = in_a_model(SqueezeExcite(ratio, activation, name="se"))
    assert weights(model)["reduce/kernel"].shape == (1, 1, 8, max(1, 8 // ratio))
    expected = recalibrated(
        inputs(), weights(model), activation={"relu": relu, "swish": swish}[activation]
    )
    close(model(inputs()), expected)
    assert (np.abs(model(inputs())) <= np.abs(inputs())).all()


def test_squeeze_excite_counts_as_in_the_curriculum():
    for channels, count in ((256, 8_464), (512, 33_312), (1024, 132_160), (2048, 526_464)):
        layer = SqueezeExcite(16)
        layer.build((None, 7, 7, channels))
        assert layer.count_params() == count


@pytest.mark.parametrize("expansion", [1, 3])
@pytest.mark.parametrize(("filters", "strides", "size"), [(8, 1, 3), (4, 1, 5), (8, 2, 3)])
@pytest.mark.parametrize("unit", [InvertedResidual, MBConv])
def test_inverted_residuals(unit, filters, strides, size, expansion):
    arguments = {"strides": strides, "expansion": expansion, "kernel_size": size}
    model = in_a_model(unit(filters, name="unit", **arguments))
    w, x = weights(model), inputs().astype("float64")
    expand, expand_bn, dw, dw_bn, project, project_bn = unit.parts
    activation = swish if unit is MBConv else lambda x: np.clip(x, 0, 6)
    wide = x
    if expansion > 1:
        wide = activation(norm(scratch.conv2d(x, w[f"{expand}/kernel"]), w, expand_bn))
    wide = activation(norm(depthwise(wide, w[f"{dw}/kernel"], strides), w, dw_bn))
    if unit is MBConv:
        assert w["se/reduce/kernel"].shape[-1] == 2  # a quarter of the 8 maps that came in
        wide = recalibrated(wide, w, "se/", swish)
    expected = norm(scratch.conv2d(wide, w[f"{project}/kernel"]), w, project_bn)
    if strides == 1 and filters == 8:
        expected = expected + x
    close(model(inputs()), expected)


def test_whole_branches_are_dropped_image_by_image():
    model = in_a_model(MBConv(8, drop_rate=0.5, name="unit"))
    x = np.repeat(inputs()[:1], 64, axis=0)
    branch = np.asarray(model(x, training=True)) - x
    dropped = np.abs(branch).max(axis=(1, 2, 3)) == 0
    assert 16 < dropped.sum() < 48
    assert np.abs(branch[~dropped]).min(axis=(1, 2, 3)).max() > 0


def test_dense_block_and_transition():
    model = in_a_model(DenseBlock(3, growth_rate=2, name="block"))
    w, x = weights(model), inputs().astype("float64")
    for i in (1, 2, 3):
        new = relu(norm(x, w, f"block{i}_0_bn", 1.001e-5))
        new = scratch.conv2d(new, w[f"block{i}_1_conv/kernel"])
        assert new.shape[-1] == 8
        new = relu(norm(new, w, f"block{i}_1_bn", 1.001e-5))
        new = scratch.conv2d(new, w[f"block{i}_2_conv/kernel"], padding="same")
        x = np.concatenate([x, new], axis=-1)
    close(model(inputs()), x)

    model = in_a_model(Transition(0.5, name="transition"))
    w = weights(model)
    x = relu(norm(inputs().astype("float64"), w, "bn", 1.001e-5))
    x = scratch.avg_pool2d(scratch.conv2d(x, w["conv/kernel"]), 2)
    assert x.shape == (2, 3, 3, 4)
    close(model(inputs()), x)


@pytest.mark.parametrize("channels", [8, 7])
def test_cross_stage_partial_splits_and_joins(channels):
    stage = [keras.layers.Conv2D(5, 3, padding="same", name="a"), keras.layers.ReLU()]
    model = in_a_model(CrossStagePartial(stage, name="csp"), (7, 6, channels))
    w, x = weights(model), inputs(channels)
    half = channels // 2
    assert w["a/kernel"].shape == (3, 3, channels - half, 5)
    stage = relu(scratch.conv2d(x[..., half:], w["a/kernel"], w["a/bias"], padding="same"))
    close(model(x), np.concatenate([x[..., :half], stage], axis=-1))
    np.testing.assert_array_equal(model(x)[..., :half], x[..., :half])


def test_grouped_convolution_is_split_convolve_concatenate():
    model = in_a_model(ResNeXtUnit(8, strides=2, cardinality=4, name="unit"))
    w, x = weights(model), inputs().astype("float64")
    kernel = w["2_conv/kernel"]
    assert kernel.shape == (3, 3, 2, 8)
    y = relu(norm(scratch.conv2d(x, w["1_conv/kernel"]), w, "1_bn"))
    paths = [
        scratch.conv2d(part, own, None, 2, "same")
        for part, own in zip(np.split(y, 4, -1), np.split(kernel, 4, -1), strict=True)
    ]
    y = relu(norm(np.concatenate(paths, axis=-1), w, "2_bn"))
    y = norm(scratch.conv2d(y, w["3_conv/kernel"]), w, "3_bn")
    skip = norm(scratch.conv2d(x, w["0_conv/kernel"], None, 2), w, "0_bn")
    close(model(inputs()), relu(y + skip))


def test_many_paths_cost_as_much_as_one_bottleneck():
    """Curriculum of chapter 11: 70,144 kernel weights, 4,608 of them in groups."""
    unit = ResNeXtUnit(128)
    unit.build((None, 14, 14, 256))
    kernels = [np.prod(w.shape) for w in unit.weights if w.name == "kernel"]
    assert (sum(kernels), kernels[1]) == (70_144, 4_608)


def test_recalibration_comes_before_the_addition():
    model = in_a_model(SEBottleneckUnit(2, name="unit"))
    w, x = weights(model), inputs().astype("float64")
    y = relu(norm(scratch.conv2d(x, w["1_conv/kernel"]), w, "1_bn"))
    y = relu(norm(scratch.conv2d(y, w["2_conv/kernel"], padding="same"), w, "2_bn"))
    y = recalibrated(norm(scratch.conv2d(y, w["3_conv/kernel"]), w, "3_bn"), w, "se/")
    close(model(inputs()), relu(y + x))


LAYERS = [
    lambda: SqueezeExcite(2, "swish"),
    lambda: InvertedResidual(4, 2, 3, 5),
    lambda: MBConv(8, drop_rate=0.2),
    lambda: DenseBlock(2, 3),
    lambda: Transition(0.75, 1),
    lambda: CrossStagePartial([DenseBlock(2, 3), Transition(0.5, 1)]),
    lambda: ResNeXtUnit(8, 2, 4),
    lambda: SEBottleneckUnit(2),
]


@pytest.mark.parametrize("make", LAYERS, ids=lambda make: type(make()).__name__)
def test_saving_shapes_and_precision(make, tmp_path):
    model = in_a_model(make(), (None, None, 8))
    model.save(tmp_path / "layer.keras")
    again = keras.models.load_model(tmp_path / "layer.keras")
    np.testing.assert_array_equal(again(inputs()), model(inputs()))
    layer = model.layers[0]
    restored = type(layer).from_config(layer.get_config())
    assert restored.get_config() == layer.get_config()
    assert restored.compute_output_shape((None, 7, 6, 8)) == (None, *model(inputs()).shape[1:])
    cost.macs(model, (7, 6, 8))  # every product is known

    keras.config.set_dtype_policy("mixed_float16")
    try:
        half = make()
        assert keras.backend.standardize_dtype(half(inputs()).dtype) == "float16"
    finally:
        keras.config.set_dtype_policy("float32")
    assert {keras.backend.standardize_dtype(w.dtype) for w in half.weights} == {"float32"}


@pytest.mark.parametrize("make", LAYERS, ids=lambda make: type(make()).__name__)
def test_unknown_channels_are_refused(make):
    with pytest.raises(ValueError, match=r"\(None, 5, 5, None\); accepted: (known|two) channels"):
        make()(keras.Input((5, 5, None)))


def test_wrong_arguments():
    positive = "accepted: a positive integer"
    for make, message in (
        (lambda: SqueezeExcite(0), f"ratio is 0; {positive}"),
        (lambda: InvertedResidual(0), f"filters is 0; {positive}"),
        (lambda: InvertedResidual(4, strides=-1), f"strides is -1; {positive}"),
        (lambda: MBConv(4, expansion=0), f"expansion is 0; {positive}"),
        (lambda: MBConv(4, kernel_size=0), f"kernel_size is 0; {positive}"),
        (lambda: MBConv(4, drop_rate=1), "drop_rate is 1; accepted: at least 0 and less than 1"),
        (lambda: DenseBlock(0), f"depth is 0; {positive}"),
        (lambda: DenseBlock(1, 0), f"growth_rate is 0; {positive}"),
        (lambda: Transition(0), "reduction is 0; accepted: above 0 and at most 1"),
        (lambda: Transition(1, 0), f"pool_size is 0; {positive}"),
        (lambda: ResNeXtUnit(8, cardinality=3), "filters is 8; accepted: a multiple of 3"),
        (lambda: ResNeXtUnit(8, cardinality=0), f"cardinality is 0; {positive}"),
        (lambda: CrossStagePartial([])(parity.images(5, 5)[..., :1]), "two channels or more"),
        (
            lambda: CrossStagePartial([keras.layers.MaxPooling2D()])(parity.images(6, 6)),
            "accepted: the same sides",
        ),
    ):
        with pytest.raises(ValueError, match=message):
            make()
