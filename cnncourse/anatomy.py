"""Take a Keras network apart: every layer and operation in order, what it costs and what it sees.

The network is run once on shapes alone (`trace`): the result is one flat list of steps that says
for each which steps it reads. `stages` groups them into the rows that a paper's table would have.
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
        part: the outermost layer of the network that it is a part of; itself if of none.
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
    part: object
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

    @property
    def mixes(self) -> bool:
        """Whether each of its maps is made of all maps; pooling and depthwise do not do that."""
        return self.macs > 0 and self.kind != "DepthwiseConv2D"

    @property
    def label(self) -> str | None:
        """The beginning of its part's name up to the first number; None for Keras' own names."""
        name, kind = self.part.name, type(self.part).__name__
        if re.sub(r"_\d+$", "", name).replace("_", "") == kind.lower():
            return None
        numbered = re.match(r"\D*\d+[a-z]*(?![a-zA-Z0-9])", name)
        return numbered[0] if numbered else name


@dataclass
class Stage:
    """Units in a row whose results have one shape.

    Attributes:
        name: of its units, such as `conv2` or `block2a–b`; `stage 3` where they have none.
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
    """Group the steps of a network into the rows of its paper's table.

    A stage is a run of units whose results have one shape: what its last unit gives. Never cut,
    and so a unit, are a layer made of others; layers whose names begin alike up to the first
    number, such as `block1_conv1` and `block1_conv2`; and what stands between a fork and the join
    of its paths. Any other layer is a unit of its own.

    Pooling, padding and depthwise convolutions make no new maps. They begin the stage of the unit
    after them, as the max pooling in row conv2 of ResNet's table. What comes after the last map is
    the last stage, the head.

    Args:
        model: as in `steps`.
        input_shape: as in `steps`.

    >>> import keras
    >>> parts = [keras.layers.Conv2D(8, 3), keras.layers.MaxPooling2D(), keras.layers.Conv2D(9, 3)]
    >>> net = keras.Sequential([keras.Input((10, 10, 1)), *parts, keras.layers.Flatten()])
    >>> [(stage.name, stage.shape) for stage in stages(net)]
    [('stage 1', (8, 8, 8)), ('stage 2', (2, 2, 9)), ('head', (36,))]
    """
    found = steps(model, input_shape)
    before = []  # for each step, itself and all that it depends on
    for i, step in enumerate(found):
        before.append({i}.union(*(before[j] for j in step.reads if j >= 0)))
    main = max(before, key=len)  # without auxiliary heads
    units = _units(found, sorted(main))
    end = max((n for n, unit in enumerate(units, 1) if unit[-1].side != (1, 1)), default=0)
    groups = _runs(units[:end])
    named = [Stage(_title(group, i), group) for i, group in enumerate(groups, 1)]
    if end < len(units):
        named.append(Stage("head", [step for unit in units[end:] for step in unit]))
    named[-1].steps += [step for i, step in enumerate(found) if i not in main]
    return named


def _units(found, numbers):
    """Cut the steps with these numbers into units."""
    last_reader = {j: i for i in numbers for j in found[i].reads}
    spans, latest, needed_until = [], -1, -1
    for i in numbers:
        if i > needed_until:  # all that comes reads nothing from before the latest result
            spans.append([])
        spans[-1].append(found[i])
        needed_until = max(needed_until, last_reader.get(latest, -1))
        latest = i
    units = []
    for span in spans:
        height = span[-1].side[0]
        grows = any(step.side[0] < height and step.side != (1, 1) for step in span)
        for piece in [[step] for step in span] if grows else [span]:  # a U-Net is no unit
            if units and _belong_together(units[-1][-1], piece[0]):
                units[-1] += piece
            else:
                units.append(piece)
    return units


def _belong_together(step, following):
    if step.part is following.part:
        return True
    alike = step.label is not None and step.label == following.label
    return alike and "Pooling" not in following.kind


def _runs(units):
    """Join units in a row with results of one shape; what makes no maps goes to the next unit."""
    runs, begun = [], []
    for unit in units:
        begun = begun + unit
        shape = runs[-1][-1].shape if runs else None
        keeps = all(s.shape == shape and s.kind != "DepthwiseConv2D" for s in begun)
        if keeps or (begun[-1].shape == shape and any(step.mixes for step in begun)):
            runs[-1] += begun
        elif any(step.mixes for step in begun):
            runs.append(begun)
        else:
            continue
        begun = []
    return [*runs, begun] if begun else runs


def _title(group, number):
    """Return the name that most of a stage's steps have, from the first to the last of its kind."""
    mixing = [step for step in group if step.mixes]
    if not mixing and any("Pooling" in step.kind for step in group):
        return "pooling"
    labels = [step.label for step in mixing if step.label]
    labels = labels or [step.label for step in group if step.label]
    if not labels:
        return f"stage {number}"
    ((word, _),) = Counter(_word(label) for label in labels).most_common(1)
    alike = [re.split(r"(\d+)", label) for label in labels if _word(label) == word]
    first, last = alike[0], alike[-1]
    if first == last:
        return "".join(first)
    same = sum(a == b for a, b in zip(first[:2], last, strict=False))
    return "".join(first) + "–" + "".join(last[same:])


def _word(label):
    return re.split(r"\d", label)[0]


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
        part=call.part,
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
