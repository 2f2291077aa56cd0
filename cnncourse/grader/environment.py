"""The environment of every process that the grader starts: little, and the same for all."""

import importlib
import os
import sys
from pathlib import Path

from cnncourse.imports import without
from cnncourse.paths import PACKAGE

# One thread each: a fork needs a process with one, and sums come out the same everywhere.
_FIXED = {
    "CNNCOURSE_PROFILE": "quick",
    "CUDA_VISIBLE_DEVICES": "-1",
    "HOME": "/tmp",
    "LANG": "C.UTF-8",
    "MALLOC_ARENA_MAX": "2",
    "MKL_NUM_THREADS": "1",
    "MPLBACKEND": "Agg",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "PYTHONDONTWRITEBYTECODE": "1",
    "PYTHONHASHSEED": "0",
    "PYTHONPATH": str(PACKAGE.parent),
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "TF_NUM_INTEROP_THREADS": "1",
    "TF_NUM_INTRAOP_THREADS": "1",
    "USER": "student",
}
# What programs need to start at all, Windows' included, and what chooses libraries and data.
_KEPT = ("LD_LIBRARY_PATH", "SYSTEMROOT", "KERAS_BACKEND", "CNNCOURSE_DATA")


def environment() -> dict[str, str]:
    """Return the environment: no token or password of the instructor's is in it."""
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    if "CNNCOURSE_DATA" in kept:
        kept["CNNCOURSE_DATA"] = str(Path(kept["CNNCOURSE_DATA"]).resolve())
    return {**_FIXED, **kept}


def command(module: str, *arguments: str) -> list[str]:
    """Return the command that runs a module of this package; no folder of the caller's counts."""
    return [sys.executable, "-P", "-s", "-m", f"cnncourse.grader.{module}", *arguments]


def import_keras(*spared: str) -> None:
    """Import Keras without libraries that it only offers wrappers for; they take seconds.

    JAX is spared as well where it is not the backend: TensorFlow has a converter for it. All of
    them can still be imported by themselves.

    Args:
        spared: names of such libraries.
    """
    if os.environ.get("KERAS_BACKEND") != "jax":
        spared = (*spared, "jax")
    with without(*spared):
        importlib.import_module("keras")
