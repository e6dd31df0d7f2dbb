"""Two arrays made one, element by element; arrays side by side."""

from __future__ import annotations

from collections.abc import Sequence

from numba_cnn import nearest, shapes
from numba_cnn.ops import arguments
from numba_cnn.ops.arguments import Array
from numba_cnn.shapes import Shape


@nearest.keywords
def add(a: Array, b: Array) -> Array:
    """a + b, element by element; an axis of extent 1 goes with any extent of the other.

    a, b         of one rank              float32 or float64, on each axis of the same extent or of 1
    returns      the larger extent of each axis

    Raises ValueError for shapes that do not go together, TypeError for mixed dtypes or backends.
    """
    return _merge("add", a, b)


@nearest.keywords
def add_backward(dy: Array, a_shape: Shape, b_shape: Shape) -> tuple[Array, Array]:
    """The gradients of add: da = dy and db = dy, summed over the axes along which an array has extent 1.

    dy               the shape of add(a, b)
    a_shape, b_shape those of a and b
    returns          da, db of those shapes

    Raises ValueError if a shape disagrees, TypeError for another dtype.
    """
    return _linear_backward("add_backward", dy, a_shape, b_shape, 1.0)


@nearest.keywords
def subtract(a: Array, b: Array) -> Array:
    """a - b, element by element; an axis of extent 1 goes with any extent of the other.

    a, b         of one rank              float32 or float64, on each axis of the same extent or of 1
    returns      the larger extent of each axis

    Raises ValueError for shapes that do not go together, TypeError for mixed dtypes or backends.
    """
    return _merge("subtract", a, b)


@nearest.keywords
def subtract_backward(dy: Array, a_shape: Shape, b_shape: Shape) -> tuple[Array, Array]:
    """The gradients of subtract: da = dy and db = -dy, summed over the axes along which an array has extent 1.

    dy               the shape of subtract(a, b)
    a_shape, b_shape those of a and b
    returns          da, db of those shapes

    Raises ValueError if a shape disagrees, TypeError for another dtype.
    """
    return _linear_backward("subtract_backward", dy, a_shape, b_shape, -1.0)


@nearest.keywords
def multiply(a: Array, b: Array) -> Array:
    """a * b, element by element; an axis of extent 1 goes with any extent of the other.

    a, b         of one rank              float32 or float64, on each axis of the same extent or of 1
    returns      the larger extent of each axis

    Raises ValueError for shapes that do not go together, TypeError for mixed dtypes or backends.
    """
    return _merge("multiply", a, b)


@nearest.keywords
def multiply_backward(dy: Array, a: Array, b: Array) -> tuple[Array, Array]:
    """The gradients of multiply: da = dy * b and db = dy * a.

    They are summed over the axes along which an array has extent 1.

    dy           the shape of multiply(a, b), and their dtype
    a, b         as in the forward pass
    returns      da, db, of the shapes of a and b

    Raises ValueError if a shape disagrees, TypeError for mixed dtypes or backends.
    """
    return _merge_backward("multiply", dy, a, b)


@nearest.keywords
def maximum(a: Array, b: Array) -> Array:
    """The larger of a and b or NaN, element by element; an axis of extent 1 goes with any extent of the other.

    a, b         of one rank              float32 or float64, on each axis of the same extent or of 1
    returns      the larger extent of each axis

    Raises ValueError for shapes that do not go together, TypeError for mixed dtypes or backends.
    """
    return _merge("maximum", a, b)


@nearest.keywords
def maximum_backward(dy: Array, a: Array, b: Array) -> tuple[Array, Array]:
    """The gradients of maximum: dy goes to the one, in halves to both where they are equal.

    They are summed over the axes along which an array has extent 1.

    dy           the shape of maximum(a, b), and their dtype
    a, b         as in the forward pass
    returns      da, db, of the shapes of a and b

    Raises ValueError if a shape disagrees, TypeError for mixed dtypes or backends.
    """
    return _merge_backward("maximum", dy, a, b)


@nearest.keywords
def minimum(a: Array, b: Array) -> Array:
    """The smaller of a and b or NaN, element by element; an axis of extent 1 goes with any extent of the other.

    a, b         of one rank              float32 or float64, on each axis of the same extent or of 1
    returns      the larger extent of each axis

    Raises ValueError for shapes that do not go together, TypeError for mixed dtypes or backends.
    """
    return _merge("minimum", a, b)


@nearest.keywords
def minimum_backward(dy: Array, a: Array, b: Array) -> tuple[Array, Array]:
    """The gradients of minimum: dy goes to the one, in halves to both where they are equal.

    They are summed over the axes along which an array has extent 1.

    dy           the shape of minimum(a, b), and their dtype
    a, b         as in the forward pass
    returns      da, db, of the shapes of a and b

    Raises ValueError if a shape disagrees, TypeError for mixed dtypes or backends.
    """
    return _merge_backward("minimum", dy, a, b)


@nearest.keywords
def prelu(x: Array, alpha: Array) -> Array:
    """x where it is positive, else alpha * x; an axis of extent 1 of alpha goes with any extent of x.

    x, alpha     of one rank              float32 or float64
    returns      the shape of x

    Raises ValueError for shapes that do not go together, TypeError for mixed dtypes or backends.
    Source: He et al., arXiv:1502.01852.
    """
    return _merge("prelu", x, alpha)


@nearest.keywords
def prelu_backward(dy: Array, x: Array, alpha: Array) -> tuple[Array, Array]:
    """The gradients of prelu: dx = dy where x is positive, dy * alpha where it is negative; dalpha = dy * x there.

    dalpha is summed over the axes along which alpha has extent 1.

    dy           the shape of x, and their dtype
    x, alpha     as in the forward pass
    returns      dx, dalpha, of the shapes of x and alpha

    Raises ValueError if a shape disagrees, TypeError for mixed dtypes or backends.
    """
    return _merge_backward("prelu", dy, x, alpha)


@nearest.keywords
def concatenate(arrays: Sequence[Array], axis: int = -1) -> Array:
    """The arrays side by side along an axis; split is its gradient.

    arrays       one or more, float32 or float64, of the same extents on all axes but that one
    axis         from the first, or, where negative, from behind the last
    returns      an array whose extent on that axis is the sum of theirs

    Raises ValueError for shapes that do not go together, TypeError for mixed dtypes or backends.
    """
    op = "concatenate"
    if not isinstance(arrays, Sequence) or isinstance(arrays, str | bytes) or not arrays:
        raise ValueError(
            f"{op}: arrays must be a sequence of at least one array. Received: {nearest.shown(arrays)}"
        )
    named = {f"arrays[{i}]": array for i, array in enumerate(arrays)}
    backend, checked = arguments.arrays(op, **named)
    taken: list[Array] = [array for array in checked if array is not None]
    shape, parts = shapes.concatenated(op, [tuple(a.shape) for a in taken], axis)
    y = backend.empty(shape, taken[0].dtype)
    for x, g in zip(taken, parts, strict=True):
        backend.put_columns(x.reshape(g.part), g, y.reshape(g.whole))
    return y


@nearest.keywords
def split(y: Array, sizes: Sequence[int], axis: int = -1) -> list[Array]:
    """Copies of the parts that lie side by side along an axis; concatenate is its gradient.

    y            any shape                float32 or float64
    sizes        the extents of the parts on that axis, which add up to its own
    axis         from the first, or, where negative, from behind the last
    returns      the parts in their order

    Raises ValueError for sizes that do not fit, TypeError for another dtype.
    """
    backend, (y,) = arguments.arrays("split", y=y)
    shape, parts = list(y.shape), shapes.columns("split", tuple(y.shape), axis, sizes)
    made = []
    for size in sizes:
        shape[axis] = size
        made.append(backend.empty(tuple(shape), y.dtype))
    for i in range(0, len(made), 2):
        g = parts[i]
        next_x = made[i + 1].reshape(g.next_part) if g.L else None
        backend.take_columns(y.reshape(g.whole), g, made[i].reshape(g.part), next_x)
    return made


def _merge(name: str, a: Array, b: Array) -> Array:
    backend, (a, b) = arguments.arrays(name, **dict(zip(_words(name), (a, b), strict=True)))
    shape, g = shapes.broadcast(name, a.shape, b.shape)
    y = backend.empty(shape, a.dtype)
    backend.merge(a.reshape(g.a), b.reshape(g.b), name, g, y.reshape(g.y))
    return y


def _linear_backward(
    op: str, dy: Array, a_shape: Shape, b_shape: Shape, scale: float
) -> tuple[Array, Array]:
    backend, (dy,) = arguments.arrays(op, dy=dy)
    a_shape = shapes.extents(op, "a_shape", a_shape)
    b_shape = shapes.extents(op, "b_shape", b_shape)
    shape, g = shapes.broadcast(op, a_shape, b_shape)
    shapes.same(op, "dy", dy.shape, shape)
    da, db = backend.empty(a_shape, dy.dtype), backend.empty(b_shape, dy.dtype)
    backend.sum_to(dy.reshape(g.y), 1.0, g, da.reshape(g.a))
    backend.sum_to(dy.reshape(g.y), scale, g.swapped(), db.reshape(g.b))
    return da, db


def _words(name: str) -> tuple[str, str]:
    """What the two arrays are called."""
    return ("x", "alpha") if name == "prelu" else ("a", "b")


def _merge_backward(name: str, dy: Array, a: Array, b: Array) -> tuple[Array, Array]:
    op = f"{name}_backward"
    given = dict(zip(_words(name), (a, b), strict=True))
    backend, (dy, a, b) = arguments.arrays(op, dy=dy, **given)
    shape, g = shapes.broadcast(op, a.shape, b.shape)
    shapes.same(op, "dy", dy.shape, shape)
    da, db = backend.empty(a.shape, a.dtype), backend.empty(b.shape, b.dtype)
    arrays = dy.reshape(g.y), a.reshape(g.a), b.reshape(g.b)
    backend.merge_backward(*arrays, name, g, da.reshape(g.a), db.reshape(g.b))
    return da, db
