"""What the browser tests share: one Chromium, one JupyterLab, a page server, a record of requests.

`conftest.py` makes the fixtures `chromium` and `jupyterlab` known to every test.
"""

import functools
import http.server
import json
import os
import shutil
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import urlopen

import nbformat
import pytest

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)
CHROMIUM = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def _chromium_path() -> str:
    """Return where Chromium is; skip the test without it, or fail where it has to be."""
    for name in CHROMIUM:
        if path := shutil.which(name):
            return path
    reason = f"no Chromium: none of {', '.join(CHROMIUM)} is on the path"
    if os.environ.get("CNNCOURSE_CI") == "1":
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="module")
def chromium():
    """One headless Chromium for all tests of a module."""
    path = _chromium_path()
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(FLAGS))
        yield browser
        browser.close()


class Visit:
    """A page, every request that it made, and every error that it met."""

    def __init__(self, page):
        self.page, self.requests, self.errors = page, [], []
        page.on("request", lambda request: self.requests.append(request.url))
        page.on("pageerror", lambda error: self.errors.append(str(error)))

    def external(self) -> list[str]:
        """Return the requests that left this machine."""
        local = {"127.0.0.1", "localhost", "", None}
        return [u for u in self.requests if urlsplit(u).hostname not in local]

    def overflow(self) -> int:
        """Return by how many pixels the page is wider than the screen."""
        return self.page.evaluate("document.documentElement.scrollWidth - innerWidth")

    def axe(self, selector: str) -> list[str]:
        """Return what axe finds wrong below `selector`, a line for each."""
        from axe_playwright_python.sync_playwright import Axe

        found = Axe().run(self.page, context=selector).response["violations"]
        return [f"{v['id']}: {node['html'][:200]}" for v in found for node in v["nodes"]]

    def demo_faults(self) -> list[str]:
        """Return what is wrong with a demo: its width, what axe finds, keys that it will not get.

        JupyterLab takes the arrow keys from a control that does not ask it to leave them alone.
        """
        keeps = "[data-lm-suppress-shortcuts=true]"
        controls = ":is(input, select, button, textarea, summary, [tabindex])"
        lost = self.page.locator(f".cn-demo {controls}:not({keeps})")
        found = [
            f"loses its keys: {html[:200]}"
            for html in lost.evaluate_all("all => all.map((one) => one.outerHTML)")
        ]
        if not self.page.locator(f".cn-demo {keeps}").count():
            found.append("has no control that keeps its keys")
        if (pixels := self.overflow()) > 0:
            found.append(f"{pixels} pixels too wide")
        return found + self.axe(".cn-demo")


@contextmanager
def visit(chromium, url: str, width: int = 1280, script: str = ""):
    """Open a page of its own; `script` runs in it before anything else."""
    context = chromium.new_context(viewport={"width": width, "height": 900})
    page = context.new_page()
    if script:
        page.add_init_script(script)
    seen = Visit(page)
    try:
        page.goto(url)
        yield seen
    finally:
        context.close()


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


@contextmanager
def served(folder: Path):
    """Serve a folder on a free port of this machine; yields its address."""
    handler = functools.partial(_Quiet, directory=str(folder))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


ISLAND_PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Demo</title>
<meta name="viewport" content="width=device-width"><link rel="icon" href="data:,"></head>
<body><main><h1>Demo</h1>{}</main><script type="module" src="island.js"></script></body></html>"""


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """A folder with the demos' modules, served; yields (folder, address)."""
    folder = tmp_path_factory.mktemp("site")
    from cnncourse import demos

    demos.write_assets(folder)
    with served(folder) as address:
        yield folder, address


@pytest.fixture
def show(site, chromium):
    """Return a function that opens a demo as an island; checks requests and errors at the end."""
    folder, address = site
    visits = []

    def open_page(demo, width=1000, **options):
        context = chromium.new_context(viewport={"width": width, "height": 900}, **options)
        visits.append(Visit(context.new_page()))
        page = visits[-1].page
        (folder / "page.html").write_text(ISLAND_PAGE.format(demo.island()), encoding="utf-8")
        page.goto(f"{address}/page.html")
        page.wait_for_selector('.cn-island[data-live="yes"]')
        return page

    open_page.visits = visits
    yield open_page
    for seen in visits:
        seen.page.context.close()
        assert seen.external() == [] and seen.errors == []


class Lab:
    """A running JupyterLab: its address and the folder that it shows."""

    def __init__(self, url: str, folder: Path):
        self.url, self.folder = url, folder

    def notebook(self, name: str) -> str:
        """Return the address that opens one notebook, in a workspace of its own."""
        return f"{self.url}/lab/workspaces/{Path(name).stem}/tree/{name}"

    def write(self, name: str, sources: list[str]) -> str:
        """Write a notebook of these code cells; return the address that opens it."""
        cells = [nbformat.v4.new_code_cell(source) for source in sources]
        kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
        notebook = nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": kernel})
        nbformat.write(notebook, self.folder / name)
        return self.notebook(name)


_CONNECTED = """async () => {
  const sessions = await (await fetch("/api/sessions")).json();
  const name = decodeURIComponent(location.pathname.split("/").pop());
  return sessions.some(({ path, kernel }) =>
    path.endsWith(name) && kernel?.connections > 0 && kernel.execution_state === "idle");
}"""


def open_notebook(page) -> None:
    """Wait until the notebook that the page opens is there and connected to an idle kernel."""
    page.wait_for_selector(".jp-NotebookPanel .jp-CodeCell", timeout=60_000)
    page.wait_for_function(_CONNECTED, polling=200, timeout=60_000)
    page.wait_for_selector(".jp-Notebook-ExecutionIndicator[data-status=idle]", timeout=60_000)


def accept_dialogs(page) -> None:
    """Accept what JupyterLab proposes, e.g. a kernel when a command came before it connected."""
    while (accept := page.locator(".jp-Dialog .jp-mod-accept")).count():
        accept.first.click()
        page.wait_for_timeout(200)


def run_cell(page, index: int, seconds: float = 60) -> None:
    """Run one code cell and wait until it is done.

    While JupyterLab is still connecting to the kernel it forgets a Ctrl+Enter, or takes it and
    drops it, or asks which kernel to take: accept its proposal, press again.
    """
    cell = page.locator(".jp-CodeCell").nth(index)
    prompt = cell.locator(".jp-InputPrompt")
    before = prompt.inner_text()
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        accept_dialogs(page)
        cell.locator(".jp-InputArea-editor").click()
        page.keyboard.press("Control+Enter")
        pressed = time.monotonic()
        while "*" in prompt.inner_text() or time.monotonic() < pressed + 3:
            page.wait_for_timeout(50)
            text = prompt.inner_text()
            if text != before and any(c.isdigit() for c in text):
                return
            if time.monotonic() > deadline:
                break
    raise AssertionError(f"cell {index} does not run: its prompt stays {prompt.inner_text()!r}")


_SHUT_DOWN = """async () => {
  const headers = { "X-XSRFToken": document.cookie.match(/_xsrf=([^;]*)/)?.[1] ?? "" };
  const sessions = await (await fetch("/api/sessions")).json();
  const end = ({ id }) => fetch(`/api/sessions/${id}`, { method: "DELETE", headers });
  return (await Promise.all(sessions.map(end))).every(({ ok }) => ok);
}"""


def shut_kernels_down(page) -> None:
    """End all kernels of the JupyterLab that the page shows: each holds on to its memory."""
    assert page.evaluate(_SHUT_DOWN)


@contextmanager
def start_lab(home: Path, folder: Path):
    """Run JupyterLab with `home` as home directory, on a free port, without a token."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("JUPYTER", "JPY"))}
    environment |= {"HOME": str(home), "IPYTHONDIR": str(home / "ipython")}
    command = [sys.executable, "-m", "jupyter", "lab", "--no-browser", "--allow-root", "--port=0"]
    command += ["--ip=127.0.0.1", "--IdentityProvider.token=", f"--ServerApp.root_dir={folder}"]
    command += ["--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate"]
    settings = home / ".jupyter/lab/user-settings/@jupyterlab/apputils-extension"
    settings.mkdir(parents=True)  # no question about news in front of the notebook
    (settings / "notification.jupyterlab-settings").write_text('{"fetchNews": "false"}')
    log = home / "lab.log"
    with log.open("w") as out:
        process = subprocess.Popen(command, env=environment, stdout=out, stderr=out, cwd=folder)
        try:
            yield Lab(_lab_address(process, log, home), folder)
        finally:
            process.terminate()
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()


@pytest.fixture(scope="session")
def jupyterlab(tmp_path_factory):
    """One JupyterLab for all tests; with an empty home directory."""
    _chromium_path()  # no need to start it where nothing can look at it
    home, folder = tmp_path_factory.mktemp("home"), tmp_path_factory.mktemp("notebooks")
    with start_lab(home, folder) as lab:
        yield lab


def _lab_address(process, log: Path, home: Path, seconds: float = 60) -> str:
    """Wait until JupyterLab answers, and return its address."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and process.poll() is None:
        for file in home.rglob("jpserver-*.json"):
            try:
                url = json.loads(file.read_text())["url"].rstrip("/")
                urlopen(f"{url}/api/status", timeout=5).read()
                return url
            except (OSError, ValueError):
                pass
        time.sleep(0.2)
    raise RuntimeError(f"JupyterLab did not start:\n{log.read_text()[-3000:]}")
