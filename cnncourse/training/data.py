"""The input pipeline: batches in an order that depends on the seed and the epoch alone."""

import keras
import numpy as np
from cnncourse.scratch.windows import non_negative_int, positive_int


def pipeline(images, labels, batch_size=32, shuffle=True, augment=None, seed=0):
    """Return batches for `fit`, each pass over them one epoch; for `evaluate` and `predict`, too.

    Where answers are to be compared with the arrays, as those of `predict` are, `shuffle=False`.

    The order of an epoch is a permutation drawn from `(seed, epoch)`, not from a generator that
    runs on: epoch 7 sees the same order whether or not epochs 0 to 6 ran in this process.
    `Checkpoint` sets the epoch; without it every pass of `fit` counts as the next one.

    With TensorFlow this is a `tf.data.Dataset` whose autotuning is switched off. On two CPU cores,
    `fit` on plain arrays, which leaves it on, keeps a core idle in many epochs, and a pipeline with
    it off in none (benchmarks/training.md). There is nothing to tune, either: the images
    are in memory, and training takes all cores anyway. Nothing is prepared ahead, so no random
    number is drawn for a batch that `fit` never asks for. With JAX and PyTorch, which need no
    TensorFlow, it is a `keras.utils.PyDataset`.

    Give `fit` the argument `shuffle=False`: on TensorFlow it saves a warning, and on the others
    Keras would else shuffle the batches once more, with a generator that runs on.

    Args:
        images: (n, height, width, channels), any number format; passed on as they are.
        labels: (n,) or (n, …).
        batch_size: images per step; the last batch of an epoch may be smaller.
        shuffle: draw a new order for every epoch; False keeps the order of the arrays.
        augment: a Keras layer, such as `augmenter(...)`: it is called in training mode, and its
            random numbers depend on seed and epoch, too, once `Checkpoint` sets the epoch. Or any
            function from a batch of images to another, which has to see to both itself.
        seed: non-negative integer.

    Returns:
        The batches of (images, labels), as many as `len` says; leave `steps_per_epoch` out. They
        have an attribute `epochs`: `epochs.start(7)` makes the next pass epoch 7.

    Raises:
        ValueError: if the arrays differ in length or are empty, or an argument is not accepted.
    """
    batch_size = positive_int("batch_size", batch_size)
    if len(images) != len(labels) or not len(images):
        raise ValueError(
            f"images has {len(images)} and labels {len(labels)} entries; accepted: as many labels "
            "as images, at least one"
        )
    if augment is not None and not callable(augment):
        raise ValueError(f"augment is {augment!r}; accepted: a function of a batch of images")
    epochs = _Epochs(len(images), shuffle, non_negative_int("seed", seed), augment)
    make = _tf_data if keras.backend.backend() == "tensorflow" else _Batches
    return make(np.asarray(images), np.asarray(labels), batch_size, augment, epochs)


class _Epochs:
    """Which image comes when, in which epoch."""

    def __init__(self, n, shuffle, seed, augment):
        self.n, self.shuffle, self.seed, self.augment = n, shuffle, seed, augment
        self.next = 0

    def start(self, epoch):
        """Make the next pass over the data that of an epoch, counted from 0."""
        self.next = epoch
        for i, generator in enumerate(_seed_generators(self.augment)):
            drawn = np.random.default_rng((self.seed, epoch, i)).integers(2**31)
            generator.state.assign([drawn, 0])

    def order(self):
        """Return the indices of the next epoch, (n,)."""
        random = np.random.default_rng((self.seed, self.next))
        return random.permutation(self.n) if self.shuffle else np.arange(self.n)

    def pass_over(self):
        """Yield the indices of the next epoch, once, and count on."""
        order = self.order()
        self.next += 1
        yield order


def _tf_data(images, labels, batch_size, augment, epochs):
    """Return the batches as a `tf.data.Dataset`."""
    import tensorflow as tf

    with tf.device("CPU"):
        images, labels = tf.convert_to_tensor(images), tf.convert_to_tensor(labels)

    def batches_of(order):
        return tf.data.Dataset.from_tensor_slices(order).batch(batch_size)

    def look_up(chosen):
        return _augmented(augment, tf.gather(images, chosen)), tf.gather(labels, chosen)

    signature = tf.TensorSpec((epochs.n,), "int64")
    data = tf.data.Dataset.from_generator(epochs.pass_over, output_signature=signature)
    steps = -(-epochs.n // batch_size)
    data = data.flat_map(batches_of).map(look_up)
    data = data.apply(tf.data.experimental.assert_cardinality(steps))
    options = tf.data.Options()
    options.autotune.enabled = False
    options.deterministic = True
    data = data.with_options(options)
    data.epochs = epochs
    return data


class _Batches(keras.utils.PyDataset):
    """The batches for backends without `tf.data`."""

    def __init__(self, images, labels, batch_size, augment, epochs):
        super().__init__()
        self.images, self.labels, self.batch_size = images, labels, batch_size
        self.augment, self.epochs = augment, epochs
        self.drawn = None, None  # an epoch, and its order

    def __len__(self):
        return -(-self.epochs.n // self.batch_size)

    def __getitem__(self, step):
        if self.drawn[0] != self.epochs.next:
            self.drawn = self.epochs.next, self.epochs.order()
        chosen = self.drawn[1][step * self.batch_size :][: self.batch_size]
        return _augmented(self.augment, self.images[chosen]), self.labels[chosen]

    def on_epoch_end(self):
        self.epochs.next += 1


def _seed_generators(layer):
    """List the random number generators of a layer and of the layers in it, if it is a layer."""
    if not isinstance(layer, keras.layers.Layer):
        return []
    parts = layer._flatten_layers()  # Keras offers no public way to list them
    found = [value for part in parts for value in vars(part).values()]
    return [value for value in found if isinstance(value, keras.random.SeedGenerator)]


def _augmented(augment, batch):
    if isinstance(augment, keras.layers.Layer):
        return augment(batch, training=True)
    return augment(batch) if augment else batch
