"""KernelLearnDemo: its descent is Keras', and the browser's is Python's."""

import keras
import numpy as np
import pytest
from cnncourse.demos import KernelLearnDemo
from cnncourse.demos.kernel_learn import GOALS, MOST_STEPS, TOO_LARGE
from cnncourse.demos.kernels import preset
from traitlets import TraitError

SETTINGS = [
    {"picture": picture, "goal": goal, "learning_rate": rate, "steps": steps}
    for picture in ("noise", "photo")
    for goal in GOALS
    for rate, steps in ((0.05, 0), (0.1, 60), (1.2, 40))
]


def keras_descent(demo):
    """Make the same steps with Keras' convolution and its SGD on TensorFlow's gradients."""
    import tensorflow as tf

    x = np.array(demo.pictures[demo.picture])[None, :, :, None]
    target = keras.ops.conv(x, preset(demo.goal, 3)[:, :, None, None], padding="valid")
    w = keras.Variable(np.array(demo.start)[:, :, None, None], dtype="float64")
    optimizer = keras.optimizers.SGD(demo.learning_rate)
    losses = []
    for _ in range(demo.steps):
        with tf.GradientTape() as tape:
            loss = keras.ops.mean((keras.ops.conv(x, w, padding="valid") - target) ** 2)
        losses.append(float(loss))
        optimizer.apply([tape.gradient(loss, w.value)], [w])
    return np.asarray(w)[:, :, 0, 0], losses


@pytest.mark.parametrize(("picture", "goal"), [("noise", "sobel_y"), ("photo", "sharpen")])
def test_descent_is_keras(picture, goal):
    demo = KernelLearnDemo(picture=picture, goal=goal, learning_rate=0.04, steps=12)
    kernel, losses = keras_descent(demo)
    np.testing.assert_allclose(demo.kernel, kernel, atol=1e-5)
    np.testing.assert_allclose(demo.path()[1][:-1], losses, rtol=1e-4)


@pytest.mark.parametrize("goal", GOALS)
def test_noise_gives_the_hidden_kernel_back(goal):
    demo = KernelLearnDemo(goal=goal, learning_rate=0.3, steps=200)
    np.testing.assert_allclose(demo.kernel, preset(goal, 3), atol=1e-6)
    assert demo.loss < 1e-10


def test_a_photograph_is_harder_and_a_large_rate_explodes():
    noise, photo = (KernelLearnDemo(picture=p, steps=100).loss for p in ("noise", "photo"))
    assert noise < 1e-6 < photo
    kernels, losses = KernelLearnDemo(learning_rate=1.2, steps=MOST_STEPS).path()
    assert len(kernels) == len(losses) < MOST_STEPS
    assert losses[-1] > TOO_LARGE > losses[-2] > losses[0]


@pytest.mark.parametrize(
    "wrong",
    [{"goal": "gabor"}, {"picture": "cat"}, {"learning_rate": 2}, {"steps": -1}, {"steps": 401}],
)
def test_what_is_refused(wrong):
    with pytest.raises(TraitError):
        KernelLearnDemo(**wrong)


def test_still_follows_the_state():
    picture, alt = KernelLearnDemo(goal="sobel_x", learning_rate=0.2, steps=100).still()
    assert "after 100 steps" in alt and "sobel x" in alt
    np.testing.assert_array_equal(picture[:, 162:312], picture[:, 324:474])  # learnt it
    exploded = KernelLearnDemo(learning_rate=1.2, steps=MOST_STEPS)
    made = len(exploded.path()[0]) - 1
    assert made < MOST_STEPS and f"after {made} steps" in exploded.still()[1]


@pytest.mark.browser
def test_the_path_is_pythons(show):
    demo = KernelLearnDemo()
    page = show(KernelLearnDemo())
    got = page.evaluate(
        """async ([settings, pictures, start]) => {
            const { learnPath } = await import("./demos/kernel_learn.js");
            return settings.map(({ picture, goal, learning_rate, steps }) =>
                learnPath(pictures[picture], start, goal, learning_rate, steps));
        }""",
        [SETTINGS, demo.pictures, demo.start],
    )
    for settings, path in zip(SETTINGS, got, strict=True):
        kernels, losses = KernelLearnDemo(**settings).path()
        np.testing.assert_allclose(path["kernels"], kernels, rtol=1e-9, atol=1e-9)
        np.testing.assert_allclose(path["losses"], losses, rtol=1e-8, atol=1e-9)


@pytest.mark.browser
def test_steps_by_keyboard_at_390_px(show):
    page = show(KernelLearnDemo(), width=390)
    report = page.locator(".cl-report")
    page.get_by_role("button", name="Step").focus()
    for _ in range(3):
        page.keyboard.press("Enter")
    loss = float(f"{KernelLearnDemo(steps=3).loss:.3g}")
    assert report.inner_text().startswith(f"Step 3: loss {loss:g};")
    page.get_by_role("button", name="Back").click()
    assert report.inner_text().startswith("Step 2:")
    slider = page.get_by_label("learning rate")
    slider.press("ArrowRight")  # another rate: from the start
    assert report.inner_text().startswith("Step 0:")
    assert slider.input_value() == "0.11"
    slider.press("End")
    for _ in range(4):
        page.get_by_role("button", name="Step").click()
    assert "smaller learning rate" in page.locator(".cn-message").inner_text()
    page.get_by_role("button", name="Restart").click()
    assert page.locator(".cn-message").inner_text() == ""
    page.get_by_label("hidden", exact=True).select_option("box")
    page.get_by_role("button", name="Play").click()
    page.wait_for_function("document.querySelector('.cl-report').textContent.match(/Step .\\d/)")
    page.get_by_role("button", name="Pause").click()
    assert show.visits[-1].demo_faults() == []
