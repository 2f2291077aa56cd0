"""Several devices: each takes a share of every batch, and they average their gradients."""

import contextlib


@contextlib.contextmanager
def data_parallel(devices=None):
    """Build, compile and fit inside this block to train on several devices at once.

    Every device holds a copy of the network and gets an equal share of each batch, so `batch_size`
    is the batch of all together. The result is that of one device, up to rounding, if all batches
    can be shared out evenly: with two devices an even number of images, in the last batch of an
    epoch, too. JAX refuses others; TensorFlow takes them, and ends with somewhat other weights.
    Two kinds of layers are exceptions on TensorFlow: batch normalisation, for each device
    normalises with its own share, and those that draw random numbers, such as dropout.

    On TensorFlow this is `tf.distribute.MirroredStrategy`, on JAX
    `keras.distribution.DataParallel`. Keras has no counterpart for PyTorch.

    Args:
        devices: names such as `["gpu:0", "gpu:1"]`; None means all there are of the best kind.

    Yields:
        The number of devices.

    Raises:
        ValueError: on PyTorch, or if `devices` is neither None nor a list.
    """
    import keras

    if devices is not None and (not isinstance(devices, (list, tuple)) or not devices):
        raise ValueError(f"devices is {devices!r}; accepted: a list of names, or None")
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
