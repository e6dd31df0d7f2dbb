"""Convolution, by windows of the image."""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from numba_cnn.backends.reference.relu import gated


def conv2d(x, weight, bias, g, relu, algorithm, y):
    """Cross-correlation, then the bias, then ReLU where asked for."""
    windows = _windows(_padded(x, g), g)  # N, OH, OW, groups, C/groups, KH, KW
    filters = weight.reshape(g.KH, g.KW, g.C // g.groups, g.groups, g.F // g.groups)
    y[...] = np.einsum("nhwgcij,ijcgf->nhwgf", windows, filters, optimize=True).reshape(g.y)
    if bias is not None:
        y += bias
    if relu:
        y *= ~(y <= 0)  # NaN goes through


def conv2d_backward_input(dy, y, weight, g, algorithm, dx):
    """The gradient of conv2d with respect to x: each dy spread over the window it came from."""
    dy = gated(dy, y).reshape(g.N, g.OH, g.OW, g.groups, g.F // g.groups)
    filters = weight.reshape(g.KH, g.KW, g.C // g.groups, g.groups, g.F // g.groups)
    padded = np.zeros((g.N, g.H + g.top + g.bottom, g.W + g.left + g.right, g.C), dx.dtype)
    for kh in range(g.KH):
        for kw in range(g.KW):
            rows = slice(kh * g.DH, kh * g.DH + g.OH * g.SH, g.SH)
            columns = slice(kw * g.DW, kw * g.DW + g.OW * g.SW, g.SW)
            spread = np.einsum("nhwgf,cgf->nhwgc", dy, filters[kh, kw], optimize=True)
            padded[:, rows, columns] += spread.reshape(g.N, g.OH, g.OW, g.C)
    dx[...] = padded[:, g.top : g.top + g.H, g.left : g.left + g.W]


def conv2d_backward_weight(dy, y, x, g, algorithm, dweight, dbias):
    """The gradients of conv2d with respect to its filters and its bias."""
    dy = gated(dy, y)
    windows = _windows(_padded(x, g), g)
    grouped = dy.reshape(g.N, g.OH, g.OW, g.groups, g.F // g.groups)
    dweight[...] = np.einsum("nhwgcij,nhwgf->ijcgf", windows, grouped, optimize=True).reshape(
        g.weight
    )
    dbias[...] = dy.sum((0, 1, 2))


def _padded(x, g):
    return np.pad(x, ((0, 0), (g.top, g.bottom), (g.left, g.right), (0, 0)))


def _windows(padded, g):
    """(N, OH, OW, groups, C/groups, KH, KW): the pixels under each filter, as a view."""
    extent = (g.DH * (g.KH - 1) + 1, g.DW * (g.KW - 1) + 1)
    windows = sliding_window_view(padded, extent, (1, 2))[:, :: g.SH, :: g.SW, :, :: g.DH, :: g.DW]
    windows = windows[:, : g.OH, : g.OW]
    N, OH, OW, C, KH, KW = windows.shape
    strides = windows.strides
    grouped = (strides[3] * (C // g.groups), strides[3])
    return np.lib.stride_tricks.as_strided(
        windows,
        (N, OH, OW, g.groups, C // g.groups, KH, KW),
        (*strides[:3], *grouped, *strides[4:]),
    )
