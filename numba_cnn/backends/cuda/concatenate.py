"""Arrays side by side: one thread an element of the part."""

import numpy as np

from numba_cnn.backends.contract import checked
from numba_cnn.backends.cuda.launch import launch_each
from numba_cnn.backends.cuda.provider import cuda, jit
from numba_cnn.backends.cuda.vector import load, store


@checked
def put_columns(x, g, y):
    launch_each(put_columns_kernel, x.size, x, np.int64(g.start), y)


@checked
def take_columns(y, g, x, next_x):
    launch_each(take_columns_kernel, x.size, y, np.int64(g.start), x)
    if next_x is not None:
        launch_each(take_columns_kernel, next_x.size, y, np.int64(g.start + g.K), next_x)


@jit
def put_columns_kernel(x, start, y):
    i = cuda.grid(1)
    if i < x.size:
        K = x.shape[1]
        store(y, i // K * y.shape[1] + start + i % K, load(x, i))


@jit
def take_columns_kernel(y, start, x):
    i = cuda.grid(1)
    if i < x.size:
        K = x.shape[1]
        store(x, i, load(y, i // K * y.shape[1] + start + i % K))
