"""`cnncourse.setup` and `cnncourse.profile`: what every notebook starts with."""

import os
import subprocess
import sys

import cnncourse
import keras
import matplotlib as mpl
import numpy as np
import pytest
from cnncourse import session
from fake_gpus import BACKENDS, NAME, pretend


def test_profile_is_quick_without_a_gpu_and_full_with_one(monkeypatch):
    monkeypatch.delenv("CNNCOURSE_PROFILE", raising=False)
    monkeypatch.setattr(session, "gpus", list)
    assert cnncourse.profile() == "quick"
    monkeypatch.setattr(session, "gpus", lambda: ["NVIDIA H200"])
    assert cnncourse.profile() == "full"


def test_profile_follows_the_environment_and_refuses_other_words(monkeypatch):
    monkeypatch.setenv("CNNCOURSE_PROFILE", "full")
    assert cnncourse.profile() == "full"
    monkeypatch.setenv("CNNCOURSE_PROFILE", "fast")
    with pytest.raises(
        ValueError, match="CNNCOURSE_PROFILE is 'fast'; accepted: 'quick' or 'full'"
    ):
        cnncourse.profile()


@pytest.mark.parametrize("backend", BACKENDS)
def test_gpus_are_named_on_every_backend(monkeypatch, backend):
    pretend(monkeypatch, backend, gpu=True)
    assert session.gpus() == [NAME]
    assert session._device() == "1 × GPU (NVIDIA H200)"
    pretend(monkeypatch, backend, gpu=False)
    assert session.gpus() == []


@pytest.mark.parametrize("seed", [-1, 2**32, 1.5, "42", True, None])
def test_setup_refuses_a_bad_seed(seed):
    with pytest.raises(ValueError, match=r"seed is .*; accepted: an integer from 0"):
        cnncourse.setup(seed=seed)


def test_setup_seeds_initialisers_and_numpy_and_sets_the_style(capsys):
    def draw(seed):
        cnncourse.setup(seed=seed)
        layer = keras.layers.Dense(3)
        layer.build((None, 4))
        return np.append(np.asarray(layer.kernel), np.random.rand())  # noqa: NPY002  what learners may use

    first, again, other = draw(7), draw(7), draw(8)
    np.testing.assert_array_equal(first, again)
    assert (first != other).all()
    assert mpl.rcParams["image.cmap"] == "gray"
    assert capsys.readouterr().out.count("\n") == 3  # one line a call


def test_the_line_names_device_profile_and_data(monkeypatch, capsys):
    monkeypatch.setattr(session, "gpus", list)
    monkeypatch.setenv("CNNCOURSE_PROFILE", "quick")
    monkeypatch.setenv("CNNCOURSE_KERNEL", "gpu")
    monkeypatch.setenv("CNNCOURSE_DATA", "mirror-folder")
    cnncourse.setup()
    line = capsys.readouterr().out
    assert "no GPU found, so this GPU kernel runs on the CPU" in line
    assert f"Keras {keras.__version__}" in line
    assert "profile quick" in line
    assert "data mirror mirror-folder" in line
    monkeypatch.delenv("CNNCOURSE_DATA")
    cnncourse.setup()
    assert capsys.readouterr().out.endswith("data Keras' cache or download\n")


def test_setup_first_keeps_the_start_up_log_away_but_not_later_messages():
    code = (
        "import os, cnncourse; cnncourse.setup(); import keras;"
        "keras.ops.ones(3) + 1; os.write(2, b'later')"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stderr == "later"
    assert run.stdout.startswith("cnncourse ")


def test_the_aside_gives_its_text_back_after_an_error(capfd):
    with pytest.raises(RuntimeError, match="broken"), session._native_stderr_aside():
        os.write(2, b"why it broke")
        raise RuntimeError("broken")
    assert "why it broke" in capfd.readouterr().err
