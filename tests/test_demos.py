"""The Python side of the demos: kernels, traits, numbers, islands, bundling."""

import base64
import html
import io
import json
import re
import shutil
import subprocess

import numpy as np
import pytest
from cnncourse import datasets, demos
from cnncourse.demos import base, kernels
from cnncourse.demos.base import Demo, bundle
from cnncourse.demos.filter import diverging
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from scipy import ndimage
from traitlets import TraitError

FilterDemo, PoolingDemo = demos.FilterDemo, demos.PoolingDemo
rng = np.random.default_rng(0)


def picture(*shape):
    return rng.integers(0, 256, shape, dtype="uint8")


def reference_filter(demo):
    """SciPy's correlation on the zero-padded picture, then every stride-th value."""
    image = demo.image / 255
    if image.ndim == 3 and demo.channels == "grey":
        image = image.mean(axis=-1)
    spread = np.kron(demo.kernel, np.eye(1, demo.dilation**2).reshape([demo.dilation] * 2))
    spread = spread[: len(demo.kernel) * demo.dilation - demo.dilation + 1]
    spread = spread[:, : len(spread)]
    span, s = len(spread), demo.strides
    maps = []
    for plane in np.atleast_3d(image).transpose(2, 0, 1):
        if demo.padding == "same":
            zeros = []
            for n in plane.shape:
                total = max(0, (-(-n // s) - 1) * s + span - n)
                zeros.append((total // 2, total - total // 2))
            plane = np.pad(plane, zeros)
        z = ndimage.correlate(plane, spread, mode="constant")
        half = span // 2
        maps.append(z[half : z.shape[0] - half : s, half : z.shape[1] - half : s] + demo.bias)
    z = np.stack(maps, axis=-1)
    return np.maximum(z, 0) if demo.relu else z


@settings(max_examples=40, deadline=None)
@given(
    st.sampled_from(kernels.SIZES),
    st.sampled_from([(1, 1), (2, 1), (3, 1), (4, 1), (1, 2), (1, 3)]),
    st.sampled_from(["valid", "same"]),
    st.sampled_from(["grey", "each"]),
    st.booleans(),
    st.tuples(st.integers(31, 45), st.integers(31, 45)),
    st.sampled_from([(), (3,)]),
)
def test_filter_output_equals_scipy(size, steps, padding, channels, relu, sides, colours):
    demo = FilterDemo(
        image=picture(*sides, *colours),
        kernel=rng.normal(size=(size, size)),
        strides=steps[0],
        dilation=steps[1],
        padding=padding,
        channels=channels,
        bias=0.3,
        relu=relu,
    )
    expected = reference_filter(demo)
    assert demo.output.dtype == np.float32
    assert demo.output.shape == expected.shape
    np.testing.assert_allclose(demo.output, expected, atol=1e-4)


@pytest.mark.parametrize("channels", ["grey", "each"])
@pytest.mark.parametrize(
    "options",
    [{}, {"strides": 2, "relu": True}, {"dilation": 3, "bias": -0.25, "padding": "valid"}],
)
def test_keras_line_builds_the_same_layer(channels, options):
    import keras

    demo = FilterDemo(preset="gabor", channels=channels, **options)
    layer = eval(demo.keras_line, {"keras": keras, "np": np, "kernel": demo.kernel})
    image = demo.image.astype("float32") / 255
    x = image if channels == "each" else demo.grey()[..., None]
    np.testing.assert_allclose(np.asarray(layer(x[None]))[0], demo.output, atol=1e-4)


def test_presets_have_their_known_weights():
    np.testing.assert_array_equal(
        kernels.preset("sobel_x", 3), [[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]]
    )
    for size in kernels.SIZES:
        assert kernels.preset("vertical_line", size).sum() == size
        np.testing.assert_array_equal(
            kernels.preset("horizontal_line", size), kernels.preset("vertical_line", size).T
        )
        np.testing.assert_array_equal(
            kernels.preset("sobel_y", size), kernels.preset("sobel_x", size).T
        )
        for name, total in {
            "box": 1,
            "gaussian": 1,
            "identity": 1,
            "sharpen": 1,
            "laplacian": 0,
        }.items():
            assert kernels.preset(name, size).sum() == pytest.approx(total)
    with pytest.raises(ValueError, match="name is 'canny'; accepted: vertical_line"):
        kernels.preset("canny")
    with pytest.raises(ValueError, match="size is 4; accepted: 3, 5"):
        kernels.preset("box", 4)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((5, 0, 0), "wavelength is 0; accepted: pixels, more than 0"),
        ((5, 0, np.nan), "wavelength is nan"),
        ((1, 0, 4), "size is 1; accepted: an odd number from 3"),
        ((6, 0, 4), "size is 6; accepted: an odd"),
        ((5.0, 0, 4), "size is 5.0; accepted: an odd"),
        ((5, np.inf, 4), "orientation is inf; accepted: degrees"),
    ],
)
def test_gabor_refuses_what_would_give_no_kernel(arguments, message):
    with pytest.raises(ValueError, match=message):
        kernels.gabor(*arguments)
    assert np.isfinite(kernels.gabor(3, -400, 0.1)).all()


def test_gabor_bank_answers_to_its_own_direction():
    bank = kernels.gabor_bank(size=11, orientations=8, wavelength=5)
    np.testing.assert_allclose(bank.sum(axis=(1, 2)), 0, atol=1e-12)
    np.testing.assert_allclose(np.abs(bank).sum(axis=(1, 2)), 2)
    y, x = np.mgrid[-30:31, -30:31]
    for i, angle in enumerate(np.arange(8) * np.pi / 8):
        # strokes that run in the direction of the angle, counter-clockwise (rows count downwards)
        stripes = np.cos(2 * np.pi * (x * np.sin(angle) + y * np.cos(angle)) / 5)
        answers = [np.abs(ndimage.correlate(stripes, k)).max() for k in bank]
        assert int(np.argmax(answers)) == i


def test_kernel_and_preset_keep_in_step():
    demo = FilterDemo()
    demo.kernel = np.ones((5, 5))
    assert (demo.preset, demo.size) == ("hand", 5)
    demo.size = 7
    np.testing.assert_array_equal(demo.kernel, np.pad(np.ones((5, 5)), 1))
    demo.size = 3
    np.testing.assert_array_equal(demo.kernel, np.ones((3, 3)))
    demo.preset = "box"
    np.testing.assert_allclose(demo.kernel, np.full((3, 3), 1 / 9))
    with pytest.raises(ValueError, match="read-only"):
        demo.kernel[0, 0] = 1


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("kernel", np.ones((4, 4)), r"kernel has shape \(4, 4\); .* even kernel has no middle"),
        ("kernel", np.ones((3, 5)), r"kernel has shape \(3, 5\); accepted: a square"),
        ("kernel", np.ones((13, 13)), r"kernel has shape \(13, 13\); accepted"),
        ("kernel", np.full((3, 3), np.nan), "kernel holds nan; accepted"),
        ("kernel", np.full((3, 3), 1e39), "kernel holds 1e.39; accepted"),
        ("kernel", "edge", "kernel is 'edge'; accepted"),
        ("strides", -1, "'strides' .* less than 1, but a value of -1"),
        ("strides", "2", "'strides' .* expected an int, not the str '2'"),
        ("padding", "full", r"'padding' .* any of \['valid', 'same'\], not the str 'full'"),
        ("dilation", 0, "'dilation' .* less than 1, but a value of 0"),
        ("bias", float("nan"), "bias is nan; accepted: a number"),
        ("size", 4, r"'size' .* any of \[3, 5, 7, 9, 11\], not the int 4"),
        ("photo", "cat", r"'photo' .* any of \['china', 'flower', 'own'\], not the str 'cat'"),
    ],
)
def test_filter_refuses(name, value, message):
    demo = FilterDemo()
    before = demo.output
    with pytest.raises(TraitError, match=message):
        setattr(demo, name, value)
    np.testing.assert_array_equal(demo.output, before)


def test_stride_and_dilation_exclude_each_other():
    demo = FilterDemo(strides=2)
    with pytest.raises(
        TraitError, match=r"strides and dilation would both be above 1 .* as in Keras"
    ):
        demo.dilation = 2
    with pytest.raises(TraitError, match="both be above 1"):
        FilterDemo(strides=3, dilation=2)


@pytest.mark.parametrize("make", [FilterDemo, PoolingDemo])
@pytest.mark.parametrize(
    ("image", "error", "message"),
    [
        ("photo.png", TypeError, "image is str; accepted: a uint8 array"),
        (np.ones((9, 9)), TypeError, r"dtype float64; .* pass \(255 \* image\)"),
        (np.array([["a"]]), TypeError, "image has dtype <U1; accepted"),
        (np.zeros((9, 9, 4), "uint8"), ValueError, r"shape \(9, 9, 4\); accepted"),
        (np.zeros((0, 9), "uint8"), ValueError, r"shape \(0, 9\); accepted"),
        (
            np.zeros((3000, 9), "uint8"),
            ValueError,
            r"at most 1024 pixels a side.*image\[::3, ::3\]",
        ),
    ],
)
def test_images_that_are_none_are_refused(make, image, error, message):
    with pytest.raises(error, match=message):
        make(image=image)


@pytest.mark.parametrize("shape", [(1, 1), (5, 9), (5, 9, 3)])
def test_image_can_be_read_and_set(shape):
    demo = FilterDemo()
    np.testing.assert_array_equal(demo.image, datasets.sample_photos()[0])
    own = picture(*shape)
    demo.image = own
    assert demo.photo == "own"
    np.testing.assert_array_equal(demo.image, own)
    demo.photo = "flower"
    np.testing.assert_array_equal(demo.image, datasets.sample_photos()[1])


def test_unknown_names_are_errors():
    with pytest.raises(AttributeError, match=r"FilterDemo has no 'stride'; accepted: .*strides"):
        FilterDemo(stride=2)
    demo = PoolingDemo()
    with pytest.raises(AttributeError, match=r"PoolingDemo has no 'pool'; accepted: .*pool_size"):
        demo.pool = 3


def reference_pool(demo, grey):
    """The definition, window by window; grey(i, j) gives any pixel of the moved picture."""
    p, side = demo.pool_size, 96 if demo.view == "picture" else 8
    h = 1 if demo.view == "row" else p
    bell = {2: [1, 2, 1], 3: [1, 3, 3, 1], 4: [1, 4, 6, 4, 1]}[p]
    bell = np.array(bell) / sum(bell)
    along = bell if h > 1 else np.ones(1)
    result = np.empty((side // p if h > 1 else 1, side // p))
    for (i, j), _ in np.ndenumerate(result):
        if demo.mode == "blur":
            result[i, j] = sum(
                a * b * grey(i * h + u - h // 2, j * p + v - p // 2)
                for u, a in enumerate(along)
                for v, b in enumerate(bell)
            )
            continue
        values = [grey(i * h + u, j * p + v) for u in range(h) for v in range(p)]
        result[i, j] = {"max": max, "average": np.mean, "stride": lambda v: v[0]}[demo.mode](values)
    return result


@settings(max_examples=25, deadline=None)
@given(
    st.sampled_from(["max", "average", "stride", "blur"]),
    st.integers(2, 4),
    st.sampled_from(["numbers", "row"]),
    st.integers(-8, 8),
    st.integers(-8, 8),
    st.tuples(st.integers(1, 40), st.integers(1, 40)),
)
def test_pooling_output_equals_its_definition(mode, p, view, down, right, shape):
    image = picture(*shape, 3)
    demo = PoolingDemo(image=image, mode=mode, pool_size=p, view=view, down=down, right=right)
    mean = image.mean(axis=-1)

    def grey(i, j):
        if view == "row":
            return 255.0 * (i == 0 and j - right == 2)
        y = (shape[0] - 8) // 2 + i - down
        x = (shape[1] - 8) // 2 + j - right
        return mean[y, x] if 0 <= y < shape[0] and 0 <= x < shape[1] else 0.0

    expected = reference_pool(demo, grey)
    np.testing.assert_allclose(demo.output, expected, atol=1e-3)
    assert demo.output.shape == expected.shape


def test_spike_row_tells_the_invariance_story():
    demo = PoolingDemo(view="row")  # the spike stands at 2
    assert demo.output.argmax() == 1
    assert not demo.changed.any()
    demo.right = 1  # at 3: the same window
    assert demo.output.argmax() == 1 and not demo.changed.any()
    demo.right = 2  # at 4: the next window; two of four outputs are unchanged
    assert demo.output.argmax() == 2
    assert demo.changed.tolist() == [[False, True, True, False]]
    assert not demo.changed_after_moving.any()


@pytest.mark.parametrize("mode", ["max", "average", "stride", "blur"])
@pytest.mark.parametrize("p", [2, 3, 4])
def test_whole_windows_only_move_the_map(mode, p):
    demo = PoolingDemo(mode=mode, pool_size=p)
    phase = dict(zip(range(-8, 9), demo.phase, strict=True))
    for move, difference in phase.items():
        assert (difference < 1e-3) == (move % p == 0)
    demo.right = demo.down = p
    assert demo.changed.mean() > 0.5 and not demo.changed_after_moving.any()
    demo.right = 1
    assert demo.changed_after_moving.mean() > 0.25


def test_blur_before_the_stride_softens_the_phase():
    means = {m: PoolingDemo(mode=m).phase[9] for m in ("stride", "max", "blur")}
    assert means["blur"] < 0.8 * means["max"] < 0.8 * means["stride"]


@pytest.mark.parametrize("make", [FilterDemo, PoolingDemo])
def test_island_is_small_deterministic_and_complete(make):
    bundle_, _ = make()._repr_mimebundle_()
    assert "application/vnd.jupyter.widget-view+json" in bundle_
    island = bundle_["text/html"]
    assert island == make().island()
    assert len(island) < 27_000
    assert bundle_["text/plain"].startswith(make.__name__)
    state = json.loads(html.unescape(re.search('data-state="([^"]*)"', island)[1]))
    assert list(state) == sorted(state)
    assert state["photo"] == "china" and state["picture"] == {"$bytes": ""}
    alt = html.unescape(re.search('<img alt="([^"]*)"', island)[1])
    assert len(alt.split()) > 8
    still = Image.open(io.BytesIO(base64.b64decode(re.search('base64,([^"]*)"', island)[1])))
    assert still.format == "JPEG" and still.width > 200


def test_island_carries_an_own_image():
    own = picture(6, 8, 3)
    island = FilterDemo(image=own).island()
    state = json.loads(html.unescape(re.search('data-state="([^"]*)"', island)[1]))
    png = base64.b64decode(state["picture"]["$bytes"])
    np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(png))), own)


def test_diverging_is_blue_white_red():
    blue, white, red = diverging(np.array([[-2.0, 0.0, 2.0]]))[0]
    assert white.tolist() == [255, 255, 255]
    assert blue[2] > 2 * blue[0] and red[0] > 2 * red[2]


@pytest.fixture
def modules(tmp_path, monkeypatch):
    monkeypatch.setattr(base, "JS", tmp_path)
    return lambda **files: [(tmp_path / f"{n}.js").write_text(t) for n, t in files.items()]


def test_bundle_inlines_each_helper_once(modules):
    modules(
        a='import { b } from "./b.js";\nimport { c, d } from "./c.js";\nexport default b + c;\n',
        b='import { c } from "./c.js";\nexport const b = c;\n',
        c="export const c = 1;\nexport function d() {}\n",
    )
    assert bundle("a") == (
        "const c = 1;\nfunction d() {}\n\nconst b = c;\n\nexport default b + c;\n"
    )


@pytest.mark.parametrize(
    ("files", "message"),
    [
        (
            {"a": 'import { b } from "./b.js";\nlet x;\n', "b": "let x;\nexport let b;\n"},
            "x is decl",
        ),
        ({"a": 'import { q } from "./b.js";\n', "b": "export let b;\n"}, "not exported by b.js"),
        ({"a": 'import x from "https://cdn";\n'}, "write imports as"),
    ],
)
def test_bundle_refuses(modules, files, message):
    modules(**files)
    with pytest.raises(ValueError, match=message):
        bundle("a")


def test_assets_are_complete(tmp_path):
    demos.write_assets(tmp_path)
    for name in demos.__all__:
        made = getattr(demos, name)
        if isinstance(made, type) and issubclass(made, Demo) and made is not Demo:
            text = (tmp_path / "demos" / f"{made._module}.js").read_text()
            assert text == bundle(made._module)
            text = text.replace("http://www.w3.org/2000/svg", "")  # a name, not an address
            assert "http://" not in text and "https://" not in text
    for name, photo in zip(("china", "flower"), datasets.sample_photos(), strict=True):
        np.testing.assert_array_equal(Image.open(tmp_path / "demos" / f"{name}.png"), photo)
    assert (tmp_path / "island.js").exists() and (tmp_path / "demo.css").exists()


def test_committed_webassembly_is_what_the_source_compiles_to(request):
    if not shutil.which("npx"):
        pytest.skip("no npx: the committed WebAssembly is taken as it is")
    tool = request.config.rootpath / "tools" / "build_wasm.py"
    scope = {"__file__": str(tool), "__name__": "build_wasm"}
    exec(tool.read_text(), scope)
    try:
        wasm = scope["compiled"]()
    except subprocess.CalledProcessError as error:
        pytest.skip(f"the compiler could not be fetched: {error}")
    committed = (base.JS / "conv_wasm.js").read_text()
    assert committed == scope["module"](wasm)
