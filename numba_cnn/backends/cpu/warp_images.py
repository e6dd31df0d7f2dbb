"""Images of files and arrays through affine maps, in threads that make batches."""

import numpy as np

from numba_cnn.backends.contract import checked
from numba_cnn.backends.cpu.affine_transform2d import CONSTANT, MODES, REFLECT, WRAP
from numba_cnn.backends.cpu.codegen.compiler import noinline
from numba_cnn.backends.cpu.runtime.launch import unpack
from numba_cnn.backends.cpu.runtime.serial import serial

_FARTHEST = 1 << 30  # pixels from the origin; places beyond count as that far, and so does NaN
_SLACK = 1e-6  # pixels by which places may lie beyond a border and count as on it: a quarter turn is not exact


@checked
def warp_images(x, matrices, g, bilinear, fill_mode, fill_value, y):
    """y[n, oh, ow] = x[n] at row b0*ow + b1*oh + b2 and column a0*ow + a1*oh + a2, in the calling thread alone.

    As affine_transform2d, but at the borders as scipy.ndimage has them: "constant" mixes no pixel with the fill value,
    and "wrap" has the last pixel lie on the first. Places are float64 whatever x is.
    """
    mode, fill = MODES[fill_mode], np.float32(fill_value)
    _warp(x, matrices.astype(np.float64), tuple(g), bool(bilinear), mode, fill, y)


@noinline
def _bounded(place):
    if not place > -_FARTHEST:
        return -float(_FARTHEST)
    return min(place, float(_FARTHEST))


@noinline
def _inside(place, extent, mode):
    """The place that stands for this one: between 0 and extent - 1, or for a reflection half a pixel beyond."""
    last = extent - 1
    if 0 <= place <= last:
        return place
    if mode == WRAP:
        return place - np.floor(place / last) * last if last > 0 else 0.0
    if mode == REFLECT:
        place = place + 0.5 - np.floor((place + 0.5) / (2 * extent)) * (2 * extent)
        return (place if place <= extent else 2 * extent - place) - 0.5
    return min(max(place, 0.0), float(last))


@serial
def _warp(share, shares, thread, packed):
    x, matrices, (N, H, W, C, OH, OW), bilinear, mode, fill, y = unpack(packed)
    one = np.float32(1)
    for r in range(N * OH):
        n, oh = r // OH, r % OH
        a0, a1, a2, b0, b1, b2 = matrices[n]
        for ow in range(OW):
            column, row = _bounded(a2 + a1 * oh + a0 * ow), _bounded(b2 + b1 * oh + b0 * ow)
            out = y[n, oh, ow]
            if mode == CONSTANT and not (
                -_SLACK <= row <= H - 1 + _SLACK and -_SLACK <= column <= W - 1 + _SLACK
            ):
                out[:] = fill
                continue
            column, row = _inside(column, W, mode), _inside(row, H, mode)
            if not bilinear:
                w, h = int(np.floor(column + 0.5)), int(np.floor(row + 0.5))
                pixel = x[n, min(max(h, 0), H - 1), min(max(w, 0), W - 1)]
                for c in range(C):
                    out[c] = pixel[c]
                continue
            w, h = int(np.floor(column)), int(np.floor(row))
            across, down = np.float32(column - w), np.float32(row - h)
            w0, w1, h0, h1 = max(w, 0), min(w + 1, W - 1), max(h, 0), min(h + 1, H - 1)
            p, q, s, t = x[n, h0, w0], x[n, h0, w1], x[n, h1, w0], x[n, h1, w1]
            for c in range(C):
                upper = np.float32(p[c]) * (one - across) + np.float32(q[c]) * across
                lower = np.float32(s[c]) * (one - across) + np.float32(t[c]) * across
                out[c] = upper * (one - down) + lower * down
