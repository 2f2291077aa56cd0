"""What each backend's own module says of a machine with one H200, and of one without a GPU."""

import sys
from types import SimpleNamespace

import keras

NAME = "NVIDIA H200"


def tensorflow(gpu):
    cpu = SimpleNamespace(device_type="CPU")
    found = [SimpleNamespace(device_type="GPU")] if gpu else []
    details = {"device_name": NAME, "compute_capability": (9, 0)}
    return SimpleNamespace(
        config=SimpleNamespace(
            list_logical_devices=lambda: [cpu, *found],
            get_visible_devices=lambda: [cpu, *found],
            list_physical_devices={"GPU": found, "CPU": [cpu]}.get,
            experimental=SimpleNamespace(
                get_device_details=lambda device: details if device in found else {}
            ),
        )
    )


def jax(gpu):
    cpu = SimpleNamespace(platform="cpu", device_kind="cpu")
    card = SimpleNamespace(platform="gpu", device_kind=NAME, compute_capability="9.0")
    return SimpleNamespace(devices=lambda: [card] if gpu else [cpu])


def torch(gpu):
    return SimpleNamespace(
        cuda=SimpleNamespace(
            is_available=lambda: gpu,
            device_count=lambda: int(gpu),
            get_device_name=lambda index: [NAME][index],
            get_device_capability=lambda: (9, 0) if gpu else None,
        )
    )


BACKENDS = {"tensorflow": tensorflow, "jax": jax, "torch": torch}


def pretend(monkeypatch, backend, gpu):
    """Let Keras say that it runs on `backend`, and that module speak of such a machine."""
    monkeypatch.setitem(sys.modules, backend, BACKENDS[backend](gpu))
    monkeypatch.setattr(keras.backend, "backend", lambda: backend)
