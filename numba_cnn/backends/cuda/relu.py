"""ReLU and its gradient, one thread an element."""

from numba_cnn.backends.contract import checked
from numba_cnn.backends.cuda.launch import launch_elementwise
from numba_cnn.backends.cuda.memory import empty
from numba_cnn.backends.cuda.provider import cuda, jit
from numba_cnn.backends.cuda.vector import load, store


@checked
def relu(x, y):
    launch_elementwise(relu_kernel, x, y)


@checked
def relu_backward(dy, y, dx):
    launch_elementwise(relu_backward_kernel, dy, y, dx)


def gated(dy, y):
    """dy where a fused ReLU let its output y through; dy itself where there was no ReLU."""
    if y is None:
        return dy
    passed = empty(dy.shape, dy.dtype)
    relu_backward(dy, y, passed)
    return passed


@jit
def relu_kernel(x, y):
    i = cuda.grid(1)
    if i < x.size:
        value, zero = load(x, i), x.dtype.type(0)
        store(y, i, zero if value <= zero else value)  # NaN goes through


@jit
def relu_backward_kernel(dy, y, dx):
    i = cuda.grid(1)
    if i < y.size:
        zero = dy.dtype.type(0)
        store(dx, i, load(dy, i) if load(y, i) > zero else zero)
