"""ResNet and ResNeXt: stacks of residual units, so that more than a hundred layers can be trained.

Source: He, Zhang, Ren & Sun (2015), Deep residual learning for image recognition,
arXiv:1512.03385, table 1; for ResNeXt, Xie, Girshick, Dollár, Tu & He (2016), Aggregated residual
transformations for deep neural networks, arXiv:1611.05431, table 1. The units are in
`cnncourse.layers`.

There are two families of details, and they do not mix:

* 50, 101 and 152 layers equal `keras.applications` weight for weight. That network was converted
  from the authors' Caffe files: the stem pads explicitly, as many zeros on every side, where "same"
  would put fewer zeros at the top left than at the bottom right for strides of 2, and shift
  everything by a pixel. Hence also the bias and the epsilon in `BottleneckUnit`.
* 18 and 34 layers and ResNeXt have no counterpart in Keras. They are written the way one would
  write them in Keras today: "same" padding, no bias before batch normalisation, Keras' default
  epsilon.
"""

from cnncourse.architectures.common import network
from cnncourse.layers import BottleneckUnit, ResidualUnit, ResNeXtUnit
from keras import layers


def same_stem(x):
    """Convolve 7×7 and pool 3×3, both with strides 2: 224 → 56."""
    x = layers.Conv2D(
        64,
        7,
        strides=2,
        padding="same",
        use_bias=False,
        kernel_initializer="he_normal",
        name="conv1_conv",
    )(x)
    x = layers.BatchNormalization(name="conv1_bn")(x)
    x = layers.Activation("relu", name="conv1_relu")(x)
    return layers.MaxPooling2D(3, strides=2, padding="same", name="pool1_pool")(x)


def _padded_stem(x):
    """Do the same with explicit zeros; zeros cannot win in pooling, since they follow a ReLU."""
    x = layers.ZeroPadding2D(3, name="conv1_pad")(x)
    x = layers.Conv2D(64, 7, strides=2, name="conv1_conv")(x)
    x = layers.BatchNormalization(epsilon=1.001e-5, name="conv1_bn")(x)
    x = layers.Activation("relu", name="conv1_relu")(x)
    x = layers.ZeroPadding2D(1, name="pool1_pad")(x)
    return layers.MaxPooling2D(3, strides=2, name="pool1_pool")(x)


def _stack(x, unit, filters, units, strides, name):
    """Apply one row of table 1; its first unit changes the size."""
    for i in range(1, units + 1):
        x = unit(filters, strides if i == 1 else 1, name=f"{name}_block{i}")(x)
    return x


def stacks(x, unit, depths, filters=64):
    """Apply the four stacks, with so many units in each.

    `filters` is what the first stack's units get. It doubles from stack to stack; sides halve.
    """
    for i, units in enumerate(depths):
        strides = 1 if i == 0 else 2  # the stem's pooling has halved the first stack's input
        x = _stack(x, unit, filters * 2**i, units, strides, f"conv{i + 2}")
    return x


@network()
def resnet18(x):
    """Return ResNet-18, of basic units: 11,689,512 trainable parameters."""
    return stacks(same_stem(x), ResidualUnit, (2, 2, 2, 2))


@network()
def resnet34(x):
    """Return ResNet-34, of basic units: 21,797,672 trainable parameters.

    With `classes=10` it is the textbook's network: 21,306,826 parameters, 21,289,802 trainable.

    Source: Géron (2022), Hands-on machine learning, 3rd ed., chapter 14 (ResNet-34 with Keras).
    """
    return stacks(same_stem(x), ResidualUnit, (3, 4, 6, 3))


@network()
def resnet50(x):
    """Return ResNet-50, of bottleneck units: 25,636,712 parameters."""
    return stacks(_padded_stem(x), BottleneckUnit, (3, 4, 6, 3))


@network()
def resnet101(x):
    """Return ResNet-101, of bottleneck units: 44,707,176 parameters."""
    return stacks(_padded_stem(x), BottleneckUnit, (3, 4, 23, 3))


@network()
def resnet152(x):
    """Return ResNet-152, of bottleneck units: 60,419,944 parameters."""
    return stacks(_padded_stem(x), BottleneckUnit, (3, 8, 36, 3))


@network()
def resnext50(x):
    """Return ResNeXt-50, 32×4d: 32 paths of 4 maps in the first stack; 25,028,904 trainable."""
    return stacks(same_stem(x), ResNeXtUnit, (3, 4, 6, 3), filters=128)
