"""Augmentation: believable variants of a picture, from Keras' own layers."""

from cnncourse.scratch.windows import non_negative_int


def augmenter(value_range, flip=False, rotation=0, shift=0, zoom=0, contrast=0, seed=0):
    """Return a layer that alters each image of a batch at random, in training only.

    Put it first in a network, or give it to `pipeline(augment=…)`. Everything is off until asked
    for: which changes keep the label is known only to who knows the data (a mirrored shirt is a
    shirt, a mirrored 2 is not a 2).

    The range of the values has no default, because Keras' own is 0 to 255: `RandomContrast` clips
    what it returns to that range, which turns every negative pixel of an image from −1 to 1 to
    black. Pixels that come in from outside are filled with the lowest value, not with 0.

    Args:
        value_range: (lowest, highest) value of a pixel, such as (0, 255), (0, 1) or (−1, 1).
        flip: mirror left and right: each image with a chance of one half.
        rotation: largest angle, in degrees.
        shift: largest shift, as a share of height and width, up to 1.
        zoom: largest change of size, as a share below 1.
        contrast: largest change of contrast, as a share below 1.
        seed: non-negative integer.

    Raises:
        ValueError: if the range is empty, an argument is not accepted, or nothing is asked for.
    """
    from keras import layers

    low, high = _range(value_range)
    seed = non_negative_int("seed", seed)
    if not isinstance(flip, bool):
        raise ValueError(f"flip is {flip!r}; accepted: True or False")
    for name, value, most in (
        ("rotation", rotation, 180),
        ("shift", shift, 1),
        ("zoom", zoom, 0.99),
        ("contrast", contrast, 0.99),
    ):
        if not 0 <= value <= most:
            raise ValueError(f"{name} is {value!r}; accepted: from 0 to {most}")
    exact = {"dtype": "float32"}  # pixels in 16 bits would lose shades
    fill = {"fill_mode": "constant", "fill_value": low, **exact}
    steps = []
    if flip:
        steps.append(layers.RandomFlip("horizontal", seed=seed, **exact))
    if rotation:
        steps.append(layers.RandomRotation(rotation / 360, seed=seed + 1, **fill))
    if shift:
        steps.append(layers.RandomTranslation(shift, shift, seed=seed + 2, **fill))
    if zoom:
        steps.append(layers.RandomZoom(zoom, seed=seed + 3, **fill))
    if contrast:
        steps.append(
            layers.RandomContrast(contrast, value_range=(low, high), seed=seed + 4, **exact)
        )
    if not steps:
        raise ValueError("every change is off; accepted: at least one of flip, rotation, …")
    return layers.Pipeline(steps, name="augmenter")


def _range(value_range):
    try:
        low, high = (float(value) for value in value_range)
        valid = low < high
    except (TypeError, ValueError):
        valid = False
    if not valid:
        raise ValueError(f"value_range is {value_range!r}; accepted: (lowest, highest)")
    return low, high
