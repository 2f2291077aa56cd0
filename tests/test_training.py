"""The training kit: order of the data, augmentation, schedules, precision, balance, devices."""

import json
import os
import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf
from cnncourse import training
from cnncourse.training import precision
from fake_gpus import BACKENDS, pretend
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

IMAGES = np.arange(10, dtype="float32").reshape(10, 1, 1, 1)
LABELS = np.arange(10)


@pytest.fixture(params=["tensorflow", "torch"])
def backend(request, monkeypatch):
    """Let `pipeline` choose as it would on a backend; both kinds of data run on TensorFlow."""
    monkeypatch.setattr(keras.backend, "backend", lambda: request.param)
    return request.param


def order(data):
    """Return the labels of one pass, and check that the images go with them."""
    batches = [data[i] for i in range(len(data))] if hasattr(data, "__getitem__") else list(data)
    if hasattr(data, "on_epoch_end"):
        data.on_epoch_end()
    images = np.concatenate([images for images, _ in batches])
    labels = np.concatenate([labels for _, labels in batches])
    np.testing.assert_array_equal(images.ravel(), labels)
    return labels.tolist()


@settings(
    max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.integers(1, 12), st.integers(0, 5), st.integers(0, 5))
def test_order_depends_on_seed_and_epoch_alone(backend, batch_size, seed, epoch):
    expected = np.random.default_rng((seed, epoch)).permutation(10).tolist()
    one_by_one = training.pipeline(IMAGES, LABELS, batch_size, seed=seed)
    orders = [order(one_by_one) for _ in range(epoch + 1)]
    assert orders[-1] == expected
    jumped = training.pipeline(IMAGES, LABELS, batch_size, seed=seed)
    jumped.epochs.start(epoch)
    assert order(jumped) == expected
    assert len(jumped) == -(-10 // batch_size)


def test_fit_sees_the_epoch_that_was_set():
    """The order in which `fit` asks for images, by way of what an augmenting function sees."""
    seen = []

    def note(images):
        tf.py_function(lambda x: seen.append(int(x[0])), [tf.reshape(images, [-1])], [])
        return images

    data = training.pipeline(IMAGES, LABELS, 1, augment=note)
    network = keras.Sequential([keras.Input((1, 1, 1)), keras.layers.Flatten()])
    network.compile("sgd", "mse")

    class Start(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            data.epochs.start(epoch)
            seen.clear()

        def on_epoch_end(self, epoch, logs=None):
            expected = np.random.default_rng((0, epoch)).permutation(10).tolist()
            assert seen == expected

    history = network.fit(
        data, epochs=7, initial_epoch=4, verbose=0, shuffle=False, callbacks=[Start()]
    )
    assert history.epoch == [4, 5, 6]


def test_epochs_differ_and_shuffling_can_be_left_out(backend):
    shuffled = training.pipeline(IMAGES, LABELS, 4)
    assert order(shuffled) != order(shuffled)
    plain = training.pipeline(IMAGES, LABELS, 4, shuffle=False)
    assert order(plain) == order(plain) == list(range(10))
    assert len(plain) == 3


def test_autotuning_is_off():
    assert training.pipeline(IMAGES, LABELS).options().autotune.enabled is False


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"labels": LABELS[:3]}, "images has 10 and labels 3 entries; accepted"),
        ({"images": IMAGES[:0], "labels": LABELS[:0]}, "images has 0 and labels 0"),
        ({"batch_size": 0}, "batch_size is 0; accepted"),
        ({"seed": -1}, "seed is -1; accepted"),
        ({"seed": 1.5}, "seed is 1.5; accepted"),
        ({"augment": "flip"}, "augment is 'flip'; accepted: a function of a batch"),
    ],
)
def test_pipeline_explains_what_is_wrong(arguments, message):
    with pytest.raises(ValueError, match=message):
        training.pipeline(**{"images": IMAGES, "labels": LABELS, **arguments})


def noise(count=64, size=12):
    return np.random.default_rng(0).uniform(-1, 1, (count, size, size, 1)).astype("float32")


def test_augmented_pictures_depend_on_seed_and_epoch():
    images = noise()

    def passes(*epochs, seed=1):
        alter = training.augmenter((-1, 1), flip=True, rotation=20, zoom=0.1, seed=3)
        data = training.pipeline(images, np.zeros(64), 16, augment=alter, seed=seed)
        seen = []
        for epoch in epochs:
            data.epochs.start(epoch)
            order = np.random.default_rng((seed, epoch)).permutation(64)
            seen.append(np.empty_like(images))
            seen[-1][order] = np.concatenate([batch for batch, _ in data])
        return seen

    def differing(some, others):
        return (np.abs(some - others).mean((1, 2, 3)) > 0.05).sum()

    first, second = passes(0, 1)
    (again,) = passes(1)
    np.testing.assert_array_equal(second, again)
    (otherwise,) = passes(0, seed=2)
    for changed in (first, second, otherwise):
        assert differing(changed, images) > 60
    assert differing(first, second) > 60 and differing(first, otherwise) > 60


def test_a_function_may_augment():
    data = training.pipeline(IMAGES, LABELS, augment=lambda images: images + 0.5, shuffle=False)
    assert next(iter(data))[0].numpy().ravel().tolist() == [i + 0.5 for i in range(10)]


def test_contrast_keeps_the_range_of_the_values():
    """Keras' default range, 0 to 255, sets half of a −1…1 image to 0; ours does not."""
    images = noise()
    ours = np.array(training.augmenter((-1, 1), contrast=0.5)(images, training=True))
    default = np.array(keras.layers.RandomContrast(0.5, seed=4)(images, training=True))
    assert (default == 0).mean() > 0.4
    assert (ours == 0).mean() < 0.01
    assert ours.min() >= -1 and ours.max() <= 1
    means = images.mean((1, 2, 3), keepdims=True)
    factors = (ours - means) / (images - means)
    inside = (np.abs(ours) < 1) & (np.abs(images - means) > 0.1)
    for image in range(len(images)):  # one factor per picture, within the asked amount
        kept = factors[image][inside[image]]
        assert np.ptp(kept) < 1e-3
        assert 0.5 - 1e-3 <= kept.mean() <= 1.5 + 1e-3


def test_augmenter_flips_half_of_the_images_and_nothing_outside_training():
    images = noise(200)
    alter = training.augmenter((-1, 1), flip=True, seed=5)
    altered = np.array(alter(images, training=True))
    mirrored = (altered == images[:, :, ::-1]).all((1, 2, 3))
    same = (altered == images).all((1, 2, 3))
    assert (mirrored | same).all()
    assert 60 < mirrored.sum() < 140
    np.testing.assert_array_equal(np.array(alter(images, training=False)), images)


@pytest.mark.parametrize("change", [{"rotation": 90}, {"shift": 0.5}, {"zoom": 0.5}])
def test_outside_is_filled_with_the_lowest_value(change):
    images = np.ones((32, 12, 12, 1), "float32")
    altered = np.array(training.augmenter((-1, 1), **change)(images, training=True))
    assert altered.min() == -1
    assert not np.allclose(altered, images)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (((1, 0),), r"value_range is \(1, 0\); accepted"),
        ((255,), "value_range is 255; accepted"),
        (((0, 1), True, 200), "rotation is 200; accepted: from 0 to 180"),
        (((0, 1), True, 0, -0.1), "shift is -0.1; accepted"),
        (((0, 1),), "every change is off; accepted"),
        (((0, 1), "vertical"), "flip is 'vertical'; accepted: True or False"),
        (((0, 1), True, 0, 0, 0, 0, None), "seed is None; accepted: a non-negative integer"),
    ],
)
def test_augmenter_explains_what_is_wrong(arguments, message):
    with pytest.raises(ValueError, match=message):
        training.augmenter(*arguments)


@pytest.mark.parametrize(("steps", "warmup"), [(100, 0.1), (57, 0.3), (40, 0)])
def test_warmup_cosine_is_the_formula(steps, warmup):
    schedule = training.warmup_cosine(0.5, steps, warmup)
    climb = int(warmup * steps)
    for step in range(steps + 1):
        progress = (step - climb) / (steps - climb)
        cosine = 0.5 * (1 + np.cos(np.pi * progress)) / 2
        expected = 0.5 * step / climb if step < climb else cosine
        assert float(schedule(step)) == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((0, 10), "peak is 0; accepted"),
        ((1, 0), "steps is 0; accepted"),
        ((1, 10, 1), "warmup is 1; accepted"),
    ],
)
def test_warmup_cosine_explains_what_is_wrong(arguments, message):
    with pytest.raises(ValueError, match=message):
        training.warmup_cosine(*arguments)


@pytest.mark.parametrize(
    ("capability", "flags", "expected"),
    [
        (None, {"avx2"}, "float32"),
        (None, {"avx512f"}, "float32"),
        (None, {"avx512_bf16"}, "mixed_bfloat16"),
        (None, {"amx_bf16"}, "mixed_bfloat16"),
        ((9, 0), {"amx_bf16"}, "mixed_bfloat16"),
        ((8, 0), set(), "mixed_bfloat16"),
        ((7, 5), {"amx_bf16"}, "mixed_float16"),
        ((6, 1), {"amx_bf16"}, "float32"),
    ],
)
def test_precision_fits_the_machine(monkeypatch, capsys, capability, flags, expected):
    monkeypatch.setattr(precision, "_gpu_capability", lambda: capability)
    monkeypatch.setattr(precision, "_processor_flags", lambda: flags)
    try:
        assert training.set_precision() == expected
        assert keras.config.dtype_policy().name == expected
        assert capsys.readouterr().out.startswith(f"precision: {expected} (")
    finally:
        keras.config.set_dtype_policy("float32")


@pytest.mark.parametrize("backend", BACKENDS)
def test_every_backend_tells_the_gpus_capability(monkeypatch, backend):
    pretend(monkeypatch, backend, gpu=True)
    assert precision._gpu_capability() == (9, 0)
    pretend(monkeypatch, backend, gpu=False)
    assert precision._gpu_capability() is None


def test_precision_on_this_machine_and_by_name(capsys):
    try:
        assert training.set_precision("auto") in precision.POLICIES
        assert training.set_precision("mixed_float16") == "mixed_float16"
        assert keras.layers.Dense(1).compute_dtype == "float16"
    finally:
        keras.config.set_dtype_policy("float32")
    with pytest.raises(ValueError, match="policy is 'float64'; accepted: 'auto' or one of"):
        training.set_precision("float64")
    assert "as asked" in capsys.readouterr().out


@settings(max_examples=20, deadline=None)
@given(st.lists(st.integers(0, 4), min_size=1, max_size=40), st.integers(0, 9))
def test_class_weights_and_oversampling_make_classes_equal(labels, seed):
    weights = training.class_weights(labels)
    counts = {c: labels.count(c) for c in set(labels)}
    assert weights == pytest.approx({c: len(labels) / (len(counts) * n) for c, n in counts.items()})
    assert sum(weights[c] for c in labels) == pytest.approx(len(labels))

    chosen = training.oversample(labels, seed)
    assert set(chosen.tolist()) == set(range(len(labels)))
    drawn = np.array(labels)[chosen].tolist()
    assert {c: drawn.count(c) for c in counts} == dict.fromkeys(counts, max(counts.values()))
    for c in counts:
        times = [chosen.tolist().count(i) for i, label in enumerate(labels) if label == c]
        assert max(times) - min(times) <= 1


def test_class_weights_of_the_flowers():
    counts = [898, 633, 799, 699, 641]
    weights = training.class_weights(np.repeat(np.arange(5), counts))
    assert [round(w, 3) for w in weights.values()] == [0.817, 1.160, 0.919, 1.050, 1.145]


@pytest.mark.parametrize("labels", [[], [[0], [1]], [0.5, 1.0], ["a"]])
def test_balance_explains_what_is_wrong(labels):
    for function in (training.class_weights, training.oversample):
        with pytest.raises(ValueError, match=r"labels has shape .* accepted"):
            function(labels)


def on_a_segment(x, features, neighbours):
    """Tell whether a point lies between some instance and one of its nearest neighbours."""
    for a in features:
        near = sorted(features, key=lambda b: ((a - b) ** 2).sum())[1 : neighbours + 1]
        for b in near:
            u = (x - a) @ (b - a) / ((b - a) @ (b - a))
            if 0 <= u <= 1 and np.allclose(a + u * (b - a), x):
                return True
    return False


@settings(max_examples=20, deadline=None)
@given(st.integers(2, 12), st.integers(1, 5), st.integers(1, 11), st.integers(0, 9))
def test_smote_is_between_an_instance_and_a_near_neighbour(n, d, neighbours, seed):
    neighbours = min(neighbours, n - 1)
    features = np.random.default_rng(seed).normal(size=(n, d))
    made = training.smote(features, 7, neighbours, seed)
    assert made.shape == (7, d)
    assert all(on_a_segment(x, features, neighbours) for x in made)


def test_smote_explains_what_is_wrong():
    features = np.zeros((3, 2))
    for arguments, message in [
        ((np.zeros(3), 1), r"features has shape \(3,\); accepted"),
        ((features[:1], 1), r"features has shape \(1, 2\); accepted"),
        ((features, 0), "count is 0; accepted"),
        ((features, 1, 3), "neighbours is 3; accepted: up to 2"),
        ((features, 1, 2, -1), "seed is -1; accepted: a non-negative integer"),
    ]:
        with pytest.raises(ValueError, match=message):
            training.smote(*arguments)


TWO_DEVICES = """
import sys
import numpy as np, keras, tensorflow as tf
from cnncourse import training
devices, path = int(sys.argv[1]), sys.argv[2]
cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
x, y = np.random.default_rng(0).normal(size=(48, 8, 8, 1)).astype("float32"), np.arange(48) % 3

def trained(epochs, seed):
    keras.utils.set_random_seed(seed)
    network = keras.Sequential([keras.Input((8, 8, 1)), keras.layers.Conv2D(4, 3),
        keras.layers.Flatten(), keras.layers.Dense(3)])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    network.compile(keras.optimizers.SGD(0.1, momentum=0.9), loss)
    data = training.pipeline(x, y, 16)
    checkpoint = training.Checkpoint(path, data)
    start = checkpoint.restore(network)
    network.fit(data, epochs=epochs, initial_epoch=start, verbose=0, shuffle=False,
        callbacks=[checkpoint])
    return network

with training.data_parallel([f"cpu:{i}" for i in range(devices)]) as count:
    if devices == 2:
        trained(1, seed=0)  # the second one goes on from there: its seed must not matter
    network = trained(2, seed=99 if devices == 2 else 0)
print(count, *np.concatenate([w.ravel() for w in network.get_weights()]).astype(str))
"""


@pytest.mark.slow
def test_two_devices_resumed_do_what_one_does(tmp_path):
    """Two logical devices on the CPU, each with half of a batch, end with one device's weights."""
    results = []
    for devices in (1, 2):
        path = str(tmp_path / f"{devices}.npz")
        command = [sys.executable, "-c", TWO_DEVICES, str(devices), path]
        done = subprocess.run(command, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr[-2000:]
        count, *weights = done.stdout.split()
        assert int(count) == devices
        results.append(np.array(weights, float))
    assert len(results[0]) == 4 * 10 + 144 * 3 + 3
    np.testing.assert_allclose(*results, atol=1e-5)


ON_JAX = """
import json, sys
import cnncourse
cnncourse.setup()
import keras, numpy as np
from cnncourse import training
layers = keras.layers
folder = sys.argv[1]
x, y = np.random.default_rng(0).uniform(-1, 1, (48, 8, 8, 1)).astype("float32"), np.arange(48) % 3

def trained(name, epochs, seed=0):
    keras.utils.set_random_seed(seed)
    network = keras.Sequential([keras.Input((8, 8, 1)), layers.Conv2D(4, 3, use_bias=False),
        layers.BatchNormalization(), layers.Flatten(), layers.Dropout(0.5), layers.Dense(3)])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    network.compile(keras.optimizers.Adam(0.01, use_ema=True), loss, steps_per_execution=2)
    alter = training.augmenter((-1, 1), flip=True)
    data = training.pipeline(x, y, 16, augment=alter, seed=1)
    checkpoint = training.Checkpoint(f"{folder}/{name}.npz", data)
    start = checkpoint.restore(network)
    network.fit(data, epochs=epochs, initial_epoch=start, verbose=0, shuffle=False,
        callbacks=[checkpoint])
    weights = np.concatenate([w.ravel() for w in network.get_weights()]).tolist()
    places = len(network.trainable_variables[0].value.sharding.device_set)
    return {"start": start, "devices": places, "loss": checkpoint.log["loss"], "weights": weights}

runs = {"one": trained("one", 2)}
with training.data_parallel() as count:
    runs["two"] = trained("two", 2)
    trained("cut", 1)
    runs["resumed"] = trained("cut", 2, seed=99)
assert count == 2 and keras.distribution.distribution() is None
print(json.dumps(runs))
"""


@pytest.mark.slow
def test_jax_on_two_devices_and_resumed_does_what_one_does(tmp_path):
    """Two simulated devices. The resumed run is seeded differently: the file must have it all."""
    flags = "--xla_force_host_platform_device_count=2"
    environment = os.environ | {"KERAS_BACKEND": "jax", "JAX_PLATFORMS": "cpu", "XLA_FLAGS": flags}
    done = subprocess.run(
        [sys.executable, "-c", ON_JAX, str(tmp_path)],
        capture_output=True,
        text=True,
        env=environment,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stderr == ""  # `setup` keeps TensorFlow's log aside here, too
    runs = json.loads(done.stdout.splitlines()[-1])
    assert [run["devices"] for run in runs.values()] == [1, 2, 2]
    assert [run["start"] for run in runs.values()] == [0, 0, 1]
    assert len(runs["one"]["loss"]) == 2 and runs["one"]["loss"][0] != runs["one"]["loss"][1]
    for name in ("two", "resumed"):
        for what in ("loss", "weights"):
            np.testing.assert_allclose(runs[name][what], runs["one"][what], atol=1e-5)
    np.testing.assert_array_equal(runs["resumed"]["weights"], runs["two"]["weights"])


@pytest.mark.parametrize("devices", ["cpu:0", [], 2])
def test_data_parallel_refuses_what_is_no_list(devices):
    with pytest.raises(ValueError, match=r"devices is .*; accepted: a list of names, or None"):
        training.data_parallel(devices).__enter__()


def test_data_parallel_refuses_pytorch(monkeypatch):
    monkeypatch.setattr(keras.backend, "backend", lambda: "torch")
    with (
        pytest.raises(ValueError, match="Keras runs on 'torch'; accepted: 'tensorflow' or 'jax'"),
        training.data_parallel(),
    ):
        tf.no_op()
