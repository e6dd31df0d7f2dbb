"""Groups brought to mean 0 and variance 1, rows to length 1, on the CPU: each share is whole groups, or rows.

Sums are taken in float64, from the first element to the last.
"""

import numpy as np

from numba_cnn.backends.contract import checked
from numba_cnn.backends.cpu.runtime.launch import kernel, unpack
from numba_cnn.backends.cpu.runtime.threads import threads_for


@checked
def group_norm(x, epsilon, y, inverse_deviation):
    _normalize(threads_for(x.size), x, float(epsilon), y, inverse_deviation)


@checked
def group_norm_backward(dy, y, inverse_deviation, dx):
    _gradient(threads_for(dy.size), dy, y, inverse_deviation, dx)


@checked
def unit_norm(x, epsilon, y, inverse_norm):
    limit = x.dtype.type(1 / epsilon)
    _shorten(threads_for(x.size), x, float(epsilon**2), limit, y, inverse_norm)


@checked
def unit_norm_backward(dy, y, inverse_norm, epsilon, dx):
    limit = dy.dtype.type(1 / epsilon)
    _shorten_gradient(threads_for(dy.size), dy, y, inverse_norm, limit, dx)


@kernel
def _normalize(share, shares, thread, packed):
    """y = (x - mean) / the deviation, of each group."""
    x, epsilon, y, inverse = unpack(packed)
    N, P, G, K = x.shape
    count = np.float64(P * K)
    for i in range(share * N * G // shares, (share + 1) * N * G // shares):
        n, g = i // G, i % G
        total = np.float64(0)
        for p in range(P):
            row = x[n, p, g]
            for k in range(K):
                total += row[k]
        mean, square = total / count, np.float64(0)
        for p in range(P):
            row = x[n, p, g]
            for k in range(K):
                square += (row[k] - mean) * (row[k] - mean)
        scale = np.float64(1) / np.sqrt(square / count + epsilon)
        inverse[n, g] = scale
        for p in range(P):
            row, out = x[n, p, g], y[n, p, g]
            for k in range(K):
                out[k] = (row[k] - mean) * scale


@kernel
def _gradient(share, shares, thread, packed):
    dy, y, inverse, dx = unpack(packed)
    N, P, G, K = y.shape
    count = np.float64(P * K)
    for i in range(share * N * G // shares, (share + 1) * N * G // shares):
        n, g = i // G, i % G
        total, along = np.float64(0), np.float64(0)
        for p in range(P):
            slope, row = dy[n, p, g], y[n, p, g]
            for k in range(K):
                total += slope[k]
                along += np.float64(slope[k]) * row[k]
        mean, along = total / count, along / count
        for p in range(P):
            slope, row, out = dy[n, p, g], y[n, p, g], dx[n, p, g]
            for k in range(K):
                out[k] = inverse[n, g] * (slope[k] - mean - row[k] * along)


@kernel
def _shorten(share, shares, thread, packed):
    """y = x / its length, of each row."""
    x, least, limit, y, inverse = unpack(packed)
    R, C = x.shape
    for r in range(share * R // shares, (share + 1) * R // shares):
        row, out, square = x[r], y[r], np.float64(0)
        for c in range(C):
            square += np.float64(row[c]) * row[c]
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
        slope, row, out, along = dy[r], y[r], dx[r], np.float64(0)
        if inverse[r] < limit:
            for c in range(C):
                along += np.float64(slope[c]) * row[c]
        for c in range(C):
            out[c] = inverse[r] * (slope[c] - row[c] * along)
