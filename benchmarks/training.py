"""How near training comes to what the processor can do, and what the kit gains over stock `fit`.

    python benchmarks/training.py

writes benchmarks/training.md and fails where a goal is missed. Each way to train runs in a process
of its own, several times in turns: stock `fit` on arrays is sometimes fast and sometimes slow, for
whole epochs. So times are means over all epochs. The share of the peak compares best with best: the
fastest epoch with the fastest of many large matrix products, in the same process, before and after
training. Run it on a quiet machine; `--tiny --output FILE` only shows that it runs.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np

TABLE = Path(__file__).resolve().with_suffix(".md")
GOALS = {"kit float32": 0.75, "kit bfloat16": 0.65, "faster": 1.5}
BATCH = 128
EPOCHS = 4
WAYS = {  # name: data from `training.pipeline`, steps per execution, XLA, precision
    "stock fit": (False, 1, False, "float32"),
    "pipeline": (True, 1, False, "float32"),
    "kit float32": (True, 8, False, "float32"),
    "kit and XLA": (True, 8, True, "float32"),
    "kit bfloat16": (True, 8, False, "mixed_bfloat16"),
}
ROUNDS = {"kit and XLA": 3}  # it takes minutes, and every time the same
IDLE = 0.75  # share of the cores: an epoch is called slow that keeps fewer of them busy


def verdict(value, goal):
    return f"≥ {goal}: {'met' if value >= goal else 'missed'}"


def peak(dtype, size, rounds):
    """Return the most multiply–accumulates per second in products of square matrices."""
    import tensorflow as tf

    a = tf.cast(tf.random.normal((size, size)), dtype)

    @tf.function
    def product():
        return tf.matmul(a, a)[0, 0]  # one value: copying the others would take time

    product()
    seconds = []
    for _ in range(rounds):
        start = time.perf_counter()
        product().numpy()
        seconds.append(time.perf_counter() - start)
    return size**3 / min(seconds)


def train_chapter_06(way, steps, size):
    """Train chapter 06's network for some epochs of so many steps.

    Returns:
        Seconds per step and busy cores, both of each epoch, and the fastest's share of the peak.
    """
    import keras
    from accuracy_recipes import RECIPES, course_network
    from cnncourse import cost, training

    piped, executed, xla, policy = WAYS[way]
    keras.config.set_dtype_policy(policy)
    network = course_network(RECIPES["course"])
    loss = "sparse_categorical_crossentropy"
    network.compile("adam", loss, steps_per_execution=executed, jit_compile=xla)
    images = np.random.default_rng(0).random((steps * BATCH, 28, 28, 1), "float32")
    labels = np.arange(len(images)) % 10
    dtype = "bfloat16" if "bfloat16" in policy else "float32"
    rates = [peak(dtype, size, 10)]
    if piped:
        arguments = {"x": training.pipeline(images, labels, BATCH), "shuffle": False}
    else:
        arguments = {"x": images, "y": labels, "batch_size": BATCH}
    network.fit(**arguments, verbose=0)  # traces, warms up
    ends = []  # of epochs: time, and time that the cores were busy

    def note(*_):
        ends.append((time.perf_counter(), time.process_time()))

    note()
    watch = keras.callbacks.LambdaCallback(on_epoch_end=note)
    network.fit(**arguments, epochs=EPOCHS, callbacks=[watch], verbose=0)
    seconds, busy = np.diff(ends, axis=0).T
    rates.append(peak(dtype, size, 10))
    # Forwards once, backwards twice, for the gradients of the input and of the weights; nobody
    # asks for the gradient of the images.
    work = (3 * cost.macs(network) - cost.macs(network.layers[0])) * BATCH
    share = work * steps / min(seconds) / max(rates)
    per_step, cores = (seconds / steps).tolist(), (busy / seconds).tolist()
    return {"seconds": per_step, "cores": cores, "share": share}


def numpy_against_keras(epochs):
    """Return seconds per epoch on digits: `scratch.SmallCNN`, and the same network in Keras."""
    import keras
    from cnncourse import scratch, training
    from sklearn.datasets import load_digits

    x, y = load_digits(return_X_y=True)
    x = x.reshape(-1, 8, 8, 1).astype("float32") / 16
    network, twin = scratch.SmallCNN(), keras.Sequential([keras.Input((8, 8, 1))])
    for filters in (8, 16):
        twin.add(keras.layers.Conv2D(filters, 3, padding="same", activation="relu"))
        twin.add(keras.layers.MaxPooling2D())
    twin.add(keras.layers.Flatten())
    twin.add(keras.layers.Dense(10))
    twin.set_weights(network.weights)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    twin.compile(keras.optimizers.SGD(0.1), loss, steps_per_execution=8)
    data = training.pipeline(x, y, 64)

    def ours():
        order = np.random.default_rng(0).permutation(len(x))
        for chosen in np.array_split(order, -(-len(x) // 64)):
            network.step(x[chosen], y[chosen], 0.1)

    def theirs():
        twin.fit(data, verbose=0, shuffle=False)

    times = {"NumPy": [], "Keras": []}
    for _ in range(epochs + 1):
        for name, epoch in (("NumPy", ours), ("Keras", theirs)):
            start = time.perf_counter()
            epoch()
            times[name].append(time.perf_counter() - start)
    return {name: min(seconds[1:]) for name, seconds in times.items()}


def memory_peak(way, batches):
    """Return measured peaks and plans in bytes, for chapter 06's network at two batch sizes."""
    from accuracy_recipes import RECIPES, course_network
    from cnncourse import memory

    network = course_network(RECIPES["course"])
    network.compile("adam", "sparse_categorical_crossentropy")
    rows = []
    for batch in batches:
        x, y = np.ones((batch, 28, 28, 1), "float32"), np.zeros(batch, int)
        for _ in range(3):
            network.train_on_batch(x, y) if way == "training" else network.predict_on_batch(x)
        status = Path("/proc/self/status").read_text()
        high_water = int(status.split("VmHWM:")[1].split()[0]) * 1024
        rows.append((high_water, getattr(memory.plan(network, batch), way)))
    (small, small_plan), (large, large_plan) = rows
    return {"measured": large - small, "planned": large_plan - small_plan}


def in_own_process(function, *arguments):
    command = [sys.executable, __file__, "--call", json.dumps([function, *arguments])]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        sys.exit(done.stderr[-3000:])
    return json.loads(done.stdout.splitlines()[-1])


def main(tiny, output):
    steps, size, runs, epochs, batches = (
        (2, 256, 1, 1, [8, 16]) if tiny else (16, 3072, 7, 10, [64, 256])
    )
    load = os.getloadavg()[0]
    results = {way: [] for way in WAYS}
    for i in range(runs):
        for way in [way for way in WAYS if i < ROUNDS.get(way, runs)]:
            results[way].append(in_own_process("train_chapter_06", way, steps, size))
    epoch_cores = {way: [one for run in results[way] for one in run["cores"]] for way in WAYS}
    each = {way: [statistics.mean(run["seconds"]) for run in results[way]] for way in WAYS}
    seconds = {way: statistics.mean(each[way]) for way in WAYS}
    share = {way: statistics.median(run["share"] for run in results[way]) for way in WAYS}
    faster = {way: seconds["stock fit"] / seconds[way] for way in ("kit float32", "kit bfloat16")}
    digits = in_own_process("numpy_against_keras", epochs)
    peaks = {way: in_own_process("memory_peak", way, batches) for way in ("training", "inference")}
    rows = []
    for way in WAYS:
        slow = sum(cores < IDLE * os.cpu_count() for cores in epoch_cores[way])
        times = ", ".join(f"{1e3 * one:,.0f}" for one in each[way])
        goal = verdict(share[way], GOALS[way]) if way in GOALS else ""
        rows.append(
            f"| {way} | {1e3 * seconds[way]:,.0f} ms | {times} "
            f"| {statistics.mean(epoch_cores[way]):.2f} | {slow} of {len(epoch_cores[way])} "
            f"| {share[way]:.2f} | {goal} |"
        )
    lines = [
        "# Training",
        "",
        "Written by `python benchmarks/training.py`: the network of chapter 06, Adam, batches of",
        f"{BATCH}, {EPOCHS} epochs of {steps} steps after a first one, in several processes, in",
        "turns. Per step: the mean of the processes. Cores: how many of the "
        f"{os.cpu_count()} were busy, the",
        f"mean; slow: epochs that kept fewer than {IDLE * os.cpu_count()} busy. Share: products",
        "of the convolutional and dense layers, backwards counted twice, in the fastest epoch,",
        f"against the best rate of {size}×{size} matrix products in the same process and number",
        "format; the median. Pipeline: `training.pipeline` alone, which switches the tuning off;",
        "the kit adds `steps_per_execution=8`.",
        "",
        "| way | per step | each process, ms | cores | slow | share of the peak | goal |",
        "|---|---|---|---|---|---|---|",
        *rows,
        "",
        f"* Kit against stock `fit`, float32: **{faster['kit float32']:.2f}×** faster "
        f"(goal {verdict(faster['kit float32'], GOALS['faster'])}); in bfloat16, "
        f"which `set_precision()` chooses here, {faster['kit bfloat16']:.2f}×.",
        f"* NumPy against Keras, a small CNN on the 1,797 digits: {digits['NumPy']:.3f} and "
        f"{digits['Keras']:.3f} s per epoch, **{digits['NumPy'] / digits['Keras']:.1f}×**.",
        *(
            f"* Peak memory, {way}, {batches[1]} images against {batches[0]}: "
            f"{r['measured'] / 1e6:,.0f} MB more measured, {r['planned'] / 1e6:,.0f} MB planned "
            f"({r['measured'] / r['planned']:.2f}×)."
            for way, r in peaks.items()
        ),
        *(f"* {line}" for line in in_own_process("describe")),
        f"* Load of the machine before the run (0 = quiet): {load:.1f}.",
    ]
    Path(output).write_text("\n".join(lines) + "\n", encoding="utf-8")
    print("\n".join(lines))
    reached = [share[way] >= GOALS[way] for way in ("kit float32", "kit bfloat16")]
    reached.append(faster["kit float32"] >= GOALS["faster"])
    return 0 if tiny or all(reached) else "a goal was missed"


def describe():
    from scratch import machine

    return machine()


CALLS = {f.__name__: f for f in (train_chapter_06, numpy_against_keras, memory_peak, describe)}

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tiny", action="store_true", help="seconds instead of minutes")
    parser.add_argument("--output", default=TABLE)
    parser.add_argument("--call", help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.tiny and Path(chosen.output).resolve() == TABLE:
        parser.error("--tiny needs --output: what a few steps give is no result")
    if chosen.call:
        name, *values = json.loads(chosen.call)
        print(json.dumps(CALLS[name](*values)))
    else:
        sys.exit(main(chosen.tiny, chosen.output))
