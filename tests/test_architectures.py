"""Our networks against keras.applications, the papers' counts, and a round trip through a file."""

import itertools
import json

import keras
import numpy as np
import parity
import pytest
import stage_tables
from cnncourse import anatomy, architectures, cost
from keras import layers
from variants import VARIANTS, build

REFERENCES = {
    "vgg16": keras.applications.VGG16,
    "vgg19": keras.applications.VGG19,
    "resnet50": keras.applications.ResNet50,
    "resnet50_v2": keras.applications.ResNet50V2,
    "resnet101": keras.applications.ResNet101,
    "resnet152": keras.applications.ResNet152,
}
FULL = ("vgg16", "vgg19", "resnet50", "resnet50_v2")  # 101 and 152 only differ in how often
NATIVE = {"resnet50": 224, "resnet50_v2": 224}  # at 224 a VGG's dense layers alone take 400 MB
PARAMETERS = {  # total: curriculum's and the papers' counts, plus 2 statistics per normalised map
    "alexnet": 62_378_344,
    "fashion_cnn": 1_413_834,
    "googlenet": 6_998_552,
    "inception_resnet_v2": 55_873_736,
    "inception_v3": 23_851_784,
    "inception_v4": 42_679_816 - 31_584 + 63_168,  # PyTorch's; no gamma, but statistics
    "lenet5": 61_706,
    "se_googlenet": 6_998_552 + 480_103,  # two dense layers for each module, see the last test
    "zfnet": 62_357_608,
    "csp_densenet": 5_981_469,  # of our own: see test_csp_densenet_by_hand
    "csp_resnet50": 21_616_168 + 40_320,  # PyTorch image models
    "densenet121": 8_062_504,
    "densenet169": 14_307_880,
    "densenet201": 20_242_984,
    "efficientnet_b0": 5_330_571,
    "efficientnet_b1": 7_856_239,
    "efficientnet_b2": 9_177_569,
    "efficientnet_b3": 12_320_535,
    "efficientnet_b4": 19_466_823,
    "efficientnet_b5": 30_562_527,
    "efficientnet_b6": 43_265_143,
    "efficientnet_b7": 66_658_687,
    "mobilenet": 4_253_864,
    "mobilenet_v2": 3_538_984,
    "vgg16": 138_357_544,
    "vgg19": 143_667_240,
    "resnet18": 11_689_512 + 9_600,
    "resnet34": 21_797_672 + 17_024,
    "resnet50": 25_583_592 + 53_120,
    "resnet101": 44_707_176,
    "resnet152": 60_419_944,
    "resnet50_v2": 25_613_800,
    "resnext50": 25_028_904 + 68_224,  # torchvision
    "se_resnet50": 28_088_024 + 53_120,  # 2,530,992 more than a ResNet-50 without useless biases
    "xception": 22_910_480,
}


FIRST_INPUTS = {  # where it is not (224, 224, 3)
    "alexnet": (227, 227, 3),
    "fashion_cnn": (28, 28, 1),
    "inception_resnet_v2": (299, 299, 3),
    "inception_v3": (299, 299, 3),
    "inception_v4": (299, 299, 3),
    "lenet5": (32, 32, 1),
    "xception": (299, 299, 3),
    **{
        f"efficientnet_b{i}": (side, side, 3)
        for i, side in enumerate((224, 240, 260, 300, 380, 456, 528, 600))
    },
}
TEN_CLASSES = ("fashion_cnn", "lenet5")
SMALLEST = {  # side, where it is not 32
    "alexnet": 67,
    "alexnet_grouped": 67,
    "googlenet_auxiliary": 65,
    "inception_resnet_v2": 75,
    "inception_v3": 75,
    "inception_v4": 75,
    "zfnet": 53,
}


def both(name, side, include_top=True):
    """Return the reference with weights that matter, and ours with the same weights."""
    arguments = {
        "input_shape": (side, side, 3),
        "include_top": include_top,
        "weights": None,
        "classifier_activation": None,
    }
    reference = parity.randomise(REFERENCES[name](**arguments), (side or 64, side or 64))
    ours = architectures.build(name, **arguments)
    architectures.copy_weights(reference, ours)
    return ours, reference


def dense_products(*widths):
    return sum(a * b for a, b in itertools.pairwise(widths))


# By hand, where no paper has a figure: positions · window · maps read · maps made.
AFTER_C3 = 13**2 * 9 * (256 * 384 + 384 * 384 + 384 * 256) + dense_products(9216, 4096, 4096, 1000)
GOOGLENET = 1_582_671_872  # its stem, the rows in test_inception.py and 1024 · 1000
GATED = (256, 480, 512, 512, 512, 528, 832, 832, 1024)  # maps of its modules
EXACT_MACS = {
    "lenet5": 28**2 * 25 * 6 + 10**2 * 25 * 6 * 16 + 25 * 16 * 120 + dense_products(120, 84, 10),
    "zfnet": 110**2 * 49 * 3 * 96 + 26**2 * 25 * 96 * 256 + AFTER_C3,  # chapter 07: 1.17 G
    "googlenet": GOOGLENET,
    "se_googlenet": GOOGLENET + sum(2 * maps * (maps // 16) for maps in GATED),
}

MACS = {  # in units of 10⁹; ResNets, EfficientNets: "FLOPs" in the papers' tables 1 and 2
    "alexnet": 1.14,
    "googlenet": 1.58,
    "inception_resnet_v2": 13.2,  # Inceptions: as counted of PyTorch's conversions
    "inception_v3": 5.7,
    "inception_v4": 12.3,
    "csp_resnet50": 3.48,  # MMPretrain
    "efficientnet_b0": 0.39,
    "efficientnet_b1": 0.70,
    "efficientnet_b2": 1.0,
    "efficientnet_b3": 1.8,
    "efficientnet_b4": 4.2,
    "efficientnet_b5": 9.9,
    "efficientnet_b6": 19,
    "efficientnet_b7": 37,
    "mobilenet": 0.569,  # the paper's table 4
    "mobilenet_v2": 0.300,  # the paper's table 4
    "resnet18": 1.8,
    "resnet34": 3.6,
    "resnet50": 3.8,
    "resnet101": 7.6,
    "resnet152": 11.3,
    "resnext50": 4.2,  # the paper's table 1
    "se_resnet50": 3.87,  # the paper's section 3.2
    "vgg16": 15.5,
}


@pytest.mark.parametrize("name", FULL)
def test_same_logits_as_the_reference(name):
    side = NATIVE.get(name, 64)
    ours, reference = both(name, side)
    assert ours.output_shape == (None, 1000)
    assert parity.error(ours, reference, parity.images(side, side, seed=5)) < parity.TOLERANCE
    assert parity.settings(ours) == parity.settings(reference)


@pytest.mark.parametrize("name", FULL)
def test_same_maps_as_the_reference_at_any_size(name):
    ours, reference = both(name, None, include_top=False)
    for sides in ((64, 64), (75, 61)):
        assert parity.error(ours, reference, parity.images(*sides)) < parity.TOLERANCE
    assert ours.count_params() == reference.count_params()


@pytest.mark.parametrize("name", ["resnet101", "resnet152"])
def test_same_layers_as_the_reference(name):
    ours, reference = architectures.build(name), REFERENCES[name](weights=None)
    assert ours.count_params() == reference.count_params()
    assert parity.settings(ours) == parity.settings(reference)


def larger_epsilon(name, config):
    if "epsilon" in config:
        config["epsilon"] = 2e-5


def strides_on_the_3x3(name, config):
    if name.endswith("_block1_1_conv"):
        config["strides"] = (1, 1)
    if name.endswith("_block1_2_conv") and not name.startswith("conv2"):
        config["strides"] = (2, 2)


def same_stem(name, config):
    if name == "conv1_pad":
        config["padding"] = ((0, 0), (0, 0))
    if name == "conv1_conv":
        config["padding"] = "same"


def same_max_pool(name, config):
    if name == "pool1_pad":
        config["padding"] = ((0, 0), (0, 0))
    if name == "pool1_pool":
        config["padding"] = "same"


def test_wrong_resnets_are_caught():
    """The comparison above can fail: each of these small mistakes is far beyond the tolerance."""
    ours, reference = both("resnet50", 64)
    batch = parity.images(64, 64)
    assert parity.error(ours, parity.edited(reference, lambda name, config: None), batch) < 1e-5
    for mistake, at_least in (
        (larger_epsilon, 20 * parity.TOLERANCE),
        (strides_on_the_3x3, 0.1),
        (same_stem, 0.1),
        (same_max_pool, 0.1),
    ):
        wrong = parity.error(ours, parity.edited(reference, mistake), batch)
        assert wrong > at_least, mistake.__name__


def test_another_epsilon_or_momentum_is_seen_in_the_settings():
    ours = architectures.resnet50_v2(include_top=False)
    for key, value in (("epsilon", 1e-3), ("momentum", 0.9)):

        def edit(name, config, key=key, value=value):
            if key in config:
                config[key] = value

        assert parity.settings(parity.edited(ours, edit)) != parity.settings(ours)


@pytest.mark.parametrize("name", architectures.list_architectures())
def test_counts_and_stages(name):
    network = architectures.build(name)
    assert network.count_params() == PARAMETERS[name]
    classes = 10 if name in TEN_CLASSES else 1000
    assert (network.name, network.output_shape) == (name, (None, classes))
    assert network.input_shape == (None, *FIRST_INPUTS.get(name, (224, 224, 3)))
    if name in MACS:
        tolerance = 0.05 if name.startswith("efficientnet") else 0.02  # theirs count other things
        assert cost.macs(network) / 1e9 == pytest.approx(MACS[name], rel=tolerance)
    if name in EXACT_MACS:
        assert cost.macs(network) == EXACT_MACS[name]
    assert stage_tables.rows(anatomy.stages(network)) == stage_tables.TABLES[name]


def test_the_textbooks_resnet34():
    network = architectures.resnet34(classes=10)
    trainable = sum(int(np.prod(weight.shape)) for weight in network.trainable_weights)
    assert (network.count_params(), trainable) == (21_306_826, 21_289_802)
    shapes = {layer.name: tuple(layer.output.shape[1:]) for layer in network.layers}
    assert shapes["conv1_conv"] == (112, 112, 64)
    assert [shapes[f"conv{i}_block1"] for i in (2, 3, 4, 5)] == [
        (56, 56, 64),
        (28, 28, 128),
        (14, 14, 256),
        (7, 7, 512),
    ]
    assert shapes["avg_pool"] == (512,)


def plain_resnet(depths, side):
    """Write a ResNet of basic units without our layers: every part is a layer of the model."""

    def convolve(x, filters, size, strides, name):
        options = {"padding": "same", "use_bias": False, "name": f"{name}_conv"}
        x = layers.Conv2D(filters, size, strides, **options)(x)
        return layers.BatchNormalization(name=f"{name}_bn")(x)

    inputs = keras.Input((side, side, 3))
    x = layers.ReLU()(convolve(inputs, 64, 7, 2, "conv1"))
    x = layers.MaxPooling2D(3, 2, "same")(x)
    for stage, (units, filters) in enumerate(zip(depths, (64, 128, 256, 512), strict=True), 2):
        for i in range(1, units + 1):
            name, shrink = f"conv{stage}_block{i}", i == 1 and filters > 64
            y = layers.ReLU()(convolve(x, filters, 3, 2 if shrink else 1, f"{name}_1"))
            y = convolve(y, filters, 3, 1, f"{name}_2")
            skip = convolve(x, filters, 1, 2, f"{name}_0") if shrink else x
            x = layers.ReLU()(layers.Add()([y, skip]))
    x = layers.GlobalAveragePooling2D()(x)
    return keras.Model(inputs, layers.Dense(10, name="predictions")(x))


@pytest.mark.parametrize(
    ("name", "depths"), [("resnet18", (2, 2, 2, 2)), ("resnet34", (3, 4, 6, 3))]
)
def test_basic_resnets_equal_a_plain_one(name, depths):
    reference = parity.randomise(plain_resnet(depths, 50), (50, 50))
    ours = architectures.build(
        name, input_shape=(50, 50, 3), classes=10, classifier_activation=None
    )
    architectures.copy_weights(reference, ours)
    batch = parity.images(50, 50, seed=3)
    assert parity.error(ours, reference, batch) < parity.TOLERANCE
    wrong = parity.edited(reference, larger_epsilon)
    assert parity.error(ours, wrong, batch) > 20 * parity.TOLERANCE


DEEPER = {"densenet169", "densenet201", "resnet101", "resnet152", "vgg19"}
DEEPER |= {"alexnet", "mobilenet"}  # wider than their variants
DEEPER |= {f"efficientnet_b{i}" for i in range(1, 8)}
EVERY = [  # those are others with larger numbers: `make parity` runs them
    pytest.param(name, marks=pytest.mark.deep) if name in DEEPER else name
    for name in sorted({*PARAMETERS, *VARIANTS})
]


@pytest.mark.parametrize("name", EVERY)
def test_every_network_learns_and_comes_back_from_a_file(name, tmp_path):
    keras.utils.set_random_seed(1)
    side = SMALLEST.get(name, 32)
    network = build(name, input_shape=(side, side, 3), classes=3, name="tiny")
    batch = parity.images(side, side, count=8)
    outputs = np.stack(keras.tree.flatten(network(batch)))  # GoogLeNet may have three
    assert (network.name, outputs.shape[1:], outputs.dtype) == ("tiny", (8, 3), "float32")
    np.testing.assert_allclose(outputs.sum(axis=-1), 1, rtol=1e-5)

    for layer in network._flatten_layers():
        if isinstance(layer, layers.Dropout):
            layer.rate = 0.0  # or the two losses would be those of two networks
    # Deep in the network a map has one pixel, so gradients are huge: a step of limited length.
    step = keras.optimizers.SGD(1e-4, global_clipnorm=1)
    network.compile(step, ["categorical_crossentropy"] * len(outputs), run_eagerly=True)
    target = [np.eye(3, dtype="float32")[np.arange(8) % 3]] * len(outputs)
    before = float(network.train_on_batch(batch, target, return_dict=True)["loss"])
    after = float(network.compute_loss(batch, target, network(batch, training=True)))
    assert after < before

    network.save(tmp_path / "network.keras")
    again = keras.models.load_model(tmp_path / "network.keras")
    np.testing.assert_array_equal(again(batch), network(batch))
    architectures.copy_weights(again, network)  # the weights' names come back too
    first, second = (json.dumps(model.get_config(), sort_keys=True) for model in (network, again))
    assert first == second


@pytest.mark.parametrize("name", EVERY)
def test_every_network_works_in_half_precision(name):
    side = SMALLEST.get(name, 64)
    keras.config.set_dtype_policy("mixed_float16")
    try:
        network = build(name, input_shape=(side, side, 3), classes=3)
    finally:
        keras.config.set_dtype_policy("float32")
    kinds = {keras.backend.standardize_dtype(weight.dtype) for weight in network.weights}
    assert kinds - {"int32", "int64"} == {"float32"}  # EfficientNet counts its pixels
    assert {layer.compute_dtype for layer in network._flatten_layers()} == {"float16"}
    assert {keras.backend.standardize_dtype(x.dtype) for x in network.outputs} == {"float16"}


def test_weights_come_from_a_file(tmp_path):
    path = tmp_path / "some.weights.h5"
    arguments = {"input_shape": (32, 32, 3), "classes": 3}
    first = architectures.resnet18(**arguments)
    first.save_weights(path)
    again = architectures.resnet18(**arguments, weights=path)
    np.testing.assert_array_equal(again(parity.images(32, 32)), first(parity.images(32, 32)))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"weights": "ImageNet"}, r"weights is 'ImageNet'; accepted: None .*\.weights\.h5 file"),
        ({"weights": "no.weights.h5"}, r"weights is 'no\.weights\.h5'; accepted"),
        ({"classes": 0}, "classes is 0; accepted: a positive integer"),
        ({"input_shape": (224, 224)}, r"input_shape is \(224, 224\); accepted: \(height, width"),
        ({"input_shape": 224}, "input_shape is 224; accepted"),
        ({"input_shape": (32, 32, None)}, "input_shape is .*; accepted"),
        ({"input_shape": (32, -1, 3)}, "input_shape is -1; accepted: a positive integer"),
    ],
)
def test_wrong_arguments(arguments, message):
    for name in ("resnet50_v2", "vgg16"):
        with pytest.raises(ValueError, match=message):
            architectures.build(name, **{"input_shape": (32, 32, 3), **arguments})


def test_squeeze_and_excitation_after_each_inception_module():
    network = architectures.se_googlenet()
    blocks = [layer for layer in network.layers if layer.name.startswith("se_")]
    channels = (256, 480, 512, 512, 512, 528, 832, 832, 1024)
    counts = [block.count_params() for block in blocks]
    assert counts == [2 * c * (c // 16) + c // 16 + c for c in channels]
    assert sum(counts) == 480_103


def test_vgg_with_its_dense_layers_needs_to_know_the_size():
    with pytest.raises(ValueError, match=r"input_shape is \(None, None, 3\); accepted"):
        architectures.vgg16(input_shape=(None, None, 3))


def test_names():
    names = architectures.list_architectures()
    assert names == sorted(names)
    assert set(names) == set(PARAMETERS) <= set(architectures.__all__)
    with pytest.raises(ValueError, match=r"name is 'resnet51'; accepted: .*resnet50, .*vgg19"):
        architectures.build("resnet51")


def dense_pair(*units, names=("a", "b")):
    """Return a model of two dense layers."""
    parts = [layers.Dense(n, name=name) for n, name in zip(units, names, strict=True)]
    return keras.Sequential([keras.Input((2,)), *parts])


def test_copying_refuses_what_does_not_fit_and_changes_nothing():
    target = dense_pair(3, 4)
    before = target.get_weights()
    for source, message in (
        (dense_pair(3, 5), r"layer 'b' of target: kernel has shape \(3, 4\), in source \(3, 5\)"),
        (dense_pair(3, 4, names=("a", "c")), "layer 'b' of target: source has no .*'b_kernel'"),
    ):
        with pytest.raises(ValueError, match=message):
            architectures.copy_weights(source, target)
    one = keras.Sequential([keras.Input((2,)), layers.Dense(3, name="a")])
    with pytest.raises(ValueError, match="layer 'b' of source: target has no weight 'b_kernel'"):
        architectures.copy_weights(target, one)
    for weight, value in zip(target.get_weights(), before, strict=True):
        np.testing.assert_array_equal(weight, value)


def test_numbered_layers_are_matched_in_order():
    def numbered(*numbers):
        names = [f"conv2d_{n}" if n else "conv2d" for n in numbers]
        parts = [layers.Conv2D(3, 1, name=name) for name in names]
        return keras.Sequential([keras.Input((4, 4, 3)), *parts])

    source, target = numbered(9, 10, 101), numbered(0, 1, 2)  # as text, "10" is before "9"
    architectures.copy_weights(source, target)
    for theirs, ours in zip(source.get_weights(), target.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)
