"""`import cnncourse` is instant, its submodules come when asked for, and floors hold."""

import ast
import importlib
import subprocess
import sys
from pathlib import Path

import cnncourse
import pytest

PACKAGE = Path(cnncourse.__file__).parent
FLOORS = {
    "scratch": 0,
    "datasets": 0,
    "cost": 0.5,  # counts with scratch's own arithmetic of windows
    "memory": 0.6,  # counts with cost
    "anatomy": 0.6,
    "sight": 0,
    "trace": 0,
    "model_table": 0,
    "plotting": 0,
    "imports": 0,
    "paths": 0,
    "session": 1,
    "layers": 0.7,  # architectures are built from them
    "architectures": 1,
    "vision": 2,
    "training": 2,
    "demos": 3,
    "grading": 3,
    "grader": 3.5,  # judges with what grading knows
    "lab": 3,
    "kernel": 2,
    "sandbox_probe": 2,
    "doctor": 3,
    "cli": 4,
}
HEAVY = ("keras", "tensorflow", "jax", "torch", "matplotlib", "IPython", "jupyterlab", "anywidget")


def loaded_by(statement):
    """Return the modules that a fresh Python holds after a statement."""
    code = f"import sys\n{statement}\nprint(*sys.modules)"
    result = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True
    ).stdout
    return set(result.split())


def test_import_loads_nothing_heavy():
    loaded = loaded_by("import cnncourse")
    assert "cnncourse" in loaded
    assert loaded.isdisjoint(HEAVY), loaded.intersection(HEAVY)


def test_what_a_first_use_loads():
    """The probe above can see a heavy module."""
    assert "matplotlib" in loaded_by("import cnncourse; cnncourse.plotting.show")


@pytest.mark.parametrize("name", cnncourse.__all__)
def test_lazy_names_arrive(name):
    assert name in dir(cnncourse)
    value = getattr(cnncourse, name)
    if callable(value):
        assert value.__name__ == name
    else:
        assert value is importlib.import_module(f"cnncourse.{name}")


def test_unknown_name():
    with pytest.raises(AttributeError, match="module 'cnncourse' has no attribute 'pandas'"):
        _ = cnncourse.pandas


def part(module):
    """Return the second word: `cnncourse.scratch.conv` → `scratch`; "" for the package itself."""
    return [*module.split("."), ""][1]


def imported(path):
    """Return the parts of cnncourse that a file imports, lazily or not."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (part(a.name) for a in node.names if a.name.split(".")[0] == "cnncourse")
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} imports relatively"
            if node.module == "cnncourse":
                yield from (a.name for a in node.names)
            elif node.module.startswith("cnncourse."):
                yield part(node.module)


def upward(path):
    """Return the imports of a file that break the rule: only floors below, or its own folder."""
    own = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
    return [
        f"{own} imports {name}"
        for name in imported(path)
        if name in FLOORS and name != own and FLOORS[name] >= FLOORS[own]
    ]


def test_floors_hold():
    files = [p for p in PACKAGE.rglob("*.py") if p != PACKAGE / "__init__.py"]
    parts = {p.relative_to(PACKAGE).parts[0].removesuffix(".py") for p in files}
    assert parts <= set(FLOORS), f"without a floor: {parts - set(FLOORS)}"
    assert [problem for path in files for problem in upward(path)] == []


@pytest.mark.parametrize(
    ("own", "source", "problem"),
    [
        ("scratch/new.py", "from cnncourse.layers import DepthPool", "scratch imports layers"),
        ("datasets/new.py", "def f():\n    from cnncourse import cost", "datasets imports cost"),
        ("layers/new.py", "import cnncourse.grading.build", "layers imports grading"),
    ],
)
def test_an_import_upward_is_seen(tmp_path, monkeypatch, own, source, problem):
    monkeypatch.setitem(globals(), "PACKAGE", tmp_path)
    path = tmp_path / own
    path.parent.mkdir(exist_ok=True)
    path.write_text(source)
    assert upward(path) == [problem]
    path.write_text("import numpy\nfrom cnncourse import __version__")
    assert upward(path) == []
