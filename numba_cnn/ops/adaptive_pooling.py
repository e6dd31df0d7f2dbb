"""Pooling to a size, whatever the size of the images."""

from __future__ import annotations

from numba_cnn import nearest, shapes
from numba_cnn.ops import arguments
from numba_cnn.ops.arguments import Array
from numba_cnn.shapes import Shape, Size


@nearest.keywords
def adaptive_average_pool2d(x: Array, output_size: Size) -> Array:
    """The mean of each of OH*OW windows that cover an image.

        y[n, oh, ow, c] = mean of x[n, h, w, c] over h from floor(oh*H/OH) to ceil((oh + 1)*H/OH) - 1, w likewise

    x            (N, H, W, C)             float32 or float64
    output_size  one integer or (OH, OW); windows overlap where it does not divide the size of the images
    returns      (N, OH, OW, C)

    Raises ValueError for another rank, an empty axis or a size below 1, TypeError for another dtype.
    """
    op = "adaptive_average_pool2d"
    backend, (x,) = arguments.arrays(op, x=x)
    g = shapes.adaptive_pool2d(op, x.shape, output_size)
    y = backend.empty(g.y, x.dtype)
    backend.adaptive_average_pool2d(x, g, y)
    return y


@nearest.keywords
def adaptive_average_pool2d_backward(dy: Array, x_shape: Shape, output_size: Size) -> Array:
    """The gradient of adaptive_average_pool2d: each dy goes in equal parts to the pixels of its window.

    dy           (N, OH, OW, C)           float32 or float64
    x_shape      (N, H, W, C)
    returns      dx (N, H, W, C); where windows overlap the gradients add up

    Raises ValueError if a shape disagrees, TypeError for another dtype.
    """
    op = "adaptive_average_pool2d_backward"
    backend, (dy,) = arguments.arrays(op, dy=dy)
    g = shapes.adaptive_pool2d(op, shapes.extents(op, "x_shape", x_shape), output_size)
    shapes.same(op, "dy", dy.shape, g.y)
    dx = backend.empty(g.x, dy.dtype)
    backend.adaptive_average_pool2d_backward(dy, g, dx)
    return dx


@nearest.keywords
def adaptive_max_pool2d(x: Array, output_size: Size) -> tuple[Array, Array]:
    """The maximum of each of OH*OW windows that cover an image: those of adaptive_average_pool2d.

    The first maximum of a window in row-major order counts; NaN is larger than every number.

    x            (N, H, W, C)             float32 or float64
    output_size  one integer or (OH, OW)
    returns      y (N, OH, OW, C), and argmax of the same shape, int32: the place h*W + w of the maximum

    Raises ValueError for another rank, an empty axis or a size below 1, TypeError for another dtype.
    """
    op = "adaptive_max_pool2d"
    backend, (x,) = arguments.arrays(op, x=x)
    g = shapes.adaptive_pool2d(op, x.shape, output_size)
    y, argmax = backend.empty(g.y, x.dtype), backend.empty(g.y, arguments.INT32)
    backend.adaptive_max_pool2d(x, g, y, argmax)
    return y, argmax


@nearest.keywords
def adaptive_max_pool2d_backward(
    dy: Array, argmax: Array, x_shape: Shape, output_size: Size
) -> Array:
    """The gradient of adaptive_max_pool2d: each dy goes to the pixel that was its window's maximum.

    dy, argmax   (N, OH, OW, C)           argmax as adaptive_max_pool2d returned it
    x_shape      (N, H, W, C)
    returns      dx (N, H, W, C); where windows overlap the gradients add up

    Raises ValueError if a shape disagrees, TypeError for a wrong dtype or mixed backends.
    """
    op = "adaptive_max_pool2d_backward"
    backend, (dy,) = arguments.arrays(op, dy=dy)
    g = shapes.adaptive_pool2d(op, shapes.extents(op, "x_shape", x_shape), output_size)
    shapes.same(op, "dy", dy.shape, g.y)
    argmax = arguments.places(op, backend, dy, argmax, g.y)
    dx = backend.empty(g.x, dy.dtype)
    backend.adaptive_max_pool2d_backward(dy, argmax, g, dx)
    return dx
