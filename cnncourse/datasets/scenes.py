"""Generated pictures of shapes with exact ground truth: classes, boxes, masks and tracks.

One family for the whole course: one shape per picture (`shapes`) to classify, several
(`shape_scenes`) to detect and segment, moving ones (`shape_film`) to track. Backgrounds, clutter,
colours, textures, sizes and turns vary, and say nothing about the class.
"""

import operator
from dataclasses import dataclass, replace
from random import Random

import numpy as np
from cnncourse.datasets.dataset import Dataset, Split, check_whole
from cnncourse.datasets.drawing import CLASS_NAMES, UNIT, Thing, mask, paint
from cnncourse.datasets.random_things import below, between, random_background, random_thing
from cnncourse.datasets.sources import INFO

LEAST_VISIBLE = 0.3  # of each shape in a still scene


@dataclass(frozen=True, eq=False)
class Scene:
    """A picture and the truth about the k shapes in it, from back to front.

    Attributes:
        image: uint8 (size, size, 3), RGB.
        labels: int64 (k,), indices into `class_names`.
        masks: bool (k, size, size), the pixels in which each shape can be seen.
        full_masks: the same as if no other shape were in front.
        track_ids: int64 (k,), from 1; in a film the same shape has the same id in every frame.
        class_names: what label 0, 1, … stand for.
        info: title, licence and source.
    """

    image: np.ndarray
    labels: np.ndarray
    masks: np.ndarray
    full_masks: np.ndarray
    track_ids: np.ndarray
    class_names = CLASS_NAMES
    info = INFO["shapes"]

    @property
    def boxes(self) -> np.ndarray:
        """Tight boxes of the full masks, hidden parts included: int64 (k, 4), x1, y1, x2, y2.

        In pixels; x2 and y2 are the first column and row beyond the shape, so that x2 − x1 is the
        width.
        """
        return _tight_boxes(self.full_masks)

    @property
    def visible_boxes(self) -> np.ndarray:
        """Tight boxes of what can be seen, as `boxes`; all zeros where a shape is hidden."""
        return _tight_boxes(self.masks)

    @property
    def visibility(self) -> np.ndarray:
        """The part of each shape that can be seen: float64 (k,), 0 to 1."""
        return self.masks.sum(axis=(1, 2)) / self.full_masks.sum(axis=(1, 2))

    @property
    def semantic_mask(self) -> np.ndarray:
        """The class of each pixel: uint8 (size, size), 0 is background, 1 + label a shape."""
        classes = (self.labels + 1)[:, None, None] * self.masks
        return classes.sum(axis=0).astype("uint8")


def shapes(
    train: int = 8000, validation: int = 1000, test: int = 1000, *, size: int = 32, seed: int = 0
) -> Dataset:
    """Return pictures of one shape each, to classify.

    The first images of a split stay the same when more are asked for.

    Args:
        train: number of training images.
        validation: number of validation images.
        test: number of test images.
        size: side of the images in pixels, at least 16.
        seed: other seeds give other images.

    Returns:
        A `Dataset` of uint8 images (n, size, size, 3), drawn with the same chance from each class.

    Raises:
        ValueError: if a number is not whole, negative, or `size` too small.

    >>> data = shapes(20, 5, 5)
    >>> data.train.images.shape
    (20, 32, 32, 3)
    """
    counts = {"train": train, "validation": validation, "test": test}
    for name, count in counts.items():
        check_whole(name, count, 0)
    check_whole("size", size, 16)
    splits = [_singles(n, size, Random(f"{name} {seed}")) for name, n in counts.items()]
    return Dataset(*splits, CLASS_NAMES, INFO["shapes"])


def shape_scenes(
    count: int, *, size: int = 96, objects: tuple[int, int] = (1, 5), seed: int = 0
) -> list[Scene]:
    """Return still scenes of several shapes, to detect and to segment.

    Shapes may hide one another, but at least 30 % of each can be seen.

    Args:
        count: number of scenes; the first ones stay the same when more are asked for.
        size: side in pixels, at least 48.
        objects: fewest and most shapes per scene, 1 to 8.
        seed: other seeds give other scenes.

    Raises:
        ValueError: if a number is outside what is named above.

    >>> scene = shape_scenes(1)[0]
    >>> scene.boxes.shape == (len(scene.labels), 4)
    True
    """
    check_whole("count", count, 0)
    check_whole("size", size, 48)
    try:
        fewest, most = map(operator.index, objects)
    except (TypeError, ValueError):
        fewest = most = 0
    if not 1 <= fewest <= most <= 8:
        raise ValueError(f"objects is {objects!r}; accepted: (fewest, most), both from 1 to 8")
    rng = Random(f"scenes {seed}")
    return [_still(size, between(rng, fewest, most), rng) for _ in range(count)]


def shape_film(
    frames: int = 60, *, size: int = 128, objects: int = 4, seed: int = 0
) -> list[Scene]:
    """Return a film of moving shapes, frame by frame, to track.

    Each shape moves in a straight line, turns, and bounces off the border. The shapes are made in
    pairs that meet: in the middle of a film of two, one is in front of the other.

    Args:
        frames: number of frames, at least 1.
        size: side in pixels, at least 48.
        objects: number of shapes, at least 1.
        seed: other seeds give other films.

    Returns:
        One `Scene` per frame; labels and track ids are the same in all. A shape that is hidden in
        a frame is still listed there, with a visibility of 0.

    Raises:
        ValueError: if a number is not whole or too small.

    >>> [frame.track_ids.tolist() for frame in shape_film(2, objects=3)]
    [[1, 2, 3], [1, 2, 3]]
    """
    check_whole("frames", frames, 1)
    check_whole("objects", objects, 1)
    check_whole("size", size, 48)
    rng = Random(f"film {seed}")
    background, avoid = random_background(size, rng)
    movers = _movers(frames, size, objects, avoid, rng)
    noise = _noise(rng)
    return [_scene(background, [mover.at(t) for mover in movers], noise) for t in range(frames)]


@dataclass(frozen=True)
class _Mover:
    """A thing with a velocity in 1/64 pixel per frame: `thing` is how it is at time `when`."""

    thing: Thing
    when: int
    dx: int
    dy: int
    spin: int
    size: int

    def at(self, time):
        """Return the thing as it is at another time."""
        passed = time - self.when
        x, y = (
            _bounce(start + passed * step, self.thing.radius, self.size * UNIT - self.thing.radius)
            for start, step in ((self.thing.x, self.dx), (self.thing.y, self.dy))
        )
        return replace(self.thing, x=x, y=y, turn=self.thing.turn + passed * self.spin)


def _bounce(place, low, high):
    """Fold a place on an endless line back between two walls."""
    span = high - low
    way = (place - low) % (2 * span)
    return low + min(way, 2 * span - way)


def _movers(frames, size, objects, avoid, rng):
    """Return shapes in pairs: the second hides the first at one time, and moves the other way."""
    movers = []
    pairs = (objects + 1) // 2
    for i in range(objects):
        second = i % 2 == 1
        thing = random_thing(size, (16, 20) if second else (10, 15), avoid, rng)
        signs = [1 - 2 * below(rng, 2) for _ in "xy"]
        if second:
            first = movers[-1]
            low, high = thing.radius, size * UNIT - thing.radius
            x, y = (min(max(place, low), high) for place in (first.thing.x, first.thing.y))
            thing = replace(thing, x=x, y=y)
            signs = [-1 if step > 0 else 1 for step in (first.dx, first.dy)]
        dx, dy = (sign * between(rng, size * UNIT // 160, size * UNIT // 40) for sign in signs)
        when = frames * (i // 2 + 1) // (pairs + 1)
        movers.append(_Mover(thing, when, dx, dy, between(rng, -3, 3), size))
    return movers


def _singles(count, size, rng):
    """Return a split of pictures with one shape each."""
    images = np.empty((count, size, size, 3), "uint8")
    labels = np.empty(count, "int64")
    noise = _noise(rng)
    for i in range(count):
        picture, avoid = random_background(size, rng)
        thing = random_thing(size, (28, 44), avoid, rng)
        paint(picture, thing)
        images[i], labels[i] = _finish(picture, noise), thing.label
    return Split(images, labels)


def _still(size, objects, rng):
    """Return one scene in which enough can be seen of every shape; usually the first will do."""
    background, avoid = random_background(size, rng)
    noise = _noise(rng)
    while True:
        things = [random_thing(size, (10, 22), avoid, rng) for _ in range(objects)]
        scene = _scene(background, things, noise)
        if scene.visibility.min() >= LEAST_VISIBLE:
            return scene


def _scene(background, things, noise):
    """Draw things over a background, the last in front, and note the truth."""
    picture = background.copy()
    full = np.stack([mask(thing, len(picture)) for thing in things])
    in_front = np.cumsum(full[::-1], axis=0)[::-1] - full  # how many others cover a pixel
    for thing in things:
        paint(picture, thing)
    labels = np.array([thing.label for thing in things], "int64")
    ids = np.arange(1, len(things) + 1, dtype="int64")
    return Scene(_finish(picture, noise), labels, full & (in_front == 0), full, ids)


def _noise(rng):
    """Return the source of the pixels' noise: RandomState's streams never change."""
    return np.random.RandomState(below(rng, 2**32))


def _finish(picture, noise):
    grain = noise.randint(-8, 9, picture.shape, dtype="int8")
    return np.clip(picture + grain, 0, 255).astype("uint8")


def _tight_boxes(masks):
    columns, rows = masks.any(axis=1), masks.any(axis=2)
    boxes = np.zeros((len(masks), 4), "int64")
    for box, along_x, along_y in zip(boxes, columns, rows, strict=True):
        if along_x.any():
            (x,), (y,) = along_x.nonzero(), along_y.nonzero()
            box[:] = x[0], y[0], x[-1] + 1, y[-1] + 1
    return boxes
