"""Convolution and 2x2 max pooling: two kernels after one another, with the convolution's output
between them.
"""

from numba_cnn import shapes
from numba_cnn.backends.contract import checked
from numba_cnn.backends.cuda.conv2d import conv2d, conv2d_backward_input, conv2d_backward_weight
from numba_cnn.backends.cuda.max_pool2d import max_pool2d, max_pool2d_backward
from numba_cnn.backends.cuda.memory import empty
from numba_cnn.backends.cuda.relu import gated


@checked
def conv2d_max_pool2d(x, weight, bias, g, relu, algorithm, y, argmax):
    g, pool = shapes.pooled(g)
    whole = empty(g.y, y.dtype)
    conv2d(x, weight, bias, g, relu, algorithm, whole)
    max_pool2d(whole, pool, y, argmax)


@checked
def conv2d_max_pool2d_backward(dy, y, argmax, x, weight, g, algorithm, dx, dweight, dbias):
    g, pool = shapes.pooled(g)
    whole = empty(g.y, dy.dtype)
    max_pool2d_backward(gated(dy, y), argmax, pool, whole)
    if dx is not None:
        conv2d_backward_input(whole, None, weight, g, algorithm, dx)
    conv2d_backward_weight(whole, None, x, g, algorithm, dweight, dbias)
