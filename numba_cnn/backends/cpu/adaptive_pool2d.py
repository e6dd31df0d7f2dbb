"""Pooling to a size on the CPU: rows of windows, and rows of pixels that collect from the windows which hold them."""

from numba_cnn.backends.contract import checked
from numba_cnn.backends.cpu.codegen.compiler import inline
from numba_cnn.backends.cpu.microkernels.average_pool import window_mean
from numba_cnn.backends.cpu.microkernels.max_pool import window_max
from numba_cnn.backends.cpu.runtime.launch import kernel, unpack
from numba_cnn.backends.cpu.runtime.threads import threads_for


@checked
def adaptive_average_pool2d(x, g, y):
    _adaptive_average_pool2d(threads_for(x.size), x.reshape(-1), g, y.reshape(-1))


@checked
def adaptive_average_pool2d_backward(dy, g, dx):
    _adaptive_average_pool2d_backward(threads_for(dx.size), dy, g, dx)


@checked
def adaptive_max_pool2d(x, g, y, argmax):
    arrays = x.reshape(-1), g, y.reshape(-1), argmax.reshape(-1)
    _adaptive_max_pool2d(threads_for(x.size), *arrays)


@checked
def adaptive_max_pool2d_backward(dy, argmax, g, dx):
    _adaptive_max_pool2d_backward(threads_for(dx.size), dy, argmax, g, dx)


@kernel
def _adaptive_average_pool2d(share, shares, thread, packed):
    """Each share is whole rows of y."""
    x, g, y = unpack(packed)
    W, C, OH, OW = g.W, g.C, g.OH, g.OW
    for r in range(share * g.N * OH // shares, (share + 1) * g.N * OH // shares):
        h0, h1 = _over(r % OH, g.H, OH)
        for ow in range(OW):
            w0, w1 = _over(ow, W, OW)
            window = x, ((r // OH * g.H + h0) * W + w0) * C, W * C, C
            shape, count = (h1 - h0, w1 - w0), x.dtype.type((h1 - h0) * (w1 - w0))
            window_mean(window, shape, count, (y, (r * OW + ow) * C), C, (1, 0, 0), False)


@kernel
def _adaptive_average_pool2d_backward(share, shares, thread, packed):
    """Each share is whole rows of dx."""
    dy, g, dx = unpack(packed)
    for r in range(share * g.N * g.H // shares, (share + 1) * g.N * g.H // shares):
        n, h = r // g.H, r % g.H
        oh0, oh1 = _over(h, g.OH, g.H)
        for w in range(g.W):
            ow0, ow1 = _over(w, g.OW, g.W)
            total = dx[n, h, w]
            total[:] = 0
            for oh in range(oh0, oh1):
                h0, h1 = _over(oh, g.H, g.OH)
                for ow in range(ow0, ow1):
                    w0, w1 = _over(ow, g.W, g.OW)
                    gradient, count = dy[n, oh, ow], dy.dtype.type((h1 - h0) * (w1 - w0))
                    for c in range(g.C):
                        total[c] += gradient[c] / count


@kernel
def _adaptive_max_pool2d(share, shares, thread, packed):
    """Each share is whole rows of y."""
    x, g, y, argmax = unpack(packed)
    W, C, OH, OW = g.W, g.C, g.OH, g.OW
    for r in range(share * g.N * OH // shares, (share + 1) * g.N * OH // shares):
        h0, h1 = _over(r % OH, g.H, OH)
        for ow in range(OW):
            w0, w1 = _over(ow, W, OW)
            window = x, ((r // OH * g.H + h0) * W + w0) * C, W * C, C
            pooled, place = (y, argmax, (r * OW + ow) * C), (h0 * W + w0, W)
            window_max(window, (h1 - h0, w1 - w0), place, pooled, C, (1, 0, 0))


@kernel
def _adaptive_max_pool2d_backward(share, shares, thread, packed):
    """Each share is whole rows of dx."""
    dy, argmax, g, dx = unpack(packed)
    zero = dy.dtype.type(0)
    for r in range(share * g.N * g.H // shares, (share + 1) * g.N * g.H // shares):
        n, h = r // g.H, r % g.H
        oh0, oh1 = _over(h, g.OH, g.H)
        for w in range(g.W):
            ow0, ow1 = _over(w, g.OW, g.W)
            total, here = dx[n, h, w], h * g.W + w
            total[:] = 0
            for oh in range(oh0, oh1):
                for ow in range(ow0, ow1):
                    gradient, place = dy[n, oh, ow], argmax[n, oh, ow]
                    for c in range(g.C):
                        total[c] += gradient[c] if place[c] == here else zero


@inline
def _over(i, extent, count):
    """The first of the `extent` elements that part i of `count` parts touches, and the one behind the last: pixels that
    a window holds, or windows that hold a pixel.
    """
    return i * extent // count, -(-(i + 1) * extent // count)
