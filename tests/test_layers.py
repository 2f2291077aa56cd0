"""DepthPool against TensorFlow's own depthwise pooling."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from cnncourse import scratch
from cnncourse.layers import DepthPool
from hypothesis import given, settings
from hypothesis import strategies as st


@settings(max_examples=30, deadline=None)
@given(
    st.tuples(*[st.integers(1, 4)] * 3),
    st.integers(1, 4),
    st.integers(1, 4),
    st.sampled_from(["float32", "float64"]),
)
def test_equals_tensorflow_and_scratch(size, groups, pool_size, dtype):
    x = np.random.default_rng(0).normal(size=(*size, groups * pool_size)).astype(dtype)
    y = DepthPool(pool_size, dtype=dtype)(x)
    window = (1, 1, 1, pool_size)
    np.testing.assert_array_equal(y, tf.nn.max_pool(tf.constant(x), window, window, "VALID"))
    np.testing.assert_array_equal(y, scratch.depth_max_pool(x, pool_size))
    assert keras.backend.standardize_dtype(y.dtype) == dtype


def test_the_gradient_equals_scratch():
    rng = np.random.default_rng(0)
    x, grad = rng.normal(size=(2, 3, 3, 6)), rng.normal(size=(2, 3, 3, 2))
    with tf.GradientTape() as tape:
        tensor = tf.Variable(x)
        loss = tf.reduce_sum(DepthPool(3, dtype="float64")(tensor) * grad)
    np.testing.assert_allclose(
        tape.gradient(loss, tensor), scratch.depth_max_pool_backward(grad, x, 3)
    )


@pytest.mark.parametrize("shape", [(70, 60, 60), (None, None, 60), (None, 60, 60), (60,)])
def test_symbolic_shapes(shape):
    inputs = keras.Input(shape)
    outputs = DepthPool(3)(inputs)
    assert outputs.shape == (None, *shape[:-1], 20)
    model = keras.Model(inputs, outputs)
    x = np.random.default_rng(0).normal(size=(2, *(n or 5 for n in shape))).astype("float32")
    expected = x.reshape(*x.shape[:-1], 20, 3).max(axis=-1)
    np.testing.assert_array_equal(model.predict(x, verbose=0), expected)


def test_trains_inside_a_model_with_unknown_sizes():
    model = keras.Sequential(
        [
            keras.Input((None, None, 1)),
            keras.layers.Conv2D(6, 3, padding="same"),
            DepthPool(3),
            keras.layers.GlobalAveragePooling2D(),
            keras.layers.Dense(1),
        ]
    )
    model.compile(optimizer="sgd", loss="mse")
    before = model.get_weights()[0]
    rng = np.random.default_rng(0)
    model.fit(rng.normal(size=(8, 6, 5, 1)), rng.normal(size=(8, 1)), verbose=0)
    assert not np.array_equal(before, model.get_weights()[0])


def test_saves_and_loads_in_safe_mode(tmp_path):
    model = keras.Sequential([keras.Input((None, None, 6)), DepthPool(3, name="variants")])
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    x = np.random.default_rng(0).normal(size=(2, 4, 5, 6)).astype("float32")
    np.testing.assert_array_equal(again(x), model(x))
    assert again.get_layer("variants").pool_size == 3
    assert keras.saving.get_registered_name(DepthPool) == "cnncourse>DepthPool"


def test_channels_must_divide_into_groups():
    for x in (np.ones((2, 4, 4, 32)), keras.Input((4, 4, 32))):
        with pytest.raises(ValueError, match=r"32 channels .* a known multiple of pool_size.* 3"):
            DepthPool(3)(x)
    with pytest.raises(ValueError, match="None channels"):
        DepthPool(3)(keras.Input((4, 4, None)))


@pytest.mark.parametrize("pool_size", [0, -1, 1.5, True, "2", None, (2, 2)])
def test_pool_size_must_be_a_positive_integer(pool_size):
    with pytest.raises(ValueError, match=r"pool_size is .*; accepted: a positive integer"):
        DepthPool(pool_size)
