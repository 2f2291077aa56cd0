"""CortexDemo and LadderDemo: their numbers against Keras, the networks and the drawn sprites."""

import json
import re

import keras
import numpy as np
import pytest
import traitlets
from cnncourse.demos import CortexDemo, LadderDemo, ladder_table
from cnncourse.demos.cortex import AWAKE, PATTERNS, filters
from cnncourse.demos.ladder import stored
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage


@settings(max_examples=25, deadline=None)
@given(
    st.sampled_from(["bar", "corner", "cross"]),
    st.integers(0, 62),
    st.integers(0, 62),
    st.integers(0, 179),
    st.integers(5, 61),
)
def test_layers_are_a_keras_cnn(stimulus, column, row, angle, length):
    demo = CortexDemo(stimulus=stimulus, column=column, row=row, angle=angle, length=length)
    image = demo.image[None, :, :, None]
    ops = keras.ops
    simple = ops.relu(ops.conv(image, filters(), strides=4, padding="valid"))
    complex_ = ops.max_pool(simple, 5, 3)
    wide = ops.max_pool(complex_, 2, 1)
    pattern = ops.stack([ops.min(ops.take(wide, pair, axis=-1), axis=-1) for pair in PATTERNS], -1)
    layers = demo.layers
    shapes = {"simple": (11, 11, 4), "complex": (3, 3, 4), "pattern": (2, 2, 2)}
    for (name, shape), ours in zip(shapes.items(), (simple, complex_, pattern), strict=True):
        assert layers[name].shape == shape
        np.testing.assert_allclose(layers[name], ours[0], atol=1e-5)
        best = demo.strongest()[name]
        assert layers[name][best] == pytest.approx(layers[name].max())


@settings(max_examples=40, deadline=None)
@given(st.integers(16, 46), st.integers(16, 46), st.integers(0, 179))
def test_a_bar_always_wakes_a_simple_neuron_and_never_a_pattern_neuron(column, row, angle):
    layers = CortexDemo(column=column, row=row, angle=angle).layers
    assert layers["simple"].max() >= AWAKE
    assert layers["pattern"].max() < AWAKE
    best = np.unravel_index(layers["simple"].argmax(), (11, 11, 4))
    distance = abs((best[2] * 45 - angle + 90) % 180 - 90)
    assert distance <= 30  # it prefers an angle near the bar's own


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 62), st.integers(0, 62), st.integers(0, 179), st.integers(13, 61))
def test_no_bar_of_13_pixels_or_more_wakes_a_pattern_neuron(column, row, angle, length):
    demo = CortexDemo(column=column, row=row, angle=angle, length=length)
    assert demo.layers["pattern"].max() < AWAKE


def test_a_stub_wakes_a_pattern_neuron():
    for column, row, angle, length in ((39, 15, 136, 7), (15, 39, 42, 8)):
        demo = CortexDemo(column=column, row=row, angle=angle, length=length)
        assert demo.layers["pattern"].max() >= AWAKE


@pytest.mark.parametrize("stimulus", ["corner", "cross"])
def test_corners_and_crosses_wake_their_own_pattern_neuron(stimulus):
    for kind, angle in enumerate((0, 45)):
        pattern = CortexDemo(stimulus=stimulus, angle=angle, length=50).layers["pattern"]
        assert pattern[..., kind].max() > 0.9
        assert pattern[..., 1 - kind].max() < AWAKE


def test_the_bar_is_where_and_what_it_should_be():
    level = CortexDemo(angle=0, length=25).image
    rows, columns = np.nonzero(level > 0.5)
    assert (rows.min(), rows.max()) == (30, 32)  # four wide, its outer rows half bright
    assert level[29, 31] == level[33, 31] == 0.5
    assert (columns.min(), columns.max()) == (19, 43)
    upright = CortexDemo(angle=90, length=25).image
    np.testing.assert_allclose(upright, level.T, atol=1e-12)
    rising = CortexDemo(angle=45).image  # counter-clockwise: up on the right
    assert rising[25, 37] > 0.9 and rising[37, 37] == 0
    np.testing.assert_allclose(
        ndimage.center_of_mass(CortexDemo(row=20, column=40).image), (20, 40)
    )


def test_receptive_fields():
    assert CortexDemo.fields() == {"simple": (23, 4), "complex": (39, 12), "pattern": (51, 12)}


def test_the_table_has_every_setting():
    table = stored()
    settings_, networks = len(ladder_table.SETTINGS), len(ladder_table.NETWORKS)
    for kind in ladder_table.TRAINED_ON:
        assert np.shape(table["accuracy"][kind]) == (settings_, networks, 3)
        assert np.shape(table["answers"][kind]) == (settings_, networks)
    assert set(table["labels"]) == {"010101"}


def test_the_sheet_shows_the_test_sprites():
    for place in (0, 17, 35):
        setting = ladder_table.SETTINGS[place]
        demo = LadderDemo(**dict(zip(("shift", "rotation", "clutter"), setting, strict=True)))
        x, y = ladder_table.test_set(setting, place)
        drawn = x[ladder_table.shown(y)]
        np.testing.assert_allclose(demo.sprites, drawn, atol=9)  # 16 grey levels


def test_networks_are_those_of_the_chapter():
    assert ladder_table.mlp().count_params() == 67_713
    assert ladder_table.cnn().count_params() == 9_633
    assert ladder_table.cnn().output_shape == (None, 1)


@pytest.mark.parametrize("network", ["perceptron", "MADALINE"])
@pytest.mark.parametrize("kind", ladder_table.TRAINED_ON)
def test_threshold_units_reach_the_stored_accuracy_again(network, kind):
    decide = ladder_table.trained(network, *ladder_table.training_set(kind, 1), 1)
    for place in (0, 20):
        x, y = ladder_table.test_set(ladder_table.SETTINGS[place], place)
        k = ladder_table.NETWORKS.index(network)
        expected = stored()["accuracy"][kind][place][k][1]
        assert 100 * (decide(x) == y).mean() == pytest.approx(expected, abs=4)


@pytest.mark.slow
def test_the_cnn_reaches_the_stored_accuracy_again():
    decide = ladder_table.trained("CNN", *ladder_table.training_set("varied", 0), 0)
    for place in (0, 20, 35):
        x, y = ladder_table.test_set(ladder_table.SETTINGS[place], place)
        runs = stored()["accuracy"]["varied"][place][3]
        accuracy = 100 * (decide(x) == y).mean()
        assert min(runs) - 6 <= accuracy <= max(runs) + 6


@pytest.mark.parametrize(
    ("demo", "name", "value"),
    [
        (CortexDemo, "angle", 180),
        (CortexDemo, "column", -1),
        (CortexDemo, "stimulus", "house"),
        (CortexDemo, "length", 2.5),
        (LadderDemo, "shift", 3),
        (LadderDemo, "clutter", -6),
        (LadderDemo, "trained_on", "photos"),
    ],
)
def test_bad_values_are_named(demo, name, value):
    with pytest.raises(traitlets.TraitError, match=name) as error:
        demo(**{name: value})
    assert str(value) in str(error.value)
    with pytest.raises(AttributeError, match="accepted"):
        demo(**{name + "s": value})


@pytest.mark.parametrize(("demo", "limit"), [(CortexDemo, 30_000), (LadderDemo, 140_000)])
def test_the_island_is_small_deterministic_and_described(demo, limit):
    island = demo().island()
    assert island == demo().island()
    assert len(island) < limit
    alt = re.search(r'alt="([^"]*)"', island)[1]
    assert len(alt.split()) > 12
    state = re.search(r'data-state="([^"]*)"', island)[1].replace("&quot;", '"')
    assert set(json.loads(state)) == {n for n in demo().keys if n in demo.class_own_traits()}
