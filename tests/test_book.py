"""The book: built once, then read as its visitors and their screen readers would."""

import importlib.util
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from browser import served, visit

ROOT = Path(__file__).resolve().parent.parent
PAGES = sorted(f"chapters/{path.stem}.html" for path in (ROOT / "chapters").glob("*.ipynb"))
READABLE = 684  # width of a drawing in pixels; test_plotting_network tells its letters' size then
OTHERS = ["index.html", "glossary.html", "references.html", "exercises/02_convolution.html"]


def load_builder():
    spec = importlib.util.spec_from_file_location("book_build", ROOT / "book" / "build.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def book(tmp_path_factory):
    """The built book's folder. Sphinx' warnings are errors, dead citations and links among them."""
    out = tmp_path_factory.mktemp("book")
    assert load_builder().build(out) == 0
    return out


@pytest.fixture(scope="module")
def address(book):
    with served(book) as url:
        yield url


class Tags(HTMLParser):
    """Collects (tag, attributes) of a page."""

    def __init__(self, text):
        super().__init__()
        self.found = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))


def tags(path: Path) -> list[tuple[str, dict]]:
    return Tags(path.read_text(encoding="utf-8")).found


def test_the_book_has_a_page_for_every_notebook(book):
    assert len(PAGES) >= 3
    for page in (*PAGES, *OTHERS):
        assert (book / page).is_file(), page


def test_no_page_loads_anything_from_elsewhere(book):
    loaded = {
        attributes.get("src") or attributes.get("href")
        for page in book.rglob("*.html")
        for tag, attributes in tags(page)
        if tag in ("script", "img", "iframe", "source") or attributes.get("rel") == "stylesheet"
    }
    assert [url for url in loaded if url and re.match(r"(https?:)?//", url)] == []


def test_every_image_says_what_it_shows(book):
    for page in PAGES:
        images = [attributes for tag, attributes in tags(book / page) if tag == "img"]
        figures = [a for a in images if (a.get("src") or "").startswith("data:")]
        assert figures, page
        for attributes in images:
            assert len((attributes.get("alt") or "").split()) >= 3, (page, str(attributes)[:200])


def test_citations_and_terms_are_links(book):
    for page in PAGES:
        targets = [a.get("href", "") for tag, a in tags(book / page) if tag == "a"]
        assert any("references.html#id" in t for t in targets), f"{page} cites nothing"
        assert any("glossary.html#term-" in t for t in targets), f"{page} links no term"


def test_the_citation_links_of_notebooks_all_name_a_work():
    builder = load_builder()
    keys = set(re.findall(r"^@\w+\{([\w:-]+),", (ROOT / "book/references.bib").read_text(), re.M))
    for path in (ROOT / "chapters").glob("*.ipynb"):
        cited = set(builder.CITATION.findall(path.read_text().replace('\\"', '"')))
        assert cited, f"{path.name} cites nothing"
        assert cited <= keys, f"{path.name}: {cited - keys}"


@pytest.mark.browser
@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("page", [*PAGES, *OTHERS])
def test_a_page_in_the_browser(chromium, address, page, width):
    with visit(chromium, f"{address}/{page}", width) as seen:
        seen.page.wait_for_load_state("networkidle")
        islands = seen.page.locator(".cn-island")
        for number in range(islands.count()):  # demos start when they come near the screen
            islands.nth(number).scroll_into_view_if_needed()
            seen.page.wait_for_function(
                "n => document.querySelectorAll('.cn-island')[n].dataset.live", arg=number
            )
        live = islands.evaluate_all("all => all.map(island => island.dataset.live)")
        assert set(live) <= {"yes"}
        formulas = seen.page.locator("article .math").count()
        assert seen.page.locator("article .math mjx-container").count() >= formulas
        assert seen.overflow() <= 0
        figures = seen.page.locator("div.cell_output > .output > img")
        sizes = figures.evaluate_all("all => all.map(img => [img.clientWidth, img.naturalWidth])")
        assert [s for s in sizes if s[0] < min(s[1], READABLE)] == []  # narrow: they scroll
        assert seen.external() == []
        assert seen.errors == []
        if width < 1000:  # seconds on a long page, and the narrow one has all that the wide one has
            assert seen.axe("article") == []


@pytest.mark.browser
def test_chapters_hold_their_demos(chromium, address):
    for page, demos in {
        "00_start_here": {"timeline"},
        "01_seeing": {"cortex", "ladder", "neighbours"},
        "02_convolution": {"filter", "stack", "arithmetic"},
        "03_pooling": {"pooling"},
        "04_memory_and_compute": {"flipbook", "memory"},
        "06_a_first_cnn": {"explorer", "kernel_learn", "flipbook", "edit_weight"},
        "09_residual_networks": {"explorer", "flipbook"},
        "05_training": {"augment", "batch_norm", "dropout", "loss_curve"},
        "07_early_architectures": {"lrn"},
        "08_inception": {"flipbook", "inception"},
        "10_separable_convolutions": {"separable", "squeeze"},
    }.items():
        with visit(chromium, f"{address}/chapters/{page}.html") as seen:
            names = seen.page.locator(".cn-island").evaluate_all("a => a.map(i => i.dataset.esm)")
            assert set(names) == demos, page
