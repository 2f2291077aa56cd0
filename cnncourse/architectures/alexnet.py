"""AlexNet, and ZF Net, which is AlexNet with other numbers in its first layers.

Sources: Krizhevsky, Sutskever & Hinton (2012), ImageNet classification with deep convolutional
neural networks, figure 2; Zeiler & Fergus (2014), Visualizing and understanding convolutional
networks, figure 3.

Layers are numbered from the image on: C convolves, S pools, F is dense. Pooling windows of 3×3
with strides of 2 overlap. The dense layers hold 94 % of the weights, so they get the dropout.

Why 227 pixels: the paper says 224, but 11×11 windows with strides of 4 do not fit into 224 without
padding: (224 − 11) / 4 + 1 = 54.25. (227 − 11) / 4 + 1 is the paper's 55.

Why `grouped`: one GPU of 2012 could not hold the network. Each of two held half of the maps, and
in C3, C6 and C7 read only its own half. That saves 1.4 million weights. Local response
normalisation then went across all maps of a layer, as it does here.
"""

from cnncourse.architectures.common import classifier, network
from cnncourse.layers import LocalResponseNormalization
from keras import layers


def _convolution(x, filters, kernel_size, name, strides=1, padding="same", groups=1):
    """Apply a convolution with ReLU."""
    options = {"padding": padding, "groups": groups, "activation": "relu", "name": name}
    return layers.Conv2D(filters, kernel_size, strides, **options)(x)


def _pool(x, name):
    """Take maxima of overlapping windows."""
    return layers.MaxPooling2D(3, strides=2, name=name)(x)


def _normalise(x, name):
    """Let neighbouring maps compete, with the paper's constants."""
    return LocalResponseNormalization(n=5, k=2, alpha=1e-4, beta=0.75, name=name)(x)


def _from_c5(x, groups):
    """Apply what both networks have in common after the second pooling, up to the last map."""
    x = _convolution(x, 384, 3, "C5")
    x = _convolution(x, 384, 3, "C6", groups=groups)
    x = _convolution(x, 256, 3, "C7", groups=groups)
    return _pool(x, "S8")


def _top(x, classes, activation):
    """Apply the three dense layers."""
    x = layers.Flatten(name="flatten")(x)
    for name in ("F9", "F10"):
        x = layers.Dense(4096, activation="relu", name=name)(x)
        x = layers.Dropout(0.5, name=f"{name}_dropout")(x)
    return classifier(x, classes, activation)


@network(side=227, top=_top, known_sides=True)
def alexnet(x, grouped=False):
    """Return AlexNet: 62,378,344 parameters; with `grouped=True`, the paper's 60,965,224.

    The sides must be 67 pixels at least.
    """
    groups = 2 if grouped else 1
    x = _convolution(x, 96, 11, "C1", strides=4, padding="valid")
    x = _normalise(x, "C1_lrn")
    x = _pool(x, "S2")
    x = _convolution(x, 256, 5, "C3", groups=groups)
    x = _normalise(x, "C3_lrn")
    x = _pool(x, "S4")
    return _from_c5(x, groups)


@network(top=_top, known_sides=True)
def zfnet(x):
    """Return ZF Net: 62,357,608 parameters.

    Its authors looked into AlexNet and found the first layer too coarse: few middle frequencies in
    11×11 kernels, and patterns aliased by strides of 4. Hence 7×7 with strides of 2, and strides of
    2 in C3, so that the maps after it are as large as AlexNet's. Normalisation comes after pooling.
    The zeros around C1 and before pooling give the paper's 110, 55, 26 and 13. The sides must be 53
    pixels at least.
    """
    x = layers.ZeroPadding2D(1, name="C1_pad")(x)
    x = _convolution(x, 96, 7, "C1", strides=2, padding="valid")
    x = layers.ZeroPadding2D(1, name="S2_pad")(x)
    x = _pool(x, "S2")
    x = _normalise(x, "S2_lrn")
    x = _convolution(x, 256, 5, "C3", strides=2, padding="valid")
    x = layers.ZeroPadding2D(1, name="S4_pad")(x)
    x = _pool(x, "S4")
    x = _normalise(x, "S4_lrn")
    return _from_c5(x, groups=1)
