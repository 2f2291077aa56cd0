"""CortexDemo: a bar in front of three layers of model neurons; which of them light up?"""

import numpy as np
from cnncourse import cost, scratch
from cnncourse.demos.base import Demo
from cnncourse.demos.kernels import gabor
from PIL import Image, ImageDraw
from traitlets import Enum, Int

SIDE = 63  # pixels of the field of view
ANGLES = (0, 45, 90, 135)  # what neurons prefer: degrees, counter-clockwise from horizontal
FIELD, STEP, WAVELENGTH = 23, 4, 12  # of simple neurons, in pixels
WIDTH = 4  # of the bar, in pixels
AWAKE = 0.45  # a neuron counts as awake from here
PATTERNS = ((0, 2), (1, 3))  # pairs of angles: upright and diagonal corners and crosses
# Per stroke: how far it is turned, and where it starts and ends in half lengths from the middle.
STROKES = {
    "bar": ((0, -1, 1),),
    "corner": ((0, 0, 1), (90, 0, 1)),
    "cross": ((0, -1, 1), (90, -1, 1)),
}


class CortexDemo(Demo):
    """Move and turn a bar; see which model neurons answer.

    Simple neurons are Gabor kernels under ReLU: each answers to a stroke of its angle at its place.
    A complex neuron takes the largest answer of 5 × 5 neighbouring simple neurons of one angle. A
    pattern neuron reads 2 × 2 complex neurons of two crossing angles and answers only if both do.
    An answer of 1 is that to a long bar at the best place and angle.

    Args:
        stimulus: "bar", "corner" (two strokes that meet) or "cross".
        column, row: where its middle is, 0 to 62 pixels.
        angle: how far it is turned, 0 to 179 degrees counter-clockwise; a bar of 0 is horizontal.
        length: of the bar, or of both strokes of a corner together, in pixels.

    >>> CortexDemo(angle=90).strongest()["simple"]
    (5, 5, 2)
    """

    _module = "cortex"

    stimulus = Enum(tuple(STROKES), "bar").tag(sync=True)
    column = Int(31, min=0, max=SIDE - 1).tag(sync=True)
    row = Int(31, min=0, max=SIDE - 1).tag(sync=True)
    angle = Int(90, min=0, max=179).tag(sync=True)
    length = Int(25, min=5, max=61).tag(sync=True)

    @property
    def image(self) -> np.ndarray:
        """What the eye sees: float64 (63, 63), 0 is dark and 1 bright."""
        y, x = np.mgrid[:SIDE, :SIDE] - np.reshape([self.row, self.column], (2, 1, 1))
        strokes = []
        for turn, start, stop in STROKES[self.stimulus]:
            angle = np.deg2rad(self.angle + turn)
            along = x * np.cos(angle) - y * np.sin(angle)
            across = x * np.sin(angle) + y * np.cos(angle)
            half = self.length / 2
            inside = (along - start * half, stop * half - along, WIDTH / 2 - np.abs(across))
            strokes.append(np.prod([np.clip(d + 0.5, 0, 1) for d in inside], axis=0))
        return np.max(strokes, axis=0)

    @property
    def layers(self) -> dict[str, np.ndarray]:
        """The answers: simple (11, 11, 4), complex (3, 3, 4) and pattern (2, 2, 2), float64."""
        image = self.image[None, :, :, None]
        simple = scratch.relu(scratch.conv2d(image, filters(), strides=STEP))
        complex_ = scratch.max_pool2d(simple, 5, 3)
        wide = scratch.max_pool2d(complex_, 2, 1)
        pattern = np.stack([wide[..., list(pair)].min(axis=-1) for pair in PATTERNS], axis=-1)
        return {"simple": simple[0], "complex": complex_[0], "pattern": pattern[0]}

    def strongest(self) -> dict[str, tuple[int, int, int]]:
        """Return (row, column, kind) of the neuron of each layer that answers most."""
        winners = {}
        for name, answers in self.layers.items():
            place = np.unravel_index(np.argmax(answers.round(9)), answers.shape)
            winners[name] = tuple(int(n) for n in place)
        return winners

    @staticmethod
    def fields() -> dict[str, tuple[int, int]]:
        """Return (size, jump) of the layers' receptive fields in pixels."""
        stages = {"simple": (FIELD, STEP), "complex": (5, 3), "pattern": (2, 1)}
        sizes = list(stages.values())
        return {name: cost.receptive_field(sizes[: n + 1]) for n, name in enumerate(stages)}

    def still(self) -> tuple[np.ndarray, str]:
        """Return the stimulus beside the answers of all layers, and a sentence about them."""
        canvas = Image.new("RGB", (640, 200), "white")
        picture = Image.fromarray(np.uint8(self.image * 255)).resize((189, 189))
        canvas.paste(picture.convert("RGB"), (4, 4))
        pen = ImageDraw.Draw(canvas)
        for (name, answers), left in zip(self.layers.items(), (205, 355, 505), strict=True):
            pen.text((left, 2), f"{name} neurons", "black", font_size=13)
            _draw_layer(pen, answers, left, 24, 130)
        awake = [f"{(a >= AWAKE).sum()} of {a.size} {n}" for n, a in self.layers.items()]
        alt = (
            f"A bright {self.stimulus} turned by {self.angle} degrees, and three layers of model "
            f"neurons; awake are {awake[0]}, {awake[1]} and {awake[2]} neurons."
        )
        return np.asarray(canvas), alt


def filters() -> np.ndarray:
    """Return the simple neurons' kernels, float64 (23, 23, 1, 4), scaled for answers up to 1."""
    bank = np.stack([gabor(FIELD, angle, WAVELENGTH) for angle in ANGLES], axis=-1)
    across = np.abs(np.arange(FIELD) - FIELD // 2)[:, None]
    bar = np.clip(WIDTH / 2 - across + 0.5, 0, 1) * np.ones(FIELD)
    return bank[:, :, None] / (bank[..., 0] * bar).sum()


def _draw_layer(pen, answers, left, top, side) -> None:
    """Draw a star of thin strokes per place, one stroke per neuron; awake ones are thick."""
    cell = side / len(answers)
    for (i, j, kind), answer in np.ndenumerate(answers):
        pattern = answers.shape[2] == len(PATTERNS)
        turns = [ANGLES[k] for k in PATTERNS[kind]] if pattern else [ANGLES[kind]]
        x = left + (j + (0.25 + kind / 2 if pattern else 0.5)) * cell
        y, reach = top + (i + 0.5) * cell, (0.2 if pattern else 0.42) * cell
        for turn in np.deg2rad(turns):
            dx, dy = reach * np.cos(turn), reach * np.sin(turn)
            strong = answer >= AWAKE
            ends = (x - dx, y + dy, x + dx, y - dy)
            pen.line(ends, "#d55e00" if strong else "#c8c8c8", width=4 if strong else 1)
