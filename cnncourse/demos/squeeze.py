"""SqueezeExciteDemo: six maps, two neurons that summarise them, and six gates."""

import numpy as np
from cnncourse.demos.base import Demo
from cnncourse.plotting.style import COLOURS
from PIL import Image, ImageDraw
from traitlets import Float

MAPS = ("mouth", "nose", "eyes", "wheel", "lamp", "plate")
NEURONS = ("face", "car")
# Set by hand, where a network would have learnt them: (maps, neurons) and (neurons, maps).
REDUCE = np.array([[2, 2, 1, -1, 0, -1], [-1, -1, 0, 2, 1, 2]], "float64").T
REDUCE_BIAS = np.array([-1.0, -1.0])
EXPAND = np.array([[1.2] * 3 + [-1.2] * 3, [-1.2] * 3 + [1.2] * 3])
EXPAND_BIAS = np.full(6, -0.5)


class SqueezeExciteDemo(Demo):
    """Set how strongly six maps answer; see what a squeeze-and-excitation block makes of them.

    Three maps look for parts of a face, three for parts of a car. An eye and a lamp look alike:
    both are round. The block reads the mean of each map and multiplies each map by a gate.

    Args:
        mouth, nose, eyes, wheel, lamp, plate: mean answers of the maps, 0 to 1.

    >>> SqueezeExciteDemo().gates.round(2).tolist()
    [0.93, 0.93, 0.93, 0.03, 0.03, 0.03]
    """

    _module = "squeeze"

    mouth = Float(0.9, min=0, max=1).tag(sync=True)
    nose = Float(0.8, min=0, max=1).tag(sync=True)
    eyes = Float(0.35, min=0, max=1).tag(sync=True)
    wheel = Float(0.05, min=0, max=1).tag(sync=True)
    lamp = Float(0.35, min=0, max=1).tag(sync=True)
    plate = Float(0.1, min=0, max=1).tag(sync=True)

    @property
    def means(self) -> np.ndarray:
        """What global average pooling gives: one mean per map, float64 (6,)."""
        return np.array([getattr(self, name) for name in MAPS])

    @property
    def squeezed(self) -> np.ndarray:
        """The two neurons of the squeeze after ReLU: face and car, float64 (2,)."""
        return np.maximum(0, self.means @ REDUCE + REDUCE_BIAS)

    @property
    def gates(self) -> np.ndarray:
        """By how much each map is multiplied, each above 0 and below 1: float64 (6,)."""
        return 1 / (1 + np.exp(-(self.squeezed @ EXPAND + EXPAND_BIAS)))

    @property
    def output(self) -> np.ndarray:
        """The maps' means after the block: float64 (6,)."""
        return self.means * self.gates

    def still(self) -> tuple[np.ndarray, str]:
        """Return bars before, gates and bars after, and what they show in a sentence."""
        canvas = Image.new("RGB", (640, 210), "white")
        pen = ImageDraw.Draw(canvas)
        columns = {"before": self.means, "gate": self.gates, "after": self.output}
        for left, colour, (name, values) in zip(
            (75, 265, 455), COLOURS[:3], columns.items(), strict=True
        ):
            pen.text((left, 6), name, "black", font_size=15)
            for i, value in enumerate(values):
                top = 34 + 28 * i
                pen.rectangle((left, top, left + 120, top + 18), "#eeeeee")
                pen.rectangle((left, top, left + 120 * value, top + 18), colour)
                pen.text((left + 128, top), f"{value:.2f}", "black", font_size=14)
        for i, name in enumerate(MAPS):
            pen.text((8, 34 + 28 * i), name, "black", font_size=15)
        alt = (
            "Bars for six maps before the block, their gates, and the maps after it: "
            + ", ".join(
                f"{name} {before:.2f} times {gate:.2f} is {after:.2f}"
                for name, before, gate, after in zip(MAPS, *columns.values(), strict=True)
            )
        )
        return np.asarray(canvas), f"{alt}."
