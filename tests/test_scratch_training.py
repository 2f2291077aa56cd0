"""scratch's dense, ReLU, batch norm, dropout and softmax against Keras, TensorFlow and slopes."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from cnncourse import scratch
from finite_differences import gradient
from hypothesis import given, settings
from hypothesis import strategies as st

TOLERANCE = {np.dtype("float32"): 1e-4, np.dtype("float64"): 1e-10}
few = settings(max_examples=25, deadline=None)
dtypes = st.sampled_from(["float32", "float64"])
sizes = st.integers(1, 7)
seeds = st.integers(0, 2**16)
vectors_or_maps = st.one_of(st.tuples(sizes, sizes), st.tuples(sizes, sizes, sizes, sizes))


def normal(seed, dtype, *shapes):
    """Return normally distributed arrays, off centre, so that no mean is 0 by chance."""
    rng = np.random.default_rng(seed)
    return [rng.normal(0.3, 1.5, size=shape).astype(dtype) for shape in shapes]


def assert_equals(ours, theirs, tolerance=None):
    theirs = np.asarray(theirs)
    assert ours.shape == theirs.shape
    assert ours.dtype == theirs.dtype
    tolerance = tolerance or TOLERANCE[ours.dtype]
    np.testing.assert_allclose(ours, theirs, rtol=tolerance, atol=tolerance)


def tape_gradients(function, grad, *arrays):
    """Return TensorFlow's gradients of Σ grad · function(arrays)."""
    tensors = [tf.constant(a) for a in arrays]
    with tf.GradientTape() as tape:
        tape.watch(tensors)
        loss = tf.reduce_sum(function(*tensors) * grad)
    return tape.gradient(loss, tensors)


def assert_slopes(ours, function, grad, *arrays):
    """Compare gradients with finite differences of Σ grad · function(arrays)."""
    for place, (one, array) in enumerate(zip(ours, arrays, strict=True)):

        def loss(value, place=place):
            changed = [value if i == place else a for i, a in enumerate(arrays)]
            return np.sum(grad * function(*changed))

        assert_equals(one, gradient(loss, array), 1e-6)


# Dense and ReLU


@few
@given(sizes, sizes, sizes, dtypes, seeds, st.booleans())
def test_dense_equals_a_keras_layer_and_its_gradients(n, inputs, units, dtype, seed, bias):
    x, w, b, grad = normal(seed, dtype, (n, inputs), (inputs, units), (units,), (n, units))
    layer = keras.layers.Dense(units, use_bias=bias, dtype=dtype)
    layer.build(x.shape)
    layer.set_weights([w, b] if bias else [w])
    assert_equals(scratch.dense(x, w, b if bias else None), layer(x))
    theirs = tape_gradients(lambda x, w, b: tf.matmul(x, w) + b, grad, x, w, b)
    for ours, reference in zip(scratch.dense_backward(grad, x, w), theirs, strict=True):
        assert_equals(ours, reference)


def test_dense_backward_equals_finite_differences():
    x, w, b, grad = normal(0, "float64", (3, 4), (4, 2), (2,), (3, 2))
    assert_slopes(scratch.dense_backward(grad, x, w), scratch.dense, grad, x, w, b)


@few
@given(st.lists(sizes, min_size=1, max_size=4), dtypes, seeds)
def test_relu_equals_tensorflow_also_at_zero(shape, dtype, seed):
    x, grad = normal(seed, dtype, shape, shape)
    x = np.round(x)  # many exact zeros
    assert_equals(scratch.relu(x), tf.nn.relu(x))
    assert_equals(scratch.relu_backward(grad, x), tape_gradients(tf.nn.relu, grad, x)[0])


def test_relu_backward_equals_finite_differences_and_relu_keeps_nan():
    x, grad = normal(0, "float64", (3, 4), (3, 4))
    assert_slopes([scratch.relu_backward(grad, x)], scratch.relu, grad, x)
    np.testing.assert_array_equal(scratch.relu([np.nan, -np.inf]), [np.nan, 0])


# Batch normalisation


def tf_batch_norm(x, gamma, beta):
    mean, variance = tf.nn.moments(x, list(range(len(x.shape) - 1)))
    return tf.nn.batch_normalization(x, mean, variance, beta, gamma, 1e-3)


@few
@given(vectors_or_maps, dtypes, seeds)
def test_batch_norm_equals_a_keras_layer_in_training_and_at_inference(shape, dtype, seed):
    x, gamma, beta = normal(seed, dtype, shape, shape[-1:], shape[-1:])
    layer = keras.layers.BatchNormalization(dtype=dtype)
    layer.build(x.shape)
    old_mean, old_variance = np.zeros_like(gamma), np.ones_like(gamma)
    layer.set_weights([gamma, beta, old_mean, old_variance])
    y, mean, variance = scratch.batch_norm(x, gamma, beta)
    assert_equals(y, layer(x, training=True))
    moving_mean = scratch.update_moving(old_mean, mean)
    moving_variance = scratch.update_moving(old_variance, variance)
    assert_equals(moving_mean, layer.moving_mean)
    assert_equals(moving_variance, layer.moving_variance)
    assert_equals(
        scratch.batch_norm_inference(x, gamma, beta, moving_mean, moving_variance),
        layer(x, training=False),
    )


@few
@given(vectors_or_maps, dtypes, seeds)
def test_batch_norm_backward_equals_gradient_tape(shape, dtype, seed):
    arrays = normal(seed, dtype, shape, shape, shape[-1:], shape[-1:])
    grad, x, gamma, _ = arrays
    exact = tape_gradients(tf_batch_norm, *(a.astype("float64") for a in arrays))
    for ours, theirs in zip(scratch.batch_norm_backward(grad, x, gamma), exact, strict=True):
        assert ours.dtype == dtype
        assert_equals(ours.astype("float64"), theirs, TOLERANCE[np.dtype(dtype)])


@pytest.mark.parametrize("shape", [(5, 3), (2, 3, 2, 3)])
def test_batch_norm_backward_equals_finite_differences(shape):
    x, gamma, beta, grad = normal(0, "float64", shape, shape[-1:], shape[-1:], shape)
    training = scratch.batch_norm_backward(grad, x, gamma, 0.01)
    assert_slopes(
        training, lambda *a: scratch.batch_norm(*a, epsilon=0.01)[0], grad, x, gamma, beta
    )
    mean, variance = np.array([0.1, -2, 3]), np.array([0.5, 0, 4])
    inference = scratch.batch_norm_inference_backward(grad, x, gamma, mean, variance, 0.01)
    assert_slopes(
        inference,
        lambda *a: scratch.batch_norm_inference(*a, mean, variance, 0.01),
        grad,
        *(x, gamma, beta),
    )


def test_batch_norm_of_one_to_four():
    y, mean, variance = scratch.batch_norm(np.array([[1.0], [2], [3], [4]]), [1], [0])
    assert y[:, 0].round(4).tolist() == [-1.3411, -0.4470, 0.4470, 1.3411]
    np.testing.assert_allclose(scratch.update_moving([0.0], mean), [0.025], rtol=1e-12)
    np.testing.assert_allclose(scratch.update_moving([1.0], variance), [1.0025], rtol=1e-12)


def test_a_feature_without_spread_becomes_its_shift():
    y, mean, variance = scratch.batch_norm(np.full((4, 2), 7.0), [1, 3], [0.5, -2])
    assert y.tolist() == [[0.5, -2]] * 4
    assert mean.tolist() == [7, 7]
    assert variance.tolist() == [0, 0]


def test_statistics_of_a_large_batch_do_not_drift():
    x = np.full((100, 200, 200, 1), 0.1, "float32")
    assert scratch.batch_norm(x, [1], [0])[1] == np.float32(0.1)


# Dropout


def test_inverted_dropout_holds_zeros_and_survivors_divided_by_p():
    y, mask = scratch.dropout(np.ones((50, 40)), 0.3, np.random.default_rng(0))
    assert np.unique(y).tolist() == [0, 1 / 0.7]
    np.testing.assert_array_equal(y, mask)
    y, mask = scratch.dropout_classic(np.ones((50, 40)), 0.3, np.random.default_rng(0))
    assert np.unique(y).tolist() == [0, 1]
    np.testing.assert_array_equal(y, mask)


@few
@given(st.lists(sizes, min_size=1, max_size=4), dtypes, st.floats(0, 0.95), seeds)
def test_dropout_in_both_ways(shape, dtype, rate, seed):
    x, grad = normal(seed, dtype, shape, shape)
    inverted, scaled = scratch.dropout(x, rate, np.random.default_rng(seed))
    classic, mask = scratch.dropout_classic(x, rate, np.random.default_rng(seed))
    np.testing.assert_array_equal(classic, np.where(mask == 1, x, 0))
    assert_equals(inverted, (classic / (1 - rate)).astype(dtype))  # the same units survive
    assert_equals(scratch.dropout_backward(grad, mask), grad * (mask == 1))
    assert_equals(scratch.dropout_backward(grad, scaled), grad * (mask == 1) / (1 - rate))
    assert_equals(scratch.dropout_classic_inference(x, rate), (x * (1 - rate)).astype(dtype))


@pytest.mark.parametrize("rate", [0, 0.3, 0.8])
def test_training_expects_what_prediction_gives(rate):
    """A mean of 10⁶ draws of deviation s is off by 5 s / 1000 once in two million seeds."""
    x = np.ones(1_000_000)
    deviation = np.sqrt(rate * (1 - rate)) / 1000  # of the mean of the 0/1 mask
    classic, _ = scratch.dropout_classic(x, rate, np.random.default_rng(0))
    inverted, _ = scratch.dropout(x, rate, np.random.default_rng(1))
    predicted = scratch.dropout_classic_inference(1.0, rate)
    assert abs(classic.mean() - predicted) <= 5 * deviation + 1e-12
    assert abs(inverted.mean() - 1) <= 5 * deviation / (1 - rate) + 1e-12


def test_dropout_backward_equals_finite_differences():
    x, grad = normal(0, "float64", (4, 5), (4, 5))
    for function in (scratch.dropout, scratch.dropout_classic):
        _, mask = function(x, 0.4, np.random.default_rng(3))
        assert_slopes(
            [scratch.dropout_backward(grad, mask)],
            lambda x, function=function: function(x, 0.4, np.random.default_rng(3))[0],
            *(grad, x),
        )


# Softmax and cross-entropy


@few
@given(sizes, st.integers(2, 7), dtypes, st.sampled_from([1, 30, 1e4]), seeds)
def test_softmax_and_cross_entropy_equal_keras(n, classes, dtype, scale, seed):
    logits, grad = normal(seed, dtype, (n, classes), (n, classes))
    logits = logits * np.asarray(scale, dtype)
    labels = np.random.default_rng(seed).integers(classes, size=n)
    assert_equals(scratch.softmax(logits), keras.ops.softmax(tf.constant(logits)))
    theirs = tape_gradients(tf.nn.softmax, grad, logits)[0]
    assert_equals(scratch.softmax_backward(grad, logits), theirs)

    tensor = tf.constant(logits)
    with tf.GradientTape() as tape:
        tape.watch(tensor)
        losses = keras.ops.sparse_categorical_crossentropy(labels, tensor, from_logits=True)
        loss = tf.reduce_mean(losses)
    ours, slope = scratch.softmax_cross_entropy(logits, labels)
    assert_equals(ours, loss)
    assert_equals(slope, tape.gradient(loss, tensor))


def test_softmax_gradients_equal_finite_differences():
    logits, grad = normal(0, "float64", (3, 4), (3, 4))
    assert_slopes([scratch.softmax_backward(grad, logits)], scratch.softmax, grad, logits)
    labels = [0, 3, 1]
    _, slope = scratch.softmax_cross_entropy(logits, labels)
    measured = gradient(lambda z: scratch.softmax_cross_entropy(z, labels)[0], logits)
    assert_equals(slope, measured, 1e-8)


def test_softmax_of_the_worked_example():
    assert scratch.softmax([2.0, 1.0, 0.1]).round(4).tolist() == [0.6590, 0.2424, 0.0986]
    assert scratch.softmax_cross_entropy([[2.0, 1.0, 0.1]], [0])[0].round(4) == 0.4170


@pytest.mark.parametrize("classes", [5, 10, 1000])
def test_an_untrained_net_has_a_loss_of_ln_k(classes):
    loss, _ = scratch.softmax_cross_entropy(np.zeros((3, classes)), [0, 1, classes - 1])
    np.testing.assert_allclose(loss, np.log(classes), rtol=1e-12)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.filterwarnings("error")
def test_scores_of_ten_thousand_overflow_nothing(dtype):
    logits = np.array([[1e4, -1e4, 0], [-1e4, -1e4, -1e4]], dtype)
    np.testing.assert_allclose(scratch.softmax(logits), [[1, 0, 0], [1 / 3] * 3], rtol=1e-6)
    loss, grad = scratch.softmax_cross_entropy(logits, [1, 2])
    np.testing.assert_allclose(loss, (2e4 + np.log(3)) / 2, rtol=1e-6)
    np.testing.assert_allclose(grad * 2, [[1, -1, 0], [1 / 3, 1 / 3, -2 / 3]], rtol=1e-6)


# What is wrong


ONES = np.ones((2, 3))
RNG = np.random.default_rng(0)


@pytest.mark.parametrize(
    ("name", "arguments", "message"),
    [
        ("dense", (ONES[0], ONES.T), r"x has shape \(3,\); accepted: \(n, inputs\)"),
        ("dense", (ONES, ONES), "x has 3 inputs .* but w expects 2"),
        ("dense", (ONES, ONES.T, ONES[0]), r"b has shape \(3,\); accepted here: \(2,\)"),
        ("dense_backward", (ONES, ONES, ONES.T), "grad has shape"),
        ("relu", (ONES > 0,), "x holds bool"),
        ("relu", ([],), r"x has shape \(0,\); accepted: any axes, none of them 0"),
        ("relu_backward", (ONES.T, ONES), "grad has shape"),
        ("batch_norm", (ONES[0], ONES[0], ONES[0]), r"accepted: \(n, c\) or \(n, h, w, c\)"),
        ("batch_norm", (ONES, ONES[0, :2], ONES[0]), r"gamma has shape \(2,\)"),
        ("batch_norm", (ONES, ONES[0], 0), r"beta has shape \(\)"),
        ("batch_norm", (ONES, ONES[0], ONES[0], 0), "epsilon is 0; accepted: a positive number"),
        ("batch_norm", (ONES, ONES[0], ONES[0], "1e-3"), "epsilon is '1e-3'"),
        ("batch_norm", (ONES, ONES[0], ONES[0], True), "epsilon is True"),
        ("batch_norm_inference", (ONES, *[ONES[0]] * 3, -ONES[0]), "variance is -1.0 in places"),
        ("batch_norm_backward", (ONES.T, ONES, ONES[0]), "grad has shape"),
        ("batch_norm_inference_backward", (ONES.T, ONES, *[ONES[0]] * 3), "grad has shape"),
        ("update_moving", (ONES[0], ONES[1, :2]), "batch has shape"),
        ("update_moving", (ONES[0], ONES[1], 1.5), "momentum is 1.5; accepted: .* from 0 to 1"),
        ("dropout", (ONES, 1, RNG), "rate is 1; accepted: a number from 0 to below 1"),
        ("dropout_classic", (ONES, float("nan"), RNG), "rate is nan"),
        ("dropout_classic_inference", (ONES, -0.1), "rate is -0.1"),
        ("dropout", (ONES, 0.5, 42), "rng is 42; accepted: a NumPy generator"),
        ("dropout_backward", (ONES.T, ONES), "grad has shape"),
        ("softmax", (ONES[None],), r"accepted: \(classes,\) or \(n, classes\)"),
        ("softmax_backward", (ONES.T, ONES), "grad has shape"),
        ("softmax_cross_entropy", (ONES, [0, 3]), "labels run from 0 to 3; accepted: 0 to 2"),
        ("softmax_cross_entropy", (ONES, [-1, 0]), "labels run from -1 to 0"),
        ("softmax_cross_entropy", (ONES, [0.0, 1.0]), "labels hold float64; accepted: integers"),
        ("softmax_cross_entropy", (ONES, [0]), r"labels has shape \(1,\)"),
    ],
)
def test_bad_input_is_explained(name, arguments, message):
    with pytest.raises(ValueError, match=message):
        getattr(scratch, name)(*arguments)


@pytest.mark.parametrize(("given_type", "result"), [("uint8", "float32"), ("float64", "float64")])
def test_number_formats(given_type, result):
    x, ones = np.arange(6).reshape(2, 3).astype(given_type), np.ones(3, given_type)
    results = [
        *scratch.batch_norm(x, ones, ones),
        *scratch.dropout(x, 0.5, np.random.default_rng(0)),
        scratch.dropout_classic_inference(x, 0.5),
        scratch.dense(x, x.T),
        scratch.relu(x),
        scratch.softmax(x),
        *scratch.softmax_cross_entropy(x, [0, 1]),
    ]
    assert {str(y.dtype) for y in results} == {result}
