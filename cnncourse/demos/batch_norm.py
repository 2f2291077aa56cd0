"""BatchNormDemo: a batch of numbers, normalised, scaled and shifted; training against inference."""

import numpy as np
import traitlets
from cnncourse.demos.base import Demo
from cnncourse.demos.random import uniforms
from PIL import Image, ImageDraw

EPSILON, MOMENTUM = 1e-3, 0.99
FOUR = (1.0, 2.0, 3.0, 4.0)
REACH, BINS = 10, 40


def examples(batch: str) -> np.ndarray:
    """Return a channel's values in a batch: the numbers 1 to 4, or 32 skewed ones."""
    if batch == "four":
        return np.array(FOUR)
    return 6 * uniforms(5, 32) ** 2  # squares: many small values, few large ones


def histogram(values: np.ndarray) -> np.ndarray:
    """Count the values in each half unit from −10 to 10, (40,); those beyond go to the ends."""
    inside = np.clip(values, -REACH, REACH)
    return np.histogram(inside, np.linspace(-REACH, REACH, BINS + 1))[0]


class BatchNormDemo(Demo):
    """Normalise a batch, scale and shift it; then let the moving averages take over.

    Attributes:
        batch: "four" (1, 2, 3, 4) or "many" (32 values).
        stretch: factor on all values, 0.1 to 5.
        shift: added to all values, −10 to 10.
        last: added to the last value only, −10 to 10.
        gamma: the learnt scale, −3 to 3.
        beta: the learnt shift, −3 to 3.
        phase: "training" (the batch's own statistics) or "inference" (moving averages).
        steps: training steps that the moving averages have seen, 0 to 1,000; all with this batch
            before `last` was added.

    >>> demo = BatchNormDemo(steps=1)
    >>> demo.normal.round(4).tolist()
    [-1.3411, -0.447, 0.447, 1.3411]
    >>> [round(float(v), 4) for v in demo.moving]
    [0.025, 1.0025]
    """

    _module = "batch_norm"
    batch = traitlets.Enum(["four", "many"], "four").tag(sync=True)
    stretch = traitlets.Float(1.0, min=0.1, max=5).tag(sync=True)
    shift = traitlets.Float(0.0, min=-10, max=10).tag(sync=True)
    last = traitlets.Float(0.0, min=-10, max=10).tag(sync=True)
    gamma = traitlets.Float(1.0, min=-3, max=3).tag(sync=True)
    beta = traitlets.Float(0.0, min=-3, max=3).tag(sync=True)
    phase = traitlets.Enum(["training", "inference"], "training").tag(sync=True)
    steps = traitlets.Int(500, min=0, max=1000).tag(sync=True)

    @property
    def usual(self) -> np.ndarray:
        """The batch as it was in all training steps so far."""
        return self.stretch * examples(self.batch) + self.shift

    @property
    def values(self) -> np.ndarray:
        """The batch that goes in now: the usual one, its last value moved."""
        x = self.usual
        x[-1] += self.last
        return x

    @property
    def moving(self) -> tuple[float, float]:
        """Moving mean and variance after `steps` steps; they started at 0 and 1."""
        old = MOMENTUM**self.steps
        x = self.usual
        return (1 - old) * x.mean(), old + (1 - old) * x.var()

    @property
    def statistics(self) -> tuple[float, float]:
        """(mean, variance) that the layer uses now."""
        x = self.values
        return (x.mean(), x.var()) if self.phase == "training" else self.moving

    @property
    def normal(self) -> np.ndarray:
        """The values less the mean, divided by √(variance + 0.001)."""
        mean, variance = self.statistics
        return (self.values - mean) / np.sqrt(variance + EPSILON)

    @property
    def output(self) -> np.ndarray:
        """What leaves the layer: gamma · normal + beta."""
        return self.gamma * self.normal + self.beta

    def still(self) -> tuple[np.ndarray, str]:
        """Return the three rows of dots below their histograms, from −10 to 10, and their means."""
        image = Image.new("RGB", (560, 200), "white")
        draw = ImageDraw.Draw(image)
        rows = {"x": self.values, "normalised": self.normal, "output": self.output}
        for k, (name, values) in enumerate(rows.items()):
            y = 45 + 60 * k
            draw.line((80, y, 550, y), "#999999")
            draw.text((6, y - 8), name, "black", font_size=12)
            counts = histogram(values)
            tall = 28 / max(*counts, len(values) / 4)
            for b in np.flatnonzero(counts):
                x = 85 + 11.5 * b
                draw.rectangle((x, y - 14 - tall * counts[b], x + 10, y - 14), outline="#555555")
            for value in values:
                x = 315 + 23 * min(max(value, -REACH), REACH)
                draw.ellipse((x - 4, y - 12, x + 4, y - 4), "#0072b2")
        means = [f"{values.mean().round(2) + 0.0:.2f}" for values in rows.values()]  # no -0.00
        return np.asarray(image), (
            f"Three rows of dots, each below its histogram: a batch with mean {means[0]}, its "
            f"values in {self.phase} after normalising, with mean {means[1]}, and after gamma "
            f"{self.gamma:g} and beta {self.beta:g}, with mean {means[2]}."
        )
