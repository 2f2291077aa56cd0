"""Batch normalisation in training and at inference, with the backward passes.

Every feature is normalised by itself: in a batch of vectors (n, c) over the examples, in a batch
of feature maps (n, h, w, c) over the examples and all their pixels. The result has the inputs'
float type (mixed types give the larger one); integers count as float32.

Source: Ioffe & Szegedy (2015), Batch normalization: accelerating deep network training by
reducing internal covariate shift, ICML.
"""

import math

import numpy as np
from cnncourse.scratch.windows import floats, number, same_shape


def batch_norm(x, gamma, beta, epsilon=1e-3):
    """Normalise every feature by the batch's own mean and variance, then scale and shift it.

    x̂ = (x − mean) / √(variance + epsilon) and y = gamma · x̂ + beta, as in training.

    Args:
        x: a batch, (n, c) or (n, h, w, c).
        gamma: learnt scales, (c,).
        beta: learnt shifts, (c,).
        epsilon: a positive number that keeps the root away from 0.

    Returns:
        (y, mean, variance): y shaped like x, the batch's statistics (c,). The variance is the
        biased one: the mean of the squared distances, divided by their number, not one less.

    Raises:
        ValueError: if an array is not numeric, is empty or has a wrong shape, or `epsilon` is not
            positive.

    >>> y, mean, variance = batch_norm([[1.0], [2.0], [3.0], [4.0]], gamma=[1], beta=[0])
    >>> y[:, 0].round(4).tolist(), mean.tolist(), variance.tolist()
    ([-1.3411, -0.447, 0.447, 1.3411], [2.5], [1.25])
    """
    x, gamma, beta = _prepare(x, gamma=gamma, beta=beta)
    mean, variance = _statistics(x)
    return gamma * _normalise(x, mean, variance, epsilon) + beta, mean, variance


def batch_norm_backward(grad, x, gamma, epsilon=1e-3):
    """Return the gradients of a loss through `batch_norm`'s y.

    An input moves y directly, and it moves the mean and the variance on which all y depend. That
    takes away from `grad` its mean, and its share along x̂.

    Args:
        grad: gradient of the loss for y, shaped like x.
        x: the batch that went in, (n, c) or (n, h, w, c).
        gamma: learnt scales, (c,).
        epsilon: as in `batch_norm`.

    Returns:
        (dx, dgamma, dbeta): shaped like x, (c,), (c,).

    Raises:
        ValueError: as in `batch_norm`, or if `grad` does not have the shape of `x`.
    """
    x, gamma = _prepare(x, gamma=gamma)
    grad = _gradient(grad, x)
    mean, variance = _statistics(x)
    normal = _normalise(x, mean, variance, epsilon)
    inwards = grad - _mean(grad) - normal * _mean(grad * normal)
    dx = gamma / np.sqrt(variance + epsilon) * inwards
    return dx, *_parameter_gradients(grad, normal)


def batch_norm_inference(x, gamma, beta, mean, variance, epsilon=1e-3):
    """Normalise with statistics that are given, so that no example depends on the others.

    At inference, and in a frozen layer, these are the averages kept by `update_moving`.

    Args:
        x: a batch, (n, c) or (n, h, w, c).
        gamma: learnt scales, (c,).
        beta: learnt shifts, (c,).
        mean: moving means, (c,).
        variance: moving variances, (c,), none negative.
        epsilon: as in `batch_norm`.

    Returns:
        y, shaped like x.

    Raises:
        ValueError: as in `batch_norm`, or if a variance is negative.
    """
    x, gamma, beta, mean, variance = _prepare(
        x, gamma=gamma, beta=beta, mean=mean, variance=variance
    )
    return gamma * _normalise(x, mean, variance, epsilon) + beta


def batch_norm_inference_backward(grad, x, gamma, mean, variance, epsilon=1e-3):
    """Return the gradients (dx, dgamma, dbeta) of a loss through `batch_norm_inference`.

    The statistics are constants here, so an input moves nothing but its own y.

    Args:
        grad: gradient of the loss for the output, shaped like x.
        x: the batch that went in.
        gamma: learnt scales, (c,).
        mean: as in `batch_norm_inference`.
        variance: as in `batch_norm_inference`.
        epsilon: as in `batch_norm`.

    Raises:
        ValueError: as in `batch_norm_inference`, or if `grad` does not have the shape of `x`.
    """
    x, gamma, mean, variance = _prepare(x, gamma=gamma, mean=mean, variance=variance)
    grad = _gradient(grad, x)
    normal = _normalise(x, mean, variance, epsilon)
    return gamma / np.sqrt(variance + epsilon) * grad, *_parameter_gradients(grad, normal)


def update_moving(moving, batch, momentum=0.99):
    """Return a moving average after one more batch: momentum · moving + (1 − momentum) · batch.

    Args:
        moving: the moving means or variances so far, (c,). Keras starts with 0 and 1.
        batch: the batch's means or variances, (c,).
        momentum: share of the old value, a number from 0 to 1.

    Raises:
        ValueError: if an array is not numeric, is empty or has a wrong shape, or `momentum` is
            out of range.

    >>> update_moving([0.0], [2.5]), update_moving([1.0], [1.25])
    (array([0.025]), array([1.0025]))
    """
    moving, batch = floats("moving", moving, "c"), floats("batch", batch, "c")
    same_shape("batch", batch, moving.shape)
    moving = moving.astype(np.result_type(moving, batch), copy=False)
    momentum = number("momentum", momentum, "a number from 0 to 1", lambda m: 0 <= m <= 1)
    return momentum * moving + (1 - momentum) * batch


def _statistics(x):
    """Return the mean and the biased variance of every channel."""
    mean = _mean(x)
    return mean, _mean((x - mean) ** 2)


def _mean(values):
    """Average over everything but the channels, in float64: long sums in float32 drift."""
    axes = tuple(range(values.ndim - 1))
    return values.mean(axis=axes, dtype=np.float64).astype(values.dtype)


def _normalise(x, mean, variance, epsilon):
    """Return x̂, once `epsilon` and the variance are checked."""
    epsilon = number("epsilon", epsilon, "a positive number", lambda e: 0 < e < math.inf)
    if (variance < 0).any():
        raise ValueError(f"variance is {variance.min()} in places; accepted: nothing below 0")
    return (x - mean) / np.sqrt(variance + epsilon)


def _parameter_gradients(grad, normal):
    """Return (dgamma, dbeta): sums over everything but the channels."""
    count = grad[..., 0].size
    return _mean(grad * normal) * count, _mean(grad) * count


def _gradient(grad, x):
    """Check `grad` and give it the float type of `x`."""
    grad = floats("grad", grad, "n c", "n h w c").astype(x.dtype, copy=False)
    same_shape("grad", grad, x.shape)
    return grad


def _prepare(x, **vectors):
    """Check a batch and its vectors (c,) by their names; bring all to one float type."""
    x = floats("x", x, "n c", "n h w c")
    vectors = {name: floats(name, value, "c") for name, value in vectors.items()}
    for name, vector in vectors.items():
        same_shape(name, vector, x.shape[-1:])
    dtype = np.result_type(x, *vectors.values())
    return [array.astype(dtype, copy=False) for array in (x, *vectors.values())]
