"""conv2d on the CPU: all three passes as correlations.

The input gradient is the correlation of dy with the filters turned by 180 degrees; where the forward pass strides, one
correlation per phase of the stride, each with the taps that reach its pixels.
"""

from math import gcd

import numpy as np

from numba_cnn.backends.cpu import winograd
from numba_cnn.backends.cpu.correlate import correlate
from numba_cnn.backends.cpu.correlate_weight import correlate_weight
from numba_cnn.backends.cpu.panels import Axis, pack
from numba_cnn.backends.cpu.tile import VECTORS
from numba_cnn.backends.cpu.vector import lanes


def conv2d(x, weight, bias, g, relu, algorithm, y):
    Cg, Fg = g.C // g.groups, g.F // g.groups
    taps = Axis(g.KH, g.KW * Cg * g.F), Axis(g.KW, Cg * g.F)
    panels = pack(weight, 0, taps, Axis(Cg, g.F), Axis(Fg, 1), Axis(g.groups, Fg))
    if algorithm == "winograd":
        padding, zeros = (g.top, g.left), np.zeros(g.F + VECTORS * lanes(x.dtype), x.dtype)
        if bias is not None:
            zeros[: g.F] = bias
        U = winograd.transform_filters(panels, g.C, g.F)
        winograd.correlate(x, None, g.x, padding, U, zeros, g.F, (g.OH, g.OW), relu, y)
        return
    bias = np.zeros(g.F, x.dtype) if bias is None else bias
    output = g.OH, g.OW, 0, g.OH * g.OW * g.F, g.OW * g.F, g.F
    filters = g.groups, Cg, Fg, 0, panels.shape[1]
    correlate(x, None, g.x, _window(g), panels, filters, bias, output, relu, y)


def conv2d_backward_input(dy, y, weight, g, algorithm, dx):
    rows = [_phase(h, g.H, g.KH, g.DH, g.SH, g.top) for h in range(min(g.SH, g.H))]
    columns = [_phase(w, g.W, g.KW, g.DW, g.SW, g.left) for w in range(min(g.SW, g.W))]
    if not all(row[0] for row in rows) or not all(column[0] for column in columns):
        dx[...] = 0  # pixels that no window reaches
    Cg, Fg = g.C // g.groups, g.F // g.groups
    zeros = np.zeros(g.C, dy.dtype)
    for h, (KH, kh, kh_step, DH, top, OH) in enumerate(rows):
        for w, (KW, kw, kw_step, DW, left, OW) in enumerate(columns):
            if KH == 0 or KW == 0:
                continue
            taps = Axis(KH, -kh_step * g.KW * Cg * g.F), Axis(KW, -kw_step * Cg * g.F)
            start = (kh * g.KW + kw) * Cg * g.F
            panels = pack(weight, start, taps, Axis(Fg, 1), Axis(Cg, g.F), Axis(g.groups, Fg))
            if algorithm == "winograd":
                U = winograd.transform_filters(panels, g.F, g.C)
                zeros = np.zeros(g.C + VECTORS * lanes(dy.dtype), dy.dtype)
                winograd.correlate(dy, y, g.y, (top, left), U, zeros, g.C, (g.H, g.W), False, dx)
                return
            output = OH, OW, (h * g.W + w) * g.C, g.H * g.W * g.C, g.SH * g.W * g.C, g.SW * g.C
            filters = g.groups, Fg, Cg, 0, panels.shape[1]
            window = KH, KW, DH, DW, 1, 1, top, left
            correlate(dy, y, g.y, window, panels, filters, zeros, output, False, dx)


def conv2d_backward_weight(dy, y, x, g, algorithm, dweight, dbias):
    if algorithm == "winograd":
        winograd.correlate_weight(x, g.x, (g.top, g.left), dy, y, (g.OH, g.OW), dweight, dbias)
        return
    correlate_weight(x, g.x, _window(g), dy, y, g.groups, (g.OH, g.OW), dweight, dbias)


def _window(g):
    return g.KH, g.KW, g.DH, g.DW, g.SH, g.SW, g.top, g.left


def _phase(start, extent, K, D, S, before):
    """Along one axis, how the pixels start, start + S, ... are correlated with dy: (taps, last tap, tap step, dilation,
    padding before, pixels)."""
    common = gcd(D, S)
    step = S // common
    reached = [k for k in range(min(step, K)) if (start + before - k * D) % S == 0]
    if not reached:
        return 0, 0, 0, 0, 0, 0
    taps = -(-(K - reached[0]) // step)
    offset = (
        start + before - reached[0] * D
    ) // S  # of dy from the pixel's own place, at the first tap
    dilation = D // common
    last = reached[0] + (taps - 1) * step
    return taps, last, step, dilation, (taps - 1) * dilation - offset, -(-(extent - start) // S)
