"""The "cnncourse (GPU)" kernel: the same Python, with settings that a shared or small GPU needs."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

NAME = "cnncourse-gpu"
DISPLAY_NAME = "cnncourse (GPU)"

# Compiles the smallest model there is: XLA reads its flags then, and aborts on one it does not
# know.
_PROBE = """
import keras
model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
model.compile(jit_compile=True)
model.predict_on_batch(keras.ops.zeros((1, 1)))
"""


def kernel_folder(prefix: Path | None = None) -> Path:
    """Return where the kernel's `kernel.json` lies in an environment, by default this one's."""
    return Path(prefix or sys.prefix) / "share" / "jupyter" / "kernels" / NAME


def candidate_flags() -> list[str]:
    """Return the XLA flags worth having here; XLA versions differ in which of them they know."""
    # A convolution for which auto-tuning finds no clear winner runs all the same.
    flags = ["--xla_gpu_strict_conv_algorithm_picker=false"]
    for folder in sys.path:
        cuda = Path(folder, "nvidia", "cuda_nvcc")
        if (cuda / "nvvm" / "libdevice").is_dir():
            # CUDA came as a pip package: XLA does not look there for its bit code by itself.
            flags.append(f"--xla_gpu_cuda_data_dir={cuda}")
            break
    return flags


def surviving_flags(candidates: list[str]) -> list[str]:
    """Return those flags with which Keras still starts, each set tried in a process of its own.

    An unknown XLA flag aborts the whole process, and no `try` can catch that.

    Args:
        candidates: flags such as `--xla_gpu_autotune_level=2`.

    Returns:
        All of them if they work together; otherwise each that works by itself.
    """
    if not candidates or _survives(candidates):
        return candidates
    if len(candidates) == 1:
        return []
    return [flag for flag in candidates if _survives([flag])]


def _survives(flags: list[str]) -> bool:
    environment = {**os.environ, "XLA_FLAGS": " ".join(flags)}
    try:
        return not subprocess.run(
            [sys.executable, "-c", _PROBE],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=180,
        ).returncode
    except subprocess.TimeoutExpired:
        return False


def install(prefix: Path | None = None) -> str:
    """Install the kernel into an environment, or refresh it; twice gives the same as once.

    Args:
        prefix: the environment's folder, by default this Python's (`--sys-prefix`).

    Returns:
        One sentence: where the kernel is, and which XLA flags it carries.
    """
    from ipykernel.kernelspec import install as install_kernelspec

    candidates = candidate_flags()
    flags = surviving_flags(candidates)
    environment = {
        "CNNCOURSE_KERNEL": "gpu",
        "KERAS_BACKEND": os.environ.get("KERAS_BACKEND", "tensorflow"),
        "TF_FORCE_GPU_ALLOW_GROWTH": "true",
    }
    if flags:
        environment["XLA_FLAGS"] = " ".join(flags)
    folder = install_kernelspec(
        kernel_name=NAME,
        display_name=DISPLAY_NAME,
        prefix=str(prefix or sys.prefix),
        env=environment,
    )
    dropped = [flag for flag in candidates if flag not in flags]
    return (
        f"The kernel {DISPLAY_NAME} is in {folder}, with XLA flags: {' '.join(flags) or 'none'}"
        + (
            f" (left out, this XLA does not start with them: {' '.join(dropped)})"
            if dropped
            else ""
        )
        + "."
    )


def remove(prefix: Path | None = None) -> str:
    """Remove the kernel from an environment.

    Args:
        prefix: the environment's folder, by default this Python's.

    Returns:
        One sentence: that it is gone, or that there was none.
    """
    folder = kernel_folder(prefix)
    if not folder.is_dir():
        return f"There is no kernel {DISPLAY_NAME} to remove: {folder} does not exist."
    shutil.rmtree(folder)
    return f"The kernel {DISPLAY_NAME} was removed from {folder}."


def installed_python(prefix: Path | None = None) -> str | None:
    """Return the Python that the installed kernel starts, or `None` where there is no kernel.

    Raises:
        ValueError: if the kernel's `kernel.json` is damaged.
    """
    path = kernel_folder(prefix) / "kernel.json"
    if not path.is_file():
        return None
    try:
        return json.loads(path.read_text(encoding="utf-8"))["argv"][0]
    except (ValueError, KeyError, IndexError, TypeError) as error:
        raise ValueError(f"{path} is damaged: {error!r}") from None
