"""Convolution as layers compute it (cross-correlation plus bias), and its backward pass.

Images are (n, h, w, c), kernels (k_h, k_w, c, maps). All functions take `strides` and `dilation`
as an integer or a (vertical, horizontal) pair, and `padding` as `"valid"` or `"same"` in either
case, with TensorFlow's zeros: an odd one goes to the right or the bottom. The result has the
inputs' float type (float32 and float64 mixed give float64); integers count as float32.

Keras refuses strides above 1 together with a dilation above 1. Here both work, because nothing
forbids it: the result is that of the kernel with its taps spread by `dilate`.

Source: Dumoulin & Visin (2016), A guide to convolution arithmetic for deep learning,
arXiv:1603.07285.
"""

import numpy as np
from cnncourse.scratch.windows import (
    crop,
    floats,
    pad,
    patches,
    plan,
    positive_int,
    same_shape,
    taps,
)

CHUNK_BYTES = 2**20  # patches that are copied at a time: about what a processor's cache holds


def conv2d_loops(x, w, b=None, strides=1, padding="valid", dilation=1):
    """Convolve images with kernels, one output neuron at a time, as the equation is written.

    z[i, j, k] = b[k] + Σ_u Σ_v Σ_c x[i·s_h + u·d_h, j·s_w + v·d_w, c] · w[u, v, c, k]

    Arguments, result and errors are those of `conv2d`, which is hundreds of times as fast.
    """
    x, w, b, windows = _prepare(x, w, b, strides, padding, dilation)
    padded = pad(x, windows)
    (rows, columns), (s_h, s_w), (d_h, d_w) = windows.output, windows.strides, windows.dilation
    span_h, span_w = (w.shape[0] - 1) * d_h + 1, (w.shape[1] - 1) * d_w + 1
    z = np.empty((len(x), rows, columns, w.shape[3]), x.dtype)
    for image in range(len(x)):
        for i in range(rows):
            for j in range(columns):
                top, left = i * s_h, j * s_w
                patch = padded[image, top : top + span_h : d_h, left : left + span_w : d_w]
                for k in range(w.shape[3]):
                    z[image, i, j, k] = np.sum(patch * w[:, :, :, k]) + b[k]
    return z


def conv2d(x, w, b=None, strides=1, padding="valid", dilation=1):
    """Convolve images with kernels, by matrix products.

    Written out as a row of numbers, a window becomes one row of a matrix, a kernel one column of
    another, and the layer one matrix product (known as im2col). Overlapping windows repeat their
    pixels, so the whole matrix would need k_h · k_w times the image's memory: it is made for a few
    rows of the output at a time.

    Args:
        x: images, (n, h, w, c).
        w: kernels, (k_h, k_w, c, maps).
        b: one bias per map, (maps,), or None for none.
        strides: step between windows, a positive integer or a (vertical, horizontal) pair.
        padding: `"valid"` or `"same"`.
        dilation: distance between a kernel's taps, a positive integer or a pair. It may go with
            strides above 1, which Keras refuses.

    Returns:
        Feature maps, (n, rows, columns, maps).

    Raises:
        ValueError: if an array is not numeric, is empty or has a wrong shape, a number is not
            positive, the padding unknown, or the kernel larger than the image with `"valid"`.

    >>> conv2d(np.ones((2, 70, 120, 3)), np.ones((7, 7, 3, 32)), strides=2, padding="same").shape
    (2, 35, 60, 32)
    """
    x, w, b, windows = _prepare(x, w, b, strides, padding, dilation)
    every = patches(pad(x, windows), windows)  # (n, rows, columns, k_h, k_w, c), a view
    (rows, columns), maps = windows.output, w.shape[3]
    kernels = w.reshape(-1, maps)  # (k_h·k_w·c, maps)
    z = np.empty((len(x), rows, columns, maps), x.dtype)
    step = max(1, CHUNK_BYTES // (columns * len(kernels) * x.itemsize))
    for image in range(len(x)):
        for i in range(0, rows, step):
            chunk = every[image, i : i + step].reshape(-1, len(kernels))  # the copy
            part = z[image, i : i + step].reshape(-1, maps)  # a view
            np.matmul(chunk, kernels, out=part)
            part += b
    return z


def conv2d_backward(grad, x, w, strides=1, padding="valid", dilation=1):
    """Return the gradients of a loss through `conv2d`.

    Each tap (u, v) of the kernel reads a shifted copy of the image and adds its products to the
    output. So its gradient is that copy times `grad`, and the copy's gradient is `grad` times the
    tap. Pixels seen by several windows collect the sum.

    Args:
        grad: gradient of the loss for the output, (n, rows, columns, maps).
        x: the images that went in, (n, h, w, c).
        w: kernels, (k_h, k_w, c, maps).
        strides: as in `conv2d`.
        padding: as in `conv2d`.
        dilation: as in `conv2d`.

    Returns:
        (dx, dw, db), shaped as the images, the kernels and the biases.

    Raises:
        ValueError: as in `conv2d`, or if `grad` does not have the output's shape.
    """
    x, w, _, windows = _prepare(x, w, None, strides, padding, dilation)
    c, maps = w.shape[2:]
    grad = floats("grad", grad, "n rows columns maps").astype(x.dtype, copy=False)
    same_shape("grad", grad, (len(x), *windows.output, maps))
    rows = grad.reshape(-1, maps)
    padded = pad(x, windows)
    d_padded, dw = np.zeros_like(padded), np.empty_like(w)
    for (u, v, seen), (_, _, d_seen) in zip(
        taps(padded, windows), taps(d_padded, windows), strict=True
    ):
        dw[u, v] = seen.reshape(-1, c).T @ rows
        d_seen += grad @ w[u, v].T
    return crop(d_padded, windows, x.shape[1:3]), dw, rows.sum(axis=0)


def conv1d(x, w, b=None, strides=1, padding="valid", dilation=1):
    """Convolve signals with kernels: `conv2d` on images that are one pixel high.

    Args:
        x: signals, (n, length, c).
        w: kernels, (k, c, maps).
        b: one bias per map, (maps,), or None for none.
        strides: step between windows, a positive integer.
        padding: `"valid"` or `"same"`.
        dilation: distance between a kernel's taps, a positive integer.

    Returns:
        Feature maps, (n, steps, maps).

    Raises:
        ValueError: as in `conv2d`.

    >>> conv1d([[[1], [2], [3], [4]]], [[[1]], [[0]], [[-1]]])[0, :, 0]
    array([-2., -2.], dtype=float32)
    """
    x, w, strides, dilation = _as_images(x, w, strides, dilation)
    return conv2d(x, w, b, strides, padding, dilation)[:, 0]


def conv1d_backward(grad, x, w, strides=1, padding="valid", dilation=1):
    """Return the gradients (dx, dw, db) of a loss through `conv1d`.

    Args:
        grad: gradient of the loss for the output, (n, steps, maps).
        x: the signals that went in, (n, length, c).
        w: kernels, (k, c, maps).
        strides: as in `conv1d`.
        padding: as in `conv1d`.
        dilation: as in `conv1d`.

    Raises:
        ValueError: as in `conv1d`, or if `grad` does not have the output's shape.
    """
    x, w, strides, dilation = _as_images(x, w, strides, dilation)
    grad = floats("grad", grad, "n steps maps")[:, None]
    dx, dw, db = conv2d_backward(grad, x, w, strides, padding, dilation)
    return dx[:, 0], dw[0], db


def _as_images(x, w, strides, dilation):
    """Give signals and 1-D kernels a height of one pixel."""
    x, w = floats("x", x, "n length c"), floats("w", w, "k c maps")
    strides, dilation = positive_int("strides", strides), positive_int("dilation", dilation)
    return x[:, None], w[None], (1, strides), (1, dilation)


def _prepare(x, w, b, strides, padding, dilation):
    """Check all arguments, bring the arrays to one float type, lay out the windows."""
    x, w = floats("x", x, "n h w c"), floats("w", w, "k_h k_w c maps")
    if x.shape[3] != w.shape[2]:
        raise ValueError(
            f"x has {x.shape[3]} channels (shape {x.shape}) but w expects {w.shape[2]} "
            f"(shape {w.shape}: k_h, k_w, c, maps); accepted: equal numbers"
        )
    b = np.zeros(w.shape[3], w.dtype) if b is None else floats("b", b, "maps")
    same_shape("b", b, w.shape[3:])
    windows = plan(x.shape[1:3], w.shape[:2], strides, padding, dilation)
    dtype = np.result_type(x, w, b)
    return *(a.astype(dtype, copy=False) for a in (x, w, b)), windows
