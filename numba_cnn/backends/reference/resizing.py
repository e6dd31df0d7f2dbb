"""Images that get pixels, lose some, or are enlarged."""

import numpy as np


def shift2d(x, top, left, y):
    """y[n, i, j] = x[n, i - top, j - left] where there is such a pixel, else 0."""
    y[...] = 0
    H, W = x.shape[1:3]
    OH, OW = y.shape[1:3]
    rows = slice(max(top, 0), min(top + H, OH))
    columns = slice(max(left, 0), min(left + W, OW))
    y[:, rows, columns] = x[
        :, rows.start - top : rows.stop - top, columns.start - left : columns.stop - left
    ]


def upsample2d(x, bilinear, y):
    """x as large as y, whose extents are multiples of its own: pixels repeated, or a mean of the nearest four."""
    rows, columns = (
        _weights(*pair, bilinear) for pair in zip(y.shape[1:3], x.shape[1:3], strict=True)
    )
    y[...] = np.einsum("ih,nhwc,jw->nijc", rows, x, columns, optimize=True)


def upsample2d_backward(dy, bilinear, dx):
    """Each dy goes to the pixels that it came from, by the same weights."""
    rows, columns = (
        _weights(*pair, bilinear) for pair in zip(dy.shape[1:3], dx.shape[1:3], strict=True)
    )
    dx[...] = np.einsum("ih,nijc,jw->nhwc", rows, dy, columns, optimize=True)


def _weights(large, small, bilinear):
    """The matrix (large, small) that enlarges a line of pixels."""
    place = (np.arange(large) + 0.5) * small / large - 0.5
    if not bilinear:
        return np.eye(small)[np.arange(large) * small // large]
    distance = np.abs(np.clip(place, 0, small - 1)[:, None] - np.arange(small))
    return np.maximum(1 - distance, 0)
