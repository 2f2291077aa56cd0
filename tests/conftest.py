"""What all tests share."""

import os

from browser import chromium, jupyterlab, show, site  # noqa: F401 (fixtures)

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")


def pytest_collection_modifyitems(config, items):
    """Leave the deep networks to `make parity`, which asks for them: `-m deep`."""
    if "deep" not in config.getoption("-m"):
        deep = [item for item in items if item.get_closest_marker("deep")]
        items[:] = [item for item in items if not item.get_closest_marker("deep")]
        if deep:
            config.hook.pytest_deselected(items=deep)
