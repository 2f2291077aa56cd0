"""Chapter 07: its numbers recomputed, its code and its exercises against Keras and SciPy."""

import re

import keras
import numpy as np
import pytest
import stored
import tensorflow as tf
from cnncourse import architectures, cost
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import cdist

CHAPTER = stored.read("chapters", "07_early_architectures")
SOLUTION = stored.read("solutions", "07_early_architectures")
PROSE = stored.prose(CHAPTER)
PRINTED = stored.printed(CHAPTER.cells)


def whole(text):
    return int(text.replace(",", ""))


@pytest.fixture(scope="module")
def answers():
    """The reference functions of the exercises, and what the sheet gives."""
    names = {"np": np, "keras": keras}
    for cell in SOLUTION.cells:
        of = cell.metadata.get("nbgrader", {})
        if cell.cell_type == "code" and of and not of["grade"]:
            exec(cell.source, names)
    return names


@pytest.fixture(scope="module")
def shown():
    """The functions that the chapter defines and that need nothing but NumPy, Keras and cost."""
    names = {"np": np, "keras": keras, "cost": cost}
    for cell in CHAPTER.cells:
        if re.match(r"def (build_today|lrn_at_one_position|vgg_convolutions)", cell.source):
            exec(cell.source.partition("\n\n\nlenet_today")[0], names)
    return names


# ------------------------------------------------------------------------------------------ LeNet-5


def test_today_s_form_is_the_package_s(shown, answers):
    x = np.random.default_rng(1).normal(size=(3, 32, 32, 1)).astype("float32")
    packaged = architectures.lenet5()
    for build in (shown["build_today"], answers["build_lenet5"]):
        model = build()
        model.set_weights(packaged.get_weights())
        np.testing.assert_allclose(model(x), packaged(x), atol=1e-6)
        assert model.count_params() == 61_706


def test_both_forms_learnt_the_digits():
    for name in ("today:", "1998: "):
        scores = re.findall(r"([\d.]+)%", re.search(rf"^{name}.*$", PRINTED, re.M)[0])
        assert len(scores) == 2 and min(map(float, scores)) > 88


def test_the_original_s_table():
    parameters = {n: whole(p) for n, p in re.findall(r"^(\w+) +([\d,]+)$", PRINTED, re.M)}
    sparse = 6 * (3 * 25 + 1) + 9 * (4 * 25 + 1) + (6 * 25 + 1)
    expected = {"C1": 156, "S2_scale": 12, "C3": sparse, "S4_scale": 32, "C5": 48_120, "F6": 10_164}
    assert parameters.items() >= expected.items()
    assert sum(expected.values()) == 60_000
    assert "trainable 60,000, fixed 840" in PRINTED


def test_the_gradients_of_both_losses():
    score = tf.Variable(0.0, dtype=tf.float64)
    rows = re.findall(r"p = ([\d.]+) +cross-entropy +(-[\d.]+) +squared error +(-[\d.]+)", PRINTED)
    assert len(rows) == 4
    for p, *stated in rows:
        score.assign(np.log(float(p) / (1 - float(p))))
        with tf.GradientTape(persistent=True) as tape:
            cross_entropy = -tf.math.log_sigmoid(score)
            squared = (1 - tf.sigmoid(score)) ** 2
        for loss, value in zip((cross_entropy, squared), stated, strict=True):
            assert float(tape.gradient(loss, score)) == pytest.approx(float(value), abs=6e-4)


# -------------------------------------------------------------------------- AlexNet, ZF Net, VGG


def test_alexnet_s_table(answers):
    rows = re.findall(r"^(\w+) *: +([\d×]+) +(?:×(\d+) +)?([\d,]+)$", PRINTED, re.M)
    rows = [row for row in rows if row[0] != "Keras"][-11:]
    counted = answers["tower"](answers["ALEXNET"], (227, 227, 3))
    for (name, size, maps, parameters), (shape, count) in zip(rows, counted, strict=True):
        stated = [int(n) for n in (*size.split("×"), maps) if n]
        assert (name, tuple(stated), whole(parameters)) == (name, shape, count)
    assert sum(count for _, count in counted) == 62_378_344


def test_what_the_groups_save():
    with_biases = {"C3": (614_656, 256), "C6": (1_327_488, 384), "C7": (884_992, 256)}
    saved = sum((count - biases) // 2 for count, biases in with_biases.values())
    assert f"62,378,344 − {saved:,} = 60,965,224" in PRINTED
    assert 62_378_344 - saved == 60_965_224


def test_a_grouped_convolution_is_two_half_ones():
    layer = keras.layers.Conv2D(6, 3, groups=2)
    x = np.random.default_rng(2).normal(size=(2, 7, 8, 4)).astype("float32")
    both = layer(x)
    kernels, biases = layer.get_weights()
    halves = [
        keras.ops.conv(x[..., 2 * g : 2 * g + 2], kernels[..., 3 * g : 3 * g + 3]) for g in (0, 1)
    ]
    np.testing.assert_allclose(both, np.concatenate(halves, axis=-1) + biases, atol=1e-5)


def test_shares_of_the_weights():
    told = re.search(r"shares = \{.LeNet-5.: \(([\d_]+), ([\d_]+)\), .AlexNet.: \((\S+), (\S+)\)\}",
                     "\n".join(cell.source for cell in CHAPTER.cells))  # fmt: skip
    lenet, alexnet = (156 + 2_416 + 48_120, 10_164 + 850), (3_747_200, 58_631_144)
    assert tuple(int(n) for n in told.groups()) == lenet + alexnet
    assert (sum(lenet), sum(alexnet)) == (61_706, 62_378_344)
    assert "the convolutions hold 4 %" in PROSE and round(100 * (156 + 2416) / 61_706) == 4
    assert "dense layers: 94% of the weights" in PRINTED


def test_vgg(shown, answers):
    for name, depths, total in (
        ("VGG-16: 13 conv + 3 dense = 16", (2, 2, 3, 3, 3), 138_357_544),
        ("VGG-19: 16 conv + 3 dense = 19", (2, 2, 4, 4, 4), 143_667_240),
    ):
        assert f"{name}, {total:,} parameters" in PRINTED
        rows = answers["tower"](answers["vgg"](*depths), (224, 224, 3))
        assert sum(count for _, count in rows) == total
        base = shown["vgg_convolutions"](depths)
        assert base.count_params() == sum(count for _, count in rows[:-3])
        assert base.output_shape[1:] == rows[-4][0] == (7, 7, 512)
    assert "102,764,544, 74% of all" in PRINTED
    assert "a neuron after the last pooling sees 212 pixels" in PRINTED


def test_zf_net_s_sizes():
    assert "224 → 110 → 55 → 26 → 13 → 13 → 13 → 13 → 6" in PRINTED
    assert "four times as many places" in PROSE and 110**2 == 4 * 55**2


@pytest.mark.parametrize(
    "claim",
    [
        "top-5 error of 15.3 % against the runner-up's 26.2 %",
        "17 %. That is the figure for the 2010 test set",
        "University of Toronto",
        "winning entry was Clarifai's",
        "13 convolutional layers, not 16",
        "The shape is that of a sigmoid; the function is tanh",
        "mini-batches of 128 (not on the whole batch",
        "2{,}178",
    ],
)
def test_what_is_often_told_wrongly_is_told_rightly(claim):
    assert claim in PROSE
    assert 33 * 33 * 2 == 2178


# ---------------------------------------------------------------------------------------------- LRN


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 12), st.integers(1, 9), st.floats(0.5, 5), st.floats(0, 1), st.floats(0, 2))
def test_lrn_is_tensorflow_s_with_the_half_width(shown, answers, maps, n, k, alpha, beta):
    a = np.random.default_rng(maps).uniform(0, 20, size=(2, 3, 2, maps))
    constants = {"bias": k, "alpha": alpha, "beta": beta}
    theirs = tf.nn.local_response_normalization(a.astype("float32"), n // 2, **constants)
    ours = answers["lrn"](a, n, k, alpha, beta)
    np.testing.assert_allclose(ours, theirs, rtol=2e-4)
    one = shown["lrn_at_one_position"](a[1, 2, 0], n, k, alpha, beta)
    np.testing.assert_allclose(one, ours[1, 2, 0], rtol=1e-12)


def test_the_trap_is_shown():
    assert "depth_radius=2:  True" in PRINTED and "depth_radius=5:  False" in PRINTED
    assert "[ 0.595  0.439 43.867  0.439  0.595]" in PRINTED


# ---------------------------------------------------------------------------------------- exercises


PADDINGS = st.sampled_from(["valid", "same"])
LAYERS = st.one_of(
    st.tuples(st.just("conv"), st.integers(1, 5), st.integers(1, 4), st.integers(1, 3), PADDINGS),
    st.tuples(st.just("pool"), st.integers(1, 3), st.integers(1, 3), PADDINGS),
)


def in_keras(spec, shape):
    layers = [keras.Input(shape)]
    for kind, *numbers in spec:
        if kind == "dense":
            layers += [keras.layers.Flatten(), keras.layers.Dense(*numbers)]
        else:
            layer = keras.layers.Conv2D if kind == "conv" else keras.layers.MaxPooling2D
            layers.append(layer(*numbers))
    return keras.Sequential(layers)


@settings(max_examples=30, deadline=None)
@given(
    st.lists(LAYERS, min_size=1, max_size=3),
    st.lists(st.integers(1, 4), max_size=2),
    st.tuples(st.integers(5, 30), st.integers(5, 30), st.integers(1, 4)),
)
def test_tower_counts_what_keras_builds(answers, maps, units, shape):
    spec = [*maps, *(("dense", n) for n in units)]
    try:
        counted = answers["tower"](spec, shape)
    except ValueError:
        assume(False)
    built = [layer for layer in in_keras(spec, shape).layers if layer.name[:7] != "flatten"]
    assert counted == [(layer.output.shape[1:], layer.count_params()) for layer in built]


def test_tower_refuses_kernels_that_do_not_fit(answers):
    with pytest.raises(ValueError, match="does not fit"):
        answers["tower"]([("pool", 4, 1, "valid")], (9, 3, 1))


def test_rbf_output(answers):
    x, codes = (
        np.random.default_rng(4).normal(size=(6, 9)),
        np.random.default_rng(5).normal(size=(9, 4)),
    )
    expected = cdist(x, codes.T, "sqeuclidean")
    np.testing.assert_allclose(answers["rbf_output"](x, codes), expected, rtol=1e-12)


@pytest.mark.parametrize("n", [1, 2, 3, 6])
def test_stack_savings(answers, n):
    c = 7
    side, _ = cost.receptive_field([(3, 1)] * n)
    kinds = ((3, n), (side, 1))
    convs = [[keras.layers.Conv2D(c, k, use_bias=False)] * times for k, times in kinds]
    for layer in {layers[0] for layers in convs}:
        layer.build((None, 20, 20, c))
    stack, large = (sum(layer.count_params() for layer in layers) for layers in convs)
    assert answers["stack_savings"](c, n) == (stack, large, stack / large)
    if n in (2, 3):
        assert f"{n} of 3×3 see {side}×{side}: {9 * n}C² instead of {side**2}C² weights" in PRINTED


def test_points():
    graded = [c.metadata["nbgrader"] for c in SOLUTION.cells if "nbgrader" in c.metadata]
    points = {g["grade_id"]: g["points"] for g in graded if g["grade"]}
    assert sum(p for name, p in points.items() if name.startswith("check_")) == 10
    assert points.keys() >= {"q5_lrn", "q6_alexnet"}
