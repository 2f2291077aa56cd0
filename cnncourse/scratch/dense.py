"""The dense (fully connected) layer, and its backward pass.

Every output is a weighted sum of every input plus a bias: y = x · w + b, one row per example.

Source: Goodfellow, Bengio & Courville (2016), Deep Learning, MIT Press, chapter 6.
"""

import numpy as np
from cnncourse.scratch.windows import floats, same_shape


def dense(x, w, b=None):
    """Multiply every example by the weights and add the biases.

    Args:
        x: examples, (n, inputs); feature maps go in as `maps.reshape(len(maps), -1)`.
        w: weights, (inputs, units).
        b: one bias per unit, (units,), or None for none.

    Returns:
        Outputs, (n, units), in the inputs' float type (mixed types give the larger one).

    Raises:
        ValueError: if an array is not numeric, is empty or has a wrong shape.

    >>> dense([[1, 2]], [[1, 0, -1], [0, 1, 1]], [10, 20, 30])
    array([[11., 22., 31.]], dtype=float32)
    """
    x, w = _prepare(x, w)
    if b is None:
        return x @ w
    b = floats("b", b, "units")
    same_shape("b", b, w.shape[1:])
    return x @ w + b


def dense_backward(grad, x, w):
    """Return the gradients of a loss through `dense`.

    A weight joins one input with one unit. So its gradient is that input times that unit's
    gradient, summed over the examples, and an input collects from every unit through its weight.

    Args:
        grad: gradient of the loss for the output, (n, units).
        x: the examples that went in, (n, inputs).
        w: weights, (inputs, units).

    Returns:
        (dx, dw, db), shaped as the examples, the weights and the biases.

    Raises:
        ValueError: as in `dense`, or if `grad` does not have the output's shape.
    """
    x, w = _prepare(x, w)
    grad = floats("grad", grad, "n units").astype(x.dtype, copy=False)
    same_shape("grad", grad, (len(x), w.shape[1]))
    return grad @ w.T, x.T @ grad, grad.sum(axis=0)


def _prepare(x, w):
    """Check that examples and weights fit together; bring them to one float type."""
    x, w = floats("x", x, "n inputs"), floats("w", w, "inputs units")
    if x.shape[1] != len(w):
        raise ValueError(
            f"x has {x.shape[1]} inputs (shape {x.shape}) but w expects {len(w)} "
            f"(shape {w.shape}: inputs, units); accepted: equal numbers"
        )
    dtype = np.result_type(x, w)
    return x.astype(dtype, copy=False), w.astype(dtype, copy=False)
