"""Measure the curves that LossCurveDemo shows: six small trainings on noisy digits.

python benchmarks/loss_curves.py

Writes `cnncourse/demos/loss_curves.json`. Each training is a few seconds; seed 0.
"""

import json
from pathlib import Path

import cnncourse

cnncourse.setup(seed=0)

import keras
import numpy as np
from sklearn.datasets import load_digits

OUT = Path(cnncourse.__file__).parent / "demos" / "loss_curves.json"
EPOCHS, VALIDATION, SEED = 40, 500, 0
NOISE = 0.25  # standard deviation of the noise on the pixels, which run from 0 to 1

# diagnosis, training images, hidden units, learning rate, dropout rate, L2, what to do
RUNS = [
    (
        *("overfit", 100, [256, 256], 1e-3, 0.0, 0.0),
        "Get more data or make more of it by augmentation, add dropout or L2, or take a smaller "
        "network; keep the weights of the epoch with the lowest validation loss.",
    ),
    (
        *("too large", 1000, [64], 0.3, 0.0, 0.0),
        "Divide the learning rate by 10, and again, until the curves fall steadily.",
    ),
    (
        *("good", 1000, [64], 1e-3, 0.3, 0.0),
        "Nothing to mend. The validation loss may lie below the training loss: dropout makes "
        "training harder, and is off in validation.",
    ),
    (
        *("underfit", 1000, [2], 1e-2, 0.0, 0.0),
        "Two hidden units cannot tell ten digits apart. Take a larger network, or less "
        "regularisation.",
    ),
    (
        *("too small", 1000, [64], 1e-5, 0.0, 0.0),
        "Multiply the learning rate by 10, and again, until it is too large; then go one step "
        "back.",
    ),
    (
        *("overfit", 100, [256, 256], 1e-3, 0.5, 1e-3),
        "The same network and images as in training A, with dropout and L2: the gap is smaller, "
        "but 100 images stay 100 images.",
    ),
]


def network(hidden, learning_rate, rate, l2):
    """Build and compile a network of dense layers."""
    net = keras.Sequential([keras.Input((64,))])
    for units in hidden:
        penalty = keras.regularizers.L2(l2) if l2 else None
        net.add(keras.layers.Dense(units, activation="relu", kernel_regularizer=penalty))
        if rate:
            net.add(keras.layers.Dropout(rate))
    net.add(keras.layers.Dense(10))
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    net.compile(keras.optimizers.Adam(learning_rate), loss, metrics=["accuracy", data_loss])
    return net


def data_loss(y, logits):
    """Return the cross-entropy alone: what Keras calls the loss holds the penalty as well."""
    return keras.losses.sparse_categorical_crossentropy(y, logits, from_logits=True)


def main():
    """Train all networks and store their curves."""
    digits = load_digits()
    order = np.random.default_rng(SEED).permutation(len(digits.target))
    noise = np.random.default_rng(SEED + 1).normal(scale=NOISE, size=digits.data.shape)
    x, y = (digits.data[order] / 16 + noise).astype("float32"), digits.target[order]
    cases = []
    for name, images, hidden, learning_rate, rate, l2, remedy in RUNS:
        keras.utils.set_random_seed(SEED)
        net = network(hidden, learning_rate, rate, l2)
        log = net.fit(
            x[VALIDATION : VALIDATION + images],
            y[VALIDATION : VALIDATION + images],
            batch_size=32,
            epochs=EPOCHS,
            validation_data=(x[:VALIDATION], y[:VALIDATION]),
            verbose=0,
        ).history
        case = {
            "diagnosis": name,
            "images": images,
            "hidden": hidden,
            "learning_rate": learning_rate,
            "dropout": rate,
            "l2": l2,
            "noise": NOISE,
            "remedy": remedy,
            "training": [round(v, 4) for v in log["data_loss"]],
            "validation": [round(v, 4) for v in log["val_data_loss"]],
            "accuracy": round(log["val_accuracy"][-1], 4),
        }
        cases.append(case)
        lowest = int(np.argmin(case["validation"]))
        print(
            f"{name:12} training {case['training'][-1]:7.4f} validation {case['validation'][-1]:7.4f}"
            f" lowest {case['validation'][lowest]:7.4f} at {lowest + 1:2d}"
            f" accuracy {case['accuracy']:.3f}"
        )
    OUT.write_text(json.dumps(cases) + "\n")


if __name__ == "__main__":
    main()
