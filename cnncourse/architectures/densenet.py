"""DenseNet: every layer of a block reads the maps of all layers before it.

Source: Huang, Liu, van der Maaten & Weinberger (2016), Densely connected convolutional networks,
arXiv:1608.06993, table 1; equal to `keras.applications` weight for weight. Blocks and transitions
are in `cnncourse.layers`.

Stem and epsilon are ResNet's, explicit zeros and 1.001e-5 included (see `resnet.py`), but without
the useless bias. After the last block there is no transition, only the normalisation and the ReLU
that a further layer would have brought.
"""

from cnncourse.architectures.common import classifier, finished, image_input
from cnncourse.architectures.pretrained import pretrained
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


def _densenet(depths, input_shape, classes, include_top, weights, classifier_activation, name):
    """Return the network with so many layers in each of its four blocks."""
    inputs = image_input(input_shape, weights)
    x = dense_stem(inputs)
    for i, depth in enumerate(depths, 2):
        x = DenseBlock(depth, growth_rate=32, name=f"conv{i}")(x)
        if i < 5:
            x = Transition(0.5, name=f"pool{i}")(x)
    x = layers.BatchNormalization(epsilon=1.001e-5, name="bn")(x)
    x = layers.Activation("relu", name="relu")(x)
    if include_top:
        x = layers.GlobalAveragePooling2D(name="avg_pool")(x)
        x = classifier(x, classes, classifier_activation)
    return finished(inputs, x, weights, name)


@pretrained
def densenet121(
    input_shape=(224, 224, 3),
    classes=1000,
    include_top=True,
    weights=None,
    classifier_activation="softmax",
    name="densenet121",
):
    """Return DenseNet-121: 8,062,504 parameters."""
    top = (classes, include_top, weights, classifier_activation)
    return _densenet((6, 12, 24, 16), input_shape, *top, name)


@pretrained
def densenet169(
    input_shape=(224, 224, 3),
    classes=1000,
    include_top=True,
    weights=None,
    classifier_activation="softmax",
    name="densenet169",
):
    """Return DenseNet-169: 14,307,880 parameters."""
    top = (classes, include_top, weights, classifier_activation)
    return _densenet((6, 12, 32, 32), input_shape, *top, name)


@pretrained
def densenet201(
    input_shape=(224, 224, 3),
    classes=1000,
    include_top=True,
    weights=None,
    classifier_activation="softmax",
    name="densenet201",
):
    """Return DenseNet-201: 20,242,984 parameters."""
    top = (classes, include_top, weights, classifier_activation)
    return _densenet((6, 12, 48, 32), input_shape, *top, name)
