"""How maps become maps: drawings of regular, depthwise and pointwise convolution."""

import matplotlib.pyplot as plt
from cnncourse.plotting.style import COLOURS
from matplotlib.figure import Figure
from matplotlib.patches import Polygon

_SIDE, _STEP = 1.0, 0.42  # of a map, and from one map of a stack to the next
_SLANT = (0.36, 0.26)  # where the far side of a map lies: a map is drawn lying down


def convolution_steps() -> Figure:
    """Draw three maps that become four: by a regular convolution, and by the two separable steps.

    Colour and a letter say which filter is at work; all of its weights meet in one output value.
    """
    fig, axes = plt.subplots(1, 3, figsize=(9, 2.6))
    _regular(axes[0])
    _depthwise(axes[1])
    _pointwise(axes[2])
    for ax in axes:
        ax.set_aspect("equal")
        ax.axis("off")
        ax.set(xlim=(-0.1, 4.0), ylim=(-0.1, 2.6))
    return fig


def _map(ax, x, y, fill="#F4F4F4"):
    """Draw one map lying down, its near left corner at (x, y)."""
    _tile(ax, x, y, 0, 0, 1, 1, fill, "#777777")


def _tile(ax, x, y, left, near, width, depth, fill, edge):
    """Draw a piece of a map; all sizes are fractions of its sides."""
    corners = ((0, 0), (width, 0), (width, depth), (0, depth))
    points = [(left + across, near + away) for across, away in corners]
    placed = [(x + a * _SIDE + b * _SLANT[0], y + 2 * b * _SLANT[1]) for a, b in points]
    ax.add_patch(Polygon(placed, facecolor=fill, edgecolor=edge, linewidth=0.9))


def _middle(x, y, left, near, size):
    """Return where the middle of a piece is."""
    across, away = left + size / 2, near + size / 2
    return x + across * _SIDE + away * _SLANT[0], y + 2 * away * _SLANT[1]


def _link(ax, start, end, colour):
    ax.annotate("", end, start, arrowprops={"arrowstyle": "-|>", "color": colour, "lw": 1.1})


def _stack(ax, x, count, size, colours, letters):
    """Draw maps above each other with a window in each; return the windows' middles."""
    middles = []
    for i in range(count):
        y = i * _STEP * 1.5
        _map(ax, x, y)
        if colours[i]:
            _tile(ax, x, y, 0.35, 0.3, size, size, colours[i], "black")
            middles.append(_middle(x, y, 0.35, 0.3, size))
            ax.text(x + _SIDE + 0.38, y + 0.25, letters[i], fontsize=9)
    return middles


def _regular(ax):
    sources = _stack(ax, 0.2, 3, 0.4, [COLOURS[0]] * 3, "aaa")
    targets = _stack(ax, 2.4, 4, 0.14, [None, None, COLOURS[0], None], ["", "", "a", ""])
    for source in sources:
        _link(ax, source, targets[0], COLOURS[0])
    ax.set_title("regular: 4 filters of 3×3×3", fontsize=10)


def _depthwise(ax):
    colours = [COLOURS[0], COLOURS[1], COLOURS[2]]
    sources = _stack(ax, 0.2, 3, 0.4, colours, "abc")
    targets = _stack(ax, 2.4, 3, 0.14, colours, "abc")
    for source, target, colour in zip(sources, targets, colours, strict=True):
        _link(ax, source, target, colour)
    ax.set_title("1 · depthwise: 3 filters of 3×3", fontsize=10)


def _pointwise(ax):
    sources = _stack(ax, 0.2, 3, 0.14, [COLOURS[3]] * 3, "ddd")
    targets = _stack(ax, 2.4, 4, 0.14, [None, None, COLOURS[3], None], ["", "", "d", ""])
    for source in sources:
        _link(ax, source, targets[0], COLOURS[3])
    ax.set_title("2 · pointwise: 4 filters of 1×1×3", fontsize=10)
