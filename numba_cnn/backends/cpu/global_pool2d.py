"""Pooling over whole images on the CPU: each share is blocks of channels of images, or rows of pixels."""

from numba_cnn.backends.contract import checked
from numba_cnn.backends.cpu.codegen.compiler import noinline
from numba_cnn.backends.cpu.microkernels.average_pool import window_mean
from numba_cnn.backends.cpu.microkernels.copy import copy_run
from numba_cnn.backends.cpu.microkernels.max_pool import window_max
from numba_cnn.backends.cpu.microkernels.nontemporal import bypasses_caches
from numba_cnn.backends.cpu.runtime.launch import kernel, unpack
from numba_cnn.backends.cpu.runtime.memory import constant
from numba_cnn.backends.cpu.runtime.threads import for_each_thread, threads_for

_BLOCK = 64  # channels


@checked
def global_average_pool2d(x, y):
    _average(threads_for(x.size), x, y)


@checked
def global_average_pool2d_backward(dy, dx):
    scaled = for_each_thread(1, dx.shape[2], dx.dtype)
    _average_backward(threads_for(dx.size), dy, scaled, dx)


@checked
def global_max_pool2d(x, y, argmax):
    _max(threads_for(x.size), x, y, argmax)


@checked
def global_max_pool2d_backward(dy, argmax, dx):
    zeros = constant(0, dx.shape[2], dx.dtype)
    _max_backward(threads_for(dx.size), dy, argmax, zeros, dx)


@kernel
def _average(share, shares, thread, packed):
    x, y = unpack(packed)
    N, P, C = x.shape
    blocks, source, target = -(-C // _BLOCK), x.reshape(-1), y.reshape(-1)
    for task in range(share * N * blocks // shares, (share + 1) * N * blocks // shares):
        n, c0, c1 = _task(task, blocks, C)
        pixels, count = (source, n * P * C + c0, C, C), x.dtype.type(P)
        window_mean(pixels, (P, 1), count, (target, n * C + c0), c1 - c0, (1, 0, 0), False)


@kernel
def _average_backward(share, shares, thread, packed):
    """Each share is a run of pixels; what those of an image get is computed once."""
    dy, scaled, dx = unpack(packed)
    N, P, C = dx.shape
    target, row = dx.reshape(-1), scaled[thread, 0]
    first, nontemporal = share * N * P // shares, bypasses_caches(target, C)
    for r in range(first, (share + 1) * N * P // shares):
        if r == first or r % P == 0:
            for c in range(C):
                row[c] = dy[r // P, c] / dy.dtype.type(P)
        copy_run((row, 0), (target, r * C), C, nontemporal)


@kernel
def _max(share, shares, thread, packed):
    x, y, argmax = unpack(packed)
    N, P, C = x.shape
    blocks, source = -(-C // _BLOCK), x.reshape(-1)
    for task in range(share * N * blocks // shares, (share + 1) * N * blocks // shares):
        n, c0, c1 = _task(task, blocks, C)
        pooled = y.reshape(-1), argmax.reshape(-1), n * C + c0
        window_max((source, n * P * C + c0, C, C), (P, 1), (0, 1), pooled, c1 - c0, (1, 0, 0))


@kernel
def _max_backward(share, shares, thread, packed):
    """Each share is a run of pixels, all zeros but for the maxima among them."""
    dy, argmax, zeros, dx = unpack(packed)
    N, P, C = dx.shape
    target, nontemporal = dx.reshape(-1), bypasses_caches(dx.reshape(-1), C)
    first, last = share * N * P // shares, (share + 1) * N * P // shares
    for r in range(first, last):
        copy_run((zeros, 0), (target, r * C), C, nontemporal)
    for n in range(first // P, -(-last // P)):
        for c in range(C):
            r = n * P + argmax[n, c]
            if first <= r < last and 0 <= argmax[n, c] < P:
                dx[n, argmax[n, c], c] = dy[n, c]


@noinline
def _task(task, blocks, C):
    """The image and the channels of a task."""
    n, block = task // blocks, task % blocks
    return n, block * _BLOCK, min((block + 1) * _BLOCK, C)
