"""How accurate the course's recipes are: mean and spread over seeds, on the real test sets.

    python benchmarks/accuracy.py --list
    python benchmarks/accuracy.py --recipe plain course --seeds 0 1 2 --minutes 60

Every run is added to benchmarks/accuracy.jsonl as soon as it ends, and an unfinished one is kept
after every epoch (in build/accuracy): stop it at any time, or let `--minutes` stop it, and go on
with the same command. `KERAS_BACKEND=jax` or `torch` runs it elsewhere; the table names machine
and backend of every recipe. After each run benchmarks/accuracy.md is written anew; where all has
run and a goal was missed, the command fails and says which.

A run is known by the name of its recipe and its seed only: rename a recipe when you change it, or
remove its lines from accuracy.jsonl and its files from build/accuracy.

The test set is looked at after every epoch only to say when 92 % was first reached. The score is
what the network reaches after its last epoch, decided beforehand; nothing is chosen by it, except
for plain, which stops there.
"""

import argparse
import json
import os
import platform
import sys
import time
from importlib import metadata
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
from accuracy_recipes import RECIPES, compiled, load, looked_at
from accuracy_table import write_table
from cnncourse import session, training
from cnncourse.training import scores
from processor import processor

HERE = Path(__file__).resolve().parent
RESULTS = HERE / "accuracy.jsonl"
UNFINISHED = HERE.parent / "build" / "accuracy"
ENOUGH = 0.92  # the test accuracy whose time is asked for


class OutOfTime(Exception):
    """The minutes are over; the unfinished run is on disk."""


class Clock(keras.callbacks.Callback):
    """Add the seconds of each epoch's training, tests not counted, to its log."""

    def on_epoch_begin(self, epoch, logs=None):
        self.start, self.end = time.perf_counter(), None

    def on_test_begin(self, logs=None):
        self.end = self.end or time.perf_counter()

    def on_epoch_end(self, epoch, logs=None):
        logs["seconds"] = (self.end or time.perf_counter()) - self.start


class Enough(keras.callbacks.Callback):
    """Stop after the first epoch that reaches 92 %."""

    def on_epoch_end(self, epoch, logs=None):
        self.model.stop_training = logs["val_accuracy"] >= ENOUGH


class Limit(keras.callbacks.Callback):
    """Stop after an epoch, once it is stored, if the time is over."""

    def __init__(self, deadline):
        super().__init__()
        self.deadline = deadline

    def on_epoch_end(self, epoch, logs=None):
        if time.monotonic() > self.deadline and epoch + 1 < self.params["epochs"]:
            raise OutOfTime


def run(name, seed, deadline, tiny, unfinished):
    """Train one recipe with one seed, from where it stopped; return what is kept of it."""
    recipe = RECIPES[name]
    images, test = load(recipe, seed)
    epochs = 2 if tiny else recipe.epochs
    if tiny:
        images, test = (
            tuple(part[:n] for part in split) for split, n in ((images, 160), (test, 64))
        )
    network, arguments, policy = prepared(recipe, *images, epochs, seed)
    checkpoint = training.Checkpoint(unfinished, None if recipe.stock else arguments["x"])
    start = checkpoint.restore(network)
    swap = [keras.callbacks.SwapEMAWeights()] if recipe.average else []
    stop = [Enough()] if recipe.race else []
    network.fit(
        **arguments,
        epochs=start if recipe.race and first(checkpoint.log) else epochs,  # it may be there
        initial_epoch=start,
        validation_data=test,
        validation_batch_size=500,
        callbacks=[Clock(), checkpoint, *swap, *stop, Limit(deadline)],
        verbose=2,
    )
    seconds, reached = checkpoint.log["seconds"], first(checkpoint.log)
    return {
        "recipe": name,
        "seed": seed,
        "score": share_right(network, *test, recipe.looks),
        "one look": share_right(network, *test, "one"),
        "seconds": round(sum(seconds), 1),
        "seconds to 92 %": round(sum(seconds[:reached]), 1) if reached else None,
        "epochs": len(seconds),
        "parameters": sum(int(np.prod(w.shape)) for w in network.trainable_weights),
        "precision": policy,
    }


def prepared(recipe, x, y, epochs, seed):
    """Return the compiled network, what `fit` is to train it on, and the number format."""
    policy = training.set_precision("float32" if recipe.stock else "auto")
    network = compiled(recipe, -(-len(x) // recipe.batch_size) * epochs)
    if recipe.stock:
        arguments = {"x": x, "y": y, "batch_size": recipe.batch_size, "shuffle": True}
    else:
        data = training.pipeline(x, y, recipe.batch_size, seed=seed)
        arguments = {"x": data, "shuffle": False}
    return network, arguments, policy


def share_right(network, x, y, looks):
    """Return the share of images classified right, by the sum of the answers for each look."""
    answers = (network.predict(seen, batch_size=500, verbose=0) for seen in looked_at(x, looks))
    return float(np.mean(sum(answers).argmax(axis=1) == y))


def first(log):
    """Return the first epoch, counted from 1, after which 92 % was reached; None if it was not."""
    reached = (n for n, a in enumerate(log.get("val_accuracy", []), 1) if a >= ENOUGH)
    return next(reached, None)


def machine():
    """Name device, backend and versions."""
    backend = keras.backend.backend()
    device = f"{processor()}, {cores()}"
    if gpus := session.gpus():
        device = f"{len(gpus)} × {gpus[0]}"  # the model: seconds say nothing without it
    version = metadata.version(backend)
    python = platform.python_version()
    return f"{device}; Python {python}, Keras {keras.__version__} on {backend} {version}"


def cores():
    """Count the cores, and those that this process may use: `taskset` can give it fewer."""
    every = os.cpu_count()
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else every
    return f"{every} cores" if usable == every else f"{usable} of {every} cores"


def pace():
    """Return the seconds of an epoch that pace.py measured: {recipe: [seconds, …]}; or None."""
    path = HERE / "pace.json"
    return json.loads(path.read_text(encoding="utf-8"))["seconds"] if path.exists() else None


def main(arguments):
    deadline = time.monotonic() + 60 * arguments.minutes
    results, here = Path(arguments.results).resolve(), machine()
    folder = UNFINISHED if results == RESULTS else results.parent
    folder.mkdir(parents=True, exist_ok=True)
    for seed in arguments.seeds:
        for name in arguments.recipe:
            if any((row["recipe"], row["seed"]) == (name, seed) for row in scores.read(results)):
                continue
            if time.monotonic() > deadline:
                return print("time is over; the same command goes on")
            print(f"{name}, seed {seed}", flush=True)
            keras.backend.clear_session()
            keras.utils.set_random_seed(seed)
            unfinished, busy = folder / f"{name}-{seed}.npz", round(os.getloadavg()[0], 1)
            try:
                row = run(name, seed, deadline, arguments.tiny, unfinished)
            except OutOfTime:
                return print("time is over in mid-run; the same command goes on")
            scores.append(results, {**row, "machine": here, "load": busy})
            unfinished.unlink()
            write_table(scores.read(results), results.with_suffix(".md"), pace())
    missed = write_table(scores.read(results), results.with_suffix(".md"), pace())
    return None if arguments.tiny else "\n".join(missed) or None


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--recipe", nargs="+", choices=RECIPES, default=list(RECIPES))
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--minutes", type=float, default=float("inf"), help="stop after so many")
    parser.add_argument("--results", default=RESULTS, help="JSON lines; the table goes beside it")
    parser.add_argument("--tiny", action="store_true", help="a few images: does it run?")
    parser.add_argument("--list", action="store_true", help="name the recipes")
    chosen = parser.parse_args()
    if chosen.list:
        print("\n".join(f"{name}: {recipe.says}" for name, recipe in RECIPES.items()))
        sys.exit()
    if chosen.tiny and Path(chosen.results).resolve() == RESULTS:
        parser.error("--tiny needs --results: what a few images give is no result")
    sys.exit(main(chosen))
