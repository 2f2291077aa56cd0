"""What a layer or a network costs: sizes, receptive field, parameters, products, memory.

The window arithmetic needs no Keras. `parameters`, `macs` and `activation_bytes` take any built
Keras layer or model, nested and hand-written ones included: the network is run once on shapes
alone, without data, and every layer that is called on the way is counted.
"""

import contextlib
import math
from typing import NamedTuple

import numpy as np
from cnncourse.scratch.windows import output_size, positive_int, same_padding
from cnncourse.trace import tensors

__all__ = [
    "activation_bytes",
    "macs",
    "output_size",
    "parameters",
    "receptive_field",
    "same_padding",
]


def receptive_field(layers) -> tuple[int, int]:
    """Return (size, jump) of one output neuron of a stack of layers, along one axis.

    Size is the number of input pixels the neuron sees, jump the distance in pixels between what
    two neighbouring neurons see. A layer with kernel size k, stride s and dilation d adds
    (k − 1) · d · jump to the size, then multiplies the jump by s.

    Args:
        layers: (kernel_size, stride) or (kernel_size, stride, dilation) for each layer, the one
            nearest to the image first. Pooling layers count too.

    Raises:
        ValueError: if a layer is not two or three positive integers.

    >>> receptive_field([(3, 1), (3, 1)]), receptive_field([(7, 2), (3, 2)])
    ((5, 1), (11, 4))
    """
    size, jump = 1, 1
    for layer in layers:
        numbers = tuple(layer) if isinstance(layer, (tuple, list)) else ()
        if len(numbers) not in (2, 3):
            raise ValueError(
                f"layers holds {layer!r}; accepted: (kernel_size, stride) or "
                "(kernel_size, stride, dilation)"
            )
        kernel_size, stride, dilation = (positive_int("layers", n) for n in (*numbers, 1)[:3])
        size += (kernel_size - 1) * dilation * jump
        jump *= stride
    return size, jump


def parameters(layer_or_model) -> int:
    """Return the number of weights and biases, whether they are trained or not.

    Raises:
        ValueError: if it is no Keras layer, or has no weights yet because it was never built.
    """
    return sum(math.prod(weight.shape) for weight in built(layer_or_model).weights)


def macs(layer_or_model, input_shape=None) -> int:
    """Return the multiply–accumulate operations that one image (one instance) takes.

    Convolutions and dense layers are counted: every weight of a kernel is used once per output
    position (for a transposed convolution, once per input position). Products with padding zeros
    count. Biases, activations, pooling, normalisation, embedding and other layers without a kernel
    count as 0, and so does arithmetic between layers, such as `x + shortcut`.

    Args:
        layer_or_model: a built Keras layer or model.
        input_shape: shape of one instance, without the batch axis; a list of shapes for several
            inputs. None means the shape that the layer or model was built for.

    Raises:
        ValueError: if it was never built, a size is unknown, it was built for other channels or
            sizes, or there is a layer whose products are not known here (recurrent and attention
            layers, or a hand-written layer with weights of its own and no attribute
            `products_per_output`): better no number than a wrong one.
    """
    calls = _calls(layer_or_model, input_shape)
    return sum(products(call.layer, call.inputs, call.outputs) for call in calls)


def activation_bytes(layer_or_model, input_shape=None, batch_size=1) -> int:
    """Return the bytes that the outputs of all layers take together.

    Each output counts in its own number format, also where a layer such as `Flatten` or `Dropout`
    could reuse its input's memory. A layer made of others counts as its parts. The network's input
    and the results of arithmetic between layers do not count.

    Args:
        layer_or_model: a built Keras layer or model.
        input_shape: as in `macs`.
        batch_size: number of instances, a positive integer.

    Raises:
        ValueError: if it was never built, a size is unknown, or it was built for others.
    """
    calls = _calls(layer_or_model, input_shape, batch_size)
    return sum(tensor_bytes(call.outputs) for call in calls if not call.made_of_others)


class _Call(NamedTuple):
    """One call of one layer: what went in, what came out."""

    layer: object
    inputs: list
    outputs: list
    made_of_others: bool  # it called other layers


def _calls(layer, input_shape, batch_size=1):
    """Run a layer on shapes alone, without data, and list every layer called on the way."""
    import keras

    class Run(keras.layers.Layer):
        def call(self, inputs):
            return layer(inputs)

    batch_size = positive_int("batch_size", batch_size)
    if isinstance(built(layer), keras.layers.InputLayer):
        return []
    inputs = symbolic_inputs(layer, input_shape, batch_size)
    run = Run()
    with _recorded() as calls:
        run(inputs)
    return [call for call in calls if call.layer is not run]


@contextlib.contextmanager
def _recorded():
    """Note every call of a Keras layer inside the `with` block; not for use in several threads."""
    import keras

    calls = []
    original = keras.layers.Layer.__call__

    def recording(self, *args, **kwargs):
        before = len(calls)
        outputs = original(self, *args, **kwargs)
        if isinstance(self, (keras.layers.RNN, keras.layers.TimeDistributed)):
            del calls[before:]  # what they call sees one time step, so its shapes mislead
        read, made = tensors((args, kwargs)), tensors(outputs)
        calls.append(_Call(self, read, made, made_of_others=len(calls) > before))
        return outputs

    keras.layers.Layer.__call__ = recording
    try:
        yield calls
    finally:
        keras.layers.Layer.__call__ = original


def symbolic_inputs(layer, input_shape, batch_size):
    """Return placeholders for a batch of inputs, nested as the layer's own inputs are."""
    import keras

    built_for = _built_for(layer)
    shapes = [shape[1:] for shape, _ in built_for]
    if isinstance(input_shape, (tuple, list)):
        shapes = list(input_shape) if _is_nested(input_shape) else [tuple(input_shape)]
    elif input_shape is not None or not shapes or None in sum(shapes, ()):
        raise ValueError(
            f"input_shape is {input_shape!r} and {layer.name!r} was built for {shapes or 'any'}; "
            "accepted: the shape of one instance, every size known, without the batch axis"
        )
    dtypes = [dtype for _, dtype in built_for] or [layer.compute_dtype] * len(shapes)
    if len(dtypes) != len(shapes):
        raise ValueError(
            f"input_shape is {input_shape!r}; accepted: {len(dtypes)} shapes, one for each input"
        )
    inputs = [
        keras.KerasTensor((batch_size, *(positive_int("input_shape", n) for n in shape)), dtype)
        for shape, dtype in zip(shapes, dtypes, strict=True)
    ]
    if not all(_fits(layer, n, tuple(x.shape)) for n, x in enumerate(inputs)):
        raise ValueError(
            f"input_shape is {input_shape!r} and {layer.name!r} was built for "
            f"{[shape[1:] for shape, _ in built_for]}; accepted: as many axes, as many channels, "
            "and another size only where none was fixed"
        )
    with contextlib.suppress(AttributeError, ValueError):
        return keras.tree.pack_sequence_as(layer.input, inputs)
    return inputs if len(inputs) > 1 else inputs[0]


def _fits(layer, n, shape):
    """Tell whether the n-th input may have this shape: what was fixed is as it was."""
    import keras

    if inputs := getattr(layer, "inputs", None):  # a model fixes what its inputs fix
        made_for = tuple(inputs[n].shape)
        pairs = zip(shape, made_for, strict=False)
        return len(shape) == len(made_for) and all(b in (None, a) for a, b in pairs)
    spec = layer.input_spec
    if not isinstance(spec, keras.layers.InputSpec):
        return True
    fixed = {axis: size for axis, size in (spec.axes or {}).items() if size}
    fits = (spec.ndim or len(shape)) == len(shape) >= (spec.min_ndim or 0)
    return fits and all(shape[axis] == size for axis, size in fixed.items())


def _built_for(layer):
    """List (shape with batch axis, dtype) of the inputs that a layer was built for, if known."""
    import keras

    try:  # a model, or a layer with one place in a model
        inputs = getattr(layer, "inputs", None) or keras.tree.flatten(layer.input)
        return [(tuple(x.shape), x.dtype) for x in inputs]
    except (AttributeError, ValueError):
        shape = (layer.get_build_config() or {}).get("input_shape") or []
        shapes = shape if _is_nested(shape) or not shape else [shape]
        return [(tuple(s), layer.compute_dtype) for s in shapes]


def _is_nested(shape):
    """Tell a list of shapes from one shape."""
    return any(isinstance(size, (tuple, list)) for size in shape)


def built(layer):
    """Return a layer that has its weights, or raise ValueError."""
    import keras

    if not isinstance(layer, keras.layers.Layer):
        raise ValueError(f"layer_or_model is {layer!r}; accepted: a Keras layer or model")
    if not layer.built:
        raise ValueError(
            f"layer_or_model {layer.name!r} has no weights yet; accepted: a built layer or model "
            "(call it on an array once, or start it with keras.Input)"
        )
    return layer


def products(layer, inputs, outputs):
    """Return the multiply–accumulate operations of one call of a layer, for one instance."""
    from keras import layers

    used = math.prod(outputs[0].shape[1:])  # output positions × maps
    match layer:
        case layers.Conv1DTranspose() | layers.Conv2DTranspose() | layers.Conv3DTranspose():
            used = math.prod(inputs[0].shape[1:])  # input positions × channels
            return used * math.prod(layer.kernel.shape) // layer.kernel.shape[-1]
        case layers.SeparableConv1D() | layers.SeparableConv2D():
            kernels = [layer.depthwise_kernel, layer.pointwise_kernel]
            return used // layer.filters * sum(math.prod(kernel.shape) for kernel in kernels)
        case layers.DepthwiseConv1D() | layers.DepthwiseConv2D():
            return used * math.prod(layer.kernel.shape[:-2])
        case layers.Conv1D() | layers.Conv2D() | layers.Conv3D() | layers.Dense():
            return used * math.prod(layer.kernel.shape[:-1])
    if hasattr(layer, "products_per_output"):  # a hand-written layer may say it
        return used * layer.products_per_output
    _refuse_unknown(layer)
    return 0


def _refuse_unknown(layer):
    """Raise ValueError for a layer that multiplies in ways not known here."""
    from keras import layers

    no_kernel = (
        layers.BatchNormalization,
        layers.Embedding,
        layers.GroupNormalization,
        layers.LayerNormalization,
        layers.Normalization,
        layers.PReLU,
    )
    unknown = (
        layers.AdditiveAttention,
        layers.Attention,
        layers.Dot,
        layers.RNN,
        layers.TimeDistributed,
    )
    parts = layer._flatten_layers(include_self=False)  # Keras offers no public way to list them
    in_parts = {id(weight) for part in parts for weight in part.weights}
    own = [weight.path for weight in layer.weights if id(weight) not in in_parts]
    if isinstance(layer, unknown) or (own and not isinstance(layer, no_kernel)):
        raise ValueError(
            f"macs does not know how {type(layer).__name__} {layer.name!r} multiplies; accepted: "
            "networks of convolutions, dense layers and layers without a kernel"
        )


def tensor_bytes(tensors):
    """Return the memory that tensors take."""
    from keras.backend import standardize_dtype

    return sum(
        math.prod(tensor.shape) * np.dtype(standardize_dtype(tensor.dtype)).itemsize
        for tensor in tensors
    )
