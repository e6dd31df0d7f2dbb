"""Convolution: which kernel runs what.

float32 without groups runs on tiles (correlate.py, correlate_weight.py), the first layer on a
kernel of its own (few_channels.py), the rest on the plain kernels. There is no Winograd here:
algorithm="winograd" runs the direct kernels.
"""

import numpy as np

from numba_cnn.backends.contract import checked
from numba_cnn.backends.cuda import conv2d_plain, few_channels
from numba_cnn.backends.cuda.correlate import Axis, correlate
from numba_cnn.backends.cuda.correlate_weight import correlate_weight
from numba_cnn.backends.cuda.relu import gated
from numba_cnn.backends.cuda.sums import column_sums


@checked
def conv2d(x, weight, bias, g, relu, algorithm, y):
    if few_channels.takes(g, x.dtype):
        few_channels.conv2d(x, weight, bias, g, relu, y)
    elif _tiled(g, x.dtype):
        rows = Axis(g.OH, g.KH, g.SH, g.DH, g.top)
        columns = Axis(g.OW, g.KW, g.SW, g.DW, g.left)
        correlate(x, weight, bias, relu, [(rows, columns)], False, y)
    else:
        conv2d_plain.conv2d(x, weight, bias, g, relu, y)


@checked
def conv2d_backward_input(dy, y, weight, g, algorithm, dx):
    dy = gated(dy, y)
    phased = 1 in (g.SH, g.DH) and 1 in (g.SW, g.DW)
    if _tiled(g, dy.dtype) and phased and g.C >= 4:
        rows = _phases(g.H, g.KH, g.SH, g.DH, g.top)
        columns = _phases(g.W, g.KW, g.SW, g.DW, g.left)
        correlate(dy, weight, None, False, [(r, c) for r in rows for c in columns], True, dx)
    else:
        conv2d_plain.conv2d_backward_input(dy, weight, g, dx)


@checked
def conv2d_backward_weight(dy, y, x, g, algorithm, dweight, dbias):
    dy = gated(dy, y)
    if _tiled(g, dy.dtype):
        correlate_weight(dy, x, g, dweight)
    else:
        conv2d_plain.conv2d_backward_weight(dy, x, g, dweight)
    column_sums(dy, dbias)


def _tiled(g, dtype):
    return dtype == np.float32 and g.groups == 1


def _phases(extent, taps, stride, dilation, pad):
    """The pixels of an axis by their place in the stride: those of a phase see the same taps of the
    filter.

    Pixel h meets dy at (h + pad - tap * dilation) / stride, where that is an integer: with a stride
    only every stride-th tap reaches it, and along these taps dy runs backwards one by one.
    """
    phases = []
    for phase in range(stride):
        first = (phase - pad) % stride
        pixels, reached = len(range(first, extent, stride)), len(range(phase, taps, stride))
        if pixels:
            back = dilation if stride == 1 else 1
            shift = (first + pad - phase) // stride
            phases.append(Axis(pixels, reached, 1, -back, -shift, first, stride, phase, stride))
    return phases
