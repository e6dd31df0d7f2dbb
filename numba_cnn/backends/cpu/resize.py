"""Borders around images, and larger images, on the CPU: each share is whole rows of the result."""

import numpy as np

from numba_cnn.backends.contract import checked
from numba_cnn.backends.cpu.codegen.compiler import noinline
from numba_cnn.backends.cpu.codegen.elementary import like
from numba_cnn.backends.cpu.microkernels.copy import copy_run
from numba_cnn.backends.cpu.microkernels.nontemporal import bypasses_caches
from numba_cnn.backends.cpu.microkernels.weighted_sum import weighted_rows, weighted_sum
from numba_cnn.backends.cpu.runtime.launch import kernel, unpack
from numba_cnn.backends.cpu.runtime.memory import empty
from numba_cnn.backends.cpu.runtime.threads import for_each_thread, threads_for


@checked
def zero_pad2d(x, g, y):
    _pad(threads_for(y.size), x, g.top, g.left, y)


@checked
def crop2d(y, g, x):
    _crop(threads_for(x.size), y, g.top, g.left, x)


@checked
def upsample2d(x, g, bilinear, y):
    if not bilinear:
        _repeat(threads_for(y.size), x, tuple(g), y)
        return
    rows, columns = (
        _taps(_inputs_of, extent, S, True, extent * S, 2, x.dtype)
        for extent, S in ((g.H, g.SH), (g.W, g.SW))
    )
    _resample_images(threads_for(4 * y.size), x, rows, columns, y)


@checked
def upsample2d_backward(dy, g, bilinear, dx):
    rows, columns = (
        _taps(_outputs_of, extent, S, bool(bilinear), extent, 2 * S + 1, dy.dtype)
        for extent, S in ((g.H, g.SH), (g.W, g.SW))
    )
    _resample_images(threads_for(dy.size), dy, rows, columns, dx)


def _taps(fill, extent, S, bilinear, count, most, dtype):
    """For each of `count` places of a result, of how many places of the source it is the weighted sum, at most so many:
    the first of them, their number and their weights, as `fill` says.
    """
    first, number = (empty((count,), np.int64) for _ in range(2))
    weights = empty((count, most), dtype)
    fill(1, extent, S, bilinear, first, number, weights)
    return first, number, weights


def _resample_images(threads, x, rows, columns, y):
    combined = for_each_thread(1, x.shape[2] * x.shape[3], x.dtype)
    _resample(threads, x, rows, columns, combined, y)


@kernel
def _pad(share, shares, thread, packed):
    x, top, left, y = unpack(packed)
    N, H, W, C = x.shape
    OH, width = y.shape[1], y.shape[2] * C
    source, target = x.reshape(-1), y.reshape(-1)
    nontemporal = bypasses_caches(target, left * C | W * C | width)
    for r in range(share * N * OH // shares, (share + 1) * N * OH // shares):
        n, h = r // OH, r % OH - top
        row = target[r * width : (r + 1) * width]
        if 0 <= h < H:
            row[: left * C] = 0
            row[(left + W) * C :] = 0
            copy_run(
                (source, (n * H + h) * W * C), (target, r * width + left * C), W * C, nontemporal
            )
        else:
            row[:] = 0


@kernel
def _crop(share, shares, thread, packed):
    y, top, left, x = unpack(packed)
    N, H, W, C = x.shape
    height, width = y.shape[1], y.shape[2] * C
    source, target = y.reshape(-1), x.reshape(-1)
    nontemporal = bypasses_caches(target, W * C)
    for r in range(share * N * H // shares, (share + 1) * N * H // shares):
        row = (r // H * height + r % H + top) * width + left * C
        copy_run((source, row), (target, r * W * C), W * C, nontemporal)


@kernel
def _repeat(share, shares, thread, packed):
    x, (N, H, W, C, SH, SW), y = unpack(packed)
    OH, OW = H * SH, W * SW
    source, target = x.reshape(-1), y.reshape(-1)
    nontemporal = bypasses_caches(target, C)
    for r in range(share * N * OH // shares, (share + 1) * N * OH // shares):
        row = (r // OH * H + r % OH // SH) * W
        for ow in range(OW):
            copy_run((source, (row + ow // SW) * C), (target, (r * OW + ow) * C), C, nontemporal)


@noinline
def _source(number, o, S, extent):
    """The pixel before the centre of output o, the one behind unless it has nothing of that, and how much, in the type
    of a number."""
    twice = min(max(2 * o + 1 - S, 0), 2 * S * (extent - 1))
    first = twice // (2 * S)
    rest = twice - 2 * S * first
    return first, first + (1 if rest else 0), like(number, rest) / like(number, 2 * S)


@kernel
def _inputs_of(share, shares, thread, packed):
    """The taps of each output: the input pixels between whose centres it lies."""
    extent, S, _, first, number, weights = unpack(packed)
    one = weights.dtype.type(1)
    for o in range(first.size):
        before, behind, rest = _source(one, o, S, extent)
        first[o], number[o] = before, behind - before + 1
        weights[o, 0], weights[o, 1] = one - rest, rest


@kernel
def _outputs_of(share, shares, thread, packed):
    """The taps of each input pixel's gradient: the outputs that have something of it."""
    extent, S, bilinear, first, number, weights = unpack(packed)
    one = weights.dtype.type(1)
    for at in range(first.size):
        around = (S + 1) // 2 if bilinear else 0
        start = max(at * S - around, 0)
        first[at], number[at] = start, min((at + 1) * S + around, extent * S) - start
        for o in range(start, start + number[at]):
            weights[at, o - start] = one
            if bilinear:
                before, behind, rest = _source(one, o, S, extent)
                kept = one - rest if before == at else one - one
                weights[at, o - start] = kept + (rest if behind == at else one - one)


@kernel
def _resample(share, shares, thread, packed):
    """Each row of y is a sum of weighted rows of x, each of its pixels one of pixels of that sum."""
    x, (h_first, h_number, h_weights), (w_first, w_number, w_weights), rows, y = unpack(packed)
    (_, H, W, C), (N, OH, OW, _) = x.shape, y.shape
    source, target, row = x.reshape(-1), y.reshape(-1), rows[thread, 0]
    nontemporal = bypasses_caches(target, C)
    for r in range(share * N * OH // shares, (share + 1) * N * OH // shares):
        h = r % OH
        start = (r // OH * H + h_first[h]) * W * C
        taps = h_weights[h], 0
        ahead = (
            (h_first[min(h + 1, OH - 1)] - h_first[h]) * W * C
        )  # to what the next row is made of
        weighted_rows((source, start, W * C), taps, h_number[h], (row, 0), W * C, ahead)
        for w in range(OW):
            pixels, taps = (row, w_first[w] * C, C), (w_weights[w], 0)
            pixel = target, (r * OW + w) * C
            weighted_sum(pixels, taps, w_number[w], pixel, C, nontemporal)
