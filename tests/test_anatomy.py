"""Steps and stages of networks: their sums against `cost`, fields against neurons' answers."""

import math
from itertools import pairwise

import keras
import numpy as np
import pytest
import stage_tables
import tensorflow as tf
from cnncourse import anatomy, architectures, cost
from cnncourse.layers import InvertedResidual, ResidualUnit
from keras import layers

NETWORKS = {
    "vgg16": lambda: architectures.vgg16(),
    "resnet34": lambda: architectures.resnet34(),
    "resnet50_v2": lambda: architectures.resnet50_v2(),
    "inception_v3": lambda: keras.applications.InceptionV3(weights=None),
    "mobilenet_v2": lambda: keras.applications.MobileNetV2(weights=None),
    "efficientnet_b0": lambda: keras.applications.EfficientNetB0(weights=None),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_steps_and_stages_add_up(name):
    model = NETWORKS[name]()
    steps, stages = anatomy.steps(model), anatomy.stages(model)
    for parts in (steps, stages):
        assert sum(part.parameters for part in parts) == cost.parameters(model)
        assert sum(part.macs for part in parts) == cost.macs(model)
    assert sum(len(stage.steps) for stage in stages) == len(steps)
    assert steps[-1].shape == model.output_shape[1:]
    assert stages[-1].name == "head"
    shapes = [stage.shape for stage in stages[:-1]]
    assert all(shape != after for shape, after in pairwise(shapes)), "a stage has a shape"
    sides = [shape[0] for shape in shapes]
    assert sides == sorted(sides, reverse=True)
    if model.name in stage_tables.TABLES:  # keras.applications', whose units are loose layers
        expected = [row[1:] for row in stage_tables.TABLES[model.name]]
        assert [row[1:] for row in stage_tables.rows(stages)] == expected


def test_the_stages_of_resnet50_are_the_papers():
    stages = anatomy.stages(architectures.resnet50())
    assert [(s.name, s.shape, s.contents.get("Conv2D", 0)) for s in stages] == [
        ("conv1", (112, 112, 64), 1),
        ("conv2", (56, 56, 256), 10),
        ("conv3", (28, 28, 512), 13),
        ("conv4", (14, 14, 1024), 19),
        ("conv5", (7, 7, 2048), 10),
        ("head", (1000,), 0),
    ]
    # Araujo et al. 2019, Computing Receptive Fields of Convolutional Neural Networks, table 1
    assert stages[4].fields[0].size == 483
    assert anatomy.stages(NETWORKS["inception_v3"]())[-2].fields[0].size == 1311


def sight(model, side):
    """Light one row or column of the image after the other: which ones does one neuron answer?"""
    rows = np.zeros((side, side, side, model.input_shape[-1]), "float32")
    rows[np.arange(side), np.arange(side)] = 1
    answers = []
    for images in (rows, rows.swapaxes(1, 2)):
        maps = np.asarray(model(images, training=False))
        row, column = maps.shape[1] // 2, maps.shape[2] // 2
        lit = np.flatnonzero(maps[:, row, column].sum(-1))
        answers.append((lit[0], lit[-1]))
    return (row, column), *answers


def a_positive(model):
    """Give all kernels positive weights, so that no two products cancel."""
    rng = np.random.default_rng(0)
    for weight in model.weights:
        if weight.path.endswith("kernel"):
            weight.assign(rng.uniform(0.5, 1, weight.shape) / math.prod(weight.shape[:-1]))
    return model


def chain(*parts):
    inputs = keras.Input((64, 64, 2))
    x = inputs
    for part in parts:
        x = part(x)
    return a_positive(keras.Model(inputs, x))


BLOCKS = {
    "valid": lambda: chain(layers.Conv2D(3, 5, strides=2), layers.Conv2D(3, 3)),
    "same, even": lambda: chain(layers.Conv2D(3, 4, 2, padding="same"), layers.AveragePooling2D(3)),
    "dilated": lambda: chain(layers.Conv2D(3, (3, 5), dilation_rate=(3, 2), padding="same")),
    "padded": lambda: chain(layers.ZeroPadding2D(((3, 1), (2, 0))), layers.DepthwiseConv2D(3, 2)),
    "cropped": lambda: chain(layers.Cropping2D(((3, 1), (2, 0))), layers.SeparableConv2D(3, 3)),
    "residual": lambda: chain(
        ResidualUnit(4, strides=2), layers.Conv2D(3, 3, padding="same"), ResidualUnit(6, strides=2)
    ),
}


@pytest.mark.parametrize("name", BLOCKS)
def test_fields_are_what_neurons_answer_to(name):
    model = BLOCKS[name]()
    last = anatomy.steps(model)[-1]
    neuron, *seen = sight(model, 64)
    for axis in (0, 1):
        first, end = last.fields[axis].of(neuron[axis])
        assert (max(first, 0), min(end, 63)) == tuple(seen[axis])


def test_a_gate_does_not_widen_the_field_and_stays_in_its_stage():
    inputs = keras.Input((16, 16, 4))
    maps = layers.Conv2D(8, 3, strides=2, padding="same")(inputs)
    gate = layers.Dense(8, "sigmoid")(layers.GlobalAveragePooling2D(keepdims=True)(maps))
    model = keras.Model(inputs, layers.Multiply()([maps, gate]))
    (stage,) = anatomy.stages(model)
    assert len(stage.steps) == 4
    assert stage.fields[0].size == 3


def test_units_are_not_cut():
    """The expanded maps inside make no row; nor do loose layers between a fork and its join."""
    inputs = keras.Input((32, 32, 3))
    x = InvertedResidual(16, expansion=1)(layers.Conv2D(8, 3, padding="same")(inputs))
    x = InvertedResidual(24, 2, expansion=6)(x)
    skip = layers.Conv2D(32, 1, strides=2)(x)
    x = layers.Conv2D(48, 3, padding="same")(x)
    x = layers.Conv2D(32, 3, strides=2, padding="same")(x)
    model = keras.Model(inputs, layers.ReLU()(layers.Add()([x, skip])))
    rows = [(32, 8), (32, 16), (16, 24), (8, 32)]
    expected = [(f"stage {i}", *row) for i, row in enumerate(rows, 1)]
    assert stage_tables.rows(anatomy.stages(model)) == expected
    outside = keras.Sequential([keras.Input((32, 32, 3)), model, layers.Flatten()])
    assert stage_tables.rows(anatomy.stages(outside)) == expected, "a model is no unit"


def test_rows_of_a_learners_own_network():
    depthwise = [layers.DepthwiseConv2D(3, 2), layers.BatchNormalization(), layers.ReLU()]
    own = [
        *(layers.Rescaling(1 / 255), layers.Conv2D(8, 3), layers.ReLU(), layers.Dropout(0.1)),
        *(layers.MaxPooling2D(), layers.BatchNormalization(), layers.Conv2D(16, 3, name="mine")),
        *(*depthwise, layers.Conv2D(32, 1, name="last1"), layers.AveragePooling2D(2)),
        *(layers.Flatten(), layers.Dense(3)),
    ]
    stages = anatomy.stages(keras.Sequential([keras.Input((32, 32, 3)), *own]))
    assert [(s.name, s.shape, len(s.steps)) for s in stages] == [
        ("stage 1", (30, 30, 8), 4),
        ("mine", (13, 13, 16), 3),
        ("last1", (6, 6, 32), 4),
        ("pooling", (3, 3, 32), 1),
        ("head", (3,), 2),
    ]


def test_a_network_that_shrinks_and_grows_again_has_rows_for_both():
    inputs = keras.Input((16, 16, 1))
    wide = layers.Conv2D(8, 3, padding="same")(inputs)
    x = layers.Conv2D(16, 3, padding="same")(layers.MaxPooling2D()(wide))
    x = layers.Concatenate()([wide, layers.UpSampling2D()(x)])
    model = keras.Model(inputs, layers.Conv2D(4, 3, padding="same")(x))
    rows = [row[1:] for row in stage_tables.rows(anatomy.stages(model))]
    assert rows == [(16, 8), (8, 16), (16, 4)]


def test_auxiliary_heads_belong_to_the_head():
    model = architectures.googlenet(input_shape=(96, 96, 3), classes=7, auxiliary=True)
    stages = anatomy.stages(model)
    names = [name for name, *_ in stage_tables.TABLES["googlenet"]]
    assert [stage.name for stage in stages] == [*names, "head"]
    assert sum(stage.parameters for stage in stages) == model.count_params()


def test_composite_layers_are_followed_and_shared_ones_counted_once():
    shared = layers.Conv2D(2, 3, padding="same")
    model = chain(shared, ResidualUnit(2), shared)
    steps = anatomy.steps(model)
    assert [s.kind for s in steps if "Conv" in s.kind] == ["Conv2D"] * 4
    assert [s.kind for s in steps].count("Add") == 1
    assert sum(s.parameters for s in steps) == model.count_params()
    assert steps[0].macs == steps[-1].macs > 0
    assert steps[-1].parameters == 0


class Opaque(layers.Layer):
    """Its `call` needs numbers, so it cannot run on shapes."""

    def __init__(self):
        super().__init__()
        self.conv = layers.Conv2D(3, 3)

    def build(self, shape):
        self.conv.build(shape)

    def call(self, x):
        return self.conv(tf.identity(x))

    def compute_output_shape(self, shape):
        return self.conv.compute_output_shape(shape)


def test_a_layer_that_cannot_be_followed_stays_one_step():
    model = keras.Sequential([keras.Input((9, 9, 2)), Opaque()])
    (step,) = anatomy.steps(model)
    assert (step.kind, step.shape, step.parameters, step.fields) == ("Opaque", (7, 7, 3), 57, None)
    assert step.macs == 7 * 7 * 3 * 3 * 3 * 2


def test_the_network_is_left_as_it_was():
    model = architectures.resnet18(input_shape=(32, 32, 3), classes=4)
    before = [len(layer._inbound_nodes) for layer in model._flatten_layers()]
    anatomy.stages(model)
    assert [len(layer._inbound_nodes) for layer in model._flatten_layers()] == before
    assert model.layers[1].output is not None
    assert model(np.zeros((1, 32, 32, 3))).shape == (1, 4)


def test_what_is_refused():
    with pytest.raises(ValueError, match="accepted: a Keras layer or model"):
        anatomy.steps("vgg16")
    two = keras.Model(inputs := [keras.Input((4,)), keras.Input((4,))], layers.Add()(inputs))
    with pytest.raises(ValueError, match="several inputs"):
        anatomy.steps(two)
    with pytest.raises(ValueError, match="input_shape is None"):
        anatomy.stages(architectures.vgg16(input_shape=(None, None, 3), include_top=False))
