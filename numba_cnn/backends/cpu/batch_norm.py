"""Batch normalization on the CPU: sums in chunks of rows, which are added in their order; then one pass of rows.

A sum is one of distances from a centre, the mean of a sample of rows: nothing cancels where a mean is large. Of R rows
every `_EVERY`th is in the sample; if their mean is k deviations from that of all, then k * k <= _EVERY, since so many
rows, so far away, have their part in the deviation. Squares lose no more than this factor of their roundings.
"""

import numpy as np

from numba_cnn.backends.contract import checked
from numba_cnn.backends.cpu.microkernels.columns import (
    column_moments,
    column_products,
    gradient_columns,
    shift_columns,
)
from numba_cnn.backends.cpu.microkernels.nontemporal import bypasses_caches
from numba_cnn.backends.cpu.runtime.launch import kernel, unpack
from numba_cnn.backends.cpu.runtime.memory import constant, empty
from numba_cnn.backends.cpu.runtime.partial_sums import partials_of, sum_partials
from numba_cnn.backends.cpu.runtime.threads import threads_for

_CHUNK, _FEWEST, _MOST = 1 << 14, 16, 512  # elements, and rows, of a chunk
_EVERY = 32  # rows, one of which is in the sample


@checked
def batch_norm(
    x, gamma, beta, moving_mean, moving_variance, momentum, epsilon, y, mean, inverse_deviation
):
    (R, C), number, scale = x.shape, x.dtype.type, empty(gamma.shape, x.dtype)
    count = number(R)
    distances, squares = (empty((_chunks(R, C), C), x.dtype) for _ in range(2))
    sample = -(-R // _EVERY)
    sampled = _chunks(sample, C)
    _moments(
        threads_for(sample * C), x.reshape(-1), _EVERY, x[0], distances[:sampled], squares[:sampled]
    )
    _mean(1, x[0], distances[:sampled], number(sample), mean)
    _moments(threads_for(x.size), x.reshape(-1), 1, mean, distances, squares)
    _statistics(
        1, (distances, squares, count), (moving_mean, moving_variance, number(momentum), number(1 - momentum)),
        gamma, number(epsilon), mean, inverse_deviation, scale,
    )  # fmt: skip
    _normalize(threads_for(x.size), x, mean, scale, beta, y)


@checked
def batch_norm_inference(x, gamma, beta, mean, variance, epsilon, y):
    inverse, scale = _scale_of(gamma, variance, epsilon)
    _normalize(threads_for(x.size), x, mean, scale, beta, y)


@checked
def batch_norm_backward(dy, x, gamma, mean, inverse_deviation, dx, dgamma, dbeta):
    _sum_gradients(dy, x, mean, inverse_deviation, dgamma, dbeta)
    count, numbers = dy.dtype.type(len(dy)), [empty(gamma.shape, dy.dtype) for _ in range(3)]
    _gradient_numbers(1, inverse_deviation, gamma, dgamma, dbeta, count, *numbers)
    _input_gradient(threads_for(dy.size), dy, x, (mean, *numbers), dx)


@checked
def batch_norm_inference_backward(dy, x, gamma, mean, variance, epsilon, dx, dgamma, dbeta):
    inverse, scale = _scale_of(gamma, variance, epsilon)
    _sum_gradients(dy, x, mean, inverse, dgamma, dbeta)
    zeros = constant(0, gamma.size, dy.dtype)
    _normalize(threads_for(dy.size), dy, zeros, scale, zeros, dx)


def _chunks(R, C):
    """Into how many chunks R rows are cut."""
    return -(-R // min(max(_CHUNK // C, _FEWEST), _MOST))


def _scale_of(gamma, variance, epsilon):
    """1 / sqrt(variance + epsilon), and gamma times that."""
    inverse, scale = (empty(gamma.shape, gamma.dtype) for _ in range(2))
    _scale(1, gamma, variance, gamma.dtype.type(epsilon), inverse, scale)
    return inverse, scale


def _sum_gradients(dy, x, mean, inverse, dgamma, dbeta):
    chunks = _chunks(*dy.shape)
    dgammas, dbetas = partials_of(dgamma, chunks), partials_of(dbeta, chunks)
    _gradient_sums(threads_for(dy.size), dy, x, mean, inverse, dgammas, dbetas)
    sum_partials(dgammas, dgamma)
    sum_partials(dbetas, dbeta)


@kernel
def _moments(share, shares, thread, packed):
    """Sums of distances from a centre and of their squares, of one of `every` rows; each share is whole chunks."""
    x, every, centre, distances, squares = unpack(packed)
    chunks, C = distances.shape
    rows = -(-x.size // (C * every))
    for chunk in range(share * chunks // shares, (share + 1) * chunks // shares):
        first, last = chunk * rows // chunks, (chunk + 1) * rows // chunks
        sums = distances.reshape(-1), squares.reshape(-1), chunk * C
        column_moments((x, first * every * C, every * C), last - first, (centre, 0), sums, C)


@kernel
def _mean(share, shares, thread, packed):
    centre, distances, count, mean = unpack(packed)
    for c in range(mean.size):
        total = distances[0, c]
        for chunk in range(1, len(distances)):
            total += distances[chunk, c]
        mean[c] = centre[c] + total / count


@kernel
def _statistics(share, shares, thread, packed):
    """The mean, less what its rounding left; 1 / the deviation; the moving statistics."""
    (distances, squares, count), moving, gamma, epsilon, mean, inverse, scale = unpack(packed)
    moving_mean, moving_variance, momentum, rest = moving
    zero, one = mean.dtype.type(0), mean.dtype.type(1)
    for c in range(mean.size):
        total, square = distances[0, c], squares[0, c]
        for chunk in range(1, len(distances)):
            total += distances[chunk, c]
            square += squares[chunk, c]
        mean[c] += total / count
        variance = (square - total * (total / count)) / count
        variance = zero if variance < zero else variance
        inverse[c] = one / np.sqrt(variance + epsilon)
        scale[c] = gamma[c] * inverse[c]
        moving_mean[c] = moving_mean[c] * momentum + mean[c] * rest
        moving_variance[c] = moving_variance[c] * momentum + variance * rest


@kernel
def _scale(share, shares, thread, packed):
    gamma, variance, epsilon, inverse, scale = unpack(packed)
    one = gamma.dtype.type(1)
    for c in range(gamma.size):
        inverse[c] = one / np.sqrt(variance[c] + epsilon)
        scale[c] = gamma[c] * inverse[c]


@kernel
def _normalize(share, shares, thread, packed):
    """y = (x - mean) scale + beta; each share is a run of rows."""
    x, mean, scale, beta, y = unpack(packed)
    (R, C), target = x.shape, y.reshape(-1)
    first, last = share * R // shares, (share + 1) * R // shares
    rows, made, nontemporal = (
        (x.reshape(-1), first * C, C),
        (target, first * C, C),
        bypasses_caches(target, C),
    )
    shift_columns(rows, last - first, (mean, scale, beta, 0), made, C, nontemporal, 0)


@kernel
def _gradient_sums(share, shares, thread, packed):
    """Sums of dy times normalized x, and of dy; each share is whole chunks."""
    dy, x, mean, inverse, dgammas, dbetas = unpack(packed)
    R, C = x.shape
    chunks, slopes, values = len(dbetas), dy.reshape(-1), x.reshape(-1)
    for chunk in range(share * chunks // shares, (share + 1) * chunks // shares):
        first, last = chunk * R // chunks, (chunk + 1) * R // chunks
        sums, o = (dbetas.reshape(-1), dgammas.reshape(-1), chunk * C), first * C
        statistics = mean, inverse, 0
        column_products((slopes, o, C), (values, o, C), last - first, statistics, sums, C)


@kernel
def _gradient_numbers(share, shares, thread, packed):
    """For each channel what dx = dy scale - ((x - mean) along + shift) takes."""
    inverse, gamma, dgamma, dbeta, count, scale, along, shift = unpack(packed)
    for c in range(gamma.size):
        scale[c] = gamma[c] * inverse[c]
        along[c] = scale[c] * inverse[c] * dgamma[c] / count
        shift[c] = scale[c] * dbeta[c] / count


@kernel
def _input_gradient(share, shares, thread, packed):
    """Each share is a run of rows."""
    dy, x, (mean, scale, along, shift), dx = unpack(packed)
    (R, C), target = x.shape, dx.reshape(-1)
    first, last = share * R // shares, (share + 1) * R // shares
    slopes, values = (dy.reshape(-1), first * C, C), (x.reshape(-1), first * C, C)
    numbers, made = (mean, scale, along, shift, 0), (target, first * C, C)
    nontemporal = bypasses_caches(target, C)
    gradient_columns(slopes, values, last - first, numbers, made, C, nontemporal, 0)
