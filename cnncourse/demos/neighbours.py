"""NeighboursDemo: a picture, and those that are nearest to it in one space and in another."""

import io
from collections.abc import Mapping, Sequence

import numpy as np
import traitlets
from cnncourse.demos.base import Demo
from PIL import Image, ImageDraw

GREYS = 16  # the sheet is stored in the notebook: four bits a pixel


class NeighboursDemo(Demo):
    """Pick a picture; see which other pictures are nearest to it, in each of several spaces.

    Only the pictures that can come up are kept, in 16 grey levels.

    Args:
        pictures: uint8 (number, side, side).
        names: what each of them shows, e.g. "car".
        choice: the numbers of those that can be picked.
        found: for each space by its name ("pixels"), the numbers of the nearest pictures, nearest
            first: integers (number, neighbours).

    Attributes:
        picked: which picture of `choice` is picked, from 0.

    Raises:
        ValueError: if shapes do not fit together, or a number is that of no picture.

    >>> stripes = np.stack([np.full((8, 8), grey, "uint8") for grey in (0, 40, 200)])
    >>> nearest = {"pixels": np.array([[1], [0], [1]])}
    >>> demo = NeighboursDemo(stripes, ["black", "dark", "light"], choice=[0, 2], found=nearest)
    >>> demo.neighbours("pixels")
    ['dark']
    """

    _module = "neighbours"
    picked = traitlets.Int(0, min=0).tag(sync=True)
    sheet = traitlets.Bytes(read_only=True).tag(sync=True)
    side = traitlets.Int(read_only=True).tag(sync=True)
    names = traitlets.List(traitlets.Unicode(), read_only=True).tag(sync=True)
    choice = traitlets.List(traitlets.Int(), read_only=True).tag(sync=True)
    spaces = traitlets.List(traitlets.Unicode(), read_only=True).tag(sync=True)
    found = traitlets.List(read_only=True).tag(sync=True)

    def __init__(
        self,
        pictures: np.ndarray,
        names: Sequence[str],
        choice: Sequence[int],
        found: Mapping[str, np.ndarray],
        **kwargs,
    ):
        """Keep what can come up, and number it anew."""
        chosen, rows = _checked(pictures, names, choice, found)
        shown = np.unique(np.concatenate([chosen, *(row.ravel() for row in rows.values())]))
        super().__init__()
        self.set_trait("sheet", _sheet(pictures[shown]))
        self.set_trait("side", pictures.shape[1])
        self.set_trait("names", [str(names[i]) for i in shown])
        self.set_trait("choice", np.searchsorted(shown, chosen).tolist())
        self.set_trait("spaces", list(rows))
        self.set_trait("found", [np.searchsorted(shown, row).tolist() for row in rows.values()])
        for name, value in kwargs.items():
            setattr(self, name, value)

    @traitlets.validate("picked")
    def _in_range(self, proposal):
        if proposal.value >= max(1, len(self.choice)):
            raise traitlets.TraitError(
                f"picked is {proposal.value}; accepted: 0 to {len(self.choice) - 1}"
            )
        return proposal.value

    @property
    def pictures(self) -> np.ndarray:
        """The pictures as they are shown: uint8 (number, side, side)."""
        sheet = np.asarray(Image.open(io.BytesIO(self.sheet)).convert("L"))
        return sheet.reshape(self.side, -1, self.side).swapaxes(0, 1)

    def neighbours(self, space: str) -> list[str]:
        """Return what the nearest pictures show, nearest first."""
        return [self.names[i] for i in self._found_in(space)[self.picked]]

    def strangers(self, space: str) -> int:
        """Return how many neighbours, of the whole choice, show something else than it."""
        return sum(
            self.names[i] != self.names[n]
            for i, row in zip(self.choice, self._found_in(space), strict=True)
            for n in row
        )

    def _found_in(self, space):
        return self.found[self.spaces.index(space)]

    def still(self) -> tuple[np.ndarray, str]:
        """Return the picture, the nearest ones of each space in a line, and what they show."""
        pictures, picked = self.pictures, self.choice[self.picked]
        columns = max(len(rows[self.picked]) for rows in self.found)
        canvas = Image.new("RGB", (78 + 72 * columns, 100 * len(self.found)), "white")
        pen = ImageDraw.Draw(canvas)
        for line, (space, rows) in enumerate(zip(self.spaces, self.found, strict=True)):
            top = 100 * line
            pen.text((78, top), f"nearest in {space}", "black", font_size=14)
            for n, i in enumerate(rows[self.picked]):
                self._paste(canvas, pen, pictures[i], self.names[i], (78 + 72 * n, top + 18))
        pen.text((0, 0), "picked", "black", font_size=14)
        self._paste(canvas, pen, pictures[picked], self.names[picked], (0, 18))
        said = [f"nearest to it in {s}: {', '.join(self.neighbours(s))}" for s in self.spaces]
        return np.asarray(canvas), f"A picture of a {self.names[picked]}; {'; '.join(said)}."

    @staticmethod
    def _paste(canvas, pen, picture, name, place):
        canvas.paste(Image.fromarray(picture).resize((60, 60)).convert("RGB"), place)
        pen.text((place[0], place[1] + 61), name, "black", font_size=13)


def _checked(pictures, names, choice, found):
    """Return choice, and the found of the choice, as arrays; raise if something does not fit."""
    if not isinstance(pictures, np.ndarray):
        raise ValueError(f"pictures is a {type(pictures).__name__}; accepted: an array")
    number, *sides = pictures.shape or (0,)
    square = len(sides) == 2 and sides[0] == sides[1] > 0
    if not number or not square or pictures.dtype != np.uint8:
        raise ValueError(
            f"pictures has shape {pictures.shape}, dtype {pictures.dtype}; accepted: (number, "
            "side, side), uint8, at least one"
        )
    if len(names) != number:
        raise ValueError(f"names has {len(names)}; accepted: {number}, as pictures")
    if not np.size(choice) or not found:
        raise ValueError("choice or found is empty; accepted: at least one picture, one space")
    chosen = _numbers("choice", choice, number, 1)
    rows = {space: _numbers(space, rows, number, 2) for space, rows in found.items()}
    for space, all_rows in rows.items():
        if len(all_rows) != number:
            raise ValueError(
                f"{space} has shape {all_rows.shape}; accepted: ({number}, neighbours)"
            )
    return chosen, {space: all_rows[chosen] for space, all_rows in rows.items()}


def _numbers(name, given, number, axes):
    """Return numbers of pictures as an array; raise if they are not."""
    array = np.asarray(given)
    if array.ndim != axes or not array.size or not np.issubdtype(array.dtype, np.integer):
        shape = "(number,)" if axes == 1 else f"({number}, neighbours)"
        raise ValueError(
            f"{name} has shape {array.shape}, dtype {array.dtype}; accepted: {shape}, integers"
        )
    if array.min() < 0 or array.max() >= number:
        raise ValueError(f"{name} has {array.min()} to {array.max()}; accepted: 0 to {number - 1}")
    return array


def _sheet(pictures):
    """Return pictures side by side as PNG."""
    levels = np.hstack(pictures).astype(int) * GREYS // 256
    image = Image.fromarray(levels.astype("uint8"), "P")
    image.putpalette([grey for level in range(GREYS) for grey in [level * 255 // (GREYS - 1)] * 3])
    buffer = io.BytesIO()
    image.save(buffer, "png", optimize=True, bits=4)
    return buffer.getvalue()
