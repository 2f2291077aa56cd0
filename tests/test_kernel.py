"""The GPU kernel: what it carries, that it starts, and that it goes."""

import json
import sys
from pathlib import Path

import pytest
from cnncourse import doctor, kernel
from jupyter_client.manager import start_new_kernel

UNKNOWN = "--xla_no_such_flag=1"
KNOWN = "--xla_gpu_strict_conv_algorithm_picker=false"


def spec(prefix):
    return json.loads((kernel.kernel_folder(prefix) / "kernel.json").read_text())


@pytest.fixture
def any_flag(monkeypatch):
    """Skip the compiling of models: every flag survives."""
    monkeypatch.setattr(kernel, "_survives", lambda flags: True)


def test_unknown_flags_are_left_out():
    """For real: a flag that XLA does not know aborts, and the other one still gets through."""
    assert kernel.surviving_flags([KNOWN, UNKNOWN]) == [KNOWN]


def test_no_process_for_no_flags(monkeypatch):
    monkeypatch.setattr(kernel, "_survives", lambda flags: pytest.fail("nothing to try"))
    assert kernel.surviving_flags([]) == []


@pytest.mark.parametrize(
    ("bad", "kept", "tries"), [(set(), "ab", 1), ({"a"}, "b", 3), ({"a", "b"}, "", 3)]
)
def test_flags_are_tried_together_first(monkeypatch, bad, kept, tries):
    seen = []
    monkeypatch.setattr(kernel, "_survives", lambda f: seen.append(f) or bad.isdisjoint(f))
    assert kernel.surviving_flags(["a", "b"]) == list(kept)
    assert len(seen) == tries


def test_cuda_from_pip_is_named(monkeypatch, tmp_path):
    monkeypatch.setattr(sys, "path", [str(tmp_path)])
    assert kernel.candidate_flags() == [KNOWN]
    (tmp_path / "nvidia" / "cuda_nvcc" / "nvvm" / "libdevice").mkdir(parents=True)
    folder = tmp_path / "nvidia" / "cuda_nvcc"
    assert kernel.candidate_flags() == [KNOWN, f"--xla_gpu_cuda_data_dir={folder}"]


def test_what_the_kernel_carries(any_flag, monkeypatch, tmp_path):
    monkeypatch.delenv("KERAS_BACKEND", raising=False)
    message = kernel.install(tmp_path)
    assert str(kernel.kernel_folder(tmp_path)) in message
    found = spec(tmp_path)
    assert found["display_name"] == "cnncourse (GPU)"
    assert found["argv"][0] == sys.executable == kernel.installed_python(tmp_path)
    assert found["env"] == {
        "CNNCOURSE_KERNEL": "gpu",
        "KERAS_BACKEND": "tensorflow",
        "TF_FORCE_GPU_ALLOW_GROWTH": "true",
        "XLA_FLAGS": " ".join(kernel.candidate_flags()),
    }


def test_backend_in_use_is_kept(any_flag, monkeypatch, tmp_path):
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    kernel.install(tmp_path)
    assert spec(tmp_path)["env"]["KERAS_BACKEND"] == "jax"


def test_no_flag_survives(monkeypatch, tmp_path):
    monkeypatch.setattr(kernel, "_survives", lambda flags: False)
    message = kernel.install(tmp_path)
    assert "XLA flags: none" in message
    assert f"left out, this XLA does not start with them: {KNOWN}" in message
    assert "XLA_FLAGS" not in spec(tmp_path)["env"]


def test_twice_is_once(any_flag, tmp_path):
    kernel.install(tmp_path)
    before = {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()}
    kernel.install(tmp_path)
    assert {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()} == before


def test_remove(any_flag, tmp_path):
    kernel.install(tmp_path)
    assert kernel.remove(tmp_path).startswith("The kernel cnncourse (GPU) was removed")
    assert kernel.installed_python(tmp_path) is None
    assert kernel.remove(tmp_path).startswith("There is no kernel cnncourse (GPU) to remove")


@pytest.mark.parametrize("content", ["{half", "[]", "{}", '{"argv": []}'])
def test_damaged_kernel(tmp_path, content):
    kernel.kernel_folder(tmp_path).mkdir(parents=True)
    (kernel.kernel_folder(tmp_path) / "kernel.json").write_text(content)
    with pytest.raises(ValueError, match="is damaged"):
        kernel.installed_python(tmp_path)


def test_default_place_is_this_environment():
    expected = Path(sys.prefix, "share", "jupyter", "kernels", "cnncourse-gpu")
    assert kernel.kernel_folder() == expected


def test_a_real_kernel_starts_and_says_what_it_runs_on(any_flag, monkeypatch, tmp_path):
    kernel.install(tmp_path)
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path / "share" / "jupyter"))
    manager, client = start_new_kernel(kernel_name=kernel.NAME, startup_timeout=60)
    printed = []
    try:
        client.execute_interactive(
            "import cnncourse, os\ncnncourse.setup()\nprint(os.environ['XLA_FLAGS'])",
            timeout=120,
            output_hook=lambda message: printed.append(message["content"].get("text", "")),
        )
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
    first, flags = "".join(printed).splitlines()
    gpus = doctor._keras()["gpus"]
    assert ("× GPU" if gpus else "no GPU found, so this GPU kernel runs on the CPU") in first
    assert flags == " ".join(kernel.candidate_flags())
