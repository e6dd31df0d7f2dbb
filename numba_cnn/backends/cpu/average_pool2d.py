"""Average pooling on the CPU: rows of windows, and rows of pixels that collect from the windows which hold them."""

from numba_cnn.backends.contract import checked
from numba_cnn.backends.cpu.codegen.compiler import inline, noinline
from numba_cnn.backends.cpu.max_pool2d import (
    pixels_alike,
    rows_of_windows,
    uncut_windows,
    windows_over,
)
from numba_cnn.backends.cpu.microkernels.average_pool import window_mean, window_shares
from numba_cnn.backends.cpu.microkernels.copy import copy_run
from numba_cnn.backends.cpu.microkernels.nontemporal import bypasses_caches
from numba_cnn.backends.cpu.runtime.launch import kernel, unpack
from numba_cnn.backends.cpu.runtime.threads import for_each_thread, threads_for


@checked
def average_pool2d(x, g, y):
    _average_pool2d(threads_for(x.size), x.reshape(-1), g, y.reshape(-1))


@checked
def average_pool2d_backward(dy, g, dx):
    scaled = for_each_thread(1, g.C, dx.dtype)
    _average_pool2d_backward(threads_for(dx.size), dy, g, scaled, dx)


@kernel
def _average_pool2d(share, shares, thread, packed):
    """Each share is whole rows of y."""
    x, g, y = unpack(packed)
    W, C, OH, OW = g.W, g.C, g.OH, g.OW
    nontemporal = bypasses_caches(y, C)
    for r in range(share * g.N * OH // shares, (share + 1) * g.N * OH // shares):
        n, oh = r // OH, r % OH
        h0, h1 = max(oh * g.SH - g.top, 0), min(oh * g.SH - g.top + g.PH, g.H)
        inside, ow = uncut_windows(g), 0
        while ow < OW:
            w0, w1 = max(ow * g.SW - g.left, 0), min(ow * g.SW - g.left + g.PW, W)
            shape, count = (h1 - h0, w1 - w0), x.dtype.type((h1 - h0) * (w1 - w0))
            window = x, ((n * g.H + h0) * W + w0) * C, W * C, C
            alike = inside[1] - ow if inside[0] <= ow < inside[1] else 1
            run = alike, g.SW * C, C
            window_mean(window, shape, count, (y, (r * OW + ow) * C), C, run, nontemporal)
            ow += alike


@kernel
def _average_pool2d_backward(share, shares, thread, packed):
    """Each share is whole rows of dx: those of its windows where windows do not overlap, else any."""
    dy, g, scaled, dx = unpack(packed)
    H, OH = g.H, g.OH
    nontemporal = bypasses_caches(dx.reshape(-1), g.C)
    if g.SH >= g.PH and g.SW >= g.PW:
        for r in range(share * g.N * OH // shares, (share + 1) * g.N * OH // shares):
            _spread_row(dy, g, scaled[thread, 0], dx, r, nontemporal)
    else:
        for r in range(share * g.N * H // shares, (share + 1) * g.N * H // shares):
            _collect_row(dy, g, dx, r, nontemporal)


@inline
def _spread_row(dy, g, scaled, dx, r, nontemporal):
    """The rows of dx from one row of windows to the next: the pixels of a window are alike, the rest are 0."""
    W, C, n, oh = g.W, g.C, r // g.OH, r % g.OH
    h0, h1, start, stop = rows_of_windows(g, oh)
    if start < stop:
        dx[n, start:stop] = 0
    target, one = dx.reshape(-1), dy.dtype.type(1)
    for ow in range(g.OW):
        w0, w1 = max(ow * g.SW - g.left, 0), min(ow * g.SW - g.left + g.PW, W)
        gradient, part = dy[n, oh, ow], one / dy.dtype.type((h1 - h0) * (w1 - w0))
        for c in range(C):
            scaled[c] = gradient[c] * part
        for h in range(h0, h1):
            for w in range(w0, w1):
                copy_run((scaled, 0), (target, ((n * g.H + h) * W + w) * C), C, nontemporal)


@inline
def _collect_row(dy, g, dx, r, nontemporal):
    """One row of dx: each pixel collects from the windows that hold it."""
    W, C, n, h, OW = g.W, g.C, r // g.H, r % g.H, g.OW
    oh0, oh1 = windows_over(h + g.top, g.PH, g.SH, g.OH)
    source, target = dy.reshape(-1), dx.reshape(-1)
    whole = oh0 * g.SH >= g.top and (oh1 - 1) * g.SH - g.top + g.PH <= g.H  # no edge cuts these
    count = dy.dtype.type(g.PH * g.PW)
    for phase in range(g.SW):
        w = phase
        while w < W:
            ow0, ow1 = windows_over(w + g.left, g.PW, g.SW, OW)
            inside, alike = uncut_windows(g), 1
            if whole and ow0 >= inside[0] and ow1 <= inside[1]:
                alike = min(pixels_alike(w, g), inside[1] - ow1 + 1)
                windows = source, ((n * g.OH + oh0) * OW + ow0) * C, OW * C, C
                shape, run = (oh1 - oh0, ow1 - ow0), (alike, C, g.SW * C)
                window_shares(windows, shape, count, (target, (r * W + w) * C), C, run, nontemporal)
            else:
                _collect_pixel(dy, g, (oh0, oh1), (ow0, ow1), n, dx[n, h, w])
            w += alike * g.SW


@noinline
def _collect_pixel(dy, g, rows, columns, n, total):
    """The gradient of a pixel in these windows, some of which an edge cuts: they have fewer pixels."""
    total[:] = 0
    for oh in range(rows[0], rows[1]):
        high = min(oh * g.SH - g.top + g.PH, g.H) - max(oh * g.SH - g.top, 0)
        for ow in range(columns[0], columns[1]):
            wide = min(ow * g.SW - g.left + g.PW, g.W) - max(ow * g.SW - g.left, 0)
            gradient, part = dy[n, oh, ow], dy.dtype.type(1) / dy.dtype.type(high * wide)
            for c in range(g.C):
                total[c] += gradient[c] * part
