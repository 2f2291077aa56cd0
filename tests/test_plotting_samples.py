"""Histograms and points: what they show is what was given."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from cnncourse import plotting


@pytest.fixture(autouse=True)
def _close():
    yield
    plt.close("all")


def test_histograms_share_a_scale_and_count_all():
    arrays = {"a": np.arange(10.0), "b": np.full((3, 4), 20.0)}
    fig = plotting.histograms(arrays, bins=5)
    counts = [sum(bar.get_height() for bar in ax.patches) for ax in fig.axes]
    assert counts == [10, 12]
    assert fig.axes[0].get_xlim() == fig.axes[1].get_xlim()
    assert fig.axes[0].get_title() == "a\nmean 4.50, deviation 2.87"


def test_points_are_drawn_where_they_are():
    groups = {"one": np.array([[1, 2], [3, 4]]), "two": np.zeros((5, 2))}
    (ax,) = plotting.points(groups, ("x", "y")).axes
    np.testing.assert_array_equal(ax.lines[0].get_xydata(), groups["one"])
    assert [line.get_label() for line in ax.lines] == ["one", "two"]
    assert len({line.get_marker() for line in ax.lines}) == 2
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("x", "y")


def test_run_curves_are_the_mean_and_the_range_of_the_runs():
    runs = {"two seeds": [[1, 2, 3], [3, 2, 5]], "one run": [4, 4]}
    (ax,) = plotting.run_curves(runs, "epoch", "loss").axes
    np.testing.assert_array_equal(ax.lines[0].get_xydata(), [[1, 2], [2, 2], [3, 4]])
    np.testing.assert_array_equal(ax.lines[1].get_xydata(), [[1, 4], [2, 4]])
    assert len({line.get_linestyle() for line in ax.lines}) == 2  # not by colour alone
    (band,) = ax.collections  # none for a single run
    corners = {tuple(corner) for corner in band.get_paths()[0].vertices}
    assert corners == {(1, 1), (1, 3), (2, 2), (3, 3), (3, 5)}
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("epoch", "loss")


@pytest.mark.parametrize(
    ("function", "given", "message"),
    [
        ("histograms", [{}], "values is empty"),
        ("points", [{}, "xy"], "groups has 0; accepted: 1 to 4"),
        ("points", [{"a": np.zeros(3)}, "xy"], r"'a' has shape \(3,\)"),
    ],
)
def test_bad_input_is_refused(function, given, message):
    with pytest.raises(ValueError, match=message):
        getattr(plotting, function)(*given)


def test_run_curves_want_one_to_four_names_with_values():
    for runs in ({}, {"a": []}, {str(n): [1] for n in range(5)}):
        with pytest.raises(ValueError, match=r"runs holds \[.*; accepted: 1 to 4 names"):
            plotting.run_curves(runs, "epoch", "loss")
