"""Figures: alternative text is demanded, bytes are stable, drawings show what they claim."""

import base64
import re

import numpy as np
import pytest
from cnncourse import cost, plotting
from cnncourse.plotting import style
from matplotlib import pyplot as plt

DRAWINGS = {
    "dilated_kernels": plotting.dilated_kernels,
    "images": lambda: plotting.images([np.eye(4), np.zeros((3, 5, 3))], titles=["a", "b"]),
    "kernels": lambda: plotting.kernels([np.eye(3)], ["one"]),
    "local_fields": plotting.local_fields,
    "padded_grid": lambda: plotting.padded_grid(5, 7, 3, 2, 1),
    "padding_rows": lambda: plotting.padding_rows(13, 6, 5, (1, 2)),
    "receptive_field_growth": plotting.receptive_field_growth,
}


@pytest.fixture(autouse=True)
def _style_and_no_figure_left():
    with plt.rc_context():
        plotting.use_style()
        yield
    plt.close("all")


@pytest.fixture
def shown(monkeypatch):
    """Return a function that gives what `show` displays, as {MIME type: text}."""
    displayed = []

    def display(data, raw):
        assert raw  # the data are a MIME bundle, not an object to be formatted
        displayed.append(data)

    def show(fig, alt):
        plotting.show(fig, alt=alt)
        return displayed.pop()

    monkeypatch.setattr(style, "display", display)
    return show


def texts(fig):
    return [text.get_text() for ax in fig.axes for text in (*ax.texts, ax.title, ax._left_title)]


def test_show_stores_a_picture_with_its_text(shown):
    data = shown(plotting.images([np.eye(3)]), 'A diagonal, drawn "white" & <thin>.')
    assert 'alt="A diagonal, drawn &quot;white&quot; &amp; &lt;thin&gt;."' in data["text/html"]
    png = base64.b64decode(re.search(r"base64,([^\"]+)", data["text/html"])[1])
    assert png.startswith(b"\x89PNG")
    assert data["text/plain"].startswith("[Figure: A diagonal")
    assert set(data) == {"text/html", "text/plain"}  # no second copy of the picture


def test_show_closes_the_figure(shown):
    fig = plotting.images([np.eye(3)])
    assert plt.fignum_exists(fig.number)
    shown(fig, "A white diagonal.")
    assert not plt.fignum_exists(fig.number)


@pytest.mark.parametrize("alt", ["", "   ", "figure", "a plot", None, 3])
def test_show_demands_a_sentence(alt):
    with pytest.raises(ValueError, match="accepted: a sentence"):
        plotting.show(plotting.images([np.eye(3)]), alt=alt)


def test_show_demands_a_figure():
    with pytest.raises(TypeError, match="ndarray; accepted: a matplotlib Figure"):
        plotting.show(np.eye(3), alt="A white diagonal.")
    with pytest.raises(TypeError, match="alt"):
        plotting.show(plotting.images([np.eye(3)]))


@pytest.mark.parametrize("draw", DRAWINGS.values(), ids=DRAWINGS)
def test_the_same_drawing_gives_the_same_bytes(draw, shown):
    first, second = (shown(draw(), "Always the same picture.")["text/html"] for _ in range(2))
    assert first == second
    assert len(first) < 200_000  # small enough to store


def test_signed_images_share_a_scale_around_zero():
    fig = plotting.images([np.array([[-1.0, 3.0]]), np.array([[0.5, -0.5]])], signed=True)
    assert [ax.images[0].get_clim() for ax in fig.axes] == [(-3, 3), (-3, 3)]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"arrays": []}, "arrays is empty"),
        ({"arrays": [np.zeros(3)]}, r"shape \(3,\)"),
        ({"arrays": [np.zeros((3, 3, 2))]}, r"shape \(3, 3, 2\)"),
        ({"arrays": [np.eye(3)], "titles": ["a", "b"]}, "2 titles for 1 pictures"),
    ],
)
def test_images_refuses(arguments, message):
    with pytest.raises(ValueError, match=message):
        plotting.images(**arguments)


@pytest.mark.parametrize(
    ("draw", "message"),
    [
        (lambda: plotting.local_fields(size=0), "size is 0; accepted: a positive integer"),
        (lambda: plotting.local_fields(size=4), "size is 4; accepted: at least 5"),
        (lambda: plotting.padding_rows(7, 3, -1, (1, 1)), "strides is -1"),
        (lambda: plotting.padding_rows(5, 6, 1, (2, 3)), "kernel_size is 6; accepted: at most"),
        (lambda: plotting.padded_grid(5, 7, 2.5, 2, 1), "kernel_size is 2.5"),
        (lambda: plotting.dilated_kernels(3, (1, 0)), r"dilations\[1\] is 0"),
        (lambda: plotting.receptive_field_growth((3, True)), r"kernels\[1\] is True"),
        (lambda: plotting.kernels([np.zeros(3)], ["a"]), r"shape \(3,\)"),
        (lambda: plotting.kernels([np.eye(3)], []), "0 titles for 1 kernels"),
    ],
)
def test_drawings_refuse(draw, message):
    with pytest.raises(ValueError, match=message):
        draw()


@pytest.mark.parametrize(("size", "kernel_size", "strides"), [(7, 3, 1), (13, 6, 5), (9, 2, 2)])
def test_padding_rows_states_outputs_zeros_and_ignored_columns(size, kernel_size, strides):
    zeros = cost.same_padding(size, kernel_size, strides)
    valid, same = plotting.padding_rows(size, kernel_size, strides, zeros).axes
    outputs = cost.output_size(size, kernel_size, strides)
    assert f"→ {outputs} outputs" in valid.get_title(loc="left")
    assert len(valid.lines) == outputs  # one bracket per window
    assert len(same.lines) == cost.output_size(size, kernel_size, strides, "same")
    hatched = [patch for patch in valid.patches if patch.get_hatch()]
    read = {c for o in range(outputs) for c in range(o * strides, o * strides + kernel_size)}
    assert len(hatched) == size - len(read)
    labels = [text.get_text() for text in same.texts]
    assert sum(label.startswith("0") for label in labels) == sum(zeros)
    assert ("0*" in labels) == (zeros[0] != zeros[1])
    assert labels.index("$x_{0}$") == zeros[0]  # zeros before


def test_padded_grid_draws_image_and_map():
    image, feature_map = plotting.padded_grid(5, 7, 3, 2, 1).axes
    assert len(image.patches) == 7 * 9 + 2  # padded cells and two windows
    assert len(feature_map.patches) == 3 * 4 + 2


def test_dilated_kernels_keep_their_nine_weights():
    fig = plotting.dilated_kernels(3, (1, 2, 3))
    for ax, side in zip(fig.axes, (3, 5, 7), strict=True):
        labels = [text.get_text() for text in ax.texts]
        assert labels.count("w") == 9
        assert len(labels) == side**2
        assert f"{side}×{side}" in ax.get_title()


def test_receptive_field_growth_counts_down_to_the_input():
    kernels = (5, 3, 3)
    counted = [t for t in texts(plotting.receptive_field_growth(kernels)) if ":" in t]
    size, _ = cost.receptive_field([(k, 1) for k in kernels])
    assert counted == [f"input: {size}", "layer 1: 5", "layer 2: 3", "layer 3: 1"]


def test_kernels_write_every_weight():
    labels = texts(plotting.kernels([np.array([[0, 1], [-2.5, 0]])], ["small"]))
    assert labels[:4] == ["0", "1", "-2.5", "0"]
