"""Groups of each sample brought to mean 0 and variance 1; rows brought to length 1."""

import numpy as np


def group_norm(x, epsilon, y, inverse_deviation):
    """By the mean and the variance of each group's elements at all places."""
    distance = x - x.mean((1, 3), keepdims=True)
    variance = (distance**2).mean((1, 3))
    inverse_deviation[...] = 1 / np.sqrt(variance + epsilon)
    y[...] = distance * inverse_deviation[:, None, :, None]


def group_norm_backward(dy, y, inverse_deviation, dx):
    """The gradient; mean and variance depend on x."""
    along = y * (dy * y).mean((1, 3), keepdims=True)
    rest = dy - dy.mean((1, 3), keepdims=True) - along
    dx[...] = inverse_deviation[:, None, :, None] * rest


def unit_norm(x, epsilon, y, inverse_norm):
    """Rows over their lengths, which count as epsilon at least."""
    inverse_norm[...] = 1 / np.maximum(np.sqrt((x * x).sum(1)), epsilon)
    y[...] = x * inverse_norm[:, None]


def unit_norm_backward(dy, y, inverse_norm, epsilon, dx):
    """The gradient; a length that is too small is a constant."""
    along = np.where(inverse_norm < 1 / epsilon, (dy * y).sum(1), 0)
    dx[...] = inverse_norm[:, None] * (dy - y * along[:, None])
