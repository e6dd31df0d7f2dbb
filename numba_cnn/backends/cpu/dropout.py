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
    flat, per_sample = x.reshape(-1), x.size // (len(x) if x.ndim else 1)
    threads, stddev = threads_for(_COST * x.size), x.dtype.type(stddev)
    _noise(threads, flat, per_sample, stddev, generator, used, y.reshape(-1))


def _drop(x, rate, spatial, generator, used, y):
    least, scale = philox.threshold(rate), x.dtype.type(1 / (1 - rate))
    N, P, C = x.shape
    if not spatial:
        threads, how = threads_for(_COST * x.size), (least, scale, generator, used)
        _mask(threads, x.reshape(-1), P * C, *how, y.reshape(-1))
        return
    factors = empty((N, C), x.dtype)
    ones, threads = constant(1, factors.size, x.dtype), threads_for(_COST * factors.size)
    _mask(threads, ones, C, least, scale, generator, used, factors.reshape(-1))
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
    x, per_sample, least, scale, generator, used, y = unpack(packed)
    place = first_sample(generator) * per_sample
    first, last = _blocks(share, shares, place, y)
    zero = y.dtype.type(0)
    for b in range(first, last, _RUN):
        start, stop = _elements(b, min(b + _RUN, last), place, y)
        run, source = y[start:stop], x[start:stop]
        _factors(
            run, place + start, np.uint64(generator[0]), np.uint64(used[0]), np.uint64(least), scale
        )
        for i in range(run.size):
            run[i] = zero if run[i] == zero else source[i] * run[i]


@noinline
def _factors(y, place, seed, counter, least, scale):
    """y = scale where an element is kept, else 0, for elements from a place in the whole batch on."""
    zero = y.dtype.type(0)
    head = min(-place % 4, y.size)
    words = _block(np.uint64(place // 4), counter, seed)
    for i in range(head):
        y[i] = scale if words[(place + i) % 4] >= least else zero
    _whole_factors(y[head:], -(-place // 4), seed, counter, least, scale)


@noinline
def _whole_factors(y, first, seed, counter, least, scale):
    """The same from a block on: a loop that reads no array, which LLVM vectorises."""
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
    x, per_sample, stddev, generator, used, y = unpack(packed)
    place = first_sample(generator) * per_sample
    first, last = _blocks(share, shares, place, y)
    for b in range(first, last, _RUN):
        start, stop = _elements(b, min(b + _RUN, last), place, y)
        run, source = y[start:stop], x[start:stop]
        _normals(run, place + start, np.uint64(generator[0]), np.uint64(used[0]))
        for i in range(run.size):
            run[i] = source[i] + stddev * run[i]


@noinline
def _normals(y, place, seed, counter):
    """y = numbers of the standard normal distribution, for elements from a place in the whole batch on."""
    zero = y.dtype.type(0)
    head = min(-place % 4, y.size)
    w0, w1, w2, w3 = _block(np.uint64(place // 4), counter, seed)
    z = (*_pair(zero, w0, w1), *_pair(zero, w2, w3))
    for i in range(head):
        y[i] = z[(place + i) % 4]
    _whole_normals(y[head:], -(-place // 4), seed, counter)


@noinline
def _whole_normals(y, first, seed, counter):
    """The same from a block on."""
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
def first_sample(generator):
    """Which sample of the whole batch is the first one here; 0 where the generator does not say."""
    return generator[2] if generator.size > 2 else 0


@noinline
def _blocks(share, shares, place, y):
    """The range of the whole batch's blocks that a share is."""
    begin, end = place // 4, -(-(place + y.size) // 4)
    return begin + share * (end - begin) // shares, begin + (share + 1) * (end - begin) // shares


@noinline
def _elements(first, last, place, y):
    """Which elements those blocks are here."""
    return max(4 * first - place, 0), min(4 * last - place, y.size)
