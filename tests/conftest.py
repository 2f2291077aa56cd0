"""What all tests share."""

import os

from browser import chromium, jupyterlab  # noqa: F401 (fixtures)

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
