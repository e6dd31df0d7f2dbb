"""Some columns of rows, one thread an element: what concatenation and its gradient copy."""

from numba_cnn.backends.contract import checked
from numba_cnn.backends.cuda.launch import launch_each
from numba_cnn.backends.cuda.provider import cuda, jit


@checked
def put_columns(x, at, y):
    launch_each(put_columns_kernel, x.size, x, at, y)


@checked
def take_columns(x, at, y):
    launch_each(take_columns_kernel, y.size, x, at, y)


@jit
def put_columns_kernel(x, at, y):
    i = cuda.grid(1)
    if i < x.size:
        row, c = i // x.shape[1], i % x.shape[1]
        y[row, at + c] = x[row, c]


@jit
def take_columns_kernel(x, at, y):
    i = cuda.grid(1)
    if i < y.size:
        row, c = i // y.shape[1], i % y.shape[1]
        y[row, c] = x[row, at + c]
