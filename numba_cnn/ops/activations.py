"""Activations."""

from __future__ import annotations

from numba_cnn import nearest, shapes
from numba_cnn.ops import arguments
from numba_cnn.ops.arguments import Array


@nearest.keywords
def relu(x: Array) -> Array:
    """max(x, 0), element by element; NaN stays NaN.

    x            any shape                float32 or float64
    returns      the same shape

    Raises TypeError for another dtype. Source: Nair & Hinton, ICML 2010.
    """
    backend, (x,) = arguments.arrays("relu", x=x)
    y = backend.empty(x.shape, x.dtype)
    backend.relu(x, y)
    return y


@nearest.keywords
def relu_backward(dy: Array, y: Array) -> Array:
    """The gradient of relu: dy where the output y is positive, else 0 (0 at 0, as in TensorFlow).

    dy, y        the same shape           float32 or float64
    returns      dx, the same shape

    Raises ValueError if the shapes differ, TypeError for mixed dtypes or backends.
    """
    backend, (dy, y) = arguments.arrays("relu_backward", dy=dy, y=y)
    shapes.same("relu_backward", "dy", dy.shape, y.shape)
    dx = backend.empty(y.shape, y.dtype)
    backend.relu_backward(dy, y, dx)
    return dx


@nearest.keywords
def softmax(x: Array) -> Array:
    """exp(x) / sum of exp(x) over the last axis, safe for large values.

    x            (N, classes)             float32 or float64
    returns      (N, classes), each row sums to 1

    Raises ValueError for another rank, TypeError for another dtype.
    """
    backend, (x,) = arguments.arrays("softmax", x=x)
    shapes.rank("softmax", "x", x.shape, 2, "(N, classes)")
    shapes.batch("softmax", x.shape)
    y = backend.empty(x.shape, x.dtype)
    backend.softmax(x, y)
    return y
