"""Pooling over whole images: one thread a channel of an image, backward one thread an element."""

from numba import int32

from numba_cnn.backends.contract import checked
from numba_cnn.backends.cuda.launch import launch_each
from numba_cnn.backends.cuda.provider import cuda, jit
from numba_cnn.backends.cuda.vector import load, store


@checked
def global_average_pool2d(x, y):
    launch_each(global_average_kernel, y.size, x, y)


@checked
def global_average_pool2d_backward(dy, dx):
    launch_each(global_average_backward_kernel, dx.size, dy, dx)


@checked
def global_max_pool2d(x, y, argmax):
    launch_each(global_max_kernel, y.size, x, y, argmax)


@checked
def global_max_pool2d_backward(dy, argmax, dx):
    launch_each(global_max_backward_kernel, dx.size, dy, argmax, dx)


@jit
def global_average_kernel(x, y):
    i = cuda.grid(1)
    if i < y.size:
        P, C = x.shape[1], x.shape[2]
        total = x.dtype.type(0)
        for p in range(P):
            total += load(x, (i // C * P + p) * C + i % C)
        store(y, i, total / x.dtype.type(P))


@jit
def global_average_backward_kernel(dy, dx):
    i = cuda.grid(1)
    if i < dx.size:
        P, C = dx.shape[1], dx.shape[2]
        store(dx, i, load(dy, i // (P * C) * C + i % C) / dx.dtype.type(P))


@jit
def global_max_kernel(x, y, argmax):
    """The first maximum wins, and the first NaN beats every number."""
    i = cuda.grid(1)
    if i < y.size:
        P, C = x.shape[1], x.shape[2]
        best, place = load(x, i // C * P * C + i % C), 0
        for p in range(1, P):
            value = load(x, (i // C * P + p) * C + i % C)
            nan = value != value and best == best
            if value > best or nan:
                best, place = value, p
        store(y, i, best)
        store(argmax, i, int32(place))


@jit
def global_max_backward_kernel(dy, argmax, dx):
    i = cuda.grid(1)
    if i < dx.size:
        P, C = dx.shape[1], dx.shape[2]
        at = i // (P * C) * C + i % C
        here = load(argmax, at) == i // C % P
        store(dx, i, load(dy, at) if here else dx.dtype.type(0))
