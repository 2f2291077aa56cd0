"""ScalingDemo: a network made wider, deeper, sharper-eyed, and all of it together."""

import math

import numpy as np
import traitlets
from cnncourse.demos.base import Demo
from PIL import Image, ImageDraw

ALPHA, BETA, GAMMA = 1.2, 1.1, 1.15  # depth, width, resolution: Tan & Le (2019), section 3.3
SIDE, LAYERS = 224, 4  # of the base: its images, and the layers that are drawn
PANELS = {
    "base": "",
    "wider": "w",
    "deeper": "d",
    "higher resolution": "r",
    "all together": "dwr",
}


def scaled(phi: float) -> list[dict]:
    """Return factors and cost of the five panels for a compound coefficient.

    Each single panel takes its own share of what all together take. `alone` is the factor that this
    one dimension would need to spend the whole budget by itself.

    >>> [round(panel["flops"], 2) for panel in scaled(1)]
    [1.0, 1.21, 1.2, 1.32, 1.92]
    """
    budget = (ALPHA * BETA**2 * GAMMA**2) ** phi
    needed = {"w": math.sqrt(budget), "d": budget, "r": math.sqrt(budget)}
    panels = []
    for name, changed in PANELS.items():
        depth = ALPHA**phi if "d" in changed else 1.0
        width = BETA**phi if "w" in changed else 1.0
        resolution = GAMMA**phi if "r" in changed else 1.0
        panels.append(
            {
                "name": name,
                "depth": depth,
                "width": width,
                "resolution": resolution,
                "flops": depth * width**2 * resolution**2,
                "alone": needed.get(changed),
            }
        )
    return panels


class ScalingDemo(Demo):
    """Move φ; see what depth, width and resolution become, alone and together, and what it costs.

    A slab is a layer: as long as the layer is wide, as high as its maps have pixels. The square
    below is the image. Factors are those of EfficientNet: depth 1.2^φ, width 1.1^φ,
    resolution 1.15^φ.

    Args:
        phi: compound coefficient, 0 to 7.

    >>> round(ScalingDemo(phi=2).panels[-1]["flops"], 2)
    3.69
    """

    _module = "scaling"
    phi = traitlets.Float(3, min=0, max=7).tag(sync=True)
    base = traitlets.Dict(
        {"alpha": ALPHA, "beta": BETA, "gamma": GAMMA, "side": SIDE, "layers": LAYERS},
        read_only=True,
    ).tag(sync=True)
    kinds = traitlets.List(list(map(list, PANELS.items())), read_only=True).tag(sync=True)

    @property
    def panels(self) -> list[dict]:
        """Factors and cost of each panel: see `scaled`."""
        return scaled(self.phi)

    def still(self) -> tuple[np.ndarray, str]:
        """Return the five panels and their alternative text."""
        tall = max(_height(panel) for panel in self.panels)
        canvas = Image.new("RGB", (640, tall + 56), "white")
        pen = ImageDraw.Draw(canvas)
        for n, panel in enumerate(self.panels):
            middle, floor = 64 + 128 * n, tall + 10
            side = 25 * panel["resolution"]
            pen.rectangle((middle - side / 2, floor - side, middle + side / 2, floor), "#e69f00")
            floor -= side + 6
            high, long = 6 * panel["resolution"], 44 * panel["width"]
            for _ in range(_slabs(panel)):
                left = middle - long / 2
                pen.rectangle((left, floor - high + 2, left + long, floor), "#0072b2")
                floor -= high
            words = f"{panel['name']}\nFLOPs: {panel['flops']:.2f}"
            pen.text((middle, tall + 16), words, "black", anchor="ma", align="center", font_size=13)
        *_, both = self.panels
        alt = (
            f"Five networks for φ = {self.phi:g}: base, wider, deeper, higher resolution, and all "
            f"together: depth ×{both['depth']:.2f}, width ×{both['width']:.2f}, resolution "
            f"×{both['resolution']:.2f}, products ×{both['flops']:.2f}."
        )
        return np.asarray(canvas), alt


def _slabs(panel: dict) -> int:
    """Return how many layers of a panel are drawn."""
    return math.ceil(LAYERS * panel["depth"] - 1e-9)


def _height(panel: dict) -> int:
    """Return the pixels that a panel's image and slabs take in the still."""
    return math.ceil((25 + 6 * _slabs(panel)) * panel["resolution"] + 6)
