"""How the layers of a dense block are wired."""

import matplotlib.pyplot as plt
from cnncourse.plotting.style import COLOURS
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch


def dense_wiring(layers: int, channels: int, growth_rate: int) -> Figure:
    """Draw a dense block from left to right: the input, its layers, an arc for every link.

    Args:
        layers: how many, 1 to 8.
        channels: maps of the block's input.
        growth_rate: maps that each layer adds.

    Raises:
        ValueError: if there are too many layers to be told apart.

    Returns:
        The figure, 7 inches wide.
    """
    if not 1 <= layers <= 8:
        raise ValueError(f"layers is {layers}; accepted: 1 to 8")
    fig, ax = plt.subplots(figsize=(7, 2.5))
    ax.set(xlim=(-0.5, layers + 1.5), ylim=(-0.7, 0.2 + 0.135 * layers))
    ax.axis("off")
    for target in range(1, layers + 1):
        for source in range(target):
            arc = FancyArrowPatch(
                (source, 0.12),
                (target - 0.06 * (target - source - 1), 0.12),
                connectionstyle=f"arc3,rad={-0.32 if target - source > 1 else -0.25}",
                arrowstyle="-|>",
                mutation_scale=9,
                color=COLOURS[source % 6],
            )
            ax.add_patch(arc)
    for place in range(layers + 2):
        name = "input" if place == 0 else f"layer {place}"
        sees = channels + growth_rate * (place - 1)
        text = f"{channels} maps" if place == 0 else f"sees {sees}\nadds {growth_rate}"
        if place > layers:
            name, text = "output", f"{sees} maps\n(all of them)"
        colour = "#D3E6F5" if 0 < place <= layers else "#EEEEEE"
        box = {"boxstyle": "round", "facecolor": colour, "edgecolor": "0.4"}
        ax.text(place, 0, name, ha="center", va="center", fontsize=9, bbox=box)
        ax.text(place, -0.22, text, ha="center", va="top", fontsize=8.5)
    return fig
