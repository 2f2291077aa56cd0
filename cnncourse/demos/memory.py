"""MemoryDemo: how many bytes a stack of convolutions takes, and which knob brings it down."""

from itertools import pairwise

import numpy as np
import traitlets
from cnncourse import cost
from cnncourse.demos.base import Demo
from PIL import Image, ImageDraw

PRECISIONS = {"float32": (4, 4), "mixed": (4, 2), "float16": (2, 2)}  # bytes of (weights, maps)
SLOTS = {"sgd": 0, "momentum": 1, "adam": 2}  # numbers that an optimizer keeps per weight
PARTS = {  # key: what it is, colour
    "maps": ("input and maps", "#0072B2"),
    "weights": ("weights", "#D55E00"),
    "copies": ("16-bit copies of the weights", "#56B4E9"),
    "gradients": ("gradients of the weights", "#CC79A7"),
    "slots": ("optimizer", "#E69F00"),
}


class MemoryDemo(Demo):
    """Plan the memory of a stack of convolutions: one prediction, or one step of training.

    The stack takes colour images; each layer has "same" padding. The numbers are those that
    `cnncourse.memory.plan` gives for the same stack in Keras; a plain chain of convolutions takes
    at least that.

    Attributes:
        height: rows of the image, 16 to 512.
        width: columns of the image, 16 to 512.
        depth: number of layers, 1 to 5.
        maps: maps of the first layer, 1 to 256.
        double: each layer has twice as many maps as the one before.
        kernel_size: side of the kernels, 1, 3, 5 or 7.
        strides: of every layer, 1 to 3.
        batch_size: images at a time, 1 to 256.
        mode: "training" or "prediction".
        precision: "float32"; "mixed", where weights, gradients and optimizer have 32 bits and the
            rest 16; or "float16" for all.
        optimizer: "sgd", "momentum" or "adam".
        device: memory to fit into, 1 to 80 GB.

    >>> MemoryDemo(height=150, width=100, depth=1, maps=200, kernel_size=5).plan()["weights"]
    60800
    """

    _module = "memory"
    height = traitlets.Int(224, min=16, max=512).tag(sync=True)
    width = traitlets.Int(224, min=16, max=512).tag(sync=True)
    depth = traitlets.Int(3, min=1, max=5).tag(sync=True)
    maps = traitlets.Int(64, min=1, max=256).tag(sync=True)
    double = traitlets.Bool(True).tag(sync=True)
    kernel_size = traitlets.Enum([1, 3, 5, 7], 3).tag(sync=True)
    strides = traitlets.Int(2, min=1, max=3).tag(sync=True)
    batch_size = traitlets.Int(8, min=1, max=256).tag(sync=True)
    mode = traitlets.Enum(["training", "prediction"], "training").tag(sync=True)
    precision = traitlets.Enum(list(PRECISIONS), "float32").tag(sync=True)
    optimizer = traitlets.Enum(list(SLOTS), "adam").tag(sync=True)
    device = traitlets.Int(8, min=1, max=80).tag(sync=True)

    def plan(self) -> dict:
        """Return the bytes by what they are for, and by layer.

        Returns:
            `shapes` of the input and each layer's output, one image; `tensors`, their bytes for
            the batch; `kernels`, the bytes of each layer's weights; `pair`, the number of the
            tensor with which the largest pair of neighbours begins; and the sums `maps` (all
            tensors in training, the largest pair in a prediction), `weights`, `copies`,
            `gradients`, `slots` and `total`.
        """
        return _plan(self.state())

    def remedies(self) -> list[tuple[str, int]]:
        """Return (what to change, total bytes after it) for every knob that can still turn."""
        state = self.state()
        return [(name, _plan({**state, **change})["total"]) for name, change in remedies_for(state)]

    def largest_batch(self) -> int:
        """Return how many images fit into the device at a time; 0 if not even one does."""
        with_one, with_two = (_plan({**self.state(), "batch_size": n})["total"] for n in (1, 2))
        each = with_two - with_one
        return max(0, (self.device * 10**9 - with_one + each) // each)

    def still(self) -> tuple[np.ndarray, str]:
        """Return one stacked bar of the parts, and what it shows in a sentence."""
        numbers = self.plan()
        canvas = Image.new("RGB", (620, 40 + 22 * len(PARTS)), "white")
        draw, left = ImageDraw.Draw(canvas), 10.0
        shown = {key: part for key, part in PARTS.items() if numbers[key]}
        for row, (key, (name, colour)) in enumerate(shown.items()):
            right = left + 600 * numbers[key] / numbers["total"]
            draw.rectangle((left, 8, right, 28), colour)
            draw.rectangle((10, 42 + 22 * row, 22, 54 + 22 * row), colour)
            text = f"{name}: {numbers[key] / 1e6:,.2f} MB"
            draw.text((30, 40 + 22 * row), text, "black", font_size=14)
            left = right
        words = ", ".join(f"{name} {numbers[key] / 1e6:,.2f}" for key, (name, _) in shown.items())
        alt = f"One bar of the memory for {self.mode}, by what it is for, in MB: {words}."
        return np.asarray(canvas), alt


def _plan(state: dict) -> dict:
    of_weights, of_maps = PRECISIONS[state["precision"]]
    k, strides = state["kernel_size"], state["strides"]
    shapes, kernels = [(state["height"], state["width"], 3)], []
    for n in range(state["depth"]):
        *sides, channels = shapes[-1]
        maps = state["maps"] * (2**n if state["double"] else 1)
        kernels.append((k * k * channels + 1) * maps * of_weights)
        shapes.append((*(cost.output_size(side, k, strides, "same") for side in sides), maps))
    tensors = [state["batch_size"] * int(np.prod(shape)) * of_maps for shape in shapes]
    pairs = [a + b for a, b in pairwise(tensors)]
    training = state["mode"] == "training"
    weights = sum(kernels)
    parts = {
        "maps": sum(tensors) if training else max(pairs),
        "weights": weights,
        "copies": weights // 2 if of_weights != of_maps else 0,
        "gradients": weights if training else 0,
        "slots": weights * SLOTS[state["optimizer"]] if training else 0,
    }
    lists = {"shapes": [list(s) for s in shapes], "tensors": tensors, "kernels": kernels}
    total = sum(parts.values())
    return {**lists, "pair": pairs.index(max(pairs)), **parts, "total": total}


def remedies_for(state: dict) -> list[tuple[str, dict]]:
    """Return (name, settings to change) for every knob that can still turn."""
    training = state["mode"] == "training"
    height, width = state["height"] // 2, state["width"] // 2
    changes = [
        (state["batch_size"] > 1, "half the batch", {"batch_size": state["batch_size"] // 2}),
        (min(height, width) >= 16, "half the image, each side", {"height": height, "width": width}),
        (state["strides"] < 3, "a stride larger by 1", {"strides": state["strides"] + 1}),
        (state["maps"] > 1, "half the maps", {"maps": state["maps"] // 2}),
        (state["depth"] > 1, "one layer less", {"depth": state["depth"] - 1}),
        (state["precision"] == "float32", "mixed precision", {"precision": "mixed"}),
        (training and state["optimizer"] != "sgd", "plain SGD", {"optimizer": "sgd"}),
    ]
    return [(name, change) for possible, name, change in changes if possible]
