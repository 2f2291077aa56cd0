"""cnncourse: a course on convolutional neural networks.

Importing the package is instant: Keras, TensorFlow and matplotlib are only loaded when a
submodule that needs them is first used.

>>> import cnncourse
>>> cnncourse.scratch.conv2d  # doctest: +ELLIPSIS
<function conv2d at 0x...>
"""

import importlib
from importlib.metadata import version

__version__ = version("cnncourse")

_SUBMODULES = (
    "architectures",
    "cost",
    "datasets",
    "demos",
    "grading",
    "layers",
    "memory",
    "plotting",
    "scratch",
    "training",
)
_FUNCTIONS = {"setup": "session", "profile": "session", "exercises": "grading"}

__all__ = [*_SUBMODULES, *_FUNCTIONS]


def __getattr__(name):
    """Load a submodule or a top-level function when it is first asked for (PEP 562)."""
    if name in _SUBMODULES:
        return importlib.import_module(f"{__name__}.{name}")
    if name in _FUNCTIONS:
        return getattr(importlib.import_module(f"{__name__}.{_FUNCTIONS[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__():
    """Offer the lazy names to tab completion too."""
    return sorted([*globals(), *__all__])
