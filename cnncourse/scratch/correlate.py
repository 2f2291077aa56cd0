"""True convolution against cross-correlation, and kernels with holes.

One channel, no bias, `"valid"`: what signal processing computes, in one or two dimensions.
A convolutional layer does the cross-correlation; convolution flips the kernel first.
"""

import numpy as np
from cnncourse.scratch.windows import floats, pair, positive_int, same_shape


def cross_correlate(x, k):
    """Slide a kernel over a signal or an image and sum the products: Σ_u x[i + u] · k[u].

    Args:
        x: a signal (length,) or a single-channel image (h, w).
        k: a kernel with as many axes, nowhere larger than `x`.

    Returns:
        Sums, one axis at a time as long as `x` − `k` + 1.

    Raises:
        ValueError: if an array is not numeric, is empty, or has a wrong shape.

    >>> cross_correlate([1, 2, 3, 4, 5, 6], [1, 0, -1])
    array([-2., -2., -2., -2.], dtype=float32)
    """
    x, k = _signal_and_kernel(x, k)
    windows = np.lib.stride_tricks.sliding_window_view(x, k.shape)
    return np.tensordot(windows, k, axes=k.ndim)


def cross_correlate_backward(grad, x, k):
    """Return the gradients (dx, dk) of a loss through `cross_correlate`.

    The kernel's gradient is the input correlated with `grad`. The input's gradient is the true
    convolution of `grad`, with zeros all around it, and the kernel: back-propagation flips.

    Args:
        grad: gradient of the loss for the output, shaped like it.
        x: the signal or image that went in.
        k: the kernel.

    Raises:
        ValueError: as in `cross_correlate`, or if `grad` does not have the output's shape.
    """
    x, k = _signal_and_kernel(x, k)
    grad = floats("grad", grad, "length" if x.ndim == 1 else "h w")
    same_shape("grad", grad, [i - f + 1 for i, f in zip(x.shape, k.shape, strict=True)])
    around = np.pad(grad, [(f - 1, f - 1) for f in k.shape])
    return convolve(around, k), cross_correlate(x, grad)


def convolve(x, k):
    """Convolve in the mathematical sense: flip the kernel along every axis, then correlate.

    Σ_u x[i + f − 1 − u] · k[u], where f is the kernel's size. Arguments, result and errors are
    those of `cross_correlate`.

    >>> convolve([1, 2, 3, 4, 5, 6], [1, 0, -1])
    array([2., 2., 2., 2.], dtype=float32)
    """
    x, k = _signal_and_kernel(x, k)
    return cross_correlate(x, np.flip(k))


def convolve_backward(grad, x, k):
    """Return the gradients (dx, dk) of a loss through `convolve`; see `cross_correlate_backward`.

    The kernel was flipped on the way in, so its gradient is flipped on the way out.
    """
    x, k = _signal_and_kernel(x, k)
    dx, dk = cross_correlate_backward(grad, x, np.flip(k))
    return dx, np.flip(dk)


def dilate(kernel, dilation):
    """Spread a kernel's taps by inserting `dilation` − 1 zeros between neighbours.

    A layer with a dilation computes what an ordinary layer does with the spread kernel, without
    multiplying by all those zeros.

    Args:
        kernel: for signals (k,) or (k, c, maps); for images (k_h, k_w) or (k_h, k_w, c, maps).
        dilation: a positive integer, or for images a (vertical, horizontal) pair of them.

    Returns:
        The spread kernel; each spatial axis is k + (k − 1)(dilation − 1) long.

    Raises:
        ValueError: if the kernel is not numeric, is empty, has another rank, or the dilation is
            not positive.

    >>> dilate([1, 2, 3], 4)
    array([1., 0., 0., 0., 2., 0., 0., 0., 3.], dtype=float32)
    """
    kernel = _kernel("kernel", kernel)
    every = _every(kernel.ndim, dilation)
    sizes = [(k - 1) * e.step + 1 for k, e in zip(kernel.shape, every, strict=False)]
    spread = np.zeros((*sizes, *kernel.shape[len(every) :]), kernel.dtype)
    spread[every] = kernel
    return spread


def dilate_backward(grad, dilation):
    """Return the gradient of a loss through `dilate`: what arrived at the taps, not the zeros.

    Args:
        grad: gradient of the loss for the spread kernel, shaped like it.
        dilation: as in `dilate`.

    Raises:
        ValueError: as in `dilate`.
    """
    grad = _kernel("grad", grad)
    return grad[_every(grad.ndim, dilation)]


def _every(ndim, dilation):
    """Index every dilation-th entry of a kernel's spatial axes (one if ndim is odd, else two)."""
    if ndim % 2:
        return (slice(None, None, positive_int("dilation", dilation)),)
    return tuple(slice(None, None, d) for d in pair("dilation", dilation))


def _kernel(name, value):
    """Return a kernel of any of the four kinds as an array of floats."""
    return floats(name, value, "k", "k_h k_w", "k c maps", "k_h k_w c maps")


def _signal_and_kernel(x, k):
    """Check that both have one axis or both two and that the kernel fits; share a float type."""
    x = floats("x", x, "length", "h w")
    k = floats("k", k, "length" if x.ndim == 1 else "h w")
    if any(f > i for i, f in zip(x.shape, k.shape, strict=True)):
        raise ValueError(f"k has shape {k.shape}; accepted: nowhere larger than x, {x.shape}")
    dtype = np.result_type(x, k)
    return x.astype(dtype, copy=False), k.astype(dtype, copy=False)
