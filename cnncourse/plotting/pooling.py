"""Drawings for pooling: number grids, windows that slide, and maps before and after."""

from collections.abc import Sequence

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
from cnncourse.plotting.style import COLOURS
from matplotlib.patches import Rectangle

WINDOW, KEPT = COLOURS[1], COLOURS[0]
FADED = 0.3  # opacity of what pooling drops


def number_grids(
    grids: Sequence[np.ndarray],
    titles: Sequence[str],
    marks: Sequence[np.ndarray | None] | None = None,
    pool_size: Sequence[int | None] | None = None,
    width: float = 2.3,
) -> mpl.figure.Figure:
    """Draw small matrices side by side, every value written out.

    Args:
        grids: each (height, width).
        titles: one line above each grid.
        marks: per grid a boolean mask of the same shape, or None. Marked values are bold and
            shaded, the others fade.
        pool_size: per grid the side of the pooling windows to outline, or None.
        width: width of one grid, in inches.

    Returns:
        The figure; pass it to `show`.

    Raises:
        ValueError: if a grid is not 2-D, or the lists differ in length.
    """
    marks = marks or [None] * len(grids)
    pool_size = pool_size or [None] * len(grids)
    if not len(grids) == len(titles) == len(marks) == len(pool_size):
        raise ValueError(
            f"{len(grids)} grids, {len(titles)} titles, {len(marks)} marks, "
            f"{len(pool_size)} pool sizes; accepted: one each"
        )
    tallest = max(_matrix(g).shape[0] / _matrix(g).shape[1] for g in grids)
    fig, axes = plt.subplots(
        1, len(grids), figsize=(width * len(grids), width * tallest + 0.32), squeeze=False
    )
    for ax, grid, title, mark, k in zip(axes[0], grids, titles, marks, pool_size, strict=True):
        _draw_numbers(ax, _matrix(grid), mark)
        ax.set_title(title)
        if k:
            _draw_windows(ax, np.shape(grid), k)
    return fig


def pooling_strip(x: np.ndarray, pool_size: int = 2) -> mpl.figure.Figure:
    """Draw max pooling as a strip: the window slides, and what it drops fades.

    Args:
        x: (height, width), both divisible by `pool_size`, which is the stride too.
        pool_size: side of the window.

    Returns:
        The figure: one column per window; above the input, below the output so far.

    Raises:
        ValueError: if `x` is not a matrix, or the windows do not cover it exactly.
    """
    x, k = _matrix(x), pool_size
    rows, columns = _windows(x, k)
    fig, axes = plt.subplots(
        2, rows * columns, figsize=(1.9 * rows * columns, 3.1), height_ratios=(x.shape[0], rows)
    )
    seen = np.zeros(x.shape, bool)
    kept = np.ones(x.shape, bool)
    pooled = np.full((rows, columns), np.nan)
    for step in range(rows * columns):
        i, j = divmod(step, columns)
        patch = x[i * k : i * k + k, j * k : j * k + k]
        seen[i * k : i * k + k, j * k : j * k + k] = True
        kept[i * k : i * k + k, j * k : j * k + k] = patch == patch.max()
        pooled[i, j] = patch.max()
        _draw_numbers(axes[0, step], x, kept & seen, faded=seen & ~kept)
        axes[0, step].add_patch(_frame(j * k, i * k, k, WINDOW, 3))
        _draw_numbers(axes[1, step], pooled, ~np.isnan(pooled), faded=np.zeros_like(pooled, bool))
        axes[0, step].set_title(f"window {step + 1}")
    return fig


def pooled_rows(
    rows: Sequence[np.ndarray], pooled: Sequence[np.ndarray], titles: Sequence[str]
) -> mpl.figure.Figure:
    """Draw 1-D signals above what pooling makes of them, one pair below the other.

    Args:
        rows: each (length,); the windows are `length / len(pooled)` wide.
        pooled: each (length / pool size,).
        titles: one line above each pair.

    Returns:
        The figure; pass it to `show`.

    Raises:
        ValueError: if the lists differ in length.
    """
    if not len(rows) == len(pooled) == len(titles):
        raise ValueError(
            f"{len(rows)} rows, {len(pooled)} pooled rows, {len(titles)} titles; accepted: one each"
        )
    fig, axes = plt.subplots(len(rows), 1, figsize=(5.2, 1.35 * len(rows)), squeeze=False)
    for ax, row, small, title in zip(axes[:, 0], rows, pooled, titles, strict=True):
        k = len(row) // len(small)
        for left, value in enumerate(row):
            _cell(ax, left, 0, 1, value)
        for window, value in enumerate(small):
            ax.add_patch(_frame(window * k, 0, k, WINDOW, 2.5, height=1))
            _cell(ax, window * k, 1.25, k, value)
        ax.set(xlim=(-0.1, len(row) + 0.1), ylim=(2.35, -0.1), title=title)
        ax.set_axis_off()
    return fig


def pooled_pairs(
    inputs: Sequence[np.ndarray],
    outputs: Sequence[np.ndarray],
    titles: Sequence[str],
    width: float = 2.2,
) -> mpl.figure.Figure:
    """Draw maps above their pooled versions; mark with × what differs from the first pooled map.

    Args:
        inputs: each (height, width), values from 0 (black) to 1 (white).
        outputs: the pooled maps, one per input.
        titles: one line above each pair.
        width: width of one map, in inches.

    Returns:
        The figure; pass it to `show`.

    Raises:
        ValueError: if the lists differ in length.
    """
    if not len(inputs) == len(outputs) == len(titles):
        raise ValueError(
            f"{len(inputs)} inputs, {len(outputs)} outputs, {len(titles)} titles; "
            "accepted: one each"
        )
    fig, axes = plt.subplots(
        2, len(inputs), figsize=(width * len(inputs), 2 * width + 0.3), squeeze=False
    )
    for column, (x, y) in enumerate(zip(inputs, outputs, strict=True)):
        for ax, a in zip(axes[:, column], (x, y), strict=True):
            ax.imshow(a, cmap="gray", vmin=0, vmax=1, extent=(0, a.shape[1], a.shape[0], 0))
            ax.set(xticks=[], yticks=[])
        _draw_windows(axes[0, column], x.shape, x.shape[0] // y.shape[0], line=1)
        axes[0, column].set_title(titles[column])
        for i, j in np.argwhere(~np.isclose(y, outputs[0])):
            axes[1, column].plot(j + 0.5, i + 0.5, "x", color=WINDOW, ms=9, mew=2.5)
    return fig


def dropped_values(image: np.ndarray, kept: np.ndarray, pooled: np.ndarray) -> mpl.figure.Figure:
    """Draw a picture, then only the values that pooling keeps, then the pooled picture.

    Args:
        image: (height, width), grey values.
        kept: boolean, same shape: True where a value survives; the rest turns pale orange.
        pooled: (height / k, width / k).

    Returns:
        The figure; pass it to `show`.
    """
    low, high = float(image.min()), float(image.max())
    titles = (f"{image.size:,} values", f"kept: {kept.mean():.0%}", f"{pooled.size:,} values")
    survivors = np.dstack([(image - low) / (high - low)] * 3)
    survivors[~kept] = mpl.colors.to_rgb("#FBD9B5")
    fig, axes = plt.subplots(1, 3, figsize=(9.6, 3.2 * image.shape[0] / image.shape[1] + 0.3))
    for ax, a, title in zip(axes, (image, survivors, pooled), titles, strict=True):
        ax.imshow(a, cmap="gray", vmin=low, vmax=high)
        ax.set_title(title)
        ax.set_axis_off()
    return fig


def response_curves(
    angles: np.ndarray, responses: np.ndarray, names: Sequence[str]
) -> mpl.figure.Figure:
    """Draw how strongly each filter answers as its input turns, and the maximum over all filters.

    Args:
        angles: (number,) degrees.
        responses: (number, filters).
        names: one per filter.

    Returns:
        The figure; pass it to `show`.
    """
    fig, ax = plt.subplots(figsize=(7, 3.4))
    styles = ("-", "--", "-.", ":", (0, (5, 1)), (0, (1, 1)))
    for f, name in enumerate(names):
        ax.plot(angles, responses[:, f], ls=styles[f % len(styles)], label=name, lw=1.5)
    ax.plot(angles, responses.max(-1), color="black", lw=4, alpha=0.35, label="depthwise max")
    ax.set(xlabel="input turned by (degrees)", ylabel="response of the filter")
    ax.set_ylim(min(0, float(responses.min())) - 0.02, 1.05)
    ax.legend(frameon=False, loc="center left", bbox_to_anchor=(1, 0.5))
    return fig


def _matrix(x: np.ndarray) -> np.ndarray:
    x = np.asarray(x)
    if x.ndim != 2:
        raise ValueError(f"a grid has shape {x.shape}; accepted: (height, width)")
    return x


def _windows(x, k) -> tuple[int, int]:
    if k < 1 or x.shape[0] % k or x.shape[1] % k:
        raise ValueError(f"pool_size is {k}; accepted: a divisor of both sides of {x.shape}")
    return x.shape[0] // k, x.shape[1] // k


def _frame(left, top, width, colour, line, height=None) -> Rectangle:
    return Rectangle(
        (left, top), width, height or width, fill=False, ec=colour, lw=line, zorder=3, clip_on=False
    )


def _draw_windows(ax, shape, k, line=2) -> None:
    for top in range(0, shape[0] - k + 1, k):
        for left in range(0, shape[1] - k + 1, k):
            ax.add_patch(_frame(left, top, k, WINDOW, line))


def _draw_numbers(ax, values, mark=None, faded=None) -> None:
    """Write a matrix into an axes; marked values bold and shaded, faded ones pale."""
    if faded is None:
        faded = np.zeros(values.shape, bool) if mark is None else ~mark
    for (i, j), value in np.ndenumerate(values):
        strong = mark is not None and mark[i, j]
        ax.add_patch(_frame(j, i, 1, "0.8", 0.8))
        if strong:
            ax.add_patch(Rectangle((j, i), 1, 1, fc=KEPT, alpha=0.2, lw=0))
        ax.text(
            j + 0.5,
            i + 0.5,
            "" if np.isnan(value) else f"{value:.3g}",
            ha="center",
            va="center",
            alpha=FADED if faded[i, j] else 1,
            fontweight="bold" if strong else "normal",
        )
    ax.set(xlim=(0, values.shape[1]), ylim=(values.shape[0], 0), aspect="equal")
    ax.set_axis_off()


def _cell(ax, left, top, width, value) -> None:
    ax.add_patch(Rectangle((left, top), width, 1, fc=KEPT, alpha=0.25 * float(value), lw=0))
    ax.add_patch(_frame(left, top, width, "0.7", 0.8, height=1))
    ax.text(left + width / 2, top + 0.5, f"{value:.3g}", ha="center", va="center")
