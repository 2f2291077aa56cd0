"""The book: built once, then read as its visitors and their screen readers would."""

import importlib.util
from pathlib import Path

from tests.browser import browser_page, serve  # noqa: F401

ROOT = Path(__file__).resolve().parent.parent


def _builder():
    spec = importlib.util.spec_from_file_location("book_build", ROOT / "book" / "build.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
