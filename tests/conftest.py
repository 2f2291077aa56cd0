"""What all tests share."""

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
