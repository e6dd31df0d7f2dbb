"""Borders around images, and larger images, on the CPU: each share is whole rows of the result."""

from numba_cnn.backends.contract import checked
from numba_cnn.backends.cpu.codegen.compiler import noinline
from numba_cnn.backends.cpu.codegen.elementary import like
from numba_cnn.backends.cpu.runtime.launch import kernel, unpack
from numba_cnn.backends.cpu.runtime.memory import empty
from numba_cnn.backends.cpu.runtime.threads import get_num_threads, threads_for


@checked
def zero_pad2d(x, g, y):
    _pad(threads_for(y.size), x, g.top, g.left, y)


@checked
def crop2d(y, g, x):
    _crop(threads_for(x.size), y, g.top, g.left, x)


@checked
def upsample2d(x, g, bilinear, y):
    if bilinear:
        _bilinear(threads_for(4 * y.size), x, tuple(g), y)
    else:
        _repeat(threads_for(y.size), x, tuple(g), y)


@checked
def upsample2d_backward(dy, g, bilinear, dx):
    rows = empty((get_num_threads(), g.W * g.SW, g.C), dy.dtype)
    _backward(threads_for(dy.size), dy, tuple(g), bool(bilinear), rows, dx)


@kernel
def _pad(share, shares, thread, packed):
    x, top, left, y = unpack(packed)
    N, H, W, C = x.shape
    OH = y.shape[1]
    for r in range(share * N * OH // shares, (share + 1) * N * OH // shares):
        n, h = r // OH, r % OH - top
        row = y[n, r % OH]
        if 0 <= h < H:
            row[:left] = 0
            row[left : left + W] = x[n, h]
            row[left + W :] = 0
        else:
            row[:] = 0


@kernel
def _crop(share, shares, thread, packed):
    y, top, left, x = unpack(packed)
    N, H, W, C = x.shape
    for r in range(share * N * H // shares, (share + 1) * N * H // shares):
        x[r // H, r % H] = y[r // H, r % H + top, left : left + W]


@kernel
def _repeat(share, shares, thread, packed):
    x, (N, H, W, C, SH, SW), y = unpack(packed)
    OH = H * SH
    for r in range(share * N * OH // shares, (share + 1) * N * OH // shares):
        row, out = x[r // OH, r % OH // SH], y[r // OH, r % OH]
        for ow in range(W * SW):
            pixel, target = row[ow // SW], out[ow]
            for c in range(C):
                target[c] = pixel[c]


@noinline
def _source(number, o, S, extent):
    """The pixel before the centre of output o, the one behind unless it has nothing of that, and how much, in the type
    of a number."""
    twice = min(max(2 * o + 1 - S, 0), 2 * S * (extent - 1))
    first = twice // (2 * S)
    rest = twice - 2 * S * first
    return first, first + (1 if rest else 0), like(number, rest) / like(number, 2 * S)


@kernel
def _bilinear(share, shares, thread, packed):
    x, (N, H, W, C, SH, SW), y = unpack(packed)
    OH, one = H * SH, x.dtype.type(1)
    for r in range(share * N * OH // shares, (share + 1) * N * OH // shares):
        n = r // OH
        h0, h1, down = _source(one, r % OH, SH, H)
        for ow in range(W * SW):
            w0, w1, across = _source(one, ow, SW, W)
            a, b, c, d = x[n, h0, w0], x[n, h0, w1], x[n, h1, w0], x[n, h1, w1]
            out = y[n, r % OH, ow]
            for k in range(C):
                upper = a[k] * (one - across) + b[k] * across
                lower = c[k] * (one - across) + d[k] * across
                out[k] = upper * (one - down) + lower * down


@noinline
def _share_of(number, o, S, extent, at, bilinear):
    """How much of pixel `at` output o has."""
    if not bilinear:
        return like(number, 1)
    first, second, rest = _source(number, o, S, extent)
    kept = like(number, 1) - rest if first == at else like(number, 0)
    return kept + (rest if second == at else like(number, 0))


@noinline
def _reach(at, S, extent, bilinear):
    """The range of outputs that have something of pixel `at`."""
    around = (S + 1) // 2 if bilinear else 0
    return max(at * S - around, 0), min((at + 1) * S + around, extent * S)


@kernel
def _backward(share, shares, thread, packed):
    """Each row collects from rows of outputs, then each pixel from pixels of that sum."""
    dy, (N, H, W, C, SH, SW), bilinear, rows, dx = unpack(packed)
    one, collected = dy.dtype.type(1), rows[thread]
    for r in range(share * N * H // shares, (share + 1) * N * H // shares):
        n, h = r // H, r % H
        o0, o1 = _reach(h, SH, H, bilinear)
        for o in range(o0, o1):
            _add_times(
                dy[n, o].reshape(-1),
                _share_of(one, o, SH, H, h, bilinear),
                o > o0,
                collected.reshape(-1),
            )
        for w in range(W):
            p0, p1 = _reach(w, SW, W, bilinear)
            for p in range(p0, p1):
                _add_times(collected[p], _share_of(one, p, SW, W, w, bilinear), p > p0, dx[n, h, w])


@noinline
def _add_times(x, factor, adds, total):
    """total = factor x, or that added to it."""
    if adds:
        for i in range(x.size):
            total[i] += factor * x[i]
    else:
        for i in range(x.size):
            total[i] = factor * x[i]
