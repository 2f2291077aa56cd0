"""`scratch.SmallCNN` against its twin in Keras, the one that chapter 05 builds, on real digits."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from cnncourse import scratch
from sklearn.datasets import load_digits
from test_chapter_05 import CHAPTER, defined


@pytest.fixture
def pair():
    """The network and its Keras twin in float64, with the same weights, no bias 0."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("float64")
    try:
        twin = defined(CHAPTER, "keras_twin")()
    finally:
        keras.config.set_dtype_policy(before)
    random, net = np.random.default_rng(0), scratch.SmallCNN(seed=0)
    net.weights = [w + random.normal(0, 0.05, w.shape) for w in net.weights]
    twin.set_weights(net.weights)
    return net, twin


@pytest.fixture(scope="module")
def digits():
    """Real handwritten digits, 8 × 8: the pixels from 0 to 1, (1797, 8, 8, 1), and the labels."""
    images, labels = load_digits(return_X_y=True)
    return images.reshape(-1, 8, 8, 1) / 16, labels


def numpy_gradients(net, x, labels):
    scores, kept = net.forward(x)
    loss, grad = scratch.softmax_cross_entropy(scores, labels)
    return loss, net.backward(grad, kept)


def keras_gradients(x, labels, network):
    with tf.GradientTape() as tape:
        logits = network(x, training=True)
        losses = keras.ops.sparse_categorical_crossentropy(labels, logits, from_logits=True)
        loss = tf.reduce_mean(losses)
    return loss, tape.gradient(loss, [w.value for w in network.trainable_weights])


def assert_equal_weights(net, twin):
    for ours, reference in zip(net.weights, twin.get_weights(), strict=True):
        assert ours.dtype == reference.dtype == "float64"
        np.testing.assert_allclose(ours, reference, rtol=0, atol=1e-8)


def test_every_gradient_of_a_network_equals_keras_and_so_do_the_trained_weights(pair, digits):
    net, twin = pair
    x, labels = digits[0][:64], digits[1][:64]
    optimizer = keras.optimizers.SGD(learning_rate=0.125)  # exact in float32 as well
    for _ in range(3):
        loss, gradients = numpy_gradients(net, x, labels)
        keras_loss, theirs = keras_gradients(tf.constant(x), labels, twin)
        np.testing.assert_allclose(loss, keras_loss, rtol=1e-10)
        for ours, reference in zip(gradients, theirs, strict=True):
            assert np.abs(reference).max() > 1e-4  # a gradient of zeros would prove nothing
            assert ours.shape == reference.shape
            np.testing.assert_allclose(ours, reference, rtol=0, atol=1e-8)
        assert net.step(x, labels, rate=0.125) == loss
        optimizer.apply(theirs, twin.trainable_weights)
        assert_equal_weights(net, twin)


def test_training_in_numpy_reaches_the_accuracy_of_keras(pair, digits):
    """The same 1,437 digits in the same batches for 20 epochs, then 360 others as the test."""
    net, twin = pair
    rng = np.random.default_rng(0)
    shuffled = rng.permutation(1797)
    x, labels = (array[shuffled] for array in digits)
    orders = [rng.permutation(1437) for _ in range(20)]
    batches = [order[i : i + 32] for order in orders for i in range(0, 1437, 32)]
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True, dtype="float64")
    twin.compile(keras.optimizers.SGD(0.25), loss)
    for batch in batches:
        net.step(x[batch], labels[batch], rate=0.25)
        twin.train_on_batch(x[batch], labels[batch])
    assert_equal_weights(net, twin)
    answers = net.forward(x[1437:])[0].argmax(axis=1)
    np.testing.assert_array_equal(answers, twin(x[1437:]).numpy().argmax(axis=1))
    assert np.mean(answers == labels[1437:]) >= 0.97


def test_the_slope_of_the_loss_is_the_gradient(pair, digits):
    """Without Keras: move one number of each weight a little, and see how the loss changes."""
    net, _ = pair
    x, labels = digits[0][:5], digits[1][:5]
    _, gradients = numpy_gradients(net, x, labels)
    for weight, gradient in zip(net.weights, gradients, strict=True):
        place = np.unravel_index(np.abs(gradient).argmax(), gradient.shape)
        around = []
        for move in (1e-6, -2e-6):
            weight[place] += move
            around.append(numpy_gradients(net, x, labels)[0])
        weight[place] += 1e-6
        assert gradient[place] == pytest.approx((around[0] - around[1]) / 2e-6, rel=1e-4)


def test_initial_weights_are_seeded_float32_and_keep_the_scale():
    net = scratch.SmallCNN(seed=3)
    assert [w.dtype for w in net.weights] == ["float32"] * 6
    for ours, same in zip(net.weights, scratch.SmallCNN(seed=3).weights, strict=True):
        np.testing.assert_array_equal(ours, same)
    assert not np.array_equal(net.weights[0], scratch.SmallCNN(seed=4).weights[0])
    for kernel, inputs in zip(net.weights[::2], (9, 72, 64), strict=True):
        assert kernel.std() == pytest.approx(np.sqrt(2 / inputs), rel=0.25)
    net.step(np.ones((2, 8, 8, 1), "float32"), np.array([1, 2]), rate=0.1)
    assert [w.dtype for w in net.weights] == ["float32"] * 6  # still


@pytest.mark.parametrize(
    ("x", "labels", "rate", "message"),
    [
        (np.ones((2, 8, 8, 3)), [0, 1], 0.1, r"x has shape \(2, 8, 8, 3\); accepted"),
        (np.ones((2, 9, 9, 1)), [0, 1], 0.1, r"x has shape \(2, 9, 9, 1\); accepted"),
        (np.ones((8, 8, 1)), [0, 1], 0.1, r"x has shape \(8, 8, 1\); accepted: \(n, 8, 8, 1\)"),
        (np.ones((2, 8, 8, 1)), [0, 10], 0.1, "accepted: 0 to 9"),
        (np.ones((2, 8, 8, 1)), [0, 1], 0, "rate is 0; accepted: a number above 0"),
    ],
)
def test_bad_input_is_refused(x, labels, rate, message):
    with pytest.raises(ValueError, match=message):
        scratch.SmallCNN().step(x, np.array(labels), rate)
