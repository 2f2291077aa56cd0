"""Chapter 06: every number the text states, computed another way; its exercises' references.

What a training gives is not compared digit by digit: the chapter says more or less, and so do we.
"""

import ast
import re

import keras
import nbformat
import numpy as np
import pytest
from cnncourse import cost, datasets, training
from cnncourse.paths import course_root
from scipy import signal

ROOT = course_root()
CHAPTER = nbformat.read(ROOT / "chapters" / "06_a_first_cnn.ipynb", as_version=4)
SOLUTIONS = nbformat.read(ROOT / "solutions" / "06_a_first_cnn.ipynb", as_version=4)
PROSE = "\n".join(cell.source for cell in CHAPTER.cells if cell.cell_type == "markdown")
CODE = "\n".join(cell.source for cell in CHAPTER.cells if cell.cell_type == "code")
PRINTED = "\n".join(
    output.text
    for cell in CHAPTER.cells
    for output in cell.get("outputs", [])
    if output.output_type == "stream"
)
# (kind, output's sides, kernel's side, maps in, maps out) of the layers with weights
LAYERS = [
    ("Conv2D", 28, 7, 1, 64),
    ("Conv2D", 14, 3, 64, 128),
    ("Conv2D", 14, 3, 128, 128),
    ("Conv2D", 7, 3, 128, 256),
    ("Conv2D", 7, 3, 256, 256),
    ("Dense", 1, 1, 2304, 128),
    ("Dense", 1, 1, 128, 64),
    ("Dense", 1, 1, 64, 10),
]


def defined(notebook, *names):
    """Execute the notebook's definitions of these names, and nothing else of it."""
    from functools import partial

    from cnncourse import scratch

    scope = {"np": np, "keras": keras, "datasets": datasets, "training": training}
    scope |= {"partial": partial, "scratch": scratch}
    for cell in notebook.cells:
        if cell.cell_type != "code" or cell.source.startswith("%%"):
            continue
        tree = ast.parse(cell.source)
        tree.body = [n for n in tree.body if names_of(n) & set(names)]
        exec(compile(tree, "<notebook>", "exec"), scope)
    return [scope[name] for name in names] if len(names) > 1 else scope[names[0]]


def names_of(node):
    """Return the names that a statement defines."""
    if isinstance(node, ast.Assign):
        return {n.id for t in node.targets for n in ast.walk(t) if isinstance(n, ast.Name)}
    return {getattr(node, "name", None)}


def weights(layer):
    _, _, k, maps_in, maps_out = layer
    return k * k * maps_in * maps_out


# What the text says


def test_the_table_of_layers():
    parameters = [weights(layer) + layer[-1] for layer in LAYERS]
    macs = [layer[1] ** 2 * weights(layer) for layer in LAYERS]
    for layer, count, products in zip(LAYERS, parameters, macs, strict=True):
        shape = f"{layer[1]}×{layer[1]}×{layer[-1]}" if layer[0] == "Conv2D" else str(layer[-1])
        line = f"{layer[0]:8} {shape:10} {count:9,} parameters {products / 1e6:6.2f} M"
        assert line in PRINTED
    assert parameters == [3200, 73856, 147584, 295168, 590080, 295040, 8256, 650]
    assert sum(parameters) == 1_413_834 and f"{sum(macs) / 1e6:.1f}" == "89.5"
    assert "1,413,834 parameters and 89.5 million MAC" in PROSE
    dense = [i for i, layer in enumerate(LAYERS) if layer[0] == "Dense"]
    share = sum(parameters[i] for i in dense) / sum(parameters)
    work = sum(macs[i] for i in dense) / sum(macs)
    assert f"own {100 * share:.0f} % of the parameters and {100 * work:.1f} % of" in PROSE


def test_shapes_shrink_and_deepen():
    for line in ("(28, 28, 64)", "(14, 14, 64)", "(14, 14, 128)", "(7, 7, 128)", "(7, 7, 256)"):
        assert f"-> {line}" in PRINTED
    assert "-> (3, 3, 256)" in PRINTED and 3 == 7 // 2 and "-> (2304,)" in PRINTED


def test_small_kernels_and_their_exception():
    for maps_in, pair, single in ((64, 73_856, 102_464), (3, 38_720, 4_864)):
        assert pair == 9 * maps_in * 64 + 64 + 9 * 64 * 64 + 64
        assert single == 25 * maps_in * 64 + 64
        line = f"{maps_in:2d} -> 64 maps: two 3×3 {pair:7,}, one 5×5 {single:7,} parameters"
        assert line in PRINTED
        assert f"{pair:,}" in PROSE and f"{single:,}" in PROSE
    assert cost.receptive_field([(3, 1), (3, 1)])[0] == 5 and "sees 5 and 5" in PRINTED


def test_doubling_after_pooling():
    for side, maps in ((28, 64), (14, 128), (7, 256)):
        layer = keras.layers.Conv2D(maps, 3, padding="same", use_bias=False)
        layer.build((None, side, side, maps))
        count = layer.count_params()
        products = cost.macs(layer, (side, side, maps))
        assert f"{products / 1e6:.1f}" == "28.9"
        line = f"{side:2d}×{side:<2d} {maps:3d} maps: {count:7,} weights, 28.9 M MAC"
        assert f"{line}, {side * side * maps:6,} values" in PRINTED
    assert (9 * 64 * 128, 9 * 128 * 256) == (73_728, 294_912)
    assert "73,728 weights, from 128 to 256 it has 294,912" in PROSE


def test_pooling_spares_the_dense_layer():
    for side in (28, 3):
        values = side * side * 256
        assert f"{values:7,} values; Dense(128) then has {(values + 1) * 128:10,}" in PRINTED
    assert (28 * 28 * 256 + 1) * 128 == 25_690_240
    assert "25.7 million parameters instead of 0.3 million" in PROSE


def test_the_broken_listing():
    counts = [weights(layer) + layer[-1] for layer in LAYERS[:5]]
    head = [(256, 128), (128, 64), (64, 64), (64, 10)]
    total = sum(counts) + sum((a + 1) * b for a, b in head)
    assert total == 1_155_850
    assert f"parameters {total:,} instead of 1,413,834" in PRINTED
    assert "second pool in a row (1, 1, 256)" in PRINTED
    assert "sum to one? False" in PRINTED
    listing = re.search(r"```python\n(.*?)```", PROSE, re.DOTALL)[1]
    with pytest.raises(SyntaxError, match="comma"):
        compile(listing, "listing", "exec")
    assert listing.count("Dense(units=64") == listing.count("pool_size=2)\n    keras") + 1 == 2
    assert "Dropout" not in listing and listing.rstrip().endswith('"relu"),\n])')


def test_a_relu_at_the_end_stops_learning():
    """A picture whose ten outputs are all zero gives no gradient."""
    import tensorflow as tf

    z = tf.Variable([[-1.0] * 10])
    with tf.GradientTape() as tape:
        y = keras.ops.relu(z)
        loss = keras.losses.sparse_categorical_crossentropy(np.array([3]), y)
    assert np.all(tape.gradient(loss, z).numpy() == 0)
    assert "softmax leads by more than ten points: True" in PRINTED


def test_what_trainings_gave():
    for line in ("unseen digits are right: True", "better than six in ten: True"):
        assert line in PRINTED
    assert "1,898 parameters" in PRINTED
    assert 8 * 10 + 16 * 73 + 10 * 65 == 1_898
    right, count = re.search(r"([\d.]+)% of ([\d,]+) test pictures are right", PRINTED).groups()
    assert float(right) > 60 and count in ("10,000", "360")


def test_full_profile_figures_are_left_to_the_benchmark():
    assert "`benchmarks/accuracy.md`" in PROSE
    assert re.findall(r"\d\d(?:\.\d)? %", PROSE.split("## 7")[1].split("## 8")[0]) == ["92 %"]


def test_every_citation_has_an_entry():
    cited = set(re.findall(r'\]\(#References "([\w:-]+)"\)', PROSE))
    entries = re.findall(r"^@\w+\{(\w+),", (ROOT / "book/references.bib").read_text("utf-8"), re.M)
    assert cited == {"he2015", "xiao2017"} <= set(entries) and entries == sorted(entries)


# The chapter's code


def test_a_kernel_step_is_scipys():
    kernel_step = defined(CHAPTER, "kernel_step")
    random = np.random.default_rng(1)
    w, x = random.normal(size=(3, 3)), random.normal(size=(9, 7))
    target = random.normal(size=(7, 5))
    error = signal.correlate2d(x, w, "valid") - target
    gradient = 2 / 35 * signal.correlate2d(x, error, "valid")
    stepped, loss = kernel_step(w, x, target, 0.3)
    np.testing.assert_allclose(stepped, w - 0.3 * gradient)
    assert loss == pytest.approx(np.mean(error**2))


def test_the_offline_branch_gives_pictures_of_the_same_form():
    digits = datasets.digits()
    images, labels = defined(CHAPTER, "enlarged")(digits.test)
    assert images.shape == (360, 28, 28, 1) and images.dtype == np.uint8
    np.testing.assert_array_equal(images[:, 3:26:3, 3:26:3], digits.test.images * 15)
    assert images[:, :2].max() == images[:, :, -2:].max() == 0
    np.testing.assert_array_equal(labels, digits.test.labels)
    assert "except datasets.DatasetError" in CODE and "this run uses the digits" in CODE


def test_tower():
    tower = defined(CHAPTER, "conv", "dense", "pool", "tower")[-1]
    assert tower(64).count_params() == 1_413_834
    shapes = [
        layer.output.shape[1:] for layer in tower(16).layers if "Pool" in type(layer).__name__
    ]
    assert shapes == [(14, 14, 16), (7, 7, 32), (3, 3, 64)]


# The exercises


def test_points():
    metas = [cell.metadata.get("nbgrader", {}) for cell in SOLUTIONS.cells]
    coding = {m["grade_id"]: m["points"] for m in metas if m.get("grade") and not m["solution"]}
    assert coding == {
        "check_build_fashion_cnn": 3,
        "check_prepare": 1,
        "check_layer_table": 3,
        "check_train_digits": 3,
    }


def test_reference_build_fashion_cnn():
    network = defined(SOLUTIONS, "build_fashion_cnn")()
    assert network.count_params() == 1_413_834 and network.output_shape == (None, 10)
    kinds = [type(layer).__name__ for layer in network.layers]
    assert [kinds.count(k) for k in ("Conv2D", "MaxPooling2D", "Dropout", "Dense")] == [5, 3, 2, 3]
    assert network.layers[-1].activation is keras.activations.softmax


def test_reference_prepare():
    X = np.random.default_rng(0).integers(0, 256, (4, 28, 28)).astype("uint8")
    y = defined(SOLUTIONS, "prepare")(X)
    assert y.dtype == np.float32
    np.testing.assert_allclose(y[:, :, :, 0], X / 255.0, atol=1e-7)


def test_reference_layer_table():
    layer_table, example_net = defined(SOLUTIONS, "layer_table", "example_net")
    for network in (example_net(2), example_net(1, "same")):
        rows = layer_table(network)
        assert sum(row[2] for row in rows) == cost.parameters(network)
        assert sum(row[3] for row in rows) == cost.macs(network)
        assert [row[1] for row in rows] == [layer.output.shape[1:] for layer in network.layers]


def test_reference_train_digits():
    _, train_digits, verdict, *_ = defined(
        SOLUTIONS, "digits", "train_digits", "verdict", "x_digits", "y_digits"
    )
    network = train_digits(1)
    assert verdict(network) == {"accurate": True, "small": True, "probabilities": True}
    digits = datasets.digits()
    answers = network.predict(digits.test.images / 16, verbose=0).argmax(axis=1)
    assert np.mean(answers == digits.test.labels) >= 0.96
