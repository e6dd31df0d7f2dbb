"""Images that get pixels, lose some, or are enlarged, on the CPU."""

import numpy as np

from numba_cnn.backends.contract import checked
from numba_cnn.backends.cpu.codegen.compiler import noinline
from numba_cnn.backends.cpu.runtime.launch import kernel, unpack
from numba_cnn.backends.cpu.runtime.threads import threads_for


@checked
def shift2d(x, top, left, y):
    _shift2d(threads_for(y.size), x, top, left, y)


@checked
def upsample2d(x, bilinear, y):
    _upsample2d(threads_for(y.size), x, bool(bilinear), y)


@checked
def upsample2d_backward(dy, bilinear, dx):
    _upsample2d_backward(threads_for(dy.size), dy, bool(bilinear), dx)


@kernel
def _shift2d(share, shares, thread, packed):
    """Each share is rows of y."""
    x, top, left, y = unpack(packed)
    _, H, W, C = x.shape
    N, OH, OW, _ = y.shape
    for row in range(share * N * OH // shares, (share + 1) * N * OH // shares):
        n, i = row // OH, row % OH
        h = i - top
        for j in range(OW):
            w = j - left
            if 0 <= h < H and 0 <= w < W:
                for c in range(C):
                    y[n, i, j, c] = x[n, h, w, c]
            else:
                for c in range(C):
                    y[n, i, j, c] = 0


@noinline
def _source(i, small, large, bilinear):
    """(first pixel, second pixel, share of the second) of which pixel i of an enlarged line is made."""
    if not bilinear:
        return i * small // large, i * small // large, np.float32(0)
    place = (i + 0.5) * small / large - 0.5
    place = min(max(place, 0.0), small - 1.0)
    first = int(place)
    return first, min(first + 1, small - 1), np.float32(place - first)


@kernel
def _upsample2d(share, shares, thread, packed):
    """Each share is rows of y."""
    x, bilinear, y = unpack(packed)
    _, H, W, C = x.shape
    N, OH, OW, _ = y.shape
    one = x.dtype.type(1)
    for row in range(share * N * OH // shares, (share + 1) * N * OH // shares):
        n, i = row // OH, row % OH
        h0, h1, down = _source(i, H, OH, bilinear)
        for j in range(OW):
            w0, w1, right = _source(j, W, OW, bilinear)
            if not bilinear:
                for c in range(C):
                    y[n, i, j, c] = x[n, h0, w0, c]
                continue
            b, r = x.dtype.type(down), x.dtype.type(right)
            for c in range(C):
                upper = (one - r) * x[n, h0, w0, c] + r * x[n, h0, w1, c]
                lower = (one - r) * x[n, h1, w0, c] + r * x[n, h1, w1, c]
                y[n, i, j, c] = (one - b) * upper + b * lower


@kernel
def _upsample2d_backward(share, shares, thread, packed):
    """Each share is rows of dx; a pixel sums what was made of it, row by row."""
    dy, bilinear, dx = unpack(packed)
    _, OH, OW, _ = dy.shape
    N, H, W, C = dx.shape
    SH, SW = OH // H, OW // W
    one = dx.dtype.type(1)
    for row in range(share * N * H // shares, (share + 1) * N * H // shares):
        n, h = row // H, row % H
        more = 1 if bilinear else 0
        for w in range(W):
            for c in range(C):
                dx[n, h, w, c] = 0
            for i in range(max((h - more) * SH, 0), min((h + 1 + more) * SH, OH)):
                h0, h1, down = _source(i, H, OH, bilinear)
                b = dx.dtype.type(down)
                by_row = (one - b if h0 == h else one - one) + (b if h1 == h else one - one)
                for j in range(max((w - more) * SW, 0), min((w + 1 + more) * SW, OW)):
                    w0, w1, right = _source(j, W, OW, bilinear)
                    r = dx.dtype.type(right)
                    by_column = (one - r if w0 == w else one - one) + (r if w1 == w else one - one)
                    weight = by_row * by_column
                    for c in range(C):
                        dx[n, h, w, c] += weight * dy[n, i, j, c]
