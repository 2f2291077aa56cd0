"""What the original LeNet-5 has and today's networks have not.

Source: LeCun, Bottou, Bengio & Haffner (1998), Gradient-based learning applied to document
recognition, Proceedings of the IEEE 86 (11), section II.B.
"""

import keras
from cnncourse.scratch.windows import positive_int
from keras import layers


@keras.saving.register_keras_serializable(package="cnncourse")
def scaled_tanh(x):
    """Return 1.7159 · tanh(2x / 3).

    It passes through (1, 1) and (−1, −1), the targets of LeNet-5's last hidden layer, where it is
    most curved and still far from flat.

    >>> round(float(scaled_tanh(keras.ops.convert_to_tensor(1.0))), 4)
    1.0
    """
    return 1.7159 * keras.ops.tanh(x * (2 / 3))


@keras.saving.register_keras_serializable(package="cnncourse")
class SparseConv2D(layers.Layer):
    """Convolve with "valid" padding, where each output map reads only some of the input maps.

    LeNet-5 has this to save products, and so that maps see different things and must differ.
    Each output map is a convolution of its own, from the maps that it reads.

    Args:
        connections: for each output map, the numbers of the input maps that it reads.
        kernel_size: side of the kernel, a positive integer.
        activation: as in Keras' Conv2D.

    Input shape:
        (batch, height, width, channels); all sizes but the channels may be unknown.

    Output shape:
        (batch, height − kernel_size + 1, width − kernel_size + 1, len(connections)).

    Raises:
        ValueError: if an output map reads nothing, or a map that is not there.

    >>> tuple(SparseConv2D([[0, 1], [2]], 3)(keras.ops.ones((1, 7, 6, 3))).shape)
    (1, 5, 4, 2)
    """

    def __init__(self, connections, kernel_size, activation=None, **kwargs):
        """Make one convolution for each output map; other arguments are those of every layer."""
        super().__init__(**kwargs)
        self.connections = [list(maps) for maps in connections]
        self.kernel_size = positive_int("kernel_size", kernel_size)
        self.activation = keras.activations.get(activation)
        if not self.connections or not all(self.connections):
            raise ValueError(
                f"connections is {connections!r}; accepted: one map or more for each output map"
            )
        options = {"activation": self.activation, "dtype": self.dtype_policy}
        self.convolutions = [
            layers.Conv2D(1, self.kernel_size, name=f"map{i}", **options)
            for i in range(len(self.connections))
        ]

    def build(self, input_shape):
        """Make the kernels, as deep as there are maps to read."""
        channels = input_shape[-1]
        for convolution, maps in zip(self.convolutions, self.connections, strict=True):
            if channels is None or not all(0 <= i < channels for i in maps):
                raise ValueError(
                    f"connections holds {maps} and the input's shape is {tuple(input_shape)}; "
                    "accepted: numbers of maps in the input, the first being 0"
                )
            convolution.build((*input_shape[:-1], len(maps)))

    def call(self, inputs):
        """Give each convolution its maps, then stack the results."""
        results = [
            convolution(keras.ops.take(inputs, maps, axis=-1))
            for convolution, maps in zip(self.convolutions, self.connections, strict=True)
        ]
        return keras.ops.concatenate(results, axis=-1)

    def compute_output_shape(self, input_shape):
        """Return the shape of a convolution without padding."""
        batch, *sides, _ = input_shape
        sides = [None if side is None else side - self.kernel_size + 1 for side in sides]
        return (batch, *sides, len(self.connections))

    def get_config(self):
        """Return what `from_config` needs to make the layer again."""
        own = {
            "connections": self.connections,
            "kernel_size": self.kernel_size,
            "activation": keras.activations.serialize(self.activation),
        }
        return {**super().get_config(), **own}


@keras.saving.register_keras_serializable(package="cnncourse")
class GaussianRBF(layers.Layer):
    """Give the squared distance from the input to the centre of each unit: y_i = Σ_j (x_j − w_ij)².

    A dense layer has the dot product there instead. The *smallest* output wins. Up to constants,
    y_i is the negative logarithm of a Gaussian's density around the centre: hence the name. The
    softmax of −y_i is the probability of class i among such Gaussians.

    The centres are not trained: as the paper says, otherwise the layer below could make all
    distances small by moving every centre to one point. They start as random codes of −1 and 1;
    give others with `layer.centres.assign(…)`.

    Args:
        units: number of centres, a positive integer.

    Input shape:
        (batch, …, features); all sizes but the features may be unknown.

    Output shape:
        (batch, …, units).

    Weights:
        centres: (features, units), not trainable.

    Raises:
        ValueError: if `units` is not a positive integer.
    """

    def __init__(self, units, **kwargs):
        """Check the number; other arguments are those of every Keras layer."""
        super().__init__(**kwargs)
        self.units = positive_int("units", units)

    def build(self, input_shape):
        """Draw a code of −1 and 1 for every unit."""

        def signs(shape, dtype):
            values = keras.random.uniform(shape, -1, 1, dtype)
            return keras.ops.where(values < 0, -keras.ops.ones_like(values), 1)

        shape = (input_shape[-1], self.units)
        self.centres = self.add_weight(shape, signs, trainable=False, name="centres")

    def call(self, inputs):
        """Subtract every centre, square, add up."""
        differences = keras.ops.expand_dims(inputs, -1) - self.centres
        return keras.ops.sum(keras.ops.square(differences), axis=-2)

    @property
    def products_per_output(self):
        """Squares that one distance takes: what `cnncourse.cost.macs` counts."""
        return self.centres.shape[0]

    def compute_output_shape(self, input_shape):
        """Return the input's shape with as many numbers as units."""
        return (*input_shape[:-1], self.units)

    def get_config(self):
        """Return what `from_config` needs to make the layer again."""
        return {**super().get_config(), "units": self.units}
