"""scratch/pool.py and unpool.py against TensorFlow, Keras and finite differences."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from cnncourse import scratch
from finite_differences import gradient
from hypothesis import given, settings
from hypothesis import strategies as st

TOLERANCE = {np.dtype("float32"): 1e-4, np.dtype("float64"): 1e-10}
few = settings(max_examples=40, deadline=None)
POOLS = {"max": tf.nn.max_pool2d, "avg": tf.nn.avg_pool2d}
both = pytest.mark.parametrize("kind", POOLS)


def pairs(largest):
    return st.tuples(st.integers(1, largest), st.integers(1, largest))


@st.composite
def pool_cases(draw, ties=False, largest=8):
    """Draw x and the options; often the window is as large as the image, or larger (same)."""
    pool_size = draw(pairs(4))
    padding = draw(st.sampled_from(["valid", "same", "VALID", "Same"]))
    size = tuple(
        draw(st.one_of(st.just(low), st.just(k), st.integers(low, max(low, largest))))
        for k, low in ((k, k if padding.lower() == "valid" else 1) for k in pool_size)
    )
    rng = np.random.default_rng(draw(st.integers(0, 2**16)))
    x = rng.normal(size=(draw(st.integers(1, 2)), *size, draw(st.integers(1, 3))))
    x = (np.round(x) if ties else x).astype(draw(st.sampled_from(["float32", "float64"])))
    strides = draw(st.one_of(st.none(), pairs(3)))
    return x, {"pool_size": pool_size, "strides": strides, "padding": padding}


def reference(kind, x, pool_size, strides, padding):
    x = tf.convert_to_tensor(x)  # handed a float64 array, max_pool2d would compute in float32
    return POOLS[kind](x, pool_size, strides or pool_size, padding.upper())


def assert_equals(ours, theirs, tolerance=None):
    theirs = np.asarray(theirs)
    assert ours.shape == theirs.shape
    assert ours.dtype == theirs.dtype
    tolerance = tolerance or TOLERANCE[ours.dtype]
    np.testing.assert_allclose(ours, theirs, rtol=tolerance, atol=tolerance)


@both
@few
@given(case=pool_cases())
def test_pooling_equals_tensorflow(kind, case):
    x, options = case
    assert_equals(getattr(scratch, f"{kind}_pool2d")(x, **options), reference(kind, x, **options))


@both
@settings(max_examples=20, deadline=None)
@given(case=pool_cases())
def test_pooling_equals_a_keras_layer(kind, case):
    x, options = case
    layer = {"max": keras.layers.MaxPooling2D, "avg": keras.layers.AveragePooling2D}[kind]
    theirs = layer(**options, dtype=str(x.dtype))(x)
    assert_equals(getattr(scratch, f"{kind}_pool2d")(x, **options), theirs)


@both
@few
@given(case=pool_cases())
def test_the_loops_equal_the_fast_version(kind, case):
    x, options = case
    slow, fast = (getattr(scratch, f"{kind}_pool2d{end}") for end in ("_loops", ""))
    assert_equals(slow(x, **options), fast(x, **options))


@both
@settings(max_examples=60, deadline=None)
@given(case=pool_cases(ties=True))
def test_backward_equals_gradient_tape_also_with_ties(kind, case):
    x, options = case
    with tf.GradientTape() as tape:
        tensor = tf.constant(x)
        tape.watch(tensor)
        y = reference(kind, tensor, **options)
        grad = np.random.default_rng(1).normal(size=y.shape).astype(x.dtype)
        loss = tf.reduce_sum(y * grad)
    ours = getattr(scratch, f"{kind}_pool2d_backward")(grad, x, **options)
    assert_equals(ours, tape.gradient(loss, tensor))


@both
@settings(max_examples=15, deadline=None)
@given(case=pool_cases(largest=4))
def test_backward_equals_finite_differences(kind, case):
    x, options = case
    x = x.astype("float64")
    forward = getattr(scratch, f"{kind}_pool2d")
    grad = np.random.default_rng(1).normal(size=forward(x, **options).shape)
    ours = getattr(scratch, f"{kind}_pool2d_backward")(grad, x, **options)
    assert_equals(ours, gradient(lambda x: np.sum(grad * forward(x, **options)), x), 1e-7)


def test_of_equal_maxima_the_first_gets_the_gradient():
    x = np.full((1, 2, 4, 1), 7.0)
    dx = scratch.max_pool2d_backward(np.ones((1, 1, 2, 1)), x)
    assert dx[0, :, :, 0].tolist() == [[1, 0, 1, 0], [0, 0, 0, 0]]


SLIDE = [
    [1, 2, 6, 0, 0, 2],
    [2, 0, 3, 2, 1, 0],
    [0, 4, 3, 3, 5, 1],
    [1, 2, 3, 0, 1.2, 2],
    [5, 6, 4, 1, 0, 4.1],
    [9, 2, 0, 2, 7.8, 4],
]


def test_the_matrix_of_the_slides():
    x = np.array(SLIDE)[None, :, :, None]
    assert scratch.max_pool2d(x, 3)[0, :, :, 0].tolist() == [[6, 5], [9, 7.8]]
    means = np.array([[21, 14], [32, 22.1]]) / 9
    np.testing.assert_allclose(scratch.avg_pool2d(x, 3)[0, :, :, 0], means, rtol=1e-12)


def test_average_leaves_padding_out():
    ones = np.ones((1, 5, 5, 1))
    np.testing.assert_allclose(scratch.avg_pool2d(ones, 3, 1, "same"), ones, rtol=1e-12)


@both
def test_nan_and_infinity_stay_in_their_windows(kind):
    x = np.zeros((1, 4, 4, 1), "float32")
    x[0, 0, 1], x[0, 1, 2], x[0, 2, 0] = np.nan, np.inf, -np.inf
    y = getattr(scratch, f"{kind}_pool2d")(x)[0, :, :, 0]
    expected = [[np.nan, np.inf], [0 if kind == "max" else -np.inf, 0]]
    np.testing.assert_array_equal(y, np.float32(expected))
    np.testing.assert_array_equal(getattr(scratch, f"{kind}_pool2d_loops")(x)[0, :, :, 0], y)


@few
@given(pool_cases(ties=True))
def test_switches_equal_tensorflow(case):
    x, options = case
    y, switches = scratch.max_pool_with_switches(x, **options)
    strides = options["strides"] or options["pool_size"]
    theirs, places = tf.nn.max_pool_with_argmax(
        x, options["pool_size"], strides, options["padding"].upper()
    )
    assert_equals(y, theirs)
    np.testing.assert_array_equal(switches, places)
    np.testing.assert_array_equal(np.take(x[0], switches[0]), y[0])


def test_switches_stay_inside_an_image_of_minus_infinity_and_find_nan():
    x = np.full((1, 3, 3, 2), -np.inf)
    y, switches = scratch.max_pool_with_switches(x, 3, 1, "same")
    assert np.isneginf(y).all()
    assert switches[0, :, :, 0].tolist() == [[0, 0, 2], [0, 0, 2], [6, 6, 8]]
    x[0, 1, 1, 0] = np.nan
    y, switches = scratch.max_pool_with_switches(x, 3)
    assert np.isnan(y[0, 0, 0, 0])
    assert switches[0, 0, 0, 0] == 8


@few
@given(pool_cases())
def test_unpooling_is_the_transpose_of_pooling(case):
    x, options = case
    y, switches = scratch.max_pool_with_switches(x, **options)
    grad = np.random.default_rng(1).normal(size=y.shape).astype(x.dtype)
    expected = scratch.max_pool2d_backward(grad, x, **options)
    assert_equals(scratch.unpool(grad, switches, x.shape), expected)
    assert_equals(scratch.max_pool_with_switches_backward(grad, switches, x.shape), expected)
    assert_equals(scratch.unpool_backward(x, switches), y)


def test_unpool_puts_maxima_back_and_adds_up_where_windows_overlap():
    x = np.array([[1, 9, 2], [3, 4, 5]], "float32")[None, :, :, None]
    y, switches = scratch.max_pool_with_switches(x[:, :, :2])
    assert scratch.unpool(y, switches, (1, 2, 2, 1))[0, :, :, 0].tolist() == [[0, 9], [0, 0]]
    y, switches = scratch.max_pool_with_switches(x, 2, 1)  # both windows chose the 9
    back = scratch.unpool(y, switches, x.shape)
    assert back[0, :, :, 0].tolist() == [[0, 18, 0], [0, 0, 0]]
    assert back.dtype == "float32"


def test_unpool_backward_equals_finite_differences():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(2, 5, 4, 2))
    y, switches = scratch.max_pool_with_switches(x, 3, 1)
    grad = rng.normal(size=x.shape)
    measured = gradient(lambda y: np.sum(grad * scratch.unpool(y, switches, x.shape)), y)
    assert_equals(scratch.unpool_backward(grad, switches), measured, 1e-7)


def test_unpool_explains_what_is_wrong():
    y, switches = scratch.max_pool_with_switches(np.ones((1, 4, 4, 2)))
    for shape in [(1, 4, 4, 3), (2, 4, 4, 2), (4, 4, 2), 4]:
        with pytest.raises(ValueError, match="output_shape is"):
            scratch.unpool(y, switches, shape)
    with pytest.raises(ValueError, match="switches has shape"):
        scratch.unpool(y, switches[:, :1], (1, 4, 4, 2))
    for wrong in (switches + 40, switches - 1, switches * 1.0):
        with pytest.raises(ValueError, match="switches point outside"):
            scratch.unpool(y, wrong, (1, 4, 4, 2))
    with pytest.raises(ValueError, match="switches"):
        scratch.unpool_backward(np.ones((1, 4, 4, 2)), switches[0])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_global_average_equals_keras(dtype):
    x = np.random.default_rng(0).normal(size=(2, 7, 5, 3)).astype(dtype)
    layer = keras.layers.GlobalAveragePooling2D(dtype=dtype)
    assert_equals(scratch.global_avg_pool(x), layer(x))


def test_global_average_of_a_large_image_does_not_drift():
    assert scratch.global_avg_pool(np.full((1, 4000, 3000, 1), 0.1, "float32")) == np.float32(0.1)


def test_global_average_backward_equals_finite_differences():
    rng = np.random.default_rng(0)
    x, grad = rng.normal(size=(2, 3, 4, 2)), rng.normal(size=(2, 2))
    measured = gradient(lambda x: np.sum(grad * scratch.global_avg_pool(x)), x)
    assert_equals(scratch.global_avg_pool_backward(grad, x), measured, 1e-7)


@few
@given(pairs(5), st.integers(1, 4), st.integers(1, 4), st.sampled_from(["float32", "float64"]))
def test_depth_pooling_equals_tensorflow(size, groups, pool_size, dtype):
    x = np.random.default_rng(0).normal(size=(2, *size, groups * pool_size)).astype(dtype)
    window = (1, 1, 1, pool_size)
    theirs = tf.nn.max_pool(tf.constant(x), window, window, "VALID")
    assert_equals(scratch.depth_max_pool(x, pool_size), theirs)


def test_depth_pooling_backward():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(2, 2, 3, 6))
    grad = rng.normal(size=(2, 2, 3, 2))
    measured = gradient(lambda x: np.sum(grad * scratch.depth_max_pool(x, 3)), x)
    assert_equals(scratch.depth_max_pool_backward(grad, x, 3), measured, 1e-7)
    ties = scratch.depth_max_pool_backward(np.ones((1, 1, 1, 2)), np.ones((1, 1, 1, 6)), 3)
    assert ties.ravel().tolist() == [1, 0, 0, 1, 0, 0]


IMAGE = np.ones((1, 4, 4, 2))


@pytest.mark.parametrize("name", ["max_pool2d", "avg_pool2d_loops", "max_pool_with_switches"])
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"x": IMAGE[0]}, r"x has shape \(4, 4, 2\); accepted: \(n, h, w, c\)"),
        ({"x": IMAGE > 0}, "x holds bool"),
        ({"x": IMAGE[:0]}, "none of them 0"),
        ({"x": "photo"}, "x holds"),
        ({"pool_size": 0}, "pool_size is 0; accepted: a positive integer or a pair of them"),
        ({"pool_size": 2.0}, "pool_size is 2.0"),
        ({"strides": -1}, "strides is -1"),
        ({"strides": (1, True)}, r"strides is \(1, True\)"),
        ({"padding": "full"}, "padding is 'full'"),
        ({"pool_size": 5}, "the window covers 5 pixels but size is 4"),
    ],
)
def test_pooling_explains_what_is_wrong(name, arguments, message):
    with pytest.raises(ValueError, match=message):
        getattr(scratch, name)(**{"x": IMAGE, **arguments})


def test_depth_pooling_explains_what_is_wrong():
    with pytest.raises(ValueError, match="pool_size is 3; accepted: a divisor of the 2 channels"):
        scratch.depth_max_pool(IMAGE, 3)
    with pytest.raises(ValueError, match="pool_size is 0"):
        scratch.depth_max_pool(IMAGE, 0)


def test_backward_passes_check_the_shape_of_grad():
    for backward in (
        scratch.max_pool2d_backward,
        scratch.avg_pool2d_backward,
        scratch.global_avg_pool_backward,
        scratch.depth_max_pool_backward,
    ):
        with pytest.raises(ValueError, match="grad has shape"):
            backward(np.ones((1, 3, 3, 2)), IMAGE)


@pytest.mark.parametrize(("given_type", "result"), [("uint8", "float32"), ("float64", "float64")])
def test_number_formats(given_type, result):
    x = IMAGE.astype(given_type)
    for pool in ("max_pool2d", "avg_pool2d", "global_avg_pool", "depth_max_pool"):
        y = getattr(scratch, pool)(x)
        assert y.dtype == result
        assert getattr(scratch, f"{pool}_backward")(y, x).dtype == result
