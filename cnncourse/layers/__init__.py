"""Keras layers that the course derives: registered, serialisable, on any Keras backend."""

from cnncourse.layers.depth_pool import DepthPool
from cnncourse.layers.residual import BottleneckUnit, ResidualUnit

__all__ = ["BottleneckUnit", "DepthPool", "ResidualUnit"]
