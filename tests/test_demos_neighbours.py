"""NeighboursDemo: the pictures and neighbours are those that were given, here and in Chromium."""

import re

import numpy as np
import pytest
import traitlets
from cnncourse.demos import NeighboursDemo
from hypothesis import given, settings
from hypothesis import strategies as st

NAMES = ["tree", "car", "car", "tree", "car", "tree", "car", "tree"]
FOUND = {
    "pixels": np.array([[1, 2], [2, 3], [3, 4], [4, 5], [5, 6], [6, 7], [7, 0], [0, 1]]),
    "features": np.array([[3, 5], [2, 4], [4, 6], [0, 5], [6, 2], [7, 3], [1, 2], [5, 0]]),
}


def pictures(number=8, side=16):
    return np.random.default_rng(0).integers(0, 256, (number, side, side), "uint8")


@pytest.fixture
def demo():
    return NeighboursDemo(pictures(), NAMES, [1, 4, 6], FOUND, picked=1)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 999), st.integers(2, 12), st.integers(1, 3))
def test_what_is_kept_is_what_was_given(seed, number, count):
    rng = np.random.default_rng(seed)
    x, names = pictures(number, 8), [f"thing {i}" for i in range(number)]
    choice = rng.choice(number, rng.integers(1, number + 1), replace=False)
    found = {space: rng.integers(0, number, (number, count)) for space in ("a", "b")}
    demo = NeighboursDemo(x, names, choice, found)
    assert set(demo.names) == {
        names[i] for i in {*choice, *found["a"][choice].flat, *found["b"][choice].flat}
    }
    for k, i in enumerate(choice):
        demo.picked = k
        for space in found:
            assert demo.neighbours(space) == [names[n] for n in found[space][i]]
            shown = demo.pictures[demo.found[demo.spaces.index(space)][k]]
            np.testing.assert_allclose(shown, x[found[space][i]], atol=16)
        np.testing.assert_allclose(demo.pictures[demo.choice[k]], x[i], atol=16)
    assert demo.strangers("a") == np.sum(found["a"][choice] != choice[:, None])


def test_the_still_and_the_sentence_follow_the_choice(demo):
    picture, alt = demo.still()
    assert alt == (
        "A picture of a car; nearest to it in pixels: tree, car; "
        "nearest to it in features: car, car."
    )
    assert picture.shape == (200, 222, 3)
    demo.picked = 2
    assert not np.array_equal(demo.still()[0], picture)
    assert demo.island() == demo.island()
    assert (demo.strangers("pixels"), demo.strangers("features")) == (4, 0)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"pictures": np.zeros((8, 4, 5), "uint8")}, r"pictures has shape \(8, 4, 5\)"),
        ({"pictures": np.zeros((8, 4, 4))}, "dtype float64; accepted: .* uint8"),
        ({"pictures": list(pictures())}, "pictures is a list; accepted: an array"),
        ({"pictures": pictures(0), "names": []}, r"pictures has shape \(0, 16, 16\)"),
        ({"pictures": np.uint8(3)}, r"pictures has shape \(\)|is a uint8; accepted: an array"),
        ({"names": NAMES[:7]}, "names has 7; accepted: 8, as pictures"),
        ({"choice": []}, "choice or found is empty"),
        ({"found": {}}, "choice or found is empty"),
        ({"choice": [0.0, 1.0]}, r"choice has shape \(2,\), dtype float64; accepted: .* integers"),
        ({"choice": [[0, 1]]}, r"choice has shape \(1, 2\), .* accepted: \(number,\)"),
        ({"choice": [0, 8]}, "choice has 0 to 8; accepted: 0 to 7"),
        ({"found": {"pixels": np.full((8, 1), -1)}}, "pixels has -1 to -1; accepted: 0 to 7"),
        (
            {"found": {"pixels": np.zeros((8, 0), int)}},
            r"pixels has shape \(8, 0\), .* accepted: \(8, neighbours\), integers",
        ),
        ({"found": {"pixels": np.zeros((8, 2))}}, "pixels has .* float64; accepted: .* integers"),
        ({"found": {"pixels": np.zeros(8, int)}}, r"pixels has shape \(8,\)"),
        (
            {"found": {"pixels": np.zeros((3, 1), int)}},
            r"pixels has shape \(3, 1\); accepted: \(8, ",
        ),
    ],
)
def test_what_is_refused(change, message):
    arguments = {"pictures": pictures(), "names": NAMES, "choice": [0], "found": FOUND} | change
    with pytest.raises(ValueError, match=message):
        NeighboursDemo(**arguments)


def test_a_pick_outside_is_refused(demo):
    for picked in (-1, 3):
        with pytest.raises(traitlets.TraitError):
            demo.picked = picked


PIXELS = """canvas => [...canvas.getContext("2d").getImageData(0, 0, 16, 16).data]"""


@pytest.mark.browser
@pytest.mark.parametrize("width", [390, 1280])
def test_picking_in_the_book(show, demo, width):
    page = show(demo, width)
    assert show.visits[-1].demo_faults() == []
    buttons, report = page.locator(".cg-bank button"), page.locator(".cn-readout p")
    assert buttons.count() == 3
    assert (
        report.nth(1)
        .inner_text()
        .endswith("have 6 neighbours. Something else is on 4 in pixels, 0 in features.")
    )
    for picked, key in ((1, None), (2, "Enter"), (0, " ")):
        if key:
            buttons.nth(picked).press(key)
            assert page.evaluate("document.activeElement.ariaPressed") == "true"
        demo.picked = picked
        assert buttons.nth(picked).get_attribute("aria-pressed") == "true"
        assert page.locator("[aria-pressed=true]").count() == 1
        for s, (space, row) in enumerate(zip(FOUND, page.locator(".cg-found").all(), strict=True)):
            words = [re.sub("[^a-z]", "", w) for w in row.locator("figcaption").all_inner_texts()]
            assert words == demo.neighbours(space)
            assert f"in {space}: {', '.join(words)}" in report.first.inner_text()
            for i, canvas in zip(demo.found[s][picked], row.locator("canvas").all(), strict=True):
                seen = np.reshape(canvas.evaluate(PIXELS), (16, 16, 4))[..., 0]
                np.testing.assert_allclose(seen, demo.pictures[i], atol=1)
