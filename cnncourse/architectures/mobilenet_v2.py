"""MobileNetV2: skips between narrow maps, around wide and cheap ones.

Source: Sandler, Howard, Zhu, Zhmoginov & Chen (2018), MobileNetV2: inverted residuals and linear
bottlenecks, arXiv:1801.04381, table 2; equal to `keras.applications.MobileNetV2` weight for weight.
The unit is in `cnncourse.layers`.

Numbers of maps are multiples of 8, which hardware likes. A narrow network (`alpha` below 1) keeps
the 1280 maps of the last convolution: classes are no fewer for it. Momentum is .999.
"""

from cnncourse.architectures.common import network, rounded, width_multiplier
from cnncourse.layers import InvertedResidual
from keras import layers

# Table 2: expansion, maps, repeats, strides of the first.
_STAGES = [
    (1, 16, 1, 1),
    (6, 24, 2, 2),
    (6, 32, 3, 2),
    (6, 64, 4, 2),
    (6, 96, 3, 1),
    (6, 160, 3, 2),
    (6, 320, 1, 1),
]


def _normalised(x, norm, relu):
    """Apply batch normalisation and a ReLU that stops at 6."""
    x = layers.BatchNormalization(momentum=0.999, name=norm)(x)
    return layers.ReLU(6, name=relu)(x)


@network()
def mobilenet_v2(x, alpha=1.0):
    """Return MobileNetV2: 3,538,984 parameters for an `alpha` of 1."""
    filters = rounded(32 * width_multiplier(alpha))
    x = layers.Conv2D(filters, 3, 2, padding="same", use_bias=False, name="Conv1")(x)
    x = _normalised(x, "bn_Conv1", "Conv1_relu")
    units = [
        (expansion, filters, strides if repeat == 0 else 1)
        for expansion, filters, repeats, strides in _STAGES
        for repeat in range(repeats)
    ]
    for i, (expansion, filters, strides) in enumerate(units):
        name = f"block_{i}" if i else "expanded_conv"
        x = InvertedResidual(rounded(int(filters * alpha)), strides, expansion, name=name)(x)
    x = layers.Conv2D(rounded(1280 * max(1, alpha)), 1, use_bias=False, name="Conv_1")(x)
    return _normalised(x, "Conv_1_bn", "out_relu")
