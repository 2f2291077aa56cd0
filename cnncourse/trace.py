"""Run a Keras network on shapes alone, and list what happens on the way.

Layers that are made of others, the course's or a learner's own, are followed into their `call`, so
the list is flat: layers with no layers in them, and operations such as an addition. The network
itself is left as it was.
"""

import contextlib
from typing import NamedTuple


class Call(NamedTuple):
    """One layer or operation at work.

    Attributes:
        name: of the layer, with those of the layers that it is a part of; `unit/1_conv`.
        part: the outermost layer that it is a part of; itself where there is none. Models do not
            count: their layers are the network's.
        operation: the Keras layer or operation.
        inputs: the tensors it reads, without values.
        outputs: the tensors it makes.
    """

    name: str
    part: object
    operation: object
    inputs: list
    outputs: list


@contextlib.contextmanager
def traced():
    """List the calls of everything that runs on shapes inside the `with` block.

    A layer whose `call` cannot run on shapes stays one call, and so does one that repeats its
    parts (recurrent layers and wrappers). Not for use in several threads.
    """
    import keras

    calls, inside = [], []
    layer_call = keras.layers.Layer.__call__
    symbolic_call = keras.Operation.symbolic_call

    def record(self, *args, **kwargs):
        outputs = self.compute_output_spec(*args, **kwargs)
        if changes_nothing(self, args, outputs):
            return args[0]
        path = [*inside[1:], self]
        part = next(layer for layer in path if not isinstance(layer, keras.Model) or layer is self)
        name = "/".join(layer.name for layer in path)
        calls.append(Call(name, part, self, tensors((args, kwargs)), tensors(outputs)))
        return outputs

    def follow(self, *args, **kwargs):
        if isinstance(self, keras.layers.InputLayer):
            return args[0]
        args, kwargs = _in_its_format(self, args, kwargs)
        if is_made_of_others(self):
            before = len(calls)
            inside.append(self)
            try:
                return self.call(*args, **kwargs)
            except Exception:  # it cannot be followed: it stays one call
                del calls[before:]
            finally:
                inside.pop()
        return record(self, *args, **kwargs)

    keras.layers.Layer.__call__ = follow
    keras.Operation.symbolic_call = record
    try:
        yield calls
    finally:
        keras.layers.Layer.__call__ = layer_call
        keras.Operation.symbolic_call = symbolic_call


def _in_its_format(layer, args, kwargs):
    """Cast what a layer reads, as every call of a Keras layer does: mixed precision needs it."""
    import keras

    def cast(x):
        return layer.dtype_policy.convert_input(x, layer.autocast, layer.input_dtype)

    return keras.tree.map_structure(cast, (args, kwargs))


def tensors(structure) -> list:
    """List the tensors in nested arguments or results."""
    import keras

    return [leaf for leaf in keras.tree.flatten(structure) if hasattr(leaf, "shape")]


def changes_nothing(operation, args, output) -> bool:
    """Tell a cast to the number format that a tensor has, which makes no second tensor."""
    return type(operation).__name__ in ("Cast", "ConvertToTensor") and args[0].dtype == output.dtype


def is_made_of_others(operation) -> bool:
    """Tell a layer that can be followed into its parts."""
    from keras import layers

    repeats = (layers.RNN, layers.Wrapper)  # TimeDistributed and Bidirectional are wrappers
    if not isinstance(operation, layers.Layer) or isinstance(operation, repeats):
        return False
    return bool(operation._flatten_layers(include_self=False))  # Keras has no public way
