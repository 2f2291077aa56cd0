"""cost.py against hand counts, the sizes real layers give, and TensorFlow's own profiler."""

import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf
from cnncourse import cost
from cnncourse.layers import DepthPool
from hypothesis import given, settings
from hypothesis import strategies as st
from keras import layers

LENET_C5 = [(5, 1), (2, 2), (5, 1), (2, 2), (5, 1)]
ALEXNET_S8 = [(11, 4), (3, 2), (5, 1), (3, 2), (3, 1), (3, 1), (3, 1), (3, 2)]
VGG16 = [layer for convs in (2, 2, 3, 3, 3) for layer in [(3, 1)] * convs + [(2, 2)]]


@pytest.mark.parametrize(
    ("stack", "expected"),
    [
        ([], (1, 1)),
        ([(3, 1)] * 2, (5, 1)),
        ([(3, 1)] * 3, (7, 1)),
        (LENET_C5, (32, 4)),
        (ALEXNET_S8, (195, 32)),
        (VGG16, (212, 32)),
    ],
)
def test_receptive_fields_of_the_chapters(stack, expected):
    assert cost.receptive_field(stack) == expected


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.integers(1, 4), st.integers(1, 2), st.integers(1, 2)), max_size=3))
def test_receptive_field_is_where_the_gradient_reaches(stack):
    """One neuron's gradient is nonzero from its first pixel to its last; its neighbour's is on."""
    size, jump = cost.receptive_field(stack)
    signal = tf.Variable(np.ones((1, size + jump, 1)))
    reach = []
    for neuron in (0, 1):
        with tf.GradientTape() as tape:
            z = signal
            for kernel, stride, dilation in stack:
                z = tf.nn.convolution(z, np.ones((kernel, 1, 1)), dilations=dilation)[:, ::stride]
            output = z[0, neuron, 0]
        reach.append(np.flatnonzero(tape.gradient(output, signal)[0, :, 0]))
    assert (reach[0][0], reach[0][-1]) == (0, size - 1)
    assert reach[1][0] == jump


@pytest.mark.parametrize("bad", [(3,), (3, 1, 1, 1), (3, 0), (2.5, 1), 3, "33"])
def test_receptive_field_explains_what_is_wrong(bad):
    with pytest.raises(ValueError, match=r"layers (holds|is) .*accepted"):
        cost.receptive_field([(3, 1), bad])


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ((13, 6, 5, "valid"), 2),
        ((13, 6, 5, "SAME"), 3),
        ((7, 3), 5),
        ((7, 3, 2), 3),
        ((7, 3, 3), 2),
        ((36, 5), 32),
        ((227, 11, 4), 55),
        ((9, 3, 1, "valid", 4), 1),
    ],
)
def test_output_sizes_of_the_chapters(arguments, expected):
    assert cost.output_size(*arguments) == expected


def test_same_padding_of_the_chapters():
    assert cost.same_padding(13, 6, 5) == (1, 2)
    assert cost.same_padding(70, 7, 2) == cost.same_padding(120, 7, 2) == (2, 3)
    assert cost.same_padding(8, 1, 2) == (0, 0)
    assert cost.same_padding(5, 3, 2) == cost.same_padding(7, 3, 2) == (1, 1)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((0, 3), "size is 0; accepted: a positive integer"),
        ((5, -3), "kernel_size is -3"),
        ((5, 3, 0), "strides is 0"),
        ((5, 3, 1, "full"), "padding is 'full'"),
        ((5, 3, 1, "valid", 1.5), "dilation is 1.5"),
        ((True, 1), "size is True"),
        ((5, 6), "the window covers 6 pixels but size is 5"),
    ],
)
def test_output_size_explains_what_is_wrong(arguments, message):
    with pytest.raises(ValueError, match=message):
        cost.output_size(*arguments)


def test_the_first_layer_of_the_chapter():
    conv = layers.Conv2D(32, kernel_size=7)
    conv(np.zeros((2, 70, 120, 3)))
    assert cost.parameters(conv) == 4736
    assert cost.macs(conv) == 64 * 114 * 32 * 147
    assert cost.activation_bytes(conv, batch_size=2) == 2 * 64 * 114 * 32 * 4


def test_the_example_of_memory_and_compute():
    """150 × 100 RGB, 200 filters 5×5: 15,200 parameters, 225 M products, 12 MB."""
    conv = layers.Conv2D(200, 5, padding="same")
    conv.build((None, None, None, 3))
    assert cost.parameters(conv) == 15_200
    assert cost.macs(conv, (150, 100, 3)) == 225_000_000
    assert cost.activation_bytes(conv, (150, 100, 3)) == 12_000_000
    assert cost.activation_bytes(conv, (150, 100, 3), batch_size=100) == 1_200_000_000
    half = layers.Conv2D(200, 5, padding="same", dtype="float16")
    half.build((None, 150, 100, 3))
    assert cost.activation_bytes(half, batch_size=100) == 600_000_000


def test_three_strided_layers():
    """Maps of 6.0, 3.0 and 1.52 MB; 903,400 parameters."""
    model = keras.Sequential([keras.Input((200, 300, 3))])
    for maps in (100, 200, 400):
        model.add(layers.Conv2D(maps, 3, strides=2, padding="same"))
    assert cost.parameters(model) == 903_400
    assert cost.activation_bytes(model) == 6_000_000 + 3_000_000 + 1_520_000


def test_vgg16():
    """138,357,544 parameters; 15.5 G products, counted here from the paper's table."""
    model = keras.Sequential([keras.Input((224, 224, 3))])
    expected, size, channels, outputs = 0, 224, 3, 0
    for convs, maps in zip((2, 2, 3, 3, 3), (64, 128, 256, 512, 512), strict=True):
        for _ in range(convs):
            model.add(layers.Conv2D(maps, 3, padding="same", kernel_initializer="zeros"))
            expected += size**2 * 9 * channels * maps
            outputs += size**2 * maps
            channels = maps
        model.add(layers.MaxPool2D())
        size //= 2
        outputs += size**2 * maps
    model.add(layers.Flatten())
    for units, inputs in ((4096, 49 * 512), (4096, 4096), (1000, 4096)):
        model.add(layers.Dense(units, kernel_initializer="zeros"))
        expected += inputs * units
        outputs += units
    assert cost.parameters(model) == 138_357_544
    assert cost.macs(model) == expected == 15_470_264_320
    assert cost.activation_bytes(model) == 4 * (outputs + 49 * 512)


LAYERS = {
    "conv1d": (layers.Conv1D(5, 3, strides=2), (20, 4), 9 * 3 * 4 * 5),
    "conv2d, same": (layers.Conv2D(5, 3, padding="same"), (6, 7, 4), 42 * 9 * 4 * 5),
    "conv2d, groups": (layers.Conv2D(6, 3, groups=2), (5, 5, 4), 9 * 9 * 2 * 6),
    "conv2d, dilated": (layers.Conv2D(5, 3, dilation_rate=2), (7, 7, 4), 9 * 9 * 4 * 5),
    "conv3d": (layers.Conv3D(2, 3), (5, 5, 5, 1), 27 * 27 * 2),
    "depthwise": (layers.DepthwiseConv2D(3, depth_multiplier=2), (5, 5, 4), 9 * 9 * 4 * 2),
    "depthwise1d": (layers.DepthwiseConv1D(3), (5, 4), 3 * 3 * 4),
    "separable": (layers.SeparableConv2D(8, 3), (5, 5, 4), 9 * (9 * 4 + 4 * 8)),
    "separable1d": (layers.SeparableConv1D(8, 3), (5, 4), 3 * (3 * 4 + 4 * 8)),
    "transpose": (layers.Conv2DTranspose(3, 4, strides=2), (5, 6, 2), 30 * 2 * 16 * 3),
    "dense": (layers.Dense(7), (11,), 77),
    "dense on maps": (layers.Dense(7), (3, 3, 11), 9 * 77),
    "pooling": (layers.MaxPool2D(), (4, 4, 3), 0),
    "batch norm": (layers.BatchNormalization(), (4, 4, 3), 0),
    "depth pool": (DepthPool(3), (4, 4, 3), 0),
}


@pytest.mark.parametrize("name", LAYERS)
def test_macs_of_each_kind_of_layer(name):
    layer, shape, expected = LAYERS[name]
    y = layer(np.zeros((2, *shape), "float32"))
    assert cost.macs(layer, shape) == expected
    assert cost.activation_bytes(layer, shape, batch_size=2) == 4 * np.size(y)


class Residual(layers.Layer):
    """Two convolutions in a list and an addition: the kind of layer a course writes."""

    def __init__(self):
        super().__init__()
        self.parts = [layers.Conv2D(4, 3, padding="same"), layers.ReLU(), layers.Conv2D(4, 1)]

    def call(self, inputs):
        z = inputs
        for part in self.parts:
            z = part(z)
        return z + inputs


class Subclassed(keras.Model):
    def __init__(self):
        super().__init__()
        self.block, self.head = Residual(), layers.Dense(3)

    def call(self, inputs):
        return self.head(self.block(inputs))


def test_layers_and_models_made_of_others_count_as_their_parts():
    model = Subclassed()
    model(np.zeros((1, 5, 5, 4)))
    assert cost.macs(model) == 25 * (9 * 16 + 16 + 12)
    assert cost.activation_bytes(model) == 4 * 25 * (4 + 4 + 4 + 3)


def test_a_shared_layer_counts_once_per_call_and_nesting_does_not_matter():
    conv = layers.Conv2D(4, 1)
    inner = keras.Sequential([keras.Input((None, None, 4)), conv, layers.ReLU()])
    a, b = keras.Input((8, 8, 4)), keras.Input((None, None, 4))
    model = keras.Model([a, b], [inner(a), inner(b), conv(a)])
    shapes = [(8, 8, 4), (4, 4, 4)]
    assert cost.parameters(model) == 20
    assert cost.macs(model, shapes) == (64 + 16 + 64) * 16
    assert cost.activation_bytes(model, shapes) == 4 * 4 * (2 * 64 + 2 * 16 + 64)
    with pytest.raises(ValueError, match=r"input_shape is None and .* was built for"):
        cost.macs(model)
    with pytest.raises(ValueError, match="accepted: 2 shapes, one for each input"):
        cost.macs(model, (8, 8, 4))


def test_inputs_by_name():
    inputs = {name: keras.Input((n,), name=name) for name, n in (("left", 3), ("right", 4))}
    joined = layers.Concatenate()([inputs["left"], layers.Dense(2)(inputs["right"])])
    assert cost.macs(keras.Model(inputs, layers.Dense(6)(joined))) == 4 * 2 + 5 * 6


def test_the_layers_of_a_model_add_up_to_the_model():
    inputs = keras.Input((12, 12, 3))
    maps = layers.MaxPool2D()(layers.Conv2D(4, 3, activation="relu")(inputs))
    model = keras.Model(inputs, layers.Dense(2)(layers.Flatten()(maps)))
    for count in (cost.parameters, cost.macs, cost.activation_bytes):
        assert count(model) == sum(count(layer) for layer in model.layers) > 0


def test_a_mixed_network_equals_tensorflows_profiler():
    """An independent count: the float operations of the traced graph, two per product."""
    model = keras.Sequential(
        [
            keras.Input((16, 16, 3)),
            layers.Conv2D(8, 3, strides=2, padding="same", use_bias=False),
            layers.DepthwiseConv2D(3, use_bias=False),
            layers.Conv2D(6, 1, use_bias=False),
            layers.Flatten(),
            layers.Dense(10, use_bias=False),
        ]
    )
    graph = tf.function(model).get_concrete_function(tf.TensorSpec((1, 16, 16, 3))).graph
    options = tf.compat.v1.profiler.ProfileOptionBuilder.float_operation()
    options["output"] = "none"
    flops = tf.compat.v1.profiler.profile(graph, options=options).total_float_ops
    assert cost.macs(model) * 2 == flops


def test_mixed_precision_counts_each_output_in_its_own_format():
    model = keras.Sequential(
        [keras.Input((8,)), layers.Dense(4, dtype="mixed_float16"), layers.Dense(2)]
    )
    assert cost.activation_bytes(model) == 4 * 2 + 2 * 4


def test_counting_leaves_the_model_as_it_was():
    model = keras.Sequential([layers.BatchNormalization(), layers.Conv2D(2, 3), layers.ReLU()])
    model.build((None, None, None, 1))
    call, weights = keras.layers.Layer.__call__, model.get_weights()
    nodes = len(model.layers[0]._inbound_nodes)
    cost.macs(model, (4, 4, 1))
    with pytest.raises(ValueError, match="Negative dimension"):  # in the middle of it
        cost.macs(model, (2, 2, 1))
    assert keras.layers.Layer.__call__ is call
    assert len(model.layers[0]._inbound_nodes) == nodes
    for before, after in zip(weights, model.get_weights(), strict=True):
        np.testing.assert_array_equal(before, after)


@pytest.mark.parametrize(
    ("layer", "shape"),
    [
        (layers.LSTM(3), (4, 2)),
        (layers.TimeDistributed(layers.Dense(3)), (4, 2)),
        (layers.EinsumDense("ab,bc->ac", 3), (2,)),
    ],
)
def test_macs_refuses_what_it_cannot_count(layer, shape):
    outputs = np.size(layer(np.zeros((1, *shape), "float32")))
    with pytest.raises(ValueError, match=f"does not know how .*{layer.name}.* multiplies"):
        cost.macs(layer)
    assert cost.activation_bytes(layer) == 4 * outputs


@pytest.mark.parametrize("function", [cost.parameters, cost.macs, cost.activation_bytes])
def test_what_is_not_a_built_layer_is_refused(function):
    with pytest.raises(ValueError, match="has no weights yet; accepted: a built layer"):
        function(layers.Dense(3))
    with pytest.raises(ValueError, match="layer_or_model is 'Dense'; accepted: a Keras layer"):
        function("Dense")


def test_unknown_and_wrong_sizes_are_refused():
    conv = layers.Conv2D(2, 3)
    conv.build((None, None, None, 3))
    with pytest.raises(ValueError, match="accepted: the shape of one instance, every size known"):
        cost.macs(conv)
    with pytest.raises(ValueError, match="input_shape is 0"):
        cost.macs(conv, (0, 5, 3))
    with pytest.raises(ValueError, match="batch_size is 0"):
        cost.activation_bytes(conv, (5, 5, 3), batch_size=0)
    with pytest.raises(ValueError, match="input_shape is 5"):
        cost.macs(conv, 5)


def test_a_shape_that_the_network_cannot_read_is_refused():
    image, pooling = keras.Input((8, 8, 3)), layers.MaxPooling2D()
    pooling.build((None, 8, 8, 3))
    conv, dense = layers.Conv2D(4, 3), layers.Dense(2)
    functional = keras.Model(image, dense(layers.Flatten()(conv(image))))
    open_size = keras.Sequential([keras.Input((None, None, 3)), layers.Conv2D(4, 3)])
    for network, shape in [
        (functional, (8, 8, 4)),
        (functional, (9, 9, 3)),
        (functional, (8, 8)),
        (keras.Sequential(functional.layers), (9, 9, 3)),
        (open_size, (8, 8, 5)),
        (conv, (8, 8, 4)),
        (dense, (145,)),
        (pooling, (8, 8)),
    ]:
        with pytest.raises(ValueError, match=r"was built for .* accepted: as many axes, as many"):
            cost.macs(network, shape)
    # A layer by itself slides over images of any size.
    assert cost.macs(conv, (9, 9, 3)) == 7 * 7 * 4 * 27 == cost.macs(open_size, (9, 9, 3))
    assert cost.macs(dense, (5, 144)) == 5 * 144 * 2


def test_importing_cost_and_scratch_does_not_load_keras():
    code = (
        "import sys, cnncourse.cost, cnncourse.scratch;"
        "sys.exit(any(m in sys.modules for m in ('keras', 'tensorflow', 'matplotlib')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
