"""Groups brought to mean 0 and variance 1, rows to length 1, on the CPU: each share is whole samples, or rows.

Sums are taken in float64: for each channel over the sample's places, then over the channels of a group.
"""

import numpy as np

from numba_cnn.backends.contract import checked
from numba_cnn.backends.cpu.codegen.compiler import noinline, reassociated
from numba_cnn.backends.cpu.runtime.launch import kernel, unpack
from numba_cnn.backends.cpu.runtime.memory import empty
from numba_cnn.backends.cpu.runtime.threads import get_num_threads, threads_for


@checked
def group_norm(x, epsilon, y, inverse_deviation):
    threads, epsilon = threads_for(x.size), float(epsilon)
    if x.shape[1] == 1:
        rows = _rows(x)
        _normalize_rows(
            threads, x.reshape(rows), epsilon, y.reshape(rows), inverse_deviation.reshape(-1)
        )
        return
    flat = _flat(x)
    _normalize(threads, x.reshape(flat), epsilon, _scratch(x), y.reshape(flat), inverse_deviation)


@checked
def group_norm_backward(dy, y, inverse_deviation, dx):
    threads = threads_for(dy.size)
    if y.shape[1] == 1:
        arrays = (array.reshape(_rows(y)) for array in (dy, y, dx))
        _gradient_rows(threads, *arrays, inverse_deviation.reshape(-1))
        return
    arrays = (array.reshape(_flat(y)) for array in (dy, y, dx))
    _gradient(threads, *arrays, inverse_deviation, _scratch(y))


def _rows(x):
    """Groups of one place each, elements."""
    N, _, G, K = x.shape
    return N * G, K


def _flat(x):
    """Samples, places, channels."""
    N, P, G, K = x.shape
    return N, P, G * K


def _scratch(x):
    """For each thread three numbers a channel."""
    return empty((get_num_threads(), 3, x.shape[2] * x.shape[3]), np.float64)


@checked
def unit_norm(x, epsilon, y, inverse_norm):
    limit = x.dtype.type(1 / epsilon)
    _shorten(threads_for(x.size), x, float(epsilon**2), limit, y, inverse_norm)


@checked
def unit_norm_backward(dy, y, inverse_norm, epsilon, dx):
    limit = dy.dtype.type(1 / epsilon)
    _shorten_gradient(threads_for(dy.size), dy, y, inverse_norm, limit, dx)


@reassociated
def _total(values):
    """The sum, in an order that vectors like."""
    total = np.float64(0)
    for i in range(values.size):
        total += values[i]
    return total


@reassociated
def _product(a, b):
    """The scalar product, likewise."""
    total = np.float64(0)
    for i in range(a.size):
        total += np.float64(a[i]) * b[i]
    return total


@noinline
def _share_out(sums, groups, count):
    """Put the mean of each group, of so many elements, in place of its channels' sums."""
    K = sums.size // groups
    for g in range(groups):
        group = sums[g * K : (g + 1) * K]
        mean = _total(group) / count
        for k in range(K):
            group[k] = mean


@reassociated
def _square(values, mean):
    """The sum of squared distances from the mean, likewise."""
    total = np.float64(0)
    for i in range(values.size):
        distance = values[i] - mean
        total += distance * distance
    return total


@kernel
def _normalize_rows(share, shares, thread, packed):
    """y = (x - mean) / the deviation, of each row."""
    x, epsilon, y, inverse = unpack(packed)
    R, K = x.shape
    for r in range(share * R // shares, (share + 1) * R // shares):
        row, out = x[r], y[r]
        mean = _total(row) / K
        scale = np.float64(1) / np.sqrt(_square(row, mean) / K + epsilon)
        inverse[r] = scale
        for k in range(K):
            out[k] = (row[k] - mean) * scale


@kernel
def _normalize(share, shares, thread, packed):
    """The same of each group of channels."""
    x, epsilon, scratch, y, inverse = unpack(packed)
    N, P, C = x.shape
    G = inverse.shape[1]
    K = C // G
    mean, scale = scratch[thread, 0], scratch[thread, 1]
    for n in range(share * N // shares, (share + 1) * N // shares):
        for c in range(C):
            mean[c] = 0
            scale[c] = 0
        for p in range(P):
            row = x[n, p]
            for c in range(C):
                mean[c] += row[c]
        _share_out(mean, G, np.float64(P * K))
        for p in range(P):
            row = x[n, p]
            for c in range(C):
                distance = row[c] - mean[c]
                scale[c] += distance * distance
        _share_out(scale, G, np.float64(P * K))
        for g in range(G):
            inverse[n, g] = np.float64(1) / np.sqrt(scale[g * K] + epsilon)
            for c in range(g * K, (g + 1) * K):
                scale[c] = inverse[n, g]
        for p in range(P):
            row, out = x[n, p], y[n, p]
            for c in range(C):
                out[c] = (row[c] - mean[c]) * scale[c]


@kernel
def _gradient_rows(share, shares, thread, packed):
    dy, y, dx, inverse = unpack(packed)
    R, K = y.shape
    for r in range(share * R // shares, (share + 1) * R // shares):
        slope, row, out = dy[r], y[r], dx[r]
        mean, along = _total(slope) / K, _product(slope, row) / K
        for k in range(K):
            out[k] = inverse[r] * (slope[k] - mean - row[k] * along)


@kernel
def _gradient(share, shares, thread, packed):
    dy, y, dx, inverse, scratch = unpack(packed)
    N, P, C = y.shape
    G = inverse.shape[1]
    count = np.float64(P * (C // G))
    mean, along, scale = scratch[thread, 0], scratch[thread, 1], scratch[thread, 2]
    for n in range(share * N // shares, (share + 1) * N // shares):
        for c in range(C):
            mean[c] = 0
            along[c] = 0
        for p in range(P):
            slope, row = dy[n, p], y[n, p]
            for c in range(C):
                mean[c] += slope[c]
                along[c] += np.float64(slope[c]) * row[c]
        _share_out(mean, G, count)
        _share_out(along, G, count)
        for g in range(G):
            for c in range(g * (C // G), (g + 1) * (C // G)):
                scale[c] = inverse[n, g]
        for p in range(P):
            slope, row, out = dy[n, p], y[n, p], dx[n, p]
            for c in range(C):
                out[c] = scale[c] * (slope[c] - mean[c] - row[c] * along[c])


@kernel
def _shorten(share, shares, thread, packed):
    """y = x / its length, of each row."""
    x, least, limit, y, inverse = unpack(packed)
    R, C = x.shape
    for r in range(share * R // shares, (share + 1) * R // shares):
        row, out = x[r], y[r]
        square = _product(row, row)
        scale = limit
        if not square <= least:
            scale = x.dtype.type(np.float64(1) / np.sqrt(square))
        inverse[r] = scale
        for c in range(C):
            out[c] = row[c] * scale


@kernel
def _shorten_gradient(share, shares, thread, packed):
    dy, y, inverse, limit, dx = unpack(packed)
    R, C = y.shape
    for r in range(share * R // shares, (share + 1) * R // shares):
        slope, row, out = dy[r], y[r], dx[r]
        along = _product(slope, row) if inverse[r] < limit else np.float64(0)
        for c in range(C):
            out[c] = inverse[r] * (slope[c] - row[c] * along)
