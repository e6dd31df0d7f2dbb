"""Max pooling: forward one thread an output, backward one thread an input pixel that asks the
windows which hold it.
"""

from numba import int32, uint32

from numba_cnn.backends.contract import checked
from numba_cnn.backends.cuda.launch import extents, launch_each
from numba_cnn.backends.cuda.provider import cuda, device, jit
from numba_cnn.backends.cuda.vector import load, store


@checked
def max_pool2d(x, g, y, argmax):
    launch_each(max_pool2d_kernel, y.size, x, extents(g), y, argmax)


@checked
def max_pool2d_backward(dy, argmax, g, dx):
    launch_each(max_pool2d_backward_kernel, dx.size, dy, argmax, extents(g), dx)


@device
def unravel(i, H, W, C):
    """(n, h, w, c) of element i of an array (N, H, W, C); in uint32, whose division is a fraction
    of int64's.
    """
    rest = uint32(uint32(i) // uint32(C))
    c = int32(uint32(i) - uint32(rest * uint32(C)))
    row = uint32(rest // uint32(W))
    w = int32(rest - uint32(row * uint32(W)))
    n = uint32(row // uint32(H))
    h = int32(row - uint32(n * uint32(H)))
    return int32(n), h, w, c


@jit
def max_pool2d_kernel(x, g, y, argmax):
    """The first maximum wins, and the first NaN beats every number."""
    i = cuda.grid(1)
    if i < y.size:
        n, oh, ow, c = unravel(i, g.OH, g.OW, g.C)
        best, place = x.dtype.type(0), int32(-1)
        for kh in range(g.PH):
            h = oh * g.SH + kh - g.top
            for kw in range(g.PW):
                w = ow * g.SW + kw - g.left
                if h >= 0 and h < g.H and w >= 0 and w < g.W:
                    value = load(x, ((int(n) * g.H + h) * g.W + w) * g.C + c)
                    nan = value != value and best == best
                    if place < 0 or value > best or nan:
                        best, place = value, int32(kh * g.PW + kw)
        store(y, i, best)
        store(argmax, i, place)


@jit
def max_pool2d_backward_kernel(dy, argmax, g, dx):
    i = cuda.grid(1)
    if i < dx.size:
        n, h, w, c = unravel(i, g.H, g.W, g.C)
        bottom, right = h + g.top, w + g.left  # the pixel in a padded image
        total = dx.dtype.type(0)
        for oh in range(max(0, (bottom - g.PH) // g.SH + 1), min(g.OH, bottom // g.SH + 1)):
            for ow in range(max(0, (right - g.PW) // g.SW + 1), min(g.OW, right // g.SW + 1)):
                at = ((int(n) * g.OH + oh) * g.OW + ow) * g.C + c
                if load(argmax, at) == (bottom - oh * g.SH) * g.PW + right - ow * g.SW:
                    total += load(dy, at)
        store(dx, i, total)
