"""Brightness and contrast of images."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from numba_cnn import nearest, shapes
from numba_cnn.ops import arguments
from numba_cnn.ops.arguments import Array
from numba_cnn.shapes import Shape


@nearest.keywords
def adjust_brightness(
    x: Array, deltas: Array, low: float = -math.inf, high: float = math.inf
) -> Array:
    """Images with a number added to each, cut off below `low` and above `high`.

        y = clip(x + deltas[n], low, high)

    x            (N, H, W, C)             float32 or float64
    deltas       (N,)
    returns      (N, H, W, C)

    Raises ValueError for wrong shapes or bounds, TypeError for wrong dtypes or mixed backends.
    """
    op = "adjust_brightness"
    backend, (x, deltas) = arguments.arrays(op, x=x, deltas=deltas)
    pixels, bounds = _pixels(op, "x", x, deltas, "deltas"), _bounds(op, low, high)
    y = backend.empty(x.shape, x.dtype)
    backend.adjust_brightness(x.reshape(pixels), deltas, *bounds, y.reshape(pixels))
    return y


@nearest.keywords
def adjust_brightness_backward(
    dy: Array, x: Array, deltas: Array, low: float = -math.inf, high: float = math.inf
) -> Array:
    """The gradient of adjust_brightness with respect to x: dy where nothing was cut off, else 0.

    dy           (N, H, W, C)             float32 or float64
    x, deltas, low, high                  those of the forward pass
    returns      dx (N, H, W, C)

    Raises as adjust_brightness.
    """
    op = "adjust_brightness_backward"
    backend, (dy, x, deltas) = arguments.arrays(op, dy=dy, x=x, deltas=deltas)
    shapes.same(op, "dy", dy.shape, x.shape)
    pixels, bounds = _pixels(op, "x", x, deltas, "deltas"), _bounds(op, low, high)
    dx = backend.empty(x.shape, x.dtype)
    backend.adjust_brightness_backward(
        dy.reshape(pixels), x.reshape(pixels), deltas, *bounds, dx.reshape(pixels)
    )
    return dx


@nearest.keywords
def adjust_contrast(
    x: Array, factors: Array, low: float = -math.inf, high: float = math.inf
) -> tuple[Array, Array]:
    """Images whose channels lie further from, or closer to, their mean, cut off below `low` and above `high`.

        y = clip(mean[n, c] + (x - mean[n, c]) * factors[n], low, high)

    x            (N, H, W, C)             float32 or float64
    factors      (N,)
    returns      y (N, H, W, C), and mean (N, C), which the gradient needs

    Raises ValueError for wrong shapes or bounds, TypeError for wrong dtypes or mixed backends.
    Source: keras.layers.RandomContrast.
    """
    op = "adjust_contrast"
    backend, (x, factors) = arguments.arrays(op, x=x, factors=factors)
    pixels, bounds = _pixels(op, "x", x, factors, "factors"), _bounds(op, low, high)
    y, mean = backend.empty(x.shape, x.dtype), backend.empty((pixels[0], pixels[2]), x.dtype)
    backend.global_average_pool2d(x.reshape(pixels), mean)
    backend.adjust_contrast(x.reshape(pixels), mean, factors, *bounds, y.reshape(pixels))
    return y, mean


@nearest.keywords
def adjust_contrast_backward(
    dy: Array,
    x: Array,
    mean: Array,
    factors: Array,
    low: float = -math.inf,
    high: float = math.inf,
) -> Array:
    """The gradient of adjust_contrast with respect to x, of which every pixel has a part in the mean.

    dy           (N, H, W, C)             float32 or float64
    mean         (N, C), as the forward pass returned it; x, factors, low, high: those of the forward pass
    returns      dx (N, H, W, C)

    Raises as adjust_contrast.
    """
    op = "adjust_contrast_backward"
    backend, (dy, x, mean, factors) = arguments.arrays(op, dy=dy, x=x, mean=mean, factors=factors)
    shapes.same(op, "dy", dy.shape, x.shape)
    pixels, bounds = _pixels(op, "x", x, factors, "factors"), _bounds(op, low, high)
    shapes.same(op, "mean", mean.shape, (pixels[0], pixels[2]))
    dx = backend.empty(x.shape, x.dtype)
    backend.adjust_contrast_backward(
        dy.reshape(pixels), x.reshape(pixels), mean, factors, *bounds, dx.reshape(pixels)
    )
    return dx


def _bounds(op: str, low: Any, high: Any) -> tuple[float, float]:
    """Two numbers, of which infinity cuts nothing off."""
    checked = []
    for name, bound in (("low", low), ("high", high)):
        infinite = isinstance(bound, float | np.floating) and math.isinf(bound)
        checked.append(float(bound) if infinite else arguments.number(op, name, bound))
    if not checked[0] <= checked[1]:
        raise ValueError(f"{op}: low must be at most high. Received: {low!r}, {high!r}")
    return checked[0], checked[1]


def _pixels(op: str, name: str, x: Array, numbers: Array, of: str) -> Shape:
    """(N, pixels, C), once there is a number for each image."""
    N, H, W, C = shapes.images(op, x.shape, name)
    shapes.same(op, of, numbers.shape, (N,))
    return N, H * W, C
