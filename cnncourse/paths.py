"""Where the course's notebooks are: beside the package in a checkout, inside it in a wheel."""

from pathlib import Path

PACKAGE = Path(__file__).resolve().parent


def course_root() -> Path:
    """Return the folder that holds `chapters/`, `exercises/` and `solutions/`.

    Raises:
        FileNotFoundError: if the package was installed without its notebooks.
    """
    for root in (PACKAGE.parent, PACKAGE / "_notebooks"):
        if (root / "chapters").is_dir() and (root / "solutions").is_dir():
            return root
    raise FileNotFoundError(
        f"the course's notebooks are neither in {PACKAGE.parent} nor in {PACKAGE / '_notebooks'}: "
        "install cnncourse again"
    )
