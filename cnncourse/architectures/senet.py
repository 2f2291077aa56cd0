"""SENet: squeeze-and-excitation blocks in networks one already has.

Source: Hu, Shen & Sun (2018), Squeeze-and-excitation networks, arXiv:1709.01507, table 1 and
figures 2 and 3. The block is in `cnncourse.layers`; its ratio is 16 everywhere.
"""

from cnncourse.architectures.common import network
from cnncourse.architectures.resnet import same_stem, stacks
from cnncourse.layers import SEBottleneckUnit


@network()
def se_resnet50(x):
    """Return SE-ResNet-50: 28,088,024 trainable parameters, a tenth more than without."""
    return stacks(same_stem(x), SEBottleneckUnit, (3, 4, 6, 3))
