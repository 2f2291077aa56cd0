"""Drawn trees and cars: exact labels, as varied as asked for, and no more."""

import numpy as np
import pytest
from cnncourse.datasets import sprites
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage


@settings(max_examples=15, deadline=None)
@given(
    st.integers(0, 12), st.integers(1, 3), st.floats(0, 8), st.integers(0, 10), st.integers(0, 9)
)
def test_shape_balance_and_repeatability(number, kinds, shift, clutter, seed):
    options = dict(kinds=kinds, shift=shift, rotation=20, zoom=0.2, clutter=clutter, seed=seed)
    x, y = sprites(number, **options)
    assert x.shape == (number, 32, 32) and x.dtype == np.uint8
    assert y.shape == (number,) and y.dtype == np.int64
    assert int(y.sum()) == number // 2
    again, labels = sprites(number, **options)
    np.testing.assert_array_equal(x, again)
    np.testing.assert_array_equal(y, labels)


def figures(x):
    """Return which pixels are dark: the figure, where paper is bright."""
    return x < 120


def test_cars_are_wide_and_trees_are_tall():
    x, y = sprites(60, seed=1)
    for picture, label in zip(figures(x), y, strict=True):
        rows, columns = np.nonzero(picture)
        wider = np.ptp(columns) > np.ptp(rows)
        assert wider == bool(label)


def test_without_variation_the_figure_stays_in_the_middle():
    x, _ = sprites(40, kinds=1, seed=2)
    centres = np.array([ndimage.center_of_mass(f) for f in figures(x)])
    assert np.ptp(centres, axis=0).max() < 4  # a tree's and a car's mass lie a little apart


def test_shift_moves_and_zoom_grows_as_far_as_told():
    still, labels = sprites(200, kinds=1, seed=3)
    moved, moved_labels = sprites(200, kinds=1, shift=5, seed=3)
    for label in (0, 1):
        here = [ndimage.center_of_mass(f) for f in figures(still[labels == label])]
        there = [ndimage.center_of_mass(f) for f in figures(moved[moved_labels == label])]
        spread = np.abs(np.array(there) - np.mean(here, axis=0)).max(axis=0)
        assert (spread > 3.5).all() and (spread < 6).all()
    grown, grown_labels = sprites(200, kinds=1, zoom=0.5, seed=3)
    areas = figures(grown[grown_labels == 1]).sum(axis=(1, 2))
    steady = figures(still[labels == 1]).sum(axis=(1, 2))
    assert areas.max() > 1.6 * steady.mean() and areas.min() < 0.65 * steady.mean()


def test_rotation_turns_either_way_as_far_as_told():
    x, y = sprites(200, kinds=1, rotation=30, seed=4)
    angles = []
    for picture in figures(x[y == 1]):
        rows, columns = np.nonzero(picture)
        _, vectors = np.linalg.eigh(np.cov(columns, -rows))
        along = vectors[:, 1]
        angles.append(np.rad2deg(np.arctan(along[1] / along[0])))
    assert max(angles) > 20 and min(angles) < -20
    assert np.abs(angles).max() < 45


def test_half_of_the_pictures_become_negatives():
    x, _ = sprites(400, negatives=True, seed=5)
    bright_paper = np.median(x, axis=(1, 2)) > 127
    assert 0.4 < bright_paper.mean() < 0.6
    steady, _ = sprites(400, seed=5)
    assert (np.median(steady, axis=(1, 2)) > 127).all()


def test_clutter_adds_edges():
    def roughness(**options):
        x = sprites(60, seed=6, **options)[0].astype(float)
        return np.abs(np.diff(x, axis=1)).mean()

    assert roughness() < roughness(clutter=6) < roughness(clutter=14)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"kinds": 0}, "kinds is 0; accepted: 1 to 3"),
        ({"kinds": 4}, "kinds is 4; accepted: 1 to 3"),
        ({"shift": -1}, "shift is -1; accepted: 0 or more"),
        ({"zoom": -0.1}, "zoom is -0.1"),
        ({"clutter": -3}, "clutter is -3"),
        ({"rotation": -9}, "rotation is -9"),
        ({"zoom": np.inf}, "zoom is inf; accepted: 0 or more, a finite number"),
        ({"shift": np.nan}, "shift is nan"),
    ],
)
def test_bad_settings_are_named(options, message):
    with pytest.raises(ValueError, match=message):
        sprites(2, **options)
    with pytest.raises(ValueError, match="number is -1"):
        sprites(-1)
