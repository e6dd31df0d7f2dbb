"""Convolution and the 2x2 max pooling of its output."""

import numpy as np

from numba_cnn import shapes
from numba_cnn.backends.reference.conv2d import (
    conv2d,
    conv2d_backward_input,
    conv2d_backward_weight,
)
from numba_cnn.backends.reference.max_pool2d import max_pool2d, max_pool2d_backward
from numba_cnn.backends.reference.relu import gated


def conv2d_max_pool2d(x, weight, bias, g, relu, algorithm, y, argmax):
    """conv2d, then the maximum of each 2x2 of its output, whose extents are even; no more than that is stored."""
    g, pool = shapes.pooled(g)
    whole = np.empty(g.y, y.dtype)
    conv2d(x, weight, bias, g, relu, algorithm, whole)
    max_pool2d(whole, pool, y, argmax)


def conv2d_max_pool2d_backward(dy, y, argmax, x, weight, g, algorithm, dx, dweight, dbias):
    """The gradients of conv2d_max_pool2d; dx may be None."""
    g, pool = shapes.pooled(g)
    whole = np.empty(g.y, dy.dtype)
    max_pool2d_backward(gated(dy, y), argmax, pool, whole)
    if dx is not None:
        conv2d_backward_input(whole, None, weight, g, algorithm, dx)
    conv2d_backward_weight(whole, None, x, g, algorithm, dweight, dbias)
