"""Networks of threshold units, as they were before gradients: the perceptron and MADALINE.

A unit says yes where a weighted sum of its inputs is positive. Sources: Rosenblatt (1958) for the
perceptron; Widrow and Lehr (1990) for MADALINE and its first rule of learning.
"""

import numpy as np
from cnncourse.scratch.windows import positive_int


def threshold_vote(x: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Let threshold units vote; the majority decides.

    Args:
        x: inputs, (number, features).
        weights: (features + 1,) for one unit or (features + 1, units); the last row is the bias.

    Returns:
        int64 array (number,): 1 where more than half of the units say yes, else 0.

    >>> threshold_vote(np.array([[0, 0], [0, 1], [1, 0], [1, 1]]), np.array([1, 1, -1.5]))
    array([0, 0, 0, 1])
    """
    weights = np.asarray(weights)
    answers = x @ weights[:-1] + weights[-1] > 0
    share = answers if answers.ndim == 1 else answers.mean(axis=1)
    return (share > 0.5).astype(np.int64)


def train_perceptron(
    x: np.ndarray, y: np.ndarray, epochs: int, seed: int = 0
) -> tuple[np.ndarray, float]:
    """Train one threshold unit: after each wrong answer, add or subtract the input.

    Args:
        x: inputs, (number, features).
        y: labels 0 or 1, (number,).
        epochs: passes over the examples, each in an order of its own; a positive integer.
        seed: of these orders.

    Returns:
        The weights, float64 (features + 1,), bias last, and the share of right answers on `x`.

    Raises:
        ValueError: if a label is neither 0 nor 1, there are no inputs, or a shape or `epochs` is
            not as above.
    """
    inputs, signs = _prepare(x, y)
    epochs = positive_int("epochs", epochs)
    weights = np.zeros(inputs.shape[1])
    rng = np.random.default_rng(seed)
    for _ in range(epochs):
        for i in rng.permutation(len(inputs)):
            if signs[i] * (inputs[i] @ weights) <= 0:
                weights += signs[i] * inputs[i]
    return weights, float((threshold_vote(x, weights) == y).mean())


def train_madaline(
    x: np.ndarray, y: np.ndarray, units: int = 9, epochs: int = 20, seed: int = 0
) -> tuple[np.ndarray, float]:
    """Train threshold units that vote, by MADALINE's first rule: disturb as little as possible.

    After a wrong vote, as many units as the majority lacks are moved half-way towards the right
    answer: those whose sums were nearest to the threshold.

    Args:
        x: inputs, (number, features).
        y: labels 0 or 1, (number,).
        units: how many vote; odd, so that there is no tie.
        epochs: passes over the examples, each in an order of its own; a positive integer.
        seed: of the first weights and of these orders.

    Returns:
        The weights, float64 (features + 1, units), biases last, and the share of right answers.

    Raises:
        ValueError: if `units` is even, a label is neither 0 nor 1, there are no inputs, or a shape
            or `epochs` is not as above.
    """
    if units < 1 or units % 2 == 0:
        raise ValueError(f"units is {units}; accepted: an odd number")
    inputs, signs = _prepare(x, y)
    epochs = positive_int("epochs", epochs)
    rng = np.random.default_rng(seed)
    weights = rng.normal(0, inputs.shape[1] ** -0.5, (inputs.shape[1], units))
    lengths = (inputs**2).sum(axis=1)
    for _ in range(epochs):
        for i in rng.permutation(len(inputs)):
            sums = inputs[i] @ weights
            against = np.flatnonzero(sums * signs[i] <= 0)
            lacking = len(against) - units // 2
            if lacking > 0:
                nearest = against[np.argsort(np.abs(sums[against]))[:lacking]]
                step = 0.5 * (signs[i] - sums[nearest]) / lengths[i]
                weights[:, nearest] += np.outer(inputs[i], step)
    return weights, float((threshold_vote(x, weights) == y).mean())


def _prepare(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the inputs with a 1 for the bias appended, and labels as −1 and 1."""
    x, y = np.asarray(x, float), np.asarray(y)
    if x.ndim != 2 or not len(x):
        raise ValueError(f"x has shape {x.shape}; accepted: (number, features), at least one input")
    if y.shape != (len(x),):
        raise ValueError(f"y has shape {y.shape}; accepted: ({len(x)},), a label for each input")
    if not np.isin(y, (0, 1)).all():
        raise ValueError(f"y holds {sorted(set(y.tolist()) - {0, 1})}; accepted: 0 and 1")
    return np.column_stack([x, np.ones(len(x))]), 2 * y.astype(float) - 1
