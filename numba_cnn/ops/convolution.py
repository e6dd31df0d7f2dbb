"""Convolutions, alone and with the max pooling above them."""

from __future__ import annotations

from importlib import import_module

import numpy as np

from numba_cnn import nearest, shapes
from numba_cnn.ops import arguments, conv_algorithm
from numba_cnn.ops.arguments import Array
from numba_cnn.shapes import Padding, Shape, Size


@nearest.keywords
def conv2d(
    x: Array,
    weight: Array,
    bias: Array | None = None,
    *,
    strides: Size = 1,
    padding: Padding = "valid",
    dilation_rate: Size = 1,
    groups: int = 1,
    activation: str | None = None,
    algorithm: str = "auto",
) -> Array:
    """Cross-correlate images with filters.

        y[n, oh, ow, f] = bias[f] + sum over kh, kw, c of
            x[n, oh*SH + kh*DH - top, ow*SW + kw*DW - left, c] * weight[kh, kw, c, f]

    where x is 0 outside its borders; with activation="relu" the result is max(y, 0). With groups, filter f sees only
    the channels of its own group.

    x            (N, H, W, C)             float32 or float64
    weight       (KH, KW, C/groups, F)    same dtype
    bias         (F,)                     same dtype, or None
    strides      one integer or (SH, SW); dilation_rate likewise (DH, DW)
    padding      "valid", "same" (TensorFlow's rule), an integer, a pair, or ((top, bottom), (left, right)), in pixels
    activation   None or "relu"
    algorithm    "auto", "direct", or "winograd" (3x3 filters, stride 1, no dilation, one group), which spreads NaN,
                 infinity and the rounding of large numbers over patches of 4x4 outputs: see docs/algorithms.md.
                 What "auto" means, set_conv_algorithm and NUMBA_CNN_CONV_ALGORITHM can change
    returns      (N, OH, OW, F)           OH = (H + top + bottom - DH*(KH-1) - 1) // SH + 1, OW alike

    Raises ValueError if channels disagree or a filter does not fit, TypeError for mixed dtypes or backends.
    Source: Dumoulin & Visin, arXiv:1603.07285.

    >>> image = np.zeros((1, 5, 5, 1), np.float32)
    >>> image[0, :, 2:] = 1  # bright from the third column on
    >>> edge = np.array([[-1, 0, 1]] * 3, np.float32).reshape(3, 3, 1, 1)
    >>> nc.ops.conv2d(image, edge)[0, :, :, 0].tolist()
    [[3.0, 3.0, 0.0], [3.0, 3.0, 0.0], [3.0, 3.0, 0.0]]
    """
    backend, (x, weight, bias) = arguments.arrays("conv2d", "bias", x=x, weight=weight, bias=bias)
    g = shapes.conv2d(x.shape, weight.shape, strides, padding, dilation_rate, groups)
    arguments.bias("conv2d", bias, g.F)
    y = backend.empty(g.y, x.dtype)
    backend.conv2d(
        x,
        weight,
        bias,
        g,
        arguments.has_relu("conv2d", activation),
        conv_algorithm.resolved("conv2d", algorithm, g),
        y,
    )
    return y


@nearest.keywords
def conv2d_backward(
    dy: Array,
    x: Array,
    weight: Array,
    *,
    strides: Size = 1,
    padding: Padding = "valid",
    dilation_rate: Size = 1,
    groups: int = 1,
    algorithm: str = "auto",
    need_dx: bool = True,
    activation: str | None = None,
    y: Array | None = None,
) -> tuple[Array | None, Array, Array]:
    """The gradients of conv2d, given the gradient dy of its output.

        dx[n, h, w, c]      = sum over the windows that hold pixel (h, w) of dy * weight
        dweight[kh, kw, c, f] = sum over n, oh, ow of x[...] * dy[n, oh, ow, f]
        dbias[f]            = sum over n, oh, ow of dy[n, oh, ow, f]

    The arguments are those of the forward pass. Where it had activation="relu", y is its output, and dy counts only
    where y is positive.

    dy           (N, OH, OW, F)           dtype of x and weight
    y            (N, OH, OW, F)           same dtype, with activation="relu"
    returns      dx (N, H, W, C), or None if need_dx is False; dweight (KH, KW, C/groups, F); dbias (F,)

    Raises ValueError if a shape disagrees, TypeError for mixed dtypes or backends.
    Source: Dumoulin & Visin, arXiv:1603.07285.
    """
    op = "conv2d_backward"
    backend, (dy, x, weight, y) = arguments.arrays(op, "y", dy=dy, x=x, weight=weight, y=y)
    g = shapes.conv2d(x.shape, weight.shape, strides, padding, dilation_rate, groups)
    shapes.same(op, "dy", dy.shape, g.y)
    y = arguments.gate(op, activation, y, g.y)
    algorithm = conv_algorithm.resolved(op, algorithm, g)
    dx = backend.empty(g.x, x.dtype) if arguments.needs_dx(op, need_dx) else None
    dweight, dbias = backend.empty(g.weight, x.dtype), backend.empty((g.F,), x.dtype)
    if dx is not None:
        backend.conv2d_backward_input(dy, y, weight, g, algorithm, dx)
    backend.conv2d_backward_weight(dy, y, x, g, algorithm, dweight, dbias)
    return dx, dweight, dbias


@nearest.keywords
def conv2d_max_pool2d(
    x: Array,
    weight: Array,
    bias: Array | None = None,
    *,
    strides: Size = 1,
    padding: Padding = "valid",
    dilation_rate: Size = 1,
    groups: int = 1,
    activation: str | None = None,
    algorithm: str = "auto",
) -> tuple[Array, Array]:
    """max_pool2d(conv2d(...), 2) in one pass over memory: the convolution's own output is never stored.

    The arguments are conv2d's.

    returns      y (N, OH//2, OW//2, F), and argmax of the same shape, uint8: the place of the maximum in its 2x2

    Raises as conv2d, and ValueError where the convolution's output is smaller than 2x2.
    """
    op = "conv2d_max_pool2d"
    backend, (x, weight, bias) = arguments.arrays(op, "bias", x=x, weight=weight, bias=bias)
    g = shapes.conv2d(x.shape, weight.shape, strides, padding, dilation_rate, groups)
    arguments.bias(op, bias, g.F)
    g, pool = shapes.pooled(g)
    y, argmax = backend.empty(pool.y, x.dtype), backend.empty(pool.y, arguments.argmax_dtype(pool))
    backend.conv2d_max_pool2d(
        x,
        weight,
        bias,
        g,
        arguments.has_relu(op, activation),
        conv_algorithm.resolved(op, algorithm, g),
        y,
        argmax,
    )
    return y, argmax


@nearest.keywords
def conv2d_max_pool2d_backward(
    dy: Array,
    argmax: Array,
    x: Array,
    weight: Array,
    *,
    strides: Size = 1,
    padding: Padding = "valid",
    dilation_rate: Size = 1,
    groups: int = 1,
    algorithm: str = "auto",
    need_dx: bool = True,
    activation: str | None = None,
    y: Array | None = None,
) -> tuple[Array | None, Array, Array]:
    """The gradients of conv2d_max_pool2d, as conv2d_backward returns them.

    dy, y, argmax    (N, OH//2, OW//2, F), the latter two as the forward pass returned them

    Raises as conv2d_backward and max_pool2d_backward.
    """
    op = "conv2d_max_pool2d_backward"
    backend, (dy, x, weight, y) = arguments.arrays(op, "y", dy=dy, x=x, weight=weight, y=y)
    g = shapes.conv2d(x.shape, weight.shape, strides, padding, dilation_rate, groups)
    g, pool = shapes.pooled(g)
    shapes.same(op, "dy", dy.shape, pool.y)
    argmax = arguments.argmax(op, backend, argmax, pool, dy)
    y = arguments.gate(op, activation, y, pool.y)
    algorithm = conv_algorithm.resolved(op, algorithm, g)
    dx = backend.empty(g.x, x.dtype) if arguments.needs_dx(op, need_dx) else None
    dweight, dbias = backend.empty(g.weight, x.dtype), backend.empty((g.F,), x.dtype)
    backend.conv2d_max_pool2d_backward(dy, y, argmax, x, weight, g, algorithm, dx, dweight, dbias)
    return dx, dweight, dbias


@nearest.keywords
def explain_conv2d(
    x_shape: Shape,
    weight_shape: Shape,
    *,
    strides: Size = 1,
    padding: Padding = "valid",
    dilation_rate: Size = 1,
    groups: int = 1,
    dtype: str = "float32",
    algorithm: str = "auto",
) -> str:
    """Which implementation computes each pass of conv2d on the CPU, and in a few words why, one line each:

        forward          winograd: 49 patches, 64 channels
        input gradient   winograd: 49 patches, 64 channels
        weight gradient  winograd: 49 patches, 64 channels

    The words are the files of numba_cnn/backends/cpu/convolution; docs/cpu.md has the lists. On a GPU all is direct.

    x_shape, weight_shape    (N, H, W, C) and (KH, KW, C/groups, F)
    dtype                    "float32" or "float64"
    the others               as conv2d takes them

    Raises ValueError as conv2d does, and for another dtype.
    """
    op = "explain_conv2d"
    x_shape = shapes.extents(op, "x_shape", x_shape, least=1)
    weight_shape = shapes.extents(op, "weight_shape", weight_shape, least=1)
    if not isinstance(dtype, str) or dtype not in ("float32", "float64"):
        raise ValueError(f"{op}: dtype must be float32 or float64. Received: {dtype!r:.80}")
    g = shapes.conv2d(x_shape, weight_shape, strides, padding, dilation_rate, groups)
    word = conv_algorithm.resolved(op, algorithm, g)
    cpu = import_module("numba_cnn.backends.cpu.conv2d")
    answers = cpu.explain(g, np.dtype(dtype), word)
    width = max(len(of) for of, *_ in answers)
    return "\n".join(f"{of:{width}}  {name}: {why}" for of, name, why in answers)
