"""Generic diagnoses: what a wrong value tells about a mistake that no author foresaw.

Arrays have a module of their own, `diagnose_arrays`.
"""

from typing import Any

import numpy as np
from cnncourse.grading.compare import close, equal, is_number
from cnncourse.grading.diagnose_arrays import diagnose_arrays
from cnncourse.grading.values import Raised, Unsupported, describe


def diagnose(expected: Any, given: Any, tolerance: float) -> str:
    """Say in a sentence or two what is wrong with a value; nothing if it cannot be told.

    Args:
        expected: the reference's value, decoded.
        given: the learner's, decoded, and not equal to it.
        tolerance: of the comparison.

    >>> diagnose(3, -3, 1e-6)
    'The sign is wrong: the number should be its opposite.'
    """
    if isinstance(given, Raised):
        return ""
    if given is None:
        return "Your code returned nothing. Does it end with `return …` on every path?"
    if isinstance(expected, Raised):
        return (
            f"This input makes no sense, so your code should say so: `raise {expected.name}(…)` "
            "with a message that names what is wrong."
        )
    if isinstance(given, Unsupported):
        return f"Your code returned {describe(given)}; {_kind(expected)} is wanted."
    if _kind(expected) != _kind(given) and not _interchangeable(expected, given):
        return f"Your code returned {_kind(given)}; {_kind(expected)} is wanted."
    if is_number(expected):
        return _numbers(expected, given, tolerance)
    if isinstance(expected, list | tuple):
        return _sequences(list(expected), list(given), tolerance)
    if isinstance(expected, np.ndarray) and expected.ndim:
        return diagnose_arrays(expected, given, tolerance)
    return ""


def _kind(value: Any) -> str:
    if is_number(value):
        return "a number"
    if isinstance(value, np.ndarray) and value.ndim:
        return "an array"
    if isinstance(value, np.ndarray):
        value = value.item()
    return {
        bool: "True or False",
        str: "text",
        list: "a list",
        tuple: "a tuple",
        dict: "a dict",
        type(None): "None",
    }.get(type(value), f"an object of type {type(value).__name__}")


def _interchangeable(expected: Any, given: Any) -> bool:
    one_axis = isinstance(given, np.ndarray) and given.ndim == 1
    return isinstance(expected, list | tuple) and (one_axis or isinstance(given, list | tuple))


def _numbers(expected: Any, given: Any, tolerance: float) -> str:
    if equal(expected, given, tolerance, dtype=False):
        return "The number is right, but it is a float; a whole number is wanted: divide with `//`."
    expected, given = complex(expected), complex(given)
    if np.isnan(given):
        return "Your code returned NaN, not a number: somewhere it divides 0 by 0."
    if expected and abs(expected + given) <= tolerance * (1 + abs(expected)):
        return "The sign is wrong: the number should be its opposite."
    if expected.real.is_integer() and abs(given - expected) == 1:
        more = "many" if given.real > expected.real else "few"
        return f"It is one too {more}. Count a small case on paper: do both ends count?"
    return ""


def _sequences(expected: list, given: list, tolerance: float) -> str:
    if len(expected) != len(given):
        return f"It has {len(given)} items; {len(expected)} are wanted."
    if equal(expected, given[::-1], tolerance):
        return "The items are right, but in reverse order."
    for number, (e, g) in enumerate(zip(expected, given, strict=True)):
        if not equal(e, g, tolerance):
            inner = diagnose(e, g, tolerance)
            rest = f" {inner}" if inner else ""
            return f"Item {number} is {describe(g)}; {describe(e)} is wanted.{rest}"
    return ""


def where(expected: Any, given: Any, tolerance: float) -> str:
    """Say how many of an array's values differ, and which is the first.

    >>> where(np.float32([1, 2, 3]), np.float32([1, 5, 3]), 1e-6)
    '1 of 3 values differs, at [1]: 5.0 instead of 2.0'
    """
    if not (isinstance(expected, np.ndarray) and isinstance(given, np.ndarray) and expected.ndim):
        return ""
    if expected.shape != given.shape:
        return ""
    wrong = np.argwhere(~close(expected, given, tolerance))
    if not len(wrong):
        return ""
    first = tuple(int(i) for i in wrong[0])
    verb = "differs, at" if len(wrong) == 1 else "differ, first at"
    values = f"{describe(given[first])} instead of {describe(expected[first])}"
    return f"{len(wrong)} of {expected.size} values {verb} {list(first)}: {values}"
