"""Unpooling: maxima back to where they came from, which is also max pooling's backward pass.

Source: Zeiler & Fergus (2014), Visualizing and understanding convolutional networks, ECCV.
"""

import numpy as np
from cnncourse.scratch.windows import floats, positive_int, same_shape


def unpool(y, switches, output_shape):
    """Put every value back to where its maximum came from, and zeros everywhere else.

    With overlapping windows several values may belong to one pixel: they are **added up**. So
    unpooling stays linear and is exactly the backward pass of max pooling; but a maximum shared by
    two windows comes back doubled.

    Args:
        y: values, (n, rows, columns, c).
        switches: places, integers of the same shape, as `max_pool_with_switches` returns them.
        output_shape: shape (n, h, w, c) of the result.

    Raises:
        ValueError: if the shapes do not agree or a switch points outside the image.

    >>> from cnncourse.scratch import max_pool_with_switches
    >>> y, switches = max_pool_with_switches([[[[1], [5]], [[3], [2]]]])
    >>> unpool(y, switches, (1, 2, 2, 1))[0, :, :, 0]
    array([[0., 5.],
           [0., 0.]], dtype=float32)
    """
    y = floats("y", y, "n rows columns c")
    is_shape = isinstance(output_shape, (tuple, list))
    shape = tuple(positive_int("output_shape", n) for n in (output_shape if is_shape else ()))
    if len(shape) != 4 or (shape[0], shape[3]) != (len(y), y.shape[3]):
        raise ValueError(
            f"output_shape is {output_shape!r}; accepted: (n, h, w, c) with n and c of y, {y.shape}"
        )
    flat = np.zeros((len(y), np.prod(shape[1:])), y.dtype)
    np.add.at(flat, _flat_index(switches, y.shape, flat.shape[1]), y.reshape(len(y), -1))
    return flat.reshape(shape)


def unpool_backward(grad, switches):
    """Return the gradient of a loss through `unpool`: every value reads its own pixel.

    Args:
        grad: gradient of the loss for the unpooled images, (n, h, w, c).
        switches: as in `unpool`, (n, rows, columns, c).

    Raises:
        ValueError: if the shapes do not agree or a switch points outside the image.
    """
    grad = floats("grad", grad, "n h w c")
    shape = (len(grad), *np.shape(switches)[1:])
    flat = grad.reshape(len(grad), -1)
    return flat[_flat_index(switches, shape, flat.shape[1])].reshape(shape)


def _flat_index(switches, shape, pixels):
    """Turn switches into an index (image, place) for images flattened to (n, pixels)."""
    switches = np.asarray(switches)
    same_shape("switches", switches, shape)
    if switches.dtype.kind not in "iu" or switches.min() < 0 or switches.max() >= pixels:
        raise ValueError(f"switches point outside the image; accepted: integers 0 … {pixels - 1}")
    return np.arange(len(switches))[:, None], switches.reshape(len(switches), -1)
