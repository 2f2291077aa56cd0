"""ArithmeticDemo: how kernel, stride, padding and dilation decide the size of the output."""

import numpy as np
import traitlets
from cnncourse import cost
from cnncourse.demos.base import Demo
from PIL import Image, ImageDraw

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
        axes = self.numbers()
        output = " × ".join(map(str, self.output_shape))
        alt = (
            f"An input of {shape} cells and an output of {output}, with the field of one output: "
            f"kernel {self.kernel_size}, stride {self.strides}, padding {self.padding}, "
            f"dilation {self.dilation}"
        )
        return _draw(axes, self.sizes, self.fields()), alt


def _draw(axes: list[dict], sizes: tuple, fields: list) -> np.ndarray:
    """Draw the cells from above: input (zeros darker), the field blue."""
    before = [axis["before"] for axis in axes]
    totals = [size + axis["zeros"] for size, axis in zip(sizes, axes, strict=True)]
    if len(axes) == 1:
        before, totals, sizes, fields = [0, *before], [1, *totals], (1, *sizes), [(0, 0), *fields]
    rows, columns = totals
    unit = max(4, min(36, 620 // columns, 320 // rows))
    image = Image.new("RGB", (columns * unit + 20, rows * unit + 20), "white")
    draw = ImageDraw.Draw(image)
    (r0, r1), (c0, c1) = fields
    for row in range(-before[0], rows - before[0]):
        for column in range(-before[1], columns - before[1]):
            x, y = 10 + (column + before[1]) * unit, 10 + (row + before[0]) * unit
            inside = 0 <= row < sizes[0] and 0 <= column < sizes[1]
            read = r0 <= row <= r1 and c0 <= column <= c1
            colour = "#8fc1e3" if read else "white" if inside else "#dddddd"
            draw.rectangle((x, y, x + unit, y + unit), colour, "#888888")
    return np.asarray(image)
