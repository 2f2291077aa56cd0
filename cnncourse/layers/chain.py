"""Layers one after the other, inside a layer that is made of them."""


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
