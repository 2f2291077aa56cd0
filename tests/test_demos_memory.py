"""MemoryDemo: its bytes are those of `memory.plan` for the same Keras stack, in Chromium too."""

import itertools

import keras
import pytest
import traitlets
from cnncourse import demos, memory
from cnncourse.demos import MemoryDemo
from hypothesis import given, settings
from hypothesis import strategies as st

OPTIMIZERS = {
    "sgd": "sgd",
    "momentum": keras.optimizers.SGD(momentum=0.9),
    "adam": "adam",
}
SHOWN = ("shapes", "tensors", "kernels", "pair")
SETTINGS = [
    dict(zip(("height", "width", "depth", "maps", "double", "kernel_size", "strides",
              "batch_size", "mode", "precision", "optimizer", "device"), values, strict=True))
    for values in (
        (224, 224, 3, 64, True, 3, 1, 32, "training", "float32", "adam", 8),
        (200, 300, 3, 100, True, 3, 2, 50, "training", "float32", "sgd", 1),
        (200, 300, 3, 100, True, 3, 2, 1, "prediction", "float32", "sgd", 1),
        (150, 100, 1, 200, False, 5, 1, 100, "prediction", "float16", "adam", 2),
        (17, 31, 5, 3, True, 7, 3, 256, "training", "mixed", "momentum", 80),
        (512, 512, 5, 256, True, 7, 1, 256, "prediction", "mixed", "adam", 1),
        (16, 16, 1, 1, False, 1, 1, 1, "training", "float16", "sgd", 1),
    )
]  # fmt: skip


def in_keras(demo):
    """Return what the course's planner says of the stack that the demo describes."""
    convs = [
        keras.layers.Conv2D(
            demo.maps * 2 ** (n * demo.double), demo.kernel_size, demo.strides, padding="same"
        )
        for n in range(demo.depth)
    ]
    network = keras.Sequential([keras.Input((demo.height, demo.width, 3)), *convs])
    precision = {"mixed": "mixed_bfloat16"}.get(demo.precision, demo.precision)
    arguments = {"precision": precision, "optimizer": OPTIMIZERS[demo.optimizer]}
    return memory.plan(network, demo.batch_size, **arguments)


@settings(max_examples=15, deadline=None)
@given(
    st.tuples(st.integers(16, 60), st.integers(16, 60), st.integers(1, 4), st.integers(1, 9)),
    st.booleans(),
    st.sampled_from([1, 3, 5, 7]),
    st.integers(1, 3),
    st.integers(1, 256),
    st.sampled_from(["float32", "mixed", "float16"]),
    st.sampled_from(list(OPTIMIZERS)),
)
def test_bytes_are_the_planners(sizes, double, kernel, strides, batch, precision, optimizer):
    height, width, depth, maps = sizes
    demo = MemoryDemo(
        height=height,
        width=width,
        depth=depth,
        maps=maps,
        double=double,
        kernel_size=kernel,
        strides=strides,
        batch_size=batch,
        precision=precision,
        optimizer=optimizer,
    )
    expected, numbers = in_keras(demo), demo.plan()
    assert numbers["total"] == expected.training
    assert numbers["maps"] == expected.inputs + expected.activations
    assert numbers["tensors"] == [expected.inputs, *(step.bytes for step in expected.steps)]
    for part in ("weights", "copies", "gradients", "slots"):
        assert numbers[part] == getattr(expected, part), part
    demo.mode = "prediction"
    numbers = demo.plan()
    assert (numbers["total"], numbers["maps"]) == (expected.inference, expected.live)
    assert numbers["gradients"] == numbers["slots"] == 0
    assert expected.steps[numbers["pair"]].live == expected.live


def test_the_worked_layer():
    demo = MemoryDemo(height=150, width=100, depth=1, maps=200, kernel_size=5, strides=1)
    demo.batch_size = 100
    numbers = demo.plan()
    assert numbers["tensors"][1] == 1_200_000_000 and numbers["weights"] == 15_200 * 4
    demo.precision = "float16"
    assert demo.plan()["tensors"][1] == 600_000_000


@pytest.mark.parametrize("setting", SETTINGS)
def test_the_largest_batch_fits_and_one_more_does_not(setting):
    demo = MemoryDemo(**setting)
    most = demo.largest_batch()

    def total(batch):
        return demos.memory._plan({**demo.state(), "batch_size": batch})["total"]

    assert most == 0 or total(most) <= demo.device * 10**9
    assert total(most + 1) > demo.device * 10**9


@pytest.mark.parametrize("setting", SETTINGS)
def test_remedies_do_what_they_say(setting):
    demo = MemoryDemo(**setting)
    for (name, total), (_, change) in zip(
        demo.remedies(), demos.memory.remedies_for(setting), strict=True
    ):
        changed = MemoryDemo(**{**setting, **change})  # every change is a setting that is accepted
        assert changed.plan()["total"] == total, name
        # In a prediction a copy of the weights can cost more than the maps save.
        assert total <= demo.plan()["total"] or name == "mixed precision"


def test_still_and_refusals():
    demo = MemoryDemo()
    picture, alt = demo.still()
    assert picture.ndim == 3 and picture.std() > 10
    assert f"weights {demo.plan()['weights'] / 1e6:,.2f}" in alt and "copies" not in alt
    for wrong in ({"depth": 6}, {"kernel_size": 2}, {"mode": "both"}, {"batch_size": 0}):
        with pytest.raises(traitlets.TraitError):
            MemoryDemo(**wrong)


@pytest.fixture
def page(show):
    """The demo as an island at 390 px."""
    return show(MemoryDemo(), width=390)


@pytest.mark.browser
def test_browser_has_pythons_numbers(page):
    choices = itertools.product(
        (16, 37, 200), (1, 4), (1, 64), (False, True), (1, 2, 3), (1, 50),
        ("training", "prediction"), ("float32", "mixed", "float16"), ("sgd", "adam"),
    )  # fmt: skip
    keys = ("height", "depth", "maps", "double", "strides", "batch_size", "mode", "precision")
    cases = [{**SETTINGS[0], **dict(zip((*keys, "optimizer"), c, strict=True))} for c in choices]
    cases = [*SETTINGS, *cases[::5]]
    got = page.evaluate(
        """async (cases) => {
            const { plan, remedies, largestBatch } = await import("./demos/memory.js");
            return cases.map((s) => [plan(s), remedies(s), largestBatch(s)]);
        }""",
        cases,
    )
    for case, (numbers, changes, most) in zip(cases, got, strict=True):
        demo = MemoryDemo(**case)
        assert numbers == demo.plan(), case
        assert [(name, total) for name, _, total in changes] == demo.remedies(), case
        assert most == demo.largest_batch(), case


@pytest.mark.browser
def test_keyboard_and_words(page):
    demo = MemoryDemo()
    shown = page.locator(".cm-total output")
    assert shown.inner_text() == f"{demo.plan()['total'] / 1e6:.2f} MB"
    page.get_by_label("batch", exact=True).focus()
    page.keyboard.press("Home")
    demo.batch_size = 1
    assert shown.inner_text() == f"{demo.plan()['total'] / 1e6:.2f} MB"
    page.get_by_label("what for").select_option("prediction")
    demo.mode = "prediction"
    assert shown.inner_text() == f"{demo.plan()['total'] / 1e6:.2f} MB"
    text = page.locator(".cm-total").inner_text()
    assert f"largest batch that does is {demo.largest_batch():,}." in text
    assert page.locator(".cm-freed").count() == 2  # of four tensors a pair is there
    page.get_by_role("button", name="a stride larger by 1").focus()
    page.keyboard.press("Enter")
    demo.strides = 3
    assert shown.inner_text() == f"{demo.plan()['total'] / 1e6:.2f} MB"
    # There is no larger stride, so the focus goes to the first knob that still turns.
    assert page.evaluate("document.activeElement.textContent") == "half the image, each side"


@pytest.mark.browser
@pytest.mark.parametrize("mode", ["training", "prediction"])
def test_accessible_and_narrow(show, page, mode):
    page.get_by_label("what for").select_option(mode)
    assert show.visits[-1].demo_faults() == []
