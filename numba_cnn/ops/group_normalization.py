"""Normalization of samples by themselves: groups of channels, rows, lengths."""

from __future__ import annotations

import math
from typing import Any

from numba_cnn import nearest, shapes
from numba_cnn.ops import arguments
from numba_cnn.ops.arguments import Array
from numba_cnn.shapes import Shape


@nearest.keywords
def group_norm(x: Array, groups: int, epsilon: float) -> tuple[Array, Array]:
    """Bring each group of channels of each sample to mean 0 and variance 1.

        y = (x - mean) * inverse_deviation,    inverse_deviation = 1 / sqrt(variance + epsilon)

    Mean and variance, the biased one, are those of a group's elements at all places of the sample.

    x            (N, ..., C)              float32 or float64
    groups       into how many runs of C / groups channels they are cut: 1 for all together, C for each by itself
    epsilon      at least 0
    returns      y, the shape of x, and inverse_deviation (N, groups), of which the gradient is computed

    Raises ValueError for another rank or groups that do not divide the channels, TypeError for another dtype.
    Source: Wu & He, arXiv:1803.08494; with one group and rows (N, C), Ba et al., arXiv:1607.06450.
    """
    op = "group_norm"
    backend, (x,) = arguments.arrays(op, x=x)
    shape = _grouped(op, "x", x.shape, groups)
    epsilon = arguments.number(op, "epsilon", epsilon, 0)
    y, inverse = backend.empty(x.shape, x.dtype), backend.empty((shape[0], shape[2]), x.dtype)
    backend.group_norm(x.reshape(shape), epsilon, y.reshape(shape), inverse)
    return y, inverse


@nearest.keywords
def group_norm_backward(dy: Array, y: Array, inverse_deviation: Array) -> Array:
    """The gradient of group_norm, whose mean and variance depend on x.

        dx = inverse_deviation * (dy - mean of dy - y * mean of dy * y)

    dy, y              (N, ..., C)        y as the forward pass returned it
    inverse_deviation  (N, groups)        likewise
    returns            dx, the shape of y

    Raises ValueError if a shape disagrees, TypeError for mixed dtypes or backends.
    """
    op = "group_norm_backward"
    backend, (dy, y, inverse_deviation) = arguments.arrays(
        op, dy=dy, y=y, inverse_deviation=inverse_deviation
    )
    shapes.same(op, "dy", dy.shape, y.shape)
    shapes.rank(op, "inverse_deviation", inverse_deviation.shape, 2, "(N, groups)")
    shape = _grouped(op, "y", y.shape, inverse_deviation.shape[1])
    shapes.same(op, "inverse_deviation", inverse_deviation.shape, (shape[0], shape[2]))
    dx = backend.empty(y.shape, y.dtype)
    backend.group_norm_backward(
        dy.reshape(shape), y.reshape(shape), inverse_deviation, dx.reshape(shape)
    )
    return dx


@nearest.keywords
def unit_norm(x: Array, epsilon: float) -> tuple[Array, Array]:
    """Bring each row along the last axis to length 1.

        y = x * inverse_norm,    inverse_norm = 1 / max(sqrt(sum of x * x), epsilon)

    x            (..., C)                 float32 or float64
    epsilon      the least length, 1e-30 or more
    returns      y, the shape of x, and inverse_norm, one number a row

    Raises ValueError for an empty array or an epsilon below 1e-30, TypeError for another dtype.
    """
    backend, (x,) = arguments.arrays("unit_norm", x=x)
    rows, epsilon = arguments.rows("unit_norm", x), _length("unit_norm", epsilon)
    y, inverse = backend.empty(x.shape, x.dtype), backend.empty(rows[:1], x.dtype)
    backend.unit_norm(x.reshape(rows), epsilon, y.reshape(rows), inverse)
    return y, inverse


@nearest.keywords
def unit_norm_backward(dy: Array, y: Array, inverse_norm: Array, epsilon: float) -> Array:
    """The gradient of unit_norm; a length below epsilon is a constant.

        dx = inverse_norm * (dy - y * sum of dy * y)

    dy, y          (..., C)               y as the forward pass returned it
    inverse_norm   one number a row       likewise
    epsilon        that of the forward pass
    returns        dx, the shape of y

    Raises as unit_norm, and ValueError if a shape disagrees.
    """
    op = "unit_norm_backward"
    backend, (dy, y, inverse_norm) = arguments.arrays(op, dy=dy, y=y, inverse_norm=inverse_norm)
    shapes.same(op, "dy", dy.shape, y.shape)
    rows, epsilon = arguments.rows(op, y, "y"), _length(op, epsilon)
    shapes.same(op, "inverse_norm", inverse_norm.shape, rows[:1])
    dx = backend.empty(y.shape, y.dtype)
    backend.unit_norm_backward(
        dy.reshape(rows), y.reshape(rows), inverse_norm, epsilon, dx.reshape(rows)
    )
    return dx


def _grouped(op: str, name: str, shape: Shape, groups: Any) -> Shape:
    """(N, P, groups, K) of samples whose channels, the last axis, are cut into groups."""
    shape, groups = tuple(shape), shapes.count(op, "groups", groups)
    if len(shape) < 2 or min(shape) < 1:
        raise ValueError(
            f"{op}: {name} must be samples (N, ..., C), not empty. Received: {name} {shape}"
        )
    if shape[-1] % groups:
        raise ValueError(
            f"{op}: the channels must divide into the groups. "
            f"Received: {shape[-1]} channels, groups {groups}"
        )
    return shape[0], math.prod(shape[1:-1]), groups, shape[-1] // groups


def _length(op: str, epsilon: Any) -> float:
    return arguments.number(op, "epsilon", epsilon, least=1e-30)
