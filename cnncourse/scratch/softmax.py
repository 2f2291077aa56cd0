"""Softmax and the cross-entropy loss, with their gradients.

Source: Bridle (1990), Probabilistic interpretation of feedforward classification network outputs,
in Neurocomputing, Springer; Goodfellow, Bengio & Courville (2016), Deep Learning, MIT Press,
section 6.2.2.
"""

import numpy as np
from cnncourse.scratch.windows import floats, same_shape


def softmax(logits):
    """Turn scores into probabilities: exp(z_k) / Σ_j exp(z_j), over the last axis.

    The largest score is first taken away from all, which changes no quotient and keeps `exp` from
    overflowing.

    Args:
        logits: scores, (classes,) or (n, classes).

    Returns:
        Probabilities, shaped like the scores and in their float type; integers become float32.

    Raises:
        ValueError: if `logits` are not numeric, are empty or have another rank.

    >>> softmax([2.0, 1.0, 0.1]).round(4)
    array([0.659 , 0.2424, 0.0986])
    """
    return np.exp(_log_softmax(floats("logits", logits, "classes", "n classes")))


def softmax_backward(grad, logits):
    """Return the gradient of a loss through `softmax`: p_k · (grad_k − Σ_j grad_j p_j).

    Args:
        grad: gradient of the loss for the probabilities, shaped like them.
        logits: the scores that went in.

    Raises:
        ValueError: as in `softmax`, or if `grad` does not have the shape of `logits`.
    """
    p = softmax(logits)
    grad = floats("grad", grad, "classes", "n classes").astype(p.dtype, copy=False)
    same_shape("grad", grad, p.shape)
    return p * (grad - (grad * p).sum(axis=-1, keepdims=True))


def softmax_cross_entropy(logits, labels):
    """Return the mean cross-entropy of a batch, and its gradient for the scores.

    The loss of an example is −log p of its true class. Softmax and logarithm are taken together,
    so that a probability too small to be stored still has a loss. The gradient is simple too:
    the probabilities, less 1 at the true class, divided by the number of examples.

    Args:
        logits: scores, (n, classes).
        labels: true classes, (n,), integers from 0 to classes − 1.

    Returns:
        (loss, grad): a number, and an array (n, classes), both in the scores' float type.

    Raises:
        ValueError: if an array is not numeric, is empty or has a wrong shape, or a label is no
            class.

    >>> loss, grad = softmax_cross_entropy([[2.0, 1.0, 0.1]], [0])
    >>> float(loss.round(4)), grad.round(4).tolist()
    (0.417, [[-0.341, 0.2424, 0.0986]])
    """
    logits = floats("logits", logits, "n classes")
    labels = _labels(labels, logits)
    n, log_p = len(logits), _log_softmax(logits)
    loss = -log_p[np.arange(n), labels].mean(dtype=np.float64)
    grad = np.exp(log_p)
    grad[np.arange(n), labels] -= 1
    return logits.dtype.type(loss), grad / n


def _log_softmax(logits):
    """Return log p, shifted so that the largest score is 0."""
    shifted = logits - logits.max(axis=-1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))


def _labels(labels, logits):
    """Return the labels as an array, once they are known to be classes of these scores."""
    labels, (n, classes) = np.asarray(labels), logits.shape
    if labels.dtype.kind not in "iu":
        raise ValueError(f"labels hold {labels.dtype}; accepted: integers")
    same_shape("labels", labels, (n,))
    if labels.min() < 0 or labels.max() >= classes:
        raise ValueError(
            f"labels run from {labels.min()} to {labels.max()}; accepted: 0 to {classes - 1}"
        )
    return labels
