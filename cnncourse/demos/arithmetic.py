"""ArithmeticDemo: how kernel, stride, padding and dilation decide the size of the output."""

import numpy as np
import traitlets
from cnncourse import cost
from cnncourse.demos.base import Demo

# Cells of the still picture: input or output, added zero, field, chosen output; and their lines.
COLOURS = np.array([(255, 255, 255), (215, 215, 215), (143, 193, 227), (0, 114, 178)], "uint8")
LINE = (136, 136, 136)
DILATION_PROBLEM = "Keras refuses a stride and a dilation that are both above 1: set one to 1."


def axis_numbers(size: int, kernel_size: int, strides=1, padding="valid", dilation=1) -> dict:
    """Return every number that the demo shows for one axis.

    Args:
        size: input cells along the axis.
        kernel_size: weights along the axis.
        strides: cells from one field to the next.
        padding: "valid" or "same".
        dilation: distance between two neighbouring weights.

    Returns:
        `effective` (cells that the kernel spans), `output`, `zeros`, `before` and `after`
        (how the zeros are split) and `ignored` (last cells that no field reaches), all int.

    Raises:
        ValueError: if the kernel does not fit.

    >>> axis_numbers(13, 6, strides=5, padding="same")
    {'effective': 6, 'output': 3, 'zeros': 3, 'before': 1, 'after': 2, 'ignored': 0}
    >>> axis_numbers(13, 6, strides=5)["ignored"]
    2
    """
    effective = kernel_size + (kernel_size - 1) * (dilation - 1)
    output = cost.output_size(size, kernel_size, strides, padding, dilation)
    before, after = (0, 0)
    if padding == "same":
        before, after = cost.same_padding(size, kernel_size, strides, dilation)
    reach = (output - 1) * strides + effective
    return {
        "effective": effective,
        "output": output,
        "zeros": before + after,
        "before": before,
        "after": after,
        "ignored": max(0, size + before + after - reach),
    }


def _preset(name, view, height, width, kernel_size, strides, padding, dilation=1, guess=False):
    """Return the settings that one entry of the preset menu stands for."""
    return {
        "name": name,
        "view": view,
        "height": height,
        "width": width,
        "kernel_size": kernel_size,
        "strides": strides,
        "padding": padding,
        "dilation": dilation,
        "guess_first": guess,
    }


PRESETS = [
    _preset("Guess first: 7×7, kernel 3×3, stride 2", "grid", 7, 7, 3, 2, "valid", guess=True),
    _preset("7×7, kernel 3×3, stride 1", "grid", 7, 7, 3, 1, "valid"),
    _preset("7×7, kernel 3×3, stride 3: does not fit", "grid", 7, 7, 3, 3, "valid"),
    _preset("5×7, kernel 3×3, stride 2, zeros", "grid", 5, 7, 3, 2, "same"),
    _preset("70×120, kernel 7×7, stride 2, zeros", "grid", 70, 120, 7, 2, "same"),
    _preset("13 wide, kernel 6, stride 5, no zeros", "row", 7, 13, 6, 5, "valid"),
    _preset("13 wide, kernel 6, stride 5, zeros", "row", 7, 13, 6, 5, "same"),
    _preset("70 long, kernel 7, stride 2, zeros", "row", 7, 70, 7, 2, "same"),
    _preset("Kernel [1, 2, 3] dilated by 4", "row", 7, 13, 3, 1, "valid", dilation=4),
]


class ArithmeticDemo(Demo):
    """Slide a kernel over a row or a grid of cells and count the outputs.

    Attributes:
        view: "row" (one axis: `width`) or "grid" (`height` rows of `width` columns).
        height: rows of the input, 1 to 128; the grid view only.
        width: columns of the input, 1 to 128.
        kernel_size: weights per axis, 1 to 11.
        strides: cells from one field to the next, 1 to 8.
        padding: "valid" (no zeros) or "same" (just enough zeros).
        dilation: distance between two neighbouring weights, 1 to 6.
        position: which output neuron is shown, counted row by row from 0.
        guess_first: hide the answer until the learner has typed one.

    >>> demo = ArithmeticDemo(view="row", width=13, kernel_size=6, strides=5)
    >>> demo.output_shape
    (3,)
    """

    _module = "arithmetic"
    view = traitlets.Enum(["row", "grid"], "row").tag(sync=True)
    height = traitlets.Int(7, min=1, max=128).tag(sync=True)
    width = traitlets.Int(13, min=1, max=128).tag(sync=True)
    kernel_size = traitlets.Int(6, min=1, max=11).tag(sync=True)
    strides = traitlets.Int(5, min=1, max=8).tag(sync=True)
    padding = traitlets.Enum(["valid", "same"], "same").tag(sync=True)
    dilation = traitlets.Int(1, min=1, max=6).tag(sync=True)
    position = traitlets.Int(0, min=0).tag(sync=True)
    guess_first = traitlets.Bool(False).tag(sync=True)
    presets = traitlets.List(PRESETS, read_only=True).tag(sync=True)

    @property
    def sizes(self) -> tuple[int, ...]:
        """Input size per axis: (width,) in the row view, (height, width) in the grid view."""
        return (self.width,) if self.view == "row" else (self.height, self.width)

    @property
    def problem(self) -> str | None:
        """Say in one sentence why the settings are impossible; None if they are not."""
        if self.strides > 1 and self.dilation > 1:
            return DILATION_PROBLEM
        effective = self.kernel_size + (self.kernel_size - 1) * (self.dilation - 1)
        if self.padding == "valid" and effective > min(self.sizes):
            return (
                f"The kernel spans {effective} cells but the input has only {min(self.sizes)}: "
                "without zeros it fits nowhere."
            )
        return None

    def numbers(self) -> list[dict]:
        """Return `axis_numbers` for each axis; raises ValueError where `problem` says why."""
        if self.problem:
            raise ValueError(self.problem)
        settings = (self.kernel_size, self.strides, self.padding, self.dilation)
        return [axis_numbers(size, *settings) for size in self.sizes]

    @property
    def output_shape(self) -> tuple[int, ...]:
        """Output size per axis."""
        return tuple(axis["output"] for axis in self.numbers())

    def fields(self) -> list[tuple[int, int]]:
        """Return (first, last) cell per axis that the shown neuron reads; zeros are outside."""
        index = self.position
        spans = []
        for axis in reversed(self.numbers()):
            index, place = divmod(index, axis["output"])
            first = place * self.strides - axis["before"]
            spans.append((first, first + axis["effective"] - 1))
        return spans[::-1]

    @property
    def dilated_kernel(self) -> list[int]:
        """The weights 1, 2, … with the zeros that dilation puts between them.

        >>> ArithmeticDemo(kernel_size=3, dilation=4, strides=1).dilated_kernel
        [1, 0, 0, 0, 2, 0, 0, 0, 3]
        """
        taps = [0] * ((self.kernel_size - 1) * self.dilation + 1)
        taps[:: self.dilation] = range(1, self.kernel_size + 1)
        return taps

    def still(self) -> tuple[np.ndarray, str]:
        """Return a flat picture of input, zeros, field and output, and its alternative text."""
        shape = " × ".join(map(str, self.sizes))
        if self.problem:
            return np.full((24, 240, 3), 255, "uint8"), f"Input {shape}. {self.problem}"
        size = "to be guessed"
        if not self.guess_first:
            size = "of " + " × ".join(map(str, self.output_shape))
        alt = (
            f"An input of {shape} cells with the field of one output neuron, and an output {size}: "
            f"kernel {self.kernel_size}, stride {self.strides}, padding {self.padding}, "
            f"dilation {self.dilation}"
        )
        return self._draw(), alt

    def _draw(self) -> np.ndarray:
        """Draw the input from above (zeros grey, field blue) and, unless secret, the output."""
        axes, fields = self.numbers(), self.fields()
        before = [axis["before"] for axis in axes]
        inside = tuple(slice(b, b + n) for b, n in zip(before, self.sizes, strict=True))
        field = tuple(slice(b + f, b + l + 1) for b, (f, l) in zip(before, fields, strict=True))
        cells = np.full([n + a["zeros"] for n, a in zip(self.sizes, axes, strict=True)], 1)
        cells[inside] = 0
        cells[field] = 2
        pictures = [cells]
        if not self.guess_first:
            outputs = np.zeros(self.output_shape, int)
            outputs.flat[self.position % outputs.size] = 3
            pictures.append(outputs)
        pictures = [np.atleast_2d(picture) for picture in pictures]
        unit = max(4, min(32, 380 // pictures[0].shape[1], 320 // pictures[0].shape[0]))
        return _side_by_side([_paint(picture, unit) for picture in pictures])


def _paint(cells: np.ndarray, unit: int) -> np.ndarray:
    """Turn kinds of cells, (rows, columns), into a picture with lines between them."""
    picture = COLOURS[np.pad(cells, ((0, 1), (0, 1)))].repeat(unit, 0).repeat(unit, 1)
    picture[::unit] = picture[:, ::unit] = LINE
    return picture[: 1 - unit, : 1 - unit]


def _side_by_side(pictures: list[np.ndarray]) -> np.ndarray:
    """Put pictures on white, next to each other, their tops in line."""
    height = max(len(picture) for picture in pictures) + 20
    width = sum(picture.shape[1] + 20 for picture in pictures)
    canvas = np.full((height, width, 3), 255, "uint8")
    left = 10
    for picture in pictures:
        canvas[10 : 10 + len(picture), left : left + picture.shape[1]] = picture
        left += picture.shape[1] + 20
    return canvas
