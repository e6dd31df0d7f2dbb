"""Batch normalization."""

from __future__ import annotations

from typing import Any

from numba_cnn import nearest, shapes
from numba_cnn.ops import arguments
from numba_cnn.ops.arguments import Array


@nearest.keywords
def batch_norm(
    x: Array,
    gamma: Array,
    beta: Array,
    moving_mean: Array,
    moving_variance: Array,
    momentum: float,
    epsilon: float,
) -> tuple[Array, Array, Array]:
    """Normalize each channel by its own mean and variance over all axes but the last, as in training.

        y = gamma * (x - mean) * inverse_deviation + beta,    inverse_deviation = 1 / sqrt(variance + epsilon)
        moving_mean     = moving_mean * momentum + mean * (1 - momentum), in place
        moving_variance = moving_variance * momentum + variance * (1 - momentum), in place

    The variance is the biased one: the sum of squares is divided by how many there are. Means that are large beside
    the deviation cost no digits but those that x itself has lost.

    x                        (..., C)     float32 or float64
    gamma, beta              (C,)         same dtype
    moving_mean, moving_variance (C,)     same dtype; changed in place
    momentum                 between 0 and 1
    epsilon                  at least 0
    returns                  y, the shape of x; mean and inverse_deviation (C,), of which the gradient is computed

    Raises ValueError if a shape disagrees, or a moving array is a view that cannot be changed in place, TypeError for
    mixed dtypes or backends. Source: Ioffe & Szegedy, arXiv:1502.03167; moving averages as in Keras.
    """
    op = "batch_norm"
    moving = {"moving_mean": moving_mean, "moving_variance": moving_variance}
    backend, taken = arguments.arrays(op, x=x, gamma=gamma, beta=beta, **moving)
    x, gamma, beta, moving_mean, moving_variance = taken
    rows = arguments.rows(op, x)
    _channels(
        op,
        rows[1],
        gamma=gamma,
        beta=beta,
        moving_mean=moving_mean,
        moving_variance=moving_variance,
    )
    for (name, given), array in zip(moving.items(), taken[3:], strict=True):
        arguments.in_place(op, name, given, array)
    momentum = arguments.number(op, "momentum", momentum, 0, most=1)
    epsilon = arguments.number(op, "epsilon", epsilon, 0)
    y, mean, inverse = backend.empty(x.shape, x.dtype), *_vectors(backend, gamma, 2)
    backend.batch_norm(
        x.reshape(rows), gamma, beta, moving_mean, moving_variance, momentum, epsilon, y.reshape(rows), mean, inverse
    )  # fmt: skip
    return y, mean, inverse


@nearest.keywords
def batch_norm_inference(
    x: Array, gamma: Array, beta: Array, mean: Array, variance: Array, epsilon: float
) -> Array:
    """Normalize each channel by a mean and a variance that are given.

        y = gamma * (x - mean) / sqrt(variance + epsilon) + beta

    x                           (..., C)  float32 or float64
    gamma, beta, mean, variance (C,)      same dtype
    epsilon                     at least 0
    returns                     y, the shape of x

    Raises as batch_norm.
    """
    op = "batch_norm_inference"
    backend, (x, gamma, beta, mean, variance) = arguments.arrays(
        op, x=x, gamma=gamma, beta=beta, mean=mean, variance=variance
    )
    rows = arguments.rows(op, x)
    _channels(op, rows[1], gamma=gamma, beta=beta, mean=mean, variance=variance)
    epsilon = arguments.number(op, "epsilon", epsilon, 0)
    y = backend.empty(x.shape, x.dtype)
    backend.batch_norm_inference(
        x.reshape(rows), gamma, beta, mean, variance, epsilon, y.reshape(rows)
    )
    return y


@nearest.keywords
def batch_norm_backward(
    dy: Array, x: Array, gamma: Array, mean: Array, inverse_deviation: Array
) -> tuple[Array, Array, Array]:
    """The gradients of batch_norm, whose mean and variance depend on x.

        n = (x - mean) * inverse_deviation,    dgamma = sum of dy * n,    dbeta = sum of dy
        dx = gamma * inverse_deviation * (dy - (dbeta + n * dgamma) / rows)

    dy, x                    (..., C)     float32 or float64
    gamma                    (C,)         same dtype
    mean, inverse_deviation  (C,)         as the forward pass returned them
    returns                  dx, the shape of x; dgamma, dbeta (C,)

    Raises ValueError if a shape disagrees, TypeError for mixed dtypes or backends.
    """
    op = "batch_norm_backward"
    backend, (dy, x, gamma, mean, inverse_deviation) = arguments.arrays(
        op, dy=dy, x=x, gamma=gamma, mean=mean, inverse_deviation=inverse_deviation
    )
    rows = arguments.rows(op, x)
    shapes.same(op, "dy", dy.shape, x.shape)
    _channels(op, rows[1], gamma=gamma, mean=mean, inverse_deviation=inverse_deviation)
    dx, dgamma, dbeta = backend.empty(x.shape, x.dtype), *_vectors(backend, gamma, 2)
    backend.batch_norm_backward(
        dy.reshape(rows), x.reshape(rows), gamma, mean, inverse_deviation, dx.reshape(rows), dgamma, dbeta
    )  # fmt: skip
    return dx, dgamma, dbeta


@nearest.keywords
def batch_norm_inference_backward(
    dy: Array, x: Array, gamma: Array, mean: Array, variance: Array, epsilon: float
) -> tuple[Array, Array, Array]:
    """The gradients of batch_norm_inference, whose mean and variance are constants.

        dx = dy * gamma / sqrt(variance + epsilon)

    dy, x                    (..., C)     float32 or float64
    gamma, mean, variance    (C,)         same dtype
    epsilon                  that of the forward pass
    returns                  dx, the shape of x; dgamma, dbeta (C,)

    Raises as batch_norm_backward.
    """
    op = "batch_norm_inference_backward"
    backend, (dy, x, gamma, mean, variance) = arguments.arrays(
        op, dy=dy, x=x, gamma=gamma, mean=mean, variance=variance
    )
    rows = arguments.rows(op, x)
    shapes.same(op, "dy", dy.shape, x.shape)
    _channels(op, rows[1], gamma=gamma, mean=mean, variance=variance)
    epsilon = arguments.number(op, "epsilon", epsilon, 0)
    dx, dgamma, dbeta = backend.empty(x.shape, x.dtype), *_vectors(backend, gamma, 2)
    backend.batch_norm_inference_backward(
        dy.reshape(rows), x.reshape(rows), gamma, mean, variance, epsilon, dx.reshape(rows), dgamma, dbeta
    )  # fmt: skip
    return dx, dgamma, dbeta


def _channels(op: str, C: int, **arrays: Array) -> None:
    """Whether each array has one number a channel."""
    for name, array in arrays.items():
        shapes.same(op, name, array.shape, (C,))


def _vectors(backend: Any, like: Array, count: int) -> list[Array]:
    return [backend.empty(like.shape, like.dtype) for _ in range(count)]
