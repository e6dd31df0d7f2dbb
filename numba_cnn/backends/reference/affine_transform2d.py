"""Images through affine maps."""

import numpy as np


def affine_transform2d(x, matrices, g, bilinear, fill_mode, fill_value, y):
    """y[n, oh, ow] is x[n] at row b0*ow + b1*oh + b2 and column a0*ow + a1*oh + a2; beyond its border as fill_mode
    says."""
    n = np.arange(g.N)[:, None, None]
    y[...] = 0
    for rows, columns, weight, inside in _parts(matrices, g, bilinear, fill_mode):
        pixels = np.where(inside[..., None], x[n, rows, columns], fill_value)
        y += weight[..., None] * pixels


def affine_transform2d_backward(dy, matrices, g, bilinear, fill_mode, dx):
    """The same weights, the other way."""
    n = np.arange(g.N)[:, None, None]
    dx[...] = 0
    for rows, columns, weight, inside in _parts(matrices, g, bilinear, fill_mode):
        np.add.at(dx, (n, rows, columns), (weight * inside)[..., None] * dy)


def _parts(matrices, g, bilinear, fill_mode):
    """(rows, columns, weight, whether they lie inside) of each pixel that an output has something of."""
    ow, oh = np.arange(g.OW), np.arange(g.OH)[:, None]
    a0, a1, a2, b0, b1, b2 = matrices.astype(np.float64).T[:, :, None, None]
    across = list(_along(a0 * ow + a1 * oh + a2, g.W, bilinear, fill_mode))
    down = _along(b0 * ow + b1 * oh + b2, g.H, bilinear, fill_mode)
    for row, upper, above in down:
        for column, left, beside in across:
            yield row, column, upper * left, above & beside


def _along(place, extent, bilinear, fill_mode):
    lower = np.floor(place if bilinear else place + 0.5)
    parts = [(lower, 1 - (place - lower)), (lower + 1, place - lower)] if bilinear else [(lower, 1)]
    for at, weight in parts:
        inside = (at >= 0) & (at < extent) if fill_mode == "constant" else np.ones(at.shape, bool)
        yield _fixed(at.astype(np.int64), extent, fill_mode), weight + np.zeros(at.shape), inside


def _fixed(at, extent, fill_mode):
    if fill_mode == "wrap":
        return at % extent
    if fill_mode == "reflect":
        at = at % (2 * extent)
        return np.where(at < extent, at, 2 * extent - 1 - at)
    return np.clip(at, 0, extent - 1)
