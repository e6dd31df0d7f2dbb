"""The affine map of a dense layer."""

import numpy as np

from numba_cnn.backends.reference.relu import gated


def dense(x, weight, bias, relu, y):
    """x @ weight, then the bias, then ReLU where asked for."""
    np.matmul(x, weight, out=y)
    if bias is not None:
        y += bias
    if relu:
        y *= ~(y <= 0)


def dense_backward_input(dy, y, weight, dx):
    """The gradient of dense with respect to x."""
    np.matmul(gated(dy, y), weight.T, out=dx)


def dense_backward_weight(dy, y, x, dweight, dbias):
    """The gradients of dense with respect to its weight and its bias."""
    dy = gated(dy, y)
    np.matmul(x.T, dy, out=dweight)
    dbias[...] = dy.sum(0)
