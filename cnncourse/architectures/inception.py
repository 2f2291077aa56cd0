"""Inception-v3, Inception-v4 and Inception-ResNet-v2, each a table of modules.

Sources: Szegedy et al. (2016), Rethinking the Inception architecture for computer vision,
arXiv:1512.00567, table 1; Szegedy et al. (2016), Inception-v4, Inception-ResNet and the impact of
residual connections on learning, arXiv:1602.07261, figures 3 to 9 and 15 to 19.

How to read the tables: branches stand side by side between bars, and their maps are stacked.

* `96:3` is a convolution of 96 maps by 3×3, the size kept ("same" padding).
* `96:3/2` has strides of 2 and no padding, `96:3/1` no padding: what the figures mark with V.
* `192:1x7` has a kernel 1 high and 7 wide; with 7×1 after it, that is 7×7 for 2/7 of the weights.
* `384:1x3&384:3x1` are two at once from the same input, stacked.
* `avg` is the mean of 3×3 neighbours, the size kept; `max` the maximum of 3×3, strides of 2.

Each convolution is followed by batch normalisation without gamma, since after a ReLU the next
convolution can make up for any scale, and has no bias. Epsilon is 1e-3, Keras' default and the
authors'. Inception-v3 and Inception-ResNet-v2 equal `keras.applications` weight for weight. There
these layers have no names of their own but Keras' running numbers; so they have here, in the same
order, and `copy_weights` counts them.
"""

import functools

from cnncourse.architectures.common import averaged, network
from keras import layers


def _convolution(x, filters, kernel_size, strides=0, name=None):
    """Apply convolution, batch normalisation and ReLU; without strides the size is kept."""
    padding = "valid" if strides else "same"
    options = {"padding": padding, "use_bias": False, "name": name}
    x = layers.Conv2D(filters, kernel_size, strides or 1, **options)(x)
    x = layers.BatchNormalization(scale=False, name=name and f"{name}_bn")(x)
    return layers.Activation("relu", name=name and f"{name}_ac")(x)


def read_step(step):
    """Return what a convolution in the tables means: filters, kernel size, strides (0: "same").

    >>> read_step("96:3"), read_step("320:3/2"), read_step("192:1x7")
    ((96, [3, 3], 0), (320, [3, 3], 2), (192, [1, 7], 0))
    """
    convolution, _, strides = step.partition("/")
    filters, _, kernel = convolution.partition(":")
    sides = [int(side) for side in kernel.split("x")]
    return int(filters), sides if len(sides) == 2 else sides * 2, int(strides or 0)


def _branch(x, steps):
    """Apply the steps of a branch, one after the other."""
    for step in steps.split():
        if step == "avg":
            x = layers.AveragePooling2D(3, strides=1, padding="same")(x)
        elif step == "max":
            x = layers.MaxPooling2D(3, strides=2)(x)
        elif "&" in step:
            x = layers.Concatenate()([_branch(x, part) for part in step.split("&")])
        else:
            x = _convolution(x, *read_step(step))
    return x


def _module(x, branches, name):
    """Apply the branches side by side and stack their maps."""
    return layers.Concatenate(name=name)([_branch(x, steps) for steps in branches.split("|")])


def _modules(x, table):
    """Apply the modules of a table, in order."""
    for name, branches in table.items():
        x = _module(x, branches, name)
    return x


STEM = "32:3/2 32:3/1 64:3 max 80:1 192:3/1 max"  # 299 → 35

# On 35×35, two 3×3 stand for a 5×5 in one branch. On 17×17, 7×7 is done in two steps, and twice
# that in four. On 8×8, a module is wide rather than deep. Numbers 3 and 8 shrink the maps.
V3_8 = "320:1 | 384:1 384:1x3&384:3x1 | 448:1 384:3 384:1x3&384:3x1 | avg 192:1"
V3 = {
    "mixed0": "64:1 | 48:1 64:5 | 64:1 96:3 96:3 | avg 32:1",
    "mixed1": "64:1 | 48:1 64:5 | 64:1 96:3 96:3 | avg 64:1",
    "mixed2": "64:1 | 48:1 64:5 | 64:1 96:3 96:3 | avg 64:1",
    "mixed3": "384:3/2 | 64:1 96:3 96:3/2 | max",
    "mixed4": "192:1 | 128:1 128:1x7 192:7x1 | 128:1 128:7x1 128:1x7 128:7x1 192:1x7 | avg 192:1",
    "mixed5": "192:1 | 160:1 160:1x7 192:7x1 | 160:1 160:7x1 160:1x7 160:7x1 192:1x7 | avg 192:1",
    "mixed6": "192:1 | 160:1 160:1x7 192:7x1 | 160:1 160:7x1 160:1x7 160:7x1 192:1x7 | avg 192:1",
    "mixed7": "192:1 | 192:1 192:1x7 192:7x1 | 192:1 192:7x1 192:1x7 192:7x1 192:1x7 | avg 192:1",
    "mixed8": "192:1 320:3/2 | 192:1 192:1x7 192:7x1 192:3/2 | max",
    "mixed9": V3_8,
    "mixed10": V3_8,
}


@network(side=299)
def inception_v3(x):
    """Return Inception-v3: 23,851,784 parameters; sides of 75 pixels at least."""
    return _modules(_branch(x, STEM), V3)


# Figures 3 to 8. The stem does not choose between pooling and strides: it does both. Where figure 5
# prints 1×7 a second time, only 7×1 makes sense.
V4_A = "avg 96:1 | 96:1 | 64:1 96:3 | 64:1 96:3 96:3"
V4_B = "avg 128:1 | 384:1 | 192:1 224:1x7 256:7x1 | 192:1 192:1x7 224:7x1 224:1x7 256:7x1"
V4_C = "avg 256:1 | 256:1 | 384:1 256:1x3&256:3x1 | 384:1 448:1x3 512:3x1 256:1x3&256:3x1"
V4 = {
    "stem1": "max | 96:3/2",
    "stem2": "64:1 96:3/1 | 64:1 64:7x1 64:1x7 96:3/1",
    "stem3": "192:3/2 | max",
    **{f"inception_a{i}": V4_A for i in range(1, 5)},
    "reduction_a": "max | 384:3/2 | 192:1 224:3 256:3/2",
    **{f"inception_b{i}": V4_B for i in range(1, 8)},
    "reduction_b": "max | 192:1 192:3/2 | 256:1 256:1x7 320:7x1 320:3/2",
    **{f"inception_c{i}": V4_C for i in range(1, 4)},
}


@network(side=299, top=functools.partial(averaged, dropout=0.2))
def inception_v4(x):
    """Return Inception-v4: 42,648,232 trainable parameters; sides of 75 pixels at least.

    It has no residual connections: the other networks of its paper have.
    """
    return _modules(_branch(x, "32:3/2 32:3/1 64:3"), V4)


RESNET_V2 = {  # a module that sets the number of maps, or (units, scale, branches of a unit)
    "mixed_5b": "96:1 | 48:1 64:5 | 64:1 96:3 96:3 | avg 64:1",
    "block35": (10, 0.17, "32:1 | 32:1 32:3 | 32:1 48:3 64:3"),
    "mixed_6a": "384:3/2 | 256:1 256:3 384:3/2 | max",
    "block17": (20, 0.1, "192:1 | 128:1 160:1x7 192:7x1"),
    "mixed_7a": "256:1 384:3/2 | 256:1 288:3/2 | 256:1 288:3 320:3/2 | max",
    "block8": (9, 0.2, "192:1 | 192:1 224:1x3 256:3x1"),
}
LAST = (1.0, RESNET_V2["block8"][2])  # one more unit, not scaled, without ReLU


def _residual(x, scale, branches, name):
    """Add a small part of what a module makes of the input.

    The 1×1 convolution gives the module as many maps as the input has. No normalisation and no
    ReLU follow it, so it has a bias and can also subtract. Without the scale, networks of more than
    a thousand maps broke down early in training: in the end they gave nothing but zeros.
    """
    y = _module(x, branches, f"{name}_mixed")
    y = layers.Conv2D(x.shape[-1], 1, name=f"{name}_conv")(y)
    y = layers.Rescaling(scale, name=f"{name}_scale")(y)
    return layers.Add(name=f"{name}_add")([x, y])


@network(side=299)
def inception_resnet_v2(x):
    """Return Inception-ResNet-v2: 55,873,736 parameters; sides of 75 pixels at least.

    As the authors released it: with the stem of Inception-v3 where their paper has that of v4.
    """
    x = _branch(x, STEM)
    for row, entry in RESNET_V2.items():
        if isinstance(entry, str):
            x = _module(x, entry, row)
            continue
        units, scale, branches = entry
        for i in range(1, units + 1):
            x = _residual(x, scale, branches, f"{row}_{i}")
            x = layers.Activation("relu", name=f"{row}_{i}_ac")(x)
    x = _residual(x, *LAST, "block8_10")
    return _convolution(x, 1536, 1, name="conv_7b")
