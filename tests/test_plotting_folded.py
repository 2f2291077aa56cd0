"""The folded stack: every layer of a network has its box, and no two texts overlap."""

import keras
import pytest
from cnncourse import anatomy, plotting
from cnncourse.layers import InceptionModule
from keras import layers
from matplotlib.patches import FancyBboxPatch, Polygon
from matplotlib.text import Annotation


@pytest.fixture(scope="module")
def steps():
    net = keras.Sequential(
        [
            keras.Input((16, 16, 3)),
            layers.Conv2D(8, 3, strides=2, padding="same", activation="relu", name="first"),
            InceptionModule((1, 2, 3, 4, 5, 6), name="inception_a"),
            InceptionModule((6, 5, 4, 3, 2, 1), name="inception_b"),
            layers.GlobalAveragePooling2D(),
            layers.Dense(10, activation="softmax"),
        ]
    )
    return anatomy.steps(net)


def written(fig):
    kept = [text for text in fig.axes[0].texts if not isinstance(text, Annotation)]
    return kept, [text.get_text() for text in kept]


@pytest.mark.parametrize("columns", [1, 2, 3, 5])
def test_every_layer_and_module_is_a_box(steps, columns):
    fig = plotting.folded(steps, columns, "A network")
    texts, words = written(fig)
    assert words == [
        *("3×3 conv 8 /2 · ReLU", "8 × 8 × 8 · 224 par."),
        *("inception a", "8 × 8 × 15 · 679 par."),
        *("inception b", "8 × 8 × 13 · 576 par."),
        *("global avg pool", "13"),
        *("Dense 10 · softmax", "10 · 140 par."),
    ]
    patches = fig.axes[0].patches
    boxes = [p for p in patches if isinstance(p, FancyBboxPatch)]
    assert len(boxes) == 5
    assert sum(isinstance(p, Polygon) for p in patches) == 2, "one spinning top for each module"
    assert len({round(box.get_x(), 3) for box in boxes}) == columns
    fig.canvas.draw()
    extents = [text.get_window_extent() for text in texts]
    assert not any(a.overlaps(b) for i, a in enumerate(extents) for b in extents[:i])
    for text, box in zip(texts, [box for box in boxes for _ in range(2)], strict=True):
        inside, outside = text.get_window_extent(), box.get_window_extent()
        assert outside.x0 < inside.x0 and inside.x1 < outside.x1


def test_modules_have_all_their_parameters(steps):
    for words, six, channels in (
        ("679", (1, 2, 3, 4, 5, 6), 8),
        ("576", (6, 5, 4, 3, 2, 1), 15),
    ):
        layer = InceptionModule(six)
        layer.build((None, 8, 8, channels))
        assert layer.count_params() == int(words)


def test_bad_arguments_are_named(steps):
    with pytest.raises(ValueError, match="steps is empty"):
        plotting.folded([])
    with pytest.raises(ValueError, match="columns is 0; accepted: a positive integer"):
        plotting.folded(steps, 0)
