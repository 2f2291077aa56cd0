"""Figures: one style, one way to show them, and the drawings that chapters share."""

from cnncourse.plotting.convolution import (
    dilated_kernels,
    local_fields,
    padded_grid,
    padding_rows,
    receptive_field_growth,
)
from cnncourse.plotting.images import images
from cnncourse.plotting.style import show, use_style

__all__ = [
    "dilated_kernels",
    "images",
    "local_fields",
    "padded_grid",
    "padding_rows",
    "receptive_field_growth",
    "show",
    "use_style",
]
