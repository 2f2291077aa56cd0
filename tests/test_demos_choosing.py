"""ChooseModelDemo and ScalingDemo: their numbers in Python, and in Chromium against Python's."""

import itertools
import math

import numpy as np
import pytest
import traitlets
from cnncourse.demos import ChooseModelDemo, ScalingDemo
from cnncourse.model_table import MODELS, best, fitting, pareto_front
from hypothesis import given, settings
from hypothesis import strategies as st

NAMES = [row["name"] for row in MODELS]
COLUMNS = ("size_mib", "parameters_m", "cpu_ms", "gpu_ms", "side")


def test_the_cpu_front_is_the_one_of_the_table():
    short = [row["name"].replace("EfficientNet", "") for row in pareto_front(MODELS)]
    told = "MobileNet MobileNetV2 NASNetMobile InceptionV3 B1 B2 InceptionResNetV2 B3 B4 B5 B6 B7"
    assert " ".join(short) == told


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), max_size=12))
def test_the_front_is_what_nothing_beats(pairs):
    rows = [{"name": n, "c": cost, "g": gain} for n, (cost, gain) in enumerate(pairs)]

    def beaten(row):
        return any(
            other["c"] <= row["c"]
            and other["g"] >= row["g"]
            and (other["c"], other["g"]) != (row["c"], row["g"])
            for other in rows
        )

    front = pareto_front(rows, "c", "g")
    assert {row["name"] for row in front} == {r["name"] for r in rows if not beaten(r)}
    assert [row["c"] for row in front] == sorted(row["c"] for row in front)


def test_best_within_limits():
    assert best(fitting(MODELS, max_cpu_ms=50))["name"] == "InceptionV3"
    assert best(fitting(MODELS, max_mib=36))["name"] == "EfficientNetB2"
    assert best(fitting(MODELS, max_gpu_ms=3)) is None
    twins = [
        {"name": n, "top1": 70.0, "size_mib": size} for n, size in (("large", 9), ("small", 3))
    ]
    assert best(twins)["name"] == "small"


def test_scaling_follows_the_rule():
    for phi in (0, 0.5, 1, 4, 7):
        base, wider, deeper, sharper, both = ScalingDemo(phi=phi).panels
        assert base["flops"] == 1
        assert both["flops"] == pytest.approx(1.92027**phi)
        assert wider["flops"] * deeper["flops"] * sharper["flops"] == pytest.approx(both["flops"])
        assert deeper["alone"] == pytest.approx(both["flops"])
        assert wider["alone"] ** 2 == pytest.approx(both["flops"]) == sharper["alone"] ** 2
        assert (both["depth"], both["width"]) == (deeper["depth"], wider["width"])


@pytest.mark.parametrize("demo", [ChooseModelDemo(), ScalingDemo(phi=7)])
def test_stills_are_pictures_with_text(demo):
    picture, alt = demo.still()
    assert picture.dtype == np.uint8 and picture.shape[2] == 3 and picture.std() > 20
    assert len(alt.split()) > 15


@pytest.mark.parametrize(
    ("make", "arguments"),
    [
        (ScalingDemo, {"phi": 8}),
        (ScalingDemo, {"phi": -1}),
        (ChooseModelDemo, {"cost": "price"}),
        (ChooseModelDemo, {"max_mib": -1}),
    ],
)
def test_what_is_refused(make, arguments):
    with pytest.raises(traitlets.TraitError):
        make(**arguments)


STATES = {
    "choose": ChooseModelDemo(),
    "limits": ChooseModelDemo(max_cpu_ms=50, cost="side", gain="top5", logarithmic=False),
    "nothing": ChooseModelDemo(max_gpu_ms=1),
    "scaling": ScalingDemo(),
    "largest": ScalingDemo(phi=7),
}


@pytest.mark.browser
@pytest.mark.parametrize("name", STATES)
def test_every_state_is_accessible_at_390_px(show, name):
    show(STATES[name], width=390)
    assert show.visits[-1].demo_faults() == []


@pytest.mark.browser
def test_choices_are_pythons(show):
    page = show(STATES["choose"])
    limits = list(itertools.product((12, 36, 300), (24, 50, 700), (4, 6.5, 70)))
    got = page.evaluate(
        """async ([rows, limits, columns]) => {
            const m = await import("./demos/choose_model.js");
            return limits.flatMap(([max_mib, max_cpu_ms, max_gpu_ms]) => {
                const fits = m.fitting(rows, { max_mib, max_cpu_ms, max_gpu_ms });
                const name = (row) => row?.name ?? null;
                return ["top1", "top5"].flatMap((gain) => columns.map((cost) =>
                    [m.paretoFront(fits, cost, gain).map(name), name(m.bestOf(fits, gain))]));
            });
        }""",
        [list(MODELS), limits, COLUMNS],
    )
    expected = []
    for mib, cpu, gpu in limits:
        for gain, cost in itertools.product(("top1", "top5"), COLUMNS):
            demo = ChooseModelDemo(
                cost=cost, gain=gain, max_mib=mib, max_cpu_ms=cpu, max_gpu_ms=gpu
            )
            chosen = demo.best["name"] if demo.best else None
            expected.append([[row["name"] for row in demo.front], chosen])
    assert got == expected


@pytest.mark.browser
def test_points_name_themselves_by_pointer_and_by_keyboard(show):
    page = show(STATES["choose"])
    told = page.locator(".ch-pointed")
    page.locator('.ch-point[data-name="ResNet50V2"]').hover()
    assert told.inner_text().startswith("ResNet50V2: 76.0 % top-1, 98 MiB")
    assert told.inner_text().endswith("beaten")
    assert page.locator(".ch-label").text_content() == "ResNet50V2"
    page.mouse.move(2, 2)
    page.locator(".ch-point[tabindex='0']").focus()
    walked = []
    for _ in MODELS:
        walked.append(told.inner_text().split(":")[0])
        page.keyboard.press("ArrowRight")
    assert walked == [r["name"] for r in sorted(MODELS, key=lambda r: r["cpu_ms"])]
    page.keyboard.press("Home")
    assert told.inner_text().startswith("MobileNet:")
    assert page.locator(".ch-point[tabindex='0']").count() == 1


@pytest.mark.browser
def test_limits_and_axes_move_the_front(show):
    page = show(STATES["choose"])
    limit = page.get_by_label("CPU ≤")
    limit.focus()
    while float(page.locator(".ch-limit output").nth(1).inner_text().split()[0]) > 50:
        page.keyboard.press("ArrowLeft")
    report = page.locator(".cn-readout")
    names = ", ".join(row["name"] for row in ChooseModelDemo(max_cpu_ms=50).front)
    assert "The most accurate of them: InceptionV3, 77.9 %." in report.inner_text()
    assert f"On the Pareto front: {names}." in report.inner_text()
    assert page.locator(".ch-over").count() == sum(row["cpu_ms"] > 50 for row in MODELS)
    page.get_by_label("to the right", exact=True).select_option("gpu_ms")
    names = ", ".join(r["name"] for r in ChooseModelDemo(max_cpu_ms=50, cost="gpu_ms").front)
    assert f"On the Pareto front: {names}." in report.inner_text()


@pytest.mark.browser
@pytest.mark.parametrize("log", [True, False])
def test_points_stand_where_their_numbers_are(show, log):
    page = show(ChooseModelDemo(logarithmic=log))
    places = page.evaluate(
        """() => [...document.querySelectorAll(".ch-hit")].map((c) => [
            c.parentNode.dataset.name, c.cx.baseVal.value, c.cy.baseVal.value])"""
    )
    where = {name: (x, y) for name, x, y in places}
    assert set(where) == set(NAMES)
    xs, ys = zip(*(where[name] for name in NAMES), strict=True)
    costs = [math.log(row["cpu_ms"]) if log else row["cpu_ms"] for row in MODELS]
    assert np.corrcoef(xs, costs)[0, 1] == pytest.approx(1, abs=1e-6)
    assert np.corrcoef(ys, [row["top1"] for row in MODELS])[0, 1] == pytest.approx(-1, abs=1e-6)


@pytest.mark.browser
def test_the_table_says_the_same(show):
    page = show(STATES["limits"])
    demo = STATES["limits"]
    lines = [line.split("\t") for line in page.locator(".ch-table").inner_text().splitlines()[1:]]
    assert len(lines) == 15
    front = {row["name"] for row in demo.front}
    for name, standing, top1, top5, *_, side in lines:
        row = MODELS[NAMES.index(name)]
        assert (float(top1), float(top5), int(side)) == (row["top1"], row["top5"], row["side"])
        expected = "on the front" if name in front else "beaten"
        expected = "most accurate" if name == demo.best["name"] else expected
        assert standing == (expected if row in demo.fits else "over a limit")


@pytest.mark.browser
def test_scaling_is_pythons(show):
    page = show(STATES["scaling"])
    phis = [0, 0.5, 1, 3, 7]
    demo = STATES["scaling"]
    got = page.evaluate(
        """async ([phis, base, kinds]) => {
            const { scaled } = await import("./demos/scaling.js");
            return phis.map((phi) => scaled(phi, base, kinds));
        }""",
        [phis, demo.base, demo.kinds],
    )
    for phi, panels in zip(phis, got, strict=True):
        for panel, expected in zip(panels, ScalingDemo(phi=phi).panels, strict=True):
            assert panel == pytest.approx(expected)


@pytest.mark.browser
def test_phi_by_keyboard(show):
    page = show(STATES["scaling"])
    page.get_by_label("φ", exact=True).focus()
    page.keyboard.press("End")
    assert "φ = 7: all together cost 96.28 times the base." in page.locator("main").inner_text()
    slabs = page.locator(".cz-panel").nth(2).locator(".cz-slab").count()
    assert slabs == math.ceil(4 * 1.2**7)
    page.keyboard.press("Home")
    assert page.locator(".cz-slab").count() == 5 * 4
