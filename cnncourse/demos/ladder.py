"""LadderDemo: trees or cars? Four networks, and what moving, turning and clutter do to them."""

import functools
import json

import numpy as np
import traitlets
from cnncourse.demos.base import Demo
from cnncourse.demos.ladder_table import (
    CLUTTERS,
    HERE,
    NETWORKS,
    ROTATIONS,
    SETTINGS,
    SHIFTS,
    SHOWN,
    TRAINED_ON,
)
from PIL import Image, ImageDraw


@functools.cache
def stored() -> dict:
    """Return the stored table: see `ladder_table.table`."""
    return json.loads((HERE / "ladder.json").read_text(encoding="utf-8"))


class LadderDemo(Demo):
    """Choose how much trees and cars vary; see how many of them each network names rightly.

    The networks are not trained here: each was trained three times by `ladder_table`, and tested
    on 500 new sprites of every setting.

    Args:
        trained_on: "still" (sprites upright in the middle, no clutter) or "varied" (moved by up to
            6 pixels, turned by up to 40 degrees, a third each with 0, 6 and 12 pieces of clutter).
        shift: how far test sprites are moved at most: 0, 2, 4 or 6 pixels in each direction.
        rotation: how far they are turned at most: 0, 20 or 40 degrees either way.
        clutter: how many strokes and spots are in the way: 0, 6 or 12.

    >>> LadderDemo().accuracy["CNN"]
    [100.0, 100.0, 100.0]
    """

    _module = "ladder"

    trained_on = traitlets.Enum(TRAINED_ON, "still").tag(sync=True)
    shift = traitlets.Enum(SHIFTS, 0).tag(sync=True)
    rotation = traitlets.Enum(ROTATIONS, 0).tag(sync=True)
    clutter = traitlets.Enum(CLUTTERS, 0).tag(sync=True)
    table = traitlets.Dict(read_only=True).tag(sync=True)
    sheet = traitlets.Bytes(read_only=True).tag(sync=True)

    @traitlets.default("table")
    def _table(self):
        scales = {"shift": SHIFTS, "rotation": ROTATIONS, "clutter": CLUTTERS}
        return {**stored(), "networks": NETWORKS, "scales": scales, "shown": SHOWN}

    @traitlets.default("sheet")
    def _sheet(self):
        return (HERE / "ladder.png").read_bytes()

    @property
    def _setting(self) -> int:
        return SETTINGS.index((self.shift, self.rotation, self.clutter))

    @property
    def accuracy(self) -> dict[str, list[float]]:
        """Test accuracy in percent of each network, one value per training run."""
        row = stored()["accuracy"][self.trained_on][self._setting]
        return dict(zip(NETWORKS, row, strict=True))

    @property
    def sprites(self) -> np.ndarray:
        """The six test sprites that are shown, uint8 (6, 32, 32), in 16 grey levels."""
        sheet = np.asarray(Image.open(HERE / "ladder.png").convert("L"))
        row = sheet[32 * self._setting : 32 * self._setting + 32]
        return row.reshape(32, SHOWN, 32).swapaxes(0, 1)

    def still(self) -> tuple[np.ndarray, str]:
        """Return the sprites above a bar for each network, and its alternative text."""
        canvas = Image.new("RGB", (640, 260), "white")
        strip = Image.fromarray(np.hstack(self.sprites)).resize((600, 100), 0)
        canvas.paste(strip.convert("RGB"), (8, 8))
        pen = ImageDraw.Draw(canvas)
        said = []
        for n, (name, runs) in enumerate(self.accuracy.items()):
            y, mean = 122 + 34 * n, float(np.mean(runs))
            pen.text((8, y + 3), name, "black", font_size=15)
            pen.rectangle((110, y, 110 + 4 * mean, y + 22), "#0072b2")
            pen.text((118 + 4 * mean, y + 3), f"{mean:.1f} %", "black", font_size=15)
            said.append(f"{name} {mean:.1f} %")
        alt = (
            f"Six sprites of trees and cars, moved by up to {self.shift} pixels, turned by up to "
            f"{self.rotation} degrees, with {self.clutter} pieces of clutter, and the accuracy of "
            f"networks trained on {self.trained_on} sprites: {', '.join(said)}."
        )
        return np.asarray(canvas), alt
