"""Max pooling."""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view


def max_pool2d(x, g, y, argmax):
    """The maximum of each window and its place kh * PW + kw; the first maximum wins, NaN beats every number."""
    padded = np.pad(
        x, ((0, 0), (g.top, g.bottom), (g.left, g.right), (0, 0)), constant_values=-np.inf
    )
    inside = np.pad(np.ones((g.H, g.W), bool), ((g.top, g.bottom), (g.left, g.right)))
    windows = sliding_window_view(padded, (g.PH, g.PW), (1, 2))[:, :: g.SH, :: g.SW].reshape(
        *g.y, -1
    )
    pixels = sliding_window_view(inside, (g.PH, g.PW))[:: g.SH, :: g.SW].reshape(g.OH, g.OW, 1, -1)
    order = np.where(np.isnan(windows), 2, windows == windows.max(-1, keepdims=True)) * pixels
    argmax[...] = order.argmax(-1)
    y[...] = np.take_along_axis(windows, argmax[..., None].astype(np.intp), -1)[..., 0]


def max_pool2d_backward(dy, argmax, g, dx):
    """Each dy goes to the pixel that was its window's maximum; overlapping windows add up."""
    padded = np.zeros((g.N, g.H + g.top + g.bottom, g.W + g.left + g.right, g.C), dx.dtype)
    for kh in range(g.PH):
        for kw in range(g.PW):
            rows, columns = slice(kh, kh + g.OH * g.SH, g.SH), slice(kw, kw + g.OW * g.SW, g.SW)
            padded[:, rows, columns] += dy * (argmax == kh * g.PW + kw)
    dx[...] = padded[:, g.top : g.top + g.H, g.left : g.left + g.W]
