"""A first network of one's own: small enough for Fashion-MNIST, shaped like the famous ones.

Source: Géron (2022), Hands-on machine learning, 3rd ed., chapter 14 (CNN for Fashion-MNIST).

Maps shrink and deepen: after each pooling there are twice as many, for there are few simple
patterns but many ways to combine them. Only the first kernel is large, where there is one channel
to read; its stride is 1, because the images are small. All weights before a ReLU start as He's
initialisation gives them. Half of the dense units are dropped in training: they hold 21 % of the
weights and are the first to overfit.
"""

from cnncourse.architectures.common import classifier, network
from keras import layers


def _convolution(x, filters, kernel_size=3):
    """Apply a convolution that keeps the size, and ReLU."""
    options = {"activation": "relu", "kernel_initializer": "he_normal"}
    return layers.Conv2D(filters, kernel_size, padding="same", **options)(x)


def _dense(x, units):
    """Apply a dense layer with ReLU, then dropout."""
    x = layers.Dense(units, activation="relu", kernel_initializer="he_normal")(x)
    return layers.Dropout(0.5)(x)


def _top(x, classes, activation):
    """Apply the three dense layers."""
    x = layers.Flatten()(x)
    x = _dense(x, 128)
    x = _dense(x, 64)
    return classifier(x, classes, activation)


@network(side=28, top=_top, known_sides=True, channels=1, classes=10)
def fashion_cnn(x):
    """Return the network of five convolutional and three dense layers: 1,413,834 parameters."""
    x = _convolution(x, 64, kernel_size=7)
    x = layers.MaxPooling2D()(x)
    for filters in (128, 256):
        x = _convolution(x, filters)
        x = _convolution(x, filters)
        x = layers.MaxPooling2D()(x)
    return x
