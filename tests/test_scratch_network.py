"""A small network built from scratch's functions, against the same network in Keras, on digits."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from cnncourse import scratch
from sklearn.datasets import load_digits


def keras_network():
    """Return conv → ReLU → pool, twice, → dense, in float64, with seeded weights."""
    keras.utils.set_random_seed(0)
    layers = keras.layers
    network = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            layers.Conv2D(8, 3, padding="same", activation="relu", dtype="float64"),
            layers.MaxPooling2D(dtype="float64"),
            layers.Conv2D(16, 3, padding="same", activation="relu", dtype="float64"),
            layers.MaxPooling2D(dtype="float64"),
            layers.Flatten(dtype="float64"),
            layers.Dense(10, dtype="float64"),
        ]
    )
    for weight in network.weights:  # biases that are not 0 have gradients worth a look
        weight.assign(weight + keras.random.normal(weight.shape, stddev=0.05, dtype="float64"))
    return network


def numpy_logits(x, weights):
    """Return the same network's scores (n, 10), and what its backward pass needs."""
    w1, b1, w2, b2, w3, b3 = weights
    z1 = scratch.conv2d(x, w1, b1, padding="same")  # (n, 8, 8, 8)
    a1 = scratch.relu(z1)
    p1 = scratch.max_pool2d(a1)  # (n, 4, 4, 8)
    z2 = scratch.conv2d(p1, w2, b2, padding="same")  # (n, 4, 4, 16)
    a2 = scratch.relu(z2)
    p2 = scratch.max_pool2d(a2)  # (n, 2, 2, 16)
    flat = p2.reshape(len(p2), -1)  # (n, 64)
    return scratch.dense(flat, w3, b3), (z1, a1, p1, z2, a2, p2, flat)


def numpy_gradients(x, labels, weights):
    """Return the loss and the gradients of all six weights, last layer first computed."""
    w1, _, w2, _, w3, _ = weights
    logits, (z1, a1, p1, z2, a2, p2, flat) = numpy_logits(x, weights)
    loss, grad = scratch.softmax_cross_entropy(logits, labels)
    grad, dw3, db3 = scratch.dense_backward(grad, flat, w3)
    grad = scratch.max_pool2d_backward(grad.reshape(p2.shape), a2)
    grad = scratch.relu_backward(grad, z2)
    grad, dw2, db2 = scratch.conv2d_backward(grad, p1, w2, padding="same")
    grad = scratch.relu_backward(scratch.max_pool2d_backward(grad, a1), z1)
    _, dw1, db1 = scratch.conv2d_backward(grad, x, w1, padding="same")
    return loss, [dw1, db1, dw2, db2, dw3, db3]


def keras_gradients(x, labels, network):
    with tf.GradientTape() as tape:
        logits = network(x, training=True)
        losses = keras.ops.sparse_categorical_crossentropy(labels, logits, from_logits=True)
        loss = tf.reduce_mean(losses)
    return loss, tape.gradient(loss, [w.value for w in network.trainable_weights])


@pytest.fixture(scope="module")
def digits():
    """Real handwritten digits, 8 × 8: the pixels from 0 to 1, (1797, 8, 8, 1), and the labels."""
    images, labels = load_digits(return_X_y=True)
    return images.reshape(-1, 8, 8, 1) / 16, labels


def test_every_gradient_of_a_network_equals_keras_and_so_do_the_trained_weights(digits):
    x, labels = digits[0][:64], digits[1][:64]
    network = keras_network()
    weights = network.get_weights()
    optimizer = keras.optimizers.SGD(learning_rate=0.125)  # exact in float32 as well
    for _ in range(3):
        loss, gradients = numpy_gradients(x, labels, weights)
        keras_loss, theirs = keras_gradients(tf.constant(x), labels, network)
        np.testing.assert_allclose(loss, keras_loss, rtol=1e-10)
        for ours, reference in zip(gradients, theirs, strict=True):
            assert np.abs(reference).max() > 1e-4  # a gradient of zeros would prove nothing
            assert ours.shape == reference.shape
            np.testing.assert_allclose(ours, reference, rtol=0, atol=1e-8)
        weights = [w - 0.125 * g for w, g in zip(weights, gradients, strict=True)]
        optimizer.apply(theirs, network.trainable_weights)
        for ours, reference in zip(weights, network.get_weights(), strict=True):
            np.testing.assert_allclose(ours, reference, rtol=0, atol=1e-8)


def test_training_in_numpy_reaches_the_accuracy_of_keras(digits):
    """The same 1,437 digits in the same batches for 20 epochs, then 360 others as the test."""
    rng = np.random.default_rng(0)
    shuffled = rng.permutation(1797)
    x, labels = (array[shuffled] for array in digits)
    orders = [rng.permutation(1437) for _ in range(20)]
    batches = [order[i : i + 32] for order in orders for i in range(0, 1437, 32)]
    network = keras_network()
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True, dtype="float64")
    network.compile(keras.optimizers.SGD(0.25), loss)
    weights = network.get_weights()
    for batch in batches:
        _, gradients = numpy_gradients(x[batch], labels[batch], weights)
        weights = [w - 0.25 * g for w, g in zip(weights, gradients, strict=True)]
        network.train_on_batch(x[batch], labels[batch])
    for ours, reference in zip(weights, network.get_weights(), strict=True):
        np.testing.assert_allclose(ours, reference, rtol=0, atol=1e-8)
    answers = numpy_logits(x[1437:], weights)[0].argmax(axis=1)
    np.testing.assert_array_equal(answers, network(x[1437:]).numpy().argmax(axis=1))
    assert np.mean(answers == labels[1437:]) >= 0.97
