"""The chapters in JupyterLab, as a learner meets them: opened, run top to bottom, demos alive."""

import contextlib
import re
import shutil
from pathlib import Path

import pytest
from browser import accept_dialogs, open_notebook, shut_kernels_down, visit
from playwright.sync_api import TimeoutError

pytestmark = pytest.mark.browser

ROOT = Path(__file__).resolve().parent.parent
DEMOS = {
    "00_start_here": 1,
    "01_seeing": 2,
    "02_convolution": 3,
    "03_pooling": 1,
    "04_memory_and_compute": 2,
    "06_a_first_cnn": 5,
    "09_residual_networks": 2,
    "05_training": 4,
    "07_early_architectures": 1,
    "08_inception": 2,
    "11_efficient_architectures": 2,
    "10_separable_convolutions": 2,
}
PROMPTS_ALL = """() => [...document.querySelectorAll('.jp-CodeCell .jp-InputPrompt')]
  .every((prompt) => {}.test(prompt.textContent))"""
FITS = "all => all.map((demo) => demo.scrollWidth <= demo.clientWidth)"


def menu(page, *names):
    """Choose an entry of JupyterLab's menus by its words."""
    page.get_by_role("menuitem", name=names[0], exact=True).first.click()
    page.get_by_role("menuitem", name=names[1], exact=True).first.click()


@pytest.mark.parametrize("stem", DEMOS)
def test_a_chapter_runs_top_to_bottom_with_live_demos(chromium, jupyterlab, stem):
    shutil.copy(ROOT / "chapters" / f"{stem}.ipynb", jupyterlab.folder)
    with visit(chromium, jupyterlab.notebook(f"{stem}.ipynb")) as seen:
        page = seen.page
        open_notebook(page)
        menu(page, "Edit", "Clear Outputs of All Cells")
        page.wait_for_function(PROMPTS_ALL.format(r"/\[ ?\]/"))
        for _ in range(12):  # JupyterLab may lose the command while the kernel still connects
            accept_dialogs(page)
            menu(page, "Run", "Run All Cells")
            with contextlib.suppress(TimeoutError):
                page.wait_for_function(PROMPTS_ALL.format(r"/\[(\d+|\*)\]/"), timeout=10_000)
                break
        else:
            raise AssertionError("JupyterLab does not run the cells")
        page.wait_for_function(PROMPTS_ALL.format(r"/\[\d+\]/"), timeout=400_000)
        assert page.locator("[data-mime-type='application/vnd.jupyter.error']").count() == 0
        demos = page.locator(".cn-demo")
        demos.first.wait_for(timeout=30_000)
        assert demos.count() == DEMOS[stem]
        page.keyboard.press("Control+b")  # puts the file browser away
        page.set_viewport_size({"width": 390, "height": 900})
        page.wait_for_timeout(500)
        assert demos.evaluate_all(FITS) == [True] * DEMOS[stem]
        assert seen.external() == []
        assert [e for e in seen.errors if not re.search("ResizeObserver", e)] == []
        shut_kernels_down(page)
