"""Batch normalization: one thread a channel and chunk of rows sums, one a channel adds the chunks, one an element
normalizes.
"""

import math

import numpy as np

from numba_cnn.backends.contract import checked
from numba_cnn.backends.cuda.launch import BLOCKS, THREADS, launch_each
from numba_cnn.backends.cuda.memory import empty
from numba_cnn.backends.cuda.provider import cuda, jit
from numba_cnn.backends.cuda.vector import load, store


@checked
def batch_norm(
    x, gamma, beta, moving_mean, moving_variance, momentum, epsilon, y, mean, inverse_deviation
):
    R, C = x.shape
    kind, parts = x.dtype.type, _parts(R, C)
    distances, squares = (empty((parts, C), x.dtype) for _ in range(2))
    chunk = np.int32(-(-R // parts))
    launch_each(moments_kernel, parts * C, x, x, chunk, distances, squares)
    launch_each(mean_kernel, C, x, distances, kind(R), mean)
    launch_each(moments_kernel, parts * C, x, mean, chunk, distances, squares)
    constants = kind(R), kind(momentum), kind(1 - momentum), kind(epsilon)
    launch_each(
        statistics_kernel, C, distances, squares, *constants, moving_mean, moving_variance, mean, inverse_deviation
    )  # fmt: skip
    launch_each(normalize_kernel, x.size, x, mean, inverse_deviation, gamma, beta, y)


@checked
def batch_norm_inference(x, gamma, beta, mean, variance, epsilon, y):
    inverse = _inverse(variance, epsilon)
    launch_each(normalize_kernel, x.size, x, mean, inverse, gamma, beta, y)


@checked
def batch_norm_backward(dy, x, gamma, mean, inverse_deviation, dx, dgamma, dbeta):
    _sum_gradients(dy, x, mean, inverse_deviation, dgamma, dbeta)
    count = dy.dtype.type(dy.shape[0])
    launch_each(
        input_gradient_kernel, dy.size, dy, x, gamma, mean, inverse_deviation, dgamma, dbeta, count, dx
    )  # fmt: skip


@checked
def batch_norm_inference_backward(dy, x, gamma, mean, variance, epsilon, dx, dgamma, dbeta):
    inverse = _inverse(variance, epsilon)
    _sum_gradients(dy, x, mean, inverse, dgamma, dbeta)
    launch_each(scale_kernel, dy.size, dy, gamma, inverse, dx)


def _parts(R, C):
    """Into how many chunks R rows are cut, by shapes alone."""
    return max(1, min(BLOCKS * THREADS // C, R // 8))


def _inverse(variance, epsilon):
    inverse = empty(variance.shape, variance.dtype)
    kind = variance.dtype.type
    launch_each(inverse_kernel, variance.size, variance, kind(epsilon), inverse)
    return inverse


def _sum_gradients(dy, x, mean, inverse, dgamma, dbeta):
    R, C = x.shape
    parts = _parts(R, C)
    dgammas, dbetas = (empty((parts, C), x.dtype) for _ in range(2))
    chunk = np.int32(-(-R // parts))
    launch_each(gradient_sums_kernel, parts * C, dy, x, mean, inverse, chunk, dgammas, dbetas)
    launch_each(add_parts_kernel, C, dgammas, dbetas, dgamma, dbeta)


@jit
def moments_kernel(x, centre, chunk, distances, squares):
    """Sums of distances from a centre, the first C numbers of an array, and of their squares."""
    i = cuda.grid(1)
    if i < distances.size:
        R, C = x.shape
        part, c = i // C, i % C
        total, square = x.dtype.type(0), x.dtype.type(0)
        middle = load(centre, c)
        for r in range(part * chunk, min((part + 1) * chunk, R)):
            distance = load(x, r * C + c) - middle
            total += distance
            square += distance * distance
        store(distances, i, total)
        store(squares, i, square)


@jit
def mean_kernel(centre, distances, count, mean):
    c = cuda.grid(1)
    if c < mean.size:
        total = mean.dtype.type(0)
        for part in range(distances.shape[0]):
            total += distances[part, c]
        mean[c] = load(centre, c) + total / count


@jit
def statistics_kernel(
    distances, squares, count, momentum, rest, epsilon, moving_mean, moving_variance, mean, inverse
):
    """The mean, less what its rounding left; 1 / the deviation; the moving statistics."""
    c = cuda.grid(1)
    if c < mean.size:
        zero = mean.dtype.type(0)
        total, square = zero, zero
        for part in range(distances.shape[0]):
            total += distances[part, c]
            square += squares[part, c]
        mean[c] += total / count
        variance = (square - total * (total / count)) / count
        variance = zero if variance < zero else variance
        inverse[c] = mean.dtype.type(1) / math.sqrt(variance + epsilon)
        moving_mean[c] = moving_mean[c] * momentum + mean[c] * rest
        moving_variance[c] = moving_variance[c] * momentum + variance * rest


@jit
def inverse_kernel(variance, epsilon, inverse):
    c = cuda.grid(1)
    if c < inverse.size:
        inverse[c] = variance.dtype.type(1) / math.sqrt(variance[c] + epsilon)


@jit
def normalize_kernel(x, mean, inverse, gamma, beta, y):
    i = cuda.grid(1)
    if i < x.size:
        c = i % mean.size
        store(y, i, (load(x, i) - mean[c]) * (inverse[c] * gamma[c]) + beta[c])


@jit
def scale_kernel(dy, gamma, inverse, dx):
    i = cuda.grid(1)
    if i < dy.size:
        c = i % gamma.size
        store(dx, i, load(dy, i) * (inverse[c] * gamma[c]))


@jit
def gradient_sums_kernel(dy, x, mean, inverse, chunk, dgammas, dbetas):
    i = cuda.grid(1)
    if i < dbetas.size:
        R, C = x.shape
        part, c = i // C, i % C
        dgamma, dbeta = x.dtype.type(0), x.dtype.type(0)
        for r in range(part * chunk, min((part + 1) * chunk, R)):
            gradient = load(dy, r * C + c)
            dgamma += gradient * ((load(x, r * C + c) - mean[c]) * inverse[c])
            dbeta += gradient
        store(dgammas, i, dgamma)
        store(dbetas, i, dbeta)


@jit
def add_parts_kernel(dgammas, dbetas, dgamma, dbeta):
    c = cuda.grid(1)
    if c < dbeta.size:
        first, second = dbeta.dtype.type(0), dbeta.dtype.type(0)
        for part in range(dbetas.shape[0]):
            first += dgammas[part, c]
            second += dbetas[part, c]
        dgamma[c] = first
        dbeta[c] = second


@jit
def input_gradient_kernel(dy, x, gamma, mean, inverse, dgamma, dbeta, count, dx):
    i = cuda.grid(1)
    if i < dy.size:
        c = i % gamma.size
        normal = (load(x, i) - mean[c]) * inverse[c]
        rest = (dbeta[c] + normal * dgamma[c]) / count
        store(dx, i, gamma[c] * inverse[c] * (load(dy, i) - rest))
