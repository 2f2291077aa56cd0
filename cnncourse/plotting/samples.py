"""Drawings of many values: histograms side by side, points of two kinds."""

from collections.abc import Mapping

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
from cnncourse.plotting.style import COLOURS

MARKERS = ("o", "s", "x", "^")


def histograms(values: Mapping[str, np.ndarray], bins: int = 40) -> mpl.figure.Figure:
    """Draw a histogram of each array, all on one scale, with a line at the mean.

    Args:
        values: {title: array of any shape}.
        bins: how many bars over the whole range.

    Returns:
        The figure; pass it to `show`.

    Raises:
        ValueError: if there is nothing to draw.
    """
    if not values:
        raise ValueError("values is empty; accepted: at least one array")
    arrays = {title: np.asarray(a).ravel() for title, a in values.items()}
    together = np.concatenate(list(arrays.values()))
    edges = np.linspace(together.min(), together.max(), bins + 1)
    fig, axes = plt.subplots(
        1, len(arrays), figsize=(3 * len(arrays), 2.4), sharex=True, squeeze=False
    )
    for ax, (title, array) in zip(axes[0], arrays.items(), strict=True):
        ax.hist(array, edges, color=COLOURS[0])
        ax.axvline(array.mean(), color=COLOURS[1], linestyle="--")
        ax.set(title=f"{title}\nmean {array.mean():.2f}, deviation {array.std():.2f}", yticks=[])
    return fig


def points(groups: Mapping[str, np.ndarray], axes: tuple[str, str]) -> mpl.figure.Figure:
    """Draw groups of points in the plane, each with its own colour and mark.

    Args:
        groups: {name: (n, 2)}, at most four, drawn in this order.
        axes: what the two columns are.

    Returns:
        The figure; pass it to `show`.

    Raises:
        ValueError: if there is no group, more than four, or a shape is another.
    """
    if not 1 <= len(groups) <= len(MARKERS):
        raise ValueError(f"groups has {len(groups)}; accepted: 1 to {len(MARKERS)}")
    fig, ax = plt.subplots(figsize=(5, 3.4))
    for (name, xy), colour, marker in zip(groups.items(), COLOURS, MARKERS, strict=False):
        xy = np.asarray(xy)
        if xy.ndim != 2 or xy.shape[1] != 2:
            plt.close(fig)
            raise ValueError(f"{name!r} has shape {xy.shape}; accepted: (n, 2)")
        ax.plot(*xy.T, marker, color=colour, ms=6, mew=1.5, mfc="none", label=name)
    ax.set(xlabel=axes[0], ylabel=axes[1])
    ax.legend(frameon=False)
    return fig
