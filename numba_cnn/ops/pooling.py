"""Pooling."""

from __future__ import annotations

from numba_cnn import nearest, shapes
from numba_cnn.ops import arguments
from numba_cnn.ops.arguments import Array
from numba_cnn.shapes import Padding, Shape, Size


@nearest.keywords
def max_pool2d(
    x: Array, pool_size: Size = 2, *, strides: Size | None = None, padding: Padding = "valid"
) -> tuple[Array, Array]:
    """The maximum of each window.

        y[n, oh, ow, c] = max over kh, kw of x[n, oh*SH + kh - top, ow*SW + kw - left, c]

    over the pixels that exist. The first maximum in row-major order counts; NaN is larger than every number.

    x            (N, H, W, C)             float32 or float64
    pool_size    one integer or (PH, PW); strides likewise, None for the pool size
    padding      as in conv2d, smaller than the window
    returns      y (N, OH, OW, C), and argmax of the same shape: the place kh*PW + kw of the maximum in its window,
                 uint8, or int32 where a window has more than 256 pixels

    Raises ValueError if a window does not fit or could hold no pixel, TypeError for another dtype.
    """
    backend, (x,) = arguments.arrays("max_pool2d", x=x)
    g = shapes.max_pool2d(x.shape, pool_size, strides, padding)
    y, argmax = backend.empty(g.y, x.dtype), backend.empty(g.y, arguments.argmax_dtype(g))
    backend.max_pool2d(x, g, y, argmax)
    return y, argmax


@nearest.keywords
def max_pool2d_backward(
    dy: Array,
    argmax: Array,
    x_shape: Shape,
    *,
    pool_size: Size = 2,
    strides: Size | None = None,
    padding: Padding = "valid",
) -> Array:
    """The gradient of max_pool2d: each dy goes to the pixel that was its window's maximum.

    dy, argmax   (N, OH, OW, C)           argmax as max_pool2d returned it
    x_shape      (N, H, W, C)
    returns      dx (N, H, W, C); where windows overlap the gradients add up

    Raises ValueError if a shape disagrees, TypeError for a wrong dtype or mixed backends.
    """
    op = "max_pool2d_backward"
    backend, (dy,) = arguments.arrays(op, dy=dy)
    g = shapes.max_pool2d(shapes.extents(op, "x_shape", x_shape), pool_size, strides, padding)
    shapes.same(op, "dy", dy.shape, g.y)
    argmax = arguments.argmax(op, backend, argmax, g, dy)
    dx = backend.empty(g.x, dy.dtype)
    backend.max_pool2d_backward(dy, argmax, g, dx)
    return dx
