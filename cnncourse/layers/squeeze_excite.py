"""Squeeze-and-excitation: let a network decide which of its maps matter for this image.

Source: Hu, Shen & Sun (2018), Squeeze-and-excitation networks, arXiv:1709.01507, figures 1 and 3.
"""

import keras
from cnncourse.layers.chain import known_channels
from cnncourse.scratch.windows import positive_int


@keras.saving.register_keras_serializable(package="cnncourse")
class SqueezeExcite(keras.layers.Layer):
    """Multiply each map by a number in (0, 1) that depends on the means of all maps.

    It looks along the depth only: one mean per map, a narrow dense layer that must summarise them
    (squeeze), a wide one with a sigmoid (excite). The two dense layers are written as 1×1
    convolutions of a map of one pixel, which is the same arithmetic; the weights of
    `keras.applications` have that shape.

    Args:
        ratio: how many times narrower the squeeze is than the input, a positive integer.
        activation: after the squeeze.

    Input shape:
        (batch, height, width, channels); all sizes but the channels may be unknown.

    Output shape:
        That of the input.

    Raises:
        ValueError: if `ratio` is not a positive integer, or the channels are unknown.

    >>> layer = SqueezeExcite(16)
    >>> tuple(layer(keras.ops.ones((1, 7, 7, 256))).shape), layer.count_params()
    ((1, 7, 7, 256), 8464)
    """

    def __init__(self, ratio=16, activation="relu", **kwargs):
        """Check the ratio; other arguments are those of every Keras layer."""
        super().__init__(**kwargs)
        self.ratio = positive_int("ratio", ratio)
        self.activation = activation

    def build(self, input_shape):
        """Make the two dense layers, now that the number of maps is known."""
        channels, dtype = known_channels(input_shape), self.dtype_policy
        units = max(1, channels // self.ratio)
        dense = keras.layers.Conv2D
        self.reduce = dense(units, 1, activation=self.activation, name="reduce", dtype=dtype)
        self.expand = dense(channels, 1, activation="sigmoid", name="expand", dtype=dtype)
        self.reduce.build((None, 1, 1, channels))
        self.expand.build((None, 1, 1, units))

    def call(self, inputs):
        """Scale the maps."""
        means = keras.ops.mean(inputs, axis=(1, 2), keepdims=True)  # (batch, 1, 1, channels)
        return inputs * self.expand(self.reduce(means))

    def compute_output_shape(self, input_shape):
        """Return the input's shape."""
        return tuple(input_shape)

    def get_config(self):
        """Return what `from_config` needs to make the layer again."""
        return {**super().get_config(), "ratio": self.ratio, "activation": self.activation}
