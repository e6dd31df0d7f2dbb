"""Normalization of samples by themselves: groups of channels, rows, lengths."""

from __future__ import annotations

import math
from typing import Any

from numba_cnn import nearest, shapes
from numba_cnn.ops import arguments
from numba_cnn.ops.arguments import Array
from numba_cnn.shapes import Shape


@nearest.keywords
def group_norm(
    x: Array, gamma: Array, beta: Array, groups: int, epsilon: float
) -> tuple[Array, Array, Array]:
    """Bring each group of channels of each sample to mean 0 and variance 1, then scale and shift each channel.

        y = gamma * (x - mean) * inverse_deviation + beta,    inverse_deviation = 1 / sqrt(variance + epsilon)

    Mean and variance, the biased one, are those of a group's elements at all places of the sample.

    x            (N, ..., C)              float32 or float64
    gamma, beta  (C,)
    groups       into how many runs of C / groups channels they are cut: 1 for all together, C for each by itself
    epsilon      at least 0
    returns      y, the shape of x; mean and inverse_deviation (N, groups), of which the gradient is computed

    Raises ValueError for another rank or groups that do not divide the channels, TypeError for another dtype.
    Source: Wu & He, arXiv:1803.08494; with one group and rows (N, C), Ba et al., arXiv:1607.06450.
    """
    op = "group_norm"
    backend, (x, gamma, beta) = arguments.arrays(op, x=x, gamma=gamma, beta=beta)
    shape = _grouped(op, "x", x.shape, groups)
    for name, one in (("gamma", gamma), ("beta", beta)):
        shapes.same(op, name, one.shape, x.shape[-1:])
    epsilon = arguments.number(op, "epsilon", epsilon, 0)
    y = backend.empty(x.shape, x.dtype)
    mean, inverse = (backend.empty((shape[0], shape[2]), x.dtype) for _ in range(2))
    channels = gamma.reshape(shape[2:]), beta.reshape(shape[2:])
    backend.group_norm(x.reshape(shape), *channels, epsilon, y.reshape(shape), mean, inverse)
    return y, mean, inverse


@nearest.keywords
def group_norm_backward(
    dy: Array, x: Array, gamma: Array, mean: Array, inverse_deviation: Array
) -> tuple[Array, Array, Array]:
    """The gradients of group_norm, whose mean and variance depend on x.

        normal = (x - mean) * inverse_deviation
        dgamma = sum of dy * normal,    dbeta = sum of dy,    of each channel
        dx = inverse_deviation * (gamma * dy - mean of gamma * dy - normal * mean of gamma * dy * normal)

    dy, x                    (N, ..., C)
    gamma                    (C,)
    mean, inverse_deviation  (N, groups)  as the forward pass returned them
    returns                  dx, the shape of x; dgamma and dbeta (C,)

    Raises ValueError if a shape disagrees, TypeError for mixed dtypes or backends.
    """
    op = "group_norm_backward"
    backend, (dy, x, gamma, mean, inverse_deviation) = arguments.arrays(
        op, dy=dy, x=x, gamma=gamma, mean=mean, inverse_deviation=inverse_deviation
    )
    shapes.same(op, "dy", dy.shape, x.shape)
    shapes.rank(op, "mean", mean.shape, 2, "(N, groups)")
    shape = _grouped(op, "x", x.shape, mean.shape[1])
    shapes.same(op, "gamma", gamma.shape, x.shape[-1:])
    for name, one in (("mean", mean), ("inverse_deviation", inverse_deviation)):
        shapes.same(op, name, one.shape, (shape[0], shape[2]))
    dx = backend.empty(x.shape, x.dtype)
    dgamma, dbeta = (backend.empty(gamma.shape, x.dtype) for _ in range(2))
    backend.group_norm_backward(
        dy.reshape(shape), x.reshape(shape), gamma.reshape(shape[2:]), mean, inverse_deviation,
        dx.reshape(shape), dgamma.reshape(shape[2:]), dbeta.reshape(shape[2:]),
    )  # fmt: skip
    return dx, dgamma, dbeta


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
