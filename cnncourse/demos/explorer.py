"""ExplorerDemo: a network as a tower of stages; what each costs, and what its neurons see."""

import math
import re
from collections import Counter

import numpy as np
import traitlets
from cnncourse.demos.picture import PhotoDemo
from PIL import Image, ImageDraw

BYTES = {"float32": 4, "bfloat16": 2, "float16": 2}
TALL = 120  # pixels of the input's slab in the still picture


def described(name: str, image: tuple, stages) -> dict:
    """Write stages as plain lists, each kind of layer and each kind of map only once.

    Args:
        name: of the network.
        image: shape of its input, (height, width, channels).
        stages: from `anatomy.stages`.

    Returns:
        `stages` is a list of (name, steps), a step is (name, index of its kind, index of its map,
        parameters, MACs), a map is (shape, vertical field, horizontal field) with each field as
        (start, size, jump), or null where there is none.
    """
    kinds, maps, rows = {}, {}, []
    for stage in stages:
        steps = []
        for step in stage.steps:
            seen = [(f.start, f.size, f.jump) for f in step.fields or ()] or [None, None]
            place = maps.setdefault((step.shape, *seen), len(maps))
            kind = kinds.setdefault(step.kind, len(kinds))
            steps.append([title(step), kind, place, step.parameters, step.macs])
        rows.append([stage.name, steps])
    listed = [[list(x) if x else None for x in entry] for entry in maps]
    return {"name": name, "input": [*image], "kinds": [*kinds], "maps": listed, "stages": rows}


def title(step) -> str:
    """Return a step's name; of an operation without the number that Keras counts up at each run."""
    import keras

    return step.name if isinstance(step.layer, keras.Layer) else re.sub(r"_\d+$", "", step.name)


class ExplorerDemo(PhotoDemo):
    """Click through a network: shapes, parameters, MACs, memory, and the field on a photo.

    Attributes:
        network: what `anatomy` found, as plain lists (see `described`).
        stage: number of the chosen stage.
        step: number of the chosen step in it; −1 is the stage as a whole.
        y: the chosen neuron is the one whose field has its middle nearest to this pixel row …
        x: … and this pixel column.
        batch_size: number of images, 1 to 256.
        dtype: number format of weights and results: "float32", "bfloat16" or "float16".

    >>> import keras
    >>> net = keras.Sequential([keras.Input((8, 8, 1)), keras.layers.Conv2D(4, 3, strides=2)])
    >>> chosen = ExplorerDemo(net, batch_size=10).chosen()
    >>> chosen["shape"], chosen["parameters"], chosen["macs"], chosen["result_bytes"]
    ([3, 3, 4], 40, 324, 1440)
    """

    _module = "explorer"
    network = traitlets.Dict(read_only=True).tag(sync=True)
    stage = traitlets.Int(0).tag(sync=True)
    step = traitlets.Int(-1, min=-1).tag(sync=True)
    y = traitlets.Float().tag(sync=True)
    x = traitlets.Float().tag(sync=True)
    batch_size = traitlets.Int(1, min=1, max=256).tag(sync=True)
    dtype = traitlets.Enum([*BYTES], "float32").tag(sync=True)

    def __init__(self, model, *, input_shape=None, image=None, **kwargs):
        """Take a network apart.

        Args:
            model: a built Keras model whose input is one image.
            input_shape: (height, width, channels), where the model leaves a side open.
            image: a photograph of the learner, uint8; else the sample `photo`.
            **kwargs: other attributes by name.

        Raises:
            ValueError: if the input is no image, or the model cannot be followed.
        """
        from cnncourse import anatomy

        stages = anatomy.stages(model, input_shape)
        shape = tuple(input_shape or model.input_shape[1:])
        if len(shape) != 3:
            raise ValueError(f"model {model.name!r} takes {shape}; accepted: images, (h, w, c)")
        self.set_trait("network", described(model.name, shape, stages))
        kwargs = {"y": (shape[0] - 1) / 2, "x": (shape[1] - 1) / 2} | kwargs
        super().__init__(image=image, **kwargs)

    @traitlets.validate("stage")
    def _valid_stage(self, proposal):
        count = len(self.network.get("stages", ()))
        if not 0 <= proposal.value < count:
            raise traitlets.TraitError(f"stage is {proposal.value}; accepted: 0 to {count - 1}")
        return proposal.value

    def chosen(self) -> dict:
        """Return the numbers of the chosen stage or step, as the demo shows them.

        Returns:
            `name`, `shape`, `parameters`, `macs`, `weight_bytes` and `result_bytes` (of all results
            of the batch together), `kinds` (how many steps of each), `neuron` (row, column) and
            `field` (first row, last row, first column, last column in pixels; outside the image
            lies padding); the last two are None where not each neuron sees a rectangle of its own.
        """
        name, steps = self.network["stages"][self.stage]
        if self.step >= 0:
            steps = [steps[min(self.step, len(steps) - 1)]]
            name = steps[0][0]
        maps = self.network["maps"]
        shape, *fields = maps[steps[-1][2]]
        neuron = field = None
        if fields[0]:
            neuron, field = self._seen(shape, fields)
        numbers = sum(math.prod(maps[place][0]) for _, _, place, _, _ in steps)
        parameters = sum(row[3] for row in steps)
        return {
            "name": name,
            "shape": shape,
            "parameters": parameters,
            "macs": sum(row[4] for row in steps),
            "weight_bytes": parameters * BYTES[self.dtype],
            "result_bytes": numbers * BYTES[self.dtype] * self.batch_size,
            "kinds": dict(Counter(self.network["kinds"][row[1]] for row in steps)),
            "neuron": neuron,
            "field": field,
        }

    def _seen(self, shape, fields):
        """Return the neuron nearest to the chosen pixel and the pixels that it sees."""
        neuron, seen = [], []
        for side, (start, size, jump), pixel in zip(shape, fields, (self.y, self.x), strict=False):
            nearest = math.floor((pixel - start - (size - 1) / 2) / jump + 0.5)
            neuron.append(min(max(nearest, 0), side - 1))
            first = start + neuron[-1] * jump
            seen += [first, first + size - 1]
        return neuron, seen

    def still(self) -> tuple[np.ndarray, str]:
        """Return the tower of slabs, the chosen stage in orange, and its alternative text."""
        shapes = [self.network["maps"][steps[-1][2]][0] for _, steps in self.network["stages"]]
        names = ["input", *(name for name, _ in self.network["stages"])]
        names = [name.replace("–", "-")[:15] for name in names]  # the font has neither – nor ×
        column = max(640 // len(names), 74, 8 * max(map(len, names)))
        canvas = Image.new("RGB", (column * len(names) + 10, TALL + 90), "white")
        draw = ImageDraw.Draw(canvas)
        for i, shape in enumerate([self.network["input"], *shapes]):
            at = (10 + i * column, TALL + 30)
            self._draw_slab(draw, shape, at, i == self.stage + 1)
            draw.text((at[0], at[1] + 8), names[i], "black", font_size=14)
            text = " x ".join(str(n) for n in shape)
            draw.text((at[0], at[1] + 28), text, "#444444", font_size=12)
        chosen = self.chosen()
        return np.asarray(canvas), (
            f"The network {self.network['name']} as a tower of {len(shapes)} slabs. Chosen: "
            f"{chosen['name']} with {chosen['parameters']:,} parameters and {chosen['macs']:,} MACs"
        )

    def _draw_slab(self, draw, shape, at, is_chosen):
        """Draw one box: as tall as the maps, as wide as there are many."""
        side = shape[0] if len(shape) == 3 else 1
        tall = max(5, TALL * 0.8 * math.sqrt(side / self.network["input"][0]))
        wide, deep = 2 + 5 * math.log2(shape[-1]), tall * 0.22
        (x, y), fills = at, ("#e69f00", "#f3cf80", "#d55e00")
        if not is_chosen:
            fills = ("#56b4e9", "#aad9f4", "#0072b2")
        top = [(x, y - tall), (x + deep, y - tall - deep)]
        top += [(x + wide + deep, y - tall - deep), (x + wide, y - tall)]
        right = [(x + wide, y), (x + wide, y - tall), top[2], (x + wide + deep, y - deep)]
        draw.rectangle((x, y - tall, x + wide, y), fills[0], "white")
        draw.polygon(top, fills[1], "white")
        draw.polygon(right, fills[2], "white")
