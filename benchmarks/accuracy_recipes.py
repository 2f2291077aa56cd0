"""The recipes of accuracy.py: networks, data, and how they are trained."""

from dataclasses import dataclass, replace

import keras
from cnncourse import datasets, training
from keras import layers


@dataclass(frozen=True)
class Recipe:
    """One way to train one network on one data set."""

    says: str
    data: str = "fashion_mnist"
    images: int = 60_000  # of the training set
    network: str = "course"
    epochs: int = 10
    batch_size: int = 128
    rate: float = 1e-3  # the highest learning rate
    stock: bool = False  # `fit` on arrays, Adam as it comes, float32
    schedule: bool = True
    augment: bool = False
    average: bool = False
    batch_norm: bool = True  # in the network "better"
    widths: tuple = (64, 128, 256)


BETTER = Recipe(
    "batch norm, schedule, augmentation, averaging; no more parameters than the course's network",
    network="better",
    epochs=25,
    rate=2e-3,
    augment=True,
    average=True,
)
MNIST = replace(
    BETTER, says="MNIST, 0.65 M parameters", data="mnist", epochs=20, widths=(48, 96, 192)
)
RECIPES = {
    "plain": Recipe(
        "the course's network, Adam's defaults, stock fit, batches of 32",
        stock=True,
        batch_size=32,
        schedule=False,
        epochs=15,
    ),
    "course": Recipe("the same network, batches of 128, cosine schedule, bfloat16", epochs=10),
    "better": BETTER,
    "better without batch norm": replace(BETTER, says="ablation", batch_norm=False, rate=1e-3),
    "better without schedule": replace(BETTER, says="ablation", schedule=False, rate=1e-3),
    "better without augmentation": replace(BETTER, says="ablation", augment=False),
    "better without averaging": replace(BETTER, says="ablation", average=False),
    "mnist": MNIST,
    "mnist quick": replace(
        MNIST, says="12,000 images, 5 epochs: the quick profile", images=12_000, epochs=5
    ),
    "digits": Recipe(
        "1,437 of scikit-learn's digits, 360 held out",
        data="digits",
        network="digits",
        epochs=40,
        batch_size=64,
        rate=3e-3,
    ),
}


def load(recipe, seed):
    """Return (images, labels) to train on, and to test on; pixels from 0 to 1."""
    if recipe.data == "digits":
        from sklearn.datasets import load_digits
        from sklearn.model_selection import train_test_split

        x, y = load_digits(return_X_y=True)
        x = (x / 16).reshape(-1, 8, 8, 1).astype("float32")
        x, held_out, y, labels = train_test_split(
            x, y, test_size=0.2, stratify=y, random_state=seed
        )
        return (x, y), (held_out, labels)
    data = getattr(datasets, recipe.data)(validation=0)
    train, test = ((x.astype("float32") / 255, y) for x, y in (data.train, data.test))
    return tuple(array[: recipe.images] for array in train), test


def compiled(recipe, steps):
    """Build a recipe's network and compile it."""
    network = {"course": course_network, "better": better_network, "digits": digits_network}[
        recipe.network
    ](recipe)
    rate = training.warmup_cosine(recipe.rate, steps) if recipe.schedule else recipe.rate
    averaging = {"use_ema": True, "ema_momentum": 0.998} if recipe.average else {}
    if recipe.network == "better":
        optimizer = keras.optimizers.AdamW(rate, weight_decay=0.02, **averaging)
    else:
        optimizer = keras.optimizers.Adam(rate, **averaging)
    loss, metrics = "sparse_categorical_crossentropy", ["accuracy"]
    network.compile(optimizer, loss, metrics=metrics, steps_per_execution=1 if recipe.stock else 8)
    return network


def course_network(recipe):
    """Return the network of chapter 06, 1,413,834 parameters."""
    he = {"activation": "relu", "kernel_initializer": "he_normal"}
    stack = [layers.Conv2D(64, 7, padding="same", **he), layers.MaxPooling2D()]
    for width in (128, 256):
        stack += [layers.Conv2D(width, 3, padding="same", **he) for _ in range(2)]
        stack += [layers.MaxPooling2D()]
    stack += [layers.Flatten(), layers.Dense(128, **he), layers.Dropout(0.5)]
    stack += [layers.Dense(64, **he), layers.Dropout(0.5)]
    return keras.Sequential([keras.Input((28, 28, 1)), *stack, classifier()])


def better_network(recipe):
    """Return pairs of 3×3 convolutions with batch normalisation, three times, then averages.

    The global average instead of dense layers saves 0.3 M parameters, which the first pair of
    convolutions gets: the network has 1.15 M with the widths 64, 128, 256.
    """
    stack = []
    if recipe.augment:
        clothes = recipe.data == "fashion_mnist"  # a mirrored shirt is a shirt, a mirrored 2 no 2
        turn = {"flip": True} if clothes else {"rotation": 12, "zoom": 0.1}
        stack.append(training.augmenter((0, 1), shift=0.08, **turn))
    for i, width in enumerate(recipe.widths):
        for _ in range(2):
            stack.append(layers.Conv2D(width, 3, padding="same", use_bias=not recipe.batch_norm))
            if recipe.batch_norm:
                stack.append(layers.BatchNormalization(momentum=0.9))
            stack.append(layers.ReLU())
        if i + 1 < len(recipe.widths):
            stack += [layers.MaxPooling2D(), layers.Dropout(0.1)]
    stack += [layers.GlobalAveragePooling2D(), layers.Dropout(0.3), classifier()]
    return keras.Sequential([keras.Input((28, 28, 1)), *stack])


def digits_network(recipe):
    """Return a network of 25,000 parameters for images of 8×8."""
    stack = []
    for width in (32, 64):
        stack += [layers.Conv2D(width, 3, padding="same", activation="relu"), layers.MaxPooling2D()]
    stack += [layers.Flatten(), layers.Dropout(0.3), layers.Dense(24, activation="relu")]
    return keras.Sequential([keras.Input((8, 8, 1)), *stack, classifier()])


def classifier():
    """Return the last layer: ten classes, in float32 whatever the others compute in."""
    return layers.Dense(10, activation="softmax", dtype="float32")
