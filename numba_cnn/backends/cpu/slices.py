"""Some columns of rows on the CPU: what concatenation and its gradient copy."""

from numba_cnn.backends.contract import checked
from numba_cnn.backends.cpu.runtime.launch import kernel, unpack
from numba_cnn.backends.cpu.runtime.threads import threads_for


@checked
def put_columns(x, at, y):
    _put_columns(threads_for(x.size), x, at, y)


@checked
def take_columns(x, at, y):
    _take_columns(threads_for(y.size), x, at, y)


@kernel
def _put_columns(share, shares, thread, packed):
    """Each share is whole rows."""
    x, at, y = unpack(packed)
    R, W = x.shape
    for row in range(share * R // shares, (share + 1) * R // shares):
        for c in range(W):
            y[row, at + c] = x[row, c]


@kernel
def _take_columns(share, shares, thread, packed):
    """Each share is whole rows."""
    x, at, y = unpack(packed)
    R, W = y.shape
    for row in range(share * R // shares, (share + 1) * R // shares):
        for c in range(W):
            y[row, c] = x[row, at + c]
