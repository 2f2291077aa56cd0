"""Chapter 09: its numbers recomputed, its unit against the package's, its experiment re-read."""

import html
import json
import re

import keras
import numpy as np
import pytest
import stored
from cnncourse import anatomy, architectures, cost
from cnncourse.layers import ResidualUnit
from sklearn.datasets import load_digits

CHAPTER = stored.read("chapters", "09_residual_networks")
SOLUTION = stored.read("solutions", "09_residual_networks")
PROSE = stored.prose(CHAPTER)
PRINTED = stored.printed(CHAPTER.cells)
DEPTHS = (18, 34, 50, 101, 152)


RUN = re.compile(
    r"(\d+) layers: training loss ([\d.]+) \(([\d.]+) to ([\d.]+)\), "
    r"test accuracy ([\d.]+)% \(([\d.]+)% to ([\d.]+)%\)"
)


def runs():
    """Return {layers: (loss, lowest, highest, accuracy, lowest, highest)}, plain and residual."""
    found = [(int(n), tuple(map(float, numbers))) for n, *numbers in RUN.findall(PRINTED)]
    assert [layers for layers, _ in found] == [4, 10, 22] * 2
    return dict(found[:3]), dict(found[3:])


def test_depth_hurts_the_plain_networks_and_helps_the_residual_ones():
    plain, residual = runs()
    assert plain[22][0] > 1.5 * plain[10][0], "deepest plain network is worse in training"
    assert residual[4][0] > 2 * residual[10][0] > 4 * residual[22][0]
    assert residual[22][3] > plain[22][3] + 10


def test_the_spread_is_told_and_the_bands_are_apart_at_the_largest_depth():
    plain, residual = runs()
    for numbers in (*plain.values(), *residual.values()):
        for mean, low, high in (numbers[:3], numbers[3:]):
            assert low <= mean <= high and low < high
    assert residual[22][2] < plain[22][1], "the worst residual run against the best plain one"
    assert residual[22][4] > plain[22][5], "and their accuracies"
    low, high = re.search(
        r"luckiest start ends with a loss of ([\d.]+),.* 10 layers with ([\d.]+)\.", PROSE
    ).groups()
    assert plain[10][2] < plain[22][1]
    assert (float(low), float(high)) == (round(plain[22][1], 2), round(plain[10][2], 2))
    worst, best = re.search(
        r"worst residual run ends with a loss of ([\d.]+), the best plain one with ([\d.]+)\.",
        PROSE,
    ).groups()
    assert (float(worst), float(best)) == (round(residual[22][2], 2), round(plain[22][1], 2))


def test_the_text_names_profile_and_number_of_starts():
    names = {"quick": True}
    exec(next(c.source for c in CHAPTER.cells if "SEEDS = " in c.source).partition("\n")[2], names)
    assert len(names["SEEDS"]) == 3 and names["EPOCHS"] == 4
    assert "profile quick" in PRINTED
    assert "the quick profile's, three random starts of four epochs" in PROSE


def chapter_names(*beginnings):
    """Run the cells that begin so, in the chapter's order; return the names that they define."""
    names = {"np": np, "keras": keras}
    for cell in CHAPTER.cells:
        if cell.cell_type == "code" and cell.source.startswith(beginnings):
            exec(cell.source, names)
    return names


@pytest.fixture(scope="module")
def naps():
    cells = ("def normalised_conv", "def digit_net", "def sleepy_net", "def arriving")
    names = chapter_names(*cells)
    names["digits"] = (load_digits().images[:64, ..., np.newaxis] / 16).astype("float32")
    names["train"] = np.arange(64)
    return names


@pytest.mark.parametrize("asleep", [(1,), (4, 7), (8,)])
def test_a_sleeping_block_stops_the_plain_stack_only(naps, asleep):
    plain, residual = (naps["arriving"](skip, asleep) for skip in (False, True))
    first = min(asleep)
    assert np.all(plain[:first] > 0.3)
    assert not plain[first:].any()
    assert np.all(residual > 0.9)
    for number in asleep:
        assert residual[number] == residual[number - 1], "what came in goes out"


def test_the_flipbook_shows_the_stacks_that_were_run(naps):
    shown = [page for page in stored.html(CHAPTER.cells) if "Blocks asleep" in page]
    captions = json.loads(html.unescape(re.search(r'data-state="(.*?)"', shown[0])[1]))["captions"]
    told = [
        re.fullmatch(
            r"Blocks asleep: (.*?)\. .* ([\d.]+) of .* stack, ([\d.]+) in the .*", c
        ).groups()
        for c in captions
    ]
    assert [who for who, *_ in told] == ["none", "5", "3, 6", "2, 4, 6, 8", "all"]
    assert [float(plain) > 0 for _, plain, _ in told] == [True] + 4 * [False]
    assert all(float(residual) >= 1 for *_, residual in told)
    assert "plain:    0 of 8 blocks receive a gradient\nresidual: 8 of 8" in PRINTED


def test_layers_and_skips_of_the_stack_and_what_googlenet_has_more():
    assert "layers in the stack 22 · after the average (None, 512)" in PRINTED
    assert "The stack has 22 layers" in PROSE and "In older code there are 23" in PROSE
    net = architectures.googlenet()
    kinds = [type(layer).__name__ for layer in net.layers]
    stem = net.layers[1 : kinds.index("InceptionModule")]
    sizes = [x.kernel_size for x in stem if isinstance(x, keras.layers.Conv2D)]
    assert sizes == [(7, 7), (1, 1), (3, 3)], "a second pair, 1×1 and 3×3"
    assert kinds.count("LocalResponseNormalization") == 2
    assert kinds[-3:-1] == ["GlobalAveragePooling2D", "Dropout"]
    resnet = architectures.resnet34().layers
    units = [layer for layer in resnet if isinstance(layer, ResidualUnit)]
    assert (sum(bool(unit.skip) for unit in units), len(units)) == (3, 16)
    assert "Three dashed arrows in sixteen." in PROSE
    ours = [type(layer).__name__ for layer in resnet]
    assert ours[1:5] == ["Conv2D", "BatchNormalization", "Activation", "MaxPooling2D"]
    assert ours[-2:] == ["GlobalAveragePooling2D", "Dense"]


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


def exercise_names():
    """Return what exercise 09-1's helpers and its worked answer define."""
    names = {"np": np, "keras": keras}
    for cell in SOLUTION.cells:
        grade_id = cell.metadata.get("nbgrader", {}).get("grade_id")
        if grade_id in ("given_filled", "given_saving", "ResidualUnit"):
            exec(cell.source, names)
    return names


def test_the_exercise_s_unit_can_be_loaded_inside_another_layer(tmp_path):
    unit = exercise_names()["ResidualUnit"]
    steps = keras.Sequential([keras.Input((2, 6, 5, 3)), keras.layers.TimeDistributed(unit(4, 2))])
    x = np.random.default_rng(3).normal(size=(1, 2, 6, 5, 3)).astype("float32")
    steps.save(tmp_path / "steps.keras")
    loaded = keras.saving.load_model(tmp_path / "steps.keras", {"ResidualUnit": unit})
    np.testing.assert_allclose(loaded(x), steps(x), atol=1e-6)


@pytest.mark.parametrize(
    "order",
    [("conv1", "conv2", "bn1", "bn2"), ("conv1", "bn1", "conv2", "bn2")],
    ids=["as the reference", "as the statement lists them"],
)
@pytest.mark.parametrize(("strides", "channels"), [(1, 4), (2, 3)])
def test_the_exercise_compares_units_whatever_order_their_layers_have(order, strides, channels):
    names = exercise_names()

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
    np.testing.assert_allclose(names["after_saving"](Reordered(4, strides), x), expected, atol=1e-5)
