"""Average pooling on the CPU: rows of windows, and rows of pixels that collect from the windows which hold them."""

from numba_cnn.backends.contract import checked
from numba_cnn.backends.cpu.max_pool2d import windows_over
from numba_cnn.backends.cpu.runtime.launch import kernel, unpack
from numba_cnn.backends.cpu.runtime.threads import threads_for


@checked
def average_pool2d(x, g, y):
    _average_pool2d(threads_for(x.size), x, tuple(g), y)


@checked
def average_pool2d_backward(dy, g, dx):
    _average_pool2d_backward(threads_for(dx.size), dy, tuple(g), dx)


@kernel
def _average_pool2d(share, shares, thread, packed):
    """Each share is whole rows of y."""
    x, g, y = unpack(packed)
    N, H, W, C, PH, PW, SH, SW, top, _, left, _, OH, OW = g
    for r in range(share * N * OH // shares, (share + 1) * N * OH // shares):
        n, oh = r // OH, r % OH
        h0, h1 = max(oh * SH - top, 0), min(oh * SH - top + PH, H)
        for ow in range(OW):
            w0, w1 = max(ow * SW - left, 0), min(ow * SW - left + PW, W)
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
    N, H, W, C, PH, PW, SH, SW, top, _, left, _, OH, OW = g
    for r in range(share * N * H // shares, (share + 1) * N * H // shares):
        n, h = r // H, r % H
        oh0, oh1 = windows_over(h + top, PH, SH, OH)
        for w in range(W):
            ow0, ow1 = windows_over(w + left, PW, SW, OW)
            total = dx[n, h, w]
            total[:] = 0
            for oh in range(oh0, oh1):
                high = min(oh * SH - top + PH, H) - max(oh * SH - top, 0)
                for ow in range(ow0, ow1):
                    wide = min(ow * SW - left + PW, W) - max(ow * SW - left, 0)
                    gradient, count = dy[n, oh, ow], dy.dtype.type(high * wide)
                    for c in range(C):
                        total[c] += gradient[c] / count
