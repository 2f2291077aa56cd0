"""Inception-v3, Inception-v4 and Inception-ResNet-v2, each a table of modules.

Sources: Szegedy et al. (2016), Rethinking the Inception architecture for computer vision,
arXiv:1512.00567, table 1; Szegedy et al. (2016), Inception-v4, Inception-ResNet and the impact of
residual connections on learning, arXiv:1602.07261, figures 3 to 9 and 15 to 19.

How to read the tables. A module is a list of branches, a branch a list of steps:

* `(96, 3)`: 96 maps by 3×3, the size kept ("same");
* `(96, 3, 2)`: the same with strides of 2 and no padding, which the figures mark with V;
* `(192, (1, 7))`: a kernel 1 high and 7 wide; with 7×1 after it, 7×7 for 2/7 of the weights;
* `"average"`: mean of 3×3 neighbours, size kept; `"max"`: maximum of 3×3, strides of 2;
* `fork(…)`: branches within a branch.

Each convolution is followed by batch normalisation without gamma, since the ReLU and the next
convolution can do without a scale, and needs no bias. Epsilon is 1e-3, Keras' default and the
authors'. Inception-v3 and Inception-ResNet-v2 equal `keras.applications` weight for weight. There
these layers have no names of their own but Keras' running numbers; so they have here, in the same
order, and `copy_weights` counts them.
"""

from cnncourse.architectures.common import classifier, finished, image_input
from keras import layers


def fork(*branches):
    """Return a step that splits a branch into several."""
    return list(branches)


def _convolution(x, filters, kernel_size, strides=None, name=None):
    """Apply convolution, batch normalisation and ReLU; given strides mean no padding."""
    padding = "valid" if strides else "same"
    options = {"padding": padding, "use_bias": False, "name": name}
    x = layers.Conv2D(filters, kernel_size, strides or 1, **options)(x)
    x = layers.BatchNormalization(scale=False, name=name and f"{name}_bn")(x)
    return layers.Activation("relu", name=name and f"{name}_ac")(x)


def _branch(x, steps):
    """Apply the steps of a branch, one after the other."""
    for step in steps:
        if isinstance(step, list):
            x = _module(x, step)
        elif step == "average":
            x = layers.AveragePooling2D(3, strides=1, padding="same")(x)
        elif step == "max":
            x = layers.MaxPooling2D(3, strides=2)(x)
        else:
            x = _convolution(x, *step)
    return x


def _module(x, branches, name=None):
    """Apply the branches side by side and stack their maps."""
    return layers.Concatenate(name=name)([_branch(x, steps) for steps in branches])


def _top(x, classes, activation, dropout=0):
    """Average each map and classify."""
    x = layers.GlobalAveragePooling2D(name="avg_pool")(x)
    if dropout:
        x = layers.Dropout(dropout, name="dropout")(x)
    return classifier(x, classes, activation)


STEM = [(32, 3, 2), (32, 3, 1), (64, 3), "max", (80, 1), (192, 3, 1), "max"]  # 299 → 35


def _v3_35(projection):
    """Return a module for maps of 35×35; two 3×3 stand for a 5×5 in one of its branches."""
    return [
        [(64, 1)],
        [(48, 1), (64, 5)],
        [(64, 1), (96, 3), (96, 3)],
        ["average", (projection, 1)],
    ]


def _v3_17(n):
    """Return a module for maps of 17×17: 7×7 in two steps, and twice that in four."""
    return [
        [(192, 1)],
        [(n, 1), (n, (1, 7)), (192, (7, 1))],
        [(n, 1), (n, (7, 1)), (n, (1, 7)), (n, (7, 1)), (192, (1, 7))],
        ["average", (192, 1)],
    ]


_3x3_IN_PARALLEL = fork([(384, (1, 3))], [(384, (3, 1))])
V3_8 = [  # for maps of 8×8: wide rather than deep
    [(320, 1)],
    [(384, 1), _3x3_IN_PARALLEL],
    [(448, 1), (384, 3), _3x3_IN_PARALLEL],
    ["average", (192, 1)],
]
V3 = {
    "mixed0": _v3_35(32),
    "mixed1": _v3_35(64),
    "mixed2": _v3_35(64),
    "mixed3": [[(384, 3, 2)], [(64, 1), (96, 3), (96, 3, 2)], ["max"]],
    "mixed4": _v3_17(128),
    "mixed5": _v3_17(160),
    "mixed6": _v3_17(160),
    "mixed7": _v3_17(192),
    "mixed8": [
        [(192, 1), (320, 3, 2)],
        [(192, 1), (192, (1, 7)), (192, (7, 1)), (192, 3, 2)],
        ["max"],
    ],
    "mixed9": V3_8,
    "mixed10": V3_8,
}


def inception_v3(
    input_shape=(299, 299, 3),
    classes=1000,
    include_top=True,
    weights=None,
    classifier_activation="softmax",
    name="inception_v3",
):
    """Return Inception-v3: 23,851,784 parameters; sides of 75 pixels at least."""
    inputs = image_input(input_shape, weights)
    x = _branch(inputs, STEM)
    for row, branches in V3.items():
        x = _module(x, branches, row)
    if include_top:
        x = _top(x, classes, classifier_activation)
    return finished(inputs, x, weights, name)


V4_STEM = [  # figure 3; instead of choosing between pooling and strides: both
    (32, 3, 2),
    (32, 3, 1),
    (64, 3),
    fork(["max"], [(96, 3, 2)]),
    fork([(64, 1), (96, 3, 1)], [(64, 1), (64, (7, 1)), (64, (1, 7)), (96, 3, 1)]),
    fork([(192, 3, 2)], ["max"]),
]
V4_A = [["average", (96, 1)], [(96, 1)], [(64, 1), (96, 3)], [(64, 1), (96, 3), (96, 3)]]
V4_B = [  # figure 5 prints 1×7 where only 7×1 makes sense; so do the authors' released weights
    ["average", (128, 1)],
    [(384, 1)],
    [(192, 1), (224, (1, 7)), (256, (7, 1))],
    [(192, 1), (192, (1, 7)), (224, (7, 1)), (224, (1, 7)), (256, (7, 1))],
]
_256_IN_PARALLEL = fork([(256, (1, 3))], [(256, (3, 1))])
V4_C = [
    ["average", (256, 1)],
    [(256, 1)],
    [(384, 1), _256_IN_PARALLEL],
    [(384, 1), (448, (1, 3)), (512, (3, 1)), _256_IN_PARALLEL],
]
V4 = {
    **{f"inception_a{i}": V4_A for i in range(1, 5)},
    "reduction_a": [["max"], [(384, 3, 2)], [(192, 1), (224, 3), (256, 3, 2)]],
    **{f"inception_b{i}": V4_B for i in range(1, 8)},
    "reduction_b": [
        ["max"],
        [(192, 1), (192, 3, 2)],
        [(256, 1), (256, (1, 7)), (320, (7, 1)), (320, 3, 2)],
    ],
    **{f"inception_c{i}": V4_C for i in range(1, 4)},
}


def inception_v4(
    input_shape=(299, 299, 3),
    classes=1000,
    include_top=True,
    weights=None,
    classifier_activation="softmax",
    name="inception_v4",
):
    """Return Inception-v4: 42,648,232 trainable parameters; sides of 75 pixels at least.

    It has no residual connections: its paper's other networks have.
    """
    inputs = image_input(input_shape, weights)
    x = _branch(inputs, V4_STEM)
    for row, branches in V4.items():
        x = _module(x, branches, row)
    if include_top:
        x = _top(x, classes, classifier_activation, dropout=0.2)
    return finished(inputs, x, weights, name)


RESNET_V2 = {  # stage: (the module that makes its maps, units, scale, their branches)
    "block35": (
        ("mixed_5b", [[(96, 1)], *_v3_35(64)[1:]]),
        (10, 0.17, [[(32, 1)], [(32, 1), (32, 3)], [(32, 1), (48, 3), (64, 3)]]),
    ),
    "block17": (
        ("mixed_6a", [[(384, 3, 2)], [(256, 1), (256, 3), (384, 3, 2)], ["max"]]),
        (20, 0.1, [[(192, 1)], [(128, 1), (160, (1, 7)), (192, (7, 1))]]),
    ),
    "block8": (
        (
            "mixed_7a",
            [
                [(256, 1), (384, 3, 2)],
                [(256, 1), (288, 3, 2)],
                [(256, 1), (288, 3), (320, 3, 2)],
                ["max"],
            ],
        ),
        (10, 0.2, [[(192, 1)], [(192, 1), (224, (1, 3)), (256, (3, 1))]]),
    ),
}


def _residual(x, branches, scale, name, relu=True):
    """Add a small part of what a module makes of the input.

    The last 1×1 convolution gives the module as many maps as the input has; no normalisation and
    no ReLU follow it, so it has a bias and can also subtract. With more than a thousand maps,
    training went wrong: the last maps became all zeros. The paper's cure is the scale.
    """
    y = _module(x, branches, f"{name}_mixed")
    y = layers.Conv2D(x.shape[-1], 1, name=f"{name}_conv")(y)
    y = layers.Rescaling(scale, name=f"{name}_scale")(y)
    x = layers.Add(name=f"{name}_add")([x, y])
    return layers.Activation("relu", name=f"{name}_ac")(x) if relu else x


def inception_resnet_v2(
    input_shape=(299, 299, 3),
    classes=1000,
    include_top=True,
    weights=None,
    classifier_activation="softmax",
    name="inception_resnet_v2",
):
    """Return Inception-ResNet-v2: 55,873,736 parameters; sides of 75 pixels at least.

    As the authors released it: with the stem of Inception-v3, where the paper has that of v4. The
    very last unit has a scale of 1 and no ReLU.
    """
    inputs = image_input(input_shape, weights)
    x = _branch(inputs, STEM)
    for stage, ((row, reduction), (units, scale, branches)) in RESNET_V2.items():
        x = _module(x, reduction, row)
        for i in range(1, units + 1):
            last = stage == "block8" and i == units
            x = _residual(x, branches, 1.0 if last else scale, f"{stage}_{i}", relu=not last)
    x = _convolution(x, 1536, 1, name="conv_7b")
    if include_top:
        x = _top(x, classes, classifier_activation)
    return finished(inputs, x, weights, name)
