"""Curves of a training: loss and accuracy per epoch, and the same quantity in several runs."""

from collections.abc import Mapping, Sequence

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
from cnncourse.plotting.style import COLOURS

LINES = ("-", "--", ":", "-.")


def training_curves(log: Mapping[str, Sequence[float]]) -> mpl.figure.Figure:
    """Draw what was measured per epoch, one panel per quantity, training beside validation.

    Args:
        log: {name: one value per epoch}, as in Keras' `History.history` or `Checkpoint.log`; a
            quantity `loss` shares its panel with `val_loss`. The learning rate has no panel.

    Returns:
        The figure; pass it to `show`.

    Raises:
        ValueError: if there is no curve to draw.
    """
    names = [n for n in log if not n.startswith("val_") and n != "learning_rate" and len(log[n])]
    if not names:
        raise ValueError(f"log holds {list(log)}; accepted: at least one value of one quantity")
    fig, axes = plt.subplots(1, len(names), figsize=(4 * len(names), 3), squeeze=False)
    for ax, name in zip(axes.flat, names, strict=True):
        curves = [(name, "training", "-", "o"), (f"val_{name}", "validation", "--", "s")]
        for colour, (key, label, line, marker) in zip(COLOURS, curves, strict=False):
            values = log.get(key, ())
            epochs = range(1, len(values) + 1)
            if len(values):
                ax.plot(epochs, values, line, color=colour, marker=marker, ms=3, label=label)
        ax.set(title=name, xlabel="epoch")
        ax.xaxis.get_major_locator().set_params(integer=True)
        ax.legend(frameon=False)
    return fig


def run_curves(runs: Mapping[str, Sequence], x: str, y: str) -> mpl.figure.Figure:
    """Draw one quantity for several kinds of run: a line for the mean, a band for the spread.

    Args:
        runs: {name: values of one run, or one row per run with another seed}, at most four names;
            the first value is that of `x` = 1, and the band reaches from the lowest to the highest.
        x: what the values are counted in, such as "epoch".
        y: what they are.

    Returns:
        The figure; pass it to `show`.

    Raises:
        ValueError: if there is no kind of run, more than four, or no value.
    """
    tables = {name: np.atleast_2d(np.asarray(rows, float)) for name, rows in runs.items()}
    if not 1 <= len(runs) <= len(LINES) or not all(table.size for table in tables.values()):
        raise ValueError(
            f"runs holds {list(runs)}; accepted: 1 to {len(LINES)} names with at least one value"
        )
    fig, ax = plt.subplots(figsize=(6, 3.2))
    for (name, table), colour, line in zip(tables.items(), COLOURS, LINES, strict=False):
        steps = np.arange(1, table.shape[1] + 1)
        ax.plot(steps, table.mean(axis=0), line, color=colour, label=name)
        if len(table) > 1:
            ax.fill_between(steps, table.min(axis=0), table.max(axis=0), color=colour, alpha=0.15)
    ax.set(xlabel=x, ylabel=y)
    ax.xaxis.get_major_locator().set_params(integer=True)
    ax.legend(frameon=False)
    return fig
