"""Pooling's drawings: what they show is what pooling gives, and bad input is refused."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from cnncourse import plotting, scratch


@pytest.fixture(autouse=True)
def _close():
    yield
    plt.close("all")


def texts(ax):
    return [text.get_text() for text in ax.texts]


def test_number_grids_write_every_value():
    fig = plotting.number_grids([np.array([[1, 2.5]]), np.zeros((2, 2))], ["one", "two"])
    assert [ax.get_title() for ax in fig.axes] == ["one", "two"]
    assert texts(fig.axes[0]) == ["1", "2.5"] and texts(fig.axes[1]) == ["0"] * 4


def test_number_grids_fade_what_is_not_marked():
    fig = plotting.number_grids([np.array([[1, 2]])], ["one"], [np.array([[False, True]])])
    pale, strong = fig.axes[0].texts
    assert pale.get_alpha() < 0.5 and strong.get_alpha() == 1
    assert strong.get_fontweight() == "bold"


def test_strip_ends_with_the_pooled_map():
    x = np.random.default_rng(0).permutation(24).reshape(4, 6).astype(float)
    fig = plotting.pooling_strip(x)
    pooled = scratch.max_pool2d(x[np.newaxis, :, :, np.newaxis]).ravel()
    assert texts(fig.axes[-1]) == [f"{v:.3g}" for v in pooled]
    faded = [t for t in fig.axes[5].texts if t.get_alpha() < 0.5]
    assert len(faded) == 18


@pytest.mark.parametrize("kept", [0, 3])
def test_pairs_mark_the_outputs_that_differ(kept):
    first, second = np.zeros((2, 2)), np.zeros((2, 2))
    second.flat[kept:] = 1
    fig = plotting.pooled_pairs([np.zeros((4, 4))] * 2, [first, second], ["A", "B"])
    crosses = [len(ax.lines) for ax in fig.axes]
    assert sorted(crosses) == [0, 0, 0, 4 - kept]


def test_pooled_rows_show_rows_and_windows():
    fig = plotting.pooled_rows([np.eye(4)[1]], [np.array([1.0, 0.0])], ["spike"])
    assert sorted(texts(fig.axes[0])) == sorted(["0", "1", "0", "0", "1", "0"])


def test_dropped_values_leave_the_survivors():
    image = np.arange(16.0).reshape(4, 4)
    kept = image >= 12
    fig = plotting.dropped_values(image, kept, np.ones((2, 2)))
    shown = fig.axes[1].images[0].get_array()
    np.testing.assert_allclose(shown[kept][:, 0], image[kept] / 15)
    assert len({tuple(colour) for colour in shown[~kept]}) == 1
    assert fig.axes[1].get_title() == "kept: 25%"


def test_response_curves_end_with_the_maximum():
    responses = np.array([[0.1, 0.9], [0.8, 0.2]])
    fig = plotting.response_curves(np.array([0, 1]), responses, ["a", "b"])
    lines = fig.axes[0].lines
    assert [line.get_label() for line in lines] == ["a", "b", "depthwise max"]
    np.testing.assert_array_equal(lines[-1].get_ydata(), [0.9, 0.8])


def test_bad_input_is_refused():
    with pytest.raises(ValueError, match="2 titles"):
        plotting.number_grids([np.ones((2, 2))], ["a", "b"])
    with pytest.raises(ValueError, match=r"shape \(4,\)"):
        plotting.number_grids([np.ones(4)], ["a"])
    with pytest.raises(ValueError, match="pool_size is 3"):
        plotting.pooling_strip(np.ones((4, 4)), 3)
    with pytest.raises(ValueError, match="accepted: one each"):
        plotting.pooled_rows([np.ones(4)], [], ["a"])
    with pytest.raises(ValueError, match="accepted: one each"):
        plotting.pooled_pairs([np.ones((4, 4))], [], ["a"])
