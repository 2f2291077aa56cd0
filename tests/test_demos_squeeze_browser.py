"""SqueezeExciteDemo and SeparableCostDemo in Chromium, without a kernel, against Python."""

import numpy as np
import pytest
from cnncourse import demos
from cnncourse.demos import SeparableCostDemo, SqueezeExciteDemo

pytestmark = pytest.mark.browser

ALL = {
    "face": SqueezeExciteDemo(),
    "car": SqueezeExciteDemo(mouth=0, nose=0.1, wheel=1, lamp=0.4, plate=0.7),
    "nothing": SqueezeExciteDemo(**dict.fromkeys(demos.squeeze.MAPS, 0)),
    "cost": SeparableCostDemo(),
    "dearer": SeparableCostDemo(kernel_size=1, c_in=2048, c_out=2048),
    "thin": SeparableCostDemo(kernel_size=7, c_in=3, c_out=1),
}


def in_browser(page, name):
    return page.evaluate(f"document.querySelector('.cn-demo').{name}")


def same_gates(page, demo):
    got = in_browser(page, "cnSqueeze")
    for name in ("squeezed", "gates", "output"):
        np.testing.assert_allclose(got[name], getattr(demo, name), atol=1e-9, err_msg=name)
    values = page.locator(".cb-gate .cb-value, .cb-after .cb-value").all_inner_texts()
    pairs = zip(demo.gates, demo.output, strict=True)
    assert values == [text for g, y in pairs for text in (f"× {g:.2f}", f"{y:.2f}")]


def same_cost(page, demo):
    got = in_browser(page, "cnCost")
    assert {name: got[name] for name in demo.weights} == demo.weights
    assert got["ratio"] == pytest.approx(demo.ratio, abs=1e-12)
    assert f"{100 * demo.ratio:.1f} %" in page.locator(".cn-readout p").inner_text()


@pytest.mark.parametrize("width", [390, 1000])
@pytest.mark.parametrize("name", ALL)
def test_every_state_is_accessible_and_as_in_python(show, name, width):
    page = show(ALL[name], width)
    assert show.visits[-1].demo_faults() == []
    (same_gates if isinstance(ALL[name], SqueezeExciteDemo) else same_cost)(page, ALL[name])


def test_activations_obey_keys_pointer_and_buttons(show):
    page = show(SqueezeExciteDemo())
    page.get_by_label("mouth").focus()
    for _ in range(3):
        page.keyboard.press("ArrowLeft")
    page.get_by_label("lamp").focus()
    page.keyboard.press("ArrowRight")
    same_gates(page, SqueezeExciteDemo(mouth=0.75, lamp=0.4))
    box = page.get_by_label("nose").bounding_box()
    page.mouse.move(box["x"] + 0.8 * box["width"], box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(box["x"] + 1, box["y"] + box["height"] / 2, steps=4)
    page.mouse.up()
    same_gates(page, SqueezeExciteDemo(mouth=0.75, nose=0, lamp=0.4))
    page.get_by_role("button", name="a car").click()
    car = {"mouth": 0.05, "nose": 0.1, "eyes": 0.35, "wheel": 0.9, "lamp": 0.35, "plate": 0.8}
    same_gates(page, SqueezeExciteDemo(**car))
    assert page.get_by_label("wheel").input_value() == "0.9"
    text = page.locator(".cn-readout p").inner_text()
    assert "0.35 against 0.35 has become 0.01 against 0.3" in text and "No map has grown" in text


def test_cost_sliders_step_through_usual_sizes(show):
    page = show(SeparableCostDemo())
    page.get_by_label("kernel side").focus()
    page.keyboard.press("ArrowRight")
    page.get_by_label("maps in").focus()
    page.keyboard.press("Home")
    page.keyboard.press("ArrowRight")
    page.get_by_label("maps out").focus()
    page.keyboard.press("ArrowRight")
    same_cost(page, SeparableCostDemo(kernel_size=5, c_in=3, c_out=512))
    assert "3 spatial filters, one per map" in page.locator(".cn-readout p").inner_text()
    assert page.get_by_label("maps out").get_attribute("aria-valuetext") == "512 maps"
    widths = page.locator(".cb-separable .cb-part").evaluate_all(
        "parts => parts.map(p => p.getBoundingClientRect().width)"
    )
    assert widths[0] / widths[1] == pytest.approx(25 / 512, rel=0.5)
