"""Is our network the reference's? Weights that would show the difference, and its size.

On softmax with small random weights a wrong network passes. So the reference gets He kernels, which
keep the signal's size through every layer, random biases, gamma and beta, and moving statistics
that fit its own activations: each batch normalisation then matters, and so does its epsilon.
"""

import copy

import keras
import numpy as np
from cnncourse.architectures import copy_weights
from cnncourse.architectures.weights import refresh, weights_by_name

TOLERANCE = 1e-5  # of the largest output


def images(*sides, seed=0, count=2):
    """Return some images of standard normal pixels with three channels."""
    return np.random.default_rng(seed).normal(size=(count, *sides, 3)).astype("float32")


def randomise(model, shape=(64, 64), seed=0):
    """Give every weight of a model a random value that matters to the output."""
    rng = np.random.default_rng(seed)
    for weight in model.weights:
        kind = weight.path.rpartition("/")[2]
        if kind.endswith("kernel"):
            depthwise = "depthwise" in kind or "depthwise" in weight.path or "dwconv" in weight.path
            fan_in = np.prod(weight.shape[:2] if depthwise else weight.shape[:-1])
            value = rng.standard_normal(weight.shape, "float32") * np.float32((2 / fan_in) ** 0.5)
        elif kind == "gamma":
            value = rng.uniform(0.5, 1.5, weight.shape)
        elif kind in ("bias", "beta"):
            value = rng.normal(0, 0.1, weight.shape)
        elif kind == "mean":  # of EfficientNet's Normalization, after pixels / 255
            value = rng.normal(0, 0.001, weight.shape)
        elif kind == "variance":
            value = rng.uniform(1e-5, 2e-5, weight.shape)
        else:
            assert kind in ("count", "moving_mean", "moving_variance"), weight.path
            continue
        weight.assign(value)
    refresh(model)
    calibrate(model, images(*shape, seed=seed + 1))
    return model


def calibrate(model, batch):
    """Let one pass at momentum 0 replace the moving statistics by the batch's."""
    norms = [x for x in model._flatten_layers() if isinstance(x, keras.layers.BatchNormalization)]
    momenta = [norm.momentum for norm in norms]
    for norm in norms:
        norm.momentum = 0.0
    model(batch, training=True)
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum


def error(ours, reference, batch):
    """Return the largest difference of the outputs, relative to the largest output."""
    expected = np.asarray(reference(batch, training=False))
    actual = np.asarray(ours(batch, training=False))
    assert actual.shape == expected.shape
    assert expected.std() > 0.1 * np.abs(expected).mean(), "outputs are all alike: no test"
    return float(np.abs(actual - expected).max() / np.abs(expected).max())


def edited(model, edit):
    """Return a copy of a functional model after edit(name, config) changed its layers' configs."""
    config = copy.deepcopy(model.get_config())
    for layer in config["layers"]:
        edit(layer["config"]["name"], layer["config"])
    variant = keras.Model.from_config(config)
    copy_weights(model, variant)
    return variant


def settings(model):
    """Return {weight's name: shape} and {layer's name: what its result depends on}."""
    named = weights_by_name(model)
    shapes = {name: tuple(weight.shape) for name, (_, weight) in named.items()}
    layer_of = {weight.path: name.rpartition("_")[0] for name, (_, weight) in named.items()}
    keys = ("strides", "kernel_size", "dilation_rate", "groups", "epsilon", "momentum", "scale")
    configs = {}
    for layer in model._flatten_layers():
        if layer.weights and hasattr(layer, "path") and not hasattr(layer, "layers"):
            config = layer.get_config()
            configs[layer_of[layer.weights[0].path]] = {k: config[k] for k in keys if k in config}
    return shapes, configs
