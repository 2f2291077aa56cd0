"""The first line of every notebook: seeds, figure style, and what this machine is."""

import contextlib
import os
import platform
import sys
import tempfile
from importlib import metadata

from cnncourse import __version__


def profile() -> str:
    """Return the size at which notebooks run: `"quick"` (minutes on two CPU cores) or `"full"`.

    The environment variable `CNNCOURSE_PROFILE` decides. Without it the profile is full where
    there is a GPU, and quick elsewhere.

    Raises:
        ValueError: if the variable holds anything else.

    >>> profile() in ("quick", "full")
    True
    """
    name = os.environ.get("CNNCOURSE_PROFILE")
    if name is None:
        return "full" if gpus() else "quick"
    if name not in ("quick", "full"):
        raise ValueError(f"CNNCOURSE_PROFILE is {name!r}; accepted: 'quick' or 'full'")
    return name


def setup(seed: int = 42) -> None:
    """Prepare a notebook: seed everything, set the figure style, print one line about the machine.

    Call it before `import keras`: TensorFlow's start-up log, full of time stamps and of libraries
    it did not find, then stays out of the notebook.

    Seeding goes through `keras.utils.set_random_seed`, which covers Python, NumPy and the backend.
    `tf.random.set_seed` alone would not do: it no longer reaches Keras 3's weight initialisers.

    Args:
        seed: non-negative integer.

    Raises:
        ValueError: if `seed` is not a non-negative integer, or the profile is unknown.
    """
    if isinstance(seed, bool) or not isinstance(seed, int) or not 0 <= seed < 2**32:
        raise ValueError(f"seed is {seed!r}; accepted: an integer from 0 to 2**32 - 1")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "1")  # warnings, but no chatter in the outputs
    with _native_stderr_aside():
        import keras

        gpus()  # looks for CUDA, and complains where there is none
        size = profile()
        keras.utils.set_random_seed(seed)  # imports TensorFlow, whatever the backend

    from cnncourse import plotting

    plotting.use_style()
    print(
        f"cnncourse {__version__} · Python {platform.python_version()} · "
        f"Keras {keras.__version__} on {_backend()} · {_device()} · "
        f"profile {size} · data {_data_source()}"
    )


def gpus() -> list[str]:
    """Return the model of every GPU (or TPU) that Keras' backend sees, such as "NVIDIA H200"."""
    import keras

    match keras.backend.backend():
        case "tensorflow":
            import tensorflow as tf

            tf.config.list_logical_devices()  # starts them, which is where their log comes
            model = tf.config.experimental.get_device_details
            found = [d for d in tf.config.get_visible_devices() if d.device_type != "CPU"]
            return [model(d).get("device_name", d.device_type) for d in found]
        case "jax":
            import jax

            return [d.device_kind for d in jax.devices() if d.platform != "cpu"]
        case "torch":  # for which `keras.distribution` lists nothing, but fails
            import torch

            return [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())]
    return []


@contextlib.contextmanager
def _native_stderr_aside():
    """Keep what C++ code writes to file descriptor 2 aside, and show it only after an error."""
    sys.stderr.flush()
    saved = os.dup(2)
    with tempfile.TemporaryFile() as aside:
        os.dup2(aside.fileno(), 2)
        try:
            yield
        except BaseException:
            aside.seek(0)
            os.write(saved, aside.read())
            raise
        finally:
            os.dup2(saved, 2)
            os.close(saved)


def _backend() -> str:
    import keras

    name = keras.backend.backend()
    return f"{name} {metadata.version(name)}"


def _device() -> str:
    if found := gpus():
        return f"{len(found)} × GPU ({found[0]})"
    if os.environ.get("CNNCOURSE_KERNEL") == "gpu":
        return "no GPU found, so this GPU kernel runs on the CPU"
    return f"CPU, {os.cpu_count()} cores"


def _data_source() -> str:
    mirror = os.environ.get("CNNCOURSE_DATA")
    return f"mirror {mirror}" if mirror else "Keras' cache or download"
