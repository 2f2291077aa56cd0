"""Pooling over channels instead of positions."""

import keras
from cnncourse.scratch.windows import positive_int


@keras.saving.register_keras_serializable(package="cnncourse")
class DepthPool(keras.layers.Layer):
    """Keep the largest value of every `pool_size` neighbouring channels.

    If the channels of a group answer to variants of one pattern (turned by different angles, say),
    the result no longer depends on which variant it was. Keras has no such layer.

    Args:
        pool_size: channels in a group, a positive integer that divides the number of channels.

    Input shape:
        (batch, …, channels); all sizes but the channels may be unknown.

    Output shape:
        (batch, …, channels / pool_size).

    Raises:
        ValueError: if `pool_size` is not a positive integer or does not divide the channels.

    Source: Géron (2022), Hands-on machine learning, 3rd ed., chapter 14 (depthwise pooling).

    >>> tuple(DepthPool(3)(keras.ops.ones((2, 70, 60, 60))).shape)
    (2, 70, 60, 20)
    """

    def __init__(self, pool_size=2, **kwargs):
        """Check the size of the groups; other arguments are those of every Keras layer."""
        super().__init__(**kwargs)
        self.pool_size = positive_int("pool_size", pool_size)

    def build(self, input_shape):
        """Check that the channels divide into groups; there are no weights to make."""
        self.compute_output_shape(input_shape)

    def call(self, inputs):
        """Put every group on an axis of its own and take the maximum over it."""
        *positions, channels = keras.ops.shape(inputs)
        groups = channels // self.pool_size
        return keras.ops.max(
            keras.ops.reshape(inputs, (*positions, groups, self.pool_size)), axis=-1
        )

    def compute_output_shape(self, input_shape):
        """Return the input's shape with the channels divided by `pool_size`."""
        *positions, channels = input_shape
        if channels is None or channels % self.pool_size:
            raise ValueError(
                f"the input has {channels} channels (shape {tuple(input_shape)}); accepted: "
                f"a known multiple of pool_size, which is {self.pool_size}"
            )
        return (*positions, channels // self.pool_size)

    def get_config(self):
        """Return what `from_config` needs to make the layer again."""
        return {**super().get_config(), "pool_size": self.pool_size}
