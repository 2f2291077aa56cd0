"""What GoogLeNet is made of: the inception module, and the heads that help in training.

Source: Szegedy et al. (2015), Going deeper with convolutions, arXiv:1409.4842.
"""

import keras
from cnncourse.layers.chain import build_chain, call_chain, known_channels
from cnncourse.scratch.windows import positive_int
from keras import layers


@keras.saving.register_keras_serializable(package="cnncourse")
class InceptionModule(layers.Layer):
    """Look at four scales at once: 1×1, 3×3, 5×5 and a 3×3 maximum, and stack the maps.

    Before the large kernels, and after the pooling, a 1×1 convolution makes few maps of many;
    without it, each module would cost several times as much and give more maps than the one
    before. All strides are 1 and all padding is "same" (also in pooling), so the maps fit together.

    Args:
        maps: the six numbers of a row in the paper's table 1, positive integers in its order: 1×1,
            3×3 reduce, 3×3, 5×5 reduce, 5×5, pool projection.

    Input shape:
        (batch, height, width, channels); all sizes but the channels may be unknown.

    Output shape:
        (batch, height, width, 1×1 + 3×3 + 5×5 + pool projection).

    Raises:
        ValueError: if `maps` is not six positive integers, or the channels are unknown.

    Source: the paper's figure 2 (b).

    >>> tuple(InceptionModule((64, 96, 128, 16, 32, 32))(keras.ops.ones((1, 28, 28, 192))).shape)
    (1, 28, 28, 256)
    """

    def __init__(self, maps, **kwargs):
        """Check the numbers and make the four branches; `kwargs` are those of every layer."""
        super().__init__(**kwargs)
        if not isinstance(maps, (tuple, list)) or len(maps) != 6:
            raise ValueError(f"maps is {maps!r}; accepted: six positive integers")
        self.maps = tuple(positive_int("maps", n) for n in maps)
        one, reduce3, three, reduce5, five, projection = self.maps
        pool = layers.MaxPooling2D(3, 1, "same", name="pool", dtype=self.dtype_policy)
        self.parts = [
            self._convolution(one, 1, "1x1"),
            self._convolution(reduce3, 1, "3x3_reduce"),
            self._convolution(three, 3, "3x3"),
            self._convolution(reduce5, 1, "5x5_reduce"),
            self._convolution(five, 5, "5x5"),
            pool,
            self._convolution(projection, 1, "pool_proj"),
        ]

    def _convolution(self, filters, kernel_size, name):
        """Return one of the six convolutions."""
        options = {"activation": "relu", "name": name, "dtype": self.dtype_policy}
        return layers.Conv2D(filters, kernel_size, padding="same", **options)

    @property
    def branches(self):
        """The parts of each branch, in order."""
        return [self.parts[i:j] for i, j in ((0, 1), (1, 3), (3, 5), (5, 7))]

    def build(self, input_shape):
        """Make the weights of every branch."""
        known_channels(input_shape)
        for branch in self.branches:
            build_chain(branch, input_shape)

    def call(self, inputs):
        """Stack what the branches make of the input."""
        return keras.ops.concatenate(
            [call_chain(branch, inputs) for branch in self.branches], axis=-1
        )

    def compute_output_shape(self, input_shape):
        """Return the input's shape with the channels of all branches."""
        one, _, three, _, five, projection = self.maps
        return (*input_shape[:-1], one + three + five + projection)

    def get_config(self):
        """Return what `from_config` needs to make the layer again."""
        return {**super().get_config(), "maps": self.maps}


@keras.saving.register_keras_serializable(package="cnncourse")
class AuxiliaryHead(layers.Layer):
    """Classify from the middle of a network, so that its gradient need not come from the end.

    Average pooling 5×5 with strides 3, 128 maps by 1×1, 1,024 units, dropout, one unit per class.
    In training its loss counts with a weight of 0.3; in prediction it is left out. Later work found
    that it helps little, and as a regulariser rather than against vanishing gradients.

    Args:
        classes: numbers to give, a positive integer.
        activation: of the last layer; None gives logits.

    Input shape:
        (batch, height, width, channels), none but the batch unknown; sides of 5 at least.

    Output shape:
        (batch, classes).

    Raises:
        ValueError: if `classes` is not a positive integer, or the sides are unknown or too small.

    Source: the paper's section 5.
    """

    def __init__(self, classes, activation="softmax", **kwargs):
        """Make the parts; other arguments are those of every Keras layer."""
        super().__init__(**kwargs)
        self.classes = positive_int("classes", classes)
        self.activation = keras.activations.get(activation)
        options = {"dtype": self.dtype_policy}
        self.parts = [
            layers.AveragePooling2D(5, strides=3, name="pool", **options),
            layers.Conv2D(128, 1, activation="relu", name="conv", **options),
            layers.Flatten(name="flatten", **options),
            layers.Dense(1024, activation="relu", name="fc", **options),
            layers.Dropout(0.7, name="dropout", **options),
            layers.Dense(classes, activation=self.activation, name="predictions", **options),
        ]

    def build(self, input_shape):
        """Make the weights, now that the size of the maps is known."""
        sides = input_shape[1:3]
        if None in input_shape[1:] or min(sides) < 5:
            raise ValueError(
                f"the input's shape is {tuple(input_shape)}; accepted: known sides of 5 at least"
            )
        build_chain(self.parts, input_shape)

    def call(self, inputs):
        """Apply the parts one after the other."""
        return call_chain(self.parts, inputs)

    def compute_output_shape(self, input_shape):
        """Return (batch, classes)."""
        return (input_shape[0], self.classes)

    def get_config(self):
        """Return what `from_config` needs to make the layer again."""
        activation = keras.activations.serialize(self.activation)
        return {**super().get_config(), "classes": self.classes, "activation": activation}
