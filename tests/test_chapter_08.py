"""Chapter 08: its numbers recomputed, its module against the package's, its figures re-read.

The exercises' reference solutions are compared with Keras and the network here as well.
"""

import functools
import re

import keras
import numpy as np
import pytest
import stored
from cnncourse import anatomy, architectures, cost, datasets, layers
from cnncourse.architectures.googlenet import LOSS_WEIGHTS, MODULES
from cnncourse.paths import course_root
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

ROOT = course_root()
CHAPTER = stored.read("chapters", "08_inception")
SOLUTIONS = stored.read("solutions", "08_inception")
PROSE = stored.prose(CHAPTER)
PRINTED = stored.printed(CHAPTER.cells)

# The curriculum's table, from the paper's table 1: side, maps out, parameters, million products.
TABLE = {
    "3a": (28, 256, 163_696, 128.0),
    "3b": (28, 480, 388_736, 304.3),
    "4a": (14, 512, 376_176, 73.6),
    "4b": (14, 512, 449_160, 87.9),
    "4c": (14, 512, 510_104, 99.9),
    "4d": (14, 528, 605_376, 118.5),
    "4e": (14, 832, 868_352, 170.0),
    "5a": (7, 832, 1_043_456, 51.1),
    "5b": (7, 1024, 1_444_080, 70.7),
}


@pytest.fixture(scope="module")
def googlenet():
    return architectures.googlenet()


@pytest.fixture(scope="module")
def steps(googlenet):
    return anatomy.steps(googlenet)


defined = functools.partial(stored.defined, np=np, keras=keras, functools=functools)


@pytest.mark.parametrize("name", TABLE)
def test_the_nine_rows(steps, name):
    side, maps, parameters, macs = TABLE[name]
    line = re.search(
        rf"^{name}: ([\d ]+?)  +(\d+)×\s*(\d+)×\s*(\d+) +([\d,]+) +([\d.]+) M$", PRINTED, re.M
    )
    assert tuple(int(n) for n in line[1].split()) == MODULES[name]
    assert (int(line[2]), int(line[3]), int(line[4])) == (side, side, maps)
    assert int(line[5].replace(",", "")) == parameters
    assert float(line[6]) == macs
    module = [step for step in steps if step.name.startswith(f"inception_{name}/")]
    assert module[-1].shape == (side, side, maps)
    assert sum(step.parameters for step in module) == parameters
    assert sum(step.macs for step in module) / 1e6 == pytest.approx(macs, abs=0.051)


def test_the_whole_network(googlenet, steps):
    assert googlenet.count_params() == 6_998_552
    assert "6,998,552 parameters" in PROSE and "6,998,552 parameters" in PRINTED
    kinds = [step.kind for step in steps]
    assert (kinds.count("Conv2D"), kinds.count("Dense")) == (57, 1)
    counted = {step.name: step.parameters for step in steps if step.parameters}
    assert counted["conv1"] == 9_472
    assert (counted["conv2_reduce"], counted["conv2"]) == (4_160, 110_784)
    assert counted["predictions"] == 1_025_000
    assert sum(step.macs for step in steps) / 1e9 == pytest.approx(1.58, abs=0.005)


def longest_way(steps):
    """Return how many layers with weights lie on the longest way through."""
    depth = []
    for step in steps:
        before = max((depth[i] for i in step.reads if i >= 0), default=0)
        depth.append(before + (step.parameters > 0))
    return depth[-1]


def test_depth(steps):
    assert longest_way(steps) == 22
    assert "22 = stem 3 + nine modules of 2 + dense 1" in PRINTED
    sides = [step for step in steps if getattr(step.layer, "strides", (1,))[0] == 2]
    assert [step.kind for step in sides] == ["Conv2D"] + ["MaxPooling2D"] * 4
    # 27 with poolings: the four with stride 2 and the average; those in modules are shorter ways
    assert "22 layers deep (27 with poolings)" in PROSE and 22 + 4 + 1 == 27


def test_alexnet_and_the_ratio():
    ratio = 62_378_344 / 6_998_552
    assert "62,378,344 parameters" in PRINTED and f"ratio {ratio:.1f}" in PRINTED
    assert f"{ratio:.1f} times fewer" in PROSE
    dense = 9216 * 4096 + 4096 + 4096 * 4096 + 4096 + 4096 * 1000 + 1000
    assert round(100 * dense / 62_378_344) == 94
    vgg_dense = 25_088 * 4096 + 4096 + 4096 * 4096 + 4096 + 4096 * 1000 + 1000
    assert round(100 * vgg_dense / 138_357_544) == 89
    assert "94 in a hundred" in PROSE and "VGG-16's 89" in PROSE


def test_without_reducers():
    channels, side, parameters, macs = 192, 28, 0, 0
    for maps in MODULES.values():
        if maps is None:
            side //= 2
            continue
        one, _, three, _, five, _ = maps
        convs = [(1, one), (3, three), (5, five)]
        weights = sum(k * k * channels * n for k, n in convs)
        parameters += weights + sum(n for _, n in convs)
        macs += weights * side**2
        channels += one + three + five
    told = f"without: {parameters / 1e6:5.1f} M parameters, {macs / 1e9:5.2f} G products"
    assert f"{told}, {channels:,} maps at the end" in PRINTED
    assert f"5.8 million instead of {parameters / 1e6:.1f} million" in PROSE
    lean = sum(row[2] for row in TABLE.values())
    assert round(lean / 1e6, 1) == 5.8
    convs = [keras.layers.Conv2D(n, k) for n, k in ((64, 1), (128, 3), (32, 5))]
    for conv in convs:
        conv.build((None, 28, 28, 192))
    assert sum(conv.count_params() for conv in convs) == 387_296
    assert "387,296 parameters instead of 163,696" in PROSE


def test_the_five_by_five_branch():
    conv = keras.layers.Conv2D(32, 5, padding="same")
    direct = keras.Sequential([keras.Input((28, 28, 192)), conv])
    reduced = [keras.layers.Conv2D(16, 1), keras.layers.Conv2D(32, 5, padding="same")]
    both = [
        cost.macs(net) / 1e6
        for net in (direct, keras.Sequential([keras.Input((28, 28, 192)), *reduced]))
    ]
    assert [f"{macs:.1f}" for macs in both] == ["120.4", "12.4"]
    assert "direct 120.4 M, through 16 maps 12.4 M" in PRINTED


def test_heads():
    for name, channels, parameters in (("4a", 512, 3_188_840), ("4d", 528, 3_190_888)):
        head = layers.AuxiliaryHead(1000)
        head.build((None, 14, 14, channels))
        assert head.count_params() == parameters
        assert f"head after {name}: {parameters:,} parameters" in PRINTED
    assert LOSS_WEIGHTS == [1.0, 0.3, 0.3]
    assert r"L_\text{main} + 0.3\,(L_{4a} + L_{4d})" in PROSE


def test_the_helper_makes_no_difference_that_could_be_seen():
    found = re.findall(r"a helper: test accuracy ([\d.]+)% \(([\d.]+)% to ([\d.]+)%\)", PRINTED)
    (a, low_a, high_a), (b, low_b, high_b) = [[float(n) for n in run] for run in found]
    assert abs(a - b) < max(high_a - low_a, high_b - low_b), "the text says so"
    assert min(a, b) > 85


def test_colours_kept():
    photo = datasets.sample_photos()[0][::3, ::3].astype("float64") / 255
    variances = np.linalg.eigvalsh(np.cov(photo.reshape(-1, 3).T))[::-1]
    shares = np.cumsum(variances) / variances.sum()
    told = re.search(r"variance kept: ([\d.]+)% by 1, ([\d.]+)% by 2, 100.0% by 3", PRINTED)
    assert [float(share) for share in told.groups()] == pytest.approx(100 * shares[:2], abs=0.06)


def test_factors():
    assert cost.receptive_field([(3, 1), (3, 1)])[0] == cost.receptive_field([(5, 1)])[0] == 5
    for line in (
        "5×5: 25 weights, two 3×3: 18, 28% saved",
        "7×7: 49 weights, 7×1 and 1×7: 14, 71%",
    ):
        assert line in PRINTED


def test_chapter_module_is_the_packages():
    six, shape = (3, 4, 5, 2, 6, 7), (9, 11, 8)
    inputs = keras.Input(shape)
    net = keras.Model(inputs, defined(CHAPTER, "module")(inputs, *six))
    packaged = layers.InceptionModule(six)
    x = np.random.default_rng(1).normal(size=(2, *shape)).astype("float32")
    packaged(x)
    for part in packaged.parts:
        if part.weights:
            net.get_layer(part.name).set_weights(part.get_weights())
    np.testing.assert_allclose(net(x), packaged(x), atol=1e-5)


@pytest.mark.parametrize(
    "claim",
    [
        "6.67 %",
        "15.3 %",
        "(3.08 %)",
        "*v4 has no skips*",
        "estimated that a few strong graphics cards",
    ],
)
def test_reported_figures_are_there(claim):
    assert claim in PROSE


sizes = st.integers(1, 9)


@settings(max_examples=8, deadline=None)
@given(st.tuples(*[sizes] * 6), sizes)
def test_exercise_module_and_its_parameters(six, channels):
    inception, params = defined(SOLUTIONS, "inception", "inception_params")
    inputs = keras.Input((5, 7, channels))
    net = keras.Model(inputs, inception(inputs, *six))
    packaged = layers.InceptionModule(six)
    packaged.build((None, 5, 7, channels))
    assert net.output_shape == packaged.compute_output_shape((None, 5, 7, channels))
    assert net.count_params() == packaged.count_params() == params(channels, six)


def test_exercise_module_computes_what_the_packages_does():
    six, x = (
        (3, 5, 4, 2, 6, 8),
        np.random.default_rng(2).normal(size=(2, 6, 5, 7)).astype("float32"),
    )
    packaged = layers.InceptionModule(six)
    packaged(x)
    inputs = keras.Input(x.shape[1:])
    net = keras.Model(inputs, defined(SOLUTIONS, "inception")(inputs, *six))
    by_shape = {part.kernel.shape: part for part in packaged.parts if part.weights}
    for layer in net.layers:
        if layer.weights:
            layer.set_weights(by_shape.pop(layer.kernel.shape).get_weights())
    assert not by_shape
    np.testing.assert_allclose(net(x), packaged(x), atol=1e-5)


@settings(max_examples=10, deadline=None)
@given(arrays.arrays("float32", (1, 2, 3, 4), elements=st.floats(-3, 3, width=32)), sizes)
def test_exercise_pointwise_is_a_convolution(x, maps):
    conv = keras.layers.Conv2D(maps, 1, bias_initializer="normal")
    expected = keras.ops.convert_to_numpy(conv(x))
    found = defined(SOLUTIONS, "pointwise")(x, *conv.get_weights())
    np.testing.assert_allclose(found, expected, atol=1e-4)


def test_exercise_loss_is_what_keras_minimises():
    total_loss = defined(SOLUTIONS, "total_loss")
    assert total_loss(1.0, [2.0, 3.0]) == pytest.approx(2.5)
    assert total_loss(1.0, [2.0, 3.0], training=False) == 1.0
    inputs = keras.Input((2,))
    net = keras.Model(inputs, [keras.layers.Dense(1)(inputs) for _ in range(3)])
    net.compile("sgd", ["mse"] * 3, loss_weights=LOSS_WEIGHTS, jit_compile=False)
    x, y = np.ones((4, 2)), np.arange(4.0)[:, None]
    parts = [float(np.mean((out - y) ** 2)) for out in net.predict(x, verbose=0)]
    whole = net.evaluate(x, [y] * 3, verbose=0)[0]
    assert total_loss(parts[0], parts[1:]) == pytest.approx(whole, rel=1e-4)


@pytest.mark.parametrize("size", [224, 97])
def test_exercise_sizes_are_the_networks(steps, size):
    if size != 224:
        steps = anatomy.steps(
            architectures.googlenet((None, None, 3), include_top=False), (size, size, 3)
        )
    side, found = size, []
    for step in steps:
        if len(step.shape) == 3 and step.shape[0] < side:
            side = step.shape[0]
            found.append(("conv" if step.kind == "Conv2D" else "pool", side))
    assert defined(SOLUTIONS, "googlenet_sizes")(size) == found
    assert len(found) == 5
