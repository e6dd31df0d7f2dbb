"""Images through affine maps, random ones too."""

from __future__ import annotations

from typing import Any

import numpy as np

from numba_cnn import nearest, shapes
from numba_cnn.ops import arguments
from numba_cnn.ops.arguments import Array
from numba_cnn.shapes import AffineRanges, AffineTransform2D, Shape, Size

FILL_MODES = ("constant", "nearest", "reflect", "wrap")


@nearest.keywords
def affine_transform2d(
    x: Array,
    matrices: Array,
    size: Size | None = None,
    *,
    interpolation: str = "bilinear",
    fill_mode: str = "constant",
    fill_value: float = 0.0,
) -> Array:
    """Images that are looked at through an affine map each: rotated, zoomed, moved, mirrored, cut out, resized.

        y[n, oh, ow] = x[n] at row b0*ow + b1*oh + b2 and column a0*ow + a1*oh + a2

    x              (N, H, W, C)           float32 or float64
    matrices       (N, 6)                 a0, a1, a2, b0, b1, b2 of each image, of x's dtype
    size           (OH, OW); as x unless given
    interpolation  "nearest", where a half goes up, or "bilinear", the mean of the four pixels around, by distance
    fill_mode      beyond the border: "constant" fill_value, "nearest" the border, "reflect" (d c b a | a b c d),
                   "wrap" (a b c d | a b c d)
    returns        (N, OH, OW, C)

    Raises ValueError for wrong shapes, size or modes, TypeError for wrong dtypes or mixed backends.
    Source: keras.ops.image.affine_transform.
    """
    op = "affine_transform2d"
    backend, (x, matrices) = arguments.arrays(op, x=x, matrices=matrices)
    g = shapes.affine_transform2d(op, x.shape, size)
    shapes.same(op, "matrices", matrices.shape, g.matrices)
    bilinear, fill_mode = arguments.bilinear(op, interpolation), _fill_mode(op, fill_mode)
    fill_value = arguments.number(op, "fill_value", fill_value)
    y = backend.empty(g.y, x.dtype)
    backend.affine_transform2d(x, matrices, g, bilinear, fill_mode, fill_value, y)
    return y


@nearest.keywords
def affine_transform2d_backward(
    dy: Array,
    matrices: Array,
    x_shape: Shape,
    *,
    interpolation: str = "bilinear",
    fill_mode: str = "constant",
) -> Array:
    """The gradient of affine_transform2d with respect to x: each dy to the pixels it came from, by the same weights.

    dy             (N, OH, OW, C)         float32 or float64
    matrices       (N, 6), interpolation and fill_mode: those of the forward pass
    x_shape        (N, H, W, C)
    returns        dx (N, H, W, C)

    Raises as affine_transform2d.
    """
    op = "affine_transform2d_backward"
    backend, (dy, matrices) = arguments.arrays(op, dy=dy, matrices=matrices)
    size = shapes.images(op, dy.shape, "dy")[1:3]
    g = shapes.affine_transform2d(op, shapes.extents(op, "x_shape", x_shape, least=1), size)
    shapes.same(op, "dy", dy.shape, g.y)
    shapes.same(op, "matrices", matrices.shape, g.matrices)
    bilinear, fill_mode = arguments.bilinear(op, interpolation), _fill_mode(op, fill_mode)
    dx = backend.empty(g.x, dy.dtype)
    backend.affine_transform2d_backward(dy, matrices, g, bilinear, fill_mode, dx)
    return dx


@nearest.keywords
def resize2d(x: Array, size: Size, interpolation: str = "bilinear") -> Array:
    """Images of another size: of each new pixel's centre the nearest old one, or what lies between the four around it.

        y[n, oh, ow] = x[n] at row (oh + 1/2) * H / OH - 1/2 and column (ow + 1/2) * W / OW - 1/2

    x              (N, H, W, C)           float32 or float64
    size           one integer or (OH, OW)
    interpolation  "nearest" or "bilinear"; no wider window where images shrink
    returns        (N, OH, OW, C)

    Raises ValueError for another rank, size or interpolation, TypeError for another dtype.
    Source: keras.ops.image.resize.
    """
    backend, (x,) = arguments.arrays("resize2d", x=x)
    g = shapes.affine_transform2d("resize2d", x.shape, size)
    bilinear, y = arguments.bilinear("resize2d", interpolation), backend.empty(g.y, x.dtype)
    matrices = backend.asarray(_scales(g, x.dtype))
    backend.affine_transform2d(x, matrices, g, bilinear, "nearest", 0.0, y)
    return y


@nearest.keywords
def resize2d_backward(dy: Array, x_shape: Shape, interpolation: str = "bilinear") -> Array:
    """The gradient of resize2d: each dy to the pixels that it came from, by the same weights.

    dy             (N, OH, OW, C)         float32 or float64
    x_shape        (N, H, W, C)
    returns        dx (N, H, W, C)

    Raises as resize2d.
    """
    op = "resize2d_backward"
    backend, (dy,) = arguments.arrays(op, dy=dy)
    size = shapes.images(op, dy.shape, "dy")[1:3]
    g = shapes.affine_transform2d(op, shapes.extents(op, "x_shape", x_shape, least=1), size)
    shapes.same(op, "dy", dy.shape, g.y)
    bilinear, dx = arguments.bilinear(op, interpolation), backend.empty(g.x, dy.dtype)
    matrices = backend.asarray(_scales(g, dy.dtype))
    backend.affine_transform2d_backward(dy, matrices, g, bilinear, "nearest", dx)
    return dx


def _scales(g: AffineTransform2D, dtype: np.dtype) -> np.ndarray:
    """The maps of the half-pixel rule."""
    across, down = g.W / g.OW, g.H / g.OH
    row = [across, 0, across / 2 - 0.5, 0, down, down / 2 - 0.5]
    return np.tile(np.array(row, dtype), (g.N, 1))


@nearest.keywords
def random_affine(x: Array, ranges: AffineRanges, generator: Array) -> Array:
    """A random map for each image, as affine_transform2d takes them. The call adds 1 to the counter.

        a0, a1 = zoom_columns*cos(angle), -zoom_columns*sin(angle)
        b0, b1 = zoom_rows*sin(angle), zoom_rows*cos(angle)
        a2, b2 = the shift, and what keeps the centre of the image where it is

    The same seed and counter give the same maps on every backend, but for the last digit of sine and cosine.

    x            (N, H, W, C)             float32 or float64, of which the shape counts
    ranges       shapes.AffineRanges      what each number is drawn from, evenly
    generator    (2,) or (3,)             int64 [seed, counter, first sample], where x lives; changed in place
    returns      (N, 6)

    Raises ValueError for wrong shapes or ranges, TypeError for wrong dtypes or mixed backends.
    Source: Salmon et al., SC 2011 (Philox4x32-10).
    """
    op = "random_affine"
    backend, (x,) = arguments.arrays(op, x=x)
    g = shapes.affine_transform2d(op, x.shape, None)
    if not isinstance(ranges, AffineRanges):
        raise TypeError(
            f"{op}: ranges must be a shapes.AffineRanges. Received: {nearest.shown(ranges)}"
        )
    intervals = zip(ranges._fields[:5], ranges[:5], strict=True)
    bounds: list[Any] = [_interval(op, name, pair) for name, pair in intervals]
    ranges = AffineRanges(*bounds, *map(bool, ranges[5:]))
    generator = arguments.generator(op, backend, x, generator)
    matrices, used = backend.empty(g.matrices, x.dtype), backend.empty((1,), generator.dtype)
    backend.random_affine(g, ranges, generator, used, matrices)
    return matrices


@nearest.keywords
def random_uniform(x: Array, low: float, high: float, generator: Array) -> Array:
    """A number for each image, evenly between low and high. The call adds 1 to the counter.

    x            (N, ...)                 float32 or float64, of which the number of images counts
    generator    (2,) or (3,)             int64 [seed, counter, first sample], where x lives; changed in place
    returns      (N,)

    Raises ValueError for bounds that are no finite numbers, TypeError for wrong dtypes or mixed backends.
    Source: Salmon et al., SC 2011 (Philox4x32-10).
    """
    op = "random_uniform"
    backend, (x,) = arguments.arrays(op, x=x)
    N, _ = arguments.rows(op, x)
    low, high = _interval(op, "low, high", (low, high))
    generator = arguments.generator(op, backend, x, generator)
    y, used = backend.empty((x.shape[0],), x.dtype), backend.empty((1,), generator.dtype)
    backend.random_uniform(low, high, generator, used, y)
    return y


def _fill_mode(op: str, fill_mode: Any) -> str:
    if not isinstance(fill_mode, str) or fill_mode not in FILL_MODES:
        allowed = ", ".join(FILL_MODES)
        raise ValueError(
            f"{op}: fill_mode must be one of {allowed}. Received: {nearest.shown(fill_mode)}"
        )
    return fill_mode


def _interval(op: str, name: str, pair: Any) -> tuple[float, float]:
    if not isinstance(pair, tuple | list) or len(pair) != 2:
        raise ValueError(
            f"{op}: {name} must be two finite numbers. Received: {nearest.shown(pair)}"
        )
    low, high = (arguments.number(op, name, bound) for bound in pair)
    return low, high
