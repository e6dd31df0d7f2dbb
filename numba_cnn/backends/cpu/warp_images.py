"""Images of files and arrays through affine maps, in threads that make batches."""

import numpy as np

from numba_cnn.backends.contract import checked
from numba_cnn.backends.cpu.affine_transform2d import CONSTANT, MODES, REFLECT, WRAP
from numba_cnn.backends.cpu.codegen.compiler import noinline
from numba_cnn.backends.cpu.runtime.launch import unpack
from numba_cnn.backends.cpu.runtime.serial import serial

_FARTHEST = 1 << 30  # pixels from the origin; places beyond count as that far, and so does NaN


@checked
def warp_images(x, matrices, g, bilinear, fill_mode, fill_value, y):
    """y[n, oh, ow] = x[n] at row b0*ow + b1*oh + b2 and column a0*ow + a1*oh + a2, in the calling thread alone.

    As affine_transform2d, but at the borders as scipy.ndimage has them: "constant" mixes no pixel with the fill value,
    and "wrap" has the last pixel lie on the first. Places are float64 whatever x is, and rounded as there, which
    decides for one on a border: products and their sums are made apart, so that no machine fuses them.
    """
    mode, fill = MODES[fill_mode], np.float32(fill_value)
    matrices = matrices.astype(np.float64)
    across = matrices[:, 0::3, None] * np.arange(g.OW)
    down = matrices[:, 2::3, None] + matrices[:, 1::3, None] * np.arange(g.OH)
    _warp(x, across, down, tuple(g), bool(bilinear), mode, fill, y)


@noinline
def _bounded(place):
    if not place > -_FARTHEST:
        return -float(_FARTHEST)
    return min(place, float(_FARTHEST))


@noinline
def _inside(place, extent, mode):
    """The place that stands for this one: between 0 and extent - 1, or for a reflection up to a pixel beyond."""
    last = extent - 1
    if 0 <= place <= last:
        return place
    if mode == WRAP:
        if last == 0:
            return 0.0
        turns = np.floor(abs(place) / last)
        return place - last * turns if place > 0 else place + last * (turns + 1)
    if mode == REFLECT:
        period = 2 * extent
        turns = np.floor(abs(place) / period)
        place = place - period * turns if place > 0 else place + period * turns
        if place < 0:
            return place + period if place < -extent else -place - 1
        return place if place < extent else period - place - 1
    return min(max(place, 0.0), float(last))


@noinline
def _neighbours(place, extent, mode):
    """The two pixels that a place beyond those in between lies between, and how far it lies from the first."""
    place = _inside(place, extent, mode)
    first = int(np.floor(place))
    return max(first, 0), min(first + 1, extent - 1), place - first


@noinline
def _mean(image, rows, columns, c, across, down):
    """The mean of four pixels by distance, in one channel."""
    (h0, h1), (w0, w1), one = rows, columns, np.float32(1)
    p, q = np.float32(image[h0, w0, c]), np.float32(image[h0, w1, c])
    s, t = np.float32(image[h1, w0, c]), np.float32(image[h1, w1, c])
    upper, lower = p * (one - across) + q * across, s * (one - across) + t * across
    return upper * (one - down) + lower * down


@serial
def _warp(share, shares, thread, packed):
    """Most places lie well inside of the image, where nothing need be asked."""
    x, across, down, (N, H, W, C, OH, OW), bilinear, mode, fill, y = unpack(packed)
    for r in range(N * OH):
        n, oh = r // OH, r % OH
        image = x[n]
        for ow in range(OW):
            column = _bounded(down[n, 0, oh] + across[n, 0, ow])
            row = _bounded(down[n, 1, oh] + across[n, 1, ow])
            if mode == CONSTANT and not (0 <= row <= H - 1 and 0 <= column <= W - 1):
                for c in range(C):
                    y[n, oh, ow, c] = fill
                continue
            if not bilinear:
                w = int(np.floor(_inside(column, W, mode) + 0.5))
                h = int(np.floor(_inside(row, H, mode) + 0.5))
                h, w = min(max(h, 0), H - 1), min(max(w, 0), W - 1)
                for c in range(C):
                    y[n, oh, ow, c] = image[h, w, c]
                continue
            if 0 <= row < H - 1 and 0 <= column < W - 1:
                h0, w0 = int(row), int(column)
                h1, w1, v, u = h0 + 1, w0 + 1, row - h0, column - w0
            else:
                h0, h1, v = _neighbours(row, H, mode)
                w0, w1, u = _neighbours(column, W, mode)
            u, v = np.float32(u), np.float32(v)
            if C == 3:
                for c in range(3):  # which has no loop of its own
                    y[n, oh, ow, c] = _mean(image, (h0, h1), (w0, w1), c, u, v)
            else:
                for c in range(C):
                    y[n, oh, ow, c] = _mean(image, (h0, h1), (w0, w1), c, u, v)
