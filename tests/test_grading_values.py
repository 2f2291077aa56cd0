"""Values survive the way as JSON, hostile JSON is refused, and equality is what it says it is."""

import json
import math

import numpy as np
import pytest
from cnncourse.grading.compare import equal
from cnncourse.grading.values import DTYPES, Raised, Unsupported, decode, describe, encode
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

ARRAYS = st.sampled_from(DTYPES).flatmap(
    lambda dtype: hnp.arrays(dtype, hnp.array_shapes(min_dims=0, max_dims=4, min_side=0))
)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text()
VALUES = st.recursive(
    SCALARS | ARRAYS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.lists(inner, max_size=3).map(tuple)
        | st.dictionaries(st.text() | st.integers(), inner, max_size=3)
    ),
    max_leaves=6,
)


def identical(a, b):
    """Compare independently of the code under test: types, bits, NaN."""
    if isinstance(a, np.ndarray):
        same = isinstance(b, np.ndarray) and (a.dtype, a.shape) == (b.dtype, b.shape)
        return same and a.tobytes() == b.tobytes()
    if type(a) is not type(b):
        return False
    if isinstance(a, list | tuple):
        return len(a) == len(b) and all(map(identical, a, b))
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(identical(a[key], b[key]) for key in a)
    if isinstance(a, float) and math.isnan(a):
        return math.isnan(b)
    return a == b


@settings(max_examples=150, deadline=None)
@given(VALUES)
def test_round_trip(value):
    text = json.dumps(encode(value), allow_nan=False)
    assert identical(decode(json.loads(text)), value)


@settings(max_examples=150, deadline=None)
@given(VALUES)
def test_everything_equals_itself(value):
    assert equal(value, decode(encode(value)), 0)


@settings(max_examples=150, deadline=None)
@given(VALUES, VALUES)
def test_comparing_and_describing_never_fail(first, second):
    assert equal(first, second, 1e-6) in (True, False)
    assert isinstance(describe(first), str)


@pytest.mark.parametrize("value", [">f4", "<f4", "f2"], ids=["big-endian", "little-endian", "half"])
def test_byte_order_does_not_matter(value):
    array = np.arange(6, dtype=value).reshape(2, 3)[:, ::-1]
    back = decode(encode(array))
    assert back.tolist() == array.tolist() and back.dtype.isnative


def test_tensors_arrive_as_arrays():
    class Tensor:  # what Keras' backends have in common
        shape, dtype = (2,), "float32"

        def __array__(self, dtype=None, copy=None):
            return np.float32([1, 2])

    assert identical(decode(encode(Tensor())), np.float32([1, 2]))


def test_what_cannot_be_compared_says_so():
    class Symbolic:
        shape, dtype = (2,), "float32"

        def __array__(self, dtype=None, copy=None):
            raise TypeError("symbolic")

    endless = []
    endless.append(endless)
    for value in (object(), len, np.array([object()]), Symbolic(), np.ndarray, {(1,): 2}, 2**2000):
        assert isinstance(decode(encode(value)), Unsupported), value
    assert "unsupported" in json.dumps(encode(endless))


@pytest.mark.parametrize(
    "data",
    [
        None,
        [],
        {},
        {"type": "object"},
        {"type": "int", "value": True},
        {"type": "float", "value": "1.5"},
        {"type": "array", "dtype": "object", "shape": [1], "data": "AAAA"},
        {"type": "array", "dtype": "float32", "shape": [10**9], "data": "AAAA"},
        {"type": "array", "dtype": "float32", "shape": [-1], "data": ""},
        {"type": "array", "dtype": "float32", "shape": [1], "data": "not base64!"},
        {"type": "dict", "items": [[[], {"type": "none"}]]},
        {"type": "raised", "name": "E"},
    ],
)
def test_what_encode_never_makes_is_refused(data):
    with pytest.raises(ValueError):
        decode(data)


def test_deep_nesting_is_refused():
    data = {"type": "none"}
    for _ in range(50):
        data = {"type": "list", "items": [data]}
    with pytest.raises(ValueError, match="deep"):
        decode(data)


NAN, INF = float("nan"), float("inf")
F32 = np.float32([1, NAN, INF])
ERROR = Raised("ValueError", ("ValueError", "Exception"))


@pytest.mark.parametrize(
    ("expected", "given", "same"),
    [
        (3, 3, True),
        (3, 3.0, False),  # a size is an int
        (3.0, 3, True),
        (3, np.int64(3), True),
        (3, np.array(3), True),
        (1, True, False),
        (True, 1, False),
        (True, np.bool_(True), True),
        (0.0, -0.0, True),
        (NAN, NAN, True),
        (INF, -INF, False),
        (INF, 1e300, False),
        (10**300, 10**300, True),
        (1.0, 1.0 + 9e-7, True),
        (1.0, 1.0 + 3e-6, False),
        (1e6, 1e6 + 0.5, True),  # relative to the size
        ("a", "a", True),
        ("1", 1, False),
        (None, None, True),
        (None, 0, False),
        ((1, 2), [1, 2], True),
        ([1, 2], np.array([1, 2]), True),
        ((1, 2), (1, 2, 3), False),
        (F32, F32.copy(), True),
        (F32, F32.tolist(), False),
        (F32, F32.astype("float64"), False),
        (np.zeros((2, 1)), np.zeros((2, 2)), False),  # no broadcasting
        (np.zeros((0, 3)), np.zeros((0, 3)), True),
        (np.zeros((0, 3)), np.zeros((0, 4)), False),
        (np.uint8([250]), np.uint8([251]), False),
        ({"a": 1}, {"a": 1}, True),
        ({"a": 1}, {"b": 1}, False),
        (ERROR, ERROR, True),
        (ERROR, Raised("MyError", ("MyError", "ValueError")), True),
        (ERROR, Raised("TypeError", ("TypeError",)), False),
        (ERROR, 3, False),
        (3, ERROR, False),
        (Unsupported("Model"), Unsupported("Model"), False),
        # a blank exercise is never the error that is wanted
        (
            Raised("RuntimeError", ("RuntimeError",)),
            Raised("NotImplementedError", ("NotImplementedError", "RuntimeError")),
            False,
        ),
    ],
)
def test_equal(expected, given, same):
    assert equal(expected, given, 1e-6) is same


def test_dtype_can_be_left_out():
    assert equal(F32, F32.astype("float64"), 1e-6, dtype=False)
    assert equal(3, 3.0, 1e-6, dtype=False)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "None (nothing returned)"),
        (3.0, "3.0"),
        (1 / 3, "0.333333"),
        ([1, (2,)], "[1, (2,)]"),
        ({"a": np.float32(0.5)}, "{'a': 0.5}"),
        ("x" * 500, "'" + "x" * 198 + "…"),
        (np.zeros((9, 9)), "float64 array of shape (9, 9)"),
        (np.int64([1, 2]), "int64 array of shape (2,): [1, 2]"),
        (Unsupported("Model"), "an object of type Model"),
        (Raised("IndexError", (), "no"), "an IndexError: no"),
    ],
)
def test_describe(value, text):
    assert describe(value) == text
