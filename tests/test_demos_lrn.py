"""LrnDemo: its bars against TensorFlow's own normalisation, and what Chromium makes of them."""

import json
import re

import numpy as np
import pytest
import tensorflow as tf
import traitlets
from cnncourse.demos import LrnDemo
from hypothesis import given, settings
from hypothesis import strategies as st

STRONG = [1] * 4 + [90, 3] + [20] * 10
STATES = {
    "at first": LrnDemo(),
    "strong": LrnDemo(activations=STRONG, chosen=0, n=3),
    "defaults of TensorFlow": LrnDemo(chosen=15, n=11, k=1, alpha=1, beta=0.5),
    "widest": LrnDemo(activations=[0] * 15 + [100], n=15, k=10, alpha=1e-6, beta=1.5),
}


def theirs(demo, depth_radius):
    x = tf.reshape(tf.constant(demo.activations, tf.float32), (1, 1, 1, 16))
    constants = {"bias": demo.k, "alpha": demo.alpha, "beta": demo.beta}
    return np.ravel(tf.nn.local_response_normalization(x, depth_radius, **constants))


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.integers(0, 100), min_size=16, max_size=16),
    st.integers(1, 15),
    st.floats(1, 10),
    st.floats(1e-6, 1),
    st.floats(0, 1.5),
)
def test_bars_are_those_of_tensorflow_with_the_half_width(bars, n, k, alpha, beta):
    demo = LrnDemo(activations=bars, n=n, k=k, alpha=alpha, beta=beta)
    np.testing.assert_allclose(demo.normalised, theirs(demo, n // 2), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(demo.misread, theirs(demo, n), rtol=1e-4, atol=1e-5)


def test_windows_end_where_the_maps_do():
    assert LrnDemo(chosen=0).window() == (0, 2)
    assert LrnDemo(chosen=15, n=15).window() == (8, 15)
    assert LrnDemo(chosen=7, n=4).window() == LrnDemo(chosen=7).window() == (5, 9)


@pytest.mark.parametrize(
    ("name", "value"), [("n", 0), ("n", 16), ("k", 0.5), ("alpha", 2), ("beta", -1), ("chosen", 16)]
)
def test_bad_values_are_named(name, value):
    with pytest.raises(traitlets.TraitError, match=name) as error:
        LrnDemo(**{name: value})
    assert str(value) in str(error.value)
    with pytest.raises(AttributeError, match="accepted"):
        LrnDemo(**{name + "s": value})


@pytest.mark.parametrize("bars", [[1.0] * 15, [1.0] * 15 + [101], [1.0] * 15 + [-1]])
def test_bad_bars_are_refused(bars):
    with pytest.raises(traitlets.TraitError, match="activations"):
        LrnDemo(activations=bars)


def test_the_island_is_small_deterministic_and_described():
    island = LrnDemo().island()
    assert island == LrnDemo().island()
    assert len(island) < 30_000
    assert "maps 5 to 9" in re.search(r'alt="([^"]*)"', island)[1]
    state = re.search(r'data-state="([^"]*)"', island)[1].replace("&quot;", '"')
    assert set(json.loads(state)) == {"activations", "chosen", "n", "k", "alpha", "beta"}


def after(page):
    return page.evaluate("document.querySelector('.ln').cnAfter")


def said(demo):
    i, half = demo.chosen, demo.n // 2
    first, last = demo.window()
    a, b, wrong = (
        float(f"{bars[i]:.4g}") for bars in (demo.activations, demo.normalised, demo.misread)
    )
    wide = max(0, i - demo.n), min(15, i + demo.n)
    return (
        f"Map {i}: {a:g} becomes {b:g}. Its sum takes in maps {first} to {last}. "
        f"Full width n = {demo.n} means {half} on either side: write depth_radius={half} in "
        f"TensorFlow. With depth_radius={demo.n} the sum would take in maps {wide[0]} to {wide[1]} "
        f"(dashed), and map {i} would become {wrong:g}."
    )


def readout(page):
    return " ".join(page.locator(".cn-readout").inner_text().split())


@pytest.mark.browser
@pytest.mark.parametrize("width", [390, 1000])
@pytest.mark.parametrize("name", STATES)
def test_every_state_is_accessible_and_has_python_s_numbers(show, name, width):
    page = show(STATES[name], width)
    assert show.visits[-1].demo_faults() == []
    np.testing.assert_allclose(after(page), STATES[name].normalised, rtol=1e-9)
    assert readout(page) == said(STATES[name])


@pytest.mark.browser
def test_bars_obey_keys_pointer_and_sliders(show):
    page = show(LrnDemo())
    bars = list(LrnDemo().activations)
    canvas = page.locator("canvas")
    canvas.focus()
    for key in ("ArrowRight", "ArrowUp", "ArrowUp", "PageUp"):
        page.keyboard.press(key)
    bars[8] += 12
    assert readout(page) == said(LrnDemo(activations=bars, chosen=8))
    for _ in range(5):
        page.keyboard.press("PageUp")
    bars[8] = 100  # and no further
    assert readout(page) == said(LrnDemo(activations=bars, chosen=8))

    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    column, ground = box["width"] / 16, box["y"] + 212 + 1
    page.mouse.move(box["x"] + 3.5 * column, ground - 50)
    page.mouse.down()
    page.mouse.move(box["x"] + 6.5 * column, ground - 202 * 0.9, steps=4)  # keeps its bar
    page.mouse.up()
    page.mouse.move(box["x"] + 3.5 * column, ground - 20)  # let go
    bars[3] = 90
    got = page.get_by_label("height", exact=True).input_value()
    assert abs(int(got) - 90) <= 1
    bars[3] = int(got)
    assert readout(page) == said(LrnDemo(activations=bars, chosen=3))
    page.get_by_label("height", exact=True).fill("20")
    bars[3] = 20
    np.testing.assert_allclose(after(page), LrnDemo(activations=bars).normalised, rtol=1e-9)


@pytest.mark.browser
def test_constants_move_and_come_back(show):
    page = show(LrnDemo())
    for label, key in (
        ("width n", "ArrowRight"),
        ("k", "ArrowRight"),
        ("α", "ArrowRight"),
        ("β", "ArrowLeft"),
    ):
        page.get_by_label(label, exact=True).focus()
        page.keyboard.press(key)
    moved = LrnDemo(n=6, k=2.5, alpha=10**-3.75, beta=0.7)
    np.testing.assert_allclose(after(page), moved.normalised, rtol=1e-6)
    page.get_by_role("button", name="TensorFlow's defaults").click()
    defaults = LrnDemo(n=11, k=1, alpha=1, beta=0.5)
    np.testing.assert_allclose(after(page), theirs(defaults, 5), rtol=1e-4)
    page.get_by_role("button", name="AlexNet's").click()
    page.get_by_role("button", name="one strong map").click()
    strong = LrnDemo(activations=[40] * 7 + [100] + [40] * 8)
    np.testing.assert_allclose(after(page), strong.normalised, rtol=1e-9)
    assert readout(page) == said(strong)
