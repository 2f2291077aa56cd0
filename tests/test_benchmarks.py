"""The benchmarks that `make benchmarks` calls: their tables are written by whole runs only."""

import importlib
import runpy
import sys

import keras
import pytest
from cnncourse.paths import course_root

BENCHMARKS = course_root() / "benchmarks"


@pytest.fixture
def call(monkeypatch):
    """Run a benchmark as from the command line, but in this process, and return its status."""

    def run(name, *arguments):
        path = str(BENCHMARKS / f"{name}.py")
        monkeypatch.syspath_prepend(BENCHMARKS)
        monkeypatch.setattr(sys, "argv", [path, *map(str, arguments)])
        with pytest.raises(SystemExit) as end:
            runpy.run_path(path, run_name="__main__")
        return end.value.code

    return run


@pytest.mark.parametrize(
    ("name", "output"),
    [
        ("training", []),
        ("training", ["--output", BENCHMARKS / "training.md"]),
        ("architectures", []),
    ],
)
def test_a_tiny_run_does_not_replace_the_table(name, output, call, capsys):
    table = (BENCHMARKS / f"{name}.md").read_bytes()
    assert call(name, "--tiny", *output) == 2
    assert "--tiny needs --output" in capsys.readouterr().err
    assert (BENCHMARKS / f"{name}.md").read_bytes() == table


def test_the_recipes_are_listed(call, capsys):
    assert not call("accuracy", "--list")
    names = [line.partition(":")[0] for line in capsys.readouterr().out.splitlines()]
    assert {"plain", "course", "better", "mnist", "digits"} <= set(names)


@pytest.mark.slow
def test_the_benchmark_of_training_runs(monkeypatch, tmp_path):
    """Tiny, and all in one process: a process each would take a minute to import TensorFlow."""
    monkeypatch.syspath_prepend(BENCHMARKS)
    training = importlib.import_module("training")
    apart = training.in_own_process
    ways = []

    def here(function, *arguments):
        if function == "describe":
            return apart(function)
        ways.append(arguments[0])
        keras.backend.clear_session()
        return training.CALLS[function](*arguments)

    monkeypatch.setattr(training, "BATCH", 16)
    monkeypatch.setattr(training, "EPOCHS", 2)
    monkeypatch.setattr(training, "in_own_process", here)
    try:
        assert training.main(tiny=True, output=tmp_path / "training.md") == 0
    finally:
        keras.config.set_dtype_policy("float32")
    table = (tmp_path / "training.md").read_text("utf-8")
    assert ways == [*training.WAYS, 1, "training", "inference"]
    assert all(f"\n| {way} | " in table for way in training.WAYS)
    for words in ("Kit against stock `fit`", "NumPy against Keras", "Peak memory", "* Machine: "):
        assert words in table
