"""Some networks on JAX: the same outputs as on TensorFlow. `make test-backends` compares all."""

import importlib.util
import os
import subprocess
import sys

import backends
import pytest
from cnncourse import architectures


def test_the_reduced_list_is_of_our_networks():
    assert set(backends.REDUCED) <= set(architectures.list_architectures())


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
    """Outputs that differ by more than the tolerance are named."""
    import numpy as np

    backends.write(tmp_path, ["mobilenet"])
    assert backends.compare(tmp_path, ["mobilenet"]) == []
    outputs = np.load(tmp_path / "mobilenet.npy")
    np.save(tmp_path / "mobilenet.npy", outputs + 2e-4 * np.abs(outputs).max())
    assert backends.compare(tmp_path, ["mobilenet"]) == ["mobilenet"]
