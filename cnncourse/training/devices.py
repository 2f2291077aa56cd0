"""Several devices: each takes a share of every batch, and they average their gradients."""

import contextlib


@contextlib.contextmanager
def data_parallel(devices=None):
    """Build, compile and fit inside this block to train on several devices at once.

    Every device holds a copy of the network and gets an equal share of each batch, so `batch_size`
    is the batch of all together, and the result is that of one device, up to rounding. Batch
    normalisation is the exception on TensorFlow: each device normalises with its own share.

    On TensorFlow this is `tf.distribute.MirroredStrategy`, on JAX
    `keras.distribution.DataParallel`. Keras has no counterpart for PyTorch. JAX shares out equal
    parts only: with two devices every batch must be even, the last of an epoch too.

    Args:
        devices: names such as `["GPU:0", "GPU:1"]`; None means all there are of the best kind.

    Yields:
        The number of devices.

    Raises:
        ValueError: on PyTorch.
    """
    import keras

    match keras.backend.backend():
        case "tensorflow":
            import tensorflow as tf

            strategy = tf.distribute.MirroredStrategy(devices)
            with strategy.scope():
                yield strategy.num_replicas_in_sync
        case "jax":
            before = keras.distribution.distribution()
            chosen = devices or keras.distribution.list_devices()
            keras.distribution.set_distribution(keras.distribution.DataParallel(devices=chosen))
            try:
                yield len(chosen)
            finally:
                keras.distribution.set_distribution(before)
        case other:
            raise ValueError(f"Keras runs on {other!r}; accepted: 'tensorflow' or 'jax'")
