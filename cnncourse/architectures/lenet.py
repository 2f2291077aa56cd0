"""LeNet-5: convolutions, pooling and dense layers for handwritten digits, as of 1998.

Source: LeCun, Bottou, Bengio & Haffner (1998), Gradient-based learning applied to document
recognition, Proceedings of the IEEE 86 (11), section II.B and table I. Layers carry its names: C
convolves, S pools ("subsamples"), F is dense.

No convolution pads, so maps shrink by 4 a time; the 28×28 digits are therefore put on a 32×32
ground, where no stroke is near the border. What today's form leaves out, the original has: pooling
with weights, a C3 that does not read every map, and an output that measures distances.
"""

import numpy as np
from cnncourse.architectures.common import classifier, finished, image_input
from cnncourse.layers import GaussianRBF, SparseConv2D, scaled_tanh
from cnncourse.scratch.windows import positive_int
from keras import layers

# Table I: the maps of S2 that each map of C3 reads. Three neighbours, four, some, all.
C3_READS = [
    *[sorted((first + i) % 6 for i in range(count)) for count in (3, 4) for first in range(6)],
    [0, 1, 3, 4],
    [1, 2, 4, 5],
    [0, 2, 3, 5],
    [0, 1, 2, 3, 4, 5],
]

# What F6 should say to each digit: a picture of it, 7 wide and 12 high, drawn after figure 3. Thus
# digits that look alike have codes that are near.
DIGITS = """
....... ....... ....... ....... ....... ....... ....... ....... ....... .......
..###.. ...##.. .#####. ####### ....##. ####### ..####. ####### .#####. .#####.
.##.##. ..###.. ##...## ....##. ....##. ##..... .##.... ##...## ##...## ##...##
##...## .####.. .....## ...##.. ...###. ##..... ##..... .....## ##...## ##...##
##...## ...##.. .....## ..####. ..####. ######. ##..... ....##. ##...## ##...##
##...## ...##.. ....##. .....## .##.##. .....## ######. ....##. .#####. .######
##...## ...##.. ...##.. .....## ##..##. .....## ##...## ...##.. ##...## .....##
##...## ...##.. ..##... .....## ####### .....## ##...## ...##.. ##...## .....##
.##.##. ...##.. .##.... ##...## ....##. ##...## ##...## ..##... ##...## ....##.
..###.. .###### ####### .#####. ....##. .#####. .#####. ..##... .#####. .####..
....... ....... ....... ....... ....... ....... ....... ....... ....... .......
....... ....... ....... ....... ....... ....... ....... ....... ....... .......
"""


def _pool(x, original, name):
    """Halve the sides; the original then has a coefficient, a bias and tanh for each map."""
    x = layers.AveragePooling2D(2, name=name)(x)
    if original:  # a depthwise 1×1 kernel is one coefficient for each map
        scale = {"depthwise_initializer": "ones", "activation": scaled_tanh}
        x = layers.DepthwiseConv2D(1, name=f"{name}_scale", **scale)(x)
    return x


def digit_codes():
    """Return the ten pictures as an array (84, 10) of −1 (paper) and 1 (ink)."""
    rows = [line.split() for line in DIGITS.split("\n")[1:-1]]
    digits = ["".join(row[digit] for row in rows) for digit in range(10)]
    return np.where(np.array([list(digit) for digit in digits]).T == "#", 1.0, -1.0)


def _nearest(x, classes, activation):
    """Measure the distance to each class's code; the nearest gets the largest output."""
    rbf = GaussianRBF(positive_int("classes", classes), name="distances")
    x = rbf(x)
    if classes == 10:
        rbf.centres.assign(digit_codes())
    x = layers.Rescaling(-1, name="logits")(x)
    return layers.Activation(activation, name="predictions")(x)


def lenet5(
    input_shape=(32, 32, 1),
    classes=10,
    include_top=True,
    weights=None,
    classifier_activation="softmax",
    name="lenet5",
    original=False,
):
    """Return LeNet-5: 61,706 parameters; `original=True`: 60,000 trainable ones, 840 fixed.

    The original's output is a softmax of minus the distances: the class probabilities behind the
    paper's equation 9, without its constant for "no digit at all". The distances themselves are
    `model.get_layer("distances").output`. With ten classes their codes are pictures of the digits,
    with any other number random.
    """
    inputs = image_input(input_shape, weights, known_sides=include_top)
    activation = scaled_tanh if original else "tanh"
    x = layers.Conv2D(6, 5, activation=activation, name="C1")(inputs)
    x = _pool(x, original, "S2")
    if original:
        x = SparseConv2D(C3_READS, 5, activation=activation, name="C3")(x)
    else:
        x = layers.Conv2D(16, 5, activation=activation, name="C3")(x)
    x = _pool(x, original, "S4")
    x = layers.Conv2D(120, 5, activation=activation, name="C5")(x)
    if include_top:
        x = layers.Flatten(name="flatten")(x)
        x = layers.Dense(84, activation=activation, name="F6")(x)
        last = _nearest if original else classifier
        x = last(x, classes, classifier_activation)
    return finished(inputs, x, weights, name)
