"""A training that is killed and goes on ends as one that was not."""

import signal
import subprocess
import sys
import textwrap

import keras
import numpy as np
import pytest
from cnncourse import training

TRAIN = textwrap.dedent(
    """
    import sys, time
    import keras, numpy as np
    from cnncourse import training

    folder, stop_at = sys.argv[1], sys.argv[2]
    keras.utils.set_random_seed(int(sys.argv[3]))  # must not matter after a restart
    layers = keras.layers
    network = keras.Sequential([
        keras.Input((8, 8, 1)),
        layers.RandomTranslation(0.2, 0.2),
        layers.Conv2D(8, 3), layers.BatchNormalization(), layers.ReLU(),
        layers.Flatten(), layers.Dropout(0.5), layers.Dense(10, activation="softmax"),
    ])
    from sklearn.datasets import load_digits
    x, y = load_digits(return_X_y=True)
    x = x[:640].reshape(-1, 8, 8, 1).astype("float32") / 16
    alter = training.augmenter((0, 1), rotation=10, zoom=0.1)
    data = training.pipeline(x, y[:640], 64, augment=alter, seed=3)
    optimizer = keras.optimizers.Adam(
        training.warmup_cosine(1e-2, 4 * len(data)), use_ema=True, ema_momentum=0.9
    )
    network.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"])

    class Stop(keras.callbacks.Callback):
        epoch = 0
        def on_epoch_begin(self, epoch, logs=None):
            self.epoch = epoch
        def on_train_batch_end(self, batch, logs=None):
            if f"{self.epoch}.{batch}" == stop_at:
                print("here", flush=True)
                time.sleep(600)

    checkpoint = training.Checkpoint(folder + "/run.npz", data)
    start = checkpoint.restore(network)
    network.fit(data, epochs=4, initial_epoch=start, verbose=0, shuffle=False,
                callbacks=[checkpoint, Stop()])
    np.savez(folder + "/end.npz", *network.get_weights(),
             start=start, log=checkpoint.log["loss"], extra=len(checkpoint.log["accuracy"]))
    """
)


def train(folder, stop_at, seed):
    folder.mkdir(exist_ok=True)
    return subprocess.Popen(
        [sys.executable, "-c", TRAIN, str(folder), stop_at, str(seed)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finished(process):
    _, errors = process.communicate(timeout=200)
    assert process.returncode == 0, errors[-2000:]


@pytest.mark.slow
def test_killed_in_mid_epoch_and_resumed_equals_uninterrupted(tmp_path):
    """Augmentation in pipeline and network, dropout, batch norm, averaging and schedule included.

    The last process is seeded differently, so anything that is not in the file would show.
    """
    killed = train(tmp_path / "killed", stop_at="2.4", seed=0)
    assert killed.stdout.readline() == "here\n", killed.stderr.read()[-2000:]
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    assert killed.returncode == -signal.SIGKILL
    finished(train(tmp_path / "killed", stop_at="never", seed=99))
    finished(train(tmp_path / "whole", stop_at="never", seed=0))

    resumed, whole = (np.load(tmp_path / name / "end.npz") for name in ("killed", "whole"))
    assert (int(resumed["start"]), int(whole["start"])) == (2, 0)
    assert len(whole["log"]) == int(resumed["extra"]) == 4
    assert len(set(whole["log"])) == 4
    for name in whole.files:
        if name != "start":
            np.testing.assert_allclose(resumed[name], whole[name], atol=1e-5, err_msg=name)


def network(units=3, loss="mse"):
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(units)])
    if loss:
        model.compile("adam", loss)
    return model


def fit(model, path, epochs):
    checkpoint = training.Checkpoint(path)
    start = checkpoint.restore(model)
    x, y = np.ones((8, 2)), np.ones((8, 3))
    model.fit(x, y, epochs=epochs, initial_epoch=start, verbose=0, callbacks=[checkpoint])
    return checkpoint


def test_a_kill_while_writing_leaves_the_last_whole_file(tmp_path, monkeypatch):
    path = tmp_path / "run.npz"
    fit(network(), path, epochs=2)
    before = path.read_bytes()

    def full_disk(file, **arrays):
        file.write(b"half")
        raise OSError("No space left on device")

    monkeypatch.setattr(np, "savez", full_disk)
    with pytest.raises(OSError, match="No space left"):
        fit(network(), path, epochs=3)
    assert path.read_bytes() == before


def test_log_goes_on_and_a_finished_run_stays(tmp_path):
    model = network()
    log = fit(model, tmp_path / "run.npz", epochs=2).log
    weights = model.get_weights()
    longer = fit(network(), tmp_path / "run.npz", epochs=3).log
    assert list(longer) == ["loss"]
    assert longer["loss"][:2] == log["loss"]
    assert len(longer["loss"]) == 3
    again = network()
    fit(again, tmp_path / "run.npz", epochs=3)
    assert not np.allclose(again.get_weights()[0], weights[0])
    assert training.Checkpoint(tmp_path / "run.npz").restore(network()) == 3


class StopAt(keras.callbacks.Callback):
    """Stop at a batch, as `TerminateOnNaN` does."""

    def __init__(self, epoch, batch):
        super().__init__()
        self.at, self.epoch = (epoch, batch), None

    def on_epoch_begin(self, epoch, logs=None):
        self.epoch = epoch

    def on_train_batch_end(self, batch, logs=None):
        if (self.epoch, batch) == self.at:
            self.model.stop_training = True


@pytest.mark.parametrize(("stop", "whole"), [(StopAt(1, 0), 1), (StopAt(0, 2), 0)])
def test_an_epoch_that_was_stopped_is_not_saved(tmp_path, stop, whole):
    path, model = tmp_path / "run.npz", network()
    checkpoint = training.Checkpoint(path)
    x, y = np.ones((8, 2)), np.ones((8, 3))
    model.fit(x, y, batch_size=2, epochs=3, verbose=0, callbacks=[checkpoint, stop])
    assert training.Checkpoint(path).restore(network()) == whole
    assert len(checkpoint.log.get("loss", [])) == whole


def test_stopping_after_an_epoch_keeps_it(tmp_path):
    path, model = tmp_path / "run.npz", network()
    early = keras.callbacks.EarlyStopping("loss", patience=0, mode="max")  # it falls
    x, y = np.ones((8, 2)), np.ones((8, 3))
    model.fit(x, y, epochs=9, verbose=0, callbacks=[training.Checkpoint(path), early])
    assert training.Checkpoint(path).restore(network()) == 2


def test_a_metric_of_one_value_per_class_is_kept(tmp_path):
    path, model = tmp_path / "run.npz", network()
    model.compile("sgd", "mse", metrics=[keras.metrics.F1Score()])
    checkpoint = training.Checkpoint(path)
    x, y = np.ones((8, 2)), np.eye(3)[np.arange(8) % 3]
    model.fit(x, y, epochs=2, verbose=0, callbacks=[checkpoint])
    assert [len(values) for values in checkpoint.log["f1_score"]] == [3, 3]
    again = network()
    again.compile("sgd", "mse")
    other = training.Checkpoint(path)
    assert other.restore(again) == 2 and other.log == checkpoint.log


@pytest.mark.parametrize("policy", ["bfloat16", "mixed_float16", "mixed_bfloat16"])
def test_sixteen_bits_survive(tmp_path, policy):
    try:
        keras.config.set_dtype_policy(policy)
        model = network()
        fit(model, tmp_path / "run.npz", epochs=2)
        other = network()
        assert training.Checkpoint(tmp_path / "run.npz").restore(other) == 2
    finally:
        keras.config.set_dtype_policy("float32")
    ours = [np.asarray(v.value, "float32") for v in (*model.variables, *model.optimizer.variables)]
    theirs = [
        np.asarray(v.value, "float32") for v in (*other.variables, *other.optimizer.variables)
    ]
    assert len(ours) == len(theirs) > 4
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_array_equal(a, b)


def test_checkpoint_explains_what_is_wrong(tmp_path):
    np.savez(tmp_path / "other.npz", weights=np.ones(3))
    (tmp_path / "other.npz").rename(tmp_path / "other.zip")
    with pytest.raises(ValueError, match=r"path is '.*run.h5'; accepted: a .npz file"):
        training.Checkpoint(tmp_path / "run.h5")
    with pytest.raises(ValueError, match=r"accepted: a \.npz file in an existing folder"):
        training.Checkpoint(tmp_path / "nowhere" / "run.npz")
    with pytest.raises(ValueError, match="without an order of its own; accepted"):
        training.Checkpoint(tmp_path / "run.npz", np.ones(3))
    with pytest.raises(ValueError, match="is not ready; accepted: a built, compiled model"):
        training.Checkpoint(tmp_path / "run.npz").restore(network(loss=None))
    for content in (b"", b"a text", (tmp_path / "other.zip").read_bytes()):
        (tmp_path / "run.npz").write_bytes(content)
        with pytest.raises(ValueError, match=r"run\.npz' is damaged, or no file of a"):
            training.Checkpoint(tmp_path / "run.npz").restore(network())
        assert (tmp_path / "run.npz").read_bytes() == content
        (tmp_path / "run.npz").unlink()
    fit(network(), tmp_path / "run.npz", epochs=1)
    whole = (tmp_path / "run.npz").read_bytes()
    (tmp_path / "run.npz").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ValueError, match=r"run\.npz' is damaged, or no file of a"):
        training.Checkpoint(tmp_path / "run.npz").restore(network())
    (tmp_path / "run.npz").write_bytes(whole)
    with pytest.raises(ValueError, match="holds 8 arrays and this model has 8 variables, or"):
        training.Checkpoint(tmp_path / "run.npz").restore(network(units=4))
