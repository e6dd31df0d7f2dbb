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

    >>> y, argmax = nc.ops.max_pool2d(np.arange(16, dtype=np.float32).reshape(1, 4, 4, 1))
    >>> y[0, :, :, 0].tolist()
    [[5.0, 7.0], [13.0, 15.0]]
    >>> argmax[0, :, :, 0].tolist()
    [[3, 3], [3, 3]]
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


@nearest.keywords
def average_pool2d(
    x: Array, pool_size: Size = 2, *, strides: Size | None = None, padding: Padding = "valid"
) -> Array:
    """The mean of each window, over the pixels that exist: padding is not counted, as in Keras.

        y[n, oh, ow, c] = mean over kh, kw of x[n, oh*SH + kh - top, ow*SW + kw - left, c]

    x            (N, H, W, C)             float32 or float64
    pool_size    one integer or (PH, PW); strides likewise, None for the pool size
    padding      as in conv2d, smaller than the window
    returns      (N, OH, OW, C)

    Raises ValueError if a window does not fit or could hold no pixel, TypeError for another dtype.
    """
    backend, (x,) = arguments.arrays("average_pool2d", x=x)
    g = shapes.average_pool2d(x.shape, pool_size, strides, padding)
    y = backend.empty(g.y, x.dtype)
    backend.average_pool2d(x, g, y)
    return y


@nearest.keywords
def average_pool2d_backward(
    dy: Array,
    x_shape: Shape,
    *,
    pool_size: Size = 2,
    strides: Size | None = None,
    padding: Padding = "valid",
) -> Array:
    """The gradient of average_pool2d: each dy goes in equal parts to the pixels of its window.

    dy           (N, OH, OW, C)           float32 or float64
    x_shape      (N, H, W, C)
    returns      dx (N, H, W, C); where windows overlap the gradients add up

    Raises ValueError if a shape disagrees, TypeError for another dtype.
    """
    op = "average_pool2d_backward"
    backend, (dy,) = arguments.arrays(op, dy=dy)
    g = shapes.average_pool2d(shapes.extents(op, "x_shape", x_shape), pool_size, strides, padding)
    shapes.same(op, "dy", dy.shape, g.y)
    dx = backend.empty(g.x, dy.dtype)
    backend.average_pool2d_backward(dy, g, dx)
    return dx


@nearest.keywords
def global_average_pool2d(x: Array) -> Array:
    """The mean of each channel of an image.

    x            (N, H, W, C)             float32 or float64
    returns      (N, C)

    Raises ValueError for another rank or an empty axis, TypeError for another dtype.
    """
    backend, (x,) = arguments.arrays("global_average_pool2d", x=x)
    N, H, W, C = shapes.images("global_average_pool2d", x.shape)
    y = backend.empty((N, C), x.dtype)
    backend.global_average_pool2d(x.reshape((N, H * W, C)), y)
    return y


@nearest.keywords
def global_average_pool2d_backward(dy: Array, x_shape: Shape) -> Array:
    """The gradient of global_average_pool2d: dy / (H * W) for each pixel.

    dy           (N, C)                   float32 or float64
    x_shape      (N, H, W, C)
    returns      dx (N, H, W, C)

    Raises ValueError if a shape disagrees, TypeError for another dtype.
    """
    op = "global_average_pool2d_backward"
    backend, (dy,) = arguments.arrays(op, dy=dy)
    N, H, W, C = shapes.images(op, shapes.extents(op, "x_shape", x_shape))
    shapes.same(op, "dy", dy.shape, (N, C))
    dx = backend.empty((N, H, W, C), dy.dtype)
    backend.global_average_pool2d_backward(dy, dx.reshape((N, H * W, C)))
    return dx


@nearest.keywords
def global_max_pool2d(x: Array) -> tuple[Array, Array]:
    """The maximum of each channel of an image; the first in row-major order counts, NaN is larger than every number.

    x            (N, H, W, C)             float32 or float64
    returns      y (N, C), and argmax of the same shape, int32: the place h*W + w of the maximum

    Raises ValueError for another rank or an empty axis, TypeError for another dtype.
    """
    backend, (x,) = arguments.arrays("global_max_pool2d", x=x)
    N, H, W, C = shapes.images("global_max_pool2d", x.shape)
    y, argmax = backend.empty((N, C), x.dtype), backend.empty((N, C), arguments.INT32)
    backend.global_max_pool2d(x.reshape((N, H * W, C)), y, argmax)
    return y, argmax


@nearest.keywords
def global_max_pool2d_backward(dy: Array, argmax: Array, x_shape: Shape) -> Array:
    """The gradient of global_max_pool2d: each dy goes to the pixel that was the maximum.

    dy, argmax   (N, C)                   argmax as global_max_pool2d returned it
    x_shape      (N, H, W, C)
    returns      dx (N, H, W, C)

    Raises ValueError if a shape disagrees, TypeError for a wrong dtype or mixed backends.
    """
    op = "global_max_pool2d_backward"
    backend, (dy,) = arguments.arrays(op, dy=dy)
    N, H, W, C = shapes.images(op, shapes.extents(op, "x_shape", x_shape))
    shapes.same(op, "dy", dy.shape, (N, C))
    argmax = arguments.places(op, backend, dy, argmax, (N, C))
    dx = backend.empty((N, H, W, C), dy.dtype)
    backend.global_max_pool2d_backward(dy, argmax, dx.reshape((N, H * W, C)))
    return dx
