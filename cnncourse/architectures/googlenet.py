"""GoogLeNet: nine inception modules, average pooling instead of a stack of dense layers.

Source: Szegedy et al. (2015), Going deeper with convolutions, arXiv:1409.4842, table 1 and
figure 3. The module and the auxiliary head are in `cnncourse.layers`.

Five times the sides are halved, by one convolution and four poolings: 224 → 7. Everything is padded
("same"). Local response normalisation comes after the first pooling and before the second; the
paper gives no constants, so they are AlexNet's. Weights are counted with biases; the paper's table
rounds, and gives conv1 fewer weights than a 7×7 kernel on three channels has.
"""

from cnncourse.architectures.common import averaged, finished, image_input
from cnncourse.layers import AuxiliaryHead, InceptionModule, LocalResponseNormalization
from keras import layers

# Table 1: 1×1, 3×3 reduce, 3×3, 5×5 reduce, 5×5, pool projection; None: max pooling.
MODULES = {
    "3a": (64, 96, 128, 16, 32, 32),
    "3b": (128, 128, 192, 32, 96, 64),
    "pool3": None,
    "4a": (192, 96, 208, 16, 48, 64),
    "4b": (160, 112, 224, 24, 64, 64),
    "4c": (128, 128, 256, 24, 64, 64),
    "4d": (112, 144, 288, 32, 64, 64),
    "4e": (256, 160, 320, 32, 128, 128),
    "pool4": None,
    "5a": (256, 160, 320, 32, 128, 128),
    "5b": (384, 192, 384, 48, 128, 128),
}
AUXILIARY = {"4a": "auxiliary1", "4d": "auxiliary2"}  # the modules that a head looks at
LOSS_WEIGHTS = [1.0, 0.3, 0.3]  # for `compile`, with auxiliary=True


def _pool(x, name):
    """Halve the sides."""
    return layers.MaxPooling2D(3, strides=2, padding="same", name=name)(x)


def stem(x):
    """Apply what comes before the modules: 224×224×3 → 28×28×192."""
    relu = {"padding": "same", "activation": "relu"}
    x = layers.Conv2D(64, 7, strides=2, name="conv1", **relu)(x)
    x = _pool(x, "pool1")
    x = LocalResponseNormalization(name="lrn1")(x)
    x = layers.Conv2D(64, 1, name="conv2_reduce", **relu)(x)
    x = layers.Conv2D(192, 3, name="conv2", **relu)(x)
    x = LocalResponseNormalization(name="lrn2")(x)
    return _pool(x, "pool2")


def table_row(x, row, maps):
    """Apply the inception module or the pooling of a row of table 1."""
    return InceptionModule(maps, name=f"inception_{row}")(x) if maps else _pool(x, row)


def googlenet(
    input_shape=(224, 224, 3),
    classes=1000,
    include_top=True,
    weights=None,
    classifier_activation="softmax",
    name="googlenet",
    auxiliary=False,
):
    """Return GoogLeNet: 6,998,552 parameters; with its auxiliary heads 13,378,280.

    The heads are for training only. So train the network of three outputs, then keep the first:

        training = googlenet(auxiliary=True)
        losses = ["sparse_categorical_crossentropy"] * 3
        training.compile("sgd", losses, loss_weights=LOSS_WEIGHTS)
        training.fit(images, [labels, labels, labels])
        network = keras.Model(training.input, training.outputs[0])

    Both share their weights; `network` has those of `googlenet()` and nothing else. The heads need
    sides of 65 pixels at least.
    """
    inputs = image_input(input_shape, weights, known_sides=include_top and auxiliary)
    outputs = []
    x = stem(inputs)
    for row, maps in MODULES.items():
        x = table_row(x, row, maps)
        if include_top and auxiliary and row in AUXILIARY:
            outputs.append(AuxiliaryHead(classes, classifier_activation, name=AUXILIARY[row])(x))
    if include_top:
        x = averaged(x, classes, classifier_activation, dropout=0.4)
    return finished(inputs, [x, *outputs] if outputs else x, weights, name)
