"""Dense layers."""

from __future__ import annotations

from numba_cnn import nearest, shapes
from numba_cnn.ops import arguments
from numba_cnn.ops.arguments import Array


@nearest.keywords
def dense(
    x: Array, weight: Array, bias: Array | None = None, *, activation: str | None = None
) -> Array:
    """The affine map of a dense layer.

        y[n, f] = bias[f] + sum over k of x[n, k] * weight[k, f]

    x            (N, K)                   float32 or float64
    weight       (K, F)                   same dtype
    bias         (F,)                     same dtype, or None
    activation   None or "relu"
    returns      (N, F)

    Raises ValueError if the features disagree, TypeError for mixed dtypes or backends.

    >>> nc.ops.dense(np.ones((1, 3)), np.eye(3), np.array([0.0, 1.0, -2.0]), activation="relu").tolist()
    [[1.0, 2.0, 0.0]]
    """
    backend, (x, weight, bias) = arguments.arrays("dense", "bias", x=x, weight=weight, bias=bias)
    N, _, F = shapes.dense(x.shape, weight.shape)
    arguments.bias("dense", bias, F)
    y = backend.empty((N, F), x.dtype)
    backend.dense(x, weight, bias, arguments.has_relu("dense", activation), y)
    return y


@nearest.keywords
def dense_backward(
    dy: Array,
    x: Array,
    weight: Array,
    *,
    need_dx: bool = True,
    activation: str | None = None,
    y: Array | None = None,
) -> tuple[Array | None, Array, Array]:
    """The gradients of dense, given the gradient dy of its output.

        dx = dy @ weight.T        dweight = x.T @ dy        dbias = sum over n of dy[n]

    Where the forward pass had activation="relu", y is its output, and dy counts only where y is positive.

    dy, y        (N, F)                   dtype of x and weight
    returns      dx (N, K), or None if need_dx is False; dweight (K, F); dbias (F,)

    Raises ValueError if a shape disagrees, TypeError for mixed dtypes or backends.
    """
    op = "dense_backward"
    backend, (dy, x, weight, y) = arguments.arrays(op, "y", dy=dy, x=x, weight=weight, y=y)
    N, K, F = shapes.dense(x.shape, weight.shape)
    shapes.same(op, "dy", dy.shape, (N, F))
    y = arguments.gate(op, activation, y, (N, F))
    dx = backend.empty((N, K), x.dtype) if arguments.needs_dx(op, need_dx) else None
    dweight, dbias = backend.empty((K, F), x.dtype), backend.empty((F,), x.dtype)
    if dx is not None:
        backend.dense_backward_input(dy, y, weight, dx)
    backend.dense_backward_weight(dy, y, x, dweight, dbias)
    return dx, dweight, dbias
