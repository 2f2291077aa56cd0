"""ArithmeticDemo, StackDemo and TimelineDemo in Chromium, without a kernel, against Python."""

import numpy as np
import pytest
from browser import open_notebook, run_cell, visit
from cnncourse import demos
from cnncourse.demos import ArithmeticDemo, StackDemo, TimelineDemo
from cnncourse.demos.arithmetic import axis_numbers
from cnncourse.demos.timeline import ENTRIES, YEARS

pytestmark = pytest.mark.browser


def slide(page, label, value):
    """Set a native slider the way a pointer does."""
    page.get_by_label(label, exact=True).evaluate(
        "(input, value) => { input.value = value; input.dispatchEvent(new Event('input')) }", value
    )


ALL = {
    "row": ArithmeticDemo(),
    "grid": ArithmeticDemo(view="grid", height=5, width=7, kernel_size=3, strides=2),
    "guess": ArithmeticDemo(view="grid", guess_first=True, width=7, kernel_size=3, strides=2),
    "problem": ArithmeticDemo(strides=2, dilation=2),
    "large": ArithmeticDemo(view="grid", height=70, width=120, kernel_size=7, strides=2),
    "longest": ArithmeticDemo(view="row", width=128, kernel_size=11, strides=1, dilation=6),
    "stack": StackDemo(),
    "numbers": StackDemo(mode="numbers"),
    "timeline": TimelineDemo(),
}


@pytest.mark.parametrize("name", ALL)
def test_every_state_is_accessible_at_390_px(show, name):
    show(ALL[name], width=390)
    assert show.visits[-1].demo_faults() == []


def test_axis_numbers_are_pythons(show):
    page = show(ALL["row"])
    settings = [
        (size, kernel, strides, padding, dilation)
        for size in (*range(1, 25), 70, 120, 128)
        for kernel in range(1, 12)
        for strides, dilation in [*((s, 1) for s in range(1, 9)), *((1, d) for d in range(2, 7))]
        for padding in ("valid", "same")
        if padding == "same" or (kernel - 1) * dilation < size
    ]
    got = page.evaluate(
        """async (settings) => {
            const { axisNumbers } = await import("./demos/arithmetic.js");
            return settings.map((s) => axisNumbers(...s));
        }""",
        settings,
    )
    expected = [{"size": s[0], **axis_numbers(*s)} for s in settings]
    assert got == expected


def test_the_text_shows_pythons_numbers(show):
    page = show(ALL["row"])
    demo = ArithmeticDemo(position=2)
    assert page.locator(".ca-result output").inner_text() == "3"
    assert "max(0, (3 − 1)·5 + 6 − 13) = 3: 1 left, 2 right" in page.locator(".ca").inner_text()
    for _ in range(2):
        page.get_by_role("button", name="Step").click()
    ((first, last),) = demo.fields()
    assert (
        f"Output 2 reads columns {first} to {last} (2 zeros" in page.locator(".ca-now").inner_text()
    )
    page.get_by_role("button", name="Back").click()
    assert "Output 1 reads columns 4 to 9." in page.locator(".ca-now").inner_text()


def test_examples_are_those_of_python(show):
    page = show(ALL["row"])
    for number, preset in enumerate(demos.arithmetic.PRESETS[1:], start=1):
        page.get_by_label("example").select_option(str(number))
        demo = ArithmeticDemo(**{k: v for k, v in preset.items() if k != "name"})
        shape = " × ".join(map(str, demo.output_shape))
        assert page.locator(".ca-result output").inner_text() == shape, preset["name"]
    assert "[1, 2, 3] acts as [1, 0, 0, 0, 2, 0, 0, 0, 3]" in page.locator(".ca").inner_text()


def test_sliders_answer_the_keyboard(show):
    page = show(ALL["row"])
    page.get_by_label("stride s").focus()
    page.keyboard.press("ArrowLeft")
    assert page.locator(".ca-result output").inner_text() == "4"  # ⌈13 / 4⌉
    page.keyboard.press("Home")
    assert page.locator(".ca-result output").inner_text() == "13"


@pytest.mark.parametrize(
    "settings",
    [
        {"strides": 2, "dilation": 2},
        {"strides": 1, "width": 5, "padding": "valid"},
        {"strides": 1, "view": "grid", "height": 4, "padding": "valid"},
    ],
)
def test_impossible_settings_are_explained_as_in_python(show, settings):
    demo = ArithmeticDemo(**settings)
    page = show(demo)
    assert demo.problem and page.locator(".cn-message").inner_text() == demo.problem
    assert page.get_by_role("button", name="Step").is_disabled()
    page.get_by_label("padding").select_option("same")
    slide(page, "dilation d", 1)
    assert page.locator(".cn-message").inner_text() == ""
    assert page.get_by_role("button", name="Step").is_enabled()


def test_guess_first(show):
    page = show(ALL["row"])
    page.get_by_label("example").select_option("0")
    rows, columns = page.get_by_label("Output rows?"), page.get_by_label("Output columns?")
    verdict, answer = page.locator(".ca-verdict"), page.locator(".ca-result")
    assert answer.count() == 0 and page.get_by_role("button", name="Step").is_disabled()
    for guess, hint in {
        "5": "stride 1",
        "2": "+ 1",
        "4": "reach beyond",
        "9": "Too many",
        "": "whole number",
        "-3": "whole number",
    }.items():
        rows.fill(guess)
        columns.fill(guess)
        page.keyboard.press("Enter")
        assert hint in verdict.inner_text(), guess
        assert answer.count() == 0
    rows.fill("3")
    columns.fill("3")
    page.keyboard.press("Enter")
    assert verdict.inner_text().startswith("Right") and answer.inner_text() == "output 3 × 3"
    slide(page, "stride s", 1)  # another question
    assert answer.count() == 0 and verdict.inner_text() == ""
    page.get_by_role("button", name="Show me").click()
    assert answer.inner_text() == "output 5 × 5"


def test_play_runs_and_pauses(show):
    page = show(ALL["row"])
    page.get_by_role("button", name="Play").click()
    page.wait_for_function("document.querySelector('.ca-now').textContent.includes('Output 2')")
    page.get_by_role("button", name="Pause").click()
    assert page.get_by_role("button", name="Play").is_visible()


def test_nothing_plays_where_less_motion_is_asked_for(show):
    page = show(ALL["row"], reduced_motion="reduce")
    assert page.get_by_role("button", name="Play").is_disabled()
    assert "less motion" in page.locator(".cn-player").inner_text()
    page.get_by_role("button", name="Step").click()
    assert "Output 1 " in page.locator(".ca-now").inner_text()


def test_maps_are_pythons(show):
    page = show(ALL["stack"])
    for photo, k1, s1, k2, s2 in [
        ("china", 5, 1, 3, 2),
        ("flower", 3, 2, 5, 1),
        ("flower", 7, 3, 5, 3),
        ("china", 7, 1, 1, 3),
    ]:
        state = {"photo": photo, "kernel_size_1": k1, "strides_1": s1}
        state |= {"kernel_size_2": k2, "strides_2": s2}
        demo = StackDemo(**state)
        got = page.evaluate(
            """async ([state, pixels]) => {
                const { computeMaps } = await import("./demos/stack.js");
                const bytes = Uint8Array.from(pixels);
                state.pixels = new DataView(bytes.buffer);
                const maps = computeMaps({ get: (name) => state[name] });
                return maps.map((m) => [m.height, m.width, m.channels, Array.from(m.data)]);
            }""",
            [state, list(demo.pixels)],
        )
        for (*shape, data), expected in zip(got, demo.maps(), strict=True):
            assert tuple(shape) == expected.shape
            np.testing.assert_allclose(np.reshape(data, shape), expected, atol=1e-4)


def neuron_of(page):
    text = page.locator(".cs-report").inner_text()
    return text[text.index("Neuron") :].split(" = ")[0]


def test_one_neuron_by_keyboard_and_pointer(show):
    page = show(ALL["stack"])
    demo = StackDemo()
    canvas = page.locator("canvas")
    canvas.focus()
    for key in ("ArrowDown", "ArrowRight", "ArrowRight", "PageDown"):
        page.keyboard.press(key)
    demo.set_trait("row", 8)
    demo.column, demo.feature_map = 11, 1
    assert neuron_of(page) == "Neuron (8, 11) of map 1"
    value = float(page.locator(".cs-value").inner_text())
    assert abs(value - demo.maps()[2][8, 11, 1]) < 1e-4
    size, jump = demo.receptive_field
    assert page.locator(".cs-field").inner_text() == str(size)
    row, column, side = demo.boxes()["image"]
    expected = f"rows {row} to {row + side - 1} and columns {column} to {column + side - 1}"
    assert expected in page.locator(".cs-report").inner_text()
    assert f"= {jump} pixels" in page.locator(".cs-report").inner_text()
    for _ in range(30):  # the edge holds
        page.keyboard.press("ArrowUp")
    assert neuron_of(page) == "Neuron (0, 11) of map 1"
    frame = canvas.bounding_box()
    page.mouse.move(frame["x"] + 0.86 * frame["width"], frame["y"] + 0.5 * frame["height"])
    assert neuron_of(page) not in ("Neuron (0, 11) of map 1", "")
    assert page.get_by_label("row", exact=True).input_value() in neuron_of(page)


def test_layers_change_the_receptive_field(show):
    page = show(ALL["stack"])
    for k1, s1, k2, s2 in [(7, 2, 5, 3), (3, 1, 1, 1), (5, 3, 3, 2)]:
        page.get_by_label("kernel").nth(0).select_option(str(k1))
        page.get_by_label("kernel").nth(1).select_option(str(k2))
        for number, stride in enumerate((s1, s2)):
            page.get_by_label("stride").nth(number).fill(str(stride))
        demo = StackDemo(kernel_size_1=k1, strides_1=s1, kernel_size_2=k2, strides_2=s2)
        assert page.locator(".cs-field").inner_text() == str(demo.receptive_field[0])
        shapes = " → ".join(" × ".join(map(str, m.shape)) for m in demo.maps())
        assert shapes in page.locator(".cs-report").inner_text()
        row, column, _ = demo.neuron
        assert neuron_of(page) == f"Neuron ({row}, {column}) of map 0"


def test_small_numbers_are_pythons(show):
    page = show(StackDemo(mode="numbers", row=0, column=0))
    sums = StackDemo(mode="numbers").sums()
    for place in range(6):
        for number in (0, 1):
            slide(page, "map", number)
            row, column = divmod(place, 3)
            text = page.locator(".cs-sum").inner_text()
            assert text.startswith(f"z({row}, {column}, map {number})")
            z = float(page.locator(".cs-sum strong").inner_text().replace("−", "-"))
            assert z == sums[row, column, number]
            demo = StackDemo(mode="numbers", row=row, column=column, feature_map=number)
            by_channel = demo.products().sum(axis=(0, 1))
            captions = page.locator(".cs-products caption").all_inner_texts()
            assert captions == [f"products, sum {s}".replace("-", "−") for s in by_channel]
        page.get_by_role("button", name="Step").click()
    for number in (0, 1):
        cells = page.locator(f".cs-table:has(caption:text-is('map {number}')) td").all_inner_texts()
        assert [float(c.replace("−", "-")) for c in cells] == sums[..., number].ravel().tolist()


def test_the_timeline_tells_every_year(show):
    page = show(TimelineDemo(year=YEARS[0]))
    slider = page.get_by_label("year", exact=True)
    slider.focus()
    for year in YEARS:
        assert slider.input_value() == str(year)
        entries = [entry for entry in ENTRIES if entry.year == year]
        cards = page.locator(".ct-card").all_inner_texts()
        assert len(cards) == len(entries)
        for entry, card in zip(entries, cards, strict=True):
            for fact in (entry.name, f"{entry.top5:g} %", entry.layers, entry.parameters):
                assert fact in card, (year, fact)
            assert entry.note in card
        page.keyboard.press("ArrowRight")


def test_bars_are_buttons_as_long_as_the_errors(show):
    page = show(TimelineDemo())
    widths = [bar.bounding_box()["width"] for bar in page.locator(".ct-bar").all()]
    errors = [entry.top5 for entry in ENTRIES]
    np.testing.assert_allclose(np.divide(widths, errors), widths[0] / errors[0], rtol=0.02)
    page.get_by_role("button", name="2015 ResNet").focus()
    page.keyboard.press("Enter")
    assert page.get_by_label("year", exact=True).input_value() == "2015"
    assert "152" in page.locator(".ct-card").inner_text()


NOTEBOOK = [
    "from cnncourse.demos import ArithmeticDemo, StackDemo, TimelineDemo\n"
    "row, stack, timeline = ArithmeticDemo(), StackDemo(), TimelineDemo()\nrow",
    "stack",
    "timeline",
    "print(row.strides, row.output_shape, stack.neuron, timeline.year)",
    "row.view, row.kernel_size, stack.strides_1, timeline.year = 'grid', 3, 3, 2017",
]


@pytest.mark.slow
def test_live_in_jupyterlab(chromium, jupyterlab):
    with visit(chromium, jupyterlab.write("three.ipynb", NOTEBOOK)) as seen:
        page = seen.page
        open_notebook(page)
        for number, name in enumerate(("ca", "cs", "ct")):
            run_cell(page, number)
            page.wait_for_selector(f".cn-demo.{name}", timeout=60_000)
        page.get_by_label("stride s").focus()
        page.keyboard.press("ArrowLeft")
        page.keyboard.press("ArrowDown")
        assert page.locator(".ca-result output").inner_text() == "5"  # ⌈13 / 3⌉
        page.locator(".cs-canvas").focus()
        page.keyboard.press("ArrowDown")
        page.keyboard.press("PageDown")
        page.get_by_label("year", exact=True).focus()
        page.keyboard.press("ArrowRight")
        run_cell(page, 3)
        page.get_by_text("3 (5,) (8, 9, 1) 2013", exact=True).wait_for()
        run_cell(page, 4)
        page.locator(".ca-result output", has_text="3 × 5").wait_for()  # ⌈7 / 3⌉ × ⌈13 / 3⌉
        page.locator(".ct-name", has_text="SENet").wait_for()
        page.locator(".cs-report", has_text="12 × 12 × 4").wait_for()
        assert seen.demo_faults() == []
        assert seen.external() == []
        assert not [e for e in seen.errors if "ResizeObserver" not in e]
