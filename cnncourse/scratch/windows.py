"""Where a sliding window lies on an image: the arithmetic that convolution and pooling share.

Source: Dumoulin & Visin (2016), A guide to convolution arithmetic for deep learning,
arXiv:1603.07285.
"""

import operator
from typing import NamedTuple

import numpy as np


def output_size(size, kernel_size, strides=1, padding="valid", dilation=1) -> int:
    """Return how many outputs a window gives along one axis.

    `"valid"` keeps every window inside the input: ⌊(size − k) / strides⌋ + 1, and what is left over
    at the end is ignored. `"same"` adds zeros: ⌈size / strides⌉. Here k is the kernel's size once
    its taps are spread: kernel_size + (kernel_size − 1)(dilation − 1).

    Args:
        size: pixels along this axis, a positive integer.
        kernel_size: taps of the kernel along this axis, a positive integer.
        strides: step between windows, a positive integer.
        padding: `"valid"` or `"same"`, in either case.
        dilation: distance between neighbouring taps, a positive integer.

    Raises:
        ValueError: if an argument is not one of the above, or no window fits.

    >>> output_size(70, 7), output_size(70, 7, padding="same"), output_size(70, 7, strides=2)
    (64, 70, 32)
    """
    size = positive_int("size", size)
    strides = positive_int("strides", strides)
    span = _span(positive_int("kernel_size", kernel_size), positive_int("dilation", dilation))
    if padding_name(padding) == "same":
        return -(-size // strides)
    if span > size:
        raise ValueError(
            f"the window covers {span} pixels but size is {size}; "
            "accepted with padding 'valid': a window no larger than the input"
        )
    return (size - span) // strides + 1


def same_padding(size, kernel_size, strides=1, dilation=1) -> tuple[int, int]:
    """Return the zeros that `"same"` padding adds (before, after) along one axis.

    The last window starts at (outputs − 1) · strides and must still fit. An odd number of zeros
    is split unevenly: the extra one comes after, at the right or the bottom, as in TensorFlow.

    Args:
        size: pixels along this axis, a positive integer.
        kernel_size: taps of the kernel along this axis, a positive integer.
        strides: step between windows, a positive integer.
        dilation: distance between neighbouring taps, a positive integer.

    Raises:
        ValueError: if an argument is not a positive integer.

    >>> same_padding(13, 6, strides=5), same_padding(8, 1, strides=2)
    ((1, 2), (0, 0))
    """
    outputs = output_size(size, kernel_size, strides, "same", dilation)
    span = _span(kernel_size, dilation)
    zeros = max(0, (outputs - 1) * strides + span - size)
    return zeros // 2, zeros - zeros // 2


def _span(taps, dilation):
    """Pixels from a kernel's first tap to its last."""
    return taps + (taps - 1) * (dilation - 1)


class Windows(NamedTuple):
    """A plan of all windows on an image; every field is a (vertical, horizontal) pair."""

    size: tuple  # taps
    strides: tuple
    dilation: tuple
    output: tuple  # number of windows
    before: tuple  # pixels to add at the top and the left
    after: tuple  # pixels to add at the bottom and the right


def plan(image_size, window_size, strides, padding, dilation=1) -> Windows:
    """Check the arguments of a convolution or a pooling layer and lay out its windows."""
    strides, dilation = pair("strides", strides), pair("dilation", dilation)
    axes = list(zip(image_size, window_size, strides, dilation, strict=True))
    output = tuple(output_size(i, k, s, padding, d) for i, k, s, d in axes)
    if padding_name(padding) == "same":
        zeros = [same_padding(*axis) for axis in axes]
    else:
        zeros = [(0, 0), (0, 0)]
    before, after = zip(*zeros, strict=True)
    return Windows(tuple(window_size), strides, dilation, output, before, after)


def pad(x, windows, value=0):
    """Return images (n, h, w, c) with the plan's border added; the array itself if there is none.

    Where windows step over the last rows or columns the border is not needed, and is not added.
    """
    if not any(windows.before + windows.after):
        return x
    vertical, horizontal = zip(windows.before, windows.after, strict=True)
    return np.pad(x, ((0, 0), vertical, horizontal, (0, 0)), constant_values=value)


def crop(padded, windows, image_size):
    """Take the border off again: the inverse of `pad`."""
    (top, left), (height, width) = windows.before, image_size
    return padded[:, top : top + height, left : left + width]


def taps(padded, windows):
    """Yield (u, v, view): what the kernel's tap (u, v) reads, for all windows at once.

    A view has shape (n, rows, columns, c): the image shifted by the tap, every stride-th pixel of
    it. Nothing is copied, so writing to a view writes to `padded`.
    """
    (rows, columns), (s_h, s_w), (d_h, d_w) = windows.output, windows.strides, windows.dilation
    for u in range(windows.size[0]):
        for v in range(windows.size[1]):
            top, left = u * d_h, v * d_w
            bottom, right = top + (rows - 1) * s_h + 1, left + (columns - 1) * s_w + 1
            yield u, v, padded[:, top:bottom:s_h, left:right:s_w]


def patches(padded, windows):
    """Return a view (n, rows, columns, k_h, k_w, c): the pixels of every window. Nothing is copied.

    It can be read but not written.
    """
    (s_h, s_w), (d_h, d_w) = windows.strides, windows.dilation
    spans = [_span(k, d) for k, d in zip(windows.size, windows.dilation, strict=True)]
    every = np.lib.stride_tricks.sliding_window_view(padded, spans, axis=(1, 2))
    return every[:, ::s_h, ::s_w, :, ::d_h, ::d_w].transpose(0, 1, 2, 4, 5, 3)


def positive_int(name, value) -> int:
    """Return `value` as an int, or raise ValueError: 1, 2, 3, …; `True` is no number here."""
    number = _integer(value)
    if number is None or number < 1:
        raise ValueError(f"{name} is {value!r}; accepted: a positive integer")
    return number


def non_negative_int(name, value) -> int:
    """Return `value` as an int, or raise ValueError: as `positive_int`, and 0."""
    number = _integer(value)
    if number is None or number < 0:
        raise ValueError(f"{name} is {value!r}; accepted: a non-negative integer")
    return number


def pair(name, value) -> tuple[int, int]:
    """Return (vertical, horizontal) from a positive integer or a pair of them, or raise."""
    values = tuple(value) if isinstance(value, (tuple, list, np.ndarray)) else (value, value)
    numbers = [_integer(v) for v in values]
    if len(numbers) != 2 or any(n is None or n < 1 for n in numbers):
        raise ValueError(f"{name} is {value!r}; accepted: a positive integer or a pair of them")
    return tuple(numbers)


def _integer(value):
    """Return `value` as an int, or None where it is not one (booleans are not)."""
    if isinstance(value, (bool, np.bool_)):
        return None
    try:
        return operator.index(value)
    except TypeError:
        return None


def padding_name(padding) -> str:
    """Return `"valid"` or `"same"`, whatever the case of the letters, or raise ValueError."""
    name = padding.lower() if isinstance(padding, str) else padding
    if name not in ("valid", "same"):
        raise ValueError(f"padding is {padding!r}; accepted: 'valid' or 'same', in either case")
    return name


def floats(name, value, *axes):
    """Return `value` as an array of floats with the given axes, such as "n h w c".

    Several strings are alternatives; none stands for any axes. Float types stay as they are;
    integers become float32.

    Raises:
        ValueError: if it is not numeric (booleans are not), is empty, or has another rank.
    """
    accepted = " or ".join(f"({a.replace(' ', ', ')}{'' if ' ' in a else ','})" for a in axes)
    accepted = accepted or "any axes"
    try:
        array = np.asarray(value)
    except ValueError as error:
        raise ValueError(f"{name} is not an array: {error}; accepted: {accepted}") from None
    if array.dtype.kind not in "iuf":
        raise ValueError(f"{name} holds {array.dtype}; accepted: integers or floats")
    if array.size == 0 or (axes and array.ndim not in [len(a.split()) for a in axes]):
        raise ValueError(f"{name} has shape {array.shape}; accepted: {accepted}, none of them 0")
    return array if array.dtype.kind == "f" else array.astype(np.float32)


def same_shape(name, array, shape):
    """Raise ValueError unless `array`, called `name`, has exactly this shape."""
    if array.shape != tuple(shape):
        raise ValueError(f"{name} has shape {array.shape}; accepted here: {tuple(shape)}")


def number(name, value, accepted, fits) -> float:
    """Return `value` as a float, or raise ValueError where it is no number or `fits` says no.

    Booleans and NaN are no numbers here; `accepted` says in words what `fits` tests.
    """
    real = isinstance(value, (int, float, np.integer, np.floating)) and not isinstance(value, bool)
    if not (real and fits(value)):
        raise ValueError(f"{name} is {value!r}; accepted: {accepted}")
    return float(value)
