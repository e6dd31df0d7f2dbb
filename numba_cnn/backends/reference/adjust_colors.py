"""Contrast and brightness of each image."""

import numpy as np


def adjust_brightness(x, deltas, low, high, y):
    """x and the image's delta, between low and high."""
    y[...] = np.clip(x + deltas[:, None, None], low, high)


def adjust_brightness_backward(dy, x, deltas, low, high, dx):
    """dy, where nothing was cut off."""
    dx[...] = dy * _inside(x + deltas[:, None, None], low, high)


def adjust_contrast(x, mean, factors, low, high, y):
    """Each channel's distance from its mean in the image times the image's factor, between low and high."""
    y[...] = np.clip(_stretched(x, mean, factors), low, high)


def adjust_contrast_backward(dy, x, mean, factors, low, high, dx):
    """What was not cut off; the mean has a part in every pixel."""
    inside = dy * _inside(_stretched(x, mean, factors), low, high)
    dx[...] = _stretched(inside, inside.mean(1), factors)


def _stretched(x, mean, factors):
    return mean[:, None] + (x - mean[:, None]) * factors[:, None, None]


def _inside(value, low, high):
    return ~((value < low) | (value > high))
