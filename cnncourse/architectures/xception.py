"""Xception: Inception's idea taken to its end, every convolution a depthwise separable one.

Source: Chollet (2016), Xception: deep learning with depthwise separable convolutions,
arXiv:1610.02357, figure 5; equal to `keras.applications.Xception` weight for weight.

A separable convolution filters each map on its own, then mixes the maps by a 1×1. That would be
poor on three colours, so two ordinary convolutions come first; they have no padding, as in
Inception v3, so 299 → 149 → 147. ReLU comes before a separable convolution, not after: nothing
follows the addition. Between the two parts of a separable convolution there is no activation, which
the paper found to be better. Four skips need a projection; the reference leaves these eight layers
without a name, so they are here, too, and `copy_weights` counts them.
"""

from cnncourse.architectures.common import network
from keras import layers


def _separable(x, filters, name):
    """Apply a separable convolution and batch normalisation."""
    x = layers.SeparableConv2D(filters, 3, padding="same", use_bias=False, name=name)(x)
    return layers.BatchNormalization(name=f"{name}_bn")(x)


def _module(x, widths, name, shrinks=False, starts_with_relu=True):
    """Apply separable convolutions with a skip around them; halve the size if it shrinks."""
    skip = x
    if shrinks:
        skip = layers.Conv2D(widths[-1], 1, strides=2, padding="same", use_bias=False)(x)
        skip = layers.BatchNormalization()(skip)
    for i, filters in enumerate(widths, 1):
        if i > 1 or starts_with_relu:
            x = layers.Activation("relu", name=f"{name}_sepconv{i}_act")(x)
        x = _separable(x, filters, f"{name}_sepconv{i}")
    if shrinks:
        x = layers.MaxPooling2D(3, strides=2, padding="same", name=f"{name}_pool")(x)
    return layers.Add(name=f"{name}_add")([x, skip])


@network(side=299)
def xception(x):
    """Return Xception: 34 separable and 6 other convolutions, 22,910,480 parameters."""
    for i, (filters, strides) in enumerate([(32, 2), (64, 1)], 1):
        x = layers.Conv2D(filters, 3, strides, use_bias=False, name=f"block1_conv{i}")(x)
        x = layers.BatchNormalization(name=f"block1_conv{i}_bn")(x)
        x = layers.Activation("relu", name=f"block1_conv{i}_act")(x)
    x = _module(x, (128, 128), "block2", shrinks=True, starts_with_relu=False)
    x = _module(x, (256, 256), "block3", shrinks=True)
    x = _module(x, (728, 728), "block4", shrinks=True)
    for i in range(5, 13):  # the middle flow
        x = _module(x, (728, 728, 728), f"block{i}")
    x = _module(x, (728, 1024), "block13", shrinks=True)
    for i, filters in enumerate((1536, 2048), 1):
        x = _separable(x, filters, f"block14_sepconv{i}")
        x = layers.Activation("relu", name=f"block14_sepconv{i}_act")(x)
    return x
