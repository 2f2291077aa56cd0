"""What all tests share."""

import os
from pathlib import Path

import pytest
from browser import chromium, jupyterlab, show, site  # noqa: F401 (fixtures)

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")


@pytest.fixture(scope="session")
def grader(tmp_path_factory):
    """Return a sandboxed grader for every solutions notebook and for the assignment `toy`."""
    import grader_toy
    from cnncourse.grader.engine import Grader
    from cnncourse.sandbox_probe import isolation_problem

    solutions = sorted((Path(__file__).parent.parent / "solutions").glob("*.ipynb"))
    toy = grader_toy.notebook(tmp_path_factory.mktemp("toy"))
    if problem := isolation_problem():
        pytest.skip(f"submissions cannot be isolated here: {problem[0]}")
    with Grader.of([*solutions, toy], "the seed of the tests", jobs=2) as made:
        yield made


def pytest_collection_modifyitems(config, items):
    """Leave the deep networks to `make parity`, which asks for them: `-m deep`."""
    if "deep" not in config.getoption("-m"):
        deep = [item for item in items if item.get_closest_marker("deep")]
        items[:] = [item for item in items if not item.get_closest_marker("deep")]
        if deep:
            config.hook.pytest_deselected(items=deep)
