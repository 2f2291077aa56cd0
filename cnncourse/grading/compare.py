"""Is what the learner gave the same as what the reference gave? Values only, never names."""

from typing import Any

import numpy as np
from cnncourse.grading.values import Raised, Unsupported


def equal(expected: Any, given: Any, tolerance: float, dtype: bool = True) -> bool:
    """Compare two decoded values.

    * Numbers `a` and `e` are equal when `|a - e| <= tolerance + tolerance * |e|`; NaN equals NaN,
      an infinity only itself, 0 equals -0.
    * Where an int is expected, 3.0 is not one; where a float is expected, 3 will do. Python
      numbers, NumPy scalars and 0-d arrays are all numbers. A bool is never a number.
    * Where a list or tuple is expected, a list, tuple or 1-d array with equal items will do.
    * Arrays need the same shape and dtype, no broadcasting.
    * Where an error is expected, one of that type, or derived from it, will do.

    Args:
        expected: what the reference gave.
        given: what the learner's code gave.
        tolerance: absolute and relative tolerance.
        dtype: whether arrays of another dtype, or a float where an int is expected, differ.

    >>> equal(0.1 + 0.2, 0.3, 1e-6), equal(3, 3.0, 1e-6), equal((1, 2), [1, 2], 1e-6)
    (True, False, True)
    """
    if isinstance(expected, Raised):
        return isinstance(given, Raised) and _error_fits(expected, given)
    if isinstance(given, Raised | Unsupported) or isinstance(expected, Unsupported):
        return False
    if isinstance(expected, dict):
        return (
            isinstance(given, dict)
            and expected.keys() == given.keys()
            and all(equal(expected[key], given[key], tolerance, dtype) for key in expected)
        )
    if isinstance(expected, list | tuple):
        if isinstance(given, np.ndarray) and given.ndim == 1:
            given = list(given)
        return (
            isinstance(given, list | tuple)
            and len(expected) == len(given)
            and all(equal(e, g, tolerance, dtype) for e, g in zip(expected, given, strict=True))
        )
    if is_number(expected):
        return is_number(given) and numbers_equal(expected, given, tolerance, dtype)
    if isinstance(expected, np.ndarray) and expected.ndim:
        return isinstance(given, np.ndarray) and arrays_equal(expected, given, tolerance, dtype)
    return type(_plain(expected)) is type(_plain(given)) and bool(_plain(expected) == _plain(given))


def _error_fits(expected: Raised, given: Raised) -> bool:
    # NotImplementedError is a RuntimeError, but it also is what a blank exercise raises.
    if given.name == "NotImplementedError":
        return expected.name == "NotImplementedError"
    return expected.name in given.bases


def _plain(value: Any) -> Any:
    """Turn a 0-d array into the Python value it holds."""
    return value.item() if isinstance(value, np.ndarray | np.generic) and not value.ndim else value


def is_number(value: Any) -> bool:
    """Tell whether a decoded value is a number: Python's, a NumPy scalar or a 0-d array."""
    value = _plain(value)
    return isinstance(value, int | float | complex) and not isinstance(value, bool)


def numbers_equal(expected: Any, given: Any, tolerance: float, dtype: bool = True) -> bool:
    """Compare two numbers; where an int is expected, a float is wrong unless `dtype` is False."""
    expected, given = _plain(expected), _plain(given)
    if isinstance(expected, int) and isinstance(given, int):
        return expected == given
    if dtype and isinstance(expected, int):
        return False
    try:
        return bool(np.all(close(np.asarray(expected), np.asarray(given), tolerance)))
    except (OverflowError, TypeError):  # an int that no float can hold
        return expected == given


def arrays_equal(
    expected: np.ndarray, given: np.ndarray, tolerance: float, dtype: bool = True
) -> bool:
    """Compare two arrays of any dtype; another shape is never equal."""
    if expected.shape != given.shape or (dtype and expected.dtype != given.dtype):
        return False
    if expected.dtype.kind in "biu" and given.dtype.kind in "biu":
        return bool(np.array_equal(expected, given))
    return bool(np.all(close(expected, given, tolerance)))


def close(expected: np.ndarray, given: np.ndarray, tolerance: float) -> np.ndarray:
    """Return where two arrays of one shape agree within the tolerance; NaN agrees with NaN."""
    kind = complex if "c" in expected.dtype.kind + given.dtype.kind else float
    return np.isclose(
        given.astype(kind), expected.astype(kind), rtol=tolerance, atol=tolerance, equal_nan=True
    )
