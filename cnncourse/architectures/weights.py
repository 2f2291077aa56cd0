"""Copying weights between two models of one architecture."""

import re

import keras

# Names that Keras makes up, numbered on through a whole session: `conv2d`, `conv2d_1`, …
_NUMBERED = re.compile(r"(conv2d|batch_normalization|normalization)(?:_(\d+))?")


def copy_weights(source, target):
    """Give every weight of `target` the value of the weight with the same name in `source`.

    Our layers carry the names of `keras.applications`, and the parts of a unit carry the rest of
    the name: where Keras has the layer `conv2_block1_1_conv`, ours is `1_conv` inside the unit
    `conv2_block1`. So a weight's path, with `_` for `/`, is the same in both, whatever the order
    and nesting of the layers. Nothing is copied unless everything fits.

    Some layers of Keras' networks have no name but a running number, which depends on what was
    built before: the first convolution may be `conv2d_94`. Such layers count from 0 in each model,
    in the order in which they were made.

    Args:
        source: a built Keras model.
        target: a built Keras model with weights of the same names and shapes.

    Raises:
        ValueError: naming the first layer that does not fit.
    """
    values, places = weights_by_name(source), weights_by_name(target)
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
    refresh(target)


def refresh(model):
    """Let `Normalization` layers take over weights that were assigned: they use a copy."""
    for layer in model.layers:
        if isinstance(layer, keras.layers.Normalization):
            layer.finalize_state()


def weights_by_name(model):
    """Return {path with _ for /: (layer's path, weight)}, in the model's order."""
    weights = [(w.path.removeprefix(f"{model.name}/"), w) for w in model.weights]  # Sequential's
    renamed = _renumbered({path.rpartition("/")[0] for path, _ in weights})
    found = {}
    for path, weight in weights:
        layer, _, kind = path.rpartition("/")
        name = f"{renamed.get(layer, layer)}/{kind}".replace("/", "_")
        if name in found:
            raise ValueError(f"model {model.name!r} has two weights named {name!r}")
        found[name] = (layer, weight)
    return found


def _renumbered(layers):
    """Return {numbered layer: the name that it would have in a new session}."""
    kinds = {}
    for layer in layers:
        if match := _NUMBERED.fullmatch(layer):
            kinds.setdefault(match[1], []).append((int(match[2] or 0), layer))
    return {
        layer: f"{kind}_{i}" if i else kind
        for kind, numbered in kinds.items()
        for i, (_, layer) in enumerate(sorted(numbered))
    }
