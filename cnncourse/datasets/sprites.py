"""Drawn trees and cars, as varied as one likes: the pictures of chapter 01.

Every picture is drawn from a seed, so its label is exact and its difficulty is a choice: how many
kinds of trees and cars there are, how far they move, turn and grow, and what else is in the way.
"""

import numpy as np
from PIL import Image, ImageDraw

CLASSES = ("tree", "car")
KINDS = 3  # of each class
_SIDE = 32
_FINE = 4  # drawn this many times larger, then averaged: smooth edges
_REACH = 8.0  # half the height of a tree and half the length of a car, in pixels
_NOISE = 6.0  # grey levels


def _ellipse(x: float, y: float, across: float, down: float) -> np.ndarray:
    """Return an ellipse as a polygon of 20 corners (x, y)."""
    turn = np.linspace(0, 2 * np.pi, 20, endpoint=False)
    return np.stack([x + across * np.cos(turn), y + down * np.sin(turn)], axis=1)


_TRUNK = [(-0.13, 0.3), (0.13, 0.3), (0.13, 1), (-0.13, 1)]
_WHEELS = [_ellipse(x, 0.38, 0.22, 0.22) for x in (-0.55, 0.55)]
# Outlines in a square from −1 to 1, y downwards; three kinds of each class.
_SHAPES = {
    "tree": (
        [_TRUNK, [(0, -1), (0.62, 0.45), (-0.62, 0.45)]],  # fir
        [_TRUNK, _ellipse(0, -0.35, 0.68, 0.65)],  # round crown
        [_TRUNK, _ellipse(0, -0.25, 0.33, 0.75)],  # poplar
    ),
    "car": (
        [[(-1, 0.35), (-1, 0), (-0.55, -0.05), (-0.3, -0.45), (0.35, -0.45), (0.6, -0.05),
          (1, 0.05), (1, 0.35)], *_WHEELS],  # saloon
        [[(-1, 0.35), (-1, -0.6), (0.55, -0.6), (0.9, -0.05), (1, 0.35)], *_WHEELS],  # van
        [[(-1, 0.35), (-1, -0.1), (-0.1, -0.1), (0, -0.5), (0.5, -0.5), (0.65, -0.05),
          (1, 0), (1, 0.35)], *_WHEELS],  # pick-up
    ),
}  # fmt: skip


def sprites(
    number: int,
    *,
    kinds: int = KINDS,
    shift: float = 0,
    rotation: float = 0,
    zoom: float = 0,
    negatives: bool = False,
    clutter: int = 0,
    seed: int = 0,
) -> tuple[np.ndarray, np.ndarray]:
    """Draw trees and cars, half of each.

    Args:
        number: how many pictures.
        kinds: kinds of each class, 1 to 3.
        shift: largest move in each direction, in pixels.
        rotation: largest turn either way, in degrees.
        zoom: largest growth: 0.25 gives sizes from 1 / 1.25 to 1.25.
        negatives: draw half of them bright on dark instead of dark on bright.
        clutter: strokes and spots that are no part of the figure; half lie behind it.
        seed: the same seed and settings give the same pictures.

    Returns:
        Pictures, uint8 of shape (number, 32, 32), and labels, int64 of shape (number,): 0 for a
        tree, 1 for a car. Licence and source are in `info("sprites")`.

    Raises:
        ValueError: if a setting is out of range.

    >>> x, y = sprites(4, seed=1)
    >>> x.shape, sorted(y.tolist())
    ((4, 32, 32), [0, 0, 1, 1])
    """
    if kinds not in range(1, KINDS + 1):
        raise ValueError(f"kinds is {kinds}; accepted: 1 to {KINDS}")
    sizes = {"number": number, "shift": shift, "rotation": rotation, "zoom": zoom}
    for name, value in {**sizes, "clutter": clutter}.items():
        if not 0 <= value < np.inf:
            raise ValueError(f"{name} is {value}; accepted: 0 or more, a finite number")
    rng = np.random.default_rng(seed)
    labels = rng.permutation(np.arange(number) % 2)
    x = np.empty((number, _SIDE, _SIDE), np.uint8)
    for i, label in enumerate(labels):
        shapes = _SHAPES[CLASSES[label]][rng.integers(kinds)]
        place = _place(rng, shift, rotation, zoom)
        dark, bright = rng.uniform(30, 70), rng.uniform(180, 220)
        ink, paper = (bright, dark) if negatives and rng.random() < 0.5 else (dark, bright)
        x[i] = _draw(rng, [_moved(s, *place) for s in shapes], ink, paper, clutter)
    return x, labels


def _place(rng, shift, rotation, zoom) -> tuple[np.ndarray, np.ndarray]:
    """Draw where a figure goes: a matrix that turns and scales, and its centre in pixels."""
    angle = np.deg2rad(rng.uniform(-rotation, rotation))
    proportions = _REACH * (1 + zoom) ** rng.uniform(-1, 1) * rng.uniform(0.93, 1.07, 2)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return turn * proportions, _SIDE / 2 + rng.uniform(-shift, shift, 2)


def _moved(shape, matrix, centre) -> list[tuple[float, float]]:
    """Return a polygon's corners on the fine grid."""
    return [tuple(corner) for corner in _FINE * (np.asarray(shape) @ matrix.T + centre)]


def _draw(rng, polygons, ink, paper, clutter) -> np.ndarray:
    """Draw half of the clutter, the figure, the other half, and noise: uint8 (32, 32)."""
    picture = Image.new("L", (_SIDE * _FINE, _SIDE * _FINE), round(paper))
    pen = ImageDraw.Draw(picture)
    for n in range(clutter):
        if n == (clutter + 1) // 2:
            _figure(pen, polygons, ink)
        _distraction(rng, pen)
    if clutter < 2:
        _figure(pen, polygons, ink)
    small = np.asarray(picture, float).reshape(_SIDE, _FINE, _SIDE, _FINE).mean(axis=(1, 3))
    return np.clip(small + rng.normal(0, _NOISE, small.shape), 0, 255).round().astype(np.uint8)


def _figure(pen, polygons, ink) -> None:
    for polygon in polygons:
        pen.polygon(polygon, fill=round(ink))


def _distraction(rng, pen) -> None:
    """Draw a stroke or a spot of any grey, anywhere."""
    x, y = rng.uniform(0, _SIDE * _FINE, 2)
    grey = int(rng.integers(256))
    if rng.random() < 0.6:
        length, angle = rng.uniform(4, 14) * _FINE, rng.uniform(0, np.pi)
        end = x + length * np.cos(angle), y + length * np.sin(angle)
        pen.line([(x, y), end], fill=grey, width=int(rng.integers(1, 3)) * _FINE)
    else:
        across, down = rng.uniform(1, 3.5, 2) * _FINE
        pen.ellipse([x - across, y - down, x + across, y + down], fill=grey)
