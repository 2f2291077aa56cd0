"""What one neuron of a map sees of the image: the receptive field, and where it lies."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Field:
    """What the neurons of a map see of the input, along one axis, in pixels.

    Neuron i sees the pixels from start + i · jump up to start + i · jump + size − 1. Where padding
    is read, they lie outside the image.
    """

    start: int
    size: int
    jump: int

    def of(self, neuron: int) -> tuple[int, int]:
        """Return the first and the last pixel that a neuron sees."""
        first = self.start + neuron * self.jump
        return first, first + self.size - 1


def through(layer, into, out, seen: Field, axis: int) -> Field | None:
    """Return what neurons see through one more layer, or None if not all see alike.

    Args:
        layer: a Keras layer or operation.
        into: shape of what it reads, with the batch axis.
        out: shape of its result, with the batch axis.
        seen: what the neurons of its input see.
        axis: 0 vertical, 1 horizontal.
    """
    from keras import layers

    if isinstance(layer, layers.ZeroPadding2D):
        return Field(seen.start - layer.padding[axis][0] * seen.jump, seen.size, seen.jump)
    if isinstance(layer, layers.Cropping2D):
        return Field(seen.start + layer.cropping[axis][0] * seen.jump, seen.size, seen.jump)
    window = getattr(layer, "kernel_size", None) or getattr(layer, "pool_size", None)
    if isinstance(layer, layers.Conv2DTranspose) or (not window and into[1:3] != out[1:3]):
        return None  # resizing and the like: not one field for all neurons
    if not window or len(window) != 2:
        return seen
    dilation = getattr(layer, "dilation_rate", (1, 1))
    extent = (window[axis] - 1) * (dilation if isinstance(dilation, int) else dilation[axis])
    stride = layer.strides[axis]
    before = 0
    if layer.padding == "same":
        before = max(0, (out[1 + axis] - 1) * stride + extent + 1 - into[1 + axis]) // 2
    return Field(
        seen.start - before * seen.jump, seen.size + extent * seen.jump, seen.jump * stride
    )
