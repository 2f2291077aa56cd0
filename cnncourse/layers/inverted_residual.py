"""Inverted residuals: wide inside, narrow where they are added, and cheap in between.

Sources: Sandler, Howard, Zhu, Zhmoginov & Chen (2018), MobileNetV2: inverted residuals and linear
bottlenecks, arXiv:1801.04381, figure 4 (d) and table 1; Tan & Le (2019), EfficientNet,
arXiv:1905.11946, section 4 (MBConv).
"""

import keras
from cnncourse.layers.chain import build_chain, call_chain, known_channels
from cnncourse.layers.squeeze_excite import SqueezeExcite
from cnncourse.scratch.windows import positive_int
from keras import layers

# By name and arguments, not as an object: each convolution shall draw numbers of its own.
FAN_OUT = {
    "class_name": "VarianceScaling",
    "config": {"scale": 2, "mode": "fan_out", "distribution": "truncated_normal"},
}


@keras.saving.register_keras_serializable(package="cnncourse")
class InvertedResidual(keras.layers.Layer):
    """Widen by a 1×1 convolution, filter each map on its own, narrow by a 1×1, add the input.

    The expensive 3×3 is depthwise, so width is cheap there; a skip between narrow maps saves
    memory. Nothing follows the narrowing: a ReLU on few maps would lose information. ReLU stops at
    6, so that numbers of few bits can hold the result. The input is added only where it fits:
    strides of 1 and as many channels out as in.

    Parts are named as in `keras.applications`, which pads strided windows by an explicit layer:
    one zero less at the top left where a side is even. That is what "same" does, for odd sides too.
    Momentum .999 is also the reference's.

    Args:
        filters: maps of the output, a positive integer.
        strides: step of the depthwise convolution, a positive integer.
        expansion: how many times wider it is inside; 1 leaves the first convolution out.
        kernel_size: side of the depthwise window, a positive integer.

    Input shape:
        (batch, height, width, channels); all sizes but the channels may be unknown.

    Output shape:
        (batch, ⌈height / strides⌉, ⌈width / strides⌉, filters).

    Raises:
        ValueError: if an argument is not a positive integer, or the channels are unknown.

    >>> tuple(InvertedResidual(8, strides=2)(keras.ops.ones((1, 7, 6, 4))).shape)
    (1, 4, 3, 8)
    """

    activation = "relu6"
    momentum = 0.999
    kernel_initializer = "glorot_uniform"
    parts = ("expand", "expand_BN", "depthwise", "depthwise_BN", "project", "project_BN")

    def __init__(self, filters, strides=1, expansion=6, kernel_size=3, **kwargs):
        """Check the sizes; other arguments are those of every Keras layer."""
        super().__init__(**kwargs)
        self.filters = positive_int("filters", filters)
        self.strides = positive_int("strides", strides)
        self.expansion = positive_int("expansion", expansion)
        self.kernel_size = positive_int("kernel_size", kernel_size)

    def build(self, input_shape):
        """Make the branch; only now are its width and whether the input fits known."""
        channels = known_channels(input_shape)
        same = {"padding": "same", "use_bias": False, "dtype": self.dtype_policy}
        kernel = {"kernel_initializer": self.kernel_initializer, **same}
        wide = self.expansion * channels
        self.adds = self.strides == 1 and channels == self.filters
        expand, expand_bn, depthwise, depthwise_bn, project, project_bn = self.parts
        self.main = []
        if self.expansion > 1:
            convolution = layers.Conv2D(wide, 1, name=expand, **kernel)
            self.main += [convolution, self._normalisation(expand_bn), self._activation()]
        convolution = layers.DepthwiseConv2D(
            self.kernel_size,
            self.strides,
            depthwise_initializer=self.kernel_initializer,
            name=depthwise,
            **same,
        )
        self.main += [convolution, self._normalisation(depthwise_bn), self._activation()]
        self.main += self.recalibration()
        convolution = layers.Conv2D(self.filters, 1, name=project, **kernel)
        self.main += [convolution, self._normalisation(project_bn), *self.regularisation()]
        build_chain(self.main, input_shape)

    def _normalisation(self, name):
        """Return a batch normalisation."""
        return layers.BatchNormalization(momentum=self.momentum, name=name, dtype=self.dtype_policy)

    def _activation(self):
        """Return the activation that follows the first two normalisations."""
        return layers.Activation(self.activation, dtype=self.dtype_policy)

    def recalibration(self):
        """Return the layers before the narrowing convolution: none here."""
        return []

    def regularisation(self):
        """Return the layers before the addition: none here."""
        return []

    def call(self, inputs):
        """Apply the branch; add the input where it fits."""
        x = call_chain(self.main, inputs)
        return x + inputs if self.adds else x

    def compute_output_shape(self, input_shape):
        """Return the shape with sides divided by the strides, rounded up."""
        batch, *sides, _ = input_shape
        sides = [None if side is None else -(-side // self.strides) for side in sides]
        return (batch, *sides, self.filters)

    def get_config(self):
        """Return what `from_config` needs to make the layer again."""
        names = ("filters", "strides", "expansion", "kernel_size")
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}


@keras.saving.register_keras_serializable(package="cnncourse")
class MBConv(InvertedResidual):
    """An inverted residual with squeeze-and-excitation and a smooth activation.

    What EfficientNet changes in `InvertedResidual`: swish, x · sigmoid(x), for ReLU; the wide maps
    are recalibrated, the squeeze being a quarter of the maps that came *in* (not of the wide ones);
    and in training, whole branches are dropped at random (stochastic depth), for one image at a
    time. Kernels start with a variance for the number of outputs, as the authors' do.

    Args:
        filters: maps of the output, a positive integer.
        strides: step of the depthwise convolution, a positive integer.
        expansion: how many times wider it is inside; 1 leaves the first convolution out.
        kernel_size: side of the depthwise window, a positive integer.
        drop_rate: the share of branches that training drops, at least 0 and less than 1.

    >>> MBConv(24, strides=2, kernel_size=5).compute_output_shape((None, 112, 112, 16))
    (None, 56, 56, 24)
    """

    activation = "swish"
    momentum = 0.99
    kernel_initializer = FAN_OUT
    parts = ("expand_conv", "expand_bn", "dwconv", "bn", "project_conv", "project_bn")

    def __init__(self, filters, strides=1, expansion=6, kernel_size=3, drop_rate=0, **kwargs):
        """Check the sizes; other arguments are those of every Keras layer."""
        super().__init__(filters, strides, expansion, kernel_size, **kwargs)
        if not 0 <= drop_rate < 1:
            raise ValueError(f"drop_rate is {drop_rate}; accepted: at least 0 and less than 1")
        self.drop_rate = drop_rate

    def recalibration(self):
        """Return one squeeze-and-excitation block."""
        ratio = 4 * self.expansion
        return [SqueezeExcite(ratio, self.activation, name="se", dtype=self.dtype_policy)]

    def regularisation(self):
        """Return the layer that drops whole branches, where there is a skip to fall back on."""
        if not self.adds:
            return []
        shape = (None, 1, 1, 1)
        return [layers.Dropout(self.drop_rate, shape, name="drop", dtype=self.dtype_policy)]

    def get_config(self):
        """Return what `from_config` needs to make the layer again."""
        return {**super().get_config(), "drop_rate": self.drop_rate}
