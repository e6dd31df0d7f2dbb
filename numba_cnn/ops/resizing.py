"""Borders around images, and larger images."""

from __future__ import annotations

from numba_cnn import nearest, shapes
from numba_cnn.ops import arguments
from numba_cnn.ops.arguments import Array
from numba_cnn.shapes import Padding, Size


@nearest.keywords
def zero_pad2d(x: Array, padding: Padding = 1) -> Array:
    """Images with zeros around them; crop2d is its gradient.

    x            (N, H, W, C)             float32 or float64
    padding      in pixels: an integer, a pair for height and width, or ((top, bottom), (left, right))
    returns      (N, top + H + bottom, left + W + right, C)

    Raises ValueError for another rank or negative padding, TypeError for another dtype.
    """
    backend, (x,) = arguments.arrays("zero_pad2d", x=x)
    g = shapes.zero_pad2d(x.shape, padding)
    y = backend.empty(g.outer, x.dtype)
    backend.zero_pad2d(x, g, y)
    return y


@nearest.keywords
def crop2d(x: Array, cropping: Padding = 0) -> Array:
    """Images without their borders; zero_pad2d is its gradient.

    x            (N, H, W, C)             float32 or float64
    cropping     in pixels: an integer, a pair for height and width, or ((top, bottom), (left, right))
    returns      (N, H - top - bottom, W - left - right, C)

    Raises ValueError for another rank, negative cropping, or where no pixel is left, TypeError for another dtype.
    """
    backend, (x,) = arguments.arrays("crop2d", x=x)
    g = shapes.crop2d(x.shape, cropping)
    y = backend.empty(g.inner, x.dtype)
    backend.crop2d(x, g, y)
    return y


@nearest.keywords
def upsample2d(x: Array, size: Size = 2, interpolation: str = "nearest") -> Array:
    """Larger images: pixels repeated, or what lies between the centres of pixels.

        nearest      y[n, oh, ow, c] = x[n, oh // SH, ow // SW, c]
        bilinear     the mean of the four pixels around ((oh + 1/2) / SH - 1/2, (ow + 1/2) / SW - 1/2), by distance;
                     beyond the outermost centres the outermost pixels

    x              (N, H, W, C)           float32 or float64
    size           one integer or (SH, SW)
    interpolation  "nearest" or "bilinear"
    returns        (N, H*SH, W*SW, C)

    Raises ValueError for another rank, size or interpolation, TypeError for another dtype.
    Source: the half-pixel rule of keras.layers.UpSampling2D.
    """
    backend, (x,) = arguments.arrays("upsample2d", x=x)
    g = shapes.upsample2d("upsample2d", x.shape, size)
    y = backend.empty(g.y, x.dtype)
    backend.upsample2d(x, g, arguments.bilinear("upsample2d", interpolation), y)
    return y


@nearest.keywords
def upsample2d_backward(dy: Array, size: Size = 2, interpolation: str = "nearest") -> Array:
    """The gradient of upsample2d: each dy to the pixels that it came from, by the same weights.

    dy             (N, H*SH, W*SW, C)     float32 or float64
    size           and interpolation: those of the forward pass
    returns        dx (N, H, W, C)

    Raises as upsample2d, and ValueError where dy's extents are no multiples of size.
    """
    op = "upsample2d_backward"
    backend, (dy,) = arguments.arrays(op, dy=dy)
    g = shapes.upsampled2d(op, dy.shape, size)
    dx = backend.empty(g.x, dy.dtype)
    backend.upsample2d_backward(dy, g, arguments.bilinear(op, interpolation), dx)
    return dx
