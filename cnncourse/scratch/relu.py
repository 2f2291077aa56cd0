"""The rectified linear unit, and its backward pass.

Source: Nair & Hinton (2010), Rectified linear units improve restricted Boltzmann machines, ICML.
"""

import numpy as np
from cnncourse.scratch.windows import floats, same_shape


def relu(x):
    """Return max(x, 0), entry by entry: an array of any shape, and of its float type.

    A NaN stays a NaN.

    Raises:
        ValueError: if `x` is not numeric or is empty.

    >>> relu([-2, 0, 3])
    array([0., 0., 3.], dtype=float32)
    """
    return np.maximum(floats("x", x), 0)


def relu_backward(grad, x):
    """Return the gradient of a loss through `relu`: `grad` where `x` is positive, else 0.

    At 0 itself the slope jumps from 0 to 1; like TensorFlow this takes 0.

    Args:
        grad: gradient of the loss for the output, shaped like `x`.
        x: what went in.

    Raises:
        ValueError: as in `relu`, or if `grad` does not have the shape of `x`.
    """
    x = floats("x", x)
    grad = floats("grad", grad).astype(x.dtype, copy=False)
    same_shape("grad", grad, x.shape)
    return np.where(x > 0, grad, x.dtype.type(0))
