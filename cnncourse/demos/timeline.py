"""TimelineDemo: seven years of the ImageNet challenge, year by year."""

import dataclasses

import numpy as np
import traitlets
from cnncourse.demos.base import Demo
from PIL import Image, ImageDraw


@dataclasses.dataclass(frozen=True)
class Entry:
    """One result on the ILSVRC classification test set.

    Attributes:
        year: year of the challenge.
        name: the network, or the team where the network has no name of its own.
        role: `winner`, `runner-up`, `entry` (ranked lower) or `not an entry`.
        top5: top-5 error in percent: for how many of 100 test images the true label is
            missing from the five best guesses.
        layers: layers with weights of one network, as text; "not stated" where unknown.
        parameters: weights of one network, as text; "not stated" where unknown.
        measured_with: one model or several whose answers were averaged.
        note: what the figures alone would get wrong.
    """

    year: int
    name: str
    role: str
    top5: float
    layers: str
    parameters: str
    measured_with: str
    note: str


NO_CNN = "no CNN"
NOT_STATED = "not stated"

# Russakovsky et al. (2015) for 2011 to 2014, the papers of the networks for the rest.
ENTRIES = (
    Entry(
        2011, "XRCE", "winner", 25.8, NO_CNN, NO_CNN, NOT_STATED,
        "The last winner without a CNN: hand-designed features and a linear classifier.",
    ),
    Entry(
        2012, "AlexNet", "winner", 15.3, "8", "≈ 60 million", "7 networks, averaged",
        "Some of the seven had seen extra images of 2011; five networks without them reached "
        "16.4 %. The 17 % often quoted belongs to the test set of 2010.",
    ),
    Entry(
        2012, "ISI", "runner-up", 26.2, NO_CNN, NO_CNN, NOT_STATED,
        "Eleven points behind: the gap that made the field change its mind.",
    ),
    Entry(
        2013, "Clarifai", "winner", 11.7, NOT_STATED, NOT_STATED, "several networks, averaged",
        "Networks of the ZF kind, from Zeiler's own company; 11.2 % with outside data. "
        "Often reported as “ZF Net won”.",
    ),
    Entry(
        2013, "ZF", "entry", 13.5, "8", NOT_STATED, "several networks, averaged",
        "The team named after Zeiler and Fergus did enter, but ranked below Clarifai.",
    ),
    Entry(
        2014, "GoogLeNet", "winner", 6.67, "22", "≈ 6 to 7 million", "7 networks, averaged",
        "Nearly three times as deep as AlexNet, with about a tenth of its weights.",
    ),
    Entry(
        2014, "VGG", "runner-up", 7.3, "19", "144 million", "7 networks, averaged",
        "Simpler than the winner and twenty times as many weights; still used everywhere.",
    ),
    Entry(
        2015, "ResNet", "winner", 3.57, "152", "60 million", "6 networks, averaged",
        "152 layers is the deepest of the six; they have different depths.",
    ),
    Entry(
        2016, "Trimps-Soushen", "winner", 2.99, NOT_STATED, NOT_STATED,
        "several networks, averaged",
        "A blend of networks that others had designed, hence seldom in textbooks.",
    ),
    Entry(
        2016, "Inception-v4 paper", "not an entry", 3.08, NOT_STATED, NOT_STATED,
        "4 networks, averaged",
        "Measured on the test set outside the challenge: three Inception-ResNet-v2, which have "
        "residual connections, and one Inception-v4, which has none.",
    ),
    Entry(
        2017, "SENet", "winner", 2.25, NOT_STATED, NOT_STATED, "several networks, averaged",
        "2.251 % in the paper. The challenge ended with this year.",
    ),
)  # fmt: skip

YEARS = tuple(sorted({entry.year for entry in ENTRIES}))


class TimelineDemo(Demo):
    """Pick a year of the ImageNet challenge; see who won, how deep, and with what error.

    Attributes:
        year: 2011 to 2017.
        entries: the table, one dictionary per entry (read-only).

    >>> [entry.name for entry in TimelineDemo(year=2014).chosen]
    ['GoogLeNet', 'VGG']
    """

    _module = "timeline"
    year = traitlets.Int(2012, min=YEARS[0], max=YEARS[-1]).tag(sync=True)
    entries = traitlets.List(list(map(dataclasses.asdict, ENTRIES)), read_only=True).tag(sync=True)

    @property
    def chosen(self) -> tuple[Entry, ...]:
        """The entries of the year, the winner first."""
        return tuple(entry for entry in ENTRIES if entry.year == self.year)

    def still(self) -> tuple[np.ndarray, str]:
        """Return a bar chart of all errors and its alternative text."""
        errors = ", ".join(f"{e.year} {e.name} {e.top5:g} %" for e in ENTRIES)
        image = Image.new("RGB", (640, 22 * len(ENTRIES) + 12), "white")
        draw = ImageDraw.Draw(image)
        for row, entry in enumerate(ENTRIES):
            y = 8 + 22 * row
            colour = "#0072b2" if entry.role == "winner" else "#b8d4e6"
            draw.text((8, y), f"{entry.year}  {entry.name}", "black", font_size=13)
            draw.rectangle((180, y, 180 + entry.top5 * 14, y + 15), colour)
            draw.text((186 + entry.top5 * 14, y), f"{entry.top5:g} %", "black", font_size=13)
        return np.asarray(image), f"Bar chart of ImageNet top-5 errors: {errors}"
