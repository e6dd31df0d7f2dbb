"""Products of rows, for each sample by itself: one thread an element of the result."""

from numba_cnn.backends.contract import checked
from numba_cnn.backends.cuda.launch import launch_each
from numba_cnn.backends.cuda.provider import cuda, jit
from numba_cnn.backends.cuda.vector import load, store


@checked
def batch_dot(a, b, y):
    launch_each(batch_dot_kernel, y.size, a, b, y)


@jit
def batch_dot_kernel(a, b, y):
    t = cuda.grid(1)
    if t < y.size:
        I, J, K = y.shape[1], y.shape[2], a.shape[2]
        j, row = t % J, t // J
        total = y.dtype.type(0)
        for k in range(K):
            total += load(a, row * K + k) * load(b, (row // I * J + j) * K + k)
        store(y, t, total)
