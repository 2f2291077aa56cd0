"""Chapter 10: its numbers recomputed, its code and its exercises' solutions against Keras."""

import re
from functools import partial

import keras
import matplotlib.pyplot as plt
import numpy as np
import pytest
import stored
from cnncourse import anatomy, architectures, cost, layers, plotting
from hypothesis import given, settings
from hypothesis import strategies as st

CHAPTER = stored.read("chapters", "10_separable_convolutions")
SOLUTIONS = stored.read("solutions", "10_separable_convolutions")
PROSE = stored.prose(CHAPTER)
PRINTED = stored.printed(CHAPTER.cells)
defined = partial(stored.defined, np=np, keras=keras, SqueezeExcite=layers.SqueezeExcite)
_, separable_conv, sep_cost, SEBlock, se_residual_unit, count_layers = defined(
    SOLUTIONS,
    "conv_arguments",  # which the unit needs
    "separable_conv",
    "sep_cost",
    "SEBlock",
    "se_residual_unit",
    "count_layers",
)


def keras_separable(x, dw, pw, b, padding):
    layer = keras.layers.SeparableConv2D(pw.shape[1], dw.shape[:2], padding=padding)
    layer.build(x.shape)
    layer.set_weights([dw[..., None], pw[None, None], b])
    return keras.ops.convert_to_numpy(layer(x))


@settings(max_examples=15, deadline=None)
@given(
    st.integers(1, 4),
    st.integers(1, 4),
    st.integers(1, 5),
    st.integers(1, 5),
    st.sampled_from(["valid", "same"]),
    st.integers(0, 2**32 - 1),
)
def test_separable_convolutions_are_keras_own(k_h, k_w, c_in, c_out, padding, seed):
    rng = np.random.default_rng(seed)
    x, dw, pw, b = (
        rng.normal(size=shape).astype("float32")
        for shape in ((2, 6, 5, c_in), (k_h, k_w, c_in), (c_in, c_out), (c_out,))
    )
    expected = keras_separable(x, dw, pw, b, padding)
    np.testing.assert_allclose(separable_conv(x, dw, pw, b, padding), expected, atol=1e-4)
    if padding == "valid":
        depthwise, pointwise = defined(CHAPTER, "depthwise", "pointwise")
        np.testing.assert_allclose(pointwise(depthwise(x, dw), pw, b), expected, atol=1e-4)


def test_no_other_padding():
    with pytest.raises(ValueError, match="full"):
        separable_conv(np.zeros((1, 4, 4, 1)), np.zeros((3, 3, 1)), np.zeros((1, 1)), 0, "full")


@pytest.mark.parametrize(
    ("c_in", "c_out", "regular", "separable"),
    [(128, 256, 294_912, 33_920), (256, 256, 589_824, 67_840), (3, 64, 1_728, 219)],
)
def test_weights_of_both_kinds(c_in, c_out, regular, separable):
    got = sep_cost(3, c_in, c_out)
    assert got[:2] == (regular, separable)
    assert got[2] == pytest.approx(1 / c_out + 1 / 9)
    counted = []
    for kind in (keras.layers.Conv2D, keras.layers.SeparableConv2D):
        net = keras.Sequential([keras.Input((5, 5, c_in)), kind(c_out, 3, use_bias=False)])
        counted.append(net.count_params())
    assert counted == [regular, separable]
    line = rf"{c_in} → {c_out}: +{regular:,} against +{separable:,}, {separable / regular:.1%}"
    assert re.search(line, PRINTED)


def test_biases_and_products_as_printed():
    found = re.findall(r"128 → 256: +([\d,]+) with biases; .*: +([\d.]+) million", PRINTED)
    places = 14 * 14
    assert found == [
        (f"{294_912 + 256:,}", f"{places * 9 * 512 * 512 / 1e6:.1f}"),
        (f"{33_920 + 256:,}", f"{places * (9 * 512 + 512 * 512) / 1e6:.1f}"),
    ]


@pytest.fixture(scope="module")
def xception():
    return architectures.xception()


def test_xception_s_census(xception):
    kinds = {"SeparableConv2D": 34, "Conv2D": 6, "Add": 12, "MaxPooling2D": 4}
    kinds["BatchNormalization"] = 40
    counts = count_layers(xception)
    assert {kind: counts[kind] for kind in kinds} == kinds
    for kind, number in kinds.items():
        assert re.search(rf"^{kind} +{number}\b", PRINTED, re.M)
    convs = [layer for layer in xception.layers if type(layer) is keras.layers.Conv2D]
    one_by_one = [layer for layer in convs if layer.kernel_size == (1, 1)]
    assert len(one_by_one) == 4 and {layer.strides for layer in one_by_one} == {(2, 2)}
    blocks = {layer.name.split("_")[0] for layer in xception.layers if "block" in layer.name}
    assert "**36** convolutional layers in **14** modules" in PROSE
    assert (34 + len(convs) - len(one_by_one), len(blocks)) == (36, 14)
    assert "all 22,910,480, without the top 20,861,480" in PRINTED
    assert xception.count_params() == 22_910_480 == 20_861_480 + 2_049_000


def test_separable_layers_as_regular_ones(xception):
    """Recounted from kernel shapes alone."""
    kernels = [w.shape for w in xception.weights if "pointwise_kernel" in w.path]
    assert len(kernels) == 34
    regular = sum(9 * c_in * c_out for _, _, c_in, c_out in kernels)
    split = sum(9 * c_in + c_in * c_out for _, _, c_in, c_out in kernels)
    assert f"separable layers {split:,}" in PRINTED
    assert f"as regular ones {regular:,}" in PRINTED
    assert regular > 138_357_544  # VGG-16's
    by_place = [s for s in anatomy.steps(xception) if s.kind == "SeparableConv2D"]
    entry = [s for s in by_place if s.name.split("_")[0] in ("block2", "block3", "block4")]
    exit_ = [s for s in by_place if s.name.split("_")[0] in ("block13", "block14")]
    assert (len(entry), len(by_place) - len(entry) - len(exit_), len(exit_)) == (6, 24, 4)


def test_trained_networks_as_the_text_reads_them():
    lines = re.findall(r"^(\w.*?) +([\d,]+) parameters, test accuracy ([\d.]+)%", PRINTED, re.M)
    (_, n, regular), (_, n1, after), (_, n2, throughout) = lines
    n, n1, n2 = (int(number.replace(",", "")) for number in (n, n1, n2))
    assert n1 < n / 6 and n1 - n2 == 247
    regular, after, throughout = map(float, (regular, after, throughout))
    assert regular > 97 and 0 <= regular - after < 2.5
    assert throughout < after - 1.5


@pytest.mark.parametrize(
    ("maps", "parameters"), [(256, 8_464), (512, 33_312), (1024, 132_160), (2048, 526_464)]
)
def test_parameters_of_a_block(maps, parameters):
    for block in (SEBlock(), layers.SqueezeExcite()):
        block.build((None, None, None, maps))
        assert block.count_params() == parameters
    assert f"{maps:5} maps: {parameters:7,} with biases" in PRINTED


@settings(max_examples=15, deadline=None)
@given(st.integers(1, 4), st.integers(1, 20), st.integers(0, 2**32 - 1))
def test_block_is_the_package_s_and_only_shrinks(ratio, channels, seed):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(2, 3, 4, channels)).astype("float32")
    ours, packaged = SEBlock(ratio), layers.SqueezeExcite(ratio)
    ours.build(x.shape), packaged.build(x.shape)
    for mine, theirs in zip(ours.weights, packaged.weights, strict=True):
        theirs.assign(rng.normal(size=theirs.shape))
        mine.assign(keras.ops.reshape(theirs, mine.shape))
    answer = keras.ops.convert_to_numpy(ours(x))
    np.testing.assert_allclose(answer, packaged(x), atol=1e-5)
    w1, b1, w2, b2 = (keras.ops.convert_to_numpy(w) for w in ours.weights)
    naive = defined(CHAPTER, "squeeze_excite")(x, w1, b1, w2, b2)
    np.testing.assert_allclose(naive, answer, atol=1e-5)
    assert np.all(np.abs(answer) <= np.abs(x))


def test_block_survives_saving(tmp_path):
    net = keras.Sequential([keras.Input((None, None, 32)), SEBlock(4)])
    net.save(tmp_path / "block.keras")
    again = keras.saving.load_model(tmp_path / "block.keras", custom_objects={"SEBlock": SEBlock})
    x = np.random.default_rng(0).normal(size=(1, 5, 6, 32)).astype("float32")
    np.testing.assert_array_equal(again(x), net(x))


def test_unit_recalibrates_before_the_addition():
    unit = se_residual_unit(8, 2)
    x = np.abs(np.random.default_rng(1).normal(size=(1, 4, 4, 8))).astype("float32")
    gammas = [w for w in unit.weights if w.path.endswith("gamma")]
    gammas[1].assign(np.zeros(8))  # the main branch is silent: only the untouched skip is left
    np.testing.assert_array_equal(unit(x), x)
    kinds = [type(layer).__name__ for layer in unit.layers]
    assert kinds.index("SqueezeExcite") < kinds.index("Add")


def test_a_tenth_more():
    bias_free = sum(n * 2 * c * c // 16 for c, n in ((256, 3), (512, 4), (1024, 6), (2048, 3)))
    assert bias_free == 2_514_944
    assert "together 2.51 M without biases: 9.8% more" in PRINTED
    resnet50, se_resnet50 = (architectures.build(name) for name in ("resnet50", "se_resnet50"))
    blocks = [w for w in se_resnet50.weights if "/reduce/" in w.path or "/expand/" in w.path]
    assert len(blocks) == 16 * 4
    kernels = [w for w in blocks if w.path.endswith("kernel")]
    assert sum(int(np.prod(w.shape)) for w in kernels) == bias_free
    assert cost.macs(se_resnet50) < 1.001 * cost.macs(resnet50)
    with_biases = sum(int(np.prod(w.shape)) for w in blocks)
    more = se_resnet50.count_params() - resnet50.count_params()
    assert f"{with_biases / 1e6:.2f} million parameters with their biases" in PROSE
    assert f"differ by {more / 1e6:.2f} million" in PROSE and f"{with_biases - more:,}" in PROSE


@pytest.mark.parametrize(
    "claim",
    [
        "2.25 %",
        "350 million images with 17,000 classes",
        "22.9 million",
        "every gate is **below 1**",
    ],
)
def test_claims_are_there(claim):
    assert claim in PROSE


def test_the_drawing_links_windows_with_values():
    figure = plotting.convolution_steps()
    titles = [ax.get_title() for ax in figure.axes]
    assert titles == [
        "regular: 4 filters of 3×3×3",
        "1 · depthwise: 3 filters of 3×3",
        "2 · pointwise: 4 filters of 1×1×3",
    ]
    arrows, ends = [], []
    for ax in figure.axes:
        links = [a for a in ax.texts if hasattr(a, "arrow_patch") and a.arrow_patch is not None]
        arrows.append(len(links))
        ends.append(len({a.xy for a in links}))
    assert arrows == [3, 3, 3] and ends == [1, 3, 1]
    plt.close(figure)
