"""CortexDemo and LadderDemo in Chromium, without a kernel, against Python."""

import numpy as np
import pytest
from browser import open_notebook, run_cell, visit
from cnncourse.demos import CortexDemo, LadderDemo
from cnncourse.demos.cortex import AWAKE

pytestmark = pytest.mark.browser

ALL = {
    "bar": CortexDemo(angle=30, column=20),
    "cross": CortexDemo(stimulus="cross", angle=45, length=50),
    "nothing": CortexDemo(column=0, row=0, angle=45, length=5),
    "ladder": LadderDemo(trained_on="varied", shift=4, rotation=20, clutter=6),
}


@pytest.mark.parametrize("width", [390, 1000])
@pytest.mark.parametrize("name", ALL)
def test_every_state_is_accessible(show, name, width):
    show(ALL[name], width)
    assert show.visits[-1].demo_faults() == []


def answers_of(page):
    got = page.evaluate("document.querySelector('.cx').cnAnswers")
    return {name: np.array(values) for name, values in got.items()}


@pytest.mark.parametrize("stimulus", ["bar", "corner", "cross"])
@pytest.mark.parametrize(
    ("column", "row", "angle", "length"), [(31, 31, 90, 25), (12, 47, 33, 61), (62, 5, 179, 5)]
)
def test_neurons_answer_as_in_python(show, stimulus, column, row, angle, length):
    demo = CortexDemo(stimulus=stimulus, column=column, row=row, angle=angle, length=length)
    got = answers_of(show(demo))
    for name, expected in demo.layers.items():
        np.testing.assert_allclose(got[name], expected, atol=1e-9, err_msg=name)


def expected_sentence(demo):
    layers = demo.layers
    awake = ", ".join(f"{(a >= AWAKE).sum()} of {a.size} {n} neurons" for n, a in layers.items())
    row, column, kind = demo.strongest()["simple"]
    angle, value = (0, 45, 90, 135)[kind], layers["simple"][row, column, kind]
    return (
        f"Awake: {awake}. The strongest simple neuron is in row {row}, column {column}; it "
        f"prefers {angle}° and answers {value:.2f}."
    )


def test_the_bar_obeys_keys_pointer_and_sliders(show):
    page = show(CortexDemo())
    scene, report = page.locator("canvas").first, page.locator(".cn-readout p")
    assert report.inner_text() == expected_sentence(CortexDemo())
    scene.focus()
    for key in ("ArrowLeft", "ArrowLeft", "ArrowDown", "PageUp"):
        page.keyboard.press(key)
    assert report.inner_text() == expected_sentence(CortexDemo(column=29, row=32, angle=105))
    for _ in range(5):
        page.keyboard.press("PageUp")
    assert page.get_by_label("angle").input_value() == "0"  # 180° is 0° again

    scene.scroll_into_view_if_needed()
    box = scene.bounding_box()
    pixel = box["width"] / 63
    page.mouse.move(box["x"] + 29.5 * pixel, box["y"] + 32.5 * pixel)
    page.mouse.down()
    page.mouse.move(box["x"] + 39.5 * pixel, box["y"] + 22.5 * pixel, steps=3)
    page.mouse.up()
    assert report.inner_text() == expected_sentence(CortexDemo(column=39, row=22, angle=0))
    page.mouse.move(box["x"] + 52 * pixel, box["y"] + 22.5 * pixel)  # the knob at its end
    page.mouse.down()
    page.mouse.move(box["x"] + 39.5 * pixel, box["y"] + 8 * pixel, steps=4)
    page.mouse.up()
    assert page.get_by_label("angle").input_value() == "90"
    page.get_by_label("show").select_option("cross")
    assert report.inner_text() == expected_sentence(
        CortexDemo(stimulus="cross", column=39, row=22, angle=90)
    )


def test_the_ladder_tells_the_measured_accuracies(show):
    page = show(LadderDemo())
    for name, keys in {"shift": 2, "rotation": 1, "clutter": 1}.items():
        page.get_by_label(name).focus()
        for _ in range(keys):
            page.keyboard.press("ArrowRight")
    for kind in ("still", "varied"):
        page.get_by_label("were").select_option(kind)
        demo = LadderDemo(trained_on=kind, shift=4, rotation=20, clutter=6)
        lines = page.locator(".cl-line").all_inner_texts()
        assert len(lines) == 4
        for line, (name, runs) in zip(lines, demo.accuracy.items(), strict=True):
            # two one-decimal roundings of a mean of three tenths may fall either way
            assert name in line and f"({min(runs):.1f} to {max(runs):.1f})" in line
            shown = float(line.split("%")[0].split()[-1])
            assert shown == pytest.approx(np.mean(runs), abs=0.051)
            assert f"{name} {shown:.1f} %" in page.locator(".cn-readout p").first.inner_text()


def test_the_ladder_shows_the_settings_own_sprites(show):
    page = show(LadderDemo(shift=6, rotation=40, clutter=12))
    demo = LadderDemo(shift=6, rotation=40, clutter=12)
    got = page.evaluate(
        """() => {
            const canvas = document.querySelector("canvas.cl-sprites");
            const { width, height } = canvas;
            const { data } = canvas.getContext("2d").getImageData(0, 0, width, height);
            return [width, height, [...data]];
        }"""
    )
    width, height, data = got
    pixels = np.reshape(data, (height, width, 4))[..., 0]
    for n, sprite in enumerate(demo.sprites):
        seen = pixels[2::5, 168 * n + 2 : 168 * n + 162 : 5]
        np.testing.assert_allclose(seen, sprite, atol=1)


def test_ticks_and_crosses_are_the_stored_answers(show):
    from cnncourse.demos.ladder import stored
    from cnncourse.demos.ladder_table import SETTINGS

    page = show(LadderDemo(shift=4, rotation=40, clutter=6))
    table, place = stored(), SETTINGS.index((4, 40, 6))
    labels = table["labels"][place]
    head = page.locator(".cl-answers thead th").all_inner_texts()[1:]
    assert head == [("tree", "car")[int(label)] for label in labels]
    rows = page.locator(".cl-answers tbody tr")
    for k, said in enumerate(table["answers"]["still"][place]):
        cells = rows.nth(k).locator("td").all_inner_texts()
        right = [cell == "✓" for cell in cells]
        assert right == [a == b for a, b in zip(said, labels, strict=True)]


NOTEBOOK = [
    "from cnncourse.demos import CortexDemo, LadderDemo\n"
    "cortex, ladder = CortexDemo(), LadderDemo()\ncortex",
    "ladder",
    "print(cortex.column, cortex.angle, ladder.shift)",
    "cortex.stimulus, ladder.trained_on = 'corner', 'varied'",
]


@pytest.mark.slow
def test_live_in_jupyterlab(chromium, jupyterlab):
    with visit(chromium, jupyterlab.write("seeing.ipynb", NOTEBOOK)) as seen:
        page = seen.page
        open_notebook(page)
        run_cell(page, 0)
        page.locator(".cn-demo.cx canvas").first.wait_for()
        run_cell(page, 1)
        page.locator(".cn-demo.cl .cl-line").first.wait_for()
        page.locator(".cx canvas").first.focus()
        page.keyboard.press("ArrowLeft")
        page.keyboard.press("PageDown")
        page.get_by_label("shift ≤").focus()
        page.keyboard.press("ArrowRight")
        run_cell(page, 2)
        page.get_by_text("30 75 2", exact=True).wait_for()
        run_cell(page, 3)
        demo = CortexDemo(stimulus="corner", column=30, angle=75)
        page.get_by_text(expected_sentence(demo)).wait_for()
        expected = LadderDemo(trained_on="varied", shift=2).accuracy["CNN"]
        page.get_by_text(f"({min(expected):.1f} to {max(expected):.1f})").first.wait_for()
        assert seen.external() == []
        assert not [e for e in seen.errors if "ResizeObserver" not in e]
