"""Inception-v4, which `keras.applications` lacks, against the paper's figures in TensorFlow.

One block of each kind is enough: how many there are is in test_inception.py and in the parameters.
"""

import re

import numpy as np
import parity
import tensorflow as tf
from cnncourse import architectures
from cnncourse.architectures import inception
from cnncourse.architectures.weights import weights_by_name


def concat(*branches):
    return tf.concat(branches, axis=-1)


class PlainInceptionV4:
    """Szegedy et al. (2016), arXiv:1602.07261, figures 3 to 9, branches from left to right."""

    def __init__(self, weights, epsilon=1e-3, pool=tf.nn.avg_pool2d):
        self.weights, self.epsilon, self.pool = iter(weights), epsilon, pool

    def conv(self, x, filters, height, width=None, strides=1, padding="SAME"):
        kernel, beta, mean, variance = next(self.weights)
        assert kernel.shape == (height, width or height, x.shape[-1], filters)
        x = tf.nn.conv2d(x, kernel, strides, padding)
        return tf.nn.relu(tf.nn.batch_normalization(x, mean, variance, beta, None, self.epsilon))

    def chain(self, x, *steps):
        for step in steps:
            x = self.conv(x, *step)
        return x

    def halved(self, x, filters):
        return self.conv(x, filters, 3, strides=2, padding="VALID")

    def cropped(self, x, filters):
        return self.conv(x, filters, 3, padding="VALID")

    def maxima(self, x):
        return tf.nn.max_pool2d(x, 3, 2, "VALID")

    def means(self, x):
        return self.pool(x, 3, 1, "SAME")

    def stem(self, x):
        x = self.conv(self.cropped(self.halved(x, 32), 32), 64, 3)
        x = concat(self.maxima(x), self.halved(x, 96))
        left = self.cropped(self.conv(x, 64, 1), 96)
        x = concat(left, self.cropped(self.chain(x, (64, 1), (64, 7, 1), (64, 1, 7)), 96))
        return concat(self.halved(x, 192), self.maxima(x))

    def a(self, x):
        return concat(
            self.conv(self.means(x), 96, 1),
            self.conv(x, 96, 1),
            self.chain(x, (64, 1), (96, 3)),
            self.chain(x, (64, 1), (96, 3), (96, 3)),
        )

    def reduction_a(self, x):
        deep = self.halved(x, 384)
        return concat(self.maxima(x), deep, self.halved(self.chain(x, (192, 1), (224, 3)), 256))

    def b(self, x):
        return concat(
            self.conv(self.means(x), 128, 1),
            self.conv(x, 384, 1),
            self.chain(x, (192, 1), (224, 1, 7), (256, 7, 1)),
            self.chain(x, (192, 1), (192, 1, 7), (224, 7, 1), (224, 1, 7), (256, 7, 1)),
        )

    def reduction_b(self, x):
        left = self.halved(self.conv(x, 192, 1), 192)
        right = self.halved(self.chain(x, (256, 1), (256, 1, 7), (320, 7, 1)), 320)
        return concat(self.maxima(x), left, right)

    def c(self, x):
        parts = [self.conv(self.means(x), 256, 1), self.conv(x, 256, 1)]
        for steps in (((384, 1),), ((384, 1), (448, 1, 3), (512, 3, 1))):
            y = self.chain(x, *steps)
            parts += [self.conv(y, 256, 1, 3), self.conv(y, 256, 3, 1)]
        return concat(*parts)

    def maps(self, x):
        x = self.stem(x)
        for block in (self.a, self.reduction_a, self.b, self.reduction_b, self.c):
            x = block(x)
        return x


def in_order(network):
    """Return kernel, beta, mean and variance of each convolution, in the order of the tables."""
    named = {name: weight for name, (_, weight) in weights_by_name(network).items()}
    count = sum(name.startswith("conv2d") for name in named)
    numbers = ["", *(f"_{i}" for i in range(1, count))]
    return [
        [named[f"conv2d{i}_kernel"]]
        + [named[f"batch_normalization{i}_{k}"] for k in ("beta", "moving_mean", "moving_variance")]
        for i in numbers
    ]


def test_inception_v4_equals_plain_tensorflow(monkeypatch):
    again = re.compile("inception_[abc][2-7]")
    once = {name: table for name, table in inception.V4.items() if not again.fullmatch(name)}
    monkeypatch.setattr(inception, "V4", once)
    side = 107
    ours = architectures.inception_v4((side, side, 3), include_top=False)
    parity.randomise(ours, (side, side))
    weights = in_order(ours)
    batch = parity.images(side, side, seed=3)
    expected = np.asarray(ours(batch, training=False))

    def error(**mistake):
        plain = PlainInceptionV4(weights, **mistake)
        difference = np.abs(plain.maps(batch) - expected).max()
        assert next(plain.weights, None) is None
        return difference / np.abs(expected).max()

    assert error() < parity.TOLERANCE
    assert error(epsilon=1.001e-5) > 20 * parity.TOLERANCE
    assert error(pool=tf.nn.max_pool2d) > 20 * parity.TOLERANCE
