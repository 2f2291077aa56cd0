"""InceptionDemo: its numbers against Keras' layers, and in Chromium against Python."""

import keras
import pytest
import traitlets
from browser import open_notebook, run_cell, visit
from cnncourse import anatomy, cost
from cnncourse.architectures.googlenet import MODULES
from cnncourse.demos import InceptionDemo
from cnncourse.demos.inception import PRESETS, SETTINGS, branch_costs
from cnncourse.layers import InceptionModule
from hypothesis import given, settings
from hypothesis import strategies as st

LARGEST = {"channels": 1024, "side": 56, "one": 512, "reduce3": 512, "three": 512}
LARGEST |= {"reduce5": 256, "five": 256, "projection": 256}
SMALLEST = dict.fromkeys(SETTINGS, 1)


def measured(channels, side, maps):
    """Return what Keras' own layers of each branch cost, one dictionary per branch."""
    inputs = keras.Input((side, side, channels))
    steps = anatomy.steps(keras.Model(inputs, InceptionModule(maps)(inputs)))
    branches = [[] for _ in range(4)]
    for step, branch in zip(steps, (0, 1, 1, 2, 2, 3, 3), strict=False):
        branches[branch].append(step)
    return [
        {
            "maps": branch[-1].shape[-1],
            "parameters": sum(step.parameters for step in branch),
            "macs": sum(step.macs for step in branch),
        }
        for branch in branches
    ]


sizes = st.integers(1, 9)


@settings(max_examples=15, deadline=None)
@given(sizes, sizes, st.tuples(*[sizes] * 6))
def test_branches_cost_what_keras_layers_cost(channels, side, maps):
    assert branch_costs(channels, side, maps) == measured(channels, side, maps)


@settings(max_examples=10, deadline=None)
@given(sizes, sizes, st.tuples(*[sizes] * 6))
def test_without_reducers(channels, side, maps):
    inputs = keras.Input((side, side, channels))
    rows = branch_costs(channels, side, maps, reducers=False)
    for row, kernel_size, filters in zip(rows, (1, 3, 5), maps[::2], strict=False):
        conv = keras.layers.Conv2D(filters, kernel_size, padding="same")
        net = keras.Model(inputs, conv(inputs))
        expected = {"maps": filters, "parameters": net.count_params(), "macs": cost.macs(net)}
        assert row == expected
    assert rows[3] == {"maps": channels, "parameters": 0, "macs": 0}


def test_presets_are_googlenets_modules():
    rows = {preset["name"]: tuple(preset[name] for name in SETTINGS[2:]) for preset in PRESETS}
    assert rows == {name: maps for name, maps in MODULES.items() if maps}
    given = [preset["channels"] for preset in PRESETS]
    made = [InceptionDemo(**chosen(preset)).total()["maps"] for preset in PRESETS]
    assert given == [192, *made[:-1]]
    assert [preset["side"] for preset in PRESETS] == [28] * 2 + [14] * 5 + [7] * 2


def chosen(preset):
    return {name: preset[name] for name in SETTINGS}


def test_the_still_says_the_numbers():
    picture, alt = InceptionDemo().still()
    assert picture.shape == (190, 640, 3) and picture.std() > 20
    for fact in ("163,696 parameters, 256 maps", "387,296 parameters, 416 maps", "128.0 M"):
        assert fact in alt


@pytest.mark.parametrize("name", SETTINGS)
def test_numbers_outside_the_sliders_are_refused(name):
    for value in (0, LARGEST[name] + 1):
        with pytest.raises(traitlets.TraitError):
            InceptionDemo(**{name: value})


STATES = {"3a": {}, "5b": chosen(PRESETS[-1]), "largest": LARGEST, "smallest": SMALLEST}


@pytest.mark.browser
@pytest.mark.parametrize("width", [390, 1000])
@pytest.mark.parametrize("state", STATES)
def test_every_state_is_accessible(show, state, width):
    page = show(InceptionDemo(**STATES[state]), width)
    (seen,) = show.visits
    edges = page.locator(".ci-tables, .ci-table").evaluate_all(
        "all => all.map((table) => table.getBoundingClientRect().right)"
    )
    assert max(edges[1:]) <= edges[0] + 1, "a table is wider than its place"
    assert seen.demo_faults() == []
    assert page.locator("[data-lm-suppress-shortcuts=true]").count() == 9


@pytest.mark.browser
def test_the_browsers_numbers_are_pythons(show):
    page = show(InceptionDemo())
    cases = [[p["channels"], p["side"], [p[n] for n in SETTINGS[2:]]] for p in PRESETS]
    cases += [[v["channels"], v["side"], [v[n] for n in SETTINGS[2:]]] for v in (LARGEST, SMALLEST)]
    got = page.evaluate(
        """async (cases) => {
            const { branchCosts } = await import("./demos/inception.js");
            return cases.map((c) => [true, false].map((r) => branchCosts(...c, r)));
        }""",
        cases,
    )
    assert got == [[branch_costs(*case, reducers) for reducers in (True, False)] for case in cases]


def check_text(page, demo):
    """The sentence, the stack and both tables say what Python counts."""
    text = page.locator(".ci-report").inner_text()
    lean, full = demo.total(), demo.total(reducers=False)
    assert f"With reducers {lean['parameters']:,} parameters" in text
    assert f"for {lean['maps']} maps of {demo.side} × {demo.side}" in text
    assert f"{full['parameters'] / lean['parameters']:.2f} times the parameters" in text
    assert f"{full['maps']} maps." in text
    assert f"= {lean['maps']} maps" in page.locator(".ci-stacked").inner_text()
    for number, reducers in enumerate((True, False)):
        rows = page.locator(".ci-table").nth(number).locator("tbody tr")
        for k, branch in enumerate(demo.branches(reducers)):
            cells = rows.nth(k).locator("td").all_inner_texts()
            share = 100 * branch["parameters"] / demo.total(reducers)["parameters"]
            assert cells[:2] == [str(branch["maps"]), f"{branch['parameters']:,}"]
            assert float(cells[2].split()[0]) == pytest.approx(share, abs=0.51)


@pytest.mark.browser
def test_presets_and_keyboard(show):
    page = show(InceptionDemo())
    check_text(page, InceptionDemo())
    menu = page.get_by_label("module", exact=True)
    assert menu.input_value() == "0"
    menu.select_option(label="4d")
    check_text(page, InceptionDemo(**chosen(PRESETS[5])))
    page.get_by_label("5×5 reduce", exact=True).focus()
    page.keyboard.press("ArrowRight")
    check_text(page, InceptionDemo(**{**chosen(PRESETS[5]), "reduce5": 33}))
    assert menu.input_value() == ""  # these are no module's numbers any more
    page.keyboard.press("ArrowLeft")
    page.wait_for_function("document.querySelector('.ci select').value === '5'")
    page.get_by_label("side", exact=True).focus()
    page.keyboard.press("Home")
    check_text(page, InceptionDemo(**{**chosen(PRESETS[5]), "side": 1}))


@pytest.mark.browser
def test_bars_are_as_long_as_the_products(show):
    page = show(InceptionDemo())
    for number, reducers in enumerate((True, False)):
        parts = page.locator(".ci-bar").nth(number).locator(".ci-part")
        widths = parts.evaluate_all("all => all.map((p) => parseFloat(p.style.width))")
        scale = InceptionDemo().total(reducers=False)["macs"]
        expected = [100 * branch["macs"] / scale for branch in InceptionDemo().branches(reducers)]
        assert widths == pytest.approx(expected, abs=0.01)


NOTEBOOK = [
    "from cnncourse.demos import InceptionDemo\nmodule = InceptionDemo()\nmodule",
    "print(module.one, module.total()['maps'])",
    "module.side = 7",
]


@pytest.mark.slow
@pytest.mark.browser
def test_live_in_jupyterlab(chromium, jupyterlab):
    with visit(chromium, jupyterlab.write("inception.ipynb", NOTEBOOK)) as seen:
        page = seen.page
        open_notebook(page)
        run_cell(page, 0)
        page.locator(".cn-demo.ci .ci-table").first.wait_for()
        page.get_by_label("1×1", exact=True).focus()
        page.keyboard.press("ArrowRight")
        run_cell(page, 1)
        page.get_by_text("65 257", exact=True).wait_for()
        run_cell(page, 2)
        page.get_by_text("257 maps of 7 × 7").wait_for()
        assert seen.external() == []
        assert not [e for e in seen.errors if "ResizeObserver" not in e]
