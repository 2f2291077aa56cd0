"""SeparableCostDemo: what a separable convolution costs beside a regular one."""

import numpy as np
from cnncourse.demos.base import Demo
from cnncourse.plotting.style import COLOURS
from PIL import Image, ImageDraw
from traitlets import Enum, Int


class SeparableCostDemo(Demo):
    """Choose kernel size and maps; compare the weights of both kinds of convolution.

    Biases are not counted. With the same output size, products are in the same ratio as weights.

    Args:
        kernel_size: 1, 3, 5 or 7.
        c_in, c_out: maps that come in and go out, 1 to 2048.

    >>> round(SeparableCostDemo(c_in=256, c_out=256).ratio, 3)
    0.115
    """

    _module = "separable"

    kernel_size = Enum((1, 3, 5, 7), 3).tag(sync=True)
    c_in = Int(128, min=1, max=2048).tag(sync=True)
    c_out = Int(256, min=1, max=2048).tag(sync=True)

    @property
    def weights(self) -> dict[str, int]:
        """Weights of the regular convolution, and of the separable one's two steps."""
        area = self.kernel_size**2
        return {
            "regular": area * self.c_in * self.c_out,
            "depthwise": area * self.c_in,
            "pointwise": self.c_in * self.c_out,
        }

    @property
    def ratio(self) -> float:
        """Cost of the separable convolution as a fraction of the regular one's."""
        counts = self.weights
        return (counts["depthwise"] + counts["pointwise"]) / counts["regular"]

    def still(self) -> tuple[np.ndarray, str]:
        """Return both costs as bars, and a sentence about them."""
        canvas = Image.new("RGB", (640, 120), "white")
        pen = ImageDraw.Draw(canvas)
        counts = self.weights
        longest = max(counts["regular"], counts["depthwise"] + counts["pointwise"])
        rows = ((("regular",), 10), (("depthwise", "pointwise"), 65))
        for parts, top in rows:
            left = 10.0
            for name, colour in zip(parts, COLOURS[:2], strict=False):
                right = left + 620 * counts[name] / longest
                pen.rectangle((left, top + 20, right, top + 42), colour)
                left = right
            words = " + ".join(f"{name} {counts[name]:,}" for name in parts)
            pen.text((10, top), words, "black", font_size=15)
        alt = (
            f"A {self.kernel_size} by {self.kernel_size} convolution from {self.c_in} to "
            f"{self.c_out} maps has {counts['regular']:,} weights; a separable one "
            f"{counts['depthwise']:,} and {counts['pointwise']:,}: {self.ratio:.1%} as many."
        )
        return np.asarray(canvas), alt
