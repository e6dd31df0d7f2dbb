"""Random maps and numbers: one thread counts, then one thread a number, or an image's map."""

import math
from functools import lru_cache

import numpy as np
from numba import uint64

from numba_cnn.backends import philox
from numba_cnn.backends.contract import checked
from numba_cnn.backends.cuda.dropout import _block, _word, draw_kernel
from numba_cnn.backends.cuda.launch import extents, launch, launch_each
from numba_cnn.backends.cuda.provider import cuda, device, jit
from numba_cnn.backends.cuda.vector import store

_uniform = device(philox.uniform)


@checked
def random_uniform(low, high, generator, used, y):
    launch(draw_kernel, 1, 1, generator, used)
    kind = y.dtype.type
    launch_each(uniform_kernel(y.dtype), y.size, kind(low), kind(high), generator, used, y)


@checked
def random_affine(g, ranges, generator, used, matrices):
    launch(draw_kernel, 1, 1, generator, used)
    kind = matrices.dtype.type
    bounds = tuple(kind(bound) for pair in ranges[:5] for bound in pair)
    flags = tuple(np.int32(flag) for flag in ranges[5:])
    kernel = affine_kernel(matrices.dtype)
    launch_each(kernel, g.N, extents(g), bounds, flags, generator, used, matrices)


@lru_cache
def _between(dtype):
    kind = dtype.type
    unit = kind(2.0**-24)

    @device
    def between(low, high, word):
        return low + (high - low) * (kind(_uniform(word)) * unit)

    return between


@lru_cache
def uniform_kernel(dtype):
    between = _between(dtype)

    @jit
    def uniform_kernel(low, high, generator, used, y):
        i = cuda.grid(1)
        if i < y.size:
            store(y, i, between(low, high, _word(i, generator, used)))

    return uniform_kernel


@lru_cache
def affine_kernel(dtype):
    between, kind = _between(dtype), dtype.type
    two, zero = kind(2), kind(0)

    @jit
    def affine_kernel(g, bounds, flags, generator, used, matrices):
        n = cuda.grid(1)
        if n < g.N:
            counter, seed = uint64(used[0]), uint64(generator[0])
            w0, w1, w2, w3 = _block(uint64(2 * n), counter, seed)
            w4, w5, w6, _ = _block(uint64(2 * n + 1), counter, seed)
            angle = between(bounds[0], bounds[1], w0)
            rows, columns = between(bounds[2], bounds[3], w1), between(bounds[4], bounds[5], w2)
            down, across = between(bounds[6], bounds[7], w3), between(bounds[8], bounds[9], w4)
            cx, cy = kind(g.W - 1) / two, kind(g.H - 1) / two
            if flags[2]:
                columns = rows
            if flags[3]:
                down, across, cx, cy = np.floor(down), np.floor(across), zero, zero
            if flags[0] and _uniform(w5) < 1 << 23:
                rows = -rows
            if flags[1] and _uniform(w6) < 1 << 23:
                columns = -columns
            cosine, sine = math.cos(angle), math.sin(angle)
            a0, a1, b0, b1 = columns * cosine, -columns * sine, rows * sine, rows * cosine
            store(matrices, 6 * n, a0)
            store(matrices, 6 * n + 1, a1)
            store(matrices, 6 * n + 2, across + cx - cx * a0 - cy * a1)
            store(matrices, 6 * n + 3, b0)
            store(matrices, 6 * n + 4, b1)
            store(matrices, 6 * n + 5, down + cy - cx * b0 - cy * b1)

    return affine_kernel
