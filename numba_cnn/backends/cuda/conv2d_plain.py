"""Convolution without tiles: any dtype, stride, dilation and number of groups; one thread an
element of the result.
"""

from numba import int32

from numba_cnn.backends.cuda.launch import BLOCKS, THREADS, extents, launch_each
from numba_cnn.backends.cuda.max_pool2d import unravel
from numba_cnn.backends.cuda.memory import empty
from numba_cnn.backends.cuda.provider import cuda, jit
from numba_cnn.backends.cuda.sums import sum_partials
from numba_cnn.backends.cuda.vector import load, store


def conv2d(x, weight, bias, g, relu, y):
    kernel = conv2d_kernel
    launch_each(
        kernel,
        y.size,
        x,
        weight,
        y if bias is None else bias,
        extents(g),
        bias is not None,
        relu,
        y,
    )


def conv2d_backward_input(dy, weight, g, dx):
    launch_each(conv2d_backward_input_kernel, dx.size, dy, weight, extents(g), dx)


def conv2d_backward_weight(dy, x, g, dweight):
    rows = g.N * g.OH
    parts = max(1, min(BLOCKS * THREADS // dweight.size, rows))
    partial = empty((parts, *dweight.shape), x.dtype)
    chunk = int32(-(-rows // parts))
    launch_each(conv2d_backward_weight_kernel, partial.size, dy, x, extents(g), chunk, partial)
    sum_partials(partial, parts, None, False, dweight)


@jit
def conv2d_kernel(x, weight, bias, g, biased, relu, y):
    i = cuda.grid(1)
    if i < y.size:
        n, oh, ow, f = unravel(i, g.OH, g.OW, g.F)
        depth = g.C // g.groups
        channel = f // (g.F // g.groups) * depth
        zero = y.dtype.type(0)
        total = load(bias, f) if biased else zero
        for kh in range(g.KH):
            h = oh * g.SH + kh * g.DH - g.top
            for kw in range(g.KW):
                w = ow * g.SW + kw * g.DW - g.left
                if h >= 0 and h < g.H and w >= 0 and w < g.W:
                    pixel = ((int(n) * g.H + h) * g.W + w) * g.C + channel
                    tap = (kh * g.KW + kw) * depth * g.F + f
                    for c in range(depth):
                        total += load(x, pixel + c) * load(weight, tap + c * g.F)
        store(y, i, zero if relu and total <= zero else total)


@jit
def conv2d_backward_input_kernel(dy, weight, g, dx):
    i = cuda.grid(1)
    if i < dx.size:
        n, h, w, c = unravel(i, g.H, g.W, g.C)
        depth, filters = g.C // g.groups, g.F // g.groups
        first = c // depth * filters
        total = dx.dtype.type(0)
        for kh in range(g.KH):
            row = h + g.top - kh * g.DH
            for kw in range(g.KW):
                column = w + g.left - kw * g.DW
                if row >= 0 and column >= 0 and row % g.SH == 0 and column % g.SW == 0:
                    oh, ow = row // g.SH, column // g.SW
                    if oh < g.OH and ow < g.OW:
                        pixel = ((int(n) * g.OH + oh) * g.OW + ow) * g.F + first
                        tap = ((kh * g.KW + kw) * depth + c % depth) * g.F + first
                        for f in range(filters):
                            total += load(dy, pixel + f) * load(weight, tap + f)
        store(dx, i, total)


@jit
def conv2d_backward_weight_kernel(dy, x, g, chunk, partial):
    """Thread i owns one weight and one chunk of output rows: the partial sums of a chunk lie
    together.
    """
    i = cuda.grid(1)
    if i < partial.size:
        depth = g.C // g.groups
        rest, kw, c, f = unravel(i, g.KW, depth, g.F)
        part, kh = rest // g.KH, rest % g.KH
        channel = f // (g.F // g.groups) * depth + c
        total = x.dtype.type(0)
        for row in range(part * chunk, min((part + 1) * chunk, g.N * g.OH)):
            n, oh = row // g.OH, row % g.OH
            h = oh * g.SH + kh * g.DH - g.top
            if h >= 0 and h < g.H:
                for ow in range(g.OW):
                    w = ow * g.SW + kw * g.DW - g.left
                    if w >= 0 and w < g.W:
                        pixel = ((int(n) * g.H + h) * g.W + w) * g.C + channel
                        total += load(x, pixel) * load(dy, (int(row) * g.OW + ow) * g.F + f)
        store(partial, i, total)
