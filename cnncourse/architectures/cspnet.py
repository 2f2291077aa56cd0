"""CSPNet: send only half of the maps through each stage of a network one already has.

Source: Wang, Liao, Yeh, Wu, Chen & Hsieh (2019), CSPNet: a new backbone that can enhance learning
capability of CNN, arXiv:1911.11929, figures 2 (b) and 5. The split is in `cnncourse.layers`.

* `csp_densenet` is DenseNet-121 with the paper's two transitions: a partial one inside the half
  that went through the block, so that gradients of the two halves stay apart, and one after both.
* `csp_resnet50` has the numbers of the authors' network: 3, 3, 5 and 2 units, half as wide inside
  as outside. A stage starts by a 3×3 convolution with strides of 2 and a 1×1 without activation
  that doubles the maps to be split. Theirs has leaky ReLU throughout; here the units keep ReLU.
"""

from cnncourse.architectures.common import network
from cnncourse.architectures.densenet import dense_end, dense_stem
from cnncourse.architectures.resnet import same_stem
from cnncourse.layers import CrossStagePartial, DenseBlock, ResNeXtUnit, Transition
from keras import layers


@network()
def csp_densenet(x):
    """Return the cross stage partial DenseNet-121: 5,981,469 parameters."""
    x = dense_stem(x)
    for i, depth in enumerate((6, 12, 24, 16), 2):
        block = DenseBlock(depth, growth_rate=32, name=f"conv{i}_dense")
        partial = Transition(0.5, pool_size=1, name=f"conv{i}_transition")
        x = CrossStagePartial([block, partial], name=f"conv{i}")(x)
        if i < 5:
            x = Transition(0.5, name=f"pool{i}")(x)
    return dense_end(x)


def _convolved(x, filters, kernel_size, name, strides=1, activation="relu"):
    """Apply a convolution, batch normalisation and, unless it is None, an activation."""
    options = {"padding": "same", "use_bias": False, "kernel_initializer": "he_normal"}
    x = layers.Conv2D(filters, kernel_size, strides, name=f"{name}_conv", **options)(x)
    x = layers.BatchNormalization(name=f"{name}_bn")(x)
    return layers.Activation(activation, name=f"{name}_act")(x)


@network()
def csp_resnet50(x):
    """Return the cross stage partial ResNet-50: 21,616,168 trainable parameters."""
    x = same_stem(x)
    for i, units in enumerate((3, 3, 5, 2)):
        stage, filters = f"conv{i + 2}", 128 * 2**i
        if i > 0:
            x = _convolved(x, filters // 2, 3, f"{stage}_down", strides=2)
        x = _convolved(x, 2 * filters, 1, f"{stage}_expand", activation=None)
        names = [f"{stage}_block{unit}" for unit in range(1, units + 1)]
        path = [ResNeXtUnit(filters // 2, cardinality=1, name=unit) for unit in names]
        path += [
            layers.Conv2D(filters, 1, use_bias=False, name=f"{stage}_partial_conv"),
            layers.BatchNormalization(name=f"{stage}_partial_bn"),
            layers.Activation("relu", name=f"{stage}_partial_act"),
        ]
        x = CrossStagePartial(path, name=stage)(x)
        x = _convolved(x, filters, 1, f"{stage}_join")
    return x
