"""The affine map of a dense layer: a 1x1 convolution of images of one pixel."""

from numba_cnn import shapes
from numba_cnn.backends.contract import checked
from numba_cnn.backends.cuda.conv2d import (
    conv2d,
    conv2d_backward_input,
    conv2d_backward_weight,
)


@checked
def dense(x, weight, bias, relu, y):
    g = _geometry(x, weight)
    conv2d(x.reshape(g.x), weight.reshape(g.weight), bias, g, relu, "direct", y.reshape(g.y))


@checked
def dense_backward_input(dy, y, weight, dx):
    g = _geometry(dx, weight)
    y = None if y is None else y.reshape(g.y)
    weight, dx = weight.reshape(g.weight), dx.reshape(g.x)
    conv2d_backward_input(dy.reshape(g.y), y, weight, g, "direct", dx)


@checked
def dense_backward_weight(dy, y, x, dweight, dbias):
    g = _geometry(x, dweight)
    y = None if y is None else y.reshape(g.y)
    x, dweight = x.reshape(g.x), dweight.reshape(g.weight)
    conv2d_backward_weight(dy.reshape(g.y), y, x, g, "direct", dweight, dbias)


def _geometry(x, weight):
    (N, K), F = x.shape, weight.shape[1]
    return shapes.conv2d((N, 1, 1, K), (1, 1, K, F))
