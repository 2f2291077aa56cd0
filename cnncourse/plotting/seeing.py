"""Drawings of chapter 01: receptive fields on a house, a block diagram, neighbours, accuracies."""

from collections.abc import Mapping, Sequence

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
from cnncourse.plotting.style import COLOURS
from matplotlib.patches import Circle, FancyBboxPatch, Polygon, Rectangle

BLUE, ORANGE, GREEN = COLOURS[:3]
_SLANT = np.deg2rad(34)  # of the roof


def receptive_fields() -> mpl.figure.Figure:
    """Draw a house, five small receptive fields on it, and the neurons that read them.

    Neurons of the first layer prefer a stroke of one angle; two of the second layer read them.

    Returns:
        The figure; pass it to `show`.
    """
    fig, ax = plt.subplots(figsize=(8.6, 4.2))
    ax.add_patch(Rectangle((0.6, 0.3), 3.6, 2.2, fill=False, lw=2.5))
    ax.add_patch(Polygon([(0.3, 2.5), (2.4, 3.9), (4.5, 2.5)], fill=False, lw=2.5))
    ax.add_patch(Rectangle((2.9, 0.3), 0.8, 1.3, fill=False, lw=2))
    ax.add_patch(Rectangle((1.1, 1.2), 0.9, 0.8, fill=False, lw=2))
    # centre of a field, and the angle that its neuron prefers
    fields = [((1.35, 3.2), _SLANT), ((3.45, 3.2), -_SLANT), ((1.7, 2.5), 0)]
    fields += [((0.6, 1.4), np.pi / 2), ((2.6, 0.3), 0)]
    for n, ((x, y), angle) in enumerate(fields):
        height = 3.85 - 0.85 * n
        colour = COLOURS[n % 3]
        ax.add_patch(Circle((x, y), 0.42, fill=False, ls="--", lw=1.8, ec=colour))
        ax.plot([x + 0.42, 6.0], [y, height], color=colour, lw=0.9)
        _neuron(ax, 6.3, height, [angle])
        reader = 3.2 if n < 2 else 1.3
        ax.plot([6.6, 8.2], [height, reader], color="0.5", lw=0.9)
    _neuron(ax, 8.55, 3.2, [_SLANT, -_SLANT], 0.38)
    _neuron(ax, 8.55, 1.3, [0, np.pi / 2], 0.38)
    for x, text in ((2.4, "what the eye sees"), (6.3, "simple strokes"), (8.55, "larger patterns")):
        ax.text(x, 4.55, text, ha="center", fontsize=11)
    ax.set(xlim=(-0.1, 9.3), ylim=(-0.3, 4.8), aspect="equal")
    ax.set_axis_off()
    return fig


def _neuron(ax, x: float, y: float, angles: Sequence[float], radius: float = 0.3) -> None:
    """Draw a neuron as a disc with the strokes that it prefers."""
    ax.add_patch(Circle((x, y), radius, fc="#fdf1e7", ec="0.3", lw=1.2, zorder=3))
    roof = len(angles) == 2 and angles[0] == -angles[1]  # two strokes that meet at the top
    reach = (0.4 if roof else 0.6) * radius
    for side, angle in zip((-1, 1), angles, strict=False):
        dx, dy = reach * np.cos(angle), reach * np.sin(angle)
        middle = x + side * dx if roof else x
        ends = [middle - dx, middle + dx], [y - dy, y + dy]
        ax.plot(*ends, color="k", lw=2.5, zorder=4)


def stages() -> mpl.figure.Figure:
    """Draw the chain of the brain above that of a CNN: filter and scale, twice, then classify.

    Returns:
        The figure; pass it to `show`.
    """
    rows = (
        ("brain", ["image", "filter", "scale", "filter", "scale", "classify", "label"]),
        ("CNN", ["image", "convolution", "pooling", "convolution", "pooling", "dense", "label"]),
    )
    seen = ["", "edges, corners,\ncurves", "", "parts of the\nskeleton", "", "the whole\nobject"]
    faces = ("white", "#cfe3f1", "#fbe0cf", "#cfe3f1", "#fbe0cf", "#cdeadf", "white")
    fig, ax = plt.subplots(figsize=(9.6, 2.9))
    for y, (name, words) in zip((1.6, 0), rows, strict=True):
        ax.text(-0.35, y + 0.4, name, ha="right", va="center", fontweight="bold")
        for n, (word, face) in enumerate(zip(words, faces, strict=True)):
            x = 1.35 * n
            box = FancyBboxPatch((x, y), 1.02, 0.8, "round,pad=0.04", fc=face, ec="0.3")
            ax.add_patch(box)
            ax.text(x + 0.51, y + 0.4, word, ha="center", va="center", fontsize=9.5)
            if n:
                arrow = {"arrowstyle": "->", "color": "0.3"}
                ax.annotate("", (x - 0.05, y + 0.4), (x - 0.28, y + 0.4), arrowprops=arrow)
    for n, text in enumerate(seen):
        ax.text(1.35 * n + 0.51, 1.2, text, ha="center", va="center", fontsize=8.5, style="italic")
    ax.set(xlim=(-1.1, 9.3), ylim=(-0.15, 2.55))
    ax.set_axis_off()
    return fig


def sprite_rows(rows: Sequence[np.ndarray], titles: Sequence[str]) -> mpl.figure.Figure:
    """Draw rows of grey sprites, each row with a title at its left.

    Args:
        rows: each (number, height, width), uint8.
        titles: one per row.

    Returns:
        The figure; pass it to `show`.

    Raises:
        ValueError: if the lists differ in length.
    """
    if len(rows) != len(titles):
        raise ValueError(f"{len(titles)} titles for {len(rows)} rows; accepted: one each")
    columns = max(map(len, rows))
    fig, axes = plt.subplots(
        len(rows), columns, figsize=(0.82 * columns + 1.6, 0.86 * len(rows)), squeeze=False
    )
    for line, row, title in zip(axes, rows, titles, strict=True):
        for ax in line:
            ax.set_axis_off()
        for ax, picture in zip(line, row, strict=False):
            ax.imshow(picture, cmap="gray", vmin=0, vmax=255)
        line[0].text(-0.15, 0.5, title, ha="right", va="center", transform=line[0].transAxes)
    return fig


def neighbour_pairs(
    queries: np.ndarray, found: np.ndarray, titles: Sequence[str]
) -> mpl.figure.Figure:
    """Draw pictures above those that are nearest to them.

    Args:
        queries: (number, height, width), uint8.
        found: the nearest picture of each, same shape.
        titles: a line below each pair.

    Returns:
        The figure; pass it to `show`.
    """
    fig, axes = plt.subplots(2, len(queries), figsize=(1.25 * len(queries), 2.9))
    for column, (pair, title) in enumerate(
        zip(zip(queries, found, strict=True), titles, strict=True)
    ):
        for ax, picture in zip(axes[:, column], pair, strict=True):
            ax.imshow(picture, cmap="gray", vmin=0, vmax=255)
            ax.set(xticks=[], yticks=[])
        axes[1, column].set_xlabel(title)
    axes[0, 0].set_ylabel("picture")
    axes[1, 0].set_ylabel("nearest")
    return fig


def accuracy_ladder(results: Mapping[str, Mapping[str, Sequence[float]]]) -> mpl.figure.Figure:
    """Draw accuracies: a group of dots per task, a marker per network, a bar from worst to best.

    Args:
        results: per task, per network, the accuracies (0 to 1) of its training runs.

    Returns:
        The figure; pass it to `show`.
    """
    fig, ax = plt.subplots(figsize=(8, 3.4))
    markers = "ovsD"
    for t, networks in enumerate(results.values()):
        for n, (name, runs) in enumerate(networks.items()):
            x = t + 0.17 * (n - (len(networks) - 1) / 2)
            ax.plot([x, x], [100 * min(runs), 100 * max(runs)], color=COLOURS[n], lw=2)
            label = name if t == 0 else None
            ax.plot(x, 100 * np.mean(runs), markers[n], color=COLOURS[n], ms=8, label=label)
    ax.axhline(50, color="0.5", ls="--", lw=1)
    ax.text(len(results) - 0.5, 50.8, "guessing", ha="right", color="0.35", fontsize=9)
    ax.set(xlim=(-0.5, len(results) - 0.5), ylim=(40, 103), ylabel="test accuracy, %")
    ax.set_xticks(range(len(results)), list(results))
    ax.legend(frameon=False, loc="center left", bbox_to_anchor=(1, 0.5))
    return fig


def tuning_curves(
    x: np.ndarray, curves: Mapping[str, np.ndarray], xlabel: str
) -> mpl.figure.Figure:
    """Draw how strongly neurons answer as one thing about the picture changes.

    Args:
        x: (number,) what changes.
        curves: per neuron its answers, (number,).
        xlabel: what changes, in words.

    Returns:
        The figure; pass it to `show`.
    """
    fig, ax = plt.subplots(figsize=(6.4, 2.9))
    for n, (name, answers) in enumerate(curves.items()):
        ax.plot(x, answers, color=COLOURS[n], ls=("-", "--", "-.", ":")[n % 4], label=name)
    ax.set(xlabel=xlabel, ylabel="answer")
    ax.legend(frameon=False, loc="center left", bbox_to_anchor=(1, 0.5))
    return fig
