"""Dropout and noise. Random numbers are counted: they hang on a seed, a counter and an element's place alone.

A generator is [seed, counter], or [seed, counter, first] for a part of a batch, whose samples begin with that one: the
part gets the numbers that it would get in the whole.
"""

from __future__ import annotations

import math

from numba_cnn import nearest
from numba_cnn.ops import arguments
from numba_cnn.ops.arguments import Array
from numba_cnn.shapes import Shape


@nearest.keywords
def dropout(
    x: Array, rate: float, generator: Array, *, spatial: bool = False
) -> tuple[Array, Array]:
    """Drop elements, or whole channels, at random.

        y = 0 with probability `rate`, else x / (1 - rate)

    The same seed and counter drop the same elements on every backend and any number of threads. The call adds 1 to the
    counter.

    x            any shape                float32 or float64; with spatial at least 3 axes (N, ..., C)
    rate         the share that is dropped, 0 <= rate < 1
    generator    (2,) or (3,)             int64 [seed, counter, first sample], where x lives; changed in place
    spatial      whether channels (n, c) are dropped, each as a whole
    returns      y, the shape of x, and used (1,), int64: the counter that this call drew with

    Raises ValueError for a rate out of range or a wrong shape, TypeError for wrong dtypes or mixed backends.
    Source: Srivastava et al., JMLR 15 (2014); Tompson et al., arXiv:1411.4280; Salmon et al., SC 2011 (Philox4x32-10).
    """
    backend, (x,) = arguments.arrays("dropout", x=x)
    rate = arguments.number("dropout", "rate", rate, 0, 1)
    generator = arguments.generator("dropout", backend, x, generator)
    pixels = _pixels("dropout", "x", x.shape, spatial)
    y, used = backend.empty(x.shape, x.dtype), backend.empty((1,), generator.dtype)
    backend.dropout(x.reshape(pixels), rate, spatial, generator, used, y.reshape(pixels))
    return y, used


@nearest.keywords
def dropout_backward(
    dy: Array, rate: float, generator: Array, used: Array, *, spatial: bool = False
) -> Array:
    """The gradient of dropout: dy / (1 - rate) where the forward pass kept the element, else 0.

    dy           any shape                float32 or float64
    rate         and spatial: those of the forward pass
    generator    (2,) or (3,)             int64, the forward pass's, whose seed counts
    used         (1,)                     int64, as the forward pass returned it
    returns      dx, the shape of dy

    Raises as dropout.
    """
    op = "dropout_backward"
    backend, (dy,) = arguments.arrays(op, dy=dy)
    rate = arguments.number(op, "rate", rate, 0, 1)
    generator = arguments.generator(op, backend, dy, generator)
    used = arguments.counters(op, backend, dy, "used", used, (1,))
    pixels = _pixels(op, "dy", dy.shape, spatial)
    dx = backend.empty(dy.shape, dy.dtype)
    backend.dropout_backward(dy.reshape(pixels), rate, spatial, generator, used, dx.reshape(pixels))
    return dx


@nearest.keywords
def gaussian_noise(x: Array, stddev: float, generator: Array) -> tuple[Array, Array]:
    """Add numbers of a normal distribution around 0; the gradient is dy itself.

        y = x + stddev * z

    z has 24 random bits for its length and for its direction, so it is 5.8 at most. The call adds 1 to the counter.

    x            any shape                float32 or float64
    stddev       the standard deviation, at least 0
    generator    (2,) or (3,)             int64 [seed, counter, first sample], where x lives; changed in place
    returns      y, the shape of x, and used (1,), int64: the counter that this call drew with

    Raises ValueError for a negative stddev, TypeError for wrong dtypes or mixed backends.
    Source: Box & Muller, 1958; Salmon et al., SC 2011 (Philox4x32-10).
    """
    backend, (x,) = arguments.arrays("gaussian_noise", x=x)
    stddev = arguments.number("gaussian_noise", "stddev", stddev, 0)
    generator = arguments.generator("gaussian_noise", backend, x, generator)
    y, used = backend.empty(x.shape, x.dtype), backend.empty((1,), generator.dtype)
    backend.gaussian_noise(x, stddev, generator, used, y)
    return y, used


def _pixels(op: str, name: str, shape: Shape, spatial: bool) -> Shape:
    """(N, pixels, C) of images of any rank; all as channels of one pixel where no channel is dropped as a whole."""
    shape = tuple(shape)
    if not isinstance(spatial, bool):
        raise ValueError(f"{op}: spatial must be True or False. Received: {spatial!r:.80}")
    if not spatial:
        return (shape or (1,))[0], 1, math.prod(shape[1:])
    if len(shape) < 3:
        raise ValueError(
            f"{op}: with spatial=True {name} must have at least 3 axes (N, ..., C). Received: {shape}"
        )
    return shape[0], math.prod(shape[1:-1]), shape[-1]
