"""A tall network as a stack of boxes that is folded into columns: read down, then on at the top."""

from itertools import groupby

import matplotlib.pyplot as plt
from cnncourse.plotting.block import FILLS, kind_fill, layer_words
from cnncourse.plotting.network import in_words
from cnncourse.plotting.style import COLOURS
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch, Polygon

_WIDTH, _HEIGHT, _GAP, _LEFT = 2.3, 0.5, 0.2, 0.4  # inches


def folded(steps, columns: int = 3, title: str = "") -> Figure:
    """Draw a network with nothing left out: every layer or module is one box.

    Steps that belong to one layer made of others (their names share what stands before the slash)
    become one box, marked with a spinning top. Each box tells the shape of its result and its
    parameters.

    Args:
        steps: from `anatomy.steps`.
        columns: into which the stack is folded.
        title: above the columns.

    Raises:
        ValueError: if there is no step, or `columns` is not positive.
    """
    steps = list(steps)
    if not steps:
        raise ValueError("steps is empty; accepted: the steps of a network")
    if columns < 1:
        raise ValueError(f"columns is {columns}; accepted: a positive integer")
    boxes = [list(group) for _, group in groupby(steps, lambda step: step.name.split("/")[0])]
    rows = -(-len(boxes) // columns)
    size = (columns * (_WIDTH + _LEFT), rows * (_HEIGHT + _GAP) + 0.3 + 0.35 * bool(title))
    fig = plt.figure(figsize=size, layout="none")
    ax = fig.add_axes((0, 0, 1, 1 - 0.35 * bool(title) / size[1]))
    ax.set(xlim=(0, size[0]), ylim=(rows * (_HEIGHT + _GAP) + 0.15, -0.15))
    ax.axis("off")
    if title:
        fig.suptitle(title, fontweight="bold", fontsize=11)
    for number, group in enumerate(boxes):
        column, row = divmod(number, rows)
        _box(ax, group, column * (_WIDTH + _LEFT) + _LEFT / 2, row * (_HEIGHT + _GAP))
        if number + 1 < len(boxes):
            _onward(ax, column, row, rows)
    return fig


def _box(ax, group, x, y):
    last, single = group[-1], len(group) == 1
    fill = FILLS[kind_fill(last.kind)] if single else "#E9D8EE"
    style = "round,pad=0,rounding_size=0.06"
    ax.add_patch(FancyBboxPatch((x, y), _WIDTH, _HEIGHT, boxstyle=style, fc=fill, ec=COLOURS[0]))
    name = layer_words(last) if single else last.name.split("/")[0].replace("_", " ")
    name = name.replace("LocalResponseNormalization", "LRN")
    parameters = sum(step.parameters for step in group)
    cost = f" · {in_words(parameters)} par." if parameters else ""
    shape = " × ".join(f"{n:,}" for n in last.shape)
    for k, text in enumerate((name, shape + cost)):
        at = (x + _WIDTH / 2, y + _HEIGHT * (0.32 + 0.4 * k))
        ax.text(*at, text, ha="center", va="center", fontsize=9 - k, color="0.3" if k else "black")
    if not single:
        _spinning_top(ax, x + 0.2, y + 0.16)


def _spinning_top(ax, x, y):
    """Draw a small top, standing on its point."""
    points = [(0, 0.11), (-0.11, -0.02), (-0.02, -0.05), (-0.02, -0.11)]
    points += [(-x, y) for x, y in reversed(points[1:])]
    ax.add_patch(Polygon([(x + a, y + b) for a, b in points], fc=COLOURS[1], lw=0))


def _onward(ax, column, row, rows):
    """Draw the line from one box to the next, which may stand at the top of the next column."""
    x, y = column * (_WIDTH + _LEFT) + _LEFT / 2 + _WIDTH / 2, row * (_HEIGHT + _GAP) + _HEIGHT
    style = {"color": "0.35", "lw": 1.2}
    if row + 1 < rows:
        ax.annotate("", (x, y + _GAP), (x, y), arrowprops={"arrowstyle": "-|>", **style})
        return
    right, across = (column + 1) * (_WIDTH + _LEFT), x + _WIDTH + _LEFT
    below, above = y + 0.08, -0.1
    ax.plot([x, x, right, right, across], [y, below, below, above, above], **style)
    ax.annotate("", (across, 0), (across, above), arrowprops={"arrowstyle": "-|>", **style})
