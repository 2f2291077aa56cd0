"""Copying weights between two models of one architecture."""


def copy_weights(source, target):
    """Give every weight of `target` the value of the weight with the same name in `source`.

    Our layers carry the names of `keras.applications`, and the parts of a unit carry the rest of
    the name: where Keras has the layer `conv2_block1_1_conv`, ours is `1_conv` inside the unit
    `conv2_block1`. So a weight's path, with `_` for `/`, is the same in both, whatever the order
    and nesting of the layers. Nothing is copied unless everything fits.

    Args:
        source: a built Keras model.
        target: a built Keras model with weights of the same names and shapes.

    Raises:
        ValueError: naming the first layer that does not fit.
    """
    values, places = _by_name(source), _by_name(target)
    for name, place in places.items():
        layer = place.path.rpartition("/")[0]
        if name not in values:
            raise ValueError(f"layer {layer!r} of target: source has no weight {name!r}")
        if tuple(values[name].shape) != tuple(place.shape):
            raise ValueError(
                f"layer {layer!r} of target: {place.name} has shape {tuple(place.shape)}, "
                f"in source {tuple(values[name].shape)}"
            )
    for name, value in values.items():
        if name not in places:
            layer = value.path.rpartition("/")[0]
            raise ValueError(f"layer {layer!r} of source: target has no weight {name!r}")
    for name, place in places.items():
        place.assign(values[name])


def _by_name(model):
    """Return {path with _ for /: weight}, in the model's order."""
    named = {}
    for weight in model.weights:
        name = weight.path.replace("/", "_")
        if name in named:
            raise ValueError(f"model {model.name!r} has two weights named {name!r}")
        named[name] = weight
    return named
