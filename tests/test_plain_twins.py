"""Networks that `keras.applications` lacks, against the papers' tables in plain Keras.

Ours and the twin get the same weights and must give the same logits: order, activations, padding,
strides and constants are then those of the table. LRN and pooling have no weights, so nothing else
would notice if they were missing or misplaced; the mistakes below show that this does.
"""

import contextlib
from unittest import mock

import keras
import parity
import pytest
import tensorflow as tf
from cnncourse import architectures
from cnncourse.architectures.googlenet import MODULES
from keras import layers
from variants import build


def lrn():
    """Return TensorFlow's normalisation with AlexNet's constants."""

    def normalise(x):
        return tf.nn.local_response_normalization(x, 2, bias=2, alpha=1e-4, beta=0.75)

    return layers.Lambda(normalise)


def conv(filters, size, strides=1, padding="same", activation="relu", groups=1):
    return layers.Conv2D(filters, size, strides, padding, activation=activation, groups=groups)


def dense(*units):
    """Return hidden dense layers with dropout after each, then three logits."""
    parts = [layers.Flatten()]
    for n in units:
        parts += [layers.Dense(n, activation="relu"), layers.Dropout(0.5)]
    return [*parts, layers.Dense(3)]


def from_c5(groups=1):
    last = [conv(384, 3), conv(384, 3, groups=groups), conv(256, 3, groups=groups)]
    return [*last, layers.MaxPooling2D(3, 2), *dense(4096, 4096)]


def plain_alexnet(groups=1):
    """Krizhevsky, Sutskever & Hinton (2012), figure 2 and section 3.5: LRN, then pooling."""
    return [
        conv(96, 11, 4, "valid"),
        lrn(),
        layers.MaxPooling2D(3, 2),
        conv(256, 5, groups=groups),
        lrn(),
        layers.MaxPooling2D(3, 2),
        *from_c5(groups),
    ]


def plain_zfnet():
    """Zeiler & Fergus (2014), figure 3: pooling, then LRN."""
    padded_pool = [layers.ZeroPadding2D(1), layers.MaxPooling2D(3, 2)]
    more = [layers.ZeroPadding2D(1), layers.MaxPooling2D(3, 2)]
    first = [layers.ZeroPadding2D(1), conv(96, 7, 2, "valid"), *padded_pool, lrn()]
    return [*first, conv(256, 5, 2, "valid"), *more, lrn(), *from_c5()]


def plain_lenet5():
    """LeCun et al. (1998), figure 2, with today's layers."""
    parts = []
    for filters in (6, 16):
        parts += [conv(filters, 5, 1, "valid", "tanh"), layers.AveragePooling2D(2)]
    parts += [conv(120, 5, 1, "valid", "tanh"), layers.Flatten()]
    return [*parts, layers.Dense(84, activation="tanh"), layers.Dense(3)]


def plain_fashion_cnn():
    """Géron (2022), chapter 14."""
    parts = [conv(64, 7), layers.MaxPooling2D(2)]
    for filters in (128, 256):
        parts += [conv(filters, 3), conv(filters, 3), layers.MaxPooling2D(2)]
    return [*parts, *dense(128, 64)]


def swapped(first, second):
    """Return a mistake: each of two layers does what the other should."""
    return lambda network: {
        first: {"call": network.get_layer(second).call},
        second: {"call": network.get_layer(first).call},
    }


def changed(layer, **attributes):
    """Return a mistake: a layer with other attributes."""
    return lambda network: {layer: attributes}


def identity(x):
    return x


@contextlib.contextmanager
def mistaken(network, mistake):
    """Make a mistake in a network and put it right again."""
    with contextlib.ExitStack() as stack:
        for layer, attributes in mistake(network).items():
            for name, value in attributes.items():
                wrong = mock.patch.object(network.get_layer(layer), name, value)
                stack.enter_context(wrong)
        yield


TWINS = {  # network and its form: side, what pixels are multiplied by, twin
    "alexnet": (67, 100, plain_alexnet),
    "alexnet_grouped": (67, 100, lambda: plain_alexnet(groups=2)),
    "zfnet": (53, 100, plain_zfnet),
    "lenet5": (32, 1, plain_lenet5),
    "fashion_cnn": (32, 1, plain_fashion_cnn),
}
MISTAKES = {  # what is wrong in ours
    "alexnet": {},
    "alexnet_grouped": {
        "no LRN": changed("C1_lrn", call=identity),
        "no second LRN": changed("C3_lrn", call=identity),
        "LRN after pooling": swapped("C1_lrn", "S2"),
        "second LRN after pooling": swapped("C3_lrn", "S4"),
        "n is 3": changed("C1_lrn", n=3),
        "n is 11": changed("C3_lrn", n=11),
    },
    "zfnet": {
        "no LRN": changed("S2_lrn", call=identity),
        "LRN before pooling": swapped("S2", "S2_lrn"),
        "n is 3": changed("S4_lrn", n=3),
    },
    "lenet5": {
        "ReLU for tanh": changed("C3", activation=keras.activations.relu),
        "no means": changed("S2", call=lambda x: x[:, ::2, ::2]),
    },
    "fashion_cnn": {"no ReLU": changed("block2_conv2", activation=keras.activations.linear)},
}


def compare_and_control(ours, plain, side, size, mistakes):
    """Compare the outputs; each mistake must be far beyond the tolerance."""
    batch = size * parity.images(side, side, seed=3)  # LRN hardly changes small numbers
    assert parity.error(ours, plain, batch) < parity.TOLERANCE
    for name, mistake in mistakes.items():
        with mistaken(ours, mistake):
            assert parity.error(ours, plain, batch) > 20 * parity.TOLERANCE, name


def kinds(model):
    """List the layers' classes, with what they drop out."""
    own = {"LocalResponseNormalization": "Lambda"}
    names = [(own.get(type(x).__name__, type(x).__name__), x) for x in model.layers]
    return [(kind, getattr(x, "rate", None)) for kind, x in names if kind != "InputLayer"]


@pytest.mark.parametrize("name", TWINS)
def test_equals_a_plain_network(name):
    side, size, make = TWINS[name]
    shape = (side, side, 3)
    ours = build(name, input_shape=shape, classes=3, classifier_activation=None)
    parity.randomise(ours, (side, side))
    plain = keras.Sequential([keras.Input(shape), *make()])
    plain.set_weights(ours.get_weights())
    assert kinds(plain) == kinds(ours)
    compare_and_control(ours, plain, side, size, MISTAKES[name])


def plain_googlenet(shape):
    """Szegedy et al. (2015), table 1, figure 3 and section 5, with both heads."""

    def convolved(x, filters, size, name, strides=1):
        options = {"padding": "same", "activation": "relu", "name": name}
        return layers.Conv2D(filters, size, strides, **options)(x)

    def pool(x, strides=2):
        return layers.MaxPooling2D(3, strides, "same")(x)

    def classified(x, name):
        return layers.Dense(3, name=f"{name}predictions")(x)

    inputs, outputs = keras.Input(shape), []
    x = lrn()(pool(convolved(inputs, 64, 7, "conv1", 2)))
    x = convolved(convolved(x, 64, 1, "conv2_reduce"), 192, 3, "conv2")
    x = pool(lrn()(x))
    for row, maps in MODULES.items():
        if maps is None:
            x = pool(x)
            continue
        name = f"inception_{row}_"
        branches = [convolved(x, maps[0], 1, f"{name}1x1")]
        for i, size in ((1, 3), (3, 5)):
            y = convolved(x, maps[i], 1, f"{name}{size}x{size}_reduce")
            branches.append(convolved(y, maps[i + 1], size, f"{name}{size}x{size}"))
        branches.append(convolved(pool(x, 1), maps[5], 1, f"{name}pool_proj"))
        x = layers.Concatenate()(branches)
        if row in ("4a", "4d"):
            head = f"auxiliary{len(outputs) + 1}_"
            y = convolved(layers.AveragePooling2D(5, 3)(x), 128, 1, f"{head}conv")
            y = layers.Dense(1024, activation="relu", name=f"{head}fc")(layers.Flatten()(y))
            outputs.append(classified(y, head))
    return keras.Model(inputs, [classified(layers.GlobalAveragePooling2D()(x), ""), *outputs])


GOOGLENET_MISTAKES = {
    "no LRN": changed("lrn1", call=identity),
    "no second LRN": changed("lrn2", call=identity),
    "LRN before pooling": swapped("pool1", "lrn1"),
    "LRN after pooling": swapped("lrn2", "pool2"),
    "n is 3": changed("lrn2", n=3),
    "no ReLU": changed("conv2_reduce", activation=keras.activations.linear),
}


def test_googlenet_equals_a_plain_network():
    shape = (65, 65, 3)
    ours = architectures.googlenet(shape, 3, classifier_activation=None, auxiliary=True)
    parity.randomise(ours, shape[:2])
    plain = plain_googlenet(shape)
    architectures.copy_weights(ours, plain)
    compare_and_control(ours, plain, 65, 100, GOOGLENET_MISTAKES)
    top = ours.get_layer("top_dropout")
    assert top.rate == 0.4 and top.input is ours.get_layer("avg_pool").output
