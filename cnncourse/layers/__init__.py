"""Keras layers that the course derives: registered, serialisable, on any Keras backend."""

from cnncourse.layers.cross_stage_partial import CrossStagePartial
from cnncourse.layers.dense_block import DenseBlock, Transition
from cnncourse.layers.depth_pool import DepthPool
from cnncourse.layers.inverted_residual import InvertedResidual, MBConv
from cnncourse.layers.residual import BottleneckUnit, ResidualUnit, ResNeXtUnit, SEBottleneckUnit
from cnncourse.layers.squeeze_excite import SqueezeExcite

__all__ = [
    "BottleneckUnit",
    "CrossStagePartial",
    "DenseBlock",
    "DepthPool",
    "InvertedResidual",
    "MBConv",
    "ResNeXtUnit",
    "ResidualUnit",
    "SEBottleneckUnit",
    "SqueezeExcite",
    "Transition",
]
