"""Some networks on JAX: the same outputs as on TensorFlow. `make test-backends` compares all.

PyTorch stays out of continuous integration: its package and what that needs take gigabytes.
"""

import importlib.util
import os
import subprocess
import sys

import backends
import pytest
from cnncourse import architectures
from variants import VARIANTS


def test_the_reduced_list_is_of_our_networks():
    assert set(backends.REDUCED) <= {*architectures.list_architectures(), *VARIANTS}


@pytest.mark.slow
@pytest.mark.skipif(
    importlib.util.find_spec("jax") is None and not os.environ.get("CNNCOURSE_CI"),
    reason="JAX is not installed",
)
def test_same_outputs_on_jax():
    command = [sys.executable, backends.__file__, "jax", "--networks", *backends.REDUCED]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    lines = [line for line in done.stdout.splitlines() if line.startswith("jax")]
    assert [line.split()[1] for line in lines] == list(backends.REDUCED)


def test_a_difference_is_caught(tmp_path):
    """In the second of three outputs, too, and were it the smallest."""
    import numpy as np

    name = "googlenet_auxiliary"
    backends.write(tmp_path, [name])
    outputs = np.load(tmp_path / f"{name}.npy")
    assert outputs.shape == (3, 2, 3)
    outputs[1] -= 2e-4 * outputs[1]
    np.save(tmp_path / f"{name}.npy", outputs)
    error = backends.compare(tmp_path, [name])[name]
    assert error == pytest.approx(2e-4, rel=0.05) and error > backends.TOLERANCE


@pytest.fixture
def runs(tmp_path, monkeypatch):
    """Run the command with stand-ins for the other processes; return its exit and the table."""
    monkeypatch.setattr(backends, "TABLE", tmp_path / "backends.md")
    monkeypatch.setattr(backends.importlib.metadata, "version", "of {}".format)

    def command(*arguments, **errors):
        def run(backend, task, folder, names):
            found = {name: errors.get(name, 1e-6) for name in names} if task == "compare" else {}
            return {name: error for name, error in found.items() if error is not None}

        monkeypatch.setattr(backends, "run", run)
        monkeypatch.setattr(sys, "argv", ["backends.py", *arguments])
        try:
            backends.main()
        except SystemExit as stop:
            return stop.code, backends.TABLE.exists()
        return 0, backends.TABLE.exists()

    return command


def test_only_a_full_run_without_a_difference_writes_the_table(runs):
    assert runs("jax", "--networks", "vgg16", "xception") == (0, False)
    for error in (1e-3, float("nan"), None):
        message = "not the same: vgg16 on jax, vgg16 on torch"
        assert runs("jax", "torch", vgg16=error) == (message, False)
    assert runs("jax", "torch", vgg16=3e-5) == (0, True)
    table = backends.TABLE.read_text()
    assert "| network | jax | torch |\n|---|---|---|\n| alexnet | 1.0e-06 | 1.0e-06 |" in table
    assert "| vgg16 | 3.0e-05 | 3.0e-05 |" in table
    rows = {line.split()[1] for line in table.splitlines() if line.startswith("| ")}
    assert rows >= {*architectures.list_architectures(), *VARIANTS}
    assert "keras of keras, tensorflow of tensorflow, jax of jax, torch of torch" in table
