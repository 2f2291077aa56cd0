"""Dropout, in the two ways to make up for the missing activations, and its backward pass.

With a drop rate r a unit is kept with probability p = 1 − r, so on average a share p of the signal
arrives. Training and prediction must agree on its size. Classic dropout leaves training alone and
multiplies by p at prediction. Inverted dropout, as in Keras, divides by p in training, and
prediction needs nothing at all.

Source: Srivastava et al. (2014), Dropout: a simple way to prevent neural networks from
overfitting, JMLR 15:1929–1958.
"""

import numpy as np
from cnncourse.scratch.windows import floats, number, same_shape


def dropout(x, rate, rng):
    """Switch off a random share of the units and divide the others by 1 − rate (inverted).

    In training only: at prediction x goes through as it is.

    Args:
        x: activations of any shape.
        rate: probability of a unit to be dropped, from 0 to below 1.
        rng: a NumPy generator, such as `np.random.default_rng(0)`.

    Returns:
        (y, mask): y = x · mask; the mask, shaped like x, holds 0 and 1 / (1 − rate). Keep it for
        `dropout_backward`.

    Raises:
        ValueError: if `x` is not numeric or is empty, `rate` is out of range or `rng` is no
            generator.

    >>> y, mask = dropout(np.ones(1000), rate=0.3, rng=np.random.default_rng(0))
    >>> np.unique(y).round(4).tolist()
    [0.0, 1.4286]
    """
    x, rate = floats("x", x), _rate(rate)
    mask = _draw(x, rate, rng) / (1 - rate)
    return x * mask, mask


def dropout_classic(x, rate, rng):
    """Switch off a random share of the units and leave the others as they are, in training.

    At prediction `dropout_classic_inference` takes its place. Arguments, result and errors are
    those of `dropout`, but the mask holds 0 and 1.
    """
    x, rate = floats("x", x), _rate(rate)
    mask = _draw(x, rate, rng)
    return x * mask, mask


def dropout_classic_inference(x, rate):
    """Multiply the activations by the probability to be kept, 1 − rate, at prediction.

    Args:
        x: activations of any shape.
        rate: the rate used in training.

    Raises:
        ValueError: as in `dropout`.

    >>> dropout_classic_inference([10.0], rate=0.3)
    array([7.])
    """
    return floats("x", x) * (1 - _rate(rate))


def dropout_backward(grad, mask):
    """Return the gradient dx of a loss through `dropout` or `dropout_classic`: grad · mask.

    Nothing was learnt on the way in, so there is no other gradient.

    Args:
        grad: gradient of the loss for the output.
        mask: the mask that came with the output, shaped like it.

    Raises:
        ValueError: if an array is not numeric or is empty, or the shapes differ.
    """
    mask = floats("mask", mask)
    grad = floats("grad", grad).astype(mask.dtype, copy=False)
    same_shape("grad", grad, mask.shape)
    return grad * mask


def _draw(x, rate, rng):
    """Return zeros, with probability `rate`, and ones in the shape of `x`."""
    if not isinstance(rng, np.random.Generator):
        raise ValueError(
            f"rng is {rng!r}; accepted: a NumPy generator, such as np.random.default_rng(0)"
        )
    return (rng.random(x.shape) >= rate).astype(x.dtype)


def _rate(rate):
    """Return the drop rate as a float, or raise."""
    return number("rate", rate, "a number from 0 to below 1", lambda r: 0 <= r < 1)
