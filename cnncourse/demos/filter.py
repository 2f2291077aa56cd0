"""FilterDemo: slide a kernel over a photograph and read off what one neuron computes."""

import numpy as np
from cnncourse.demos import kernels
from cnncourse.demos.picture import PhotoDemo
from traitlets import Bool, Enum, Float, Int, TraitError, TraitType, observe, validate

# Blue below zero, white at zero, red above.
_DIVERGING = [(5, 48, 97), (67, 147, 195), (255, 255, 255), (214, 96, 77), (103, 0, 31)]


class Kernel(TraitType):
    """A square array of odd side, 3 to 11, with finite numbers; kept read-only."""

    info_text = "a square of numbers (at most a million) with 3, 5, 7, 9 or 11 a side"

    def validate(self, obj, value):
        """Return the kernel as a read-only float64 array of its own."""
        try:
            kernel = np.array(value, dtype="float64")
        except (TypeError, ValueError):
            raise TraitError(f"kernel is {value!r}; accepted: {self.info_text}") from None
        if (
            kernel.ndim != 2
            or kernel.shape[0] != kernel.shape[1]
            or len(kernel) not in (kernels.SIZES)
        ):
            even = kernel.ndim == 2 and len(kernel) % 2 == 0
            why = " (an even kernel has no middle pixel)" if even else ""
            raise TraitError(f"kernel has shape {kernel.shape}; accepted: {self.info_text}{why}")
        if not (np.abs(kernel) <= 1e6).all():  # NaN is not
            raise TraitError(f"kernel holds {_worst(kernel)}; accepted: {self.info_text}")
        kernel.setflags(write=False)  # `demo.kernel[0, 0] = 1` could not redraw: let it fail
        return kernel


class FilterDemo(PhotoDemo):
    """Slide a kernel over a photograph.

    Every control is a trait that can be read and set from Python; `output` is what the browser
    shows, and `keras_line` is how to get it from Keras.

    Args:
        photo: "china" or "flower", one of the two sample photographs.
        image: the learner's own, uint8, (height, width) or (height, width, 3).
        preset: a name of `kernels.PRESETS`, or "hand" for a kernel of one's own.
        kernel: (size, size) array; setting it makes `preset` "hand".
        size: side of the kernel, 3 to 11, odd.
        orientation, wavelength: of the "gabor" preset, in degrees and pixels.
        strides, padding, dilation, bias, relu: as in `keras.layers.Conv2D`.
        channels: "grey" filters the mean of red, green and blue; "each" filters the three alike.
    """

    _module = "filter"

    kernel = Kernel().tag(sync=True, to_json=lambda value, _: np.asarray(value).tolist())
    preset = Enum((*kernels.PRESETS, "hand"), "vertical_line").tag(sync=True)
    size = Enum(kernels.SIZES, 7).tag(sync=True)
    orientation = Float(45.0, min=0, max=180).tag(sync=True)
    wavelength = Float(4.0, min=2, max=12).tag(sync=True)
    strides = Int(1, min=1, max=8).tag(sync=True)
    padding = Enum(("valid", "same"), "same").tag(sync=True)
    dilation = Int(1, min=1, max=8).tag(sync=True)
    bias = Float(0.0, min=-10, max=10).tag(sync=True)
    relu = Bool(False).tag(sync=True)
    channels = Enum(("grey", "each"), "grey").tag(sync=True)

    def __init__(self, *, kernel=None, **kwargs):
        """Start from a `kernel` of one's own, where one is given, else from the `preset`."""
        super().__init__(**kwargs)
        if kernel is not None:
            self.kernel = kernel

    def _kernel_default(self):
        return self._preset_kernel()

    def _preset_kernel(self):
        name = "identity" if self.preset == "hand" else self.preset
        return kernels.preset(name, self.size, self.orientation, self.wavelength)

    @observe("preset", "size", "orientation", "wavelength")
    def _take_preset(self, change):
        """Compute the kernel anew; a hand-made one is only cropped or padded to the new size."""
        if self.preset == "hand":
            kernel = kernels.fit(self.kernel, self.size)
        else:
            kernel = self._preset_kernel()
        if not _same(kernel, self.kernel):
            self.kernel = kernel

    @observe("kernel")
    def _follow_kernel(self, change):
        """A kernel that is not the preset's was made by hand."""
        with self.hold_trait_notifications():
            self.size = len(self.kernel)
            if self.preset != "hand" and not _same(self.kernel, self._preset_kernel()):
                self.preset = "hand"

    @validate("strides", "dilation")
    def _one_of_both(self, proposal):
        value, name = proposal["value"], proposal["trait"].name
        other = self.dilation if name == "strides" else self.strides
        if value > 1 and other > 1:
            raise TraitError(
                f"strides and dilation would both be above 1 ({name}={value}); "
                "accepted: one of them 1, as in Keras"
            )
        return value

    @validate("bias", "orientation", "wavelength")
    def _a_number(self, proposal):
        if np.isnan(proposal["value"]):
            raise TraitError(f"{proposal['trait'].name} is nan; accepted: a number")
        return proposal["value"]

    @property
    def output(self) -> np.ndarray:
        """What the layer answers: float32, (height, width, 1), or 3 maps for `channels="each"`.

        Raises:
            ValueError: if the kernel is larger than the image and padding is "valid".
        """
        from cnncourse.scratch import conv2d

        if self.channels == "grey":
            x = self.grey()[..., None]
        else:
            x = np.atleast_3d(self.image).astype("float32") / 255
        x = np.moveaxis(x, -1, 0)[..., None]  # channels become a batch: all are filtered alike
        w = self.kernel.astype("float32")[:, :, None, None]
        b = np.array([self.bias], "float32")
        z = conv2d(x, w, b, strides=self.strides, padding=self.padding, dilation=self.dilation)
        z = np.moveaxis(z[..., 0], 0, -1)
        return np.maximum(z, 0) if self.relu else z

    @property
    def keras_line(self) -> str:
        """One line of Keras that builds the same layer, given `kernel` (the demo's)."""
        each = self.channels == "each"
        size = len(self.kernel)
        words = [f"{size}" if each else f"1, {size}"]
        if self.strides > 1:
            words.append(f"strides={self.strides}")
        words.append(f'padding="{self.padding}"')
        if self.dilation > 1:
            words.append(f"dilation_rate={self.dilation}")
        if self.relu:
            words.append('activation="relu"')
        which = "depthwise" if each else "kernel"
        words.append(
            f"{which}_initializer=lambda shape, dtype: "
            + (
                "np.broadcast_to(kernel[:, :, None, None], shape)"
                if each
                else "kernel.reshape(shape)"
            )
        )
        if self.bias:
            words.append(f"bias_initializer=keras.initializers.Constant({self.bias:g})")
        layer = "DepthwiseConv2D" if each else "Conv2D"
        return f"keras.layers.{layer}({', '.join(words)})"

    def still(self) -> tuple[np.ndarray, str]:
        """Return the photograph beside its map, and what they show in a sentence."""
        image = np.atleast_3d(self.image)
        left = np.broadcast_to(image, (*image.shape[:2], 3))
        alt = (
            f"Photograph {left.shape[0]} by {left.shape[1]} pixels and its map under the "
            f"{len(self.kernel)} by {len(self.kernel)} kernel {self.preset.replace('_', ' ')}: "
            "blue is negative, white zero, red positive."
        )
        right = diverging(self.output[..., 0])
        height = max(len(left), len(right))
        panels = [
            np.pad(p, ((0, height - len(p)), (0, 12), (0, 0)), constant_values=255)
            for p in (left, right)
        ]
        return np.concatenate(panels, axis=1), alt


def diverging(values: np.ndarray, scale: float | None = None) -> np.ndarray:
    """Colour a signed map: blue negative, white zero, red positive; uint8, (height, width, 3).

    Colours end at ±`scale`: by default 995 of 1,000 values lie inside, or a quarter of the
    largest if that is more.
    """
    size = np.abs(values)
    scale = scale or max(float(np.quantile(size, 0.995)), float(size.max()) / 4) or 1.0
    places = np.linspace(-1, 1, len(_DIVERGING))
    colours = [np.interp(values / scale, places, a) for a in np.array(_DIVERGING, float).T]
    return np.stack(colours, axis=-1).round().astype("uint8")


def _worst(kernel: np.ndarray) -> float:
    """Return the number that is not accepted: NaN, or the largest."""
    return kernel.flat[np.argmax(np.abs(kernel))]  # argmax finds NaN first


def _same(a: np.ndarray, b: np.ndarray) -> bool:
    """Tell whether two kernels agree up to the rounding of another language's mathematics."""
    return a.shape == b.shape and np.allclose(a, b, rtol=0, atol=1e-9)
