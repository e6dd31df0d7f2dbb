"""Contrast and brightness: one thread an element."""

import numpy as np

from numba_cnn.backends.contract import checked
from numba_cnn.backends.cuda.global_pool2d import global_average_pool2d
from numba_cnn.backends.cuda.launch import launch_each
from numba_cnn.backends.cuda.memory import empty
from numba_cnn.backends.cuda.provider import cuda, device, jit
from numba_cnn.backends.cuda.vector import load, store


@checked
def adjust_brightness(x, deltas, low, high, y):
    launch_each(brightness_kernel, y.size, x, deltas, *_bounds(x, low, high), y)


@checked
def adjust_brightness_backward(dy, x, deltas, low, high, dx):
    launch_each(brightness_gate_kernel, dx.size, dy, x, deltas, *_bounds(x, low, high), dx)


@checked
def adjust_contrast(x, mean, factors, low, high, y):
    launch_each(contrast_kernel, y.size, x, mean, factors, *_bounds(x, low, high), y)


@checked
def adjust_contrast_backward(dy, x, mean, factors, low, high, dx):
    launch_each(contrast_gate_kernel, dx.size, dy, x, mean, factors, *_bounds(x, low, high), dx)
    center = empty(mean.shape, mean.dtype)
    global_average_pool2d(dx, center)
    launch_each(contrast_kernel, dx.size, dx, center, factors, *_bounds(x, -np.inf, np.inf), dx)


def _bounds(x, low, high):
    return x.dtype.type(low), x.dtype.type(high)


@device
def _between(value, low, high):
    """The value, or the bound that it lies beyond; NaN goes through."""
    value = low if value < low else value
    return high if value > high else value


@device
def _stretched(x, i, mean, factors):
    n, c = i // (x.shape[1] * x.shape[2]), i % x.shape[2]
    center = load(mean, n * x.shape[2] + c)
    return center + (load(x, i) - center) * load(factors, n)


@device
def _brightened(x, i, deltas):
    return load(x, i) + load(deltas, i // (x.shape[1] * x.shape[2]))


@jit
def brightness_kernel(x, deltas, low, high, y):
    i = cuda.grid(1)
    if i < y.size:
        store(y, i, _between(_brightened(x, i, deltas), low, high))


@jit
def brightness_gate_kernel(dy, x, deltas, low, high, dx):
    i = cuda.grid(1)
    if i < dx.size:
        value = _brightened(x, i, deltas)
        store(dx, i, dx.dtype.type(0) if value < low or value > high else load(dy, i))


@jit
def contrast_kernel(x, mean, factors, low, high, y):
    i = cuda.grid(1)
    if i < y.size:
        store(y, i, _between(_stretched(x, i, mean, factors), low, high))


@jit
def contrast_gate_kernel(dy, x, mean, factors, low, high, dx):
    i = cuda.grid(1)
    if i < dx.size:
        value = _stretched(x, i, mean, factors)
        store(dx, i, dx.dtype.type(0) if value < low or value > high else load(dy, i))
