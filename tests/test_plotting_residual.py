"""Residual networks drawn: every layer and skip is there, dashed where the graph projects."""

import keras
import pytest
from cnncourse import anatomy, architectures, plotting
from cnncourse.layers import BottleneckUnit, ResidualUnit
from matplotlib.patches import Circle, FancyArrowPatch, FancyBboxPatch, Rectangle
from matplotlib.text import Text


def of_kind(fig, kind):
    return [patch for ax in fig.axes for patch in ax.patches if isinstance(patch, kind)]


def dashed(skip):
    return skip.get_linestyle() not in ("-", "solid")


def texts(fig):
    return [text for ax in fig.axes for text in ax.texts if type(text) is Text]


def assert_nothing_overlaps(fig):
    fig.canvas.draw()
    boxes = [(t.get_text(), t.get_window_extent()) for t in texts(fig)]
    pairs = [(a, b) for i, (a, x) in enumerate(boxes) for b, y in boxes[:i] if x.overlaps(y)]
    assert pairs == []
    assert all(fig.bbox.x0 <= box.x0 and box.x1 <= fig.bbox.x1 for _, box in boxes)


def test_every_layer_has_a_box_and_every_unit_a_skip():
    network = architectures.resnet34(input_shape=(64, 64, 3), classes=10)
    units = [layer for layer in network.layers if isinstance(layer, ResidualUnit)]
    projected = [i for i, unit in enumerate(units) if unit.skip]  # the layers' own word
    assert projected == [3, 7, 13]
    fig = plotting.skips(anatomy.steps(network), "ResNet-34")
    lines = of_kind(fig, FancyArrowPatch)
    assert [i for i, line in enumerate(lines) if dashed(line)] == projected
    assert len(lines) == len(of_kind(fig, Circle)) == 16
    boxes = of_kind(fig, FancyBboxPatch)
    assert len(boxes) == 34 + 2, "the two poolings besides"
    assert len({round(box.get_x(), 3) for box in boxes}) == 4, "a column for each size"
    words = [text.get_text() for text in texts(fig)]
    assert [w for w in words if w.count("×") == 2 and "conv" not in w] == [
        f"{side} × {side} × {64 * 2**i}" for i, side in enumerate((16, 8, 4, 2))
    ]
    assert words.count("Dense 10") == words.count("global avg pool") == 1
    assert_nothing_overlaps(fig)


def test_bottlenecks_have_three_boxes():
    units = [BottleneckUnit(4), BottleneckUnit(4), BottleneckUnit(8, strides=2)]
    network = keras.Sequential([keras.Input((8, 8, 16)), *units])
    fig = plotting.skips(anatomy.steps(network))
    assert [dashed(line) for line in of_kind(fig, FancyArrowPatch)] == [False, False, True]
    kernels = [t.get_text()[:8] for t in texts(fig) if "conv " in t.get_text()]
    assert kernels == ["1×1 conv", "3×3 conv", "1×1 conv"] * 3


def test_a_projection_where_only_the_maps_change_is_dashed_too():
    network = keras.Sequential([keras.Input((8, 8, 3)), ResidualUnit(4), ResidualUnit(4)])
    fig = plotting.skips(anatomy.steps(network))
    assert [dashed(line) for line in of_kind(fig, FancyArrowPatch)] == [True, False]


def test_a_network_without_skips_is_refused():
    network = keras.Sequential([keras.Input((8, 8, 3)), keras.layers.Conv2D(4, 3)])
    with pytest.raises(ValueError, match="steps has no unit with an addition; accepted"):
        plotting.skips(anatomy.steps(network))


ROWS = {"plain": [1, 0.9, 0, 0], "residual": [1, 1.2, 1.25, 2]}


def tallest(fig):
    return max(bar.get_height() for bar in of_kind(fig, Rectangle) if bar.get_width() < 0.3)


def test_signals_show_who_sleeps_and_what_arrives():
    fig = plotting.signals(ROWS, asleep=[2])
    assert tallest(plotting.signals(ROWS, full=4)) == pytest.approx(tallest(fig) / 2)
    words = [[t.get_text() for t in ax.texts] for ax in fig.axes]
    assert words[0] == ["plain", "1.00", "0.90", "0", "0", "1", "asleep", "3"]
    assert words[1] == ["residual", "1.00", "1.20", "1.25", "2.00", "1", "asleep", "3"]
    hatched = [[p.get_hatch() for p in ax.patches if isinstance(p, Rectangle)] for ax in fig.axes]
    assert hatched == [[None] * 5 + ["////", None]] * 2, "four bars, then three blocks"
    for ax, values in zip(fig.axes, ROWS.values(), strict=True):
        bars = [p.get_height() for p in ax.patches if isinstance(p, Rectangle)][:4]
        assert bars == pytest.approx([bars[0] * value for value in values])
    skips = [sum(isinstance(p, FancyArrowPatch) for p in ax.patches) for ax in fig.axes]
    assert skips == [0, 3]
    dotted = [[line.get_linestyle() == ":" for line in ax.lines] for ax in fig.axes]
    assert dotted == [[False, False, True, True], [False] * 4]
    assert_nothing_overlaps(fig)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (({},), r"rows has \[\] values; accepted: equally many, two at least"),
        (({"plain": [1]},), r"rows has \[1\] values"),
        (({"plain": [1, 2], "residual": [1]},), r"rows has \[2, 1\] values"),
        ((ROWS, [4]), "asleep has 4; accepted: numbers from 1 to 3"),
        ((ROWS, [0]), "asleep has 0; accepted"),
    ],
)
def test_what_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        plotting.signals(*arguments)
