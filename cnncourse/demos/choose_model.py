"""ChooseModelDemo: which pretrained network is the right one, within one's limits?"""

import matplotlib.pyplot as plt
import numpy as np
import traitlets
from cnncourse.demos.base import Demo
from cnncourse.model_table import MODELS, best, fitting, pareto_front
from matplotlib.ticker import LogLocator, NullLocator

COSTS = {
    "size_mib": "size of the weight file (MiB)",
    "parameters_m": "parameters (millions)",
    "cpu_ms": "CPU time (ms per batch)",
    "gpu_ms": "GPU time (ms per batch)",
    "side": "side of the images (pixels)",
}
GAINS = {"top1": "top-1 accuracy (%)", "top5": "top-5 accuracy (%)"}


class ChooseModelDemo(Demo):
    """Accuracy of 15 networks against what they cost; set limits and see which are left.

    Filled circles joined by a line are the Pareto front of the networks that keep the limits: none
    of the others is better without costing more. Crosses break a limit.

    Args:
        cost: column along the bottom: "size_mib", "parameters_m", "cpu_ms", "gpu_ms" or "side".
        gain: column upwards: "top1" or "top5".
        logarithmic: whether the axis along the bottom is.
        max_mib, max_cpu_ms, max_gpu_ms: limits of file size, and of milliseconds per batch of 32.

    >>> demo = ChooseModelDemo(max_cpu_ms=50)
    >>> demo.best["name"], len(demo.front)
    ('InceptionV3', 4)
    """

    _module = "choose_model"
    cost = traitlets.Enum(list(COSTS), "cpu_ms").tag(sync=True)
    gain = traitlets.Enum(list(GAINS), "top1").tag(sync=True)
    logarithmic = traitlets.Bool(True).tag(sync=True)
    max_mib = traitlets.Float(300, min=0).tag(sync=True)
    max_cpu_ms = traitlets.Float(2000, min=0).tag(sync=True)
    max_gpu_ms = traitlets.Float(70, min=0).tag(sync=True)
    rows = traitlets.List(list(MODELS), read_only=True).tag(sync=True)
    costs = traitlets.Dict(COSTS, read_only=True).tag(sync=True)
    gains = traitlets.Dict(GAINS, read_only=True).tag(sync=True)

    @property
    def fits(self) -> list[dict]:
        """The rows that keep all limits."""
        return fitting(MODELS, self.max_mib, self.max_cpu_ms, self.max_gpu_ms)

    @property
    def front(self) -> list[dict]:
        """The Pareto front of those, cheapest first."""
        return pareto_front(self.fits, self.cost, self.gain)

    @property
    def best(self) -> dict | None:
        """The most accurate of those; None if nothing keeps the limits."""
        return best(self.fits, self.gain)

    def figure(self):
        """Return the scatter as a matplotlib figure."""
        figure, axis = plt.subplots(figsize=(6.4, 3.6), layout="constrained")
        front, fits = self.front, self.fits
        groups = {
            "on the front": (front, "o", "C0"),
            "beaten": ([r for r in fits if r not in front], "s", "C1"),
            "over a limit": ([r for r in MODELS if r not in fits], "x", "0.4"),
        }
        axis.plot([r[self.cost] for r in front], [r[self.gain] for r in front], "C0", lw=1)
        axis.margins(0.08)
        for label, (rows, marker, colour) in groups.items():
            points = [r[self.cost] for r in rows], [r[self.gain] for r in rows]
            if rows:
                axis.plot(*points, marker, color=colour, label=label)
            for x, y, row in zip(*points, rows, strict=True):
                name = row["name"].replace("EfficientNet", "")
                axis.annotate(name, (x, y), (4, -9), textcoords="offset points", fontsize=7.5)
        axis.set(xlabel=COSTS[self.cost], ylabel=GAINS[self.gain])
        if self.logarithmic:
            axis.set_xscale("log")
            axis.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
            axis.xaxis.set_minor_locator(NullLocator())
            axis.xaxis.set_major_formatter("{x:g}")
        axis.legend(loc="lower right")
        return figure

    def still(self) -> tuple[np.ndarray, str]:
        """Return the scatter and its alternative text."""
        figure = self.figure()
        figure.canvas.draw()
        picture = np.asarray(figure.canvas.buffer_rgba())[..., :3].copy()
        plt.close(figure)
        names = ", ".join(row["name"] for row in self.front) or "none"
        text = f"{GAINS[self.gain]} of 15 networks against {COSTS[self.cost]}. "
        return picture, f"{text}On the Pareto front: {names}."
