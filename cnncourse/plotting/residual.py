"""Residual networks: the whole stack with its skips, and what arrives behind each block."""

from dataclasses import dataclass
from itertools import groupby

import matplotlib.pyplot as plt
from cnncourse.plotting.block import FILLS, kind_fill, layer_words
from cnncourse.plotting.style import COLOURS, DPI
from matplotlib.figure import Figure
from matplotlib.patches import Circle, FancyArrowPatch, FancyBboxPatch, Rectangle
from matplotlib.path import Path

# Inches. Whole pixels at the course's resolution: equal boxes have equal pixels, and the picture
# takes a third less to store.
_WIDTH, _HEIGHT, _GAP = 118 / DPI, 24 / DPI, 12 / DPI  # of a box, and below it
_JOIN = 33 / DPI  # below a unit's last box: room for the addition
_COLUMN, _TOP, _BOTTOM, _LEFT = 171 / DPI, 56 / DPI, 36 / DPI, 9 / DPI
_TITLE = 27 / DPI
_LINE = "0.35"
_DASHED = {"color": COLOURS[1], "linestyle": (0, (4, 2)), "lw": 1.6}
_SOLID = {"color": _LINE, "lw": 1.2}


@dataclass
class _Part:
    """A residual unit, or a layer outside of all units."""

    boxes: list
    halves: bool
    skip: dict | None = None  # how its line is drawn

    @property
    def height(self):
        """With the room below."""
        return len(self.boxes) * (_HEIGHT + _GAP) + (_JOIN - _GAP if self.skip else 0)


def skips(steps, title: str = "") -> Figure:
    """Draw a residual network: every layer that has weights or pools, and every skip.

    A skip is a solid line where the input is added as it is, and a dashed one where it goes through
    a projection. Each unit that changes the side of the maps begins a new column. Normalisation and
    activation are not drawn.

    Args:
        steps: from `anatomy.steps`. The parts of a unit share what stands before the slash of
            their names.
        title: above the columns.

    Raises:
        ValueError: if there is no unit that adds what comes in to what goes out.
    """
    columns = [[]]
    for part in _parts(list(steps)):
        if part.skip and part.halves:
            columns.append([])
        columns[-1].append(part)
    if not any(part.skip for column in columns for part in column):
        raise ValueError("steps has no unit with an addition; accepted: those of a residual net")
    tallest = max(sum(part.height for part in column) for column in columns)
    size = (_COLUMN * len(columns), _TOP + tallest + _BOTTOM + _TITLE * bool(title))
    fig = plt.figure(figsize=size, layout="none")
    ax = fig.add_axes((0, 0, 1, 1 - _TITLE * bool(title) / size[1]))
    ax.set(xlim=(0, size[0]), ylim=(_TOP + tallest + _BOTTOM, 0))
    ax.axis("off")
    if title:
        fig.suptitle(title, fontweight="bold", fontsize=11)
    for number, column in enumerate(columns):
        _column(ax, number * _COLUMN + _LEFT + _WIDTH / 2, column, number + 1 < len(columns))
    _legend(ax, _TOP + tallest + _BOTTOM / 2)
    return fig


def _parts(steps):
    """Group the steps into units and single layers, and look at what each addition reads."""
    found = []
    for _, group in groupby(range(len(steps)), lambda i: steps[i].name.split("/")[0]):
        group = list(group)
        boxes, skip = group, None
        if len(group) > 1 and (sums := [i for i in group if steps[i].kind == "Add"]):
            paths = [_path(steps, number, group[0]) for number in steps[sums[-1]].reads]
            around, boxes = sorted(paths, key=len)
            skip = _DASHED if around else _SOLID
        boxes = [steps[i] for i in boxes if kind_fill(steps[i].kind) in ("conv", "pool")]
        before = steps[group[0]].reads[0] if steps[group[0]].reads else -1
        halves = before >= 0 and steps[before].side != steps[group[-1]].side
        found.append(_Part(boxes, halves, skip))
    return found


def _path(steps, number, first):
    """Return the steps from the unit's first one to `number`."""
    path = []
    while number >= first:
        path.insert(0, number)
        number = steps[number].reads[0]
    return path


def _column(ax, x, parts, goes_on):
    """Draw one column, and the way to the next."""
    shape = [part.boxes[-1].shape for part in parts if part.skip][-1]
    words = " × ".join(map(str, shape))
    ax.text(x, 0.14, words, ha="center", va="center", fontsize=9, color="0.3")
    y = _TOP
    for part in parts:
        top = y - _GAP / 2
        for step in part.boxes:
            _box(ax, x, y, step)
            y += _HEIGHT + _GAP
        if part.skip:
            _skip(ax, x, top, y, part.skip)
            y += _JOIN - _GAP
    end = y - _GAP / 2 if goes_on else y - _GAP - _HEIGHT
    points = [(x, _TOP - 0.26), (x, end)]
    if goes_on:
        over, turn = x + _COLUMN, x + _WIDTH / 2 + 0.37
        points += [(turn, end), (turn, _TOP - 0.26), (over, _TOP - 0.26)]
    ax.plot(*zip(*points, strict=True), **_SOLID, zorder=0)


def _box(ax, x, y, step):
    style = "round,pad=0,rounding_size=0.05"
    fill, left = FILLS[kind_fill(step.kind)], x - _WIDTH / 2
    ax.add_patch(FancyBboxPatch((left, y), _WIDTH, _HEIGHT, boxstyle=style, fc=fill, ec=COLOURS[0]))
    words = layer_words(step).split(" · ")[0]
    ax.text(x, y + _HEIGHT / 2, words, ha="center", va="center", fontsize=8.5)


def _skip(ax, x, top, bottom, look):
    """Draw the way around a unit, and the addition where it ends."""
    out = x + _WIDTH / 2 + 0.16
    path = Path([(x, top), (out, top), (out, bottom), (x + 0.07, bottom)])
    ax.add_patch(FancyArrowPatch(path=path, arrowstyle="-|>", mutation_scale=8, shrinkB=0, **look))
    ax.add_patch(Circle((x, bottom), 0.07, fc=FILLS["merge"], ec=COLOURS[0]))
    ax.plot([x - 0.04, x + 0.04], [bottom] * 2, color="black", lw=0.9)
    ax.plot([x] * 2, [bottom - 0.04, bottom + 0.04], color="black", lw=0.9)


def _legend(ax, y):
    for x, look, words in (
        (0.1, _SOLID, "the input is added as it is"),
        (2.8, _DASHED, "through a 1×1 convolution: the sizes differ"),
    ):
        ax.plot([x, x + 0.5], [y, y], **look)
        ax.text(x + 0.6, y, words, va="center", fontsize=9)


def signals(rows, asleep=(), full: float | None = None) -> Figure:
    """Draw stacks of blocks in a row, and below them how much arrives behind each block.

    Blocks that are asleep are grey and hatched. Where nothing arrives the line is dotted.

    Args:
        rows: {name: values}: what arrives before the first block, then behind each; finite and not
            negative. The skips are drawn in rows whose name begins with `residual`.
        asleep: numbers of the blocks that do nothing, counted from 1.
        full: value of the longest bar, the largest value by default. Figures to be compared need
            the same.

    Raises:
        ValueError: if the rows have not all the same number of values, two at least, or a block
            that sleeps does not exist.

    Returns:
        The figure, 7.6 inches wide.
    """
    count = len(next(iter(rows.values()), ())) - 1
    if count < 1 or any(len(values) != count + 1 for values in rows.values()):
        lengths = [len(values) for values in rows.values()]
        raise ValueError(f"rows has {lengths} values; accepted: equally many, two at least")
    if unknown := [number for number in asleep if not 1 <= number <= count]:
        raise ValueError(f"asleep has {unknown[0]}; accepted: numbers from 1 to {count}")
    fig, axes = plt.subplots(len(rows), 1, figsize=(7.6, 1.75 * len(rows)), squeeze=False)
    full = full or max(map(max, rows.values()))
    for ax, (name, values) in zip(axes[:, 0], rows.items(), strict=True):
        ax.set(xlim=(-0.45, count + 0.35), ylim=(-1.05, 0.75))
        ax.axis("off")
        ax.text(-0.45, 0.62, name, fontweight="bold", va="center")
        for place, value in enumerate(values):
            _arrival(ax, place, value, full)
        for number in range(1, count + 1):
            _block(ax, number, number in asleep, name.startswith("residual"))
    return fig


def _arrival(ax, place, value, full):
    """Draw the line from one block to the next, and the bar that says how much flows there."""
    look = {"color": COLOURS[0], "lw": 3} if value else {"color": "0.5", "lw": 1.2, "ls": ":"}
    ax.plot([place - 0.25, place + 0.25], [0, 0], solid_capstyle="butt", zorder=0, **look)
    height = 0.52 * value / full
    ax.add_patch(Rectangle((place - 0.12, -0.78), 0.24, height, fc=COLOURS[5], ec=COLOURS[0]))
    ax.text(place, -0.93, f"{value:.2f}" if value else "0", ha="center", va="center", fontsize=9)


def _block(ax, number, sleeps, skip):
    """Draw the block before place `number`, and the way around it if there is one."""
    x = number - 0.5
    look = {"fc": "0.85", "ec": "0.5", "hatch": "////"} if sleeps else {"fc": FILLS["conv"]}
    ax.add_patch(Rectangle((x - 0.25, -0.22), 0.5, 0.44, **{"ec": COLOURS[0], **look}))
    words = {"color": "0.4", "fontsize": 8} if sleeps else {"fontsize": 9}
    box = {"facecolor": "white", "edgecolor": "none", "pad": 1} if sleeps else None
    ax.text(x, 0, "asleep" if sleeps else number, ha="center", va="center", bbox=box, **words)
    if skip:
        path = Path([(x - 0.38, 0), (x - 0.38, 0.4), (x + 0.38, 0.4), (x + 0.38, 0.02)])
        look = {"color": COLOURS[0], "lw": 3} if sleeps else _SOLID
        ax.add_patch(FancyArrowPatch(path=path, arrowstyle="-|>", mutation_scale=8, **look))
