"""A block of a network as a graph: boxes for layers, lines for what flows between them."""

from dataclasses import dataclass, field

import matplotlib.pyplot as plt
from cnncourse.plotting.network import in_words
from cnncourse.plotting.style import COLOURS
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch
from matplotlib.path import Path

_TAILS = ("BatchNormalization", "Activation", "ReLU", "Relu", "Silu", "Dropout", "Softmax")
_MERGES = ("Add", "Concatenate", "Multiply", "Average", "Maximum")
FILLS = {"conv": "#D3E6F5", "pool": "#FBE3C0", "merge": "#D5EFE3", "other": "#EEEEEE"}
_WIDTH, _HEIGHT = 2.05, 0.62  # of a box, in inches


@dataclass
class _Box:
    """What is drawn as one box: a layer with what follows it alone."""

    lines: list[str]
    fill: str
    reads: list[int]
    rank: int = 0
    x: float = 0
    waypoint: bool = False
    tails: list[str] = field(default_factory=list)


def block(steps, title: str = "", shapes: bool = True) -> Figure:
    """Draw the steps of a block as a graph, from the input at the top to the result at the bottom.

    Normalisation and activation are written into the box of the layer that they follow. Additions
    and concatenations are round: paths meet there.

    Args:
        steps: from `anatomy.steps`; up to about 40.
        title: above the graph.
        shapes: whether each box tells the shape of its result and its parameters.

    Raises:
        ValueError: if there is no step.
    """
    steps = list(steps)
    if not steps:
        raise ValueError("steps is empty; accepted: the steps of a network or of a block")
    boxes = _route(_rank(_boxes(steps, shapes)))
    ranks = _arrange(boxes)
    across, down = max(map(len, ranks)), len(ranks)
    size = (max(across * (_WIDTH + 0.3), 3), down * (_HEIGHT + 0.33) + 0.35 * bool(title) + 0.1)
    fig, ax = plt.subplots(figsize=size, layout="none")
    fig.subplots_adjust(0.01, 0.01, 0.99, 0.99 - 0.35 * bool(title) / size[1])
    ax.axis("off")
    if title:
        ax.set_title(title, fontweight="bold", fontsize=11)
    half = across * (_WIDTH + 0.3) / 2
    ax.set(xlim=(-half, half), ylim=(down * (_HEIGHT + 0.33), 0))
    for box in boxes:
        for number in box.reads:
            _line(ax, boxes[number], box)
    for box in boxes:
        if not box.waypoint:
            _draw(ax, box)
    return fig


def _boxes(steps, shapes):
    """Turn steps into boxes; box 0 is the input."""
    boxes, home = [_Box(["input"], "other", [])], {-1: 0}
    readers = [number for step in steps for number in step.reads]
    for i, step in enumerate(steps):
        source = step.reads[0] if step.reads else -1
        alone = len(step.reads) == 1 and readers.count(source) == 1 and source >= 0
        box = boxes[home[source]]
        if alone and step.kind in _TAILS and box.fill != "other":
            box.tails.append(_short(step))
            home[i] = home[source]
            continue
        home[i] = len(boxes)
        lines = [layer_words(step)]
        if shapes:
            cost = f" · {in_words(step.parameters)} par." if step.parameters else ""
            lines.append(" × ".join(map(str, step.shape)) + cost)
        boxes.append(_Box(lines, kind_fill(step.kind), sorted({home[n] for n in step.reads})))
    return boxes


def kind_fill(kind):
    """Return which of `FILLS` a step of this kind has."""
    if "Conv" in kind or kind == "Dense":
        return "conv"
    if "Pooling" in kind:
        return "pool"
    return "merge" if kind in _MERGES else "other"


def _short(step):
    names = {"BatchNormalization": "BN", "Relu": "ReLU", "Silu": "SiLU"}
    if step.kind == "Activation":
        name = getattr(step.layer.activation, "__name__", "activation")
        return {"relu": "ReLU", "silu": "SiLU"}.get(name, name)
    return names.get(step.kind, step.kind)


def layer_words(step):
    """Describe a layer in a few words: what its paper's figure would say."""
    window = getattr(step.layer, "kernel_size", None) or getattr(step.layer, "pool_size", None)
    words = [f"{window[0]}×{window[1]}"] if window and len(window) == 2 else []
    kinds = {"Conv2D": "conv", "SeparableConv2D": "separable", "DepthwiseConv2D": "depthwise"}
    kinds |= {"MaxPooling2D": "max pool", "AveragePooling2D": "avg pool", "Add": "+"}
    kinds |= {"GlobalAveragePooling2D": "global avg pool", "Multiply": "×"}
    words.append(kinds.get(step.kind, step.kind))
    if step.kind in ("Conv2D", "SeparableConv2D", "Dense"):
        words.append(str(step.shape[-1]))
    if (groups := getattr(step.layer, "groups", 1)) > 1:
        words.append(f"in {groups} groups")
    strides = getattr(step.layer, "strides", (1, 1))
    if not isinstance(strides, int) and max(strides) > 1:
        words.append(f"/{max(strides)}")
    activation = getattr(getattr(step.layer, "activation", None), "__name__", "linear")
    named = "" if activation == "linear" or step.kind == "Activation" else f" · {activation}"
    return " ".join(words) + named.replace("relu", "ReLU")


def _rank(boxes):
    """Put each box one row below the lowest of those that it reads."""
    for box in boxes:
        box.rank = 1 + max((boxes[n].rank for n in box.reads), default=-1)
    return boxes


def _route(boxes):
    """Give a line over several rows a place in each of them."""
    for box in list(boxes):
        for k, number in enumerate(box.reads):
            for rank in range(boxes[number].rank + 1, box.rank):
                boxes.append(_Box([], "", [number], rank, waypoint=True))
                number = len(boxes) - 1
            box.reads[k] = number
    return boxes


def _arrange(boxes):
    """Order each row so that few lines cross, and set every box's x."""
    ranks = [[] for _ in range(1 + max(box.rank for box in boxes))]
    for i, box in enumerate(boxes):
        ranks[box.rank].append(i)
    readers = {i: [j for j, box in enumerate(boxes) if i in box.reads] for i in range(len(boxes))}

    def spread(row):
        for k, i in enumerate(row):
            boxes[i].x = (k - (len(row) - 1) / 2) * (_WIDTH + 0.3)

    for row in ranks:
        spread(row)
    for sweep in range(6):
        down = sweep % 2 == 0
        for row in ranks if down else reversed(ranks):
            near = {i: boxes[i].reads if down else readers[i] for i in row}
            row.sort(
                key=lambda i: (
                    sum(boxes[n].x for n in near[i]) / len(near[i]) if near[i] else boxes[i].x
                )
            )
            spread(row)
    return ranks


def _y(box):
    return box.rank * (_HEIGHT + 0.33) + _HEIGHT / 2 + 0.08


def _line(ax, start, end):
    top, bottom = _y(start) + _HEIGHT / 2, _y(end) - _HEIGHT / 2
    middle = (top + bottom) / 2
    path = Path(
        [(start.x, top), (start.x, middle), (end.x, middle), (end.x, bottom)],
        [Path.MOVETO, Path.CURVE4, Path.CURVE4, Path.CURVE4],
    )
    style = "-" if end.waypoint else "-|>,head_width=2,head_length=4"
    ax.add_patch(FancyArrowPatch(path=path, arrowstyle=style, color="0.35", lw=1.2, shrinkB=0))
    if end.waypoint:  # on through the row
        ax.plot([end.x] * 2, [bottom, bottom + _HEIGHT], color="0.35", lw=1.2)


def _draw(ax, box):
    rounding = 0.28 if box.fill == "merge" else 0.06
    left, top = box.x - _WIDTH / 2, _y(box) - _HEIGHT / 2
    style = f"round,pad=0,rounding_size={rounding}"
    patch = FancyBboxPatch(
        (left, top), _WIDTH, _HEIGHT, boxstyle=style, fc=FILLS[box.fill], ec=COLOURS[0]
    )
    ax.add_patch(patch)
    words, tails = box.lines[0], " · ".join(box.tails)
    one_line = not tails or len(words) + len(tails) <= 24  # letters of 9 points
    lines = [f"{words} · {tails}" if tails else words] if one_line else [words, tails]
    black = len(lines)
    lines += box.lines[1:]
    for k, text in enumerate(lines):
        y = _y(box) + (k - (len(lines) - 1) / 2) * (0.24 if len(lines) < 3 else 0.18)
        grey = "black" if k < black else "0.3"
        size = min(9, 240 / max(len(text), 1))  # long texts have to fit the box
        ax.text(box.x, y, text, ha="center", va="center", fontsize=size, color=grey)
