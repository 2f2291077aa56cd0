"""Chapter 09: its numbers recomputed, its unit against the package's, its experiment re-read."""

import re

import keras
import nbformat
import numpy as np
import pytest
from cnncourse import anatomy, architectures, cost
from cnncourse.paths import course_root

CHAPTER = nbformat.read(course_root() / "chapters" / "09_residual_networks.ipynb", as_version=4)
SOLUTION = nbformat.read(course_root() / "solutions" / "09_residual_networks.ipynb", as_version=4)
PROSE = "\n".join(cell.source for cell in CHAPTER.cells if cell.cell_type == "markdown")
PRINTED = "\n".join(
    output.text
    for cell in CHAPTER.cells
    for output in cell.get("outputs", [])
    if output.output_type == "stream"
)
DEPTHS = (18, 34, 50, 101, 152)


def losses():
    """Return {layers: training loss} of the plain networks, and of the residual ones."""
    lines = re.findall(r"(\d+) layers: training loss ([\d.]+), test accuracy ([\d.]+)%", PRINTED)
    found = [(int(layers), float(loss), float(accuracy)) for layers, loss, accuracy in lines]
    assert len(found) == 6
    return found[:3], found[3:]


def test_depth_hurts_the_plain_networks_and_helps_the_residual_ones():
    plain, residual = losses()
    assert [layers for layers, *_ in plain] == [layers for layers, *_ in residual] == [4, 10, 22]
    assert plain[2][1] > 1.5 * plain[1][1], "deepest plain network is worse in training"
    assert residual[0][1] > 2 * residual[1][1] > 4 * residual[2][1]
    assert residual[2][2] > plain[2][2] + 10


def trained(model):
    return sum(int(np.prod(w.shape)) for w in model.trainable_weights)


@pytest.mark.parametrize("depth", DEPTHS)
def test_the_family_s_table(depth):
    line = re.search(
        rf"^ *{depth}: \((.*?)\) +× (\d) .*, depth +(\d+), +([\d,]+) trained$", PRINTED, re.M
    )
    units, convs = [int(n) for n in line[1].split(",")], int(line[2])
    assert int(line[3]) == depth == 2 + convs * sum(units)
    model = architectures.build(f"resnet{depth}")
    assert int(line[4].replace(",", "")) == trained(model)
    weights = [s for s in anatomy.steps(model) if s.kind in ("Conv2D", "Dense")]
    projections = [s for s in weights if "/0_" in s.name]
    assert len(weights) - len(projections) == depth


def test_products_per_unit():
    stages = anatomy.stages(architectures.resnet34())[1:5]
    per_unit = [stage.macs / units for stage, units in zip(stages, (3, 4, 6, 3), strict=True)]
    assert "about 220 million per unit" in PROSE
    assert all(210e6 < macs < 235e6 for macs in per_unit), per_unit


def test_parameters_of_other_networks():
    told = re.search(
        r"AlexNet (\d+) million, VGG-16 (\d+), GoogLeNet (\d+), ResNet-152 (\d+)", PROSE
    )
    names = ("alexnet", "vgg16", "googlenet", "resnet152")
    counted = [round(cost.parameters(architectures.build(name)) / 1e6) for name in names]
    assert [int(n) for n in told.groups()] == counted


def test_bottleneck():
    inputs = keras.Input((56, 56, 256))
    convs = [keras.layers.Conv2D(n, k, use_bias=False) for n, k in ((64, 1), (64, 3), (256, 1))]
    assert keras.Sequential([inputs, *convs]).count_params() == 69_632
    assert "69,632 weights instead of 1,179,648" in PROSE
    assert 1_179_648 == 2 * 9 * 256 * 256


def test_cifar_rule():
    assert 6 * 200 + 2 == 1202
    assert "$6n + 2$ layers; $n = 200$" in PROSE


@pytest.mark.parametrize("claim", ["3.57 %", "two to three weeks", "7.93 % error against 6.43 %"])
def test_reported_figures_are_there(claim):
    assert claim in PROSE


@pytest.mark.parametrize(
    "order",
    [("conv1", "conv2", "bn1", "bn2"), ("conv1", "bn1", "conv2", "bn2")],
    ids=["as the reference", "as the statement lists them"],
)
@pytest.mark.parametrize(("strides", "channels"), [(1, 4), (2, 3)])
def test_the_exercise_compares_units_whatever_order_their_layers_have(order, strides, channels):
    names = {"np": np, "keras": keras}
    for cell in SOLUTION.cells:
        if cell.metadata.get("nbgrader", {}).get("grade_id") in ("given_filled", "ResidualUnit"):
            exec(cell.source, names)

    class Reordered(names["ResidualUnit"]):
        def build(self, input_shape):
            same = {"padding": "same", "use_bias": False}
            make = {
                "conv1": lambda: keras.layers.Conv2D(self.filters, 3, self.strides, **same),
                "conv2": lambda: keras.layers.Conv2D(self.filters, 3, **same),
                "bn1": keras.layers.BatchNormalization,
                "bn2": keras.layers.BatchNormalization,
            }
            for name in order:
                setattr(self, name, make[name]())
            self.projection = None
            if self.strides != 1 or input_shape[-1] != self.filters:
                self.projection = keras.layers.Conv2D(self.filters, 1, self.strides, **same)
                self.projection_bn = keras.layers.BatchNormalization()

    x = np.random.default_rng(2).normal(size=(2, 6, 5, channels)).astype("float32")
    expected = names["filled"](names["ResidualUnit"](4, strides), x)
    np.testing.assert_allclose(names["filled"](Reordered(4, strides), x), expected, atol=1e-5)
