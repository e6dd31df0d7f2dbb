"""Rows of images, padded with zeros and gated by a ReLU, in a scratch that stays in the second-level cache."""

from numba_cnn.backends.cpu.compiler import inline


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
    t, count = s + first * C, (last - first) * C
    if gated:
        for i in range(count):
            strips[t + i] = x[o + i] if gate[o + i] > 0 else 0
    else:
        for i in range(count):
            strips[t + i] = x[o + i]
    strips[s + last * C : s + WS * C] = 0
