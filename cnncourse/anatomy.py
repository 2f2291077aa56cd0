"""Take a Keras network apart: every layer and operation in order, what it costs and what it sees.

The network is run once on shapes alone (`trace`): the result is one flat list of steps that says
for each which steps it reads.
"""

import math
import re
from collections import Counter
from dataclasses import dataclass, field

from cnncourse import cost
from cnncourse.cost import built, products, symbolic_inputs, tensor_bytes
from cnncourse.sight import Field, through
from cnncourse.trace import is_made_of_others, traced

__all__ = ["Stage", "Step", "stages", "steps"]


@dataclass
class Step:
    """One layer or operation of a network.

    Attributes:
        name: of the layer; of the operation otherwise.
        kind: the class, e.g. `Conv2D` or `Add`.
        layer: the Keras layer or operation.
        reads: numbers of the steps whose results it takes; −1 is the network's input.
        shape: of its result, without the batch axis.
        parameters: its weights and biases; 0 where they were counted before (shared layers).
        macs: multiply–accumulate operations for one instance.
        activation_bytes: of its result, for one instance.
        fields: what each neuron sees, (vertical, horizontal); None: everything, or unknown.
    """

    name: str
    kind: str
    layer: object
    reads: list[int]
    shape: tuple[int, ...]
    parameters: int
    macs: int
    activation_bytes: int
    fields: tuple[Field, Field] | None

    @property
    def side(self) -> tuple[int, ...]:
        """Height and width of the maps; (1, 1) where there are none."""
        return self.shape[:2] if len(self.shape) == 3 else (1, 1)


@dataclass
class Stage:
    """Steps in a row whose maps have one size.

    Attributes:
        name: what the names of its layers have in common, or `stage 3`.
        steps: in the order in which they run.
        shape: of the last result.
        fields: what each neuron of the last maps sees.
    """

    name: str
    steps: list[Step] = field(default_factory=list)

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the last result."""
        return self.steps[-1].shape

    @property
    def fields(self) -> tuple[Field, Field] | None:
        """What each neuron of the last maps sees."""
        return self.steps[-1].fields

    @property
    def parameters(self) -> int:
        """Weights and biases of all steps."""
        return sum(step.parameters for step in self.steps)

    @property
    def macs(self) -> int:
        """Multiply–accumulate operations of all steps, for one instance."""
        return sum(step.macs for step in self.steps)

    @property
    def activation_bytes(self) -> int:
        """Bytes of all results, for one instance."""
        return sum(step.activation_bytes for step in self.steps)

    @property
    def contents(self) -> dict[str, int]:
        """How many steps of each kind that has weights or pools there are."""
        return dict(Counter(s.kind for s in self.steps if s.macs or "Pooling" in s.kind))


def steps(model, input_shape=None) -> list[Step]:
    """List the layers and operations of a network in the order in which they run.

    Args:
        model: a built Keras model or layer with one input.
        input_shape: of one instance, without the batch axis; needed where the model leaves a side
            open.

    Raises:
        ValueError: if it was never built, or a size is unknown.

    >>> import keras
    >>> net = keras.Sequential([keras.Input((8, 8, 1)), keras.layers.Conv2D(4, 3, strides=2)])
    >>> [(s.kind, s.shape, s.parameters, s.macs, s.fields[0].size) for s in steps(net)]
    [('Conv2D', (3, 3, 4), 40, 324, 3)]
    """
    image = symbolic_inputs(built(model), input_shape, 1)
    if not hasattr(image, "shape"):
        raise ValueError(f"model {model.name!r} has several inputs; accepted: one input")
    with traced() as calls:
        model(image)
    numbers = {id(image): -1}
    found, counted = [], set()
    for call in calls:
        reads = list(dict.fromkeys(numbers[id(t)] for t in call.inputs if id(t) in numbers))
        for tensor in call.outputs:
            numbers[id(tensor)] = len(found)
        found.append(_step(call, reads, found, counted))
    return found


def stages(model, input_shape=None) -> list[Stage]:
    """Group the steps of a network by the size of their maps.

    A new stage begins where height and width change. What works on single numbers per map, such
    as a squeeze-and-excitation gate, belongs to the stage whose maps it scales; what comes after
    the last map is the last stage, the head.

    Args:
        model: as in `steps`.
        input_shape: as in `steps`.
    """
    found = steps(model, input_shape)
    image = tuple(symbolic_inputs(model, input_shape, 1).shape[1:3])
    sides, numbers = [], []
    for step in found:
        sources = [j for j in step.reads if j >= 0]
        largest = max(sources, key=lambda j: (math.prod(sides[j]), numbers[j]), default=None)
        pads = step.kind in ("ZeroPadding2D", "Cropping2D")
        before = image if largest is None else sides[largest]
        sides.append(before if pads else step.side)
        numbers.append((before != sides[-1]) + (0 if largest is None else numbers[largest]))
    for i in reversed(range(len(found))):
        for j in found[i].reads:
            if j >= 0 and found[j].side == (1, 1):  # a gate belongs to the maps that it scales
                numbers[j] = min(numbers[j], numbers[i])
            elif j >= 0 and found[j].side != sides[j]:  # padding, to the layer that reads it
                numbers[j] = numbers[i]
    grouped = {}
    for number, step in zip(numbers, found, strict=True):
        grouped.setdefault(number, []).append(step)
    return [Stage(_title(group, i), group) for i, (_, group) in enumerate(sorted(grouped.items()))]


def _title(group, index):
    """Return the words that the names of a stage's layers begin with, or its number."""
    if group[-1].side == (1, 1):
        return "head"
    names = [re.split("[_/]", step.name) for step in group if step.parameters]
    if not names:
        return "pooling" if any("Pooling" in step.kind for step in group) else "input"
    words = [words[0] for words in zip(*names, strict=False) if len({*words}) == 1]
    named = len(names) > 1 and words and words[0][-1:].isdigit()
    return words[0] if named else f"stage {index + 1}"


def _step(call, reads, found, counted):
    """Describe one call, given the steps before it."""
    import keras

    layer = call.operation
    is_layer = isinstance(layer, keras.layers.Layer)
    parameters = 0
    if is_layer and id(layer) not in counted:
        parameters = sum(math.prod(weight.shape) for weight in layer.weights)
        counted.add(id(layer))
    shape = tuple(call.outputs[0].shape[1:])
    fields, macs = None, products(layer, call.inputs, call.outputs) if is_layer else 0
    if is_layer and is_made_of_others(layer):  # it could not be followed
        macs = cost.macs(layer, tuple(call.inputs[0].shape[1:]))
    elif len(shape) == 3:
        fields = tuple(_field(call, reads, found, axis) for axis in (0, 1))
    return Step(
        name=call.name,
        kind=type(layer).__name__,
        layer=layer,
        reads=reads,
        shape=shape,
        parameters=parameters,
        macs=macs,
        activation_bytes=tensor_bytes(call.outputs),
        fields=None if fields is None or None in fields else fields,
    )


def _field(call, reads, found, axis):
    """Return what a neuron of the result sees along one axis: the union over what is read."""
    seen = []
    maps = max((len(t.shape) for t in call.inputs), default=0)
    largest = max((math.prod(t.shape[1:3]) for t in call.inputs if len(t.shape) == maps), default=1)
    for number in reads:
        source = found[number] if number >= 0 else None
        if source is not None and math.prod(source.side) < largest:
            continue  # a gate: one number per map, which shows no place
        field_ = source.fields[axis] if source and source.fields else None
        seen.append(Field(0, 1, 1) if source is None else field_)
    if not seen or None in seen or len({f.jump for f in seen}) > 1:
        return None
    start = min(f.start for f in seen)
    size = max(f.start + f.size for f in seen) - start
    field_ = Field(start, size, seen[0].jump)
    return through(call.operation, call.inputs[0].shape, call.outputs[0].shape, field_, axis)
