"""Chapter 04: every number the text states, recomputed another way; its code against the library's.

The exercises' reference solutions are compared with Keras and the course's planner as well.
"""

import importlib.util
import itertools
import math
import re
from functools import partial

import keras
import numpy as np
import pytest
import stored
from cnncourse import cost, memory
from cnncourse.paths import course_root
from hypothesis import given, settings
from hypothesis import strategies as st

ROOT = course_root()
CHAPTER = stored.read("chapters", "04_memory_and_compute")
SOLUTIONS = stored.read("solutions", "04_memory_and_compute")
PROSE = stored.prose(CHAPTER)
ANSWERS = stored.prose(SOLUTIONS)
PRINTED = stored.printed(CHAPTER.cells)
TOWER = [(96, 3), (96, 32), (48, 64), (24, 128), (12, 256)]  # side, maps; the image first
defined = partial(stored.defined, np=np, keras=keras)


def tower_bytes(stack=TOWER):
    """Return the bytes of image and outputs, measured on real arrays."""
    return [np.zeros((side, side, maps), "float32").nbytes for side, maps in stack]


def tower_weights(stack=TOWER, kernel=9):
    return 4 * sum((kernel * a + 1) * b for (_, a), (_, b) in itertools.pairwise(stack))


def test_one_layer():
    kernels = np.broadcast_to(np.float32(0), (5, 5, 3, 200))
    outputs = np.broadcast_to(np.float32(0), (150, 100, 200))
    dense = outputs.size * 150 * 100 * 3
    assert kernels.size + 200 == 15_200 and f"parameters {15_200:>13,}" in PRINTED
    assert f"products   {outputs.size * kernels[..., 0].size:>13,}" in PRINTED
    assert outputs.nbytes == 12_000_000 and f"bytes out  {12_000_000:>13,}" in PRINTED
    assert f"dense: {dense + outputs.size:,} parameters, {dense:,} products" in PRINTED
    assert dense + outputs.size == 135_003_000_000
    assert f"{(dense + outputs.size) * 4 / 1e9:.0f} GB of weights" in PRINTED
    assert f"{dense / 225_000_000:,.0f} times fewer products" in PRINTED
    for words in ("135 billion parameters against 15,200", "135 G products against 225 M"):
        assert words in PROSE
    assert "15,200 · 4 = 60,800 bytes" in PROSE and 4 * 15_200 == 60_800
    assert "For a batch of 100 it is 1.2 billion." in PROSE


def test_units():
    assert "96,000,000 bits = 12,000,000 bytes" in PRINTED
    assert "12.00 MB, 11.44 MiB" in PRINTED
    assert "batch of 100: 1.20 GB, 1.12 GiB" in PRINTED and "float16: 0.60 GB" in PRINTED
    assert 200 * 150 * 200 * 32 == 192_000_000 and "would be 192 M bits, 24 MB" in PROSE
    for power in (1, 2, 3):
        assert f"| {100 * (1.024**power - 1):.1f} % |" in PROSE
    # ResNet-50 has as many parameters in Keras.
    n_bytes = 4 * 25_636_712
    assert f"{n_bytes / 1e6:.1f} MB = {n_bytes / 1024 / 1024:.1f} MiB" in PRINTED
    assert round(n_bytes / 2**20) == 98 and 'The "98 MB" are MiB' in PROSE


def test_the_tower_layer_by_layer():
    weights = [4 * (9 * a + 1) * b for (_, a), (_, b) in itertools.pairwise(TOWER)]
    for n, ((side, maps), out, kernel) in enumerate(
        zip(TOWER[1:], tower_bytes()[1:], weights, strict=True), start=1
    ):
        name = f"layer_{n} {(side, side, maps)!s:14}"
        assert f"{name} {out / 1e3:7.1f} kB out, {kernel / 1e3:7.1f} kB of weights" in PRINTED
    tower = defined(CHAPTER, "tower")()
    assert 4 * tower.count_params() == sum(weights) == tower_weights()


def test_vgg():
    sides = [(224, [3, 64, 64]), (112, [64, 128, 128]), (56, [128, 256, 256, 256])]
    sides += [(28, [256, 512, 512, 512]), (14, [512, 512, 512, 512])]
    outputs = sum(side**2 * sum(maps[1:]) for side, maps in sides)
    outputs += sum((side // 2) ** 2 * maps[-1] for side, maps in sides)  # the poolings
    weights = sum((9 * a + 1) * b for _, maps in sides for a, b in itertools.pairwise(maps))
    assert f"weights {4 * weights / 1e6:.1f} MB, outputs {4 * outputs / 1e6:.1f} MB" in PRINTED
    times = round(32 * outputs / weights)
    assert f"{32 * 4 * outputs / 1e9:.2f} GB, {times} times the weights" in PRINTED
    assert f"take {times} times what the weights do" in PROSE


def test_prediction_and_training_of_the_tower():
    sizes = tower_bytes()
    pairs = [a + b for a, b in itertools.pairwise(sizes)]
    assert f"neighbours, kB: {[round(pair / 1e3) for pair in pairs]}" in PRINTED
    assert pairs.index(max(pairs)) == 1 and "1.18 MB in, 0.59 MB out" in PROSE
    one = tower_weights() + max(pairs)
    training = 64 * sum(sizes) + 4 * tower_weights()
    assert f"one prediction: at least {one:,} bytes" in PRINTED
    assert f"prediction of one image {one / 1e6:6.2f} MB" in PRINTED
    assert f"training on 64          {training / 1e6:6.2f} MB" in PRINTED
    assert f"{training / one:6.0f} times as much" in PRINTED


def test_resnet():
    parameters, statistics = 25_636_712, 53_120  # moving means and variances are not trained
    trainable = 4 * (parameters - statistics)
    assert f"| gradients | 0.00 | {trainable / 1e6:.2f} |" in PRINTED
    assert f"| optimizer | 0.00 | {2 * trainable / 1e6:.2f} |" in PRINTED
    live = 3 * 32 * 56 * 56 * 256 * 4
    assert f"| input and intermediate results | {live / 1e6:.2f} | 4,751.39 |" in PRINTED
    assert "3 times its output" in PRINTED
    total = 4751.39 + (4 * parameters + 3 * trainable) / 1e6
    assert f"| {total:,.2f} |" in PRINTED and "5.2 GB to train on 32 images" in PROSE
    assert round(total / (4 * parameters / 1e6)) == 50 and "are a fiftieth of it" in PROSE


def test_measured_peaks_are_near_the_plan():
    lines = re.findall(r"(\w+) +(\w+) +(\d+) MB measured, +(\d+) MB planned, ratio (\S+)", PRINTED)
    image, maps, head = 64 * 64 * 8 * 4, 64 * 64 * 32 * 4, 4 * (32 + 10)
    planned = {
        ("chain", "inference"): 2 * maps,
        ("chain", "training"): image + 6 * maps + head,
        ("residual", "inference"): 3 * maps,
        # 7 steps a unit; the first has a convolution and its normalisation in the shortcut, too
        ("residual", "training"): image + 23 * maps + head,
    }
    assert [(kind, way) for kind, way, *_ in lines] == list(planned)
    ratios = {}
    for kind, way, measured, plan, ratio in lines:
        assert int(plan) == round(48 * planned[kind, way] / 1e6)
        ratios[kind, way] = float(ratio)
        assert float(ratio) == pytest.approx(int(measured) / int(plan), abs=0.02)
    assert 1 <= ratios["chain", "inference"] < 3 and 1 <= ratios["chain", "training"] < 3
    assert 0.5 < ratios["residual", "training"] < 1  # "train with less than planned"
    assert "*less* than planned" in PROSE and "is an *estimate*" in PROSE


def test_number_formats():
    bits = {"float32": (32, 8, 23), "float16": (16, 5, 10), "bfloat16": (16, 8, 7)}
    for name, (width, exponent, mantissa) in bits.items():
        largest = (2 - 2.0**-mantissa) * 2.0 ** (2 ** (exponent - 1) - 1)
        step = 2.0**-mantissa
        line = f"{name:9} {width} bits, largest {largest:8.2g}, step after 1: {step:.2g}"
        assert line in PRINTED
    assert (2 - 2.0**-10) * 2.0**15 == 65504 and "nothing above 65,504" in PROSE
    assert f"{1 + 2.0**-7:.4f}" == "1.0078" and "the next number after 1 is 1.0078" in PROSE
    for line in ("inf 70144", "0.0 1.00117e-08", "1.001 1\n"):
        assert line in PRINTED


def test_precision_of_the_tower():
    sizes, weights = tower_bytes(), tower_weights()
    outputs = 64 * sum(sizes[1:])
    expected = {
        "float32": (64 * sum(sizes) + 4 * weights, outputs, 0),
        "mixed_bfloat16": (32 * sum(sizes) + 4.5 * weights, outputs / 2, weights / 2),
        "float16": (32 * sum(sizes) + 2 * weights, outputs / 2, 0),
    }
    for name, (training, maps, copies) in expected.items():
        parts = f"outputs {maps / 1e6:6.2f}, copies {copies / 1e6:4.2f}"
        assert f"{name:14} training {training / 1e6:6.2f} MB ({parts})" in PRINTED


def test_remedies():
    def total(stack=TOWER, batch=64, weights=None, slots=2):
        weights = tower_weights(stack) if weights is None else weights
        return batch * sum(tower_bytes(stack)) + (2 + slots) * weights

    strided = [(96, 3), (48, 32), (24, 64), (12, 128), (6, 256)]
    smaller = [(48, 3), (48, 32), (24, 64), (12, 128), (6, 256)]
    separable = 4 * sum(9 * a + a * b + b for (_, a), (_, b) in itertools.pairwise(TOWER))
    hidden = [(out, maps) for (_, maps), (out, _) in itertools.pairwise(TOWER)]
    expected = {
        "as it is": total(),
        "smaller batch: 32": total(batch=32),
        "stride 2 in the first layer": total(strided),
        "one layer less": total(TOWER[:-1]),
        "mixed precision": 32 * sum(tower_bytes()) + 4.5 * tower_weights(),
        "two devices, 32 images each": total(batch=32),
        "smaller input: 48×48": total(smaller),
        "separable layers": total(weights=separable) + 64 * sum(tower_bytes(hidden)),
        "SGD instead of Adam": total(slots=0),
    }
    for name, n_bytes in expected.items():
        assert f"{name:28} {n_bytes / 1e6:6.1f} MB" in PRINTED, name
    separable, plain = (expected[name] / 1e6 for name in ("separable layers", "as it is"))
    assert f"Here they take {separable:.1f} MB instead of {plain:.1f}." in PROSE
    for text in (PROSE, ANSWERS):
        assert "Separable layers" in text and "save weights and products" in text


def test_checkpointing():
    for layers in (16, 100, 400):
        root = math.isqrt(layers)
        line = f"keep every {root:2}th, hold {2 * root:2} outputs instead of {layers}"
        assert f"{layers:3} layers: {line}" in PRINTED
    assert hasattr(keras, "remat")
    assert keras.optimizers.Adam(gradient_accumulation_steps=4).gradient_accumulation_steps == 4


def test_accumulation_in_keras_is_one_large_step():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(8, 5)).astype("float32"), rng.normal(size=(8, 1)).astype("float32")
    after = []
    for batch, steps in ((8, None), (2, 4)):
        keras.utils.set_random_seed(1)
        network = keras.Sequential([keras.Input((5,)), keras.layers.Dense(1)])
        network.compile(keras.optimizers.SGD(0.1, gradient_accumulation_steps=steps), "mse")
        network.fit(x, y, batch, shuffle=False, verbose=0)
        after.append(network.get_weights()[0])
    np.testing.assert_allclose(*after, rtol=1e-5)


def test_operations_per_byte():
    values = 150 * 100 * 200
    conv = 225e6 / (4 * (150 * 100 * 3 + 15_200 + values))
    assert f"convolution          {conv:6.2f} per byte" in PRINTED
    assert f"ReLU of its output   {1 / 8:6.3f}" in PRINTED
    for batch in (1, 32):
        ratio = batch * 4_096_000 / (4 * (4_096_000 + batch * 5096))
        assert f"batch of {batch:2}  {ratio:6.2f}" in PRINTED
    assert "does a quarter of a product per byte, and for 32 images nearly eight" in PROSE


def test_every_citation_has_an_entry():
    cited = set(re.findall(r'\]\(#References "([\w:-]+)"\)', PROSE))
    entries = re.findall(r"^@\w+\{(\w+),", (ROOT / "book/references.bib").read_text("utf-8"), re.M)
    assert cited == {"chen2016", "micikevicius2018"} and cited <= set(entries)


# The chapter's code is the library's

convs = st.lists(
    st.tuples(st.integers(1, 6), st.sampled_from([1, 2, 3, 5]), st.integers(1, 3)),
    min_size=1,
    max_size=4,
)


def chain(height, width, channels, layers):
    """Return a Keras network of convolutions with "same" padding."""
    parts = [keras.layers.Conv2D(n, k, s, padding="same") for n, k, s in layers]
    return keras.Sequential([keras.Input((height, width, channels)), *parts])


@settings(max_examples=10, deadline=None)
@given(st.integers(1, 30), st.integers(1, 30), st.integers(1, 4), convs, st.integers(1, 9))
def test_formulas_of_the_chapter_and_the_reference_planner(h, w, channels, layers, batch):
    largest_pair, training_bytes = defined(CHAPTER, "largest_pair", "training_bytes")
    planner = defined(SOLUTIONS, "memory_plan")
    network = chain(h, w, channels, layers)
    plan, weights = memory.plan(network, batch, optimizer="adam"), 4 * network.count_params()
    shapes = [(h, w, channels), *(layer.output.shape[1:] for layer in network.layers)]
    sizes = [4 * math.prod(shape) for shape in shapes]
    assert batch * largest_pair(sizes) + weights == plan.inference
    assert training_bytes(sizes, weights, batch, slots=2) == plan.training
    assert planner((h, w, channels), layers, batch, False) == plan.inference
    kept = plan.training - plan.gradients - plan.slots
    assert planner((h, w, channels), layers, batch, True) == kept
    assert planner((h, w, channels), layers, batch, True, bytes=2) == kept / 2


# The exercises


def test_points():
    metas = [cell.metadata.get("nbgrader", {}) for cell in SOLUTIONS.cells]
    coding = {m["grade_id"]: m["points"] for m in metas if m.get("grade") and not m["solution"]}
    assert coding == {
        "check_conv_cost": 3,
        "check_dense_equivalent_params": 1,
        "check_memory_plan": 4,
        "check_human": 2,
    }


@settings(max_examples=12, deadline=None)
@given(
    st.integers(7, 40),
    st.integers(7, 40),
    st.integers(1, 4),
    st.integers(1, 7),
    st.integers(1, 5),
    st.integers(1, 3),
    st.sampled_from(["same", "valid"]),
)
def test_reference_conv_cost_is_keras(h, w, c_in, k, maps, s, padding):
    layer = keras.layers.Conv2D(maps, k, s, padding=padding)
    network = keras.Sequential([keras.Input((h, w, c_in)), layer])
    assert defined(SOLUTIONS, "conv_cost")(h, w, c_in, k, maps, s, padding) == {
        "params": network.count_params(),
        "macs": cost.macs(network),
        "out_shape": network.output_shape[1:],
        "out_bytes": cost.activation_bytes(network),
    }


def test_reference_dense_is_keras():
    dense = defined(SOLUTIONS, "dense_equivalent_params")
    layer = keras.Sequential([keras.Input((5 * 4 * 3,)), keras.layers.Dense(5 * 4 * 7)])
    assert dense(5, 4, 3, 7) == layer.count_params()
    assert dense(150, 100, 3, 200) == 135_003_000_000


def test_question_2():
    planner = defined(SOLUTIONS, "memory_plan")
    layers = [(100, 3, 2), (200, 3, 2), (400, 3, 2)]
    network = chain(200, 300, 3, layers)
    assert network.count_params() == 903_400 and network.output_shape[1:] == (25, 38, 400)
    assert planner((200, 300, 3), layers, 1, False) == 12_613_600
    assert planner((200, 300, 3), layers, 50, True) == 565_613_600
    for words in ("**903,400**", "12,613,600 bytes", "565,613,600 bytes", "25 × 38 × 400"):
        assert words in ANSWERS
    assert f"{4 * 903_400 / 1e6:.2f} MB" == "3.61 MB" and f"{8 * 903_400 / 1e6:.1f} MB" in ANSWERS
    maps = [4 * math.prod(layer.output.shape[1:]) / 1e6 for layer in network.layers]
    assert maps == [6.0, 3.0, 1.52] and f"{sum(maps):.2f} MB" in ANSWERS
    assert f"{12_613_600 / 2**20:.1f} MiB" in ANSWERS
    assert f"{565_613_600 / 2**20:.0f} MiB" in ANSWERS
    # Gaps in the mark scheme: without the rounding, without the image, without the images.
    assert f"{(720_000 + 6_000_000 + 4 * 903_400) / 1e6:.1f} MB" in ANSWERS


@given(st.integers(0, 10**16), st.booleans())
def test_reference_human(n_bytes, si):
    text = defined(SOLUTIONS, "human")(n_bytes, si)
    number, unit = text.split()
    units = ["B", "kB", "MB", "GB", "TB"] if si else ["B", "KiB", "MiB", "GiB", "TiB"]
    base = 1000 if si else 1024
    unit_bytes = base ** units.index(unit)
    assert abs(float(number) * unit_bytes - n_bytes) <= 0.005001 * unit_bytes
    assert n_bytes >= unit_bytes or unit == "B"
    assert n_bytes < base * unit_bytes or unit.startswith("T")
    assert re.fullmatch(r"\d+" if unit == "B" else r"\d+\.\d\d", number)


def test_reference_human_examples():
    human = defined(SOLUTIONS, "human")
    assert (human(12_000_000), human(12_000_000, si=False)) == ("12.00 MB", "11.44 MiB")
    with pytest.raises(ValueError, match="n_bytes is -1; accepted"):
        human(-1)


def training_table():
    """Return benchmarks/training.md and the cells of its rows by the way to train."""
    table = (ROOT / "benchmarks" / "training.md").read_text(encoding="utf-8")
    lines = [line for line in table.splitlines() if re.search(r"\d ms \|", line)]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return table, {way: cells for way, *cells in rows}


def test_the_measured_table_is_the_files_and_says_what_the_text_says():
    table, rows = training_table()
    assert table.strip() in PRINTED
    seconds = {way: float(cells[0].split()[0]) for way, cells in rows.items()}
    slow = {way: int(cells[3].split()[0]) for way, cells in rows.items()}
    assert seconds["kit and XLA"] > seconds["kit float32"]  # "and the table shows why"
    assert seconds["kit bfloat16"] < seconds["kit float32"] < seconds["stock fit"]
    assert slow["stock fit"] > 0  # "takes half as long again in the next"
    assert slow["pipeline"] == slow["kit float32"] == 0


def test_the_text_gives_the_measured_figures_and_names_the_missed_goal():
    table, rows = training_table()
    float32, bfloat16 = re.search(
        r"\*\*([\d.]+)×\*\* faster .* chooses here, ([\d.]+)×\.", table
    ).groups()
    assert (
        f"With bfloat16 it is {bfloat16} times as fast, in float32 only {float32} times." in PROSE
    )
    each = [rows[way][0].split()[0] for way in rows]
    assert (
        "A step takes {} ms with stock `fit`, {} with the pipeline, {} with eight steps per "
        "execution on top, {} with XLA as well, and {} with bfloat16 instead."
    ).format(*each) in PROSE
    slow, share = rows["stock fit"][3:5]
    assert f"the slow epochs vanish, {slow}:" in PROSE
    assert f"stock `fit` reaches {share} of the peak, and so does the kit's" in PROSE
    assert share == rows["kit float32"][4]


def test_every_goal_of_the_table_is_called_met_or_missed():
    spec = importlib.util.spec_from_file_location("writer", ROOT / "benchmarks" / "training.py")
    writer = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(writer)
    table, rows = training_table()
    goals = {way: cells[5] for way, cells in rows.items()}
    for way, goal in goals.items():
        least = writer.GOALS.get(way)
        assert goal == (writer.verdict(float(rows[way][4]), least) if least else "")
    faster = float(re.search(r"float32: \*\*([\d.]+)×", table)[1])
    assert f"(goal {writer.verdict(faster, writer.GOALS['faster'])});" in table
    assert (writer.verdict(0.75, 0.75), writer.verdict(1.25, 1.5)) == (
        "≥ 0.75: met",
        "≥ 1.5: missed",
    )
    assert "One of the goals was missed: the kit was to be 1.5 times as fast" in PROSE
    assert table.count(": missed") == 1
