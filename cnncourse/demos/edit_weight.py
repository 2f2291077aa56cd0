"""EditWeightDemo: change one weight of a trained network and see every map and the answer move."""

import numpy as np
import traitlets
from cnncourse import scratch
from cnncourse.demos.base import Demo
from cnncourse.demos.filter import diverging
from PIL import Image

MOST_PICTURES = 20
MOST_WEIGHTS = 6_000  # they travel in the notebook, ten bytes each
LARGEST = 4.0  # a weight can be set from -4 to 4


class EditWeightDemo(Demo):
    """Change one weight of a trained network and see every map and the answer move.

    Args:
        model: a trained `keras.Sequential` for grey pictures, of `Conv2D` (stride 1; linear or
            ReLU), `MaxPooling2D`, `Flatten`, `Dropout` (which does nothing here) and, after
            `Flatten`, `Dense` (linear or ReLU, softmax at the end); at most 6,000 weights.
        images: the pictures to choose from, (n, height, width, 1), as the network takes them.
        labels: (n,) what they are, from 0.
        class_names: of the network's answers; "0", "1", … by default.

    Attributes:
        picture: number of the picture that is shown.
        layer: number of the layer whose weight is chosen, among those with weights.
        row, column, channel, unit: place of that weight in its layer's kernel; row and column are
            0 in a dense layer. Beyond the kernel counts as the last.
        edits: what was changed, [layer, place in the flat kernel, value] each.

    Raises:
        ValueError: if the network has another layer, more weights, or other pictures, or if
            labels or names do not fit its answers.
        TraitError: if an edit names a weight that is not there, or a value beyond −4 to 4.
    """

    _module = "edit_weight"
    network = traitlets.List(read_only=True).tag(sync=True)
    pictures = traitlets.List(read_only=True).tag(sync=True)
    labels = traitlets.List(read_only=True).tag(sync=True)
    class_names = traitlets.List(read_only=True).tag(sync=True)
    picture = traitlets.Int(0, min=0).tag(sync=True)
    layer = traitlets.Int(0, min=0).tag(sync=True)
    row = traitlets.Int(0, min=0).tag(sync=True)
    column = traitlets.Int(0, min=0).tag(sync=True)
    channel = traitlets.Int(0, min=0).tag(sync=True)
    unit = traitlets.Int(0, min=0).tag(sync=True)
    edits = traitlets.List(traitlets.List()).tag(sync=True)

    def __init__(self, model, images, labels, class_names=None, **kwargs):
        """Take the weights out of the network and check that everything fits together."""
        network = _network(model)
        images, labels = np.asarray(images), np.asarray(labels)
        _check_pictures(images, model.input_shape[1:])
        classes = network[-1]["shape"][-1]
        if labels.shape != images.shape[:1]:
            raise ValueError(f"labels has shape {labels.shape}; accepted: {images.shape[:1]}")
        if not np.isin(labels, np.arange(classes)).all():
            raise ValueError(f"labels is {labels.tolist()}; accepted: 0 to {classes - 1}")
        names = np.arange(classes) if class_names is None else class_names
        if len(names) != classes:
            raise ValueError(f"class_names has {len(names)}; accepted: {classes}, as the answers")
        super().__init__()
        self.set_trait("network", network)
        self.set_trait("pictures", images[..., 0].astype(float).round(6).tolist())
        self.set_trait("labels", [int(label) for label in labels])
        self.set_trait("class_names", [str(name) for name in names])
        for name, value in kwargs.items():
            setattr(self, name, value)

    @traitlets.validate("edits")
    def _of_weights_that_are_there(self, proposal):
        sizes = [len(entry["kernel"]) for entry in self.network if "kernel" in entry]
        for edit in proposal.value:
            layer, place, value = edit if len(edit) == 3 else (-1, -1, 0)
            inside = layer in range(len(sizes)) and place in range(sizes[int(layer)])
            if not (inside and -LARGEST <= value <= LARGEST):
                raise traitlets.TraitError(
                    f"edits has {edit}; accepted: [layer, place in its flat kernel, value], for "
                    f"kernels of {sizes} weights and values from {-LARGEST} to {LARGEST}"
                )
        return proposal.value

    @property
    def place(self) -> tuple[int, int]:
        """(number of the layer among those with weights, place in its flat kernel)."""
        weighted = [entry for entry in self.network if "kernel" in entry]
        number = min(self.layer, len(weighted) - 1)
        shape = weighted[number]["shape"]
        wanted = (self.row, self.column, self.channel, self.unit)
        inside = tuple(min(i, size - 1) for i, size in zip(wanted, shape, strict=True))
        return number, int(np.ravel_multi_index(inside, shape))

    @property
    def weight(self) -> float:
        """The chosen weight, edited or not."""
        number, place = self.place
        return self._kernels(self.edits)[number].flat[place].item()

    def edit(self, value: float) -> None:
        """Set the chosen weight, from −4 to 4."""
        if not -LARGEST <= value <= LARGEST:
            raise ValueError(f"value is {value}; accepted: {-LARGEST} to {LARGEST}")
        kept = [edit for edit in self.edits if tuple(edit[:2]) != self.place]
        self.edits = [*kept, [*self.place, float(value)]]

    def _kernels(self, edits):
        kernels = [np.reshape(e["kernel"], e["shape"]) for e in self.network if "kernel" in e]
        for number, place, value in edits:
            kernels[int(number)].flat[int(place)] = value
        return kernels

    def maps(self, edited: bool = True) -> list[np.ndarray]:
        """Return what each layer makes of the picture, float64: (h, w, maps), or (units,)."""
        kernels = iter(self._kernels(self.edits if edited else []))
        x = np.array(self.pictures[min(self.picture, len(self.pictures) - 1)])[None, :, :, None]
        found = []
        for entry in self.network:
            x = _apply(entry, x, next(kernels) if "kernel" in entry else None)
            found.append(x[0])
        return found

    @property
    def probabilities(self) -> np.ndarray:
        """The network's answer to the picture, with all edits, float64 (classes,)."""
        return self.maps()[-1]

    def still(self) -> tuple[np.ndarray, str]:
        """Return the first layer's maps before and after the edits, and the answers in words."""
        before, after = self.maps(edited=False), self.maps()
        rows = []
        for maps in (before[0], after[0]):
            tiles = [np.kron(maps[..., i], np.ones((6, 6))) for i in range(maps.shape[-1])]
            rows.append(np.concatenate([np.pad(t, 3) for t in tiles], axis=1))
        picture = diverging(np.concatenate(rows), float(max(before[0].max(), 1e-9)))
        names = [self.class_names[int(maps[-1].argmax())] for maps in (before, after)]
        alt = (
            "Two rows of first-layer maps of one picture: as the network was trained, and with "
            f"{len(self.edits)} changed weights. It answers {names[0]} before and {names[1]} after."
        )
        return np.asarray(Image.fromarray(picture)), alt


def _network(model):
    """Describe the model layer by layer; see `_entry`."""
    if type(model).__name__ != "Sequential" or not model.built:
        raise ValueError(
            f"model is {model!r}; accepted: a keras.Sequential of layers, keras.Input first"
        )
    network = [entry for layer in model.layers if (entry := _entry(layer))]
    kinds = [entry["kind"] for entry in network]
    if "dense" in kinds[: kinds.index("flatten") if "flatten" in kinds else None]:
        raise ValueError("model has a Dense layer without Flatten before; accepted: one after it")
    last = network[-1] if network else {}
    if (last.get("kind"), last.get("activation")) != ("dense", "softmax"):
        raise ValueError(
            f"model ends with the layer {last.get('name')!r}; accepted: Dense with softmax"
        )
    count = sum(len(entry.get("kernel", ())) for entry in network)
    if count > MOST_WEIGHTS:
        raise ValueError(f"model has {count:,} weights; accepted: at most {MOST_WEIGHTS:,}")
    return network


def _check_pictures(images, shape):
    if images.ndim != 4 or images.shape[-1] != 1 or not 1 <= len(images) <= MOST_PICTURES:
        raise ValueError(
            f"images has shape {images.shape}; accepted: (n, height, width, 1), 1 to "
            f"{MOST_PICTURES} pictures"
        )
    if images.shape[1:] != tuple(shape):
        raise ValueError(
            f"images has shape {images.shape}; accepted: {('n', *shape)}, which model takes"
        )
    if not np.isfinite(images).all():
        raise ValueError("images has values that are not finite; accepted: finite numbers")


def _entry(layer):
    """Describe a Keras layer in numbers and words; None for one that does nothing."""
    kind = type(layer).__name__
    if kind in ("InputLayer", "Dropout"):
        return None
    if kind == "Flatten":
        return {"kind": "flatten", "name": layer.name}
    if kind == "MaxPooling2D" and layer.padding == "valid" and layer.pool_size == layer.strides:
        return {"kind": "pool", "name": layer.name, "size": list(layer.pool_size)}
    activation = getattr(getattr(layer, "activation", None), "__name__", "")
    plain = kind == "Dense" or (
        kind == "Conv2D"
        and (*layer.strides, *layer.dilation_rate, layer.groups) == (1, 1, 1, 1, 1)
        and activation != "softmax"
    )
    if not plain or activation not in ("linear", "relu", "softmax"):
        raise ValueError(
            f"model has the layer {layer.name!r}, {kind} with {activation or 'no'} activation; "
            "accepted: Conv2D with stride 1, MaxPooling2D, Flatten, Dropout, Dense"
        )
    kernel, *bias = layer.get_weights()
    numbers = {"kernel": kernel, "bias": bias[0] if bias else np.zeros(kernel.shape[-1])}
    return {
        "kind": kind.lower().removesuffix("2d"),
        "name": layer.name,
        "activation": activation,
        "padding": getattr(layer, "padding", "valid"),
        "shape": [*[1] * (4 - kernel.ndim), *kernel.shape],
        **{name: [float(f"{v:.7g}") for v in array.flat] for name, array in numbers.items()},
    }


def _apply(entry, x, kernel):
    """Compute one layer, (1, …) to (1, …)."""
    if entry["kind"] == "flatten":
        return x.reshape(1, -1)
    if entry["kind"] == "pool":
        return scratch.max_pool2d(x, tuple(entry["size"]))
    if entry["kind"] == "dense":
        x = x @ kernel[0, 0] + entry["bias"]
    else:
        x = scratch.conv2d(x, kernel, np.array(entry["bias"]), padding=entry["padding"])
    if entry["activation"] == "softmax":
        x = np.exp(x - x.max())
        return x / x.sum()
    return np.maximum(x, 0) if entry["activation"] == "relu" else x
