"""A demo that starts from a photograph: one of the two samples, or the learner's own."""

import functools
import io

import numpy as np
from cnncourse.demos.base import PHOTOS, Demo, to_png
from PIL import Image
from traitlets import Bytes, Enum, default, observe

MAX_SIDE = 1024  # longer pictures would make the sliders slow


class PhotoDemo(Demo):
    """Base of demos with a photograph.

    `photo` names a sample, or is "own"; `image` is the photograph as an array, which can be read
    and set. Between Python and the browser it travels as PNG, which loses nothing.
    """

    photo = Enum((*PHOTOS, "own"), "china").tag(sync=True)
    picture = Bytes().tag(sync=True, from_json=lambda value, _: bytes(value))

    def __init__(self, *, image: np.ndarray | None = None, **kwargs):
        """Start from the learner's `image`, where one is given, else from the sample `photo`."""
        super().__init__(**kwargs)
        if image is not None:
            self.image = image

    @property
    def image(self) -> np.ndarray:
        """The photograph: uint8, (height, width, 3) for RGB or (height, width) for grey."""
        return _decoded(self.picture)

    @image.setter
    def image(self, image: np.ndarray) -> None:
        _check_image(image)
        with self.hold_sync():
            self.photo = "own"
            self.picture = to_png(image)

    @default("picture")
    def _first_picture(self):
        return _sample_png("china")

    @observe("photo")
    def _show_sample(self, change):
        if change.new in PHOTOS:
            self.picture = _sample_png(change.new)

    def state(self) -> dict:
        """Return the state without the samples, which lie beside the page as files."""
        state = super().state()
        if self.photo in PHOTOS:
            state["picture"] = b""
        return state

    def grey(self) -> np.ndarray:
        """Return the mean of red, green and blue, float32 from 0 to 1, shape (height, width)."""
        image = self.image.astype("float32") / 255
        return image if image.ndim == 2 else image.mean(axis=-1)


@functools.cache
def _sample_png(name: str) -> bytes:
    from cnncourse import datasets

    return to_png(datasets.sample_photos()[PHOTOS.index(name)])


@functools.lru_cache(maxsize=8)
def _decoded(png: bytes) -> np.ndarray:
    """Return the pixels as a read-only array: painting into it could not redraw the demo."""
    picture = Image.open(io.BytesIO(png))
    return np.asarray(picture if picture.mode == "L" else picture.convert("RGB"))


def _check_image(image: np.ndarray) -> None:
    """Raise TypeError or ValueError unless `image` is a picture that the demo can show."""
    accepted = "accepted: a uint8 array of shape (height, width) or (height, width, 3)"
    if not isinstance(image, np.ndarray):
        raise TypeError(f"image is {type(image).__name__}; {accepted}")
    if image.dtype != np.uint8:
        remedy = "; for floats from 0 to 1 pass (255 * image).astype('uint8')"
        hint = remedy if image.dtype.kind == "f" else ""
        raise TypeError(f"image has dtype {image.dtype}; {accepted}{hint}")
    if image.ndim not in (2, 3) or image.shape[2:] not in ((), (3,)) or 0 in image.shape:
        raise ValueError(f"image has shape {image.shape}; {accepted}")
    if max(image.shape) > MAX_SIDE:
        step = -(-max(image.shape) // MAX_SIDE)
        raise ValueError(
            f"image has shape {image.shape}; accepted: at most {MAX_SIDE} pixels a side, "
            f"for example image[::{step}, ::{step}]"
        )
