"""Pooling over whole images on the CPU: each share is blocks of channels of images, or rows of pixels."""

from numba_cnn.backends.contract import checked
from numba_cnn.backends.cpu.codegen.compiler import noinline
from numba_cnn.backends.cpu.runtime.launch import kernel, unpack
from numba_cnn.backends.cpu.runtime.threads import threads_for

_BLOCK = 64  # channels


@checked
def global_average_pool2d(x, y):
    _average(threads_for(x.size), x, y)


@checked
def global_average_pool2d_backward(dy, dx):
    _average_backward(threads_for(dx.size), dy, dx)


@checked
def global_max_pool2d(x, y, argmax):
    _max(threads_for(x.size), x, y, argmax)


@checked
def global_max_pool2d_backward(dy, argmax, dx):
    _max_backward(threads_for(dx.size), dy, argmax, dx)


@kernel
def _average(share, shares, thread, packed):
    x, y = unpack(packed)
    N, P, C = x.shape
    blocks = -(-C // _BLOCK)
    for task in range(share * N * blocks // shares, (share + 1) * N * blocks // shares):
        n, c0, c1 = _task(task, blocks, C)
        total = y[n, c0:c1]
        total[:] = 0
        for p in range(P):
            pixel = x[n, p, c0:c1]
            for c in range(total.size):
                total[c] += pixel[c]
        for c in range(total.size):
            total[c] /= y.dtype.type(P)


@kernel
def _average_backward(share, shares, thread, packed):
    dy, dx = unpack(packed)
    N, P, C = dx.shape
    for r in range(share * N * P // shares, (share + 1) * N * P // shares):
        gradient, pixel = dy[r // P], dx[r // P, r % P]
        for c in range(C):
            pixel[c] = gradient[c] / dy.dtype.type(P)


@kernel
def _max(share, shares, thread, packed):
    """The first maximum wins, and the first NaN beats every number."""
    x, y, argmax = unpack(packed)
    N, P, C = x.shape
    blocks = -(-C // _BLOCK)
    for task in range(share * N * blocks // shares, (share + 1) * N * blocks // shares):
        n, c0, c1 = _task(task, blocks, C)
        best, place = y[n, c0:c1], argmax[n, c0:c1]
        best[:] = x[n, 0, c0:c1]
        place[:] = 0
        for p in range(1, P):
            pixel = x[n, p, c0:c1]
            for c in range(best.size):
                better = (not pixel[c] <= best[c]) & (best[c] == best[c])
                place[c] = p if better else place[c]
                best[c] = pixel[c] if better else best[c]


@kernel
def _max_backward(share, shares, thread, packed):
    dy, argmax, dx = unpack(packed)
    N, P, C = dx.shape
    zero = dy.dtype.type(0)
    for r in range(share * N * P // shares, (share + 1) * N * P // shares):
        n, p = r // P, r % P
        gradient, place, pixel = dy[n], argmax[n], dx[n, p]
        for c in range(C):
            pixel[c] = gradient[c] if place[c] == p else zero


@noinline
def _task(task, blocks, C):
    """The image and the channels of a task."""
    n, block = task // blocks, task % blocks
    return n, block * _BLOCK, min((block + 1) * _BLOCK, C)
