"""Curves of a training: loss and accuracy per epoch."""

from collections.abc import Mapping, Sequence

import matplotlib as mpl
import matplotlib.pyplot as plt
from cnncourse.plotting.style import COLOURS


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
