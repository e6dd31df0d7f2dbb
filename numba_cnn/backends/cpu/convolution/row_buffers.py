"""Rows of images on their way into the kernels: padded with zeros, gated by a ReLU, spread from a
pooling's windows; in a scratch that stays in the second-level cache.

A source of images is the tuple (x, gate, argmax) of flat arrays. Where a gate is not empty, its
zeros blank x. Where an argmax is not empty, x (and the gate) hold one pixel for each 2x2 pixels of
the images, and argmax says which of the four has its value; the others are 0.
"""

from functools import cache

import numpy as np
from numba import from_dtype, types

from numba_cnn.backends.cpu.codegen.compiler import address_of, by_address, call, inline, noinline
from numba_cnn.backends.cpu.microkernels.copy import copy_rows, spread_pixel

NO_PLACES = np.empty(0, np.uint8)  # the argmax of what is not pooled


def source(x, gate=None, argmax=None):
    """The source of images that the kernels take."""
    gate = _no_gate(x.dtype) if gate is None else gate.reshape(-1)
    return x.reshape(-1), gate, NO_PLACES if argmax is None else argmax.reshape(-1)


@cache
def _no_gate(dtype):
    return np.empty(0, dtype)


@noinline
def row_width(window, OW):
    """The pixels of a row of an image under so many outputs."""
    return (OW - 1) * window.SW + window.DW * (window.KW - 1) + 1


def lie_inside(image, window, output):
    """Whether no window of these outputs, (OH, OW, ...), reaches beyond the image, so that none needs a row buffer."""
    _, H, W, _ = image
    bottom = (output[0] - 1) * window.SH + window.DH * (window.KH - 1) + 1 - window.top
    right = (output[1] - 1) * window.SW + window.DW * (window.KW - 1) + 1 - window.left
    return window.top <= 0 and window.left <= 0 and bottom <= H and right <= W


@noinline
def row_extent(source, image, n, h, w0, WS):
    """Which pixels of the strip w0..w0+WS exist in row h of image n: from the first on, before the last."""
    x, _, argmax = source
    _, H, W, C = image
    # The last row of a flattened batch may be short.
    exist = W if argmax.size > 0 else min(W, x.size // C - (n * H + h) * W)
    last = max(min(WS, exist - w0), 0)
    return min(max(0, -w0), last), last


@inline
def fill_row(address, images, row, pixels, channels, target):
    """_fill_row, by its address from row_filler(), for images (source, image) and their row (n, h).

    pixels, channels   (first, how many)
    target             (array, start)
    """
    call(address, (*images, *row, *pixels, *channels, *target))


@cache
def row_filler(dtype):
    """The address of _fill_row for a NumPy float type, compiled or read from the cache at the first call."""
    n = types.intp
    array = types.Array(from_dtype(np.dtype(dtype)), 1, "C")
    source = types.Tuple((array, array, types.Array(types.uint8, 1, "C")))
    return address_of(_fill_row, (source, types.UniTuple(n, 4), n, n, n, n, n, n, array, n))


@by_address
def _fill_row(source, image, n, h, w0, WS, c0, channels, row_buffers, s):
    """One row: the pixels w0..w0+WS of row h of image n, its channels from c0 on; zeros where there is none."""
    x, gate, argmax = source
    N, H, W, C = image
    if h < 0 or h >= H:
        row_buffers[s : s + WS * channels] = 0
        return
    pooled = argmax.size > 0
    first, last = row_extent(source, image, n, h, w0, WS)
    t = s + first * channels
    row_buffers[s:t] = 0
    if pooled:
        row = (n * (H // 2) + h // 2) * (W // 2)
        for q in range((w0 + first) // 2, (w0 + last + 1) // 2):
            p = 2 * q - w0
            spread_pixel(
                (x, gate, argmax, (row + q) * C + c0, gate.size > 0), h % 2 * 2,
                (row_buffers, s + p * channels, channels), wanted=(p >= first, p + 1 < last), columns=channels,
            )  # fmt: skip
    else:
        o = ((n * H + h) * W + w0 + first) * C + c0
        rows, columns = (1, (last - first) * C) if channels == C else (last - first, channels)
        copied = x, gate, o, gate.size > 0, C
        copy_rows(copied, (row_buffers, t, channels), (rows, columns, columns))
    row_buffers[s + last * channels : s + WS * channels] = 0
