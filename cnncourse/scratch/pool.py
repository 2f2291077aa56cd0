"""Pooling: windows that keep their maximum or their mean, and the backward passes.

Images are (n, h, w, c); every channel is pooled by itself, except in `depth_max_pool`.
`pool_size` and `strides` are positive integers or (vertical, horizontal) pairs; `strides` is the
pool size unless given. `"same"` padding never counts: it is −∞ for a maximum, and a mean divides
by the number of real pixels. Float types are kept, integers become float32, a NaN in a window
makes its result NaN.

Sources: Scherer, Müller & Behnke (2010), Evaluation of pooling operations, ICANN (maximum
against mean); Zeiler & Fergus (2014), Visualizing and understanding convolutional networks, ECCV
(switches, unpooling); Lin, Chen & Yan (2014), Network in network, ICLR (global average).
"""

import numpy as np
from cnncourse.scratch.unpool import unpool
from cnncourse.scratch.windows import (
    crop,
    floats,
    pad,
    pair,
    patches,
    plan,
    positive_int,
    same_shape,
    taps,
)


def max_pool2d_loops(x, pool_size=2, strides=None, padding="valid"):
    """Keep the largest value of every window, one window at a time; see `max_pool2d`."""
    return _pool_loops(np.max, x, pool_size, strides, padding)


def avg_pool2d_loops(x, pool_size=2, strides=None, padding="valid"):
    """Keep the mean of every window, one window at a time; see `avg_pool2d`."""
    return _pool_loops(np.mean, x, pool_size, strides, padding)


def _pool_loops(summary, x, pool_size, strides, padding):
    """Slide a window over the images. It is cut off at their borders, so no padding is needed."""
    x, windows = _prepare(x, pool_size, strides, padding)
    (k_h, k_w), (s_h, s_w), (rows, columns) = windows.size, windows.strides, windows.output
    y = np.empty((len(x), rows, columns, x.shape[3]), x.dtype)
    for image in range(len(x)):
        for i in range(rows):
            for j in range(columns):
                top, left = i * s_h - windows.before[0], j * s_w - windows.before[1]
                window = x[image, max(top, 0) : top + k_h, max(left, 0) : left + k_w]
                y[image, i, j] = summary(window, axis=(0, 1))
    return y


def max_pool2d(x, pool_size=2, strides=None, padding="valid"):
    """Keep the largest value of every window.

    Args:
        x: images, (n, h, w, c).
        pool_size: size of the window, a positive integer or a (vertical, horizontal) pair.
        strides: step between windows, likewise; None means the pool size.
        padding: `"valid"` or `"same"`, in either case.

    Returns:
        Pooled images, (n, rows, columns, c).

    Raises:
        ValueError: if `x` is not numeric, is empty or has another rank, a number is not positive,
            the padding unknown, or the window larger than the image with `"valid"`.

    >>> max_pool2d([[[[1], [5]], [[3], [2]]]])
    array([[[[5.]]]], dtype=float32)
    """
    x, windows = _prepare(x, pool_size, strides, padding)
    y = np.full((len(x), *windows.output, x.shape[3]), -np.inf, x.dtype)
    for _, _, seen in taps(pad(x, windows, -np.inf), windows):
        np.maximum(y, seen, out=y)
    return y


def max_pool2d_backward(grad, x, pool_size=2, strides=None, padding="valid"):
    """Return the gradient of a loss through `max_pool2d`: it all goes to the maximum.

    Of several equal maxima the first one, row by row, gets it, as in TensorFlow. A pixel that is
    the maximum of several windows gets the sum.

    Args:
        grad: gradient of the loss for the output, (n, rows, columns, c).
        x: the images that went in, (n, h, w, c).
        pool_size: as in `max_pool2d`.
        strides: as in `max_pool2d`.
        padding: as in `max_pool2d`.

    Raises:
        ValueError: as in `max_pool2d`, or if `grad` does not have the output's shape.
    """
    x = floats("x", x, "n h w c")
    _, switches = max_pool_with_switches(x, pool_size, strides, padding)
    return max_pool_with_switches_backward(grad, switches, x.shape).astype(x.dtype, copy=False)


def max_pool_with_switches(x, pool_size=2, strides=None, padding="valid"):
    """Return (y, switches): the maxima and the places they came from.

    A switch is the index of the maximum (of the first one, where several are equal) in its
    image's flattened (h, w, c), which is also what `tf.nn.max_pool_with_argmax` returns.
    Arguments and errors are those of `max_pool2d`.

    >>> y, switches = max_pool_with_switches([[[[1], [5]], [[3], [2]]]])
    >>> y.item(), switches.item()
    (5.0, 1)
    """
    x, windows = _prepare(x, pool_size, strides, padding)
    seen = patches(pad(x, windows, -np.inf), windows)  # (n, rows, columns, k_h, k_w, c)
    n, rows, columns, k_h, k_w, c = seen.shape
    seen = seen.reshape(n, rows, columns, k_h * k_w, c)
    place = seen.argmax(axis=3)  # (n, rows, columns, c)
    y = np.take_along_axis(seen, place[:, :, :, None], axis=3)[:, :, :, 0]
    u, v = np.divmod(place, k_w)
    i, j = np.ogrid[:rows, :columns]
    # Where a window holds nothing but −∞, a padded pixel may come first: 0 is the first real one.
    row = np.maximum(i[:, :, None] * windows.strides[0] + u - windows.before[0], 0)
    column = np.maximum(j[:, :, None] * windows.strides[1] + v - windows.before[1], 0)
    return y, (row * x.shape[2] + column) * c + np.arange(c)


def max_pool_with_switches_backward(grad, switches, input_shape):
    """Return the gradient of a loss through `max_pool_with_switches`: unpool it.

    Args:
        grad: gradient of the loss for the maxima, (n, rows, columns, c).
        switches: where they came from, same shape.
        input_shape: shape (n, h, w, c) of the images that went in.

    Raises:
        ValueError: as in `unpool`.
    """
    grad = floats("grad", grad, "n rows columns c")
    same_shape("grad", grad, np.shape(switches))
    return unpool(grad, switches, input_shape)


def avg_pool2d(x, pool_size=2, strides=None, padding="valid"):
    """Keep the mean of every window; with `"same"`, of the real pixels in it, as TensorFlow does.

    Arguments, result and errors are those of `max_pool2d`.

    >>> avg_pool2d([[[[1], [5]], [[3], [2]]]])
    array([[[[2.75]]]], dtype=float32)
    """
    x, windows = _prepare(x, pool_size, strides, padding)
    y = np.zeros((len(x), *windows.output, x.shape[3]), x.dtype)
    for _, _, seen in taps(pad(x, windows), windows):
        y += seen
    return y / _real_pixels(x, windows)


def avg_pool2d_backward(grad, x, pool_size=2, strides=None, padding="valid"):
    """Return the gradient of a loss through `avg_pool2d`: a window's pixels share it equally.

    Args:
        grad: gradient of the loss for the output, (n, rows, columns, c).
        x: the images that went in, (n, h, w, c).
        pool_size: as in `max_pool2d`.
        strides: as in `max_pool2d`.
        padding: as in `max_pool2d`.

    Raises:
        ValueError: as in `max_pool2d`, or if `grad` does not have the output's shape.
    """
    x, windows = _prepare(x, pool_size, strides, padding)
    grad = floats("grad", grad, "n rows columns c").astype(x.dtype, copy=False)
    same_shape("grad", grad, (len(x), *windows.output, x.shape[3]))
    share = grad / _real_pixels(x, windows)
    d_padded = np.zeros_like(pad(x, windows))
    for _, _, d_seen in taps(d_padded, windows):
        d_seen += share
    return crop(d_padded, windows, x.shape[1:3])


def _real_pixels(x, windows):
    """Count the pixels in each window that are not padding: (1, rows, columns, 1)."""
    ones = pad(np.ones((1, *x.shape[1:3], 1), x.dtype), windows)
    return sum(seen for _, _, seen in taps(ones, windows))


def global_avg_pool(x):
    """Return the mean of every map of every image, (n, c) from (n, h, w, c).

    Raises:
        ValueError: if `x` is not numeric, is empty or has another rank.

    >>> global_avg_pool([[[[1], [5]], [[3], [2]]]])
    array([[2.75]], dtype=float32)
    """
    x = floats("x", x, "n h w c")
    return x.mean(axis=(1, 2), dtype=np.float64).astype(x.dtype)  # float32 sums would drift


def global_avg_pool_backward(grad, x):
    """Return the gradient (n, h, w, c) of a loss through `global_avg_pool`, given `grad` (n, c).

    Raises:
        ValueError: as in `global_avg_pool`, or if `grad` does not have the output's shape.
    """
    x = floats("x", x, "n h w c")
    grad = floats("grad", grad, "n c").astype(x.dtype, copy=False)
    same_shape("grad", grad, (len(x), x.shape[3]))
    n, h, w, c = x.shape
    return np.broadcast_to(grad[:, None, None] / (h * w), (n, h, w, c)).copy()


def depth_max_pool(x, pool_size=2):
    """Keep the largest value of every `pool_size` neighbouring channels.

    Args:
        x: images, (n, h, w, c).
        pool_size: number of channels in a group, a positive integer that divides c.

    Returns:
        Images with fewer channels, (n, h, w, c / pool_size).

    Raises:
        ValueError: if `x` is not numeric, is empty or has another rank, or the channels do not
            divide into groups.

    >>> depth_max_pool(np.ones((2, 70, 60, 60)), 3).shape
    (2, 70, 60, 20)
    """
    return _channel_groups(x, pool_size).max(axis=4)


def depth_max_pool_backward(grad, x, pool_size=2):
    """Return the gradient of a loss through `depth_max_pool`: the first maximum gets it all.

    Args:
        grad: gradient of the loss for the output, (n, h, w, c / pool_size).
        x: the images that went in, (n, h, w, c).
        pool_size: as in `depth_max_pool`.

    Raises:
        ValueError: as in `depth_max_pool`, or if `grad` does not have the output's shape.
    """
    groups = _channel_groups(x, pool_size)
    grad = floats("grad", grad, "n h w groups").astype(groups.dtype, copy=False)
    same_shape("grad", grad, groups.shape[:4])
    dx = np.zeros_like(groups)
    np.put_along_axis(dx, groups.argmax(axis=4)[..., None], grad[..., None], axis=4)
    return dx.reshape(*dx.shape[:3], -1)


def _channel_groups(x, pool_size):
    """Return images as (n, h, w, groups, pool_size)."""
    x, pool_size = floats("x", x, "n h w c"), positive_int("pool_size", pool_size)
    if x.shape[3] % pool_size:
        raise ValueError(
            f"pool_size is {pool_size}; accepted: a divisor of the {x.shape[3]} channels of x"
        )
    return x.reshape(*x.shape[:3], -1, pool_size)


def _prepare(x, pool_size, strides, padding):
    """Check all arguments and lay out the windows."""
    x, pool_size = floats("x", x, "n h w c"), pair("pool_size", pool_size)
    strides = pool_size if strides is None else strides
    return x, plan(x.shape[1:3], pool_size, strides, padding)
