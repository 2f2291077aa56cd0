"""Random backgrounds and shapes, the same for the same seed with every Python and NumPy."""

from random import Random

import numpy as np
from cnncourse.datasets.drawing import (
    CLASS_NAMES,
    STYLES,
    TURNS,
    UNIT,
    Thing,
    backdrop,
    paint_bar,
)

# Vivid colours for shapes and bars, quiet ones, dark and light, for backgrounds.
VIVID = (
    *((230, 74, 60), (242, 142, 44), (246, 205, 70), (96, 178, 86), (36, 158, 148)),
    *((64, 132, 214), (128, 98, 200), (222, 104, 164), (240, 236, 226), (44, 52, 72)),
)
QUIET = (
    *((228, 216, 196), (196, 212, 214), (214, 198, 206), (168, 180, 160)),
    *((60, 70, 92), (84, 70, 82), (52, 82, 84), (110, 104, 96)),
)
LEAST_CONTRAST = 150  # of a shape's colour and each of the background's, red + green + blue


def random_background(size: int, rng: Random) -> tuple[np.ndarray, tuple]:
    """Return a background with its clutter, and the two colours that shapes must stand out of."""
    first, second = (QUIET[below(rng, len(QUIET))] for _ in range(2))
    knots = np.array([between(rng, -26, 26) for _ in range(25)]).reshape(5, 5)
    picture = backdrop(size, first, second, below(rng, TURNS), knots)
    for _ in range(between(rng, 2, 6)):
        bar = random_thing(size, (10, 40), (), rng, inside=False)
        paint_bar(picture, bar, thickness=between(rng, 30, 130))
    return picture, (first, second)


def random_thing(
    size: int, percent: tuple[int, int], avoid: tuple, rng: Random, *, inside: bool = True
) -> Thing:
    """Return a random thing.

    Args:
        size: side of the picture in pixels.
        percent: least and greatest radius, in percent of that.
        avoid: colours that it must stand out of.
        rng: the source of chance.
        inside: whether all of it, or only its centre, is inside the picture.
    """
    radius = between(rng, *(size * UNIT * p // 100 for p in percent))
    margin = radius if inside else 0
    x, y = (between(rng, margin, size * UNIT - margin) for _ in range(2))
    colour = VIVID[below(rng, len(VIVID))]
    while any(_contrast(colour, other) < LEAST_CONTRAST for other in avoid):
        colour = VIVID[below(rng, len(VIVID))]
    style = STYLES[below(rng, len(STYLES))]
    return Thing(below(rng, len(CLASS_NAMES)), x, y, radius, below(rng, TURNS), colour, style)


def _contrast(a, b):
    return sum(abs(p - q) for p, q in zip(a, b, strict=True))


def below(rng: Random, n: int) -> int:
    """Return 0 … n − 1. Of the standard generator only `random` is promised to stay as it is."""
    return int(rng.random() * n)


def between(rng: Random, low: int, high: int) -> int:
    """Return low … high, both included."""
    return low + below(rng, high - low + 1)
