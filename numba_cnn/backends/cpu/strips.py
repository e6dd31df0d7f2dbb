"""Rows of images, padded with zeros and gated by a ReLU, in a scratch that stays in the
second-level cache.
"""

from numba_cnn.backends.cpu.compiler import inline
from numba_cnn.backends.cpu.copy import copy_rows


@inline
def strip_width(window, OW):
    KH, KW, DH, DW, SH, SW, top, left = window
    return (OW - 1) * SW + DW * (KW - 1) + 1


@inline
def fill_strip(x, gate, gated, image, n, h, w0, WS, c0, channels, strips, s):
    """One row: the pixels w0..w0+WS of row h of image n, its channels from c0 on; zeros where there is none."""
    N, H, W, C = image
    if h < 0 or h >= H:
        strips[s : s + WS * channels] = 0
        return
    exist = min(W, x.size // C - (n * H + h) * W)  # the last row of a flattened batch may be short
    last = max(min(WS, exist - w0), 0)
    first = min(max(0, -w0), last)
    o, t = ((n * H + h) * W + w0 + first) * C + c0, s + first * channels
    rows, columns = (1, (last - first) * C) if channels == C else (last - first, channels)
    strips[s:t] = 0
    copy_rows(x, o, C, gate, gated, strips, t, channels, rows, columns, columns)
    strips[s + last * channels : s + WS * channels] = 0
