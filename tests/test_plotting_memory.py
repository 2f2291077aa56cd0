"""Drawings of chapter 04: the bars and dots that are drawn are those that the numbers ask for."""

import matplotlib.pyplot as plt
import pytest
from cnncourse import plotting


@pytest.fixture(autouse=True)
def close():
    yield
    plt.close("all")


def test_bars_are_as_long_as_the_bytes():
    fig = plotting.memory_bars(["a", "b"], [3e6, 1e6], [5e5, 4e6])
    bars = fig.axes[0].patches
    assert [bar.get_width() for bar in bars] == [3, 1, 0.5, 4]
    assert [bar.get_x() for bar in bars] == [0, 0, 3, 1]
    assert [text.get_text() for text in fig.axes[0].texts] == ["  3.00 + 0.50", "  1.00 + 4.00"]


def dots(ax):
    return {tuple(int(n) for n in t.get_position()) for t in ax.texts if t.get_text() == "●"}


def test_timeline_shows_what_is_there():
    names, sizes = ["input", "one", "two"], [1e6, 4e6, 2e6]
    fig = plotting.memory_timeline(names, sizes)
    prediction, training, low, high = fig.axes
    assert dots(prediction) == {(0, 0), (0, 1), (1, 1), (1, 2)}
    everything = {(0, 0), (0, 1), (1, 0), (1, 1), (1, 2), (2, 0), (2, 1), (2, 2), (3, 0), (3, 1)}
    assert dots(training) == everything
    assert [bar.get_height() for bar in low.patches] == [5, 6]
    assert [bar.get_height() for bar in high.patches] == [5, 7, 7, 5]
    assert "7.00" in [text.get_text() for text in high.texts]


def test_timeline_up_to_a_step():
    fig = plotting.memory_timeline(["input", "one", "two"], [1e6, 4e6, 2e6], step=2)
    prediction, training, low, high = fig.axes
    assert len(dots(prediction)) == 4 and max(dots(training))[0] == 2
    assert len(low.patches) == 2 and len(high.patches) == 3


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: plotting.memory_bars([], [], []), "names, activations and weights have 0, 0 and"),
        (lambda: plotting.memory_bars(["a"], [1], [1, 2]), "accepted: as many of each"),
        (lambda: plotting.memory_timeline(["a"], [1]), "names has 1 and sizes 1 entries"),
        (lambda: plotting.memory_timeline(["a", "b"], [1]), "accepted: two or more of each"),
        (lambda: plotting.memory_timeline(["a", "b"], [1, 2], 2), "step is 2; accepted: None, or"),
    ],
)
def test_what_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
