"""ExplorerDemo: its numbers are those of `anatomy` and `memory`, in Python and in Chromium."""

import json
import math
from collections import Counter

import keras
import numpy as np
import pytest
import traitlets
from cnncourse import anatomy, architectures, memory
from cnncourse.demos import ExplorerDemo
from cnncourse.demos.explorer import BYTES, title
from cnncourse.plotting.network import in_bytes, in_words


@pytest.fixture(scope="module")
def own():
    """A learner's network: asymmetric field, a shortcut, a gate, and a head."""
    layers = keras.layers
    image = keras.Input((40, 56, 3))
    x = layers.Conv2D(8, (5, 3), strides=2, padding="same", name="first")(image)
    y = layers.Conv2D(8, 3, padding="same", name="second")(x)
    gate = layers.Dense(8, "sigmoid", name="gate")(layers.GlobalAveragePooling2D()(y))
    x = x + y * layers.Reshape((1, 1, 8))(gate)
    x = layers.ReLU()(layers.BatchNormalization()(layers.MaxPooling2D(2)(x)))
    x = layers.UpSampling2D(2, name="larger")(x)
    outputs = layers.Dense(5)(layers.Flatten()(x))
    return keras.Model(image, outputs, name="mine")


@pytest.fixture(scope="module")
def googlenet():
    return architectures.build("googlenet", input_shape=(96, 96, 3), classes=7)


def expected(part, steps, demo):
    """Return what the demo must show for a stage or a step of `anatomy`."""
    size = BYTES[demo.dtype]
    answer = {
        "name": part.name if isinstance(part, anatomy.Stage) else title(part),
        "shape": list(part.shape),
        "parameters": part.parameters,
        "macs": part.macs,
        "weight_bytes": part.parameters * size,
        "result_bytes": part.activation_bytes * size // 4 * demo.batch_size,
        "kinds": dict(Counter(step.kind for step in steps)),
        "neuron": None,
        "field": None,
    }
    if part.fields:
        pixels = (demo.y, demo.x)
        answer["neuron"], answer["field"] = [], []
        for field, side, pixel in zip(part.fields, part.shape, pixels, strict=False):
            middles = [sum(field.of(i)) / 2 for i in range(side)]
            neuron = int(np.abs(np.array(middles) - pixel).argmin())
            answer["neuron"].append(neuron)
            answer["field"] += field.of(neuron)
    return answer


def places(stages):
    """Yield (stage, step, what is there, its steps) for each stage and for some of its steps."""
    for i, stage in enumerate(stages):
        yield i, -1, stage, stage.steps
        for j in {0, len(stage.steps) // 2, len(stage.steps) - 1}:
            yield i, j, stage.steps[j], [stage.steps[j]]


@pytest.mark.parametrize("name", ["own", "googlenet"])
def test_numbers_are_those_of_anatomy(name, request):
    model = request.getfixturevalue(name)
    demo = ExplorerDemo(model, batch_size=3, dtype="bfloat16", y=11.3, x=30.2)
    for demo.stage, demo.step, part, steps in places(anatomy.stages(model)):
        assert demo.chosen() == expected(part, steps, demo), (demo.stage, demo.step)


@pytest.mark.parametrize("dtype", BYTES)
def test_memory_is_that_of_the_plan(googlenet, dtype):
    demo = ExplorerDemo(googlenet, batch_size=5, dtype=dtype)
    weights = results = 0
    for stage in range(len(demo.network["stages"])):
        demo.stage = stage
        weights += demo.chosen()["weight_bytes"]
        results += demo.chosen()["result_bytes"]
    plan = memory.plan(googlenet, batch_size=5, precision=dtype)
    assert (weights, results) == (plan.weights, plan.activations)


def test_names_do_not_depend_on_earlier_runs(own):
    first = ExplorerDemo(own).network
    assert ExplorerDemo(own).network == first
    names = [name for _, steps in first["stages"] for name, *_ in steps]
    assert {"first", "gate", "add", "multiply"} <= set(names)


def test_a_neuron_in_the_middle_of_its_field(own):
    demo = ExplorerDemo(own, y=0, x=55)
    assert demo.chosen()["neuron"] == [0, 27]
    demo.y = demo.x = -1000.0
    assert demo.chosen()["neuron"] == [0, 0]


def test_state_of_a_deep_network_is_small():
    model = architectures.build("resnet152", input_shape=(64, 64, 3), classes=10)
    demo = ExplorerDemo(model)
    assert sum(len(steps) for _, steps in demo.network["stages"]) > 500
    assert len(demo.island()) < 60_000


def test_the_still_follows_the_stage(own):
    first, alt = ExplorerDemo(own).still()
    assert "first" in alt or "stage 1" in alt
    second, _ = ExplorerDemo(own, stage=1).still()
    assert first.shape == second.shape and (first != second).any()


def test_what_is_refused(own):
    flat = keras.Sequential([keras.Input((7,)), keras.layers.Dense(2)], name="flat")
    with pytest.raises(ValueError, match="'flat' takes"):
        ExplorerDemo(flat)
    demo = ExplorerDemo(own)
    for trait, value in (("stage", 99), ("stage", -1), ("batch_size", 0), ("dtype", "int8")):
        with pytest.raises(traitlets.TraitError):
            setattr(demo, trait, value)


def shown(page):
    chosen = page.evaluate("document.querySelector('.ce').cnChosen")
    del chosen["fields"]
    return chosen


@pytest.mark.browser
@pytest.mark.parametrize("width", [390, 1000])
def test_accessible_at_every_width(show, own, googlenet, width):
    for demo in (ExplorerDemo(own), ExplorerDemo(googlenet, stage=3, step=2)):
        show(demo, width)
        assert show.visits[-1].demo_faults() == []


@pytest.mark.browser
def test_every_stage_and_step_as_in_python(show, googlenet):
    demo = ExplorerDemo(googlenet, batch_size=7, dtype="float16", y=20.5, x=71)
    page = show(demo)
    page.locator("summary").click()
    for stage in range(len(demo.network["stages"])):
        demo.stage = stage
        demo.step = -1
        page.locator(".ce-stage input").nth(demo.stage).check(force=True)
        assert shown(page) == demo.chosen()
        demo.step = len(demo.network["stages"][demo.stage][1]) // 2
        page.locator(".ce-step input").nth(demo.step + 1).check()
        assert shown(page) == demo.chosen()


@pytest.mark.browser
def test_what_is_written_on_the_page(show, googlenet):
    demo = ExplorerDemo(googlenet, stage=4, batch_size=32)
    stages = anatomy.stages(googlenet)
    page = show(demo)
    whole = page.locator(".ce-legend").inner_text()
    assert in_words(sum(s.parameters for s in stages)) in whole
    assert in_words(sum(s.macs for s in stages)) in whole
    assert in_bytes(32 * sum(s.activation_bytes for s in stages)) in whole
    numbers, stage = page.locator(".ce-numbers").inner_text(), stages[4]
    share = 100 * stage.macs / sum(s.macs for s in stages)
    for text in (
        f"{stage.parameters:,} (",
        f"{stage.macs:,} ({share:.1f} %)",
        in_bytes(4 * stage.parameters),
        in_bytes(32 * stage.activation_bytes),
        f"{stage.contents['Conv2D']} Conv2D",
    ):
        assert text in numbers
    top, bottom, left, right = demo.chosen()["field"]
    assert top < 0  # padding
    words = page.locator(".ce-sight").inner_text()
    assert f"rows −{-top} to {bottom}, columns −{-left} to {right}" in words
    assert "beyond the photo is padding" in words


@pytest.mark.browser
def test_keys_and_pointer(show, own):
    demo = ExplorerDemo(own)
    page = show(demo)
    page.locator(".ce-stage input").first.focus()
    page.keyboard.press("ArrowRight")
    demo.stage = 1
    assert shown(page) == demo.chosen()
    page.keyboard.press("ArrowLeft")
    demo.stage = 0
    row, column = demo.chosen()["neuron"]
    photo = page.locator(".ce-photo")
    photo.focus()
    for key in ("ArrowUp", "ArrowUp", "ArrowRight"):
        page.keyboard.press(key)
    assert shown(page)["neuron"] == [row - 2, column + 1]
    box = photo.bounding_box()
    page.mouse.click(box["x"] + box["width"] - 2, box["y"] + box["height"] - 2)
    assert shown(page)["neuron"] == [shown(page)["shape"][0] - 1, shown(page)["shape"][1] - 1]
    page.get_by_label("images", exact=True).focus()
    page.keyboard.press("End")
    page.get_by_label("numbers").select_option("float16")
    demo.batch_size, demo.dtype = 256, "float16"
    for name in ("weight_bytes", "result_bytes"):
        assert shown(page)[name] == demo.chosen()[name]


@pytest.mark.browser
def test_where_no_single_field_exists_the_page_says_so(show, own):
    stages = anatomy.stages(own)
    unknown = [i for i, s in enumerate(stages) if s.fields is None and len(s.shape) == 3]
    page = show(ExplorerDemo(own, stage=unknown[0]))
    assert "Not all neurons see alike" in page.locator(".ce-sight").inner_text()
    page = show(ExplorerDemo(own, stage=len(stages) - 1))
    assert "from the whole photo" in page.locator(".ce-sight").inner_text()


def corner_colours(page):
    """Return the colours of four pixels of the photo's canvas: padding, and the field's corner."""
    script = """() => {
      const canvas = document.querySelector(".ce-photo");
      const context = canvas.getContext("2d");
      const { width, height } = canvas;
      const at = (x, y) => [...context.getImageData(x * width, y * height, 1, 1).data];
      return JSON.stringify([at(0.02, 0.02), at(0.5, 0.5)]);
    }"""
    return json.loads(page.evaluate(script))


@pytest.mark.browser
def test_the_field_moves_on_the_photo(show, own):
    page = show(ExplorerDemo(own))
    before = corner_colours(page)
    photo = page.locator(".ce-photo")
    photo.focus()
    for _ in range(20):
        page.keyboard.press("ArrowUp")
        page.keyboard.press("ArrowLeft")
    after = corner_colours(page)
    assert math.dist(before[0], after[0]) > 10  # the field came to the corner
    assert math.dist(before[1], after[1]) > 10  # and left the middle
