"""The drawings of networks: what they say is what the network is, and no two texts overlap."""

import keras
import pytest
from cnncourse import anatomy, architectures, plotting
from cnncourse.layers import InceptionModule, ResidualUnit, ResNeXtUnit
from keras import layers
from matplotlib.patches import FancyBboxPatch, Rectangle


@pytest.fixture(scope="module")
def stages():
    return anatomy.stages(architectures.resnet34())


def texts(fig):
    return [text.get_text() for text in fig.axes[0].texts]


def overlapping(fig):
    fig.canvas.draw()
    boxes = [(t.get_text(), t.get_window_extent()) for t in fig.axes[0].texts]
    return [
        (a, b) for i, (a, box) in enumerate(boxes) for b, other in boxes[:i] if box.overlaps(other)
    ]


def test_a_network_is_a_row_for_each_stage(stages):
    fig = plotting.network(stages, "ResNet-34")
    rows = ["conv2", "56 × 56 × 64", "223 K", "694 M", "16.8 MiB", "59 px"]
    written = texts(fig)
    at = written.index("conv2")
    assert written[at : at + 6] == rows
    assert written[-4:] == ["together", "21.8 M", "3.66 G", "48.1 MiB"]
    assert overlapping(fig) == []
    assert fig.get_size_inches()[0] == 7.6
    assert fig.axes[0].get_title() == "ResNet-34"


def test_bars_are_shares(stages):
    fig = plotting.network(stages)
    bars = [p for p in fig.axes[0].patches if isinstance(p, Rectangle) and p.get_linewidth() == 0]
    share = {k: [bar.get_width() for bar in bars[k::3]] for k in range(3)}
    for k, name in enumerate(("parameters", "macs", "activation_bytes")):
        values = [getattr(stage, name) for stage in stages]
        expected = [value / sum(values) for value in values]
        assert share[k] == pytest.approx([e * sum(share[k]) for e in expected])


def test_steps_can_be_rows_too():
    vgg = architectures.vgg16(input_shape=(32, 32, 3), classes=10)
    fig = plotting.network(anatomy.steps(vgg))
    assert {"block1_conv1", "fc1", "predictions"} <= {*texts(fig)}
    assert overlapping(fig) == []


def test_a_block_is_a_graph_of_boxes():
    inputs = keras.Input((56, 56, 64))
    unit = keras.Model(inputs, ResidualUnit(128, strides=2)(inputs))
    fig = plotting.block(anatomy.steps(unit))
    boxes = [p for p in fig.axes[0].patches if isinstance(p, FancyBboxPatch)]
    assert len(boxes) == 5  # input, three convolutions, the addition
    written = texts(fig)
    assert written[0] == "input"
    assert sum("conv" in text for text in written) == 3
    assert "+ · ReLU" in written
    assert overlapping(fig) == []
    low, high = (boxes[i].get_y() for i in (-1, 0))
    assert low > high  # the axis points down: the result stands below the input


def test_paths_meet_and_nothing_overlaps_in_a_wide_block():
    x = inputs = keras.Input((8, 8, 16))
    for _ in range(4):  # a dense block: each layer reads everything before it
        x = layers.Concatenate()([x, layers.Conv2D(4, 3, padding="same")(x)])
    branches = [layers.Conv2D(4, k, padding="same", activation="relu")(x) for k in (1, 3, 5, 7)]
    fig = plotting.block(anatomy.steps(keras.Model(inputs, layers.Concatenate()(branches))))
    assert overlapping(fig) == []
    boxes = [p.get_bbox() for p in fig.axes[0].patches if isinstance(p, FancyBboxPatch)]
    assert not [1 for i, a in enumerate(boxes) for b in boxes[:i] if a.overlaps(b)]
    assert len(boxes) == 1 + 4 * 2 + 4 + 1


def letters(fig):
    """Return the smallest letters' size in pixels where the figure is at most 684 pixels wide."""
    shrunk = min(1, 684 / (90 * fig.get_size_inches()[0]))
    return min(text.get_fontsize() for text in fig.axes[0].texts) * 90 / 72 * shrunk


def test_letters_are_readable_at_the_book_s_width(stages):
    """`tests/test_book.py` checks that no figure is shown smaller."""
    inputs = keras.Input((28, 28, 192))
    module = keras.Model(inputs, InceptionModule((64, 96, 128, 16, 32, 32))(inputs))
    unit = keras.Model(inputs, ResNeXtUnit(128)(inputs))  # has a box with long words
    net = architectures.googlenet(input_shape=(64, 64, 3))
    assert letters(plotting.network(stages)) > 11
    for part in (module, unit):
        fig = plotting.block(anatomy.steps(part))
        assert letters(fig) > 8.9
        assert overlapping(fig) == []
    assert letters(plotting.folded(anatomy.steps(net), columns=3)) > 9


@pytest.mark.parametrize("draw", [plotting.network, plotting.block])
def test_nothing_to_draw(draw):
    with pytest.raises(ValueError, match="is empty"):
        draw([])
