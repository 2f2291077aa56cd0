"""Each generic diagnosis is given for the mistake it names, and for no other."""

import numpy as np
import pytest
from cnncourse.grading.compare import equal
from cnncourse.grading.diagnose import diagnose, where
from cnncourse.grading.values import Raised, Unsupported

RNG = np.random.default_rng(0)
E = RNG.normal(size=(2, 6, 7, 3)).astype("float32")  # what is expected
SQUARE = RNG.normal(size=(5, 5)).astype("float32")
INTS = np.arange(12).reshape(3, 4)


def changed(array, *places):
    """Return a copy with something added at these places."""
    copy = array.copy()
    for number, place in enumerate(places):
        copy[place] += 1 + 0.37 * number
    return copy


def nan(array):
    copy = array.copy()
    copy[0, 0, 0, 0] = np.nan
    return copy


def noise(shape):
    return RNG.normal(size=shape).astype("float32")


PADDED = E.copy()
PADDED[:, 0], PADDED[:, :, -1] = noise((2, 7, 3)), noise((2, 6, 3))
SIGNAL = RNG.normal(size=(2, 9, 4))
ENDS = SIGNAL.copy()
ENDS[:, -2:] = 0
SHIFTED = np.roll(E, 1, axis=1)
SHIFTED[:, 0] = noise((2, 7, 3))
EARLY = np.roll(E, -1, axis=2)
EARLY[:, :, -1] = noise((2, 6, 3))

CASES = {  # name: (expected, given, a part of the diagnosis that no other has)
    "nothing returned": (E, None, "returned nothing"),
    "a list": (E, E.tolist(), "returned a list; an array"),
    "a model": (E, Unsupported("Model"), "an object of type Model; an array"),
    "no error": (Raised("ValueError", ("ValueError",)), 3, "`raise ValueError("),
    "a bool": (1, True, "returned True or False; a number"),
    "text": (True, "yes", "returned text; True or False"),
    "float for int": (3, 3.0, "divide with `//`"),
    "number NaN": (3, float("nan"), "NaN, not a number: somewhere it divides"),
    "number sign": (3, -3, "be its opposite"),
    "one too many": (3, 4, "one too many"),
    "one too few": (3, np.float64(2), "one too few"),
    "items": ((1, 2), (1, 2, 3), "3 items; 2 are wanted"),
    "reverse": ((0, 1), (1, 0), "reverse order"),
    "inside": ([1, E], [1, -E], "Item 1 is"),
    "batch": (E[:1], E[0], "batch axis is missing"),
    "axis dropped": (E[:, :, :1], E[:, :, 0], "axis of size 1 was dropped"),
    "axis added": (E[0], E[0][..., None], "axis of size 1 was added"),
    "shape": (E, E[:, :-2], "axis 1 (height) has 4, not 6"),
    "two sizes": (SQUARE, noise((4, 6)), "axis 0 has 4, not 5 and axis 1 has 6, not 5"),
    "rank": (E, E.reshape(2, -1), "number of axes is 2, not 4"),
    "transposed": (E, E.transpose(0, 2, 1, 3), ".transpose(0, 2, 1, 3)"),
    "transposed square": (SQUARE, SQUARE.T, ".transpose(1, 0)"),
    "moved": (E, E.transpose(0, 3, 1, 2), ".transpose(0, 2, 3, 1)"),
    "dtype": (E, E.astype("float64"), "their dtype is float64; float32"),
    "int dtype": (INTS, INTS.astype(float), "their dtype is float64; int64"),
    "NaN": (E, nan(E), "1 of 252 values are NaN"),
    "infinite": (E, np.where(E > 1, np.inf, E).astype("float32"), "values are infinite"),
    "zeros": (E, np.zeros_like(E), "Every value is zero"),
    "sign": (E, -E, "wrong sign"),
    "channels": (E, E[..., ::-1], "[0, 1, 2] should be [2, 1, 0]"),
    "upside down": (E, E[:, ::-1], "backwards along axis 1 (height)."),
    "both flipped": (E, E[:, ::-1, ::-1], "axis 1 (height) and axis 2 (width)"),
    "constant": (E, E + np.float32(0.5), "same amount, 0.5"),
    "per channel": (E, E + np.float32([1, 2, 4]), "amount of its own"),
    "factor": (E, E * 9, "is 9 times"),
    "mean": (INTS * 4.0, INTS * 1.0, "is 0.25 times"),
    "late": (E, SHIFTED, "along axis 1 (height) every value comes one place too late"),
    "early": (E, EARLY, "along axis 2 (width) every value comes one place too early"),
    "border": (E, PADDED, "Only the border is wrong (top, right)"),
    "corner": (E, changed(E, (0, 0, 0)), "(the corners)"),
    "ends": (SIGNAL, ENDS, "Only the border is wrong (end)"),
}


@pytest.mark.parametrize("name", CASES)
def test_diagnosis(name):
    expected, given, part = CASES[name]
    assert not equal(expected, given, 1e-5)
    text = diagnose(expected, given, 1e-5)
    assert part in text
    others = {other: case[2] for other, case in CASES.items() if case[2] in text}
    assert others.keys() == {name} or name == "inside", others


def test_dtype_is_named_beside_the_greater_mistake():
    text = diagnose(E, (E * 9).astype("float64"), 1e-5)
    assert "9 times" in text and text.endswith("its dtype is float64; float32 is wanted.")


@pytest.mark.parametrize(
    ("expected", "given"),
    [
        (E, noise(E.shape)),
        (E, changed(E, (0, 3, 3, 1))),  # one value inside
        (np.float32([1.0]), np.float32([2.0])),  # one value is no pattern
        ("same", "valid"),
        ({"a": 1}, {"a": 2}),
        (5, 17),
        (E, Raised("ValueError", ("ValueError",))),
    ],
)
def test_without_a_pattern_nothing_is_claimed(expected, given):
    assert diagnose(expected, given, 1e-5) == ""


def test_where():
    assert where(E, changed(E, (0, 3, 3, 1)), 1e-5).startswith("1 of 252 values differs, at [0, 3")
    assert where(E, E[:1], 1e-5) == "" == where(E, E, 1e-5) == where(3, 4, 1e-5)
