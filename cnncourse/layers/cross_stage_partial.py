"""Cross stage partial: only half of the maps goes through a stage.

Source: Wang, Liao, Yeh, Wu, Chen & Hsieh (2019), CSPNet: a new backbone that can enhance learning
capability of CNN, arXiv:1911.11929, figures 2 (b) and 5.
"""

import keras
from cnncourse.layers.chain import build_chain, call_chain


@keras.saving.register_keras_serializable(package="cnncourse")
class CrossStagePartial(keras.layers.Layer):
    """Split the maps in two, put the second half through a stage, concatenate both again.

    The stage costs less, since it sees half of the channels; and the untouched half has a gradient
    of its own instead of a copy of what the stage's layers get. What follows in a network (a
    transition, a 1×1 convolution) mixes the two halves.

    Args:
        stage: a list of layers that keep height and width.

    Input shape:
        (batch, height, width, channels), two channels or more; the sides may be unknown.

    Output shape:
        (batch, height, width, ⌊channels / 2⌋ + the stage's channels).

    Raises:
        ValueError: if the channels are unknown or just one, or the stage changes height or width.

    >>> layer = CrossStagePartial([keras.layers.Conv2D(5, 3, padding="same")])
    >>> tuple(layer(keras.ops.ones((1, 7, 6, 8))).shape)
    (1, 7, 6, 9)
    """

    def __init__(self, stage, **kwargs):
        """Keep the stage's layers; other arguments are those of every Keras layer."""
        super().__init__(**kwargs)
        self.stage = list(stage)

    def build(self, input_shape):
        """Build the stage for half of the channels."""
        self.compute_output_shape(input_shape)  # refuses what cannot be split or joined
        build_chain(self.stage, self._half(input_shape))

    def _half(self, shape):
        """Return the shape of the half that goes through the stage: the larger one."""
        if shape[-1] is None or shape[-1] < 2:
            raise ValueError(f"the input's shape is {tuple(shape)}; accepted: two channels or more")
        return (*shape[:-1], shape[-1] - shape[-1] // 2)

    def call(self, inputs):
        """Concatenate the first half and what the stage makes of the second."""
        untouched, x = keras.ops.split(inputs, [inputs.shape[-1] // 2], axis=-1)
        return keras.ops.concatenate([untouched, call_chain(self.stage, x)], axis=-1)

    def compute_output_shape(self, input_shape):
        """Return the shape with the channels of both parts."""
        half = shape = self._half(input_shape)
        for layer in self.stage:
            shape = layer.compute_output_shape(shape)
        if tuple(shape[:-1]) != tuple(half[:-1]):
            raise ValueError(f"stage makes {half} {tuple(shape)}; accepted: the same sides")
        return (*half[:-1], input_shape[-1] // 2 + shape[-1])

    def get_config(self):
        """Return what `from_config` needs to make the layer again."""
        stage = [keras.saving.serialize_keras_object(layer) for layer in self.stage]
        for layer in stage:  # or they would be built on their own, and their weights named so
            layer.pop("build_config", None)
        return {**super().get_config(), "stage": stage}

    @classmethod
    def from_config(cls, config):
        """Make the layer again, the stage's layers first."""
        stage = [keras.saving.deserialize_keras_object(layer) for layer in config.pop("stage")]
        return cls(stage, **config)
