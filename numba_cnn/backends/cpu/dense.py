"""dense on the CPU: forward and weight gradient as a 1x1 convolution of one image that has the batch as
its pixels; the input gradient, and one row of many outputs, on kernels of their own.
"""

import numpy as np

from numba_cnn.backends.contract import checked
from numba_cnn.backends.cpu.codegen.arrays import lanes_of
from numba_cnn.backends.cpu.codegen.vector import lanes
from numba_cnn.backends.cpu.convolution import direct, direct_weight
from numba_cnn.backends.cpu.convolution.packing import Axis, pack, pack_transposed, panel_width
from numba_cnn.backends.cpu.convolution.problem import Window
from numba_cnn.backends.cpu.convolution.row_buffers import NO_PLACES, source
from numba_cnn.backends.cpu.microkernels.brgemm import BY_ROWS, MR, NR_VECTORS, brgemm
from numba_cnn.backends.cpu.relu import relu_backward
from numba_cnn.backends.cpu.runtime.launch import kernel, unpack
from numba_cnn.backends.cpu.runtime.launch_graph import recorded
from numba_cnn.backends.cpu.runtime.memory import constant, empty
from numba_cnn.backends.cpu.runtime.threads import get_num_threads, threads_for

BLOCK = 1024  # outputs that are summed at once
# Outputs of one row, and weights, from which on these are read as they lie: panels' short runs in rows far apart do not
# come from memory as fast.
WIDE, LARGE = 256, 1 << 17
PART = 512  # inputs that are summed at once then; from shapes alone, so that the bits do not depend on threads
_WINDOW = Window(1, 1, 1, 1, 1, 1, 0, 0)
_ONE = Axis(1, 0)


@recorded
@checked
def dense(x, weight, bias, relu, y):
    (N, K), F = x.shape, y.shape[1]
    bias = constant(0, F, x.dtype) if bias is None else bias
    if N == 1 and (F > WIDE or weight.size > LARGE or F % lanes(x.dtype)):
        sums = empty((-(-K // PART) * F,), x.dtype)
        _sum_parts(threads_for(weight.size), x.reshape(-1), weight.reshape(-1), sums)
        floor = x.dtype.type(0 if relu else -np.inf)
        _add_parts(threads_for(sums.size), sums, bias, floor, y.reshape(-1))
        return
    if F % lanes(x.dtype) == 0:
        panels, ldb, b_panel = weight, F, NR_VECTORS * lanes(x.dtype)
    else:
        panels = pack(weight, 0, (_ONE, _ONE), Axis(K, F), Axis(F, 1), _ONE)
        ldb, b_panel = 0, panels.shape[1]
    output = 1, N, 0, N * F, N * F, F
    direct.forward_packed(
        source(x), (1, 1, N, K), _WINDOW, panels, (1, K, F, ldb, b_panel), bias, output, relu, y,
        NO_PLACES,
    )  # fmt: skip


@kernel
def _sum_parts(share, shares, thread, packed):
    """Sums over PART inputs; each share is whole parts, whose weights it reads as they lie, four rows at once."""
    x, weight, sums = unpack(packed)
    F = weight.size // x.size
    parts = sums.size // F
    for part in range(share * parts // shares, (share + 1) * parts // shares):
        total = sums[part * F : (part + 1) * F]
        total[:] = 0
        k, stop = part * PART, min((part + 1) * PART, x.size)
        while k + 4 <= stop:
            rows = weight[k * F : (k + 4) * F]
            a, b, c, d = x[k], x[k + 1], x[k + 2], x[k + 3]
            for f in range(F):
                total[f] += (
                    a * rows[f] + b * rows[F + f] + c * rows[2 * F + f] + d * rows[3 * F + f]
                )
            k += 4
        for last in range(k, stop):
            for f in range(F):
                total[f] += x[last] * weight[last * F + f]


@kernel
def _add_parts(share, shares, thread, packed):
    """y = max(bias + the parts, first to last, floor); each share is a run of outputs."""
    sums, bias, floor, y = unpack(packed)
    F = y.size
    for f in range(share * F // shares, (share + 1) * F // shares):
        total = bias[f]
        for i in range(f, sums.size, F):
            total += sums[i]
        y[f] = floor if total < floor else total


@recorded
@checked
def dense_backward_input(dy, y, weight, dx):
    (N, F), K = dy.shape, dx.shape[1]
    if y is not None:
        gated = empty(dy.shape, dy.dtype)
        relu_backward(dy, y, gated)
        dy = gated
    VL = lanes(dx.dtype)
    threads = get_num_threads()
    _backward_input(
        threads, brgemm.address(dx.dtype), dy.reshape(-1), weight.reshape(-1), constant(0, NR_VECTORS * VL, dx.dtype),
        (N, F, K), dx.reshape(-1), empty((threads, -(-min(F, BLOCK) // VL) * VL * NR_VECTORS * VL), dx.dtype),
    )  # fmt: skip


@kernel
def _backward_input(share, shares, thread, packed):
    """dx = dy weight'; each share is whole panels of dx, for which it turns its part of the weights around."""
    tile, dy, weight, zeros, extents, dx, scratch = unpack(packed)
    N, F, K = extents
    panel, s = scratch.reshape(-1), thread * scratch.shape[1]
    none = dx.dtype.type(-np.inf)
    width = NR_VECTORS * lanes_of(dx)
    panels = -(-K // width)
    # The next panel's weights lie behind this one's, unless only some of the outputs are summed at once.
    ahead = -(-width // -(-N // MR)) if F <= BLOCK else 0
    for p in range(share * panels // shares, (share + 1) * panels // shares):
        k = p * width
        wide, columns = panel_width(K - k, dx), min(width, K - k)
        for f in range(0, F, BLOCK):
            run = min(BLOCK, F - f)
            pack_transposed(weight, k * F + f, F, run, columns, panel, s, wide)
            initial, i0, i_m = (zeros, 0, 0) if f == 0 else (dx, k, K)
            brgemm(
                tile, (N, columns), (1, 1, run), C=(dx, k, K), I=(initial, i0, i_m), A=(dy, f, 0, 0, F, BY_ROWS),
                B=(panel, s, wide), epilogue=(none, False), N=(weight, (k + width) * F, ahead, ahead * run),
            )  # fmt: skip


@recorded
@checked
def dense_backward_weight(dy, y, x, dweight, dbias):
    N, K = x.shape
    direct_weight.sum_over_pixels(
        source(x), (1, 1, N, K), _WINDOW, source(dy, y), 1, (1, N), dweight, dbias
    )
