"""StackDemo: what one neuron of the second layer sees, through every map, down to the photo."""

import numpy as np
import traitlets
from cnncourse import cost, datasets, scratch
from cnncourse.demos.base import Demo
from PIL import Image, ImageDraw

SIDE = 40  # pixels of the crop
CROPS = {"china": (0, 20, 60), "flower": (1, 80, 165)}  # photo: index, first row, first column

# Orientation of the three edge filters; the fourth looks for red.
ANGLES = (0.0, 90.0, 45.0)
RED = (1.0, -0.5, -0.5)
# How much of each layer-1 map (rows) each layer-2 filter (columns) takes.
MIX = ((1.0, 1.0, 0.3), (1.0, -1.0, 0.3), (-1.0, -0.5, 0.3), (0.0, 0.0, 1.0))

# The small-integer example: 5 × 7 pixels, 3 channels; two 3 × 3 filters with stride 2.
NUMBERS = np.array(
    [
        [[0, 0, 2, 0, 0, 1, 0], [0, 1, 2, 0, 0, 1, 0], [0, 0, 3, 0, 1, 1, 0],
         [1, 0, 2, 0, 0, 0, 2], [0, 0, 2, 1, 0, 0, 1]],
        [[1, 1, 0, 0, 2, 0, 0], [0, 0, 0, 2, 1, 0, 1], [2, 0, 1, 1, 0, 0, 3],
         [0, 3, 0, 0, 0, 1, 0], [1, 0, 0, 1, 2, 0, 0]],
        [[0, 2, 0, 1, 0, 0, 2], [1, 0, 0, 3, 0, 1, 0], [0, 0, 1, 0, 2, 0, 0],
         [0, 1, 0, 0, 0, 2, 1], [2, 0, 0, 1, 0, 0, 0]],
    ]
).transpose(1, 2, 0)  # fmt: skip
NUMBER_FILTERS = np.array(
    [
        [[[-1, 2, -1], [-1, 2, -1], [-1, 2, -1]], [[0, 0, 0], [1, 0, 1], [0, 0, 0]],
         [[0, -1, 0], [0, 0, 0], [0, -1, 0]]],
        [[[1, 0, 0], [0, 1, 0], [0, 0, 1]], [[0, 1, 0], [-1, 0, -1], [0, 1, 0]],
         [[1, 1, 1], [0, 0, 0], [-1, -1, -1]]],
    ]
).transpose(2, 3, 1, 0)  # fmt: skip
NUMBER_BIASES = np.array([1, -2])


def crops() -> np.ndarray:
    """Return both photographs' crops, uint8 of shape (2, 40, 40, 3)."""
    photos = datasets.sample_photos()
    size = 7 * SIDE
    cut = [photos[n, row : row + size, col : col + size] for n, row, col in CROPS.values()]
    # Each pixel is the mean of 7 × 7 pixels of the photograph.
    blocks = np.stack(cut).reshape(2, SIDE, 7, SIDE, 7, 3).mean(axis=(2, 4))
    return np.round(blocks).astype(np.uint8)


def _bell(kernel_size: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return a Gaussian window and the offsets (x, y) from its centre, each (k, k)."""
    y, x = np.mgrid[:kernel_size, :kernel_size] - (kernel_size - 1) / 2
    spread = kernel_size / 3
    return np.exp(-(x**2 + y**2) / (2 * spread**2)), x, y


def first_filters(kernel_size: int) -> np.ndarray:
    """Return the filters of layer 1, (k, k, 3, 4): edges in three directions, and red.

    An edge filter is an odd Gabor patch: a sine wave under a Gaussian window. It answers where
    the picture gets brighter in its direction (0°: to the right, 90°: downwards).
    """
    window, x, y = _bell(kernel_size)
    filters = np.empty((kernel_size, kernel_size, 3, 4))
    for n, angle in enumerate(np.deg2rad(ANGLES)):
        along = x * np.cos(angle) + y * np.sin(angle)
        wave = window * np.sin(2 * np.pi * along / (kernel_size + 1))
        filters[..., n] = (wave / np.abs(wave).sum())[..., None]
    filters[..., 3] = (window / window.sum())[..., None] * RED
    return filters


def second_filters(kernel_size: int) -> np.ndarray:
    """Return the filters of layer 2, (k, k, 4, 3): corners, upright edges, red with edges."""
    window, _, _ = _bell(kernel_size)
    return (window / window.sum())[..., None, None] * np.array(MIX)


class StackDemo(Demo):
    """A photo, four maps made from it, three maps made from those; follow one neuron down.

    Attributes:
        mode: "photo" (a stack of maps) or "numbers" (two filters over 5 × 7 × 3 integers).
        photo: "china" or "flower".
        kernel_size_1: kernel side of layer 1: 3, 5 or 7.
        strides_1: stride of layer 1, 1 to 3.
        kernel_size_2: kernel side of layer 2: 1, 3 or 5.
        strides_2: stride of layer 2, 1 to 3.
        row: row of the chosen output neuron; beyond the map counts as the last row.
        column: its column, likewise.
        feature_map: its map: 0 to 2 in the photo, 0 or 1 in the numbers.

    >>> StackDemo(kernel_size_1=7, strides_1=2, kernel_size_2=3, strides_2=2).receptive_field
    (11, 4)
    """

    _module = "stack"
    mode = traitlets.Enum(["photo", "numbers"], "photo").tag(sync=True)
    photo = traitlets.Enum(list(CROPS), "china").tag(sync=True)
    kernel_size_1 = traitlets.Enum([3, 5, 7], 5).tag(sync=True)
    strides_1 = traitlets.Int(1, min=1, max=3).tag(sync=True)
    kernel_size_2 = traitlets.Enum([1, 3, 5], 3).tag(sync=True)
    strides_2 = traitlets.Int(2, min=1, max=3).tag(sync=True)
    row = traitlets.Int(7, min=0).tag(sync=True)
    column = traitlets.Int(9, min=0).tag(sync=True)
    feature_map = traitlets.Int(0, min=0, max=2).tag(sync=True)
    pixels = traitlets.Bytes(read_only=True).tag(sync=True)
    example = traitlets.Dict(read_only=True).tag(sync=True)

    @traitlets.default("pixels")
    def _pixels(self):
        return crops().tobytes()

    @traitlets.default("example")
    def _example(self):
        arrays = {"input": NUMBERS, "filters": NUMBER_FILTERS, "biases": NUMBER_BIASES}
        return {name: array.tolist() for name, array in arrays.items()}

    @property
    def receptive_field(self) -> tuple[int, int]:
        """(size, jump) in pixels of a layer-2 neuron."""
        first = (self.kernel_size_1, self.strides_1)
        return cost.receptive_field([first, (self.kernel_size_2, self.strides_2)])

    def maps(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return the crop (40, 40, 3) in 0 to 1 and the maps of both layers after ReLU, float64."""
        image = crops()[list(CROPS).index(self.photo)] / 255.0
        filters = first_filters(self.kernel_size_1), second_filters(self.kernel_size_2)
        first = np.maximum(scratch.conv2d(image[None], filters[0], strides=self.strides_1), 0)
        second = np.maximum(scratch.conv2d(first, filters[1], strides=self.strides_2), 0)
        return image, first[0], second[0]

    def sums(self) -> np.ndarray:
        """Return z of the numbers mode, (2, 3, 2): weighted sums plus bias, before any ReLU."""
        x, w, b = (a.astype(np.float64) for a in (NUMBERS, NUMBER_FILTERS, NUMBER_BIASES))
        return scratch.conv2d(x[None], w, b, strides=2)[0]

    @property
    def neuron(self) -> tuple[int, int, int]:
        """(row, column, map) of the chosen neuron, inside its map."""
        shape = self.maps()[2].shape if self.mode == "photo" else self.sums().shape
        chosen = (self.row, self.column, self.feature_map)
        return tuple(min(index, size - 1) for index, size in zip(chosen, shape, strict=True))

    def boxes(self) -> dict:
        """Return what the neuron reads: (first row, first column, side) per level of the photo."""
        row, column, _ = self.neuron
        size, jump = self.receptive_field
        first = (row * self.strides_2, column * self.strides_2, self.kernel_size_2)
        return {"layer_1": first, "image": (row * jump, column * jump, size)}

    def products(self) -> np.ndarray:
        """Return the products of the chosen neuron of the numbers mode, (3, 3, 3 channels)."""
        row, column, k = self.neuron
        patch = NUMBERS[2 * row : 2 * row + 3, 2 * column : 2 * column + 3]
        return patch * NUMBER_FILTERS[..., k]

    def still(self) -> tuple[np.ndarray, str]:
        """Return the maps of both layers, or the tables of numbers, and alternative text."""
        if self.mode == "numbers":
            return self._draw_numbers(), (
                "Three channels of 5 × 7 small integers and the two maps of 2 × 3 sums that "
                "two 3 × 3 filters with stride 2 make of them"
            )
        size, jump = self.receptive_field
        return self._draw_maps(), (
            "A photo crop, the four maps of a first layer and the three maps of a second layer. "
            f"A neuron of the second layer sees {size} × {size} pixels, its neighbour {jump} "
            "pixels further"
        )

    def _draw_maps(self) -> np.ndarray:
        """Draw the crop, the maps of layer 1 and the maps of layer 2 in three rows."""
        image, first, second = self.maps()
        canvas = Image.new("RGB", (4 * 132 + 12, 3 * 132 + 12), "white")
        rows = [[image], np.moveaxis(first, -1, 0), np.moveaxis(second, -1, 0)]
        for level, arrays in enumerate(rows):
            for place, array in enumerate(arrays):
                top = max(float(array.max()), 1e-9)
                tile = Image.fromarray(np.uint8(np.round(array / top * 255))).convert("RGB")
                tile = tile.resize((120, 120), Image.Resampling.NEAREST)
                canvas.paste(tile, (12 + 132 * place, 12 + 132 * level))
        return np.asarray(canvas)

    def _draw_numbers(self) -> np.ndarray:
        """Draw the three channels of the input above the two output maps."""
        canvas = Image.new("RGB", (540, 200), "white")
        draw = ImageDraw.Draw(canvas)
        for top, tables in ((8, NUMBERS), (140, self.sums())):
            for (row, column, n), value in np.ndenumerate(tables):
                place = (10 + 180 * n + 23 * column, top + 23 * row)
                draw.text(place, f"{value:g}", "black", font_size=13)
        return np.asarray(canvas)
