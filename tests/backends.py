"""The same outputs on TensorFlow, JAX and PyTorch, with the same weights.

    python tests/backends.py [BACKEND …] [--networks NAME …]

TensorFlow makes random weights and the outputs; each other backend, in a process of its own, loads
the weights and must give the same. Default: every backend that is installed, every network and
every variant; that writes benchmarks/backends.md, a column for each backend.
"""

import argparse
import contextlib
import importlib.metadata
import importlib.util
import json
import math
import os
import platform
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from unittest import mock

BACKENDS = ("jax", "torch")
TOLERANCE = 1e-4  # of the largest output
SIDES = {  # the least for some; 64 otherwise
    "alexnet": 67,
    "googlenet_auxiliary": 65,
    "inception": 139,
    "xception": 91,
}
REDUCED = (  # grouped convolutions, auxiliary heads, the layers of 1998, depthwise ones, residuals
    "alexnet_grouped",
    "googlenet_auxiliary",
    "lenet5_original",
    "mobilenet_half",
    "resnet18",
)
BENCHMARKS = Path(__file__).resolve().parent.parent / "benchmarks"
TABLE = BENCHMARKS / "backends.md"


def network(name):
    """Return a network or a variant, of three classes and for small images."""
    from variants import build

    side = next((side for kind, side in SIDES.items() if name.startswith(kind)), 64)
    shape = (side, side, 3)
    if name.startswith(("fashion_cnn", "lenet5")):
        shape = (32, 32, 1)
    return build(name, input_shape=shape, classes=3, classifier_activation=None, name="net")


def batch(model, count=2):
    """Return some images of the size that the model takes."""
    import numpy as np

    return np.random.default_rng(1).normal(size=(count, *model.input_shape[1:])).astype("float32")


def stacked(outputs):
    """Return a network's outputs as (number of outputs, images, classes)."""
    import keras
    import numpy as np

    outputs = outputs if isinstance(outputs, list) else [outputs]
    return np.stack([keras.ops.convert_to_numpy(output) for output in outputs])


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
        np.save(folder / f"{name}.npy", stacked(model(batch(model), training=False)))
        keras.utils.clear_session()


def compare(folder, names):
    """Load the weights on this backend; return {name: the largest difference of an output}."""
    import keras
    import numpy as np

    errors = {}
    for name in names:
        with zeros_at_first():  # the saved weights replace them
            model = network(name)
        model.load_weights(folder / f"{name}.weights.h5")
        expected = np.load(folder / f"{name}.npy")
        outputs = stacked(model.predict(batch(model), verbose=0))  # compiled as a whole
        largest = np.abs(expected).max(axis=(1, 2))
        errors[name] = float((np.abs(outputs - expected).max(axis=(1, 2)) / largest).max())
        print(f"{keras.backend.backend():6} {name:20} {errors[name]:.1e}", flush=True)
        keras.utils.clear_session()
    return errors


def run(backend, task, folder, names):
    """Run this file again on another backend; return what it compared."""
    environment = {**os.environ, "KERAS_BACKEND": backend, "TF_CPP_MIN_LOG_LEVEL": "3"}
    command = [sys.executable, __file__, "--task", task, str(folder), "--networks", *names]
    subprocess.run(command, env=environment, check=False)
    result = Path(folder, "errors.json")
    if not result.exists():
        return {}
    errors = json.loads(result.read_text())
    result.unlink()  # the next backend's shall not be taken for it
    return errors


def write_table(errors, seconds):
    """Write how far each backend's outputs are from TensorFlow's."""
    sys.path.append(str(BENCHMARKS))
    from processor import processor

    backends = list(errors)
    packages = ("keras", "tensorflow", *backends, "numpy")
    versions = (f"{name} {importlib.metadata.version(name)}" for name in packages)
    lines = [
        "# Backends",
        "",
        "Written by `make test-backends`, that is, `python tests/backends.py`: random weights and",
        "outputs of TensorFlow; other backends load the weights and predict for the same 2 images.",
        "The largest difference of the outputs, relative to the largest output",
        f"(goal < {TOLERANCE:.0e}). Variants have two names: the network's and the form's.",
        "",
        f"| network | {' | '.join(backends)} |",
        f"|---|{'---|' * len(backends)}",
        *(
            f"| {name} | {' | '.join(f'{errors[backend][name]:.1e}' for backend in backends)} |"
            for name in errors[backends[0]]
        ),
        "",
        f"* Machine: {processor()}, {os.cpu_count()} cores, {platform.system()}; {seconds:.0f} s.",
        f"* Versions: Python {platform.python_version()}, {', '.join(versions)}.",
    ]
    TABLE.write_text("\n".join(lines) + "\n", encoding="utf-8")


def compare_all(backends, names):
    """Return {backend: {name: largest difference}}; a backend that failed lacks some."""
    errors = {backend: {} for backend in backends}
    for i in range(0, len(names), 8):  # weights of all networks take gigabytes
        some = names[i : i + 8]
        with tempfile.TemporaryDirectory() as folder:
            run("tensorflow", "write", folder, some)
            for backend in backends:
                errors[backend] |= run(backend, "compare", folder, some)
    return errors


def main():
    """Compare; exit with 1 where an output differs or is missing."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("backends", nargs="*", help=f"of {', '.join(BACKENDS)}")
    parser.add_argument("--networks", nargs="+")
    parser.add_argument("--task", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.task:
        task, folder = options.task
        errors = {"write": write, "compare": compare}[task](Path(folder), options.networks)
        Path(folder, "errors.json").write_text(json.dumps(errors))
        return
    from cnncourse.architectures import list_architectures
    from variants import VARIANTS

    names = options.networks or [*list_architectures(), *VARIANTS]
    backends = options.backends or [b for b in BACKENDS if importlib.util.find_spec(b)]
    if not backends:
        sys.exit(f"none of {', '.join(BACKENDS)} is installed: try pip install jax torch")
    start = time.monotonic()
    errors = compare_all(backends, names)
    pairs = [(name, backend) for backend in backends for name in names]
    failed = [pair for pair in pairs if not errors[pair[1]].get(pair[0], math.inf) < TOLERANCE]
    if failed:
        sys.exit("not the same: " + ", ".join(f"{name} on {backend}" for name, backend in failed))
    if not options.networks:
        write_table(errors, time.monotonic() - start)


if __name__ == "__main__":
    main()
