"""ReLU on the CPU: one pass over memory, in runs of elements."""

from numba_cnn.backends.contract import checked
from numba_cnn.backends.cpu.runtime.launch import elementwise, unpack
from numba_cnn.backends.cpu.runtime.threads import run_of


@checked
def relu(x, y):
    _relu(x, y)


@checked
def relu_backward(dy, y, dx):
    _relu_backward(dy, y, dx)


@elementwise
def _relu(share, shares, thread, packed):
    """Each share is a run of elements."""
    x, y = unpack(packed)
    zero = x.dtype.type(0)
    x, y = run_of(share, shares, x), run_of(share, shares, y)
    for i in range(x.size):
        y[i] = zero if x[i] <= zero else x[i]


@elementwise
def _relu_backward(share, shares, thread, packed):
    """Each share is a run of elements."""
    dy, y, dx = unpack(packed)
    zero = y.dtype.type(0)
    dy, y, dx = run_of(share, shares, dy), run_of(share, shares, y), run_of(share, shares, dx)
    for i in range(y.size):
        dx[i] = dy[i] if y[i] > zero else zero
