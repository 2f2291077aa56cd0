"""FlipbookDemo: pictures of one thing as one number grows, to be leafed through with a slider."""

import base64
import io

import numpy as np
import traitlets
from cnncourse.demos.base import Demo
from PIL import Image

MAX_BYTES = 400_000  # of all pictures: they are stored in the notebook
MAX_FRAMES = 60


class FlipbookDemo(Demo):
    """Leaf through pictures with a slider, step by step, or let them run.

    For what takes a kernel seconds to compute: the chapter computes all pictures once, and the
    reader moves through them at will, in the book too.

    Args:
        pictures: matplotlib figures, which are closed, or uint8 arrays, (height, width) or
            (height, width, 3); all of one kind, at most 60.
        captions: a sentence for each picture: what is to be seen on it. It stands below the
            picture, and is its alternative text.
        label: what the slider changes, e.g. `"depth"`.
        values: what the slider says at each picture; 0, 1, 2, … by default.

    Attributes:
        position: number of the picture that is shown, from 0.

    Raises:
        TypeError: if a picture is neither a figure nor a uint8 array.
        ValueError: if there are no pictures, too many, the numbers of pictures, captions and values
            differ, or captions or values is one string.

    >>> squares = [np.full((8, 8), grey, "uint8") for grey in (0, 100, 200)]
    >>> book = FlipbookDemo(squares, ["Black.", "Dark grey.", "Light grey."], label="brightness")
    >>> book.position = 2
    """

    _module = "flipbook"
    position = traitlets.Int(0, min=0).tag(sync=True)
    sources = traitlets.List(traitlets.Unicode(), read_only=True).tag(sync=True)
    captions = traitlets.List(traitlets.Unicode(), read_only=True).tag(sync=True)
    values = traitlets.List(traitlets.Unicode(), read_only=True).tag(sync=True)
    label = traitlets.Unicode(read_only=True).tag(sync=True)

    def __init__(self, pictures, captions, label, values=None, **kwargs):
        """Encode the pictures and check that everything fits together."""
        for name, given in (("captions", captions), ("values", values)):
            if isinstance(given, str):
                raise ValueError(f"{name} is {given!r}; accepted: a list, one for each picture")
        pictures, captions = list(pictures), list(captions)
        values = list(range(len(pictures))) if values is None else list(values)
        if not 1 <= len(pictures) <= MAX_FRAMES:
            raise ValueError(f"pictures has {len(pictures)}; accepted: 1 to {MAX_FRAMES}")
        for name, given in (("captions", captions), ("values", values)):
            if len(given) != len(pictures):
                raise ValueError(f"{name} has {len(given)}; accepted: {len(pictures)}, as pictures")
        encoded = [_encode(picture) for picture in pictures]
        if (total := sum(map(len, encoded))) > MAX_BYTES:
            raise ValueError(
                f"pictures have {total / 1000:.0f} kB; accepted: {MAX_BYTES / 1000:.0f} kB. Take "
                "smaller or fewer ones."
            )
        super().__init__()
        source = "data:image/png;base64,"
        self.set_trait("sources", [source + base64.b64encode(png).decode() for png in encoded])
        self.set_trait("captions", captions)
        self.set_trait("values", [str(value) for value in values])
        self.set_trait("label", label)
        for name, value in kwargs.items():
            setattr(self, name, value)

    @traitlets.validate("position")
    def _in_range(self, proposal):
        if proposal.value >= max(1, len(self.sources)):
            raise traitlets.TraitError(
                f"position is {proposal.value}; accepted: 0 to {len(self.sources) - 1}"
            )
        return proposal.value

    def still(self) -> tuple[np.ndarray, str]:
        """Return the picture that is shown, and its caption."""
        png = base64.b64decode(self.sources[self.position].partition(",")[2])
        picture = np.asarray(Image.open(io.BytesIO(png)).convert("RGB"))
        return picture, f"{self.label} {self.values[self.position]}: {self.captions[self.position]}"


def _encode(picture) -> bytes:
    """Return a picture as PNG with at most 64 colours."""
    if hasattr(picture, "savefig"):
        import matplotlib.pyplot as plt

        buffer = io.BytesIO()
        picture.savefig(buffer, format="png", metadata={"Software": None})
        plt.close(picture)
        picture = np.asarray(Image.open(buffer).convert("RGB"))
    if not isinstance(picture, np.ndarray) or picture.dtype != np.uint8:
        kind = getattr(picture, "dtype", type(picture).__name__)
        raise TypeError(f"a picture is {kind}; accepted: a matplotlib figure or a uint8 array")
    if picture.ndim not in (2, 3) or picture.shape[2:] not in ((), (3,)):
        raise ValueError(
            f"a picture has shape {picture.shape}; accepted: (height, width) or (height, width, 3)"
        )
    image, buffer = Image.fromarray(picture), io.BytesIO()
    image = image.quantize(64, dither=Image.Dither.NONE) if picture.ndim == 3 else image
    image.save(buffer, format="png", optimize=True)
    return buffer.getvalue()
