"""Arrays made of several: sums, products, extremes, concatenation."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from numba_cnn import nearest, shapes
from numba_cnn.ops import arguments
from numba_cnn.ops.arguments import Array
from numba_cnn.shapes import Shape


def _defined(
    name: str, formula: str
) -> tuple[Callable[..., Array], Callable[..., tuple[Array, Array]]]:
    def forward(a: Array, b: Array) -> Array:
        backend, (a, b) = arguments.arrays(name, a=a, b=b)
        shape = joined(name, a.shape, b.shape)
        a, b = _repeated(backend, a, shape), _repeated(backend, b, shape)
        y = backend.empty(shape, a.dtype)
        backend.combine(a, b, name, y)
        return y

    def backward(dy: Array, a: Array, b: Array) -> tuple[Array, Array]:
        op = f"{name}_backward"
        backend, (dy, a, b) = arguments.arrays(op, dy=dy, a=a, b=b)
        shape = joined(op, a.shape, b.shape)
        shapes.same(op, "dy", dy.shape, shape)
        whole = [_repeated(backend, array, shape) for array in (a, b)]
        gradients = [backend.empty(shape, dy.dtype) for _ in whole]
        backend.combine_backward(dy, *whole, name, *gradients)
        da, db = (
            _summed(backend, g, array.shape) for g, array in zip(gradients, (a, b), strict=True)
        )
        return da, db

    forward.__name__ = forward.__qualname__ = name
    forward.__doc__ = f"""{formula}, element by element.

    a, b         one shape, or as many axes where extents of 1 are repeated; float32 or float64
    returns      the shape that they have together

    Raises ValueError for shapes that do not fit together, TypeError for mixed dtypes or backends.
    """
    backward.__name__ = backward.__qualname__ = f"{name}_backward"
    backward.__doc__ = f"""The gradients of {name}(a, b), (da, db), given the gradient dy of its output.

    Where an extent of 1 was repeated, its gradient is the sum over the axis. Of two equal numbers each is taken for half
    of the maximum or the minimum.

    Raises as {name} does, and ValueError if dy has another shape.
    """
    return nearest.keywords(forward), nearest.keywords(backward)


add, add_backward = _defined("add", "a + b")
subtract, subtract_backward = _defined("subtract", "a - b")
multiply, multiply_backward = _defined("multiply", "a * b")
maximum, maximum_backward = _defined("maximum", "The larger of a and b")
minimum, minimum_backward = _defined("minimum", "The smaller of a and b")


@nearest.keywords
def concatenate(arrays: Sequence[Array], axis: int = -1) -> Array:
    """Arrays after one another along an axis.

    arrays       of one dtype, of equal extents along all other axes
    returns      the same extents, along the axis their sum

    Raises ValueError for shapes that do not fit together, TypeError for mixed dtypes or backends.
    """
    op = "concatenate"
    if not isinstance(arrays, list | tuple) or not arrays:
        raise ValueError(
            f"{op}: arrays must be a list of arrays. Received: {nearest.shown(arrays)}"
        )
    taken: list[Any]
    backend, taken = arguments.arrays(op, **{f"arrays[{i}]": a for i, a in enumerate(arrays)})
    axis = _axis(op, axis, len(taken[0].shape))
    rest = {(*a.shape[:axis], None, *a.shape[axis + 1 :]) for a in taken}
    if len(rest) > 1:
        raise ValueError(
            f"{op}: all axes but axis {axis} must have equal extents. Received: {[a.shape for a in taken]}"
        )
    first, total = taken[0].shape, sum(a.shape[axis] for a in taken)
    y = backend.empty((*first[:axis], total, *first[axis + 1 :]), taken[0].dtype)
    rows, at = math.prod(first[:axis]), 0
    for array in taken:
        columns = array.reshape(rows, math.prod(array.shape[axis:]))
        backend.put_columns(columns, at, y.reshape(rows, math.prod(y.shape[axis:])))
        at += columns.shape[1]
    return y


@nearest.keywords
def split(y: Array, sizes: Sequence[int], axis: int = -1) -> list[Array]:
    """The parts of an array along an axis, of these sizes: the gradient of concatenate.

    Raises ValueError for sizes that do not add up to the extent.
    """
    backend, (y,) = arguments.arrays("split", y=y)
    axis = _axis("split", axis, len(y.shape))
    if sum(sizes) != y.shape[axis]:
        raise ValueError(
            f"split: sizes must add up to {y.shape[axis]}, the extent of axis {axis}. Received: {list(sizes)}"
        )
    rows, at = math.prod(y.shape[:axis]), 0
    whole = y.reshape(rows, math.prod(y.shape[axis:]))
    parts = []
    for size in sizes:
        part = backend.empty((*y.shape[:axis], size, *y.shape[axis + 1 :]), y.dtype)
        columns = part.reshape(rows, math.prod(part.shape[axis:]))
        backend.take_columns(whole, at, columns)
        at += columns.shape[1]
        parts.append(part)
    return parts


def joined(op: str, a: Shape, b: Shape) -> Shape:
    """The shape that two arrays have together: extents of 1 are repeated."""
    fits = len(a) == len(b) and all(m == n or 1 in (m, n) for m, n in zip(a, b, strict=True))
    if not fits or (a != b and len(a) > 4):
        raise ValueError(
            f"{op}: a and b must have one shape, or as many axes, four at most, with extents of 1 where they differ. "
            f"Received: {tuple(a)}, {tuple(b)}"
        )
    return tuple(max(m, n) for m, n in zip(a, b, strict=True))


def _repeated(backend: Array, array: Array, shape: Shape) -> Array:
    if tuple(array.shape) == shape:
        return array
    y = backend.empty(shape, array.dtype)
    backend.repeat(array.reshape(_four(array.shape)), y.reshape(_four(shape)))
    return y


def _summed(backend: Array, gradient: Array, shape: Shape) -> Array:
    if tuple(shape) == tuple(gradient.shape):
        return gradient
    summed = backend.empty(tuple(shape), gradient.dtype)
    backend.repeat_backward(gradient.reshape(_four(gradient.shape)), summed.reshape(_four(shape)))
    return summed


def _four(shape: Shape) -> Shape:
    """The shape with axes of extent 1 in front, to make four."""
    return (1,) * (4 - len(shape)) + tuple(shape)


def _axis(op: str, axis: int, rank: int) -> int:
    place = shapes.count(op, "axis", axis, least=-rank)
    if place >= rank:
        raise ValueError(f"{op}: axis must be at most {rank - 1}. Received: {axis}")
    return place % rank
