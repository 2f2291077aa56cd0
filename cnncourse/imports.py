"""Import a library without parts that it can do without, and that take long."""

import contextlib
import sys


@contextlib.contextmanager
def without(*names):
    """Make libraries look as if they were not installed, inside the `with` block.

    Those that are imported already stay. Afterwards all can be imported as ever.

    Args:
        names: of top-level packages that what is imported here treats as optional.

    >>> with without("tabnanny"):
    ...     import tabnanny
    Traceback (most recent call last):
    ModuleNotFoundError: import of tabnanny halted; None in sys.modules
    >>> import tabnanny
    """
    hidden = [name for name in names if name not in sys.modules]
    sys.modules.update(dict.fromkeys(hidden))  # None there is Python's way to say: not to be had
    try:
        yield
    finally:
        for name in hidden:
            del sys.modules[name]
