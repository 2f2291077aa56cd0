"""Keras layers that the course derives: registered, serialisable, on any Keras backend."""

from cnncourse.layers.depth_pool import DepthPool

__all__ = ["DepthPool"]
