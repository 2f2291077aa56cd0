"""What every constructor does before its first layer and after its last."""

import functools
import inspect
import os

import keras
from cnncourse.architectures.pretrained import pretrained
from cnncourse.scratch.windows import positive_int


def network(side=224, top=None, known_sides=False, channels=3, classes=1000):
    """Make a constructor of a function that applies a network's layers to images.

    The function takes the images and gives the last maps. The constructor has the arguments that
    the package's docstring lists, the function's name, and any further arguments the function has.

    Args:
        side: of the images, by default.
        top: a function of maps, classes and activation; None: average each map, then classify.
        known_sides: whether the top needs the height and the width.
        channels: of the images, by default.
        classes: numbers that the last layer gives, by default.
    """

    def decorate(features):
        def constructor(
            input_shape=(side, side, channels),
            classes=classes,
            include_top=True,
            weights=None,
            classifier_activation="softmax",
            name=features.__name__,
            **options,
        ):
            inputs = image_input(input_shape, weights, known_sides and include_top)
            x = features(inputs, **options)
            if include_top:
                x = (top or averaged)(x, classes, classifier_activation)
            return finished(inputs, x, weights, name)

        shared, own = (
            list(inspect.signature(f).parameters.values()) for f in (constructor, features)
        )
        functools.update_wrapper(constructor, features)
        constructor.__signature__ = inspect.Signature(shared[:-1] + own[1:])
        return pretrained(constructor)

    return decorate


def image_input(input_shape, weights, known_sides=False):
    """Check arguments that are wrong for every network, then return the place for images.

    Args:
        input_shape: (height, width, channels); None for a side that varies.
        weights: what the constructor will pass to `finished`.
        known_sides: whether the network needs the height and the width.

    Raises:
        ValueError: if an argument is not one of the above.
    """
    shape = tuple(input_shape) if isinstance(input_shape, (tuple, list)) else ()
    accepted = "(height, width, channels), positive integers"
    if not known_sides:
        accepted += "; None for a side that varies"
    if len(shape) != 3 or (known_sides and None in shape) or shape[2] is None:
        raise ValueError(f"input_shape is {input_shape!r}; accepted: {accepted}")
    for size in shape:
        if size is not None:
            positive_int("input_shape", size)
    path = str(weights)
    if weights is not None and not (path.endswith(".weights.h5") and os.path.isfile(path)):
        raise ValueError(
            f"weights is {weights!r}; accepted: None (random values), the path of a .weights.h5 "
            "file, as model.save_weights writes it, or 'imagenet' where Keras has such weights"
        )
    return keras.Input(shape)


def classifier(x, classes, activation):
    """Return the layer that gives one number per class: probabilities, or logits for None."""
    classes = positive_int("classes", classes)
    return keras.layers.Dense(classes, activation=activation, name="predictions")(x)


def averaged(x, classes, activation, dropout=0):
    """Average each map, then classify; `dropout` is the share that training leaves out."""
    x = keras.layers.GlobalAveragePooling2D(name="avg_pool")(x)
    if dropout:
        x = keras.layers.Dropout(dropout, name="top_dropout")(x)
    return classifier(x, classes, activation)


def finished(inputs, outputs, weights, name):
    """Return the model from `inputs` to `outputs`, with the weights of a file if there is one."""
    model = keras.Model(inputs, outputs, name=name)
    if weights is not None:
        model.load_weights(weights)
    return model


def width_multiplier(alpha):
    """Return `alpha`, by which every layer's number of maps is multiplied.

    Raises:
        ValueError: if it is not a positive number.
    """
    if isinstance(alpha, bool) or not isinstance(alpha, (int, float)) or not alpha > 0:
        raise ValueError(f"alpha is {alpha!r}; accepted: a positive number")
    return alpha


def rounded(filters):
    """Return the multiple of 8 nearest to a number of maps, but no less than nine tenths of it.

    >>> rounded(35.2), rounded(11.2)
    (32, 16)
    """
    multiple = max(8, int(filters + 4) // 8 * 8)
    return multiple if multiple >= 0.9 * filters else multiple + 8
