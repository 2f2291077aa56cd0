"""Drawings of chapter 02: local fields, padded rows, receptive fields."""

from collections.abc import Sequence

import matplotlib as mpl
import matplotlib.pyplot as plt
from cnncourse.plotting.style import COLOURS
from matplotlib.patches import Polygon, Rectangle

BLUE, ORANGE, GREEN = COLOURS[:3]
LEVELS = (COLOURS[5], COLOURS[4], COLOURS[2], COLOURS[3])  # a colour per layer
GREY, PALE = "0.6", "0.93"


def local_fields(size: int = 10, kernel_size: int = 3) -> mpl.figure.Figure:
    """Draw an image and two convolutional layers as sheets, with one neuron's fields linked.

    The neuron in the upper layer reads a kernel-sized patch of the lower layer, whose neurons
    together read a larger patch of the image.

    Args:
        size: cells per side of the image; each layer loses `kernel_size - 1` ("valid", stride 1).
        kernel_size: side of both kernels.

    Returns:
        The figure.

    Raises:
        ValueError: if a number is not a positive integer, or the image is too small.
    """
    positive(size=size, kernel_size=kernel_size)
    if size < 2 * kernel_size - 1:
        raise ValueError(f"size is {size}; accepted: at least {2 * kernel_size - 1}")
    fig, ax = plt.subplots(figsize=(5.4, 3.6))
    shrink = kernel_size - 1
    names = ("image", "feature map of layer 1", "feature map of layer 2")
    start = (size - 2 * shrink) // 2  # row and column of the chosen neuron in layer 2
    widths = (1 + 2 * shrink, kernel_size, 1)
    for level, (name, width) in enumerate(zip(names, widths, strict=True)):
        cells = size - level * shrink
        offset = level * shrink / 2  # centre the smaller sheets above the larger ones
        _sheet(ax, level, offset, cells)
        corners = _patch(level, offset, start, start, width)
        ax.add_patch(Polygon(corners, facecolor=(ORANGE, BLUE, GREEN)[level], alpha=0.75, zorder=3))
        ax.text(*_project(level, offset - 0.9, size / 2), name, ha="right", va="center")
        if level:
            below = _patch(level - 1, offset - shrink / 2, start, start, widths[level - 1])
            above = _patch(level, offset, start, start, width)
            for (x0, y0), (x1, y1) in zip(above, below, strict=True):
                ax.plot([x0, x1], [y0, y1], color="black", lw=0.8, ls=":", zorder=4)
    ax.set_aspect("equal")
    ax.set_axis_off()
    ax.autoscale_view()
    return fig


def positive(**values) -> None:
    """Raise a ValueError that names the first value that is not a positive integer."""
    for name, value in values.items():
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            raise ValueError(f"{name} is {value!r}; accepted: a positive integer")


def _project(level, column, row):
    """Return where (column, row) of the sheet at this level lies on the page."""
    return column + 0.55 * (10 - row), 0.38 * (10 - row) + 4.6 * level


def _patch(level, offset, row, column, width):
    """Return the four corners of a square patch of one sheet, on the page."""
    r, c = row + offset, column + offset
    around = ((c, r), (c + width, r), (c + width, r + width), (c, r + width))
    return [_project(level, column, row) for column, row in around]


def _sheet(ax, level, offset, cells):
    """Draw one sheet of cells × cells neurons."""
    ax.add_patch(
        Polygon(_patch(level, offset, 0, 0, cells), facecolor="white", edgecolor="black", zorder=1)
    )
    for i in range(1, cells):
        for a, b in (((i, 0), (i, cells)), ((0, i), (cells, i))):
            line = [_project(level, offset + c, offset + r) for c, r in (a, b)]
            ax.plot(*zip(*line, strict=True), color=GREY, lw=0.5, zorder=2)


def padding_rows(
    size: int, kernel_size: int, strides: int, same: tuple[int, int]
) -> mpl.figure.Figure:
    """Draw one row of an image and the fields that read it, without and with zero padding.

    Columns that no field reads are hatched grey. Padding zeros are dashed squares holding a 0;
    where they cannot be split evenly, the odd one carries a star.

    Args:
        size: number of columns.
        kernel_size: width of each field.
        strides: step between fields.
        same: zeros (before, after) that "same" padding adds: `cost.same_padding` gives them.

    Returns:
        The figure: "valid" above, "same" below.

    Raises:
        ValueError: if a number is not a positive integer, or the kernel is wider than the row.
    """
    positive(size=size, kernel_size=kernel_size, strides=strides)
    if kernel_size > size:
        raise ValueError(f"kernel_size is {kernel_size}; accepted: at most size, {size}")
    outputs = [(size + sum(zeros) - kernel_size) // strides + 1 for zeros in ((0, 0), same)]
    total = size + sum(same)
    heights = [1.6 + 0.34 * n for n in outputs]
    fig, axes = plt.subplots(
        2,
        1,
        figsize=(max(5.2, 0.46 * total + 1.2), 0.42 * sum(heights) + 0.9),
        height_ratios=heights,
    )
    for ax, name, zeros, n in zip(axes, ("valid", "same"), ((0, 0), same), outputs, strict=True):
        _row(ax, size, kernel_size, strides, zeros, n)
        ax.set_xlim(-same[0] - 0.2, size + same[1] + 0.2)
        ignored = size - (n - 1) * strides - kernel_size
        note = f"{ignored} ignored"
        if name == "same":
            star = " (* the odd one)" if zeros[0] != zeros[1] else ""
            note = f"zeros: {zeros[0]} left, {zeros[1]} right{star}"
        case = f'"{name}": {size} columns, kernel {kernel_size}, stride {strides}'
        ax.set_title(f"{case} → {n} outputs; {note}", fontsize=9, loc="left")
    return fig


def _row(ax, size, kernel_size, strides, zeros, outputs):
    """Draw one row of columns with its padding, and a bracket under each field."""
    before, after = zeros
    end = (outputs - 1) * strides + kernel_size - before  # first column past the last field
    for c in range(-before, size + after):
        padded, ignored = c < 0 or c >= size, c >= end
        face = "white" if padded else PALE if ignored else COLOURS[5]
        ax.add_patch(
            Rectangle(
                (c + 0.04, 0),
                0.92,
                0.92,
                facecolor=face,
                edgecolor="0.8" if ignored else "black",
                linestyle="--" if padded else "-",
                hatch="//" if ignored else None,
                lw=0.9,
            )
        )
        odd = padded and c == size + after - 1 and after > before
        label = "0*" if odd else "0" if padded else f"$x_{{{c}}}$"
        ax.text(c + 0.5, 0.44, label, ha="center", va="center", color="0.4" if ignored else "black")
    for n in range(outputs):
        left, y = n * strides - before, -0.28 - 0.34 * n
        ax.plot(
            [left + 0.08, left + 0.08, left + kernel_size - 0.08, left + kernel_size - 0.08],
            [y + 0.14, y, y, y + 0.14],
            color=COLOURS[n % 3],
            lw=1.6,
        )
    ax.set_ylim(-0.34 * outputs - 0.25, 1.1)
    ax.set_axis_off()


def receptive_field_growth(kernels: Sequence[int] = (3, 3, 3)) -> mpl.figure.Figure:
    """Draw, along one row, which neurons and inputs one last-layer neuron depends on (stride 1).

    Args:
        kernels: kernel width of each layer, first layer first.

    Returns:
        The figure: the input row below, the last layer on top.

    Raises:
        ValueError: if a number is not a positive integer.
    """
    positive(**{f"kernels[{i}]": k for i, k in enumerate(kernels)})
    reach = [1]  # cells seen at each level, from the top down
    for k in reversed(kernels):
        reach.append(reach[-1] + k - 1)
    reach = reach[::-1]
    fig, ax = plt.subplots(figsize=(0.62 * reach[0] + 2.2, 0.95 * len(reach)))
    for level, seen in enumerate(reach):
        y, first = 1.6 * level, (reach[0] - seen) / 2
        for i in range(seen):
            ax.add_patch(
                Rectangle((first + i + 0.1, y), 0.8, 0.55, fc=LEVELS[level % 4], ec="black", lw=0.8)
            )
            for u in range(kernels[level - 1] if level else 0):
                below = (reach[0] - reach[level - 1]) / 2 + i + u
                ax.plot([first + i + 0.5, below + 0.5], [y, y - 1.05], color=GREY, lw=0.8)
        name = f"layer {level}" if level else "input"
        ax.text(-0.2, y + 0.27, f"{name}: {seen}", ha="right", va="center")
    ax.autoscale_view()
    ax.set_aspect("equal")
    ax.set_axis_off()
    return fig
