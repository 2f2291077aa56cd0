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


def _stack(x, filters, kernel_size, convolutions, name):
    """Apply some convolutions that keep the size, then pooling that halves it."""
    options = {"padding": "same", "activation": "relu", "kernel_initializer": "he_normal"}
    for i in range(1, convolutions + 1):
        x = layers.Conv2D(filters, kernel_size, name=f"{name}_conv{i}", **options)(x)
    return layers.MaxPooling2D(name=f"{name}_pool")(x)


def _top(x, classes, activation):
    """Apply the three dense layers, with dropout before the second and the third."""
    x = layers.Flatten(name="flatten")(x)
    for name, units in (("fc1", 128), ("fc2", 64)):
        x = layers.Dense(units, activation="relu", kernel_initializer="he_normal", name=name)(x)
        x = layers.Dropout(0.5, name=f"{name}_dropout")(x)
    return classifier(x, classes, activation)


@network(side=28, top=_top, known_sides=True, channels=1, classes=10)
def fashion_cnn(x):
    """Return the network of five convolutional and three dense layers: 1,413,834 parameters."""
    x = _stack(x, 64, 7, convolutions=1, name="block1")
    x = _stack(x, 128, 3, convolutions=2, name="block2")
    return _stack(x, 256, 3, convolutions=2, name="block3")
