"""Threshold units: against scikit-learn, against Boolean algebra, and where they must fail."""

import itertools

import numpy as np
import pytest
from cnncourse.scratch import threshold_vote, train_madaline, train_perceptron
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.datasets import make_blobs
from sklearn.linear_model import Perceptron

CORNERS = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])
XOR = np.array([0, 1, 1, 0])


@pytest.mark.parametrize("truth", list(itertools.product([0, 1], repeat=4)))
def test_all_two_input_functions_but_xor_are_learnt(truth):
    truth = np.array(truth)
    weights, accuracy = train_perceptron(CORNERS, truth, epochs=100)
    if truth.tolist() in (XOR.tolist(), (1 - XOR).tolist()):
        assert accuracy <= 0.75
    else:
        assert accuracy == 1
    assert accuracy == np.mean(((CORNERS @ weights[:2] + weights[2]) > 0) == truth)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 1000), st.integers(1, 6))
def test_separable_points_are_separated_as_by_scikit_learn(seed, features):
    centers = np.stack([-5.0 * np.ones(features), 5.0 * np.ones(features)])
    x, y = make_blobs(60, features, centers=centers, random_state=seed)
    theirs = Perceptron(tol=None, max_iter=60, random_state=0).fit(x, y)
    weights, accuracy = train_perceptron(x, y, epochs=60, seed=seed)
    assert accuracy == theirs.score(x, y) == 1
    assert weights.shape == (features + 1,)


def test_one_epoch_by_hand():
    x, y = np.array([[2.0, -1.0]]), [1]
    weights, accuracy = train_perceptron(x, y, epochs=1)
    np.testing.assert_array_equal(weights, [2, -1, 1])  # wrong at first (0 is no yes): add it
    assert accuracy == 1
    weights, _ = train_perceptron(x, [0], epochs=2)
    np.testing.assert_array_equal(weights, [-2, 1, -1])  # subtracted once, then right


def test_the_seed_decides():
    x, y = make_blobs(80, 3, centers=2, random_state=3)
    for train in (train_perceptron, train_madaline):
        first, again, other = (train(x, y, epochs=3, seed=s)[0] for s in (1, 1, 2))
        np.testing.assert_array_equal(first, again)
        assert not np.array_equal(first, other)


def test_madaline_learns_xor_and_its_majority_counts():
    weights, accuracy = train_madaline(CORNERS, XOR, units=3, epochs=100)
    assert weights.shape == (3, 3) and accuracy == 1
    votes = (CORNERS @ weights[:2] + weights[2] > 0).sum(axis=1)
    np.testing.assert_array_equal(votes >= 2, XOR.astype(bool))
    np.testing.assert_array_equal(threshold_vote(CORNERS, weights), XOR)


def test_madaline_pushes_a_wrong_unit_half_way_to_the_right_answer():
    x = np.array([[30.0, -40.0]])
    before = np.random.default_rng(5).normal(0, 3**-0.5, (3, 1))
    for label, sign in ((0, -1), (1, 1)):
        after, _ = train_madaline(x, [label], units=1, epochs=1, seed=5)
        old, new = (float(x[0] @ w[:2, 0] + w[2, 0]) for w in (before, after))
        wrong = old * sign <= 0
        assert new == pytest.approx((old + sign) / 2 if wrong else old)
        assert not wrong or new * sign < 0  # still wrong: half-way from so far is not enough


def test_no_unit_can_do_xor():
    rng = np.random.default_rng(0)
    weights = rng.normal(size=(3, 20_000))
    right = ((CORNERS @ weights[:2] + weights[2] > 0) == XOR[:, None].astype(bool)).mean(axis=0)
    assert right.max() == 0.75


@pytest.mark.parametrize("train", [train_perceptron, train_madaline])
def test_bad_input_is_named(train):
    with pytest.raises(ValueError, match=r"y holds \[2\]; accepted: 0 and 1"):
        train(CORNERS, [0, 1, 2, 1], epochs=1)
    for labels in ([0, 1, 1], XOR[:, None], 1):  # a column would be compared with a row
        with pytest.raises(ValueError, match=r"y has shape \(.*\); accepted: \(4,\), a label"):
            train(CORNERS, labels, epochs=1)
    for x in (CORNERS[0], CORNERS[None], np.zeros((0, 2)), 3):
        with pytest.raises(ValueError, match=r"x has shape \(.*\); accepted: \(number, features\)"):
            train(x, np.zeros(len(np.atleast_1d(x))), epochs=1)
    for epochs in (-1, 0, 1.5):
        with pytest.raises(ValueError, match=f"epochs is {epochs}; accepted: a positive integer"):
            train(CORNERS, XOR, epochs=epochs)
    with pytest.raises(ValueError, match="units is 4; accepted: an odd number"):
        train_madaline(CORNERS, XOR, units=4)
