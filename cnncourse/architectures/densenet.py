"""DenseNet: every layer of a block reads the maps of all layers before it.

Source: Huang, Liu, van der Maaten & Weinberger (2016), Densely connected convolutional networks,
arXiv:1608.06993, table 1; equal to `keras.applications` weight for weight. Blocks and transitions
are in `cnncourse.layers`.

Stem and epsilon are ResNet's, explicit zeros and 1.001e-5 included (see `resnet.py`), but without
the useless bias. After the last block there is no transition, only the normalisation and the ReLU
that a further layer would have brought.
"""

from cnncourse.architectures.common import network
from cnncourse.layers import DenseBlock, Transition
from keras import layers


def dense_stem(x):
    """Convolve 7×7 and pool 3×3, both with strides 2: 224 → 56."""
    x = layers.ZeroPadding2D(3)(x)
    x = layers.Conv2D(64, 7, strides=2, use_bias=False, name="conv1_conv")(x)
    x = layers.BatchNormalization(epsilon=1.001e-5, name="conv1_bn")(x)
    x = layers.Activation("relu", name="conv1_relu")(x)
    x = layers.ZeroPadding2D(1)(x)
    return layers.MaxPooling2D(3, strides=2, name="pool1")(x)


def dense_end(x):
    """Normalise and activate what the last block gives."""
    x = layers.BatchNormalization(epsilon=1.001e-5, name="bn")(x)
    return layers.Activation("relu", name="relu")(x)


def _densenet(x, depths):
    """Apply everything but the top, with so many layers in each of the four blocks."""
    x = dense_stem(x)
    for i, depth in enumerate(depths, 2):
        x = DenseBlock(depth, growth_rate=32, name=f"conv{i}")(x)
        if i < 5:
            x = Transition(0.5, name=f"pool{i}")(x)
    return dense_end(x)


@network()
def densenet121(x):
    """Return DenseNet-121: 8,062,504 parameters."""
    return _densenet(x, (6, 12, 24, 16))


@network()
def densenet169(x):
    """Return DenseNet-169: 14,307,880 parameters."""
    return _densenet(x, (6, 12, 32, 32))


@network()
def densenet201(x):
    """Return DenseNet-201: 20,242,984 parameters."""
    return _densenet(x, (6, 12, 48, 32))
