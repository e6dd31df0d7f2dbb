"""Borders around images, and larger images."""

import numpy as np


def zero_pad2d(x, g, y):
    """x with zeros around it."""
    y[...] = np.pad(x, ((0, 0), (g.top, g.bottom), (g.left, g.right), (0, 0)))


def crop2d(y, g, x):
    """y without its border."""
    x[...] = y[:, g.top : g.top + g.H, g.left : g.left + g.W]


def upsample2d(x, g, bilinear, y):
    """Each pixel repeated, or what lies between the centres of pixels."""
    rows, columns = _weights(g.H, g.SH, bilinear), _weights(g.W, g.SW, bilinear)
    y[...] = np.einsum("oh,pw,nhwc->nopc", rows, columns, x, optimize=True)


def upsample2d_backward(dy, g, bilinear, dx):
    """The same weights, the other way."""
    rows, columns = _weights(g.H, g.SH, bilinear), _weights(g.W, g.SW, bilinear)
    dx[...] = np.einsum("oh,pw,nopc->nhwc", rows, columns, dy, optimize=True)


def _weights(H, SH, bilinear):
    """(H * SH, H): how much of each pixel a larger image's has."""
    place = (np.arange(H * SH) + 0.5) / SH - 0.5
    place = np.clip(place, 0, H - 1) if bilinear else np.arange(H * SH) // SH
    return np.maximum(0, 1 - np.abs(place[:, None] - np.arange(H)))
