"""dense on the CPU: forward and weight gradient as a 1x1 convolution of one image that has the batch as
its pixels, the input gradient on a kernel of its own.
"""

import numpy as np

from numba_cnn.backends.cpu.correlate import correlate
from numba_cnn.backends.cpu.correlate_weight import correlate_weight
from numba_cnn.backends.cpu.launch import kernel, unpack
from numba_cnn.backends.cpu.memory import constant, empty
from numba_cnn.backends.cpu.panels import Axis, pack, pack_turned, panel_width
from numba_cnn.backends.cpu.relu import relu_backward
from numba_cnn.backends.cpu.strips import NO_PLACES, source
from numba_cnn.backends.cpu.threads import get_num_threads
from numba_cnn.backends.cpu.tile import VECTORS, lanes_of, product, tiles
from numba_cnn.backends.cpu.vector import lanes

BLOCK = 1024  # outputs that are summed at once
_WINDOW = 1, 1, 1, 1, 1, 1, 0, 0
_ONE = Axis(1, 0)


def dense(x, weight, bias, relu, y):
    (N, K), F = x.shape, y.shape[1]
    if F % lanes(x.dtype) == 0:
        panels, b_row, b_panel = weight, F, VECTORS * lanes(x.dtype)
    else:
        panels = pack(weight, 0, (_ONE, _ONE), Axis(K, F), Axis(F, 1), _ONE)
        b_row, b_panel = 0, panels.shape[1]
    bias = constant(0, F, x.dtype) if bias is None else bias
    output = 1, N, 0, N * F, N * F, F
    correlate(
        source(x), (1, 1, N, K), _WINDOW, panels, (1, K, F, b_row, b_panel), bias, output, relu, y,
        NO_PLACES,
    )  # fmt: skip


def dense_backward_input(dy, y, weight, dx):
    (N, F), K = dy.shape, dx.shape[1]
    if y is not None:
        gated = empty(dy.shape, dy.dtype)
        relu_backward(dy, y, gated)
        dy = gated
    VL = lanes(dx.dtype)
    workers = get_num_threads()
    _backward_input(
        workers, tiles(dx.dtype), dy.reshape(-1), weight.reshape(-1), constant(0, VECTORS * VL, dx.dtype), (N, F, K),
        dx.reshape(-1), empty((workers, -(-min(F, BLOCK) // VL) * VL * VECTORS * VL), dx.dtype),
    )  # fmt: skip


@kernel
def _backward_input(w, workers, packed):
    """dx = dy weight'; each worker owns whole panels of dx, for which it turns its part of the weights around."""
    tile, dy, weight, zeros, extents, dx, scratch = unpack(packed)
    N, F, K = extents
    panel, s = scratch.reshape(-1), w * scratch.shape[1]
    none = dx.dtype.type(-np.inf)
    width = VECTORS * lanes_of(dx)
    panels = -(-K // width)
    for p in range(w * panels // workers, (w + 1) * panels // workers):
        k = p * width
        wide, columns = panel_width(K - k, dx), min(width, K - k)
        for f in range(0, F, BLOCK):
            run = min(BLOCK, F - f)
            pack_turned(weight, k * F + f, F, run, columns, panel, s, wide)
            initial, i0, i_m = (zeros, 0, 0) if f == 0 else (dx, k, K)
            product(
                tile, 0, N, dx, k, K, initial, i0, i_m, dy, f, 0, 0, F, panel, s, wide, 1, 1, run, none, columns
            )  # fmt: skip


def dense_backward_weight(dy, y, x, dweight, dbias):
    N, K = x.shape
    correlate_weight(source(x), (1, 1, N, K), _WINDOW, source(dy, y), 1, (1, N), dweight, dbias)
