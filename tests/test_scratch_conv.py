"""scratch/conv.py and correlate.py against TensorFlow, Keras, SciPy and finite differences."""

import tracemalloc

import keras
import numpy as np
import pytest
import scipy.signal
import tensorflow as tf
from cnncourse import scratch
from cnncourse.scratch.windows import output_size, same_padding
from finite_differences import gradient
from hypothesis import assume, given, settings
from hypothesis import strategies as st

TOLERANCE = {np.dtype("float32"): 1e-4, np.dtype("float64"): 1e-10}
few = settings(max_examples=40, deadline=None)
more = settings(max_examples=60, deadline=None)
paddings = st.sampled_from(["valid", "same", "VALID", "Same"])


def pairs(largest):
    return st.tuples(st.integers(1, largest), st.integers(1, largest))


@st.composite
def conv_cases(draw, largest=8, channels=3, dtypes=("float32", "float64")):
    """Draw (x, w, b) and the options; in about a third of the cases kernel and image are equal."""
    kernel, dilation, padding = draw(pairs(4)), draw(pairs(3)), draw(paddings)
    spans = [(k - 1) * d + 1 for k, d in zip(kernel, dilation, strict=True)]
    smallest = spans if padding.lower() == "valid" else (1, 1)
    size = tuple(
        draw(st.one_of(st.just(span), st.just(low), st.integers(low, max(low, largest))))
        for span, low in zip(spans, smallest, strict=True)
    )
    n, c, maps = draw(st.integers(1, 2)), draw(st.integers(1, channels)), draw(st.integers(1, 3))
    rng = np.random.default_rng(draw(st.integers(0, 2**16)))
    shapes = [(n, *size, c), (*kernel, c, maps), (maps,)]
    dtype = draw(st.sampled_from(dtypes))
    arrays = [rng.normal(size=shape).astype(dtype) for shape in shapes]
    return *arrays, {"strides": draw(pairs(3)), "padding": padding, "dilation": dilation}


def with_holes(w, dilation):
    """Spread the kernel's taps: tap u goes to row u · d_h, tap v to column v · d_w."""
    rows, columns = (
        np.eye((k - 1) * d + 1)[::d] for k, d in zip(w.shape[:2], dilation, strict=True)
    )
    return tf.einsum("uvck,uy,vx->yxck", w, rows, columns)


def reference(x, w, b, strides, padding, dilation):
    """TensorFlow in float64, on explicitly spread kernels, rounded to the type of x.

    It refuses strides with a dilation; and its float32 kernel is sometimes wrong by 30 orders of
    magnitude (TensorFlow 2.21: strides (1, 2), one input channel, one output column).
    """
    double_x, double_w, double_b = (tf.cast(a, tf.float64) for a in (x, w, b))
    spread = with_holes(double_w, dilation)
    return tf.cast(tf.nn.conv2d(double_x, spread, strides, padding.upper()) + double_b, x.dtype)


def assert_equals(ours, theirs, tolerance=None):
    theirs = np.asarray(theirs)
    assert ours.shape == theirs.shape
    assert ours.dtype == theirs.dtype
    tolerance = tolerance or TOLERANCE[ours.dtype]
    np.testing.assert_allclose(ours, theirs, rtol=tolerance, atol=tolerance)


@more
@given(conv_cases())
def test_conv2d_equals_tensorflow(case):
    *arrays, options = case
    assert_equals(scratch.conv2d(*arrays, **options), reference(*arrays, **options))


@few
@given(conv_cases(dtypes=["float32"]), st.booleans())
def test_conv2d_equals_a_keras_layer(case, strided):
    x, w, b, options = case
    options["dilation" if strided else "strides"] = 1  # Keras wants one of them to be 1
    assume(not strided or x.shape[3] > 1)  # see `reference`
    layer = keras.layers.Conv2D(
        w.shape[3],
        w.shape[:2],
        strides=options["strides"],
        padding=options["padding"],
        dilation_rate=options["dilation"],
    )
    layer.build(x.shape)
    layer.set_weights([w, b])
    assert_equals(scratch.conv2d(x, w, b, **options), layer(x))


@few
@given(conv_cases(largest=6))
def test_the_loops_equal_the_fast_version(case):
    *arrays, options = case
    assert_equals(scratch.conv2d_loops(*arrays, **options), scratch.conv2d(*arrays, **options))


@few
@given(conv_cases())
def test_conv2d_backward_equals_gradient_tape(case):
    x, w, b, options = case
    tensors = [tf.constant(a) for a in (x, w, b)]
    with tf.GradientTape() as tape:
        tape.watch(tensors)
        z = reference(*tensors, **options)
        grad = tf.constant(np.random.default_rng(1).normal(size=z.shape).astype(x.dtype))
        loss = tf.reduce_sum(z * grad)
    ours = scratch.conv2d_backward(grad, x, w, **options)
    for gradient_here, gradient_there in zip(ours, tape.gradient(loss, tensors), strict=True):
        assert_equals(gradient_here, gradient_there)


@settings(max_examples=15, deadline=None)
@given(conv_cases(largest=4, channels=2, dtypes=["float64"]))
def test_conv2d_backward_equals_finite_differences(case):
    x, w, b, options = case
    grad = np.random.default_rng(1).normal(size=scratch.conv2d(x, w, b, **options).shape)
    dx, dw, db = scratch.conv2d_backward(grad, x, w, **options)

    def loss(x, w, b):
        return np.sum(grad * scratch.conv2d(x, w, b, **options))

    assert_equals(dx, gradient(lambda x: loss(x, w, b), x), 1e-7)
    assert_equals(dw, gradient(lambda w: loss(x, w, b), w), 1e-7)
    assert_equals(db, gradient(lambda b: loss(x, w, b), b), 1e-7)


@few
@given(conv_cases(), st.booleans())
def test_conv1d_equals_keras(case, strided):
    x, w, b, options = case
    x, w = x[:, 0], w[0]  # one row of an image is a signal
    strides, dilation = options["strides"][1], options["dilation"][1]
    strides, dilation = (strides, 1) if strided else (1, dilation)
    z = keras.ops.conv(x, w, strides, options["padding"].lower(), dilation_rate=dilation) + b
    assert_equals(scratch.conv1d(x, w, b, strides, options["padding"], dilation), z)


def test_conv1d_backward_equals_finite_differences():
    rng = np.random.default_rng(0)
    x, w, b = rng.normal(size=(2, 9, 2)), rng.normal(size=(4, 2, 3)), rng.normal(size=3)
    grad = rng.normal(size=(2, 5, 3))

    def loss(x, w, b):
        return np.sum(grad * scratch.conv1d(x, w, b, strides=2, padding="same", dilation=2))

    dx, dw, db = scratch.conv1d_backward(grad, x, w, strides=2, padding="same", dilation=2)
    assert_equals(dx, gradient(lambda x: loss(x, w, b), x), 1e-7)
    assert_equals(dw, gradient(lambda w: loss(x, w, b), w), 1e-7)
    assert_equals(db, gradient(lambda b: loss(x, w, b), b), 1e-7)


@pytest.mark.parametrize(
    ("options", "shape"),
    [
        ({}, (2, 64, 114, 32)),
        ({"padding": "same"}, (2, 70, 120, 32)),
        ({"padding": "same", "strides": 2}, (2, 35, 60, 32)),
        ({"strides": 2}, (2, 32, 57, 32)),
    ],
)
def test_the_sizes_of_the_chapter(options, shape):
    z = scratch.conv2d(np.ones((2, 70, 120, 3)), np.ones((7, 7, 3, 32)), **options)
    assert z.shape == shape


@pytest.mark.parametrize("rows", [1, 2, 3, 1000])
def test_chunks_do_not_change_the_result(monkeypatch, rows):
    rng = np.random.default_rng(0)
    x, w = rng.normal(size=(2, 11, 9, 2)), rng.normal(size=(3, 3, 2, 4))
    whole = scratch.conv2d(x, w)
    monkeypatch.setattr("cnncourse.scratch.conv.CHUNK_BYTES", rows * 7 * 18 * 8)
    np.testing.assert_allclose(scratch.conv2d(x, w), whole, rtol=1e-12)


def test_conv2d_needs_little_extra_memory():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(8, 64, 64, 32)).astype("float32")
    w = rng.normal(size=(3, 3, 32, 64)).astype("float32")
    tracemalloc.start()
    z = scratch.conv2d(x, w, padding="same")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak - z.nbytes <= 2 * z.nbytes


def test_number_formats():
    x, w = np.ones((1, 4, 4, 1)), np.ones((2, 2, 1, 1))
    small = scratch.conv2d(x.astype("float32"), w.astype("float32"))
    assert small.dtype == "float32"
    assert scratch.conv2d(x, w).dtype == "float64"
    assert scratch.conv2d(x.astype("float32"), w).dtype == "float64"
    assert scratch.conv2d(x.astype("uint8"), w.astype("int64")).dtype == "float32"
    assert [g.dtype for g in scratch.conv2d_backward(small, x, w)] == ["float64"] * 3


def test_the_inputs_are_left_alone():
    rng = np.random.default_rng(0)
    arrays = [rng.normal(size=s) for s in [(1, 5, 5, 2), (3, 3, 2, 2), (2,)]]
    for array in arrays:
        array.setflags(write=False)
    z = scratch.conv2d(*arrays, padding="same")
    dx, _, _ = scratch.conv2d_backward(np.ones_like(z), *arrays[:2], padding="same")
    assert dx.shape == (1, 5, 5, 2)


def test_nan_and_infinity_reach_exactly_the_windows_that_see_them():
    x = np.ones((1, 6, 6, 1), "float32")
    x[0, 0, 0, 0], x[0, 5, 5, 0] = np.nan, np.inf
    z = scratch.conv2d(x, np.ones((3, 3, 1, 1), "float32"))[0, :, :, 0]
    assert np.argwhere(np.isnan(z)).tolist() == [[0, 0]]
    assert np.argwhere(np.isinf(z)).tolist() == [[3, 3]]


IMAGE, KERNEL = np.ones((1, 5, 5, 2)), np.ones((3, 3, 2, 4))


@pytest.mark.parametrize("function", [scratch.conv2d, scratch.conv2d_loops])
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"x": IMAGE[0]}, r"x has shape \(5, 5, 2\); accepted: \(n, h, w, c\)"),
        ({"x": IMAGE[:, :0]}, r"x has shape \(1, 0, 5, 2\); .* none of them 0"),
        ({"x": "photo.jpg"}, "x holds <U9; accepted: integers or floats"),
        ({"x": None}, "x holds object"),
        ({"x": IMAGE > 0}, "x holds bool"),
        ({"x": IMAGE * 1j}, "x holds complex128"),
        ({"x": [[1, 2], [3]]}, "x is not an array"),
        ({"x": IMAGE[..., :1]}, "x has 1 channels .* but w expects 2"),
        ({"w": KERNEL[0]}, r"w has shape \(3, 2, 4\); accepted: \(k_h, k_w, c, maps\)"),
        ({"b": np.ones(3)}, r"b has shape \(3,\); accepted here: \(4,\)"),
        ({"b": 1.0}, r"b has shape \(\); accepted: \(maps,\)"),
        ({"strides": -1}, "strides is -1; accepted: a positive integer or a pair of them"),
        ({"strides": 0}, "strides is 0"),
        ({"strides": (1, 2, 3)}, r"strides is \(1, 2, 3\)"),
        ({"strides": 1.5}, "strides is 1.5"),
        ({"strides": True}, "strides is True"),
        ({"strides": "2"}, "strides is '2'"),
        ({"dilation": (2, 0)}, r"dilation is \(2, 0\)"),
        ({"padding": "full"}, "padding is 'full'; accepted: 'valid' or 'same'"),
        ({"padding": 1}, "padding is 1"),
        ({"dilation": 3}, "the window covers 7 pixels but size is 5"),
        ({"w": np.ones((6, 3, 2, 4))}, "the window covers 6 pixels but size is 5"),
    ],
)
def test_conv2d_explains_what_is_wrong(function, arguments, message):
    with pytest.raises(ValueError, match=message):
        function(**{"x": IMAGE, "w": KERNEL, **arguments})


def test_backward_passes_check_the_shape_of_grad():
    with pytest.raises(ValueError, match=r"grad has shape \(1, 5, 5, 4\); .* \(1, 3, 3, 4\)"):
        scratch.conv2d_backward(np.ones((1, 5, 5, 4)), IMAGE, KERNEL)
    with pytest.raises(ValueError, match="grad has shape"):
        scratch.conv1d_backward(np.ones((1, 5, 4)), IMAGE[0], KERNEL[0])
    with pytest.raises(ValueError, match="strides is"):
        scratch.conv1d(IMAGE[0], KERNEL[0], strides=(1, 1))


@st.composite
def signals(draw, dims):
    """Draw a signal or an image, and a kernel that fits."""
    kernel = [draw(st.integers(1, 4)) for _ in range(dims)]
    size = [draw(st.integers(k, 7)) for k in kernel]
    rng = np.random.default_rng(draw(st.integers(0, 2**16)))
    dtype = draw(st.sampled_from(["float32", "float64"]))
    return rng.normal(size=size).astype(dtype), rng.normal(size=kernel).astype(dtype)


@few
@given(st.one_of(signals(1), signals(2)))
def test_convolution_and_cross_correlation_equal_scipy(case):
    x, k = case
    assert_equals(scratch.convolve(x, k), scipy.signal.convolve(x, k, "valid", "direct"))
    assert_equals(scratch.cross_correlate(x, k), scipy.signal.correlate(x, k, "valid", "direct"))


@pytest.mark.parametrize("name", ["convolve", "cross_correlate"])
@pytest.mark.parametrize("shapes", [((7,), (3,)), ((5, 6), (3, 2)), ((3, 3), (3, 3))])
def test_their_backward_passes_equal_finite_differences(name, shapes):
    rng = np.random.default_rng(0)
    forward, backward = getattr(scratch, name), getattr(scratch, f"{name}_backward")
    x, k = (rng.normal(size=shape) for shape in shapes)
    grad = rng.normal(size=forward(x, k).shape)
    dx, dk = backward(grad, x, k)
    assert_equals(dx, gradient(lambda x: np.sum(grad * forward(x, k)), x), 1e-7)
    assert_equals(dk, gradient(lambda k: np.sum(grad * forward(x, k)), k), 1e-7)


def test_the_signal_of_the_chapter():
    x, k = [1, 2, 3, 4, 5, 6], [1, 0, -1]
    assert scratch.cross_correlate(x, k).tolist() == [-2] * 4
    assert scratch.convolve(x, k).tolist() == [2] * 4 == np.convolve(x, k, "valid").tolist()


def test_correlation_explains_what_is_wrong():
    with pytest.raises(ValueError, match=r"k has shape \(3,\); accepted: nowhere larger"):
        scratch.convolve([1, 2], [1, 2, 3])
    with pytest.raises(ValueError, match=r"k has shape \(2,\); accepted: \(h, w\)"):
        scratch.cross_correlate(np.ones((3, 3)), [1, 2])
    with pytest.raises(ValueError, match="grad has shape"):
        scratch.cross_correlate_backward([1, 2, 3], [1, 2, 3], [1, 2])


@few
@given(conv_cases())
def test_a_dilated_layer_is_an_ordinary_one_with_a_dilated_kernel(case):
    x, w, b, options = case
    spread = scratch.dilate(w, options["dilation"])
    np.testing.assert_array_equal(spread, with_holes(w.astype("float64"), options["dilation"]))
    plain = {**options, "dilation": 1}
    assert_equals(scratch.conv2d(x, w, b, **options), scratch.conv2d(x, spread, b, **plain))


@pytest.mark.parametrize("shape", [(3,), (3, 2), (3, 2, 2), (3, 2, 2, 1)])
def test_dilate_keeps_channels_together_and_has_a_gradient(shape):
    rng = np.random.default_rng(0)
    kernel = rng.normal(size=shape)
    spread = scratch.dilate(kernel, 2)
    spatial = 1 if len(shape) % 2 else 2
    assert spread.shape == (*(2 * k - 1 for k in shape[:spatial]), *shape[spatial:])
    grad = rng.normal(size=spread.shape)
    measured = gradient(lambda k: np.sum(grad * scratch.dilate(k, 2)), kernel)
    assert_equals(scratch.dilate_backward(grad, 2), measured, 1e-7)


def test_dilate_explains_what_is_wrong():
    with pytest.raises(ValueError, match="dilation is 0"):
        scratch.dilate([1, 2], 0)
    with pytest.raises(ValueError, match="dilation is"):
        scratch.dilate([1, 2], (2, 2))
    with pytest.raises(ValueError, match=r"kernel has shape \(\); accepted: \(k,\) or"):
        scratch.dilate(3, 2)
    with pytest.raises(ValueError, match="kernel is not an array"):
        scratch.dilate([[1, 2], [3]], 2)


@settings(max_examples=100, deadline=None)
@given(st.integers(1, 20), st.integers(1, 6), st.integers(1, 5), st.integers(1, 3), paddings)
def test_sizes_equal_tensorflow(size, kernel, stride, dilation, padding):
    span = (kernel - 1) * dilation + 1
    if padding.lower() == "valid" and span > size:
        with pytest.raises(ValueError, match=f"covers {span} pixels but size is {size}"):
            output_size(size, kernel, stride, padding, dilation)
        return
    x, w = np.ones((1, size, 1), "float32"), np.ones((span, 1, 1), "float32")
    z = tf.nn.conv1d(x, w, stride, padding.upper())
    assert output_size(size, kernel, stride, padding, dilation) == z.shape[1]
    if padding.lower() == "same":
        before, after = same_padding(size, kernel, stride, dilation)
        explicit = tf.nn.conv1d(np.pad(x, ((0, 0), (before, after), (0, 0))), w, stride, "VALID")
        np.testing.assert_array_equal(explicit, z)
