"""`weights="imagenet"`: the files that Keras publishes, fetched, checked and mapped to our layers.

The files are in Keras' old format, which stores weights in the order of the reference's layers. So
Keras reads them into its own network, and `copy_weights` maps them by name. A file is kept in
Keras' cache; where `CNNCOURSE_DATA` names a mirror that has it in `keras/models`, it comes from
there. The md5 sums are those in Keras' source. It has none for MobileNets: their files, and only
theirs, are loaded unchecked.
"""

import functools
import inspect
import os
from pathlib import Path

import keras
from cnncourse.architectures.weights import copy_weights, refresh

BASE = "https://storage.googleapis.com/"
_ORDER = "_weights_tf_dim_ordering_tf_kernels"  # in names from when Keras had Theano, too

# The network in keras.applications, and where its file is.
REFERENCES = {
    "densenet121": ("DenseNet121", "densenet/densenet121"),
    "densenet169": ("DenseNet169", "densenet/densenet169"),
    "densenet201": ("DenseNet201", "densenet/densenet201"),
    **{f"efficientnet_b{i}": (f"EfficientNetB{i}", f"efficientnetb{i}") for i in range(8)},
    "inception_resnet_v2": ("InceptionResNetV2", "inception_resnet_v2/inception_resnet_v2"),
    "inception_v3": ("InceptionV3", "inception_v3/inception_v3"),
    "mobilenet": ("MobileNet", "mobilenet/mobilenet"),
    "mobilenet_v2": ("MobileNetV2", "mobilenet_v2/mobilenet_v2"),
    "resnet50": ("ResNet50", "resnet/resnet50"),
    "resnet50_v2": ("ResNet50V2", "resnet/resnet50v2"),
    "resnet101": ("ResNet101", "resnet/resnet101"),
    "resnet152": ("ResNet152", "resnet/resnet152"),
    "vgg16": ("VGG16", "vgg16/vgg16"),
    "vgg19": ("VGG19", "vgg19/vgg19"),
    "xception": ("Xception", "xception/xception"),
}

HASHES = {  # md5 of the file with the top, and of the one without
    "densenet121": ("9d60b8095a5708f2dcce2bca79d332c7", "30ee3e1110167f948a6b9946edeeb738"),
    "densenet169": ("d699b8f76981ab1b30698df4c175e90b", "b8c4d4c20dd625c148057b9ff1c1176b"),
    "densenet201": ("1ceb130c1ea1b78c3bf6114dbdfd8807", "c13680b51ded0fb44dff2d8f86ac8bb1"),
    "efficientnet_b0": ("902e53a9f72be733fc0bcb005b3ebbac", "50bc09e76180e00e4465e1a485ddc09d"),
    "efficientnet_b1": ("1d254153d4ab51201f1646940f018540", "74c4e6b3e1f6a1eea24c589628592432"),
    "efficientnet_b2": ("b15cce36ff4dcbd00b6dd88e7857a6ad", "111f8e2ac8aa800a7a99e3239f7bfb39"),
    "efficientnet_b3": ("ffd1fdc53d0ce67064dc6a9c7960ede0", "af6d107764bb5b1abb91932881670226"),
    "efficientnet_b4": ("18c95ad55216b8f92d7e70b3a046e2fc", "ebc24e6d6c33eaebbd558eafbeedf1ba"),
    "efficientnet_b5": ("ace28f2a6363774853a83a0b21b9421a", "38879255a25d3c92d5e44e04ae6cec6f"),
    "efficientnet_b6": ("165f6e37dce68623721b423839de8be5", "9ecce42647a20130c1f39a5d4cb75743"),
    "efficientnet_b7": ("8c03f828fec3ef71311cd463b6759d99", "cbcfe4450ddf6f3ad90b1b398090fe4a"),
    "inception_resnet_v2": ("e693bd0210a403b3192acc6073ad2e96", "d19885ff4a710c122648d3b5c3b684e4"),
    "inception_v3": ("9a0d58056eeedaa3f26cb7ebd46da564", "bcbd6486424b2319ff4ef7d526e38f63"),
    "resnet50": ("2cb95161c43110f7111970584f804107", "4d473c1dd8becc155b73f8504c6f6626"),
    "resnet50_v2": ("3ef43a0b657b3be2300d5770ece849e0", "fac2f116257151a9d068a22e544a4917"),
    "resnet101": ("f1aeb4b969a6efcfb50fad2f0c20cfc5", "88cf7a10940856eca736dc7b7e228a21"),
    "resnet152": ("100835be76be38e30d865e96f2aaae62", "ee4c566cf9a93f14d82f913c2dc6dd0c"),
    "vgg16": ("64373286793e3c8b2b4e3219cbf3544b", "6d6bbae143d832006294945121d1f1fc"),
    "vgg19": ("cbe5617147190e668d6c5d5026f83318", "253f8cb515780f3b799900260a226db6"),
    "xception": ("0a58e3b7378bc2990ea3b43d5981f1f6", "b0042744bf5b25fce3cb969f33bebb97"),
}

# MobileNets have a file for each width multiplier and side of the images.
SIDES = {"mobilenet": (128, 160, 192, 224), "mobilenet_v2": (96, 128, 160, 192, 224)}
ALPHAS = {
    "mobilenet": {0.25: "2_5", 0.5: "5_0", 0.75: "7_5", 1: "1_0"},
    "mobilenet_v2": {a: f"{a:.2g}" if a != 1 else "1.0" for a in (0.35, 0.5, 0.75, 1, 1.3, 1.4)},
}


def pretrained(constructor):
    """Let a constructor that is in the tables above accept `weights="imagenet"`; return others."""
    name, signature = constructor.__name__, inspect.signature(constructor)
    if name not in REFERENCES:
        return constructor

    @functools.wraps(constructor)
    def with_imagenet(*args, **kwargs):
        bound = signature.bind(*args, **kwargs)
        bound.apply_defaults()
        asked = bound.arguments
        if asked["weights"] != "imagenet":
            return constructor(*args, **kwargs)
        _check(name, asked, signature.parameters["input_shape"].default)
        shape, include_top = asked["input_shape"], asked["include_top"]
        path = _fetched(name, *official_file(name, shape, include_top, asked.get("alpha", 1)))
        model = constructor(**{**asked, "weights": None})
        _load(name, path, model, asked)
        return model

    return with_imagenet


def _check(name, asked, default_shape):
    """Raise ValueError for arguments that Keras' files do not fit."""
    accepted, shape = {}, asked["input_shape"]
    if isinstance(shape, list):
        asked["input_shape"] = shape = tuple(shape)
    if asked["include_top"]:
        sides = SIDES.get(name, default_shape[:1])
        accepted["input_shape"] = [(side, side, 3) for side in sides]
        accepted["classes"] = [1000]
        accepted["classifier_activation"] = ["softmax", None]
    elif not isinstance(shape, tuple) or shape[2:] != (3,):
        accepted["input_shape"] = ["(height, width, 3)"]
    if name in ALPHAS:
        accepted["alpha"] = list(ALPHAS[name])
    for argument, values in accepted.items():
        if asked[argument] not in values:
            raise ValueError(
                f"{argument} is {asked[argument]!r}; accepted with weights='imagenet' and "
                f"include_top={asked['include_top']}: {', '.join(map(str, values))}"
            )


def official_file(name, input_shape, include_top, alpha=1):
    """Return where Keras' file is, below `BASE`, and its md5 sum or None."""
    file = f"tensorflow/keras-applications/{REFERENCES[name][1]}"
    if name in ALPHAS:
        height, width = input_shape[:2]
        side = height if height == width and height in SIDES[name] else 224
        size = f"{ALPHAS[name][alpha]}_{side}"
        middle = f"_{size}_tf" if name == "mobilenet" else f"{_ORDER}_{size}"
        return f"{file}{middle}{'' if include_top else '_no_top'}.h5", None
    if name.startswith("efficientnet"):
        file = f"keras-applications/{REFERENCES[name][1]}"
    else:
        file += _ORDER
    return f"{file}{'' if include_top else '_notop'}.h5", HASHES[name][0 if include_top else 1]


def _fetched(name, file, md5):
    """Return the path of a file in Keras' cache, where it is put if it is not there yet."""
    file_name = file.rpartition("/")[2]
    origin = BASE + file
    if mirror := os.environ.get("CNNCOURSE_DATA"):
        mirrored = Path(mirror, "keras", "models", file_name)
        origin = mirrored.resolve().as_uri() if mirrored.is_file() else origin
    try:
        return keras.utils.get_file(file_name, origin, cache_subdir="models", file_hash=md5)
    except Exception as error:  # get_file raises nothing more precise
        raise OSError(
            f"The ImageNet weights of {name} are not on this computer and could not be fetched "
            f"({error}): go online, or let CNNCOURSE_DATA name a folder that has "
            f"keras/models/{file_name}"
        ) from None


def _load(name, path, model, asked):
    """Read a file into Keras' own network and copy the weights to ours."""
    options = {key: asked[key] for key in ("include_top", "alpha") if key in asked}
    reference = getattr(keras.applications, REFERENCES[name][0])(weights=None, **options)
    reference.load_weights(path)
    copy_weights(reference, model)
    for layer in model.layers:
        if isinstance(layer, keras.layers.Normalization):
            # EfficientNet was trained on pixels divided once more, by the root of the deviation.
            # Keras adds a layer for that; here it goes into the variance.
            layer.adapt_variance.assign(layer.adapt_variance * [0.229, 0.224, 0.225])
    refresh(model)
