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
    (ax,) = plotting.points(groups).axes
    np.testing.assert_array_equal(ax.lines[0].get_xydata(), groups["one"])
    assert [line.get_label() for line in ax.lines] == ["one", "two"]
    assert len({line.get_marker() for line in ax.lines}) == 2


@pytest.mark.parametrize(
    ("function", "given", "message"),
    [
        ("histograms", {}, "values is empty"),
        ("points", {}, "groups has 0; accepted: 1 to 4"),
        ("points", {"a": np.zeros(3)}, r"'a' has shape \(3,\)"),
    ],
)
def test_bad_input_is_refused(function, given, message):
    with pytest.raises(ValueError, match=message):
        getattr(plotting, function)(given)
