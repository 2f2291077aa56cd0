"""Figures: one style, one way to show them, and the drawings that chapters share."""

from cnncourse.plotting.convolution import local_fields, padding_rows, receptive_field_growth
from cnncourse.plotting.grids import dilated_kernels, kernels, padded_grid
from cnncourse.plotting.images import images
from cnncourse.plotting.style import show, use_style

__all__ = [
    "dilated_kernels",
    "images",
    "kernels",
    "local_fields",
    "padded_grid",
    "padding_rows",
    "receptive_field_growth",
    "show",
    "use_style",
]
