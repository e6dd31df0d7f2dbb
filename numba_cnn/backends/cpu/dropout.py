"""Dropout and noise on the CPU, of words by counters: a first launch counts, the next ones read what it counted."""

from types import SimpleNamespace

import numpy as np

from numba_cnn.backends import philox
from numba_cnn.backends.contract import checked
from numba_cnn.backends.cpu.codegen import elementary
from numba_cnn.backends.cpu.codegen.compiler import in_loops, noinline
from numba_cnn.backends.cpu.codegen.elementary import like
from numba_cnn.backends.cpu.microkernels.nontemporal import bypasses_caches
from numba_cnn.backends.cpu.microkernels.random_words import drop, uniform
from numba_cnn.backends.cpu.runtime.launch import kernel, unpack
from numba_cnn.backends.cpu.runtime.memory import constant, empty
from numba_cnn.backends.cpu.runtime.threads import threads_for

_ALIGNED = 32  # elements: shares begin at multiples of them, which are whole vectors
_PART = 2048  # elements, a multiple of these
_COST = 4  # elements of a copy that take as long as the words of one element

_block = noinline(philox.block)
_pair = philox.normals(
    SimpleNamespace(
        like=like,
        where=elementary.select,
        log=elementary.log_of_normal,
        sqrt=np.sqrt,
        floor=np.floor,
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
    """Each share is a run of elements."""
    x, per_sample, least, scale, generator, used, y = unpack(packed)
    place, seed, counter = first_sample(generator) * per_sample, generator[0], used[0]
    start, body, stop = _run(share, shares, place, y.size)
    for i in range(start, body):
        y[i] = x[i] * scale if _word(place + i, counter, seed) >= least else y.dtype.type(0)
    past = bypasses_caches(y, body)
    stream = (place + body) // 4, counter, seed
    drop((x, body), stream, (least, scale), (y, body), stop - body, past)


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
    """Each share is a run of elements, in parts that the first-level cache holds."""
    x, per_sample, stddev, generator, used, y = unpack(packed)
    place, seed, counter = first_sample(generator) * per_sample, generator[0], used[0]
    start, body, stop = _run(share, shares, place, y.size)
    end = body + (stop - body) // 2 * 2
    for i in range(start, body):
        y[i] = x[i] + stddev * _normal(stddev, place + i, counter, seed)
    for first in range(body, end, _PART):
        count = min(_PART, end - first)
        uniform(((place + first) // 4, counter, seed), (y, first), count)
        _add_normals(x[first : first + count], stddev, y[first : first + count])
    for i in range(end, stop):
        y[i] = x[i] + stddev * _normal(stddev, place + i, counter, seed)


@noinline
def _add_normals(x, stddev, y):
    """y = x and noise of the uniform numbers that lie in y."""
    for i in range(y.size // 2):
        across, along = _pair(y[2 * i], y[2 * i + 1])
        y[2 * i], y[2 * i + 1] = x[2 * i] + stddev * across, x[2 * i + 1] + stddev * along


@noinline
def _normal(x, element, counter, seed):
    """One element's number of the standard normal distribution, in the type of x."""
    even = element // 2 * 2
    first, second = _word(even, counter, seed) >> 8, _word(even + 1, counter, seed) >> 8
    across, along = _pair(like(x, first), like(x, second))
    return across if element == even else along


@noinline
def first_sample(generator):
    """Which sample of the whole batch is the first one here; 0 where the generator does not say."""
    return generator[2] if generator.size > 2 else 0


@noinline
def _run(share, shares, place, size):
    """(start, body, stop): the elements of a share, and where in them the first block of four begins."""
    first, last = place // _ALIGNED, -(-(place + size) // _ALIGNED)
    begin = first + share * (last - first) // shares
    end = first + (share + 1) * (last - first) // shares
    start, stop = max(begin * _ALIGNED - place, 0), min(end * _ALIGNED - place, size)
    return start, min(start + -(place + start) % 4, stop), stop


@noinline
def _word(element, counter, seed):
    """The word of one element of the whole batch."""
    words = _block(np.uint64(element // 4), np.uint64(counter), np.uint64(seed))
    return np.int64(words[element % 4])
