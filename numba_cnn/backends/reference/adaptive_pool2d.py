"""Pooling to a size."""

import numpy as np


def adaptive_average_pool2d(x, g, y):
    for oh, ow, rows, columns in _windows(g):
        y[:, oh, ow] = x[:, rows, columns].mean((1, 2))


def adaptive_average_pool2d_backward(dy, g, dx):
    dx[...] = 0
    for oh, ow, rows, columns in _windows(g):
        window = dx[:, rows, columns]
        window += dy[:, oh, ow, None, None] / (window.shape[1] * window.shape[2])


def adaptive_max_pool2d(x, g, y, argmax):
    places = np.arange(g.H * g.W).reshape(g.H, g.W)
    for oh, ow, rows, columns in _windows(g):
        window = x[:, rows, columns].reshape(g.N, -1, g.C)
        y[:, oh, ow] = window.max(1)
        argmax[:, oh, ow] = places[rows, columns].ravel()[window.argmax(1)]


def adaptive_max_pool2d_backward(dy, argmax, g, dx):
    dx[...] = 0
    flat = dx.reshape(g.N, g.H * g.W, g.C)
    for n, oh, ow, c in np.ndindex(*g.y):
        flat[n, argmax[n, oh, ow, c], c] += dy[n, oh, ow, c]


def _windows(g):
    """Each place of y, and the rows and columns of its window."""
    for oh in range(g.OH):
        for ow in range(g.OW):
            rows = slice(oh * g.H // g.OH, -(-(oh + 1) * g.H // g.OH))
            yield oh, ow, rows, slice(ow * g.W // g.OW, -(-(ow + 1) * g.W // g.OW))
