"""Chapter 01: every number in its text, the networks that it runs, and its exercises."""

import re

import keras
import numpy as np
import pytest
import stored
from cnncourse import scratch
from cnncourse.demos import CortexDemo, ladder_table
from cnncourse.demos.cortex import AWAKE
from cnncourse.demos.kernels import preset
from cnncourse.grading import build
from cnncourse.grading.cells import read_source
from cnncourse.grading.compare import equal
from cnncourse.grading.probes import evaluate
from cnncourse.grading.values import decode
from cnncourse.paths import course_root

ROOT = course_root()
CHAPTER = stored.read("chapters", "01_seeing")
SOURCE = read_source(ROOT / "solutions" / "01_seeing.ipynb")
SOLUTIONS = stored.read("solutions", "01_seeing")
RELEASE = ROOT / "exercises" / "01_seeing.ipynb"

PROSE = stored.prose(CHAPTER)
PRINTED = stored.printed(CHAPTER.cells)


FUNCTIONS = stored.functions(CHAPTER, np=np, keras=keras, layers=keras.layers, scratch=scratch)


def accuracies(network, task):
    """Return what the chapter printed for one network and task, a list of fractions."""
    line = re.search(rf"^{network} +{re.escape(task)} +\[(.*)\]", PRINTED, re.MULTILINE)
    return [float(number) for number in line[1].split()]


# What the text says


def test_counts():
    dense, conv = keras.layers.Dense(1000), keras.layers.Conv2D(32, 5)
    bare = keras.layers.Dense(1000, use_bias=False)
    for layer in (dense, bare):
        layer.build((None, 100 * 100))
    conv.build((None, 100, 100, 1))
    assert bare.count_params() == 10_000_000 and dense.count_params() == 10_001_000
    assert conv.count_params() == 832
    assert "dense:  10,000,000 connections, 10,001,000 with biases" in PRINTED
    assert "1,000 dense neurons on 100×100 pixels: 10,000,000 connections" in PROSE
    assert "Ten million against 832" in PROSE
    assert "32 shared 5×5 filters: 832 parameters" in PROSE


def test_networks_are_those_of_the_demo():
    pairs = {"mlp": ladder_table.mlp(), "small_cnn": ladder_table.cnn()}
    for name, packaged in pairs.items():
        network = FUNCTIONS[name]()
        shapes = [w.shape for w in network.weights]
        assert shapes == [w.shape for w in packaged.weights]
        network.set_weights(packaged.get_weights())
        x = np.random.default_rng(0).normal(size=(4, 32, 32, 1)).astype("float32")
        np.testing.assert_allclose(network(x), packaged(x), atol=1e-6)
        assert f"{name}: {packaged.count_params():,} parameters" in PRINTED


def test_convolutions_widen_and_pooling_more_than_makes_up_for_it():
    steps = re.findall(r"^(\w+) +\([\d, ]+\) +([\d,]+) numbers", PRINTED, re.MULTILINE)
    kinds, sizes = zip(*((kind, int(size.replace(",", ""))) for kind, size in steps), strict=True)
    assert kinds[:4] == ("Conv2D", "MaxPooling2D") * 2
    sizes = (32 * 32, *sizes)
    assert sizes[0] < sizes[1] > sizes[2] < sizes[3] > sizes[4]
    assert sizes[2] < sizes[0] and sizes[4] < sizes[2]
    assert list(sizes[5:]) == [256, 32, 1]


def test_a_stub_and_no_longer_bar_wakes_a_pattern_neuron():
    assert "from 13 pixels on, none does it" in PROSE and "a stub of 8 pixels" in PROSE
    for length, wakes in ((8, True), (13, False)):
        answers = [
            CortexDemo(column=column, row=row, angle=angle, length=length).layers["pattern"].max()
            for column, row, angle in ((15, 39, 42), (27, 23, 44), (15, 27, 0))  # the strongest
        ]
        assert (max(answers) >= AWAKE) == wakes


def test_digit_networks_have_the_known_sizes():
    assert FUNCTIONS["digits_cnn"]().count_params() == 9_258
    assert FUNCTIONS["digits_dense"]().count_params() == 4_810
    assert "digits_cnn: 9,258 parameters\ndigits_dense: 4,810 parameters" in PRINTED


def test_the_ladder_is_a_ladder():
    chance = 0.62
    one, light, moved, clutter = "1 one kind", "2 kinds, light", "3 moved, turned", "4 clutter"
    for network in ladder_table.NETWORKS:
        assert min(accuracies(network, one)) > 0.98
    assert max(accuracies("perceptron", light)) < chance
    assert min(accuracies("MADALINE", light)) > 0.95
    *guesses, best = sorted(accuracies("MADALINE", moved))
    assert max(guesses) < chance and np.mean([*guesses, best]) < 0.75
    assert f"one run reaches {100 * best:.0f} %, the others guess" in PROSE
    (alt,) = [
        text for text in stored.html(CHAPTER.cells) if "four networks on the four tasks" in text
    ]
    assert f"so does MADALINE, but for one run of {100 * best:.0f} %." in alt
    for network in ("MLP", "CNN"):
        assert min(accuracies(network, moved)) > 0.95
    for network in ("perceptron", "MADALINE"):
        assert max(accuracies(network, clutter)) < chance
    assert min(accuracies("CNN", clutter)) > max(accuracies("MLP", clutter))
    assert "three kinds without negatives: 100%" in PRINTED


def percent(numbers):
    return f"{100 * min(numbers):.0f} to {100 * max(numbers):.0f} %"


def test_the_text_gives_the_ladders_figures():
    for network in ("MLP", "CNN"):
        assert percent(accuracies(network, "4 clutter")) in PROSE


def test_learning_rates_are_chosen_on_pictures_of_their_own():
    found = re.findall(r"^(\w+), rate ([\d.]+) *: ([\d.]+)% of the validation", PRINTED, re.M)
    best = {}
    for network, rate, share in found:
        best[network] = max(best.get(network, (0, 0)), (float(share), float(rate)))
    rates = {network: rate for network, (_, rate) in best.items()}
    assert rates == ladder_table.RATES
    assert f"chosen: {rates}" in PRINTED
    for network, rate in rates.items():
        assert f"{rate} for the {network}" in PROSE
    seeds = re.findall(r"sprites\(\d+, seed=(\d), \*\*", "\n".join(c.source for c in CHAPTER.cells))
    assert len(set(seeds)) == len(seeds) == 5  # examples, training, test, validation, gallery


def test_the_text_gives_the_digits_figures():
    found = re.findall(r"digits_\w+ +\w+ +([\d.]+) % \(([\d.]+) to ([\d.]+)\)", PRINTED)
    assert len(found) == 4
    for mean, low, high in found:
        assert f"{mean} % ({low} to {high})" in PROSE
    cnn, cnn_rolled, dense, dense_rolled = (float(mean) for mean, _, _ in found)
    assert 97 < cnn < 99 and 95.5 < dense < cnn
    assert cnn_rolled > dense_rolled + 5


def test_neighbours():
    pixels = float(re.search(r"pixel space: ([\d.]+)%", PRINTED)[1])
    features = float(re.search(r"feature space: ([\d.]+)%", PRINTED)[1])
    assert pixels > 30 and features < pixels / 2
    assert f"so {pixels} % is little better than chance" in PROSE
    points = np.random.default_rng(1).normal(size=(30, 7))
    distances = np.linalg.norm(points[:, None] - points, axis=-1) + 1e9 * np.eye(30)
    np.testing.assert_array_equal(FUNCTIONS["nearest"](points), distances.argsort(axis=1)[:, :3])


@pytest.mark.parametrize("truth", [[0, 0, 0, 1], [0, 1, 1, 1], [0, 1, 1, 0]])
def test_naive_perceptron_is_the_packages(truth):
    corners = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])
    w, b = FUNCTIONS["perceptron_loops"](corners, np.array(truth), 7, 3)
    packaged, _ = scratch.train_perceptron(corners, truth, 7, 3)
    np.testing.assert_allclose(packaged, [*w, b])


def test_dates_are_the_corrected_ones():
    assert "1989 for trainable CNNs and 1998 for LeNet-5" in PROSE
    assert "dashed" not in PROSE.split("Five fields")[0]
    assert "others to lines of other orientations" in PROSE


# Exercises


def solutions():
    """Run the cells that learners are given, and the reference solutions."""
    names = {"np": np}
    for cell in SOLUTIONS.cells:
        if cell.metadata.get("nbgrader", {}).get("grade_id") == "given_gates":
            exec(cell.source, names)
    for exercise in SOURCE.exercises.values():
        exec(exercise.solution, names)
    return names


# Right answers that look nothing like the reference.
ALTERNATIVE = """
import keras

def dense_connections(h, w, c, units, bias=False):
    layer = keras.layers.Dense(units, use_bias=bias)
    layer.build((None, h * w * c))
    return layer.count_params()

def shared_params(k, c_in, maps):
    layer = keras.layers.Conv2D(maps, k)
    layer.build((None, 99, 99, c_in))
    return layer.count_params()

def bar_filter(n, angle):
    middle, odd = divmod(n, 2)
    if not odd:
        raise ValueError(n)
    turn = np.exp(-1j * np.deg2rad(angle))
    rows = [[(x - 1j * y) * turn for x in range(-middle, middle + 1)]
            for y in range(-middle, middle + 1)]
    return np.array([[abs(z.imag) < 0.500000001 for z in row] for row in rows], np.float32)

def train_perceptron(X, y, epochs, seed):
    order = np.random.default_rng(seed)
    w, b = np.zeros(X.shape[1]), 0
    for _ in range(epochs):
        sequence = list(range(len(X)))
        order.shuffle(sequence)
        for i in sequence:
            if (X[i] @ w + b > 0) != bool(y[i]):
                step = 1 if y[i] else -1
                w, b = w + step * X[i], b + step
    return [*w, b], np.float64(np.mean((X @ w + b > 0) == y))
"""


@pytest.fixture(scope="module")
def namespaces():
    ours = solutions()
    alternative = {k: v for k, v in ours.items() if k not in SOURCE.exercises}
    exec(ALTERNATIVE, alternative)
    return ours, alternative


@pytest.mark.parametrize("name", SOURCE.exercises)
def test_another_right_answer_passes_every_probe(name, namespaces):
    ours, alternative = namespaces
    _, pairs = build.reference(SOURCE.exercises[name], ours)
    for probe, value in pairs:
        given_value = decode(evaluate(probe, alternative).value)
        assert equal(decode(value), given_value, probe.tolerance), probe.expression


@pytest.mark.parametrize("accuracy", ["0.5", "float(np.mean(np.asarray(y) == 0))"])
def test_weights_that_stay_at_zero_earn_nothing(accuracy, namespaces):
    ours, _ = namespaces
    lazy = f"def train_perceptron(X, y, *_):\n    return np.zeros(X.shape[1] + 1), {accuracy}"
    names = dict(ours)
    exec(lazy, names)
    _, pairs = build.reference(SOURCE.exercises["train_perceptron"], ours)
    for probe, value in pairs:
        given_value = decode(evaluate(probe, names).value)
        assert not equal(decode(value), given_value, probe.tolerance), probe.expression


def test_an_order_that_ignores_the_seed_loses_points(namespaces):
    ours, _ = namespaces
    exercise, names = SOURCE.exercises["train_perceptron"], dict(ours)
    exec(exercise.solution.replace("default_rng(seed)", "default_rng(0)"), names)
    lost = [
        probe.expression
        for probe, value in build.reference(exercise, ours)[1]
        if not equal(decode(value), decode(evaluate(probe, names).value), probe.tolerance)
    ]
    assert len(lost) == 1 and "for s in range(8)" in lost[0]


def test_reference_values(namespaces):
    ours, _ = namespaces
    assert ours["dense_connections"](100, 100, 1, 1000) == 10_000_000
    assert ours["dense_connections"](100, 100, 1, 1000, bias=True) == 10_001_000
    assert ours["shared_params"](5, 1, 32) == 832
    for angle, name in ((0, "horizontal_line"), (90, "vertical_line")):
        np.testing.assert_array_equal(ours["bar_filter"](7, angle), preset(name, 7))
    for seed in range(20):
        _, accuracy = ours["train_perceptron"](ours["corners"], ours["AND"], 100, seed)
        assert accuracy == 1
        _, accuracy = ours["train_perceptron"](ours["corners"], ours["XOR"], 100, seed)
        assert accuracy <= 0.75


def test_points_and_mistakes():
    points = {name: exercise.points for name, exercise in SOURCE.exercises.items()}
    assert points == {
        "dense_connections": 2,
        "shared_params": 2,
        "bar_filter": 3,
        "train_perceptron": 3,
    }
    assert SOURCE.manual == {"q1_why_convolution": 4, "q_brain": 2}  # a person's, besides the ten
    for exercise in SOURCE.exercises.values():
        hints = {mistake.hint for mistake in exercise.mistakes}
        assert len(hints) == len(exercise.mistakes) >= 2


def test_the_release_gives_nothing_away():
    text = RELEASE.read_text("utf-8")
    for secret in ("BEGIN SOLUTION", "probe(", "%%mistake", "MARK SCHEME", "Far fewer parameters"):
        assert secret not in text
    assert text.count("raise NotImplementedError()") >= len(SOURCE.exercises)


def test_the_demos_are_islands_with_alternative_text():
    shown = "".join(stored.html(CHAPTER.cells))
    for name in ("cortex", "ladder", "neighbours"):
        assert f'data-esm="{name}"' in shown
    assert shown.count("<img") == shown.count('<img alt="')
