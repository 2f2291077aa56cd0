"""InceptionDemo: what each branch of an inception module costs, with and without its reducers."""

import numpy as np
import traitlets
from cnncourse.demos.base import Demo
from PIL import Image, ImageDraw

BRANCHES = ("1×1", "3×3", "5×5", "pool")
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7")
SETTINGS = ("channels", "side", "one", "reduce3", "three", "reduce5", "five", "projection")

# Table 1 of Szegedy et al. (2015): channels and side of the input, then the module's six numbers.
PRESETS = [
    {"name": name, **dict(zip(SETTINGS, numbers, strict=True))}
    for name, *numbers in (
        ("3a", 192, 28, 64, 96, 128, 16, 32, 32),
        ("3b", 256, 28, 128, 128, 192, 32, 96, 64),
        ("4a", 480, 14, 192, 96, 208, 16, 48, 64),
        ("4b", 512, 14, 160, 112, 224, 24, 64, 64),
        ("4c", 512, 14, 128, 128, 256, 24, 64, 64),
        ("4d", 512, 14, 112, 144, 288, 32, 64, 64),
        ("4e", 528, 14, 256, 160, 320, 32, 128, 128),
        ("5a", 832, 7, 256, 160, 320, 32, 128, 128),
        ("5b", 832, 7, 384, 192, 384, 48, 128, 128),
    )
]


def branch_costs(channels: int, side: int, maps, reducers: bool = True) -> list[dict]:
    """Count what each of the four branches costs.

    Args:
        channels: maps of the input.
        side: of the maps; all strides are 1 and all padding is "same", so it stays.
        maps: six numbers: 1×1, 3×3 reduce, 3×3, 5×5 reduce, 5×5, pool projection.
        reducers: without, the 3×3 and 5×5 read the input itself, and the pooled maps are the
            fourth branch as they are.

    Returns:
        For each branch `maps` that it gives, `parameters` with biases, and `macs`.

    >>> branch_costs(192, 28, (64, 96, 128, 16, 32, 32))[2]
    {'maps': 32, 'parameters': 15920, 'macs': 12443648}
    >>> branch_costs(192, 28, (64, 96, 128, 16, 32, 32), reducers=False)[2]["macs"]
    120422400
    """
    one, reduce3, three, reduce5, five, projection = maps
    chains = [[(1, one)], [(3, three)], [(5, five)], []]
    if reducers:
        chains[1] = [(1, reduce3), (3, three)]
        chains[2] = [(1, reduce5), (5, five)]
        chains[3] = [(1, projection)]
    return [_chain_cost(channels, side, chain) for chain in chains]


def _chain_cost(channels, side, chain):
    """Add up convolutions (kernel side, maps), one after the other."""
    weights = biases = 0
    for kernel_size, filters in chain:
        weights += kernel_size**2 * channels * filters
        biases += filters
        channels = filters
    return {"maps": channels, "parameters": weights + biases, "macs": weights * side**2}


class InceptionDemo(Demo):
    """Set an inception module's six numbers; see what every branch costs.

    Attributes:
        channels: maps of the input, 1 to 1,024.
        side: of the input's maps, 1 to 56.
        one: maps of the 1×1 branch.
        reduce3, three: maps of the 1×1 reducer and of the 3×3 behind it.
        reduce5, five: maps of the 1×1 reducer and of the 5×5 behind it.
        projection: maps of the 1×1 after the pooling.
        presets: GoogLeNet's nine modules (read-only).

    >>> demo = InceptionDemo()
    >>> demo.total()["parameters"], demo.total(reducers=False)["parameters"]
    (163696, 387296)
    """

    _module = "inception"
    channels = traitlets.Int(192, min=1, max=1024).tag(sync=True)
    side = traitlets.Int(28, min=1, max=56).tag(sync=True)
    one = traitlets.Int(64, min=1, max=512).tag(sync=True)
    reduce3 = traitlets.Int(96, min=1, max=512).tag(sync=True)
    three = traitlets.Int(128, min=1, max=512).tag(sync=True)
    reduce5 = traitlets.Int(16, min=1, max=256).tag(sync=True)
    five = traitlets.Int(32, min=1, max=256).tag(sync=True)
    projection = traitlets.Int(32, min=1, max=256).tag(sync=True)
    presets = traitlets.List(PRESETS, read_only=True).tag(sync=True)

    @property
    def maps(self) -> tuple[int, ...]:
        """The six numbers, in the order of the paper's table."""
        return tuple(getattr(self, name) for name in SETTINGS[2:])

    def branches(self, reducers: bool = True) -> list[dict]:
        """Return `branch_costs` of the present settings."""
        return branch_costs(self.channels, self.side, self.maps, reducers)

    def total(self, reducers: bool = True) -> dict:
        """Return the sums over the branches."""
        rows = self.branches(reducers)
        return {key: sum(row[key] for row in rows) for key in ("maps", "parameters", "macs")}

    def still(self) -> tuple[np.ndarray, str]:
        """Return two bars of parameters, divided by branch, and their alternative text."""
        image = Image.new("RGB", (640, 190), "white")
        pen, said = ImageDraw.Draw(image), []
        largest = max(self.total(reducers)["parameters"] for reducers in (True, False))
        for row, (reducers, word) in enumerate(((True, "with"), (False, "without"))):
            total, x, y = self.total(reducers), 10, 14 + 76 * row
            text = f"{word} reducers: {total['parameters']:,} parameters, {total['maps']} maps"
            pen.text((10, y), text, "black", font_size=15)
            for branch, colour in zip(self.branches(reducers), COLOURS, strict=True):
                width = 610 * branch["parameters"] / largest
                pen.rectangle((x, y + 24, x + width, y + 52), colour)
                x += width
            said.append(f"{text} and {total['macs'] / 1e6:.1f} M products")
        for n, (name, colour) in enumerate(zip(BRANCHES, COLOURS, strict=True)):
            pen.rectangle((10 + 110 * n, 168, 24 + 110 * n, 182), colour)
            pen.text((30 + 110 * n, 166), name.replace("×", " x "), "black", font_size=14)
        alt = f"Bars of an inception module's budget for {self.channels} maps; {'; '.join(said)}."
        return np.asarray(image), alt
