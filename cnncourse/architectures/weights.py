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
    values, places = _by_path(source), _by_path(target)
    missing = "layer {!r} of {}: {} has no weight {!r}".format
    for name, (layer, place) in places.items():
        if name not in values:
            raise ValueError(missing(layer, "target", "source", name))
        shape, found = tuple(place.shape), tuple(values[name][1].shape)
        if shape != found:
            raise ValueError(
                f"layer {layer!r} of target: {place.name} has shape {shape}, in source {found}"
            )
    for name, (layer, _) in values.items():
        if name not in places:
            raise ValueError(missing(layer, "source", "target", name))
    for name, (_, place) in places.items():
        place.assign(values[name][1])


def _by_path(model):
    """Return {path with _ for /: (layer's path, weight)}, in the model's order."""
    found = {}
    for weight in model.weights:
        path = weight.path.removeprefix(f"{model.name}/")  # a Sequential puts its own name first
        name = path.replace("/", "_")
        if name in found:
            raise ValueError(f"model {model.name!r} has two weights named {name!r}")
        found[name] = (path.rpartition("/")[0], weight)
    return found
