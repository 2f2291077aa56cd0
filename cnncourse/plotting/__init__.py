"""Figures: one style, one way to show them, and the drawings that chapters share."""

from cnncourse.plotting.block import block
from cnncourse.plotting.convolution import local_fields, padding_rows, receptive_field_growth
from cnncourse.plotting.dense import dense_wiring
from cnncourse.plotting.folded import folded
from cnncourse.plotting.grids import dilated_kernels, kernels, padded_grid
from cnncourse.plotting.images import images
from cnncourse.plotting.memory import memory_bars, memory_timeline
from cnncourse.plotting.network import network
from cnncourse.plotting.pooling import (
    dropped_values,
    number_grids,
    pooled_pairs,
    pooled_rows,
    pooling_strip,
    response_curves,
)
from cnncourse.plotting.residual import signals, skips
from cnncourse.plotting.samples import histograms, points
from cnncourse.plotting.seeing import (
    accuracy_ladder,
    neighbour_pairs,
    receptive_fields,
    sprite_rows,
    stages,
    tuning_curves,
)
from cnncourse.plotting.separable import convolution_steps
from cnncourse.plotting.style import show, use_style
from cnncourse.plotting.training import run_curves, training_curves

__all__ = [
    "accuracy_ladder",
    "block",
    "convolution_steps",
    "dense_wiring",
    "dilated_kernels",
    "dropped_values",
    "folded",
    "histograms",
    "images",
    "kernels",
    "local_fields",
    "memory_bars",
    "memory_timeline",
    "neighbour_pairs",
    "network",
    "number_grids",
    "padded_grid",
    "padding_rows",
    "points",
    "pooled_pairs",
    "pooled_rows",
    "pooling_strip",
    "receptive_field_growth",
    "receptive_fields",
    "response_curves",
    "run_curves",
    "show",
    "signals",
    "skips",
    "sprite_rows",
    "stages",
    "training_curves",
    "tuning_curves",
    "use_style",
]
