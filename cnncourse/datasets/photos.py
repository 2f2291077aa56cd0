"""Two photographs that ship inside scikit-learn: a Chinese temple and a dahlia."""

from importlib.util import find_spec
from pathlib import Path

import numpy as np


def sample_photos() -> np.ndarray:
    """Return the two sample photographs as one batch.

    Both are CC BY 2.0 and part of scikit-learn, so nothing is downloaded: `china.jpg` by
    danielbuechele and `flower.jpg` by vultilion, two photographers on Flickr.

    Returns:
        uint8 array of shape (2, 427, 640, 3): (photo, row, column, RGB), values 0 to 255. Licence
        and source are in `info("sample_photos")`.

    >>> sample_photos().shape
    (2, 427, 640, 3)
    """
    from PIL import Image

    # As `sklearn.datasets.load_sample_images` does, whose import takes more than a second.
    folder = Path(find_spec("sklearn").origin).parent / "datasets" / "images"
    return np.stack([Image.open(folder / name) for name in ("china.jpg", "flower.jpg")])
