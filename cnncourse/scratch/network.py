"""A whole network in NumPy: forwards, backwards, and a step of gradient descent.

Each line of `forward` calls one operation of this package; each line of `backward` takes one of
them back, in the opposite order. That is all there is to back-propagation.

Source: Rumelhart, Hinton & Williams (1986), Learning representations by back-propagating errors,
Nature 323; He et al. (2015), Delving deep into rectifiers, ICCV, for the initial weights.
"""

import math

import numpy as np
from cnncourse.scratch.conv import conv2d, conv2d_backward
from cnncourse.scratch.dense import dense, dense_backward
from cnncourse.scratch.pool import max_pool2d, max_pool2d_backward
from cnncourse.scratch.relu import relu, relu_backward
from cnncourse.scratch.softmax import softmax_cross_entropy
from cnncourse.scratch.windows import number

# Kernel and biases of two convolutions, then of the dense layer, in the order that Keras lists.
SHAPES = ((3, 3, 1, 8), (8,), (3, 3, 8, 16), (16,), (64, 10), (10,))


class SmallCNN:
    """Ten scores for images of 8×8 pixels: convolution, ReLU and max pooling, twice, then dense.

    Args:
        seed: of the initial weights.

    Attributes:
        weights: six arrays, shaped as in `SHAPES`; a Keras network with the same layers takes
            them in `set_weights`. They begin in float32; a step with float64 images makes them
            float64.

    >>> images, labels = np.ones((2, 8, 8, 1), "float32"), np.array([3, 3])
    >>> net = SmallCNN()
    >>> first, second = net.step(images, labels, rate=0.1), net.step(images, labels, rate=0.1)
    >>> bool(second < first)
    True
    """

    def __init__(self, seed=0):
        """See the class."""
        random = np.random.default_rng(seed)
        self.weights = [_initial(shape, random) for shape in SHAPES]

    def forward(self, x):
        """Return the scores of images (n, 8, 8, 1), and all that `backward` will need of the way.

        Raises:
            ValueError: if the images have another shape or are not numeric.
        """
        if np.shape(x)[1:] != (8, 8, 1):
            raise ValueError(f"x has shape {np.shape(x)}; accepted: (n, 8, 8, 1)")
        w1, b1, w2, b2, w3, b3 = self.weights
        z1 = conv2d(x, w1, b1, padding="same")  # (n, 8, 8, 8)
        a1 = relu(z1)
        p1 = max_pool2d(a1)  # (n, 4, 4, 8)
        z2 = conv2d(p1, w2, b2, padding="same")  # (n, 4, 4, 16)
        a2 = relu(z2)
        p2 = max_pool2d(a2)  # (n, 2, 2, 16)
        flat = p2.reshape(len(p2), -1)  # (n, 64)
        return dense(flat, w3, b3), (x, z1, a1, p1, z2, a2, p2, flat)

    def backward(self, grad, kept):
        """Return the gradient of the loss for each weight, from its gradient for the scores.

        Args:
            grad: (n, 10).
            kept: the second thing that `forward` returned.
        """
        x, z1, a1, p1, z2, a2, p2, flat = kept
        w1, _, w2, _, w3, _ = self.weights
        grad, dw3, db3 = dense_backward(grad, flat, w3)
        grad = max_pool2d_backward(grad.reshape(p2.shape), a2)
        grad = relu_backward(grad, z2)
        grad, dw2, db2 = conv2d_backward(grad, p1, w2, padding="same")
        grad = max_pool2d_backward(grad, a1)
        grad = relu_backward(grad, z1)
        _, dw1, db1 = conv2d_backward(grad, x, w1, padding="same")
        return [dw1, db1, dw2, db2, dw3, db3]

    def step(self, x, labels, rate):
        """Take one step of gradient descent on a mini-batch; return its loss before the step.

        Args:
            x: images, (n, 8, 8, 1).
            labels: their classes, (n,), integers from 0 to 9.
            rate: the learning rate, above 0.

        Raises:
            ValueError: if an argument is not accepted.
        """
        rate = number("rate", rate, "a number above 0", lambda r: 0 < r < math.inf)
        scores, kept = self.forward(x)
        loss, grad = softmax_cross_entropy(scores, labels)
        gradients = self.backward(grad, kept)
        self.weights = [w - rate * g for w, g in zip(self.weights, gradients, strict=True)]
        return loss


def _initial(shape, random):
    """Return zeros for biases; for kernels, random numbers that keep the scale of what goes in."""
    if len(shape) == 1:
        return np.zeros(shape, "float32")
    inputs = math.prod(shape[:-1])  # of one output
    return random.normal(0, math.sqrt(2 / inputs), shape).astype("float32")
