"""Pooling to a size on the CPU: rows of windows, and rows of pixels that collect from the windows which hold them."""

from numba_cnn.backends.contract import checked
from numba_cnn.backends.cpu.codegen.compiler import inline
from numba_cnn.backends.cpu.runtime.launch import kernel, unpack
from numba_cnn.backends.cpu.runtime.threads import threads_for


@checked
def adaptive_average_pool2d(x, g, y):
    _adaptive_average_pool2d(threads_for(x.size), x, g, y)


@checked
def adaptive_average_pool2d_backward(dy, g, dx):
    _adaptive_average_pool2d_backward(threads_for(dx.size), dy, g, dx)


@checked
def adaptive_max_pool2d(x, g, y, argmax):
    _adaptive_max_pool2d(threads_for(x.size), x, g, y, argmax)


@checked
def adaptive_max_pool2d_backward(dy, argmax, g, dx):
    _adaptive_max_pool2d_backward(threads_for(dx.size), dy, argmax, g, dx)


@kernel
def _adaptive_average_pool2d(share, shares, thread, packed):
    """Each share is whole rows of y."""
    x, g, y = unpack(packed)
    for r in range(share * g.N * g.OH // shares, (share + 1) * g.N * g.OH // shares):
        n, oh = r // g.OH, r % g.OH
        h0, h1 = _over(oh, g.H, g.OH)
        for ow in range(g.OW):
            w0, w1 = _over(ow, g.W, g.OW)
            total, count = y[n, oh, ow], y.dtype.type((h1 - h0) * (w1 - w0))
            total[:] = 0
            for h in range(h0, h1):
                for w in range(w0, w1):
                    pixel = x[n, h, w]
                    for c in range(g.C):
                        total[c] += pixel[c]
            for c in range(g.C):
                total[c] /= count


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
    """Each share is whole rows of y. The first maximum wins, and the first NaN beats every number."""
    x, g, y, argmax = unpack(packed)
    for r in range(share * g.N * g.OH // shares, (share + 1) * g.N * g.OH // shares):
        n, oh = r // g.OH, r % g.OH
        h0, h1 = _over(oh, g.H, g.OH)
        for ow in range(g.OW):
            w0, w1 = _over(ow, g.W, g.OW)
            best, place = y[n, oh, ow], argmax[n, oh, ow]
            best[:] = x[n, h0, w0]
            place[:] = h0 * g.W + w0
            for h in range(h0, h1):
                for w in range(w0, w1):
                    pixel, here = x[n, h, w], place.dtype.type(h * g.W + w)
                    for c in range(g.C):
                        better = (not pixel[c] <= best[c]) & (best[c] == best[c])
                        place[c] = here if better else place[c]
                        best[c] = pixel[c] if better else best[c]


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
