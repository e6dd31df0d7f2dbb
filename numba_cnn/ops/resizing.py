"""Images that get pixels, lose some, or are enlarged."""

from __future__ import annotations

from collections.abc import Sequence

from numba_cnn import nearest, shapes
from numba_cnn.ops import arguments
from numba_cnn.ops.arguments import Array
from numba_cnn.shapes import Shape, Size

Sides = Sequence[Sequence[int]]


@nearest.keywords
def zero_pad2d(x: Array, padding: Sides) -> Array:
    """Images with zeros around them; its gradient is crop2d.

    x            (N, H, W, C)             float32 or float64
    padding      ((top, bottom), (left, right)), in pixels
    returns      (N, H + top + bottom, W + left + right, C)

    Raises ValueError for padding that is none, TypeError for another dtype.
    """
    backend, (x,) = arguments.arrays("zero_pad2d", x=x)
    N, H, W, C = shapes.images("zero_pad2d", x.shape)
    (top, bottom), (left, right) = _sides("zero_pad2d", "padding", padding)
    y = backend.empty((N, H + top + bottom, W + left + right, C), x.dtype)
    backend.shift2d(x, top, left, y)
    return y


@nearest.keywords
def crop2d(x: Array, cropping: Sides) -> Array:
    """Images without pixels at their sides; its gradient is zero_pad2d.

    x            (N, H, W, C)             float32 or float64
    cropping     ((top, bottom), (left, right)), in pixels
    returns      (N, H - top - bottom, W - left - right, C)

    Raises ValueError where nothing is left, TypeError for another dtype.
    """
    backend, (x,) = arguments.arrays("crop2d", x=x)
    N, H, W, C = shapes.images("crop2d", x.shape)
    (top, bottom), (left, right) = _sides("crop2d", "cropping", cropping)
    if top + bottom >= H or left + right >= W:
        raise ValueError(f"crop2d: nothing is left of images of {H}x{W}. Received: {cropping}")
    y = backend.empty((N, H - top - bottom, W - left - right, C), x.dtype)
    backend.shift2d(x, -top, -left, y)
    return y


@nearest.keywords
def upsample2d(x: Array, size: Size, interpolation: str = "nearest") -> Array:
    """Images `size` times as large.

    With "nearest" each pixel is repeated; with "bilinear" pixel i of a line is the weighted mean of the two nearest to
    (i + 1/2) / size - 1/2, as in Keras.

    x            (N, H, W, C)             float32 or float64
    size         one integer or (SH, SW)
    returns      (N, SH * H, SW * W, C)

    Raises ValueError for another interpolation, TypeError for another dtype.
    """
    backend, (x,) = arguments.arrays("upsample2d", x=x)
    N, H, W, C = shapes.images("upsample2d", x.shape)
    SH, SW = shapes.pair("upsample2d", "size", size)
    y = backend.empty((N, SH * H, SW * W, C), x.dtype)
    backend.upsample2d(x, _is_bilinear("upsample2d", interpolation), y)
    return y


@nearest.keywords
def upsample2d_backward(
    dy: Array, x_shape: Shape, size: Size, interpolation: str = "nearest"
) -> Array:
    """The gradient of upsample2d.

    dy           (N, SH * H, SW * W, C)   float32 or float64
    x_shape      (N, H, W, C)
    returns      dx (N, H, W, C)

    Raises ValueError if a shape disagrees, TypeError for another dtype.
    """
    op = "upsample2d_backward"
    backend, (dy,) = arguments.arrays(op, dy=dy)
    N, H, W, C = shapes.images(op, tuple(x_shape))
    SH, SW = shapes.pair(op, "size", size)
    shapes.same(op, "dy", dy.shape, (N, SH * H, SW * W, C))
    dx = backend.empty((N, H, W, C), dy.dtype)
    backend.upsample2d_backward(dy, _is_bilinear(op, interpolation), dx)
    return dx


def _is_bilinear(op: str, interpolation: str) -> bool:
    if interpolation not in ("nearest", "bilinear"):
        raise ValueError(
            f'{op}: interpolation must be "nearest" or "bilinear". Received: {nearest.shown(interpolation)}'
        )
    return interpolation == "bilinear"


def _sides(op: str, name: str, sides: Sides) -> tuple[tuple[int, int], tuple[int, int]]:
    if not isinstance(sides, list | tuple) or len(sides) != 2:
        raise ValueError(
            f"{op}: {name} must be ((top, bottom), (left, right)). Received: {nearest.shown(sides)}"
        )
    vertical, horizontal = (shapes.pair(op, name, tuple(side), 0) for side in sides)
    return vertical, horizontal
