"""Pooling to a size: forward one thread an output, backward one thread an input pixel that asks the windows which hold
it.
"""

from numba import int32

from numba_cnn.backends.contract import checked
from numba_cnn.backends.cuda.launch import extents, launch_each
from numba_cnn.backends.cuda.max_pool2d import unravel
from numba_cnn.backends.cuda.provider import cuda, device, jit
from numba_cnn.backends.cuda.vector import load, store


@checked
def adaptive_average_pool2d(x, g, y):
    launch_each(adaptive_average_kernel, y.size, x, extents(g), y)


@checked
def adaptive_average_pool2d_backward(dy, g, dx):
    launch_each(adaptive_average_backward_kernel, dx.size, dy, extents(g), dx)


@checked
def adaptive_max_pool2d(x, g, y, argmax):
    launch_each(adaptive_max_kernel, y.size, x, extents(g), y, argmax)


@checked
def adaptive_max_pool2d_backward(dy, argmax, g, dx):
    launch_each(adaptive_max_backward_kernel, dx.size, dy, argmax, extents(g), dx)


@jit
def adaptive_average_kernel(x, g, y):
    i = cuda.grid(1)
    if i < y.size:
        n, oh, ow, c = unravel(i, g.OH, g.OW, g.C)
        h0, h1 = over(oh, g.H, g.OH)
        w0, w1 = over(ow, g.W, g.OW)
        total = x.dtype.type(0)
        for h in range(h0, h1):
            for w in range(w0, w1):
                total += load(x, ((int(n) * g.H + h) * g.W + w) * g.C + c)
        store(y, i, total / x.dtype.type((h1 - h0) * (w1 - w0)))


@jit
def adaptive_average_backward_kernel(dy, g, dx):
    i = cuda.grid(1)
    if i < dx.size:
        n, h, w, c = unravel(i, g.H, g.W, g.C)
        oh0, oh1 = over(h, g.OH, g.H)
        ow0, ow1 = over(w, g.OW, g.W)
        total = dx.dtype.type(0)
        for oh in range(oh0, oh1):
            h0, h1 = over(oh, g.H, g.OH)
            for ow in range(ow0, ow1):
                w0, w1 = over(ow, g.W, g.OW)
                gradient = load(dy, ((int(n) * g.OH + oh) * g.OW + ow) * g.C + c)
                total += gradient / dx.dtype.type((h1 - h0) * (w1 - w0))
        store(dx, i, total)


@jit
def adaptive_max_kernel(x, g, y, argmax):
    """The first maximum wins, and the first NaN beats every number."""
    i = cuda.grid(1)
    if i < y.size:
        n, oh, ow, c = unravel(i, g.OH, g.OW, g.C)
        h0, h1 = over(oh, g.H, g.OH)
        w0, w1 = over(ow, g.W, g.OW)
        best, place = x.dtype.type(0), int32(-1)
        for h in range(h0, h1):
            for w in range(w0, w1):
                value = load(x, ((int(n) * g.H + h) * g.W + w) * g.C + c)
                nan = value != value and best == best
                if place < 0 or value > best or nan:
                    best, place = value, int32(h * g.W + w)
        store(y, i, best)
        store(argmax, i, place)


@jit
def adaptive_max_backward_kernel(dy, argmax, g, dx):
    i = cuda.grid(1)
    if i < dx.size:
        n, h, w, c = unravel(i, g.H, g.W, g.C)
        oh0, oh1 = over(h, g.OH, g.H)
        ow0, ow1 = over(w, g.OW, g.W)
        total = dx.dtype.type(0)
        for oh in range(oh0, oh1):
            for ow in range(ow0, ow1):
                at = ((int(n) * g.OH + oh) * g.OW + ow) * g.C + c
                if load(argmax, at) == h * g.W + w:
                    total += load(dy, at)
        store(dx, i, total)


@device
def over(i, extent, count):
    """The first of the `extent` elements that part i of `count` parts touches, and the one behind the last."""
    begin, end = int(i) * extent, (int(i) + 1) * extent
    return int32(begin // count), int32((end + count - 1) // count)
