"""Borders around images, and larger images: one thread an element of the result."""

from functools import lru_cache

from numba_cnn.backends.contract import checked
from numba_cnn.backends.cuda.launch import extents, launch_each
from numba_cnn.backends.cuda.max_pool2d import unravel
from numba_cnn.backends.cuda.provider import cuda, device, jit
from numba_cnn.backends.cuda.vector import load, store


@checked
def zero_pad2d(x, g, y):
    launch_each(zero_pad2d_kernel, y.size, x, extents(g), y)


@checked
def crop2d(y, g, x):
    launch_each(crop2d_kernel, x.size, y, extents(g), x)


@checked
def upsample2d(x, g, bilinear, y):
    kernel = bilinear_kernel(y.dtype) if bilinear else repeat_kernel
    launch_each(kernel, y.size, x, extents(g), y)


@checked
def upsample2d_backward(dy, g, bilinear, dx):
    kernel = upsample2d_backward_kernel(dy.dtype, bool(bilinear))
    launch_each(kernel, dx.size, dy, extents(g), dx)


@jit
def zero_pad2d_kernel(x, g, y):
    i = cuda.grid(1)
    if i < y.size:
        n, oh, ow, c = unravel(i, g.top + g.H + g.bottom, g.left + g.W + g.right, g.C)
        h, w = oh - g.top, ow - g.left
        inside = h >= 0 and h < g.H and w >= 0 and w < g.W
        at = ((int(n) * g.H + h) * g.W + w) * g.C + c
        store(y, i, load(x, at) if inside else y.dtype.type(0))


@jit
def crop2d_kernel(y, g, x):
    i = cuda.grid(1)
    if i < x.size:
        n, h, w, c = unravel(i, g.H, g.W, g.C)
        OH, OW = g.top + g.H + g.bottom, g.left + g.W + g.right
        store(x, i, load(y, ((int(n) * OH + h + g.top) * OW + w + g.left) * g.C + c))


@jit
def repeat_kernel(x, g, y):
    i = cuda.grid(1)
    if i < y.size:
        n, oh, ow, c = unravel(i, g.H * g.SH, g.W * g.SW, g.C)
        store(y, i, load(x, ((int(n) * g.H + oh // g.SH) * g.W + ow // g.SW) * g.C + c))


@lru_cache
def _source(dtype):
    """source(o, S, extent): the pixel before the centre of output o, the one behind, and how much of that."""
    kind = dtype.type

    @device
    def source(o, S, extent):
        twice = min(max(2 * o + 1 - S, 0), 2 * S * (extent - 1))
        first = twice // (2 * S)
        rest = twice - 2 * S * first
        return first, first + (1 if rest else 0), kind(rest) / kind(2 * S)

    return source


@lru_cache
def bilinear_kernel(dtype):
    source, one = _source(dtype), dtype.type(1)

    @jit
    def bilinear_kernel(x, g, y):
        i = cuda.grid(1)
        if i < y.size:
            n, oh, ow, c = unravel(i, g.H * g.SH, g.W * g.SW, g.C)
            h0, h1, down = source(oh, g.SH, g.H)
            w0, w1, across = source(ow, g.SW, g.W)
            upper, lower = (int(n) * g.H + h0) * g.W, (int(n) * g.H + h1) * g.W
            left, right = one - across, across
            high = load(x, (upper + w0) * g.C + c) * left + load(x, (upper + w1) * g.C + c) * right
            low = load(x, (lower + w0) * g.C + c) * left + load(x, (lower + w1) * g.C + c) * right
            store(y, i, high * (one - down) + low * down)

    return bilinear_kernel


@lru_cache
def upsample2d_backward_kernel(dtype, bilinear):
    source, zero, one = _source(dtype), dtype.type(0), dtype.type(1)

    @device
    def share_of(o, S, extent, at):
        """How much of pixel `at` output o has."""
        first, second, rest = source(o, S, extent)
        kept = one - rest if first == at else zero
        return (kept + (rest if second == at else zero)) if bilinear else one

    @jit
    def upsample2d_backward_kernel(dy, g, dx):
        i = cuda.grid(1)
        if i < dx.size:
            n, h, w, c = unravel(i, g.H, g.W, g.C)
            down, across = (g.SH, g.SW) if bilinear else (0, 0)
            total = zero
            for oh in range(max(h * g.SH - down, 0), min((h + 1) * g.SH + down, g.H * g.SH)):
                for ow in range(
                    max(w * g.SW - across, 0), min((w + 1) * g.SW + across, g.W * g.SW)
                ):
                    weight = share_of(oh, g.SH, g.H, h) * share_of(ow, g.SW, g.W, w)
                    at = ((int(n) * g.H * g.SH + oh) * g.W * g.SW + ow) * g.C + c
                    total += load(dy, at) * weight
            store(dx, i, total)

    return upsample2d_backward_kernel
