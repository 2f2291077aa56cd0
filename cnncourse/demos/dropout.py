"""DropoutDemo: sixteen units, a random share of them off, and the two ways to make up for it."""

import numpy as np
import traitlets
from cnncourse.demos.base import Demo
from cnncourse.demos.random import uniforms
from PIL import Image, ImageDraw

ACTIVATIONS = (0.4, 1.6, 0.9, 2.1, 0.2, 1.3, 0.7, 1.1, 1.8, 0.5, 1.0, 0.3, 1.4, 0.8, 1.2, 0.7)
DRAWS = 300


class DropoutDemo(Demo):
    """Switch units off at random; compare training with prediction, inverted with classic.

    Attributes:
        rate: percentage of units to drop, on average: 0 to 90.
        scaling: "inverted" (survivors are divided by the keep probability in training),
            "classic" (all are multiplied by it at prediction) or "none" (nobody makes up for it).
        phase: "training" or "prediction".
        draw: number of the random mask, 1 to 300.

    >>> demo = DropoutDemo(rate=30, scaling="classic", phase="prediction")
    >>> round(float(demo.output.mean()), 4)
    0.7
    """

    _module = "dropout"
    rate = traitlets.Int(30, min=0, max=90).tag(sync=True)
    scaling = traitlets.Enum(["inverted", "classic", "none"], "inverted").tag(sync=True)
    phase = traitlets.Enum(["training", "prediction"], "training").tag(sync=True)
    draw = traitlets.Int(1, min=1, max=DRAWS).tag(sync=True)
    activations = traitlets.List(list(ACTIVATIONS), read_only=True).tag(sync=True)

    @property
    def keep(self) -> float:
        """Probability of a unit to be kept."""
        return (100 - self.rate) / 100

    def mask(self, draw: int) -> np.ndarray:
        """Return the mask of one training step: 0 or 1 for each unit."""
        dropped = 100 * uniforms(draw, len(ACTIVATIONS)) < self.rate
        return np.where(dropped, 0.0, 1.0)

    def trained(self, draw: int) -> np.ndarray:
        """Return what leaves the layer in one training step, (16,)."""
        factor = 1 / self.keep if self.scaling == "inverted" else 1.0
        return np.array(ACTIVATIONS) * self.mask(draw) * factor

    @property
    def predicted(self) -> np.ndarray:
        """What leaves the layer at prediction, (16,)."""
        return np.array(ACTIVATIONS) * (self.keep if self.scaling == "classic" else 1.0)

    @property
    def output(self) -> np.ndarray:
        """What leaves the layer now, (16,)."""
        return self.predicted if self.phase == "prediction" else self.trained(self.draw)

    @property
    def running_mean(self) -> np.ndarray:
        """Mean output of training after 1, 2, … masks, as many as were drawn."""
        means = [self.trained(n).mean() for n in range(1, self.draw + 1)]
        return np.cumsum(means) / np.arange(1, self.draw + 1)

    def still(self) -> tuple[np.ndarray, str]:
        """Return a bar for each unit, and how many are off."""
        image = Image.new("RGB", (520, 190), "white")
        draw = ImageDraw.Draw(image)
        for i, (before, after) in enumerate(zip(ACTIVATIONS, self.output, strict=True)):
            left = 10 + 31 * i
            draw.rectangle((left, 170 - 50 * before, left + 22, 170), outline="#777777")
            if after:
                draw.rectangle((left + 4, 170 - 50 * min(after, 3), left + 18, 170), "#0072b2")
            else:
                draw.text((left + 7, 174), "x", "black", font_size=13)
        off = int((self.output == 0).sum())
        return np.asarray(image), (
            f"Bars of 16 activations in {self.phase} with a drop rate of {self.rate} %: {off} are "
            f"off; the mean is {self.output.mean():.2f}, without dropout it is 1."
        )
