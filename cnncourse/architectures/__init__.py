"""The networks that the course names, each to be read beside its paper's table.

Every constructor has the same arguments:

* `input_shape`: (height, width, channels) of an image; None for a side that varies, where the
  network allows it.
* `classes`: numbers that the last layer gives.
* `include_top`: False leaves out what comes after the last map: pooling and dense layers.
* `weights`: None (random values), the path of a `.weights.h5` file, or "imagenet" where Keras has
  such weights (see `pretrained.py`). A file is checked by the hash in Keras' source; only those of
  `mobilenet` and `mobilenet_v2` are taken as they come, since Keras has no hash for them.
* `classifier_activation`: of the last layer; None gives logits.
* `name`: of the model.

Names of layers are those of `keras.applications`, so that `copy_weights` fits ours to theirs.

>>> list_architectures()[:2]
['alexnet', 'csp_densenet']
>>> build("resnet18", classes=10, input_shape=(64, 64, 3)).output_shape
(None, 10)
"""

from cnncourse.architectures.alexnet import alexnet, zfnet
from cnncourse.architectures.cspnet import csp_densenet, csp_resnet50
from cnncourse.architectures.densenet import densenet121, densenet169, densenet201
from cnncourse.architectures.efficientnet import (
    efficientnet_b0,
    efficientnet_b1,
    efficientnet_b2,
    efficientnet_b3,
    efficientnet_b4,
    efficientnet_b5,
    efficientnet_b6,
    efficientnet_b7,
)
from cnncourse.architectures.fashion_cnn import fashion_cnn
from cnncourse.architectures.googlenet import googlenet
from cnncourse.architectures.inception import inception_resnet_v2, inception_v3, inception_v4
from cnncourse.architectures.lenet import lenet5
from cnncourse.architectures.mobilenet import mobilenet
from cnncourse.architectures.mobilenet_v2 import mobilenet_v2
from cnncourse.architectures.resnet import (
    resnet18,
    resnet34,
    resnet50,
    resnet101,
    resnet152,
    resnext50,
)
from cnncourse.architectures.resnet_v2 import resnet50_v2
from cnncourse.architectures.senet import se_googlenet, se_resnet50
from cnncourse.architectures.vgg import vgg16, vgg19
from cnncourse.architectures.weights import copy_weights
from cnncourse.architectures.xception import xception

_FAMILIES = (
    (lenet5, alexnet, zfnet, fashion_cnn),
    (googlenet, inception_v3, inception_v4, inception_resnet_v2),
    (csp_densenet, csp_resnet50),
    (densenet121, densenet169, densenet201),
    (efficientnet_b0, efficientnet_b1, efficientnet_b2, efficientnet_b3),
    (efficientnet_b4, efficientnet_b5, efficientnet_b6, efficientnet_b7),
    (mobilenet, mobilenet_v2),
    (resnet18, resnet34, resnet50, resnet101, resnet152, resnet50_v2, resnext50),
    (se_googlenet, se_resnet50),
    (vgg16, vgg19, xception),
)
_CONSTRUCTORS = {network.__name__: network for family in _FAMILIES for network in family}

__all__ = ["build", "copy_weights", "list_architectures", *_CONSTRUCTORS]


def list_architectures() -> list[str]:
    """Return the names that `build` accepts, in alphabetical order."""
    return sorted(_CONSTRUCTORS)


def build(name, /, **kwargs):
    """Return the network of that name; `kwargs` are the arguments of its constructor.

    Raises:
        ValueError: if there is no such network.
    """
    if name not in _CONSTRUCTORS:
        raise ValueError(f"name is {name!r}; accepted: {', '.join(list_architectures())}")
    return _CONSTRUCTORS[name](**kwargs)
