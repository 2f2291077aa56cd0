"""Demos: pictures that move, in JupyterLab (linked to Python) and in the book (without a kernel).

Each demo is one Python class and one plain ES module `js/NAME.js` that does its own arithmetic.
"""

from cnncourse.demos.arithmetic import ArithmeticDemo
from cnncourse.demos.base import Demo, bundle, write_assets
from cnncourse.demos.cortex import CortexDemo
from cnncourse.demos.filter import FilterDemo
from cnncourse.demos.flipbook import FlipbookDemo
from cnncourse.demos.ladder import LadderDemo
from cnncourse.demos.pooling import PoolingDemo
from cnncourse.demos.separable import SeparableCostDemo
from cnncourse.demos.squeeze import SqueezeExciteDemo
from cnncourse.demos.stack import StackDemo
from cnncourse.demos.timeline import TimelineDemo

__all__ = [
    "ArithmeticDemo",
    "CortexDemo",
    "Demo",
    "FilterDemo",
    "FlipbookDemo",
    "LadderDemo",
    "PoolingDemo",
    "SeparableCostDemo",
    "SqueezeExciteDemo",
    "StackDemo",
    "TimelineDemo",
    "bundle",
    "write_assets",
]
