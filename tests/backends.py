"""The same outputs on TensorFlow, JAX and PyTorch, with the same weights.

    python tests/backends.py [BACKEND …] [--networks NAME …]

TensorFlow makes random weights and the outputs; each other backend, in a process of its own, loads
the weights and must give the same. Default: every backend that is installed, every network.
"""

import argparse
import contextlib
import importlib.util
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from unittest import mock

BACKENDS = ("jax", "torch")
TOLERANCE = 1e-4  # of the largest output
SIDES = {"alexnet": 67, "inception": 139, "xception": 91}  # the least for some; 64 otherwise
REDUCED = ("googlenet", "mobilenet", "resnet18")


def network(name):
    """Return a network of three classes for small images."""
    from cnncourse import architectures

    side = next((side for kind, side in SIDES.items() if name.startswith(kind)), 64)
    shape = (side, side, 3)
    if name in ("fashion_cnn", "lenet5"):
        shape = (32, 32, 1)
    return architectures.build(
        name, input_shape=shape, classes=3, classifier_activation=None, name="net"
    )


def batch(model, count=2):
    """Return some images of the size that the model takes."""
    import numpy as np

    return np.random.default_rng(1).normal(size=(count, *model.input_shape[1:])).astype("float32")


@contextlib.contextmanager
def zeros_at_first():
    """Fill new weights with NumPy's zeros: JAX would compile a random generator for each shape."""
    import keras
    import numpy as np

    def zeros(self, shape, dtype=None):
        return np.zeros(shape, dtype or "float32")

    kinds = keras.initializers.VarianceScaling, keras.initializers.Zeros, keras.initializers.Ones
    with contextlib.ExitStack() as stack:
        for kind in kinds:
            stack.enter_context(mock.patch.object(kind, "__call__", zeros))
        yield


def write(folder, names):
    """Save weights and outputs of each network, as TensorFlow has them."""
    import keras
    import numpy as np
    import parity

    keras.utils.set_random_seed(1)
    rng = np.random.default_rng(2)
    for name in names:
        model = network(name)
        for weight in model.weights:
            if weight.name in ("beta", "bias"):
                weight.assign(rng.normal(0, 0.1, weight.shape))
        parity.calibrate(model, batch(model, 8))
        for weight in model.weights:  # or maps that hardly vary would enlarge rounding errors
            if weight.name == "moving_variance":
                variance = keras.ops.convert_to_numpy(weight)
                weight.assign(variance + 0.1 * variance.mean())
        model.save_weights(folder / f"{name}.weights.h5")
        outputs = model(batch(model), training=False)
        np.save(folder / f"{name}.npy", keras.ops.convert_to_numpy(outputs))
        keras.utils.clear_session()


def compare(folder, names):
    """Load the weights on this backend and compare the outputs; return the names that differ."""
    import keras
    import numpy as np

    failed = []
    for name in names:
        with zeros_at_first():  # the saved weights replace them
            model = network(name)
        model.load_weights(folder / f"{name}.weights.h5")
        expected = np.load(folder / f"{name}.npy")
        outputs = model.predict(batch(model), verbose=0)  # compiled as a whole
        error = np.abs(outputs - expected).max() / np.abs(expected).max()
        print(f"{keras.backend.backend():6} {name:20} {error:.1e}", flush=True)
        if not error < TOLERANCE:
            failed.append(name)
        keras.utils.clear_session()
    return failed


def run(backend, task, folder, names):
    """Run this file again on another backend."""
    environment = {**os.environ, "KERAS_BACKEND": backend, "TF_CPP_MIN_LOG_LEVEL": "3"}
    command = [sys.executable, __file__, "--task", task, str(folder), "--networks", *names]
    return subprocess.run(command, env=environment, check=False).returncode


def main():
    """Compare, and exit with 1 where an output differs."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("backends", nargs="*", help=f"of {', '.join(BACKENDS)}")
    parser.add_argument("--networks", nargs="+")
    parser.add_argument("--task", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.task:
        task, folder = options.task
        failed = {"write": write, "compare": compare}[task](Path(folder), options.networks)
        sys.exit(f"not the same: {', '.join(failed)}" if failed else 0)
    from cnncourse.architectures import list_architectures

    names = options.networks or list_architectures()
    backends = options.backends or [b for b in BACKENDS if importlib.util.find_spec(b)]
    if not backends:
        sys.exit(f"none of {', '.join(BACKENDS)} is installed: try pip install jax torch")
    results = []
    for i in range(0, len(names), 8):  # weights of all networks take gigabytes
        some = names[i : i + 8]
        with tempfile.TemporaryDirectory() as folder:
            results.append(run("tensorflow", "write", folder, some))
            results += [run(backend, "compare", folder, some) for backend in backends]
    sys.exit(any(results))


if __name__ == "__main__":
    main()
