"""Random maps and numbers on the CPU, of words by counters: few, so that one thread draws them."""

import math

import numpy as np

from numba_cnn.backends import philox
from numba_cnn.backends.contract import checked
from numba_cnn.backends.cpu.codegen.compiler import noinline
from numba_cnn.backends.cpu.codegen.elementary import like
from numba_cnn.backends.cpu.dropout import _draw, first_sample
from numba_cnn.backends.cpu.runtime.launch import kernel, unpack

_block = noinline(philox.block)
_UNIT = 2.0**-24


@checked
def random_uniform(low, high, generator, used, y):
    _draw(1, generator, used)
    kind = y.dtype.type
    _uniform(1, kind(low), kind(high), generator, used, y.reshape(-1))


@checked
def random_affine(g, ranges, generator, used, matrices):
    _draw(1, generator, used)
    bounds = tuple(tuple(map(float, pair)) for pair in ranges[:5])
    _matrices(1, tuple(g), bounds, tuple(map(bool, ranges[5:])), generator, used, matrices)


@kernel
def _uniform(share, shares, thread, packed):
    low, high, generator, used, y = unpack(packed)
    first = first_sample(generator)
    for i in range(y.size):
        n = first + i
        words = _block(np.uint64(n // 4), np.uint64(used[0]), np.uint64(generator[0]))
        y[i] = low + (high - low) * (like(low, philox_uniform(words[n % 4])) * like(low, _UNIT))


philox_uniform = noinline(philox.uniform)


@noinline
def _between(bounds, word):
    return bounds[0] + (bounds[1] - bounds[0]) * (philox_uniform(word) * _UNIT)


@kernel
def _matrices(share, shares, thread, packed):
    (N, H, W, C, OH, OW), bounds, flags, generator, used, matrices = unpack(packed)
    flip_rows, flip_columns, is_square, is_whole = flags
    half, first = 1 << 23, first_sample(generator)
    for n in range(N):
        counter, seed, place = np.uint64(used[0]), np.uint64(generator[0]), 2 * (first + n)
        w0, w1, w2, w3 = _block(np.uint64(place), counter, seed)
        w4, w5, w6, _ = _block(np.uint64(place + 1), counter, seed)
        angle, rows, columns = (
            _between(bounds[0], w0),
            _between(bounds[1], w1),
            _between(bounds[2], w2),
        )
        down, across = _between(bounds[3], w3), _between(bounds[4], w4)
        cx, cy = (W - 1) / 2, (H - 1) / 2
        if is_square:
            columns = rows
        if is_whole:
            down, across, cx, cy = np.floor(down), np.floor(across), 0.0, 0.0
        if flip_rows and philox_uniform(w5) < half:
            rows = -rows
        if flip_columns and philox_uniform(w6) < half:
            columns = -columns
        cosine, sine = math.cos(angle), math.sin(angle)
        a0, a1, b0, b1 = columns * cosine, -columns * sine, rows * sine, rows * cosine
        out = matrices[n]
        out[0], out[1], out[2] = a0, a1, across + cx - cx * a0 - cy * a1
        out[3], out[4], out[5] = b0, b1, down + cy - cx * b0 - cy * b1
