"""The chapters in JupyterLab, as a learner meets them: opened, run top to bottom, demos alive.

nbval runs every cell of every chapter. Here the first chapter and the one that trains run as a
whole, and of the others the cells with demos and those that they build on.
"""

import ast
import contextlib
import re
from pathlib import Path

import nbformat
import pytest
from browser import accept_dialogs, open_notebook, shut_kernels_down, visit
from playwright.sync_api import TimeoutError

pytestmark = pytest.mark.browser

CHAPTERS = sorted((Path(__file__).resolve().parent.parent / "chapters").glob("*.ipynb"))
WHOLE = "00_start_here", "06_a_first_cnn"
PROMPTS_ALL = """() => [...document.querySelectorAll('.jp-CodeCell .jp-InputPrompt')]
  .every((prompt) => {}.test(prompt.textContent))"""
FITS = "all => all.map((demo) => demo.scrollWidth <= demo.clientWidth)"


def menu(page, *names):
    """Choose an entry of JupyterLab's menus by its words."""
    page.get_by_role("menuitem", name=names[0], exact=True).first.click()
    page.get_by_role("menuitem", name=names[1], exact=True).first.click()


def is_demo(cell):
    """Tell whether a cell shows a demo, by its stored output."""
    return any("cn-island" in o.get("data", {}).get("text/html", "") for o in cell.outputs)


def names(cell):
    """Return the names that a cell binds, and all that it uses."""
    nodes = list(ast.walk(ast.parse(cell.source)))
    bound = {n.id for n in nodes if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    bound |= {n.name for n in nodes if isinstance(n, ast.FunctionDef | ast.ClassDef)}
    imported = [n for n in nodes if isinstance(n, ast.Import | ast.ImportFrom)]
    bound |= {(a.asname or a.name).split(".")[0] for n in imported for a in n.names}
    return bound, {n.id for n in nodes if isinstance(n, ast.Name)}


def needed_for_demos(cells):
    """Return the cells with demos and those that bind, directly or not, what they use."""
    needed, kept = set(), []
    for cell in reversed(cells):
        bound, used = names(cell)
        if is_demo(cell) or bound & needed:
            kept.insert(0, cell)
            needed |= used
    return kept


def test_only_what_demos_need_is_kept():
    assert set(WHOLE) <= {path.stem for path in CHAPTERS}

    def cell(source, demo=False):
        html = [nbformat.v4.new_output("display_data", {"text/html": "<p class=cn-island>"})]
        return nbformat.v4.new_code_cell(source, outputs=html if demo else [])

    sources = ["import a", "def f(): return a.x", "y = 1", "z = f()", "print(z)"]
    cells = [*map(cell, sources), cell("show(z)", demo=True), cell("z = 2")]
    assert [c.source for c in needed_for_demos(cells)] == [
        "import a", "def f(): return a.x", "z = f()", "show(z)",
    ]  # fmt: skip


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_a_chapter_runs_with_live_demos(chromium, jupyterlab, path):
    notebook = nbformat.read(path, as_version=4)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    expected = sum(map(is_demo, code))
    assert expected > 0
    if path.stem not in WHOLE:
        notebook.cells = needed_for_demos(code)
    nbformat.write(notebook, jupyterlab.folder / path.name)
    with visit(chromium, jupyterlab.notebook(path.name)) as seen:
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
        assert demos.count() == expected
        page.keyboard.press("Control+b")  # puts the file browser away
        page.set_viewport_size({"width": 390, "height": 900})
        page.wait_for_timeout(500)
        assert demos.evaluate_all(FITS) == [True] * expected
        assert seen.external() == []
        assert [e for e in seen.errors if not re.search("ResizeObserver", e)] == []
        shut_kernels_down(page)
