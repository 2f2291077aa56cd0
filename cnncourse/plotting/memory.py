"""Drawings of chapter 04: memory layer by layer, and what is alive when."""

from collections.abc import Sequence

import matplotlib as mpl
import matplotlib.pyplot as plt
from cnncourse.plotting.style import COLOURS
from matplotlib.patches import Rectangle


def memory_bars(
    names: Sequence[str], activations: Sequence[float], weights: Sequence[float]
) -> mpl.figure.Figure:
    """Draw one stacked bar per layer: its output for one image, and its weights.

    Args:
        names: of the layers, the first one at the top.
        activations: bytes of each layer's output.
        weights: bytes of each layer's weights.

    Returns:
        The figure; pass it to `show`.

    Raises:
        ValueError: if the lengths differ or are 0.
    """
    if not len(names) == len(activations) == len(weights) > 0:
        lengths = f"{len(names)}, {len(activations)} and {len(weights)}"
        raise ValueError(
            f"names, activations and weights have {lengths} entries; accepted: as many of each, at "
            "least one"
        )
    fig, ax = plt.subplots(figsize=(7.2, 0.42 * len(names) + 0.9))
    rows = range(len(names))
    maps, kernels = ([n / 1e6 for n in numbers] for numbers in (activations, weights))
    ax.barh(rows, maps, color=COLOURS[0], label="output of one image")
    ax.barh(rows, kernels, left=maps, color=COLOURS[1], hatch="//", ec="white", label="weights")
    for row, (a, b) in enumerate(zip(maps, kernels, strict=True)):
        ax.text(a + b, row, f"  {a:.2f} + {b:.2f}", va="center", fontsize=9)
    ax.set(yticks=rows, yticklabels=names, xlabel="MB in float32")
    ax.set_xlim(0, 1.18 * max(a + b for a, b in zip(maps, kernels, strict=True)))
    ax.invert_yaxis()
    ax.legend(frameon=False, loc="lower center", bbox_to_anchor=(0.5, 1), ncols=2)
    return fig


def memory_timeline(
    names: Sequence[str], sizes: Sequence[float], step: int | None = None
) -> mpl.figure.Figure:
    """Draw which results are in memory at each step: of a prediction left, of training right.

    Args:
        names: of the results in a chain, the input first.
        sizes: bytes of each.
        step: number of the present step, from 0: later ones stay empty. None draws all.

    Returns:
        The figure; pass it to `show`.

    Raises:
        ValueError: if there are fewer than two results, or `step` is outside.
    """
    layers = len(names) - 1
    if layers < 1 or len(sizes) != len(names):
        raise ValueError(
            f"names has {len(names)} and sizes {len(sizes)} entries; accepted: two or more of each"
        )
    if step is not None and not 0 <= step < 2 * layers:
        raise ValueError(f"step is {step}; accepted: None, or 0 to {2 * layers - 1}")
    forward = [str(n) for n in range(1, layers + 1)]
    panels = {
        "prediction": (forward, [{n, n + 1} for n in range(layers)]),
        "training": (
            forward + forward[::-1],
            [{*range(n + 2)} for n in [*range(layers), *reversed(range(layers))]],
        ),
    }
    ratios = {"width_ratios": [layers, 2 * layers], "height_ratios": [len(names), 2.2]}
    size = (7.6, 0.36 * len(names) + 1.9)
    fig, axes = plt.subplots(2, 2, figsize=size, sharey="row", gridspec_kw=ratios)
    for (title, (labels, alive)), column in zip(panels.items(), axes.T, strict=True):
        _alive(column[0], names, labels, alive, step)
        _sums(column[1], [sum(sizes[n] for n in a) / 1e6 for a in alive], labels, step)
        column[0].set_title(title)
    axes[0, 0].set(yticks=[n + 0.5 for n in range(len(names))], yticklabels=names)
    axes[0, 0].invert_yaxis()
    axes[1, 0].set_ylabel("MB there")
    axes[0, 1].axvline(layers, color="black", lw=1.2, ls=":")
    axes[1, 1].set_xlabel("layer at work: forward, then back")
    axes[1, 0].set_xlabel("layer at work")
    axes[1, 0].set_ylim(0, 1.25 * sum(sizes) / 1e6)
    return fig


def _alive(ax, names, labels, alive, step):
    """Fill a cell for each result and step at which it is kept."""
    for column, present in enumerate(alive):
        for row in range(len(names)):
            there = row in present and (step is None or column <= step)
            now = there and column == step
            face = COLOURS[1] if now else COLOURS[5] if there else "white"
            ax.add_patch(Rectangle((column, row), 1, 1, fc=face, ec="0.75", lw=0.8))
            if there:
                ax.text(column + 0.5, row + 0.5, "●", ha="center", va="center", fontsize=7)
    ax.set(xlim=(0, len(labels)), ylim=(0, len(names)), xticks=[])
    ax.spines[:].set_visible(False)
    ax.tick_params(length=0)


def _sums(ax, totals, labels, step):
    """Draw the sum of each step as a bar; the largest one is written on."""
    shown = totals if step is None else totals[: step + 1]
    colours = [COLOURS[1] if n == step else COLOURS[5] for n in range(len(shown))]
    ax.bar([n + 0.5 for n in range(len(shown))], shown, width=0.8, color=colours)
    highest = shown.index(max(shown))
    ax.text(
        highest + 0.5, shown[highest], f"{shown[highest]:.2f}", ha="center", va="bottom", fontsize=9
    )
    ax.set(xlim=(0, len(labels)), xticks=[n + 0.5 for n in range(len(labels))])
    ax.set_xticklabels(labels)
