"""VGG: nothing but 3×3 convolutions, 2×2 max pooling and three dense layers.

Source: Simonyan & Zisserman (2014), Very deep convolutional networks for large-scale image
recognition, arXiv:1409.1556, table 1, columns D and E.

Why only 3×3: two in a row see 5×5 pixels, three see 7×7, with fewer weights than one large kernel
and a ReLU after each. Padding keeps the size, so that only pooling halves it: 224 → 7 in five
steps. There is no batch normalisation, which is younger. The paper's dropout on the two hidden
dense layers is left out, as in `keras.applications`: it has no weights and does nothing in
prediction.
"""

from cnncourse.architectures.common import classifier, network
from keras import layers


def _stack(x, filters, convolutions, name):
    """Apply one row group of table 1: some convolutions, then pooling."""
    for i in range(1, convolutions + 1):
        x = layers.Conv2D(filters, 3, padding="same", activation="relu", name=f"{name}_conv{i}")(x)
    return layers.MaxPooling2D(name=f"{name}_pool")(x)


def _stacks(x, depths):
    """Apply the five stacks, with so many convolutions in each."""
    for i, (depth, filters) in enumerate(zip(depths, (64, 128, 256, 512, 512), strict=True), 1):
        x = _stack(x, filters, depth, f"block{i}")
    return x


def _top(x, classes, activation):
    """Apply the dense layers."""
    x = layers.Flatten(name="flatten")(x)  # the order counts: fc1 holds 74 % of the weights
    x = layers.Dense(4096, activation="relu", name="fc1")(x)
    x = layers.Dense(4096, activation="relu", name="fc2")(x)
    return classifier(x, classes, activation)


@network(top=_top, known_sides=True)
def vgg16(x):
    """Return VGG-16, column D: 13 convolutional and 3 dense layers, 138,357,544 parameters."""
    return _stacks(x, (2, 2, 3, 3, 3))


@network(top=_top, known_sides=True)
def vgg19(x):
    """Return VGG-19, column E: 16 convolutional and 3 dense layers, 143,667,240 parameters."""
    return _stacks(x, (2, 2, 4, 4, 4))
