"""Random maps and numbers, of words by counters."""

import numpy as np

from numba_cnn.backends import philox
from numba_cnn.backends.reference.dropout import _draw, _words


def random_uniform(low, high, generator, used, y):
    """Numbers evenly between low and high."""
    _draw(generator, used)
    parts = philox.uniform(_words((y.size,), generator, used)) / 2**24
    y[...] = (low + (high - low) * parts).reshape(y.shape)


def random_affine(g, ranges, generator, used, matrices):
    """Rotation and zoom around the centre, shifts and flips, as the two blocks of each image have them."""
    _draw(generator, used)
    parts = philox.uniform(_words((g.N, 8), generator, used).reshape(g.N, 8)) / 2**24
    angle, rows, columns, down, across = (
        low + (high - low) * part for (low, high), part in zip(ranges[:5], parts.T[:5], strict=True)
    )
    if ranges.is_square:
        columns = rows
    if ranges.is_whole:
        down, across = np.floor(down), np.floor(across)
    rows = np.where(ranges.flip_rows & (parts[:, 5] < 0.5), -rows, rows)
    columns = np.where(ranges.flip_columns & (parts[:, 6] < 0.5), -columns, columns)
    cx, cy = (g.W - 1) / 2, (g.H - 1) / 2
    if ranges.is_whole:
        cx = cy = 0
    a0, a1 = columns * np.cos(angle), -columns * np.sin(angle)
    b0, b1 = rows * np.sin(angle), rows * np.cos(angle)
    matrices[:, 0], matrices[:, 1], matrices[:, 2] = a0, a1, across + cx - cx * a0 - cy * a1
    matrices[:, 3], matrices[:, 4], matrices[:, 5] = b0, b1, down + cy - cx * b0 - cy * b1
