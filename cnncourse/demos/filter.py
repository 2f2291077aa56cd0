"""FilterDemo: slide a kernel over a photograph."""

import numpy as np
from cnncourse.demos.base import Demo
from traitlets import Int


class FilterDemo(Demo):
    """Slide a kernel over a photograph."""

    _module = "filter"
    strides = Int(1, min=1, max=4).tag(sync=True)

    def still(self) -> tuple[np.ndarray, str]:
        """Return a picture of the demo and its alternative text."""
        return np.zeros((8, 8), "uint8"), "A photograph and its filtered map"
