"""FlipbookDemo: its pictures are those that were given, in Python and in Chromium."""

import base64
import io

import matplotlib.pyplot as plt
import numpy as np
import pytest
import traitlets
from cnncourse.demos import FlipbookDemo
from PIL import Image

CAPTIONS = ["All is black & dark.", "A grey square <b>.", "All is white."]


def squares():
    return [np.full((40, 60, 3), grey, "uint8") for grey in (0, 127, 255)]


@pytest.fixture
def book():
    return FlipbookDemo(squares(), CAPTIONS, label="brightness", values=["none", "half", "full"])


def test_pictures_come_back_as_they_were_given(book):
    for source, picture in zip(book.sources, squares(), strict=True):
        png = base64.b64decode(source.removeprefix("data:image/png;base64,"))
        np.testing.assert_array_equal(
            np.asarray(Image.open(io.BytesIO(png)).convert("RGB")), picture
        )
    assert book.values == ["none", "half", "full"]
    assert FlipbookDemo(squares(), CAPTIONS, label="b").values == ["0", "1", "2"]


def test_figures_are_drawn_and_closed():
    fig, ax = plt.subplots(figsize=(2, 1))
    ax.plot([0, 1])
    book = FlipbookDemo([fig], ["A line."], label="line")
    assert not plt.fignum_exists(fig.number)
    picture, alt = book.still()
    assert picture.shape[:2] == (90, 180) or picture.shape[1] == 2 * picture.shape[0]
    assert picture.min() < 200 < picture.max()
    assert alt == "line 0: A line."


def test_still_follows_the_position(book):
    book.position = 2
    picture, alt = book.still()
    assert picture.mean() == 255
    assert alt == "brightness full: All is white."


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (([], [], "x"), ValueError, "pictures has 0; accepted: 1 to 60"),
        ((squares(), CAPTIONS[:2], "x"), ValueError, "captions has 2; accepted: 3"),
        ((squares(), CAPTIONS, "x", [1]), ValueError, "values has 1; accepted: 3"),
        ((squares(), "abc", "x"), ValueError, "captions is 'abc'; accepted: a list"),
        ((squares(), CAPTIONS, "x", "abc"), ValueError, "values is 'abc'; accepted: a list"),
        (([np.zeros((4, 4))], ["Black."], "x"), TypeError, "a picture is float64"),
        (([np.zeros((4, 4, 4), "uint8")], ["Black."], "x"), ValueError, r"shape \(4, 4, 4\)"),
        (
            ([np.random.default_rng(0).integers(0, 256, (900, 900), "uint8")], ["Noise."], "x"),
            ValueError,
            "accepted: 400 kB",
        ),
    ],
)
def test_what_is_refused(arguments, error, message):
    with pytest.raises(error, match=message):
        FlipbookDemo(*arguments)


def test_a_position_outside_is_refused(book):
    for position in (-1, 3):
        with pytest.raises(traitlets.TraitError):
            book.position = position


@pytest.mark.browser
def test_leafing_through_in_the_book(show, book):
    page = show(book, width=390)
    image, words = page.locator(".cf-picture"), page.locator(".cf-caption")
    for position, key in enumerate(("ArrowRight", "ArrowRight", None)):
        assert image.get_attribute("src") == book.sources[position]
        assert image.get_attribute("alt") == words.inner_text() == CAPTIONS[position]
        assert page.locator("output").inner_text() == book.values[position]
        if key:
            page.get_by_label("brightness").press(key)
    page.get_by_role("button", name="Step").click()  # from the last to the first
    assert words.inner_text() == CAPTIONS[0]
    page.get_by_role("button", name="Play").click()
    page.get_by_text(CAPTIONS[2], exact=True).wait_for()
    assert show.visits[-1].demo_faults() == []
