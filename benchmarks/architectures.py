"""Our networks beside those of `keras.applications`: as fast, and shorter to read?

    python benchmarks/architectures.py

writes benchmarks/architectures.md and fails where a goal is missed. Both networks of a pair have
the same weights and take turns in one process, call by call; the least time of each counts. Run it
on a quiet machine; `--tiny --output FILE` only shows that it runs.
"""

import argparse
import gc
import os
import statistics
import sys
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
from cnncourse import architectures

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests"))

TABLE = Path(__file__).resolve().with_suffix(".md")
GOAL = 1.05  # ours / theirs, in the median network
PAIRS = {
    "vgg16": "VGG16",
    "resnet50": "ResNet50",
    "resnet50_v2": "ResNet50V2",
    "inception_v3": "InceptionV3",
    "xception": "Xception",
    "densenet121": "DenseNet121",
    "mobilenet": "MobileNet",
    "mobilenet_v2": "MobileNetV2",
    "efficientnet_b0": "EfficientNetB0",
}
FILES = (  # theirs in keras/src/applications, ours in cnncourse
    ("vgg16 vgg19", "architectures/vgg"),
    ("resnet", "architectures/resnet layers/residual"),
    ("resnet_v2", "architectures/resnet_v2"),
    ("inception_v3 inception_resnet_v2", "architectures/inception"),
    ("xception", "architectures/xception"),
    ("densenet", "architectures/densenet layers/dense_block"),
    ("mobilenet", "architectures/mobilenet"),
    ("mobilenet_v2", "architectures/mobilenet_v2 layers/inverted_residual"),
    ("efficientnet", "architectures/efficientnet layers/squeeze_excite"),
    (
        "imagenet_utils",
        "architectures/common architectures/weights architectures/pretrained layers/chain",
    ),
)


def pair(name, side):
    """Return our network and theirs with the same weights, ready to train."""
    theirs = getattr(keras.applications, PAIRS[name])(weights=None, input_shape=(side, side, 3))
    ours = architectures.build(name, input_shape=(side, side, 3))
    architectures.copy_weights(theirs, ours)
    for network in (ours, theirs):
        loss = "sparse_categorical_crossentropy"
        network.compile(keras.optimizers.SGD(1e-4), loss, jit_compile=False)
    return ours, theirs


def in_turns(calls, rounds):
    """Return the least seconds of each call; they take turns, and change who begins."""
    for call in calls:
        call()  # traces
    best = [float("inf")] * len(calls)
    for i in range(rounds):
        for j in (range(len(calls)), reversed(range(len(calls))))[i % 2]:
            start = time.perf_counter()
            calls[j]()
            best[j] = min(best[j], time.perf_counter() - start)
    return best


def compared(name, side, batch, rounds):
    """Return seconds of ours and theirs: [forward, forward], [training step, training step]."""
    networks = pair(name, side)
    rng = np.random.default_rng(0)
    x = rng.random((batch, side, side, 3), "float32")
    y = rng.integers(0, 1000, batch)
    ours, theirs = (network.predict_on_batch(x) for network in networks)
    np.testing.assert_allclose(ours, theirs, rtol=1e-3, atol=1e-7)
    forward = in_turns([lambda n=n: n.predict_on_batch(x) for n in networks], rounds)
    training = in_turns([lambda n=n: n.train_on_batch(x, y) for n in networks], rounds)
    return forward, training


def lengths():
    """Return lines of code per row of FILES: (theirs, ours)."""
    from test_efficient_architectures import code_lines

    theirs = Path(keras.__file__).parent / "src" / "applications"

    def count(folder, names):
        return sum(code_lines((folder / f"{name}.py").read_text("utf-8")) for name in names.split())

    return [(count(theirs, a), count(ROOT / "cnncourse", b)) for a, b in FILES]


def measured(names, side, batch, rounds):
    """Return the rows of the table of times, and the median ratios."""
    rows, ratios = [], []
    for name in names:
        (f_ours, f_theirs), (t_ours, t_theirs) = compared(name, side, batch, rounds)
        ratios.append((f_ours / f_theirs, t_ours / t_theirs))
        times = (1e3 * seconds for seconds in (f_ours, f_theirs, t_ours, t_theirs))
        cells = [f"{t:,.1f}" for t in times]
        cells[2:2] = [f"{ratios[-1][0]:.3f}"]
        rows.append(f"| {name} | {' | '.join(cells)} | {ratios[-1][1]:.3f} |")
        print(rows[-1], flush=True)
        keras.backend.clear_session()
        gc.collect()
    return rows, [statistics.median(column) for column in zip(*ratios, strict=True)]


def length_rows():
    """Return the rows of the table of lengths, the sums last."""
    counted, rows = lengths(), []
    for (theirs, ours), (a, b) in zip(FILES, counted, strict=True):
        rows.append(f"| {theirs.replace(' ', ', ')} | {a} | {ours.replace(' ', ', ')} | {b} |")
    a, b = (sum(column) for column in zip(*counted, strict=True))
    return [*rows, f"| **together** | **{a}** | | **{b}** ({b / a:.2f}×) |"]


def main(tiny, output):
    """Measure, write the tables, and return 0 or what was missed."""
    from scratch import machine

    names = ["mobilenet", "mobilenet_v2"] if tiny else list(PAIRS)
    side, batch, rounds = (64, 2, 2) if tiny else (128, 4, 20)
    load = os.getloadavg()[0]
    rows, (forward, training) = measured(names, side, batch, rounds)
    lines = [
        "# Architectures",
        "",
        "Written by `python benchmarks/architectures.py`: our networks and `keras.applications`",
        f"with the same weights, {batch} images of {side} × {side}, float32, SGD, without XLA.",
        f"Milliseconds, the least of {rounds} calls each, call by call in turns in one process.",
        "",
        "| network | forward: ours | theirs | ratio | training step: ours | theirs | ratio |",
        "|---|---|---|---|---|---|---|",
        *rows,
        "",
        f"Median ratio: forward **{forward:.3f}**, training step **{training:.3f}** "
        f"(goal ≤ {GOAL}).",
        "",
        "Lines of code, without blank lines, comments and docstrings. Our files also make networks",
        "that `keras.applications` lacks; theirs also prepare pixels and decode predictions.",
        "",
        "| theirs | lines | ours | lines |",
        "|---|---|---|---|",
        *length_rows(),
        "",
        *(f"* {line}" for line in machine()[:2]),
        f"* Load of the machine before the run (0 = quiet): {load:.1f}.",
    ]
    Path(output).write_text("\n".join(lines) + "\n", encoding="utf-8")
    print("\n".join(lines))
    return 0 if tiny or max(forward, training) <= GOAL else "a goal was missed"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tiny", action="store_true", help="small and few: only to try it")
    parser.add_argument("--output", default=TABLE)
    options = parser.parse_args()
    if options.tiny and Path(options.output).resolve() == TABLE:
        parser.error("--tiny needs --output: what two small networks give is no result")
    sys.exit(main(options.tiny, options.output))
