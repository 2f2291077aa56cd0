"""The demos of chapter 05 in Chromium, without a kernel, against Python."""

import numpy as np
import pytest
from cnncourse.demos import AugmentDemo, BatchNormDemo, DropoutDemo, LossCurveDemo
from cnncourse.demos.batch_norm import histogram

pytestmark = pytest.mark.browser
STATES = {
    "dropout": DropoutDemo(),
    "dropout at prediction": DropoutDemo(scaling="none", rate=55, phase="prediction", draw=40),
    "dropout, classic": DropoutDemo(scaling="classic", rate=90, draw=300),
    "batch norm": BatchNormDemo(),
    "batch norm at inference": BatchNormDemo(
        batch="many", phase="inference", steps=3, stretch=2.5, shift=-4, last=9.5, gamma=-2, beta=1
    ),
    **{f"loss curve {n}": LossCurveDemo(case=n, log=n % 2 == 1) for n in range(6)},
    "augment": AugmentDemo(),
    "augment, wild": AugmentDemo(
        rotation=180, shift=50, zoom=60, contrast=90, noise=40, flip=False, draw=77
    ),
}


def shown(page):
    """What the demo computed, by name."""
    return page.evaluate(
        """() => Object.fromEntries(Object.entries(document.querySelector(".cn-demo").cnOutput)
        .map(([k, v]) => [k, v[0]?.length ? v.map((a) => Array.from(a)) : v]))"""
    )


def expected(demo):
    if isinstance(demo, DropoutDemo):
        return {"output": demo.output, "running": demo.running_mean}
    if isinstance(demo, BatchNormDemo):
        own = (demo.values.mean(), demo.values.var())
        rows = {"values": demo.values, "normal": demo.normal, "output": demo.output}
        histograms = np.stack([histogram(row) for row in rows.values()])
        return {**rows, "moving": demo.moving, "own": own, "histograms": histograms}
    if isinstance(demo, LossCurveDemo):
        return demo.summary
    return {"output": np.stack([demo.variant(n).ravel() for n in range(8)])}


@pytest.mark.parametrize("name", STATES)
def test_numbers_are_pythons_and_all_is_accessible_at_390_px(show, name):
    demo = STATES[name]
    page = show(demo, width=390)
    found = shown(page)
    wanted = expected(demo)
    assert set(found) == set(wanted)
    for key, value in wanted.items():
        np.testing.assert_allclose(found[key], value, atol=1e-4, err_msg=key)
    assert show.visits[-1].demo_faults() == []


def test_dropout_by_keyboard(show):
    page = show(DropoutDemo())
    page.get_by_label("drop rate").press("ArrowRight")
    assert shown(page)["output"] == pytest.approx(DropoutDemo(rate=35).output.tolist())
    page.get_by_label("phase").select_option("prediction")
    page.get_by_label("scaling").select_option("classic")
    page.get_by_text("all are multiplied by 0.6500").wait_for()
    page.get_by_label("scaling").select_option("none")
    page.get_by_text("1.54 times what it was trained with").wait_for()
    page.get_by_role("button", name="Step").click()
    assert len(shown(page)["running"]) == 2
    page.get_by_role("button", name="Play").click()
    page.wait_for_function("document.querySelector('.cn-demo').cnOutput.running.length > 4")


def test_batch_norm_by_keyboard(show):
    page = show(BatchNormDemo())
    page.get_by_text("Normalised: −1.3411, −0.4470, 0.4470, 1.3411.").wait_for()
    page.get_by_label("move last").press("ArrowRight")
    page.get_by_label("gamma").press("End")
    page.get_by_label("phase").select_option("inference")
    demo = BatchNormDemo(last=0.1, gamma=3, phase="inference")
    assert shown(page)["output"] == pytest.approx(demo.output.tolist())
    page.get_by_role("button", name="Reset").click()
    assert shown(page)["output"] == pytest.approx(BatchNormDemo().output.tolist())


def test_every_diagnosis_is_answered(show):
    page = show(LossCurveDemo())
    answer = page.locator("[role=status]")
    for n in range(6):
        page.get_by_label("show").select_option(str(n))
        assert "Look at the curves" in answer.inner_text()
        for guess in ("good", "overfit", "underfit", "too large", "too small"):
            page.get_by_label("it is").select_option(guess)
            demo = LossCurveDemo(case=n, guess=guess)
            assert answer.inner_text().startswith("Right" if demo.right else "Look again")
            assert (demo.chosen["remedy"] in answer.inner_text()) == demo.right


def test_augment_by_keyboard(show):
    page = show(AugmentDemo())
    page.get_by_label("rotation").press("Home")
    page.get_by_label("draw", exact=True).press("ArrowRight")
    demo = AugmentDemo(rotation=0, draw=2)
    np.testing.assert_allclose(shown(page)["output"][5], demo.variant(5).ravel(), atol=1e-3)
    label = page.locator("canvas").nth(1).get_attribute("aria-label")
    assert label.startswith("variant 1: turned 0°")
