"""What DenseNet is made of: blocks in which every layer sees all before it, and transitions.

Source: Huang, Liu, van der Maaten & Weinberger (2016), Densely connected convolutional networks,
arXiv:1608.06993, figures 1 and 2, section 3; names and details are those of `keras.applications`.
Normalisation comes before the convolution, since each of the many layers that read a map scales it
in its own way. Epsilon is 1.001e-5 for the reason given in `BottleneckUnit`.
"""

import keras
from cnncourse.layers.chain import build_chain, call_chain, known_channels
from cnncourse.scratch.windows import positive_int
from keras import layers


def _convolved(filters, kernel_size, norm, convolution, dtype):
    """Return batch normalisation, ReLU and a convolution."""
    return [
        layers.BatchNormalization(epsilon=1.001e-5, name=norm, dtype=dtype),
        layers.Activation("relu", dtype=dtype),
        layers.Conv2D(
            filters, kernel_size, padding="same", use_bias=False, name=convolution, dtype=dtype
        ),
    ]


@keras.saving.register_keras_serializable(package="cnncourse")
class DenseBlock(keras.layers.Layer):
    """Some layers, each of which adds `growth_rate` maps to all that came before it.

    Layer l sees c + (l − 1) · growth_rate maps, so features are reused instead of learnt again and
    a few new ones per layer do. A 1×1 convolution to 4 · growth_rate maps keeps the 3×3 cheap,
    however many maps there are by then.

    Args:
        depth: number of layers, a positive integer.
        growth_rate: maps that each layer adds, a positive integer.

    Input shape:
        (batch, height, width, channels); all sizes but the channels may be unknown.

    Output shape:
        (batch, height, width, channels + depth · growth_rate).

    Raises:
        ValueError: if an argument is not a positive integer, or the channels are unknown.

    >>> tuple(DenseBlock(3, growth_rate=4)(keras.ops.ones((1, 7, 6, 8))).shape)
    (1, 7, 6, 20)
    """

    def __init__(self, depth, growth_rate=32, **kwargs):
        """Check the sizes; other arguments are those of every Keras layer."""
        super().__init__(**kwargs)
        self.depth = positive_int("depth", depth)
        self.growth_rate = positive_int("growth_rate", growth_rate)

    def build(self, input_shape):
        """Make the layers; each sees more channels than the one before."""
        channels = known_channels(input_shape)
        growth, dtype = self.growth_rate, self.dtype_policy
        self.parts = []  # six for each layer, in one list: Keras does not save lists of lists
        for i in range(1, self.depth + 1):
            step = _convolved(4 * growth, 1, f"block{i}_0_bn", f"block{i}_1_conv", dtype)
            step += _convolved(growth, 3, f"block{i}_1_bn", f"block{i}_2_conv", dtype)
            build_chain(step, (*input_shape[:-1], channels + (i - 1) * growth))
            self.parts += step

    def call(self, inputs):
        """Concatenate what each layer makes of everything so far."""
        x = inputs
        for i in range(0, len(self.parts), 6):
            new = call_chain(self.parts[i : i + 6], x)
            x = keras.ops.concatenate([x, new], axis=-1)
        return x

    def compute_output_shape(self, input_shape):
        """Return the shape with more channels."""
        channels = known_channels(input_shape)
        return (*input_shape[:-1], channels + self.depth * self.growth_rate)

    def get_config(self):
        """Return what `from_config` needs to make the layer again."""
        return {**super().get_config(), "depth": self.depth, "growth_rate": self.growth_rate}


@keras.saving.register_keras_serializable(package="cnncourse")
class Transition(keras.layers.Layer):
    """Between dense blocks: a 1×1 convolution that keeps a share of the maps, then 2×2 means.

    Args:
        reduction: the share of the channels that is kept, above 0 and at most 1.
        pool_size: side of the pooling window; 1 leaves the size as it is.

    Input shape:
        (batch, height, width, channels); all sizes but the channels may be unknown.

    Output shape:
        (batch, ⌊height / pool_size⌋, ⌊width / pool_size⌋, ⌊channels · reduction⌋).

    Raises:
        ValueError: if an argument is not as above, or the channels are unknown.

    >>> tuple(Transition()(keras.ops.ones((1, 7, 6, 8))).shape)
    (1, 3, 3, 4)
    """

    def __init__(self, reduction=0.5, pool_size=2, **kwargs):
        """Check the sizes; other arguments are those of every Keras layer."""
        super().__init__(**kwargs)
        if not 0 < reduction <= 1:
            raise ValueError(f"reduction is {reduction}; accepted: above 0 and at most 1")
        self.reduction = reduction
        self.pool_size = positive_int("pool_size", pool_size)

    def build(self, input_shape):
        """Make the parts."""
        filters = int(known_channels(input_shape) * self.reduction)
        self.main = _convolved(filters, 1, "bn", "conv", self.dtype_policy)
        self.main.append(layers.AveragePooling2D(self.pool_size, dtype=self.dtype_policy))
        build_chain(self.main, input_shape)

    def call(self, inputs):
        """Apply the parts."""
        return call_chain(self.main, inputs)

    def compute_output_shape(self, input_shape):
        """Return the smaller shape."""
        batch, *sides, _ = input_shape
        sides = [None if side is None else side // self.pool_size for side in sides]
        return (batch, *sides, int(known_channels(input_shape) * self.reduction))

    def get_config(self):
        """Return what `from_config` needs to make the layer again."""
        return {**super().get_config(), "reduction": self.reduction, "pool_size": self.pool_size}
