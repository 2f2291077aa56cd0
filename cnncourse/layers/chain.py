"""Inside a layer that is made of others: the check of its input, and layers in a row."""


def known_channels(shape):
    """Return the number of channels of an input of that shape.

    Raises:
        ValueError: if it is unknown.
    """
    if shape[-1] is None:
        raise ValueError(f"the input's shape is {tuple(shape)}; accepted: known channels")
    return shape[-1]


def build_chain(layers, shape):
    """Build layers of which each takes what the one before gives; return the last one's shape."""
    for layer in layers:
        layer.build(shape)
        shape = layer.compute_output_shape(shape)
    return shape


def call_chain(layers, x):
    """Apply layers, each to what the one before gives."""
    for layer in layers:
        x = layer(x)
    return x
