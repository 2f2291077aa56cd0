"""Chapter 01's drawings show what they are given."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from cnncourse import plotting
from matplotlib.patches import Circle


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


def test_five_dashed_fields_and_seven_neurons():
    (ax,) = plotting.receptive_fields().axes
    circles = [p for p in ax.patches if isinstance(p, Circle)]
    dashed = [c for c in circles if c.get_linestyle() == "--"]
    assert len(dashed) == 5 and len(circles) - len(dashed) == 5 + 2


def test_both_chains_are_named_in_order():
    (ax,) = plotting.stages().axes
    words = [text.get_text() for text in ax.texts if text.get_text()]
    for chain in (
        ["image", "filter", "scale", "filter", "scale", "classify", "label"],
        ["image", "convolution", "pooling", "convolution", "pooling", "dense", "label"],
    ):
        assert any(words[i : i + 7] == chain for i in range(len(words)))


def test_sprite_rows_and_neighbours_keep_their_places():
    pictures = np.arange(6 * 4, dtype="uint8").reshape(6, 2, 2)
    fig = plotting.sprite_rows([pictures[:3], pictures[3:]], ["a", "b"])
    drawn = [ax.images[0].get_array() for ax in fig.axes]
    np.testing.assert_array_equal(drawn, pictures)
    with pytest.raises(ValueError, match="1 titles for 2 rows; accepted: one each"):
        plotting.sprite_rows([pictures, pictures], ["a"])
    fig = plotting.neighbour_pairs(pictures[:3], pictures[3:], ["x", "y", "z"])
    np.testing.assert_array_equal([ax.images[0].get_array() for ax in fig.axes], pictures)
    assert [ax.get_xlabel() for ax in fig.axes[3:]] == ["x", "y", "z"]


def test_accuracies_are_means_with_their_range():
    runs = {"one": {"A": [0.5, 0.7], "B": [1.0, 1.0]}, "two": {"A": [0.2, 0.4], "B": [0.9, 0.7]}}
    (ax,) = plotting.accuracy_ladder(runs).axes
    markers = [line for line in ax.lines if line.get_marker() != "None"]
    means = [float(np.squeeze(line.get_ydata())) for line in markers]
    np.testing.assert_allclose(means, [60, 100, 30, 80])
    ranges = [list(line.get_ydata()) for line in ax.lines if len(line.get_xdata()) == 2]
    for expected in ([50, 70], [100, 100], [20, 40], [70, 90]):
        assert any(np.allclose(found, expected) for found in ranges)
    assert [t.get_text() for t in ax.get_legend().get_texts()] == ["A", "B"]


def test_tuning_curves_are_the_answers():
    x, curves = np.arange(4), {"a": np.arange(4) ** 2, "b": np.ones(4)}
    (ax,) = plotting.tuning_curves(x, curves, "angle").axes
    for line, answers in zip(ax.lines, curves.values(), strict=True):
        np.testing.assert_array_equal(line.get_ydata(), answers)
    assert ax.get_xlabel() == "angle"
