"""Chapter 11: its table against the networks, its numbers recomputed, its code checked."""

import re
from functools import partial

import keras
import numpy as np
import pytest
import stored
from cnncourse import architectures, cost, layers
from cnncourse.architectures.common import rounded
from cnncourse.architectures.efficientnet import SCALES, scaled_stages
from cnncourse.model_table import MODELS, pareto_front
from hypothesis import given, settings
from hypothesis import strategies as st

CHAPTER = stored.read("chapters", "11_efficient_architectures")
SOLUTIONS = stored.read("solutions", "11_efficient_architectures")
PROSE = stored.prose(CHAPTER)
PRINTED = stored.printed(CHAPTER.cells)
TABLE = {row["name"]: row for row in MODELS}
defined = partial(stored.defined, np=np, keras=keras, scaled_stages=scaled_stages)


@pytest.fixture(scope="module")
def b0():
    return architectures.efficientnet_b0()


def efficientnet_parameters(width, depth):
    """Count an EfficientNet's parameters from the paper's table, layer by layer."""
    c = rounded(32 * width)
    total = 3 * 3 * 3 * c + 4 * c + 7  # stem, and mean, variance and counter of the pixels
    for kernel, expansion, filters, repeats, _ in scaled_stages(width, depth):
        for _ in range(repeats):
            inner, squeezed = c * expansion, max(1, c // 4)
            total += (c * inner + 4 * inner) * (expansion > 1)
            total += kernel**2 * inner + 4 * inner
            total += 2 * inner * squeezed + squeezed + inner
            total += inner * filters + 4 * filters
            c = filters
    top = rounded(1280 * width)
    return total + c * top + 4 * top + top * 1000 + 1000


def test_the_count_by_the_table_is_that_of_the_network(b0):
    assert efficientnet_parameters(1.0, 1.0) == b0.count_params() == 5_330_571


@pytest.mark.parametrize("number", range(8))
def test_parameters_of_the_efficientnets(number):
    width, depth, side, _ = SCALES[f"efficientnet_b{number}"]
    row = TABLE[f"EfficientNetB{number}"]
    assert row["parameters_m"] == round(efficientnet_parameters(width, depth) / 1e6, 1)
    assert row["side"] == side


@pytest.mark.parametrize("name", ["MobileNet", "MobileNetV2", "InceptionV3", "ResNet50V2"])
def test_parameters_of_the_other_networks(name):
    ours = {
        "MobileNetV2": "mobilenet_v2",
        "InceptionV3": "inception_v3",
        "ResNet50V2": "resnet50_v2",
    }
    net = architectures.build(ours.get(name, name.lower()))
    assert TABLE[name]["parameters_m"] == round(cost.parameters(net) / 1e6, 1)
    assert TABLE[name]["side"] == net.input_shape[1]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["NASNetMobile", "ResNet101V2", "InceptionResNetV2"])
def test_parameters_of_the_networks_that_only_keras_has(name):
    net = getattr(keras.applications, name)(weights=None)
    assert TABLE[name]["parameters_m"] == round(net.count_params() / 1e6, 1)
    assert TABLE[name]["side"] == net.input_shape[1]


def test_files_hold_the_weights_in_mebibytes():
    for row in MODELS:
        mib = row["parameters_m"] * 4e6 / 2**20
        assert mib - 1 < row["size_mib"] < 1.5 * mib, row["name"]  # and some overhead
    assert round(25.6e6 * 4 / 2**20) == TABLE["ResNet50V2"]["size_mib"] == 98


def test_stars_mark_the_best_of_each_column():
    lines = PRINTED.split("10⁶ par.")[1].splitlines()[1 : 1 + len(MODELS)]
    for line, row in zip(lines, MODELS, strict=True):
        name, *values, side = line.split()
        assert (name, int(side), len(values)) == (row["name"], row["side"], 6)
        columns = ("size_mib", "top1", "top5", "parameters_m", "cpu_ms", "gpu_ms")
        for key, value in zip(columns, values, strict=True):
            assert float(value.rstrip("*")) == row[key]
            better = [r[key] > row[key] if "top" in key else r[key] < row[key] for r in MODELS]
            assert value.endswith("*") != any(better), (name, key)
        assert line.count("*") <= 2


def test_what_the_prose_says_about_the_table():
    b2, v3 = TABLE["EfficientNetB2"], TABLE["InceptionV3"]
    assert b2["top1"] > v3["top1"] and b2["size_mib"] < v3["size_mib"] / 2
    assert round(b2["cpu_ms"] / v3["cpu_ms"], 2) == 1.91
    fast = sorted(MODELS, key=lambda row: row["gpu_ms"])[:5]
    assert "ResNet50V2" in {row["name"] for row in fast}
    mobile, v2 = TABLE["MobileNet"], TABLE["MobileNetV2"]
    assert v2["cpu_ms"] > mobile["cpu_ms"] and v2["gpu_ms"] > mobile["gpu_ms"]
    assert "less than a third of ResNet-50's 25.6 million" in PROSE and 8.06 < 25.6 / 3
    products = [cost.macs(architectures.build(name)) for name in ("mobilenet_v2", "mobilenet")]
    assert [round(count / 1e6) for count in products] == [301, 569]
    assert "301 million products where MobileNet needs 569 million" in PROSE


def test_the_printed_products_are_those_of_the_networks(b0):
    count = defined(CHAPTER, "rounded", "mbconv_macs", "efficientnet_macs")[-1]
    assert count(1.0, 1.0, 224) == cost.macs(b0)
    printed = [float(line.split()[5]) for line in PRINTED.splitlines() if re.match(r"B\d ", line)]
    assert len(printed) == 8
    paper = [0.39, 0.70, 1.0, 1.8, 4.2, 9.9, 19, 37]  # Tan & Le (2019), table 2, milliards
    np.testing.assert_allclose(printed, paper, rtol=0.06)
    assert "it says 89 times, counted are 98" in PROSE
    assert round(count(2.0, 3.1, 600) / count(1.0, 1.0, 224)) == 98
    assert round(3.1 * 2.0**2 * (600 / 224) ** 2) == 89
    units = [sum(row[3] for row in scaled_stages(1.0, depth)) for depth in (1.1, 1.0)]
    assert units == [23, 16] and "23 units out of 16" in PROSE


@pytest.mark.parametrize("width", [1.0, 1.1, 1.2, 1.4, 1.6, 1.8, 2.0])
def test_the_chapter_rounds_as_the_package_does(width):
    own = defined(CHAPTER, "rounded")
    for maps in (16, 24, 32, 40, 80, 112, 192, 320, 1280):
        assert own(width * maps) == rounded(width * maps)


def test_compound_scaling_is_a_product():
    compound = defined(CHAPTER, "compound")
    assert compound(1)[3] == pytest.approx(1.2 * 1.21 * 1.3225)
    assert compound(1)[3] == pytest.approx(1.92, abs=0.001)
    told = "gamma 1.15: product 1.920, sum 3.73\ngamma 1.1: product 1.757, sum 3.62"
    assert told in PRINTED


@settings(max_examples=15, deadline=None)
@given(st.sampled_from([1, 2, 3, 6]), st.integers(1, 3), st.integers(1, 3), st.sampled_from([1, 3]))
def test_grouped_convolution_is_that_of_numpy(groups, per_in, per_out, k):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(2, 5, 4, groups * per_in)).astype("float32")
    w = rng.normal(size=(k, k, per_in, groups * per_out)).astype("float32")
    padded = np.pad(x, ((0, 0), (k // 2, k // 2), (k // 2, k // 2), (0, 0)))
    expected = np.zeros((2, 5, 4, groups * per_out))
    for o in range(groups * per_out):
        first = o // per_out * per_in
        for u in range(k):
            for v in range(k):
                part = padded[:, u : u + 5, v : v + 4, first : first + per_in]
                expected[..., o] += part @ w[u, v, :, o]
    got = defined(CHAPTER, "grouped_conv")(x, w, groups)
    np.testing.assert_allclose(got, expected, atol=1e-4)


def test_grouped_weights():
    count = defined(SOLUTIONS, "grouped_params")
    for groups in (1, 2, 4, 32):
        layer = keras.layers.Conv2D(128, 3, groups=groups, use_bias=False)
        layer.build((None, 8, 8, 64))
        assert count(3, 64, 128, groups) == layer.count_params()
    unit = layers.ResNeXtUnit(128, cardinality=32)
    unit.build((None, 8, 8, 256))
    kernels = sum(int(np.prod(w.shape)) for w in unit.weights if w.path.endswith("kernel"))
    assert kernels == 70_144 and "32 paths of 4: 70,144   one path of 64: 69,632" in PRINTED


@pytest.mark.parametrize(("depth", "growth"), [(1, 4), (4, 32), (6, 3)])
def test_links_and_maps_of_a_dense_block(depth, growth):
    block, links = defined(SOLUTIONS, "dense_block", "link_count")
    inputs = keras.Input((8, 8, 64))
    net = keras.Model(inputs, block(inputs, depth, growth))
    seen = [w.shape[2] for w in net.weights]
    assert seen == [64 + growth * i for i in range(depth)]
    assert net.output_shape[-1] == 64 + growth * depth
    # A layer's sources: the input, and as many earlier layers as fit into what it sees.
    assert links(depth) == sum(1 + (maps - 64) // growth for maps in seen)


def test_exercises_agree_with_the_package():
    choose, pareto = defined(SOLUTIONS, "choose_model", "pareto")
    assert choose(MODELS, 1000, 50, 1000) == "InceptionV3"
    assert choose(MODELS, 13, 50, 1000) is None
    for x in ("size_mib", "parameters_m", "cpu_ms", "gpu_ms", "side"):
        for y in ("top1", "top5"):
            assert pareto(MODELS, x, y) == [row["name"] for row in pareto_front(MODELS, x, y)]


@pytest.mark.parametrize(
    "claim",
    ["8.4 times fewer weights, 6.1 times faster", "May 2019", "product, and $\\gamma = 1.15$"],
)
def test_reported_figures_are_there(claim):
    assert claim in PROSE
