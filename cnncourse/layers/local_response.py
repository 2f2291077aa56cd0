"""Normalisation by the neighbouring maps, as AlexNet, ZF Net and GoogLeNet have it."""

import keras
from cnncourse.layers.chain import known_channels
from cnncourse.scratch.windows import positive_int


@keras.saving.register_keras_serializable(package="cnncourse")
class LocalResponseNormalization(keras.layers.Layer):
    """Divide every value by a power of the squares around it, over maps at one position.

    b_i = a_i / (k + α · Σ a_j²)^β, where j runs from i − n // 2 to i + n // 2 as far as there are
    maps. A strong response holds down its neighbours, so that maps become different.

    The paper's n is the full width of the window. TensorFlow's `depth_radius` is half of it: for
    n = 5 it is 2. Caffe divides α by n; here, as in the paper, it is not divided.

    Args:
        n: width of the window over maps, a positive integer; an even n means n + 1, since the
            window has as many maps on either side.
        k: what is added to the sum, positive.
        alpha: factor of the sum.
        beta: the power.

    Input shape:
        (batch, …, channels); all sizes but the channels may be unknown.

    Output shape:
        That of the input.

    Raises:
        ValueError: if `n` is not a positive integer, `k` not positive or `alpha` negative.

    Source: Krizhevsky, Sutskever & Hinton (2012), ImageNet classification with deep convolutional
    neural networks, section 3.3, whose constants are the defaults.

    >>> y = LocalResponseNormalization(n=3)(keras.ops.convert_to_tensor([[1.0, 1, 100, 1, 1]]))
    >>> [round(float(value), 3) for value in y[0]]
    [0.595, 0.439, 43.867, 0.439, 0.595]
    """

    def __init__(self, n=5, k=2.0, alpha=1e-4, beta=0.75, **kwargs):
        """Check the constants; other arguments are those of every Keras layer."""
        super().__init__(**kwargs)
        if not k > 0:
            raise ValueError(f"k is {k!r}; accepted: a positive number, so as not to divide by 0")
        if not alpha >= 0:
            raise ValueError(f"alpha is {alpha!r}; accepted: a number that is not negative")
        self.n, self.k, self.alpha, self.beta = positive_int("n", n), k, alpha, beta

    def build(self, input_shape):
        """Check that the number of maps is known; there are no weights to make."""
        known_channels(input_shape)

    def call(self, inputs):
        """Add up n shifted copies of the squares, then divide."""
        # Squares overflow half precision (its largest number is 65,504): compute in float32.
        x = keras.ops.cast(inputs, keras.backend.result_type(self.compute_dtype, "float32"))
        half, channels = self.n // 2, inputs.shape[-1]
        ends = [(0, 0)] * (len(inputs.shape) - 1) + [(half, half)]
        squares = keras.ops.pad(keras.ops.square(x), ends)
        total = sum(squares[..., i : i + channels] for i in range(2 * half + 1))
        return keras.ops.cast(x / (self.k + self.alpha * total) ** self.beta, self.compute_dtype)

    def compute_output_shape(self, input_shape):
        """Return the shape that came in."""
        return tuple(input_shape)

    def get_config(self):
        """Return what `from_config` needs to make the layer again."""
        constants = {"n": self.n, "k": self.k, "alpha": self.alpha, "beta": self.beta}
        return {**super().get_config(), **constants}
