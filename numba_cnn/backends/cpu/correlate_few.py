"""Few filters slid over images: what an autoencoder ends with, and the input gradient of a first
layer.

Each output is a sum over channels that lie side by side, see dot_tile.py. Rows that must be padded
or gated go through a ring of as many as a window has, which stays in the first-level cache.
"""

import numpy as np

from numba_cnn.backends.cpu.dot_tile import FILTERS, PIXELS, dot_tiles, dots
from numba_cnn.backends.cpu.launch import kernel, unpack
from numba_cnn.backends.cpu.memory import empty
from numba_cnn.backends.cpu.panels import Axis, pack
from numba_cnn.backends.cpu.strips import fill_strip, strip_filler, strip_width
from numba_cnn.backends.cpu.threads import get_num_threads
from numba_cnn.backends.cpu.vector import lanes


def takes(channels, filters, columns, dtype):
    """Whether these tiles waste fewer lanes than tile.py's would; additions at the end cost a quarter."""
    wide = lanes(dtype)
    pays = filters <= wide // 2 and 4 * filters * -(-channels // wide) <= 3 * channels
    return pays and columns >= PIXELS


def beats_winograd(channels, filters, columns, dtype):
    """Whether they also take less time than Winograd's transforms of all the channels."""
    return filters <= FILTERS and takes(channels, filters, columns, dtype)


def correlate(source, image, window, weight, filters, bias, output, relu, y):
    """y = act(bias + windows of x times filters); the arguments are those of the kernel below, and

    filters  (start, taps, rows, columns) of the weights, as panels.pack() takes them
    """
    start, taps, rows, columns = filters
    panels = pack(weight, start, taps, columns, rows, Axis(1, 0))  # in which lanes are channels
    _, _, _, C = image
    KH, KW, DH, DW, SH, SW, top, left = window
    threads = get_num_threads()
    ring = (DH * (KH - 1) + 1) * ((output[1] - 1) * SW + DW * (KW - 1) + 1) * C
    _correlate(
        threads, dot_tiles(y.dtype), strip_filler(y.dtype), source, image, window, panels, bias, output,
        y.dtype.type(0 if relu else -np.inf), y.reshape(-1), empty((threads, ring), y.dtype),
    )  # fmt: skip


@kernel
def _correlate(share, shares, thread, packed):
    """y = max(bias + windows of x times filters, floor); each share is rows of y.

    source   of images, see strips.py
    image    (N, H, W, C) of the source
    window   (KH, KW, DH, DW, SH, SW, top, left)
    panels   (panels of channels, elements), see dot_tile.py
    output   (OH, OW, offset, image step, row step, column step) of y
    rings    (threads, elements)
    """
    tile, filler, source, image, window, panels, bias, output, floor, y, rings = unpack(packed)
    N, H, W, C = image
    KH, KW, DH, DW, SH, SW, top, left = window
    OH, OW, y0, y_n, y_h, y_w = output
    x, gate, spread = source
    gates = gate if gate.size > 0 else x
    height, WS = DH * (KH - 1) + 1, strip_width(window, OW)
    plain = gate.size == 0 and spread.size == 0 and left <= 0 and WS - left <= W
    flat, s0 = rings.reshape(-1), thread * rings.shape[1]
    filled = 0  # the row of the image before which the ring ends
    for r in range(share * N * OH // shares, (share + 1) * N * OH // shares):
        n, oh = r // OH, r % OH
        h = oh * SH - top
        later = ((n * H + h + height) * W - left) * C
        if plain and h >= 0 and h + height <= H:
            A, a, row = x, ((n * H + h) * W - left) * C, W * C
            end = height * row
        else:
            A, row = flat, WS * C
            if r == share * N * OH // shares or oh == 0 or plain:
                filled = h
            for i in range(max(filled, h), h + height):
                fill_strip(
                    filler, source, image, n, i, -left, WS, 0, C, flat, s0 + i % height * row
                )
            filled = h + height
            a, end = s0 + h % height * row, (height - h % height) * row
            later = a if spread.size > 0 else later
        dots(
            tile, OW, bias.size, A, a, DH * row, DW * C, SW * C, end, height * row, panels.reshape(-1),
            panels.shape[1], KH, KW, C, bias, floor, y, y0 + n * y_n + oh * y_h, y_w, x, gates, later,
        )  # fmt: skip
