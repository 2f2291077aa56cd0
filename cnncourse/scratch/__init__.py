"""The operations the course derives, in plain NumPy, each with its backward pass."""

from cnncourse.scratch.conv import (
    conv1d,
    conv1d_backward,
    conv2d,
    conv2d_backward,
    conv2d_loops,
)
from cnncourse.scratch.correlate import (
    convolve,
    convolve_backward,
    cross_correlate,
    cross_correlate_backward,
    dilate,
    dilate_backward,
)
from cnncourse.scratch.pool import (
    avg_pool2d,
    avg_pool2d_backward,
    avg_pool2d_loops,
    depth_max_pool,
    depth_max_pool_backward,
    global_avg_pool,
    global_avg_pool_backward,
    max_pool2d,
    max_pool2d_backward,
    max_pool2d_loops,
    max_pool_with_switches,
    max_pool_with_switches_backward,
)
from cnncourse.scratch.unpool import unpool, unpool_backward

__all__ = [
    "avg_pool2d",
    "avg_pool2d_backward",
    "avg_pool2d_loops",
    "conv1d",
    "conv1d_backward",
    "conv2d",
    "conv2d_backward",
    "conv2d_loops",
    "convolve",
    "convolve_backward",
    "cross_correlate",
    "cross_correlate_backward",
    "depth_max_pool",
    "depth_max_pool_backward",
    "dilate",
    "dilate_backward",
    "global_avg_pool",
    "global_avg_pool_backward",
    "max_pool2d",
    "max_pool2d_backward",
    "max_pool2d_loops",
    "max_pool_with_switches",
    "max_pool_with_switches_backward",
    "unpool",
    "unpool_backward",
]
