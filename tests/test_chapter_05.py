"""Chapter 05: every number the text states, recomputed another way; its code against the library's.

The exercises' reference solutions are compared with Keras here as well.
"""

import re
from functools import partial

import keras
import numpy as np
import pytest
import stored
from cnncourse import datasets, scratch, training
from cnncourse.demos.loss_curve import cases
from cnncourse.grading import build
from cnncourse.grading.cells import read_source
from cnncourse.grading.compare import equal
from cnncourse.grading.probes import evaluate
from cnncourse.grading.values import decode
from cnncourse.paths import course_root
from hypothesis import given, settings
from hypothesis import strategies as st
from imblearn.over_sampling import SMOTE
from scipy import special, stats

ROOT = course_root()
CHAPTER = stored.read("chapters", "05_training")
SOLUTIONS = stored.read("solutions", "05_training")
PROSE = stored.prose(CHAPTER)
PRINTED = stored.printed(CHAPTER.cells)
defined = partial(stored.defined, np=np, keras=keras)


# Section 2


def test_objective_and_l2():
    assert float(keras.regularizers.L2(0.01)(np.array([1.0, 2.0, 3.0]))) == pytest.approx(0.14)
    assert pytest.approx(0.14) == 0.01 * (1 + 4 + 9)
    for text in ("loss alone     0.125", "with the fine  0.265", "L2(0.01) alone 0.14"):
        assert text in PRINTED
    for notebook in (CHAPTER, SOLUTIONS):
        objective = defined(notebook, "objective")
        rng = np.random.default_rng(0)
        pred, y, w = rng.normal(size=(4, 3)), rng.normal(size=(4, 3)), rng.normal(size=(2, 5))
        mse = float(keras.losses.MeanSquaredError()(y, pred))
        penalty = float(keras.regularizers.L2(0.3)(w))
        assert objective(pred, y, w, 0.3) == pytest.approx(mse + penalty, rel=1e-5)
        assert objective(pred, y, w, 0) == pytest.approx(mse, rel=1e-5)


def test_softmax_numbers():
    p = special.softmax([2, 1, 0.1])
    np.testing.assert_allclose(p, [0.6590, 0.2424, 0.0986], atol=5e-5)
    assert -np.log(p[0]) == pytest.approx(0.4170, abs=5e-5)
    assert "[0.659  0.2424 0.0986]" in PRINTED and "loss on class 0 0.417" in PRINTED
    for classes, nats in ((5, "1.609"), (10, "2.303"), (1000, "6.908")):
        assert f"{np.log(classes):.3f}" == nats
        assert f"{classes:5} classes: {nats}" in PRINTED


@settings(max_examples=15, deadline=None)
@given(st.integers(1, 6), st.integers(2, 5), st.integers(0, 99))
def test_cross_entropy_is_keras_and_its_gradient_the_slope(n, classes, seed):
    rng = np.random.default_rng(seed)
    logits, labels = rng.normal(size=(n, classes)) * 3, rng.integers(0, classes, n)
    expected = float(keras.losses.SparseCategoricalCrossentropy(from_logits=True)(labels, logits))
    for function in (
        defined(CHAPTER, "softmax_cross_entropy"),
        defined(SOLUTIONS, "softmax_xent"),
    ):
        loss, grad = function(logits, labels)
        assert loss == pytest.approx(expected, rel=1e-5, abs=1e-6)
        for place in np.ndindex(logits.shape):
            step = np.zeros_like(logits)
            step[place] = 1e-6
            slope = (function(logits + step, labels)[0] - function(logits - step, labels)[0]) / 2e-6
            assert grad[place] == pytest.approx(slope, abs=1e-6)


def test_cross_entropy_survives_large_scores():
    loss, grad = defined(SOLUTIONS, "softmax_xent")(np.array([[1e4, 0.0]]), np.array([1]))
    assert loss == pytest.approx(1e4) and np.isfinite(grad).all()


def test_numpy_and_keras_learn_the_same():
    rows = re.findall(r"^epoch (\d) +(\S+) +(\S+) +(\S+)%  (\S+)%$", PRINTED, re.M)
    assert [row[0] for row in rows] == [str(epoch) for epoch in range(1, 9)]
    assert all(row[1] == row[2] and row[3] == row[4] for row in rows)
    losses = [float(row[1]) for row in rows]
    assert losses[-1] < 0.2 * losses[0] < 0.2 * np.log(10)
    stumbles = [n for n in range(2, 9) if losses[n - 1] > 1.5 * losses[n - 2]]
    assert stumbles == [4, 7] and "the same epochs 4 and 7" in PROSE
    assert "no weight differs by more than 0.0001: True" in PRINTED
    assert 8 * -(-len(datasets.digits().train.labels) // 32) == 320 and "after 320 steps" in PROSE


def test_what_the_text_says_of_speed_is_in_the_benchmarks():
    numpy, keras_ = re.search(
        r"NumPy against Keras.*?: (\S+) and\s+(\S+) s per epoch",
        (ROOT / "benchmarks/training.md").read_text("utf-8"),
    ).groups()
    assert 0.67 < float(numpy) / float(keras_) < 1.5  # about equal
    scratch_md = (ROOT / "benchmarks/scratch.md").read_text("utf-8")
    slower = re.findall(r"\*\*(\S+)×\*\* TensorFlow", scratch_md)
    assert len(slower) == 2 and min(map(float, slower)) > 2  # more than twice as fast


# Section 3


def test_the_curves_that_the_text_describes():
    plain, regularised = cases()[0], cases()[5]
    assert (plain["images"], plain["hidden"]) == (regularised["images"], regularised["hidden"])
    assert plain["images"] == 200 and plain["dropout"] == 0 < regularised["dropout"]
    assert regularised["training"][-1] > plain["training"][-1]  # a bit worse
    assert regularised["validation"][-1] < plain["validation"][-1]  # better
    lowest = int(np.argmin(plain["validation"]))
    assert f"as the second ever got, around epoch {lowest + 1}, and" in PROSE
    assert abs(plain["validation"][lowest] - min(regularised["validation"])) < 0.005
    for name, case in (("nothing added", plain), ("with dropout and L2", regularised)):
        t, v = case["training"][-1], case["validation"][-1]
        assert f"{name:20} training {t:.2f}  validation {v:.2f}  gap {v - t:.2f}" in PRINTED


# Section 4


def test_batch_norm_numbers():
    x = np.array([1, 2, 3, 4])
    normal = (x - 2.5) / np.sqrt(1.25 + 1e-3)
    np.testing.assert_allclose(normal, [-1.3411, -0.4470, 0.4470, 1.3411], atol=5e-5)
    assert "[-1.3411 -0.447   0.447   1.3411]" in PRINTED
    assert pytest.approx(0.025) == 0.01 * 2.5
    assert pytest.approx(1.0025) == 0.99 + 0.01 * 1.25
    assert "moving mean     0.025\nmoving variance 1.0025" in PRINTED
    in_use = (x - 0.025) / np.sqrt(1.0025 + 1e-3)
    np.testing.assert_allclose(in_use, [0.973, 1.972, 2.970, 3.968], atol=5e-4)
    assert "in use          [0.973 1.972 2.97  3.968]" in PRINTED
    assert 0.99**500 < 0.01


@settings(max_examples=10, deadline=None)
@given(
    st.sampled_from([(4, 3), (2, 3, 4, 2)]),
    st.sampled_from([1e-3, 0.5]),
    st.integers(0, 99),
)
def test_batch_norm_is_keras_in_training(shape, eps, seed):
    rng = np.random.default_rng(seed)
    x, gamma, beta = rng.normal(2, 3, shape), rng.normal(size=shape[-1]), rng.normal(size=shape[-1])
    layer = keras.layers.BatchNormalization(epsilon=eps, dtype="float64")
    layer.build(shape)
    layer.gamma.assign(gamma)
    layer.beta.assign(beta)
    expected = keras.ops.convert_to_numpy(layer(x, training=True))
    for notebook in (CHAPTER, SOLUTIONS):
        y = defined(notebook, "batch_norm")(x, gamma, beta, eps)
        np.testing.assert_allclose(y, expected, atol=1e-5)


def test_keras_batch_norm_defaults():
    layer = keras.layers.BatchNormalization()
    assert (layer.momentum, layer.epsilon) == (0.99, 1e-3)


# Section 5


def test_dropout_numbers():
    assert f"{1 / 0.7:.4f}" == "1.4286" and "1.4286" in PROSE
    assert "values in training [0.     1.4286]" in PRINTED
    assert "inverted: training 2.00, use 2.00" in PRINTED
    assert "classic:  training 1.40, use 1.40" in PRINTED


def test_the_chapters_dropout_is_scratch():
    x = np.random.default_rng(0).normal(size=(4, 5))
    dropout = defined(CHAPTER, "dropout")
    for inverted, function in ((True, scratch.dropout), (False, scratch.dropout_classic)):
        mine = dropout(x, 0.3, np.random.default_rng(5), inverted)
        np.testing.assert_allclose(mine, function(x, 0.3, np.random.default_rng(5)))


def test_reference_dropout():
    dropout = defined(SOLUTIONS, "dropout")
    x = np.random.default_rng(1).uniform(1, 2, size=200_000)
    means = {
        mode: dropout(x, 0.3, np.random.default_rng(2), mode).mean()
        for mode in ("train-inverted", "test-inverted", "train-classic", "test-classic")
    }
    assert means["train-inverted"] == pytest.approx(means["test-inverted"], rel=0.01)
    assert means["train-classic"] == pytest.approx(means["test-classic"], rel=0.01)
    np.testing.assert_allclose(
        dropout(x, 0.3, np.random.default_rng(2), "test-classic"),
        scratch.dropout_classic_inference(x, 0.3),
    )
    inverted = dropout(x, 0.3, np.random.default_rng(2), "train-inverted")
    np.testing.assert_allclose(inverted, scratch.dropout(x, 0.3, np.random.default_rng(2))[0])
    with pytest.raises(ValueError, match="accepted"):
        dropout(x, 0.3, np.random.default_rng(0), "test")


# Section 6


def test_one_pixel_to_the_right():
    eight = datasets.digits().train.images[8, :, :, 0]
    moved = eight[:, [7, *range(7)]]
    assert f"{(eight != moved).sum() / 64:.0%} of the pixels differ" in PRINTED


def test_ten_crops():
    crops = defined(CHAPTER, "ten_crops")(np.arange(5 * 7 * 3).reshape(5, 7, 3), 3)
    assert crops.shape == (10, 3, 3, 3)
    assert len({crop.tobytes() for crop in crops}) == 10
    centre = keras.ops.convert_to_numpy(
        keras.layers.CenterCrop(3, 3)(np.arange(105.0).reshape(5, 7, 3))
    )
    np.testing.assert_array_equal(crops[4], centre)


def test_the_trap_of_the_value_range():
    x = np.full((1, 4, 4, 3), -0.5, "float32")
    assert float(np.max(keras.layers.RandomContrast(0.3)(x, training=True))) == 0
    assert "RandomContrast()  from 0.00; 0%" in PRINTED
    assert "from -1.00; negatives kept" in PRINTED


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("keep = 1 - rate", "rate, keep = 0.3, 0.7"),
        ("rng.random", "np.random.default_rng(0).random"),
        ("return x * 1.0", "return x"),
        ("/ keep", "* 1.4286"),
    ],
)
def test_almost_right_dropout_loses_points(right, wrong):
    source = read_source(course_root() / "solutions" / "05_training.ipynb")
    exercise, names = source.exercises["dropout"], build.run_code(source)
    assert exercise.solution.count(right) == 1
    almost = dict(names)
    exec(exercise.solution.replace(right, wrong), almost)
    assert not all(
        equal(decode(value), decode(evaluate(probe, almost).value), probe.tolerance)
        for probe, value in build.reference(exercise, names)[1]
    )


# Section 7


def test_flowers():
    counts = np.array([898, 633, 799, 699, 641])
    assert counts.sum() == 3670 and f"{898 / 3670:.1%}" == "24.5%"
    weights = 3670 / 5 / counts
    np.testing.assert_allclose(weights, [0.817, 1.160, 0.919, 1.050, 1.145], atol=5e-4)
    np.testing.assert_allclose(defined(SOLUTIONS, "class_weights")(counts), weights)
    labels = np.repeat(np.arange(5), counts)
    np.testing.assert_allclose(list(training.class_weights(labels).values()), weights)
    for count, weight in zip(counts, weights, strict=True):
        assert f"{count}  weight {weight:.3f}" in PRINTED
    assert "after  [898 898 898 898 898]" in PRINTED


def test_smote_draws_as_imbalanced_learn_does():
    """The frequent class lies among the rare one: neighbours are sought in the same class only."""
    assert "from imblearn.over_sampling import SMOTE" in PROSE
    k, count, rng = 3, 4000, np.random.default_rng(0)
    features = rng.normal(size=(12, 4))
    both = np.concatenate([rng.normal(size=(50, 4)), features])
    labels = np.repeat([0, 1], [50, 12])
    theirs = SMOTE(k_neighbors=k, sampling_strategy={1: 12 + count}, random_state=0)
    made, made_labels = theirs.fit_resample(both, labels)
    assert len(made) == 62 + count and np.all(made_labels[62:] == 1)
    ours = training.smote(features, count, neighbours=k, seed=0)
    for one, other in zip(ours.T, made[62:].T, strict=True):
        assert stats.ks_2samp(one, other).pvalue > 0.01
    wrong = training.smote(features, count, neighbours=11, seed=0)
    assert (
        min(stats.ks_2samp(*pair).pvalue for pair in zip(wrong.T, made[62:].T, strict=True)) < 1e-3
    )


# Section 8


def test_the_comparison_says_what_the_text_says():
    rows = re.findall(r"^(\w[\w ]+?) +(0\.\d+) +(0\.\d+) ± (0\.\d+)$", PRINTED, re.M)
    away = {name: float(mean) for name, _, mean, _ in rows}
    spread = {name: float(deviation) for name, _, _, deviation in rows}
    assert set(away) == {"plain", "dropout and L2", "batch norm", "augmentation"}
    assert max(away, key=away.get) == "augmentation"
    assert away["augmentation"] - away["plain"] > 2 * (spread["augmentation"] + spread["plain"])
    centred = {name: float(mean) for name, mean, _, _ in rows}
    more, most = (round(100 * (away[n] - away["plain"])) for n in ("dropout and L2", "batch norm"))
    words = {3: "three", 4: "four", 5: "five", 6: "six", 7: "seven", 8: "eight"}
    for said in (
        f"right for {100 * centred['plain']:.0f} %",
        f"and {100 * away['plain']:.0f} % are left",
        f"help by {words[more]} and {words[most]} points",
        f"scatter by {100 * spread['plain']:.0f} points",
        f"brings {100 * away['augmentation']:.0f} %",
        f"only {100 * centred['augmentation']:.0f} % on centred images",
    ):
        assert said in PROSE


# Section 9


@settings(max_examples=10, deadline=None)
@given(st.floats(1e-4, 1), st.integers(20, 500))
def test_the_schedule_is_the_librarys(peak, steps):
    rate_at, warmup = defined(CHAPTER, "rate_at"), steps // 10
    schedule = training.warmup_cosine(peak, steps)
    for t in (0, warmup // 2, warmup, warmup + 1, steps // 2, steps):
        theirs = float(schedule(t))
        assert rate_at(t, peak, steps, warmup) == pytest.approx(theirs, rel=1e-4, abs=1e-6 * peak)


def test_a_falling_rate_ends_lower_and_a_resumed_training_is_the_whole_one():
    row = r"^(constant|warm-up and cosine) +validation loss (\S+) ± (\S+)  accuracy (\S+) ±"
    ends = {name: [*map(float, found)] for name, *found in re.findall(row, PRINTED, re.M)}
    (constant, apart, _), (falling, together, _) = ends["constant"], ends["warm-up and cosine"]
    assert f"{falling:.3f} ± {together:.3f}, against {constant:.2f} ± {apart:.2f}" in PROSE
    assert all(0.95 < accuracy < 0.97 for *_, accuracy in ends.values())
    assert "its curve is that of the whole run:   True" in PRINTED


def test_every_citation_has_an_entry():
    cited = set(re.findall(r'\]\(#References "([\w:-]+)"\)', PROSE))
    entries = re.findall(r"^@\w+\{(\w+),", (ROOT / "book/references.bib").read_text("utf-8"), re.M)
    assert cited == {
        "chawla2002",
        "goyal2017",
        "hinton2012",
        "ioffe2015",
        "kingma2015",
        "loshchilov2017",
        "santurkar2018",
        "srivastava2014",
    }
    assert cited <= set(entries)


# The exercises


def test_points():
    metas = [cell.metadata.get("nbgrader", {}) for cell in SOLUTIONS.cells]
    coding = {m["grade_id"]: m["points"] for m in metas if m.get("grade") and not m["solution"]}
    assert coding == {
        "check_batch_norm": 3,
        "check_dropout": 3,
        "check_softmax_xent": 2,
        "check_class_weights": 1,
        "check_objective": 1,
    }
