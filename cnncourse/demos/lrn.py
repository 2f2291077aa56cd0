"""LrnDemo: sixteen maps at one position, before and after local response normalisation."""

import numpy as np
from cnncourse.demos.base import Demo
from PIL import Image, ImageDraw
from traitlets import Float, Int, List

MAPS = 16
TOP = 100  # of the axis
START = (30, 42, 55, 38, 50, 34, 46, 60, 52, 40, 28, 44, 36, 56, 48, 32)


class LrnDemo(Demo):
    """Drag the bars of sixteen maps and see how each holds down its neighbours.

    b_i = a_i / (k + α · Σ a_j²)^β, where j runs over the window of map i: from i − n // 2 to
    i + n // 2, as far as there are maps. n is the window's full width, as in AlexNet's paper;
    TensorFlow's `depth_radius` is half of it, n // 2.

    Args:
        activations: of the 16 maps after ReLU, 0 to 100 each.
        chosen: the map whose window is shown, 0 to 15.
        n: full width of the window, 1 to 15 maps.
        k: what is added to the sum, 1 to 10.
        alpha: factor of the sum, 1e-6 to 1.
        beta: the power, 0 to 1.5.

    >>> LrnDemo(activations=[1, 1, 100] + [1] * 13, n=3).normalised[:5].round(3).tolist()
    [0.595, 0.439, 43.867, 0.439, 0.595]
    """

    _module = "lrn"

    activations = List(Float(min=0, max=TOP), list(START), minlen=MAPS, maxlen=MAPS).tag(sync=True)
    chosen = Int(7, min=0, max=MAPS - 1).tag(sync=True)
    n = Int(5, min=1, max=15).tag(sync=True)
    k = Float(2.0, min=1, max=10).tag(sync=True)
    alpha = Float(1e-4, min=1e-6, max=1).tag(sync=True)
    beta = Float(0.75, min=0, max=1.5).tag(sync=True)

    @property
    def normalised(self) -> np.ndarray:
        """The bars after normalisation: float64 (16,)."""
        return self._with_half_width(self.n // 2)

    @property
    def misread(self) -> np.ndarray:
        """What TensorFlow would give for `depth_radius=n`, a window of 2n + 1 maps."""
        return self._with_half_width(self.n)

    def window(self) -> tuple[int, int]:
        """Return the first and the last map that the chosen map's sum takes in."""
        half = self.n // 2
        return max(0, self.chosen - half), min(MAPS - 1, self.chosen + half)

    def _with_half_width(self, half: int) -> np.ndarray:
        a = np.array(self.activations, "float64")
        sums = [np.square(a[max(0, i - half) : i + half + 1]).sum() for i in range(MAPS)]
        return a / (self.k + self.alpha * np.array(sums)) ** self.beta

    def still(self) -> tuple[np.ndarray, str]:
        """Return the bars before and after, the chosen window under them, and a sentence."""
        canvas = Image.new("RGB", (640, 240), "white")
        pen = ImageDraw.Draw(canvas)
        bars = zip(self.activations, self.normalised, strict=True)
        for i, (before, after) in enumerate(bars):
            left = 8 + 39 * i
            pen.rectangle((left, 205 - 1.9 * before, left + 31, 205), "#d6ebf8", "#0072b2")
            pen.rectangle((left + 8, 205 - 1.9 * after, left + 23, 205), "#d55e00")
            pen.text((left + 16, 208), str(i), "black", anchor="ma", font_size=12)
        first, last = self.window()
        pen.line((8 + 39 * first, 230, 39 + 39 * last, 230), "#d55e00", width=4)
        a, b = self.activations[self.chosen], self.normalised[self.chosen]
        alt = (
            f"Sixteen wide bars, one per map, and within each a narrower bar after normalisation. "
            f"Map {self.chosen} goes from {a:.3g} to {b:.3g}; a line marks maps {first} to {last}, "
            f"which its sum of squares takes in."
        )
        return np.asarray(canvas), alt
