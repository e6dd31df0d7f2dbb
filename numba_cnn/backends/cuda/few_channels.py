"""The first layer's convolution: with 1 to 3 channels a window is too shallow for tiles, and the
filters fit on chip.

A block holds the weights of its 32 filters in shared memory. A thread computes PIXELS neighbouring
pixels x 4 filters: the 128 bits of weights it reads serve all its pixels, and each pixel it reads
is shared by the eight threads beside it.
"""

from functools import lru_cache

import numpy as np
from numba import float32, int32, int64

from numba_cnn.backends.cuda.launch import extents, launch
from numba_cnn.backends.cuda.max_pool2d import unravel
from numba_cnn.backends.cuda.provider import SIMULATOR, cuda, jit
from numba_cnn.backends.cuda.tile import ZERO
from numba_cnn.backends.cuda.vector import load, load4, store4

PIXELS = 8  # of a thread
FILTERS = (
    32  # of a block: one line of 128 bytes of the result, eight threads with four filters each
)
THREADS = 16 if SIMULATOR else 128
WEIGHTS = 6144  # floats of shared memory


def takes(g, dtype):
    """Whether this kernel can run the convolution."""
    fits = g.KH * g.KW * g.C * FILTERS <= WEIGHTS
    return dtype == np.float32 and g.groups == 1 and g.C < 4 and g.F % 4 == 0 and fits


def conv2d(x, weight, bias, g, relu, y):
    per_block = THREADS // (FILTERS // 4) * PIXELS
    blocks = -(-g.N * g.OH * g.OW // per_block), -(-g.F // FILTERS)
    run = few_channels_kernel(g.C, bias is not None, relu)
    launch(run, blocks, THREADS, x, weight, y if bias is None else bias, extents(g), y)


@lru_cache
def few_channels_kernel(C, biased, relu):
    """Block (x, y) owns a run of output pixels and 32 filters; the number of channels is a
    constant.
    """
    lanes = FILTERS // 4

    @jit
    def few_channels_kernel(x, weight, bias, g, y):
        filters = cuda.shared.array(WEIGHTS, float32)
        sums = cuda.local.array((PIXELS, 4), float32)
        windows = cuda.local.array((PIXELS, 2), int32)
        origins = cuda.local.array(PIXELS, int64)
        t = int32(cuda.threadIdx.x)
        first_filter = int32(cuda.blockIdx.y * FILTERS)
        for i in range(t, g.KH * g.KW * C * lanes, THREADS):
            f = int32(first_filter + i % lanes * 4)
            v0 = v1 = v2 = v3 = ZERO
            if f < g.F:
                v0, v1, v2, v3 = load4(weight, i // lanes * int64(g.F) + f)
            store4(filters, i * 4, v0, v1, v2, v3)
        cuda.syncthreads()

        lane = int32(t % lanes * 4)
        f = int32(first_filter + lane)
        m = int32((cuda.blockIdx.x * (THREADS // lanes) + t // lanes) * PIXELS)
        n, oh, ow, _ = unravel(m, g.OH, g.OW, 1)
        for p in range(PIXELS):
            h, w = int32(oh * g.SH - g.top), int32(ow * g.SW - g.left)
            windows[p, 0], windows[p, 1] = h, w
            origins[p] = ((n * int64(g.H) + h) * g.W + w) * C
            for j in range(4):
                sums[p, j] = ZERO
            ow = int32(ow + 1)
            if ow == g.OW:
                ow, oh = int32(0), int32(oh + 1)
            if oh == g.OH:
                oh, n = int32(0), int32(n + 1)
        pixels = min(PIXELS, int32(g.N * g.OH * g.OW - m))

        for kh in range(g.KH):
            for kw in range(g.KW):
                dh, dw = int32(kh * g.DH), int32(kw * g.DW)
                shift = int64(int32(dh * g.W + dw)) * C
                for c in range(C):
                    at = int64(((kh * g.KW + kw) * C + c) * FILTERS + lane)
                    w0, w1, w2, w3 = load4(filters, at)
                    for p in range(PIXELS):
                        h, w = int32(windows[p, 0] + dh), int32(windows[p, 1] + dw)
                        value = ZERO
                        if p < pixels and h >= 0 and h < g.H and w >= 0 and w < g.W:
                            value = load(x, origins[p] + shift + c)
                        sums[p, 0] += value * w0
                        sums[p, 1] += value * w1
                        sums[p, 2] += value * w2
                        sums[p, 3] += value * w3

        if f < g.F:
            b0 = b1 = b2 = b3 = ZERO
            if biased:
                b0, b1, b2, b3 = load4(bias, f)
            for p in range(PIXELS):
                if p < pixels:
                    v0, v1, v2, v3 = (
                        sums[p, 0] + b0,
                        sums[p, 1] + b1,
                        sums[p, 2] + b2,
                        sums[p, 3] + b3,
                    )
                    if relu:  # NaN goes through
                        v0 = ZERO if v0 <= ZERO else v0
                        v1 = ZERO if v1 <= ZERO else v1
                        v2 = ZERO if v2 <= ZERO else v2
                        v3 = ZERO if v3 <= ZERO else v3
                    store4(y, (m + p) * int64(g.F) + f, v0, v1, v2, v3)

    return few_channels_kernel
