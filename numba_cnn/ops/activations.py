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
def activate(x: Array, name: str, **settings: float) -> Array:
    """An activation by its name, element by element; NaN goes through.

        y = name(x)

    x            any shape                float32 or float64
    name         "affine", scale * x + offset, or one of "celu", "elu", "exponential", "gelu", "hard_shrink",
                 "hard_sigmoid", "hard_silu", "hard_tanh", "leaky_relu", "log_sigmoid", "mish", "relu", "relu6", "selu",
                 "sigmoid", "silu", "soft_shrink", "softplus", "softsign", "squareplus", "tanh", "tanh_shrink", as in
                 keras.activations
    settings     scale (1) and offset (0) of affine, alpha of celu and elu (1), approximate of gelu (False), threshold
                 of hard_shrink and soft_shrink (0.5), negative_slope of leaky_relu (0.2), negative_slope, max_value and
                 threshold of relu (0, None and 0), b of squareplus (4)
    returns      the same shape

    Raises ValueError for an unknown name or a setting that is no number, TypeError for another setting or dtype.
    Source: the formulas of keras.activations.
    """
    backend, (x,) = arguments.arrays("activate", x=x)
    constants = arguments.activation("activate", name, settings)
    y = backend.empty(x.shape, x.dtype)
    backend.activate(x, *constants, y)
    return y


@nearest.keywords
def activate_backward(dy: Array, saved: Array, name: str, **settings: float) -> Array:
    """The gradient of activate: dy times the derivative, which is computed from what the forward pass saved.

    dy           any shape                float32 or float64
    saved        the same shape and dtype: the input x for "gelu", "gelu_tanh", "hard_shrink", "hard_silu", "mish",
                 "relu", "silu", "soft_shrink", "squareplus" and "tanh_shrink", the output y for the others
    name         and settings: those of the forward pass
    returns      dx, the same shape

    Raises as activate, and ValueError if the shapes differ.
    """
    op = "activate_backward"
    backend, (dy, saved) = arguments.arrays(op, dy=dy, saved=saved)
    constants = arguments.activation(op, name, settings)
    shapes.same(op, "dy", dy.shape, saved.shape)
    dx = backend.empty(dy.shape, dy.dtype)
    backend.activate_backward(dy, saved, *constants, dx)
    return dx


@nearest.keywords
def softmax(x: Array) -> Array:
    """exp(x) / sum of exp(x) over the last axis, safe for large values.

    x            (..., classes)           float32 or float64
    returns      the same shape, each row sums to 1

    Raises ValueError for an array without axes or with an empty one, TypeError for another dtype.
    """
    backend, (x,) = arguments.arrays("softmax", x=x)
    rows = arguments.rows("softmax", x)
    y = backend.empty(x.shape, x.dtype)
    backend.softmax(x.reshape(rows), y.reshape(rows))
    return y


@nearest.keywords
def softmax_backward(dy: Array, y: Array) -> Array:
    """The gradient of softmax, given its output y.

        dx = y * (dy - sum of dy * y over the last axis)

    dy, y        (..., classes)           float32 or float64
    returns      dx, the same shape

    Raises ValueError if the shapes differ, TypeError for mixed dtypes or backends.
    """
    return _row_gradient("softmax_backward", dy, y)


@nearest.keywords
def log_softmax(x: Array) -> Array:
    """The logarithm of softmax: x - log(sum of exp(x) over the last axis), safe for large values.

    x            (..., classes)           float32 or float64
    returns      the same shape

    Raises as softmax.
    """
    backend, (x,) = arguments.arrays("log_softmax", x=x)
    rows = arguments.rows("log_softmax", x)
    y = backend.empty(x.shape, x.dtype)
    backend.log_softmax(x.reshape(rows), y.reshape(rows))
    return y


@nearest.keywords
def log_softmax_backward(dy: Array, y: Array) -> Array:
    """The gradient of log_softmax, given its output y.

        dx = dy - exp(y) * sum of dy over the last axis

    dy, y        (..., classes)           float32 or float64
    returns      dx, the same shape

    Raises ValueError if the shapes differ, TypeError for mixed dtypes or backends.
    """
    return _row_gradient("log_softmax_backward", dy, y)


def _row_gradient(op: str, dy: Array, y: Array) -> Array:
    backend, (dy, y) = arguments.arrays(op, dy=dy, y=y)
    rows = arguments.rows(op, y, "y")
    shapes.same(op, "dy", dy.shape, y.shape)
    dx = backend.empty(y.shape, y.dtype)
    getattr(backend, op)(dy.reshape(rows), y.reshape(rows), dx.reshape(rows))
    return dx
