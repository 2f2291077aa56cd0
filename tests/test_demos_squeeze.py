"""SqueezeExciteDemo and SeparableCostDemo: their numbers against the layers that they explain."""

import json
import re

import keras
import numpy as np
import pytest
import traitlets
from cnncourse import layers
from cnncourse.demos import SeparableCostDemo, SqueezeExciteDemo
from cnncourse.demos.squeeze import EXPAND, EXPAND_BIAS, MAPS, REDUCE, REDUCE_BIAS
from hypothesis import given, settings
from hypothesis import strategies as st


def block():
    """The package's layer with the demo's weights."""
    layer = layers.SqueezeExcite(ratio=3)  # six maps, two neurons
    layer.build((None, None, None, 6))
    layer.set_weights([REDUCE[None, None], REDUCE_BIAS, EXPAND[None, None], EXPAND_BIAS])
    return layer


@settings(max_examples=40, deadline=None)
@given(st.lists(st.floats(0, 1), min_size=6, max_size=6), st.integers(0, 99))
def test_the_demo_is_the_layer(values, seed):
    demo = SqueezeExciteDemo(**dict(zip(MAPS, values, strict=True)))
    noise = np.random.default_rng(seed).normal(size=(1, 5, 4, 6))
    maps = noise - noise.mean(axis=(1, 2), keepdims=True) + values  # maps with these means
    after = keras.ops.convert_to_numpy(block()(maps.astype("float32")))
    np.testing.assert_allclose(after.mean(axis=(1, 2))[0], demo.output, atol=1e-5)
    assert np.all((demo.gates > 0) & (demo.gates < 1))
    assert np.all(demo.output <= demo.means)


def test_company_decides_between_eyes_and_lamp():
    face, car = SqueezeExciteDemo(), SqueezeExciteDemo(mouth=0, nose=0, wheel=0.9, plate=0.8)
    assert face.means[2] == face.means[4]
    assert face.output[2] > 10 * face.output[4]
    assert car.output[4] > 10 * car.output[2]
    alone = SqueezeExciteDemo(mouth=0, nose=0, wheel=0, plate=0)
    assert alone.output[2] == alone.output[4] and alone.squeezed.tolist() == [0, 0]


@settings(max_examples=25, deadline=None)
@given(st.sampled_from([1, 3, 5, 7]), st.integers(1, 64), st.integers(1, 64))
def test_costs_are_those_of_keras(k, c_in, c_out):
    demo = SeparableCostDemo(kernel_size=k, c_in=c_in, c_out=c_out)
    counted = []
    for kind in (keras.layers.Conv2D, keras.layers.SeparableConv2D):
        layer = kind(c_out, k, use_bias=False)
        layer.build((None, 8, 8, c_in))
        counted.append(layer.count_params())
    assert counted[0] == demo.weights["regular"]
    assert counted[1] == demo.weights["depthwise"] + demo.weights["pointwise"]
    assert demo.ratio == pytest.approx(1 / c_out + 1 / k**2)


@pytest.mark.parametrize(
    ("demo", "name", "value"),
    [
        (SqueezeExciteDemo, "mouth", 1.5),
        (SqueezeExciteDemo, "plate", -0.1),
        (SeparableCostDemo, "kernel_size", 4),
        (SeparableCostDemo, "c_in", 0),
        (SeparableCostDemo, "c_out", 2.5),
    ],
)
def test_bad_values_are_named(demo, name, value):
    with pytest.raises(traitlets.TraitError, match=name) as error:
        demo(**{name: value})
    assert str(value) in str(error.value)
    with pytest.raises(AttributeError, match="accepted"):
        demo(**{name + "s": value})


@pytest.mark.parametrize("demo", [SqueezeExciteDemo, SeparableCostDemo])
def test_the_island_is_small_deterministic_and_described(demo):
    island = demo().island()
    assert island == demo().island()
    assert len(island) < 30_000
    assert len(re.search(r'alt="([^"]*)"', island)[1].split()) > 12
    state = re.search(r'data-state="([^"]*)"', island)[1].replace("&quot;", '"')
    assert set(json.loads(state)) == {n for n in demo().keys if n in demo.class_own_traits()}
