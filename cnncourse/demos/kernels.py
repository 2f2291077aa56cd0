"""Kernels worth knowing, as small arrays. `js/kernels.js` is the same file for the browser."""

import numpy as np

SIZES = (3, 5, 7, 9, 11)

# Kernels that exist only as 3×3; in a larger size they stand in the middle of zeros.
_THREE_BY_THREE = {
    "sobel_x": [[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]],
    "sobel_y": [[-1, -2, -1], [0, 0, 0], [1, 2, 1]],
    "laplacian": [[0, 1, 0], [1, -4, 1], [0, 1, 0]],
    "sharpen": [[0, -1, 0], [-1, 5, -1], [0, -1, 0]],
    "emboss": [[-2, -1, 0], [-1, 1, 1], [0, 1, 2]],
}
PRESETS = (
    "vertical_line",
    "horizontal_line",
    "sobel_x",
    "sobel_y",
    "laplacian",
    "sharpen",
    "emboss",
    "box",
    "gaussian",
    "identity",
    "gabor",
)


def preset(
    name: str, size: int = 7, orientation: float = 45.0, wavelength: float = 4.0
) -> np.ndarray:
    """Return a well-known kernel.

    Args:
        name: one of `PRESETS`.
        size: side in pixels, odd, 3 to 11.
        orientation: for "gabor", see `gabor`.
        wavelength: for "gabor", see `gabor`.

    Returns:
        float64 array of shape (size, size).

    Raises:
        ValueError: if the name or the size is not known.

    >>> preset("vertical_line", size=3)
    array([[0., 1., 0.],
           [0., 1., 0.],
           [0., 1., 0.]])
    """
    if name not in PRESETS:
        raise ValueError(f"name is {name!r}; accepted: {', '.join(PRESETS)}")
    if size not in SIZES:
        raise ValueError(f"size is {size!r}; accepted: {', '.join(map(str, SIZES))}")
    if name == "gabor":
        return gabor(size, orientation, wavelength)
    if name == "box":
        return np.full((size, size), 1 / size**2)
    if name == "gaussian":
        bell = np.exp(-(_offsets(size) ** 2) / (2 * (size / 6) ** 2))
        return np.outer(bell, bell) / bell.sum() ** 2
    if name in _THREE_BY_THREE:
        return fit(np.array(_THREE_BY_THREE[name], float), size)
    kernel, middle = np.zeros((size, size)), size // 2
    if name == "vertical_line":
        kernel[:, middle] = 1
    elif name == "horizontal_line":
        kernel[middle] = 1
    else:  # identity
        kernel[middle, middle] = 1
    return kernel


def gabor(size: int, orientation: float, wavelength: float) -> np.ndarray:
    """Return a Gabor kernel: a wave under a bell, which answers to strokes of one direction.

    Its weights sum to 0, so an even area gives 0, and their absolute values sum to 2, so that
    pictures with values 0 to 1 give outputs from −1 to 1.

    Args:
        size: side in pixels, an odd number from 3; the bell's standard deviation is a fifth of it.
        orientation: direction of the strokes in degrees, counter-clockwise; 0 is horizontal.
        wavelength: distance between two strokes in pixels, more than 0.

    Returns:
        float64 array of shape (size, size).

    Raises:
        ValueError: if a number is not as above.
    """
    if not isinstance(size, (int, np.integer)) or size < 3 or size % 2 == 0:
        raise ValueError(f"size is {size!r}; accepted: an odd number from 3")
    if not np.isfinite(orientation):
        raise ValueError(f"orientation is {orientation}; accepted: degrees, a finite number")
    if not 0 < wavelength < np.inf:
        raise ValueError(f"wavelength is {wavelength}; accepted: pixels, more than 0")
    x, y = _offsets(size)[None, :], _offsets(size)[:, None]
    angle = np.deg2rad(orientation)
    across = x * np.sin(angle) + y * np.cos(angle)
    wave = np.exp(-(x**2 + y**2) / (2 * (size / 5) ** 2)) * np.cos(2 * np.pi * across / wavelength)
    wave -= wave.mean()
    return wave * 2 / np.abs(wave).sum()


def gabor_bank(size: int = 7, orientations: int = 8, wavelength: float = 4.0) -> np.ndarray:
    """Return Gabor kernels of evenly spread orientations, shape (orientations, size, size)."""
    angles = np.arange(orientations) * 180 / orientations
    return np.stack([gabor(size, angle, wavelength) for angle in angles])


def fit(kernel: np.ndarray, size: int) -> np.ndarray:
    """Crop a square odd kernel to its middle, or put it in the middle of zeros."""
    cut = max(0, (len(kernel) - size) // 2)
    kernel = kernel[cut : len(kernel) - cut, cut : len(kernel) - cut]
    return np.pad(kernel, (size - len(kernel)) // 2)


def _offsets(size: int) -> np.ndarray:
    """Return the distances from the middle: −1, 0, 1 for size 3."""
    return np.arange(size) - size // 2
