"""SENet: squeeze-and-excitation blocks in networks one already has.

Source: Hu, Shen & Sun (2018), Squeeze-and-excitation networks, arXiv:1709.01507, table 1 and
figures 2 and 3. The block is in `cnncourse.layers`; its ratio is 16 everywhere.
"""

from cnncourse.architectures.resnet import residual_network
from cnncourse.layers import SEBottleneckUnit


def se_resnet50(
    input_shape=(224, 224, 3),
    classes=1000,
    include_top=True,
    weights=None,
    classifier_activation="softmax",
    name="se_resnet50",
):
    """Return SE-ResNet-50: 28,088,024 trainable parameters, a tenth more than without."""
    top = (classes, include_top, weights, classifier_activation)
    return residual_network((3, 4, 6, 3), SEBottleneckUnit, input_shape, *top, name)
