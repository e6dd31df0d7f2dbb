"""Contrast and brightness on the CPU: each share is a run of pixels."""

import numpy as np

from numba_cnn.backends.contract import checked
from numba_cnn.backends.cpu.codegen.compiler import in_loops
from numba_cnn.backends.cpu.global_pool2d import global_average_pool2d
from numba_cnn.backends.cpu.microkernels.columns import stretch_columns
from numba_cnn.backends.cpu.microkernels.nontemporal import (
    STAGED,
    bypasses_caches,
    run_bypasses_caches,
    stage_of,
    write_past,
)
from numba_cnn.backends.cpu.runtime.launch import kernel, unpack
from numba_cnn.backends.cpu.runtime.memory import empty
from numba_cnn.backends.cpu.runtime.threads import threads_for


@checked
def adjust_brightness(x, deltas, low, high, y):
    _brighten(threads_for(x.size), x, deltas, *_bounds(x, low, high), y)


@checked
def adjust_brightness_backward(dy, x, deltas, low, high, dx):
    _brighten_gate(threads_for(x.size), dy, x, deltas, *_bounds(x, low, high), dx)


@checked
def adjust_contrast(x, mean, factors, low, high, y):
    _stretch(threads_for(x.size), x, mean, factors, *_bounds(x, low, high), y)


@checked
def adjust_contrast_backward(dy, x, mean, factors, low, high, dx):
    _stretch_gate(threads_for(x.size), dy, x, mean, factors, *_bounds(x, low, high), dx)
    center = empty(mean.shape, mean.dtype)
    global_average_pool2d(dx, center)
    _stretch(threads_for(x.size), dx, center, factors, *_bounds(x, -np.inf, np.inf), dx)


def _bounds(x, low, high):
    return x.dtype.type(low), x.dtype.type(high)


@in_loops
def _between(value, low, high):
    """The value, or the bound that it lies beyond; NaN goes through."""
    value = low if value < low else value
    return high if value > high else value


@kernel
def _brighten(share, shares, thread, packed):
    x, deltas, low, high, y = unpack(packed)
    (N, P, C), source, target, stage = x.shape, x.reshape(-1), y.reshape(-1), stage_of(y)
    first, last = share * N * P // shares * C, (share + 1) * N * P // shares * C
    while first < last:
        n = first // (P * C)
        stop = min((n + 1) * P * C, first + STAGED, last)
        taken, part = source[first:stop], target[first:stop]
        past = run_bypasses_caches(target, part)
        made = stage[: part.size] if past else part
        for i in range(part.size):
            made[i] = _between(taken[i] + deltas[n], low, high)
        write_past((made, 0), (part, 0), part.size, past)
        first = stop


@kernel
def _brighten_gate(share, shares, thread, packed):
    dy, x, deltas, low, high, dx = unpack(packed)
    N, P, C = x.shape
    zero = dy.dtype.type(0)
    for r in range(share * N * P // shares, (share + 1) * N * P // shares):
        n, p = r // P, r % P
        for c in range(C):
            value = x[n, p, c] + deltas[n]
            dx[n, p, c] = zero if value < low or value > high else dy[n, p, c]


@kernel
def _stretch(share, shares, thread, packed):
    x, mean, factors, low, high, y = unpack(packed)
    (N, C), (source, target) = mean.shape, (x.reshape(-1), y.reshape(-1))
    P, nontemporal = x.shape[1], bypasses_caches(target, C)
    first, last = share * N * P // shares, (share + 1) * N * P // shares
    for n in range(first // P, -(-last // P)):
        start, stop = max(n * P, first), min((n + 1) * P, last)
        rows, how = (source, start * C, C), (factors[n], low, high)
        own, made = (mean.reshape(-1), n * C), (target, start * C, C)
        stretch_columns(rows, stop - start, own, how, made, C, nontemporal, 0)


@kernel
def _stretch_gate(share, shares, thread, packed):
    dy, x, mean, factors, low, high, dx = unpack(packed)
    N, P, C = x.shape
    zero = dy.dtype.type(0)
    for r in range(share * N * P // shares, (share + 1) * N * P // shares):
        n, p = r // P, r % P
        for c in range(C):
            center = mean[n, c]
            value = center + (x[n, p, c] - center) * factors[n]
            dx[n, p, c] = zero if value < low or value > high else dy[n, p, c]
