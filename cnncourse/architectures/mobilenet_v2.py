"""MobileNetV2: skips between narrow maps, around wide and cheap ones.

Source: Sandler, Howard, Zhu, Zhmoginov & Chen (2018), MobileNetV2: inverted residuals and linear
bottlenecks, arXiv:1801.04381, table 2; equal to `keras.applications.MobileNetV2` weight for weight.
The unit is in `cnncourse.layers`.

Numbers of maps are multiples of 8, which hardware likes. A narrow network (`alpha` below 1) keeps
the 1280 maps of the last convolution: classes are no fewer for it. Momentum is .999.
"""

from cnncourse.architectures.common import (
    classifier,
    finished,
    image_input,
    rounded,
    width_multiplier,
)
from cnncourse.architectures.pretrained import pretrained
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


@pretrained
def mobilenet_v2(
    input_shape=(224, 224, 3),
    classes=1000,
    include_top=True,
    weights=None,
    classifier_activation="softmax",
    name="mobilenet_v2",
    alpha=1.0,
):
    """Return MobileNetV2: 3,538,984 parameters for an `alpha` of 1."""
    inputs = image_input(input_shape, weights)
    alpha = width_multiplier(alpha)
    options = {"padding": "same", "use_bias": False, "name": "Conv1"}
    x = layers.Conv2D(rounded(32 * alpha), 3, strides=2, **options)(inputs)
    x = _normalised(x, "bn_Conv1", "Conv1_relu")
    i = 0
    for expansion, filters, repeats, strides in _STAGES:
        for repeat in range(repeats):
            unit = InvertedResidual(
                rounded(int(filters * alpha)),
                strides if repeat == 0 else 1,
                expansion,
                name=f"block_{i}" if i else "expanded_conv",
            )
            x = unit(x)
            i += 1
    x = layers.Conv2D(rounded(1280 * max(1, alpha)), 1, use_bias=False, name="Conv_1")(x)
    x = _normalised(x, "Conv_1_bn", "out_relu")
    if include_top:
        x = layers.GlobalAveragePooling2D()(x)
        x = classifier(x, classes, classifier_activation)
    return finished(inputs, x, weights, name)
