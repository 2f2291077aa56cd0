"""Interrupt a training, even by pulling the plug, and go on as if nothing had happened."""

import json
import os
import zipfile
import zlib
from pathlib import Path

import keras
import numpy as np


class Checkpoint(keras.callbacks.Callback):
    """Write the whole state of a training after every epoch; read it to go on.

        checkpoint = training.Checkpoint("run.npz", batches)
        start = checkpoint.restore(network)  # 0 if there is no file yet
        network.fit(batches, epochs=20, initial_epoch=start, callbacks=[checkpoint],
                    shuffle=False)

    A run that was killed in the middle of an epoch starts that epoch again and ends with the same
    weights as a run that was not, because the state is complete: weights, running averages of batch
    normalisation, the states of the random number generators of dropout and augmentation, the
    optimizer with its step count, its slots and its averaged weights, the epoch (from which
    `pipeline` derives the order of the data), and the log. `keras.callbacks.BackupAndRestore` keeps
    weights and optimizer, but neither the generators nor the order. On the CPU the weights have
    been seen to agree bit for bit; a GPU adds in varying order, and so differs by rounding.

    The file is replaced in one go: at any moment there is a whole one, the old or the new.

    Not kept: what other callbacks remember (`EarlyStopping`'s patience, say), and random numbers
    drawn without a `SeedGenerator` of the layer. Put this callback first: it saves what it finds,
    and `SwapEMAWeights(swap_on_epoch=True)` before it would let it find the wrong weights. An epoch
    that was stopped before its end, by `TerminateOnNaN` for instance, is not saved.

    Args:
        path: file to write, `.npz`; its folder must exist.
        data: the training data from `pipeline`, whose epoch is to be set.

    Attributes:
        log: {name: [value of epoch 0, of epoch 1, …]}, all epochs since the first start; a metric
            with several values, one per class for instance, as a list of them.
    """

    def __init__(self, path, data=None):
        """See the class."""
        super().__init__()
        self.path = Path(path)
        if self.path.suffix != ".npz" or not self.path.parent.is_dir():
            raise ValueError(f"path is {str(path)!r}; accepted: a .npz file in an existing folder")
        if data is not None and not hasattr(data, "epochs"):
            raise ValueError(
                f"data is {data!r}, without an order of its own; accepted: what `pipeline` returns"
            )
        self.data = data
        self.log = {}

    def restore(self, model):
        """Put the stored state, if there is any, into a model; return the epoch to start with.

        With averaged weights (`use_ema=True`) that is the state to go on training with: the model
        holds the weights themselves. `fit` puts the averages in when it ends, also if it finds
        that no epoch is left.

        Args:
            model: a built and compiled Keras model, the same as was trained.

        Raises:
            ValueError: if the model is not built and compiled, or the file is damaged or not from
                this model.
        """
        variables = _variables(model)
        epoch = self._load(variables) if self.path.exists() else 0
        self._start(epoch)
        return epoch

    def on_epoch_begin(self, epoch, logs=None):
        """Set the epoch of the data."""
        self._start(epoch)

    def on_epoch_end(self, epoch, logs=None):
        """Add to the log, then write all, unless the epoch was stopped at one of its batches."""
        if self.model.stop_training:
            return  # `TerminateOnNaN`, say; the file keeps the last whole epoch
        if not epoch:
            self.log = {}  # a new run
        for name, value in (logs or {}).items():
            self.log.setdefault(name, []).append(np.asarray(value, float).tolist())
        arrays = {f"{i:05}": _array(v) for i, v in enumerate(_variables(self.model))}
        state = json.dumps({"epoch": epoch + 1, "log": self.log})
        unfinished = self.path.with_suffix(".unfinished")
        with open(unfinished, "wb") as file:
            np.savez(file, state=np.array(state), **arrays)
            file.flush()
            os.fsync(file.fileno())  # on the disk before the name points to it
        os.replace(unfinished, self.path)

    def _start(self, epoch):
        if self.data is not None:
            self.data.epochs.start(epoch)

    def _load(self, variables):
        try:
            with np.load(self.path) as stored:
                state = json.loads(str(stored["state"]))
                arrays = [stored[name] for name in sorted(stored.files) if name != "state"]
            epoch, log = state["epoch"], state["log"]
        except (EOFError, KeyError, TypeError, ValueError, zipfile.BadZipFile, zlib.error):
            raise ValueError(
                f"path {str(self.path)!r} is damaged, or no file of a `Checkpoint`; accepted: a "
                "file that it wrote, or none"
            ) from None
        ours, theirs = [tuple(v.shape) for v in variables], [a.shape for a in arrays]
        if ours != theirs:
            raise ValueError(
                f"path {str(self.path)!r} holds {len(theirs)} arrays and this model has "
                f"{len(ours)} variables, or their shapes differ; accepted: a file written while "
                "this very model was trained, with this optimizer"
            )
        for variable, array in zip(variables, arrays, strict=True):
            variable.assign(array)
        self.log = log
        return epoch


def _variables(model):
    """List every variable of a training: the model's, generators included, and the optimizer's."""
    if not model.built or getattr(model, "optimizer", None) is None:
        raise ValueError(f"model {model.name!r} is not ready; accepted: a built, compiled model")
    if not model.optimizer.built:
        model.optimizer.build(model.trainable_variables)
    return [*model.variables, *model.optimizer.variables]


def _array(variable):
    """Return a variable's value; NumPy's files know no bfloat16, float32 holds it exactly."""
    value = variable.numpy()
    return value.astype("float32") if value.dtype.name == "bfloat16" else value
