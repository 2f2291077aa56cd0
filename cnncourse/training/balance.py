"""Rare classes: weigh them, draw them more often, or (with features) invent more of them.

`class_weights` changes the loss, `oversample` the data; together with augmentation, a repeated
image is not quite the same image. Use one of the two, not both. SMOTE is a third thing and often
misnamed: it does not alter images, it interpolates between neighbours in a space of features.
"""

import numpy as np
from cnncourse.scratch.windows import non_negative_int, positive_int
from scipy.spatial.distance import cdist


def class_weights(labels):
    """Return {class: n / (K · n_c)} for `fit(class_weight=…)`: all K classes count the same.

    Averaged over the n images the weight is 1, so the loss keeps its size.

    Args:
        labels: (n,) class numbers.

    >>> class_weights([0, 0, 0, 1])
    {0: 0.6666666666666666, 1: 2.0}
    """
    labels = _labels(labels)
    classes, counts = np.unique(labels, return_counts=True)
    weights = len(labels) / (len(classes) * counts)
    return dict(zip(classes.tolist(), weights.tolist(), strict=True))


def oversample(labels, seed=0):
    """Return indices with which every class comes as often as the most frequent one.

    Every image is kept; images of rarer classes are repeated, each as often as the others of its
    class, give or take one, the odd ones at random. Use it on training data only, after the split:
    copies on both sides of a split would test what was learnt by heart.

    Args:
        labels: (n,) class numbers.
        seed: non-negative integer.

    Returns:
        (K · largest count,) indices, in random order: `images[chosen], labels[chosen]`.

    >>> np.unique(np.array([7, 7, 7, 9])[oversample([7, 7, 7, 9])], return_counts=True)
    (array([7, 9]), array([3, 3]))
    """
    labels = _labels(labels)
    random = np.random.default_rng(non_negative_int("seed", seed))
    members = [np.flatnonzero(labels == c) for c in np.unique(labels)]
    most = max(len(indices) for indices in members)
    # np.resize repeats the shuffled indices from the start until there are enough.
    chosen = [np.resize(random.permutation(indices), most) for indices in members]
    return random.permutation(np.concatenate(chosen))


def smote(features, count, neighbours=5, seed=0):
    """Return new instances of one rare class, each between an instance and a near neighbour.

    A new one is a + u · (b − a): a an instance, b one of its nearest neighbours in the class, u
    uniform from 0 to 1. Between two photographs that is a double exposure, so features are where
    it belongs: measurements, or what a trained network says before its last layer.

    Args:
        features: (n, d), the instances of the rare class, at least 2.
        count: how many to make.
        neighbours: how many nearest neighbours b is drawn from, at most n − 1.
        seed: non-negative integer.

    Returns:
        (count, d).

    Source:
        Chawla et al. (2002), SMOTE: Synthetic Minority Over-sampling Technique.
    """
    features = np.asarray(features)
    if features.ndim != 2 or len(features) < 2:
        raise ValueError(f"features has shape {features.shape}; accepted: (n, d), n at least 2")
    count, neighbours = positive_int("count", count), positive_int("neighbours", neighbours)
    if neighbours >= len(features):
        raise ValueError(f"neighbours is {neighbours}; accepted: up to {len(features) - 1}")
    random = np.random.default_rng(non_negative_int("seed", seed))
    distances = cdist(features, features)  # (n, n)
    np.fill_diagonal(distances, np.inf)  # nobody is their own neighbour
    nearest = np.argsort(distances)[:, :neighbours]
    a = random.integers(len(features), size=count)
    b = nearest[a, random.integers(neighbours, size=count)]
    return features[a] + random.random((count, 1)) * (features[b] - features[a])


def _labels(labels):
    labels = np.asarray(labels)
    if labels.ndim != 1 or not len(labels) or labels.dtype.kind not in "iu":
        raise ValueError(
            f"labels has shape {labels.shape} and dtype {labels.dtype}; accepted: (n,) whole "
            "numbers, at least one"
        )
    return labels
