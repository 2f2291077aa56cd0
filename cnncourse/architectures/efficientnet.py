"""EfficientNet: one small network, made deeper, wider and sharper-eyed by one rule.

Source: Tan & Le (2019), EfficientNet: rethinking model scaling for convolutional neural networks,
arXiv:1905.11946, table 1; equal to `keras.applications` weight for weight. The unit, MBConv, is in
`cnncourse.layers`.

B0 was found by a search. The others multiply its depth, width and side together, so that products
(∝ depth · width² · side²) about double from one to the next. The factors are those of the authors'
code, near the paper's powers of 1.2, 1.1 and 1.15. Repeats are rounded up, maps to multiples of 8.

Pixels go in as 0 … 255: rescaling and normalisation are inside. Strided windows are padded "same",
which for an even side is one zero less at the top left; the reference writes that as an explicit,
asymmetric layer, and takes every unknown side for an even one.
"""

import functools
import math

from cnncourse.architectures.common import averaged, network, rounded
from cnncourse.layers import MBConv
from cnncourse.layers.inverted_residual import FAN_OUT
from keras import layers

# Table 1: kernel size, expansion, maps, repeats, strides of the first.
_STAGES = [
    (3, 1, 16, 1, 1),
    (3, 6, 24, 2, 2),
    (5, 6, 40, 2, 2),
    (3, 6, 80, 3, 2),
    (5, 6, 112, 3, 1),
    (5, 6, 192, 4, 2),
    (3, 6, 320, 1, 1),
]

# Factors of width and depth, side of the images, dropout before the classifier.
SCALES = {
    "efficientnet_b0": (1.0, 1.0, 224, 0.2),
    "efficientnet_b1": (1.0, 1.1, 240, 0.2),
    "efficientnet_b2": (1.1, 1.2, 260, 0.3),
    "efficientnet_b3": (1.2, 1.4, 300, 0.3),
    "efficientnet_b4": (1.4, 1.8, 380, 0.4),
    "efficientnet_b5": (1.6, 2.2, 456, 0.4),
    "efficientnet_b6": (1.8, 2.6, 528, 0.5),
    "efficientnet_b7": (2.0, 3.1, 600, 0.5),
}


def scaled_stages(width, depth):
    """Return the stages of table 1 with maps and repeats scaled.

    >>> scaled_stages(1.1, 1.2)[2]
    (5, 6, 48, 3, 2)
    """
    return [
        (kernel, expansion, rounded(width * filters), math.ceil(depth * repeats), strides)
        for kernel, expansion, filters, repeats, strides in _STAGES
    ]


def _normalised(x, name):
    """Apply batch normalisation and swish."""
    x = layers.BatchNormalization(name=f"{name}_bn")(x)
    return layers.Activation("swish", name=f"{name}_activation")(x)


def _units(x, stages):
    """Apply all MBConv units; training drops more of the deeper branches."""
    total = sum(repeats for *_, repeats, _ in stages)
    done = 0
    for i, (kernel, expansion, filters, repeats, strides) in enumerate(stages, 1):
        for letter in "abcdefghijklmnopqrstuvwxyz"[:repeats]:
            unit = MBConv(
                filters,
                strides if letter == "a" else 1,
                expansion,
                kernel,
                drop_rate=0.2 * done / total,
                name=f"block{i}{letter}",
            )
            x = unit(x)
            done += 1
    return x


def _efficientnet(name):
    """Return the constructor of one row of `SCALES`."""
    width, depth, side, dropout = SCALES[name]
    options = {"use_bias": False, "kernel_initializer": FAN_OUT}

    def features(x):
        x = layers.Normalization()(layers.Rescaling(1 / 255)(x))
        filters = rounded(32 * width)
        x = layers.Conv2D(filters, 3, 2, padding="same", name="stem_conv", **options)(x)
        x = _normalised(x, "stem")
        x = _units(x, scaled_stages(width, depth))
        x = layers.Conv2D(rounded(1280 * width), 1, name="top_conv", **options)(x)
        return _normalised(x, "top")

    features.__name__ = features.__qualname__ = name
    features.__doc__ = f"Return {name}: {width}× as wide and {depth}× as deep as efficientnet_b0."
    return network(side, functools.partial(averaged, dropout=dropout))(features)


efficientnet_b0 = _efficientnet("efficientnet_b0")
efficientnet_b1 = _efficientnet("efficientnet_b1")
efficientnet_b2 = _efficientnet("efficientnet_b2")
efficientnet_b3 = _efficientnet("efficientnet_b3")
efficientnet_b4 = _efficientnet("efficientnet_b4")
efficientnet_b5 = _efficientnet("efficientnet_b5")
efficientnet_b6 = _efficientnet("efficientnet_b6")
efficientnet_b7 = _efficientnet("efficientnet_b7")
