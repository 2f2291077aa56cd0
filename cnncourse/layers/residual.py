"""The units that residual networks are stacks of.

Source: He, Zhang, Ren & Sun (2015), Deep residual learning for image recognition,
arXiv:1512.03385, figure 5: left the basic unit, right the bottleneck. Two later units change what
the branch does; their sources are with them.
"""

import keras
from cnncourse.layers.chain import build_chain, call_chain, known_channels
from cnncourse.layers.squeeze_excite import SqueezeExcite
from cnncourse.scratch.windows import positive_int


@keras.saving.register_keras_serializable(package="cnncourse")
class ResidualUnit(keras.layers.Layer):
    """Two 3×3 convolutions whose result is added to what came in: ReLU(F(x) + x).

    The convolutions only have to learn how the output differs from the input. Where the strides or
    the channels change, x and F(x) no longer fit; then x goes through a projection, a 1×1
    convolution with the same strides. Testing the strides alone is not enough: one channel would
    be added to all the others without an error.

    A convolution has no bias here: the batch normalisation after it would subtract it again.
    Parts are named as in Keras' own networks: `1_conv`, `1_bn`, `2_conv`, …; the projection is
    `0_conv`, `0_bn`.

    Do not train a projection with strides from fewer than 16 channels on a CPU with TensorFlow:
    oneDNN, which computes its gradient there, then writes beyond its memory, and Python may crash
    (oneDNN's issue 6035).

    Args:
        filters: maps of each convolution, a positive integer.
        strides: step of the first convolution and of the projection, a positive integer.

    Input shape:
        (batch, height, width, channels); all sizes but the channels may be unknown.

    Output shape:
        (batch, ⌈height / strides⌉, ⌈width / strides⌉, filters).

    Raises:
        ValueError: if an argument is not a positive integer, or the channels are unknown.

    >>> tuple(ResidualUnit(8, strides=2)(keras.ops.ones((1, 7, 6, 4))).shape)
    (1, 4, 3, 8)
    """

    use_bias = False
    kernel_initializer = "he_normal"
    epsilon = 1e-3  # added to the variance in batch normalisation: Keras' default

    def __init__(self, filters, strides=1, **kwargs):
        """Check the sizes; other arguments are those of every Keras layer."""
        super().__init__(**kwargs)
        self.filters = positive_int("filters", filters)
        self.strides = positive_int("strides", strides)

    def convolutions(self):
        """Return (filters, kernel size, strides) of each convolution, in order; groups if any."""
        return [(self.filters, 3, self.strides), (self.filters, 3, 1)]

    def recalibration(self):
        """Return the layers between the last convolution and the addition: none here."""
        return []

    def build(self, input_shape):
        """Make both branches; only now is it known whether the input needs a projection."""
        given = known_channels(input_shape)
        channels = self.convolutions()[-1][0]
        self.main = []
        for i, convolution in enumerate(self.convolutions(), 1):
            relu = keras.layers.Activation("relu", name=f"{i}_relu", dtype=self.dtype_policy)
            self.main += [*self._normalised(i, *convolution), relu]
        self.main.pop()  # the last ReLU comes after the addition
        self.main += self.recalibration()
        self.skip = []
        if self.strides != 1 or given != channels:
            self.skip = self._normalised(0, channels, 1, self.strides)
        build_chain(self.main, input_shape)
        build_chain(self.skip, input_shape)

    def _normalised(self, i, filters, kernel_size, strides, groups=1):
        """Return the i-th convolution and its batch normalisation."""
        common = {"dtype": self.dtype_policy}
        return [
            keras.layers.Conv2D(
                filters,
                kernel_size,
                strides,
                padding="same",
                groups=groups,
                name=f"{i}_conv",
                use_bias=self.use_bias,
                kernel_initializer=self.kernel_initializer,
                **common,
            ),
            keras.layers.BatchNormalization(epsilon=self.epsilon, name=f"{i}_bn", **common),
        ]

    def call(self, inputs):
        """Add what the two branches make of the input."""
        return keras.ops.relu(call_chain(self.main, inputs) + call_chain(self.skip, inputs))

    def compute_output_shape(self, input_shape):
        """Return the shape with sides divided by the strides, rounded up."""
        batch, *sides, _ = input_shape
        sides = [None if side is None else -(-side // self.strides) for side in sides]
        return (batch, *sides, self.convolutions()[-1][0])

    def get_config(self):
        """Return what `from_config` needs to make the layer again."""
        return {**super().get_config(), "filters": self.filters, "strides": self.strides}


@keras.saving.register_keras_serializable(package="cnncourse")
class BottleneckUnit(ResidualUnit):
    """Squeeze to `filters` maps by 1×1, convolve 3×3, widen to 4 · `filters` by 1×1, add.

    With 256 channels in and out and 64 in between it has 69,632 weights; two 3×3 convolutions of
    256 maps have 17 times as many. That is what pays for 50 layers and more.

    Three details follow the authors' released network, and so `keras.applications`:

    * the strides are on the first 1×1 convolution, as in the paper (later reimplementations put
      them on the 3×3, which sees every pixel, and call the result ResNet v1.5);
    * the convolutions keep a bias, though batch normalisation follows: it is useless, but the
      weight files have it;
    * epsilon is 1.001e-5: the original's 1e-5, raised a little because cuDNN's batch
      normalisation refuses anything below 1e-5, and 1e-5 rounded to float32 is just below.

    Arguments, input and errors are those of `ResidualUnit`.

    Output shape:
        (batch, ⌈height / strides⌉, ⌈width / strides⌉, 4 · filters).

    >>> tuple(BottleneckUnit(8)(keras.ops.ones((1, 7, 6, 4))).shape)
    (1, 7, 6, 32)
    """

    use_bias = True
    kernel_initializer = "glorot_uniform"
    epsilon = 1.001e-5

    def convolutions(self):
        """Return (filters, kernel size, strides) of each convolution, in order."""
        return [(self.filters, 1, self.strides), (self.filters, 3, 1), (4 * self.filters, 1, 1)]


@keras.saving.register_keras_serializable(package="cnncourse")
class SEBottleneckUnit(BottleneckUnit):
    """A bottleneck whose branch is recalibrated by squeeze-and-excitation before it is added.

    Only the branch: the skip must stay as it is, or a signal could no longer pass untouched.
    There is no released Keras network to match, so convolutions have no bias, as in `ResidualUnit`.

    Source: Hu, Shen & Sun (2018), Squeeze-and-excitation networks, arXiv:1709.01507, figure 3.

    >>> SEBottleneckUnit(64).compute_output_shape((None, 7, 7, 256))
    (None, 7, 7, 256)
    """

    use_bias = False
    kernel_initializer = "he_normal"
    epsilon = 1e-3

    def recalibration(self):
        """Return one squeeze-and-excitation block with the paper's ratio of 16."""
        return [SqueezeExcite(16, name="se", dtype=self.dtype_policy)]


@keras.saving.register_keras_serializable(package="cnncourse")
class ResNeXtUnit(ResidualUnit):
    """A bottleneck of parallel paths: 1×1 to `filters`, 3×3 in groups, 1×1 to 2 · `filters`, add.

    Each of the `cardinality` groups sees only its share of the maps: with 128 filters and 32 groups
    these are 32 small bottlenecks of 4 maps side by side, summed by the last 1×1. That costs as
    much as one bottleneck of 64 maps. The strides are on the 3×3 convolution, as in the authors'
    network. One group makes it a bottleneck that is half as wide inside as outside.

    Source: Xie, Girshick, Dollár, Tu & He (2016), Aggregated residual transformations for deep
    neural networks, arXiv:1611.05431, figure 3 (c).

    Args:
        filters: maps of the grouped convolution, a multiple of `cardinality`.
        strides: step of the grouped convolution and of the projection, a positive integer.
        cardinality: number of groups, a positive integer.

    Raises:
        ValueError: if an argument is not as above, or the channels are unknown.

    >>> ResNeXtUnit(128, strides=2).compute_output_shape((None, 56, 56, 64))
    (None, 28, 28, 256)
    """

    def __init__(self, filters, strides=1, cardinality=32, **kwargs):
        """Check the sizes; other arguments are those of every Keras layer."""
        super().__init__(filters, strides, **kwargs)
        self.cardinality = positive_int("cardinality", cardinality)
        if self.filters % self.cardinality:
            raise ValueError(f"filters is {filters}; accepted: a multiple of {cardinality} groups")

    def convolutions(self):
        """Return (filters, kernel size, strides) of each convolution, in order; groups if any."""
        filters = self.filters
        grouped = (filters, 3, self.strides, self.cardinality)
        return [(filters, 1, 1), grouped, (2 * filters, 1, 1)]

    def get_config(self):
        """Return what `from_config` needs to make the layer again."""
        return {**super().get_config(), "cardinality": self.cardinality}
