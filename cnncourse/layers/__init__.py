"""Keras layers that the course derives: registered, serialisable, on any Keras backend."""

from cnncourse.layers.cross_stage_partial import CrossStagePartial
from cnncourse.layers.dense_block import DenseBlock, Transition
from cnncourse.layers.depth_pool import DepthPool
from cnncourse.layers.inception import AuxiliaryHead, InceptionModule
from cnncourse.layers.inverted_residual import InvertedResidual, MBConv
from cnncourse.layers.lenet import GaussianRBF, SparseConv2D, scaled_tanh
from cnncourse.layers.local_response import LocalResponseNormalization
from cnncourse.layers.residual import BottleneckUnit, ResidualUnit, ResNeXtUnit, SEBottleneckUnit
from cnncourse.layers.squeeze_excite import SqueezeExcite

__all__ = [
    "AuxiliaryHead",
    "BottleneckUnit",
    "CrossStagePartial",
    "DenseBlock",
    "DepthPool",
    "GaussianRBF",
    "InceptionModule",
    "InvertedResidual",
    "LocalResponseNormalization",
    "MBConv",
    "ResNeXtUnit",
    "ResidualUnit",
    "SEBottleneckUnit",
    "SparseConv2D",
    "SqueezeExcite",
    "Transition",
    "scaled_tanh",
]
