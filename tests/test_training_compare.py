"""`compare`: recipes × seeds, resumable; and the figure of a training."""

import json
import statistics

import keras
import matplotlib.pyplot as plt
import numpy as np
import pytest
from cnncourse import plotting, training
from cnncourse.training import Comparison, scores


@pytest.fixture(autouse=True)
def cleared(monkeypatch):
    """Count the sessions that are cleared; to clear what earlier tests built takes a second."""
    calls = []
    monkeypatch.setattr(keras.backend, "clear_session", lambda: calls.append("cleared"))
    return calls


def recipes(ran, broken=()):
    def recipe(name, offset):
        def run(seed):
            ran.append((name, seed))
            if (name, seed) in broken:
                raise KeyboardInterrupt
            return offset + seed**2

        return run

    return {"plain": recipe("plain", 0), "better": recipe("better", 10)}


ALL = [(name, seed) for seed in (0, 1, 2) for name in ("plain", "better")]


def test_mean_and_spread(cleared):
    ran = []
    result = training.compare(recipes(ran))
    assert ran == ALL and len(cleared) == len(ALL)
    assert result.scores == {"plain": {0: 0, 1: 1, 2: 4}, "better": {0: 10, 1: 11, 2: 14}}
    assert result.mean("better") == pytest.approx(statistics.mean([10, 11, 14]))
    assert result.spread("better") == pytest.approx(np.std([10, 11, 14], ddof=1))
    assert str(result).splitlines() == [
        "| recipe | mean | spread | seeds | scores |",
        "|---|---|---|---|---|",
        "| plain | 1.6667 | 2.0817 | 3 | 0.0000, 1.0000, 4.0000 |",
        "| better | 11.6667 | 2.0817 | 3 | 10.0000, 11.0000, 14.0000 |",
    ]
    diverged = Comparison({"plain": {0: 0.9, 1: float("nan")}, "fast": {0: 1.0, 1: float("inf")}})
    assert "| plain | nan | nan | 2 | 0.9000, nan |\n| fast | inf | nan |" in str(diverged)
    assert Comparison({"one": {0: 1.0}}).table().endswith("| one | 1.0000 | – | 1 | 1.0000 |")


def test_an_interrupted_comparison_goes_on(tmp_path):
    path, first, second, third = tmp_path / "scores.jsonl", [], [], []
    with pytest.raises(KeyboardInterrupt):
        training.compare(recipes(first, broken=[("plain", 1)]), path=path)
    with open(path, "a") as file:
        file.write('{"recipe": "plain", "se')  # a write that the plug was pulled on
    result = training.compare(recipes(second), path=path)
    assert first == ALL[:3] and second == ALL[2:]
    assert result.scores == training.compare(recipes([])).scores
    assert training.compare(recipes(third), path=path).scores == result.scores
    assert third == []
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    assert [(row["recipe"], row["seed"]) for row in rows] == ALL
    assert all(row["seconds"] >= 0 for row in rows)


def test_a_full_disk_costs_no_run_that_is_done(tmp_path, monkeypatch):
    """Taking a cut-off line away writes nothing."""
    path = tmp_path / "scores.jsonl"
    training.compare(recipes([]), path=path)
    before = path.read_bytes()
    path.write_bytes(before + b'{"recipe": "plain", "seed": 3, "sco')

    def full(*_):
        raise OSError("No space left on device")

    monkeypatch.setattr(type(path), "write_bytes", full)
    assert len(scores.read(path)) == len(ALL)
    assert path.read_bytes() == before


def test_a_whole_last_line_without_an_end_counts(tmp_path):
    path, ran = tmp_path / "scores.jsonl", []
    result = training.compare(recipes([]), path=path)
    before = path.read_text()
    path.write_text(before.rstrip("\n"))
    assert training.compare(recipes(ran), path=path) == result
    assert not ran and path.read_text() == before


def test_runs_are_seeded_one_by_one():
    def first_weight(seed):
        return float(keras.layers.Dense(1).build((1, 1)) or keras.random.normal(()))

    alone = training.compare({"a": first_weight}, seeds=[2]).scores["a"][2]
    both = training.compare({"b": first_weight, "a": first_weight}, seeds=[1, 2]).scores
    assert both["a"][2] == both["b"][2] == alone
    assert both["a"][1] != alone


@pytest.mark.parametrize("seeds", [[], [1, 1], 3, [0.5], "12"])
def test_compare_refuses_seeds(seeds):
    ran = []
    with pytest.raises(ValueError, match=r"seeds is .*; accepted: whole numbers"):
        training.compare(recipes(ran), seeds)
    assert not ran


@pytest.mark.parametrize("chosen", [{}, [print], None])
def test_compare_refuses_recipes(chosen):
    with pytest.raises(ValueError, match=r"recipes is .*; accepted: {name: function of a seed}"):
        training.compare(chosen)


def test_compare_takes_numpys_integers_as_seeds(tmp_path):
    path = tmp_path / "scores.jsonl"
    compared = training.compare({"plain": float}, np.arange(2), path)
    assert compared.scores == {"plain": {0: 0.0, 1: 1.0}}
    assert training.compare({"plain": None}, [0, 1], path) == compared  # from the file


def test_a_path_in_no_folder_is_refused_before_the_work(tmp_path):
    ran = []
    with pytest.raises(ValueError, match=r"path is .*; accepted: a file in an existing folder"):
        training.compare(recipes(ran), path=tmp_path / "nowhere" / "scores.jsonl")
    assert not ran


@pytest.mark.parametrize("end", ["", "\n"])
@pytest.mark.parametrize("line", ["something else", '{"accuracy": 0.93, "precious": true}'])
@pytest.mark.parametrize("before", ["", '{"recipe": "plain", "seed": 0, "score": 1}\n'])
def test_a_foreign_file_is_refused(tmp_path, before, line, end):
    """It stays as it is, also if its last line has no end, like a line that was cut off."""
    path = tmp_path / "scores.jsonl"
    path.write_text(before + line + end)
    with pytest.raises(ValueError, match=f"has in line {1 + bool(before)} '{line[:60]}'; accepted"):
        training.compare(recipes([]), path=path)
    assert path.read_text() == before + line + end


def test_training_curves():
    log = {"loss": [3, 2, 1], "val_loss": [4, 3], "accuracy": [0.1, 0.2, 0.3], "learning_rate": [1]}
    fig = plotting.training_curves(log)
    assert [ax.get_title() for ax in fig.axes] == ["loss", "accuracy"]
    curves = {
        (ax.get_title(), line.get_label()): (list(line.get_xdata()), list(line.get_ydata()))
        for ax in fig.axes
        for line in ax.lines
    }
    assert curves == {
        ("loss", "training"): ([1, 2, 3], [3, 2, 1]),
        ("loss", "validation"): ([1, 2], [4, 3]),
        ("accuracy", "training"): ([1, 2, 3], [0.1, 0.2, 0.3]),
    }
    styles = [line.get_linestyle() for line in fig.axes[0].lines]
    assert len(set(styles)) == 2  # not by colour alone
    plt.close(fig)
    with pytest.raises(ValueError, match=r"log holds \['learning_rate'\]; accepted"):
        plotting.training_curves({"learning_rate": [1]})
