"""Dropout and noise on the CPU, of words by counters: a first launch counts, the next ones read what it counted."""

from types import SimpleNamespace

import numpy as np

from numba_cnn.backends import philox
from numba_cnn.backends.contract import checked
from numba_cnn.backends.cpu.codegen import elementary
from numba_cnn.backends.cpu.codegen.compiler import in_loops, noinline
from numba_cnn.backends.cpu.runtime.launch import kernel, unpack
from numba_cnn.backends.cpu.runtime.memory import constant, empty
from numba_cnn.backends.cpu.runtime.threads import threads_for

_RUN = 1024  # blocks
_COST = 4  # elements of a copy that take as long as the words of one element

_block = in_loops(philox.block)
_pair = philox.normals(
    SimpleNamespace(
        like=elementary.like,
        where=elementary.select,
        log=elementary.log,
        sqrt=np.sqrt,
        function=in_loops,
    )
)


@checked
def dropout(x, rate, spatial, generator, used, y):
    _draw(1, generator, used)
    _drop(x, rate, spatial, generator, used, y)


@checked
def dropout_backward(dy, rate, spatial, generator, used, dx):
    _drop(dy, rate, spatial, generator, used, dx)


@checked
def gaussian_noise(x, stddev, generator, used, y):
    _draw(1, generator, used)
    _noise(
        threads_for(_COST * x.size),
        x.reshape(-1),
        x.dtype.type(stddev),
        generator,
        used,
        y.reshape(-1),
    )


def _drop(x, rate, spatial, generator, used, y):
    least, scale = philox.threshold(rate), x.dtype.type(1 / (1 - rate))
    if not spatial:
        threads = threads_for(_COST * x.size)
        _mask(threads, x.reshape(-1), least, scale, generator, used, y.reshape(-1))
        return
    N, _, C = x.shape
    factors = empty((N, C), x.dtype)
    ones = constant(1, factors.size, x.dtype)
    _mask(
        threads_for(_COST * factors.size), ones, least, scale, generator, used, factors.reshape(-1)
    )
    _scale_channels(threads_for(x.size), x, factors, y)


@kernel
def _draw(share, shares, thread, packed):
    """used = the counter, which counts on."""
    generator, used = unpack(packed)
    used[0] = generator[1]
    generator[1] += 1


@kernel
def _mask(share, shares, thread, packed):
    """Each share is a run of blocks of four elements, in runs that the first-level cache holds."""
    x, least, scale, generator, used, y = unpack(packed)
    first, last = _blocks(share, shares, y)
    zero = y.dtype.type(0)
    for b in range(first, last, _RUN):
        run, source = y[4 * b : 4 * min(b + _RUN, last)], x[4 * b : 4 * min(b + _RUN, last)]
        _factors(run, b, np.uint64(generator[0]), np.uint64(used[0]), np.uint64(least), scale)
        for i in range(run.size):
            run[i] = zero if run[i] == zero else source[i] * run[i]


@noinline
def _factors(y, first, seed, counter, least, scale):
    """y = scale where an element is kept, else 0: a loop that reads no array, which LLVM vectorises."""
    zero = y.dtype.type(0)
    for b in range(y.size // 4):
        w0, w1, w2, w3 = _block(np.uint64(first + b), counter, seed)
        y[4 * b] = scale if w0 >= least else zero
        y[4 * b + 1] = scale if w1 >= least else zero
        y[4 * b + 2] = scale if w2 >= least else zero
        y[4 * b + 3] = scale if w3 >= least else zero
    words = _block(np.uint64(first + y.size // 4), counter, seed)
    for i in range(y.size // 4 * 4, y.size):
        y[i] = scale if words[i % 4] >= least else zero


@kernel
def _scale_channels(share, shares, thread, packed):
    """Each share is a run of pixels."""
    x, factors, y = unpack(packed)
    N, P, C = x.shape
    zero = x.dtype.type(0)
    for r in range(share * N * P // shares, (share + 1) * N * P // shares):
        row, factor, out = x[r // P, r % P], factors[r // P], y[r // P, r % P]
        for c in range(C):
            out[c] = zero if factor[c] == zero else row[c] * factor[c]


@kernel
def _noise(share, shares, thread, packed):
    """Each share is a run of blocks of four elements, in runs that the first-level cache holds."""
    x, stddev, generator, used, y = unpack(packed)
    first, last = _blocks(share, shares, y)
    for b in range(first, last, _RUN):
        run, source = y[4 * b : 4 * min(b + _RUN, last)], x[4 * b : 4 * min(b + _RUN, last)]
        _normals(run, b, np.uint64(generator[0]), np.uint64(used[0]))
        for i in range(run.size):
            run[i] = source[i] + stddev * run[i]


@noinline
def _normals(y, first, seed, counter):
    """y = numbers of the standard normal distribution."""
    zero = y.dtype.type(0)
    for b in range(y.size // 4):
        w0, w1, w2, w3 = _block(np.uint64(first + b), counter, seed)
        y[4 * b], y[4 * b + 1] = _pair(zero, w0, w1)
        y[4 * b + 2], y[4 * b + 3] = _pair(zero, w2, w3)
    w0, w1, w2, w3 = _block(np.uint64(first + y.size // 4), counter, seed)
    z = (*_pair(zero, w0, w1), *_pair(zero, w2, w3))
    for i in range(y.size // 4 * 4, y.size):
        y[i] = z[i % 4]


@noinline
def _blocks(share, shares, y):
    """The range of blocks that a share is."""
    blocks = -(-y.size // 4)
    return share * blocks // shares, (share + 1) * blocks // shares
