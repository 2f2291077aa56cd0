"""Demos: pictures that move, in JupyterLab (linked to Python) and in the book (without a kernel).

Each demo is one Python class and one plain ES module `js/NAME.js` that does its own arithmetic.
"""

from cnncourse.demos.arithmetic import ArithmeticDemo
from cnncourse.demos.augment import AugmentDemo
from cnncourse.demos.base import Demo, bundle, write_assets
from cnncourse.demos.batch_norm import BatchNormDemo
from cnncourse.demos.choose_model import ChooseModelDemo
from cnncourse.demos.cortex import CortexDemo
from cnncourse.demos.dropout import DropoutDemo
from cnncourse.demos.edit_weight import EditWeightDemo
from cnncourse.demos.explorer import ExplorerDemo
from cnncourse.demos.filter import FilterDemo
from cnncourse.demos.flipbook import FlipbookDemo
from cnncourse.demos.inception import InceptionDemo
from cnncourse.demos.kernel_learn import KernelLearnDemo
from cnncourse.demos.ladder import LadderDemo
from cnncourse.demos.loss_curve import LossCurveDemo
from cnncourse.demos.lrn import LrnDemo
from cnncourse.demos.memory import MemoryDemo
from cnncourse.demos.neighbours import NeighboursDemo
from cnncourse.demos.pooling import PoolingDemo
from cnncourse.demos.scaling import ScalingDemo
from cnncourse.demos.separable import SeparableCostDemo
from cnncourse.demos.squeeze import SqueezeExciteDemo
from cnncourse.demos.stack import StackDemo
from cnncourse.demos.timeline import TimelineDemo

__all__ = [
    "ArithmeticDemo",
    "AugmentDemo",
    "BatchNormDemo",
    "ChooseModelDemo",
    "CortexDemo",
    "Demo",
    "DropoutDemo",
    "EditWeightDemo",
    "ExplorerDemo",
    "FilterDemo",
    "FlipbookDemo",
    "InceptionDemo",
    "KernelLearnDemo",
    "LadderDemo",
    "LossCurveDemo",
    "LrnDemo",
    "MemoryDemo",
    "NeighboursDemo",
    "PoolingDemo",
    "ScalingDemo",
    "SeparableCostDemo",
    "SqueezeExciteDemo",
    "StackDemo",
    "TimelineDemo",
    "bundle",
    "write_assets",
]
