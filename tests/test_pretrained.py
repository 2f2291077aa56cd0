"""ImageNet weights: the right file, its hash, the mirror, and the same network as Keras'."""

import importlib
import inspect
import os
import re
from pathlib import Path

import keras
import numpy as np
import parity
import pytest
from cnncourse import architectures, datasets
from cnncourse.architectures import pretrained
from cnncourse.architectures.weights import weights_by_name

MIRROR = os.environ.get("CNNCOURSE_DATA")


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """Let Keras keep its files in a folder of the test's own."""
    monkeypatch.setattr(keras.src.backend.config, "_KERAS_DIR", str(tmp_path))
    return tmp_path


@pytest.fixture
def requests(monkeypatch):
    """Note what would be downloaded, by us and by Keras, instead of doing it."""
    asked = []

    def get_file(fname, origin, cache_subdir, file_hash=None):
        asked.append((fname, origin, cache_subdir, file_hash))
        raise ConnectionError("not in a test")

    monkeypatch.setattr(keras.utils, "get_file", get_file)
    monkeypatch.setattr(keras.src.utils.file_utils, "get_file", get_file)
    monkeypatch.delenv("CNNCOURSE_DATA", raising=False)
    return asked


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("vgg16", {"include_top": False}),
        ("resnet50_v2", {"include_top": False}),
        ("xception", {}),
        ("efficientnet_b0", {"include_top": False}),
        ("mobilenet", {"alpha": 0.75}),
        ("mobilenet", {"alpha": 1.0, "input_shape": (160, 160, 3), "include_top": False}),
        ("mobilenet_v2", {"alpha": 1.0, "input_shape": (96, 96, 3)}),
        ("mobilenet_v2", {"alpha": 0.35, "include_top": False, "input_shape": (100, 90, 3)}),
    ],
)
@pytest.mark.filterwarnings("ignore:.input_shape. is undefined or non-square")
def test_asks_for_what_keras_asks_for(name, options, requests):
    with pytest.raises(OSError, match="could not be fetched"):
        architectures.build(name, weights="imagenet", **options)
    with pytest.raises(ConnectionError):
        getattr(keras.applications, pretrained.REFERENCES[name][0])(weights="imagenet", **options)
    ours, theirs = requests
    assert ours == theirs


def hashes_of_keras():
    """Return {file's name: md5}: from Keras' tables, or from its calls that fetch a file."""
    found = {}
    for module in ("densenet", "inception_resnet_v2", "inception_v3", "vgg16", "vgg19", "xception"):
        source = inspect.getsource(importlib.import_module(f"keras.src.applications.{module}"))
        source = re.sub(r'"\s+"', "", source)  # a long name may be in two pieces
        found |= re.findall(r'"([\w.]+\.h5)"[^"]*"models"[^"]*file_hash="(\w{32})"', source)
    for module, name in (
        ("resnet", "{}_weights_tf_dim_ordering_tf_kernels"),
        ("efficientnet", "efficientnet{}"),
    ):
        table = importlib.import_module(f"keras.src.applications.{module}").WEIGHTS_HASHES
        for key, (with_top, without) in table.items():
            found[f"{name.format(key)}.h5"] = with_top
            found[f"{name.format(key)}_notop.h5"] = without
    return found


def test_every_hash_is_the_one_that_keras_has_for_that_file():
    ours = {}
    for name in pretrained.HASHES:
        for include_top in (True, False):
            file, md5 = pretrained.official_file(name, (224, 224, 3), include_top)
            ours[file.rpartition("/")[2]] = md5
    theirs = hashes_of_keras()
    assert len(ours) == 2 * len(pretrained.HASHES) == 40
    assert ours == {file: theirs.get(file) for file in ours}
    assert set(pretrained.REFERENCES) == set(pretrained.HASHES) | set(pretrained.ALPHAS)


def test_offline_it_says_so_in_one_sentence(requests):
    with pytest.raises(OSError) as caught:
        architectures.mobilenet(weights="imagenet")
    assert str(caught.value) == (
        "The ImageNet weights of mobilenet are not on this computer and could not be fetched "
        "(not in a test): go online, or let CNNCOURSE_DATA name a folder that has "
        "keras/models/mobilenet_1_0_224_tf.h5"
    )


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("resnet50", {"classes": 10}, r"classes is 10; accepted with weights='imagenet' and incl"),
        ("resnet50", {"input_shape": (200, 200, 3)}, r"input_shape is \(200, .*: \(224, 224, 3\)"),
        ("xception", {"input_shape": (224, 224, 3)}, r"input_shape is .*: \(299, 299, 3\)"),
        ("vgg16", {"include_top": False, "input_shape": (64, 64, 1)}, r"accepted .*width, 3\)"),
        ("efficientnet_b1", {"classifier_activation": "relu"}, r"activation is 'relu'; accepted"),
        ("vgg16", {"include_top": False, "input_shape": 64}, r"is 64; accepted .*width, 3\)"),
        ("mobilenet", {"alpha": 0.6}, r"alpha is 0\.6; accepted .*: 0\.25, 0\.5, 0\.75, 1"),
        ("mobilenet", {"input_shape": (96, 96, 3)}, r"input_shape is \(96, 96, 3\); accepted"),
    ],
)
def test_what_does_not_fit_the_file_is_refused_before_any_work(name, options, message, requests):
    with pytest.raises(ValueError, match=message):
        architectures.build(name, weights="imagenet", **options)
    assert requests == []


@pytest.mark.parametrize("name", ["efficientnet_b0", "mobilenet_v2"])
def test_same_network_as_keras_makes_of_the_file(name, tmp_path, monkeypatch):
    reference = getattr(keras.applications, pretrained.REFERENCES[name][0])
    arguments = {"include_top": False, "input_shape": (96, 96, 3)}
    path = tmp_path / "forged.h5"  # the old format, as Keras' files have it
    parity.randomise(reference(weights=None, **arguments), (96, 96)).save(path)
    for place in (keras.utils, keras.src.utils.file_utils):
        monkeypatch.setattr(place, "get_file", lambda *args, **kwargs: str(path))
    arguments["weights"] = "imagenet"
    expected, ours = reference(**arguments), architectures.build(name, **arguments)
    batch = parity.images(96, 96)
    if name == "efficientnet_b0":  # the scale is applied elsewhere; deeper maps enlarge rounding

        def stem(model):
            return keras.Model(model.input, model.get_layer("stem_activation").output)

        assert parity.error(stem(ours), stem(expected), batch) < parity.TOLERANCE
        theirs = weights_by_name(expected)
        for key, (_, weight) in weights_by_name(ours).items():
            same = np.array_equal(weight, theirs[key][1])
            assert same != (key == "normalization_variance"), key
    else:
        assert parity.error(ours, expected, batch) < parity.TOLERANCE
    # The weights are all there is to it: they come back from a file of ours.
    ours.save_weights(tmp_path / "ours.weights.h5")
    arguments["weights"] = tmp_path / "ours.weights.h5"
    again = architectures.build(name, **arguments)
    np.testing.assert_array_equal(again(batch), ours(batch))


def test_a_file_from_the_mirror_is_checked(cache, monkeypatch):
    folder = cache / "mirror" / "keras" / "models"
    folder.mkdir(parents=True)
    file = "resnet50_weights_tf_dim_ordering_tf_kernels_notop.h5"
    (folder / file).write_text("not the weights")
    monkeypatch.setenv("CNNCOURSE_DATA", str(cache / "mirror"))
    with pytest.raises(OSError, match=r"resnet50 .* could not be fetched \(Incomplete or corrupt"):
        architectures.resnet50(weights="imagenet", include_top=False)


@pytest.mark.skipif(not MIRROR, reason="CNNCOURSE_DATA is unset: no real weights")
def test_mobilenet_sees_a_palace(cache):
    network = architectures.mobilenet(alpha=0.75, weights="imagenet")
    assert (cache / "models" / "mobilenet_7_5_224_tf.h5").is_file()
    middle = datasets.sample_photos()[:1, :, 106:533].astype("float32")
    china = keras.ops.image.resize(middle, (224, 224), antialias=True)
    probabilities = np.asarray(network(china / 127.5 - 1))[0]
    assert probabilities.argmax() == 698  # ImageNet's palace
    assert probabilities.max() == pytest.approx(0.66, abs=0.03)


@pytest.mark.skipif(not MIRROR, reason="CNNCOURSE_DATA is unset: no real weights")
def test_mobilenet_without_its_top(cache):
    network = architectures.mobilenet(
        alpha=0.75, weights="imagenet", include_top=False, input_shape=(224, 224, 3)
    )
    path = Path(MIRROR, "keras", "models", "mobilenet_7_5_224_tf_no_top.h5")
    reference = keras.applications.MobileNet(alpha=0.75, weights=None, include_top=False)
    reference.load_weights(path)
    batch = datasets.sample_photos()[:, :224, :224].astype("float32") / 127.5 - 1
    assert parity.error(network, reference, batch) < parity.TOLERANCE
