"""SENet: squeeze-and-excitation blocks in networks one already has.

Source: Hu, Shen & Sun (2018), Squeeze-and-excitation networks, arXiv:1709.01507, table 1 and
figures 2 and 3. The block is in `cnncourse.layers`; its ratio is 16 everywhere.
"""

import functools

from cnncourse.architectures.common import averaged, network
from cnncourse.architectures.googlenet import MODULES, stem, table_row
from cnncourse.architectures.resnet import same_stem, stacks
from cnncourse.layers import SEBottleneckUnit, SqueezeExcite


@network(top=functools.partial(averaged, dropout=0.4))
def se_googlenet(x):
    """Return GoogLeNet with a block after each inception module: 7,478,655 parameters.

    The paper has the later form of GoogLeNet there, with batch normalisation.
    """
    x = stem(x)
    for row, maps in MODULES.items():
        x = table_row(x, row, maps)
        if maps:
            x = SqueezeExcite(name=f"se_{row}")(x)
    return x


@network()
def se_resnet50(x):
    """Return SE-ResNet-50: 28,088,024 trainable parameters, a tenth more than without."""
    return stacks(same_stem(x), SEBottleneckUnit, (3, 4, 6, 3))
