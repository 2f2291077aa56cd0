"""MobileNet: depthwise separable convolutions from end to end, as wide as one can afford.

Source: Howard et al. (2017), MobileNets: efficient convolutional neural networks for mobile vision
applications, arXiv:1704.04861, table 1; equal to `keras.applications.MobileNet` weight for weight.

`alpha`, the width multiplier, scales the number of maps of every layer, and so products and weights
by about alpha². Unlike Xception there is normalisation and ReLU between the two parts of a
separable convolution; ReLU stops at 6, so that few bits hold the result. Strided windows get one
zero at the bottom right only, whatever the side: for an even one, that is what "same" does in
TensorFlow, where the network comes from. The classifier is a 1×1 convolution.
"""

from cnncourse.architectures.common import network, width_multiplier
from cnncourse.scratch.windows import positive_int
from keras import layers

# Table 1: maps and strides of the 13 separable convolutions.
_LAYERS = (
    [(64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2)]
    + 5 * [(512, 1)]
    + [(1024, 2), (1024, 1)]
)


def _normalised(x, name):
    """Apply batch normalisation and ReLU."""
    x = layers.BatchNormalization(name=f"{name}_bn")(x)
    return layers.ReLU(6, name=f"{name}_relu")(x)


def _separable(x, filters, strides, i):
    """Apply the i-th separable convolution."""
    if strides > 1:
        x = layers.ZeroPadding2D(((0, 1), (0, 1)), name=f"conv_pad_{i}")(x)
    padding = "valid" if strides > 1 else "same"
    x = layers.DepthwiseConv2D(3, strides, padding, use_bias=False, name=f"conv_dw_{i}")(x)
    x = _normalised(x, f"conv_dw_{i}")
    x = layers.Conv2D(filters, 1, use_bias=False, name=f"conv_pw_{i}")(x)
    return _normalised(x, f"conv_pw_{i}")


def _top(x, classes, activation):
    """Average each map and classify by a 1×1 convolution."""
    classes = positive_int("classes", classes)
    x = layers.GlobalAveragePooling2D(keepdims=True)(x)
    x = layers.Dropout(0.001, name="dropout")(x)
    x = layers.Conv2D(classes, 1, name="conv_preds")(x)
    x = layers.Reshape((classes,), name="reshape_2")(x)
    return layers.Activation(activation, name="predictions")(x)


@network(top=_top)
def mobilenet(x, alpha=1.0):
    """Return MobileNet: 4,253,864 parameters for an `alpha` of 1."""
    filters = int(32 * width_multiplier(alpha))
    x = layers.Conv2D(filters, 3, 2, padding="same", use_bias=False, name="conv1")(x)
    x = _normalised(x, "conv1")
    for i, (filters, strides) in enumerate(_LAYERS, 1):
        x = _separable(x, int(filters * alpha), strides, i)
    return x
