"""Drawings of chapter 02 on a grid of cells: a padded image, kernels, dilated kernels."""

from collections.abc import Sequence

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
from cnncourse.plotting.convolution import GREEN, GREY, ORANGE, positive
from cnncourse.plotting.style import COLOURS
from matplotlib.patches import Rectangle


def padded_grid(
    height: int, width: int, kernel_size: int, strides: int, zeros: int
) -> mpl.figure.Figure:
    """Draw a zero-padded image with its first two fields, and the map that they fill.

    Args:
        height: rows of the image.
        width: columns of the image.
        kernel_size: side of the kernel.
        strides: step in both directions.
        zeros: zeros added on every side.

    Returns:
        The figure: padded image left, feature map right.

    Raises:
        ValueError: if a number is not a positive integer.
    """
    positive(height=height, width=width, kernel_size=kernel_size, strides=strides, zeros=zeros)
    rows = (height + 2 * zeros - kernel_size) // strides + 1
    columns = (width + 2 * zeros - kernel_size) // strides + 1
    fig, (left, right) = plt.subplots(
        1, 2, figsize=(6.6, 3.2), width_ratios=[width + 2 * zeros, columns + 2]
    )
    for r in range(-zeros, height + zeros):
        for c in range(-zeros, width + zeros):
            real = 0 <= r < height and 0 <= c < width
            _cell(
                left,
                r,
                c,
                "" if real else "0",
                COLOURS[5] if real else "white",
                "-" if real else ":",
            )
    for r in range(rows):
        for c in range(columns):
            _cell(right, r, c, f"{r},{c}", "white", "-")
    for step, colour in enumerate((ORANGE, GREEN)):
        box = {"facecolor": "none", "edgecolor": colour, "lw": 3, "zorder": 3}
        style = "-" if step == 0 else "--"
        left.add_patch(
            Rectangle((step * strides - zeros, -zeros), kernel_size, kernel_size, ls=style, **box)
        )
        right.add_patch(Rectangle((step, 0), 1, 1, ls=style, **box))
    left.set_title(f"{height}×{width} image, {zeros} zero on each side", fontsize=9)
    right.set_title(f"{rows}×{columns} map (row, column)", fontsize=9)
    for ax in (left, right):
        _tidy_grid(ax)
    return fig


def _cell(ax, row, column, label, face, style, ink="black"):
    """Draw one cell of a grid with its label."""
    ax.add_patch(
        Rectangle((column, row), 1, 1, facecolor=face, edgecolor=GREY, linestyle=style, lw=0.8)
    )
    ax.text(column + 0.5, row + 0.5, label, ha="center", va="center", fontsize=8, color=ink)


def _tidy_grid(ax):
    """Show all of a grid, rows downwards as in an array."""
    ax.autoscale_view()
    ax.margins(0.03)
    ax.invert_yaxis()
    ax.set_aspect("equal")
    ax.set_axis_off()


def kernels(arrays: Sequence[np.ndarray], titles: Sequence[str]) -> mpl.figure.Figure:
    """Draw kernels as small grey images, black for the smallest weight, every weight written in.

    Args:
        arrays: each (height, width).
        titles: one line above each.

    Returns:
        The figure.

    Raises:
        ValueError: if an array is not a matrix, or the titles do not match.
    """
    arrays = [np.asarray(a) for a in arrays]
    for a in arrays:
        if a.ndim != 2:
            raise ValueError(f"a kernel has shape {a.shape}; accepted: (height, width)")
    if len(titles) != len(arrays):
        raise ValueError(f"{len(titles)} titles for {len(arrays)} kernels; accepted: one each")
    fig, axes = plt.subplots(1, len(arrays), figsize=(2.2 * len(arrays), 2.4), squeeze=False)
    for ax, a, title in zip(axes[0], arrays, titles, strict=True):
        grey = (a - a.min()) / (np.ptp(a) or 1)
        for (r, c), shade in np.ndenumerate(grey):
            ink = "black" if shade > 0.5 else "white"
            _cell(ax, r, c, f"{a[r, c]:g}", str(shade), "-", ink)
        ax.set_title(title, fontsize=9)
        _tidy_grid(ax)
    return fig


def dilated_kernels(
    kernel_size: int = 3, dilations: Sequence[int] = (1, 2, 3)
) -> mpl.figure.Figure:
    """Draw one kernel at several dilation rates: taps in colour, the zeros between them white.

    Args:
        kernel_size: taps per side.
        dilations: the rates, one picture each.

    Returns:
        The figure.

    Raises:
        ValueError: if a number is not a positive integer.
    """
    positive(kernel_size=kernel_size, **{f"dilations[{i}]": d for i, d in enumerate(dilations)})
    largest = kernel_size + (kernel_size - 1) * (max(dilations) - 1)
    fig, axes = plt.subplots(1, len(dilations), figsize=(2.2 * len(dilations), 2.5), squeeze=False)
    for ax, d in zip(axes[0], dilations, strict=True):
        side = kernel_size + (kernel_size - 1) * (d - 1)
        for r in range(side):
            for c in range(side):
                tap = r % d == 0 and c % d == 0
                _cell(ax, r, c, "w" if tap else "0", COLOURS[5] if tap else "white", "-")
        ax.set_title(f"dilation {d}: {side}×{side}", fontsize=9)
        _tidy_grid(ax)
        middle = side / 2
        ax.set_xlim(middle - largest / 2 - 0.2, middle + largest / 2 + 0.2)
        ax.set_ylim(middle + largest / 2 + 0.2, middle - largest / 2 - 0.2)
    return fig
