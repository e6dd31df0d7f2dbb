"""Rows of images, padded with zeros and gated by a ReLU, in a scratch that stays in the second-level cache."""

from numba_cnn.backends.cpu.compiler import inline
from numba_cnn.backends.cpu.copy import copy_rows


@inline
def strip_width(window, OW):
    KH, KW, DH, DW, SH, SW, top, left = window
    return (OW - 1) * SW + DW * (KW - 1) + 1


@inline
def fill_strip(x, gate, gated, image, n, h, w0, WS, strips, s):
    """One row: the pixels w0..w0+WS of row h of image n, zeros where there are none."""
    N, H, W, C = image
    if h < 0 or h >= H:
        strips[s : s + WS * C] = 0
        return
    exist = min(W, x.size // C - (n * H + h) * W)  # the last row of a flattened batch may be short
    last = max(min(WS, exist - w0), 0)
    first = min(max(0, -w0), last)
    o = ((n * H + h) * W + w0 + first) * C
    strips[s : s + first * C] = 0
    count = (last - first) * C
    copy_rows(x, o, 0, gate, gated, strips, s + first * C, 0, 1, count, count)
    strips[s + last * C : s + WS * C] = 0
