"""Rows brought to length 1, on the CPU: each share is a run of rows. Sums are taken in float64."""

import numpy as np

from numba_cnn.backends.contract import checked
from numba_cnn.backends.cpu.codegen.compiler import reassociated
from numba_cnn.backends.cpu.runtime.launch import kernel, unpack
from numba_cnn.backends.cpu.runtime.threads import threads_for


@checked
def unit_norm(x, epsilon, y, inverse_norm):
    limit = x.dtype.type(1 / epsilon)
    _shorten(threads_for(x.size), x, float(epsilon**2), limit, y, inverse_norm)


@checked
def unit_norm_backward(dy, y, inverse_norm, epsilon, dx):
    limit = dy.dtype.type(1 / epsilon)
    _shorten_gradient(threads_for(dy.size), dy, y, inverse_norm, limit, dx)


@reassociated
def _product(a, b):
    """The scalar product, likewise."""
    total = np.float64(0)
    for i in range(a.size):
        total += np.float64(a[i]) * b[i]
    return total


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
