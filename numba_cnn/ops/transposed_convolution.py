"""Transposed convolution: the input gradient of a convolution as a map of its own."""

from __future__ import annotations

from numba_cnn import nearest, shapes
from numba_cnn.ops import arguments, conv_algorithm, merging
from numba_cnn.ops.arguments import Array
from numba_cnn.shapes import Padding, Shape, Size


@nearest.keywords
def conv2d_transpose(
    x: Array,
    weight: Array,
    bias: Array | None,
    y_shape: Shape,
    *,
    strides: Size = 1,
    padding: Padding = "valid",
    dilation_rate: Size = 1,
) -> Array:
    """The gradient of conv2d with respect to its input, as a map of its own, and a bias.

        y = conv2d_backward's dx for dy = x, of the convolution of images y_shape with `weight`

    x            (N, OH, OW, F)           float32 or float64
    weight       (KH, KW, C, F)           same dtype
    bias         (C,)                     same dtype, or None
    y_shape      (N, H, W, C)             images of which the convolution makes (N, OH, OW, F)
    returns      (N, H, W, C)

    Raises ValueError if a shape disagrees, TypeError for mixed dtypes or backends.
    Source: Dumoulin & Visin, arXiv:1603.07285.
    """
    op = "conv2d_transpose"
    backend, (x, weight, bias) = arguments.arrays(op, "bias", x=x, weight=weight, bias=bias)
    g = shapes.conv2d(tuple(y_shape), weight.shape, strides, padding, dilation_rate)
    algorithm = conv_algorithm.resolved(op, "auto", g)
    shapes.same(op, "x", x.shape, g.y)
    arguments.bias(op, bias, g.C)
    y = backend.empty(g.x, x.dtype)
    backend.conv2d_backward_input(x, None, weight, g, algorithm, y)
    return y if bias is None else merging.add(y, bias.reshape(1, 1, 1, g.C))


@nearest.keywords
def conv2d_transpose_backward(
    dy: Array,
    x: Array,
    weight: Array,
    *,
    strides: Size = 1,
    padding: Padding = "valid",
    dilation_rate: Size = 1,
    need_dx: bool = True,
) -> tuple[Array | None, Array, Array]:
    """The gradients of conv2d_transpose, given the gradient dy of its output.

    dy           (N, H, W, C)             dtype of x and weight
    returns      dx (N, OH, OW, F), or None if need_dx is False; dweight (KH, KW, C, F); dbias (C,)

    Raises ValueError if a shape disagrees, TypeError for mixed dtypes or backends.
    """
    op = "conv2d_transpose_backward"
    backend, (dy, x, weight) = arguments.arrays(op, dy=dy, x=x, weight=weight)
    g = shapes.conv2d(dy.shape, weight.shape, strides, padding, dilation_rate)
    algorithm = conv_algorithm.resolved(op, "auto", g)
    shapes.same(op, "x", x.shape, g.y)
    dx = None
    if need_dx:
        dx = backend.empty(g.y, x.dtype)
        backend.conv2d(dy, weight, None, g, False, algorithm, dx)
    dweight, unused = backend.empty(g.weight, x.dtype), backend.empty((g.F,), x.dtype)
    backend.conv2d_backward_weight(x, None, dy, g, algorithm, dweight, unused)
    dbias = merging.add_backward(dy, dy.shape, (1, 1, 1, g.C))[1]
    return dx, dweight, dbias.reshape(g.C)
