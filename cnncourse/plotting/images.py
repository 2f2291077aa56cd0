"""Pictures side by side: photographs, grey maps and signed maps."""

from collections.abc import Sequence

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
from cnncourse.plotting.style import DIVERGING


def images(
    arrays: Sequence[np.ndarray],
    titles: Sequence[str] | None = None,
    signed: bool = False,
    columns: int | None = None,
    width: float = 3.0,
) -> mpl.figure.Figure:
    """Draw arrays as pictures in a grid.

    Args:
        arrays: each (height, width) or (height, width, 1) for grey, (height, width, 3) for RGB.
        titles: one line above each picture.
        signed: draw grey maps on a diverging scale with white at zero, one scale for all.
        columns: pictures per row; all in one row by default.
        width: width of one picture, in inches.

    Returns:
        The figure; pass it to `show`.

    Raises:
        ValueError: if there is no array, a shape is not a picture, or the titles do not match.
    """
    arrays = [np.asarray(a) for a in arrays]
    if not arrays:
        raise ValueError("arrays is empty; accepted: at least one picture")
    for a in arrays:
        if a.ndim not in (2, 3) or (a.ndim == 3 and a.shape[-1] not in (1, 3)):
            raise ValueError(
                f"a picture has shape {a.shape}; accepted: (h, w), (h, w, 1) or (h, w, 3)"
            )
    if titles is not None and len(titles) != len(arrays):
        raise ValueError(f"{len(titles)} titles for {len(arrays)} pictures; accepted: one each")

    columns = columns or len(arrays)
    rows = -(-len(arrays) // columns)
    aspect = max(a.shape[0] / a.shape[1] for a in arrays)
    fig, axes = plt.subplots(
        rows,
        columns,
        figsize=(width * columns, rows * (width * aspect + (0.3 if titles else 0))),
        squeeze=False,
    )
    scale = max(float(np.abs(a).max()) for a in arrays) or 1.0
    for ax in axes.flat:
        ax.set_axis_off()
    for i, (ax, a) in enumerate(zip(axes.flat, arrays, strict=False)):
        if signed and not (a.ndim == 3 and a.shape[-1] == 3):
            ax.imshow(a, cmap=DIVERGING, vmin=-scale, vmax=scale)
        else:
            ax.imshow(a)
        if titles:
            ax.set_title(titles[i])
    return fig
