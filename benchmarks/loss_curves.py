"""Measure the curves that LossCurveDemo shows: six small trainings on noisy digits.

python benchmarks/loss_curves.py

Writes `cnncourse/demos/loss_curves.json`. Each training is a few seconds; seed 0.
"""

import json
from pathlib import Path

import cnncourse
import keras
import numpy as np
from sklearn.datasets import load_digits

OUT = Path(cnncourse.__file__).parent / "demos" / "loss_curves.json"
EPOCHS, BATCH, VALIDATION, SEED = 40, 16, 500, 0
NOISE = 0.25  # standard deviation of the noise on the pixels, which run from 0 to 1

# diagnosis, training images, hidden units, learning rate, dropout rate, L2, what to do
RUNS = [
    (
        *("overfit", 200, [256, 256], 1e-3, 0.0, 0.0),
        "Get more data or make more of it by augmentation, add dropout or L2, or take a smaller "
        "network; keep the weights of the epoch with the lowest validation loss.",
    ),
    (
        *("too large", 1000, [64], 0.2, 0.0, 0.0),
        "Divide the learning rate by 10, and again, until the curves fall steadily.",
    ),
    (
        *("good", 1000, [64], 1e-3, 0.3, 0.0),
        "Nothing to mend: both curves are low, close together and nearly level.",
    ),
    (
        *("underfit", 1000, [2], 2e-2, 0.0, 0.0),
        "Two hidden units cannot tell ten digits apart. Take a larger network, or less "
        "regularisation.",
    ),
    (
        *("too small", 1000, [64], 1e-5, 0.0, 0.0),
        "Multiply the learning rate by 10, and again, until it is too large; then go one step "
        "back.",
    ),
    (
        *("overfit", 200, [256, 256], 1e-3, 0.5, 5e-3),
        "The same network and images as in training A, with dropout and L2: the gap is smaller, "
        "but 200 images stay 200 images.",
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
            batch_size=BATCH,
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
            "batch": BATCH,
            "remedy": remedy,
            "training": [round(v, 4) for v in log["data_loss"]],
            "validation": [round(v, 4) for v in log["val_data_loss"]],
            "accuracy": round(log["val_accuracy"][-1], 4),
        }
        cases.append(case)
        lowest = int(np.argmin(case["validation"]))
        losses = f"training {case['training'][-1]:.4f}, validation {case['validation'][-1]:.4f}"
        best = f"lowest {case['validation'][lowest]:.4f} in epoch {lowest + 1}"
        print(f"{name:10} {losses}, {best}, accuracy {case['accuracy']:.3f}")
    OUT.write_text(json.dumps(cases) + "\n")


if __name__ == "__main__":
    main()
