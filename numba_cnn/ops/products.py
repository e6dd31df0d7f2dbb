"""Arrays whose axes change places, and products of rows."""

from __future__ import annotations

from collections.abc import Sequence

from numba_cnn import nearest, shapes
from numba_cnn.ops import arguments
from numba_cnn.ops.arguments import Array
from numba_cnn.shapes import Shape


@nearest.keywords
def permute(x: Array, axes: Sequence[int]) -> Array:
    """The array with its axes in another order; with the order that undoes it, its own gradient.

        y[i_0, i_1, ...] = x at i_k on axis axes[k]

    x            any shape                float32 or float64
    axes         each axis of x once
    returns      extents x.shape[axes[0]], x.shape[axes[1]], ...

    Raises ValueError for axes that are no permutation, or an empty array, TypeError for another dtype.
    """
    backend, (x,) = arguments.arrays("permute", x=x)
    shape, g = shapes.permutation("permute", x.shape, axes)
    y = backend.empty(shape, x.dtype)
    backend.permute(x.reshape(g.x), g, y.reshape(g.y))
    return y


@nearest.keywords
def batch_dot(a: Array, b: Array) -> Array:
    """The products of the rows of a with those of b, for each sample.

        y[n, i, j] = sum over k of a[n, i, k] * b[n, j, k]

    a            (N, I, K)                float32 or float64
    b            (N, J, K)                same dtype
    returns      (N, I, J)

    Raises ValueError if a shape disagrees, TypeError for mixed dtypes or backends.
    """
    backend, (a, b) = arguments.arrays("batch_dot", a=a, b=b)
    shape = _shape("batch_dot", a.shape, b.shape)
    y = backend.empty(shape, a.dtype)
    backend.batch_dot(a, b, y)
    return y


@nearest.keywords
def batch_dot_backward(dy: Array, a: Array, b: Array) -> tuple[Array, Array]:
    """The gradients of batch_dot.

        da[n, i, k] = sum over j of dy[n, i, j] * b[n, j, k],    db[n, j, k] = sum over i of dy[n, i, j] * a[n, i, k]

    dy           (N, I, J)                dtype of a and b
    a, b         as in the forward pass
    returns      da, db, of the shapes of a and b

    Raises ValueError if a shape disagrees, TypeError for mixed dtypes or backends.
    """
    op = "batch_dot_backward"
    backend, (dy, a, b) = arguments.arrays(op, dy=dy, a=a, b=b)
    shapes.same(op, "dy", dy.shape, _shape(op, a.shape, b.shape))
    da, db = backend.empty(a.shape, a.dtype), backend.empty(b.shape, b.dtype)
    backend.batch_dot(dy, permute(b, (0, 2, 1)), da)
    backend.batch_dot(permute(dy, (0, 2, 1)), permute(a, (0, 2, 1)), db)
    return da, db


def _shape(op: str, a: Shape, b: Shape) -> Shape:
    shapes.rank(op, "a", a, 3, "(N, I, K)")
    shapes.rank(op, "b", b, 3, "(N, J, K)")
    if a[0] != b[0] or a[2] != b[2] or min(*a, *b) < 1:
        raise ValueError(
            f"{op}: a and b must have as many samples, and rows of one length, at least 1. Received: a {a}, b {b}"
        )
    return a[0], a[1], b[1]
