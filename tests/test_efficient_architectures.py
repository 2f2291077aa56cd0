"""Efficient networks: stages and counts of the papers' tables, worked out independently."""

import ast
import io
import tokenize
from pathlib import Path

import keras
import numpy as np
import pytest
from cnncourse import architectures, cost
from cnncourse.architectures.efficientnet import SCALES, scaled_stages
from cnncourse.layers import InvertedResidual

PACKAGE = Path(architectures.__file__).parent.parent

# Last layer of each stage: side and maps.
STAGES = {
    "xception": {  # Chollet (2016), figure 5, for 299 pixels
        "block1_conv2_act": (147, 64),
        "block2_add": (74, 128),
        "block3_add": (37, 256),
        "block4_add": (19, 728),
        "block12_add": (19, 728),
        "block13_add": (10, 1024),
        "block14_sepconv2_act": (10, 2048),
    },
    "densenet121": {  # Huang et al. (2016), table 1: c + 32 per layer, then half
        "pool1": (56, 64),
        "conv2": (56, 256),
        "pool2": (28, 128),
        "conv3": (28, 512),
        "pool3": (14, 256),
        "conv4": (14, 1024),
        "pool4": (7, 512),
        "conv5": (7, 1024),
    },
    "mobilenet": {  # Howard et al. (2017), table 1
        "conv1_relu": (112, 32),
        "conv_pw_1_relu": (112, 64),
        "conv_pw_3_relu": (56, 128),
        "conv_pw_5_relu": (28, 256),
        "conv_pw_11_relu": (14, 512),
        "conv_pw_13_relu": (7, 1024),
    },
    "mobilenet_v2": {  # Sandler et al. (2018), table 2
        "Conv1_relu": (112, 32),
        "expanded_conv": (112, 16),
        "block_2": (56, 24),
        "block_5": (28, 32),
        "block_9": (14, 64),
        "block_12": (14, 96),
        "block_15": (7, 160),
        "block_16": (7, 320),
        "out_relu": (7, 1280),
    },
    "efficientnet_b0": {  # Tan & Le (2019), table 1
        "stem_activation": (112, 32),
        "block1a": (112, 16),
        "block2b": (56, 24),
        "block3b": (28, 40),
        "block4c": (14, 80),
        "block5c": (14, 112),
        "block6d": (7, 192),
        "block7a": (7, 320),
        "top_activation": (7, 1280),
    },
    "resnext50": {  # Xie et al. (2016), table 1
        "pool1_pool": (56, 64),
        "conv2_block3": (56, 256),
        "conv3_block4": (28, 512),
        "conv4_block6": (14, 1024),
        "conv5_block3": (7, 2048),
    },
    "csp_resnet50": {  # PyTorch image models: 3, 3, 5, 2 units; 128, 256, 512, 1024 maps
        "pool1_pool": (56, 64),
        "conv2_join_act": (56, 128),
        "conv3_join_act": (28, 256),
        "conv4_join_act": (14, 512),
        "conv5_join_act": (7, 1024),
    },
}


@pytest.mark.parametrize("name", STAGES)
def test_stages_have_the_papers_sizes(name):
    network = architectures.build(name)
    for layer, (side, maps) in STAGES[name].items():
        assert network.get_layer(layer).output.shape[1:] == (side, side, maps), layer


def trainable(network):
    return sum(int(np.prod(weight.shape)) for weight in network.trainable_weights)


def test_xception_has_the_curriculums_layers():
    network = architectures.xception()
    kinds = [type(layer).__name__ for layer in network.layers]
    counts = {"SeparableConv2D": 34, "Conv2D": 6, "Add": 12, "MaxPooling2D": 4}
    assert {kind: kinds.count(kind) for kind in counts} == counts
    assert kinds.count("BatchNormalization") == 40


def test_squeeze_and_excitation_adds_a_tenth():
    """Curriculum of chapter 10: 2.51 million weights, and the biases."""
    added = sum(
        units * (2 * maps * maps // 16 + maps + maps // 16)
        for units, maps in ((3, 256), (4, 512), (6, 1024), (3, 2048))
    )
    network = architectures.se_resnet50(input_shape=(32, 32, 3))
    # ResNet-50 without a bias before each normalisation, as in torchvision: 25,557,032
    assert trainable(network) == 25_557_032 + added == 28_088_024


def test_csp_densenet_by_hand():
    products = 112 * 112 * 7 * 7 * 3 * 64

    def convolved(maps, filters, size):
        nonlocal products
        products += side * side * size * size * maps * filters
        return 2 * maps + size * size * maps * filters

    maps, count, statistics = 64, 7 * 7 * 3 * 64 + 2 * 64, 64
    for i, depth in enumerate((6, 12, 24, 16)):
        half, side = maps - maps // 2, 56 // 2**i
        for _ in range(depth):
            count += convolved(half, 128, 1) + convolved(128, 32, 3)
            statistics += half + 128
            half += 32
        count, statistics = count + convolved(half, half // 2, 1), statistics + half
        maps = maps // 2 + half // 2
        if i < 3:
            count, statistics = count + convolved(maps, maps // 2, 1), statistics + maps
            maps //= 2
    count, statistics = count + 2 * maps + (maps + 1) * 1000, statistics + maps
    network = architectures.csp_densenet(input_shape=(None, None, 3))
    assert (trainable(network), network.count_params()) == (count, count + 2 * statistics)
    assert cost.macs(network, (224, 224, 3)) == products + maps * 1000


def test_cross_stage_partial_networks_cost_less():
    """The paper's promise: a tenth to a fifth less than without."""
    for partial, whole in (("csp_densenet", "densenet121"), ("csp_resnet50", "resnet50")):
        counts = [architectures.build(n, input_shape=(32, 32, 3)) for n in (partial, whole)]
        assert trainable(counts[0]) < 0.9 * trainable(counts[1])


def test_width_multipliers():
    for alpha, millions in ((1.0, 4.2), (0.75, 2.6), (0.5, 1.3), (0.25, 0.5)):  # paper, table 6
        network = architectures.mobilenet(alpha=alpha)
        assert trainable(network) / 1e6 == pytest.approx(millions, abs=0.05)
    narrow = architectures.mobilenet_v2(alpha=0.35, include_top=False)
    units = [x for x in narrow.layers if isinstance(x, InvertedResidual)]
    assert all(unit.filters % 8 == 0 for unit in units) and narrow.output_shape[-1] == 1280


def test_compound_scaling():
    """Curriculum of chapter 11: d · w² · r², relative to B0, and all numbers of B7."""
    growth = [depth * width**2 * (side / 224) ** 2 for width, depth, side, _ in SCALES.values()]
    expected = [1, 1.26, 1.96, 3.62, 10.2, 23.3, 46.8, 89.0]
    np.testing.assert_allclose(growth, expected, rtol=5e-3)
    assert [stage[2:4] for stage in scaled_stages(2.0, 3.1)] == [
        (32, 4),
        (48, 7),
        (80, 7),
        (160, 10),
        (224, 10),
        (384, 13),
        (640, 4),
    ]


def test_deeper_branches_are_dropped_more_often():
    units = [x for x in architectures.efficientnet_b0().layers if hasattr(x, "drop_rate")]
    rates = [unit.drop_rate for unit in units]
    np.testing.assert_allclose(rates, 0.2 * np.arange(16) / 16)


def test_constructors_show_their_arguments():
    import inspect

    names = list(inspect.signature(architectures.mobilenet).parameters)
    assert names[:3] == ["input_shape", "classes", "include_top"] and names[-1] == "alpha"
    assert "4,253,864" in architectures.mobilenet.__doc__
    with pytest.raises(TypeError, match="alpha"):
        architectures.resnet18(alpha=0.5)
    for alpha in (0, -1, "1", True):
        with pytest.raises(ValueError, match=r"alpha is .*; accepted: a positive number"):
            architectures.mobilenet_v2(alpha=alpha)


def code_lines(source):
    """Count the lines that hold code: no blank ones, comments or docstrings."""
    skipped = set()
    for node in ast.walk(ast.parse(source)):
        documented = isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
        if documented and ast.get_docstring(node) is not None:
            skipped |= set(range(node.body[0].lineno, node.body[0].end_lineno + 1))
    blank = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT}
    lines = set()
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type not in blank | {tokenize.ENDMARKER}:
            lines |= set(range(token.start[0], token.end[0] + 1))
    return len(lines - skipped)


def test_all_networks_are_short_enough_to_read():
    assert code_lines('"""Text."""\n\n# note\nx = [\n    1,  # one\n]\n') == 3
    folders = ("architectures", "layers")
    files = [path for folder in folders for path in (PACKAGE / folder).glob("*.py")]
    total = sum(code_lines(path.read_text(encoding="utf-8")) for path in files)
    assert len(files) > 20 and total < 1500, total


def test_every_layer_is_registered():
    from cnncourse import layers

    for name in layers.__all__:
        assert keras.saving.get_registered_name(getattr(layers, name)) == f"cnncourse>{name}"
