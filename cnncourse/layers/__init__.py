"""Keras layers that the course derives: registered, serialisable, on any Keras backend."""

from cnncourse.layers.depth_pool import DepthPool
from cnncourse.layers.inception import AuxiliaryHead, InceptionModule
from cnncourse.layers.lenet import GaussianRBF, SparseConv2D, scaled_tanh
from cnncourse.layers.local_response import LocalResponseNormalization
from cnncourse.layers.residual import BottleneckUnit, ResidualUnit

__all__ = [
    "AuxiliaryHead",
    "BottleneckUnit",
    "DepthPool",
    "GaussianRBF",
    "InceptionModule",
    "LocalResponseNormalization",
    "ResidualUnit",
    "SparseConv2D",
    "scaled_tanh",
]
