"""The demos in a real browser: alone in a page without a kernel, and in JupyterLab."""

import base64
import json
import re
from contextlib import contextmanager

import numpy as np
import pytest
from browser import open_notebook, run_cell, served, visit
from cnncourse import demos
from cnncourse.demos import base, kernels
from cnncourse.demos.filter import diverging
from cnncourse.scratch import conv2d
from PIL import Image

pytestmark = pytest.mark.browser
FilterDemo, PoolingDemo = demos.FilterDemo, demos.PoolingDemo

PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Island</title>
<meta name="viewport" content="width=device-width"><link rel="icon" href="data:,"></head>
<body><main><h1>Island</h1>{}</main><script type="module" src="island.js"></script></body></html>"""
# Numbers leave the page as base64: thirty times as fast as a list of them.
BASE64 = """(numbers) => new Promise((done) => { const reader = new FileReader();
  reader.onload = () => done(reader.result.split(",")[1]);
  reader.readAsDataURL(new Blob([Float32Array.from(numbers)])) })"""
OUTPUT = f"""async () => {{ const o = document.querySelector(".cn-demo").cnOutput;
  return {{ data: await ({BASE64})(o.data), shape: o.shape, scale: o.scale }} }}"""
CHECKSUM = """(() => { const { data, shape } = document.querySelector(".cn-demo").cnOutput;
  return shape + ":" + data.reduce((sum, v, i) => sum + v * (1 + (i % 97)), 0) })()"""


def floats(text, shape):
    return np.frombuffer(base64.b64decode(text), "float32").reshape(shape)


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """A folder with the assets; `site(demo)` writes a page with its island, returns its address."""
    folder = tmp_path_factory.mktemp("site")
    demos.write_assets(folder)
    (folder / "js").mkdir()
    for file in base.JS.glob("*.js"):
        (folder / "js" / file.name).write_text(file.read_text())
    with served(folder) as url:

        def write(demo=None):
            (folder / "index.html").write_text(PAGE.format(demo.island() if demo else ""))
            return f"{url}/index.html"

        yield write


def alive(page, selector=".cn-island[data-live=yes]"):
    page.wait_for_selector(selector)
    page.wait_for_function("document.querySelector('.cn-demo').cnOutput")


def browser_output(page):
    """What FilterDemo shows, (rows, columns, maps), or PoolingDemo, (rows, columns)."""
    found = page.evaluate(OUTPUT)
    array = floats(found["data"], found["shape"])
    return np.moveaxis(array, 0, -1) if array.ndim == 3 else array


@contextmanager
def changes(page):
    """What happens inside changes what the demo shows; waits for it."""
    before = page.evaluate(CHECKSUM)
    yield
    page.wait_for_function(f"(old) => {CHECKSUM} !== old", arg=before, timeout=20_000)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"photo": "flower", "preset": "gabor", "size": 11, "channels": "each", "strides": 2},
        {"preset": "sobel_x", "size": 3, "padding": "valid", "dilation": 3, "bias": 0.4},
        {"preset": "emboss", "size": 5, "strides": 3, "relu": True, "padding": "valid"},
        {"image": np.arange(35, dtype="uint8").reshape(5, 7), "kernel": np.eye(9)},
        {"image": np.full((1, 1, 3), 99, "uint8"), "kernel": -np.eye(3), "channels": "each"},
    ],
    ids=str,
)
def test_filter_island_equals_python(chromium, site, options):
    demo = FilterDemo(**options)
    with visit(chromium, site(demo)) as seen:
        alive(seen.page)
        np.testing.assert_allclose(browser_output(seen.page), demo.output, atol=1e-4)
        assert seen.page.inner_text(".cn-code") == demo.keras_line
        assert not seen.errors and not seen.external()


def test_filter_colours_equal_python(chromium, site):
    demo = FilterDemo(preset="gabor")
    with visit(chromium, site(demo)) as seen:
        alive(seen.page)
        shown = seen.page.evaluate(
            f"""() => {{ const c = document.querySelector(".cn-map");
            return ({BASE64})(c.getContext("2d").getImageData(0, 0, c.width, c.height).data) }}"""
        )
        scale = seen.page.evaluate(OUTPUT)["scale"]
    shown = floats(shown, (427, 640, 4))[..., :3]
    expected = diverging(demo.output[..., 0], scale).astype(int)
    assert np.abs(shown - expected).max() <= 2  # steps of the browser's colour table


def test_presets_equal_python(chromium, site):
    with visit(chromium, site()) as seen:
        found = seen.page.evaluate(
            """async ([names, sizes]) => {
            const { preset, fit } = await import(new URL("js/kernels.js", location.href));
            const all = names.map((n) => sizes.map((s) => preset(n, s, 67.5, 4.5)));
            return { all, fitted: sizes.map((s) => fit(all[2][2], s)) } }""",
            [kernels.PRESETS, kernels.SIZES],
        )
    for name, row in zip(kernels.PRESETS, found["all"], strict=True):
        for size, kernel in zip(kernels.SIZES, row, strict=True):
            np.testing.assert_allclose(kernel, kernels.preset(name, size, 67.5, 4.5), atol=1e-12)
    for size, kernel in zip(kernels.SIZES, found["fitted"], strict=True):
        np.testing.assert_array_equal(kernel, kernels.fit(kernels.preset("sobel_x", 7), size))


@pytest.mark.parametrize("engine", ["wasm", "js"])
@pytest.mark.parametrize(
    ("maps", "height", "width", "k", "options"),
    [
        (3, 427, 640, 7, {"padding": "same"}),
        (3, 427, 640, 7, {"padding": "valid", "strides": 2}),
        (1, 20, 50, 11, {"padding": "same", "strides": 3, "bias": 0.5}),
        (2, 19, 33, 5, {"padding": "valid", "dilation": 4}),
        (1, 1, 1, 3, {"padding": "same"}),
        (1, 3, 3, 3, {"padding": "valid"}),
    ],
)
def test_convolution_equals_numpy(chromium, site, engine, maps, height, width, k, options):
    rng = np.random.default_rng(k)
    kernel = rng.normal(size=(maps, k, k)).round(3)
    # a picture that both sides make by the same rule
    i = np.arange(maps * height * width)
    x = ((i * 7919 % 1009) / 1009).astype("float32").reshape(maps, height, width)
    bias = options.get("bias", 0)
    choices = {n: v for n, v in options.items() if n != "bias"}
    w = kernel.astype("float32").transpose(1, 2, 0)[..., None]
    expected = conv2d(x.transpose(1, 2, 0)[None], w, np.full(1, bias, "float32"), **choices)
    with visit(chromium, site()) as seen:
        found = seen.page.evaluate(
            f"""async ([engine, shape, kernel, options]) => {{
            const {{ conv2d, engines }} = await import(new URL("js/conv.js", location.href));
            if (!engines[engine]) return null;
            const x = new Float32Array(shape[0] * shape[1] * shape[2]);
            for (let i = 0; i < x.length; i++) x[i] = ((i * 7919) % 1009) / 1009;
            const y = conv2d(x, shape, kernel, options, engines[engine]);
            return {{ data: await ({BASE64})(y.data), shape: y.shape }} }}""",
            [engine, [maps, height, width], kernel.tolist(), options],
        )
    assert found is not None, f"no {engine} in this browser"
    found = floats(found["data"], found["shape"])
    np.testing.assert_allclose(found, expected[0, ..., 0], atol=1e-4)


def test_without_webassembly_the_demo_is_the_same(chromium, site):
    demo = FilterDemo(preset="gabor", strides=2)
    with visit(chromium, site(demo), script="delete globalThis.WebAssembly") as seen:
        assert seen.page.evaluate("typeof WebAssembly") == "undefined"
        alive(seen.page)
        np.testing.assert_allclose(browser_output(seen.page), demo.output, atol=1e-4)


def test_filter_answers_keyboard(chromium, site):
    demo = FilterDemo(image=np.arange(600, dtype="uint8").reshape(20, 30))
    with visit(chromium, site(demo)) as seen:
        page = seen.page
        alive(page)
        with changes(page):
            page.get_by_label("stride").press("ArrowRight")
        demo.strides = 2
        np.testing.assert_allclose(browser_output(page), demo.output, atol=1e-4)
        with changes(page):  # Keras refuses both above 1: the stride gives way
            page.get_by_label("dilation").press("ArrowRight")
        demo.strides, demo.dilation = 1, 2
        np.testing.assert_allclose(browser_output(page), demo.output, atol=1e-4)
        assert "Keras refuses strides and dilation above 1" in page.inner_text(".cn-message")
        cell = page.locator("[role=gridcell][tabindex='0']")
        cell.press("ArrowDown")
        page.keyboard.press("ArrowRight")
        with changes(page):
            page.keyboard.press("-")
        with changes(page):
            page.keyboard.press("-")
        kernel = demo.kernel.copy()
        kernel[1, 1] = -0.2
        demo.kernel = kernel
        np.testing.assert_allclose(browser_output(page), demo.output, atol=1e-4)
        assert page.get_by_label("preset").input_value() == "hand"


def test_filter_answers_pointer_and_reads_a_neuron(chromium, site):
    demo = FilterDemo(preset="identity", size=3, bias=0.5, padding="same")
    with visit(chromium, site(demo)) as seen:
        page = seen.page
        alive(page)
        box = page.locator(".cn-map").bounding_box()
        row, column = 100, 200
        x, y = (
            box["x"] + (column + 0.5) * box["width"] / 640,
            box["y"] + (row + 0.5) * box["height"] / 427,
        )
        page.mouse.move(x, y)
        value = float(demo.output[row, column, 0])
        text = page.inner_text(".cn-sum")
        assert f"Neuron ({row}, {column}) reads rows 99 to 101, columns 199 to 201" in text
        assert f"Sum of 9 products: {value - 0.5:.4f}, with bias 0.50: {value:.4f}" in text
        page.locator(".cn-map").focus()
        page.keyboard.press("ArrowDown")
        page.keyboard.press("Shift+ArrowLeft")
        assert f"Neuron ({row + 1}, {column - 10})" in page.inner_text(".cn-sum")
        cells = page.locator("[role=gridcell]")
        cells.nth(0).hover()
        with changes(page):
            page.mouse.down()
        with changes(page):
            cells.nth(2).hover()
        page.mouse.up()
        kernel = demo.kernel.copy()
        shown = [float(c.replace("−", "-")) for c in cells.all_inner_texts()]
        assert shown[0] == shown[2] == 1
        kernel[:] = np.array(shown).reshape(3, 3)
        demo.kernel = kernel
        np.testing.assert_allclose(browser_output(page), demo.output, atol=1e-4)


def test_own_picture_opens_in_the_page(chromium, site, tmp_path):
    own = np.random.default_rng(1).integers(0, 256, (40, 60, 3), dtype="uint8")
    Image.fromarray(own).save(tmp_path / "own.png")
    Image.new("RGB", (4000, 1000), "teal").save(tmp_path / "huge.png")
    (tmp_path / "notes.png").write_text("not a picture")
    demo = FilterDemo()
    with visit(chromium, site(demo)) as seen:
        page = seen.page
        alive(page)
        file = page.get_by_label("or open my own")
        file.set_input_files(tmp_path / "notes.png")
        page.wait_for_selector("text=notes.png is not a picture that this browser can read")
        with changes(page):
            file.set_input_files(tmp_path / "own.png")
        demo.image = own
        np.testing.assert_allclose(browser_output(page), demo.output, atol=1e-4)
        assert page.get_by_label("photo", exact=True).input_value() == "own"
        with changes(page):
            file.set_input_files(tmp_path / "huge.png")
        assert browser_output(page).shape == (256, 1024, 1)
        text = page.inner_text(".cn-message")
        assert "4000 × 1000 pixels; it was reduced to 1024 × 256" in text
        assert not seen.errors and not seen.external()


def test_kernel_larger_than_the_picture_is_explained(chromium, site):
    demo = FilterDemo(image=np.zeros((5, 9), "uint8"), padding="same")
    with visit(chromium, site(demo)) as seen:
        alive(seen.page)
        seen.page.get_by_label("padding").select_option("valid")
        seen.page.wait_for_selector("text=No neuron fits: the kernel covers 7 × 7 pixels")
        seen.page.get_by_label("padding").select_option("same")
        seen.page.wait_for_selector(".cn-map:visible")
        assert not seen.errors


@pytest.mark.parametrize("mode", ["max", "average", "stride", "blur"])
@pytest.mark.parametrize("view", ["picture", "numbers", "row"])
def test_pooling_island_equals_python(chromium, site, mode, view):
    demo = PoolingDemo(mode=mode, view=view, pool_size=3, right=2, down=0 if view == "row" else -1)
    with visit(chromium, site(demo)) as seen:
        alive(seen.page)
        np.testing.assert_allclose(browser_output(seen.page), demo.output, atol=1e-3)
        phase = seen.page.evaluate("document.querySelector('.cn-demo').cnPhase.values")
        phase = [np.nan if v is None else v for v in phase]
        np.testing.assert_allclose(np.array(phase, float), demo.phase, atol=1e-3)
        count = f"{demo.changed.sum()} of {demo.changed.size} outputs changed"
        assert count in seen.page.inner_text(".cn-readout")
        assert not seen.errors and not seen.external()


def test_pooling_answers_keyboard_and_pointer(chromium, site):
    demo = PoolingDemo(view="numbers")
    with visit(chromium, site(demo)) as seen:
        page = seen.page
        alive(page)
        first = browser_output(page)
        pixels = page.locator(".cn-grab")
        with changes(page):
            pixels.press("ArrowRight")
        demo.right = 1
        np.testing.assert_allclose(browser_output(page), demo.output, atol=1e-3)
        box = pixels.bounding_box()
        cell = box["width"] / 8
        page.mouse.move(box["x"] + 20, box["y"] + 20)
        page.mouse.down()
        page.mouse.move(box["x"] + 20 - 3 * cell, box["y"] + 20 + 2 * cell, steps=4)
        page.mouse.up()
        page.wait_for_selector("text=moved −2 right, 2 down")
        demo.right, demo.down = -2, 2
        np.testing.assert_allclose(browser_output(page), demo.output, atol=1e-3)
        with changes(page):
            page.get_by_role("button", name="back").click()
        np.testing.assert_array_equal(browser_output(page), first)
        page.get_by_label("fade dropped values").check()
        assert "75 % are dropped" in page.inner_text(".cn-controls")


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize(
    "demo",
    [
        FilterDemo(preset="gabor", size=11, channels="each", bias=-0.1, relu=True),
        FilterDemo(preset="sharpen", size=3),
        PoolingDemo(right=1),
        PoolingDemo(view="numbers", right=1, dropped=True),
    ],
    ids=lambda d: f"{type(d).__name__}",
)
def test_islands_are_accessible_and_fit(chromium, site, demo, width):
    with visit(chromium, site(demo), width=width) as seen:
        alive(seen.page)
        assert seen.demo_faults() == []
        assert not seen.errors and not seen.external()


def test_the_faults_of_a_bad_demo_are_found(chromium):
    with visit(chromium, "about:blank") as seen:
        seen.page.set_content('<main class="cn-demo"><input style="width: 2000px"></main>')
        faults = "\n".join(seen.demo_faults())
    for fault in ("loses its keys: <input", "has no control", "pixels too wide", "label: <input"):
        assert fault in faults


def test_a_broken_island_keeps_its_picture(chromium, site):
    address = site(FilterDemo())
    with visit(chromium, address, script="delete globalThis.createImageBitmap") as seen:
        seen.page.wait_for_selector("text=The picture could not be loaded")
    context = chromium.new_context()
    page = context.new_page()
    page.route("**/demos/filter.js", lambda route: route.abort())
    page.goto(address)
    page.wait_for_selector(".cn-island[data-live=no]")
    assert page.locator(".cn-island img[alt]").is_visible()
    assert "could not start here" in page.inner_text(".cn-island")
    context.close()


NOTEBOOK = [
    "import json\nfrom cnncourse.demos import FilterDemo\ndemo = FilterDemo(preset='gabor')\ndemo",
    "print(json.dumps({'strides': demo.strides, 'kernel': demo.kernel.tolist(),"
    " 'shape': demo.output.shape, 'sum': float(abs(demo.output).sum())}))",
    "demo.kernel = [[0, 0, 0], [0, 2, 0], [0, 0, 0]]",
]


def test_filter_in_jupyterlab(chromium, jupyterlab):
    with visit(chromium, jupyterlab.write("demo.ipynb", NOTEBOOK)) as seen:
        page = seen.page
        open_notebook(page)
        run_cell(page, 0)
        page.wait_for_selector(".cn-demo", timeout=60_000)
        page.wait_for_function("document.querySelector('.cn-demo').cnOutput", timeout=30_000)
        demo = FilterDemo(preset="gabor")
        np.testing.assert_allclose(browser_output(page), demo.output, atol=1e-4)

        # The arrow key moves the slider, and JupyterLab's selected cell stays where it is.
        selected = (
            "Array.from(document.querySelectorAll('.jp-Cell')).findIndex((c) => "
            "c.classList.contains('jp-mod-active'))"
        )
        page.get_by_label("stride").focus()
        active = page.evaluate(selected)
        for key in ("ArrowRight", "ArrowUp", "ArrowDown"):  # 1 -> 2 -> 3 -> 2
            with changes(page):
                page.keyboard.press(key)
        demo.strides = 2
        np.testing.assert_allclose(browser_output(page), demo.output, atol=1e-4)
        page.locator(".cn-map").focus()
        page.keyboard.press("ArrowDown")
        page.locator("[role=gridcell][tabindex='0']").focus()
        page.keyboard.press("ArrowDown")
        assert page.evaluate(selected) == active
        assert page.evaluate("document.activeElement.getAttribute('role')") == "gridcell"

        run_cell(page, 1)
        python = page.wait_for_selector(".jp-CodeCell:nth-of-type(2) .jp-OutputArea-output pre")
        told = json.loads(python.inner_text())
        assert told["strides"] == 2 and told["shape"] == list(demo.output.shape)
        np.testing.assert_allclose(told["kernel"], demo.kernel, atol=1e-9)
        assert told["sum"] == pytest.approx(float(np.abs(browser_output(page)).sum()), rel=1e-4)

        with changes(page):
            run_cell(page, 2)  # Python sets the kernel, the picture follows
        demo.kernel = [[0, 0, 0], [0, 2, 0], [0, 0, 0]]
        np.testing.assert_allclose(browser_output(page), demo.output, atol=1e-4)
        assert page.get_by_label("preset").input_value() == "hand"
        assert seen.demo_faults() == []
        assert seen.external() == []
        assert not [e for e in seen.errors if not re.search("ResizeObserver", e)]
