"""Random maps and numbers: one thread counts, then one thread a number, or an image's map."""

import math
from functools import lru_cache
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np
from numba import uint64

from numba_cnn.backends import philox
from numba_cnn.backends.contract import checked
from numba_cnn.backends.cuda.activations import words
from numba_cnn.backends.cuda.affine_transform2d import floor
from numba_cnn.backends.cuda.dropout import _block, _word, draw_kernel, first_sample
from numba_cnn.backends.cuda.launch import extents, launch, launch_each
from numba_cnn.backends.cuda.provider import cuda, device, jit
from numba_cnn.backends.cuda.vector import store

_uniform = device(philox.uniform)


class Bounds(NamedTuple):
    """The least and the largest of each number, in the type of the maps."""

    angle_low: Any
    angle_high: Any
    rows_low: Any
    rows_high: Any
    columns_low: Any
    columns_high: Any
    down_low: Any
    down_high: Any
    across_low: Any
    across_high: Any


class Flags(NamedTuple):
    """What is done besides, as integers of 32 bits."""

    flip_rows: Any
    flip_columns: Any
    is_square: Any
    is_whole: Any


@checked
def random_uniform(low, high, generator, used, y):
    launch(draw_kernel, 1, 1, generator, used)
    kind = y.dtype.type
    launch_each(uniform_kernel(y.dtype), y.size, kind(low), kind(high), generator, used, y)


@checked
def random_affine(g, ranges, generator, used, matrices):
    launch(draw_kernel, 1, 1, generator, used)
    kind = matrices.dtype.type
    bounds = Bounds(*(kind(bound) for pair in ranges[:5] for bound in pair))
    flags = Flags(*(np.int32(flag) for flag in ranges[5:]))
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
def _sine_and_cosine(dtype):
    """both(angle): sine and cosine of an angle of a few turns."""
    sine, cosine = philox.circle(SimpleNamespace(**words(dtype), function=device))
    lower_of, kind = floor(dtype), dtype.type
    quarter, quarters, half = kind(math.pi / 2), kind(2 / math.pi), kind(0.5)

    @device
    def both(angle):
        turns = lower_of(angle * quarters + half)
        t = angle - kind(turns) * quarter
        s, c = sine(t), cosine(t)
        if turns & 1:
            s, c = c, -s
        return (-s, -c) if turns & 2 else (s, c)

    return both


@lru_cache
def uniform_kernel(dtype):
    between = _between(dtype)

    @jit
    def uniform_kernel(low, high, generator, used, y):
        i = cuda.grid(1)
        if i < y.size:
            store(y, i, between(low, high, _word(i + first_sample(generator), generator, used)))

    return uniform_kernel


@lru_cache
def affine_kernel(dtype):
    between, lower_of, kind = _between(dtype), floor(dtype), dtype.type
    sine_and_cosine = _sine_and_cosine(dtype)
    two, zero = kind(2), kind(0)

    @jit
    def affine_kernel(g, bounds, flags, generator, used, matrices):
        n = cuda.grid(1)
        if n < g.N:
            counter, seed = uint64(used[0]), uint64(generator[0])
            place = 2 * (n + first_sample(generator))
            w0, w1, w2, w3 = _block(uint64(place), counter, seed)
            w4, w5, w6, _ = _block(uint64(place + 1), counter, seed)
            angle = between(bounds.angle_low, bounds.angle_high, w0)
            rows, columns = (
                between(bounds.rows_low, bounds.rows_high, w1),
                between(bounds.columns_low, bounds.columns_high, w2),
            )
            down, across = (
                between(bounds.down_low, bounds.down_high, w3),
                between(bounds.across_low, bounds.across_high, w4),
            )
            cx, cy = kind(g.W - 1) / two, kind(g.H - 1) / two
            if flags.is_square:
                columns = rows
            if flags.is_whole:
                down, across = kind(lower_of(down)), kind(lower_of(across))
                cx, cy = zero, zero
            if flags.flip_rows and _uniform(w5) < 1 << 23:
                rows = -rows
            if flags.flip_columns and _uniform(w6) < 1 << 23:
                columns = -columns
            sine, cosine = sine_and_cosine(angle)
            a0, a1, b0, b1 = columns * cosine, -columns * sine, rows * sine, rows * cosine
            store(matrices, 6 * n, a0)
            store(matrices, 6 * n + 1, a1)
            store(matrices, 6 * n + 2, across + cx - cx * a0 - cy * a1)
            store(matrices, 6 * n + 3, b0)
            store(matrices, 6 * n + 4, b1)
            store(matrices, 6 * n + 5, down + cy - cx * b0 - cy * b1)

    return affine_kernel
