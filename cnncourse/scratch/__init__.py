"""The operations the course derives, each with its backward pass, and a network of them: NumPy."""

from cnncourse.scratch.batch_norm import (
    batch_norm,
    batch_norm_backward,
    batch_norm_inference,
    batch_norm_inference_backward,
    update_moving,
)
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
from cnncourse.scratch.dense import dense, dense_backward
from cnncourse.scratch.dropout import (
    dropout,
    dropout_backward,
    dropout_classic,
    dropout_classic_inference,
)
from cnncourse.scratch.network import SmallCNN
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
from cnncourse.scratch.relu import relu, relu_backward
from cnncourse.scratch.softmax import softmax, softmax_backward, softmax_cross_entropy
from cnncourse.scratch.threshold import threshold_vote, train_madaline, train_perceptron
from cnncourse.scratch.unpool import unpool, unpool_backward

__all__ = [
    "SmallCNN",
    "avg_pool2d",
    "avg_pool2d_backward",
    "avg_pool2d_loops",
    "batch_norm",
    "batch_norm_backward",
    "batch_norm_inference",
    "batch_norm_inference_backward",
    "conv1d",
    "conv1d_backward",
    "conv2d",
    "conv2d_backward",
    "conv2d_loops",
    "convolve",
    "convolve_backward",
    "cross_correlate",
    "cross_correlate_backward",
    "dense",
    "dense_backward",
    "depth_max_pool",
    "depth_max_pool_backward",
    "dilate",
    "dilate_backward",
    "dropout",
    "dropout_backward",
    "dropout_classic",
    "dropout_classic_inference",
    "global_avg_pool",
    "global_avg_pool_backward",
    "max_pool2d",
    "max_pool2d_backward",
    "max_pool2d_loops",
    "max_pool_with_switches",
    "max_pool_with_switches_backward",
    "relu",
    "relu_backward",
    "softmax",
    "softmax_backward",
    "softmax_cross_entropy",
    "threshold_vote",
    "train_madaline",
    "train_perceptron",
    "unpool",
    "unpool_backward",
    "update_moving",
]
