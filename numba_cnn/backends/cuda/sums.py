"""Sums with a fixed order. Long ones in two steps: each thread adds up one part, then one thread an
element adds the parts. Those of a block by a tree.
"""

from functools import lru_cache

from numba import int32

from numba_cnn.backends.cuda.launch import BLOCKS, ROW_THREADS, THREADS, launch_each
from numba_cnn.backends.cuda.memory import empty
from numba_cnn.backends.cuda.provider import cuda, device, jit
from numba_cnn.backends.cuda.vector import load, store


def column_sums(x, out):
    """out[f] = the sum of x[..., f] over everything before f."""
    F = out.size
    rows = x.size // F
    parts = max(1, min(BLOCKS * THREADS // F, rows // 8))
    partial = empty((parts, F), x.dtype)
    launch_each(column_sums_kernel, parts * F, x, int32(rows), int32(-(-rows // parts)), partial)
    sum_partials(partial, parts, None, False, out)


def sum_partials(partial, parts, bias, relu, out):
    """out = the sum of `parts` arrays like out that lie one after the other, then bias and ReLU
    where asked for.
    """
    F = out.shape[out.ndim - 1]
    kernel = sum_partials_kernel(bias is not None, relu)
    launch_each(
        kernel, out.size, partial, int32(parts), out if bias is None else bias, int32(F), out
    )


@device
def sum_of_block(values, t):
    """The sum of `values`, one of each of a block's ROW_THREADS threads, by the same pairs in every
    run; all of them call it.
    """
    cuda.syncthreads()
    half = ROW_THREADS // 2
    while half > 0:
        if t < half:
            values[t] += values[t + half]
        cuda.syncthreads()
        half //= 2
    total = values[0]
    cuda.syncthreads()
    return total


@jit
def column_sums_kernel(x, rows, chunk, partial):
    """Thread i adds up the i // F-th chunk of rows of column i % F."""
    i = cuda.grid(1)
    if i < partial.size:
        F = partial.shape[1]
        part = i // F
        f = i - part * F
        total = x.dtype.type(0)
        for row in range(part * chunk, min((part + 1) * chunk, rows)):
            total += load(x, row * F + f)
        store(partial, i, total)


@lru_cache
def sum_partials_kernel(biased, relu):
    """Thread i owns element i and adds its parts in their order."""

    @jit
    def sum_partials_kernel(partial, parts, bias, F, out):
        i = cuda.grid(1)
        if i < out.size:
            zero = out.dtype.type(0)
            total = zero
            for part in range(parts):
                total += load(partial, part * out.size + i)
            if biased:
                total += load(bias, i % F)
            if relu and total <= zero:
                total = zero
            store(out, i, total)

    return sum_partials_kernel
