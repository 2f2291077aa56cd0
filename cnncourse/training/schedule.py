"""Learning rates that change during training."""

from cnncourse.scratch.windows import positive_int


def warmup_cosine(peak, steps, warmup=0.1):
    """Return Keras' `CosineDecay`, set to climb from 0 to a peak and to be back at 0 at the end.

    Adam's first steps are large and badly informed, so the rate starts at 0; towards the end small
    steps settle what large ones left restless.

    Args:
        peak: largest learning rate, above 0.
        steps: steps of the whole training: epochs · batches per epoch.
        warmup: share of the steps that climb, from 0 up to, but not including, 1.

    Raises:
        ValueError: if an argument is not accepted.
    """
    from keras.optimizers.schedules import CosineDecay

    steps = positive_int("steps", steps)
    if not peak > 0:
        raise ValueError(f"peak is {peak!r}; accepted: a number above 0")
    if not 0 <= warmup < 1:
        raise ValueError(f"warmup is {warmup!r}; accepted: from 0 up to, not including, 1")
    climb = int(warmup * steps)
    if not climb:
        return CosineDecay(peak, steps)
    return CosineDecay(0.0, steps - climb, warmup_target=peak, warmup_steps=climb)
