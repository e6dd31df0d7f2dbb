"""Rows brought to length 1: a block owns one, its threads add up by a fixed tree."""

import math
from functools import lru_cache

import numba

from numba_cnn.backends.contract import checked
from numba_cnn.backends.cuda.launch import ROW_THREADS, launch
from numba_cnn.backends.cuda.provider import cuda, jit
from numba_cnn.backends.cuda.sums import sum_of_block
from numba_cnn.backends.cuda.vector import load, store


@checked
def unit_norm(x, epsilon, y, inverse_norm):
    kind, kernel = x.dtype.type, unit_norm_kernel(x.dtype)
    limit = kind(1 / epsilon)
    launch(kernel, x.shape[0], ROW_THREADS, x, kind(epsilon**2), limit, y, inverse_norm)


@checked
def unit_norm_backward(dy, y, inverse_norm, epsilon, dx):
    kernel, limit = unit_norm_backward_kernel(dy.dtype), dy.dtype.type(1 / epsilon)
    launch(kernel, y.shape[0], ROW_THREADS, dy, y, inverse_norm, limit, dx)


@lru_cache
def unit_norm_kernel(dtype):
    kind, zero, one = getattr(numba, dtype.name), dtype.type(0), dtype.type(1)

    @jit
    def unit_norm_kernel(x, least, limit, y, inverse):
        values = cuda.shared.array(ROW_THREADS, kind)
        r, t = cuda.blockIdx.x, cuda.threadIdx.x
        C = x.shape[1]
        total = zero
        for c in range(t, C, ROW_THREADS):
            total += load(x, r * C + c) * load(x, r * C + c)
        values[t] = total
        square = sum_of_block(values, t)
        scale = limit if square <= least else one / math.sqrt(square)
        if t == 0:
            store(inverse, r, scale)
        for c in range(t, C, ROW_THREADS):
            store(y, r * C + c, load(x, r * C + c) * scale)

    return unit_norm_kernel


@lru_cache
def unit_norm_backward_kernel(dtype):
    kind, zero = getattr(numba, dtype.name), dtype.type(0)

    @jit
    def unit_norm_backward_kernel(dy, y, inverse, limit, dx):
        values = cuda.shared.array(ROW_THREADS, kind)
        r, t = cuda.blockIdx.x, cuda.threadIdx.x
        C, scale = y.shape[1], load(inverse, r)
        total = zero
        for c in range(t, C, ROW_THREADS):
            total += load(dy, r * C + c) * load(y, r * C + c)
        values[t] = total
        along = sum_of_block(values, t)
        if not scale < limit:
            along = zero
        for c in range(t, C, ROW_THREADS):
            store(dx, r * C + c, scale * (load(dy, r * C + c) - load(y, r * C + c) * along))

    return unit_norm_backward_kernel
