"""Average pooling on the CPU: rows of windows, and rows of pixels that collect from the windows which hold them."""

from numba_cnn.backends.contract import checked
from numba_cnn.backends.cpu.max_pool2d import windows_over
from numba_cnn.backends.cpu.runtime.launch import kernel, unpack
from numba_cnn.backends.cpu.runtime.threads import threads_for


@checked
def average_pool2d(x, g, y):
    _average_pool2d(threads_for(x.size), x, g, y)


@checked
def average_pool2d_backward(dy, g, dx):
    _average_pool2d_backward(threads_for(dx.size), dy, g, dx)


@kernel
def _average_pool2d(share, shares, thread, packed):
    """Each share is whole rows of y."""
    x, g, y = unpack(packed)
    C, OH = g.C, g.OH
    for r in range(share * g.N * OH // shares, (share + 1) * g.N * OH // shares):
        n, oh = r // OH, r % OH
        h0, h1 = max(oh * g.SH - g.top, 0), min(oh * g.SH - g.top + g.PH, g.H)
        for ow in range(g.OW):
            w0, w1 = max(ow * g.SW - g.left, 0), min(ow * g.SW - g.left + g.PW, g.W)
            total, count = y[n, oh, ow], y.dtype.type((h1 - h0) * (w1 - w0))
            total[:] = 0
            for h in range(h0, h1):
                for w in range(w0, w1):
                    pixel = x[n, h, w]
                    for c in range(C):
                        total[c] += pixel[c]
            for c in range(C):
                total[c] /= count


@kernel
def _average_pool2d_backward(share, shares, thread, packed):
    """Each share is whole rows of dx."""
    dy, g, dx = unpack(packed)
    H, W = g.H, g.W
    for r in range(share * g.N * H // shares, (share + 1) * g.N * H // shares):
        n, h = r // H, r % H
        oh0, oh1 = windows_over(h + g.top, g.PH, g.SH, g.OH)
        for w in range(W):
            ow0, ow1 = windows_over(w + g.left, g.PW, g.SW, g.OW)
            total = dx[n, h, w]
            total[:] = 0
            for oh in range(oh0, oh1):
                high = min(oh * g.SH - g.top + g.PH, H) - max(oh * g.SH - g.top, 0)
                for ow in range(ow0, ow1):
                    wide = min(ow * g.SW - g.left + g.PW, W) - max(ow * g.SW - g.left, 0)
                    gradient, count = dy[n, oh, ow], dy.dtype.type(high * wide)
                    for c in range(g.C):
                        total[c] += gradient[c] / count
