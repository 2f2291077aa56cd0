"""Xception, DenseNet, MobileNets and EfficientNets against keras.applications."""

import functools

import keras
import numpy as np
import parity
import pytest
from cnncourse import architectures
from cnncourse.architectures.pretrained import REFERENCES

ODD = (61, 47)  # odd at every stage, where "same" and explicit zeros differ


@functools.cache
def both(name, sides, include_top=False, alpha=None):
    """Return ours with the weights of the reference, which matter, and the reference."""
    arguments = {"input_shape": (*sides, 3), "include_top": include_top, "weights": None}
    arguments["classifier_activation"] = None
    if alpha:
        arguments["alpha"] = alpha
    reference = getattr(keras.applications, REFERENCES[name][0])(**arguments)
    parity.randomise(reference, sides)
    ours = architectures.build(name, **arguments)
    architectures.copy_weights(reference, ours)
    return ours, reference


def same(ours, reference, sides, seed=5):
    """Compare sizes, names, settings and outputs."""
    assert ours.count_params() == reference.count_params()
    assert parity.settings(ours) == parity.settings(reference)
    assert parity.error(ours, reference, parity.images(*sides, seed=seed)) < parity.TOLERANCE


@pytest.mark.parametrize(
    ("name", "side"),
    [
        ("xception", 299),
        ("densenet121", 224),
        ("mobilenet", 224),
        ("mobilenet_v2", 224),
        ("efficientnet_b0", 224),
    ],
)
def test_same_logits_as_the_reference(name, side):
    ours, reference = both(name, (side, side), include_top=True)
    assert ours.output_shape == (None, 1000)
    same(ours, reference, (side, side))
    both.cache_clear()  # they take hundreds of megabytes


@pytest.mark.parametrize(
    ("name", "alpha"),
    [
        ("densenet121", None),
        ("densenet169", None),
        ("densenet201", None),
        ("mobilenet", 0.25),
        ("mobilenet", 0.5),
        ("mobilenet", 0.75),
        ("mobilenet_v2", 0.35),
        ("mobilenet_v2", None),
        ("mobilenet_v2", 1.4),
        ("efficientnet_b0", None),
        ("efficientnet_b3", None),  # 1.2 times as wide: rounded to multiples of 8
    ],
)
def test_same_maps_as_the_reference_at_an_odd_size(name, alpha):
    same(*both(name, ODD, alpha=alpha), ODD)


def test_xception_at_an_odd_size():
    same(*both("xception", (91, 75)), (91, 75))  # the reference takes no less than 71


@pytest.mark.parametrize("name", [f"efficientnet_b{i}" for i in (1, 2, 4, 5, 6, 7)])
def test_every_scale_has_the_references_layers(name):
    """Weights' names and shapes, strides, kernel sizes, epsilon, momentum; dropout rates too."""
    ours = architectures.build(name)
    reference = getattr(keras.applications, REFERENCES[name][0])(weights=None)
    assert ours.input_shape == reference.input_shape
    assert ours.count_params() == reference.count_params()
    assert parity.settings(ours) == parity.settings(reference)
    rates = [[x.rate for x in dropouts(model)] for model in (ours, reference)]
    np.testing.assert_allclose(*rates, rtol=1e-6)


def dropouts(model):
    """List the layers that leave something out in training, in order of their depth."""
    found = [layer for layer in model._flatten_layers() if isinstance(layer, keras.layers.Dropout)]
    return sorted((layer for layer in found if layer.rate), key=lambda layer: layer.rate)


@pytest.mark.parametrize("name", ["mobilenet", "mobilenet_v2", "efficientnet_b0"])
def test_unknown_sides_give_what_known_sides_give(name):
    """Also for odd sides, where keras.applications pads as if they were even."""
    ours, _ = both(name, ODD, alpha=0.5 if name == "mobilenet" else None)
    options = {"alpha": 0.5} if name == "mobilenet" else {}
    anywhere = architectures.build(name, input_shape=(None, None, 3), include_top=False, **options)
    architectures.copy_weights(ours, anywhere)
    assert parity.error(anywhere, ours, parity.images(*ODD)) < parity.TOLERANCE


# --- Mistakes: an edit of the reference's layers, and how many tolerances off it must be.


def other_epsilon(name, config):
    if "epsilon" in config:
        config["epsilon"] = 2e-5


def shifted_padding(name, config):
    """Put the zeros of strided windows on the other side."""
    if name.endswith("pad") or name.startswith("conv_pad"):
        config["padding"] = tuple((after, before) for before, after in config["padding"])


def symmetric_padding(name, config):
    if name.endswith("stem_conv_pad"):
        config["padding"] = ((1, 0), (1, 0))


def endless_relu(name, config):
    if "max_value" in config:
        config["max_value"] = None


def relu_for_swish(name, config):
    if config.get("activation") == "silu":
        config["activation"] = "relu"


def tanh_gate(name, config):
    if name.endswith("se_expand"):
        config["activation"] = "tanh"


def no_first_relu(name, config):
    if name == "block3_sepconv1_act":
        config["activation"] = "linear"


def padded_stem(name, config):
    if name == "block1_conv1":
        config["padding"] = "same"


def no_last_relu(name, config):
    if name == "relu":
        config["activation"] = "linear"


EVEN = (64, 64)
MISTAKES = [
    ("mobilenet", EVEN, 0.5, (other_epsilon, 20), (shifted_padding, 1e4), (endless_relu, 50)),
    ("mobilenet_v2", EVEN, None, (other_epsilon, 20), (shifted_padding, 1e4), (endless_relu, 50)),
    (
        "efficientnet_b0",
        EVEN,
        None,
        (other_epsilon, 20),
        (symmetric_padding, 1e4),
        (relu_for_swish, 1e4),
        (tanh_gate, 1e4),
    ),
    ("xception", (91, 75), None, (other_epsilon, 20), (padded_stem, 1e4), (no_first_relu, 1e4)),
    ("densenet121", ODD, None, (other_epsilon, 20), (no_last_relu, 1e4)),
]


@pytest.mark.parametrize("case", MISTAKES, ids=lambda case: case[0])
def test_wrong_networks_are_caught(case):
    """The comparison above can fail: each of these small mistakes is far beyond the tolerance."""
    name, sides, alpha, *mistakes = case
    ours, reference = both(name, sides, alpha=alpha)
    batch = parity.images(*sides)
    assert parity.error(ours, reference, batch) < parity.TOLERANCE
    for mistake, tolerances in mistakes:
        wrong = parity.error(ours, parity.edited(reference, mistake), batch)
        assert wrong > tolerances * parity.TOLERANCE, mistake.__name__


def test_missing_squeeze_and_excitation_is_caught():
    ours, reference = both("efficientnet_b0", EVEN)
    without = parity.edited(ours, lambda name, config: None)
    for weight in without.weights:
        if "se/expand/kernel" in weight.path:
            weight.assign(np.zeros(weight.shape))
        if "se/expand/bias" in weight.path:
            weight.assign(np.full(weight.shape, 100))  # sigmoid(100) is 1: nothing is changed
    assert parity.error(without, reference, parity.images(*EVEN)) > 0.01


def test_another_epsilon_or_momentum_is_seen_in_the_settings():
    for name, epsilon, momentum in (
        ("mobilenet_v2", 1e-3, 0.999),
        ("efficientnet_b0", 1e-3, 0.99),
        ("densenet121", 1.001e-5, 0.99),
        ("xception", 1e-3, 0.99),
    ):
        ours, _ = both(name, (91, 75) if name == "xception" else ODD)
        _, configs = parity.settings(ours)
        norms = [config for config in configs.values() if "epsilon" in config]
        assert len(norms) > 30
        assert {(c["epsilon"], c["momentum"]) for c in norms} == {(epsilon, momentum)}
