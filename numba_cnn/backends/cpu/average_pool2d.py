"""Average pooling on the CPU: rows of windows, and rows of pixels that collect from the windows which hold them."""

from numba_cnn.backends.contract import checked
from numba_cnn.backends.cpu.codegen.compiler import inline
from numba_cnn.backends.cpu.max_pool2d import following, quotients, rows_of_windows, windows_over
from numba_cnn.backends.cpu.microkernels.average_pool import window_mean
from numba_cnn.backends.cpu.microkernels.copy import copy_run
from numba_cnn.backends.cpu.microkernels.nontemporal import bypasses_caches
from numba_cnn.backends.cpu.runtime.launch import kernel, unpack
from numba_cnn.backends.cpu.runtime.memory import empty
from numba_cnn.backends.cpu.runtime.threads import get_num_threads, threads_for


@checked
def average_pool2d(x, g, y):
    _average_pool2d(threads_for(x.size), x.reshape(-1), g, y.reshape(-1))


@checked
def average_pool2d_backward(dy, g, dx):
    scaled = empty((get_num_threads(), g.C), dx.dtype)
    _average_pool2d_backward(threads_for(dx.size), dy, g, scaled, dx)


@kernel
def _average_pool2d(share, shares, thread, packed):
    """Each share is whole rows of y."""
    x, g, y = unpack(packed)
    W, C, OH, OW = g.W, g.C, g.OH, g.OW
    for r in range(share * g.N * OH // shares, (share + 1) * g.N * OH // shares):
        n, oh = r // OH, r % OH
        h0, h1 = max(oh * g.SH - g.top, 0), min(oh * g.SH - g.top + g.PH, g.H)
        for ow in range(OW):
            w0, w1 = max(ow * g.SW - g.left, 0), min(ow * g.SW - g.left + g.PW, W)
            shape, count = (h1 - h0, w1 - w0), x.dtype.type((h1 - h0) * (w1 - w0))
            window = x, ((n * g.H + h0) * W + w0) * C, W * C, C
            window_mean(window, shape, count, (y, (r * OW + ow) * C), C)


@kernel
def _average_pool2d_backward(share, shares, thread, packed):
    """Each share is whole rows of dx: those of its windows where windows do not overlap, else any."""
    dy, g, scaled, dx = unpack(packed)
    H, OH = g.H, g.OH
    if g.SH >= g.PH and g.SW >= g.PW:
        nontemporal = bypasses_caches(dx.reshape(-1), g.C)
        for r in range(share * g.N * OH // shares, (share + 1) * g.N * OH // shares):
            _spread_row(dy, g, scaled[thread], dx, r, nontemporal)
    else:
        for r in range(share * g.N * H // shares, (share + 1) * g.N * H // shares):
            _collect_row(dy, g, dx, r)


@inline
def _spread_row(dy, g, scaled, dx, r, nontemporal):
    """The rows of dx from one row of windows to the next: the pixels of a window are alike, the rest are 0."""
    W, C, n, oh = g.W, g.C, r // g.OH, r % g.OH
    h0, h1, start, stop = rows_of_windows(g, oh)
    if start < stop:
        dx[n, start:stop] = 0
    target = dx.reshape(-1)
    for ow in range(g.OW):
        w0, w1 = max(ow * g.SW - g.left, 0), min(ow * g.SW - g.left + g.PW, W)
        gradient, count = dy[n, oh, ow], dy.dtype.type((h1 - h0) * (w1 - w0))
        for c in range(C):
            scaled[c] = gradient[c] / count
        for h in range(h0, h1):
            for w in range(w0, w1):
                copy_run((scaled, 0), (target, ((n * g.H + h) * W + w) * C), C, nontemporal)


@inline
def _collect_row(dy, g, dx, r):
    """One row of dx: each pixel collects from the windows that hold it."""
    H, W, n, h = g.H, g.W, r // g.H, r % g.H
    oh0, oh1 = windows_over(h + g.top, g.PH, g.SH, g.OH)
    first, last = quotients(g.left, g.PW, g.SW)
    for w in range(W):
        ow0, ow1 = max(0, first[0]), min(last[0], g.OW)
        first, last = following(first, g.SW), following(last, g.SW)
        total = dx[n, h, w]
        total[:] = 0
        for oh in range(oh0, oh1):
            high = min(oh * g.SH - g.top + g.PH, H) - max(oh * g.SH - g.top, 0)
            for ow in range(ow0, ow1):
                wide = min(ow * g.SW - g.left + g.PW, W) - max(ow * g.SW - g.left, 0)
                gradient, count = dy[n, oh, ow], dy.dtype.type(high * wide)
                for c in range(g.C):
                    total[c] += gradient[c] / count
