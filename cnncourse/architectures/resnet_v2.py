"""ResNet v2: normalise and activate before each convolution, not after.

Source: He, Zhang, Ren & Sun (2016), Identity mappings in deep residual networks,
arXiv:1603.05027, figure 4 (e); equal to `keras.applications.ResNet50V2` weight for weight.

Nothing follows the addition any more, so a signal can travel from the stem to the end through
additions alone. What follows from that:

* a unit's last convolution and its projection keep their bias, since no normalisation comes
  straight after them; the first two convolutions have none;
* the stem has no normalisation: the first unit brings its own; `post_bn` normalises at the end;
* the strides are on the 3×3 convolution of a stack's *last* unit, and a skip that only shrinks
  needs no weights: it keeps every second pixel (max pooling with a window of 1).

Zeros are added explicitly around strided windows, and epsilon is 1.001e-5, for the reasons given
in `resnet.py` and in `BottleneckUnit`.
"""

from cnncourse.architectures.common import network
from keras import layers


def _normalised(x, name):
    """Apply batch normalisation and ReLU."""
    x = layers.BatchNormalization(epsilon=1.001e-5, name=f"{name}_bn")(x)
    return layers.Activation("relu", name=f"{name}_relu")(x)


def _unit(x, filters, strides, projects, name):
    """Apply one pre-activation bottleneck: 1×1, 3×3, 1×1 with 4 · `filters` maps."""
    before = _normalised(x, f"{name}_preact")
    if projects:
        skip = layers.Conv2D(4 * filters, 1, name=f"{name}_0_conv")(before)
    elif strides > 1:
        skip = layers.MaxPooling2D(1, strides=strides, name=f"{name}_0_pool")(x)
    else:
        skip = x
    x = layers.Conv2D(filters, 1, use_bias=False, name=f"{name}_1_conv")(before)
    x = _normalised(x, f"{name}_1")
    x = layers.ZeroPadding2D(1, name=f"{name}_2_pad")(x)
    x = layers.Conv2D(filters, 3, strides=strides, use_bias=False, name=f"{name}_2_conv")(x)
    x = _normalised(x, f"{name}_2")
    x = layers.Conv2D(4 * filters, 1, name=f"{name}_3_conv")(x)
    return layers.Add(name=f"{name}_out")([skip, x])


def _stack(x, filters, units, strides, name):
    """Apply some units: the first changes the channels, the last the size."""
    for i in range(1, units + 1):
        x = _unit(x, filters, strides if i == units else 1, i == 1, f"{name}_block{i}")
    return x


@network()
def resnet50_v2(x):
    """Return ResNet-50 of pre-activation units: 25,613,800 parameters."""
    x = layers.ZeroPadding2D(3, name="conv1_pad")(x)
    x = layers.Conv2D(64, 7, strides=2, name="conv1_conv")(x)
    # Not after a ReLU here: where all of a window's real values are negative, a zero wins.
    x = layers.ZeroPadding2D(1, name="pool1_pad")(x)
    x = layers.MaxPooling2D(3, strides=2, name="pool1_pool")(x)
    x = _stack(x, 64, 3, strides=2, name="conv2")
    x = _stack(x, 128, 4, strides=2, name="conv3")
    x = _stack(x, 256, 6, strides=2, name="conv4")
    x = _stack(x, 512, 3, strides=1, name="conv5")
    return _normalised(x, "post")
