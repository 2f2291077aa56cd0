"""Mixed precision: products in 16 bits where the machine is fast at them, weights in 32."""

from pathlib import Path

POLICIES = ("float32", "mixed_bfloat16", "mixed_float16")


def set_precision(policy="auto"):
    """Set the number format in which networks built from now on compute, and print it.

    A mixed policy keeps weights, gradients' sums and the optimizer in float32 and computes layers
    in 16 bits. bfloat16 has float32's range and 8 bits of precision, so nothing else changes;
    float16 has 11 bits but a small range, so Keras scales the loss (in `compile`). Give the last
    layer `dtype="float32"`: softmax and loss need the precision.

    Args:
        policy: "auto" takes mixed_bfloat16 on a processor with instructions for it (AMX or
            AVX-512 BF16; others emulate it, which is slower than float32) and on a GPU from
            compute capability 8.0, mixed_float16 on a GPU from 7.0, and float32 elsewhere. Or one
            of "float32", "mixed_bfloat16", "mixed_float16".

    Returns:
        The name of the policy.

    Raises:
        ValueError: if the policy is another.
    """
    import keras

    if policy not in ("auto", *POLICIES):
        raise ValueError(f"policy is {policy!r}; accepted: 'auto' or one of {POLICIES}")
    reason = "as asked"
    if policy == "auto":
        policy, reason = _best(_gpu_capability(), _processor_flags())
    keras.config.set_dtype_policy(policy)
    print(f"precision: {policy} ({reason})")
    return policy


def _best(capability, flags):
    """Choose a policy: (name, why). `capability` is None without a GPU."""
    if capability is not None:
        gpu = f"GPU of compute capability {capability[0]}.{capability[1]}"
        if capability >= (8, 0):
            return "mixed_bfloat16", gpu
        return ("mixed_float16" if capability >= (7, 0) else "float32"), gpu
    for flag in ("amx_bf16", "avx512_bf16"):
        if flag in flags:
            return "mixed_bfloat16", f"this processor has {flag}"
    return "float32", "this processor has no instructions for bfloat16 products"


def _processor_flags():
    """Return the names of the processor's instruction sets; empty where unknown."""
    info = Path("/proc/cpuinfo")
    if info.exists():
        lines = (line.partition(":") for line in info.read_text().splitlines())
        return next((set(text.split()) for key, _, text in lines if key.strip() == "flags"), set())
    return set()


def _gpu_capability():
    """Return the compute capability (major, minor) of the first GPU of Keras' backend, or None."""
    import keras

    match keras.backend.backend():
        case "tensorflow":
            import tensorflow as tf

            gpus = tf.config.list_physical_devices("GPU")
            details = tf.config.experimental.get_device_details(gpus[0]) if gpus else {}
            return details.get("compute_capability")
        case "jax":
            import jax

            gpus = [device for device in jax.devices() if device.platform == "gpu"]
            text = getattr(gpus[0], "compute_capability", None) if gpus else None
            return tuple(int(part) for part in text.split(".")) if text else None
        case "torch":
            import torch

            return torch.cuda.get_device_capability() if torch.cuda.is_available() else None
    return None
