"""Training with Keras' own `fit`: what it leaves to you, in small pieces.

There is no training loop here. A run is an ordinary Keras program, and each piece below can be
left out:

    training.set_precision()                             # bfloat16 where this machine has it
    batches = training.pipeline(images, labels, batch_size=128, seed=1)
    steps = epochs * len(batches)
    schedule = training.warmup_cosine(1e-3, steps)
    network.compile(keras.optimizers.Adam(schedule, use_ema=True), steps_per_execution=8, ...)
    checkpoint = training.Checkpoint("run.npz", batches)
    network.fit(
        batches,
        epochs=epochs,
        initial_epoch=checkpoint.restore(network),
        callbacks=[checkpoint],
        shuffle=False,  # the batches come shuffled
    )
    plotting.training_curves(checkpoint.log)

Two features of Keras need no helper. `use_ema=True` keeps a running average of the weights in the
optimizer and puts it into the network when `fit` ends. `steps_per_execution` lets Keras call the
backend once per so many steps: worth a little for small networks (8 to 32), nothing for large
ones; the progress bar and callbacks per batch then move in such strides.
"""

from cnncourse.training.augment import augmenter
from cnncourse.training.balance import class_weights, oversample, smote
from cnncourse.training.checkpoint import Checkpoint
from cnncourse.training.compare import Comparison, compare
from cnncourse.training.data import pipeline
from cnncourse.training.devices import data_parallel
from cnncourse.training.precision import set_precision
from cnncourse.training.schedule import warmup_cosine

__all__ = [
    "Checkpoint",
    "Comparison",
    "augmenter",
    "class_weights",
    "compare",
    "data_parallel",
    "oversample",
    "pipeline",
    "set_precision",
    "smote",
    "warmup_cosine",
]
