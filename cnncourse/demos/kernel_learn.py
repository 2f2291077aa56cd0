"""KernelLearnDemo: gradient descent finds a hidden kernel from one picture and one map."""

import numpy as np
import traitlets
from cnncourse.demos.base import Demo
from cnncourse.demos.filter import diverging
from cnncourse.demos.kernels import preset
from cnncourse.demos.stack import crops
from PIL import Image

GOALS = ("sobel_x", "sobel_y", "laplacian", "sharpen", "box")
SIDE = 20  # pixels of the picture
MOST_STEPS = 400
TOO_LARGE = 1e4  # a loss beyond this ends the run
START = ((0.4, -0.3, 0.2), (-0.1, 0.5, -0.6), (0.3, 0.1, -0.2))


def inputs() -> dict[str, np.ndarray]:
    """Return the two pictures, float64 (20, 20), both with mean 0 and standard deviation 1.

    "noise" has pixels that know nothing of each other; in "photo" neighbours are alike.
    """
    photo = crops()[0, :SIDE, :SIDE].mean(axis=-1)
    noise = np.random.default_rng(0).normal(size=(SIDE, SIDE))
    standard = {"noise": noise, "photo": photo}
    return {name: ((x - x.mean()) / x.std()).round(3) for name, x in standard.items()}


class KernelLearnDemo(Demo):
    """Watch a kernel learn: step by step towards the kernel that made the wanted map.

    The loss is the mean squared difference between the kernel's map and the wanted one; every
    step is plain gradient descent. The state after some steps follows from the settings alone.

    Attributes:
        picture: "noise" or "photo", see `inputs`.
        goal: the hidden kernel: "sobel_x", "sobel_y", "laplacian", "sharpen" or "box".
        learning_rate: 0.01 to 1.2.
        steps: how many steps were made, up to 400; fewer are made if the loss explodes.

    >>> KernelLearnDemo(learning_rate=0.2, steps=100).kernel.round(2)[0].astype(int).tolist()
    [-1, 0, 1]
    """

    _module = "kernel_learn"
    picture = traitlets.Enum(["noise", "photo"], "noise").tag(sync=True)
    goal = traitlets.Enum(list(GOALS), "sobel_x").tag(sync=True)
    learning_rate = traitlets.Float(0.1, min=0.01, max=1.2).tag(sync=True)
    steps = traitlets.Int(0, min=0, max=MOST_STEPS).tag(sync=True)
    pictures = traitlets.Dict(read_only=True).tag(sync=True)
    start = traitlets.List(read_only=True).tag(sync=True)

    @traitlets.default("pictures")
    def _pictures(self):
        return {name: x.tolist() for name, x in inputs().items()}

    @traitlets.default("start")
    def _start(self):
        return [list(row) for row in START]

    def path(self) -> tuple[np.ndarray, np.ndarray]:
        """Return all kernels so far, (steps + 1, 3, 3), and their losses, (steps + 1,).

        Both are shorter where the loss has exceeded 10,000: there the run ends.
        """
        x, w = np.array(self.pictures[self.picture]), np.array(self.start)
        windows = np.lib.stride_tricks.sliding_window_view(x, (3, 3))  # (18, 18, 3, 3)
        target = np.tensordot(windows, preset(self.goal, 3), 2)
        kernels, losses = [], []
        while True:
            error = np.tensordot(windows, w, 2) - target
            kernels.append(w)
            losses.append(np.mean(error**2))
            if len(losses) > self.steps or losses[-1] > TOO_LARGE:
                return np.array(kernels), np.array(losses)
            gradient = 2 / error.size * np.tensordot(error, windows, 2)
            w = w - self.learning_rate * gradient

    @property
    def kernel(self) -> np.ndarray:
        """The kernel after the last step, float64 (3, 3)."""
        return self.path()[0][-1]

    @property
    def loss(self) -> float:
        """The loss after the last step."""
        return float(self.path()[1][-1])

    def still(self) -> tuple[np.ndarray, str]:
        """Return the start, the present and the hidden kernel, and what they are in a sentence."""
        path, losses = self.path()
        kernels = (path[0], path[-1], preset(self.goal, 3))
        panels = []
        for kernel in kernels:
            tile = Image.fromarray(diverging(kernel, float(np.abs(kernels[-1]).max())))
            tile = np.asarray(tile.resize((150, 150), Image.Resampling.NEAREST))
            panels.append(np.pad(tile, ((0, 0), (0, 12), (0, 0)), constant_values=255))
        alt = (
            "Three kernels of 3 by 3 weights: the random start, the one after "
            f"{len(losses) - 1} steps of gradient descent with a loss of {losses[-1]:.3g}, and "
            f"the hidden one, {self.goal.replace('_', ' ')}."
        )
        return np.concatenate(panels, axis=1), alt
