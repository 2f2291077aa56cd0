"""AugmentDemo: eight variants of one flower, and a slider for each kind of change."""

import numpy as np
import traitlets
from cnncourse.demos.base import Demo
from cnncourse.demos.random import uniforms

SIDE, VARIANTS, DRAWS = 64, 8, 200


def flower() -> np.ndarray:
    """Return the middle of the sample photograph of a flower, uint8 (64, 64, 3)."""
    from cnncourse import datasets

    crop = datasets.sample_photos()[1, 45:365, 160:480]  # (320, 320, 3)
    small = crop.reshape(SIDE, 5, SIDE, 5, 3).mean(axis=(1, 3))
    return small.round().astype("uint8")


class AugmentDemo(Demo):
    """Vary a photograph at random: how far can each change go before the flower is odd?

    Attributes:
        rotation: largest angle in degrees, 0 to 180.
        shift: largest shift in percent of the side, 0 to 50.
        zoom: largest change of size in percent, 0 to 60.
        contrast: largest change of contrast in percent, 0 to 90.
        flip: mirror half of the variants.
        noise: standard deviation of white noise in grey levels, 0 to 100.
        draw: number of the random draw, 1 to 200.
    """

    _module = "augment"
    rotation = traitlets.Int(15, min=0, max=180).tag(sync=True)
    shift = traitlets.Int(10, min=0, max=50).tag(sync=True)
    zoom = traitlets.Int(10, min=0, max=60).tag(sync=True)
    contrast = traitlets.Int(20, min=0, max=90).tag(sync=True)
    flip = traitlets.Bool(True).tag(sync=True)
    noise = traitlets.Int(0, min=0, max=100).tag(sync=True)
    draw = traitlets.Int(1, min=1, max=DRAWS).tag(sync=True)
    pixels = traitlets.Bytes(read_only=True).tag(sync=True)

    @traitlets.default("pixels")
    def _pixels(self):
        return flower().tobytes()

    def changes(self, n: int) -> dict:
        """Return what is done to variant n: angle, shift down and right, zoom, contrast, flip."""
        u = 2 * uniforms(100 * self.draw + n, 6) - 1
        return {
            "angle": self.rotation * u[0],
            "down": self.shift / 100 * SIDE * u[1],
            "right": self.shift / 100 * SIDE * u[2],
            "zoom": 1 + self.zoom / 100 * u[3],
            "contrast": 1 + self.contrast / 100 * u[4],
            "flipped": bool(self.flip and u[5] < 0),
        }

    def variant(self, n: int) -> np.ndarray:
        """Return variant n, float64 (64, 64, 3), 0 to 255; black where nothing is known."""
        c = self.changes(n)
        middle, angle = (SIDE - 1) / 2, np.deg2rad(c["angle"])
        i, j = np.mgrid[:SIDE, :SIDE]
        y, x = i - middle - c["down"], j - middle - c["right"]
        # where each new pixel comes from: turned back, shrunk back, mirrored back
        top = (np.cos(angle) * y + np.sin(angle) * x) / c["zoom"] + middle
        left = (np.cos(angle) * x - np.sin(angle) * y) / c["zoom"]
        turned = _interpolate(flower(), top, (-left if c["flipped"] else left) + middle)
        mean = turned.mean(axis=(0, 1))
        changed = (turned - mean) * c["contrast"] + mean
        if self.noise:
            u = uniforms(100 * self.draw + n + 50_000, 2 * changed.size)
            normal = np.sqrt(-2 * np.log(1 - u[::2])) * np.cos(2 * np.pi * u[1::2])
            changed = changed + self.noise * normal.reshape(changed.shape)
        return np.clip(changed, 0, 255)

    def still(self) -> tuple[np.ndarray, str]:
        """Return the flower and seven variants in two rows."""
        pictures = [flower(), *(self.variant(n).round().astype("uint8") for n in range(7))]
        tiles = [np.pad(p, ((2, 2), (2, 2), (0, 0)), constant_values=255) for p in pictures]
        rows = [np.concatenate(tiles[k : k + 4], axis=1) for k in (0, 4)]
        return np.concatenate(rows).repeat(2, 0).repeat(2, 1), (
            f"A flower and seven variants: turned by up to {self.rotation} degrees, moved by up to "
            f"{self.shift} percent, resized by up to {self.zoom} percent, contrast changed by up "
            f"to {self.contrast} percent."
        )


def _interpolate(image, top, left):
    """Read an image between its pixels (bilinear); 0 outside."""
    padded = np.pad(image.astype(float), ((1, 2), (1, 2), (0, 0)))
    # what lies outside reads the black around the picture
    top, left = (np.clip(v + 1, 0, SIDE + 1) for v in (top, left))
    i, j = top.astype(int), left.astype(int)
    v, u = (top - i)[..., None], (left - j)[..., None]
    upper = (1 - u) * padded[i, j] + u * padded[i, j + 1]
    lower = (1 - u) * padded[i + 1, j] + u * padded[i + 1, j + 1]
    return (1 - v) * upper + v * lower
