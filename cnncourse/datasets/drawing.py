"""Drawing coloured shapes with whole numbers only: the same pixels on every machine.

Positions and radii are in units of 1/64 pixel. A pixel belongs to a shape where its centre does,
so masks have hard edges and are exact.
"""

import math
from dataclasses import dataclass
from functools import cache

import numpy as np

UNIT = 64  # positions per pixel
TURNS = 256  # angles per full turn
STYLES = ("plain", "striped", "rimmed")

# Cosine and sine times 4096, rounded: no product of theirs depends on the last bit of a cosine.
_COS_SIN = [
    (
        round(4096 * math.cos(2 * math.pi * t / TURNS)),
        round(4096 * math.sin(2 * math.pi * t / TURNS)),
    )
    for t in range(TURNS)
]


# Each shape says where it is, in coordinates that turn with it: u to the right, v down, and
# 1024 is the radius of the circle around it.
def _circle(u, v):
    return u * u + v * v <= 880**2


def _cross(u, v):
    u, v = abs(u), abs(v)
    return (np.minimum(u, v) <= 300) & (np.maximum(u, v) <= 960)


def _heart(u, v):
    u, v = abs(u), v - 180  # a diamond, and a circle on the middle of each of its upper edges
    return (u + abs(v) <= 800) | ((u - 400) ** 2 + (v + 400) ** 2 <= 565**2)


def _square(u, v):
    return np.maximum(abs(u), abs(v)) <= 724


def _star(u, v):
    lines = [c * u - s * v <= 316 * 4096 for c, s in _fifths()]  # each lies 1024 · cos 72° away
    return sum(line.astype(int) for line in lines) >= 4  # the tips are beyond one line of five


def _triangle(u, v):
    return (v <= 512) & (887 * abs(u) - 512 * v <= 512 * 1024)


SHAPES = {
    "circle": _circle,
    "cross": _cross,
    "heart": _heart,
    "square": _square,
    "star": _star,
    "triangle": _triangle,
}
CLASS_NAMES = tuple(SHAPES)
_INSIDE = tuple(SHAPES.values())


@cache
def _fifths():
    """Return cosine and sine, times 4096, of the five directions of a star's lines."""
    angles = [math.pi / 2 + 2 * math.pi * i / 5 for i in range(5)]
    return [(round(4096 * math.cos(a)), round(4096 * math.sin(a))) for a in angles]


@dataclass(frozen=True)
class Thing:
    """A shape somewhere: what it is, where it is and how it looks."""

    label: int  # index into CLASS_NAMES
    x: int  # centre, in 1/64 pixel from the left
    y: int  # centre, in 1/64 pixel from the top
    radius: int  # of the circle around it, in 1/64 pixel
    turn: int  # 1/256 of a full turn
    colour: tuple[int, int, int]
    style: str  # one of STYLES


def _window(thing, size):
    """Return the rows and columns around a thing, and its turned coordinates there."""
    radius = thing.radius
    top, left = (max(0, (c - radius) // UNIT) for c in (thing.y, thing.x))
    bottom, right = (min(size, (c + radius) // UNIT + 1) for c in (thing.y, thing.x))
    dy = (UNIT * np.arange(top, bottom) + UNIT // 2 - thing.y)[:, None]
    dx = UNIT * np.arange(left, right) + UNIT // 2 - thing.x
    cos, sin = _COS_SIN[thing.turn % TURNS]
    u = (cos * dx + sin * dy) // (4 * radius)
    v = (cos * dy - sin * dx) // (4 * radius)
    light = (
        1024 * (dx + dy) // radius
    )  # grows to the lower right, whichever way the thing is turned
    return (slice(top, bottom), slice(left, right)), u, v, light


def mask(thing: Thing, size: int) -> np.ndarray:
    """Return where a thing is in a square picture: bool, shape (size, size)."""
    window, u, v, _ = _window(thing, size)
    full = np.zeros((size, size), bool)
    full[window] = _INSIDE[thing.label](u, v)
    return full


def paint(picture: np.ndarray, thing: Thing) -> None:
    """Draw a thing into a picture, int array of shape (size, size, 3), over what is there."""
    window, u, v, light = _window(thing, len(picture))
    inside = _INSIDE[thing.label](u, v)
    shade = 272 - light // 24  # 256 leaves a colour as it is
    if thing.style == "striped":
        shade = np.where((u + 4096) // 256 % 2, shade, shade * 11 // 16)
    elif thing.style == "rimmed":
        shade = np.where(_INSIDE[thing.label](u * 4 // 3, v * 4 // 3), shade, shade // 2)
    picture[window][inside] = shade[inside][:, None] * thing.colour >> 8


def paint_bar(picture: np.ndarray, bar: Thing, thickness: int) -> None:
    """Draw a bar, clutter that is no shape of any class: `thickness` in 1024ths of its length."""
    window, u, v, _ = _window(bar, len(picture))
    picture[window][(abs(v) <= thickness) & (abs(u) <= 960)] = bar.colour


def backdrop(size: int, first, second, turn: int, knots: np.ndarray) -> np.ndarray:
    """Return a background: one colour running into another, with soft clouds.

    Args:
        size: side in pixels.
        first: RGB on one side.
        second: RGB on the other.
        turn: direction of the run, in 1/256 of a full turn.
        knots: int array (5, 5), brightness of the clouds on a coarse grid.

    Returns:
        int array of shape (size, size, 3); values may lie a little outside 0 to 255.
    """
    cos, sin = _COS_SIN[turn % TURNS]
    place = 2 * np.arange(size) + 1 - size
    run = 512 + (cos * place + sin * place[:, None]) // (12 * size)  # 30 … 994 of 1024
    mix = (1024 - run)[..., None] * np.asarray(first) + run[..., None] * np.asarray(second)
    return (mix >> 10) + _clouds(size, knots)[..., None]


def _clouds(size, knots):
    """Interpolate the knots to every pixel, first down the columns, then along the rows."""
    last = len(knots) - 1
    place = np.arange(size) * last * 1024 // size
    low, weight = place // 1024, place % 1024
    rows = knots[low] * (1024 - weight)[:, None] + knots[low + 1] * weight[:, None]
    return rows[:, low] * (1024 - weight) + rows[:, low + 1] * weight >> 20
