"""DropoutDemo, BatchNormDemo, LossCurveDemo, AugmentDemo: Python against the definitions."""

import importlib

import numpy as np
import pytest
from cnncourse import scratch
from cnncourse.demos import AugmentDemo, BatchNormDemo, DropoutDemo, LossCurveDemo
from cnncourse.demos.augment import SIDE, flower
from cnncourse.demos.batch_norm import histogram
from cnncourse.demos.dropout import ACTIVATIONS
from cnncourse.demos.loss_curve import DIAGNOSES, cases
from cnncourse.demos.random import uniforms
from cnncourse.paths import course_root
from scipy import ndimage, stats
from traitlets import TraitError


def test_uniforms_are_uniform_and_repeat():
    drawn = uniforms(7, 5000)
    assert stats.kstest(drawn, "uniform").pvalue > 0.01
    np.testing.assert_array_equal(drawn[:10], uniforms(7, 10))
    assert not np.array_equal(uniforms(8, 10), drawn[:10])
    assert (uniforms(2**31 + 5, 50) < 1).all()


@pytest.mark.parametrize(("scaling", "expected"), [("inverted", 1), ("classic", 0.7), ("none", 1)])
def test_dropout_demo_at_prediction(scaling, expected):
    demo = DropoutDemo(rate=30, scaling=scaling, phase="prediction")
    np.testing.assert_allclose(demo.output, expected * np.array(ACTIVATIONS))


@pytest.mark.parametrize("rate", [0, 30, 90])
def test_dropout_demo_drops_and_divides(rate):
    demo = DropoutDemo(rate=rate)
    ratios = np.unique(np.round(demo.output / ACTIVATIONS, 6))
    assert set(ratios) <= {0, round(100 / (100 - rate), 6)}
    dropped = np.mean([(demo.trained(n) == 0).mean() for n in range(1, 301)])
    assert dropped == pytest.approx(rate / 100, abs=0.03)


def test_in_the_long_run_training_and_prediction_agree():
    for scaling in ("inverted", "classic"):
        demo = DropoutDemo(rate=50, scaling=scaling, draw=300)
        assert demo.running_mean[-1] == pytest.approx(demo.predicted.mean(), abs=0.02)
        assert len(demo.running_mean) == 300
    forgotten = DropoutDemo(rate=50, scaling="none", draw=300)
    assert forgotten.running_mean[-1] < 0.6 * forgotten.predicted.mean()


@pytest.mark.parametrize("batch", ["four", "many"])
@pytest.mark.parametrize("phase", ["training", "inference"])
def test_batch_norm_demo_is_scratch(batch, phase):
    demo = BatchNormDemo(
        batch=batch, stretch=2, shift=-3, last=5, gamma=0.5, beta=1, phase=phase, steps=7
    )
    mean, variance = [0.0], [1.0]
    usual = demo.usual[:, None]
    for _ in range(7):
        _, m, v = scratch.batch_norm(usual, [1.0], [0.0])
        mean, variance = scratch.update_moving(mean, m), scratch.update_moving(variance, v)
    np.testing.assert_allclose(demo.moving, [mean[0], variance[0]], rtol=1e-6)
    x = demo.values[:, None]
    if phase == "training":
        expected = scratch.batch_norm(x, [0.5], [1.0])[0]
    else:
        expected = scratch.batch_norm_inference(x, [0.5], [1.0], mean, variance)
    np.testing.assert_allclose(demo.output, expected[:, 0], rtol=1e-6)


def test_the_histogram_counts_every_value_in_its_half_unit():
    counts = histogram(np.array([-12.0, -10.0, -0.25, 0.0, 0.25, 9.9, 40.0]))
    assert {b: n for b, n in enumerate(counts.tolist()) if n} == {0: 2, 19: 1, 20: 2, 39: 2}
    demo = BatchNormDemo(batch="many", stretch=2)
    rows = [histogram(row) for row in (demo.values, demo.normal, demo.output)]
    assert [row.sum() for row in rows] == [32, 32, 32]
    assert np.count_nonzero(rows[0]) > np.count_nonzero(rows[1])  # normalised, they are narrower


def test_a_mean_of_nearly_zero_has_no_sign_in_words():
    demo = BatchNormDemo(batch="many", stretch=2, gamma=-1)
    assert -0.005 < min(demo.normal.mean(), demo.output.mean()) < 0
    assert demo.still()[1].count("with mean 0.00") == 2


def test_one_value_moves_the_others_in_training_only():
    for phase, moves in (("training", True), ("inference", False)):
        still, moved = (BatchNormDemo(phase=phase, last=last).output[:-1] for last in (0, 4))
        assert np.allclose(still, moved) != moves


def test_loss_curves_show_what_they_are_said_to_show():
    demos = [LossCurveDemo(case=n) for n in range(6)]
    by_name = {}
    for demo in demos:
        by_name.setdefault(demo.chosen["diagnosis"], []).append(demo)
        assert demo.chosen["diagnosis"] in DIAGNOSES and len(demo.chosen["remedy"]) > 30
        assert len(demo.chosen["training"]) == len(demo.chosen["validation"]) == 40
    assert set(by_name) == set(DIAGNOSES)
    good = by_name["good"][0].summary
    worse, better = (d.summary for d in by_name["overfit"])
    assert abs(good["gap"]) < 0.15
    assert worse["training"] < 0.1 and worse["gap"] > 0.5 and worse["epoch"] < 30
    assert better["gap"] < worse["gap"] and better["validation"] < worse["validation"]
    under = by_name["underfit"][0].summary
    assert under["training"] > 3 * good["training"] and under["gap"] < 0.3
    small = np.array(by_name["too small"][0].chosen["training"])
    assert (np.diff(small) < 0).mean() > 0.95 and small[-1] > 1.5
    large = by_name["too large"][0].chosen
    assert np.abs(np.diff(large["validation"])).mean() > 0.03
    assert large["accuracy"] < by_name["good"][0].chosen["accuracy"] - 0.2


def test_the_stored_curves_are_of_the_benchmarks_settings(monkeypatch):
    monkeypatch.syspath_prepend(course_root() / "benchmarks")
    benchmark = importlib.import_module("loss_curves")
    keys = ("diagnosis", "images", "hidden", "learning_rate", "dropout", "l2", "remedy")
    settings = [tuple(case[key] for key in keys) for case in cases()]
    assert settings == benchmark.RUNS
    assert {(case["noise"], case["batch"], len(case["training"])) for case in cases()} == {
        (benchmark.NOISE, benchmark.BATCH, benchmark.EPOCHS)
    }


def test_a_guess_is_right_or_not():
    demo = LossCurveDemo(case=0)
    assert not demo.right
    demo.guess = demo.chosen["diagnosis"]
    assert demo.right
    with pytest.raises(TraitError):
        demo.guess = "perfect"


def test_augment_demo_without_changes_is_the_flower():
    demo = AugmentDemo(rotation=0, shift=0, zoom=0, contrast=0, flip=False)
    np.testing.assert_allclose(demo.variant(3), flower(), atol=1e-9)


def test_augment_demo_is_scipys_affine_transform():
    demo = AugmentDemo(rotation=40, shift=20, zoom=30, contrast=0, draw=4)
    for n in range(4):
        c = demo.changes(n)
        a, middle = np.deg2rad(c["angle"]), (SIDE - 1) / 2
        mirror = -1 if c["flipped"] else 1
        matrix = np.array([[np.cos(a), np.sin(a)], [-mirror * np.sin(a), mirror * np.cos(a)]])
        matrix /= c["zoom"]
        centre = np.array([middle, middle])
        offset = centre - matrix @ (centre + np.array([c["down"], c["right"]]))
        planes = [
            ndimage.affine_transform(flower()[..., k].astype(float), matrix, offset, order=1)
            for k in range(3)
        ]
        inside = ndimage.affine_transform(np.ones((SIDE, SIDE)), matrix, offset, order=1) == 1
        difference = np.abs(demo.variant(n) - np.stack(planes, axis=-1))[inside]
        assert inside.mean() > 0.2 and difference.max() < 1e-6


def test_augment_demo_stays_within_the_changes_asked_for():
    demo = AugmentDemo(rotation=20, shift=10, zoom=5, contrast=50)
    drawn = [demo.changes(n) for demo.draw in range(1, 51) for n in range(8)]
    assert 18 < max(abs(c["angle"]) for c in drawn) <= 20
    assert 6 < max(abs(c["down"]) for c in drawn) <= 6.4
    assert 0.95 <= min(c["zoom"] for c in drawn) < 0.96
    assert 1.45 < max(c["contrast"] for c in drawn) <= 1.5
    assert np.mean([c["flipped"] for c in drawn]) == pytest.approx(0.5, abs=0.08)


def test_augment_demo_adds_white_noise():
    demo = AugmentDemo(rotation=0, shift=0, zoom=0, contrast=0, flip=False, noise=20)
    middle = (flower() > 80) & (flower() < 175)  # far from black and white, where it is cut off
    noise = (demo.variant(0) - flower())[middle]
    assert noise.std() == pytest.approx(20, abs=0.7) and abs(noise.mean()) < 1
    assert np.abs(demo.variant(0) - demo.variant(1)).mean() > 10


def test_the_still_of_the_loss_curves_tells_them_apart_without_colour():
    """Training is one piece, validation is dashed."""
    picture = LossCurveDemo().still()[0].astype(int)
    pieces = {}
    for name, colour in (("training", "#0072b2"), ("validation", "#d55e00")):
        rgb = [int(colour[i : i + 2], 16) for i in (1, 3, 5)]
        columns = np.flatnonzero(np.abs(picture - rgb).sum(axis=2).min(axis=0) == 0)
        pieces[name] = 1 + np.sum(np.diff(columns) > 1)
    assert pieces["training"] == 1 and pieces["validation"] > 5


@pytest.mark.parametrize("make", [AugmentDemo, BatchNormDemo, DropoutDemo, LossCurveDemo])
def test_islands_are_small_and_say_what_they_show(make):
    island = make().island()
    assert island == make().island() and len(island) < 60_000
    picture, alt = make().still()
    assert picture.dtype == np.uint8 and len(alt.split()) > 8
