"""Average pooling."""

import numpy as np


def average_pool2d(x, g, y):
    """The mean of the pixels of each window that exist."""
    padded = np.pad(x, ((0, 0), (g.top, g.bottom), (g.left, g.right), (0, 0)))
    y[...] = sum(padded[:, rows, columns] for rows, columns in _places(g)) / _counts(g)


def average_pool2d_backward(dy, g, dx):
    """Each dy in equal parts to the pixels of its window; overlapping windows add up."""
    padded = np.zeros((g.N, g.H + g.top + g.bottom, g.W + g.left + g.right, g.C), dx.dtype)
    for rows, columns in _places(g):
        padded[:, rows, columns] += dy / _counts(g)
    dx[...] = padded[:, g.top : g.top + g.H, g.left : g.left + g.W]


def _places(g):
    """For each place in a window, the rows and columns of the padded image that lie there."""
    for kh in range(g.PH):
        for kw in range(g.PW):
            yield slice(kh, kh + g.OH * g.SH, g.SH), slice(kw, kw + g.OW * g.SW, g.SW)


def _counts(g):
    """(OH, OW, 1): how many pixels of each window exist."""
    inside = np.pad(np.ones((g.H, g.W)), ((g.top, g.bottom), (g.left, g.right)))
    return sum(inside[rows, columns][: g.OH, : g.OW] for rows, columns in _places(g))[..., None]
