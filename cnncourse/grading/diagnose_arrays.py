"""Generic diagnoses of arrays: shape, dtype, and patterns in the values.

Each diagnosis is one small function of (expected, given, tolerance): a sentence if it applies,
nothing otherwise. The first that applies is given, so they run from the more specific to the less.
"""

from itertools import permutations, product

import numpy as np
from cnncourse.grading.compare import arrays_equal, close

IMAGE_AXES = ("batch", "height", "width", "channel")
# Which axes have a border, by the number of axes: (n, length, channels), images, one image, …
SPATIAL = {1: ((0,),), 2: ((0, 1),), 3: ((1,), (0, 1)), 4: ((1, 2),)}
FEW = 3  # in fewer values a pattern is chance


def diagnose_arrays(expected: np.ndarray, given: np.ndarray, tolerance: float) -> str:
    """Say what is wrong with an array that is not equal to the expected one.

    >>> diagnose_arrays(np.float32([1, 2, 4]), np.float32([2, 3, 5]), 1e-6)
    'Every value is off by the same amount, 1. ...'
    """
    if expected.shape != given.shape:
        checks = (_batch_missing, _axis_of_one, _transposed, _other_shape)
    elif arrays_equal(expected, given, tolerance, dtype=False):
        return _other_dtype(expected, given)
    else:
        checks = PATTERNS if expected.size >= FEW else (_not_finite, _sign)
    if "c" in expected.dtype.kind + given.dtype.kind:
        e, g = expected.astype(complex), given.astype(complex)
    else:
        e, g = expected.astype(float), given.astype(float)
    with np.errstate(all="ignore"):
        text = next((text for check in checks if (text := check(e, g, tolerance))), "")
    if expected.dtype != given.dtype:
        text += f" Besides, its dtype is {given.dtype}; {expected.dtype} is wanted."
    return text.strip()


def _near(first: np.ndarray, second: np.ndarray, tolerance: float) -> bool:
    return first.shape == second.shape and bool(np.all(close(first, second, tolerance)))


def _axis(number: int, ndim: int) -> str:
    """Name an axis: for four axes as images' are, (batch, height, width, channel)."""
    return f"axis {number} ({IMAGE_AXES[number]})" if ndim == 4 else f"axis {number}"


# Other shape


def _batch_missing(expected, given, tolerance):
    if given.ndim == expected.ndim - 1 and expected.shape == (1, *given.shape):
        return (
            f"The batch axis is missing: the shape is {given.shape}; {expected.shape} is wanted, "
            "one image as a batch of one. `x[np.newaxis]` adds it."
        )
    return ""


def _axis_of_one(expected, given, tolerance):
    if given.squeeze().shape != expected.squeeze().shape:
        return ""
    verb = "dropped" if given.ndim < expected.ndim else "added or moved"
    return (
        f"An axis of size 1 was {verb}: the shape is {given.shape}; {expected.shape} is wanted. "
        "See `keepdims=True`, `squeeze` and `np.newaxis`."
    )


def _other_shape(expected, given, tolerance):
    shapes = f"the shape is {given.shape}; {expected.shape} is wanted."
    if given.ndim != expected.ndim:
        return f"The number of axes is {given.ndim}, not {expected.ndim}: {shapes}"
    pairs = enumerate(zip(given.shape, expected.shape, strict=True))
    wrong = [f"{_axis(i, given.ndim)} has {g}, not {e}" for i, (g, e) in pairs if g != e]
    return f"The size is wrong: {' and '.join(wrong)}; {shapes}"


def _other_dtype(expected, given):
    return (
        f"The values are right, but their dtype is {given.dtype}; {expected.dtype} is wanted. "
        f'`.astype("{expected.dtype}")` converts.'
    )


# Same shape


def _not_finite(expected, given, tolerance):
    nan = np.isnan(given) & ~np.isnan(expected)
    if nan.any():
        return (
            f"{nan.sum()} of {nan.size} values are NaN, not a number: somewhere 0 is divided by 0, "
            "or an infinity is taken from another."
        )
    infinite = np.isinf(given) & ~np.isinf(expected)
    if infinite.any():
        return (
            f"{infinite.sum()} of {infinite.size} values are infinite: is there a division by 0, "
            "or a start value of `-np.inf` that nothing replaced?"
        )
    return ""


def _all_zero(expected, given, tolerance):
    if not given.any():
        return "Every value is zero. Is the result ever filled in, or is it cut to whole numbers?"
    return ""


def _sign(expected, given, tolerance):
    if _near(expected, -given, tolerance):
        return "Every value has the wrong sign. Is something subtracted the wrong way round?"
    return ""


def _channels(expected, given, tolerance):
    channels = expected.shape[-1]
    if expected.ndim < 3 or not 2 <= channels <= 4:
        return ""
    for order in permutations(range(channels)):
        if list(order) != sorted(order) and _near(expected, given[..., list(order)], tolerance):
            return (
                "The channels are in another order: on the last axis, "
                f"[{', '.join(map(str, range(channels)))}] should be {list(order)} of yours."
            )
    return ""


def _transposed(expected, given, tolerance):
    if expected.ndim > 5 or expected.ndim != given.ndim:
        return ""
    for order in permutations(range(given.ndim)):
        if list(order) != sorted(order) and _near(expected, given.transpose(order), tolerance):
            return (
                "The values are right, but the axes are in another order: "
                f"`.transpose{order}` of your result would be right."
            )
    return ""


def _flipped(expected, given, tolerance):
    if expected.ndim > 5:
        return ""
    choices = sorted(product((False, True), repeat=expected.ndim), key=sum)
    for choice in choices[1:]:
        axes = [i for i, chosen in enumerate(choice) if chosen]
        if _near(expected, np.flip(given, axes), tolerance):
            names = " and ".join(_axis(i, expected.ndim) for i in axes)
            return f"The result is flipped: it runs backwards along {names}."
    return ""


def _constant(expected, given, tolerance):
    difference = given - expected
    axes = tuple(range(expected.ndim - 1))
    offsets = difference.mean(axis=axes)
    if _near(expected + difference.mean(), given, tolerance):
        return (
            f"Every value is off by the same amount, {difference.mean():.4g}. "
            "Is a bias left out, added twice, or an offset forgotten?"
        )
    several = expected.size >= FEW * expected.shape[-1]
    if several and _near(expected + offsets, given, tolerance):
        return (
            "Each channel (last axis) is off by an amount of its own. "
            "Is the bias left out, or is each added to the wrong channel?"
        )
    return ""


def _factor(expected, given, tolerance):
    square = (expected * expected).sum()
    factor = (given * expected).sum() / square if square else 0
    if factor and _near(expected * factor, given, tolerance):
        return (
            f"Every value is {factor:.4g} times what it should be. "
            "Is it a sum where a mean is wanted, or the other way round?"
        )
    return ""


def _shifted(expected, given, tolerance):
    for axis, size in enumerate(expected.shape):
        if size < 3:
            continue
        before = (slice(None),) * axis
        early, late = (*before, slice(None, -1)), (*before, slice(1, None))
        for ours, theirs, way in ((early, late, "late"), (late, early, "early")):
            if _near(expected[ours], given[theirs], tolerance):
                return (
                    f"The result is shifted: along {_axis(axis, expected.ndim)} every value comes "
                    f"one place too {way}. Where does the first window begin?"
                )
    return ""


def _border(expected, given, tolerance):
    wrong = ~close(expected, given, tolerance)
    for axes in SPATIAL.get(expected.ndim, ()):
        smallest = min(expected.shape[axis] for axis in axes)
        for width in range(1, smallest // 3 + 1):
            if not wrong[_inner(wrong.ndim, axes, width)].any():
                return (
                    f"Only the border is wrong ({_sides(wrong, axes, width)}); inside, all is "
                    "right. Look at the padding: how much, on which side, and with which value?"
                )
    return ""


def _inner(ndim: int, axes: tuple[int, ...], width: int) -> tuple[slice, ...]:
    return tuple(slice(width, -width) if axis in axes else slice(None) for axis in range(ndim))


def _sides(wrong: np.ndarray, axes: tuple[int, ...], width: int) -> str:
    """Name the sides on which something is wrong, the corners left out."""
    names = (("start", "end"),) if len(axes) == 1 else (("top", "bottom"), ("left", "right"))
    sides = []
    for axis, pair in zip(axes, names, strict=True):
        others = list(_inner(wrong.ndim, axes, width))
        for name, part in zip(pair, (slice(None, width), slice(-width, None)), strict=True):
            others[axis] = part
            if wrong[tuple(others)].any():
                sides.append(name)
    return ", ".join(sides) or "the corners"


PATTERNS = (
    *(_not_finite, _all_zero, _sign, _channels, _transposed, _flipped),
    *(_constant, _factor, _shifted, _border),
)
