"""Average pooling: forward one thread an output, backward one thread an input pixel."""

from numba_cnn.backends.contract import checked
from numba_cnn.backends.cuda.launch import extents, launch_each
from numba_cnn.backends.cuda.max_pool2d import unravel
from numba_cnn.backends.cuda.provider import cuda, jit
from numba_cnn.backends.cuda.vector import load, store


@checked
def average_pool2d(x, g, y):
    launch_each(average_pool2d_kernel, y.size, x, extents(g), y)


@checked
def average_pool2d_backward(dy, g, dx):
    launch_each(average_pool2d_backward_kernel, dx.size, dy, extents(g), dx)


@jit
def average_pool2d_kernel(x, g, y):
    i = cuda.grid(1)
    if i < y.size:
        n, oh, ow, c = unravel(i, g.OH, g.OW, g.C)
        h0, h1 = max(oh * g.SH - g.top, 0), min(oh * g.SH - g.top + g.PH, g.H)
        w0, w1 = max(ow * g.SW - g.left, 0), min(ow * g.SW - g.left + g.PW, g.W)
        total = x.dtype.type(0)
        for h in range(h0, h1):
            for w in range(w0, w1):
                total += load(x, ((int(n) * g.H + h) * g.W + w) * g.C + c)
        store(y, i, total / x.dtype.type((h1 - h0) * (w1 - w0)))


@jit
def average_pool2d_backward_kernel(dy, g, dx):
    i = cuda.grid(1)
    if i < dx.size:
        n, h, w, c = unravel(i, g.H, g.W, g.C)
        bottom, right = h + g.top, w + g.left  # the pixel in a padded image
        total = dx.dtype.type(0)
        for oh in range(max(0, (bottom - g.PH) // g.SH + 1), min(g.OH, bottom // g.SH + 1)):
            high = min(oh * g.SH - g.top + g.PH, g.H) - max(oh * g.SH - g.top, 0)
            for ow in range(max(0, (right - g.PW) // g.SW + 1), min(g.OW, right // g.SW + 1)):
                wide = min(ow * g.SW - g.left + g.PW, g.W) - max(ow * g.SW - g.left, 0)
                gradient = load(dy, ((int(n) * g.OH + oh) * g.OW + ow) * g.C + c)
                total += gradient / dx.dtype.type(high * wide)
        store(dx, i, total)
