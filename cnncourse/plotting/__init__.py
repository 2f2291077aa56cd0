"""Figures: one style, one way to show them, and the drawings that chapters share."""

from cnncourse.plotting.images import images
from cnncourse.plotting.pooling import (
    dropped_values,
    number_grids,
    pooled_pairs,
    pooled_rows,
    pooling_strip,
    response_curves,
)
from cnncourse.plotting.style import show, use_style

__all__ = [
    "dropped_values",
    "images",
    "number_grids",
    "pooled_pairs",
    "pooled_rows",
    "pooling_strip",
    "response_curves",
    "show",
    "use_style",
]
