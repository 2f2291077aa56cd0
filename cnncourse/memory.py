"""How much memory a network takes, planned before it is run.

At inference an intermediate result may go as soon as the last layer that reads it is done: in a
plain chain only the input and the output of one layer are there at a time, and a shortcut keeps
its tensor longer. Training keeps all of them, since the reverse pass needs them, and adds
gradients and what the optimizer remembers of every weight.

The plan is an estimate. Libraries take more: workspace, gradients of the intermediate results, and
some results twice (before and after an activation, say). And they take less where a result may lie
in the memory of the one that it was made from: `Flatten` and `Reshape` only rename the axes, and
where ReLU follows a batch normalisation or an addition, nobody asks for their outputs again, so
ReLU may write over them. How much of both, only a measurement tells.
"""

import math
from dataclasses import dataclass

import numpy as np
from cnncourse.cost import built, symbolic_inputs
from cnncourse.scratch.windows import positive_int
from cnncourse.trace import Call, traced

PRECISIONS = ("float32", "float16", "bfloat16", "mixed_float16", "mixed_bfloat16")


@dataclass(frozen=True)
class Step:
    """One operation of a network; a separable layer is two: depthwise, then pointwise."""

    name: str
    shape: tuple  # of the (first) output, with the batch axis
    bytes: int  # of all outputs
    live: int  # intermediate results that an inference holds during this step


@dataclass(frozen=True)
class MemoryPlan:
    """Bytes, by what they are for. `inference` and `training` are the totals."""

    steps: tuple[Step, ...]
    inputs: int  # the batch
    weights: int
    copies: int  # of the weights in 16 bits, with mixed precision
    gradients: int
    slots: int  # of the optimizer

    @property
    def activations(self):
        """Bytes of the outputs of all steps together."""
        return sum(step.bytes for step in self.steps)

    @property
    def live(self):
        """Bytes of the intermediate results at the worst step of an inference."""
        return max((step.live for step in self.steps), default=self.inputs)

    @property
    def inference(self):
        """Bytes of a prediction: weights, and the intermediate results at the worst step."""
        return self.weights + self.copies + self.live

    @property
    def training(self):
        """Bytes of a training step: everything."""
        kept = self.inputs + self.activations
        return self.weights + self.copies + kept + self.gradients + self.slots

    def table(self):
        """Return a Markdown table of both totals, in MB (10⁶ bytes)."""
        rows = [
            ("weights", self.weights, self.weights),
            ("their copies in 16 bits", self.copies, self.copies),
            ("input and intermediate results", self.live, self.inputs + self.activations),
            ("gradients", 0, self.gradients),
            ("optimizer", 0, self.slots),
            ("**all**", self.inference, self.training),
        ]
        lines = ["| MB | prediction | training |", "|---|---|---|"]
        lines += [f"| {name} | {a / 1e6:,.2f} | {b / 1e6:,.2f} |" for name, a, b in rows if b]
        return "\n".join(lines)

    def __str__(self):
        """Show the table."""
        return self.table()


def plan(model, batch_size=1, input_shape=None, precision=None, optimizer="adam"):
    """Plan the memory of a network without running it.

    Args:
        model: a built Keras model or layer; branches, shortcuts, nested models and layers made of
            others (by `keras.ops`) are followed.
        batch_size: number of images, a positive integer.
        input_shape: shape of one image; None means the shape that the model was built for. A list
            of shapes for several inputs.
        precision: None means as the model was built. Or "float32", "float16", "bfloat16", or
            "mixed_float16", "mixed_bfloat16": weights, gradients and slots in 32 bits, a copy of
            the weights and everything else in 16.
        optimizer: a Keras optimizer or its name; "adam" remembers two numbers per weight, "sgd"
            none.

    Returns:
        A `MemoryPlan`.

    Raises:
        ValueError: if an argument is not accepted, the network was built for inputs of another
            shape, or a layer cannot be followed.
    """
    import keras

    if precision not in (None, *PRECISIONS):
        raise ValueError(f"precision is {precision!r}; accepted: None or one of {PRECISIONS}")
    inputs = symbolic_inputs(built(model), input_shape, positive_int("batch_size", batch_size))
    with traced() as calls:
        outputs = keras.tree.flatten(model(inputs))
    _refuse_unfollowed(calls)
    calls = [half for call in calls for half in _halves(call)]
    policy = keras.DTypePolicy(precision) if precision else None
    inputs = keras.tree.flatten(inputs)
    weights, copies, trainable = _weight_bytes(model, policy)
    return MemoryPlan(
        steps=_steps(inputs, calls, outputs, policy),
        inputs=sum(_bytes(x, policy) for x in inputs),
        weights=weights,
        copies=copies,
        gradients=trainable,
        slots=trainable * _slots(optimizer),
    )


def _halves(call):
    """Split a separable layer, which keeps what lies between its two convolutions for training."""
    import keras

    layer = call.operation
    if not isinstance(layer, (keras.layers.SeparableConv1D, keras.layers.SeparableConv2D)):
        return [call]
    out, kernel = call.outputs[0], layer.depthwise_kernel
    shape, axis = list(out.shape), 1 if layer.data_format == "channels_first" else -1
    shape[axis] = kernel.shape[-2] * kernel.shape[-1]
    hidden = keras.KerasTensor(shape, out.dtype)
    first = Call(call.name, call.part, layer, call.inputs, [hidden])
    return [first, first._replace(inputs=[hidden], outputs=call.outputs)]


def _steps(inputs, calls, outputs, policy):
    """Find out between which steps each tensor is needed, and add up."""
    end = len(calls) - 1
    tensors = {id(x): x for x in inputs}
    first, last = dict.fromkeys(tensors, 0), dict.fromkeys(tensors, 0)
    for i, (*_, read, made) in enumerate(calls):
        for x in made:
            tensors.setdefault(id(x), x)
            first.setdefault(id(x), i)
        last.update({id(x): i for x in (*read, *made)})
    last.update({id(x): end for x in outputs})
    steps = []
    for i, (*_, operation, read, made) in enumerate(calls):
        there = [x for key, x in tensors.items() if first[key] <= i <= last[key]]
        new = [x for x in made if id(x) not in {id(r) for r in read}]
        steps.append(
            Step(
                operation.name,
                tuple(made[0].shape),
                bytes=sum(_bytes(x, policy) for x in new),
                live=sum(_bytes(x, policy) for x in there),
            )
        )
    return tuple(steps)


def _refuse_unfollowed(calls):
    """Raise ValueError if the intermediate results inside a layer are not known."""
    import keras

    for call in calls:
        layer = call.operation
        if isinstance(layer, keras.Layer) and layer._flatten_layers(include_self=False):
            raise ValueError(
                f"{type(layer).__name__} {layer.name!r} repeats its parts, or they cannot be "
                "followed on shapes alone; accepted: networks without recurrent layers"
            )
        for x in call.outputs:
            if None in x.shape:
                raise ValueError(
                    f"{type(layer).__name__} {layer.name!r} gives shape {tuple(x.shape)}, of which "
                    "a size is not known beforehand; accepted: networks without such a layer, "
                    "those of attention for instance"
                )


def _weight_bytes(model, policy):
    """Return the bytes of all weights, of their copies in 16 bits, and of the trainable ones."""
    owners = {}
    for layer in model._flatten_layers():  # outer layers first, so the innermost one stays
        owners.update({id(weight): (weight, layer) for weight in layer.weights})
    total = copies = trainable = 0
    for weight, layer in owners.values():
        of = policy or layer.dtype_policy
        size = math.prod(weight.shape)
        total += size * _itemsize(of.variable_dtype)
        if of.compute_dtype != of.variable_dtype:
            copies += size * _itemsize(of.compute_dtype)
        trainable += size * _itemsize(of.variable_dtype) * weight.trainable
    return total, copies, trainable


def _slots(optimizer):
    """Return how many numbers an optimizer keeps per weight, by trying it on small weights."""
    import keras

    given, optimizer = optimizer, keras.optimizers.get(optimizer)
    if optimizer is None:
        raise ValueError(f"optimizer is {given!r}; accepted: a Keras optimizer or its name")
    counts = set()
    for shape in (2, 3, 5, 7), (2, 3):  # the weights of a convolution, and of a dense layer
        trial = type(optimizer).from_config(optimizer.get_config())
        trial.build([keras.Variable(np.zeros(shape, "float32"))])
        kept = [tuple(v.shape) for v in trial.variables]
        counts.add(kept.count(shape) if set(kept) <= {(), shape} else None)
    if len(counts) > 1 or None in counts:
        raise ValueError(
            f"optimizer {optimizer.name!r} keeps arrays of other shapes than the weights, or "
            "not as many for each; accepted: optimizers such as 'sgd', 'adam' or 'rmsprop'"
        )
    return counts.pop()


def _bytes(tensor, policy):
    import keras

    dtype = keras.backend.standardize_dtype(tensor.dtype)
    if policy and keras.backend.is_float_dtype(dtype):
        dtype = policy.compute_dtype
    return math.prod(tensor.shape) * _itemsize(dtype)


def _itemsize(dtype):
    return 2 if dtype == "bfloat16" else np.dtype(dtype).itemsize
