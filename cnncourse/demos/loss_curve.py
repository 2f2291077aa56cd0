"""LossCurveDemo: read the curves of real trainings, and say what went wrong."""

import functools
import json
from pathlib import Path

import numpy as np
import traitlets
from cnncourse.demos.base import Demo
from PIL import Image, ImageDraw

DIAGNOSES = ("good", "overfit", "underfit", "too large", "too small")


@functools.cache
def cases() -> list[dict]:
    """Return the trainings: settings and curves, as `benchmarks/loss_curves.py` stored them."""
    file = Path(__file__).with_name("loss_curves.json")
    return json.loads(file.read_text(encoding="utf-8"))


class LossCurveDemo(Demo):
    """Loss per epoch of six small trainings on the digits: which diagnosis fits?

    Attributes:
        case: which training, 0 to 5.
        guess: the reader's diagnosis, "" or one of "good", "overfit", "underfit", "too large" and
            "too small" (the last two: of the learning rate).
        log: draw the loss on a logarithmic scale.
        cases: settings and curves (read-only).
    """

    _module = "loss_curve"
    case = traitlets.Int(0, min=0, max=5).tag(sync=True)
    guess = traitlets.Enum(["", *DIAGNOSES], "").tag(sync=True)
    log = traitlets.Bool(False).tag(sync=True)
    cases = traitlets.List(read_only=True).tag(sync=True)

    @traitlets.default("cases")
    def _cases(self):
        return cases()

    @property
    def chosen(self) -> dict:
        """The training that is shown."""
        return self.cases[self.case]

    @property
    def summary(self) -> dict:
        """Lowest validation loss, its epoch from 1, and the losses at the end with their gap."""
        training, validation = self.chosen["training"], self.chosen["validation"]
        best = int(np.argmin(validation))
        return {
            "epoch": best + 1,
            "lowest": validation[best],
            "training": training[-1],
            "validation": validation[-1],
            "gap": validation[-1] - training[-1],
        }

    @property
    def right(self) -> bool:
        """Whether the guess is the diagnosis."""
        return self.guess == self.chosen["diagnosis"]

    def still(self) -> tuple[np.ndarray, str]:
        """Return both curves, the loss from 0 to 3; validation is dashed."""
        image = Image.new("RGB", (520, 240), "white")
        draw = ImageDraw.Draw(image)
        draw.line((30, 10, 30, 220, 510, 220), "#999999")
        for name, colour in (("training", "#0072b2"), ("validation", "#d55e00")):
            curve = self.chosen[name]
            points = [
                (30 + 480 * (n + 1) / len(curve), 220 - 70 * min(v, 3)) for n, v in enumerate(curve)
            ]
            if name == "training":
                draw.line(points, colour, width=2)
            else:
                for piece in zip(points[::2], points[1::2], strict=False):
                    draw.line(piece, colour, width=2)
        draw.text((330, 12), "solid: training\ndashed: validation", "black", font_size=13)
        s = self.summary
        return np.asarray(image), (
            f"Loss of training {'ABCDEF'[self.case]} per epoch: at the end {s['training']:.2f} in "
            f"training and {s['validation']:.2f} in validation; "
            f"the lowest validation loss, {s['lowest']:.2f}, came in epoch {s['epoch']}."
        )
