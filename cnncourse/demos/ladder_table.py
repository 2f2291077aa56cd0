"""The numbers behind LadderDemo: four networks trained on sprites, tested on many kinds of them.

`python -m cnncourse.demos.ladder_table` trains them again and rewrites `ladder.json` and
`ladder.png`; minutes on two processor cores.
"""

import itertools
import json
from pathlib import Path

import numpy as np
from cnncourse import scratch
from cnncourse.datasets import sprites
from PIL import Image

HERE = Path(__file__).parent
NETWORKS = ("perceptron", "MADALINE", "MLP", "CNN")
TRAINED_ON = ("still", "varied")
SHIFTS, ROTATIONS, CLUTTERS = (0, 2, 4, 6), (0, 20, 40), (0, 6, 12)
SETTINGS = tuple(itertools.product(SHIFTS, ROTATIONS, CLUTTERS))
SHOWN = 6  # sprites of each setting that the demo shows
GREYS = 16  # the sheet is stored with so many levels
SEEDS = (0, 1, 2)
TRAINING, TEST = 1200, 500
# Chosen in chapter 01 on validation pictures; 1,200 new varied sprites lead to the same choice.
RATES = {"MLP": 1e-3, "CNN": 4e-3}


def mlp():
    """Return the multilayer perceptron of chapter 01, untrained: 67,713 parameters."""
    from keras import Input, Sequential
    from keras.layers import Dense, Flatten

    dense = [Dense(64, activation="relu"), Dense(32, activation="relu")]
    return Sequential([Input((32, 32, 1)), Flatten(), *dense, Dense(1, activation="sigmoid")])


def cnn():
    """Return the small CNN of chapter 01, untrained: 9,633 parameters."""
    from keras import Input, Sequential
    from keras.layers import Conv2D, Dense, Flatten, MaxPooling2D

    features = [Conv2D(8, 5, padding="same", activation="relu"), MaxPooling2D(4)]
    features += [Conv2D(16, 3, padding="same", activation="relu"), MaxPooling2D(2)]
    decision = [Flatten(), Dense(32, activation="relu"), Dense(1, activation="sigmoid")]
    return Sequential([Input((32, 32, 1)), *features, *decision])


def scaled(x: np.ndarray) -> np.ndarray:
    """Return grey levels 0 to 255 as float32 from −1 to 1."""
    return (x / 127.5 - 1).astype("float32")


def trained(network: str, x: np.ndarray, y: np.ndarray, seed: int):
    """Train one of the four on sprites; return a function from sprites to answers 0 and 1."""
    import keras

    if network in ("perceptron", "MADALINE"):
        train = {"perceptron": scratch.train_perceptron, "MADALINE": scratch.train_madaline}
        weights, _ = train[network](scaled(x).reshape(len(x), -1), y, epochs=20, seed=seed)
        return lambda x: scratch.threshold_vote(scaled(x).reshape(len(x), -1), weights)
    keras.utils.set_random_seed(seed)
    net = {"MLP": mlp, "CNN": cnn}[network]()
    net.compile(keras.optimizers.Adam(RATES[network]), "binary_crossentropy", jit_compile=False)
    net.fit(scaled(x)[..., None], y, batch_size=32, epochs=12, verbose=0)
    return lambda x: (np.asarray(net(scaled(x)[..., None]))[:, 0] > 0.5).astype(int)


def training_set(kind: str, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Draw the sprites that networks learn from: all upright and in the middle, or varied."""
    if kind == "still":
        return sprites(TRAINING, seed=1000 + seed)
    parts = [
        sprites(
            TRAINING // 3, shift=max(SHIFTS), rotation=max(ROTATIONS), clutter=c, seed=1000 + seed
        )
        for c in CLUTTERS
    ]
    return tuple(map(np.concatenate, zip(*parts, strict=True)))


def test_set(setting: tuple[int, int, int], number: int) -> tuple[np.ndarray, np.ndarray]:
    """Draw the sprites of one setting of the sliders."""
    shift, rotation, clutter = setting
    return sprites(TEST, shift=shift, rotation=rotation, clutter=clutter, seed=2000 + number)


def shown(y: np.ndarray) -> np.ndarray:
    """Return which sprites of a test set the demo shows: tree, car, tree, car, tree, car."""
    first = [np.flatnonzero(y == label)[: SHOWN // 2] for label in (0, 1)]
    return np.stack(first, axis=1).ravel()


def table() -> tuple[dict, np.ndarray]:
    """Train and test everything.

    Returns:
        For the demo: accuracies in percent, [trained on][setting][network][seed], answers to the
        shown sprites as text of 0s and 1s, [trained on][setting][network], and their labels; and
        the sheet of shown sprites, uint8 (settings × 32, 6 × 32).
    """
    tests = [test_set(setting, n) for n, setting in enumerate(SETTINGS)]
    accuracy = {kind: [[[] for _ in NETWORKS] for _ in SETTINGS] for kind in TRAINED_ON}
    answers = {kind: [["" for _ in NETWORKS] for _ in SETTINGS] for kind in TRAINED_ON}
    for kind, seed, (k, network) in itertools.product(TRAINED_ON, SEEDS, enumerate(NETWORKS)):
        decide = trained(network, *training_set(kind, seed), seed)
        for n, (x, y) in enumerate(tests):
            said = decide(x)
            accuracy[kind][n][k].append(round(100 * float((said == y).mean()), 1))
            if seed == SEEDS[0]:
                answers[kind][n][k] = "".join(map(str, said[shown(y)]))
    labels = ["".join(map(str, y[shown(y)])) for _, y in tests]
    sheet = np.vstack([np.hstack(x[shown(y)]) for x, y in tests])
    return {"accuracy": accuracy, "answers": answers, "labels": labels}, sheet


def main() -> None:
    """Rewrite the stored files."""
    numbers, sheet = table()
    (HERE / "ladder.json").write_text(json.dumps(numbers, separators=(",", ":")) + "\n")
    grey = np.round(sheet / 255 * (GREYS - 1))
    picture = Image.fromarray(np.uint8(grey), mode="P")
    levels = np.round(np.arange(GREYS) * 255 / (GREYS - 1)).astype(int)
    picture.putpalette(np.repeat(levels, 3).tolist())
    picture.save(HERE / "ladder.png", optimize=True, bits=4)


if __name__ == "__main__":
    main()
